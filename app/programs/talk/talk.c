/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: print long lines in small pieces, to show that the console keeps them whole.
 *
 *   run talk WORD [LINES]
 *
 * Each line is WORD ten times, written by one system call a piece, and its number.
 *
 * Owns: nothing.
 * Does not: end a line early.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: kern/console.h.
 */
#include <stdio.h>
#include <stdlib.h>

#define PIECES 10

int
main(int argc, char **argv)
{
	unsigned long lines = argc > 2 ? strtoul(argv[2], NULL, 0) : 100, i;
	int piece;

	if (argc < 2 || argc > 3 || lines == 0) {
		fprintf(stderr, "usage: talk WORD [LINES]\n");
		return (2);
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	for (i = 1; i <= lines; i++) {
		for (piece = 0; piece < PIECES; piece++)
			printf("%s-", argv[1]);
		printf("%lu\n", i);
	}
	return (0);
}
