/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vm_map.c and vm_map_range.c share; nobody else includes it.
 */
#ifndef MM_VM_MAP_INTERNAL_H
#define MM_VM_MAP_INTERNAL_H

#include "mm/vm_map.h"

/* The entry with the smallest end > va: it holds va or is the next one; or NULL. */
struct vm_map_entry *vm_map_entry_from(struct vm_map *map, vm_offset_t va);
/* The entry before this one in address order, or NULL. */
struct vm_map_entry *vm_map_prev(struct vm_map *map, struct vm_map_entry *entry);

/* A zeroed entry for map, or NULL: without memory, or because there are too many
 * (vm.max_map_entries); and back. */
struct vm_map_entry *vm_map_entry_create(const struct vm_map *map);
void vm_map_entry_dispose(struct vm_map_entry *entry);

/* Wait until no other task has locked the map: called before entries are taken out or
 * joined, by whoever does not lock it himself. May yield. */
static inline void
vm_map_wait(struct vm_map *map)
{
	if (sleep_lock_held(&map->lock))
		sleep_lock_wait(&map->lock);
}

/*
 * Sleep for memory by wait, a vm_wait; if the caller has locked the map (wiring, fork), it is
 * unlocked meanwhile: the OOM killer passes by a locked map, and this may be the one program
 * that it should choose. Its entries stay as they are: only the program itself changes them,
 * others that lock the map look. May yield.
 */
static inline void
vm_map_wait_memory(struct vm_map *map, void (*wait)(void))
{
	bool locked = sleep_lock_owned(&map->lock);

	if (locked)
		sleep_lock_release(&map->lock);
	wait();
	if (locked)
		sleep_lock_acquire(&map->lock);
}

/* Into and out of the tree: counts, sizes, version and hint follow. */
void vm_map_entry_link(struct vm_map *map, struct vm_map_entry *entry);
void vm_map_entry_unlink(struct vm_map *map, struct vm_map_entry *entry);

/* Split the entries at start and at end. ERR_INVAL (not page aligned, empty, outside
 * the map), ERR_NOMEM (an entry may have been split). Does not yield. */
int vm_map_clip_range(struct vm_map *map, vm_offset_t start, vm_offset_t end) ERR_MUST_CHECK;
/* Join neighbours in and around [start, end) that say the same. Does not yield. */
void vm_map_simplify_range(struct vm_map *map, vm_offset_t start, vm_offset_t end);

/* ---- vm_map_wire.c */
/* Count pages as wired: 0, ERR_NOMEM (the map's limit), ERR_AGAIN (vm.max_wired); and
 * back. Does not yield. */
int vm_map_wire_charge(struct vm_map *map, uint32_t pages) ERR_MUST_CHECK;
void vm_map_wire_uncharge(struct vm_map *map, uint32_t pages);
/* Let the pages of entry below end go. May yield: the map is locked, or entry is in none. */
void vm_map_entry_unwire(const struct vm_map_entry *entry, vm_offset_t end);
/* ERR_NOMEM: part of the range is not mapped, or (accessible) not to be read. */
int vm_map_check_mapped(struct vm_map *map, vm_offset_t start, vm_offset_t end,
    bool accessible) ERR_MUST_CHECK;

#endif
