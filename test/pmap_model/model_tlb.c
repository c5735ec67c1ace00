/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMU as the pmap must expect it to be: it may cache any translation at any time,
 * forget any at any time, see stores to tables early or late, and refill while it is
 * being invalidated. Which of these it does is drawn from a seed.
 *
 *   a store to a table   a walker may see the old value until the next DSB
 *   TLBI                 entries go now or at the DSB ISH; what is filled in between,
 *                        from values not yet published, stays
 *   TTBR0 write          walkers may use the old value until the ISB
 *   pte_replace          may fail for no reason, as exclusives do
 *
 * Owns: the TLB, cached table pointers included; what is unpublished and incomplete.
 * Does not: know what the pmap intends (the tests' oracles do).
 * Invariants, checked and reported as failures of the test:
 *   W1 a valid entry never changes page, type or attributes; it becomes valid only when
 *      no TLB holds its former value (break-before-make).
 *   W2 a verb ends with every store published and every TLBI complete.
 *   W3 a verb ends with no TLB entry that contradicts the tables.
 *   W4 a page goes back to the pool when no TLB entry leads to it.
 *   W5 an ASID goes to another table only when no TLB entry has it.
 *   W6 a walker never meets a table whose clearing is not published, nor a freed one.
 *   W7 stores go to pages that are tables.
 * Yields: never.
 * See: model_mmu.c (the instructions, W1, W5, W7); Arm ARM D8.13, D8.14, B2.3 (ordering
 * of table walks); pmap.c.
 */
#include "test/pmap_model/model_tlb.h"

#include <string.h>

#include "arch/arm64/pmap_boot.h"
#include "kern/panic.h"
#include "test/pmap_model/model_state.h"

struct model_state model;

/* ---- The walker's view of memory */

static uint64_t
walker_load(const uint64_t *at)
{
	uint32_t i;

	for (i = 0; i < model.store_count; i++) {
		if (model.store[i].at == at)
			return (model_chance(2) ? model.store[i].old : *at);
	}
	return (*at);
}

/* Tables lie in the pool; the empty table, outside it, is sound. */
static void
check_table(uint64_t pa)
{
	const struct model_frame *frame;

	if (PHYS_TO_VM_PAGE(pa) == NULL)
		return;
	frame = model_frame_of(pa);
	if (!frame->in_use || frame->level == 0)
		panic("W6: a walker reads a page that is no table (pa 0x%llx)",
		    (unsigned long long)pa);
	if (frame->zeroes_unpublished)
		panic("W6: a walker reads a table before its clearing is published");
}

/* ---- The TLB */

static struct tlb_entry *
tlb_find(uint32_t level, uint32_t asid, vm_offset_t va)
{
	uint32_t i;

	for (i = 0; i < TLB_ENTRIES; i++) {
		struct tlb_entry *e = &model.tlb[i];

		if (e->level == level && e->asid == asid && e->va_part == va >> LEVEL_SHIFT(level))
			return (e);
	}
	return (NULL);
}

static struct tlb_entry *
tlb_fill(const struct tlb_entry *entry, vm_offset_t va)
{
	struct tlb_entry *e = tlb_find(entry->level, entry->asid, va);

	if (e == NULL)
		e = &model.tlb[sim_random(TLB_ENTRIES)];
	*e = *entry;
	e->va_part = va >> LEVEL_SHIFT(entry->level);
	return (e);
}

/*
 * Walk from the root, or from a cached pointer, to the entry of va; false if there is
 * none. *out may come from values that are out of date, as far as that is allowed.
 */
static bool
walk(uint64_t ttbr, vm_offset_t va, struct tlb_entry *out)
{
	uint64_t table = ttbr & TTBR_ADDRESS;
	uint64_t since = model.now;
	uint32_t level = 1;
	uint32_t i;

	out->asid = (uint32_t)(ttbr >> ASID_AT);
	for (i = 2; i >= 1; i--) {
		const struct tlb_entry *cached = tlb_find(i, out->asid, va);

		if (cached == NULL || model_chance(3))
			continue;
		table = cached->value & PTE_ADDRESS;
		since = cached->filled_at;
		level = i + 1;
		break;
	}
	for (;; level++) {
		check_table(table);
		out->level = level;
		out->from = &mmu_table(table)[pte_index(va, LEVEL_SHIFT(level))];
		out->value = walker_load(out->from);
		out->filled_at = since;
		if ((out->value & PTE_VALID) == 0)
			return (false);
		if (level == 3)
			return (true);
		if (!model_chance(3))
			tlb_fill(out, va);
		table = out->value & PTE_ADDRESS;
	}
}

void
model_speculate(void)
{
	uint64_t ttbr = model_chance(2) ? model.ttbr0 : model.ttbr0_next;
	struct tlb_entry found;
	vm_offset_t va;

	model.now++;
	if (model.race != NULL && !model.racing) {
		model.racing = true;
		model.race();
		model.racing = false;
	}
	if (model.interest_count == 0 || model_chance(3))
		return;
	va = model.interest[sim_random(model.interest_count)];
	if (walk(ttbr, va, &found) && (found.value & PTE_AF) != 0)
		tlb_fill(&found, va);
}

/* ---- Accesses */

/* Hardware sets AF and clears AP[2] if it can; false: it cannot, so it faults. */
static bool
set_flags(struct tlb_entry *e, bool write)
{
	uint64_t want = e->value;

	if ((want & PTE_AF) == 0) {
		if (model.core.hafdbs < MMU_HAFDBS_AF)
			return (false);
		want |= PTE_AF;
	}
	if (write && (want & PTE_RO) != 0) {
		if (model.core.hafdbs < MMU_HAFDBS_DIRTY || (want & PTE_DBM) == 0)
			return (false);
		want &= ~PTE_RO;
	}
	if (want == e->value)
		return (true);
	if (*e->from != e->value) /* memory has changed since: start again */
		return (false);
	*e->from = want;
	e->value = want;
	return (true);
}

static bool
allowed(const struct tlb_entry *e, vm_prot_t access)
{
	return ((access & VM_PROT_EXECUTE) == 0 || (e->value & PTE_UXN) == 0);
}

static bool
access_once(vm_offset_t va, vm_prot_t access, uint64_t *pa)
{
	struct tlb_entry *cached = tlb_find(3, (uint32_t)(model.ttbr0 >> ASID_AT), va);
	struct tlb_entry found;

	if (cached != NULL && model_chance(8)) {
		cached->level = 0;
		cached = NULL;
	}
	if (cached == NULL) {
		if (!walk(model.ttbr0, va, &found))
			return (false);
		if (!allowed(&found, access) || !set_flags(&found, access == VM_PROT_WRITE)) {
			/* A translation that only lacks a right may stay cached. */
			if ((found.value & PTE_AF) != 0 && !model_chance(3))
				tlb_fill(&found, va);
			return (false);
		}
		cached = tlb_fill(&found, va);
	} else if (!allowed(cached, access) || !set_flags(cached, access == VM_PROT_WRITE)) {
		if (model.core.hafdbs != MMU_HAFDBS_NONE)
			cached->level = 0; /* updating flags looks at memory again */
		return (false);
	}
	*pa = (cached->value & PTE_ADDRESS) | (va & PAGE_MASK);
	return (true);
}

bool
model_access(vm_offset_t va, vm_prot_t access, uint64_t *pa)
{
	int tries;

	if (!model.racing)
		model.ttbr0 = model.ttbr0_next; /* a return to EL0 synchronises */
	for (tries = model.core.hafdbs == MMU_HAFDBS_NONE ? 1 : 4; tries > 0; tries--) {
		if (access_once(va, access, pa))
			return (true);
	}
	return (false);
}

/* ---- For the tests */

void
model_reset(const struct model_core *core)
{
	memset(&model, 0, sizeof(model));
	model.core = *core;
	model_pool_reset();
	pmap_stats = (struct pmap_stats){ 0 };
	pmap_activate(NULL);
	pmap_bootstrap();
}

void
model_root(uint64_t pa)
{
	model_frame_of(pa)->level = 1;
}

void
model_interest(vm_offset_t va)
{
	uint32_t i;

	for (i = 0; i < model.interest_count; i++) {
		if (model.interest[i] == va)
			return;
	}
	if (model.interest_count < INTEREST_MAX)
		model.interest[model.interest_count++] = va;
}

void
model_race_hook(void (*fn)(void))
{
	model.race = fn;
}

static void
check_entry(const struct tlb_entry *e)
{
	const struct model_frame *frame = model_frame_of(virt_to_phys(e->from));
	uint64_t now = *e->from;

	if (!frame->in_use || frame->level != e->level || (now & PTE_VALID) == 0)
		panic("W3: the TLB holds an entry that is gone (level %u)", e->level);
	if (((now ^ e->value) & ~(e->level == 3 ? FREE_BITS : PTE_COUNT_MASK)) != 0)
		panic("W3: the TLB holds another entry than the tables");
	if (e->level == 3 &&
	    (((e->value ^ now) & PTE_AF) != 0 || (~e->value & now & (PTE_RO | PTE_UXN)) != 0 ||
	        (e->value & ~now & PTE_DBM) != 0))
		panic("W3: the TLB grants what the tables do not (0x%llx, now 0x%llx)",
		    (unsigned long long)e->value, (unsigned long long)now);
}

void
model_check_rest(void)
{
	uint32_t i;

	if (model.store_count != 0 || model.tlbi_count != 0)
		panic("W2: %u stores unpublished, %u invalidations incomplete", model.store_count,
		    model.tlbi_count);
	for (i = 0; i < TLB_ENTRIES; i++) {
		if (model.tlb[i].level != 0 && model.asid_root[model.tlb[i].asid] != 0)
			check_entry(&model.tlb[i]);
	}
}

void
model_page_freed(uint64_t pa)
{
	uint32_t i;

	for (i = 0; i < 1u << model.core.asid_bits; i++) {
		if (model.asid_root[i] == pa)
			model.asid_root[i] = 0;
	}
	for (i = 0; i < TLB_ENTRIES; i++) {
		const struct tlb_entry *e = &model.tlb[i];

		if (e->level != 0 && model.asid_root[e->asid] != 0 &&
		    (e->value & PTE_ADDRESS) == pa)
			panic("W4: a freed page is still in the TLB (level %u)", e->level);
	}
}
