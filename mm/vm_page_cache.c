/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cached pages: free memory that still holds what it held.
 *
 *             vm_page_cache_insert      vm_page_cache_revive (same object, index)
 *   RESIDENT ---------------> CACHED ------------------------------------> RESIDENT
 *                                |  vm_page_cache_reuse (somebody else needs a frame)
 *                                +--------------------------------------> NOBODY'S
 *                                |  vm_page_cache_free (object ends, range goes)
 *                                +--------------------------------------> FREE
 *
 * A cached page is clean, mapped nowhere and without pins. It keeps object and pindex,
 * in a tree of its own beside the resident ones, and hangs on its domain's cache queue,
 * oldest first.
 *
 * Owns: PG_CACHED, the cache tree of every object (cache_root, cached_count),
 *   v_cache_count of every domain.
 * Does not: decide what is given up (vm_policy) or worth keeping (vm_object_cache.c),
 *   keep free lists (vm_phys).
 * Invariants:
 *   A1 a cached page is fully valid, clean, unmapped, not busy, held or wired;
 *   A2 what it holds can be had again (vm_object_cache.c sees to that);
 *   A3 (object, pindex) is resident or cached, never both;
 *   A4 v_cache_count is the length of the domain's cache queue, cached_count the size
 *      of the object's tree.
 * Yields: never.
 * Complexity: O(log cached pages of the object).
 * See: contract 1.13; lib/rb32.h.
 */
#include "mm/mm_params.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_page.h"
#include "mm/vm_phys.h"

/* ---- an object's cache tree */

struct place {
	uint32_t found;  /* page number, or none */
	uint32_t parent; /* below which pindex would be linked */
	int side;
};

static struct place
descend(const struct vm_object *object, vm_pindex_t pindex)
{
	struct place at = { .parent = VM_PAGE_NONE, .side = RB32_LEFT };
	uint32_t n = object->cache_root;

	while (n != VM_PAGE_NONE && vm_page_array[n].pindex != pindex) {
		at.parent = n;
		at.side = pindex > vm_page_array[n].pindex ? RB32_RIGHT : RB32_LEFT;
		n = vm_page_array[n].tree.child[at.side];
	}
	at.found = n;
	return (at);
}

struct vm_page *
vm_page_cache_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	if (object->cache_root == VM_PAGE_NONE)
		return (NULL);
	return (vm_page_of(descend(object, pindex).found));
}

/* Out of tree and queue: nobody's, with contents. */
static void
take_out(struct vm_page *m)
{
	struct vm_domain *vmd = vm_domain_of(m);
	struct vm_object *object = m->object;

	KASSERT((m->flags & PG_CACHED) != 0, "A1: it is a cached page");
	rb32_remove(vm_page_array, &object->cache_root, vm_page_number(m));
	object->cached_count--;
	vm_pagequeue_dequeue(&vmd->pagequeues[PQ_CACHE], m);
	vmd->v_cache_count--;
	m->flags = 0;
	m->object = NULL;
	m->pindex = 0;
}

/* ---- in */

void
vm_page_cache_insert(struct vm_page *m)
{
	struct vm_domain *vmd = vm_domain_of(m);
	struct vm_object *object = m->object;
	vm_pindex_t pindex = m->pindex;
	struct place at = descend(object, pindex);

	KASSERT(m->dirty == 0 && m->valid == VM_PAGE_BITS_ALL && !pmap_page_is_mapped(m),
	    "A1: a cached page is clean, valid, unmapped");
	KASSERT(m->busy == 0 && m->hold_count == 0 && m->wire_count == 0,
	    "A1: a cached page has no pins");
	KASSERT(at.found == VM_PAGE_NONE, "A3: resident or cached, not both");
	if (m->queue != PQ_NONE)
		vm_pagequeue_dequeue(&vmd->pagequeues[m->queue], m);
	vm_page_remove(m);
	m->object = object;
	m->pindex = pindex;
	m->flags = PG_CACHED;
	m->aflags = 0;
	m->act_count = 0;
	rb32_insert(vm_page_array, &object->cache_root, at.parent, at.side, vm_page_number(m));
	object->cached_count++;
	vm_pagequeue_enqueue(&vmd->pagequeues[PQ_CACHE], m);
	vmd->v_cache_count++;
	mm_params.v_tcached++;
	vm_page_free_wakeup(vmd);
}

/* ---- out */

void
vm_page_cache_revive(struct vm_page *m)
{
	take_out(m);
	mm_params.v_reactivated++;
}

struct vm_page *
vm_page_cache_reuse(uint32_t domain)
{
	struct vm_page *m = vm_pagequeue_first(&vm_domains[domain].pagequeues[PQ_CACHE]);

	if (m == NULL)
		return (NULL);
	take_out(m);
	m->valid = 0;
	return (m);
}

void
vm_page_cache_release(struct vm_page *m)
{
	take_out(m);
	m->valid = 0;
	vm_phys_free(m, 0);
	mm_params.v_tfree++;
}

/* The cached page with the smallest pindex >= pindex, or NULL. */
static struct vm_page *
find_least(const struct vm_object *object, vm_pindex_t pindex)
{
	struct place at = descend(object, pindex);

	if (at.found != VM_PAGE_NONE)
		return (vm_page_of(at.found));
	if (at.side == RB32_LEFT)
		return (vm_page_of(at.parent));
	return (vm_page_of(rb32_step(vm_page_array, at.parent, RB32_RIGHT)));
}

bool
vm_page_cache_free_some(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
    uint32_t limit)
{
	struct vm_page *m;

	while (object->cache_root != VM_PAGE_NONE && (m = find_least(object, start)) != NULL &&
	    m->pindex < end) {
		if (limit-- == 0)
			return (true);
		vm_page_cache_release(m);
	}
	return (false);
}

void
vm_page_cache_free(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	(void)vm_page_cache_free_some(object, start, end, UINT32_MAX);
}
