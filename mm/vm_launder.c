/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write dirty pages: gather a cluster around one, protect it, hand it to the pager,
 * settle each page by its outcome.
 *
 *   pindex  ... 13 14 15 | 16 17 18 19 (20) 21 22 ... 31 | 32 ...
 *                   (c) <-|<----- (a) ----|--- (b) -------->
 *   (a) back, pausing at a multiple of the cluster size; (b) forward; (c) further
 *   back if there is room: so clusters tend to begin at multiples
 *
 *   outcome  OK, PEND   counted; PEND pages are settled by the pager later
 *            BAD        the page is clean from now on: nobody wants it
 *            ERROR,FAIL stays dirty, becomes active
 *            AGAIN      nothing happened
 *
 * Owns: nothing; it moves pages between states that others own.
 * Does not: choose the page to begin with (vm_pageout), do I/O (the pager),
 *   allocate anything.
 * Invariants:
 *   U1 a page to launder is dirty, inactive, fully valid, not busy, not held;
 *   U2 a cluster is consecutive in its object, at most vmd->cluster_pages long, or what
 *      vm.pageout_cluster_pages says;
 *   U3 at pager entry every page is shared-busy and mapped nowhere for writing, and
 *      the object's paging_in_progress counts it: that, and no lock, is what holds
 *      while the pager works;
 *   U4 the locks of page and object, with which vm_pageout_clean is called, are free
 *      when the pager is called.
 * Yields: vm_pageout_clean and vm_pageout_flush, in the pager.
 * Complexity: O(cluster).
 * See: contract 1.3, 1.4.
 */
#include "mm/vm_launder.h"

#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pager.h"

/* A run being gathered: it grows at both ends from the middle of the array. */
struct gather {
	struct vm_page *mc[2 * VM_PAGEOUT_CLUSTER_MAX];
	uint32_t first; /* index of the lowest page */
	uint32_t count;
	uint32_t limit;
};

static inline bool
eligible(struct vm_page *m)
{
	if (m->queue != PQ_INACTIVE || vm_page_busied(m) || m->hold_count != 0 ||
	    vm_page_lock_held(m))
		return (false);
	vm_page_test_dirty(m);
	return (m->dirty != 0);
}

/* Take the page below the run; false = nothing more in this direction. */
static bool
extend_back(struct gather *g)
{
	struct vm_page *low = g->mc[g->first];
	struct vm_page *m = low->pindex == 0 ? NULL : vm_page_prev(low);

	if (m == NULL || m->pindex + 1 != low->pindex || !eligible(m))
		return (false);
	g->mc[--g->first] = m;
	g->count++;
	return (true);
}

static bool
extend_forward(struct gather *g)
{
	struct vm_page *high = g->mc[g->first + g->count - 1];
	struct vm_page *m = vm_page_next(high);

	if (m == NULL || m->pindex != high->pindex + 1 || !eligible(m))
		return (false);
	g->mc[g->first + g->count++] = m;
	return (true);
}

static void
gather(struct gather *g)
{
	bool back = true;

	while (back && g->count < g->limit) {
		/* (a), and later (c): up to the next multiple */
		do {
			back = extend_back(g);
		} while (back && g->count < g->limit && g->mc[g->first]->pindex % g->limit != 0);
		while (g->count < g->limit && extend_forward(g)) /* (b) */
			continue;
	}
}

/* U4: what the caller locked for m's sake, if he did. */
static void
unlock(struct vm_page *m)
{
	if (sleep_lock_owned(&m->object->lock))
		sleep_lock_release(&m->object->lock);
	if (vm_page_lock_owned(m))
		vm_page_unlock(m);
}

