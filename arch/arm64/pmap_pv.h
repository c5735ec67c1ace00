/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reverse mappings: from a page to every (pmap, virtual address) that maps it.
 */
#ifndef ARM64_PMAP_PV_H
#define ARM64_PMAP_PV_H

#include "kern/uma.h"
#include "lib/err.h"
#include "mm/vm_page.h"

/* Entries for mappings beyond the first of a page. */
extern struct uma_zone pv_zone;

/* Boot time, before the first mapping. */
void pv_init(void);

/* An entry for one more mapping of m, in *pv (0 if the inline one is free).
 * ERR_NOMEM. */
int pv_entry_alloc(uint32_t *pv) ERR_MUST_CHECK;

static inline int ERR_MUST_CHECK
pv_reserve(const struct vm_page *m, uint32_t *pv)
{
	*pv = 0;
	return (m->md.pmap == 0 ? 0 : pv_entry_alloc(pv));
}
void pv_unreserve(uint32_t pv);

/* m is mapped by the pmap named ref at va; pv comes from pv_reserve. */
void pv_insert_extra(struct vm_page *m, uint32_t ref, vm_offset_t va, uint32_t pv);

static inline void
pv_insert(struct vm_page *m, uint32_t ref, vm_offset_t va, uint32_t pv)
{
	if (pv != 0) {
		pv_insert_extra(m, ref, va, pv);
		return;
	}
	KASSERT(m->md.pmap == 0 && m->md.pv_tail == 0, "V1: the inline mapping is free");
	m->md.pmap = ref;
	m->md.va_page = (uint32_t)atop(va);
}
/* ... no longer. The mapping must be there. */
void pv_remove_extra(struct vm_page *m, uint32_t ref, vm_offset_t va);

static inline void
pv_remove(struct vm_page *m, uint32_t ref, vm_offset_t va)
{
	if (m->md.pv_tail == 0 && m->md.pmap == ref && m->md.va_page == (uint32_t)atop(va))
		m->md = (struct md_page){ 0 };
	else
		pv_remove_extra(m, ref, va);
}

/* The first mapping becomes the last. */
void pv_rotate(struct vm_page *m);

/* Walk over the mappings of a page, which does not change meanwhile:
 *	for (more = pv_first(m, &c); more; more = pv_next(m, &c)) */
struct pv_cursor {
	uint32_t ref;
	uint32_t at; /* extra entry looked at; 0 = the inline one */
	vm_offset_t va;
};
void pv_next_extra(const struct vm_page *m, struct pv_cursor *c);

static inline bool
pv_first(const struct vm_page *m, struct pv_cursor *c)
{
	c->ref = m->md.pmap;
	c->va = ptoa(m->md.va_page);
	c->at = 0;
	return (c->ref != 0);
}

static inline bool
pv_next(const struct vm_page *m, struct pv_cursor *c)
{
	if (c->at == m->md.pv_tail)
		return (false);
	pv_next_extra(m, c);
	return (true);
}

#endif
