/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist, pagemap.
 *
 *   hist vm.fault_us   how long page faults took, as bars
 *   hist sd0.read      ... reads of a disk
 *   pagemap            every frame as a character by its state
 *
 * Owns: nothing. Does not: reset statistics.
 *
 * Invariants: none.
 * Yields: both (they print).
 * See: kern/param.h (struct histogram), kern/blkdev.h, mm/vm_pagemap.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/blkdev.h"
#include "kern/console.h"
#include "kern/param.h"
#include "mm/vm_pagemap.h"

#define BAR_COLUMNS   50u
#define MAP_COLUMNS   64u
#define MAP_ROWS      32u
#define DEVICE_HISTOGRAMS 5u
#define HOME_CLEAR    "\033[H\033[J" /* ECMA-48: CUP, ED */
#define REDRAW_US     500000

typedef unsigned long ul;

/* ---- hist */

static const char *const device_names[DEVICE_HISTOGRAMS] = { "read", "write", "wait_pagein",
	"wait_normal", "wait_pageout" };

static const struct histogram *
device_histogram(const struct blkdev *dev, uint32_t n)
{
	switch (n) {
	case 0:
		return (&dev->read_us);
	case 1:
		return (&dev->write_us);
	default:
		return (&dev->wait_us[n - 2]);
	}
}

/* "DEVICE.WHAT". */
static const struct histogram *
find_device_histogram(const char *name)
{
	const char *dot = strchr(name, '.');
	struct blkdev *dev = NULL;
	uint32_t n;

	while (dot != NULL && (dev = blk_next_device(dev)) != NULL) {
		if (strlen(dev->name) != (size_t)(dot - name) ||
		    strncmp(dev->name, name, (size_t)(dot - name)) != 0)
			continue;
		for (n = 0; n < DEVICE_HISTOGRAMS; n++)
			if (strcmp(dot + 1, device_names[n]) == 0)
				return (device_histogram(dev, n));
	}
	return (NULL);
}

static const struct histogram *
find_histogram(const char *name, const char **unit)
{
	const struct param_row *row = param_find(name);

	*unit = "us";
	if (row == NULL)
		return (find_device_histogram(name));
	if (row->kind != PARAM_HISTOGRAM)
		return (NULL);
	*unit = param_unit_name(row->unit);
	return (row->value);
}

static void
print_names(void)
{
	const struct param_row *row;
	struct blkdev *dev = NULL;
	uint32_t n;

	for (row = param_next(NULL); row != NULL; row = param_next(row))
		if (row->kind == PARAM_HISTOGRAM)
			kprintf("%-22s %8lu  %s\n", row->name, (ul)param_get(row), row->help);
	while ((dev = blk_next_device(dev)) != NULL)
		for (n = 0; n < DEVICE_HISTOGRAMS; n++)
			if (device_histogram(dev, n)->count != 0)
				kprintf("%s.%-*s %8lu\n", dev->name, (int)(21 - strlen(dev->name)),
				    device_names[n], (ul)device_histogram(dev, n)->count);
}

static void
print_bucket(uint32_t i, uint64_t count, uint64_t most)
{
	char bar[BAR_COLUMNS + 1];
	uint32_t length = (uint32_t)(count * BAR_COLUMNS / most);

	memset(bar, '#', length);
	bar[length] = '\0';
	kprintf("%11lu to %-11lu %9lu %s\n", i == 0 ? 0 : 1ul << (i - 1),
	    i == 0 ? 0 : (1ul << i) - 1, (ul)count, length == 0 && count != 0 ? "." : bar);
}

/* From the first bucket with an event to the last. A copy: printing may make events. */
static void
print_histogram(const char *name, struct histogram h, const char *unit)
{
	uint32_t i, first = HISTOGRAM_BUCKETS, last = 0;
	uint64_t most = 1;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (h.buckets[i] == 0)
			continue;
		first = first < i ? first : i;
		last = i;
		most = h.buckets[i] > most ? h.buckets[i] : most;
	}
	if (h.count == 0) {
		kprintf("%s: no events\n", name);
		return;
	}
	kprintf("%s: %lu events, mean %lu, median at most %lu, 99 of 100 at most %lu, worst %lu "
		"%s\n", name, (ul)h.count, (ul)(h.sum / h.count), (ul)histogram_percentile(&h, 50),
	    (ul)histogram_percentile(&h, 99), (ul)h.max, unit);
	for (i = first; i <= last; i++)
		print_bucket(i, h.buckets[i], most);
}

void
cmd_hist(const struct monitor_call *call)
{
	const struct histogram *h;
	const char *unit;

	if (call->argc == 1) {
		print_names();
		return;
	}
	h = find_histogram(call->argv[1], &unit);
	if (h == NULL)
		monitor_expected(call, "no histogram '%.40s'; without a name, hist lists them",
		    call->argv[1]);
	else
		print_histogram(call->argv[1], *h, unit);
}

/* ---- pagemap */

static const struct {
	char letter;
	const char *colour; /* ECMA-48 SGR */
	const char *means;
} states[VM_PAGEMAP_STATES] = {
	[VM_PAGEMAP_FREE] = { '.', "90", "free" },
	[VM_PAGEMAP_CACHE] = { 'c', "36", "cached" },
	[VM_PAGEMAP_ACTIVE] = { 'A', "32", "active" },
	[VM_PAGEMAP_INACTIVE] = { 'i', "33", "inactive" },
	[VM_PAGEMAP_DIRTY] = { 'd', "31", "to be written" },
	[VM_PAGEMAP_BUSY] = { '*', "35", "on its way" },
	[VM_PAGEMAP_WIRED] = { 'W', "34", "wired" },
	[VM_PAGEMAP_OTHER] = { '?', "37", "in use" },
};

/* One line of the map: frames [first, first + MAP_COLUMNS * each). */
static void
print_map_line(uint32_t first, uint32_t each, bool colours)
{
	char line[MAP_COLUMNS * 7 + 8];
	uint32_t used = 0, column, count = vm_pagemap_count();
	int last = -1;

	for (column = 0; column < MAP_COLUMNS && first < count; column++, first += each) {
		uint32_t end = first + each < count ? first + each : count;
		int s = (int)vm_pagemap_most(first, end);

		if (colours && s != last)
			used += (uint32_t)snprintf(line + used, sizeof(line) - used, "\033[%sm",
			    states[s].colour);
		last = s;
		line[used++] = states[s].letter;
	}
	line[used] = '\0';
	kprintf("%s%s\n", line, colours ? "\033[0m" : "");
}

static void
print_map(bool colours)
{
	uint32_t count = vm_pagemap_count(), cells = MAP_COLUMNS * MAP_ROWS;
	uint32_t each = (count + cells - 1) / cells, first, s;

	kprintf("%u frames, %u a character:", count, each);
	for (s = 0; s < VM_PAGEMAP_STATES; s++)
		kprintf(" %c %s%s", states[s].letter, states[s].means,
		    s + 1 < VM_PAGEMAP_STATES ? "," : "\n");
	for (first = 0; first < count; first += each * MAP_COLUMNS)
		print_map_line(first, each, colours);
}

void
cmd_pagemap(const struct monitor_call *call)
{
	if (call->argc == 1) {
		print_map(false);
		return;
	}
	if (strcmp(call->argv[1], "live") != 0) {
		monitor_expected(call, "expected live, got '%.40s'", call->argv[1]);
		return;
	}
	do {
		kprintf(HOME_CLEAR);
		print_map(true);
	} while (!monitor_key_pressed(NULL, REDRAW_US));
}
