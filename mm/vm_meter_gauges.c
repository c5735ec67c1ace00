/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gauges: the present state of domains and page tables, copied into mm_params.
 *
 * Owns: the GAUGE fields of mm_params.
 * Does not: keep any figure itself; sums are over all domains.
 * Invariants: none of its own.
 * Yields: never.
 * See: mm/mm.params.
 */
#include "mm/vm_meter.h"

static void
refresh_domains(void)
{
	const struct vm_domain *vmd;
	struct mm_params *p = &mm_params;

	p->v_page_count = p->v_free_count = p->v_wire_count = 0;
	p->v_active_count = p->v_inactive_count = p->v_cache_count = 0;
	p->v_free_reserved = p->v_free_severe = p->v_free_min = p->v_free_target = 0;
	p->v_inactive_target = 0;
	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		p->v_page_count += vmd->v_page_count;
		p->v_free_count += vmd->v_free_count;
		p->v_wire_count += vmd->v_wire_count;
		p->v_cache_count += vmd->v_cache_count;
		p->v_active_count += vmd->pagequeues[PQ_ACTIVE].count;
		p->v_inactive_count += vmd->pagequeues[PQ_INACTIVE].count;
		p->v_free_reserved += vmd->v_free_reserved;
		p->v_free_severe += vmd->v_free_severe;
		p->v_free_min += vmd->v_free_min;
		p->v_free_target += vmd->v_free_target;
		p->v_inactive_target += vmd->v_inactive_target;
	}
}

void
vm_meter_refresh(void)
{
	struct mm_params *p = &mm_params;

	refresh_domains();
	p->pmap_af_faults = pmap_stats.af_faults;
	p->pmap_dirty_faults = pmap_stats.dirty_faults;
	p->pmap_table_pages = pmap_stats.table_pages;
	p->pmap_tlb_invalidations = pmap_stats.tlb_invalidations;
	p->pmap_asid_rollovers = pmap_stats.asid_rollovers;
	p->pmap_hw_flags = pmap_stats.hw_flags;
}
