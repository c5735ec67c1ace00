/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort: sort the lines of a text in memory, memory being larger than the RAM.
 *
 *   run sort FILE
 *
 * Every line becomes a record that holds it inline: an 8-byte prefix (the first
 * bytes as a big-endian number, so that most comparisons are one), its number, its
 * length, its bytes; lines above LINE_INLINE_MAX are kept aside and referred to.
 * Records lie one behind another in one of two equal heaps. Sorting is made for
 * paging, every pass reads and writes in order of addresses:
 *
 *   load    file -> heap 0, records in file order
 *   runs    heap 0 -> heap 1, pieces of RUN_BYTES sorted by themselves
 *   merge   heap 1 -> heap 0 -> ..., MERGE_WAYS runs into one, until one is left
 *   digest  SHA-256 over the lines, the order checked, every line seen once
 *
 * Byte order decides (as LC_ALL=C sort); equal lines keep their order.
 *
 * Owns: the two heaps.
 * Does not: write files; the digest is the result.
 * Invariants:
 *   O1  the heap that is written never holds more bytes than the one read
 * Yields: a program, preemptive.
 * See: merge.c, sha256.c.
 */
#include "app/programs/sort/sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"
#include "app/programs/sort/sha256.h"

#define LINE_BYTES_MAX 65536

/* What the checks at the end need. */
static uint64_t line_count;
static uint64_t number_sum;

static uint64_t
prefix_of(const char *line, uint32_t length)
{
	uint64_t prefix = 0;
	uint32_t i;

	for (i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < length ? (uint8_t)line[i] : 0);
	return (prefix);
}

static int
add_record(struct heap *heap, const char *line, uint32_t length)
{
	uint64_t bytes = record_bytes_of(length);
	struct record *r = (struct record *)(heap->base + heap->used_bytes);

	if (bytes > heap->size_bytes - heap->used_bytes)
		return (-1);
	r->prefix = prefix_of(line, length);
	r->number = (uint32_t)line_count;
	r->length = length;
	if (length <= LINE_INLINE_MAX) {
		memcpy(r->bytes, line, length);
	} else {
		char *copy = malloc(length);

		if (copy == NULL)
			return (-1);
		memcpy(copy, line, length);
		memcpy(r->bytes, &copy, sizeof(copy));
	}
	heap->used_bytes += bytes;
	number_sum += line_count++;
	return (0);
}

/* Read the file by lines; the last one may lack its newline. */
static int
load(FILE *file, struct heap *heap)
{
	static char line[LINE_BYTES_MAX];
	uint32_t used = 0;
	int c;

	while ((c = getc(file)) != EOF) {
		if (c == '\n') {
			if (add_record(heap, line, used) != 0)
				return (-1);
			used = 0;
		} else if (used == sizeof(line)) {
			fprintf(stderr, "sort: line %llu is longer than %u bytes\n",
			    (unsigned long long)line_count + 1, (unsigned)sizeof(line));
			return (-1);
		} else {
			line[used++] = (char)c;
		}
	}
	if (ferror(file)) {
		perror("sort: read");
		return (-1);
	}
	return (used > 0 ? add_record(heap, line, used) : 0);
}

/* An upper bound of the bytes that the records of a file can take: an empty line,
 * one byte, is the worst. Address space only; what no record reaches costs nothing. */
static uint64_t
heap_bytes_for(FILE *file)
{
	long bytes;

	fseek(file, 0, SEEK_END);
	bytes = ftell(file);
	rewind(file);
	return ((uint64_t)bytes * sizeof(struct record) + sizeof(struct record) + 8);
}

static int
make_heaps(uint64_t bytes, struct heap heaps[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		heaps[i].base = ebb_mmap(bytes, EBB_PROT_READ | EBB_PROT_WRITE);
		heaps[i].size_bytes = bytes;
		heaps[i].used_bytes = 0;
		if (heaps[i].base == NULL) {
			perror("sort: memory");
			return (-1);
		}
	}
	return (0);
}

/* Digest and checks over the sorted heap; 0 if everything is right. */
static int
finish(const struct heap *heap, uint8_t digest[SHA256_BYTES])
{
	const struct record *previous = NULL;
	uint64_t offset = 0, lines = 0, sum = 0;
	struct sha256 sha;

	sha256_init(&sha);
	while (offset < heap->used_bytes) {
		const struct record *r = (const struct record *)(heap->base + offset);

		if (previous != NULL && record_compare(previous, r) > 0) {
			fprintf(stderr, "sort: line %llu out of order\n",
			    (unsigned long long)lines);
			return (-1);
		}
		sha256_update(&sha, record_text(r), r->length);
		sha256_update(&sha, "\n", 1);
		previous = r;
		lines++;
		sum += r->number;
		offset += record_bytes_of(r->length);
	}
	sha256_final(&sha, digest);
	if (lines != line_count || sum != number_sum) {
		fprintf(stderr, "sort: lines lost or repeated\n");
		return (-1);
	}
	return (0);
}

static void
report(const struct heap *heap, const uint8_t digest[SHA256_BYTES])
{
	struct ebb_usage usage;
	char hex[2 * SHA256_BYTES + 1];
	unsigned i;

	for (i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (ebb_usage(&usage) == 0)
		printf("sort: heap %llu KiB in records; %llu faults, %llu page-ins in %llu reads, "
		       "%llu page-outs in %llu writes\n",
		    (unsigned long long)(2 * heap->used_bytes / 1024),
		    (unsigned long long)usage.faults, (unsigned long long)usage.page_ins,
		    (unsigned long long)usage.page_in_ops, (unsigned long long)usage.page_outs,
		    (unsigned long long)usage.page_out_ops);
	printf("sort: %llu lines, sha256 %s\n", (unsigned long long)line_count, hex);
}

int
main(int argc, char **argv)
{
	uint8_t digest[SHA256_BYTES];
	struct heap heaps[2];
	struct heap *sorted;
	FILE *file;

	if (argc != 2) {
		fprintf(stderr, "usage: sort FILE\n");
		return (2);
	}
	file = fopen(argv[1], "r");
	if (file == NULL) {
		fprintf(stderr, "sort: ");
		perror(argv[1]);
		return (1);
	}
	setvbuf(file, NULL, _IOFBF, 16384);
	if (make_heaps(heap_bytes_for(file), heaps) != 0)
		return (1);
	if (load(file, &heaps[0]) != 0)
		return (1);
	fclose(file);
	sorted = merge_sort(heaps);
	if (sorted == NULL || finish(sorted, digest) != 0)
		return (1);
	report(sorted, digest);
	return (0);
}
