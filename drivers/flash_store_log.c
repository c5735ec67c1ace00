/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of the flash store: where slots lie, reading them, appending them.
 *
 *   block: | header | mark | entries, first copy | second copy | slot | slot | ... |
 *
 * Appending programs the data, then the entry, then its copy; only then does the map
 * name the new place. So a cut leaves the former contents, and a place is as good as its
 * entry. Nothing that was programmed is programmed again, but for the mark.
 *
 * Owns: the map, the head, live counts, block states READY, OPEN, CLOSED and DIRTY.
 * Does not: decide what is moved when (flash_store_gc.c).
 * Invariants:
 *   F1 live of a block is the number of slots that the map puts there;
 *   F2 free_count is the number of blocks that are DIRTY, READY or OLD; none has live slots;
 *   F3 at most one block is OPEN: the head;
 *   F4 a block's erase begins only when nothing of it is live, and after its mark.
 * Yields: wherever the flash does, and between polls of an erase.
 * Complexity: read and append O(1) in programs; opening a block O(blocks).
 * See: docs/SPEC.md, section 3.
 */
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "lib/assert.h"

#define READ_TRIES       3
#define POLL_US_MIN      100u
#define POLL_US_MAX      50000u
#define POLL_SHARE       64u /* of the typical time of an erase: the first pause */

/* ---- places */

uint32_t
store_block_of(const struct flash_store *s, uint32_t place)
{
	return (place / s->slots_per_block);
}

static uint64_t
block_offset(const struct flash_store *s, uint32_t b)
{
	return ((uint64_t)b * s->flash->geometry.block_bytes);
}

uint64_t
store_data_offset(const struct flash_store *s, uint32_t place)
{
	return (block_offset(s, store_block_of(s, place)) + s->summary_bytes +
	    (uint64_t)(place % s->slots_per_block) * STORE_SLOT_BYTES);
}

uint64_t
store_entry_offset(const struct flash_store *s, uint32_t place, uint32_t copy)
{
	uint32_t n = place % s->slots_per_block + copy * s->slots_per_block;

	return (block_offset(s, store_block_of(s, place)) + STORE_ENTRY_OFFSET +
	    n * sizeof(struct store_entry));
}

/* ---- flash */

int
store_flash_read(struct flash_store *s, uint64_t offset, void *buffer, uint32_t bytes)
{
	int error = s->flash->ops->read(s->flash, offset, buffer, bytes);

	if (error == ERR_NODEV)
		s->gone = true;
	return (error);
}

static int
program(struct flash_store *s, uint64_t offset, const void *data, uint32_t bytes)
{
	uint32_t most = s->flash->geometry.buffer_bytes;
	const uint8_t *at = data;

	while (bytes > 0) {
		uint32_t n = most - (uint32_t)(offset % most);
		int error;

		if (n > bytes)
			n = bytes;
		error = s->flash->ops->program(s->flash, offset, at, n);
		if (error != 0) {
			s->gone |= error == ERR_NODEV;
			return (error);
		}
		offset += n;
		at += n;
		bytes -= n;
	}
	return (0);
}

/* ---- reading */

static bool
entry_blank(const struct store_entry *e)
{
	const uint32_t *word = (const uint32_t *)e;

	for (uint32_t i = 0; i < sizeof(*e) / 4; i++)
		if (word[i] != STORE_BLANK)
			return (false);
	return (true);
}

static bool
entry_valid(const struct flash_store *s, const struct store_entry *e, uint32_t place)
{
	return (e->crc == store_entry_crc(e) && e->format == s->format && e->place == place &&
	    e->slot <= s->slot_count);
}

static int
entry_read_once(struct flash_store *s, uint32_t place, struct store_entry *e)
{
	bool blank = true;

	for (uint32_t copy = 0; copy < 2; copy++) {
		int error = store_flash_read(s, store_entry_offset(s, place, copy), e, sizeof(*e));

		if (error != 0)
			return (error);
		if (entry_valid(s, e, place))
			return (0);
		blank = blank && entry_blank(e);
	}
	return (blank ? ERR_NOENT : ERR_CORRUPT);
}

int
store_entry_read(struct flash_store *s, uint32_t place, struct store_entry *e)
{
	int error = ERR_CORRUPT;

	for (uint32_t i = 0; i < READ_TRIES && error == ERR_CORRUPT; i++)
		error = entry_read_once(s, place, e);
	return (error);
}

