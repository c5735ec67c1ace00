/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: chains of shadow objects, and how they are kept short.
 *
 *   merge                                   pass by
 *   object --> backing --> rest             object ------------> backing --> rest
 *        (nobody else refers to backing)      (others do, but object hides all of it)
 *   object ---------------> rest            object ------------------------> rest
 *   with what it did not hide of backing,   another user ------> backing --> rest
 *   in memory and in swap
 *
 * A page goes up together with its stored copy and its state, one after the other, so
 * the chain shows the same contents at every moment and merging may stop anywhere.
 *
 * Owns: backing_object, backing_offset, shadow_count and the lists of shadows.
 * Does not: decide when to shadow (vm_fault, vm_map_fork).
 * Invariants:
 *   J1 shadow_count is the length of shadow_head; each shadow holds one reference to
 *      its backing object;
 *   J2 only anonymous, unnamed, living objects without paging in progress are changed
 *      by a collapse, both locked while it yields;
 *   J3 a page of object, in memory or in swap, hides that of backing: what is hidden
 *      is never seen again.
 * Yields: vm_object_collapse, each SCHED_LOOP_MAX pages.
 * Complexity: merge O(pages of backing, in memory and in swap); passing by O(size).
 * See: contract 1.17; vm_object_deallocate, which collapses when a reference goes.
 */
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_object.h"
#include "mm/vm_pager.h"

static inline bool
is_anonymous(const struct vm_object *object)
{
	return (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP);
}

/* The reference of object to backing is there already. */
static void
attach(struct vm_object *object, struct vm_object *backing, vm_pindex_t offset)
{
	object->backing_object = backing;
	object->backing_offset = offset;
	backing->shadow_count++;
	LIST_INSERT_HEAD(&backing->shadow_head, object, shadow_link);
}

struct vm_object *
vm_object_detach(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;

	if (backing == NULL)
		return (NULL);
	KASSERT(backing->shadow_count > 0, "J1: a shadow is counted");
	LIST_REMOVE(object, shadow_link);
	backing->shadow_count--;
	object->backing_object = NULL;
	object->backing_offset = 0;
	return (backing);
}

int
vm_object_shadow(struct vm_object **object, vm_pindex_t *offset, uint32_t size_pages)
{
	struct vm_object *source = *object, *shadow;

	if (source->ref_count == 1 && is_anonymous(source))
		return (0);
	shadow = vm_object_allocate(size_pages);
	if (shadow == NULL)
		return (ERR_NOMEM);
	source->flags &= (uint8_t)~OBJ_ONEMAPPING;
	attach(shadow, source, *offset);
	*object = shadow;
	*offset = 0;
	return (0);
}

/* ---- collapse */

/* J2 */
static bool
may_change(const struct vm_object *object)
{
	KASSERT((object->flags & OBJ_DEAD) == 0, "J2: whoever collapses refers to the object");
	return (is_anonymous(object) && object->paging_in_progress == 0 &&
	    object->lock.owner == NULL);
}

static inline bool
in_swap(struct vm_object *object, vm_pindex_t pindex)
{
	return (object->swap_count != 0 &&
	    vm_pager_of(object)->has_page(object, pindex, NULL, NULL));
}

static inline bool
has(struct vm_object *object, vm_pindex_t pindex)
{
	return (vm_page_lookup(object, pindex) != NULL || in_swap(object, pindex));
}

/* Move m, with its stored copy, from backing to object, or drop both if they are hidden
 * there; false = it is pinned where it is. */
static bool
merge_page(struct vm_object *object, struct vm_object *backing, struct vm_page *m)
{
	vm_pindex_t offset = object->backing_offset, from = m->pindex;
	bool hidden = from < offset || from - offset >= object->size_pages ||
	    has(object, from - offset);

	if (vm_page_busied(m) || (hidden && m->wire_count != 0))
		return (false);
	if (backing->swap_count != 0)
		vm_pager_of(backing)->transfer(backing, object, offset, from, from + 1);
	if (hidden) {
		pmap_remove_all(m);
		vm_page_free(m);
	} else {
		vm_page_rename(m, object, from - offset);
	}
	return (true);
}

