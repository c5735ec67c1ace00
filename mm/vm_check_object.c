/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verify objects, address spaces and swap: rules C8, C10-C12, C14, C17 and C18 of
 * vm_check.c.
 *
 * Owns: nothing.
 * Does not: repair or change anything.
 * Invariants: see vm_check.c.
 * Yields: never.
 * Complexity: O(resident pages * log + slots + entries * objects).
 * See: vm_check.c.
 */
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_check_internal.h"
#include "mm/vm_map.h"

static void
check_object_pages(struct vm_check_result *r, struct vm_object *object)
{
	struct vm_page *m;
	uint32_t shared_busy = 0, last = VM_PAGE_NONE;
	vm_pindex_t least = 0;

	for (m = vm_page_find_least(object, 0); m != NULL; m = vm_page_next(m)) {
		if (m->object != object || m->pindex < least || m->pindex >= object->size_pages) {
			vm_check_broken(r, "C8: object %u, page %u: pindex %u out of order or size",
			    object->id, vm_page_number(m), m->pindex);
			return;
		}
		least = m->pindex + 1;
		last = vm_page_number(m);
		shared_busy += vm_page_busied(m) && !vm_page_xbusied(m);
	}
	if (object->last != last)
		vm_check_broken(r, "C8: object %u: last page is %u, not %u", object->id, last,
		    object->last);
	if (shared_busy > object->paging_in_progress)
		vm_check_broken(r, "C14: object %u: %u pages shared-busy, paging in progress %u",
		    object->id, shared_busy, object->paging_in_progress);
}

/* The shadows of object, and the way down from it. */
static void
check_chain(struct vm_check_result *r, const struct vm_object *object, uint32_t objects)
{
	const struct vm_object *o;
	uint32_t shadows = 0, depth = 0;

	LIST_FOREACH(o, &object->shadow_head, shadow_link) {
		if (o->backing_object != object || ++shadows > object->shadow_count)
			break;
	}
	if (o != NULL || shadows != object->shadow_count)
		vm_check_broken(r, "C17: object %u: %u shadows on its list, shadow_count %u",
		    object->id, shadows, object->shadow_count);
	for (o = object->backing_object; o != NULL && depth <= objects; o = o->backing_object)
		depth++;
	if (depth > objects)
		vm_check_broken(r, "C17: object %u: its chain has no end", object->id);
	o = object->backing_object;
	if (o != NULL && ((o->flags & OBJ_DEAD) != 0 || o->shadow_count == 0 ||
	    object->type == OBJT_VNODE))
		vm_check_broken(r, "C17: object %u shadows object %u, which does not know it",
		    object->id, o->id);
}

static uint32_t
count_objects(void)
{
	struct vm_object *object;
	uint32_t count = 0;

	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object))
		count++;
	return (count);
}

void
vm_check_objects(struct vm_check_result *r)
{
	uint32_t count = count_objects();
	struct vm_object *object;
	int64_t nodes;

	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object)) {
		r->objects++;
		nodes = rb32_check(vm_page_array, object->tree_root, vm_page_array_count);
		if (rb32_check(vm_page_array, object->cache_root, vm_page_array_count) !=
		    object->cached_count)
			vm_check_broken(r, "C16: object %u: cache tree is not of %u pages",
			    object->id, object->cached_count);
		if (nodes != object->resident_count) {
			vm_check_broken(r, "C8: object %u: tree of %d pages, resident_count %u",
			    object->id, (int)nodes, object->resident_count);
			continue;
		}
		check_object_pages(r, object);
		check_chain(r, object, count);
		if (object->type == OBJT_DEFAULT && object->swap_count != 0)
			vm_check_broken(r, "C10: object %u has %u slots but is no swap object",
			    object->id, object->swap_count);
	}
}

/* ---- maps */

static void
check_entry(struct vm_check_result *r, const struct vm_map *map, const struct vm_map_entry *e,
    vm_offset_t from)
{
	bool guard = (e->flags & MAP_ENTRY_GUARD) != 0;

	if (((e->start | e->end) & PAGE_MASK) != 0 || e->start >= e->end || e->start < from ||
	    e->end > map->max)
		vm_check_broken(r, "C12: entry at %llx ends at %llx",
		    (unsigned long long)e->start, (unsigned long long)e->end);
	if (guard != (e->object == NULL) || (e->prot & ~e->max_prot) != 0)
		vm_check_broken(r, "C12: entry at %llx: guard, object and rights disagree",
		    (unsigned long long)e->start);
	if (e->object != NULL && e->object->type != OBJT_VNODE &&
	    e->offset + atop(e->end - e->start) > e->object->size_pages)
		vm_check_broken(r, "C12: entry at %llx reaches beyond object %u",
		    (unsigned long long)e->start, e->object->id);
}

/* Is the page that (object, pindex) shows, or one that it hides, wired? */
static bool
is_wired(struct vm_object *object, vm_pindex_t pindex)
{
	const struct vm_page *m;

	for (; object != NULL; object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL && m->wire_count != 0)
			return (true);
		pindex += object->backing_offset;
	}
	return (false);
}

