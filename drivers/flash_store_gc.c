/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room in the flash store, even wear, and blocks that fail.
 *
 * Room is made before a write that needs a new head, while fewer than gc_free blocks
 * are free: what is live in a victim moves to the head, and the victim is free. A
 * victim gains its dead places, so there must always be one that has some:
 *
 *   slots in use + 1 <= (good blocks - gc_free - 2) * slots a block          (1)
 *
 * says that the blocks that are neither free nor head nor spare could hold all slots; so
 * one of them is not full of live ones. gc_free is log2(slots a block) + 4, because
 * power may go in the middle of a move, again and again: each time the part-filled head
 * stays behind, but the fewest live slots of any block at least halve, and a block with
 * none is free; and because two blocks may fail meanwhile. Should more fail in a row, the
 * store becomes read-only with nothing lost.
 *
 * The victim: most dead places for the copying and longest unchanged, (dead * age) /
 * (slots a block + live); when free blocks are short, simply most dead.
 *
 * Wear: a free block with the fewest erases is taken first; and every so many erases,
 * when the least worn block that holds something is dev.flash.wear_gap erases behind the
 * most worn one, what it holds moves, so that it takes part again.
 *
 * A block that fails keeps its contents until they have moved; then the table of bad blocks is
 * written, a slot of the log that no user sees. When fewer good blocks are left than
 * (1) wants, the store becomes read-only: what is in it stays. Only the failed block is
 * still moved and recorded, if that works at once.
 *
 * Owns: block states FAILING and BAD, the table of bad blocks.
 * Does not: place anything (store_append does).
 * Invariants:
 *   G1 (1) holds as long as the store is not read-only;
 *   G2 a block is in the table only when nothing of it is live.
 * Yields: wherever the flash does, and between victims looked at.
 * Complexity: a victim O(blocks); moving it O(slots a block).
 * See: docs/decisions/0019-flash-store.md; docs/SPEC.md, section 3.
 */
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "lib/assert.h"

#define WEAR_LOOK_ERASES 8u

void
store_read_only(struct flash_store *s, const char *why)
{
	if (s->read_only)
		return;
	s->read_only = true;
	s->dev.read_only = true;
	kprintf("%s: ALARM: %s; it can only be read from now on\n", s->dev.name, why);
}

/* ---- moving */

/* Which slot lies at place? STORE_NONE in *slot: none. A live place whose entry has become
 * unreadable is looked up in the map. */
