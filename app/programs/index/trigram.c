/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index: lists of line numbers, one for each hash of three characters, behind each other
 * in one array.
 *
 *   the first pass over the text counts; each further one fills as many lists as fit into half
 *   of the memory, since it writes to all of them in an order that the text dictates. Reading
 *   the text once more, in order, is cheap; writing all lists at once is a page-in each time.
 *
 * A search takes the shortest list of its word's trigrams, keeps the lines that are in all
 * others too (each a binary search, from where the last one ended), and looks at those that
 * are left.
 *
 * Owns: the arrays.
 * Does not: read files.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * Complexity: build: a step a character; search: the shortest list times the number of trigrams,
 *   times the logarithm of a list.
 * See: trigram.h.
 */
#include "app/programs/index/trigram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOWHERE UINT32_MAX

static uint32_t
list_of(const char *at)
{
	uint32_t three = (uint32_t)(uint8_t)at[0] | (uint32_t)(uint8_t)at[1] << 8 |
	    (uint32_t)(uint8_t)at[2] << 16;

	return (three * 2654435761u >> 16);
}

int
text_lines(struct text *text)
{
	uint32_t count = 0;
	size_t i, from = 0;

	for (i = 0; i < text->bytes; i++)
		count += text->at[i] == '\n';
	text->lines = malloc(((size_t)count + 1) * sizeof(*text->lines));
	if (text->lines == NULL)
		return (-1);
	text->line_count = 0;
	for (i = 0; i < text->bytes; i++) {
		if (text->at[i] != '\n')
			continue;
		text->lines[text->line_count++] = (uint32_t)from;
		from = i + 1;
	}
	text->lines[count] = (uint32_t)from;
	return (0);
}

static uint32_t
line_bytes(const struct text *text, uint32_t line)
{
	return (text->lines[line + 1] - text->lines[line] - 1);
}

/* The lists of a pass, and where each goes on. */
struct lists {
	uint32_t from, to;
	uint32_t last[LISTS]; /* the line that it got last */
	uint32_t next[LISTS];
};

/* Count, or put, every line once in each list that it belongs to. */
static void
pass(struct trigram_index *index, struct lists *lists)
{
	const struct text *text = index->text;
	uint32_t line, i;

	for (i = lists->from; i < lists->to; i++)
		lists->last[i] = NOWHERE;
	for (line = 0; line < text->line_count; line++) {
		const char *at = text->at + text->lines[line];

		for (i = 0; i + TRIGRAM_BYTES <= line_bytes(text, line); i++) {
			uint32_t list = list_of(at + i);

			if (list < lists->from || list >= lists->to || lists->last[list] == line)
				continue;
			lists->last[list] = line;
			if (index->postings != NULL)
				index->postings[lists->next[list]] = line;
			lists->next[list]++;
		}
	}
}

/* Lists from lists->from on that fit into bytes, or one. */
static void
choose_lists(const struct trigram_index *index, struct lists *lists, size_t bytes)
{
	uint32_t start = index->first[lists->from];

	lists->to = lists->from + 1;
	while (lists->to < LISTS &&
	    (size_t)(index->first[lists->to + 1] - start) * sizeof(*index->postings) <= bytes)
		lists->to++;
}

/* Count, and lay the lists out one behind the other. */
static void
lay_out(struct trigram_index *index, struct lists *lists)
{
	uint32_t i, total = 0;

	lists->from = 0;
	lists->to = LISTS;
	pass(index, lists);
	for (i = 0; i < LISTS; i++) {
		index->first[i] = total;
		total += lists->next[i];
		lists->next[i] = index->first[i];
	}
	index->first[LISTS] = total;
}

int
trigram_build(struct trigram_index *index, const struct text *text)
{
	size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 2;
	struct lists *lists = calloc(1, sizeof(*lists));

	index->text = text;
	index->postings = NULL;
	index->passes = 0;
	index->first = malloc((LISTS + 1) * sizeof(*index->first));
	if (lists == NULL || index->first == NULL)
		return (-1);
	lay_out(index, lists);
	index->postings = malloc((size_t)index->first[LISTS] * sizeof(*index->postings));
	if (index->postings == NULL)
		return (-1);
	for (lists->from = 0; lists->from < LISTS; lists->from = lists->to) {
		choose_lists(index, lists, bytes);
		pass(index, lists);
		index->passes++;
	}
	free(lists);
	return (0);
}

/* Does the line have the word? */
static int
line_has(const struct text *text, uint32_t line, const char *word, size_t bytes)
{
	const char *at = text->at + text->lines[line];
	uint32_t i;

	for (i = 0; i + bytes <= line_bytes(text, line); i++)
		if (at[i] == word[0] && memcmp(at + i, word, bytes) == 0)
			return (1);
	return (0);
}

/* The first place in postings [from, end) whose line is not before line. */
static uint32_t
place_of(const struct trigram_index *index, uint32_t from, uint32_t end, uint32_t line)
{
	while (from < end) {
		uint32_t middle = from + (end - from) / 2;

		if (index->postings[middle] < line)
			from = middle + 1;
		else
			end = middle;
	}
	return (from);
}

/* Is the line in the lists of all trigrams of word? */
static int
in_all(const struct trigram_index *index, uint32_t line, const char *word, size_t bytes)
{
	size_t i;

	for (i = 0; i + TRIGRAM_BYTES <= bytes; i++) {
		uint32_t list = list_of(word + i), end = index->first[list + 1];
		uint32_t at = place_of(index, index->first[list], end, line);

		if (at == end || index->postings[at] != line)
			return (0);
	}
	return (1);
}

static void
note(struct found *found, uint32_t line)
{
	found->lines++;
	found->sum = found->sum * 31 + line + 1;
}

struct found
trigram_search(const struct trigram_index *index, const char *word, size_t bytes)
{
	struct found found = { 0, 0 };
	uint32_t shortest = list_of(word), i;
	size_t at;

	for (at = 1; at + TRIGRAM_BYTES <= bytes; at++) {
		uint32_t list = list_of(word + at);

		if (index->first[list + 1] - index->first[list] <
		    index->first[shortest + 1] - index->first[shortest])
			shortest = list;
	}
	for (i = index->first[shortest]; i < index->first[shortest + 1]; i++) {
		uint32_t line = index->postings[i];

		if (in_all(index, line, word, bytes) && line_has(index->text, line, word, bytes))
			note(&found, line);
	}
	return (found);
}

struct found
text_search(const struct text *text, const char *word, size_t bytes)
{
	struct found found = { 0, 0 };
	uint32_t line;

	for (line = 0; line < text->line_count; line++)
		if (line_has(text, line, word, bytes))
			note(&found, line);
	return (found);
}
