/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of bytes for one writer and one reader, e.g. a task and an interrupt
 * handler. Free-running positions: put and get differ by the bytes held, and
 * are reduced by the size only to index. Locking is the caller's.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdbool.h>
#include <stdint.h>

struct ring {
	uint8_t *bytes;   /* the caller's storage */
	uint32_t size;    /* bytes, power of two */
	uint32_t put, get;
};

/* Initialiser for a ring over array (a power of two in size). */
#define RING_INITIALIZER(array) { (uint8_t *)(array), sizeof(array), 0, 0 }

static inline uint32_t
ring_used(const struct ring *r)
{
	return (r->put - r->get);
}

static inline uint32_t
ring_room(const struct ring *r)
{
	return (r->size - (r->put - r->get));
}

/* False, and nothing stored, when full. */
static inline bool
ring_put(struct ring *r, uint8_t byte)
{
	if (ring_room(r) == 0)
		return (false);
	r->bytes[r->put++ & (r->size - 1)] = byte;
	return (true);
}

/* The oldest byte, or -1 when empty. */
static inline int
ring_get(struct ring *r)
{
	if (ring_used(r) == 0)
		return (-1);
	return (r->bytes[r->get++ & (r->size - 1)]);
}

static inline void
ring_clear(struct ring *r)
{
	r->get = r->put;
}

#endif
