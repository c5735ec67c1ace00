/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces of page references, the same on every system that they are run on.
 *
 * Each begins with the generator of app/libebb/random.h at its seed, over pages 0 to
 * pages - 1:
 *
 *   seq      sweeps over the pages in order; sweep 0 writes, the others read, or every
 *            second one writes
 *   hotcold  r = next >> 33; page = (next >> 33) mod (r mod 10 != 0 ? pages / 10 : pages)
 *   zipf     u = (next >> 11) / 2^53; page = the smallest i with
 *            1 + 1/2 + ... + 1/(i+1) > u * (1 + ... + 1/pages)
 *
 * In the last two an access is a write if the next number, shifted by 33, is odd.
 */
#ifndef APP_PROGRAMS_PGLOAD_TRACES_H
#define APP_PROGRAMS_PGLOAD_TRACES_H

#include <stdint.h>

#define TRACE_RANDOM_ACCESSES 200000u

struct access {
	uint32_t page;
	uint32_t write; /* 0 or 1 */
};

struct trace {
	const char *name;
	uint32_t pages;
	uint32_t accesses;  /* in all */
	uint32_t sweeps;    /* of seq */
	int alternate;      /* seq: every second sweep writes */
	/* ---- state */
	uint64_t random;
	uint32_t done;
	uint64_t hash;      /* of all accesses so far: FNV-1a over page << 1 | write */
	double *sums;       /* zipf: sums[i] = 1 + ... + 1/(i+1); the caller's memory */
	void (*step)(struct trace *t, struct access *out);
};

/* Begin trace name ("seq", "hotcold", "zipf") over pages (at least 10); sums is room for as
 * many doubles for zipf. 0, or -1 if there is no such trace. */
int trace_begin(struct trace *t, const char *name, uint32_t pages, double *sums);
/* The next access; 0 after the last. */
int trace_next(struct trace *t, struct access *out);

#endif
