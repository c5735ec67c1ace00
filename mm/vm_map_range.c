/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: unmapping and changing rights of ranges, by clipping entries.
 *
 *   before   [      entry      ]          clip at start and end, then
 *   range         [start end)             act on whole entries only
 *   after    [   ][         ][  ]
 *
 * Owns: nothing of its own (see vm_map.c, whose invariants V1-V6 hold here).
 * Does not: free pages that another entry of the same object still maps.
 * Invariants:
 *   V7 clipping changes no contents: both parts map what the whole did;
 *   V8 a removed range is out of the map and of the page tables before the first
 *      yield, so no new fault can find it;
 *   V9 the pages behind a removed range are freed when its object goes, or at once if
 *      nobody else can want them: the object is anonymous and OBJ_ONEMAPPING, which an
 *      object is from its birth until a second entry may map the same indexes
 *      (vm_map_insert of a shared object, fork, a shadow), and again when only one
 *      reference and no shadow is left (vm_object_deallocate).
 * Yields: vm_map_remove (frees pages); nothing else.
 * Complexity: O(log entries + entries in the range).
 * See: contract 1.17.
 */
#include "mm/vm_map_internal.h"

/* Split entry, which holds va or is NULL, at va: it keeps the front. False without memory. */
static bool
clip(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t va)
{
	struct vm_map_entry *back;

	if (entry == NULL || va == entry->start)
		return (true);
	back = vm_map_entry_create(map);
	if (back == NULL)
		return (false);
	*back = *entry;
	back->start = va;
	back->offset = entry->offset + (vm_pindex_t)atop(va - entry->start);
	if ((entry->flags & MAP_ENTRY_GUARD) == 0)
		map->size_bytes -= entry->end - va;
	entry->end = va;
	if (back->object != NULL)
		vm_object_reference(back->object);
	vm_map_entry_link(map, back);
	return (true);
}

int
vm_map_clip_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	if (((start | end) & PAGE_MASK) != 0 || start >= end || start < map->min || end > map->max)
		return (ERR_INVAL);
	if (!clip(map, vm_map_lookup_entry(map, start), start))
		return (ERR_NOMEM);
	if (!clip(map, vm_map_lookup_entry(map, end), end))
		return (ERR_NOMEM);
	return (0);
}

/* Give back what an unlinked entry mapped, and the entry (V9). */
static void
entry_delete(struct vm_map_entry *entry)
{
	struct vm_object *object = entry->object;
	vm_pindex_t first = entry->offset;
	vm_pindex_t end = first + (vm_pindex_t)atop(entry->end - entry->start);

	if (__builtin_expect(entry->wired_count != 0, 0))
		vm_map_entry_unwire(entry, entry->end);
	vm_map_entry_dispose(entry);
	if (object == NULL)
		return;
	if (object->ref_count > 1 && (object->flags & OBJ_ONEMAPPING) != 0)
		vm_object_page_remove(object, first, end);
	vm_object_deallocate(object);
}

int
vm_map_remove(struct vmspace *vm, vm_offset_t start, vm_offset_t end)
{
	struct vm_map *map = &vm->map;
	struct vm_map_entry *entry, *dead = NULL;
	int error;

	vm_map_wait(map);
	error = vm_map_clip_range(map, start, end);
	if (error != 0)
		return (error);
	vmspace_note_resident(vm);
	while ((entry = vm_map_entry_from(map, start)) != NULL && entry->start < end) {
		vm_map_entry_unlink(map, entry);
		if (__builtin_expect(entry->wired_count != 0, 0)) /* in step with the entries */
			vm_map_wire_uncharge(map, (uint32_t)atop(entry->end - entry->start));
		pmap_remove(&vm->pmap, entry->start, entry->end);
		entry->next_dead = dead;
		dead = entry;
	}
	while (dead != NULL) {
		entry = dead;
		dead = entry->next_dead;
		entry_delete(entry);
	}
	return (0);
}

/* 0, or why [start, end) cannot get prot. */
static int
check_protect(struct vm_map *map, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	struct vm_map_entry *entry = vm_map_lookup_entry(map, start);
	vm_offset_t at = start;

	while (at < end) {
		if (entry == NULL || entry->start > at)
			return (ERR_FAULT);
		if ((prot & ~entry->max_prot) != 0 || (entry->flags & MAP_ENTRY_GUARD) != 0)
			return (ERR_PERM);
		at = entry->end;
		entry = vm_map_next(map, entry);
	}
	return (0);
}

static bool
same_kind(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	return (a->flags == b->flags && a->prot == b->prot && a->max_prot == b->max_prot &&
	    a->inheritance == b->inheritance && a->advice == b->advice);
}

/* Join entry with the one before it if both say the same. */
static void
simplify(struct vm_map *map, struct vm_map_entry *entry)
{
	struct vm_map_entry *prev = vm_map_prev(map, entry);

	if (prev == NULL || prev->end != entry->start || prev->object != entry->object ||
	    prev->object == NULL || !same_kind(prev, entry) ||
	    prev->offset + atop(prev->end - prev->start) != entry->offset)
		return;
	KASSERT(entry->object->ref_count > 1, "V2: each entry holds a reference");
	KASSERT(prev->wired_count == entry->wired_count, "V13: flags tell what is wired");
	vm_map_entry_unlink(map, entry);
	map->size_bytes += entry->end - entry->start;
	prev->end = entry->end;
	vm_object_deallocate(entry->object);
	vm_map_entry_dispose(entry);
}

void
vm_map_simplify_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *entry, *next;

	for (entry = vm_map_entry_from(map, start); entry != NULL && entry->start <= end;
	    entry = next) {
		next = vm_map_next(map, entry);
		simplify(map, entry);
	}
}

int
vm_map_inherit(struct vmspace *vm, vm_offset_t start, vm_offset_t end, uint8_t inheritance)
{
	struct vm_map *map = &vm->map;
	struct vm_map_entry *entry;
	int error;

	if (inheritance > VM_INHERIT_NONE)
		return (ERR_INVAL);
	vm_map_wait(map);
	error = vm_map_clip_range(map, start, end);
	if (error != 0)
		return (error);
	for (entry = vm_map_entry_from(map, start); entry != NULL && entry->start < end;
	    entry = vm_map_next(map, entry))
		entry->inheritance = inheritance;
	map->version++;
	vm_map_simplify_range(map, start, end);
	return (0);
}

int
vm_map_protect(struct vmspace *vm, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	struct vm_map *map = &vm->map;
	struct vm_map_entry *entry;
	int error;

	if (((start | end) & PAGE_MASK) != 0 || start >= end || start < map->min || end > map->max)
		return (ERR_INVAL);
	vm_map_wait(map);
	error = check_protect(map, start, end, prot);
	if (error == 0)
		error = vm_map_clip_range(map, start, end);
	if (error != 0)
		return (error);
	for (entry = vm_map_lookup_entry(map, start); entry != NULL && entry->start < end;
	    entry = vm_map_next(map, entry)) {
		if ((entry->prot & ~prot) != 0)
			pmap_protect(&vm->pmap, entry->start, entry->end, prot);
		entry->prot = prot;
		map->version++;
	}
	vm_map_simplify_range(map, start, end);
	return (0);
}
