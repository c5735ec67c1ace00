/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of mm/pmap.h that go by page: over all its mappings, in every address
 * space, found through the reverse mappings.
 *
 * Owns: nothing; it walks what pmap_pv.c and pmap_table.c keep.
 * Does not: allocate.
 * Invariants:
 *   G1 a reverse mapping leads to a valid entry for that very page (M1 of pmap.c).
 * Yields: never.
 * Complexity: linear in the page's mappings; pmap_ts_referenced looks at no more than
 * PMAP_TS_REFERENCED_MAX and page_exists_quick at 16.
 * See: pmap.c, tlb.c.
 */
#include "arch/arm64/pmap_pv.h"
#include "arch/arm64/pmap_var.h"

#define EXISTS_QUICK_MAX 16

static inline void
check_entry(const struct vm_page *m, const uint64_t *pte)
{
	KASSERT(pte != NULL &&
	        (pte_load(pte) & (PTE_VALID | PTE_ADDRESS)) == (VM_PAGE_TO_PHYS(m) | PTE_VALID),
	    "G1: a reverse mapping leads to the page's entry");
}

static inline uint64_t *
entry_at(const struct vm_page *m, uint32_t ref, vm_offset_t va)
{
	uint64_t *pte = pmap_pte(pmap_of_ref(ref), va);

	check_entry(m, pte);
	return (pte);
}

void
pmap_remove_all(struct vm_page *m)
{
	struct pmap_batch batch;
	struct pmap_walk w;

	if (m->md.pmap == 0)
		return;
	pmap_batch_init(&batch, NULL);
	while (m->md.pmap != 0) {
		pmap_walk(pmap_of_ref(m->md.pmap), ptoa(m->md.va_page), &w);
		check_entry(m, w.l3);
		pmap_remove_entry(&w, m, &batch);
	}
	pmap_batch_finish(&batch);
}

void
pmap_remove_write(struct vm_page *m)
{
	struct pmap_batch batch;
	struct pv_cursor c;
	bool more;

	pmap_batch_init(&batch, NULL);
	for (more = pv_first(m, &c); more; more = pv_next(m, &c)) {
		uint64_t *pte = entry_at(m, c.ref, c.va);
		uint64_t old = pte_load(pte);

		if ((old & PTE_DBM) == 0)
			continue;
		old = pmap_reduce_entry(pte, VM_PROT_READ | VM_PROT_EXECUTE);
		if (pte_is_dirty(old))
			m->dirty = VM_PAGE_BITS_ALL;
		if ((old & PTE_AF) != 0)
			tlb_batch_add(&batch.tlb, pmap_of_ref(c.ref), c.va, false);
	}
	pmap_batch_finish(&batch);
}

/* Clear AF; was it set? */
static bool
test_and_clear_af(uint64_t *pte)
{
	uint64_t old;

	do {
		old = pte_load(pte);
		if ((old & PTE_AF) == 0)
			return (false);
	} while (!pte_replace(pte, old, old & ~PTE_AF));
	return (true);
}

/* Of a mapped page; apart, so that the usual case saves no registers. */
static __attribute__((noinline)) int
ts_referenced(struct vm_page *m)
{
	uint32_t start = m->md.pv_tail;
	struct pmap_batch batch;
	int looked, count = 0;

	pmap_batch_init(&batch, NULL);
	for (looked = 0; looked < PMAP_TS_REFERENCED_MAX; looked++) {
		vm_offset_t va = ptoa(m->md.va_page);

		if (test_and_clear_af(entry_at(m, m->md.pmap, va))) {
			tlb_batch_add(&batch.tlb, pmap_of_ref(m->md.pmap), va, false);
			count++;
		}
		/* Back at the tail of the beginning: the one now in front is the last. */
		if (looked > 0 && m->md.pv_tail == start)
			break;
		pv_rotate(m);
		if (m->md.pv_tail == 0)
			break;
	}
	pmap_batch_finish(&batch);
	return (count);
}

int
pmap_ts_referenced(struct vm_page *m)
{
	if (m->md.pmap == 0)
		return (0);
	/* Most pages that are looked at have one mapping and were not used. */
	if (m->md.pv_tail == 0 &&
	    (pte_load(entry_at(m, m->md.pmap, ptoa(m->md.va_page))) & PTE_AF) == 0)
		return (0);
	return (ts_referenced(m));
}

static inline __attribute__((always_inline)) bool
any_entry(const struct vm_page *m, bool (*test)(uint64_t pte))
{
	struct pv_cursor c;
	bool more;

	for (more = pv_first(m, &c); more; more = pv_next(m, &c)) {
		if (test(pte_load(entry_at(m, c.ref, c.va))))
			return (true);
	}
	return (false);
}

static bool
entry_is_referenced(uint64_t pte)
{
	return ((pte & PTE_AF) != 0);
}

static bool
entry_is_writable(uint64_t pte)
{
	return ((pte & PTE_DBM) != 0);
}

bool
pmap_is_modified(struct vm_page *m)
{
	return (any_entry(m, pte_is_dirty));
}

bool
pmap_is_referenced(struct vm_page *m)
{
	return (any_entry(m, entry_is_referenced));
}

bool
pmap_page_is_write_mapped(struct vm_page *m)
{
	return (any_entry(m, entry_is_writable));
}

void
pmap_clear_modify(struct vm_page *m)
{
	struct pmap_batch batch;
	struct pv_cursor c;
	bool more;

	pmap_batch_init(&batch, NULL);
	for (more = pv_first(m, &c); more; more = pv_next(m, &c)) {
		uint64_t *pte = entry_at(m, c.ref, c.va);
		uint64_t old;

		do {
			old = pte_load(pte);
		} while (pte_is_dirty(old) && !pte_replace(pte, old, old | PTE_RO));
		if (pte_is_dirty(old) && (old & PTE_AF) != 0)
			tlb_batch_add(&batch.tlb, pmap_of_ref(c.ref), c.va, false);
	}
	pmap_batch_finish(&batch);
}

bool
pmap_page_is_mapped(const struct vm_page *m)
{
	return (m->md.pmap != 0);
}

bool
pmap_page_exists_quick(struct pmap *pmap, struct vm_page *m)
{
	struct pv_cursor c;
	bool more;
	int looked = 0;

	for (more = pv_first(m, &c); more && looked < EXISTS_QUICK_MAX; more = pv_next(m, &c)) {
		if (c.ref == pmap->ref)
			return (true);
		looked++;
	}
	return (false);
}
