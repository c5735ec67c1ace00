/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records and heaps, shared by sort.c and merge.c.
 */
#ifndef SORT_SORT_H
#define SORT_SORT_H

#include <stdint.h>
#include <string.h>

#define LINE_INLINE_MAX 255 /* bytes; longer lines by reference */

struct record {
	uint64_t prefix; /* first 8 bytes, big-endian, zero-filled */
	uint32_t number; /* of the line in the file, from 0 */
	uint32_t length; /* bytes of the line, without newline */
	char bytes[];    /* the line, or a pointer to it if it is long */
};

struct heap {
	char *base;
	uint64_t size_bytes;
	uint64_t used_bytes;
};

/* Bytes that the record of a line of length bytes takes, a multiple of 8. */
static inline uint64_t
record_bytes_of(uint32_t length)
{
	uint64_t tail = length <= LINE_INLINE_MAX ? length : sizeof(char *);

	return ((sizeof(struct record) + tail + 7) & ~(uint64_t)7);
}

static inline const char *
record_text(const struct record *r)
{
	const char *text;

	if (r->length <= LINE_INLINE_MAX)
		return (r->bytes);
	memcpy(&text, r->bytes, sizeof(text));
	return (text);
}

/* Byte order of the lines; a prefix of another line comes first. */
static inline int
record_compare(const struct record *a, const struct record *b)
{
	uint32_t shorter;
	int order;

	if (a->prefix != b->prefix)
		return (a->prefix < b->prefix ? -1 : 1);
	shorter = a->length < b->length ? a->length : b->length;
	order = memcmp(record_text(a), record_text(b), shorter);
	if (order != 0)
		return (order);
	return (a->length < b->length ? -1 : a->length > b->length);
}

/* Sort heaps[0]'s records with heaps[1] as the other half; the heap that holds the
 * result, or NULL (message printed). */
struct heap *merge_sort(struct heap heaps[2]);

#endif
