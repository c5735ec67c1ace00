/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones: kernel objects of one size, in wired pages of the pool.
 *
 *   page:  | struct uma_slab | item | item | ... | item |
 *
 * Free items of a slab are chained through their first bytes. An item's slab is
 * found by rounding its address down to the page.
 *
 *               uma_zalloc            last item taken
 *   (none) --> PARTIAL <-----------------------------> FULL
 *     ^         |   ^ uma_zalloc      uma_zfree
 *     |         v   | last item freed
 *     +------- EMPTY     uma_reclaim; at once beyond UMA_EMPTY_MAX or below free_min
 *
 * Owns: slab pages and every list in struct uma_zone.
 * Does not: sleep; run constructors.
 * Invariants:
 *   U1 a slab is on full without a free item, on empty without a used one, else on
 *      partial;
 *   U2 a slab's free chain has items_per_slab - used items, all inside its page;
 *   U3 an item freed was allocated from this zone and is in use;
 *   U4 an item fits a page beside the slab header;
 *   U5 a zone keeps at most UMA_EMPTY_MAX empty slabs.
 * Yields: never.
 * Complexity: O(1); uma_reclaim O(zones).
 * See: kern/uma.h, mm/uma.h; contract 1.17.
 */
#include "mm/uma.h"

#include <string.h>

#include "mm/vm_meter.h"

#define SLAB_HEADER_BYTES 64u
_Static_assert(UMA_ITEM_BYTES_MAX == PAGE_SIZE - SLAB_HEADER_BYTES, "U4: the largest item");
_Static_assert(UMA_NORMAL == VM_ALLOC_NORMAL && UMA_SYSTEM == VM_ALLOC_SYSTEM,
    "classes are those of pages");

struct uma_item {
	struct uma_item *next;
};

struct uma_slab {
	LIST_ENTRY(uma_slab) link;
	struct uma_zone *zone;
	struct vm_page *page;
	struct uma_item *free;
	uint32_t used;
};
_Static_assert(sizeof(struct uma_slab) <= SLAB_HEADER_BYTES, "slab header");

static SLIST_HEAD(, uma_zone) zones = SLIST_HEAD_INITIALIZER(zones);

void
uma_startup(void)
{
	SLIST_INIT(&zones);
}

void
uma_zone_init(struct uma_zone *zone, const char *name, uint32_t item_bytes)
{
	struct uma_zone *z;

	KASSERT(item_bytes > 0 && item_bytes <= UMA_ITEM_BYTES_MAX, "U4: an item fits a slab");
	SLIST_FOREACH(z, &zones, all_link)
		if (z == zone)
			SLIST_REMOVE(&zones, zone, uma_zone, all_link);
	*zone = (struct uma_zone){ .name = name, .item_bytes = (item_bytes + 15) & ~15u };
	zone->items_per_slab = (PAGE_SIZE - SLAB_HEADER_BYTES) / zone->item_bytes;
	SLIST_INSERT_HEAD(&zones, zone, all_link);
}

struct uma_zone *
uma_zone_next(struct uma_zone *prev)
{
	return (prev == NULL ? SLIST_FIRST(&zones) : SLIST_NEXT(prev, all_link));
}

