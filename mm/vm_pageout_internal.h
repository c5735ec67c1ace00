/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One scan's state, shared by the files of vm_pageout; nobody else includes it.
 */
#ifndef MM_VM_PAGEOUT_INTERNAL_H
#define MM_VM_PAGEOUT_INTERNAL_H

#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_policy.h"

struct vm_scan {
	struct vm_domain *vmd;
	struct vm_page *marker;      /* keeps the place on the inactive queue */
	int32_t shortage;            /* pages still wanted */
	uint32_t deficit;            /* pages that allocators asked for in vain */
	uint32_t stuck;              /* busy or held pages met */
	uint32_t freed;
	struct vm_page_facts facts;  /* of the page being looked at */
};

/* Was m used since the last look? The flags are cleared; the answer goes to the facts. */
static inline void
vm_scan_sample(struct vm_page_facts *facts, struct vm_page *m)
{
	uint32_t delta = m->aflags & PGA_REFERENCED;

	m->aflags &= (uint8_t)~PGA_REFERENCED;
	facts->object_referenced = m->object->ref_count != 0;
	if (facts->object_referenced)
		delta += (uint32_t)pmap_ts_referenced(m);
	facts->act_delta = delta;
	facts->act_count = m->act_count;
}
_Static_assert(PGA_REFERENCED == 1, "the flag counts as one reference");

void vm_scan_inactive(struct vm_scan *s);
void vm_scan_active(struct vm_scan *s);

#endif