static int
read_once(struct flash_store *s, uint32_t slot, uint32_t place, void *page)
{
	struct store_entry e;
	int error = store_entry_read(s, place, &e);

	if (error == ERR_NOENT || (error == 0 && e.slot != slot))
		return (ERR_CORRUPT);
	if (error == 0)
		error = store_flash_read(s, store_data_offset(s, place), page, STORE_SLOT_BYTES);
	if (error != 0)
		return (error);
	if ((e.flags & STORE_ENTRY_LOST) != 0 ||
	    crc32c(0, page, STORE_SLOT_BYTES) != e.data_crc)
		return (ERR_CORRUPT);
	return (0);
}

int
store_place_read(struct flash_store *s, uint32_t slot, uint32_t place, void *page)
{
	int error = ERR_CORRUPT;

	for (uint32_t i = 0; i < READ_TRIES && error != 0 && !s->gone; i++) {
		if (i > 0)
			s->dev.retries++;
		error = read_once(s, slot, place, page);
	}
	if (error == 0)
		return (0);
	drivers_params.flash_read_errors++;
	kprintf("%s: block %u, slot %u (%u of the disk): %s\n", s->dev.name,
	    store_block_of(s, place), place % s->slots_per_block, slot,
	    error == ERR_CORRUPT ? "checksum is wrong" : err_string(error));
	return (error);
}

int
store_read(struct flash_store *s, uint32_t slot, void *page)
{
	if (s->map[slot] == STORE_NONE) {
		memset(page, 0, STORE_SLOT_BYTES);
		return (0);
	}
	return (store_place_read(s, slot, s->map[slot], page));
}

/* ---- the map */

bool
store_block_is_free(const struct store_block *block)
{
	return (block->state == STORE_DIRTY || block->state == STORE_READY ||
	    block->state == STORE_OLD);
}

/* Full, or its last live slot gone: a block that is no head and holds nothing is free. */
static void
closed_check(struct flash_store *s, struct store_block *block)
{
	if (block->state != STORE_CLOSED || block->live != 0)
		return;
	block->state = STORE_DIRTY;
	s->free_count++;
}

void
store_forget(struct flash_store *s, uint32_t slot)
{
	struct store_block *block;

	if (s->map[slot] == STORE_NONE)
		return;
	block = &s->blocks[store_block_of(s, s->map[slot])];
	KASSERT(block->live > 0, "F1: a slot that is mapped is counted");
	s->map[slot] = STORE_NONE;
	block->live--;
	closed_check(s, block);
}

/* ---- erasing */

/* Until the erase that was started has ended; reads go on meanwhile if they can. */
static int
erase_wait(struct flash_store *s)
{
	const struct flash_ops *ops = s->flash->ops;
	uint32_t pause_us = s->flash->geometry.erase_us / POLL_SHARE;
	int error;

	if (pause_us < POLL_US_MIN)
		pause_us = POLL_US_MIN;
	while ((error = ops->erase_poll(s->flash)) == ERR_AGAIN) {
		if (s->reads_wait != NULL && s->flash->geometry.can_suspend && s->reads_wait(s) &&
		    ops->erase_suspend(s->flash) == 0) {
			drivers_params.flash_suspends++;
			s->reads_serve(s);
			error = ops->erase_resume(s->flash);
			if (error != 0)
				return (error);
			continue;
		}
		pause_us = pause_us < POLL_US_MAX / 2 ? pause_us * 2 : POLL_US_MAX;
		irq_lock_acquire(&s->lock);
		(void)msleep(&s->work, &s->lock, "flerase", pause_us);
		irq_lock_release(&s->lock);
	}
	return (error);
}

int
store_block_mark(struct flash_store *s, uint32_t b)
{
	static const uint32_t mark[STORE_MARK_BYTES / 4]; /* zeros */

	return (program(s, block_offset(s, b) + STORE_MARK_OFFSET, mark, sizeof(mark)));
}

int
store_block_erase(struct flash_store *s, uint32_t b)
{
	struct store_block *block = &s->blocks[b];
	struct store_header h = { .magic = STORE_MAGIC, .version = STORE_VERSION,
		.block_shift = (uint16_t)__builtin_ctz(s->flash->geometry.block_bytes),
		.format = s->format, .slot_count = s->slot_count, .sequence = s->sequence };
	int error;

	KASSERT(block->live == 0, "F4: a block with live slots is not erased");
	error = store_block_mark(s, b);
	if (error == 0)
		error = s->flash->ops->erase_start(s->flash, b);
	if (error == 0)
		error = erase_wait(s);
	if (error != 0) {
		s->gone |= error == ERR_NODEV;
		return (error);
	}
	s->erases++;
	h.erase_count = ++block->erase_count;
	h.crc = store_header_crc(&h);
	error = program(s, block_offset(s, b), &h, sizeof(h));
	if (error == 0)
		block->state = STORE_READY;
	return (error);
}

