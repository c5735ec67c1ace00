/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oomtest: what happens when memory really runs out.
 *
 *   run oomtest late SWAPPAGES   a child eats until it is killed; by then at least a tenth
 *                                of the SWAPPAGES of swap must be in use
 *   run oomtest mlock            a child wires all it may, then eats until it is killed; what
 *                                was wired must be there again for the next one
 *   run oomtest touch PAGES MOST writes PAGES pages once; at most MOST may go to swap for it
 *   run oomtest wait             four children read the same swapped pages at once
 *
 * Owns: a page that parent and children share.
 * Does not: choose who is killed (contract 1.9): the child is by far the biggest.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: contract 1.9; test/target/oom_late.test, oom_mlock.test, busywait.test.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/libebb/ebb.h"

#define PAGE        4096u
#define LOOK_EVERY  32u   /* pages */
#define EAT_BYTES   (UINT64_C(1) << 32)
#define STEP_PAGES  16u   /* wired at once */
#define READERS     4u
#define WAIT_PAGES  512u
#define KILLED_OOM  (EBB_STATUS_KILLED | EBB_KILL_OOM)
#define RW          (PROT_READ | PROT_WRITE)

struct shared {
	volatile uint64_t pages;      /* eaten */
	volatile uint64_t swap_pages; /* the most it has had in swap */
	volatile uint64_t wired_pages;
	volatile int32_t error;       /* of the last mlock */
	volatile uint32_t mismatches;
};

static struct shared *shared;

static void *
memory(uint64_t bytes, int flags)
{
	void *at = mmap(NULL, bytes, RW, flags | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		perror("oomtest: mmap");
		_exit(1);
	}
	return (at);
}

/* Write page after page, for ever. */
static void
eat(void)
{
	volatile uint64_t *at = memory(EAT_BYTES, MAP_PRIVATE);
	struct ebb_usage usage;
	uint64_t i;

	for (i = 0; i < EAT_BYTES / PAGE; i++) {
		at[i * PAGE / sizeof(*at)] = i;
		shared->pages = i + 1;
		if (i % LOOK_EVERY == 0 && ebb_usage(&usage) == 0 &&
		    usage.swap_pages > shared->swap_pages)
			shared->swap_pages = usage.swap_pages;
	}
}

/* Status of a child that runs function. */
static int
in_child(void (*function)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		function();
		_exit(0);
	}
	return (pid > 0 && ebb_wait((uint32_t)pid, &status) == pid ? status : -1);
}

static int
late(uint64_t swap_pages)
{
	int status = in_child(eat);

	printf("oomtest: late: %llu pages eaten, %llu of %llu swap pages used when it was "
	       "killed (%x)\n",
	    (unsigned long long)shared->pages, (unsigned long long)shared->swap_pages,
	    (unsigned long long)swap_pages, (unsigned)status);
	return (status == KILLED_OOM && shared->swap_pages >= swap_pages / 10 ? 0 : 1);
}

/* Wire as much as can be had. */
static void
wire(void)
{
	uint8_t *at = memory(EAT_BYTES, MAP_PRIVATE);
	uint64_t i;

	shared->wired_pages = 0;
	for (i = 0; mlock(at + i * PAGE, STEP_PAGES * PAGE) == 0; i += STEP_PAGES)
		shared->wired_pages = i + STEP_PAGES;
	shared->error = errno;
}

static void
wire_and_eat(void)
{
	wire();
	eat();
}

static int
with_mlock(void)
{
	int status = in_child(wire_and_eat);
	uint64_t first = shared->wired_pages, second;
	int32_t error = shared->error;

	(void)in_child(wire);
	second = shared->wired_pages;
	printf("oomtest: mlock: %llu pages wired until errno %d, killed (%x), then %llu again\n",
	    (unsigned long long)first, (int)error, (unsigned)status,
	    (unsigned long long)second);
	return (status == KILLED_OOM && error == EAGAIN && first > 0 && second == first ? 0 : 1);
}

/* ---- who waits for the same page */

static volatile uint64_t *common;

static void
read_all(void)
{
	uint64_t i;

	for (i = 0; i < WAIT_PAGES; i++)
		if (common[i * PAGE / sizeof(*common)] != i * 3 + 1)
			shared->mismatches++;
}

static int
wait_busy(void)
{
	pid_t pids[READERS];
	uint64_t i;
	int status, bad = 0;

	common = memory(WAIT_PAGES * PAGE, MAP_SHARED);
	for (i = 0; i < WAIT_PAGES; i++)
		common[i * PAGE / sizeof(*common)] = i * 3 + 1;
	(void)in_child(eat); /* everything else is in swap now */
	for (i = 0; i < READERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			read_all();
			_exit(0);
		}
	}
	for (i = 0; i < READERS; i++)
		bad += pids[i] < 0 || ebb_wait((uint32_t)pids[i], &status) != pids[i] ||
		    status != 0;
	printf("oomtest: wait: %u readers of %u pages, %u mismatches, %d failed\n", READERS,
	    WAIT_PAGES, (unsigned)shared->mismatches, bad);
	return (bad == 0 && shared->mismatches == 0 ? 0 : 1);
}

/* Memory that is used once and hardly exceeds what there is costs little swap. */
static int
touch(uint64_t pages, uint64_t most)
{
	volatile uint64_t *at = memory(pages * PAGE, MAP_PRIVATE);
	struct ebb_usage usage = { 0 };
	uint64_t i, wrong = 0;

	for (i = 0; i < pages; i++)
		at[i * PAGE / sizeof(*at)] = i + 1;
	if (ebb_usage(&usage) != 0)
		perror("oomtest: usage");
	for (i = 0; i < pages; i++)
		wrong += at[i * PAGE / sizeof(*at)] != i + 1;
	printf("oomtest: touch: %llu pages, %llu to swap by then, %llu mismatches\n",
	    (unsigned long long)pages, (unsigned long long)usage.page_outs,
	    (unsigned long long)wrong);
	return (usage.page_outs <= most && wrong == 0 ? 0 : 1);
}

int
main(int argc, char **argv)
{
	shared = memory(PAGE, MAP_SHARED);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "late") == 0)
		return (late(strtoull(argv[2], NULL, 0)));
	if (argc == 2 && strcmp(argv[1], "mlock") == 0)
		return (with_mlock());
	if (argc == 2 && strcmp(argv[1], "wait") == 0)
		return (wait_busy());
	if (argc == 4 && strcmp(argv[1], "touch") == 0)
		return (touch(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0)));
	fprintf(stderr, "usage: oomtest late SWAPPAGES | mlock | wait | touch PAGES MOST\n");
	return (2);
}
