/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello: the smallest program that uses the C library.
 *
 *   run hello [WORDS...]
 *
 * Owns: nothing.
 * Does not: anything else.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: app/libebb.
 */
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int i;

	printf("hello: this is process %d", (int)getpid());
	for (i = 1; i < argc; i++)
		printf("%s%s", i == 1 ? ", told: " : " ", argv[i]);
	printf("\n");
	return (0);
}
