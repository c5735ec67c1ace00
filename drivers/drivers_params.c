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

/* What only some machines have is absent until their driver knows better. */
struct drivers_params drivers_params = {
	.hw_temperature = PARAM_ABSENT,
	.hw_temperature_max = PARAM_ABSENT,
	.hw_clock_arm = PARAM_ABSENT,
	.hw_clock_arm_max = PARAM_ABSENT,
	.hw_clock_core = PARAM_ABSENT,
	.hw_clock_emmc = PARAM_ABSENT,
	.hw_clock_uart = PARAM_ABSENT,
	.hw_voltage_core = PARAM_ABSENT,
	.hw_undervoltage = PARAM_ABSENT,
	.hw_capped = PARAM_ABSENT,
	.hw_throttled = PARAM_ABSENT,
	.hw_hot = PARAM_ABSENT,
};

static const struct param_row rows[] = {
#define PARAMS       "drivers/drivers.params"
#define PARAM_VALUES drivers_params
#include "kern/param_rows.h"
};

PARAM_TABLE(drivers_params, rows, NULL, NULL)
