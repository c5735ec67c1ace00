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

/* What ends a word when it is not quoted. */
static bool
is_end(char c)
{
	return (c == '\0' || c == ' ' || c == '>' || c == '<' || c == '&');
}

/* Does a backslash before c mean just c? Between "..." only where c means something there. */
static bool
is_escaped(char quote, char c)
{
	if (quote == '\0')
		return (c != '\0');
	return (quote == '"' && (c == '"' || c == '\\'));
}

/*
 * Take the quotes off the word at *at, in place; *at is behind it then. What ended it, which
 * the NUL of the word may have overwritten, or -1 if a quote is not closed.
 */
static int
word_take(char **at)
{
	char *from = *at, *to = *at, quote = '\0', end;

	while (*from != '\0' && (quote != '\0' || !is_end(*from))) {
		if (*from == '\\' && is_escaped(quote, from[1]))
			*to++ = *++from;
		else if (quote == '\0' && (*from == '\'' || *from == '"'))
			quote = *from;
		else if (quote != '\0' && *from == quote)
			quote = '\0';
		else
			*to++ = *from;
		from++;
	}
	end = *from;
	*at = from;
	*to = '\0';
	return (quote != '\0' ? -1 : end);
}

/* Where the next word is to be kept; NULL with a sentence in *why. */
static char **
place(struct args_line *out, char sign, bool again, const char **why)
{
	char **to = sign == '<' ? &out->in : &out->out;

	if (sign == '\0' && out->count < ARGS_MAX)
		return (&out->words[out->count++]);
	if (sign != '\0' && *to == NULL) {
		out->append = sign == '>' ? again : out->append;
		return (to);
	}
	*why = sign == '\0' ? "more than 16 words; shorten the command" :
			       "two files after > or <; one is enough";
	return (NULL);
}

/* The word at *at for sign ('>', '<', or '\0' a word of the command); the character behind it,
 * or ERR_INVAL. */
static int
take(struct args_line *out, char **at, char sign, const char **why)
{
	bool again = sign == '>' && **at == '>';
	char **to;
	int end;

	*at += again;
	*at += strspn(*at, " ");
	if (is_end(**at) || (sign != '\0' && **at == '#')) {
		*why = "no file name after > or <";
		return (ERR_INVAL);
	}
	to = place(out, sign, again, why);
	if (to == NULL)
		return (ERR_INVAL);
	*to = *at;
	end = word_take(at);
	*at += end == ' ';
	if (end >= 0)
		return (end);
	*why = "a quote is not closed; end the word with the quote it begins with";
	return (ERR_INVAL);
}

/* What stands at *at, spaces skipped; '\0' also for a comment. found: what stood there before
 * the end of a word was written over it. */
static char
look(char **at, char found)
{
	if (found != ' ')
		return (found);
	*at += strspn(*at, " ");
	return (**at == '#' ? '\0' : **at);
}

int
args_split(char *line, struct args_line *out, const char **why)
{
	char *at = line;
	int found = ' ';

	memset(out, 0, sizeof(*out));
	for (; *at != '\0'; at++)
		*at = *at == '\t' ? ' ' : *at;
	at = line;
	while (found >= 0 && (found = look(&at, (char)found)) != '\0') {
		if (out->background) {
			*why = "nothing comes after &; quote it if it is meant as it is";
			return (ERR_INVAL);
		}
		if (found == '&') {
			out->background = true;
			at++;
			found = ' ';
		} else if (found == '>' || found == '<') {
			at++;
			found = take(out, &at, (char)found, why);
		} else {
			found = take(out, &at, '\0', why);
		}
	}
	return (found < 0 ? ERR_INVAL : out->count);
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
