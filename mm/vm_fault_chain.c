/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page fault, the step that walks the chain of shadow objects.
 *
 *   entry's object   no page, nothing stored
 *         |
 *   backing object   nothing either
 *         |
 *   backing object   a page:  read   mapped as it is, read-only
 *         |                   write  moved to the top (nobody else wants it) or copied
 *         |          stored:  read in, then all over again: it is resident now
 *        end         zeros, in the entry's object
 *
 * The walk does not yield, except for the read or to wait, and after both everything
 * is looked up again. So nothing need be pinned but what is being read.
 *
 * Owns: nothing.
 * Does not: shorten chains (vm_object_shadow.c).
 * Invariants:
 *   Q1 a page is moved only from the direct backing object of the top, when that has one
 *      shadow, one reference and no name, so that nobody can miss it;
 *   Q2 a copied page stays what it was: whoever else maps it goes on seeing it, but not
 *      those who share the top object and must see the copy;
 *   Q3 an object whose pager answered FAIL in this fault is taken as having no pager.
 * Yields: vm_fault_chain and vm_fault_shadow, for busy pages, locked objects and I/O.
 * Complexity: O(depth * log resident pages).
 * See: contract 1.16.
 */
#include "mm/vm_fault_internal.h"
#include "mm/vm_meter.h"
#include "mm/vm_pager.h"

#define PREFAULT_PAGES 4 /* looked at on each side */

int
vm_fault_shadow(struct vm_fault_state *fs)
{
	struct sleep_lock *lock = &fs->vm->map.lock;

	if (sleep_lock_held(lock)) {
		sleep_lock_wait(lock);
		return (FAULT_RETRY);
	}
	return (vm_map_entry_shadow(fs->vm, fs->entry) == 0 ? 0 : FAULT_WAIT);
}

/* Q3 */
static bool
has_failed(const struct vm_fault_state *fs, const struct vm_object *object)
{
	uint32_t i;

	for (i = 0; i < fs->fail_count; i++)
		if (fs->failed[i] == object->id)
			return (true);
	return (false);
}

/* Is the page to be had from object's pager? */
static bool
is_stored(const struct vm_fault_state *fs, struct vm_object *object, vm_pindex_t pindex)
{
	if (object->type == OBJT_DEFAULT || has_failed(fs, object))
		return (false);
	return (object->type == OBJT_VNODE ||
	    vm_pager_of(object)->has_page(object, pindex, NULL, NULL));
}

/* Q1 */
static bool
may_move(const struct vm_object *top, const struct vm_object *object)
{
	return (object == top->backing_object && object->shadow_count == 1 &&
	    object->ref_count == 1 && object->type != OBJT_VNODE);
}

/* fs->object is the top again, m a page of object further down that is to be written. */
static int
take_page(struct vm_fault_state *fs, struct vm_object *object, struct vm_page *m)
{
	if (may_move(fs->object, object)) {
		if (object->type == OBJT_SWAP)
			vm_pager_of(object)->page_unswapped(m);
		vm_page_rename(m, fs->object, fs->pindex);
		fs->m = m;
		fs->below = fs->above = NULL;
		mm_params.v_cow_optim++;
		return (0);
	}
	if (vm_fault_new_page(fs, m) != 0)
		return (FAULT_WAIT);
	if (fs->object->ref_count > 1)
		pmap_remove_all(m); /* Q2 */
	if (__builtin_expect(fs->entry->wired_count != 0 && m->wire_count != 0, 0)) {
		vm_page_wire(fs->m); /* the copy stays in memory instead (vm_map_wire.c) */
		vm_page_unwire(m, PQ_ACTIVE);
	}
	mm_params.v_cow_faults++;
	return (0);
}

/* m was found in object, below the entry's. */
static int
lower_page(struct vm_fault_state *fs, struct vm_object *object, vm_pindex_t pindex,
    struct vm_page *m)
{
	if (vm_page_xbusied(m) || (vm_page_busied(m) && fs->access == VM_PROT_WRITE))
		return (vm_fault_wait_busy(m));
	if (fs->access == VM_PROT_WRITE)
		return (take_page(fs, object, m));
	fs->object = object;
	fs->pindex = pindex;
	fs->m = m;
	fs->below = fs->above = NULL;
	return (0);
}

static int
read_page(struct vm_fault_state *fs, struct vm_object *object, vm_pindex_t pindex)
{
	if (pindex >= object->size_pages)
		return (ERR_FAULT);
	fs->object = object;
	fs->pindex = pindex;
	return (vm_fault_pagein(fs));
}

int
vm_fault_chain(struct vm_fault_state *fs)
{
	struct vm_object *object = fs->object;
	vm_pindex_t pindex = fs->pindex;
	struct vm_page *m;
	uint32_t depth = 1;

	while (!is_stored(fs, object, pindex)) {
		if (object->backing_object == NULL)
			return (vm_fault_new_page(fs, NULL));
		pindex += object->backing_offset;
		object = object->backing_object;
		if (++depth > mm_params.object_chain_max)
			mm_params.object_chain_max = depth;
		if (sleep_lock_held(&object->lock))
			return (vm_fault_wait_lock(object));
		m = vm_page_lookup(object, pindex);
		if (m != NULL)
			return (lower_page(fs, object, pindex, m));
	}
	return (read_page(fs, object, pindex));
}

/* ---- neighbours */

/* The resident page that (object, pindex) shows, or NULL. */
static struct vm_page *
resident_page(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	while ((m = vm_page_lookup(object, pindex)) == NULL) {
		if (object->backing_object == NULL || (object->swap_count != 0 &&
		    vm_pager_of(object)->has_page(object, pindex, NULL, NULL)))
			return (NULL);
		pindex += object->backing_offset;
		object = object->backing_object;
	}
	return (m);
}

/* False = stop looking in this direction. */
static bool
prefault_at(struct vm_fault_state *fs, vm_offset_t va)
{
	const struct vm_map_entry *entry = fs->entry;
	struct vm_page *m;

	if (va < entry->start || va >= entry->end ||
	    pmap_extract(&fs->vm->pmap, va, VM_PROT_NONE) != NULL)
		return (false);
	m = resident_page(entry->object, entry->offset + (vm_pindex_t)atop(va - entry->start));
	if (m == NULL)
		return (false);
	if (vm_page_xbusied(m))
		return (true);
	KASSERT(m->valid == VM_PAGE_BITS_ALL, "L2: a page that is not being read is valid");
	return (pmap_enter(&fs->vm->pmap, va, m, entry->prot & (vm_prot_t)~VM_PROT_WRITE, 0) == 0);
}

void
vm_fault_prefault_chain(struct vm_fault_state *fs)
{
	vm_offset_t i;

	for (i = 1; i <= PREFAULT_PAGES && prefault_at(fs, fs->va - i * PAGE_SIZE); i++)
		continue;
	for (i = 1; i <= PREFAULT_PAGES && prefault_at(fs, fs->va + i * PAGE_SIZE); i++)
		continue;
}
