/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: creation, look-up, mapping; changes of mapped ranges are in
 * vm_map_range.c.
 *
 * Owns: vmspaces, map entries, the map's tree, hint, version and sizes.
 * Does not: touch pages; those follow when vm_fault or vm_object is told.
 * Invariants:
 *   V1 entries are sorted, disjoint, page aligned, not empty, inside [min, max);
 *   V2 an entry without MAP_ENTRY_GUARD has an object that covers it, and holds one
 *      reference to it; a guard has neither object nor rights;
 *   V3 prot is a subset of max_prot; NEEDS_COPY implies COW;
 *   V4 entry_count and size_bytes agree with the tree; guards are not in size_bytes;
 *   V5 version changes whenever an entry's range, object or rights change: who
 *      yielded compares it before he relies on an entry;
 *   V6 hint is an entry of the tree or NULL.
 * Yields: vmspace_free; nothing else here.
 * Complexity: look-up O(1) by the hint, else O(log entries); first fit O(entries).
 * See: contract 1.17.
 */
#include "mm/vm_map.h"

#include "mm/uma.h"
#include "mm/vm_map_internal.h"
#include "mm/vm_meter.h"

static struct uma_zone vmspace_zone;
static struct uma_zone entry_zone;
static LIST_HEAD(, vmspace) vmspaces = LIST_HEAD_INITIALIZER(vmspaces);

static inline int
entry_compare(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	return (a->start < b->start ? -1 : a->start > b->start);
}

RB_PROTOTYPE(vm_map_tree, vm_map_entry, link, entry_compare);
RB_GENERATE(vm_map_tree, vm_map_entry, link, entry_compare)

void
vm_map_init(void)
{
	LIST_INIT(&vmspaces);
	uma_zone_init(&vmspace_zone, "vmspace", sizeof(struct vmspace));
	uma_zone_init(&entry_zone, "vm_map_entry", sizeof(struct vm_map_entry));
}

struct vmspace *
vmspace_alloc(vm_offset_t min, vm_offset_t max)
{
	struct vmspace *vm = uma_zalloc(&vmspace_zone, VM_ALLOC_SYSTEM);

	KASSERT((min & PAGE_MASK) == 0 && (max & PAGE_MASK) == 0 && min < max,
	    "V1: the map's limits are page aligned");
	if (vm == NULL)
		return (NULL);
	if (pmap_pinit(&vm->pmap) != 0) {
		uma_zfree(&vmspace_zone, vm);
		return (NULL);
	}
	RB_INIT(&vm->map.entries);
	vm->map.min = min;
	vm->map.max = max;
	LIST_INSERT_HEAD(&vmspaces, vm, all_link);
	return (vm);
}

void
vmspace_set_max(struct vmspace *vm, vm_offset_t max)
{
	struct vm_map_entry *last = RB_MAX(vm_map_tree, &vm->map.entries);

	KASSERT((max & PAGE_MASK) == 0 && vm->map.min < max,
	    "V1: the map's limits are page aligned");
	KASSERT(last == NULL || last->end <= max, "V1: entries lie inside the map's limits");
	vm->map.max = max;
}

void
vmspace_free(struct vmspace *vm)
{
	int error = vm_map_remove(vm, vm->map.min, vm->map.max);

	KASSERT(error == 0 && vm->map.entry_count == 0, "V4: removing all needs no clipping");
	vm_object_uncharge_all(&vm->usage);
	LIST_REMOVE(vm, all_link);
	pmap_release(&vm->pmap);
	uma_zfree(&vmspace_zone, vm);
}

struct vmspace *
vmspace_next(struct vmspace *prev)
{
	return (prev == NULL ? LIST_FIRST(&vmspaces) : LIST_NEXT(prev, all_link));
}

