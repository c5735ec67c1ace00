/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB invalidation in batches.
 *
 * The order is always: stores to the tables; DSB ISHST, so that walkers see them;
 * the TLBIs; DSB ISH, so that they are complete; ISB. One pair of barriers serves
 * a whole batch. Last-level invalidation suffices unless a table was unlinked: then
 * cached pointers to it must go too. An address space without a live ASID has
 * nothing in the TLB and costs the first barrier only.
 *
 * Owns: nothing that lasts.
 * Does not: touch table entries.
 * Invariants:
 *   B1 a batch with a range_pmap is given no other pmap's address.
 *   B2 a batch is flushed before the verb that began it returns.
 * Yields: never.
 * Complexity: at most TLB_BATCH_MAX TLBIs a flush.
 * See: Arm ARM D8.13 and D8.14 (break-before-make), asid.c.
 */
#include "arch/arm64/tlb.h"

#include <machine/mmu_ops.h>

#include "arch/arm64/asid.h"
#include "lib/assert.h"
#include "mm/pmap.h"

#define TLBI_VA_MASK ((1ull << 44) - 1) /* VA[55:12] in 43:0 */

static uint64_t
tlb_operand(uint64_t asid, vm_offset_t va)
{
	return (asid | (va >> PAGE_SHIFT & TLBI_VA_MASK));
}

void
tlb_batch_add(struct tlb_batch *batch, const struct pmap *pmap, vm_offset_t va, bool table)
{
	uint64_t asid;

	KASSERT(batch->range_pmap == NULL || batch->range_pmap == pmap, "B1: one pmap a range");
	if (batch->whole || !asid_live(pmap, &asid))
		return;
	if (batch->count == TLB_BATCH_MAX && batch->range_pmap == NULL)
		tlb_batch_flush(batch);
	if (batch->count == TLB_BATCH_MAX) {
		batch->whole = true;
		return;
	}
	batch->operand[batch->count++] = tlb_operand(asid, va);
	batch->tables |= table;
}

static void
issue(const struct tlb_batch *batch)
{
	uint32_t i;

	if (batch->whole) {
		mmu_tlbi_aside1is(batch->operand[0] & ~TLBI_VA_MASK);
		pmap_stats.tlb_invalidations++;
		return;
	}
	for (i = 0; i < batch->count; i++) {
		if (batch->tables)
			mmu_tlbi_vae1is(batch->operand[i]);
		else
			mmu_tlbi_vale1is(batch->operand[i]);
	}
	pmap_stats.tlb_invalidations += batch->count;
}

void
tlb_batch_flush(struct tlb_batch *batch)
{
	mmu_dsb_ishst();
	if (batch->count > 0) {
		issue(batch);
		mmu_dsb_ish();
		mmu_isb();
	}
	tlb_batch_init(batch, batch->range_pmap);
}

void
tlb_flush_page(const struct pmap *pmap, vm_offset_t va)
{
	uint64_t asid;

	mmu_dsb_ishst();
	if (!asid_live(pmap, &asid))
		return;
	mmu_tlbi_vale1is(tlb_operand(asid, va));
	mmu_dsb_ish();
	mmu_isb();
	pmap_stats.tlb_invalidations++;
}
