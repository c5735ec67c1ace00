/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write dirty pages: gather a cluster, protect it, write it, settle each page
 * by its outcome (contract 1.3, 1.4).
 */
#ifndef MM_VM_LAUNDER_H
#define MM_VM_LAUNDER_H

#include "mm/vm_page.h"

/* Launder m with its neighbours: m is dirty, inactive, not busy, not held, and locked, as
 * is its object; both are unlocked on return (who knows that no other task runs between
 * may leave them alone). Returns pages written or under way (0 = none). May yield. */
uint32_t vm_pageout_clean(struct vm_page *m);

/* What became of a part of a flush that matters to the caller. */
struct vm_flush_part {
	uint32_t mreq;   /* in: the part begins at mc[mreq] */
	uint32_t runlen; /* out: its pages before the first AGAIN */
	bool eio;        /* out: an ERROR or FAIL among those */
};

/*
 * Write mc[0..count-1], consecutive pages of one object, all fully valid, with flags
 * VM_PAGER_PUT_*. Returns pages OK or PEND. part may be NULL. May yield.
 */
uint32_t vm_pageout_flush(struct vm_page **mc, uint32_t count, uint32_t flags,
    struct vm_flush_part *part);

/* Free m if it is clean, unmapped by this call if need be, and nobody uses it; true
 * if it is gone. Never yields. */
bool vm_pageout_try_free(struct vm_page *m);

/* Flags of vm_object_page_clean. */
#define OBJPC_SYNC  1 /* wait for busy pages and for the disk; look again on change */
#define OBJPC_INVAL 2 /* free the pages afterwards, mapped or not (not wired, not held) */

/*
 * Write the dirty pages of [start, end) (end 0: all), in order, in runs; from the page
 * daemon without OBJPC_SYNC asynchronously. False if some page could not be written. The
 * caller keeps the object alive. May yield. (mm/vm_launder_object.c)
 */
struct vm_object;
bool vm_object_page_clean(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
    uint32_t flags);

#endif
