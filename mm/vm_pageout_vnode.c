/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scan's way to a dirty page of a file: the gate, the vnode, and the page again.
 *
 *   page and object locked
 *     -> writes allowed now? --no--> missed
 *     -> the vnode's lock, for VNODE_LOCK_US at most --no--> missed
 *     -> object and page locked again: same queue, object, place? not busy, not held?
 *        still dirty? --no--> passed by
 *     -> vm_pageout_clean
 *
 * Owns: pageout_lock_miss.
 * Does not: write.
 * Invariants:
 *   V1 nothing waits for the gate, and for the vnode only so long: a file that somebody
 *      writes for minutes must not stop the page daemon;
 *   V2 from before its lock goes until the end the object is counted as paging in
 *      progress, so it exists; it is not referenced, because a file's object does things
 *      when its last reference goes.
 * Yields: vm_scan_vnode_begin; vm_scan_vnode_end never.
 * Complexity: O(1).
 * See: contract 1.8; kern/vnode.h.
 */
#include "kern/vnode.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout_internal.h"

#define VNODE_LOCK_US 50000u

/* A page of object could not be had. */
static void
skip(struct vm_scan *s, const struct vm_object *object)
{
	if ((object->flags & OBJ_MIGHTBEDIRTY) != 0)
		s->vnodes_skipped++;
}

static bool
miss(struct vm_scan *s, const struct vm_object *object)
{
	mm_params.pageout_lock_miss++;
	skip(s, object);
	return (false);
}

/* m was left alone for some time: is it still to be written? */
static bool
ask_again(struct vm_scan *s, struct vm_object *object, struct vm_page *m)
{
	if (m->queue != PQ_INACTIVE || m->object != object ||
	    s->marker->q_prev != vm_page_number(m)) {
		skip(s, object);
		return (false);
	}
	if (vm_page_busied(m)) {
		s->stuck++;
		return (false);
	}
	if (m->hold_count != 0) {
		s->stuck++;
		skip(s, object);
		return (false);
	}
	vm_page_test_dirty(m);
	return (m->dirty != 0);
}

/* The write has begun: the rest. */
static bool
lock_all(struct vm_scan *s, struct vm_object *object, struct vm_page *m)
{
	struct vnode *vp = object->vnode;

	if (sleep_lock_acquire_timed(&vp->lock, VNODE_LOCK_US) != 0)
		return (miss(s, object));
	sleep_lock_acquire(&object->lock);
	vm_page_lock(m);
	if (ask_again(s, object, m))
		return (true);
	vm_page_unlock(m);
	sleep_lock_release(&object->lock);
	sleep_lock_release(&vp->lock);
	return (false);
}

bool
vm_scan_vnode_begin(struct vm_scan *s, struct vm_page *m)
{
	struct vm_object *object = s->object;
	struct vnode *vp = object->vnode;

	vm_page_unlock(m);
	if (vnode_write_begin(vp, true) != 0) {
		sleep_lock_release(&object->lock);
		return (miss(s, object));
	}
	vm_object_pip_add(object, 1); /* V2 */
	sleep_lock_release(&object->lock);
	if (lock_all(s, object, m))
		return (true);
	vnode_write_end(vp);
	vm_object_pip_wakeup(object, 1);
	return (false);
}

void
vm_scan_vnode_end(struct vm_object *object)
{
	struct vnode *vp = object->vnode;

	sleep_lock_release(&vp->lock);
	vnode_write_end(vp);
	vm_object_pip_wakeup(object, 1);
}
