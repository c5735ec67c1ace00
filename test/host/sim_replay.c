/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that repeat.
 *
 * Owns: nothing.
 * Does not: fix the stack's place, which depends on the environment; no channel or
 *   key of a test lies there (tasks have stacks of their own).
 * Invariants: none.
 * Yields: never.
 * See: test/host/sim_replay.h.
 */
#include "test/host/sim_replay.h"

#include <stdio.h>
#include <sys/personality.h>
#include <unistd.h>

void
sim_fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now == -1 || (now & ADDR_NO_RANDOMIZE) != 0)
		return;
	if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
	printf("addresses are random here: EBB_SEED may not replay a run exactly\n");
}
