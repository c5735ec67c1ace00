/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command line as words, and words as numbers and near misses.
 */
#ifndef APP_MONITOR_ARGS_H
#define APP_MONITOR_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define ARGS_MAX 16

/* A command line, taken apart. The strings lie in the line. */
struct args_line {
	int count;              /* words */
	char *words[ARGS_MAX];
	bool background;        /* '&' at the end */
	bool append;            /* out: ">>", not ">" */
	char *out, *in;         /* behind > or >>, and <; NULL = none */
};

/*
 * Split line in place at spaces; '...', "..." and a backslash keep them, and >, <, &, # as they
 * are. A word that begins with # begins a comment. Returns the number of words, or ERR_INVAL
 * with a sentence in *why.
 */
int args_split(char *line, struct args_line *out, const char **why) ERR_MUST_CHECK;

/* Whole word as a decimal or 0x number in [min, max]. ERR_INVAL, ERR_RANGE. */
int args_number(const char *word, int64_t min, int64_t max, int64_t *out) ERR_MUST_CHECK;

/* Letters to insert, delete, replace or swap with the next to turn a into b; names
 * longer than ARGS_NAME_BYTES are cut. */
#define ARGS_NAME_BYTES 48
uint32_t args_distance(const char *a, const char *b);

#endif
