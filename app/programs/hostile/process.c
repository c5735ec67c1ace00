/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks by processes: bombs of them, orphans without end, calls at random, kills.
 *
 * Without `forever` a bomb limits itself and ends when it has met the limit often enough;
 * with it, somebody must end it.
 *
 * Owns: nothing.
 * Does not: end processes of others: the kernel must refuse that.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: hostile.h; proc/proc_tree.c, proc/proc_limit.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/programs/hostile/hostile.h"

#define BOMB_SIZE     24  /* processes of the job */
#define REFUSALS      20  /* that each of them waits for */
#define ORPHANS       200
#define GROW_ROUNDS   3
#define RANDOM_CALLS  2000
#define RANDOM_ROUNDS 32
#define OTHERS        1000 /* pids to try to end */

static void
limit_processes(void)
{
	const struct rlimit limit = { .rlim_cur = BOMB_SIZE, .rlim_max = BOMB_SIZE };

	if (!for_ever && setrlimit(RLIMIT_NPROC, &limit) != 0)
		_exit(90);
}

/* Every child does as its parent; the first waits until all are gone. */
static int
fork_bomb(void)
{
	int refused = 0, status;
	uint32_t made = 0;

	limit_processes();
	while (for_ever || refused < REFUSALS) {
		int pid = fork();

		if (pid < 0 && errno != EAGAIN && errno != ENOMEM)
			return (91);
		if (pid == 0)
			made = 0;
		made += pid > 0;
		refused += pid < 0;
		if (pid < 0)
			ebb_yield();
	}
	for (; made > 0; made--)
		if (wait(&status) < 0)
			return (92);
	return (0);
}

static int
spawn_bomb(void)
{
	char forever[] = "forever", name[] = "hostile", what[] = "spawnbomb";
	char *argv[] = { name, what, forever };
	int refused = 0, pids[BOMB_SIZE], made = 0, status;

	limit_processes();
	while (for_ever || refused < REFUSALS) {
		int pid = ebb_spawn(EBB_PROGRAM("hostile"), argv, for_ever ? 3 : 2);

		if (pid > 0 && !for_ever && made < BOMB_SIZE)
			pids[made++] = pid;
		refused += pid < 0;
		if (pid < 0)
			ebb_yield();
	}
	while (made > 0)
		if (ebb_wait((uint32_t)pids[--made], &status) < 0)
			return (92);
	return (0);
}

/* As many programs as there may be, each with as much memory as it can touch, until it is
 * ended for that. For ever: with a first one that stays small, so that the bomb has a head. */
static int
grow_bomb(void)
{
	size_t piece = 64u * 1024, i;
	int round, pid;

	limit_processes();
	while (for_ever && fork() > 0)
		ebb_sleep_us(UINT64_MAX);
	for (round = 0; for_ever || round < GROW_ROUNDS; round++) {
		while ((pid = fork()) > 0)
			continue;
		for (;;) {
			uint8_t *memory = ebb_mmap(piece, EBB_PROT_READ | EBB_PROT_WRITE);

			for (i = 0; memory != NULL && i < piece; i += 4096)
				memory[i] = 1;
			if (memory == NULL || fork() == 0)
				break;
		}
	}
	return (0);
}

/* A parent that is gone before anybody can end it. */
static int
orphans(void)
{
	int i;

	limit_processes();
	for (i = 0; for_ever || i < ORPHANS; i++)
		if (fork() > 0)
			_exit(0);
	return (0);
}

/* Whoever is not of this job stays. It may end its parent and its guard: those it spares. */
static int
killer(void)
{
	int pid, self = getpid(), first = for_ever ? 1 : self + 2, wrong = 0;

	for (pid = first; pid < first + OTHERS; pid++) {
		if (pid == self)
			continue;
		if (kill(pid, 9) == 0 || (errno != EPERM && errno != ESRCH && errno != ENOENT))
			wrong++;
	}
	return (wrong);
}

/* ---- calls at random */

static uint64_t
random_argument(const uint8_t *memory)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 7, 15, 16, 0xfff, 4096, 8192, 65536,
		UINT32_MAX, INT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 4095, UINT64_C(1) << 31,
		UINT64_C(1) << 32, UINT64_C(1) << 38, UINT64_C(1) << 39, UINT64_C(1) << 47,
		UINT64_C(0xffffff8000080000), UINT64_C(0xffff0000) };
	uint32_t count = sizeof(values) / sizeof(values[0]);

	switch (random_below(4)) {
	case 0:
		return ((uintptr_t)memory + random_below(64) * 1024 + random_below(2));
	case 1:
		return (((uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX)) >>
		    random_below(64));
	default:
		return (values[random_below(count)]);
	}
}

/* What would wait for ever, end somebody by right, or change what all share. */
static int
is_left_out(uint64_t number)
{
	return (number == EBB_SYS_EXIT || number == EBB_SYS_SLEEP || number == EBB_SYS_READ ||
	    number == EBB_SYS_KILL || number == EBB_SYS_FORK || number == EBB_SYS_SWAPON ||
	    number == EBB_SYS_SWAPOFF || number == EBB_SYS_TLS || number == EBB_SYS_PIPE ||
	    number == EBB_SYS_SETRLIMIT);
}

/* They may well take this program's own memory away, or fill it up. */
static void
make_random_calls(uintptr_t round)
{
	uint8_t *memory = ebb_mmap(64 * 1024, EBB_PROT_READ | EBB_PROT_WRITE);
	uint64_t number, args[6];
	uint32_t i, k;

	for (k = 0; k < 3; k++)
		close((int)k);
	for (i = 0; i < round; i++)
		random_below(2);
	for (i = 0; i < RANDOM_CALLS; i++) {
		number = random_below(EBB_SYS_COUNT + 2);
		for (k = 0; k < 6; k++)
			args[k] = random_argument(memory);
		if (!is_left_out(number))
			ebb_syscall_args(number, args);
	}
}

static int
random_calls(void)
{
	int wrong = 0;
	uint32_t round;

	for (round = 0; round < RANDOM_ROUNDS; round++)
		wrong += (end_of(make_random_calls, round * 1000) & (EXITS | FAULT | OOM)) == 0;
	return (wrong);
}

const struct attack process_attacks[] = {
	{ "killer", killer, EXITS, "tries to end programs of others (forever: from number 1 on)" },
	{ "forkbomb", fork_bomb, EXITS, "every process forks for ever" },
	{ "spawnbomb", spawn_bomb, EXITS, "every process starts programs for ever" },
	{ "growbomb", grow_bomb, EXITS | OOM, "every process forks and touches memory for ever" },
	{ "orphans", orphans, EXITS, "forks and ends before anybody can end it" },
	{ "calls", random_calls, EXITS, "system calls at random" },
	{ 0 },
};
