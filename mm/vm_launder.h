/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write dirty pages: gather a cluster, protect it, write it, settle each page
 * by its outcome (contract 1.3, 1.4).
 */
#ifndef MM_VM_LAUNDER_H
#define MM_VM_LAUNDER_H

#include "mm/vm_page.h"

/* Launder m with its neighbours: m is dirty, inactive, not busy, not held.
 * Returns pages written or under way (0 = none). May yield. */
uint32_t vm_pageout_clean(struct vm_page *m);

/*
 * Write mc[0..count-1], consecutive pages of one object, all fully valid. Returns
 * pages OK or PEND. *runlen: pages from mreq on before the first AGAIN; *eio: an
 * ERROR or FAIL inside that run. Either may be NULL. May yield.
 */
uint32_t vm_pageout_flush(struct vm_page **mc, uint32_t count, uint32_t flags, uint32_t mreq,
    uint32_t *runlen, bool *eio);

#endif
