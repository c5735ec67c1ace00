/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of all tunables and statistics, by name.
 *
 * Owns: the list of tables, in order of registration.
 * Does not: hold values (each folder's struct does), nor print (the monitor does).
 * Invariants:
 *   P1 a name occurs once in all tables;
 *   P2 a tunable's default lies within its limits, and so does its value;
 *   P3 a percentile is 0 to 100.
 * Yields: never.
 * Complexity: look-up by name is linear; only the monitor and tests look up.
 * See: kern/param.h.
 */
#include "kern/param.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/assert.h"

static SLIST_HEAD(, param_table) tables = SLIST_HEAD_INITIALIZER(tables);

static bool
table_known(const struct param_table *table)
{
	struct param_table *t;

	SLIST_FOREACH(t, &tables, link)
		if (t == table)
			return (true);
	return (false);
}

static void
table_append(struct param_table *table)
{
	struct param_table *last = NULL;
	struct param_table *t;

	SLIST_FOREACH(t, &tables, link)
		last = t;
	if (last == NULL)
		SLIST_INSERT_HEAD(&tables, table, link);
	else
		SLIST_INSERT_AFTER(last, table, link);
}

void
param_register(struct param_table *table)
{
	bool known = table_known(table);

	for (uint32_t i = 0; i < table->row_count; i++) {
		const struct param_row *row = &table->rows[i];

		if (!known) {
			KASSERT(param_find(row->name) == NULL, "P1: a name occurs once");
		}
		if (row->kind != PARAM_TUNABLE)
			continue;
		KASSERT(row->initial >= row->min && row->initial <= row->max,
		    "P2: a default lies within its limits");
		*(int64_t *)row->value = row->initial;
	}
	if (!known)
		table_append(table);
}

/* The table that row belongs to. */
static const struct param_table *
table_of(const struct param_row *row)
{
	struct param_table *t;

	SLIST_FOREACH(t, &tables, link)
		if (row >= t->rows && row < t->rows + t->row_count)
			return (t);
	return (NULL);
}

const struct param_row *
param_next(const struct param_row *prev)
{
	const struct param_table *t;

	if (prev == NULL) {
		t = SLIST_FIRST(&tables);
	} else {
		t = table_of(prev);
		if (prev + 1 < t->rows + t->row_count)
			return (prev + 1);
		t = SLIST_NEXT(t, link);
	}
	while (t != NULL && t->row_count == 0)
		t = SLIST_NEXT(t, link);
	return (t != NULL ? &t->rows[0] : NULL);
}

const struct param_row *
param_find(const char *name)
{
	const struct param_row *row = NULL;

	while ((row = param_next(row)) != NULL)
		if (strcmp(row->name, name) == 0)
			return (row);
	return (NULL);
}

int64_t
param_get(const struct param_row *row)
{
	switch (row->kind) {
	case PARAM_TUNABLE:
		return (*(const int64_t *)row->value);
	case PARAM_HISTOGRAM:
		return ((int64_t)((const struct histogram *)row->value)->count);
	default:
		return ((int64_t)*(const uint64_t *)row->value);
	}
}

int
param_set(const char *name, int64_t value, char *why, uint32_t why_bytes)
{
	const struct param_row *row = param_find(name);
	const struct param_table *table;
	const char *refusal = NULL;

	if (row == NULL) {
		snprintf(why, why_bytes, "%s: no such name", name);
		return (ERR_NOENT);
	}
	if (row->kind != PARAM_TUNABLE) {
		snprintf(why, why_bytes, "%s: is a statistic and cannot be set", name);
		return (ERR_PERM);
	}
	if (row->min == row->max) {
		snprintf(why, why_bytes, "%s: is always %lld in this build", name,
		    (long long)row->min);
		return (ERR_PERM);
	}
	table = table_of(row);
	if (value < row->min || value > row->max) {
		snprintf(why, why_bytes, "%s: expected %lld to %lld %s, not %lld", name,
		    (long long)row->min, (long long)row->max, param_unit_name(row->unit),
		    (long long)value);
		return (ERR_INVAL);
	}
	if (table->validate != NULL)
		refusal = table->validate(row, value);
	if (refusal != NULL) {
		snprintf(why, why_bytes, "%s: %s", name, refusal);
		return (ERR_INVAL);
	}
	*(int64_t *)row->value = value;
	if (table->changed != NULL)
		table->changed(row);
	return (0);
}

const char *
param_unit_name(enum param_unit unit)
{
	static const char *const names[] = {
		[PAGES] = "pages",
		[BYTES] = "bytes",
		[BLOCKS] = "blocks",
		[EVENTS] = "events",
		[TICKS] = "ticks",
		[MICROSECONDS] = "us",
		[SECONDS] = "s",
		[PERCENT] = "percent",
		[FLAG] = "flag",
		[HERTZ] = "Hz",
		[MICROVOLTS] = "uV",
		[MILLICELSIUS] = "mC",
	};

	return (names[unit]);
}

uint64_t
histogram_percentile(const struct histogram *h, uint32_t percent)
{
	uint64_t wanted;
	uint64_t seen = 0;

	KASSERT(percent <= 100, "P3: a percentile is at most 100");
	if (h->count == 0)
		return (0);
	/* The rank, rounded up, of the value asked for; at least the first. */
	wanted = h->count / 100 * percent + (h->count % 100 * percent + 99) / 100;
	if (wanted == 0)
		wanted = 1;
	for (uint32_t b = 0; b < HISTOGRAM_BUCKETS - 1; b++) {
		seen += h->buckets[b];
		if (seen >= wanted)
			return (b == 0 ? 0 : (1ull << b) - 1 < h->max ? (1ull << b) - 1 : h->max);
	}
	return (h->max);
}
