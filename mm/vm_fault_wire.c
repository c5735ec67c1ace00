/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What needs faults to be done to a range of an address space: wiring it (mlock), and
 * having what will be needed at hand (madvise WILLNEED).
 *
 * The map stays locked while pages are faulted in: nobody else takes entries out,
 * joins or forks them. A fault of the locking task passes the lock.
 *
 * Owns: nothing of its own (see vm_map_wire.c, whose V12 and V13 hold here).
 * Does not: count or let go of wired pages.
 * Invariants:
 *   R1 wiring is all or nothing: after an error nothing is wired that was not before;
 *   R2 WILLNEED reads nothing while free pages are below free_target.
 * Yields: vm_map_wire and vm_map_willneed, in faults, each SCHED_LOOP_MAX pages.
 * Complexity: a fault for each page.
 * See: contract 1.12, 1.16.
 */
#include "kern/sched.h"
#include "mm/vm_fault.h"
#include "mm/vm_map_internal.h"
#include "mm/vm_meter.h"
#include "mm/vm_pager.h"

/* ---- wiring */

/* Mark what is to be wired in [start, end); how many pages. */
static uint32_t
mark(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry;
	uint32_t pages = 0;

	for (entry = vm_map_entry_from(map, start); entry != NULL && entry->start < end;
	    entry = vm_map_next(map, entry)) {
		if (entry->wired_count != 0)
			continue;
		entry->flags |= MAP_ENTRY_IN_TRANSITION;
		pages += (uint32_t)atop(entry->end - entry->start);
	}
	return (pages);
}

/* Fault in what is marked; *at is where it went wrong, or end. */
static int
wire_pages(struct vmspace *vm, vm_offset_t start, vm_offset_t end, vm_offset_t *at)
{
	struct vm_map_entry *entry;
	uint32_t done = 0;
	int error = 0;

	for (*at = start; *at < end; *at += PAGE_SIZE) {
		entry = vm_map_lookup_entry(&vm->map, *at);
		if ((entry->flags & MAP_ENTRY_IN_TRANSITION) == 0) {
			*at = entry->end - PAGE_SIZE;
			continue;
		}
		error = vm_fault_wire(vm, *at);
		if (error != 0)
			break;
		if (++done % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (error);
}

/* The marks go: what is below `wired` stays wired if all went well, else it is let go. */
static void
settle(struct vm_map *map, vm_offset_t start, vm_offset_t end, vm_offset_t wired, bool keep)
{
	struct vm_map_entry *entry;

	for (entry = vm_map_entry_from(map, start); entry != NULL && entry->start < end;
	    entry = vm_map_next(map, entry)) {
		if ((entry->flags & MAP_ENTRY_IN_TRANSITION) == 0)
			continue;
		if (keep) {
			entry->wired_count = 1;
			entry->flags |= MAP_ENTRY_USER_WIRED;
		} else if (entry->start < wired) {
			vm_map_entry_unwire(entry, wired < entry->end ? wired : entry->end);
		}
		entry->flags &= (uint8_t)~MAP_ENTRY_IN_TRANSITION;
	}
}

static int
wire_locked(struct vmspace *vm, vm_offset_t start, vm_offset_t end)
{
	struct vm_map *map = &vm->map;
	vm_offset_t at = start;
	uint32_t pages;
	int error = vm_map_clip_range(map, start, end);

	if (error == 0)
		error = vm_map_check_mapped(map, start, end, true);
	if (error != 0)
		return (error);
	pages = mark(map, start, end);
	error = vm_map_wire_charge(map, pages);
	if (error == 0) {
		error = wire_pages(vm, start, end, &at);
		if (error != 0)
			vm_map_wire_uncharge(map, pages);
	}
	settle(map, start, end, at, error == 0); /* R1 */
	map->version++;
	return (error);
}

int
vm_map_wire(struct vmspace *vm, vm_offset_t start, vm_offset_t end)
{
	int error;

	sleep_lock_acquire(&vm->map.lock);
	error = wire_locked(vm, start, end);
	if (error != ERR_INVAL)
		vm_map_simplify_range(&vm->map, start, end);
	sleep_lock_release(&vm->map.lock);
	return (error);
}

/* ---- having it at hand */

/* Has the pager something for the page at va of entry that is not in memory? */
static bool
worth_reading(const struct vm_map_entry *entry, vm_offset_t va)
{
	vm_pindex_t pindex = entry->offset + (vm_pindex_t)atop(va - entry->start);
	struct vm_object *object;

	for (object = entry->object; object != NULL; object = object->backing_object) {
		if (vm_page_lookup(object, pindex) != NULL)
			return (true); /* mapping it is what is wanted */
		if (object->type != OBJT_DEFAULT &&
		    vm_pager_of(object)->has_page(object, pindex, NULL, NULL))
			return (true);
		pindex += object->backing_offset;
	}
	return (false);
}

int
vm_map_willneed(struct vmspace *vm, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry;
	vm_offset_t va = start;
	uint32_t done = 0;
	int error = 0;

	while (error == 0 && va < end && !vm_meter_all_target()) { /* R2 */
		entry = vm_map_entry_from(&vm->map, va);
		if (entry == NULL)
			break;
		if (entry->start > va)
			va = entry->start;
		else if ((entry->prot & VM_PROT_READ) == 0) /* a guard too (V2) */
			va = entry->end;
		else {
			if (pmap_mincore(&vm->pmap, va) == 0 && worth_reading(entry, va))
				error = vm_fault(vm, va, VM_PROT_READ);
			va += PAGE_SIZE;
		}
		if (++done % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		if (vm->killed)
			error = ERR_KILLED;
	}
	return (error == ERR_KILLED ? error : 0); /* advice: the access itself will tell */
}
