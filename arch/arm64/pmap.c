/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: the verbs of mm/pmap.h that go by virtual address.
 *
 * Referenced and modified live in the entries (pte.h). What an entry knew is moved
 * into its page in the same atomic exchange that clears it, so that an update by
 * hardware or by a fault is never lost. An entry never changes its page directly: it
 * becomes invalid, the TLB is flushed, then it is made (break-before-make). A change
 * of rights needs no break, only a flush, and none at all while AF is 0, because such
 * an entry is in no TLB.
 *
 * Owns: struct pmap; level-3 entries; which address space is active.
 * Does not: decide anything about pages; read or write their contents.
 * Invariants:
 *   M1 a valid level-3 entry has exactly one reverse mapping, and the other way round.
 *   M2 resident_count is the number of valid level-3 entries.
 *   M3 addresses are below PMAP_USER_MAX; in a range, page aligned.
 *   M4 an address space that is released maps nothing.
 *   M5 a verb that fails has changed nothing.
 *   M6 a mapping allows something; a write access needs write permission.
 * Yields: never.
 * Complexity: constant for an address; for a range, linear in the entries there are.
 * See: pmap_page.c (verbs by page), pmap_fault.c, pmap_table.c, pmap_pv.c, tlb.c,
 * asid.c; the contract 1.14 of the page daemon; Arm ARM D8.14.
 */
#include "arch/arm64/asid.h"
#include "arch/arm64/pmap_boot.h"
#include "arch/arm64/pmap_pv.h"
#include "arch/arm64/pmap_var.h"
#include "kern/machdep.h"

struct pmap_stats pmap_stats;

static struct pmap *active; /* of this core, NULL = the empty table */
static uint64_t empty_table[PTE_TABLE_ENTRIES] __attribute__((aligned(PAGE_SIZE)));

#define CORE_MASK 1u /* user code runs on core 0 */

/* ---- Boot, life cycle */

void
pmap_bootstrap(void)
{
	uint32_t asid_bits = mmu_asid_bits();
	uint32_t hafdbs = mmu_hafdbs();

	pv_init();
	asid_init(asid_bits, virt_to_phys(empty_table));
	mmu_dsb_ishst();
	mmu_ttbr0_write(virt_to_phys(empty_table));
	mmu_isb();
	mmu_user_setup(asid_bits, hafdbs);
	mmu_tlbi_vmalle1is();
	mmu_dsb_ish();
	mmu_isb();
	pmap_stats.hw_flags = hafdbs == MMU_HAFDBS_DIRTY;
}

int
pmap_pinit(struct pmap *pmap)
{
	struct vm_page *m = pmap_page_alloc(VM_ALLOC_ZERO);

	if (m == NULL)
		return (ERR_NOMEM);
	m->md.va_page = (uint32_t)(uintptr_t)pmap;
	m->md.pv_tail = (uint32_t)((uint64_t)(uintptr_t)pmap >> 32);
	*pmap = (struct pmap){
		.root = mmu_table(VM_PAGE_TO_PHYS(m)),
		.root_pa = VM_PAGE_TO_PHYS(m),
		.ref = vm_page_number(m),
	};
	pmap_stats.table_pages++;
	return (0);
}

void
pmap_release(struct pmap *pmap)
{
	struct vm_page *m = vm_page_of(pmap->ref);

	KASSERT(pmap->resident_count == 0, "M4: a released address space maps nothing");
	KASSERT(pmap->active_cores == 0, "M4: a released address space runs nowhere");
	m->md = (struct md_page){ 0 };
	pmap_page_free(m);
	pmap_stats.table_pages--;
	pmap->ref = 0;
	pmap->root = NULL;
}

void
pmap_activate(struct pmap *pmap)
{
	uint64_t asid;

	if (pmap == active)
		return;
	if (active != NULL)
		active->active_cores &= ~CORE_MASK;
	active = pmap;
	if (pmap == NULL) {
		mmu_ttbr0_write(virt_to_phys(empty_table));
	} else {
		asid_assign(pmap);
		pmap->active_cores |= CORE_MASK;
		asid_live(pmap, &asid);
		mmu_dsb_ishst();
		mmu_ttbr0_write(pmap->root_pa | asid);
	}
	mmu_isb();
}

/* ---- One entry */

void
pmap_keep_flags(struct vm_page *m, uint64_t pte)
{
	if (pte_is_dirty(pte))
		m->dirty = VM_PAGE_BITS_ALL;
	if ((pte & PTE_AF) != 0)
		m->aflags |= PGA_REFERENCED;
}

uint64_t
pmap_reduce_entry(uint64_t *pte, vm_prot_t prot)
{
	uint64_t old;

	do {
		old = pte_load(pte);
	} while (!pte_replace(pte, old, pte_reduce(old, prot)));
	return (old);
}

void
pmap_remove_entry(const struct pmap_walk *w, struct vm_page *m, struct pmap_batch *batch)
{
	uint64_t old = pte_exchange(w->l3, 0);
	bool unlinked;

	pmap_keep_flags(m, old);
	pv_remove(m, w->pmap->ref, w->va);
	w->pmap->resident_count--;
	unlinked = table_entry_removed(w, &batch->dead_tables);
	if (unlinked || (old & PTE_AF) != 0)
		tlb_batch_add(&batch->tlb, w->pmap, w->va, unlinked);
}

/* ---- pmap_enter */

