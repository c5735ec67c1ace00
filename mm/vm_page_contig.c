/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that lie one behind the other: taking them and giving them back.
 *
 * Owns: nothing; it moves pages between states that others own.
 * Does not: make room (vm_pageout_grow.c).
 * Invariants:
 *   P8 what is given back was taken: wired once, of no object.
 * Yields: never.
 * Complexity: O(frames) to find, O(pages) to take.
 * See: mm/vm_page.h; contract 0.4, 1.5.
 */
#include "kern/sched.h"
#include "mm/vm_meter.h"
#include "mm/vm_phys.h"

/* May a request of this class have so many pages of this domain (contract 0.4)? */
static bool
class_allows(const struct vm_domain *vmd, uint32_t class, uint32_t pages)
{
	uint32_t keep = vmd->v_free_reserved;

	if (class == VM_ALLOC_SYSTEM)
		keep = vmd->v_interrupt_free_min;
	else if (class == VM_ALLOC_INTERRUPT)
		keep = 0;
	return (vm_meter_free(vmd) >= pages + keep);
}

struct vm_page *
vm_page_alloc_contig(uint32_t req, uint32_t pages, const struct vm_phys_range *range)
{
	struct vm_page *m = vm_phys_find_contig(pages, range);
	struct vm_domain *vmd;
	uint32_t i;

	if (m == NULL)
		return (NULL);
	vmd = vm_domain_of(m);
	if (!class_allows(vmd, req & VM_ALLOC_CLASS, pages)) {
		vmd->vm_pageout_deficit += pages;
		pagedaemon_wakeup(vmd);
		mm_params.v_alloc_refused++;
		return (NULL);
	}
	for (i = 0; i < pages; i++) {
		if ((m[i].flags & PG_CACHED) != 0)
			vm_page_cache_release(&m[i]);
		vm_phys_take(&m[i]);
		m[i].wire_count = 1;
	}
	vmd->v_wire_count += pages;
	if (vm_paging_needed(vmd))
		pagedaemon_wakeup(vmd);
	return (m);
}

void
vm_page_free_contig(struct vm_page *first, uint32_t pages)
{
	uint32_t i;

	for (i = 0; i < pages; i++) {
		KASSERT(first[i].wire_count == 1 && first[i].object == NULL,
		    "P8: contiguous pages are given back as they were taken");
		vm_page_unwire(&first[i], PQ_NONE);
		vm_page_free(&first[i]);
	}
}
