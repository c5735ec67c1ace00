/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages: allocation by class, freeing, wiring, holding, dirtiness. Busy states
 * and queue verbs are in vm_page_state.c.
 *
 *              vm_page_alloc             vm_page_activate, _deactivate
 *   FREE --------------------> BUSY ------------------------------------> QUEUED
 *    ^  \                       |  ^       vm_page_tryxbusy, _sbusy         |
 *    |   \ alloc(WIRED)         |  +----------------------------------------+
 *    |    `--> WIRED <----------+-- vm_page_wire                            |
 *    |            |  vm_page_unwire(queue) ------> QUEUED                   |
 *    +------------+-------------+---------------- vm_page_free -------------+
 *              (with a hold: at the last vm_page_unhold)
 *
 * Owns: wire_count, hold_count, valid (cleared), dirty, flags and aflags of pages
 *   that are in use; v_wire_count of every domain.
 * Does not: sleep; keep free lists (vm_phys), queues (vm_pagequeue) or the tree
 *   (vm_page_tree).
 * Invariants:
 *   P1 a free page has no object, queue, pin, mapping, valid or dirty part;
 *   P2 a wired page is on no queue; v_wire_count counts pages, not wirings;
 *   P3 unwire and unhold pair with wire and hold;
 *   P4 a page is freed unmapped, unwired and not shared-busy;
 *   P5 dirty implies fully valid;
 *   P6 a page without an object is allocated with NOOBJ, one with an object not;
 *   P7 freeing a held page frees it exactly once, at the last unhold.
 * Yields: never.
 * Complexity: alloc and free O(log n) for the tree of the object.
 * See: contract 0.4 (classes), 1.12.
 */
#include "mm/vm_page.h"

#include "kern/machdep.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_phys.h"

/* Contract 0.4: may a request of this class take a page now? */
static inline bool
class_allows(const struct vm_domain *vmd, uint32_t class)
{
	uint32_t free_pages = vm_meter_free(vmd);

	if (__builtin_expect(free_pages > vmd->v_free_reserved, 1))
		return (true);
	if (class == VM_ALLOC_NORMAL && vm_meter_is_pagedaemon(curtask()))
		class = VM_ALLOC_SYSTEM;
	if (class == VM_ALLOC_SYSTEM)
		return (free_pages > vmd->v_interrupt_free_min);
	return (class == VM_ALLOC_INTERRUPT && free_pages > 0);
}

/* The eight bytes from wire_count to queue of a page without pins and queue. */
#define NO_PINS ((uint64_t)PQ_NONE << 56)
_Static_assert(offsetof(struct vm_page, queue) == offsetof(struct vm_page, wire_count) + 7,
    "pins and queue lie side by side");
_Static_assert(offsetof(struct vm_page, dirty) == offsetof(struct vm_page, flags) + 3,
    "flags, aflags, valid and dirty lie side by side");

_Static_assert(offsetof(struct vm_page, wire_count) % 8 == 0, "one load reaches the pins");

/* P1, by two loads. */
static inline bool
is_pristine(const struct vm_page *m)
{
	uint64_t pins;
	uint32_t state;

	__builtin_memcpy(&pins, __builtin_assume_aligned(&m->wire_count, 8), sizeof(pins));
	__builtin_memcpy(&state, __builtin_assume_aligned(&m->flags, 4), sizeof(state));
	return (pins == NO_PINS && state == 0 && m->object == NULL);
}

/* A frame of vmd if the class may have one: a free one, else the oldest cached one. */
static inline struct vm_page *
frame_of(struct vm_domain *vmd, uint32_t class)
{
	struct vm_page *m;

	if (!class_allows(vmd, class))
		return (NULL);
	m = __builtin_expect(vmd->v_free_count != 0, 1) ? vm_phys_alloc(vmd->id, 0) :
	    vm_page_cache_reuse(vmd->id);
	if (__builtin_expect(vm_paging_needed(vmd), 0))
		pagedaemon_wakeup(vmd);
	return (m);
}

/* Nobody has a page for this request (contract 0.4). */
static struct vm_page *
refuse(uint32_t req)
{
	struct vm_domain *vmd;
	uint32_t count = req >> VM_ALLOC_COUNT_SHIFT;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		vmd->vm_pageout_deficit += count > 1 ? count : 1;
		pagedaemon_wakeup(vmd);
	}
	mm_params.v_alloc_refused++;
	return (NULL);
}

/* The next domain has it, or the one after that, ... */
static struct vm_page * __attribute__((noinline))
frame_of_any(uint32_t req)
{
	uint32_t first = vm_meter_next_domain(), i;
	struct vm_page *m;

	for (i = 0; i < vm_domain_count; i++) {
		m = frame_of(&vm_domains[(first + i) % vm_domain_count], req & VM_ALLOC_CLASS);
		if (m != NULL)
			return (m);
		pagedaemon_wakeup(&vm_domains[(first + i) % vm_domain_count]);
	}
	return (refuse(req));
}

static inline struct vm_page *
alloc_frame(uint32_t req)
{
	struct vm_page *m;

	if (__builtin_expect(vm_domain_count != 1, 0))
		return (frame_of_any(req));
	m = frame_of(&vm_domains[0], req & VM_ALLOC_CLASS);
	KASSERT(m == NULL || is_pristine(m), "P1: a free page has no state");
	return (__builtin_expect(m != NULL, 1) ? m : refuse(req));
}

/* Would some domain give a page to a request of this class? */
static bool
any_allows(uint32_t class)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (class_allows(&vm_domains[i], class))
			return (true);
	return (false);
}

/* Cached page m comes back with what it holds: it was free memory. It cannot come from
 * another domain than its own, so a reserve there is no reason while others have pages. */
static struct vm_page * __attribute__((noinline))
alloc_cached(struct vm_page *m, uint32_t req)
{
	struct vm_domain *vmd = vm_domain_of(m);

	if ((req & VM_ALLOC_IFNOTCACHED) != 0)
		return (NULL);
	if (!any_allows(req & VM_ALLOC_CLASS))
		return (refuse(req));
	vm_page_cache_revive(m);
	if (vm_paging_needed(vmd))
		pagedaemon_wakeup(vmd);
	return (m);
}

struct vm_page *
vm_page_alloc(struct vm_object *object, vm_pindex_t pindex, uint32_t req)
{
	struct vm_page *m;

	KASSERT((object == NULL) == ((req & VM_ALLOC_NOOBJ) != 0),
	    "P6: NOOBJ goes with no object");
	if (object != NULL && __builtin_expect(object->cache_root != VM_PAGE_NONE, 0) &&
	    (m = vm_page_cache_lookup(object, pindex)) != NULL)
		m = alloc_cached(m, req);
	else if (__builtin_expect((req & VM_ALLOC_IFCACHED) != 0, 0))
		m = NULL;
	else
		m = alloc_frame(req);
	if (m == NULL)
		return (NULL);
	if ((req & VM_ALLOC_NOBUSY) == 0)
		m->busy = VPB_EXCLUSIVE;
	if ((req & VM_ALLOC_WIRED) != 0) {
		m->wire_count = 1;
		vm_domain_of(m)->v_wire_count++;
	}
	if (object != NULL)
		vm_page_insert(m, object, pindex);
	if ((req & VM_ALLOC_ZERO) != 0 && m->valid == 0)
		pmap_zero_page(m);
	return (m);
}

void
vm_page_free(struct vm_page *m)
{
	struct vm_domain *vmd = vm_domain_of(m);

	KASSERT((m->flags & (PG_FREE | PG_MARKER | PG_CACHED | PG_UNHOLDFREE)) == 0,
	    "P7: freed page is in use");
	KASSERT(!pmap_page_is_mapped(m), "P4: freed page is not mapped");
	KASSERT(m->wire_count == 0, "P4: freed page is not wired");
	KASSERT((m->busy & ~VPB_EXCLUSIVE) == 0, "P4: freed page is not shared-busy");
	if (m->object != NULL)
		vm_page_remove(m);
	if (m->queue != PQ_NONE)
		vm_pagequeue_dequeue(&vmd->pagequeues[m->queue], m);
	if (m->busy != 0)
		vm_page_xunbusy(m);
	m->valid = m->dirty = 0;
	m->act_count = 0;
	if (m->hold_count != 0) {
		m->flags |= PG_UNHOLDFREE;
		return;
	}
	m->flags = m->aflags = 0;
	vm_phys_free(m, 0);
	mm_params.v_tfree++;
	vm_page_free_wakeup(vmd);
}

void
vm_page_wire(struct vm_page *m)
{
	struct vm_domain *vmd = vm_domain_of(m);

	KASSERT((m->flags & (PG_FREE | PG_MARKER)) == 0, "P3: wired page is in use");
	KASSERT(m->wire_count < UINT16_MAX, "P3: wire_count overflow");
	if (m->wire_count++ != 0)
		return;
	vmd->v_wire_count++;
	if (m->queue != PQ_NONE)
		vm_pagequeue_dequeue(&vmd->pagequeues[m->queue], m);
}

void
vm_page_unwire(struct vm_page *m, uint8_t queue)
{
	struct vm_domain *vmd = vm_domain_of(m);

	KASSERT(m->wire_count > 0, "P3: unwired page is wired");
	KASSERT(queue < PQ_COUNT || queue == PQ_NONE, "P3: unwire to a queue that exists");
	if (--m->wire_count != 0)
		return;
	vmd->v_wire_count--;
	if (m->object == NULL || queue == PQ_NONE)
		return;
	if (queue == PQ_INACTIVE)
		m->flags &= (uint8_t)~PG_WINATCFLS;
	vm_pagequeue_enqueue(&vmd->pagequeues[queue], m);
}

void
vm_page_hold(struct vm_page *m)
{
	KASSERT((m->flags & (PG_FREE | PG_UNHOLDFREE)) == 0, "P3: held page is in use");
	KASSERT(m->hold_count < UINT16_MAX, "P3: hold_count overflow");
	m->hold_count++;
}

void
vm_page_unhold(struct vm_page *m)
{
	KASSERT(m->hold_count > 0, "P3: unheld page is held");
	if (--m->hold_count != 0 || (m->flags & PG_UNHOLDFREE) == 0)
		return;
	m->flags &= (uint8_t)~PG_UNHOLDFREE;
	vm_page_free(m);
}

void
vm_page_dirty(struct vm_page *m)
{
	KASSERT(m->valid == VM_PAGE_BITS_ALL, "P5: dirtied page is fully valid");
	KASSERT((m->flags & PG_FREE) == 0, "P5: dirtied page is in use");
	m->dirty = VM_PAGE_BITS_ALL;
}

void
vm_page_test_dirty(struct vm_page *m)
{
	if (m->dirty != VM_PAGE_BITS_ALL && pmap_is_modified(m))
		vm_page_dirty(m);
}

void
vm_page_undirty(struct vm_page *m)
{
	m->dirty = 0;
	if (pmap_page_is_mapped(m))
		pmap_clear_modify(m);
}
