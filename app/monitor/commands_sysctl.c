/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl: every tunable and statistic by name.
 *
 *   sysctl              all           sysctl vm.stats     those that begin so
 *   sysctl NAME         one           sysctl NAME=VALUE   set a tunable
 *
 * Owns: nothing. Does not: know any parameter (kern/param.h has the table).
 *
 * Invariants: none.
 * Yields: in printing.
 * See: kern/param.h; docs/PARAMS.md.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/param.h"
#include "kern/timer.h"
#include "mm/vm_meter.h"

#define ROWS_MAX    400
#define SECONDS_MAX 3600
#define SECOND_US   1000000u

static void
print_row(const struct param_row *row)
{
	const struct histogram *h = row->value;

	if (row->kind == PARAM_GAUGE && *(uint64_t *)row->value == PARAM_ABSENT) {
		kprintf("%s: absent (this machine does not tell)\n", row->name);
		return;
	}
	if (row->kind != PARAM_HISTOGRAM) {
		kprintf("%s: %ld %s\n", row->name, (long)param_get(row),
		    param_unit_name(row->unit));
		return;
	}
	if (h->count == 0) {
		kprintf("%s: no events\n", row->name);
		return;
	}
	kprintf("%s: %lu events, mean %lu, median at most %lu, 99 of 100 at most %lu, worst %lu"
	    " %s\n",
	    row->name, (unsigned long)h->count, (unsigned long)(h->sum / h->count),
	    (unsigned long)histogram_percentile(h, 50), (unsigned long)histogram_percentile(h, 99),
	    (unsigned long)h->max, param_unit_name(row->unit));
}

/* Print all that begin with prefix; their number. */
static uint32_t
print_prefix(const char *prefix)
{
	const struct param_row *row;
	size_t bytes = strlen(prefix);
	uint32_t count = 0;

	for (row = param_next(NULL); row != NULL; row = param_next(row)) {
		if (strncmp(row->name, prefix, bytes) != 0)
			continue;
		print_row(row);
		count++;
	}
	return (count);
}

/* The last part of a name: people leave the first ones out. */
static const char *
leaf(const char *name)
{
	const char *dot = strrchr(name, '.');

	return (dot != NULL ? dot + 1 : name);
}

/* How far name is from the real one: as a whole, in its last part, or 1 if it is a
 * part of it. */
static uint32_t
name_distance(const char *name, const char *real)
{
	uint32_t whole = args_distance(name, real);
	uint32_t part = args_distance(leaf(name), leaf(real)) + 1;

	if (name[0] != '\0' && strstr(real, name) != NULL)
		return (1);
	return (whole < part ? whole : part);
}

static void
unknown_name(const struct monitor_call *call, const char *name)
{
	const struct param_row *row, *best = NULL;
	uint32_t best_distance = UINT32_MAX;

	for (row = param_next(NULL); row != NULL; row = param_next(row)) {
		uint32_t distance = name_distance(name, row->name);

		if (distance < best_distance) {
			best = row;
			best_distance = distance;
		}
	}
	if (best == NULL)
		monitor_expected(call, "no name '%.60s'", name);
	else
		monitor_expected(call, "no name '%.60s', the nearest is %s", name, best->name);
}

/* "NAME=VALUE", cut in two at value - 1. */
static void
set(const struct monitor_call *call, const char *name, const char *value)
{
	const struct param_row *row = param_find(name);
	char why[160] = "";
	int64_t number;

	if (row == NULL) {
		unknown_name(call, name);
		return;
	}
	if (args_number(value, INT64_MIN, INT64_MAX, &number) != 0) {
		if (row->kind == PARAM_TUNABLE)
			monitor_expected(call, "%s: expected a number from %ld to %ld, got '%.40s'",
			    name, (long)row->min, (long)row->max, value);
		else
			monitor_expected(call, "%s is a statistic and cannot be set", name);
		return;
	}
	if (param_set(name, number, why, sizeof(why)) != 0) {
		kprintf("sysctl: %s\n", why);
		return;
	}
	print_row(row);
}

/* ---- rates */

static int64_t former[ROWS_MAX]; /* of the rows in their order */
static uint64_t former_us;       /* when */

static void
print_rate(const char *name, uint64_t tenths)
{
	kprintf("%-32s %10lu.%lu a second\n", name, (unsigned long)(tenths / 10),
	    (unsigned long)(tenths % 10));
}

/* Remember what begins with prefix; print first what has grown since the last time, by the
 * second: of the time that has passed, for printing takes its own. How many lines that were. */
static uint32_t
sample(const char *prefix, bool print)
{
	const struct param_row *row = param_next(NULL);
	int64_t elapsed_us = (int64_t)(timer_now_us() - former_us);
	uint32_t n, lines = 0;

	former_us += (uint64_t)elapsed_us;
	if (elapsed_us == 0)
		elapsed_us = 1;
	vm_meter_refresh();
	for (n = 0; row != NULL && n < ROWS_MAX; row = param_next(row), n++) {
		int64_t now = param_get(row), grown = now - former[n];

		former[n] = now;
		if (!print || grown == 0 || row->kind == PARAM_TUNABLE ||
		    strncmp(row->name, prefix, strlen(prefix)) != 0)
			continue;
		if (row->kind == PARAM_GAUGE)
			kprintf("%-32s %10ld %+ld\n", row->name, (long)now, (long)grown);
		else
			print_rate(row->name, (uint64_t)grown * 10 * SECOND_US /
			    (uint64_t)elapsed_us);
		lines++;
	}
	return (lines);
}

static bool
any_begins(const char *prefix)
{
	const struct param_row *row = param_next(NULL);

	while (row != NULL && strncmp(row->name, prefix, strlen(prefix)) != 0)
		row = param_next(row);
	return (row != NULL);
}

/* "-d SECONDS [PREFIX]", until a key is hit. */
static void
rates(const struct monitor_call *call)
{
	const char *prefix = call->argc > 3 ? call->argv[3] : "";
	int64_t seconds;

	if (call->argc < 3) {
		monitor_expected(call, "expected seconds after -d");
		return;
	}
	if (!monitor_number(call, 2, 1, SECONDS_MAX, &seconds))
		return;
	if (!any_begins(prefix)) {
		unknown_name(call, prefix);
		return;
	}
	(void)sample(prefix, false);
	while (!monitor_key_pressed(NULL, (uint64_t)seconds * SECOND_US))
		kprintf("%u changed\n", sample(prefix, true));
}

void
cmd_sysctl(const struct monitor_call *call)
{
	char *word = call->argc > 1 ? call->argv[1] : "";
	char *equals = strchr(word, '=');
	const struct param_row *row;

	if (strcmp(word, "-d") == 0) {
		rates(call);
		return;
	}
	vm_meter_refresh();
	if (equals != NULL) {
		*equals = '\0';
		set(call, word, equals + 1);
		return;
	}
	row = param_find(word);
	if (row != NULL) {
		print_row(row);
		if (row->kind == PARAM_TUNABLE)
			kprintf("  %s (%ld to %ld, at boot %ld)\n", row->help, (long)row->min,
			    (long)row->max, (long)row->initial);
		else
			kprintf("  %s\n", row->help);
	} else if (print_prefix(word) == 0) {
		unknown_name(call, word);
	}
}
