/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One scan's state, shared by the files of vm_pageout; nobody else includes it.
 */
#ifndef MM_VM_PAGEOUT_INTERNAL_H
#define MM_VM_PAGEOUT_INTERNAL_H

#include "mm/vm_meter.h"
#include "mm/vm_policy.h"

struct vm_scan {
	struct vm_domain *vmd;
	struct vm_page *marker;      /* keeps the place over a yield */
	int32_t shortage;            /* pages still wanted */
	uint32_t deficit;            /* pages that allocators asked for in vain */
	uint32_t stuck;              /* busy or held pages met */
	uint32_t freed;
	struct vm_page_facts facts;  /* of the page being looked at */
};

/*
 * m, the next element to look at, is number `looked` of this scan: a yield point
 * every SCHED_LOOP_MAX. The element to go on with, NULL at the end. May yield.
 */
struct vm_page *vm_scan_step(struct vm_scan *s, struct vm_pagequeue *pq, struct vm_page *m,
    uint32_t looked);
/* Was m used since the last look? The flags are cleared; the answer goes to the facts. */
void vm_scan_sample(struct vm_scan *s, struct vm_page *m);

void vm_scan_inactive(struct vm_scan *s);
void vm_scan_active(struct vm_scan *s);

#endif
