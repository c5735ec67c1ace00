/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm's tunables and statistics: fields made from the rows of mm/mm.params.
 */
#ifndef MM_MM_PARAMS_H
#define MM_MM_PARAMS_H

#include "kern/param.h"

struct mm_params {
#define TUNABLE(field, name, unit, initial, min, max, help) int64_t field;
#define COUNTER(field, name, unit, help) uint64_t field;
#define GAUGE(field, name, unit, help) uint64_t field;
#define HISTOGRAM(field, name, unit, help) struct histogram field;
#include "mm/mm.params"
#undef TUNABLE
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

extern struct mm_params mm_params;
void mm_params_register(void);

#endif
