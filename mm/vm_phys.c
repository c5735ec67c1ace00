/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical segments, the page array, and buddy lists of free frames.
 *
 * A free block is 2^order frames at a physical address that is a multiple of its
 * size; its head carries the order and hangs in a doubly linked list of its domain
 * and order (links in the page's tree node: child[0] next, child[1] previous).
 * Freeing merges a block with its buddy as long as that one is free and whole.
 * Single frames come and go all the time: up to HOT_FRAMES of them are kept apart,
 * unmerged, on a stack, which is refilled a block at a time.
 *
 * Owns: vm_page_array, the segments, PG_FREE, order, segment, domain and frame of
 *   every page, and v_page_count and v_free_count of every domain.
 * Does not: know allocation classes, thresholds or waiters (vm_page, vm_meter).
 * Invariants:
 *   F1 a page has PG_FREE exactly while its block is on a free list, or itself on
 *      the stack;
 *   F2 only the head of a free block has order < VM_PHYS_ORDERS, only a frame on the
 *      stack VM_PHYS_ORDER_HOT;
 *   F3 v_free_count is the number of frames on the domain's lists and stack;
 *   F4 a block is naturally aligned and lies inside one segment;
 *   F5 no two free buddies of equal order exist below the largest order;
 *   F6 segments are page aligned and do not overlap.
 * Yields: never.
 * Complexity: order 0 O(1) amortised; others O(VM_PHYS_ORDERS), and O(HOT_FRAMES)
 *   when the lists cannot serve.
 * See: mm/vm_phys.h; Knuth, TAOCP 1, 2.5 (buddy system).
 */
#include "mm/vm_phys.h"

#include <string.h>

#include "kern/machdep.h"
#include "mm/vm_meter.h"

#define ORDER_NONE   0xff
#define HOT_FRAMES   64u
#define REFILL_ORDER 4u /* the stack is refilled by blocks up to this size */
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

static struct free_area {
	uint32_t heads[VM_PHYS_ORDERS]; /* page numbers */
	uint32_t nonempty;              /* bit per order */
	uint32_t hot_count;
	uint32_t hot[HOT_FRAMES];       /* page numbers, top at the end */
} areas[VM_DOMAINS_MAX];

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
	memset(areas, 0, sizeof(areas));
	vm_meter_init();
}

static inline void
list_insert(struct free_area *area, struct vm_page *m, uint32_t order)
{
	uint32_t n = vm_page_number(m), next = area->heads[order];

	m->order = (uint8_t)order;
	m->tree.child[NEXT] = next;
	m->tree.child[PREV] = VM_PAGE_NONE;
	if (next != VM_PAGE_NONE)
		vm_page_array[next].tree.child[PREV] = n;
	area->heads[order] = n;
	area->nonempty |= 1u << order;
}

