/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern's tunables and statistics: fields made from the rows of kern/kern.params.
 */
#ifndef KERN_KERN_PARAMS_H
#define KERN_KERN_PARAMS_H

#include "kern/param.h"

struct kern_params {
#define PARAMS "kern/kern.params"
#include "kern/param_struct.h"
};

extern struct kern_params kern_params;
void kern_params_register(void);

#endif