uint32_t
store_free_pick(struct flash_store *s, bool dirty_only)
{
	uint32_t best = STORE_NONE;
	bool best_ready = false;

	for (uint32_t b = 0; b < s->block_count; b++) {
		const struct store_block *block = &s->blocks[b];
		bool ready = block->state != STORE_DIRTY;

		if (b % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (!store_block_is_free(block) || (ready && dirty_only) || (best_ready && !ready))
			continue;
		if (best == STORE_NONE || (ready && !best_ready) ||
		    block->erase_count < s->blocks[best].erase_count) {
			best = b;
			best_ready = ready;
		}
	}
	return (best);
}

/* ---- appending */

/* Is all of b behind its header blank? A cut may have left anything there. */
static int
verify_blank(struct flash_store *s, uint32_t b)
{
	uint64_t at = block_offset(s, b) + sizeof(struct store_header);
	uint64_t end = block_offset(s, b) + s->flash->geometry.block_bytes;
	uint32_t word[64], pieces = 0;

	while (at < end) {
		uint32_t bytes = end - at < sizeof(word) ? (uint32_t)(end - at) : sizeof(word);
		int error = store_flash_read(s, at, word, bytes);

		if (error != 0)
			return (error);
		for (uint32_t i = 0; i < bytes / 4; i++)
			if (word[i] != STORE_BLANK)
				return (ERR_CORRUPT);
		at += bytes;
		if (++pieces % 16 == 0)
			sched_maybe_yield();
	}
	return (0);
}

/* Make free block b fit for appending. */
static int
block_prepare(struct flash_store *s, uint32_t b)
{
	struct store_block *block = &s->blocks[b];

	if (block->state == STORE_OLD && verify_blank(s, b) == 0)
		block->state = STORE_READY;
	return (block->state == STORE_READY ? 0 : store_block_erase(s, b));
}

/* A new head. */
static int
head_open(struct flash_store *s)
{
	uint32_t b;

	while ((b = store_free_pick(s, false)) != STORE_NONE) {
		int error = block_prepare(s, b);

		if (s->gone)
			return (ERR_NODEV);
		s->free_count--;
		if (error == 0) {
			s->blocks[b].state = STORE_OPEN;
			s->head = b;
			s->head_next = 0;
			return (0);
		}
		store_block_failed(s, b, error);
		if (s->read_only)
			return (ERR_ROFS);
	}
	return (ERR_NOSPC);
}

/* Data, entry, copy of the entry. */
static int
place_program(struct flash_store *s, uint32_t place, const struct store_entry *e, const void *page)
{
	int error = program(s, store_data_offset(s, place), page, STORE_SLOT_BYTES);

	sched_maybe_yield();
	if (error == 0)
		error = program(s, store_entry_offset(s, place, 0), e, sizeof(*e));
	if (error == 0)
		error = program(s, store_entry_offset(s, place, 1), e, sizeof(*e));
	return (error);
}

/* slot lies at place, the head's next, from now on. */
static void
place_taken(struct flash_store *s, uint32_t slot, uint32_t place)
{
	struct store_block *head = &s->blocks[s->head];

	store_forget(s, slot);
	s->map[slot] = place;
	head->live++;
	head->sequence = s->sequence;
	s->programs++;
	if (++s->head_next < s->slots_per_block)
		return;
	head->state = STORE_CLOSED;
	s->head = STORE_NONE;
	closed_check(s, head);
}

int
store_append(struct flash_store *s, uint32_t slot, const void *page, uint32_t flags)
{
	struct store_entry e = { .format = s->format, .slot = slot, .flags = flags,
		.data_crc = crc32c(0, page, STORE_SLOT_BYTES) };
	int error = 0;

	/* Each turn but the last costs a block. */
	do {
		uint32_t b;

		if (s->head == STORE_NONE && (error = head_open(s)) != 0)
			return (error);
		b = s->head;
		e.place = b * s->slots_per_block + s->head_next;
		e.sequence = ++s->sequence; /* also of attempts that fail: no two are equal */
		e.crc = store_entry_crc(&e);
		sched_maybe_yield();
		error = place_program(s, e.place, &e, page);
		if (error == 0) {
			place_taken(s, slot, e.place);
			return (0);
		}
		if (s->gone)
			return (error);
		store_block_failed(s, b, error);
	} while (!s->read_only);
	return (ERR_ROFS);
}
