/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the pmap: the walk, tables, batches.
 *
 * Use of struct md_page in pages that are never mapped themselves (pmap == 0):
 *   root table          va_page, pv_tail = low and high half of its struct pmap's address
 *   unlinked table      pv_tail = page number of the next one awaiting the flush
 *   all other tables    zero
 */
#ifndef ARM64_PMAP_VAR_H
#define ARM64_PMAP_VAR_H

#include "arch/arm64/pte.h"
#include "arch/arm64/tlb.h"
#include "lib/assert.h"
#include "mm/pmap.h"
#include "mm/vm_page.h"

/* The entries on the way to va; those below a missing table are NULL. */
struct pmap_walk {
	struct pmap *pmap;
	vm_offset_t va;
	uint64_t *l1;
	uint64_t *l2;
	uint64_t *l3;
};

static inline uint64_t *
pmap_table(uint64_t entry)
{
	return (mmu_table(entry & PTE_ADDRESS));
}

/* Level-3 entry of va, or NULL if there is no table for it. */
static inline uint64_t *
pmap_pte(const struct pmap *pmap, vm_offset_t va)
{
	uint64_t entry = pte_load(&pmap->root[pte_index(va, L1_SHIFT)]);

	if ((entry & PTE_VALID) == 0)
		return (NULL);
	entry = pte_load(&pmap_table(entry)[pte_index(va, L2_SHIFT)]);
	if ((entry & PTE_VALID) == 0)
		return (NULL);
	return (&pmap_table(entry)[pte_index(va, L3_SHIFT)]);
}

/* The pmap that a reverse mapping names. */
static inline struct pmap *
pmap_of_ref(uint32_t ref)
{
	const struct md_page *md = &vm_page_array[ref].md;

	return ((struct pmap *)(uintptr_t)((uint64_t)md->pv_tail << 32 | md->va_page));
}

/* ---- pmap_table.c */

/* A wired page for a table or for reverse-map entries, or NULL. */
struct vm_page *pmap_page_alloc(uint32_t zero_flag);
void pmap_page_free(struct vm_page *m);

struct table_reserve {
	uint32_t count;
	struct vm_page *page[2];
};

static inline void
pmap_walk(struct pmap *pmap, vm_offset_t va, struct pmap_walk *w)
{
	uint64_t entry;

	w->pmap = pmap;
	w->va = va;
	w->l2 = NULL;
	w->l3 = NULL;
	w->l1 = &pmap->root[pte_index(va, L1_SHIFT)];
	entry = pte_load(w->l1);
	if ((entry & PTE_VALID) == 0)
		return;
	w->l2 = &pmap_table(entry)[pte_index(va, L2_SHIFT)];
	entry = pte_load(w->l2);
	if ((entry & PTE_VALID) != 0)
		w->l3 = &pmap_table(entry)[pte_index(va, L3_SHIFT)];
}

/* The walk to the next valid level-3 entry at or after va and before end; false if
 * there is none. */
bool pmap_walk_next(struct pmap *pmap, vm_offset_t va, vm_offset_t end, struct pmap_walk *w);
/* The tables that w lacks, allocated but not linked. ERR_NOMEM: none taken. */
int table_reserve_missing(const struct pmap_walk *w, struct table_reserve *r) ERR_MUST_CHECK;

static inline int ERR_MUST_CHECK
table_reserve(const struct pmap_walk *w, struct table_reserve *r)
{
	r->count = 0;
	return (w->l3 != NULL ? 0 : table_reserve_missing(w, r));
}
void table_unreserve(struct table_reserve *r);
/* Link them, at least one, and complete w. */
void table_link(struct pmap_walk *w, struct table_reserve *r);
/* Account for a level-3 entry that became valid. */
static inline void
table_entry_added(const struct pmap_walk *w)
{
	pte_store(w->l2, pte_load(w->l2) + PTE_COUNT_ONE);
}
/* It was the last one of its table: unlinks what is empty now onto *dead; true. */
bool table_last_removed(const struct pmap_walk *w, uint32_t *dead);
/* ... or invalid: unlinks tables that are empty now onto *dead; true if so. */
static inline bool
table_entry_removed(const struct pmap_walk *w, uint32_t *dead)
{
	uint64_t entry = pte_load(w->l2);

	if ((entry & PTE_COUNT_MASK) <= PTE_COUNT_ONE)
		return (table_last_removed(w, dead));
	pte_store(w->l2, entry - PTE_COUNT_ONE);
	return (false);
}
/* Give back unlinked tables, after the flush. */
void table_free_dead(uint32_t *dead);

/* ---- A verb's pending work: TLB invalidations, then tables to give back. */
struct pmap_batch {
	struct tlb_batch tlb;
	uint32_t dead_tables;
};

static inline void
pmap_batch_init(struct pmap_batch *batch, const struct pmap *range_pmap)
{
	tlb_batch_init(&batch->tlb, range_pmap);
	batch->dead_tables = 0;
}

static inline void
pmap_batch_finish(struct pmap_batch *batch)
{
	tlb_batch_flush(&batch->tlb);
	if (batch->dead_tables != 0)
		table_free_dead(&batch->dead_tables);
}

/* ---- pmap.c: remove the mapping of m at w->l3 with its reverse mapping. */
void pmap_remove_entry(const struct pmap_walk *w, struct vm_page *m, struct pmap_batch *batch);
/* Keep in m what a former entry of it knew. */
void pmap_keep_flags(struct vm_page *m, uint64_t pte);
/* Cut the rights of *pte down to prot; returns the entry as it was. */
uint64_t pmap_reduce_entry(uint64_t *pte, vm_prot_t prot);

/* ---- pmap_copy.c: make the instruction cache agree with m if it may not. */
void pmap_exec_sync(struct vm_page *m);

#endif
