/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words, numbers, and how far a mistyped name is from a real one.
 *
 * Owns: nothing. Does not: print, know commands.
 * Invariants: none.
 * Yields: never.
 * Complexity: args_distance O(length of a * length of b).
 * See: test/unit/monitor_args.c.
 */
#include "app/monitor/args.h"

#include <stddef.h>
#include <string.h>

/* Cut one word off *at; false if its quote is not closed. */
static bool
word_take(char **at)
{
	char *from = *at, *to = *at, quote = '\0';

	while (*from != '\0' && (quote != '\0' || *from != ' ')) {
		if (quote == '\0' && (*from == '\'' || *from == '"'))
			quote = *from;
		else if (*from == quote)
			quote = '\0';
		else
			*to++ = *from;
		from++;
	}
	*at = *from == '\0' ? from : from + 1;
	*to = '\0';
	return (quote == '\0');
}

/* Take a '&' off the end of line. */
static bool
background_take(char *line)
{
	size_t bytes = strlen(line);

	while (bytes > 0 && line[bytes - 1] == ' ')
		bytes--;
	if (bytes == 0 || line[bytes - 1] != '&')
		return (false);
	line[bytes - 1] = '\0';
	return (true);
}

int
args_split(char *line, char *words[ARGS_MAX], bool *background, const char **why)
{
	char *at = line;
	int count = 0;

	for (; *at != '\0'; at++) {
		if (*at == '\t')
			*at = ' ';
	}
	*background = background_take(line);
	at = line;
	for (;;) {
		at += strspn(at, " ");
		if (*at == '\0')
			return (count);
		if (count == ARGS_MAX) {
			*why = "more than 16 words; shorten the command";
			return (ERR_INVAL);
		}
		words[count++] = at;
		if (!word_take(&at)) {
			*why = "a quote is not closed; end the word with the quote it begins with";
			return (ERR_INVAL);
		}
	}
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

int
args_number(const char *word, int64_t min, int64_t max, int64_t *out)
{
	bool negative = word[0] == '-';
	uint64_t value = 0, limit = (uint64_t)INT64_MAX;
	int base = 10;

	word += negative;
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		base = 16;
		word += 2;
	}
	if (*word == '\0')
		return (ERR_INVAL);
	for (; *word != '\0'; word++) {
		int digit = digit_value(*word);

		if (digit < 0 || digit >= base)
			return (ERR_INVAL);
		if (value > (limit - (uint64_t)digit) / (uint64_t)base)
			return (ERR_RANGE);
		value = value * (uint64_t)base + (uint64_t)digit;
	}
	*out = negative ? -(int64_t)value : (int64_t)value;
	return (*out < min || *out > max ? ERR_RANGE : 0);
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return (a < b ? a : b);
}

uint32_t
args_distance(const char *a, const char *b)
{
	/* Three rows of the usual table: the current one and the two before. */
	uint32_t rows[3][ARGS_NAME_BYTES + 1];
	size_t a_bytes = strlen(a), b_bytes = strlen(b), i, j;

	a_bytes = a_bytes < ARGS_NAME_BYTES ? a_bytes : ARGS_NAME_BYTES;
	b_bytes = b_bytes < ARGS_NAME_BYTES ? b_bytes : ARGS_NAME_BYTES;
	for (j = 0; j <= b_bytes; j++)
		rows[0][j] = (uint32_t)j;
	for (i = 1; i <= a_bytes; i++) {
		uint32_t *row = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = (uint32_t)i;
		for (j = 1; j <= b_bytes; j++) {
			row[j] = least(least(up[j], row[j - 1]) + 1,
			    up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], up2[j - 2] + 1);
		}
	}
	return (rows[a_bytes % 3][b_bytes]);
}
