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

/*
 * Split line in place at spaces; '...' and "..." keep spaces. A '&' at the end
 * sets *background and is no word. Returns the number of words, or ERR_INVAL
 * with a sentence in *why.
 */
int args_split(char *line, char *words[ARGS_MAX], bool *background, const char **why)
    ERR_MUST_CHECK;

/* Whole word as a decimal or 0x number in [min, max]. ERR_INVAL, ERR_RANGE. */
int args_number(const char *word, int64_t min, int64_t max, int64_t *out) ERR_MUST_CHECK;

/* Letters to insert, delete, replace or swap with the next to turn a into b; names
 * longer than ARGS_NAME_BYTES are cut. */
#define ARGS_NAME_BYTES 48
uint32_t args_distance(const char *a, const char *b);

#endif
