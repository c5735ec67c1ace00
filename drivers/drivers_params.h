/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drivers' tunables and statistics: fields made from the rows of
 * drivers/drivers.params.
 */
#ifndef DRIVERS_DRIVERS_PARAMS_H
#define DRIVERS_DRIVERS_PARAMS_H

#include "kern/param.h"

struct drivers_params {
#define TUNABLE(field, name, unit, initial, min, max, help) int64_t field;
#define COUNTER(field, name, unit, help) uint64_t field;
#define GAUGE(field, name, unit, help) uint64_t field;
#define HISTOGRAM(field, name, unit, help) struct histogram field;
#include "drivers/drivers.params"
#undef TUNABLE
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

extern struct drivers_params drivers_params;

/* Boot time, before the first attach; does not yield. */
void drivers_params_register(void);

#endif
