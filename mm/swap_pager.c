/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swap pager: what backs anonymous memory.
 *
 *   swap_pager_area.c   slots: free, used, bad; swapon
 *   swap_map.c          which slot holds which page, and its CRC
 *   swap_pager_write.c  clusters out, asynchronous
 *   swap_pager_read.c   clusters in, checked
 *
 * A slot is kept while its page stays clean in memory, so that a page which is only
 * read is written once. It is freed when the page is dirtied, and with the object.
 *
 * Owns: the ops table for OBJT_DEFAULT and OBJT_SWAP.
 * Does not: keep anything across a boot.
 * Invariants:
 *   D1 a slot is in use exactly while it is in the map (or being written, before the
 *      map knows it: no yield lies in between).
 * Yields: swap_free_space and swap_transfer (long ranges), and what its parts say.
 * Complexity: freeing an object's swap is O(its slots), whatever its size.
 * See: contract 1.15.
 */
#include "mm/swap_pager.h"

#include "kern/sched.h"
#include "mm/swap_pager_internal.h"

/* Slots that follow each other are given back in one step. */
struct free_run {
	uint32_t slot;
	uint32_t count;
};

static void
free_run_flush(struct free_run *run)
{
	if (run->count != 0)
		swap_area_free(run->slot, run->count);
	run->count = 0;
}

static void
free_run_add(struct free_run *run, uint32_t slot)
{
	if (run->count == 0 || slot != run->slot + run->count || run->count == RUN_ALLOC_MAX) {
		free_run_flush(run);
		run->slot = slot;
	}
	run->count++;
}

/* Everything the object has. */
static void
free_all(struct vm_object *object)
{
	struct free_run run = { 0, 0 };
	uint32_t slot, freed = 0;

	while ((slot = swap_map_pop(object, 0, object->size_pages)) != SWAP_SLOT_NONE) {
		free_run_add(&run, slot);
		if (++freed % SCHED_LOOP_MAX == 0) {
			free_run_flush(&run);
			sched_maybe_yield();
		}
	}
	free_run_flush(&run);
}

static void
swap_free_space(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	struct free_run run = { 0, 0 };
	uint32_t slot;
	vm_pindex_t i;

	if (start == 0 && end >= object->size_pages) {
		free_all(object);
		return;
	}
	for (i = start; i < end && object->swap_count != 0; i++) {
		slot = swap_map_clear(object, i);
		if (slot != SWAP_SLOT_NONE)
			free_run_add(&run, slot);
		if ((i - start + 1) % SCHED_LOOP_MAX == 0) {
			free_run_flush(&run);
			sched_maybe_yield();
		}
	}
	free_run_flush(&run);
}

/* Slot, in no map at the moment, holds page to_pindex of to; false = to has that page, or
 * cannot have it. */
static bool
hand_over(uint32_t slot, struct vm_object *to, vm_pindex_t to_pindex)
{
	uint32_t crc = swap_map_crc(slot);

	if (to_pindex >= to->size_pages || swap_map_lookup(to, to_pindex) != SWAP_SLOT_NONE ||
	    vm_page_lookup(to, to_pindex) != NULL)
		return (false);
	to->type = OBJT_SWAP;
	(void)swap_map_assign(to, to_pindex, slot, crc);
	return (true);
}

static void
swap_transfer(struct vm_object *from, struct vm_object *to, vm_pindex_t offset,
    vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t pindex = start;
	uint32_t slot, moved = 0;

	for (;;) {
		slot = end - start == 1 ? swap_map_lookup(from, start)
					: swap_map_first(from, start, end, &pindex);
		if (slot == SWAP_SLOT_NONE)
			return;
		(void)swap_map_clear(from, pindex);
		if (pindex < offset || !hand_over(slot, to, pindex - offset))
			swap_area_free(slot, 1);
		if (++moved % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
}

static void
swap_page_unswapped(struct vm_page *m)
{
	uint32_t slot = swap_map_clear(m->object, m->pindex);

	if (slot != SWAP_SLOT_NONE)
		swap_area_free(slot, 1);
}

const struct vm_pager_ops swap_pager_ops = {
	.has_page = swap_has_page,
	.get_pages = swap_get_pages,
	.put_pages = swap_put_pages,
	.page_unswapped = swap_page_unswapped,
	.free_space = swap_free_space,
	.transfer = swap_transfer,
};

void
swap_pager_init(void)
{
	swap_map_init();
	swap_area_init();
	swap_write_init();
	vm_pager_ops[OBJT_DEFAULT] = &swap_pager_ops;
	vm_pager_ops[OBJT_SWAP] = &swap_pager_ops;
}
