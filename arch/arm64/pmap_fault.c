/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated referenced and modified flags: the fault that only sets them.
 *
 * Without FEAT_HAFDBS an access to an entry with AF = 0 faults, and so does a write to
 * one that is logically writable but clean (DBM = 1, AP[2] = 1). One call settles both,
 * so a first access that is a write faults once. Where hardware keeps the flags none of
 * this is called, or only for the part that the core lacks.
 *
 * An entry with AF = 0 is in no TLB, so setting it needs no invalidation. A clean entry
 * may be cached as read-only; without the invalidation the retried write could fault on
 * it for ever. The same flush settles a fault taken on a TLB entry older than a right
 * granted since.
 *
 * Owns: nothing.
 * Does not: make or remove mappings; reach vm_fault (the caller does on ERR_FAULT).
 * Invariants: F1 the flags are set by compare and exchange against what was judged.
 * Yields: never.
 * Complexity: three loads and one exchange; about forty instructions.
 * See: pte.h (the states), contract section 2, Arm ARM D8.5.
 */
#include "arch/arm64/pmap_var.h"

int
pmap_fault(struct pmap *pmap, vm_offset_t va, vm_prot_t access)
{
	uint64_t *pte, old, new;

	if (va >= PMAP_USER_MAX || (pte = pmap_pte(pmap, va)) == NULL)
		return (ERR_FAULT);
	do {
		old = pte_load(pte);
		if (!pte_allows(old, access))
			return (ERR_FAULT);
		new = old | PTE_AF;
		if ((access & VM_PROT_WRITE) != 0)
			new &= ~PTE_RO;
	} while (!pte_replace(pte, old, new));
	pmap->flag_faults += old != new;
	if ((old & PTE_AF) == 0) {
		mmu_dsb_ishst();
		pmap_stats.af_faults++;
		return (0);
	}
	pmap_stats.dirty_faults += old != new;
	tlb_flush_page(pmap, va);
	return (0);
}
