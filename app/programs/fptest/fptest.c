/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fptest: floating point and thread registers survive other programs and page faults.
 *
 *   run fptest [ROUNDS]
 *
 * Starts a copy of itself; both fill the FP registers with values of their own, give up
 * the core by turns, and look whether the registers still hold them, and whether their
 * thread-local variables are still their own.
 *
 * Owns: nothing.
 * Does not: compute anything.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: registers_aarch64.S, registers_aarch32.S, arch/arm64/fp.S.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"

#ifdef __aarch64__
#define REGISTER_BYTES (32 * 16)
#else
#define REGISTER_BYTES (16 * 16)
#endif

/* registers_ABI.S: load all FP registers from in, yield by a system call, store them to out. */
void fp_round(const uint8_t *in, uint8_t *out);

static __thread uint32_t own_rounds = 5;
static __thread uint32_t own_seed;

static int
rounds(uint32_t count, uint8_t seed)
{
	static uint8_t in[REGISTER_BYTES] __attribute__((aligned(16)));
	static uint8_t out[REGISTER_BYTES] __attribute__((aligned(16)));
	uint32_t i, k;

	own_seed = seed;
	for (i = 0; i < count; i++) {
		own_rounds++;
		for (k = 0; k < REGISTER_BYTES; k++)
			in[k] = (uint8_t)(seed + i + 7 * k);
		fp_round(in, out);
		if (memcmp(in, out, REGISTER_BYTES) != 0) {
			printf("fptest: registers changed in round %lu\n", (unsigned long)i);
			return (1);
		}
	}
	if (own_seed != seed || own_rounds != count + 5)
		printf("fptest: thread-local variables changed\n");
	return (own_seed != seed || own_rounds != count + 5);
}

int
main(int argc, char **argv)
{
	char *child_argv[] = { "fptest", "1000", "child" };
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000;
	int status = 1, pid;

	if (argc == 3)
		return (rounds(count, 100));
	pid = ebb_spawn(EBB_PROGRAM("fptest"), child_argv, 3);
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
