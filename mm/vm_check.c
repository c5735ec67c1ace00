/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verify mm from outside: frames, free lists, queues and zones here; objects, maps
 * and swap in vm_check_object.c.
 *
 * Owns: nothing.
 * Does not: repair or change anything.
 * Invariants verified (each is the sum of what the named file's own rules say):
 *   C1  a free frame has no object, queue, pin, mapping, valid or dirty part (P1)
 *   C2  frames with PG_FREE = v_free_count = what the buddy lists hold (F1-F3)
 *   C3  queue links agree in both directions, elements carry the queue's id, and
 *       are neither wired nor free nor without object (Q1-Q4)
 *   C4  the pages that name a queue are as many as its count, markers left out
 *   C5  wired pages are on no queue; v_wire_count counts them (P2)
 *   C6  dirty implies fully valid (P5)
 *   C7  no frame is lost: it is free, wired, queued, busy or held
 *   C8  an object's tree is a red-black tree in order; its pages name it (T1-T3)
 *   C9  pages with an object are as many as all objects' resident_count
 *   C10 a slot in use belongs to a live swap object, inside its size, and is found
 *       by look-up; all slots in use are all objects' swap_count
 *   C11 a page with a copy in swap is not mapped writable (L1)
 *   C12 map entries are sorted, disjoint, covered by their object; counts, sizes and
 *       reference counts agree (V1-V4, O1)
 *   C13 zones' counts and free chains agree (U1, U2)
 *   C14 paging_in_progress covers the shared-busy pages of an object (O3)
 *   C16 a cached page is clean, valid, unmapped and without pins, on the cache queue and
 *       in its object's cache tree, with a copy elsewhere; v_cache_count counts them (A1-A4)
 *   C15 pages mapped are not more than all address spaces' resident_count
 *   C18 the pages of an entry wired by mlock are resident and wired; the map counts them
 *       (V12, V13)
 *   C19 file and object name each other and agree in size; dirty pages of files lie in
 *       objects that say so (F1, F2, F4)
 *   C17 shadow_count is the length of the list of shadows; chains end (J1)
 * Yields: never.
 * Complexity: O(frames + slots + entries * objects).
 * See: mm/vm_check.h; the model test runs it after each step.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mm/file_pager.h"
#include "mm/swap_map.h"
#include "mm/uma.h"
#include "mm/vm_check_internal.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_phys.h"

/* What the pass over the page array adds up, for one domain. */
struct totals {
	uint32_t free, free_in_blocks, wired, with_object, mapped, cached;
	uint32_t queued[PQ_COUNT + 1];
};

void
vm_check_broken(struct vm_check_result *r, const char *fmt, ...)
{
	va_list ap;

	if (r->broken++ != 0)
		return;
	va_start(ap, fmt);
	vsnprintf(r->first_broken, sizeof(r->first_broken), fmt, ap);
	va_end(ap);
}

static void
check_free_page(struct vm_check_result *r, const struct vm_page *m, struct totals *t)
{
	t->free++;
	if (m->order < VM_PHYS_ORDERS)
		t->free_in_blocks += 1u << m->order;
	else if (m->order == VM_PHYS_ORDER_HOT)
		t->free_in_blocks++;
	if (m->object != NULL || m->queue != PQ_NONE || m->busy != 0 || m->hold_count != 0 ||
	    m->wire_count != 0 || m->valid != 0 || m->dirty != 0 || pmap_page_is_mapped(m))
		vm_check_broken(r, "C1: free page %u is still used (queue %u, busy %x, object %s)",
		    vm_page_number(m), m->queue, m->busy, m->object == NULL ? "none" : "set");
}

static void
check_cached_page(struct vm_check_result *r, const struct vm_page *m, struct totals *t)
{
	uint32_t n = vm_page_number(m);

	t->cached++;
	if (m->queue == PQ_CACHE)
		t->queued[PQ_CACHE]++;
	if (m->queue != PQ_CACHE || m->dirty != 0 || m->valid != VM_PAGE_BITS_ALL ||
	    m->busy != 0 || m->hold_count != 0 || m->wire_count != 0 || pmap_page_is_mapped(m))
		vm_check_broken(r, "C16: cached page %u is in use (queue %u, busy %x, dirty %x)", n,
		    m->queue, m->busy, m->dirty);
	if (m->object == NULL || !vm_page_is_cached(m->object, m->pindex) ||
	    vm_page_lookup(m->object, m->pindex) != NULL)
		vm_check_broken(r, "C16: cached page %u is not in its object's cache set", n);
	else if (m->object->type != OBJT_VNODE &&
	    swap_map_lookup(m->object, m->pindex) == SWAP_SLOT_NONE)
		vm_check_broken(r, "C16: cached page %u has no copy in swap", n);
}

static void
check_used_page(struct vm_check_result *r, const struct vm_page *m, struct totals *t)
{
	uint32_t n = vm_page_number(m);

	if ((m->flags & PG_CACHED) != 0) {
		check_cached_page(r, m, t);
		return;
	}
	t->with_object += m->object != NULL;
	t->mapped += pmap_page_is_mapped(m) && m->object != NULL;
	if (m->order < VM_PHYS_ORDERS || m->order == VM_PHYS_ORDER_HOT)
		vm_check_broken(r, "C2: page %u in use heads a free block", n);
	if (m->queue < PQ_COUNT)
		t->queued[m->queue]++;
	else if (m->queue != PQ_NONE)
		vm_check_broken(r, "C4: page %u names queue %u", n, m->queue);
	if (m->wire_count != 0) {
		t->wired++;
		if (m->queue != PQ_NONE)
			vm_check_broken(r, "C5: wired page %u is on queue %u", n, m->queue);
	}
	if (m->dirty != 0 && m->valid != VM_PAGE_BITS_ALL)
		vm_check_broken(r, "C6: page %u is dirty but not valid", n);
	if (m->wire_count == 0 && m->queue == PQ_NONE && m->busy == 0 && m->hold_count == 0)
		vm_check_broken(r, "C7: page %u is lost (pindex %u)", n, m->pindex);
}

static void
check_frames(struct vm_check_result *r, const struct vm_domain *vmd, struct totals *t)
{
	const struct vm_page *m;
	uint32_t n;

	for (n = VM_PAGE_FIRST; n < vm_page_array_count; n++) {
		m = &vm_page_array[n];
		if (m->domain != vmd->id)
			continue;
		r->pages++;
		if ((m->flags & PG_FREE) != 0)
			check_free_page(r, m, t);
		else
			check_used_page(r, m, t);
	}
	if (t->free != vmd->v_free_count || t->free_in_blocks != vmd->v_free_count)
		vm_check_broken(r, "C2: %u pages free, %u in blocks, v_free_count %u", t->free,
		    t->free_in_blocks, vmd->v_free_count);
	if (t->cached != vmd->v_cache_count)
		vm_check_broken(r, "C16: %u pages cached, v_cache_count %u", t->cached,
		    vmd->v_cache_count);
	if (t->wired != vmd->v_wire_count)
		vm_check_broken(r, "C5: %u pages wired, v_wire_count %u", t->wired,
		    vmd->v_wire_count);
}

static void
check_buddy_lists(struct vm_check_result *r, const struct vm_domain *vmd)
{
	uint32_t order, frames = 0;

	for (order = 0; order < VM_PHYS_ORDERS; order++)
		frames += vm_phys_free_blocks(vmd->id, order) << order;
	if (frames != vmd->v_free_count)
		vm_check_broken(r, "C2: buddy lists hold %u frames, v_free_count %u", frames,
		    vmd->v_free_count);
}

static void
check_queue(struct vm_check_result *r, const struct vm_pagequeue *pq, uint32_t in_use)
{
	uint32_t n, prev = VM_PAGE_NONE, pages = 0, steps = 0;
	const struct vm_page *m;

	for (n = pq->head; n != VM_PAGE_NONE && steps <= vm_page_array_count; n = m->q_next) {
		m = &vm_page_array[n];
		steps++;
		if (m->q_prev != prev || m->queue != pq->id) {
			vm_check_broken(r, "C3: page %u on queue %u: links or id wrong", n, pq->id);
			return;
		}
		prev = n;
		if ((m->flags & PG_MARKER) != 0)
			continue;
		pages++;
		if (m->wire_count != 0 || (m->flags & PG_FREE) != 0 || m->object == NULL)
			vm_check_broken(r, "C3: page %u on queue %u is wired, free or nobody's", n,
			    pq->id);
	}
	if (prev != pq->tail || pages != pq->count || pages != in_use)
		vm_check_broken(r, "C4: queue %u has %u pages, count %u, %u pages name it", pq->id,
		    pages, pq->count, in_use);
}

static void
check_domain(struct vm_check_result *r, const struct vm_domain *vmd, struct totals *sum)
{
	struct totals t = { 0 };
	uint32_t q;

	check_frames(r, vmd, &t);
	check_buddy_lists(r, vmd);
	for (q = 0; q <= PQ_COUNT; q++)
		check_queue(r, &vmd->pagequeues[q], t.queued[q]);
	r->queued_pages += t.queued[PQ_INACTIVE] + t.queued[PQ_ACTIVE];
	r->cached_pages += t.cached;
	r->free_pages += t.free;
	r->wired_pages += t.wired;
	sum->with_object += t.with_object;
	sum->mapped += t.mapped;
}

static void
check_zones(struct vm_check_result *r)
{
	const struct uma_zone *zone;

	for (zone = uma_zone_next(NULL); zone != NULL;
	    zone = uma_zone_next((struct uma_zone *)zone))
		if (!uma_zone_check(zone))
			vm_check_broken(r, "C13: zone %s: slabs and counts disagree", zone->name);
}

void
vm_check(struct vm_check_result *out)
{
	struct totals sum = { 0 };
	const struct vm_object *object;
	const struct vmspace *vm;
	uint64_t resident = 0, mapped = 0;
	const char *file;
	uint32_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < vm_domain_count; i++)
		check_domain(out, &vm_domains[i], &sum);
	check_zones(out);
	vm_check_objects(out);
	for (object = vm_object_next(NULL); object != NULL;
	    object = vm_object_next((struct vm_object *)object))
		resident += object->resident_count;
	if (resident != sum.with_object)
		vm_check_broken(out, "C9: %u pages have an object, objects have %u pages",
		    sum.with_object, (uint32_t)resident);
	vm_check_maps(out);
	for (vm = vmspace_next(NULL); vm != NULL; vm = vmspace_next((struct vmspace *)vm))
		mapped += vmspace_resident_count(vm);
	if (sum.mapped > mapped)
		vm_check_broken(out, "C15: %u pages are mapped, address spaces map %u", sum.mapped,
		    (uint32_t)mapped);
	vm_check_swap(out);
	file = file_pager_check();
	if (file != NULL)
		vm_check_broken(out, "C19: files: %s", file);
}
