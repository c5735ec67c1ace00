/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with mm: zones of equal-sized kernel objects in pages of the pool.
 *
 * The layers below and beside mm (fs, proc) keep their objects in zones too, so
 * the header lies here; mm/uma.c implements it. A slab is one page. An empty slab
 * is kept for the next allocation, a few a zone, until memory is short.
 */
#ifndef KERN_UMA_H
#define KERN_UMA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct uma_slab;
LIST_HEAD(uma_slab_list, uma_slab);

#define UMA_ITEM_BYTES_MAX 4032u /* one item a slab; beside the slab's header */
#define UMA_EMPTY_MAX      2u    /* empty slabs that a zone keeps */

/* How urgent an allocation is: the classes of contract 0.4 (VM_ALLOC_*). */
#define UMA_NORMAL 0u
#define UMA_SYSTEM 1u

struct uma_zone {
	const char *name;
	uint32_t item_bytes;      /* rounded up to 16 */
	uint32_t items_per_slab;
	uint32_t used_items;
	uint32_t slab_pages;      /* of these empty_slabs have no item in use */
	uint32_t empty_slabs;
	uint64_t allocs;          /* items handed out so far */
	uint64_t refusals;        /* uma_zalloc calls that returned NULL */
	uint64_t reclaimed_pages; /* empty slabs that uma_reclaim gave back */
	struct uma_slab_list partial; /* slabs with a free item and a used one */
	struct uma_slab_list full;
	struct uma_slab_list empty;
	SLIST_ENTRY(uma_zone) all_link;
};

/* item_bytes <= UMA_ITEM_BYTES_MAX. A zone set up again starts empty (host tests
 * boot repeatedly). Never yields. */
void uma_zone_init(struct uma_zone *zone, const char *name, uint32_t item_bytes);
/* Zeroed item; NULL when the pool refuses a page of class req (UMA_*).
 * Never yields. */
void *uma_zalloc(struct uma_zone *zone, uint32_t req);
void uma_zfree(struct uma_zone *zone, void *item);
/* All zones, for the monitor; NULL = first. */
struct uma_zone *uma_zone_next(struct uma_zone *prev);

#endif
