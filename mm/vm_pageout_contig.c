/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in one piece for those who know no pages: drivers.
 *
 * Owns: nothing.
 * Does not: find the piece (vm_phys_contig.c) or make room (vm_pageout_grow.c).
 * Invariants: none of its own.
 * Yields: contig_alloc.
 * See: kern/contig.h; contract 1.5.
 */
#include "kern/contig.h"

#include "mm/vm_pageout_grow.h"

static inline uint64_t
pages_of(uint64_t bytes)
{
	return (bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0));
}

int
contig_alloc(uint64_t bytes, uint64_t low, uint64_t high, uint64_t alignment, uint64_t *pa)
{
	struct vm_phys_range range = { .low = low, .high = high, .alignment = alignment };
	uint64_t pages = pages_of(bytes);
	struct vm_page *m;

	if (pages == 0 || pages >= vm_page_array_count)
		return (ERR_NOMEM);
	m = vm_pageout_alloc_contig((uint32_t)pages, &range);
	if (m == NULL)
		return (ERR_NOMEM);
	*pa = VM_PAGE_TO_PHYS(m);
	return (0);
}

void
contig_free(uint64_t pa, uint64_t bytes)
{
	vm_page_free_contig(PHYS_TO_VM_PAGE(pa), (uint32_t)pages_of(bytes));
}
