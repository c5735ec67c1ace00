/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locking a page that was found on a queue, without losing the place on it.
 *
 *   head -> a -> m -> [marker] -> b -> ...     asleep: m and b may go, or come elsewhere
 *                     next = what follows the marker afterwards
 *
 * Owns: its marker, for the time of the call.
 * Does not: look at the page.
 * Invariants:
 *   X1 the locks asked for are the caller's on return, true or false;
 *   X2 the marker leaves the queue on every path;
 *   X3 an object whose lock is waited for is counted as paging in progress, and one that
 *      ends waits for its lock: it exists until the caller has unlocked it.
 * Yields: all three, when a lock is taken.
 * Complexity: O(1).
 * See: contract 1.2; mm/vm_page_lock.h for the order of locks.
 */
#include "mm/vm_pageout_lock.h"

#include "mm/vm_meter.h"
#include "mm/vm_page_lock.h"

/* m's place on its queue. */
struct place {
	struct vm_pagequeue *pq;
	struct vm_page *marker;
};

static struct place
place_keep(struct vm_page *m)
{
	struct place p = { .pq = &vm_domain_of(m)->pagequeues[m->queue] };

	p.marker = vm_pagequeue_marker_begin(p.pq);
	vm_pagequeue_insert_after(p.pq, m, p.marker);
	return (p);
}

/* X2. Is m where it was? *next: the element behind. */
static bool
place_end(struct place *p, const struct vm_page *m, struct vm_page **next)
{
	bool same = m->queue == p->pq->id && p->marker->q_prev == vm_page_number(m);

	*next = vm_pagequeue_next(p->marker);
	vm_pagequeue_remove_marker(p->pq, p->marker);
	vm_pagequeue_marker_end(p->marker);
	return (same);
}

bool
vm_pageout_page_lock(struct vm_page *m, struct vm_page **next)
{
	struct place place;

	if (__builtin_expect(vm_page_trylock(m), 1))
		return (true);
	place = place_keep(m);
	vm_page_lock(m);
	return (place_end(&place, m, next));
}

bool
vm_pageout_fallback_object_lock(struct vm_page *m, struct vm_page **next)
{
	struct vm_object *object = m->object;
	struct place place;

	KASSERT(vm_page_lock_owned(m), "X1: the page is locked before its object");
	if (__builtin_expect(sleep_lock_try(&object->lock), 1))
		return (true);
	place = place_keep(m);
	vm_page_unlock(m);
	vm_object_pip_add(object, 1); /* X3 */
	sleep_lock_acquire(&object->lock);
	vm_page_lock(m);
	vm_object_pip_wakeup(object, 1);
	return (place_end(&place, m, next) && m->object == object);
}

bool
vm_pageout_lock_both_slow(struct vm_page *m, struct vm_object **object,
    struct vm_page **next)
{
	if (!vm_pageout_page_lock(m, next)) {
		vm_page_unlock(m);
		return (false);
	}
	*object = m->object;
	if (vm_pageout_fallback_object_lock(m, next))
		return (true);
	sleep_lock_release(&(*object)->lock);
	vm_page_unlock(m);
	return (false);
}
