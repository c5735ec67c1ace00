/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which slot holds page (object, pindex): one record a slot.
 *
 *   bucket[hash(object, pindex)] -> record -> record     found by look-up
 *   object->swap_first -> record <-> record <-> (circle) found by teardown
 *   record[slot +- 1]                                    neighbours on the device
 *
 * Records name each other by slot number. Indexes that follow each other in an
 * object hash to buckets that follow each other, so one object alone never collides.
 * The table of buckets is the one that came with the largest area there is.
 *
 * Owns: records and buckets; swap_first and swap_count of every object.
 * Does not: allocate or free slots (swap_pager_area), do I/O.
 * Invariants:
 *   K1 a record is in use exactly while it is in its bucket's chain and in its
 *      object's circle;
 *   K2 (object, pindex) has at most one slot;
 *   K3 swap_count is the length of the object's circle; swap_first is one of it;
 *   K4 only swap objects own slots;
 *   K5 areas are numbered densely, but for those removed; each has one slot at least
 *      and 2^24 at most; one is removed without slots in use.
 * Yields: never.
 * Complexity: all O(1) expected; swap_map_pop see swap_map.h.
 * See: docs/decisions/0002-swap-records-in-ram.md.
 */
#include "mm/swap_map.h"

#include <string.h>

#include "mm/swap_pager.h"

struct swap_record {
	struct vm_object *object; /* NULL: not in use */
	vm_pindex_t pindex;
	uint32_t crc;
	uint32_t hash_next;       /* slot, SWAP_SLOT_NONE ends the chain */
	uint32_t chain_next;      /* slots of the same object, a circle */
	uint32_t chain_prev;
};

struct swap_map_area {
	struct swap_record *records;
	uint32_t slot_count;
};

static struct swap_map_area areas[SWAP_AREAS_MAX];
static uint32_t area_count; /* numbers in use or used once */
static uint32_t bucket_area; /* whose storage the buckets are in */
static uint32_t *buckets;    /* slots */
static uint32_t bucket_mask; /* number of buckets - 1 */

static inline struct swap_record *
record_of(uint32_t slot)
{
	return (&areas[SWAP_SLOT_AREA(slot)].records[SWAP_SLOT_INDEX(slot)]);
}

static inline uint32_t *
bucket_of(const struct vm_object *object, vm_pindex_t pindex)
{
	return (&buckets[(object->id * 0x9e3779b1u + pindex) & bucket_mask]);
}

static uint32_t
bucket_count_for(uint32_t slot_count)
{
	uint32_t count = 64;

	while (count < slot_count)
		count *= 2;
	return (count);
}

void
swap_map_init(void)
{
	memset(areas, 0, sizeof(areas));
	area_count = 0;
	buckets = NULL;
	bucket_mask = 0;
}

vm_size_t
swap_map_record_bytes(uint32_t slot_count)
{
	return ((vm_size_t)slot_count * sizeof(struct swap_record) +
	    (vm_size_t)bucket_count_for(slot_count) * sizeof(uint32_t));
}

/* Put every record in use into a new, empty table of buckets. */
static void
rehash(void)
{
	struct swap_record *r;
	uint32_t area, i, *bucket;

	for (area = 0; area < area_count; area++) {
		for (i = 0; i < areas[area].slot_count; i++) {
			r = &areas[area].records[i];
			if (r->object == NULL)
				continue;
			bucket = bucket_of(r->object, r->pindex);
			r->hash_next = *bucket;
			*bucket = SWAP_SLOT(area, i);
		}
	}
}

/* The buckets of area, which are empty, from now on. */
static void
use_buckets_of(uint32_t area)
{
	uint32_t slot_count = areas[area].slot_count;

	bucket_area = area;
	buckets = (uint32_t *)(void *)&areas[area].records[slot_count];
	bucket_mask = bucket_count_for(slot_count) - 1;
	rehash();
}

void
swap_map_add_area(uint32_t area, uint32_t slot_count, void *records)
{
	KASSERT(area <= area_count && area < SWAP_AREAS_MAX && areas[area].records == NULL,
	    "K5: areas are numbered densely");
	KASSERT(slot_count > 0 && slot_count <= 1u << 24, "K5: size of an area");
	memset(records, 0, swap_map_record_bytes(slot_count));
	areas[area] = (struct swap_map_area){ records, slot_count };
	if (area == area_count)
		area_count++;
	if (buckets == NULL || bucket_count_for(slot_count) > bucket_mask + 1)
		use_buckets_of(area);
}

void
swap_map_remove_area(uint32_t area)
{
	struct swap_map_area *old = &areas[area];
	uint32_t i, largest = SWAP_AREAS_MAX;

	for (i = 0; i < old->slot_count; i++)
		KASSERT(old->records[i].object == NULL, "K5: a removed area has no slots in use");
	*old = (struct swap_map_area){ NULL, 0 };
	if (area != bucket_area)
		return;
	for (i = 0; i < area_count; i++)
		if (areas[i].records != NULL && (largest == SWAP_AREAS_MAX ||
		    areas[i].slot_count > areas[largest].slot_count))
			largest = i;
	buckets = NULL;
	bucket_mask = 0;
	if (largest == SWAP_AREAS_MAX)
		return;
	memset(&areas[largest].records[areas[largest].slot_count], 0,
	    bucket_count_for(areas[largest].slot_count) * sizeof(uint32_t));
	use_buckets_of(largest);
}

