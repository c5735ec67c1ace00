/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics stream.
 *
 * Every row of sysctl and the counters of every disk have an index. A sample says which of
 * them have changed since the sample before, with their values (not differences: who
 * misses a line is right again at the next change). At the beginning and once a minute the
 * names go out, every ten seconds all values, so that a recording can begin anywhere.
 *
 *   names -> all -> map, ps -> new -> new -> ... -> map, ps -> ... -> all -> ...
 *
 * Histograms go out once a second: the lines shall be few and short enough for 115,200
 * baud at ten samples a second. A slow
 * console holds up the stream, not those it watches: samples that are late are left out.
 *
 * Owns: the task "stream", the table of rows, what was sent last.
 * Does not: count; form lines (stream_line.c).
 *
 * Invariants:
 * S1 one task at most.
 * S2 while it runs it allocates nothing.
 * S3 a row keeps its index until names are sent again: when there is another disk.
 *
 * Yields: stream_stop; the task.
 * Complexity: a sample reads each row once.
 * See: docs/SPEC.md, section 4; app/monitor/stream_line.h.
 */
#include "app/monitor/stream.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/monitor.h"
#include "app/monitor/stream_line.h"
#include "kern/blkdev.h"
#include "kern/machdep.h"
#include "kern/param.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "lib/assert.h"
#include "mm/swap_pager.h"
#include "mm/vm_meter.h"
#include "mm/vm_pagemap.h"
#include "proc/proc.h"

#define ROWS_MAX       512u
#define HISTOGRAMS_MAX 96u
#define NAMES_US       60000000u
#define ALL_US         10000000u
#define HISTOGRAMS_US  1000000u
#define MAP_CELLS_MAX  2048u
#define ITEM_BYTES     64u  /* index and value, a run of cells */
#define NAME_BYTES     160u
#define HISTOGRAM_BYTES 500u /* 32 buckets of 14 bytes, and the sums */
#define PROGRAM_BYTES  320u /* a name of 31 bytes may get six times as long */

/* What is counted of a disk. */
enum disk_field { READS, WRITES, READ_BLOCKS, WRITTEN_BLOCKS, ERRORS, QUEUED, READ_US, WRITE_US,
	DISK_FIELDS };

static const struct {
	const char *name;
	uint8_t kind, unit;
} disk_fields[DISK_FIELDS] = {
	[READS] = { "reads", PARAM_COUNTER, EVENTS },
	[WRITES] = { "writes", PARAM_COUNTER, EVENTS },
	[READ_BLOCKS] = { "read_blocks", PARAM_COUNTER, BLOCKS },
	[WRITTEN_BLOCKS] = { "written_blocks", PARAM_COUNTER, BLOCKS },
	[ERRORS] = { "errors", PARAM_COUNTER, EVENTS },
	[QUEUED] = { "queued", PARAM_GAUGE, EVENTS },
	[READ_US] = { "read_us", PARAM_HISTOGRAM, MICROSECONDS },
	[WRITE_US] = { "write_us", PARAM_HISTOGRAM, MICROSECONDS },
};

struct row {
	const struct param_row *param; /* or NULL: field of disk */
	const struct blkdev *disk;
	uint8_t field;                 /* enum disk_field */
	uint8_t kind;                  /* enum param_kind */
	int64_t sent;                  /* value, or count of a histogram */
	struct histogram *sent_buckets;
};

static struct row rows[ROWS_MAX];
static struct histogram histograms[HISTOGRAMS_MAX];
static uint32_t row_count, histogram_count, disk_count;

static struct stream_out out;
static bool running, stopping, fresh;
static uint32_t period_ms, map_period_ms;
static uint64_t names_at_us, all_at_us, histograms_at_us, map_at_us; /* when they are due */

/* ---- the table of rows */