struct vm_map_entry *
vm_map_lookup_entry(struct vm_map *map, vm_offset_t va)
{
	struct vm_map_entry *entry = map->hint;

	if (entry != NULL && va >= entry->start && va < entry->end)
		return (entry);
	entry = RB_ROOT(&map->entries);
	while (entry != NULL) {
		if (va < entry->start) {
			entry = RB_LEFT(entry, link);
		} else if (va >= entry->end) {
			entry = RB_RIGHT(entry, link);
		} else {
			map->hint = entry;
			return (entry);
		}
	}
	return (NULL);
}

struct vm_map_entry *
vm_map_entry_from(struct vm_map *map, vm_offset_t va)
{
	struct vm_map_entry *entry = RB_ROOT(&map->entries), *found = NULL;

	while (entry != NULL) {
		if (va >= entry->end) {
			entry = RB_RIGHT(entry, link);
		} else {
			found = entry;
			entry = RB_LEFT(entry, link);
		}
	}
	return (found);
}

struct vm_map_entry *
vm_map_next(struct vm_map *map, struct vm_map_entry *prev)
{
	if (prev == NULL)
		return (RB_MIN(vm_map_tree, &map->entries));
	return (RB_NEXT(vm_map_tree, &map->entries, prev));
}

struct vm_map_entry *
vm_map_prev(struct vm_map *map, struct vm_map_entry *entry)
{
	(void)map;
	return (RB_PREV(vm_map_tree, &map->entries, entry));
}

struct vm_map_entry *
vm_map_entry_create(const struct vm_map *map)
{
	uint64_t limit = (uint64_t)mm_params.max_map_entries;

	if (limit != 0 && (entry_zone.used_items >= limit || map->entry_count >= limit / 2))
		return (NULL);
	return (uma_zalloc(&entry_zone, VM_ALLOC_SYSTEM));
}

void
vm_map_entry_dispose(struct vm_map_entry *entry)
{
	uma_zfree(&entry_zone, entry);
}

void
vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *there = RB_INSERT(vm_map_tree, &map->entries, entry);

	KASSERT(there == NULL, "V1: no entry starts there");
	map->entry_count++;
	map->version++;
	if ((entry->flags & MAP_ENTRY_GUARD) == 0)
		map->size_bytes += entry->end - entry->start;
}

void
vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
	RB_REMOVE(vm_map_tree, &map->entries, entry);
	map->entry_count--;
	map->version++;
	if (map->hint == entry)
		map->hint = NULL;
	if ((entry->flags & MAP_ENTRY_GUARD) == 0)
		map->size_bytes -= entry->end - entry->start;
}

/* Start of the first gap of size bytes, or 0. */
static vm_offset_t
find_gap(struct vm_map *map, vm_size_t size)
{
	struct vm_map_entry *entry;
	vm_offset_t at = map->min;

	RB_FOREACH(entry, vm_map_tree, &map->entries) {
		if (entry->start - at >= size)
			return (at);
		at = entry->end;
	}
	return (map->max - at >= size ? at : 0);
}

/* May the entry that ends at start simply grow over new anonymous memory? */
static struct vm_map_entry *
growable(struct vm_map *map, vm_offset_t start, vm_prot_t prot, uint8_t flags)
{
	struct vm_map_entry *entry;
	const struct vm_object *object;

	if ((flags & MAP_ENTRY_GUARD) != 0 || start == map->min)
		return (NULL);
	entry = vm_map_lookup_entry(map, start - 1);
	if (entry == NULL || entry->object == NULL || entry->prot != prot ||
	    (entry->flags & (uint8_t)~MAP_ENTRY_COW) != flags || entry->max_prot != VM_PROT_ALL)
		return (NULL);
	if (entry->inheritance != VM_INHERIT_COPY || entry->advice != VM_ADVICE_NORMAL ||
	    entry->wired_count != 0)
		return (NULL);
	object = entry->object;
	if ((object->flags & OBJ_ONEMAPPING) == 0 || object->backing_object != NULL ||
	    entry->offset + atop(entry->end - entry->start) != object->size_pages)
		return (NULL);
	return (entry);
}

