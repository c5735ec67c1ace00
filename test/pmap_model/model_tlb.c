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
 * See: Arm ARM D8.13, D8.14, B2.3 (ordering of table walks); pmap.c.
 */
#include "test/pmap_model/model_tlb.h"

#include <string.h>

#include "arch/arm64/pmap_boot.h"
#include "arch/arm64/pte.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_pool.h"

#define TLB_ENTRIES   48u
#define STORES_MAX    4096u
#define TLBIS_MAX     64u
#define INTEREST_MAX  64u
#define ASIDS         65536u
#define TTBR_ADDRESS  ((1ull << ASID_AT) - 1)
#define ASID_AT       48
#define TLBI_VA       ((1ull << 44) - 1)
#define LEVEL_SHIFT(l) (L3_SHIFT + 9 * (3 - (l)))

/* What a change may not touch while the entry is valid. */
#define FREE_BITS (PTE_AF | PTE_RO | PTE_DBM | PTE_UXN)

enum tlbi_kind { TLBI_LAST, TLBI_VA_ALL, TLBI_ASID, TLBI_ALL };

struct tlb_entry {
	uint32_t level;   /* 3 = a page; 1, 2 = cached pointer to a table; 0 = unused */
	uint32_t asid;
	uint64_t va_part; /* va >> shift of the level */
	uint64_t value;
	uint64_t *from;
	uint64_t filled_at;
};

struct pending_store {
	uint64_t *at;
	uint64_t old;
};

struct pending_tlbi {
	enum tlbi_kind kind;
	uint64_t operand;
	uint64_t issued_at;
};

static struct {
	struct model_core core;
	uint64_t now;
	uint64_t ttbr0;      /* in force */
	uint64_t ttbr0_next; /* written */
	uint32_t store_count;
	uint32_t tlbi_count;
	uint32_t interest_count;
	void (*race)(void);
	bool racing;
	struct tlb_entry tlb[TLB_ENTRIES];
	struct pending_tlbi tlbi[TLBIS_MAX];
	vm_offset_t interest[INTEREST_MAX];
	struct pending_store store[STORES_MAX];
	uint64_t asid_root[ASIDS]; /* whose entries those of an ASID are; 0 = nobody's */
} model;

static bool
chance(uint32_t one_in)
{
	return (sim_random(one_in) == 0);
}

/* ---- The walker's view of memory */

static uint64_t
walker_load(const uint64_t *at)
{
	uint32_t i;

	for (i = 0; i < model.store_count; i++) {
		if (model.store[i].at == at)
			return (chance(2) ? model.store[i].old : *at);
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

		if (cached == NULL || chance(3))
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
		if (!chance(3))
			tlb_fill(out, va);
		table = out->value & PTE_ADDRESS;
	}
}

static void
speculate(void)
{
	uint64_t ttbr = chance(2) ? model.ttbr0 : model.ttbr0_next;
	struct tlb_entry found;
	vm_offset_t va;

	model.now++;
	if (model.race != NULL && !model.racing) {
		model.racing = true;
		model.race();
		model.racing = false;
	}
	if (model.interest_count == 0 || chance(3))
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

	if (cached != NULL && chance(8)) {
		cached->level = 0;
		cached = NULL;
	}
	if (cached == NULL) {
		if (!walk(model.ttbr0, va, &found))
			return (false);
		if (!allowed(&found, access) || !set_flags(&found, access == VM_PROT_WRITE)) {
			/* A translation that only lacks a right may stay cached. */
			if ((found.value & PTE_AF) != 0 && !chance(3))
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
	speculate();
	return (*pte);
}

void
pte_store(uint64_t *pte, uint64_t value)
{
	speculate();
	store(pte, value);
	speculate();
}

uint64_t
pte_exchange(uint64_t *pte, uint64_t value)
{
	uint64_t old;

	speculate();
	old = *pte;
	store(pte, value);
	speculate();
	return (old);
}

bool
pte_replace(uint64_t *pte, uint64_t old, uint64_t value)
{
	speculate();
	if (*pte != old || chance(8))
		return (false);
	if (old != value)
		store(pte, value);
	speculate();
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
	speculate();
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

	speculate();
	KASSERT(model.tlbi_count < TLBIS_MAX, "W8: the model's list of TLBIs is long enough");
	t = &model.tlbi[model.tlbi_count++];
	*t = (struct pending_tlbi){ kind, operand, model.now };
	for (i = 0; i < TLB_ENTRIES; i++) {
		if (tlbi_matches(t, &model.tlb[i]) && chance(2))
			model.tlb[i].level = 0;
	}
	speculate();
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
	speculate();
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
	speculate();
	model.ttbr0_next = value;
	speculate();
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