static uint64_t
enter_entry(struct vm_page *m, vm_prot_t prot, uint32_t flags)
{
	uint64_t pte = pte_make(VM_PAGE_TO_PHYS(m), prot);

	KASSERT(prot != VM_PROT_NONE, "M6: a mapping allows something");
	if (flags != 0)
		pte |= PTE_AF;
	if ((flags & PMAP_ENTER_WRITE) != 0) {
		KASSERT((prot & VM_PROT_WRITE) != 0, "M6: a write needs write permission");
		pte &= ~PTE_RO;
	}
	return (pte);
}

/* The same page with other rights; what the entry knew stays in it, or goes to m. */
static void
enter_rights(const struct pmap_walk *w, struct vm_page *m, uint64_t want)
{
	uint64_t old, new;

	do {
		old = pte_load(w->l3);
		new = want | (old & PTE_AF);
		if (pte_is_dirty(old) && (want & PTE_DBM) != 0)
			new &= ~PTE_RO;
	} while (!pte_replace(w->l3, old, new));
	if (pte_is_dirty(old) && !pte_is_dirty(new))
		m->dirty = VM_PAGE_BITS_ALL;
	if (old == new)
		return;
	if ((old & PTE_AF) != 0)
		tlb_flush_page(w->pmap, w->va);
	else
		mmu_dsb_ishst();
	mmu_isb();
}

/* Break before make: another page was here. */
static void
enter_break(const struct pmap_walk *w)
{
	uint64_t old = pte_exchange(w->l3, 0);
	struct vm_page *m = PHYS_TO_VM_PAGE(old & PTE_ADDRESS);

	tlb_flush_page(w->pmap, w->va);
	pmap_keep_flags(m, old);
	pv_remove(m, w->pmap->ref, w->va);
}

static void
enter_make(const struct pmap_walk *w, struct vm_page *m, uint64_t want, uint32_t pv)
{
	if ((pte_load(w->l3) & PTE_VALID) != 0) {
		enter_break(w);
	} else {
		table_entry_added(w);
		w->pmap->resident_count++;
	}
	pv_insert(m, w->pmap->ref, w->va, pv);
	pte_store(w->l3, want);
	mmu_dsb_ishst();
	mmu_isb();
}

/* The instruction cache and m: in step for a mapping that executes, unknown from now
 * on for one that writes. */
static void
enter_sync(struct vm_page *m, vm_prot_t prot)
{
	if ((prot & VM_PROT_EXECUTE) != 0)
		pmap_exec_sync(m);
	else if ((prot & VM_PROT_WRITE) != 0)
		m->aflags &= (uint8_t)~PGA_EXECSYNC;
}

int
pmap_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot, uint32_t flags)
{
	uint64_t want = enter_entry(m, prot, flags);
	struct table_reserve tables;
	struct pmap_walk w;
	uint64_t old;
	uint32_t pv;

	KASSERT(va < PMAP_USER_MAX && (va & PAGE_MASK) == 0, "M3: a user page's address");
	pmap_walk(pmap, va, &w);
	old = w.l3 != NULL ? pte_load(w.l3) : 0;
	if ((old & PTE_VALID) != 0 && ((old ^ want) & PTE_ADDRESS) == 0) {
		enter_sync(m, prot);
		enter_rights(&w, m, want);
		return (0);
	}
	if (table_reserve(&w, &tables) != 0)
		return (ERR_NOMEM);
	if (pv_reserve(m, &pv) != 0) {
		table_unreserve(&tables);
		return (ERR_NOMEM);
	}
	enter_sync(m, prot);
	if (tables.count != 0)
		table_link(&w, &tables);
	enter_make(&w, m, want, pv);
	return (0);
}

/* ---- Ranges */

static void
range_check(vm_offset_t start, vm_offset_t end)
{
	KASSERT(start <= end && end <= PMAP_USER_MAX && ((start | end) & PAGE_MASK) == 0,
	    "M3: a range of user pages");
}

void
pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
	struct pmap_batch batch;
	struct pmap_walk w;

	range_check(start, end);
	if (pmap->resident_count == 0)
		return;
	pmap_batch_init(&batch, pmap);
	for (; pmap_walk_next(pmap, start, end, &w); start = w.va + PAGE_SIZE)
		pmap_remove_entry(&w, PHYS_TO_VM_PAGE(pte_load(w.l3) & PTE_ADDRESS), &batch);
	pmap_batch_finish(&batch);
}

void
pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	struct pmap_batch batch;
	struct pmap_walk w;

	if ((prot & VM_PROT_READ) == 0) {
		pmap_remove(pmap, start, end);
		return;
	}
	range_check(start, end);
	pmap_batch_init(&batch, pmap);
	for (; pmap_walk_next(pmap, start, end, &w); start = w.va + PAGE_SIZE) {
		uint64_t old = pmap_reduce_entry(w.l3, prot);

		if (pte_is_dirty(old) && (prot & VM_PROT_WRITE) == 0)
			PHYS_TO_VM_PAGE(old & PTE_ADDRESS)->dirty = VM_PAGE_BITS_ALL;
		if ((old & PTE_AF) != 0 && pte_reduce(old, prot) != old)
			tlb_batch_add(&batch.tlb, pmap, w.va, false);
	}
	pmap_batch_finish(&batch);
}

struct vm_page *
pmap_extract(struct pmap *pmap, vm_offset_t va, vm_prot_t prot)
{
	uint64_t *pte = va < PMAP_USER_MAX ? pmap_pte(pmap, va) : NULL;
	uint64_t entry = pte != NULL ? pte_load(pte) : 0;

	return (pte_allows(entry, prot) ? PHYS_TO_VM_PAGE(entry & PTE_ADDRESS) : NULL);
}
