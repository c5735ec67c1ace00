/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sorting in sequential passes: runs, then merges of MERGE_WAYS runs.
 *
 * A run is sorted through an array of record positions (bottom-up merge sort, so
 * it is stable), then its records are copied out in order. A merge keeps one
 * cursor a run and takes the smallest head; of equal heads the earlier run's, so
 * merging is stable as well. Runs are consecutive in their heap, so a table of
 * their ends describes them all.
 *
 * Owns: the table of run ends and the position arrays.
 * Does not: read files or compute digests (sort.c).
 * Invariants:
 *   G1  run_end[] ascends and its last element is the heap's used_bytes
 * Yields: a program, preemptive.
 * See: sort.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/programs/sort/sort.h"

#define RUN_BYTES  (512u * 1024u)
#define MERGE_WAYS 8
#define RUN_RECORDS_MAX (RUN_BYTES / sizeof(struct record))
#define RUNS_MAX   65536

static uint32_t positions[2][RUN_RECORDS_MAX]; /* offsets from the run's start */
static uint64_t *run_end;
static uint32_t run_count;

static const struct record *
record_at(const char *base, uint64_t offset)
{
	return ((const struct record *)(base + offset));
}

/* Merge two neighbouring stretches of positions. */
static void
merge_positions(const char *base, const uint32_t *from, uint32_t middle, uint32_t end,
    uint32_t *to)
{
	uint32_t i = 0, j = middle, out = 0;

	while (i < middle || j < end) {
		if (j == end || (i < middle &&
		    record_compare(record_at(base, from[i]), record_at(base, from[j])) <= 0))
			to[out++] = from[i++];
		else
			to[out++] = from[j++];
	}
}

/* Sort count positions; the array that holds the result. */
static const uint32_t *
sort_positions(const char *base, uint32_t count)
{
	uint32_t *from = positions[0], *to = positions[1];
	uint32_t width;

	for (width = 1; width < count; width *= 2) {
		uint32_t start;
		uint32_t *swap = from;

		for (start = 0; start < count; start += 2 * width) {
			uint32_t left = count - start;
			uint32_t middle = width < left ? width : left;
			uint32_t end = 2 * width < left ? 2 * width : left;

			merge_positions(base, from + start, middle, end, to + start);
		}
		from = to;
		to = swap;
	}
	return (from);
}

static void
append(struct heap *to, const struct record *r)
{
	uint64_t bytes = record_bytes_of(r->length);

	memcpy(to->base + to->used_bytes, r, bytes);
	to->used_bytes += bytes;
}

/* One run from offset on: collect positions, sort, copy. Returns where it ended. */
static uint64_t
make_run(const struct heap *from, uint64_t offset, struct heap *to)
{
	const char *base = from->base + offset;
	const uint32_t *order;
	uint64_t used = 0;
	uint32_t count = 0, i;

	while (offset + used < from->used_bytes && count < RUN_RECORDS_MAX) {
		uint64_t bytes = record_bytes_of(record_at(base, used)->length);

		if (used + bytes > RUN_BYTES)
			break;
		positions[0][count++] = (uint32_t)used;
		used += bytes;
	}
	order = sort_positions(base, count);
	for (i = 0; i < count; i++)
		append(to, record_at(base, order[i]));
	return (offset + used);
}

static int
make_runs(const struct heap *from, struct heap *to)
{
	uint64_t offset = 0;

	run_count = 0;
	while (offset < from->used_bytes) {
		if (run_count == RUNS_MAX) {
			fprintf(stderr, "sort: text too large\n");
			return (-1);
		}
		offset = make_run(from, offset, to);
		run_end[run_count++] = offset;
	}
	return (0);
}

/* Of the cursors that have not reached their end, the one with the smallest record;
 * ways if none is left. */
static uint32_t
smallest(const char *base, const uint64_t *cursor, const uint64_t *end, uint32_t ways)
{
	uint32_t best = ways, i;

	for (i = 0; i < ways; i++) {
		if (cursor[i] == end[i])
			continue;
		if (best == ways || record_compare(record_at(base, cursor[i]),
		    record_at(base, cursor[best])) < 0)
			best = i;
	}
	return (best);
}

/* Merge runs first..first+ways-1. */
static void
merge_runs(const struct heap *from, uint32_t first, uint32_t ways, struct heap *to)
{
	uint64_t cursor[MERGE_WAYS];
	uint32_t i;

	for (i = 0; i < ways; i++)
		cursor[i] = first + i == 0 ? 0 : run_end[first + i - 1];
	while ((i = smallest(from->base, cursor, run_end + first, ways)) < ways) {
		const struct record *r = record_at(from->base, cursor[i]);

		cursor[i] += record_bytes_of(r->length);
		append(to, r);
	}
}

static void
merge_pass(const struct heap *from, struct heap *to)
{
	uint32_t out = 0, first;

	for (first = 0; first < run_count; first += MERGE_WAYS) {
		uint32_t ways = run_count - first < MERGE_WAYS ? run_count - first : MERGE_WAYS;

		merge_runs(from, first, ways, to);
		run_end[out++] = run_end[first + ways - 1];
	}
	run_count = out;
}

struct heap *
merge_sort(struct heap heaps[2])
{
	uint32_t from = 0;

	run_end = malloc(RUNS_MAX * sizeof(*run_end));
	if (run_end == NULL || make_runs(&heaps[0], &heaps[1]) != 0)
		return (NULL);
	from = 1;
	printf("sort: %lu runs of at most %u KiB\n", (unsigned long)run_count, RUN_BYTES / 1024);
	while (run_count > 1) {
		heaps[1 - from].used_bytes = 0;
		merge_pass(&heaps[from], &heaps[1 - from]);
		from = 1 - from;
	}
	free(run_end);
	return (&heaps[from]);
}
