/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile: attacks on the kernel and on everybody else. At worst they end this program.
 *
 *   run hostile                     every attack in a child of its own
 *   run hostile NAME [SEED|forever] one attack, in this program
 *
 * An attack that does not end in time is ended by a guard, which is a failure. What one
 * attack leaves behind, the next one meets.
 *
 * Owns: nothing that outlives it.
 * Does not: give single bad arguments to single calls (badcalls does).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: cpu_*.c, memory.c, process.c.
 */
#include "app/programs/hostile/hostile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/random.h"

#define GUARD_US 30000000u

static const struct attack *const tables[] = { cpu_attacks, memory_attacks, process_attacks };

int for_ever;
uint64_t random_state = RANDOM_SEED;

uint32_t
random_below(uint32_t bound)
{
	return ((uint32_t)(random_next(&random_state) >> 33) % bound);
}

static uint32_t
mask_of(int status)
{
	if ((status & EBB_STATUS_KILLED) != 0)
		return (1u << (status & 0xff));
	return (status == 0 ? EXITS : 0);
}

static const char *
words_of(int status)
{
	static const char *const reasons[] = { "killed", "killed on request", "killed by a fault",
		"killed by an instruction", "killed by an I/O error", "killed for memory" };
	static char text[32];

	if ((status & EBB_STATUS_KILLED) != 0)
		return (reasons[(status & 0xff) <= EBB_KILL_OOM ? status & 0xff : 0]);
	snprintf(text, sizeof(text), "exited with %d", status);
	return (text);
}

/* In the child nothing of what the parent had to say may come out again. */
static int
child_begins(void)
{
	int pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		printf("hostile: no child\n");
		_exit(99);
	}
	return (pid);
}

uint32_t
end_of(void (*fn)(uintptr_t argument), uintptr_t argument)
{
	int status = 98, pid = child_begins();

	if (pid == 0) {
		fn(argument);
		_exit(0);
	}
	ebb_wait((uint32_t)pid, &status);
	return (mask_of(status));
}

static void
do_deed(uintptr_t argument)
{
	((const struct deed *)argument)->fn();
}

int
all_end(const struct deed *deeds, uint32_t ends)
{
	int wrong = 0;

	for (; deeds->name != NULL; deeds++) {
		uint32_t end = end_of(do_deed, (uintptr_t)deeds);

		if ((end & ends) != 0)
			continue;
		wrong++;
		printf("hostile: %s ended otherwise (mask %#lx, not %#lx)\n", deeds->name,
		    (unsigned long)end, (unsigned long)ends);
	}
	return (wrong);
}

static void
guard(uintptr_t pid)
{
	ebb_sleep_us(GUARD_US);
	kill((int)pid, 9);
}

/* One attack in a child: was it as it should be? */
static int
run_guarded(const struct attack *attack)
{
	int status = 98, pid = child_begins(), guard_pid, unused;

	if (pid == 0)
		_exit(attack->fn());
	guard_pid = child_begins();
	if (guard_pid == 0) {
		guard((uintptr_t)pid);
		_exit(0);
	}
	ebb_wait((uint32_t)pid, &status);
	kill(guard_pid, 9);
	ebb_wait((uint32_t)guard_pid, &unused);
	printf("hostile: %s: %s%s\n", attack->name, words_of(status),
	    (mask_of(status) & attack->ends) != 0 ? "" : ", a SURPRISE");
	return ((mask_of(status) & attack->ends) != 0);
}

static int
run_all(void)
{
	uint32_t count = 0, surprises = 0, i;
	const struct attack *attack;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (attack = tables[i]; attack->name != NULL; attack++, count++)
			surprises += !run_guarded(attack);
	printf("hostile: %lu attacks, %lu surprises\n", (unsigned long)count,
	    (unsigned long)surprises);
	return (surprises == 0 ? 0 : 1);
}

static int
usage(void)
{
	const struct attack *attack;
	uint32_t i;

	printf("usage: hostile [NAME [SEED|forever]]\n");
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (attack = tables[i]; attack->name != NULL; attack++)
			printf("  %-10s %s\n", attack->name, attack->about);
	return (2);
}

int
main(int argc, char **argv)
{
	const struct attack *attack;
	uint32_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 1)
		return (run_all());
	if (argc == 3 && strcmp(argv[2], "forever") == 0)
		for_ever = 1;
	else if (argc == 3)
		random_state = strtoull(argv[2], NULL, 0) | 1;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (attack = tables[i]; attack->name != NULL; attack++)
			if (strcmp(attack->name, argv[1]) == 0)
				return (attack->fn());
	return (usage());
}