static int
add_row(const struct param_row *param, const struct blkdev *disk, uint32_t field, uint32_t kind)
{
	struct row *r = &rows[row_count];

	if (row_count == ROWS_MAX)
		return (ERR_NOSPC);
	if (kind == PARAM_HISTOGRAM && histogram_count == HISTOGRAMS_MAX)
		return (ERR_NOSPC);
	*r = (struct row){ .param = param, .disk = disk, .field = (uint8_t)field,
		.kind = (uint8_t)kind };
	if (kind == PARAM_HISTOGRAM)
		r->sent_buckets = &histograms[histogram_count++];
	row_count++;
	return (0);
}

static uint32_t
count_disks(void)
{
	struct blkdev *dev = NULL;
	uint32_t count = 0;

	while ((dev = blk_next_device(dev)) != NULL)
		count++;
	return (count);
}

static int
make_rows(void)
{
	const struct param_row *param = NULL;
	struct blkdev *dev = NULL;
	uint32_t field;
	int error = 0;

	row_count = histogram_count = 0;
	while (error == 0 && (param = param_next(param)) != NULL)
		error = add_row(param, NULL, 0, param->kind);
	while (error == 0 && (dev = blk_next_device(dev)) != NULL)
		for (field = 0; error == 0 && field < DISK_FIELDS; field++)
			error = add_row(NULL, dev, field, disk_fields[field].kind);
	disk_count = count_disks();
	memset(histograms, 0, sizeof(histograms));
	return (error);
}

static const struct histogram *
histogram_of(const struct row *r)
{
	if (r->param != NULL)
		return (r->param->value);
	return (r->field == READ_US ? &r->disk->read_us : &r->disk->write_us);
}

static int64_t
disk_value(const struct blkdev *dev, uint32_t field)
{
	switch (field) {
	case READS:
		return ((int64_t)dev->reads);
	case WRITES:
		return ((int64_t)dev->writes);
	case READ_BLOCKS:
		return ((int64_t)dev->read_blocks);
	case WRITTEN_BLOCKS:
		return ((int64_t)dev->written_blocks);
	case ERRORS:
		return ((int64_t)dev->errors);
	case QUEUED:
		return (dev->queued_count);
	case READ_US:
		return ((int64_t)dev->read_us.count);
	default:
		return ((int64_t)dev->write_us.count);
	}
}

static int64_t
value_of(const struct row *r)
{
	return (r->param != NULL ? param_get(r->param) : disk_value(r->disk, r->field));
}

/* ---- lists */

static void
send_names(void)
{
	static const char *const kinds[] = { "tunable", "counter", "gauge", "histogram" };
	char name[64];
	uint32_t i;

	stream_list_begin(&out, "names", "", "rows", false);
	for (i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];
		uint8_t unit = r->param != NULL ? r->param->unit : disk_fields[r->field].unit;

		if (r->param != NULL)
			snprintf(name, sizeof(name), "%s", r->param->name);
		else
			snprintf(name, sizeof(name), "disk.%s.%s", r->disk->name,
			    disk_fields[r->field].name);
		stream_item_begin(&out, NAME_BYTES);
		stream_put(&out, "[");
		stream_put_number(&out, i);
		stream_put(&out, ",");
		stream_put_string(&out, name);
		stream_put(&out, ",\"");
		stream_put(&out, kinds[r->kind]);
		stream_put(&out, "\",\"");
		stream_put(&out, param_unit_name(unit));
		stream_put(&out, "\"]");
	}
	stream_list_end(&out);
}

static void
send_values(bool all)
{
	char head[STREAM_HEAD_BYTES / 2 + 32];
	uint32_t i;

	vm_meter_refresh();
	snprintf(head, sizeof(head), "\"t\":%llu,\"idle\":%llu,\"ready\":%u,\"swap\":[%u,%u]",
	    (unsigned long long)timer_now_us(),
	    (unsigned long long)timer_cycles_to_us(sched_idle_cycles()), sched_runnable_count(),
	    swap_pager_total() - swap_pager_avail(), swap_pager_total());
	stream_list_begin(&out, all ? "all" : "new", head, "d", false);
	/* The time goes out even if nothing else has changed. */
	out.items = true;
	for (i = 0; i < row_count; i++) {
		int64_t value = value_of(&rows[i]);

		if (rows[i].kind == PARAM_HISTOGRAM || (!all && value == rows[i].sent))
			continue;
		if (out.line[out.used_bytes - 1] == '[')
			out.items = false;
		stream_item_begin(&out, ITEM_BYTES);
		stream_put_number(&out, i);
		stream_put(&out, ",");
		stream_put_number(&out, value);
		rows[i].sent = value;
	}
	stream_list_end(&out);
}

