/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An inverted index of the lines of a text: which lines have which three characters in a row.
 */
#ifndef INDEX_TRIGRAM_H
#define INDEX_TRIGRAM_H

#include <stddef.h>
#include <stdint.h>

#define TRIGRAM_BYTES 3
#define LISTS 65536u /* one for each hash of three characters */

struct text {
	const char *at;
	size_t bytes;
	uint32_t *lines;      /* where each begins; one more, the end */
	uint32_t line_count;
};

struct trigram_index {
	const struct text *text;
	uint32_t *first;      /* of each list, in postings; one more, the end */
	uint32_t *postings;   /* line numbers, ascending in each list */
	uint32_t passes;      /* over the text, that filling them took */
};

/* Find the lines of text->at. 0, or -1 with errno. */
int text_lines(struct text *text);
/* Index them. 0, or -1 with errno. */
int trigram_build(struct trigram_index *index, const struct text *text);

/* What a search has found: how many lines, and a sum over their numbers, in order. */
struct found {
	uint32_t lines;
	uint32_t sum;
};

/* Lines with word (at least three characters), by the index. */
struct found trigram_search(const struct trigram_index *index, const char *word, size_t bytes);
/* The same by looking at every line. */
struct found text_search(const struct text *text, const char *word, size_t bytes);

#endif
