/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces of page references.
 *
 * Owns: nothing. Does not: touch pages.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: traces.h.
 */
#include "app/programs/pgload/traces.h"

#include <string.h>

#include "app/libebb/random.h"

#define HASH_BASIS 0xcbf29ce484222325u
#define HASH_PRIME 0x100000001b3u

static void
seq_step(struct trace *t, struct access *out)
{
	uint32_t sweep = t->done / t->pages;

	out->page = t->done % t->pages;
	out->write = t->alternate ? sweep % 2 == 0 : sweep == 0;
}

static void
hotcold_step(struct trace *t, struct access *out)
{
	uint64_t r = random_next(&t->random) >> 33;
	uint64_t among = r % 10 != 0 ? t->pages / 10 : t->pages;

	out->page = (uint32_t)((random_next(&t->random) >> 33) % among);
	out->write = (random_next(&t->random) >> 33) & 1;
}

static void
zipf_step(struct trace *t, struct access *out)
{
	double u = (double)(random_next(&t->random) >> 11) / 9007199254740992.0; /* 2^53 */
	double wanted = u * t->sums[t->pages - 1];
	uint32_t low = 0, high = t->pages - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->sums[middle] > wanted)
			high = middle;
		else
			low = middle + 1;
	}
	out->page = low;
	out->write = (random_next(&t->random) >> 33) & 1;
}

static void
make_sums(struct trace *t)
{
	double sum = 0;
	uint32_t i;

	for (i = 0; i < t->pages; i++) {
		sum += 1.0 / (double)(i + 1);
		t->sums[i] = sum;
	}
}

int
trace_begin(struct trace *t, const char *name, uint32_t pages, double *sums)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->pages = pages;
	t->random = RANDOM_SEED;
	t->hash = HASH_BASIS;
	t->accesses = TRACE_RANDOM_ACCESSES;
	if (strcmp(name, "seq") == 0) {
		t->sweeps = 4;
		t->step = seq_step;
	} else if (strcmp(name, "hotcold") == 0) {
		t->step = hotcold_step;
	} else if (strcmp(name, "zipf") == 0) {
		t->sums = sums;
		t->step = zipf_step;
		make_sums(t);
	} else {
		return (-1);
	}
	return (0);
}

int
trace_next(struct trace *t, struct access *out)
{
	if (t->done == (t->sweeps != 0 ? t->sweeps * t->pages : t->accesses))
		return (0);
	t->step(t, out);
	t->hash = (t->hash ^ (out->page << 1 | out->write)) * HASH_PRIME;
	t->done++;
	return (1);
}