/* Row i: events, sum, worst, then number and events of each bucket that has changed. */
static void
put_histogram(uint32_t i, const struct histogram *h, struct histogram *sent, bool all)
{
	uint32_t b;

	stream_item_begin(&out, HISTOGRAM_BYTES);
	stream_put(&out, "[");
	stream_put_number(&out, i);
	stream_put(&out, ",");
	stream_put_number(&out, (int64_t)h->count);
	stream_put(&out, ",");
	stream_put_number(&out, (int64_t)h->sum);
	stream_put(&out, ",");
	stream_put_number(&out, (int64_t)h->max);
	for (b = 0; b < HISTOGRAM_BUCKETS; b++) {
		if (h->buckets[b] == 0 || (!all && h->buckets[b] == sent->buckets[b]))
			continue;
		stream_put(&out, ",");
		stream_put_number(&out, b);
		stream_put(&out, ",");
		stream_put_number(&out, h->buckets[b]);
	}
	stream_put(&out, "]");
	*sent = *h;
}

static void
send_histograms(bool all)
{
	char head[32];
	uint32_t i;

	snprintf(head, sizeof(head), "\"t\":%llu", (unsigned long long)timer_now_us());
	stream_list_begin(&out, "hist", head, "h", false);
	for (i = 0; i < row_count; i++) {
		struct row *r = &rows[i];
		struct histogram now;

		if (r->kind != PARAM_HISTOGRAM)
			continue;
		now = *histogram_of(r);
		if (all ? now.count == 0 : now.count == r->sent_buckets->count)
			continue;
		put_histogram(i, &now, r->sent_buckets, all);
	}
	stream_list_end(&out);
}

/* Runs of cells in one state: their number, if it is not 1, and a letter. */
static void
send_map(void)
{
	static const char letters[VM_PAGEMAP_STATES + 1] = ".cAid*W?";
	uint32_t frames = vm_pagemap_count(), each = (frames + MAP_CELLS_MAX - 1) / MAP_CELLS_MAX;
	uint32_t first, run = 0, state = 0, next;
	char head[80], letter[2] = "";

	snprintf(head, sizeof(head), "\"t\":%llu,\"frames\":%u,\"each\":%u",
	    (unsigned long long)timer_now_us(), frames, each);
	stream_list_begin(&out, "map", head, "cells", true);
	for (first = 0; first <= frames; first += each) {
		next = first >= frames ? VM_PAGEMAP_STATES :
		    vm_pagemap_most(first, first + each < frames ? first + each : frames);
		if (run != 0 && next != state) {
			stream_item_begin(&out, ITEM_BYTES);
			if (run > 1)
				stream_put_number(&out, run);
			letter[0] = letters[state];
			stream_put(&out, letter);
			run = 0;
		}
		state = next;
		run++;
		if (first >= frames)
			break;
	}
	stream_list_end(&out);
}

/* As one program is now: nothing of it is used after a yield. */
struct program {
	uint32_t pid, resident_pages, swap_pages;
	uint64_t run_us, faults;
	const char *state;
	char name[PROC_NAME_BYTES];
};

