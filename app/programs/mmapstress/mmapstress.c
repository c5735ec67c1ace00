/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmapstress: several programs change one file through mappings, write and msync, while
 * memory is short, and look at what each other way shows of it.
 *
 *   run mmapstress FILE WORKERS ROUNDS [PRESSURE_KIB]
 *
 * Word k of page n of FILE must hold word_of(n, k, 0); its size is a multiple of 8. Page n
 * is worker n % WORKERS's. In each round a worker checks its pages, gives them the words of
 * the round, by the shared mapping or by write, and looks at them by read and by a second,
 * private mapping, whose own changes nobody else may see. It unmaps a part and maps it
 * again over what is there. Between two pages it touches PRESSURE_KIB of other memory.
 * At the end the file holds word_of(n, k, ROUNDS), which the reader of the card can check.
 *
 * Owns: its memory; the file while it runs.
 * Does not: measure time.
 * Invariants:
 *   M1  a page of the file has one writer
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/random.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / 8)
#define SELF       EBB_PROGRAM("mmapstress")
#define RW         (EBB_PROT_READ | EBB_PROT_WRITE)

typedef unsigned long long ull;

static struct {
	const char *path;
	int fd;
	uint64_t bytes, pages;
	uint64_t *shared;
	uint32_t index, workers, rounds;
	uint8_t *pressure;
	uint64_t pressure_pages;
} job;
static uint64_t random_state;
static uint64_t mismatches;

static uint64_t
word_of(uint64_t page, uint64_t k, uint64_t round)
{
	uint64_t x = (page << 32 ^ k << 16 ^ round) * 0x9e3779b97f4a7c15u;

	return (x ^ x >> 29);
}

/* Words of page that lie in the file. */
static uint64_t
words_in(uint64_t page)
{
	uint64_t left = (job.bytes - page * PAGE_BYTES) / 8;

	return (left < PAGE_WORDS ? left : PAGE_WORDS);
}

static void
check_words(const char *how, uint64_t page, const uint64_t *words, uint64_t round)
{
	for (uint64_t k = 0; k < words_in(page); k++) {
		if (words[k] == word_of(page, k, round))
			continue;
		if (mismatches++ < 5)
			printf("mmapstress: %s: page %llu word %llu holds %016llx, not %016llx\n",
			    how, (ull)page, (ull)k, (ull)words[k], (ull)word_of(page, k, round));
		return;
	}
}

static void
fill_words(uint64_t page, uint64_t *words, uint64_t round)
{
	for (uint64_t k = 0; k < words_in(page); k++)
		words[k] = word_of(page, k, round);
}

