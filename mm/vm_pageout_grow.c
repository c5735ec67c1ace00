/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reclaim by place: give up whatever lies in a range of physical memory, so that a
 * piece of it can be had whole.
 *
 *   tries 0   clean inactive pages        no I/O, no handlers
 *   tries 1   + dirty inactive pages      written one by one, a file as a whole
 *   tries 2   + active pages
 *
 * Owns: which domain is looked at first.
 * Does not: look for the piece (vm_phys_contig.c).
 * Invariants:
 *   W1 a call makes at most as many successful launders as there were inactive (active)
 *      pages at its start: it ends when every write fails;
 *   W2 what yields, yields with a marker behind the page.
 * Yields: all but the helpers that say so.
 * Complexity: O(pages of the queues) for each page written.
 * See: contract 1.5; mm/vm_pageout_grow.h.
 */
#include "kern/sched.h"
#include "kern/trace.h"
#include "mm/file_pager.h"
#include "mm/vm_pageout_grow.h"
#include "mm/vm_launder.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout_lock.h"
#include "mm/vm_pager.h"

/* What became of one page. */
enum found {
	FOUND_NOTHING, /* passed by, or cached */
	FOUND_DIRTY,   /* to be written, its object is still locked, and so is it */
};

/* What grow_cache goes over. */
struct grow {
	vm_paddr_t low, high;
	uint32_t tries;
	uint32_t first_domain;
};

/* W2: let others run. True if m is still in its place; *next is the element behind it. */
static bool
yield_at(struct vm_pagequeue *pq, struct vm_page *m, struct vm_page **next)
{
	struct vm_page *marker = vm_pagequeue_marker_begin(pq);
	bool same;

	vm_pagequeue_insert_after(pq, m, marker);
	sched_maybe_yield();
	same = m->queue == pq->id && vm_pagequeue_next(m) == marker;
	*next = vm_pagequeue_next(marker);
	vm_pagequeue_remove_marker(pq, marker);
	vm_pagequeue_marker_end(marker);
	return (same);
}

/* Both locks are held. Never yields. */
static enum found
look(struct vm_page *m, struct vm_object *object, uint32_t tries)
{
	if (m->hold_count != 0 || vm_page_busied(m))
		return (FOUND_NOTHING);
	vm_page_test_dirty(m);
	if (m->dirty == 0 && object->ref_count != 0 && pmap_page_is_mapped(m))
		pmap_remove_all(m); /* which may reveal dirtiness */
	if (m->dirty == 0) {
		if (pmap_page_is_mapped(m))
			return (FOUND_NOTHING);
		vm_page_cache(m);
		return (FOUND_NOTHING);
	}
	if (tries == 0 || (object->flags & OBJ_DEAD) != 0)
		return (FOUND_NOTHING);
	return (FOUND_DIRTY);
}

/* Write m, or the whole file that it belongs to. Busy and paging in progress pin it
 * from the first yield on. */
static void
write_page(struct vm_page *m, struct vm_object *object)
{
	if (object->type != OBJT_VNODE) {
		(void)vm_pageout_flush(&m, 1, VM_PAGER_PUT_SYNC, NULL);
		return;
	}
	vm_object_reference(object);
	/* An error stays with the file and is told to whoever syncs it. */
	if (file_pager_sync(object, 0, 0, OBJPC_SYNC, false) != 0)
		mm_params.v_pageout_errors++;
	vm_object_deallocate(object);
}

bool
vm_pageout_launder(struct vm_pagequeue *pq, uint32_t tries, vm_paddr_t low, vm_paddr_t high)
{
	struct vm_page *m, *next;
	struct vm_object *object;
	enum found found;
	uint32_t looked = 0;

	for (m = vm_pagequeue_first(pq); m != NULL; m = next) {
		next = vm_pagequeue_next(m);
		if (++looked % SCHED_LOOP_MAX == 0 && !yield_at(pq, m, &next))
			continue;
		if ((m->flags & PG_MARKER) != 0 || VM_PAGE_TO_PHYS(m) < low ||
		    VM_PAGE_TO_PHYS(m) + PAGE_SIZE > high)
			continue;
		if (!vm_pageout_lock_both(m, &object, &next))
			continue;
		found = look(m, object, tries);
		sleep_lock_release(&object->lock);
		vm_page_unlock(m);
		if (found == FOUND_DIRTY) {
			write_page(m, object);
			return (true);
		}
	}
	return (false);
}

/* Does some of the domain's memory lie in [low, high)? */
static bool
intersects(const struct vm_domain *vmd, vm_paddr_t low, vm_paddr_t high)
{
	struct vm_page *first, *end;
	uint32_t n;

	for (n = 0; vm_phys_segment(n, &first, &end); n++)
		if (first->domain == vmd->id && VM_PAGE_TO_PHYS(first) < high &&
		    VM_PAGE_TO_PHYS(end - 1) + PAGE_SIZE > low)
			return (true);
	return (false);
}

static uint32_t
pages_on(uint8_t queue)
{
	uint32_t i, count = 0;

	for (i = 0; i < vm_domain_count; i++)
		count += vm_domains[i].pagequeues[queue].count;
	return (count);
}

/* W1: all domains' queues of one kind, first_domain first, left successes at most; what
 * the last of them wrote is clean now, and to be had without another. */
static void
launder_all(const struct grow *g, uint8_t queue, uint32_t left)
{
	struct vm_domain *vmd;
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++) {
		vmd = &vm_domains[(g->first_domain + i) % vm_domain_count];
		if (!intersects(vmd, g->low, g->high))
			continue;
		trace(TRACE_GROW, vmd->id, queue, g->tries);
		while (left > 0 &&
		    vm_pageout_launder(&vmd->pagequeues[queue], g->tries, g->low, g->high))
			left--;
		if (left == 0)
			(void)vm_pageout_launder(&vmd->pagequeues[queue], 0, g->low, g->high);
	}
}

void
vm_pageout_grow_cache(uint32_t tries, vm_paddr_t low, vm_paddr_t high)
{
	static uint32_t calls;
	struct grow g = { .low = low, .high = high, .tries = tries,
		.first_domain = calls % vm_domain_count };
	uint32_t active;

	calls++;
	if (tries > 0)
		vm_lowmem(0);
	active = tries >= 2 ? pages_on(PQ_ACTIVE) : 0;
	launder_all(&g, PQ_INACTIVE, pages_on(PQ_INACTIVE));
	if (tries >= 2)
		launder_all(&g, PQ_ACTIVE, active);
}

struct vm_page *
vm_pageout_alloc_contig(uint32_t pages, const struct vm_phys_range *range)
{
	struct vm_page *m;
	uint32_t tries;

	for (tries = 0;; tries++) {
		m = vm_page_alloc_contig(VM_ALLOC_NORMAL, pages, range);
		if (m != NULL || tries > 2)
			return (m);
		vm_pageout_grow_cache(tries, range->low, range->high);
	}
}
