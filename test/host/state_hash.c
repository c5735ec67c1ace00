/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a small world as one number.
 *
 * What is left out: the order of queues, act_count, numbers of frames and slots. Values
 * and objects count by the order in which they are met, so that states that differ in
 * names only are one.
 *
 * Owns: nothing.
 * Does not: change anything.
 * Invariants:
 *   G1 at most OBJECTS_MAX objects are met.
 * Yields: never.
 * See: test/host/state_hash.h; test/model/exhaustive.c.
 */
#include "test/host/state_hash.h"

#include "mm/swap_map.h"
#include "mm/vm_map.h"
#include "test/host/sim_pmap.h"

#define OBJECTS_MAX 64u

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return (hash ^ hash >> 29);
}

/* Values are told apart by the order in which they are met. */
struct renaming {
	uint8_t met[256];
	uint32_t count;
	const struct vm_object *objects[OBJECTS_MAX];
	uint32_t object_count;
	const struct sim_disk *disk; /* of the slots */
};

static uint32_t
value_name(struct renaming *r, uint8_t value)
{
	if (value != 0 && r->met[value] == 0)
		r->met[value] = (uint8_t)++r->count;
	return (r->met[value]);
}

static uint32_t
object_name(struct renaming *r, const struct vm_object *object)
{
	uint32_t i;

	for (i = 0; i < r->object_count; i++)
		if (r->objects[i] == object)
			return (i);
	KASSERT(r->object_count < OBJECTS_MAX, "G1: the world is small");
	r->objects[r->object_count++] = object;
	return (i);
}

static uint64_t
hash_page(uint64_t hash, struct renaming *r, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);
	uint32_t slot = swap_map_lookup(object, pindex);
	uint64_t facts = slot != SWAP_SLOT_NONE;

	if (slot != SWAP_SLOT_NONE)
		facts |= (uint64_t)value_name(r, r->disk->bytes[(uint64_t)SWAP_SLOT_INDEX(slot) *
		    PAGE_SIZE]) << 8;
	if (vm_page_is_cached(object, pindex))
		facts |= 2;
	if (m != NULL)
		facts |= 4 | (m->dirty != 0) << 3 | (uint64_t)m->queue << 16 |
		    (uint64_t)m->flags << 24 | (uint64_t)m->aflags << 32 | (uint64_t)m->busy << 33 |
		    (uint64_t)value_name(r, *(uint8_t *)vm_page_address(m)) << 48;
	return (mix(hash, facts));
}

static uint64_t
hash_chain(uint64_t hash, struct renaming *r, struct vm_object *object)
{
	uint32_t before;
	vm_pindex_t i;

	for (; object != NULL; object = object->backing_object) {
		before = r->object_count;
		hash = mix(hash, object_name(r, object));
		if (before == r->object_count)
			return (hash); /* from here on it is known */
		hash = mix(hash, (uint64_t)object->type | object->flags << 4 |
		    (uint64_t)object->ref_count << 16 | (uint64_t)object->shadow_count << 24 |
		    (uint64_t)object->size_pages << 32 | (uint64_t)object->backing_offset << 48);
		for (i = 0; i < object->size_pages; i++)
			hash = hash_page(hash, r, object, i);
	}
	return (hash);
}

static uint64_t
hash_space(uint64_t hash, struct renaming *r, struct vmspace *vm)
{
	struct vm_map_entry *entry;
	struct sim_mapping *map;
	vm_offset_t va;

	for (entry = vm_map_next(&vm->map, NULL); entry != NULL;
	    entry = vm_map_next(&vm->map, entry)) {
		hash = mix(hash, entry->start ^ entry->end << 16 ^ (uint64_t)entry->flags << 56 ^
		    (uint64_t)entry->offset << 40);
		hash = hash_chain(hash, r, entry->object);
		for (va = entry->start; va < entry->end; va += PAGE_SIZE) {
			map = sim_pmap_find(&vm->pmap, va);
			hash = mix(hash, map == NULL ? 0 : 1u | map->prot << 1 |
			    (uint32_t)map->accessed << 5 | (uint32_t)map->modified << 6);
		}
	}
	return (hash);
}

uint64_t
state_hash(struct vmspace *const *spaces, uint32_t count, const struct sim_disk *disk,
    uint64_t seed)
{
	struct renaming r = { .disk = disk };
	uint64_t hash = mix(0, seed);
	uint32_t i;

	for (i = 0; i < count; i++)
		hash = hash_space(hash, &r, spaces[i]);
	return (hash);
}
