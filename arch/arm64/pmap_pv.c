/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reverse mappings of pages.
 *
 * Most pages are mapped once: that mapping lies inside struct vm_page. Further ones
 * are items of a zone, named by 32 bits as struct vm_page has no more room: the page
 * number of the slab, and where in that page the entry begins. 0 names none.
 *
 *   struct vm_page                items of pv_zone
 *   [first mapping]   pv_tail --> [last] --> [second] --> [third] ... --> [last]
 *
 * The extra entries of a page form a ring that is entered at its tail, so that
 * rotating the list of mappings by one (pv_rotate) is a swap of contents and one step.
 *
 * Owns: md_page of mapped pages; the items of pv_zone.
 * Does not: touch page tables.
 * Invariants:
 *   V1 md.pmap == 0 means no mapping and then there are no extra entries.
 *   V2 the slab's page number fits beside the place in the page.
 * Yields: never.
 * Complexity: insertion and rotation constant; removal linear in the page's mappings.
 * See: mm/vm_page.h, kern/uma.h, pmap_page.c.
 */
#include "arch/arm64/pmap_pv.h"

#include "arch/arm64/pmap_var.h"
#include "kern/machdep.h"

/* A multiple of the zone's rounding, so that its place counts in such steps. */
struct pv_entry {
	uint32_t pmap;
	uint32_t va_page;
	uint32_t next; /* in the page's ring */
	uint32_t unused;
};

#define PV_STEP_SHIFT 4
#define PV_PLACE_BITS (PAGE_SHIFT - PV_STEP_SHIFT)
#define PV_PLACE_MASK ((1u << PV_PLACE_BITS) - 1)
_Static_assert(sizeof(struct pv_entry) == 1u << PV_STEP_SHIFT, "an entry is one step");

struct uma_zone pv_zone;

void
pv_init(void)
{
	uma_zone_init(&pv_zone, "pv_entry", sizeof(struct pv_entry));
}

static struct pv_entry *
entry_of(uint32_t pv)
{
	char *slab = vm_page_address(vm_page_of(pv >> PV_PLACE_BITS));

	return ((void *)(slab + ((pv & PV_PLACE_MASK) << PV_STEP_SHIFT)));
}

int
pv_entry_alloc(uint32_t *pv)
{
	void *entry = uma_zalloc(&pv_zone, UMA_NORMAL);
	uint32_t page;

	if (entry == NULL)
		return (ERR_NOMEM);
	page = vm_page_number(PHYS_TO_VM_PAGE(virt_to_phys(entry)));
	KASSERT(page <= UINT32_MAX >> PV_PLACE_BITS, "V2: the page number fits");
	*pv = page << PV_PLACE_BITS | (uint32_t)((uintptr_t)entry & PAGE_MASK) >> PV_STEP_SHIFT;
	return (0);
}

static void
entry_free(uint32_t pv)
{
	uma_zfree(&pv_zone, entry_of(pv));
}

/* ---- Mappings of a page */

void
pv_unreserve(uint32_t pv)
{
	if (pv != 0)
		entry_free(pv);
}

void
pv_insert_extra(struct vm_page *m, uint32_t ref, vm_offset_t va, uint32_t pv)
{
	struct pv_entry *entry, *tail;

	entry = entry_of(pv);
	entry->pmap = ref;
	entry->va_page = (uint32_t)atop(va);
	entry->next = pv;
	if (m->md.pv_tail != 0) {
		tail = entry_of(m->md.pv_tail);
		entry->next = tail->next;
		tail->next = pv;
	}
	m->md.pv_tail = pv;
}

/* Take the ring's entry behind prev out and free it. */
static void
ring_remove(struct vm_page *m, uint32_t prev)
{
	struct pv_entry *before = entry_of(prev);
	uint32_t pv = before->next;

	before->next = entry_of(pv)->next;
	if (pv == prev)
		m->md.pv_tail = 0;
	else if (pv == m->md.pv_tail)
		m->md.pv_tail = prev;
	entry_free(pv);
}

static void
inline_remove(struct vm_page *m)
{
	const struct pv_entry *first;

	if (m->md.pv_tail == 0) {
		m->md = (struct md_page){ 0 };
		return;
	}
	first = entry_of(entry_of(m->md.pv_tail)->next);
	m->md.pmap = first->pmap;
	m->md.va_page = first->va_page;
	ring_remove(m, m->md.pv_tail);
}

void
pv_remove_extra(struct vm_page *m, uint32_t ref, vm_offset_t va)
{
	uint32_t va_page = (uint32_t)atop(va);
	uint32_t prev = m->md.pv_tail;
	const struct pv_entry *entry;

	if (m->md.pmap == ref && m->md.va_page == va_page) {
		inline_remove(m);
		return;
	}
	KASSERT(prev != 0, "V1: a mapping is among the reverse mappings");
	for (;;) {
		entry = entry_of(entry_of(prev)->next);
		if (entry->pmap == ref && entry->va_page == va_page)
			break;
		prev = entry_of(prev)->next;
		KASSERT(prev != m->md.pv_tail, "V1: a mapping is among the reverse mappings");
	}
	ring_remove(m, prev);
}

void
pv_rotate(struct vm_page *m)
{
	uint32_t pv;
	struct pv_entry *first;
	struct md_page former = m->md;

	if (former.pv_tail == 0)
		return;
	pv = entry_of(former.pv_tail)->next;
	first = entry_of(pv);
	m->md.pmap = first->pmap;
	m->md.va_page = first->va_page;
	m->md.pv_tail = pv;
	first->pmap = former.pmap;
	first->va_page = former.va_page;
}

void
pv_next_extra(const struct vm_page *m, struct pv_cursor *c)
{
	const struct pv_entry *entry;

	c->at = entry_of(c->at == 0 ? m->md.pv_tail : c->at)->next;
	entry = entry_of(c->at);
	c->ref = entry->pmap;
	c->va = ptoa(entry->va_page);
}
