/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the next slots are taken, on a medium that is erased in large units.
 *
 * A memory card writes fast where the writes of a unit (its allocation unit, some MiB)
 * follow each other, and copies a whole unit for a small write elsewhere. So there is one
 * open unit, written from its start to its end; the next is one without any slot in use, or
 * if there is none the one with the fewest. A unit whose last slot is given back is dead:
 * it can be erased while the device has nothing to do.
 *
 * Storage is the caller's: nothing is ever allocated here.
 */
#ifndef LIB_SLOT_LAYOUT_H
#define LIB_SLOT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/run_alloc.h"

#define SLOT_LAYOUT_UNIT_MIN 256u /* slots; 1 MiB. Smaller units are taken together. */
#define SLOT_LAYOUT_NONE     UINT32_MAX

struct slot_layout {
	struct run_alloc *runs;   /* which slots are free */
	uint16_t *used_slots;     /* of each unit: in use, or never to be used */
	uint64_t *stale;          /* one bit a unit: written to since its last erase */
	uint32_t unit_slots;      /* in a unit */
	uint32_t lead_slots;      /* in the first one, which may begin inside a unit */
	uint32_t unit_count;
	uint32_t open_unit;       /* SLOT_LAYOUT_NONE: none */
	uint32_t position;        /* slot from which on the open unit may be written */
	uint32_t erasing_unit;    /* SLOT_LAYOUT_NONE: none */
	uint32_t empty_units;     /* with used_slots 0 */
	uint32_t next_unit;       /* where the search for the next begins */
	uint64_t opened_empty, opened_part; /* units opened so far, by what they held */
};

/* Bytes of storage (8-byte aligned) for any layout of slot_count slots. */
size_t slot_layout_storage_bytes(uint32_t slot_count);

/*
 * All of runs' slots, none of them in use. unit_slots is the unit as the device names it;
 * the first boundary lies lead_slots behind slot 0 (0: at slot 0). storage stays in use.
 */
void slot_layout_init(struct slot_layout *l, void *storage, struct run_alloc *runs,
    uint32_t unit_slots, uint32_t lead_slots);

/* Take count (1..RUN_ALLOC_MAX) consecutive slots: the first, or RUN_ALLOC_NONE, when it may
 * be worth asking for fewer (less than 5 are refused only if there are none). O(units)
 * when a unit is full, at most 256 of them looked at closely; else a few words. */
uint32_t slot_layout_get(struct slot_layout *l, uint32_t count);
/* [first, first + count) has been taken with run_alloc_take (reserved slots). */
void slot_layout_taken(struct slot_layout *l, uint32_t first, uint32_t count);
/* Give back [first, first + count), all of which must be in use. */
void slot_layout_put(struct slot_layout *l, uint32_t first, uint32_t count);

/*
 * A dead unit that has been written to: *first, *count are its slots, which stay free but
 * are not handed out until slot_layout_erase_end. false if there is none, or one is being
 * erased. ok: it has been erased (else it will be offered again, but not first).
 */
bool slot_layout_erase_begin(struct slot_layout *l, uint32_t *first, uint32_t *count);
void slot_layout_erase_end(struct slot_layout *l, bool ok);

/* Recount; true if all figures agree with runs. */
bool slot_layout_check(const struct slot_layout *l);

#endif
