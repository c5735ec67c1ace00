/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apitest: what memory calls promise, one function a case; each prints a line only if it
 * fails. Cases in the manner of LTP's mincore, mlock, madvise, mmap and munmap tests.
 *
 *   run apitest
 *
 * Owns: its memory, /data/words.txt open for reading.
 * Does not: give calls bad arguments (badcalls).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: contract, section 1.12; lib/ebb_abi.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"

#define PAGE  4096u
#define PAGES 32u
#define RW    (PROT_READ | PROT_WRITE)

static uint32_t checks, failures;
static uint8_t states[PAGES];

#define CHECK(good) check((good), __func__, __LINE__, #good)

static void
check(int good, const char *function, int line, const char *what)
{
	checks++;
	if (good)
		return;
	failures++;
	printf("apitest: %s, line %d: %s (errno %d)\n", function, line, what, errno);
}

static uint8_t *
anonymous(uint32_t pages)
{
	uint8_t *at = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		printf("apitest: no memory\n");
		exit(1);
	}
	return (at);
}

/* What a child's function returned. */
static int
in_child(int (*function)(uint8_t *at), uint8_t *at)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function(at));
	return (pid > 0 && ebb_wait((uint32_t)pid, &status) == pid ? status : -1);
}

static int
killed_by_access(int status)
{
	return (status == (EBB_STATUS_KILLED | EBB_KILL_FAULT));
}

static int
write_first(uint8_t *at)
{
	at[0] = 77;
	return (0);
}

static int
read_first(uint8_t *at)
{
	return (*(volatile uint8_t *)at == 0 ? 1 : 0);
}

/* ---- mincore */

