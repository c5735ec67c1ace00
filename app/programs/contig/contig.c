/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contig: fill memory with dirty pages, then ask for physical memory in one piece, again
 * and again, and see that no page has suffered.
 *
 *   run contig MIB [PIECES]
 *
 * Fills MIB MiB (more than the pool, say), then asks PIECES times (default 16) for pieces
 * of 64 to 512 KiB, writing part of the memory between the requests. At the end every word
 * is checked.
 *
 * Owns: its memory.
 * Does not: measure time.
 * Invariants:
 *   C1  word k of page n holds word_of(n, round[n], k)
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h, EBB_SYS_CONTIG.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/libebb/ebb.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / sizeof(uint64_t))

static uint64_t *memory;
static uint8_t *rounds;

static uint64_t
word_of(uint64_t page, uint64_t round, uint64_t k)
{
	return ((page << 20 ^ round << 12 ^ k) * 0x9e3779b97f4a7c15u);
}

static void
write_page(uint64_t page)
{
	uint64_t k;

	rounds[page]++;
	for (k = 0; k < PAGE_WORDS; k++)
		memory[page * PAGE_WORDS + k] = word_of(page, rounds[page], k);
}

static uint64_t
bad_words(uint64_t pages)
{
	uint64_t page, k, bad = 0;

	for (page = 0; page < pages; page++)
		for (k = 0; k < PAGE_WORDS; k++)
			bad += memory[page * PAGE_WORDS + k] != word_of(page, rounds[page], k);
	return (bad);
}

/* One piece of kib KiB, anywhere; true if it could be had. */
static int
ask(uint64_t kib)
{
	uint64_t args[6] = { kib * 1024, 0, UINT64_MAX, 0, 0, 0 };

	return (ebb_syscall_args(EBB_SYS_CONTIG, args) == 0);
}

int
main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	uint64_t pieces = argc > 2 ? strtoull(argv[2], NULL, 0) : 16;
	uint64_t pages = mib * 256, page, i, had = 0, bad;

	memory = ebb_mmap(pages * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	rounds = calloc(pages + 1, 1);
	if (pages == 0 || memory == NULL || rounds == NULL) {
		fprintf(stderr, "usage: contig MIB [PIECES]; there must be so much memory\n");
		return (2);
	}
	for (page = 0; page < pages; page++)
		write_page(page);
	for (i = 0; i < pieces; i++) {
		had += (uint64_t)ask(64u << (i % 4));
		for (page = i; page < pages; page += pieces)
			write_page(page);
	}
	bad = bad_words(pages);
	printf("contig: %llu of %llu pieces, %llu bad words\n", (unsigned long long)had,
	    (unsigned long long)pieces, (unsigned long long)bad);
	return (bad == 0 && had == pieces ? 0 : 1);
}
