/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: life, references, paging in progress, removal of pages.
 *
 *   vm_object_allocate       last vm_object_deallocate        pip 0, pages gone
 *   (none) ----------> LIVE -------------------------> DEAD ------------------> (none)
 *                         \ a file: UNREFERENCED, until its pager terminates it
 *
 * Owns: every field of struct vm_object but the tree's (vm_page_tree), the shadows'
 *   (vm_object_shadow) and the swap chain's (swap_map); the list of all objects; the
 *   pager table.
 * Does not: map anything; fill or write pages.
 * Invariants:
 *   O1 ref_count counts map entries, shadows and temporary holders; at 0 dead, never
 *      back, or a file's object, which its pager keeps;
 *   O2 an object is destroyed without pages, swap and paging in progress;
 *   O3 paging_in_progress pairs add with wakeup, and covers every page that a
 *      pager is working on;
 *   O4 ids are unique and never reused;
 *   O5 usage is NULL or that of an address space that exists: vmspace_free ends all
 *      charges to it;
 *   O6 an object leaves its chain before it is destroyed.
 * Yields: vm_object_pip_wait; vm_object_page_remove and vm_object_deallocate for
 *   busy pages, paging in progress, a locked object, and each SCHED_LOOP_MAX pages.
 * Complexity: page_remove O(pages * log resident).
 * See: contract 1.17.
 */
#include "mm/vm_object.h"

#include "kern/sched.h"
#include "mm/uma.h"
#include "mm/vm_pager.h"

static LIST_HEAD(, vm_object) objects = LIST_HEAD_INITIALIZER(objects);
static struct uma_zone object_zone;
static uint32_t last_id;

const struct vm_pager_ops *vm_pager_ops[OBJT_TYPES];

void
vm_object_init(void)
{
	LIST_INIT(&objects);
	uma_zone_init(&object_zone, "vm_object", sizeof(struct vm_object));
}

struct vm_object *
vm_object_allocate(uint32_t size_pages)
{
	struct vm_object *object = uma_zalloc(&object_zone, VM_ALLOC_SYSTEM);

	if (object == NULL)
		return (NULL);
	object->size_pages = size_pages;
	object->ref_count = 1;
	object->type = OBJT_DEFAULT;
	object->flags = OBJ_ONEMAPPING;
	object->id = ++last_id;
	LIST_INSERT_HEAD(&objects, object, all_link);
	return (object);
}

void
vm_object_charge(struct vm_object *object, struct vm_usage *usage)
{
	if (object->usage != NULL)
		LIST_REMOVE(object, usage_link);
	object->usage = usage;
	if (usage != NULL)
		LIST_INSERT_HEAD(&usage->charged, object, usage_link);
}

void
vm_object_uncharge_all(struct vm_usage *usage)
{
	struct vm_object *object;

	while ((object = LIST_FIRST(&usage->charged)) != NULL)
		vm_object_charge(object, NULL);
}

void
vm_object_reference(struct vm_object *object)
{
	KASSERT((object->ref_count > 0 || object->type == OBJT_VNODE) &&
	    (object->flags & OBJ_DEAD) == 0, "O1: a dead object stays dead");
	object->ref_count++;
}

static void
forget_stored(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	const struct vm_pager_ops *pager = vm_pager_of(object);

	if (pager != NULL && pager->free_space != NULL)
		pager->free_space(object, start, end);
}

/*
 * A reference to object is gone, others are left. With a single one it is either mapped
 * by one entry alone, or only a shadow still wants it: that one, referenced, to be merged
 * with it; else NULL.
 */
static struct vm_object *
sole_shadow(struct vm_object *object)
{
	struct vm_object *shadow;

	if (object->ref_count != 1 || object->vnode != NULL)
		return (NULL);
	if (object->shadow_count == 0) {
		object->flags |= OBJ_ONEMAPPING;
		return (NULL);
	}
	shadow = LIST_FIRST(&object->shadow_head);
	KASSERT((shadow->flags & OBJ_DEAD) == 0, "O6: a dead shadow has left its chain");
	vm_object_reference(shadow);
	return (shadow);
}

