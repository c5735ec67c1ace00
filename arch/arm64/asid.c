/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASIDs, handed out in rising order and all taken back at once.
 *
 * pmap->asid is generation * 2^16 + ASID. When the last number has been given, a
 * rollover empties the whole TLB and starts the next generation; an address space
 * of an older generation has nothing in any TLB and gets a new number when it is
 * next activated. So a number is never reused while entries of its former owner
 * may live, and a released pmap needs no flush.
 *
 * Owns: the generation and the next number.
 * Does not: choose which address space runs (pmap.c).
 * Invariants:
 *   N1 0 is never given: it belongs to the empty table.
 *   N2 at a rollover TTBR0 is at the empty table before the TLB is flushed, so that
 *      no walker refills an old number afterwards.
 * Yields: never. One core runs user code; with more, the numbers active on other
 * cores must survive a rollover.
 * Complexity: constant; one full flush in 2^bits - 1 assignments.
 * See: Arm ARM D8.13 (TLB maintenance), pmap.c.
 */
#include "arch/arm64/asid.h"

#include <machine/mmu_ops.h>

#include "lib/assert.h"

uint64_t asid_generation = 1; /* pmap->asid 0 is of no generation */
static uint64_t next_asid = 1;
static uint64_t asid_count = 1u << 8;
static uint64_t empty_ttbr0;

void
asid_init(uint32_t bits, uint64_t empty_ttbr)
{
	KASSERT(bits >= 2 && bits <= ASID_BITS_MAX, "N3: an ASID has 2 to 16 bits");
	asid_generation++;
	next_asid = 1;
	asid_count = 1ull << bits;
	empty_ttbr0 = empty_ttbr;
}

static void
rollover(void)
{
	mmu_ttbr0_write(empty_ttbr0);
	mmu_isb();
	mmu_dsb_ishst();
	mmu_tlbi_vmalle1is();
	mmu_dsb_ish();
	mmu_isb();
	asid_generation++;
	next_asid = 1;
	pmap_stats.asid_rollovers++;
}

void
asid_assign(struct pmap *pmap)
{
	if (pmap->asid >> ASID_BITS_MAX == asid_generation)
		return;
	if (next_asid == asid_count)
		rollover();
	pmap->asid = asid_generation << ASID_BITS_MAX | next_asid++;
}
