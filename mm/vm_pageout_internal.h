/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One scan's state, shared by the files of vm_pageout; nobody else includes it.
 */
#ifndef MM_VM_PAGEOUT_INTERNAL_H
#define MM_VM_PAGEOUT_INTERNAL_H

#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_policy.h"

/*
 * A scan yields by the work that it has done, not by the pages that it has passed: at most
 * about 20,000 instructions lie between two yields. One unit is at most some 800 instructions.
 */
#define VM_SCAN_WORK_MAX   24u
#define VM_SCAN_WORK_LOOK   1u /* locks, questions, a place on a queue */
#define VM_SCAN_WORK_MAPPED 1u /* reference flags of its mappings */
#define VM_SCAN_WORK_UNMAP  3u /* all mappings removed, and perhaps the page freed */

struct vm_scan {
	struct vm_domain *vmd;
	struct vm_page *marker;      /* keeps the place on the inactive queue */
	struct vm_object *object;    /* of the page being looked at: locked, as is the page */
	int32_t shortage;            /* pages still wanted */
	uint32_t deficit;            /* pages that allocators asked for in vain */
	uint32_t stuck;              /* busy or held pages met (the contract's addl) */
	uint32_t vnodes_skipped;     /* dirty pages of files that could not be had */
	uint32_t work;               /* since the last yield: VM_SCAN_WORK_MAX */
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
	if (facts->object_referenced && pmap_page_is_mapped(m))
		delta += (uint32_t)pmap_ts_referenced(m);
	facts->act_delta = delta;
	facts->act_count = m->act_count;
}
_Static_assert(PGA_REFERENCED == 1, "the flag counts as one reference");

void vm_scan_inactive(struct vm_scan *s);
/*
 * m is a dirty page of a file (s->object), both locked, the marker behind it. Begin to
 * write: true with the gate passed, the vnode, the object and the page locked and the
 * page still worth it; end follows, after the page has been written. False: none of it,
 * s says why. May yield. (mm/vm_pageout_vnode.c)
 */
bool vm_scan_vnode_begin(struct vm_scan *s, struct vm_page *m);
void vm_scan_vnode_end(struct vm_object *object);
void vm_scan_active(struct vm_scan *s);

#endif