static _Noreturn void
fail(const char *what)
{
	printf("mmapstress: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t *
map_file(void *start, uint64_t first_page, uint64_t pages, uint32_t flags)
{
	struct ebb_map map = { .start = start, .bytes = pages * PAGE_BYTES, .prot = RW,
		.flags = flags, .fd = job.fd, .offset = first_page * PAGE_BYTES };
	void *at = ebb_map(&map);

	if (at == NULL)
		fail("mmap");
	return (at);
}

static void
open_file(void)
{
	struct stat stat;

	job.fd = open(job.path, O_RDWR);
	if (job.fd < 0 || fstat(job.fd, &stat) != 0)
		fail(job.path);
	job.bytes = (uint64_t)stat.st_size;
	job.pages = (job.bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	job.shared = map_file(NULL, 0, job.pages, EBB_MAP_SHARED);
}

/* ---- a worker */

static void
touch_pressure(void)
{
	uint64_t page;

	if (job.pressure_pages == 0)
		return;
	page = random_next(&random_state) % job.pressure_pages;
	job.pressure[page * PAGE_BYTES] ^= (uint8_t)page;
}

static void
by_write(uint64_t page, uint64_t round)
{
	static uint64_t words[PAGE_WORDS];
	size_t bytes = (size_t)words_in(page) * 8;

	fill_words(page, words, round);
	if (lseek(job.fd, (off_t)(page * PAGE_BYTES), SEEK_SET) < 0 ||
	    write(job.fd, words, bytes) != (ssize_t)bytes)
		fail("write");
}

static void
by_read(uint64_t page, uint64_t round)
{
	static uint64_t words[PAGE_WORDS];
	size_t bytes = (size_t)words_in(page) * 8;

	if (lseek(job.fd, (off_t)(page * PAGE_BYTES), SEEK_SET) < 0 ||
	    read(job.fd, words, bytes) != (ssize_t)bytes)
		fail("read");
	check_words("read", page, words, round);
}

static void
visit(uint64_t page, uint64_t round)
{
	uint64_t *words = job.shared + page * PAGE_WORDS;
	uint64_t r = random_next(&random_state) >> 16;

	check_words("mapping, before", page, words, round - 1);
	touch_pressure();
	if ((r & 1) != 0)
		fill_words(page, words, round);
	else
		by_write(page, round);
	touch_pressure();
	if ((r & 6) == 0)
		by_read(page, round);
	if ((r & 0x78) == 0 && ebb_msync(words, PAGE_BYTES, EBB_MS_SYNC) != 0)
		fail("msync");
	check_words("mapping, after", page, words, round);
}

/* A private mapping shows the file; what is written there, nobody else sees. */
static void
privately(uint64_t round)
{
	uint64_t *own = map_file(NULL, 0, job.pages, EBB_MAP_PRIVATE);
	uint64_t page, n = 0;

	for (page = job.index; page < job.pages && n < 12; page += job.workers, n++) {
		check_words("private, before", page, own + page * PAGE_WORDS, round);
		fill_words(page, own + page * PAGE_WORDS, round + 1000);
		touch_pressure();
	}
	for (page = job.index; n-- > 0; page += job.workers) {
		check_words("private, after", page, own + page * PAGE_WORDS, round + 1000);
		check_words("shared, after", page, job.shared + page * PAGE_WORDS, round);
	}
	/* in two pieces, the back one first */
	if (ebb_munmap(own + job.pages / 2 * PAGE_WORDS,
		(job.pages - job.pages / 2) * PAGE_BYTES) != 0 ||
	    ebb_munmap(own, job.pages / 2 * PAGE_BYTES) != 0)
		fail("munmap");
}

/* The middle third goes, and comes back over what is there. */
static void
remap(void)
{
	uint64_t pages = job.pages / 3, first = pages;
	uint64_t *at = job.shared + first * PAGE_WORDS;

	if (pages == 0)
		return;
	if (ebb_munmap(at, pages * PAGE_BYTES / 2 & ~(uint64_t)(PAGE_BYTES - 1)) != 0)
		fail("munmap");
	if (map_file(at, first, pages, EBB_MAP_SHARED | EBB_MAP_FIXED) != at)
		fail("mmap at the same place");
}

static int
worker(void)
{
	uint64_t round, page;

	open_file();
	random_state = RANDOM_SEED + job.index * 7919u;
	if (job.pressure_pages != 0)
		job.pressure = ebb_mmap(job.pressure_pages * PAGE_BYTES, RW);
	if (job.pressure_pages != 0 && job.pressure == NULL)
		fail("memory");
	for (round = 1; round <= job.rounds; round++) {
		for (page = job.index; page < job.pages; page += job.workers)
			visit(page, round);
		privately(round);
		remap();
	}
	if (fsync(job.fd) != 0)
		fail("fsync");
	return (mismatches == 0 ? 0 : 1);
}

/* ---- the whole */

static int
run_workers(char **argv, uint64_t pressure_kib)
{
	char index[12], pressure[24];
	char *arguments[] = { argv[0], argv[1], argv[2], argv[3], pressure, index, NULL };
	int status, failed = 0;
	uint32_t i;

	snprintf(pressure, sizeof(pressure), "%llu", (ull)pressure_kib);
	for (i = 0; i < job.workers; i++) {
		snprintf(index, sizeof(index), "%u", (unsigned)i);
		if (ebb_spawn(SELF, arguments, 6) < 0)
			fail(SELF);
	}
	for (i = 0; i < job.workers; i++) {
		if (ebb_wait(0, &status) < 0)
			fail("wait");
		failed += status != 0;
	}
	return (failed);
}

int
main(int argc, char **argv)
{
	uint64_t pressure_kib = argc > 4 ? strtoull(argv[4], NULL, 0) : 0, page;
	int failed;

	if (argc < 4 || argc > 6) {
		fprintf(stderr, "usage: mmapstress FILE WORKERS ROUNDS [PRESSURE_KIB]\n");
		return (2);
	}
	job.path = argv[1];
	job.workers = (uint32_t)strtoul(argv[2], NULL, 0);
	job.rounds = (uint32_t)strtoul(argv[3], NULL, 0);
	job.pressure_pages = pressure_kib * 1024 / PAGE_BYTES;
	if (argc == 6) {
		job.index = (uint32_t)strtoul(argv[5], NULL, 0);
		return (worker());
	}
	open_file();
	failed = run_workers(argv, pressure_kib);
	for (page = 0; page < job.pages; page++)
		check_words("at the end", page, job.shared + page * PAGE_WORDS, job.rounds);
	printf("mmapstress: %llu pages, %u workers, %u rounds, %d failed, %llu mismatches\n",
	    (ull)job.pages, (unsigned)job.workers, (unsigned)job.rounds, failed,
	    (ull)mismatches);
	return (failed == 0 && mismatches == 0 ? 0 : 1);
}
