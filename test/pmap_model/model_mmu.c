/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's side of <machine/mmu_ops.h>: what each instruction does to tables, to
 * what is unpublished or incomplete, and to the TLB.
 *
 * Owns: nothing; the state is model_tlb.c's.
 * Does not: walk tables.
 * Invariants: W1, W5, W7 of model_tlb.c are checked here, W8 and W9 are the model's own.
 * Yields: never.
 * See: arch/arm64/machine/mmu_ops.h, model_tlb.c.
 */
#include <machine/mmu_ops.h>

#include <string.h>

#include "kern/machdep.h"
#include "kern/panic.h"
#include "test/pmap_model/model_state.h"

/* ---- Stores */

static void
note_store(uint64_t *at, uint64_t old)
{
	uint32_t i;

	for (i = 0; i < model.store_count; i++) {
		if (model.store[i].at == at)
			return;
	}
	KASSERT(model.store_count < STORES_MAX, "W8: the model's list of stores is long enough");
	model.store[model.store_count++] = (struct pending_store){ at, old };
}

/* No entry of a live address space caches what was at `at` before. */
static void
check_broken(const uint64_t *at, uint64_t value)
{
	uint32_t i;

	for (i = 0; i < TLB_ENTRIES; i++) {
		const struct tlb_entry *e = &model.tlb[i];

		if (e->level == 0 || e->from != at || model.asid_root[e->asid] == 0)
			continue;
		if (((e->value ^ value) & ~(e->level == 3 ? FREE_BITS : PTE_COUNT_MASK)) != 0)
			panic("W1: made while the TLB may hold the former entry");
	}
}

static void
check_store(uint64_t *at, uint64_t value)
{
	struct model_frame *frame = model_frame_of(virt_to_phys(at));
	uint64_t changed = (*at ^ value) & ~(frame->level == 3 ? FREE_BITS : PTE_COUNT_MASK);

	if (frame->level == 0)
		panic("W7: a store to a page that is no table");
	if ((value & PTE_VALID) == 0)
		return;
	if ((*at & PTE_VALID) != 0 && changed != 0)
		panic("W1: a valid entry becomes another one");
	if ((*at & PTE_VALID) == 0)
		check_broken(at, value);
	if (frame->level < 3)
		model_frame_of(value & PTE_ADDRESS)->level = frame->level + 1;
}

static void
store(uint64_t *at, uint64_t value)
{
	const struct model_frame *frame = model_frame_of(virt_to_phys(at));
	uint64_t old = *at;

	check_store(at, value);
	*at = value;
	/* Walkers ignore the count, so it needs no publishing. */
	if (frame->level == 3 || ((old ^ value) & ~PTE_COUNT_MASK) != 0)
		note_store(at, old);
}

uint64_t
pte_load(const uint64_t *pte)
{
	model_speculate();
	return (*pte);
}

void
pte_store(uint64_t *pte, uint64_t value)
{
	model_speculate();
	store(pte, value);
	model_speculate();
}

uint64_t
pte_exchange(uint64_t *pte, uint64_t value)
{
	uint64_t old;

	model_speculate();
	old = *pte;
	store(pte, value);
	model_speculate();
	return (old);
}

bool
pte_replace(uint64_t *pte, uint64_t old, uint64_t value)
{
	model_speculate();
	if (*pte != old || model_chance(8))
		return (false);
	if (old != value)
		store(pte, value);
	model_speculate();
	return (true);
}

uint64_t *
mmu_table(uint64_t pa)
{
	return (phys_to_virt(pa));
}

/* ---- Barriers and invalidations */

void
mmu_dsb_ishst(void)
{
	uint32_t i;

	model.store_count = 0;
	for (i = 0; i < MODEL_POOL_PAGES; i++)
		model_frames[i].zeroes_unpublished = false;
	model_speculate();
}

static bool
tlbi_matches(const struct pending_tlbi *t, const struct tlb_entry *e)
{
	vm_offset_t va = (t->operand & TLBI_VA) << L3_SHIFT;

	if (e->level == 0 || t->kind == TLBI_ALL)
		return (e->level != 0);
	if (e->asid != t->operand >> ASID_AT)
		return (false);
	if (t->kind == TLBI_ASID)
		return (true);
	if (t->kind == TLBI_LAST && e->level != 3)
		return (false);
	return (e->va_part == va >> LEVEL_SHIFT(e->level));
}

static void
tlbi(enum tlbi_kind kind, uint64_t operand)
{
	struct pending_tlbi *t;
	uint32_t i;

	model_speculate();
	KASSERT(model.tlbi_count < TLBIS_MAX, "W8: the model's list of TLBIs is long enough");
	t = &model.tlbi[model.tlbi_count++];
	*t = (struct pending_tlbi){ kind, operand, model.now };
	for (i = 0; i < TLB_ENTRIES; i++) {
		if (tlbi_matches(t, &model.tlb[i]) && model_chance(2))
			model.tlb[i].level = 0;
	}
	model_speculate();
}

void
mmu_tlbi_vale1is(uint64_t operand)
{
	tlbi(TLBI_LAST, operand);
}

void
mmu_tlbi_vae1is(uint64_t operand)
{
	tlbi(TLBI_VA_ALL, operand);
}

void
mmu_tlbi_aside1is(uint64_t operand)
{
	tlbi(TLBI_ASID, operand);
}

void
mmu_tlbi_vmalle1is(void)
{
	tlbi(TLBI_ALL, 0);
}

static void
complete(const struct pending_tlbi *t)
{
	uint32_t i;

	for (i = 0; i < TLB_ENTRIES; i++) {
		struct tlb_entry *e = &model.tlb[i];

		if (e->filled_at < t->issued_at && tlbi_matches(t, e))
			e->level = 0;
	}
	if (t->kind == TLBI_ALL)
		memset(model.asid_root, 0, sizeof(model.asid_root));
}

void
mmu_dsb_ish(void)
{
	uint32_t i;

	for (i = 0; i < model.tlbi_count; i++)
		complete(&model.tlbi[i]);
	model.tlbi_count = 0;
	mmu_dsb_ishst();
}

void
mmu_isb(void)
{
	model.ttbr0 = model.ttbr0_next;
	model_speculate();
}

void
mmu_ttbr0_write(uint64_t value)
{
	uint32_t asid = (uint32_t)(value >> ASID_AT);
	uint64_t root = value & TTBR_ADDRESS;
	uint32_t i;

	KASSERT(asid < 1u << model.core.asid_bits, "W9: an ASID that the core can hold");
	if (asid != 0 && model.asid_root[asid] != root) {
		for (i = 0; i < TLB_ENTRIES; i++) {
			if (model.tlb[i].level != 0 && model.tlb[i].asid == asid)
				panic("W5: ASID %u is given away with its entries", asid);
		}
		model.asid_root[asid] = root;
	}
	model_speculate();
	model.ttbr0_next = value;
	model_speculate();
}

/* ---- The core */

uint32_t
mmu_asid_bits(void)
{
	return (model.core.asid_bits);
}

uint32_t
mmu_hafdbs(void)
{
	return (model.core.hafdbs);
}

void
mmu_user_setup(uint32_t asid_bits, uint32_t hafdbs)
{
	KASSERT(asid_bits == model.core.asid_bits && hafdbs == model.core.hafdbs,
	    "W9: the core is set up as it is");
}

void
mmu_zero_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}