/* The program with the least pid above pid; false if there is none. */
static bool
program_after(uint32_t pid, struct program *o)
{
	struct proc *p = NULL;

	while ((p = proc_next(p)) != NULL && p->pid <= pid)
		continue;
	if (p == NULL)
		return (false);
	memset(o, 0, sizeof(*o));
	o->pid = p->pid;
	o->state = proc_state_name(p);
	o->run_us = timer_cycles_to_us(p->task != NULL ? p->task->run_cycles : p->run_cycles);
	snprintf(o->name, sizeof(o->name), "%s", p->name);
	if (p->vmspace == NULL)
		return (true);
	o->resident_pages = vmspace_resident_count(p->vmspace);
	o->swap_pages = vmspace_swap_count(p->vmspace);
	o->faults = p->vmspace->usage.faults;
	return (true);
}

static void
send_programs(void)
{
	struct program p = { .pid = 0 };
	char head[32];

	snprintf(head, sizeof(head), "\"t\":%llu", (unsigned long long)timer_now_us());
	stream_list_begin(&out, "ps", head, "p", false);
	out.items = true; /* an empty list says that there is none */
	while (program_after(p.pid, &p)) {
		if (out.line[out.used_bytes - 1] == '[')
			out.items = false;
		stream_item_begin(&out, PROGRAM_BYTES);
		stream_put(&out, "[");
		stream_put_number(&out, p.pid);
		stream_put(&out, ",");
		stream_put_string(&out, p.name);
		stream_put(&out, ",");
		stream_put_string(&out, p.state);
		stream_put(&out, ",");
		stream_put_number(&out, p.resident_pages);
		stream_put(&out, ",");
		stream_put_number(&out, p.swap_pages);
		stream_put(&out, ",");
		stream_put_number(&out, (int64_t)p.run_us);
		stream_put(&out, ",");
		stream_put_number(&out, (int64_t)p.faults);
		stream_put(&out, "]");
	}
	stream_list_end(&out);
}

/* ---- the task */

static bool
due(uint64_t *at_us, uint64_t now_us, uint64_t every_us)
{
	if (now_us < *at_us)
		return (false);
	*at_us = now_us + every_us;
	return (true);
}

static void
sample(void)
{
	uint64_t now_us = timer_now_us();
	bool all;

	if (fresh || count_disks() != disk_count) {
		fresh = false;
		names_at_us = all_at_us = histograms_at_us = map_at_us = now_us;
		if (make_rows() != 0)
			row_count = 0; /* a disk too many: said by "stream" */
	}
	if (due(&names_at_us, now_us, NAMES_US))
		send_names();
	all = due(&all_at_us, now_us, ALL_US);
	send_values(all);
	if (due(&histograms_at_us, now_us, HISTOGRAMS_US) || all)
		send_histograms(all);
	if (map_period_ms != 0 && due(&map_at_us, now_us, (uint64_t)map_period_ms * 1000)) {
		send_map();
		send_programs();
	}
}

static void
stream_task(void *arg)
{
	uint64_t next_us = timer_now_us(), now_us;

	(void)arg;
	while (!stopping) {
		sample();
		next_us += (uint64_t)period_ms * 1000;
		now_us = timer_now_us();
		if (next_us <= now_us)
			next_us = now_us + 1;
		if (!stopping)
			tsleep(&stopping, "stream", next_us - now_us);
	}
	running = false;
	wakeup(&running);
}

int
stream_start(uint32_t period, uint32_t map_period)
{
	struct task *t;
	int error = make_rows();

	if (error != 0)
		return (error);
	period_ms = period;
	map_period_ms = map_period;
	fresh = true;
	if (running) {
		wakeup(&stopping);
		return (0);
	}
	stopping = false;
	error = task_create(&t, "stream", MONITOR_PRIORITY, stream_task, NULL);
	running = error == 0;
	return (error);
}

void
stream_stop(void)
{
	stopping = true;
	wakeup(&stopping);
	while (running)
		tsleep(&running, "stream", SLEEP_FOREVER);
	KASSERT(!running, "S1: one stream task at most");
}

uint32_t
stream_period_ms(void)
{
	return (running ? period_ms : 0);
}

uint64_t
stream_lines_sent(void)
{
	return (out.number);
}
