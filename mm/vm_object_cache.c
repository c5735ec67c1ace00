/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving a page up: cached if what it holds can be had again, else freed.
 *
 * Owns: nothing; the set of cached pages is vm_page_cache.c's.
 * Does not: decide which page goes (vm_policy).
 * Invariants:
 *   A2 what a cached page holds can be had again: of a default object, or a swap object
 *      without a slot for it, nothing is cached. Such a page, clean, holds zeros;
 *   A5 who gives a page up has found it valid, clean, unmapped and without pins.
 * Yields: never.
 * Complexity: O(log cached pages of the object).
 * See: contract 1.13.
 */
#include "mm/vm_object.h"
#include "mm/vm_pager.h"

static bool
worth_keeping(struct vm_page *m)
{
	struct vm_object *object = m->object;

	KASSERT(m->valid == VM_PAGE_BITS_ALL, "A5: a page given up is valid");
	if (object->type == OBJT_DEFAULT || (object->flags & OBJ_DEAD) != 0)
		return (false);
	return (object->type != OBJT_SWAP ||
	    vm_pager_of(object)->has_page(object, m->pindex, NULL, NULL));
}

void
vm_page_cache(struct vm_page *m)
{
	KASSERT(m->dirty == 0 && !pmap_page_is_mapped(m) && m->busy == 0 && m->hold_count == 0 &&
	    m->wire_count == 0, "A5: a page given up is clean, unmapped and without pins");
	if (worth_keeping(m))
		vm_page_cache_insert(m);
	else
		vm_page_free(m);
}

bool
vm_page_try_to_cache(struct vm_page *m)
{
	if (m->dirty != 0 || m->hold_count != 0 || m->wire_count != 0 || vm_page_busied(m) ||
	    m->queue == PQ_NONE || m->object == NULL)
		return (false);
	if (pmap_page_is_mapped(m))
		pmap_remove_all(m);
	if (m->dirty != 0)
		return (false);
	vm_page_cache(m);
	return (true);
}