static bool
merge_pages(struct vm_object *object, struct vm_object *backing)
{
	struct vm_page *m;
	uint32_t moved = 0;

	while ((m = vm_page_find_least(backing, 0)) != NULL) {
		if (!merge_page(object, backing, m))
			return (false);
		if (++moved % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	vm_page_cache_free(backing, 0, backing->size_pages); /* A2: their copies go up */
	if (backing->swap_count != 0)
		vm_pager_of(backing)->transfer(backing, object, object->backing_offset, 0,
		    backing->size_pages);
	KASSERT(backing->resident_count == 0 && backing->swap_count == 0,
	    "J2: nobody brings pages into a locked object");
	return (true);
}

/* Take the emptied backing, locked by the caller, out of the chain and destroy it. */
static void
splice(struct vm_object *object, struct vm_object *backing)
{
	vm_pindex_t offset = object->backing_offset + backing->backing_offset;
	struct vm_object *rest = vm_object_detach(backing);

	(void)vm_object_detach(object);
	if (rest != NULL)
		attach(object, rest, offset);
	backing->ref_count = 0;
	sleep_lock_release(&backing->lock);
	vm_object_terminate(backing);
	mm_params.object_collapses++;
}

/* J3: does object hide every page of backing that it could show? A wired one must stay in
 * the chain, for whoever wired it before it was hidden lets it go by the chain (V12). */
static bool
hides_all(struct vm_object *object, struct vm_object *backing)
{
	vm_pindex_t offset = object->backing_offset, i;
	struct vm_page *m;

	for (m = vm_page_find_least(backing, offset);
	    m != NULL && m->pindex - offset < object->size_pages; m = vm_page_next(m))
		if (m->wire_count != 0 || !has(object, m->pindex - offset))
			return (false);
	for (i = 0; backing->swap_count != 0 && i < object->size_pages; i++) {
		if (in_swap(backing, i + offset) && !has(object, i))
			return (false);
		if ((i + 1) % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (true);
}

static bool
pass_by(struct vm_object *object, struct vm_object *backing)
{
	vm_pindex_t offset = object->backing_offset + backing->backing_offset;
	struct vm_object *rest = backing->backing_object;

	if (!hides_all(object, backing) || backing->ref_count < 2)
		return (false);
	(void)vm_object_detach(object);
	if (rest != NULL) {
		vm_object_reference(rest);
		rest->flags &= (uint8_t)~OBJ_ONEMAPPING;
		attach(object, rest, offset);
	}
	backing->ref_count--;
	mm_params.object_bypasses++;
	return (true);
}

/* With object and backing locked: one step. *gone = backing does not exist any more. */
static bool
collapse_locked(struct vm_object *object, struct vm_object *backing, bool *gone)
{
	*gone = false;
	if (backing->ref_count > 1)
		return (pass_by(object, backing));
	if (!merge_pages(object, backing) || backing->ref_count != 1 ||
	    backing->paging_in_progress != 0)
		return (false);
	splice(object, backing);
	*gone = true;
	return (true);
}

static bool
collapse_once(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;
	bool done, gone;

	if (!may_change(object) || !may_change(backing) || !sleep_lock_try(&object->lock))
		return (false);
	if (!sleep_lock_try(&backing->lock)) {
		sleep_lock_release(&object->lock);
		return (false);
	}
	done = collapse_locked(object, backing, &gone);
	if (!gone)
		sleep_lock_release(&backing->lock);
	sleep_lock_release(&object->lock);
	return (done);
}

void
vm_object_collapse(struct vm_object *object)
{
	while (object->backing_object != NULL && collapse_once(object))
		continue;
}
