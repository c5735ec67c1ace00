/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row table of mm's tunables and statistics.
 *
 * Owns: mm_params and its table.
 * Does not: count anything; whoever causes an event counts it.
 * Invariants: a field's row has the field's name in mm/mm.params, once.
 * Gauges are copied from where the figure is kept by vm_meter_refresh.
 * Yields: never.
 * See: kern/param.h, docs/PARAMS.md.
 */
#include "mm/mm_params.h"

#include <stddef.h>

struct mm_params mm_params;

static const struct param_row rows[] = {
#define PARAMS       "mm/mm.params"
#define PARAM_VALUES mm_params
#include "kern/param_rows.h"
};

PARAM_TABLE(mm_params, rows, NULL, NULL)
