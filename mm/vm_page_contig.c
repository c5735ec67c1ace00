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

	if (class == VM_ALLOC_NORMAL && vm_meter_is_pagedaemon(curtask()))
		class = VM_ALLOC_SYSTEM;
	if (class == VM_ALLOC_SYSTEM)
		keep = vmd->v_interrupt_free_min;
	else if (class == VM_ALLOC_INTERRUPT)
		keep = 0;
	return (vm_meter_free(vmd) >= keep && vm_meter_free(vmd) - keep >= pages);
}

/* No domain has so many to give (contract 0.4). Whoever asks again and again does not
 * make the daemon give up more than there is. */
static struct vm_page *
refuse(uint32_t pages)
{
	struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		if (vmd->vm_pageout_deficit < vmd->v_page_count)
			vmd->vm_pageout_deficit += pages < vmd->v_page_count ? pages :
			    vmd->v_page_count;
		pagedaemon_wakeup(vmd);
	}
	mm_params.v_alloc_refused++;
	return (NULL);
}

static struct vm_page *
take(struct vm_domain *vmd, struct vm_page *first, uint32_t pages)
{
	uint32_t i;

	for (i = 0; i < pages; i++) {
		if ((first[i].flags & PG_CACHED) != 0)
			vm_page_cache_release(&first[i]);
		vm_phys_take(&first[i]);
		first[i].wire_count = 1;
	}
	vmd->v_wire_count += pages;
	if (vm_paging_needed(vmd))
		pagedaemon_wakeup(vmd);
	return (first);
}

struct vm_page *
vm_page_alloc_contig(uint32_t req, uint32_t pages, const struct vm_phys_range *range)
{
	bool allowed = false;
	struct vm_domain *vmd;
	struct vm_page *m;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		if (!class_allows(vmd, req & VM_ALLOC_CLASS, pages))
			continue;
		allowed = true;
		m = vm_phys_find_contig(vmd->id, pages, range);
		if (m != NULL)
			return (take(vmd, m, pages));
	}
	return (allowed ? NULL : refuse(pages));
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
