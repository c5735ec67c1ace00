/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One open unit at a time.
 *
 *            get: nothing left behind position
 *   EMPTY ------------------> OPEN -------------> PART (some slots in use) or FULL
 *     ^ |                      ^                     |  |
 *     | | erase_begin          `---------------------'  | last slot given back
 *     | v                       no EMPTY one is left     v
 *   ERASED <------------------------------------------ EMPTY, stale
 *
 * Where no unit is empty, a request for a long run is refused while the open unit has shorter
 * ones: the caller asks again for less.
 *
 * Inside the open unit slots are taken in ascending order only: what is given back behind
 * the position waits until the unit is opened again. So a unit is written once from start to
 * end each time it is opened.
 *
 * Owns: the storage given to slot_layout_init.
 * Does not: do I/O; know what a slot holds.
 * Invariants:
 *   L1 used_slots of a unit is its size less its free slots in runs;
 *   L2 empty_units counts the units with used_slots 0;
 *   L3 the unit that is being erased has used_slots 0 and hands nothing out;
 *   L4 a unit has at most UINT16_MAX slots.
 * Yields: never.
 * Complexity: see slot_layout_get.
 * See: lib/run_alloc.h; docs/decisions (swap layout for cards).
 */
#include "lib/slot_layout.h"

#include "lib/assert.h"
#include "lib/bitmap.h"

#define LOOK_UNITS_MAX 256u /* when no unit is empty */
/* Runs this short are taken before a part-used unit is left: shorter ones would cost more
 * requests than the copies they spare. (In test/unit/slot_layout.c: 2.00 for 1, 1.98 for 4, 2.01
 * for 8; with another random sequence 3.25, 3.36, 3.59.) */
#define STAY           4u
#define UNIT_MAX       32768u

static uint32_t
units_of(uint32_t slot_count, uint32_t unit_slots)
{
	return (slot_count / unit_slots + 2);
}

size_t
slot_layout_storage_bytes(uint32_t slot_count)
{
	uint32_t units = units_of(slot_count, SLOT_LAYOUT_UNIT_MIN);

	return (BITMAP_WORDS((size_t)units) * 8 + units * sizeof(uint16_t));
}

static uint32_t
unit_of(const struct slot_layout *l, uint32_t slot)
{
	return (slot < l->lead_slots ? 0 :
	    (slot - l->lead_slots) / l->unit_slots + (l->lead_slots != 0));
}

static uint32_t
unit_first(const struct slot_layout *l, uint32_t unit)
{
	if (unit == 0)
		return (0);
	return (l->lead_slots + (unit - (l->lead_slots != 0)) * l->unit_slots);
}

static uint32_t
unit_end(const struct slot_layout *l, uint32_t unit)
{
	return (unit + 1 < l->unit_count ? unit_first(l, unit + 1) : l->runs->slot_count);
}

/* A multiple of the unit that is not too small, or a part that is not too large. */
static uint32_t
usable_unit(uint32_t unit_slots)
{
	uint32_t n = unit_slots;

	while (n < SLOT_LAYOUT_UNIT_MIN)
		n += unit_slots;
	while (n > UNIT_MAX)
		n /= 2;
	return (n);
}

void
slot_layout_init(struct slot_layout *l, void *storage, struct run_alloc *runs,
    uint32_t unit_slots, uint32_t lead_slots)
{
	uint32_t units = units_of(runs->slot_count, SLOT_LAYOUT_UNIT_MIN), u;

	KASSERT(unit_slots != 0 && lead_slots < unit_slots, "L4: units have slots");
	unit_slots = usable_unit(unit_slots);
	*l = (struct slot_layout){ .runs = runs, .stale = storage, .unit_slots = unit_slots,
		/* L4: where the unit was too large, it begins in the middle of the device's. */
		.lead_slots = lead_slots % unit_slots < runs->slot_count ?
		    lead_slots % unit_slots : 0,
		.open_unit = SLOT_LAYOUT_NONE, .erasing_unit = SLOT_LAYOUT_NONE };
	l->used_slots = (uint16_t *)(l->stale + BITMAP_WORDS(units));
	l->unit_count = unit_of(l, runs->slot_count - 1) + 1;
	for (u = 0; u < BITMAP_WORDS(units); u++)
		l->stale[u] = 0;
	for (u = 0; u < l->unit_count; u++) {
		l->used_slots[u] = 0;
		/* What an earlier boot wrote there is dead as well. */
		bitmap_set(l->stale, u);
	}
	l->empty_units = l->unit_count;
}

static void
count_used(struct slot_layout *l, uint32_t slot, uint32_t count)
{
	for (; count > 0; slot++, count--) {
		uint32_t unit = unit_of(l, slot);

		l->empty_units -= l->used_slots[unit]++ == 0;
		bitmap_set(l->stale, unit);
	}
}

void
slot_layout_taken(struct slot_layout *l, uint32_t first, uint32_t count)
{
	count_used(l, first, count);
}

void
slot_layout_put(struct slot_layout *l, uint32_t first, uint32_t count)
{
	run_alloc_put(l->runs, first, count);
	for (; count > 0; first++, count--) {
		uint32_t unit = unit_of(l, first);

		KASSERT(l->used_slots[unit] > 0, "L1: a slot that is given back was in use");
		l->empty_units += --l->used_slots[unit] == 0;
	}
}

/* ---- the next unit */

static bool
has_run(const struct slot_layout *l, uint32_t unit, uint32_t count)
{
	return (run_alloc_has_in(l->runs, unit_first(l, unit), unit_end(l, unit), count));
}

/* One with no slot in use, other than the one being erased. */
static uint32_t
find_empty(const struct slot_layout *l, uint32_t count)
{
	uint32_t i, unit, ready = l->empty_units;

	if (l->erasing_unit != SLOT_LAYOUT_NONE)
		ready--; /* L3 */
	for (i = 0; i < l->unit_count && ready != 0; i++) {
		unit = (l->next_unit + i) % l->unit_count;
		if (l->used_slots[unit] == 0 && unit != l->erasing_unit &&
		    has_run(l, unit, count))
			return (unit);
	}
	return (SLOT_LAYOUT_NONE);
}

/* The one with the fewest slots in use that has a run of count. */
static uint32_t
find_emptiest(const struct slot_layout *l, uint32_t count)
{
	uint32_t i, unit, best = SLOT_LAYOUT_NONE;
	uint32_t looks = l->unit_count < LOOK_UNITS_MAX ? l->unit_count : LOOK_UNITS_MAX;

	for (i = 0; i < looks; i++) {
		unit = (l->next_unit + i) % l->unit_count;
		if (unit != l->erasing_unit &&
		    (best == SLOT_LAYOUT_NONE || l->used_slots[unit] < l->used_slots[best]) &&
		    has_run(l, unit, count))
			best = unit;
	}
	return (best);
}

/* No unit is empty, and the open one still has shorter runs: those first. */
static bool
stays(const struct slot_layout *l, uint32_t count)
{
	return (count > STAY && l->open_unit != SLOT_LAYOUT_NONE &&
	    find_empty(l, count) == SLOT_LAYOUT_NONE &&
	    run_alloc_has_in(l->runs, l->position, unit_end(l, l->open_unit), STAY));
}

static bool
open_next(struct slot_layout *l, uint32_t count)
{
	uint32_t unit = find_empty(l, count);
	bool empty = unit != SLOT_LAYOUT_NONE;

	if (!empty)
		unit = find_emptiest(l, count);
	l->next_unit = (l->next_unit + 1) % l->unit_count;
	if (unit == SLOT_LAYOUT_NONE)
		return (false);
	l->opened_empty += empty;
	l->opened_part += !empty;
	l->open_unit = unit;
	l->position = unit_first(l, unit);
	l->next_unit = (unit + 1) % l->unit_count;
	return (true);
}

uint32_t
slot_layout_get(struct slot_layout *l, uint32_t count)
{
	uint32_t first = RUN_ALLOC_NONE;

	if (l->open_unit != SLOT_LAYOUT_NONE)
		first = run_alloc_get_in(l->runs, l->position, unit_end(l, l->open_unit), count);
	if (first == RUN_ALLOC_NONE && !stays(l, count) && open_next(l, count))
		first = run_alloc_get_in(l->runs, l->position, unit_end(l, l->open_unit), count);
	if (first == RUN_ALLOC_NONE)
		return (first);
	count_used(l, first, count);
	l->position = first + count;
	return (first);
}

/* ---- erasing */

bool
slot_layout_erase_begin(struct slot_layout *l, uint32_t *first, uint32_t *count)
{
	uint32_t i, unit;

	if (l->erasing_unit != SLOT_LAYOUT_NONE || l->empty_units == 0)
		return (false);
	for (i = 0; i < l->unit_count; i++) {
		unit = (l->next_unit + i) % l->unit_count;
		if (l->used_slots[unit] != 0 || unit == l->open_unit ||
		    !bitmap_test(l->stale, unit))
			continue;
		l->erasing_unit = unit;
		*first = unit_first(l, unit);
		*count = unit_end(l, unit) - *first;
		return (true);
	}
	return (false);
}

void
slot_layout_erase_end(struct slot_layout *l, bool ok)
{
	KASSERT(l->erasing_unit != SLOT_LAYOUT_NONE && l->used_slots[l->erasing_unit] == 0,
	    "L3: the erased unit is empty");
	if (ok)
		bitmap_clear(l->stale, l->erasing_unit);
	else
		l->next_unit = (l->erasing_unit + 1) % l->unit_count;
	l->erasing_unit = SLOT_LAYOUT_NONE;
}

bool
slot_layout_check(const struct slot_layout *l)
{
	uint32_t unit, slot, free_slots, empty = 0;

	for (unit = 0; unit < l->unit_count; unit++) {
		free_slots = 0;
		for (slot = unit_first(l, unit); slot < unit_end(l, unit); slot++)
			free_slots += run_alloc_is_free(l->runs, slot);
		if (l->used_slots[unit] != unit_end(l, unit) - unit_first(l, unit) - free_slots)
			return (false); /* L1 */
		empty += l->used_slots[unit] == 0;
	}
	return (empty == l->empty_units);
}
