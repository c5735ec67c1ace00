/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones of equal-sized kernel objects in pool pages. A slab is one page; an empty
 * slab goes back to the pool. Public.
 */
#ifndef MM_UMA_H
#define MM_UMA_H

#include <sys/queue.h>

#include "mm/vm_page.h"

struct uma_slab;

struct uma_zone {
	const char *name;
	uint32_t item_bytes;      /* rounded up to 16 */
	uint32_t items_per_slab;
	uint32_t used_items;
	uint32_t slab_pages;
	LIST_HEAD(, uma_slab) partial; /* slabs with a free item */
	LIST_HEAD(, uma_slab) full;
	SLIST_ENTRY(uma_zone) all_link;
};

/* item_bytes <= 2016. A zone set up again starts empty (host tests boot repeatedly). */
void uma_zone_init(struct uma_zone *zone, const char *name, uint32_t item_bytes);
/* Zeroed item; NULL when the pool refuses a page of class req (VM_ALLOC_*).
 * Never yields. */
void *uma_zalloc(struct uma_zone *zone, uint32_t req);
void uma_zfree(struct uma_zone *zone, void *item);
/* Walk the zone's slabs and verify counts and chains (vm_check). Never yields. */
bool uma_zone_check(const struct uma_zone *zone);
/* All zones, for the monitor; NULL = first. */
struct uma_zone *uma_zone_next(struct uma_zone *prev);

#endif
