/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row table of drivers/drivers.params.
 *
 * Owns: struct drivers_params, and the table that kern/param.c lists.
 * Does not: count; each driver does.
 * Invariants: none of its own.
 * Yields: never.
 * See: kern/param.h.
 */
#include "drivers/drivers_params.h"

#include <stddef.h>

struct drivers_params drivers_params;

static const struct param_row rows[] = {
#define PARAMS       "drivers/drivers.params"
#define PARAM_VALUES drivers_params
#include "kern/param_rows.h"
};

PARAM_TABLE(drivers_params, rows, NULL, NULL)
