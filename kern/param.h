/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunables and statistics, declared once.
 *
 * Each folder that has any keeps one file <folder>/<folder>.params, rows of
 *
 *   TUNABLE(field, "name", UNIT, default, min, max, "One sentence.")
 *   COUNTER(field, "name", UNIT, "One sentence.")
 *   GAUGE(field, "name", UNIT, "One sentence.")
 *   HISTOGRAM(field, "name", UNIT, "One sentence.")
 *
 * and two small files. kern's, as the pattern for all:
 *
 *   kern/kern_params.h                      kern/kern_params.c
 *
 *   #include "kern/param.h"                 #include "kern/kern_params.h"
 *   struct kern_params {
 *   #define PARAMS "kern/kern.params"       struct kern_params kern_params;
 *   #include "kern/param_struct.h"
 *   };                                      static const struct param_row rows[] = {
 *   extern struct kern_params kern_params;  #define PARAMS "kern/kern.params"
 *   void kern_params_register(void);        #define PARAM_VALUES kern_params
 *                                           #include "kern/param_rows.h"
 *                                           };
 *                                           PARAM_TABLE(kern_params, rows, NULL, NULL)
 *
 * A tunable whose limits are equal cannot be set.
 *
 * Code uses the field (kern_params.irqs++), the monitor and the tests use
 * the name ("kern.irqs"). docs/PARAMS.md is made from the rows.
 * Until kern_params_register() has run, tunables are 0.
 */
#ifndef KERN_PARAM_H
#define KERN_PARAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/err.h"

enum param_kind { PARAM_TUNABLE, PARAM_COUNTER, PARAM_GAUGE, PARAM_HISTOGRAM };
enum param_unit { PAGES, BYTES, BLOCKS, EVENTS, TICKS, MICROSECONDS, SECONDS, PERCENT, FLAG,
	HERTZ, MICROVOLTS, MILLICELSIUS };

/* Value of a gauge for something that this machine does not have or does not tell. */
#define PARAM_ABSENT UINT64_MAX

/* Logarithmic histogram: bucket i counts values in [2^(i-1), 2^i), bucket 0 zero. */
#define HISTOGRAM_BUCKETS 32
struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t max;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline void
histogram_add(struct histogram *h, uint64_t value)
{
	uint32_t b = value == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(value);

	h->count++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	h->buckets[b < HISTOGRAM_BUCKETS ? b : HISTOGRAM_BUCKETS - 1]++;
}

/* Upper bound of the bucket that holds the given percentile (0..100). */
uint64_t histogram_percentile(const struct histogram *h, uint32_t percent);

struct param_row {
	const char *name;       /* full dotted name */
	const char *help;       /* one sentence */
	void *value;            /* int64_t (tunable), uint64_t, or struct histogram */
	int64_t initial, min, max; /* tunables */
	uint8_t kind, unit;
};

struct param_table {
	SLIST_ENTRY(param_table) link;
	const struct param_row *rows;
	uint32_t row_count;
	/* Relation between tunables, asked before a change takes effect: NULL, or
	 * an error text with what is allowed. May be NULL. */
	const char *(*validate)(const struct param_row *row, int64_t value);
	/* Called after a change; may be NULL. */
	void (*changed)(const struct param_row *row);
};

/* Add a folder's table and set its tunables to their defaults; statistics are left
 * alone. Again for a table already there: only the defaults. Boot time. */
void param_register(struct param_table *table);

/* Defines void <name>_register(void) for a folder's rows; validate and changed are
 * those of struct param_table, or NULL. */
#define PARAM_TABLE(name, row_array, validate_fn, changed_fn)             \
	void name##_register(void)                                        \
	{                                                                 \
		static struct param_table table = {                       \
			.rows = row_array,                                \
			.row_count = sizeof(row_array) / sizeof(row_array[0]), \
			.validate = validate_fn,                          \
			.changed = changed_fn,                            \
		};                                                        \
		param_register(&table);                                   \
	}

const struct param_row *param_find(const char *name);
/* Iterate in registration order; NULL = first. */
const struct param_row *param_next(const struct param_row *prev);
/* Current value (histogram: its count; PARAM_ABSENT reads as -1). */
int64_t param_get(const struct param_row *row);
/* Set a tunable; on refusal returns ERR_INVAL or ERR_PERM (not a tunable) and
 * writes a sentence with the allowed range to why. */
int param_set(const char *name, int64_t value, char *why, uint32_t why_bytes) ERR_MUST_CHECK;
const char *param_unit_name(enum param_unit unit);

#endif
