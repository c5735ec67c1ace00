/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rest: have memory and hardly use it.
 *
 *   run rest MIB STEPS STEP_MS [rss=KIB]
 *
 * Fills MIB MiB, then STEPS times sleeps STEP_MS milliseconds and checks the next
 * part, one of STEPS; at the end everything is checked once more. A limit of resident
 * memory, or being swapped out while it sleeps, must change nothing but figures. With
 * rss= it limits itself.
 *
 * Owns: its memory.
 * Does not: measure time.
 * Invariants:
 *   R1  word k of page n is word_of(n, k)
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h; the monitor's command limit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"

#define PAGE_WORDS 512u
#define PAGE_BYTES 4096u

static uint64_t *memory;
static uint64_t mismatches;

static uint64_t
word_of(uint64_t page, uint64_t k)
{
	uint64_t x = (page << 12 ^ k) * 0x9e3779b97f4a7c15u;

	return (x ^ x >> 31);
}

static void
check(uint64_t from, uint64_t to)
{
	uint64_t page, k;

	for (page = from; page < to; page++)
		for (k = page % 8; k < PAGE_WORDS; k += 8)
			mismatches += memory[page * PAGE_WORDS + k] != word_of(page, k);
}

static void
fill(uint64_t pages)
{
	uint64_t page, k;

	for (page = 0; page < pages; page++)
		for (k = 0; k < PAGE_WORDS; k++)
			memory[page * PAGE_WORDS + k] = word_of(page, k);
}

/* "rss=KIB" */
static int
limit_self(const char *word)
{
	struct ebb_rlimit limit;

	if (strncmp(word, "rss=", 4) != 0 || ebb_getrlimit(EBB_RLIMIT_RSS, &limit) != 0)
		return (-1);
	limit.soft = strtoull(word + 4, NULL, 10) * 1024;
	return (ebb_setrlimit(EBB_RLIMIT_RSS, &limit));
}

static void
report(uint64_t pages, const struct ebb_usage *before)
{
	printf("rest: %llu pages, %llu resident before the last look, %llu in swap, "
	       "%llu mismatches\n",
	    (unsigned long long)pages, (unsigned long long)before->resident_pages,
	    (unsigned long long)before->swap_pages, (unsigned long long)mismatches);
}

int
main(int argc, char **argv)
{
	uint64_t pages = argc > 1 ? strtoull(argv[1], NULL, 10) * 256 : 0;
	uint64_t steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, step;
	uint64_t step_us = argc > 3 ? strtoull(argv[3], NULL, 10) * 1000 : 0;
	struct ebb_usage usage = { 0 };

	if (argc < 4 || argc > 5 || pages == 0 || steps == 0 || step_us == 0) {
		fprintf(stderr, "usage: rest MIB STEPS STEP_MS [rss=KIB]\n");
		return (2);
	}
	memory = ebb_mmap(pages * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	if (memory == NULL || (argc == 5 && limit_self(argv[4]) != 0)) {
		perror("rest");
		return (1);
	}
	fill(pages);
	for (step = 0; step < steps; step++) {
		ebb_sleep_us(step_us);
		if (step + 1 == steps)
			ebb_usage(&usage);
		check(pages * step / steps, pages * (step + 1) / steps);
	}
	check(0, pages);
	report(pages, &usage);
	return (mismatches == 0 ? 0 : 1);
}
