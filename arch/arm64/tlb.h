/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of TLB invalidations: change many entries, then flush once.
 */
#ifndef ARM64_TLB_H
#define ARM64_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/vm_param.h"

struct pmap;

#define TLB_BATCH_MAX 16

struct tlb_batch {
	const struct pmap *range_pmap; /* all addresses are of this one, or NULL */
	uint32_t count;                /* operands collected */
	bool whole;                    /* more than fit: the whole ASID */
	bool tables;                   /* a table was unlinked: all levels */
	uint64_t operand[TLB_BATCH_MAX];
};

/* Empty batch. With a pmap, only that one's addresses come in and too many of them
 * turn into one flush of its ASID; with NULL, a full batch is flushed on the way. */
static inline void
tlb_batch_init(struct tlb_batch *batch, const struct pmap *range_pmap)
{
	batch->range_pmap = range_pmap;
	batch->count = 0;
	batch->whole = false;
	batch->tables = false;
}

/* The entry of va has changed or gone and may be in a TLB. table: the table with
 * that entry was unlinked as well. */
void tlb_batch_add(struct tlb_batch *batch, const struct pmap *pmap, vm_offset_t va, bool table);

/* No TLB holds what was added, nor do walkers see the entries' old values. Empties
 * the batch. */
void tlb_batch_flush(struct tlb_batch *batch);

/* One address, last level. */
void tlb_flush_page(const struct pmap *pmap, vm_offset_t va);

#endif
