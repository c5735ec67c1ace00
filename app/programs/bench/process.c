/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench: what processes cost.
 *
 *   switch  two programs that yield to each other: one yield, one switch to the other's address
 *           space and registers, FP included
 *   fork    of a program with 16 MiB of its own, until the parent goes on
 *   exec    from the call to main of the new program, its file in the cache
 *
 * Owns: its memory and its children.
 * Does not: measure what a child's first writes cost afterwards (bench zero is near).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: bench.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/counter.h"
#include "app/programs/bench/bench.h"

#define SWITCHES 20000
#define FORKS 16
#define EXECS 16
#define FORK_PAGES 4096

static volatile float keeps_fp_used = 1.0f;

static int
give_up(const char *what)
{
	perror(what);
	return (1);
}

int
bench_switch(void)
{
	struct mark a, b;
	pid_t pid = fork();
	int i;

	if (pid < 0)
		return (give_up("bench: fork"));
	mark(&a);
	for (i = 0; i < SWITCHES; i++) {
		keeps_fp_used += 1.0f;
		ebb_yield();
	}
	mark(&b);
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	print_mean("yield and switch to another program", busy_ns(&a, &b), 2 * SWITCHES);
	return (0);
}

int
bench_fork(void)
{
	volatile uint64_t *memory = ebb_mmap(FORK_PAGES * PAGE_BYTES,
	    EBB_PROT_READ | EBB_PROT_WRITE);
	uint64_t ns = 0;
	struct mark a, b;
	int i, round;

	if (memory == NULL)
		return (give_up("bench: memory"));
	for (round = 0; round < FORKS; round++) {
		pid_t pid;

		for (i = 0; i < FORK_PAGES; i++)
			memory[i * (PAGE_BYTES / 8)] = (uint64_t)round;
		mark(&a);
		pid = fork();
		if (pid == 0)
			_exit(0);
		mark(&b);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return (give_up("bench: fork"));
		ns += busy_ns(&a, &b);
	}
	print_mean("fork of a 16 MiB process", ns, FORKS);
	return (0);
}

int
bench_arrived(const char *ticks, const char *fd)
{
	uint64_t took = counter_ticks() - strtoull(ticks, NULL, 0);

	return (write(atoi(fd), &took, sizeof(took)) == (ssize_t)sizeof(took) ? 0 : 1);
}

/* In a child: become the program that answers. */
static void
exec_self(int fd)
{
	char ticks[24], number[12];
	char *argv[] = { "bench", "arrived", ticks, number, NULL };

	snprintf(number, sizeof(number), "%d", fd);
	snprintf(ticks, sizeof(ticks), "%llu", (unsigned long long)counter_ticks());
	execv(EBB_PROGRAM("bench"), argv);
	_exit(1);
}

int
bench_exec(void)
{
	uint64_t ticks = 0, took;
	int fds[2], round, status;

	if (pipe(fds) != 0)
		return (give_up("bench: pipe"));
	for (round = 0; round <= EXECS; round++) {
		pid_t pid = fork();

		if (pid == 0)
			exec_self(fds[1]);
		if (pid < 0 || read(fds[0], &took, sizeof(took)) != (ssize_t)sizeof(took) ||
		    waitpid(pid, &status, 0) != pid || status != 0)
			return (give_up("bench: exec"));
		if (round > 0) /* the first one read the file */
			ticks += took;
	}
	print_mean("exec to main", ticks * 1000000000u / counter_ticks_per_second(), EXECS);
	return (0);
}
