/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pgload: paging workloads that are defined exactly, so that figures of systems compare.
 *
 *   run pgload seq|hotcold|zipf PAGES [empty]
 *
 * Writes all pages once, then follows the trace (traces.h): an access is one word; a write
 * stores a value of page and count, a read is verified against a table that is wired. With
 * `empty` nothing is written first, and seq makes eight sweeps that write by turns. The
 * hash says whether the same accesses were made; faults and pages are those of the trace
 * alone.
 *
 * Owns: PAGES pages, and two wired tables of 4 and 8 bytes a page.
 * Does not: measure time.
 * Invariants:
 *   P1  the first word of page n is values[n]
 * Yields: a program, preemptive.
 * See: README.md, "Figures".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"
#include "app/programs/pgload/traces.h"

#define PAGE_BYTES 4096
#define PAGES_MIN  10
#define PAGES_MAX  (1u << 18)

static volatile uint32_t *memory;
static uint32_t *values;
static uint64_t mismatches;

static void *
map(size_t bytes)
{
	void *at = ebb_mmap(bytes, EBB_PROT_READ | EBB_PROT_WRITE);

	if (at == NULL) {
		fprintf(stderr, "pgload: %lu bytes: %s\n", (unsigned long)bytes, strerror(errno));
		exit(1);
	}
	return (at);
}

/* What the trace itself needs must not page: it would be counted. */
static void *
map_wired(size_t bytes)
{
	void *at = map(bytes);

	if (ebb_mlock(at, (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1)) != 0) {
		fprintf(stderr, "pgload: wiring %lu bytes: %s\n", (unsigned long)bytes,
		    strerror(errno));
		exit(1);
	}
	return (at);
}

static void
write_page(uint32_t page, uint32_t count)
{
	values[page] = page * 2654435761u ^ count;
	memory[(size_t)page * (PAGE_BYTES / 4)] = values[page];
}

static void
follow(struct trace *t)
{
	struct access a;
	uint32_t count = 1;

	while (trace_next(t, &a)) {
		if (a.write)
			write_page(a.page, ++count);
		else
			mismatches += memory[(size_t)a.page * (PAGE_BYTES / 4)] != values[a.page];
	}
}

static void
report(const struct trace *t, const struct ebb_usage *a, const struct ebb_usage *b)
{
	printf("pgload: %s %lu: %lu accesses, hash %016llx, %llu faults, %llu pages read in %llu"
	    " reads, %llu pages written in %llu writes, %llu mismatches\n", t->name,
	    (unsigned long)t->pages, (unsigned long)t->done, (unsigned long long)t->hash,
	    (unsigned long long)(b->faults - a->faults),
	    (unsigned long long)(b->page_ins - a->page_ins),
	    (unsigned long long)(b->page_in_ops - a->page_in_ops),
	    (unsigned long long)(b->page_outs - a->page_outs),
	    (unsigned long long)(b->page_out_ops - a->page_out_ops),
	    (unsigned long long)mismatches);
}

int
main(int argc, char **argv)
{
	uint32_t pages = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0, i;
	int empty = argc == 4 && strcmp(argv[3], "empty") == 0;
	struct ebb_usage before, after;
	struct trace t;

	if (argc < 3 || argc > 4 || (argc == 4 && !empty) || pages < PAGES_MIN ||
	    pages > PAGES_MAX) {
		fprintf(stderr, "usage: pgload seq|hotcold|zipf PAGES [empty]; PAGES from %d to"
		    " %u\n", PAGES_MIN, PAGES_MAX);
		return (2);
	}
	values = map_wired(pages * sizeof(*values));
	if (trace_begin(&t, argv[1], pages, map_wired(pages * sizeof(double))) != 0) {
		fprintf(stderr, "pgload: no trace '%s'; there are seq, hotcold and zipf\n",
		    argv[1]);
		return (2);
	}
	memory = map((size_t)pages * PAGE_BYTES);
	for (i = 0; !empty && i < pages; i++)
		write_page(i, 1);
	if (empty && t.sweeps != 0) {
		t.sweeps = 8;
		t.alternate = 1;
	}
	ebb_usage(&before);
	follow(&t);
	ebb_usage(&after);
	report(&t, &before, &after);
	return (mismatches != 0);
}
