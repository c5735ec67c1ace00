/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fptest: floating point state survives other programs and page faults.
 *
 *   run fptest [ROUNDS]
 *
 * Starts a copy of itself; both fill q0-q31 with values of their own, give up the
 * core by turns, and look whether the registers still hold them.
 *
 * Owns: nothing.
 * Does not: compute anything.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: registers.S, arch/arm64/fp.S.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"

#define REGISTER_BYTES (32 * 16)

/* registers.S: load q0-q31 from in, yield by a system call, store them to out. */
void fp_round(const uint8_t *in, uint8_t *out);

static int
rounds(uint32_t count, uint8_t seed)
{
	static uint8_t in[REGISTER_BYTES] __attribute__((aligned(16)));
	static uint8_t out[REGISTER_BYTES] __attribute__((aligned(16)));
	uint32_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < REGISTER_BYTES; k++)
			in[k] = (uint8_t)(seed + i + 7 * k);
		fp_round(in, out);
		if (memcmp(in, out, REGISTER_BYTES) != 0) {
			printf("fptest: registers changed in round %lu\n", (unsigned long)i);
			return (1);
		}
	}
	return (0);
}

int
main(int argc, char **argv)
{
	char *child_argv[] = { "fptest", "1000", "child" };
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000;
	int status = 1, pid;

	if (argc == 3)
		return (rounds(count, 100));
	pid = ebb_spawn("/apps/fptest.elf", child_argv, 3);
	if (pid < 0) {
		perror("fptest: spawn");
		return (1);
	}
	if (rounds(count, 1) != 0)
		return (1);
	if (ebb_wait((uint32_t)pid, &status) != pid || status != 0) {
		printf("fptest: the other copy failed with %d\n", status);
		return (1);
	}
	printf("fptest: %.3f, registers kept over %lu rounds\n", 22.0 / 7.0, (unsigned long)count);
	return (0);
}
