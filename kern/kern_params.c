/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of kern/kern.params as a table.
 *
 * Owns: kern_params, the values.
 * Does not: interpret them; each file of kern/ does that with its own.
 * Invariants: none of its own.
 * Yields: never.
 * See: kern/param.h for the pattern.
 */
#include <stddef.h>

#include "kern/kern_params.h"

struct kern_params kern_params;

static const struct param_row rows[] = {
#define PARAMS       "kern/kern.params"
#define PARAM_VALUES kern_params
#include "kern/param_rows.h"
};

PARAM_TABLE(kern_params, rows, NULL, NULL)
