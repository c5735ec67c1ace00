/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memhog: use more memory than there is, at random, and check every byte of it.
 *
 *   run memhog MIB [ACCESSES [SEED]]
 *
 * Fills MIB MiB, then makes ACCESSES random visits (default: two for each page). A
 * visit checks eight words of the page, one in each 512-byte sector, against what
 * was last written there, and in half of the cases writes new ones. At the end all
 * pages are checked. What a page must hold follows from its number and a version
 * count, 16 bits a page.
 *
 * Owns: its memory.
 * Does not: measure time.
 * Invariants:
 *   H1  word k of page n holds word_of(n, version[n], k)
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/libebb/ebb.h"
#include "app/libebb/random.h"

#define PAGE_BYTES 4096
#define SECTORS    8
#define SECTOR_WORDS (PAGE_BYTES / SECTORS / sizeof(uint64_t))

static uint64_t random_state;
static uint8_t *memory;
static uint16_t *version;
static uint64_t mismatches;

static uint64_t
word_of(uint64_t page, uint64_t count, uint64_t sector)
{
	uint64_t x = (page << 24 ^ count << 8 ^ sector) * 0x9e3779b97f4a7c15u;

	return (x ^ x >> 29);
}

/* The word of a sector that is used, different from page to page. */
static uint64_t *
slot_of(uint64_t page, uint64_t sector)
{
	uint64_t *words = (uint64_t *)(memory + page * PAGE_BYTES);

	return (words + sector * SECTOR_WORDS + page % SECTOR_WORDS);
}

static void
write_page(uint64_t page)
{
	uint64_t sector;

	version[page]++;
	for (sector = 0; sector < SECTORS; sector++)
		*slot_of(page, sector) = word_of(page, version[page], sector);
}

static void
check_page(uint64_t page)
{
	uint64_t sector;

	for (sector = 0; sector < SECTORS; sector++) {
		uint64_t wanted = word_of(page, version[page], sector);
		uint64_t found = *slot_of(page, sector);

		if (found == wanted)
			continue;
		if (mismatches++ < 10)
			printf("memhog: page %llu sector %llu holds %016llx, not %016llx\n",
			    (unsigned long long)page, (unsigned long long)sector,
			    (unsigned long long)found, (unsigned long long)wanted);
	}
}

static void
visit(uint64_t pages, uint64_t accesses)
{
	while (accesses-- > 0) {
		uint64_t r = random_next(&random_state);
		uint64_t page = (r >> 8) % pages;

		check_page(page);
		if (r & 1)
			write_page(page);
	}
}

static void
report(uint64_t pages, uint64_t accesses)
{
	struct ebb_usage u;

	if (ebb_usage(&u) == 0)
		printf("memhog: %llu faults, %llu page-ins, %llu page-outs, %llu pages resident, "
		       "%llu in swap\n",
		    (unsigned long long)u.faults, (unsigned long long)u.page_ins,
		    (unsigned long long)u.page_outs, (unsigned long long)u.resident_pages,
		    (unsigned long long)u.swap_pages);
	printf("memhog: %llu pages, %llu visits, %llu mismatches\n", (unsigned long long)pages,
	    (unsigned long long)accesses, (unsigned long long)mismatches);
}

static int
usage_error(void)
{
	fprintf(stderr, "usage: memhog MIB [ACCESSES [SEED]]  (MIB 1 to 65536)\n");
	return (2);
}

int
main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	uint64_t pages = mib * 1024 * 1024 / PAGE_BYTES, accesses, page;

	if (argc < 2 || argc > 4 || mib == 0 || mib > 65536)
		return (usage_error());
	accesses = argc > 2 ? strtoull(argv[2], NULL, 0) : 2 * pages;
	random_state = argc > 3 ? strtoull(argv[3], NULL, 0) | 1 : RANDOM_SEED;
	memory = ebb_mmap(pages * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	version = calloc(pages, sizeof(*version));
	if (memory == NULL || version == NULL) {
		perror("memhog");
		return (1);
	}
	for (page = 0; page < pages; page++)
		write_page(page);
	visit(pages, accesses);
	for (page = 0; page < pages; page++)
		check_page(page);
	report(pages, accesses);
	return (mismatches == 0 ? 0 : 1);
}