static inline void
list_remove(struct free_area *area, struct vm_page *m, uint32_t order)
{
	uint32_t next = m->tree.child[NEXT], prev = m->tree.child[PREV];

	if (next != VM_PAGE_NONE)
		vm_page_array[next].tree.child[PREV] = prev;
	if (prev != VM_PAGE_NONE)
		vm_page_array[prev].tree.child[NEXT] = next;
	else if ((area->heads[order] = next) == VM_PAGE_NONE)
		area->nonempty &= ~(1u << order);
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
	vm_phys_merge(domain);
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

/* A block of 2^order frames off the lists, still marked free. */
static struct vm_page *
block_take(struct free_area *area, uint32_t order)
{
	uint32_t usable = area->nonempty & (~0u << order), have;
	struct vm_page *m;

	if (usable == 0)
		return (NULL);
	have = (uint32_t)__builtin_ctz(usable);
	m = vm_page_of(area->heads[have]);
	list_remove(area, m, have);
	while (have > order) {
		have--;
		list_insert(area, m + (1u << have), have);
	}
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

/* Onto the lists, merged with what is free beside it. */
static void
block_put(struct free_area *area, struct vm_page *m, uint32_t order)
{
	struct vm_page *buddy;

	while (order < VM_PHYS_ORDERS - 1 && (buddy = free_buddy(m, order)) != NULL) {
		list_remove(area, buddy, order);
		if (buddy < m)
			m = buddy;
		order++;
	}
	list_insert(area, m, order);
}

void
vm_phys_merge(uint32_t domain)
{
	struct free_area *area = &areas[domain];
	struct vm_page *m;

	while (area->hot_count != 0) {
		m = &vm_page_array[area->hot[--area->hot_count]];
		m->order = ORDER_NONE;
		block_put(area, m, 0);
	}
}

static inline void
hot_push(struct free_area *area, struct vm_page *m)
{
	m->order = VM_PHYS_ORDER_HOT;
	area->hot[area->hot_count++] = vm_page_number(m);
}

/* Put a block on the stack, lowest frame on top; false when there is none. Apart, so
 * that taking a frame needs no stack. */
static bool __attribute__((noinline))
hot_refill(struct free_area *area)
{
	uint32_t order = REFILL_ORDER, i;
	struct vm_page *m;

	while ((m = block_take(area, order)) == NULL)
		if (order-- == 0)
			return (false);
	for (i = 1u << order; i > 0; i--)
		hot_push(area, m + i - 1);
	return (true);
}

static struct vm_page * __attribute__((noinline))
alloc_block(uint32_t domain, uint32_t order)
{
	struct free_area *area = &areas[domain];
	struct vm_page *m = block_take(area, order);
	uint32_t i;

	if (m == NULL) {
		vm_phys_merge(domain);
		m = block_take(area, order);
	}
	if (m == NULL)
		return (NULL);
	for (i = 0; i < 1u << order; i++)
		m[i].flags &= (uint8_t)~PG_FREE;
	vm_domains[domain].v_free_count -= 1u << order;
	return (m);
}

/* A free frame from the stack, which is not empty. */
static inline struct vm_page *
hot_pop(struct free_area *area, uint32_t domain)
{
	struct vm_page *m = &vm_page_array[area->hot[--area->hot_count]];

	m->order = ORDER_NONE;
	m->flags &= (uint8_t)~PG_FREE;
	vm_domains[domain].v_free_count--;
	return (m);
}

struct vm_page *
vm_phys_alloc(uint32_t domain, uint32_t order)
{
	struct free_area *area = &areas[domain];

	if (__builtin_expect(order != 0, 0))
		return (alloc_block(domain, order));
	if (__builtin_expect(area->hot_count != 0, 1))
		return (hot_pop(area, domain));
	return (hot_refill(area) ? hot_pop(area, domain) : NULL);
}

void
vm_phys_free(struct vm_page *m, uint32_t order)
{
	struct free_area *area = &areas[m->domain];
	uint32_t i;

	KASSERT(order < VM_PHYS_ORDERS && (m->frame & ((1u << order) - 1)) == 0,
	    "F4: block is naturally aligned");
	for (i = 0; i < 1u << order; i++) {
		KASSERT((m[i].flags & PG_FREE) == 0, "F1: freed frame is not free already");
		m[i].flags |= PG_FREE;
	}
	vm_domains[m->domain].v_free_count += 1u << order;
	if (order == 0 && area->hot_count < HOT_FRAMES)
		hot_push(area, m);
	else
		block_put(area, m, order);
}

/* The head of the free block that m lies in. */
static struct vm_page *
block_head(struct vm_page *m, uint32_t *order)
{
	const struct vm_phys_segment *s = &segments[m->segment];
	uint32_t frame, o;

	for (o = 0; o < VM_PHYS_ORDERS; o++) {
		frame = m->frame & ~((1u << o) - 1);
		KASSERT(frame >= s->first_frame, "F1: a free frame lies in a block");
		if ((m - (m->frame - frame))->order == o) {
			*order = o;
			return (m - (m->frame - frame));
		}
	}
	KASSERT(false, "F1: a free frame lies in a block");
	return (NULL);
}

static void
hot_remove(struct free_area *area, struct vm_page *m)
{
	uint32_t i, n = vm_page_number(m);

	for (i = 0; area->hot[i] != n; i++)
		KASSERT(i + 1 < area->hot_count, "F2: a frame kept apart is on the stack");
	area->hot[i] = area->hot[--area->hot_count];
	m->order = ORDER_NONE;
}

void
vm_phys_take(struct vm_page *m)
{
	struct free_area *area = &areas[m->domain];
	struct vm_page *head, *other;
	uint32_t order;

	KASSERT((m->flags & PG_FREE) != 0, "F1: the frame is free");
	if (m->order == VM_PHYS_ORDER_HOT) {
		hot_remove(area, m);
	} else {
		head = block_head(m, &order);
		list_remove(area, head, order);
		/* Halve the block until m is alone; the halves without m stay free. */
		while (order-- > 0) {
			other = head + (1u << order);
			if (m >= other) {
				list_insert(area, head, order);
				head = other;
			} else {
				list_insert(area, other, order);
			}
		}
	}
	m->flags &= (uint8_t)~PG_FREE;
	vm_domains[m->domain].v_free_count--;
}

bool
vm_phys_segment(uint32_t n, struct vm_page **first, struct vm_page **end)
{
	if (n >= segment_count)
		return (false);
	*first = &vm_page_array[segments[n].first_page];
	*end = *first + (segments[n].end_frame - segments[n].first_frame);
	return (true);
}

uint32_t
vm_phys_free_blocks(uint32_t domain, uint32_t order)
{
	const struct free_area *area = &areas[domain];
	uint32_t n, count = order == 0 ? area->hot_count : 0;

	for (n = area->heads[order]; n != VM_PAGE_NONE; n = vm_page_array[n].tree.child[NEXT])
		count++;
	return (count);
}
