/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking for frames that lie one behind the other.
 *
 *   segment  ....####..[..........]..#....    . free or cached   # in use
 *                      ^ aligned, inside [low, high), across no boundary
 *
 * A walk over the page array: rare requests for DMA buffers are not worth an index.
 *
 * Owns: nothing.
 * Does not: take what it finds (vm_page_contig.c), make room (vm_pageout_grow.c).
 * Invariants:
 *   F1 an alignment or a boundary is a power of two, so that no address wraps.
 * Yields: never.
 * Complexity: O(frames): after a frame in use the search goes on behind it.
 * See: mm/vm_phys.h; contract 1.5.
 */
#include "mm/vm_phys.h"

static inline bool
available(const struct vm_page *m)
{
	return ((m->flags & (PG_FREE | PG_CACHED)) != 0);
}

/* Where a run may begin: the first address at or above pa that range allows. */
static vm_paddr_t
next_start(vm_paddr_t pa, vm_paddr_t bytes, const struct vm_phys_range *range)
{
	vm_paddr_t align = range->alignment > PAGE_SIZE ? range->alignment : PAGE_SIZE;

	if (pa < range->low)
		pa = range->low;
	pa = (pa + align - 1) & ~(align - 1);
	if (range->boundary != 0 && ((pa ^ (pa + bytes - 1)) & ~(range->boundary - 1)) != 0) {
		pa = (pa + range->boundary - 1) & ~(range->boundary - 1);
		pa = (pa + align - 1) & ~(align - 1);
	}
	return (pa);
}

/* The number of the last page of [m, m + pages) that is in use, counted from 1; 0 = none. */
static uint32_t
last_in_use(const struct vm_page *m, uint32_t pages)
{
	while (pages > 0 && available(&m[pages - 1]))
		pages--;
	return (pages);
}

static struct vm_page *
find_in_segment(struct vm_page *first, struct vm_page *end, uint32_t pages,
    const struct vm_phys_range *range)
{
	vm_paddr_t base = VM_PAGE_TO_PHYS(first), limit = base + ptoa((uint64_t)(end - first));
	vm_paddr_t pa = base, bytes = ptoa((uint64_t)pages);
	struct vm_page *m;
	uint32_t in_use;

	if (limit > range->high)
		limit = range->high;
	if (range->low >= limit)
		return (NULL);
	for (;;) { /* F1: pa <= limit */
		pa = next_start(pa, bytes, range);
		if (pa > limit || limit - pa < bytes)
			return (NULL);
		m = first + atop(pa - base);
		in_use = last_in_use(m, pages);
		if (in_use == 0)
			return (m);
		pa += ptoa((uint64_t)in_use);
	}
}

struct vm_page *
vm_phys_find_contig(uint32_t domain, uint32_t pages, const struct vm_phys_range *range)
{
	struct vm_page *first, *end, *m;
	uint32_t n;

	KASSERT((range->alignment & (range->alignment - 1)) == 0 &&
	    (range->boundary & (range->boundary - 1)) == 0, "F1: powers of two");
	if (pages == 0 || (range->boundary != 0 && ptoa((uint64_t)pages) > range->boundary))
		return (NULL);
	for (n = 0; vm_phys_segment(n, &first, &end); n++) {
		if (first->domain != domain)
			continue;
		m = find_in_segment(first, end, pages, range);
		if (m != NULL)
			return (m);
	}
	return (NULL);
}
