/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocator of runs of consecutive slots, for swap areas.
 *
 * One bit a slot, and above the bits a tree of radix 16 whose nodes know the
 * longest run that can be had below them. Search begins where the last one ended
 * (next fit), so successive runs lie next to each other on the device. Storage is
 * the caller's: nothing is ever allocated here.
 */
#ifndef LIB_RUN_ALLOC_H
#define LIB_RUN_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_ALLOC_MAX    32u        /* longest run of one call */
#define RUN_ALLOC_NONE   UINT32_MAX
#define RUN_ALLOC_LEVELS 8          /* 64 * 16^7 slots: more than 2^32 */

struct run_alloc {
	uint64_t *words;                   /* bit set = slot free */
	uint8_t *hints[RUN_ALLOC_LEVELS];  /* [0]: per word; [k]: per 16 of [k-1] */
	uint32_t hint_count[RUN_ALLOC_LEVELS];
	uint32_t level_count;
	uint32_t slot_count;
	uint32_t free_count;
	uint32_t cursor;                   /* slot where the next search begins */
};

/* Bytes of storage (8-byte aligned) for slot_count slots: about 0.142 per slot. */
size_t run_alloc_storage_bytes(uint32_t slot_count);

/* All slot_count slots free. storage stays in use. slot_count >= 1. */
void run_alloc_init(struct run_alloc *ra, void *storage, uint32_t slot_count);

/*
 * Take count (1..RUN_ALLOC_MAX) consecutive free slots; the first one, or
 * RUN_ALLOC_NONE when there is no such run inside an aligned group of 64.
 */
uint32_t run_alloc_get(struct run_alloc *ra, uint32_t count);

/* The same, but the first such run inside [from, to), wherever the last search ended. */
uint32_t run_alloc_get_in(struct run_alloc *ra, uint32_t from, uint32_t to, uint32_t count);
/* Would that find one? */
bool run_alloc_has_in(const struct run_alloc *ra, uint32_t from, uint32_t to, uint32_t count);

/* Take exactly [first, first + count), all of which must be free (reserved slots). */
void run_alloc_take(struct run_alloc *ra, uint32_t first, uint32_t count);

/* Give back [first, first + count), all of which must be in use. */
void run_alloc_put(struct run_alloc *ra, uint32_t first, uint32_t count);

bool run_alloc_is_free(const struct run_alloc *ra, uint32_t slot);

/* Recompute every hint and the free count and compare; true if all agree. */
bool run_alloc_check(const struct run_alloc *ra);

#endif
