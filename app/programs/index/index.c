/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: an inverted index of a text, larger than the memory, and queries to it.
 *
 *   index [FILE [QUERIES [CHECKS]]]     (/data/words.txt, 200, 4)
 *
 * The text is mapped; the index lies in the heap. Queries are pieces of the text itself, chosen by
 * a fixed seed. CHECKS of them are answered a second time by looking at every line, and
 * must give the same.
 *
 * Owns: the mapping.
 * Does not: know how the index works (trigram.c).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: trigram.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/random.h"
#include "app/programs/index/trigram.h"

#define SEED 20261123
#define WORD_BYTES_MIN 4
#define WORD_BYTES_MAX 7

static int
map_text(struct text *text, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return (-1);
	text->bytes = (size_t)st.st_size;
	text->at = mmap(NULL, text->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return (text->at == MAP_FAILED ? -1 : 0);
}

static uint32_t
below(uint64_t *random, uint32_t bound)
{
	return ((uint32_t)(random_next(random) >> 33) % bound);
}

/* A piece of some line that is long enough; its bytes. */
static size_t
choose(const struct text *text, uint64_t *random, const char **word)
{
	for (;;) {
		uint32_t line = below(random, text->line_count);
		uint32_t bytes = text->lines[line + 1] - text->lines[line] - 1;
		uint32_t want = WORD_BYTES_MIN +
		    below(random, WORD_BYTES_MAX - WORD_BYTES_MIN + 1);

		if (bytes < want)
			continue;
		*word = text->at + text->lines[line] + below(random, bytes - want + 1);
		return (want);
	}
}

/* Ask and check; how many answers were wrong. */
static int
query_all(const struct trigram_index *index, uint32_t queries, uint32_t checks)
{
	uint64_t random = SEED;
	uint32_t i, sum = 0, lines = 0;
	int wrong = 0;

	for (i = 0; i < queries; i++) {
		const char *word;
		size_t bytes = choose(index->text, &random, &word);
		struct found found = trigram_search(index, word, bytes), all;

		sum = sum * 31 + found.sum;
		lines += found.lines;
		if (found.lines == 0 || i >= checks)
			wrong += found.lines == 0;
		else if ((all = text_search(index->text, word, bytes)).sum != found.sum ||
		    all.lines != found.lines) {
			printf("index: \"%.*s\": %lu lines, but there are %lu\n", (int)bytes, word,
			    (unsigned long)found.lines, (unsigned long)all.lines);
			wrong++;
		}
	}
	printf("index: %lu queries found %lu lines, sum %08lx, %d wrong\n", (unsigned long)queries,
	    (unsigned long)lines, (unsigned long)sum, wrong);
	return (wrong);
}

int
main(int argc, char *argv[])
{
	const char *path = argc > 1 ? argv[1] : "/data/words.txt";
	uint32_t queries = argc > 2 ? (uint32_t)atoi(argv[2]) : 200;
	uint32_t checks = argc > 3 ? (uint32_t)atoi(argv[3]) : 4;
	struct trigram_index index;
	struct ebb_usage before, after;
	struct text text;

	if (map_text(&text, path) != 0 || text_lines(&text) != 0) {
		fprintf(stderr, "index: %s: %s\n", path, strerror(errno));
		return (2);
	}
	if (text.line_count == 0 || trigram_build(&index, &text) != 0) {
		fprintf(stderr, "index: %s: %s\n", path,
		    text.line_count == 0 ? "no lines" : strerror(errno));
		return (2);
	}
	ebb_usage(&before);
	printf("index: %lu lines, %lu postings, %lu KiB in %lu passes; %lu page-ins, "
	       "%lu page-outs\n",
	    (unsigned long)text.line_count, (unsigned long)index.first[LISTS],
	    (unsigned long)(index.first[LISTS] / 256), (unsigned long)index.passes,
	    (unsigned long)before.page_ins,
	    (unsigned long)before.page_outs);
	queries = query_all(&index, queries, checks) != 0;
	ebb_usage(&after);
	printf("index: %lu page-ins in %lu reads for the queries\n",
	    (unsigned long)(after.page_ins - before.page_ins),
	    (unsigned long)(after.page_in_ops - before.page_in_ops));
	return ((int)queries);
}