/* Unless the map is locked: then something is on its way. What is being wired is counted
 * before it is wired, and waits for memory without the lock. */
static void
check_wired(struct vm_check_result *r, struct vm_map *map)
{
	struct vm_map_entry *e;
	uint32_t pages, i, counted = 0, underway = 0;

	for (e = vm_map_next(map, NULL); e != NULL; e = vm_map_next(map, e)) {
		pages = (uint32_t)atop(e->end - e->start);
		if ((e->flags & MAP_ENTRY_IN_TRANSITION) != 0)
			underway += pages;
		if ((e->flags & MAP_ENTRY_USER_WIRED) == 0)
			continue;
		counted += pages;
		for (i = 0; i < pages && is_wired(e->object, e->offset + i); i++)
			continue;
		if (i < pages)
			vm_check_broken(r, "C18: entry at %llx: its page %u is not wired",
			    (unsigned long long)e->start, i);
	}
	if (map->wired_pages < counted || map->wired_pages > counted + underway)
		vm_check_broken(r, "C18: entries with %u wired pages, the map says %u", counted,
		    map->wired_pages);
}

static void
check_map(struct vm_check_result *r, struct vm_map *map)
{
	struct vm_map_entry *e;
	vm_offset_t from = map->min;
	vm_size_t bytes = 0;
	uint32_t count = 0;
	bool hint_found = map->hint == NULL;

	for (e = vm_map_next(map, NULL); e != NULL; e = vm_map_next(map, e)) {
		check_entry(r, map, e, from);
		from = e->end;
		count++;
		hint_found |= e == map->hint;
		if ((e->flags & MAP_ENTRY_GUARD) == 0)
			bytes += e->end - e->start;
	}
	if (count != map->entry_count || bytes != map->size_bytes || !hint_found)
		vm_check_broken(r, "C12: map of %u entries says %u; %llu bytes, says %llu", count,
		    map->entry_count, (unsigned long long)bytes,
		    (unsigned long long)map->size_bytes);
}

static uint32_t
count_references(const struct vm_object *object)
{
	struct vmspace *vm;
	struct vm_map_entry *e;
	uint32_t references = 0;

	for (vm = vmspace_next(NULL); vm != NULL; vm = vmspace_next(vm))
		for (e = vm_map_next(&vm->map, NULL); e != NULL; e = vm_map_next(&vm->map, e))
			references += e->object == object;
	return (references);
}

void
vm_check_maps(struct vm_check_result *r)
{
	struct vm_object *object;
	struct vmspace *vm;
	uint32_t references;

	for (vm = vmspace_next(NULL); vm != NULL; vm = vmspace_next(vm)) {
		check_map(r, &vm->map);
		if (vm->map.lock.owner == NULL && vm->map.entry_count != 0)
			check_wired(r, &vm->map);
	}
	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object)) {
		references = count_references(object);
		references += object->shadow_count;
		if (references > object->ref_count)
			vm_check_broken(r, "C12: object %u is mapped or shadowed %u times, "
					   "ref_count %u", object->id, references,
			    object->ref_count);
	}
}

/* ---- swap */

static bool
is_live(const struct vm_object *object)
{
	struct vm_object *o;

	for (o = vm_object_next(NULL); o != NULL; o = vm_object_next(o))
		if (o == object)
			return (true);
	return (false);
}

static void
check_slot(struct vm_check_result *r, uint32_t slot, struct vm_object *owner, vm_pindex_t pindex)
{
	struct vm_page *m;

	if (owner->type != OBJT_SWAP || pindex >= owner->size_pages ||
	    swap_map_lookup(owner, pindex) != slot) {
		vm_check_broken(r, "C10: slot %x: object %u, pindex %u does not fit", slot,
		    owner->id, pindex);
		return;
	}
	m = vm_page_lookup(owner, pindex);
	if (m != NULL && pmap_page_is_write_mapped(m))
		vm_check_broken(r, "C11: object %u, pindex %u: writable, with a copy in slot %x",
		    owner->id, pindex, slot);
}

static void
check_area(struct vm_check_result *r, uint32_t area, uint32_t slots)
{
	struct vm_object *owner, *last = NULL;
	vm_pindex_t pindex;
	uint32_t i;

	for (i = 0; i < slots; i++) {
		if (!swap_map_owner(SWAP_SLOT(area, i), &owner, &pindex))
			continue;
		r->swap_slots++;
		if (owner != last && !is_live(owner)) {
			vm_check_broken(r, "C10: slot %x belongs to no live object",
			    SWAP_SLOT(area, i));
			continue;
		}
		last = owner;
		check_slot(r, SWAP_SLOT(area, i), owner, pindex);
	}
}

void
vm_check_swap(struct vm_check_result *r)
{
	struct swap_area_info info;
	struct vm_object *object;
	uint32_t n, counted = 0;

	for (n = 0; swap_pager_info(n, &info); n++)
		check_area(r, info.area, info.slots);
	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object))
		counted += object->swap_count;
	if (counted != r->swap_slots)
		vm_check_broken(r, "C10: %u slots in use, objects count %u", r->swap_slots,
		    counted);
}
