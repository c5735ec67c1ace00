/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT: the physical map. mm declares, the machine supplies.
 *
 * arch/arm64/pmap.c on the board, test/host/sim_pmap.c for tests of mm. A pmap
 * is one address space's page tables; reverse mappings from a vm_page to its
 * pmaps are the machine's as well. Referenced and modified emulation stays
 * wholly inside: mm asks with ts_referenced and is_modified and never sees a
 * page-table entry.
 *
 * No verb here yields. Verbs that need memory take it from vm_page_alloc and
 * say ERR_NOMEM. TLB entries that contradict the new state are gone before a
 * verb returns (contract 1.14, T5).
 */
#ifndef MM_PMAP_H
#define MM_PMAP_H

#include <machine/pmap_md.h> /* struct pmap, struct md_page (12 bytes, one in each vm_page) */

#include "lib/err.h"
#include "mm/vm_param.h"

struct vm_page;

/*
 * <machine/pmap_md.h> supplies
 *   struct pmap     with the fields `long resident_count` (pages mapped) and
 *                   `uint64_t flag_faults` (faults that only set an emulated flag)
 *   struct md_page  at most 12 bytes, all zero = no mapping
 *   PMAP_USER_MIN, PMAP_USER_MAX   default limits of user addresses
 */

/* Empty address space with at most the top-level table allocated. ERR_NOMEM. */
int pmap_pinit(struct pmap *pmap) ERR_MUST_CHECK;
/* Free the tables; every mapping has been removed (asserted). */
void pmap_release(struct pmap *pmap);
/* Make pmap the current user address space of this core (NULL = none). */
void pmap_activate(struct pmap *pmap);

/* Flags of pmap_enter: the access that faulted (sets referenced, and modified for
 * a write, at once), and wired. */
#define PMAP_ENTER_READ   0x1
#define PMAP_ENTER_WRITE  0x2
#define PMAP_ENTER_WIRED  0x4

/*
 * Map m at va with prot, replacing what was there (same page with other rights, or
 * another page by break-before-make, its dirtiness kept in the old page's dirty
 * field). With no ENTER_READ/WRITE flag the mapping starts unreferenced (prefault).
 * A writable mapping starts clean unless ENTER_WRITE. Execute permission on a page
 * filled since its last sync makes the instruction cache coherent first. ERR_NOMEM
 * when a table page or reverse-map entry cannot be had: nothing has changed.
 */
int pmap_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot,
    uint32_t flags) ERR_MUST_CHECK;

/* Remove all mappings in [start, end); dirtiness goes to m->dirty, reference to
 * the software reference flag PGA_REFERENCED. Empty tables are given back. */
void pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end);
/* Reduce rights in [start, end) to prot (VM_PROT_NONE = pmap_remove). */
void pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot);

/* By page, over all its mappings: */
void pmap_remove_all(struct vm_page *m);     /* none remains; dirty, referenced kept in m */
void pmap_remove_write(struct vm_page *m);   /* all read-only; dirtiness first kept in m */
/* Count mappings (at most PMAP_TS_REFERENCED_MAX looked at) that were used since
 * the last call, and clear them; rotates so that later calls see the others. */
int pmap_ts_referenced(struct vm_page *m);
bool pmap_is_modified(struct vm_page *m);
bool pmap_is_referenced(struct vm_page *m);
/* All mappings clean: the next write sets modified again. */
void pmap_clear_modify(struct vm_page *m);
bool pmap_page_is_mapped(const struct vm_page *m);
bool pmap_page_is_write_mapped(struct vm_page *m);
bool pmap_page_exists_quick(struct pmap *pmap, struct vm_page *m);

static inline long
pmap_resident_count(const struct pmap *pmap)
{
	return (pmap->resident_count);
}

/* The page mapped at va with at least prot, or NULL. */
struct vm_page *pmap_extract(struct pmap *pmap, vm_offset_t va, vm_prot_t prot);

/*
 * A user access of kind access (one VM_PROT_ bit) faulted at va: 0 if an emulated
 * flag (referenced or modified) was missing and has been set, so that the access
 * may be repeated; ERR_FAULT if vm_fault must decide. A few dozen instructions.
 */
int pmap_fault(struct pmap *pmap, vm_offset_t va, vm_prot_t access);

/* What is known of the page mapped at va: PMAP_MINCORE_* bits, 0 = not mapped. */
#define PMAP_MINCORE_MAPPED     0x1
#define PMAP_MINCORE_REFERENCED 0x2
#define PMAP_MINCORE_MODIFIED   0x4
uint32_t pmap_mincore(struct pmap *pmap, vm_offset_t va);
/* Mappings in [start, end) look unused from now on: referenced and modified are
 * cleared. keep_dirty: modified goes to m->dirty first, else it is lost (MADV_FREE). */
void pmap_advise(struct pmap *pmap, vm_offset_t start, vm_offset_t end, bool keep_dirty);
/* Wired mappings in [start, end) become ordinary ones. */
void pmap_unwire(struct pmap *pmap, vm_offset_t start, vm_offset_t end);

void pmap_zero_page(struct vm_page *m);
void pmap_copy_page(const struct vm_page *from, struct vm_page *to);
/* The kernel has filled m with code or data by the direct map: the next
 * executable mapping must synchronise the instruction cache. */
void pmap_page_filled(struct vm_page *m);

/* Counters that the machine keeps; rows in mm/mm.params show them. */
struct pmap_stats {
	uint64_t af_faults;       /* referenced set by emulation */
	uint64_t dirty_faults;    /* modified set by emulation (alone) */
	uint64_t table_pages;     /* page-table pages now */
	uint64_t tlb_invalidations;
	uint64_t asid_rollovers;
	uint64_t hw_flags;        /* 1: the hardware manages referenced and modified */
};
extern struct pmap_stats pmap_stats;

#endif