/* The last reference is gone; the backing object, if its reference goes next. */
static struct vm_object *
end_of_life(struct vm_object *object)
{
	const struct vm_pager_ops *pager = vm_pager_of(object);
	struct vm_object *backing;

	if (pager != NULL && pager->unreferenced != NULL) {
		pager->unreferenced(object);
		return (NULL);
	}
	object->flags |= OBJ_DEAD;
	backing = vm_object_detach(object);
	vm_object_terminate(object);
	return (backing);
}

void
vm_object_deallocate(struct vm_object *object)
{
	struct vm_object *next;

	while (object != NULL) {
		KASSERT(object->ref_count > 0, "O1: dropped reference was held");
		if (--object->ref_count == 0) {
			next = end_of_life(object);
		} else {
			next = sole_shadow(object);
			if (next != NULL)
				vm_object_collapse(next);
		}
		object = next;
	}
}

void
vm_object_terminate(struct vm_object *object)
{
	const struct vm_pager_ops *pager = vm_pager_of(object);

	KASSERT(object->ref_count == 0 && object->shadow_count == 0,
	    "O1: an object is destroyed without references");
	KASSERT(object->backing_object == NULL, "O6: out of its chain");
	object->flags |= OBJ_DEAD;
	do {
		vm_object_pip_wait(object);
		sleep_lock_wait(&object->lock);
		vm_object_page_remove(object, 0, object->size_pages);
	} while (object->paging_in_progress != 0 || sleep_lock_held(&object->lock));
	KASSERT(object->resident_count == 0 && object->swap_count == 0,
	    "O2: a destroyed object has no pages and no swap");
	if (pager != NULL && pager->dealloc != NULL)
		pager->dealloc(object);
	vm_object_charge(object, NULL);
	LIST_REMOVE(object, all_link);
	uma_zfree(&object_zone, object);
}

/* Free the resident pages of [start, end). */
static void
free_pages(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t at = start;
	struct vm_page *m;
	uint32_t looked_at = 0;

	while ((m = vm_page_find_least(object, at)) != NULL && m->pindex < end) {
		at = m->pindex;
		if (vm_page_busied(m)) {
			vm_page_busy_sleep(m, "vmopar");
			at = start;
			continue;
		}
		vm_page_free(m);
		if (++looked_at % SCHED_LOOP_MAX == 0) {
			sched_maybe_yield();
			at = start;
		}
	}
}

void
vm_object_page_remove(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	struct vm_page *m;

	sleep_lock_wait(&object->lock);
	do {
		free_pages(object, start, end);
		while (vm_page_cache_free_some(object, start, end, SCHED_LOOP_MAX))
			sched_maybe_yield();
		forget_stored(object, start, end);
		m = vm_page_find_least(object, start); /* swapoff may have brought one in */
	} while (m != NULL && m->pindex < end);
	if (end == object->size_pages && object->type != OBJT_VNODE)
		object->size_pages = start;
}

void
vm_object_pip_add(struct vm_object *object, uint32_t pages)
{
	object->paging_in_progress += pages;
}

void
vm_object_pip_wakeup(struct vm_object *object, uint32_t pages)
{
	KASSERT(object->paging_in_progress >= pages, "O3: paging that ends had begun");
	object->paging_in_progress -= pages;
	if (object->paging_in_progress == 0 && object->pip_waited) {
		object->pip_waited = false;
		wakeup(&object->paging_in_progress);
	}
}

void
vm_object_pip_wait(struct vm_object *object)
{
	while (object->paging_in_progress != 0) {
		object->pip_waited = true;
		tsleep(&object->paging_in_progress, "vmpip", SLEEP_FOREVER);
	}
}

struct vm_object *
vm_object_next(struct vm_object *prev)
{
	return (prev == NULL ? LIST_FIRST(&objects) : LIST_NEXT(prev, all_link));
}
