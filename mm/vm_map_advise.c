/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: what a program says of its memory (madvise), and asks (mincore).
 *
 *   NORMAL, RANDOM, SEQUENTIAL   kept in the entry, for the window of vm_fault
 *   DONTNEED                     its pages look unused and become inactive, the clean ones
 *                                first in line; contents stay
 *   FREE                         its contents may be forgotten until it is written again:
 *                                clean, copies in swap dropped, first in line
 *
 * Owns: the advice of entries.
 * Does not: read pages in (WILLNEED: vm_fault_wire.c).
 * Invariants:
 *   V14 FREE forgets only what nobody else can see: anonymous memory that one entry maps
 *       and that shadows nothing; elsewhere it is DONTNEED;
 *   V15 a page that is wired, held or busy is left alone, with its copy in swap.
 * Yields: vm_map_advise, each SCHED_LOOP_MAX pages; vm_map_mincore never.
 * Complexity: O(resident pages in the range + its pages / SCHED_LOOP_MAX), FREE O(pages);
 *   mincore O(pages * depth of the chain).
 * See: contract 1.12; mm/vm_page.h.
 */
#include "kern/sched.h"
#include "mm/vm_map_internal.h"
#include "mm/vm_pager.h"

static inline bool
is_pinned(const struct vm_page *m)
{
	return (m->busy != 0 || m->hold_count != 0 || m->wire_count != 0);
}

/* m will not be wanted soon. */
static void
page_unwanted(struct vm_page *m)
{
	if (is_pinned(m)) /* V15 */
		return;
	m->aflags &= (uint8_t)~PGA_REFERENCED;
	m->act_count = 0;
	vm_page_test_dirty(m);
	if (m->dirty == 0)
		vm_page_deactivate_head(m);
	else
		vm_page_deactivate(m);
}

/* Pages [first, end) of object and of what it shadows. Never yields. */
static void
chain_unwanted(struct vm_object *object, vm_pindex_t first, vm_pindex_t end)
{
	struct vm_page *m, *next;

	for (; object != NULL; object = object->backing_object) {
		for (m = vm_page_find_least(object, first); m != NULL && m->pindex < end;
		    m = next) {
			next = vm_page_next(m);
			page_unwanted(m);
		}
		first += object->backing_offset;
		end += object->backing_offset;
	}
}

/* V14, V15: what m holds may be forgotten. */
static void
page_forget(struct vmspace *vm, vm_offset_t va, struct vm_page *m)
{
	if (is_pinned(m))
		return;
	pmap_advise(&vm->pmap, va, va + PAGE_SIZE, false);
	m->dirty = 0;
	if (m->object->type == OBJT_SWAP)
		vm_pager_of(m->object)->page_unswapped(m);
	page_unwanted(m);
}

/* Pages [first, end) of entry's object. Never yields. */
static void
range_forget(struct vmspace *vm, const struct vm_map_entry *entry, vm_pindex_t first,
    vm_pindex_t end)
{
	struct vm_object *object = entry->object;
	const struct vm_pager_ops *pager = vm_pager_of(object);
	struct vm_page *m;
	vm_pindex_t i;

	vm_page_cache_free(object, first, end);
	for (i = first; i < end; i++) {
		m = vm_page_lookup(object, i);
		if (m != NULL)
			page_forget(vm, entry->start + ptoa(i - entry->offset), m);
		else if (object->swap_count != 0)
			pager->free_space(object, i, i + 1);
	}
}

/* V14 */
static bool
may_forget(const struct vm_object *object)
{
	/* OBJ_ONEMAPPING: and anonymous */
	return ((object->flags & OBJ_ONEMAPPING) != 0 && object->backing_object == NULL);
}

/* [start, end) of entry, at most SCHED_LOOP_MAX pages. Never yields. */
static void
advise_some(struct vmspace *vm, const struct vm_map_entry *entry, vm_offset_t start,
    vm_offset_t end, enum vm_advice advice)
{
	vm_pindex_t first = entry->offset + (vm_pindex_t)atop(start - entry->start);
	vm_pindex_t last = first + (vm_pindex_t)atop(end - start);

	if (entry->object == NULL ||
	    sleep_lock_held(&entry->object->lock))
		return;
	if (advice == VM_ADVICE_FREE && may_forget(entry->object)) {
		range_forget(vm, entry, first, last);
		return;
	}
	pmap_advise(&vm->pmap, start, end, true);
	chain_unwanted(entry->object, first, last);
}

/* Hints about pages change no entry: any part of the range may be missing. */
static int
advise_pages(struct vmspace *vm, vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	struct vm_map_entry *entry;
	vm_offset_t at = start, stop;

	while (at < end && (entry = vm_map_entry_from(&vm->map, at)) != NULL) {
		if (entry->start > at)
			at = entry->start;
		if (at >= end)
			break;
		stop = entry->end < end ? entry->end : end;
		if (stop - at > ptoa(SCHED_LOOP_MAX))
			stop = at + ptoa(SCHED_LOOP_MAX);
		advise_some(vm, entry, at, stop, advice);
		at = stop;
		sched_maybe_yield();
		if (vm->killed)
			return (ERR_KILLED); /* the range may be as large as the address space */
	}
	return (0);
}

static int
advise_entries(struct vm_map *map, vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	struct vm_map_entry *entry;
	int error;

	vm_map_wait(map);
	error = vm_map_clip_range(map, start, end);
	if (error != 0)
		return (error);
	for (entry = vm_map_entry_from(map, start); entry != NULL && entry->start < end;
	    entry = vm_map_next(map, entry))
		entry->advice = (uint8_t)advice;
	map->version++;
	vm_map_simplify_range(map, start, end);
	return (0);
}

int
vm_map_advise(struct vmspace *vm, vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	if (((start | end) & PAGE_MASK) != 0 || start >= end || start < vm->map.min ||
	    end > vm->map.max)
		return (ERR_INVAL);
	if (advice == VM_ADVICE_DONTNEED || advice == VM_ADVICE_FREE)
		return (advise_pages(vm, start, end, advice));
	return (advise_entries(&vm->map, start, end, advice));
}

/* ---- mincore */

static uint8_t
page_state(struct vm_page *m)
{
	uint8_t state = VM_MINCORE_INCORE;

	if ((m->aflags & PGA_REFERENCED) != 0 || pmap_is_referenced(m))
		state |= VM_MINCORE_REFERENCED;
	if (m->dirty != 0 || pmap_is_modified(m))
		state |= VM_MINCORE_MODIFIED;
	return (state);
}

static uint8_t
index_state(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	for (; object != NULL; object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL)
			return (m->valid == VM_PAGE_BITS_ALL ? page_state(m) : 0);
		if (object->swap_count != 0 &&
		    vm_pager_of(object)->has_page(object, pindex, NULL, NULL))
			return (VM_MINCORE_SWAPPED);
		pindex += object->backing_offset;
	}
	return (0);
}

int
vm_map_mincore(struct vmspace *vm, vm_offset_t start, vm_offset_t end, uint8_t *states)
{
	struct vm_map_entry *entry;
	vm_offset_t va;

	for (va = start; va < end; va += PAGE_SIZE) {
		entry = vm_map_lookup_entry(&vm->map, va);
		if (entry == NULL)
			return (ERR_NOMEM);
		*states++ = index_state(entry->object,
		    entry->offset + (vm_pindex_t)atop(va - entry->start));
	}
	return (0);
}
