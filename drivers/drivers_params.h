/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drivers' tunables and statistics: fields made from the rows of
 * drivers/drivers.params.
 */
#ifndef DRIVERS_DRIVERS_PARAMS_H
#define DRIVERS_DRIVERS_PARAMS_H

#include "kern/param.h"

struct drivers_params {
#define PARAMS "drivers/drivers.params"
#include "kern/param_struct.h"
};

extern struct drivers_params drivers_params;

/* Boot time, before the first attach; does not yield. */
void drivers_params_register(void);

#endif