static void
mincore_follows_use(void)
{
	uint8_t *at = anonymous(PAGES);

	CHECK(mincore(at, PAGES * PAGE, (char *)states) == 0);
	CHECK(states[0] == 0 && states[PAGES - 1] == 0);
	at[3 * PAGE] = 1;
	CHECK(mincore(at, PAGES * PAGE, (char *)states) == 0);
	CHECK(states[3] == (MINCORE_INCORE | MINCORE_REFERENCED | MINCORE_MODIFIED));
	CHECK((states[2] & MINCORE_MODIFIED) == 0);
	CHECK(munmap(at + PAGE, PAGE) == 0);
	CHECK(mincore(at, PAGES * PAGE, (char *)states) == -1 && errno == ENOMEM);
	CHECK(mincore(at, 1, (char *)states) == 0);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

/* ---- mlock */

static void
mlock_brings_in_and_keeps(void)
{
	uint8_t *at = anonymous(PAGES);
	uint32_t i, in = 0;

	CHECK(mlock(at + 5, 9 * PAGE) == 0); /* touches ten pages */
	CHECK(mincore(at, PAGES * PAGE, (char *)states) == 0);
	for (i = 0; i < PAGES; i++)
		in += (states[i] & MINCORE_INCORE) != 0;
	CHECK(in >= 10 && in <= 10 + 8);
	at[0] = 1;
	CHECK(madvise(at, PAGES * PAGE, MADV_FREE) == 0);
	CHECK(at[0] == 1);
	CHECK(munlock(at, PAGE) == 0 && munlock(at, PAGE) == 0);
	CHECK(munmap(at, 4 * PAGE) == 0); /* part of what is locked */
	CHECK(mlock(at, 8 * PAGE) == -1 && errno == ENOMEM);
	CHECK(munlock(at + 4 * PAGE, 4 * PAGE) == 0);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

static void
mlock_obeys_the_limit(void)
{
	struct ebb_rlimit limit = { .soft = 4 * PAGE, .hard = EBB_RLIM_INFINITY };
	uint8_t *at = anonymous(PAGES);

	CHECK(ebb_setrlimit(EBB_RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(mlock(at, 5 * PAGE) == -1 && errno == ENOMEM);
	CHECK(mlock(at, 4 * PAGE) == 0);
	CHECK(mlock(at, 4 * PAGE) == 0); /* is locked already */
	CHECK(mlock(at + 4 * PAGE, PAGE) == -1 && errno == ENOMEM);
	CHECK(munlock(at, PAGE) == 0 && mlock(at + 4 * PAGE, PAGE) == 0);
	limit.soft = EBB_RLIM_INFINITY;
	CHECK(ebb_setrlimit(EBB_RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

static void
mlock_of_protected_memory(void)
{
	uint8_t *at = anonymous(4);

	CHECK(mprotect(at, 2 * PAGE, PROT_NONE) == 0);
	CHECK(mlock(at, 4 * PAGE) == -1 && errno == ENOMEM);
	CHECK(mprotect(at, 2 * PAGE, PROT_READ) == 0);
	CHECK(mlock(at, 4 * PAGE) == 0);
	CHECK(mprotect(at, 4 * PAGE, RW) == 0);
	at[0] = at[3 * PAGE] = 9;
	CHECK(in_child(read_first, at) == 0);
	CHECK(munmap(at, 4 * PAGE) == 0);
}

/* ---- madvise */

static void
madvise_keeps_or_forgets(void)
{
	static const int kinds[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED };
	uint8_t *at = anonymous(PAGES);
	uint32_t i, k, same = 0;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		memset(at, (int)k + 1, PAGES * PAGE);
		CHECK(madvise(at, PAGES * PAGE, kinds[k]) == 0);
		for (i = 0; i < PAGES * PAGE; i++)
			same += at[i] == k + 1;
	}
	CHECK(same == PAGES * PAGE * k);
	CHECK(madvise(at, PAGES * PAGE, MADV_FREE) == 0);
	for (i = 0, same = 0; i < PAGES * PAGE; i++)
		same += at[i] == k || at[i] == 0;
	CHECK(same == PAGES * PAGE);
	memset(at, 99, PAGES * PAGE);
	for (i = 0, same = 0; i < PAGES * PAGE; i++)
		same += at[i] == 99;
	CHECK(same == PAGES * PAGE);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

static int
forget_all(uint8_t *at)
{
	return (madvise(at, PAGES * PAGE, MADV_FREE));
}

/* A child that forgets its copy does not make the parent forget. */
static void
madvise_free_after_fork(void)
{
	uint8_t *at = anonymous(PAGES);
	uint32_t i, same = 0;

	memset(at, 55, PAGES * PAGE);
	CHECK(in_child(forget_all, at) == 0);
	for (i = 0; i < PAGES * PAGE; i++)
		same += at[i] == 55;
	CHECK(same == PAGES * PAGE);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

/* ---- mmap, munmap, mprotect */

static void
mmap_places(void)
{
	uint8_t *at = anonymous(PAGES), *again;

	at[0] = 1;
	again = mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(again == MAP_FAILED && errno == EEXIST && at[0] == 1);
	again = mmap(at, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(again == at && at[0] == 0);
	CHECK(munmap(at + 4 * PAGE, 4 * PAGE) == 0);
	CHECK(in_child(read_first, at + 4 * PAGE) == (EBB_STATUS_KILLED | EBB_KILL_FAULT));
	again = mmap(at + 5 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(again == at + 5 * PAGE && again[7] == 0);
	CHECK(munmap(at, PAGES * PAGE) == 0 && munmap(at, PAGES * PAGE) == 0);
}

static void
mprotect_is_exact(void)
{
	uint8_t *at = anonymous(8);

	memset(at, 3, 8 * PAGE);
	CHECK(mprotect(at + 2 * PAGE, PAGE, PROT_READ) == 0);
	CHECK(mprotect(at + 5 * PAGE, PAGE, PROT_NONE) == 0);
	CHECK(in_child(write_first, at + PAGE) == 0);
	CHECK(killed_by_access(in_child(write_first, at + 2 * PAGE)));
	CHECK(in_child(read_first, at + 2 * PAGE) == 0);
	CHECK(in_child(write_first, at + 3 * PAGE) == 0);
	CHECK(killed_by_access(in_child(read_first, at + 5 * PAGE)));
	CHECK(in_child(write_first, at + 6 * PAGE) == 0);
	CHECK(mprotect(at, 8 * PAGE, RW) == 0);
	CHECK(at[2 * PAGE] == 3 && at[5 * PAGE] == 3);
	at[5 * PAGE] = 4;
	CHECK(munmap(at, 8 * PAGE) == 0);
}

static void
mmap_of_a_file(void)
{
	int fd = open("/data/words.txt", O_RDONLY);
	char line[64];
	uint8_t *at;

	CHECK(fd >= 0 && read(fd, line, sizeof(line)) == (ssize_t)sizeof(line));
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && memcmp(at, line, sizeof(line)) == 0);
	CHECK(killed_by_access(in_child(write_first, at)));
	CHECK(mprotect(at, PAGE, RW) == -1);
	CHECK(mlock(at, PAGE) == 0 && munmap(at, PAGE) == 0);
	at = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK(close(fd) == 0);
	CHECK(at != MAP_FAILED && mlock(at, PAGE) == 0);
	at[0] ^= 1;
	CHECK(memcmp(at + 1, line + 1, sizeof(line) - 1) == 0 && at[0] != (uint8_t)line[0]);
	CHECK(munmap(at, PAGE) == 0);
}

/* ---- minherit, getrusage */

static void
minherit_shares_copies_or_leaves_out(void)
{
	uint8_t *at = anonymous(3);

	memset(at, 5, 3 * PAGE);
	CHECK(ebb_minherit(at, PAGE, EBB_INHERIT_SHARE) == 0);
	CHECK(ebb_minherit(at + 2 * PAGE, PAGE, EBB_INHERIT_NONE) == 0);
	CHECK(in_child(write_first, at) == 0 && at[0] == 77);
	CHECK(in_child(write_first, at + PAGE) == 0 && at[PAGE] == 5);
	CHECK(killed_by_access(in_child(read_first, at + 2 * PAGE)));
	CHECK(munmap(at, 3 * PAGE) == 0);
}

static int
touch_all(uint8_t *at)
{
	memset(at, 1, PAGES * PAGE);
	return (0);
}

static void
getrusage_counts(void)
{
	struct ebb_rusage before, after;
	uint8_t *at = anonymous(PAGES);

	CHECK(ebb_getrusage(EBB_RUSAGE_SELF, &before) == 0);
	memset(at, 1, PAGES * PAGE);
	CHECK(ebb_getrusage(EBB_RUSAGE_SELF, &after) == 0);
	CHECK(after.minor_faults >= before.minor_faults + PAGES);
	CHECK(after.max_resident_pages >= PAGES && after.user_us >= before.user_us);
	CHECK(ebb_getrusage(EBB_RUSAGE_CHILDREN, &before) == 0);
	CHECK(in_child(touch_all, at) == 0);
	CHECK(ebb_getrusage(EBB_RUSAGE_CHILDREN, &after) == 0);
	CHECK(after.minor_faults >= before.minor_faults + PAGES);
	CHECK(after.max_resident_pages >= PAGES);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

static void
address_space_limit(void)
{
	struct ebb_rlimit limit = { .soft = 8u << 20, .hard = EBB_RLIM_INFINITY };
	void *too_much;
	uint8_t *at;

	CHECK(ebb_setrlimit(EBB_RLIMIT_AS, &limit) == 0);
	CHECK(mmap(NULL, 9u << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
	    errno == ENOMEM);
	too_much = malloc(9u << 20);
	CHECK(too_much == NULL);
	free(too_much);
	at = anonymous(PAGES);
	limit.soft = EBB_RLIM_INFINITY;
	CHECK(ebb_setrlimit(EBB_RLIMIT_AS, &limit) == 0);
	CHECK(munmap(at, PAGES * PAGE) == 0);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mincore_follows_use();
	mlock_brings_in_and_keeps();
	mlock_obeys_the_limit();
	mlock_of_protected_memory();
	madvise_keeps_or_forgets();
	madvise_free_after_fork();
	mmap_places();
	mprotect_is_exact();
	mmap_of_a_file();
	minherit_shares_copies_or_leaves_out();
	getrusage_counts();
	address_space_limit();
	printf("apitest: %u checks, %u failed\n", (unsigned)checks, (unsigned)failures);
	return (failures == 0 ? 0 : 1);
}
