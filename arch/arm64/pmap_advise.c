/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs ask about their memory, and say of it: mincore, madvise, munlock.
 *
 * An entry does not say that it is wired: that is in the page (wire_count) and in the
 * map, and no verb here treats a wired mapping differently. So there is nothing to undo
 * in the entries when wiring ends.
 *
 * Owns: nothing.
 * Does not: make or remove mappings.
 * Invariants:
 *   W1 an entry that looks unused from now on is in no TLB, so the next access is seen.
 * Yields: never.
 * Complexity: constant for an address; for a range, linear in the entries there are.
 * See: pte.h; contract 1.12, 1.14.
 */
#include "arch/arm64/pmap_var.h"

uint32_t
pmap_mincore(struct pmap *pmap, vm_offset_t va)
{
	const uint64_t *pte = va < PMAP_USER_MAX ? pmap_pte(pmap, va) : NULL;
	uint64_t entry = pte != NULL ? pte_load(pte) : 0;

	if ((entry & PTE_VALID) == 0)
		return (0);
	return (PMAP_MINCORE_MAPPED | ((entry & PTE_AF) != 0 ? PMAP_MINCORE_REFERENCED : 0) |
	    (pte_is_dirty(entry) ? PMAP_MINCORE_MODIFIED : 0));
}

/* Unreferenced and clean; returns the entry as it was. */
static uint64_t
clear_flags(uint64_t *pte)
{
	uint64_t old, new;

	do {
		old = pte_load(pte);
		new = (old & ~PTE_AF) | PTE_RO;
	} while (old != new && !pte_replace(pte, old, new));
	return (old);
}

void
pmap_advise(struct pmap *pmap, vm_offset_t start, vm_offset_t end, bool keep_dirty)
{
	struct pmap_batch batch;
	struct pmap_walk w;

	KASSERT(start <= end && end <= PMAP_USER_MAX && ((start | end) & PAGE_MASK) == 0,
	    "M3: a range of user pages");
	pmap_batch_init(&batch, pmap);
	for (; pmap_walk_next(pmap, start, end, &w); start = w.va + PAGE_SIZE) {
		uint64_t old = clear_flags(w.l3);

		if (keep_dirty && pte_is_dirty(old))
			PHYS_TO_VM_PAGE(old & PTE_ADDRESS)->dirty = VM_PAGE_BITS_ALL;
		if ((old & PTE_AF) != 0) /* W1 */
			tlb_batch_add(&batch.tlb, pmap, w.va, false);
	}
	pmap_batch_finish(&batch);
}

void
pmap_unwire(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
	(void)pmap;
	KASSERT(start <= end && end <= PMAP_USER_MAX && ((start | end) & PAGE_MASK) == 0,
	    "M3: a range of user pages");
}
