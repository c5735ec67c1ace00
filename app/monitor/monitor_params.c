/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of app/monitor/monitor.params as a table.
 *
 * Owns: monitor_params, the values.
 * Does not: interpret them; each file of app/monitor does that with its own.
 * Invariants: none of its own.
 * Yields: never.
 * See: kern/param.h for the pattern.
 */
#include <stddef.h>

#include "app/monitor/monitor_params.h"

struct monitor_params monitor_params;

static const struct param_row rows[] = {
#define PARAMS       "app/monitor/monitor.params"
#define PARAM_VALUES monitor_params
#include "kern/param_rows.h"
};

PARAM_TABLE(monitor_params, rows, NULL, NULL)
