/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table entries of user address spaces: VMSAv8-64 stage 1, 4 KiB granule,
 * levels 1 to 3 (Arm ARM DDI 0487, D8.3 descriptor formats).
 *
 * Referenced and modified, in the same layout whether hardware or pmap_fault
 * keeps them:
 *
 *   AF  DBM  AP[2]    meaning
 *   0    -    -       not referenced since asked; never in a TLB
 *   1    0    1       referenced, logically read-only
 *   -    1    1       logically writable, clean
 *   -    1    0       logically writable, modified
 *   -    0    0       does not occur
 *
 * A descriptor that points to a table counts the valid entries of that table in
 * bits 11:2, which the architecture ignores there.
 */
#ifndef ARM64_PTE_H
#define ARM64_PTE_H

#include <machine/mmu_ops.h>

#include "mm/vm_param.h"

#define PTE_VALID    (1ull << 0)
#define PTE_TABLE    (1ull << 1) /* levels 1, 2: a table, not a block; level 3: must be set */
#define PTE_ATTR(n)  ((uint64_t)(n) << 2) /* index into MAIR_EL1 */
#define PTE_USER     (1ull << 6)  /* AP[1]: EL0 may access */
#define PTE_RO       (1ull << 7)  /* AP[2] */
#define PTE_SH_INNER (3ull << 8)
#define PTE_AF       (1ull << 10)
#define PTE_NG       (1ull << 11) /* belongs to an ASID */
#define PTE_DBM      (1ull << 51)
#define PTE_PXN      (1ull << 53)
#define PTE_UXN      (1ull << 54)
#define PTE_ADDRESS  0x0000fffffffff000ull

/* Index 0 of MAIR_EL1 is normal write-back memory (0xff). */
#define PTE_PAGE_USER \
	(PTE_VALID | PTE_TABLE | PTE_ATTR(0) | PTE_USER | PTE_SH_INNER | PTE_NG | PTE_PXN)

#define PTE_COUNT_SHIFT 2
#define PTE_COUNT_MASK  (0x3ffull << PTE_COUNT_SHIFT)
#define PTE_COUNT_ONE   (1ull << PTE_COUNT_SHIFT)

#define PTE_TABLE_ENTRIES 512u
#define L1_SHIFT          30
#define L2_SHIFT          21
#define L3_SHIFT          12

static inline uint32_t
pte_index(uint64_t va, uint32_t shift)
{
	return ((uint32_t)(va >> shift) & (PTE_TABLE_ENTRIES - 1));
}

static inline bool
pte_is_dirty(uint64_t pte)
{
	return ((pte & (PTE_DBM | PTE_RO)) == PTE_DBM);
}

/* Does a valid entry allow these accesses, emulated flags aside? */
static inline bool
pte_allows(uint64_t pte, vm_prot_t access)
{
	return ((pte & PTE_VALID) != 0 &&
	    ((access & VM_PROT_WRITE) == 0 || (pte & PTE_DBM) != 0) &&
	    ((access & VM_PROT_EXECUTE) == 0 || (pte & PTE_UXN) == 0));
}

/* An unreferenced, clean entry for the page at pa. */
static inline uint64_t
pte_make(uint64_t pa, vm_prot_t prot)
{
	return (pa | PTE_PAGE_USER | PTE_RO | ((prot & VM_PROT_WRITE) != 0 ? PTE_DBM : 0) |
	    ((prot & VM_PROT_EXECUTE) != 0 ? 0 : PTE_UXN));
}

/* pte with its rights cut down to prot. */
static inline uint64_t
pte_reduce(uint64_t pte, vm_prot_t prot)
{
	if ((prot & VM_PROT_WRITE) == 0)
		pte = (pte & ~PTE_DBM) | PTE_RO;
	if ((prot & VM_PROT_EXECUTE) == 0)
		pte |= PTE_UXN;
	return (pte);
}

#endif
