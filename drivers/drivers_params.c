/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row table of drivers/drivers.params.
 *
 * Owns: struct drivers_params, and the table that kern/param.c lists.
 * Does not: count; each driver does.
 * Yields: never.
 * See: kern/param.h.
 */
#include "drivers/drivers_params.h"

#include <stddef.h>

struct drivers_params drivers_params;

#define ROW(field, name, kind, unit, initial, min, max, help) \
	{ name, help, &drivers_params.field, initial, min, max, kind, unit },
#define TUNABLE(field, name, unit, initial, min, max, help) \
	ROW(field, name, PARAM_TUNABLE, unit, initial, min, max, help)
#define COUNTER(field, name, unit, help) ROW(field, name, PARAM_COUNTER, unit, 0, 0, 0, help)
#define GAUGE(field, name, unit, help) ROW(field, name, PARAM_GAUGE, unit, 0, 0, 0, help)
#define HISTOGRAM(field, name, unit, help) ROW(field, name, PARAM_HISTOGRAM, unit, 0, 0, 0, help)

static const struct param_row rows[] = {
#include "drivers/drivers.params"
};

static struct param_table table = {
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
};

void
drivers_params_register(void)
{
	param_register(&table);
}
