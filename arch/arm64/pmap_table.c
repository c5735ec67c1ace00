/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table pages: found, linked, counted, given back.
 *
 * A table is one page of the pool. The descriptor that points to it counts its valid
 * entries (pte.h), so an insertion or removal touches no struct vm_page. When a count
 * falls to zero the descriptor is cleared, but the page is given back only after the
 * TLB flush, since walkers may still hold a pointer to it.
 *
 * Owns: levels 2 and 3 of every address space.
 * Does not: touch level-3 entries; flush (tlb.c).
 * Invariants:
 *   L1 a linked table other than the root has at least one valid entry whenever no
 *      verb is running.
 *   L2 a table's zeroes are visible to walkers before it is linked.
 *   L3 a descriptor at level 1 or 2 is invalid or points to a table; no blocks.
 * Yields: never.
 * Complexity: a walk is three loads; pmap_walk_next skips what an absent table would
 * cover in one step, so a range costs at most 512 steps a table present, plus 512.
 * See: pte.h, pmap.c.
 */
#include "arch/arm64/pmap_var.h"

struct vm_page *
pmap_page_alloc(uint32_t zero_flag)
{
	return (vm_page_alloc(NULL, 0,
	    VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED | zero_flag));
}

void
pmap_page_free(struct vm_page *m)
{
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
}

/* The first address behind va that a table entry at this level does not cover. */
static vm_offset_t
skip(vm_offset_t va, uint32_t shift)
{
	return (((va >> shift) + 1) << shift);
}

bool
pmap_walk_next(struct pmap *pmap, vm_offset_t va, vm_offset_t end, struct pmap_walk *w)
{
	while (va < end) {
		pmap_walk(pmap, va, w);
		if (w->l3 != NULL && (pte_load(w->l3) & PTE_VALID) != 0)
			return (true);
		va = skip(va, w->l3 != NULL ? L3_SHIFT : w->l2 != NULL ? L2_SHIFT : L1_SHIFT);
	}
	return (false);
}

int
table_reserve_missing(const struct pmap_walk *w, struct table_reserve *r)
{
	uint32_t needed = w->l2 == NULL ? 2 : 1;

	for (r->count = 0; r->count < needed; r->count++) {
		r->page[r->count] = pmap_page_alloc(VM_ALLOC_ZERO);
		if (r->page[r->count] == NULL) {
			table_unreserve(r);
			return (ERR_NOMEM);
		}
	}
	return (0);
}

void
table_unreserve(struct table_reserve *r)
{
	while (r->count > 0)
		pmap_page_free(r->page[--r->count]);
}

static uint64_t *
link_one(uint64_t *descriptor, struct table_reserve *r)
{
	uint64_t pa = VM_PAGE_TO_PHYS(r->page[--r->count]);

	KASSERT((pte_load(descriptor) & PTE_VALID) == 0, "L3: a table replaces nothing");
	pte_store(descriptor, pa | PTE_TABLE | PTE_VALID);
	pmap_stats.table_pages++;
	return (mmu_table(pa));
}

void
table_link(struct pmap_walk *w, struct table_reserve *r)
{
	mmu_dsb_ishst(); /* L2 */
	if (w->l2 == NULL)
		w->l2 = &link_one(w->l1, r)[pte_index(w->va, L2_SHIFT)];
	w->l3 = &link_one(w->l2, r)[pte_index(w->va, L3_SHIFT)];
	pte_store(w->l1, pte_load(w->l1) + PTE_COUNT_ONE);
}

/* One entry fewer in the table below; unlinks it if that was the last. */
static void
drop_entry(uint64_t *descriptor, uint32_t *dead)
{
	uint64_t entry = pte_load(descriptor);
	struct vm_page *m;

	KASSERT((entry & PTE_VALID) != 0 && (entry & PTE_COUNT_MASK) != 0,
	    "L1: a table that loses an entry had one");
	entry -= PTE_COUNT_ONE;
	if ((entry & PTE_COUNT_MASK) != 0) {
		pte_store(descriptor, entry);
		return;
	}
	pte_store(descriptor, 0);
	m = PHYS_TO_VM_PAGE(entry & PTE_ADDRESS);
	m->md.pv_tail = *dead;
	*dead = vm_page_number(m);
}

bool
table_last_removed(const struct pmap_walk *w, uint32_t *dead)
{
	drop_entry(w->l2, dead);
	drop_entry(w->l1, dead);
	return (true);
}

void
table_free_dead(uint32_t *dead)
{
	while (*dead != 0) {
		struct vm_page *m = vm_page_of(*dead);

		*dead = m->md.pv_tail;
		m->md.pv_tail = 0;
		pmap_page_free(m);
		pmap_stats.table_pages--;
	}
}