/* 0, or why nothing can be mapped at [start, start + size). */
static int
check_place(struct vm_map *map, vm_offset_t start, vm_size_t size, uint8_t flags)
{
	struct vm_map_entry *entry;

	if (size == 0 || ((size | start) & PAGE_MASK) != 0 || size > map->max - map->min ||
	    start < map->min || start > map->max - size)
		return (ERR_INVAL);
	if ((flags & MAP_ENTRY_GUARD) == 0 && map->size_limit_bytes != 0 &&
	    map->size_bytes + size > map->size_limit_bytes)
		return (ERR_NOMEM);
	entry = vm_map_entry_from(map, start);
	return (entry != NULL && entry->start < start + size ? ERR_EXIST : 0);
}

int
vm_map_insert(struct vmspace *vm, vm_offset_t start, vm_size_t size,
    const struct vm_map_insert_args *args)
{
	struct vm_object *object = args->object;
	struct vm_map_entry *entry;
	int error = check_place(&vm->map, start, size, args->flags);

	KASSERT((object == NULL) == ((args->flags & MAP_ENTRY_GUARD) != 0),
	    "V2: only a guard has no object");
	if (error != 0)
		return (error);
	entry = vm_map_entry_create(&vm->map);
	if (entry == NULL)
		return (ERR_NOMEM);
	entry->start = start;
	entry->end = start + size;
	entry->object = object;
	entry->offset = args->offset;
	entry->prot = args->prot;
	entry->max_prot = args->max_prot;
	entry->flags = args->flags;
	entry->inheritance = args->inheritance;
	entry->read_ahead = VM_FAULT_READ_AHEAD_INIT;
	if (object != NULL && object->ref_count > 1)
		object->flags &= (uint8_t)~OBJ_ONEMAPPING;
	vm_map_entry_link(&vm->map, entry);
	return (0);
}

static int
insert_new(struct vmspace *vm, vm_offset_t start, vm_size_t size, vm_prot_t prot, uint8_t flags)
{
	bool guard = (flags & MAP_ENTRY_GUARD) != 0;
	struct vm_map_insert_args args = {
		.prot = guard ? VM_PROT_NONE : prot,
		.max_prot = guard ? VM_PROT_NONE : VM_PROT_ALL,
		.flags = flags,
		.inheritance = VM_INHERIT_COPY,
	};
	int error;

	if (!guard && (args.object = vm_object_allocate((uint32_t)atop(size))) == NULL)
		return (ERR_NOMEM);
	error = vm_map_insert(vm, start, size, &args);
	if (args.object != NULL && error != 0)
		vm_object_deallocate(args.object);
	else if (args.object != NULL)
		vm_object_charge(args.object, &vm->usage);
	return (error);
}

int
vm_map_find(struct vmspace *vm, vm_offset_t *address, vm_size_t size, vm_prot_t prot,
    uint8_t flags)
{
	struct vm_map *map = &vm->map;
	struct vm_map_entry *entry;
	vm_offset_t start = *address;
	int error;

	if (size == 0 || (size & PAGE_MASK) != 0 || size > map->max - map->min)
		return (ERR_INVAL);
	if (start == 0 && (start = find_gap(map, size)) == 0)
		return (ERR_NOMEM);
	error = check_place(map, start, size, flags);
	if (error != 0)
		return (error);
	*address = start;
	entry = growable(map, start, prot, flags);
	if (entry == NULL)
		return (insert_new(vm, start, size, prot, flags));
	entry->end += size;
	entry->object->size_pages += (uint32_t)atop(size);
	map->size_bytes += size;
	map->version++;
	return (0);
}

uint32_t
vmspace_resident_count(const struct vmspace *vm)
{
	return ((uint32_t)pmap_resident_count(&vm->pmap));
}

uint32_t
vmspace_swap_count(struct vmspace *vm)
{
	struct vm_map_entry *entry;
	uint64_t pages, total = 0;

	RB_FOREACH(entry, vm_map_tree, &vm->map.entries) {
		if (entry->object == NULL || entry->object->swap_count == 0)
			continue;
		pages = atop(entry->end - entry->start);
		total += entry->object->swap_count * pages / entry->object->size_pages;
	}
	return ((uint32_t)total);
}