static int
place_owner(struct flash_store *s, uint32_t place, uint32_t *slot)
{
	struct store_entry e;
	int error = store_entry_read(s, place, &e);

	if (error == 0) {
		*slot = s->map[e.slot] == place ? e.slot : STORE_NONE;
		return (0);
	}
	if (error != ERR_NOENT && error != ERR_CORRUPT)
		return (error);
	for (*slot = 0; *slot <= s->slot_count; (*slot)++) {
		if (*slot % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (s->map[*slot] == place)
			return (0);
	}
	*slot = STORE_NONE;
	return (0);
}

/* Contents that cannot be read stay an error where they go. */
static int
move(struct flash_store *s, uint32_t slot, uint32_t place)
{
	uint32_t flags = 0;
	int error = store_place_read(s, slot, place, s->page);

	if (error == ERR_CORRUPT)
		flags = STORE_ENTRY_LOST;
	else if (error != 0)
		return (error);
	sched_maybe_yield();
	error = store_append(s, slot, s->page, flags);
	if (error == 0)
		s->gc_copies++;
	return (error);
}

/* Move all that is live in b. */
static int
evacuate(struct flash_store *s, uint32_t b)
{
	const struct store_block *block = &s->blocks[b];

	for (uint32_t i = 0; i < s->slots_per_block && block->live > 0; i++) {
		uint32_t place = b * s->slots_per_block + i, slot;
		int error = place_owner(s, place, &slot);

		if (error == 0 && slot != STORE_NONE)
			error = move(s, slot, place);
		if (error != 0)
			return (error);
		if (s->reads_serve != NULL)
			s->reads_serve(s);
		sched_maybe_yield();
	}
	KASSERT(block->live == 0, "F1: the map names no place that was not looked at");
	return (0);
}

/* ---- room */

static uint64_t
victim_worth(const struct flash_store *s, const struct store_block *block)
{
	uint64_t dead = s->slots_per_block - block->live;
	uint64_t age = s->sequence - block->sequence + 1;

	if (s->free_count + 1 < s->gc_free)
		return (dead);
	if (age > UINT32_MAX)
		age = UINT32_MAX;
	return (dead * age / (s->slots_per_block + block->live));
}

static uint32_t
victim_pick(struct flash_store *s)
{
	uint32_t best = STORE_NONE;
	uint64_t best_worth = 0;

	for (uint32_t b = 0; b < s->block_count; b++) {
		const struct store_block *block = &s->blocks[b];
		uint64_t worth;

		if (b % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (block->state != STORE_CLOSED || block->live >= s->slots_per_block)
			continue;
		worth = victim_worth(s, block);
		if (best == STORE_NONE || worth > best_worth) {
			best = b;
			best_worth = worth;
		}
	}
	return (best);
}

/* The block that holds something with the fewest erases, if it is far behind. */
static uint32_t
cold_pick(struct flash_store *s)
{
	uint32_t coldest = STORE_NONE, most = 0;

	for (uint32_t b = 0; b < s->block_count; b++) {
		const struct store_block *block = &s->blocks[b];

		if (b % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (block->state == STORE_BAD)
			continue;
		if (block->erase_count > most)
			most = block->erase_count;
		if (block->state == STORE_CLOSED && (coldest == STORE_NONE ||
		    block->erase_count < s->blocks[coldest].erase_count))
			coldest = b;
	}
	if (coldest == STORE_NONE ||
	    most - s->blocks[coldest].erase_count <= (uint64_t)drivers_params.flash_wear_gap)
		return (STORE_NONE);
	return (coldest);
}

static int
wear_level(struct flash_store *s)
{
	uint32_t b;
	int error = 0;

	if ((uint32_t)s->erases - s->wear_looked < WEAR_LOOK_ERASES)
		return (0);
	s->wear_looked = (uint32_t)s->erases;
	b = cold_pick(s);
	if (b != STORE_NONE) {
		error = evacuate(s, b);
		drivers_params.flash_wear_moves += error == 0;
	}
	return (error);
}

/* A place at the head, and enough free blocks behind it. */
static int
make_room(struct flash_store *s)
{
	int error;

	if (s->head != STORE_NONE)
		return (0);
	while (s->free_count < s->gc_free) {
		uint32_t b = victim_pick(s);

		if (s->read_only)
			return (ERR_ROFS);
		if (b == STORE_NONE)
			return (ERR_NOSPC);
		error = evacuate(s, b);
		if (error != 0)
			return (error);
		store_settle(s);
	}
	return (wear_level(s));
}

int
store_write(struct flash_store *s, uint32_t slot, const void *page)
{
	int error;

	if (s->read_only)
		return (ERR_ROFS);
	error = make_room(s);
	if (error == 0)
		error = store_append(s, slot, page, 0);
	if (error == 0)
		s->writes++;
	else if (error == ERR_NOSPC)
		store_read_only(s, "no block is free");
	store_settle(s);
	if (s->gone)
		store_read_only(s, "the flash does not answer");
	return (error == ERR_NOSPC ? ERR_ROFS : error);
}

/* ---- bad blocks */

void
store_block_failed(struct flash_store *s, uint32_t b, int error)
{
	struct store_block *block = &s->blocks[b];

	kprintf("%s: block %u fails (%s) after %u erases; it is not used any more\n", s->dev.name,
	    b, err_string(error), block->erase_count);
	drivers_params.flash_bad_blocks++;
	block->state = block->live > 0 ? STORE_FAILING : STORE_BAD;
	s->failing_count += block->live > 0;
	s->good_count--;
	s->table_due = true;
	if (s->head == b)
		s->head = STORE_NONE;
	if (s->good_count < s->good_min)
		store_read_only(s, "too many bad blocks");
	else if (s->good_count == s->good_min)
		kprintf("%s: ALARM: the reserve of good blocks is used up; the next bad one makes "
			"it read-only\n", s->dev.name);
}

/* G2. Nothing moved: it stays FAILING, and readable. */
static int
settle_block(struct flash_store *s)
{
	uint32_t b = 0;
	int error;

	while (s->blocks[b].state != STORE_FAILING)
		b++;
	error = evacuate(s, b);
	if (error != 0)
		return (error);
	s->blocks[b].state = STORE_BAD;
	s->failing_count--;
	return (0);
}

static int
table_write(struct flash_store *s)
{
	int error;

	s->table_due = false; /* set again when a block fails meanwhile */
	memset(s->page, 0, sizeof(s->page));
	for (uint32_t b = 0; b < s->block_count; b++)
		if (s->blocks[b].state == STORE_BAD)
			s->page[b / 8] |= (uint8_t)(1u << b % 8);
	error = store_append(s, s->slot_count, s->page, 0);
	if (error != 0)
		s->table_due = true;
	return (error);
}

void
store_settle(struct flash_store *s)
{
	int error = 0;

	/* Each turn records blocks, or another one has failed: of these there are few. */
	while (error == 0 && (s->failing_count > 0 || s->table_due) && !s->gone)
		error = s->failing_count > 0 ? settle_block(s) : table_write(s);
	if (error == ERR_NOSPC)
		store_read_only(s, "no block is free");
}

/* ---- idle */

/* Erased ahead of need: as many as making room works with. */
static bool
erase_wanted(struct flash_store *s)
{
	uint32_t ready = 0;

	for (uint32_t b = 0; b < s->block_count; b++) {
		if (b % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		ready += s->blocks[b].state == STORE_READY || s->blocks[b].state == STORE_OLD;
	}
	return (ready < s->gc_free);
}

bool
store_idle_work(struct flash_store *s)
{
	uint32_t b;
	int error;

	if (s->read_only || s->gone || !erase_wanted(s))
		return (false);
	b = store_free_pick(s, true);
	if (b == STORE_NONE)
		return (false);
	error = store_block_erase(s, b);
	if (s->gone || error == 0)
		return (error == 0);
	s->free_count--;
	store_block_failed(s, b, error);
	store_settle(s);
	return (true);
}