static struct uma_slab *
slab_add(struct uma_zone *zone, uint32_t class)
{
	struct vm_page *m = vm_page_alloc(NULL, 0,
	    class | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
	struct uma_slab *slab;
	struct uma_item *item;
	uint32_t i;

	if (m == NULL)
		return (NULL);
	slab = vm_page_address(m);
	*slab = (struct uma_slab){ .zone = zone, .page = m };
	for (i = zone->items_per_slab; i-- > 0;) {
		item = (void *)((char *)slab + SLAB_HEADER_BYTES + i * zone->item_bytes);
		item->next = slab->free;
		slab->free = item;
	}
	zone->slab_pages++;
	LIST_INSERT_HEAD(&zone->partial, slab, link);
	return (slab);
}

/* A slab with a free item, on partial; NULL if the pool refuses a page. */
static struct uma_slab *
slab_for_alloc(struct uma_zone *zone, uint32_t class)
{
	struct uma_slab *slab = LIST_FIRST(&zone->partial);

	if (slab != NULL)
		return (slab);
	slab = LIST_FIRST(&zone->empty);
	if (slab == NULL)
		return (slab_add(zone, class));
	LIST_REMOVE(slab, link);
	zone->empty_slabs--;
	LIST_INSERT_HEAD(&zone->partial, slab, link);
	return (slab);
}

void *
uma_zalloc(struct uma_zone *zone, uint32_t req)
{
	struct uma_slab *slab = slab_for_alloc(zone, req & VM_ALLOC_CLASS);
	struct uma_item *item;

	if (slab == NULL) {
		zone->refusals++;
		return (NULL);
	}
	item = slab->free;
	slab->free = item->next;
	slab->used++;
	zone->used_items++;
	zone->allocs++;
	if (slab->free == NULL) {
		LIST_REMOVE(slab, link);
		LIST_INSERT_HEAD(&zone->full, slab, link);
	}
	memset(item, 0, zone->item_bytes);
	return (item);
}

static void
slab_release(struct uma_zone *zone, struct uma_slab *slab)
{
	struct vm_page *m = slab->page;

	LIST_REMOVE(slab, link);
	zone->slab_pages--;
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
}

/* The last item of slab, which is on partial, has been freed. */
static void
slab_emptied(struct uma_zone *zone, struct uma_slab *slab)
{
	if (zone->empty_slabs >= UMA_EMPTY_MAX || vm_page_count_min(vm_domain_of(slab->page))) {
		slab_release(zone, slab);
		return;
	}
	LIST_REMOVE(slab, link);
	LIST_INSERT_HEAD(&zone->empty, slab, link);
	zone->empty_slabs++;
}

void
uma_zfree(struct uma_zone *zone, void *address)
{
	struct uma_slab *slab = (void *)trunc_page((uintptr_t)address);
	struct uma_item *item = address;

	KASSERT(slab->zone == zone && slab->used > 0, "U3: item belongs to this zone");
	KASSERT(((uintptr_t)address - (uintptr_t)slab - SLAB_HEADER_BYTES) % zone->item_bytes == 0,
	    "U3: address is the start of an item");
	if (slab->free == NULL) {
		LIST_REMOVE(slab, link);
		LIST_INSERT_HEAD(&zone->partial, slab, link);
	}
	item->next = slab->free;
	slab->free = item;
	slab->used--;
	zone->used_items--;
	if (slab->used == 0)
		slab_emptied(zone, slab);
}

uint32_t
uma_reclaim(void)
{
	struct uma_zone *zone;
	struct uma_slab *slab;
	uint32_t pages = 0;

	SLIST_FOREACH(zone, &zones, all_link) {
		while ((slab = LIST_FIRST(&zone->empty)) != NULL) {
			zone->empty_slabs--;
			zone->reclaimed_pages++;
			slab_release(zone, slab);
			pages++;
		}
	}
	return (pages);
}

/* Count partial or full slabs' items; -1 if a chain or a back pointer is wrong. */
static int64_t
slab_check(const struct uma_zone *zone, const struct uma_slab *slab)
{
	const struct uma_item *item;
	uint32_t free_items = 0;

	if (slab->zone != zone || slab->page->wire_count != 1)
		return (-1);
	for (item = slab->free; item != NULL; item = item->next) {
		if (trunc_page((uintptr_t)item) != (uintptr_t)slab ||
		    ++free_items > zone->items_per_slab)
			return (-1);
	}
	return (free_items + slab->used == zone->items_per_slab ? (int64_t)slab->used : -1);
}

/* Verify the slabs on list, each with min to max items in use: how many slabs there
 * are, or UINT32_MAX; their items are added to *items. */
static uint32_t
list_check(const struct uma_zone *zone, const struct uma_slab_list *list, const uint32_t range[2],
    uint64_t *items)
{
	const struct uma_slab *slab;
	uint32_t slabs = 0;
	int64_t used;

	LIST_FOREACH(slab, list, link) {
		used = slab_check(zone, slab);
		if (used < range[0] || used > range[1] || ++slabs > zone->slab_pages)
			return (UINT32_MAX);
		*items += (uint64_t)used;
	}
	return (slabs);
}

bool
uma_zone_check(const struct uma_zone *zone)
{
	const uint32_t none[] = { 0, 0 }, all[] = { zone->items_per_slab, zone->items_per_slab };
	const uint32_t some[] = { 1, zone->items_per_slab - 1 };
	uint64_t items = 0;
	uint32_t partial = list_check(zone, &zone->partial, some, &items);
	uint32_t full = list_check(zone, &zone->full, all, &items);
	uint32_t empty = list_check(zone, &zone->empty, none, &items);

	if (partial == UINT32_MAX || full == UINT32_MAX || empty != zone->empty_slabs)
		return (false); /* U1 */
	return (partial + full + empty == zone->slab_pages && items == zone->used_items &&
	    empty <= UMA_EMPTY_MAX);
}
