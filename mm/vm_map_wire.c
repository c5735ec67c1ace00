/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: pages that stay in memory (mlock), the part that needs no faults:
 * counting them, and letting go. Wiring faults them in: vm_fault_wire.c.
 *
 *   ordinary --> IN_TRANSITION --> USER_WIRED, wired_count 1 --> ordinary
 *      ^  vm_map_wire  |  each page faulted in, wired      vm_map_unwire, unmapping
 *      +---------------+ error: those done are let go
 *
 * Wiring is not counted: a range that is wired twice is let go at once.
 *
 * Owns: wired_count, MAP_ENTRY_USER_WIRED and IN_TRANSITION of entries, wired_pages of
 *   maps, the statistic v_user_wire_count.
 * Does not: fault pages in.
 * Invariants:
 *   V12 every page of a wired entry is resident, somewhere in its chain, and wired once
 *       for this entry; a write that copies it moves the wiring (vm_fault_chain.c);
 *   V13 wired_pages is the sum of the wired entries' pages, or more while one is being
 *       wired; vm.stats.vm.v_user_wire_count the sum over all maps.
 * Yields: vm_map_unwire, vm_map_entry_unwire, each SCHED_LOOP_MAX pages.
 * Complexity: O(pages * depth of the chain).
 * See: contract 1.12, 1.17; mm/vm_fault_wire.c.
 */
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_map_internal.h"

int
vm_map_wire_charge(struct vm_map *map, uint32_t pages)
{
	if (map->wired_limit_bytes != 0 &&
	    ptoa((uint64_t)map->wired_pages + pages) > map->wired_limit_bytes)
		return (ERR_NOMEM);
	if (mm_params.v_user_wire_count + pages > (uint64_t)mm_params.max_wired)
		return (ERR_AGAIN);
	map->wired_pages += pages;
	mm_params.v_user_wire_count += pages;
	return (0);
}

void
vm_map_wire_uncharge(struct vm_map *map, uint32_t pages)
{
	KASSERT(map->wired_pages >= pages && mm_params.v_user_wire_count >= pages,
	    "V13: wired pages are counted");
	map->wired_pages -= pages;
	mm_params.v_user_wire_count -= pages;
}

/* The first page that (object, pindex) shows or hides and that is wired, or NULL: whoever
 * shares the object may have put a copy in front of it. */
static struct vm_page *
find_wired(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	for (; object != NULL; object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL && m->wire_count != 0)
			return (m);
		pindex += object->backing_offset;
	}
	return (NULL);
}

void
vm_map_entry_unwire(const struct vm_map_entry *entry, vm_offset_t end)
{
	vm_offset_t va;
	struct vm_page *m;
	uint32_t done = 0;

	for (va = entry->start; va < end; va += PAGE_SIZE) {
		m = find_wired(entry->object,
		    entry->offset + (vm_pindex_t)atop(va - entry->start));
		if (m != NULL)
			vm_page_unwire(m, PQ_ACTIVE);
		if (++done % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
}

int
vm_map_check_mapped(struct vm_map *map, vm_offset_t start, vm_offset_t end, bool accessible)
{
	struct vm_map_entry *entry = vm_map_lookup_entry(map, start);
	vm_offset_t at = start;

	while (at < end) {
		if (entry == NULL || entry->start > at || entry->object == NULL ||
		    (accessible && (entry->prot & (VM_PROT_READ | VM_PROT_WRITE)) == 0))
			return (ERR_NOMEM);
		at = entry->end;
		entry = vm_map_next(map, entry);
	}
	return (0);
}

static void
unwire_entry(struct vmspace *vm, struct vm_map_entry *entry)
{
	entry->wired_count = 0;
	entry->flags &= (uint8_t)~MAP_ENTRY_USER_WIRED;
	entry->flags |= MAP_ENTRY_IN_TRANSITION;
	pmap_unwire(&vm->pmap, entry->start, entry->end);
	vm_map_entry_unwire(entry, entry->end);
	vm_map_wire_uncharge(&vm->map, (uint32_t)atop(entry->end - entry->start));
	entry->flags &= (uint8_t)~MAP_ENTRY_IN_TRANSITION;
}

int
vm_map_unwire(struct vmspace *vm, vm_offset_t start, vm_offset_t end)
{
	struct vm_map *map = &vm->map;
	struct vm_map_entry *entry;
	int error;

	sleep_lock_acquire(&map->lock);
	error = vm_map_clip_range(map, start, end);
	if (error == 0)
		error = vm_map_check_mapped(map, start, end, false);
	for (entry = vm_map_entry_from(map, start);
	    error == 0 && entry != NULL && entry->start < end; entry = vm_map_next(map, entry))
		if ((entry->flags & MAP_ENTRY_USER_WIRED) != 0)
			unwire_entry(vm, entry);
	map->version++;
	if (error != ERR_INVAL)
		vm_map_simplify_range(map, start, end);
	sleep_lock_release(&map->lock);
	return (error);
}
