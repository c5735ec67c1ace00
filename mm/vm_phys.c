/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical segments, the page array, and buddy lists of free frames.
 *
 * A free block is 2^order frames at a physical address that is a multiple of its
 * size; its head carries the order and hangs in a doubly linked list of its domain
 * and order (links in the page's tree node: child[0] next, child[1] previous).
 * Freeing merges a block with its buddy as long as that one is free and whole.
 *
 * Owns: vm_page_array, the segments, PG_FREE, order, segment, domain and frame of
 *   every page, and v_page_count and v_free_count of every domain.
 * Does not: know allocation classes, thresholds or waiters (vm_page, vm_meter).
 * Invariants:
 *   F1 a page has PG_FREE exactly while its block is on a free list;
 *   F2 only the head of a free block has order < VM_PHYS_ORDERS;
 *   F3 v_free_count is the number of frames on the domain's lists;
 *   F4 a block is naturally aligned and lies inside one segment;
 *   F5 no two free buddies of equal order exist below the largest order;
 *   F6 segments are page aligned and do not overlap.
 * Yields: never.
 * Complexity: alloc and free O(VM_PHYS_ORDERS) at worst; order 0 mostly O(1).
 * See: mm/vm_phys.h; Knuth, TAOCP 1, 2.5 (buddy system).
 */
#include "mm/vm_phys.h"

#include <string.h>

#include "kern/machdep.h"
#include "mm/vm_meter.h"

#define ORDER_NONE 0xff
#define NEXT RB32_LEFT
#define PREV RB32_RIGHT

struct vm_phys_segment {
	uint32_t first_frame; /* physical address / PAGE_SIZE */
	uint32_t end_frame;   /* exclusive */
	uint32_t first_page;  /* page number of first_frame */
	uint32_t domain;
};

struct vm_page *vm_page_array;
uint32_t vm_page_array_count;

static uint32_t array_capacity;
static struct vm_phys_segment segments[VM_PHYS_SEGMENTS_MAX];
static uint32_t segment_count;
static uint32_t heads[VM_DOMAINS_MAX][VM_PHYS_ORDERS];
static uint32_t nonempty[VM_DOMAINS_MAX]; /* bit per order */

vm_size_t
vm_phys_array_bytes(uint32_t page_count)
{
	return (((vm_size_t)VM_PAGE_FIRST + page_count) * sizeof(struct vm_page));
}

void
vm_phys_init(void *array, uint32_t page_count)
{
	uint32_t i;

	vm_page_array = array;
	array_capacity = VM_PAGE_FIRST + page_count;
	vm_page_array_count = VM_PAGE_FIRST;
	memset(array, 0, vm_phys_array_bytes(0));
	for (i = 0; i < VM_PAGE_FIRST; i++) {
		vm_page_array[i].queue = PQ_NONE;
		vm_page_array[i].order = ORDER_NONE;
	}
	segment_count = 0;
	memset(heads, 0, sizeof(heads));
	memset(nonempty, 0, sizeof(nonempty));
	vm_meter_init();
}

static inline void
list_insert(struct vm_page *m, uint32_t order)
{
	uint32_t n = vm_page_number(m), *head = &heads[m->domain][order];

	m->order = (uint8_t)order;
	m->tree.child[NEXT] = *head;
	m->tree.child[PREV] = VM_PAGE_NONE;
	if (*head != VM_PAGE_NONE)
		vm_page_array[*head].tree.child[PREV] = n;
	*head = n;
	nonempty[m->domain] |= 1u << order;
}

static inline void
list_remove(struct vm_page *m, uint32_t order)
{
	uint32_t next = m->tree.child[NEXT], prev = m->tree.child[PREV];
	uint32_t *head = &heads[m->domain][order];

	if (next != VM_PAGE_NONE)
		vm_page_array[next].tree.child[PREV] = prev;
	if (prev != VM_PAGE_NONE)
		vm_page_array[prev].tree.child[NEXT] = next;
	else if ((*head = next) == VM_PAGE_NONE)
		nonempty[m->domain] &= ~(1u << order);
	m->tree.child[NEXT] = m->tree.child[PREV] = VM_PAGE_NONE;
	m->order = ORDER_NONE;
}

int
vm_phys_add_segment(vm_paddr_t start, vm_paddr_t end, uint32_t domain)
{
	uint32_t pages = (uint32_t)atop(end - start), i, order;
	uint32_t first = vm_page_array_count;
	struct vm_page *m = &vm_page_array[first];

	KASSERT((start & PAGE_MASK) == 0 && (end & PAGE_MASK) == 0 && start < end,
	    "F6: segment is page aligned");
	if (segment_count == VM_PHYS_SEGMENTS_MAX || pages > array_capacity - first)
		return (ERR_NOSPC);
	vm_meter_add_domain(domain);
	segments[segment_count] = (struct vm_phys_segment){ .first_frame = (uint32_t)atop(start),
		.end_frame = (uint32_t)atop(end), .first_page = first, .domain = domain };
	memset(m, 0, pages * sizeof(*m));
	for (i = 0; i < pages; i++) {
		m[i].frame = (uint32_t)atop(start) + i;
		m[i].queue = PQ_NONE;
		m[i].order = ORDER_NONE;
		m[i].segment = (uint8_t)segment_count;
		m[i].domain = (uint8_t)domain;
	}
	segment_count++;
	vm_page_array_count += pages;
	vm_domains[domain].v_page_count += pages;
	for (i = 0; i < pages; i += 1u << order) {
		order = VM_PHYS_ORDERS - 1;
		while ((m[i].frame & ((1u << order) - 1)) != 0 || pages - i < 1u << order)
			order--;
		vm_phys_free(&m[i], order);
	}
	return (0);
}

struct vm_page *
PHYS_TO_VM_PAGE(vm_paddr_t pa)
{
	uint64_t frame = atop(pa);
	const struct vm_phys_segment *s;

	for (s = segments; s < segments + segment_count; s++)
		if (frame >= s->first_frame && frame < s->end_frame)
			return (&vm_page_array[s->first_page + (frame - s->first_frame)]);
	return (NULL);
}

void *
vm_page_address(const struct vm_page *m)
{
	return (phys_to_virt(VM_PAGE_TO_PHYS(m)));
}

struct vm_page *
vm_phys_alloc(uint32_t domain, uint32_t order)
{
	uint32_t usable = nonempty[domain] & (~0u << order), have, i;
	struct vm_page *m;

	if (usable == 0)
		return (NULL);
	have = (uint32_t)__builtin_ctz(usable);
	m = vm_page_of(heads[domain][have]);
	list_remove(m, have);
	while (have > order) {
		have--;
		list_insert(m + (1u << have), have);
	}
	for (i = 0; i < 1u << order; i++)
		m[i].flags &= (uint8_t)~PG_FREE;
	vm_domains[domain].v_free_count -= 1u << order;
	return (m);
}

/* The buddy of m's block, if it is free and whole. */
static inline struct vm_page *
free_buddy(struct vm_page *m, uint32_t order)
{
	const struct vm_phys_segment *s = &segments[m->segment];
	uint32_t frame = m->frame ^ (1u << order);
	struct vm_page *buddy;

	if (frame < s->first_frame || frame + (1u << order) > s->end_frame)
		return (NULL);
	buddy = &vm_page_array[s->first_page + (frame - s->first_frame)];
	return (buddy->order == order ? buddy : NULL);
}

void
vm_phys_free(struct vm_page *m, uint32_t order)
{
	struct vm_page *buddy;
	uint32_t i;

	KASSERT(order < VM_PHYS_ORDERS && (m->frame & ((1u << order) - 1)) == 0,
	    "F4: block is naturally aligned");
	for (i = 0; i < 1u << order; i++) {
		KASSERT((m[i].flags & PG_FREE) == 0, "F1: freed frame is not free already");
		m[i].flags |= PG_FREE;
	}
	vm_domains[m->domain].v_free_count += 1u << order;
	while (order < VM_PHYS_ORDERS - 1 && (buddy = free_buddy(m, order)) != NULL) {
		list_remove(buddy, order);
		if (buddy < m)
			m = buddy;
		order++;
	}
	list_insert(m, order);
}

uint32_t
vm_phys_free_blocks(uint32_t domain, uint32_t order)
{
	uint32_t n, count = 0;

	for (n = heads[domain][order]; n != VM_PAGE_NONE; n = vm_page_array[n].tree.child[NEXT])
		count++;
	return (count);
}