uint32_t
vm_pageout_clean(struct vm_page *m)
{
	struct gather g; /* not cleared: that would cost more than it does */

	KASSERT(m->queue == PQ_INACTIVE && !vm_page_busied(m) && m->hold_count == 0 &&
	    m->dirty != 0, "U1: a page to launder is dirty, inactive, not busy, not held");
	KASSERT(!vm_page_lock_held(m) && !sleep_lock_held(&m->object->lock),
	    "U4: nobody else has locked page or object");
	g.first = VM_PAGEOUT_CLUSTER_MAX;
	g.count = 1;
	g.limit = mm_params.pageout_cluster_pages != 0 ?
	    (uint32_t)mm_params.pageout_cluster_pages : vm_domain_of(m)->cluster_pages;
	g.mc[g.first] = m;
	gather(&g);
	KASSERT(g.count <= g.limit, "U2: a cluster is at most as long as was asked");
	unlock(m);
	return (vm_pageout_flush(&g.mc[g.first], g.count, 0, NULL));
}

/* U3. */
static void
protect(struct vm_page **mc, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		KASSERT(mc[i]->valid == VM_PAGE_BITS_ALL, "U1: a page to launder is fully valid");
		vm_page_sbusy(mc[i]);
		pmap_remove_write(mc[i]);
	}
	vm_object_pip_add(mc[0]->object, count);
}

/* The page's own outcome; true if it counts as written. */
static bool
settle(struct vm_page *m, enum vm_pager_outcome outcome)
{
	switch (outcome) {
	case VM_PAGER_OK:
	case VM_PAGER_PEND:
		return (true);
	case VM_PAGER_BAD:
		vm_page_undirty(m);
		return (false);
	case VM_PAGER_ERROR:
	case VM_PAGER_FAIL:
		vm_page_activate(m);
		return (false);
	default:
		return (false);
	}
}

/* The page's I/O is over. */
static void
release(struct vm_page *m, struct vm_object *object)
{
	struct vm_domain *vmd = vm_domain_of(m);

	vm_page_sunbusy(m);
	if (vm_page_count_severe(vmd))
		(void)vm_page_try_to_cache(m);
	vm_object_pip_wakeup(object, 1);
}

/* What outcome i means for the caller's part of the flush. */
static void
note_outcome(struct vm_flush_part *part, uint32_t i, enum vm_pager_outcome outcome)
{
	if (i < part->mreq || i - part->mreq >= part->runlen)
		return;
	if (outcome == VM_PAGER_ERROR || outcome == VM_PAGER_FAIL)
		part->eio = true;
	else if (outcome == VM_PAGER_AGAIN)
		part->runlen = i - part->mreq;
}

uint32_t
vm_pageout_flush(struct vm_page **mc, uint32_t count, uint32_t flags, struct vm_flush_part *part)
{
	enum vm_pager_outcome outcomes[VM_PAGEOUT_CLUSTER_MAX];
	struct vm_object *object = mc[0]->object;
	struct vm_flush_part whole = { .mreq = 0 };
	uint32_t i, written = 0;

	if (part == NULL)
		part = &whole;
	KASSERT(count > 0 && count <= VM_PAGEOUT_CLUSTER_MAX && part->mreq <= count,
	    "U2: a flush fits its outcomes");
	part->runlen = count - part->mreq;
	part->eio = false;
	protect(mc, count);
	vm_pager_of(object)->put_pages(object, mc, count, flags, outcomes);
	for (i = 0; i < count; i++) {
		note_outcome(part, i, outcomes[i]);
		if (settle(mc[i], outcomes[i]))
			written++;
		if (outcomes[i] != VM_PAGER_PEND)
			release(mc[i], object);
	}
	return (written);
}

bool
vm_pageout_try_free(struct vm_page *m)
{
	if (m->dirty != 0 || m->hold_count != 0 || m->wire_count != 0 || vm_page_busied(m) ||
	    m->queue == PQ_NONE)
		return (false);
	if (pmap_page_is_mapped(m))
		pmap_remove_all(m);
	if (m->dirty != 0)
		return (false);
	vm_page_free(m);
	return (true);
}
