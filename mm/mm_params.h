/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm's tunables and statistics: fields made from the rows of mm/mm.params. Public.
 */
#ifndef MM_MM_PARAMS_H
#define MM_MM_PARAMS_H

#include "kern/param.h"

/* Whole programs can be swapped out; `make SWAPPING=no` builds without. */
#ifdef NO_SWAPPING
#define SWAPPING 0
#else
#define SWAPPING 1
#endif

struct mm_params {
#define PARAMS "mm/mm.params"
#include "kern/param_struct.h"
};

extern struct mm_params mm_params;
void mm_params_register(void);

#endif
