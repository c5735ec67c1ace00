/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reverse mappings: from a page to every (pmap, virtual address) that maps it.
 */
#ifndef ARM64_PMAP_PV_H
#define ARM64_PMAP_PV_H

#include "lib/err.h"
#include "mm/vm_page.h"

/* An entry for one more mapping of m, in *pv (0 if the inline one is free).
 * ERR_NOMEM. */
int pv_reserve(const struct vm_page *m, uint32_t *pv) ERR_MUST_CHECK;
void pv_unreserve(uint32_t pv);

/* m is mapped by the pmap named ref at va; pv comes from pv_reserve. */
void pv_insert(struct vm_page *m, uint32_t ref, vm_offset_t va, uint32_t pv);
/* ... no longer. The mapping must be there. */
void pv_remove(struct vm_page *m, uint32_t ref, vm_offset_t va);

/* The first mapping becomes the last. */
void pv_rotate(struct vm_page *m);

/* Walk over the mappings of a page, which does not change meanwhile:
 *	for (more = pv_first(m, &c); more; more = pv_next(m, &c)) */
struct pv_cursor {
	uint32_t ref;
	uint32_t at; /* extra entry looked at; 0 = the inline one */
	vm_offset_t va;
};
bool pv_first(const struct vm_page *m, struct pv_cursor *c);
bool pv_next(const struct vm_page *m, struct pv_cursor *c);

#endif