uint32_t
swap_map_lookup(const struct vm_object *object, vm_pindex_t pindex)
{
	const struct swap_record *r;
	uint32_t slot;

	if (object->swap_count == 0)
		return (SWAP_SLOT_NONE);
	for (slot = *bucket_of(object, pindex); slot != SWAP_SLOT_NONE; slot = r->hash_next) {
		r = record_of(slot);
		if (r->object == object && r->pindex == pindex)
			return (slot);
	}
	return (SWAP_SLOT_NONE);
}

bool
swap_map_holds(uint32_t slot, const struct vm_object *object, vm_pindex_t pindex)
{
	const struct swap_record *r;

	if (SWAP_SLOT_AREA(slot) >= area_count ||
	    SWAP_SLOT_INDEX(slot) >= areas[SWAP_SLOT_AREA(slot)].slot_count)
		return (false);
	r = record_of(slot);
	return (r->object == object && r->pindex == pindex);
}

/* ---- taking out */

static void
hash_unlink(uint32_t slot, const struct swap_record *r)
{
	uint32_t *link = bucket_of(r->object, r->pindex);

	while (*link != slot) {
		KASSERT(*link != SWAP_SLOT_NONE, "K1: a record in use is in its bucket");
		link = &record_of(*link)->hash_next;
	}
	*link = r->hash_next;
}

static void
forget(uint32_t slot)
{
	struct swap_record *r = record_of(slot);
	struct vm_object *object = r->object;

	KASSERT(object->swap_count > 0, "K3: the owner counts its slots");
	hash_unlink(slot, r);
	record_of(r->chain_prev)->chain_next = r->chain_next;
	record_of(r->chain_next)->chain_prev = r->chain_prev;
	if (object->swap_first == slot)
		object->swap_first = r->chain_next;
	if (--object->swap_count == 0)
		object->swap_first = SWAP_SLOT_NONE;
	r->object = NULL;
}

uint32_t
swap_map_clear(struct vm_object *object, vm_pindex_t pindex)
{
	uint32_t slot = swap_map_lookup(object, pindex);

	if (slot != SWAP_SLOT_NONE)
		forget(slot);
	return (slot);
}

uint32_t
swap_map_first(struct vm_object *object, vm_pindex_t start, vm_pindex_t end, vm_pindex_t *pindex)
{
	const struct swap_record *r;
	uint32_t left;

	/* What does not match is passed for good: the circle's beginning moves on. */
	for (left = object->swap_count; left > 0; left--) {
		r = record_of(object->swap_first);
		if (r->pindex >= start && r->pindex < end) {
			*pindex = r->pindex;
			return (object->swap_first);
		}
		object->swap_first = r->chain_next;
	}
	return (SWAP_SLOT_NONE);
}

uint32_t
swap_map_pop(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t pindex;
	uint32_t slot = swap_map_first(object, start, end, &pindex);

	if (slot != SWAP_SLOT_NONE)
		forget(slot);
	return (slot);
}

/* ---- putting in */

static void
chain_insert(struct vm_object *object, uint32_t slot, struct swap_record *r)
{
	struct swap_record *first;

	if (object->swap_count++ == 0) {
		object->swap_first = r->chain_next = r->chain_prev = slot;
		return;
	}
	first = record_of(object->swap_first);
	r->chain_next = object->swap_first;
	r->chain_prev = first->chain_prev;
	record_of(first->chain_prev)->chain_next = slot;
	first->chain_prev = slot;
}

uint32_t
swap_map_assign(struct vm_object *object, vm_pindex_t pindex, uint32_t slot, uint32_t crc)
{
	struct swap_record *r = record_of(slot);
	uint32_t replaced = swap_map_clear(object, pindex);
	uint32_t *bucket = bucket_of(object, pindex);

	KASSERT(object->type == OBJT_SWAP, "K4: only swap objects own slots");
	KASSERT(r->object == NULL, "K2: an assigned slot was free");
	r->object = object;
	r->pindex = pindex;
	r->crc = crc;
	r->hash_next = *bucket;
	*bucket = slot;
	chain_insert(object, slot, r);
	return (replaced);
}

uint32_t
swap_map_crc(uint32_t slot)
{
	return (record_of(slot)->crc);
}

bool
swap_map_owner(uint32_t slot, struct vm_object **object, vm_pindex_t *pindex)
{
	const struct swap_record *r = record_of(slot);

	if (r->object == NULL)
		return (false);
	*object = r->object;
	*pindex = r->pindex;
	return (true);
}
