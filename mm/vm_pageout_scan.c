/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scan of the inactive queue: look at a page, ask the policy, carry it out.
 *
 *   head -> page -> page -> [marker] -> page -> ... -> tail
 *             |
 *             locks -> busy? -> used? -> held? -> dirty? -> verdict:
 *             LEAVE | REQUEUE | ACTIVATE | FREE | CACHE | LAUNDER (its whole cluster)
 *
 * Owns: PG_WINATCFLS is set here (and cleared by vm_page).
 * Does not: decide (vm_policy), write (vm_launder).
 * Invariants:
 *   I1 a busy page is not sampled, a held one is (quirk Q12);
 *   I2 whatever yields, yields with the marker behind the page: the scan goes on
 *      behind the marker and uses no page found before;
 *   I3 a scan looks at no more elements than the queue had pages at its start;
 *   I4 the marker leaves the queue on every path;
 *   I5 a page is judged with its lock and its object's, and neither is held over a yield.
 * Yields: vm_scan_inactive, by work done (VM_SCAN_WORK_MAX), for locks and in writes.
 * Complexity: O(pages looked at).
 * See: contract 1.8, step 3.
 */
#include "kern/sched.h"
#include "mm/vm_launder.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout_internal.h"
#include "mm/vm_pageout_lock.h"

/* I2: let others run; the element to go on with, m if it is still there. */
static struct vm_page *
yield_at(struct vm_scan *s, struct vm_pagequeue *pq, struct vm_page *m)
{
	s->work = 0;
	vm_pagequeue_insert_after(pq, m, s->marker);
	sched_maybe_yield();
	/* Still in front of the marker: nobody has touched it. Otherwise it is passed. */
	if (s->marker->q_prev != vm_page_number(m))
		m = vm_pagequeue_next(s->marker);
	vm_pagequeue_remove_marker(pq, s->marker);
	return (m);
}

static inline bool
swap_write_allowed(const struct vm_domain *vmd)
{
	if (mm_params.disable_swapspace_pageouts)
		return (false);
	return (!mm_params.defer_swapspace_pageouts || vm_page_count_min(vmd));
}

/* What matters of a page that nobody used. */
static void
look_for_dirt(struct vm_scan *s, struct vm_page *m)
{
	struct vm_page_facts *facts = &s->facts;

	vm_page_test_dirty(m);
	/* Unmapping may bring dirtiness to light. */
	if (m->dirty == 0 && facts->object_referenced && pmap_page_is_mapped(m)) {
		pmap_remove_all(m);
		s->work += VM_SCAN_WORK_UNMAP;
	}
	facts->dirty = m->dirty != 0;
	facts->valid = m->valid != 0;
	facts->winatcfls = (m->flags & PG_WINATCFLS) != 0;
	facts->object_dead = (m->object->flags & OBJ_DEAD) != 0;
	facts->swap_write_allowed = m->object->type == OBJT_VNODE || swap_write_allowed(s->vmd);
}

static enum vm_verdict
judge(struct vm_scan *s, struct vm_page *m, uint8_t *act_count)
{
	struct vm_page_facts *facts = &s->facts;

	s->work += VM_SCAN_WORK_LOOK + (pmap_page_is_mapped(m) ? VM_SCAN_WORK_MAPPED : 0);
	facts->act_delta = 0;
	facts->held = facts->dirty = false;
	facts->busy = vm_page_busied(m);
	if (!facts->busy) { /* I1 */
		vm_scan_sample(facts, m);
		facts->held = m->hold_count != 0;
		if (facts->act_delta == 0 && !facts->held)
			look_for_dirt(s, m);
	}
	return (vm_policy->inactive(facts, act_count));
}

static void
requeue(const struct vm_scan *s, struct vm_page *m)
{
	const struct vm_page_facts *facts = &s->facts;

	if (facts->dirty && !facts->winatcfls && facts->pass < 2)
		m->flags |= PG_WINATCFLS;
	vm_page_requeue(m);
}

/* I2, I5: write m's cluster; the element to go on with. */
static struct vm_page *
launder(struct vm_scan *s, struct vm_pagequeue *pq, struct vm_page *m)
{
	struct vm_object *object = s->object;
	bool file = object->type == OBJT_VNODE;
	struct vm_page *next;

	vm_pagequeue_insert_after(pq, m, s->marker);
	if (!file || vm_scan_vnode_begin(s, m)) {
		if (vm_pageout_clean(m) != 0) {
			s->shortage--;
			s->facts.launder_budget--;
		}
		if (file)
			vm_scan_vnode_end(object);
	}
	next = vm_pagequeue_next(s->marker);
	vm_pagequeue_remove_marker(pq, s->marker);
	s->work = 0; /* the pager has yielded */
	return (next);
}

static void
unlock(const struct vm_scan *s, struct vm_page *m)
{
	sleep_lock_release(&s->object->lock);
	vm_page_unlock(m);
}

/* Carry out the verdict over m, which is locked until then; the element to go on with. */
static struct vm_page *
apply(struct vm_scan *s, struct vm_pagequeue *pq, struct vm_page *m)
{
	struct vm_page *next = vm_pagequeue_next(m);
	uint8_t act_count = m->act_count;

	switch (judge(s, m, &act_count)) {
	case VM_LAUNDER:
		return (launder(s, pq, m));
	case VM_FREE:
		vm_page_free(m);
		s->shortage--;
		s->freed++;
		break;
	case VM_CACHE:
		vm_page_cache(m);
		s->shortage--;
		break;
	case VM_REQUEUE:
		requeue(s, m);
		break;
	case VM_ACTIVATE:
		vm_page_activate(m);
		m->act_count = act_count;
		mm_params.v_pdactivated++;
		break;
	default:
		s->stuck += s->facts.busy || s->facts.held;
		break;
	}
	unlock(s, m);
	return (next);
}

void
vm_scan_inactive(struct vm_scan *s)
{
	struct vm_pagequeue *pq = &s->vmd->pagequeues[PQ_INACTIVE];
	struct vm_page *next, *m = vm_pagequeue_first(pq);
	uint32_t looked, limit = pq->count;

	s->marker = vm_pagequeue_marker_begin(pq);
	for (looked = 1; m != NULL && looked <= limit && s->shortage > 0; looked++) {
		if (s->work >= VM_SCAN_WORK_MAX && (m = yield_at(s, pq, m)) == NULL)
			break;
		mm_params.v_pdpages++;
		next = vm_pagequeue_next(m);
		if ((m->flags & PG_MARKER) == 0 && vm_pageout_lock_both(m, &s->object, &next))
			next = apply(s, pq, m);
		m = next;
	}
	vm_pagequeue_marker_end(s->marker);
	mm_params.v_dfree += s->freed;
}
