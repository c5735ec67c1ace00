/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making one program smaller: its pages age, and the unused ones leave it.
 *
 *   map -> entry -> object -> backing object -> ...
 *            |         `- page: used? activate : age; at 0 unmap, deactivate
 *            `- biggest private object first, then all by address
 *
 * Owns: nothing.
 * Does not: write or free a page: that is the page daemon's, once they are inactive.
 * Invariants:
 *   D1 first's lock is the caller's; each other object of the chain is locked before
 *      the one in front of it is let go, and let go once;
 *   D2 before each page the target is asked;
 *   D3 the map is locked throughout, so its entries stay and the address space lives;
 *   D4 a page that another task has locked is waited for, then looked up again.
 * Yields: both functions: for locks, and every SCHED_LOOP_MAX pages or entries.
 * Complexity: O(resident pages of the objects).
 * See: contract 1.6, 1.7. act_count ends at 255 (quirk Q4).
 */
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_daemon.h"
#include "mm/vm_page_lock.h"

/* ---- 1.6 */

static inline bool
target_met(const struct pmap *pmap, uint32_t desired)
{
	return (pmap_resident_count(pmap) <= (long)desired);
}

static void
raise_act_count(struct vm_page *m, uint32_t delta)
{
	uint32_t count = m->act_count + delta;

	m->act_count = (uint8_t)(count < UINT8_MAX ? count : UINT8_MAX);
}

static uint32_t
sample(struct vm_page *m)
{
	uint32_t delta = (uint32_t)pmap_ts_referenced(m);

	if ((m->aflags & PGA_REFERENCED) != 0) {
		m->aflags &= (uint8_t)~PGA_REFERENCED;
		if (delta == 0)
			delta = 1;
	}
	return (delta);
}

static void
age_active(struct vm_page *m, bool used, bool shared)
{
	if (used) {
		vm_page_activate(m);
		if (m->act_count < ACT_MAX - ACT_ADVANCE)
			raise_act_count(m, ACT_ADVANCE);
		vm_page_requeue(m);
		return;
	}
	m->act_count -= m->act_count < ACT_DECLINE ? m->act_count : ACT_DECLINE;
	if (m->act_count == 0 && !shared) {
		pmap_remove_all(m);
		vm_page_deactivate(m);
	} else {
		vm_page_requeue(m);
	}
}

static void
deactivate_page(struct pmap *pmap, struct vm_page *m, bool shared)
{
	uint32_t delta;

	if (vm_page_busied(m))
		return;
	mm_params.v_pdpages++;
	if (m->wire_count != 0 || m->hold_count != 0 || !pmap_page_exists_quick(pmap, m))
		return;
	delta = sample(m);
	if (m->queue == PQ_ACTIVE) {
		age_active(m, delta != 0, shared);
	} else if (delta != 0) {
		vm_page_activate(m);
		raise_act_count(m, delta);
	} else if (m->queue == PQ_INACTIVE) {
		pmap_remove_all(m);
	}
}

/* The pages of one object, which is locked; false once the target is met. */
static bool
deactivate_object(struct pmap *pmap, struct vm_object *object, uint32_t desired)
{
	bool shared = object->shadow_count > 1; /* one program's use says nothing */
	struct vm_page *m = vm_page_find_least(object, 0);
	uint32_t looked = 0;
	vm_pindex_t at;

	while (m != NULL) {
		if (target_met(pmap, desired))
			return (false); /* D2 */
		at = m->pindex;
		if (vm_page_lock_held(m)) { /* D4 */
			sleep_lock_wait(vm_page_lock_of(m));
			m = vm_page_find_least(object, at);
			continue;
		}
		deactivate_page(pmap, m, shared);
		if (++looked % SCHED_LOOP_MAX != 0) {
			m = vm_page_next(m);
			continue;
		}
		sched_maybe_yield();
		m = vm_page_find_least(object, at + 1);
	}
	return (!target_met(pmap, desired));
}

void
vm_pageout_object_deactivate_pages(struct pmap *pmap, struct vm_object *first, uint32_t desired)
{
	struct vm_object *object = first, *backing;

	KASSERT(sleep_lock_owned(&first->lock), "D1: the first object is locked");
	if ((first->flags & OBJ_FICTITIOUS) != 0)
		return;
	while (!target_met(pmap, desired)) {
		if ((object->flags & OBJ_UNMANAGED) != 0 || object->paging_in_progress != 0)
			break;
		if (!deactivate_object(pmap, object, desired))
			break;
		backing = object->backing_object;
		if (backing == NULL)
			break;
		sleep_lock_acquire(&backing->lock); /* D1 */
		if (object != first)
			sleep_lock_release(&object->lock);
		object = backing;
	}
	if (object != first)
		sleep_lock_release(&object->lock);
}

/* ---- 1.7 */

/* The object of an entry that is none of the daemons' taboos, or NULL. */
static struct vm_object *
object_of(const struct vm_map_entry *entry)
{
	return ((entry->flags & MAP_ENTRY_SUBMAP) != 0 ? NULL : entry->object);
}

/* Does object beat best, the biggest so far? Then it is locked. */
static bool
bigger(struct vm_object *object, const struct vm_object *best)
{
	if (object == NULL || object->shadow_count > 1)
		return (false);
	if (best != NULL && object->resident_count <= best->resident_count)
		return (false);
	return (sleep_lock_try(&object->lock));
}

/* Pass A's choice, locked, or NULL; *wired tells whether an entry is wired. */
static struct vm_object *
find_biggest(struct vm_map *map, bool *wired)
{
	struct vm_map_entry *entry = NULL;
	struct vm_object *best = NULL, *object;
	uint32_t looked = 0;

	*wired = false;
	while ((entry = vm_map_next(map, entry)) != NULL) {
		*wired |= entry->wired_count != 0 ||
		    (entry->flags & MAP_ENTRY_IN_TRANSITION) != 0;
		object = object_of(entry);
		if (bigger(object, best)) {
			if (best != NULL)
				sleep_lock_release(&best->lock);
			best = object;
		}
		if (++looked % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (best);
}

static void
deactivate_all(struct vmspace *vm, uint32_t desired)
{
	struct vm_map_entry *entry = NULL;
	struct vm_object *object;

	while (!target_met(&vm->pmap, desired) && (entry = vm_map_next(&vm->map, entry)) != NULL) {
		object = object_of(entry);
		if (object == NULL)
			continue;
		sleep_lock_acquire(&object->lock);
		vm_pageout_object_deactivate_pages(&vm->pmap, object, desired);
		sleep_lock_release(&object->lock);
		sched_maybe_yield();
	}
}

void
vm_pageout_map_deactivate_pages(struct vmspace *vm, uint32_t desired)
{
	struct vm_map *map = &vm->map;
	struct vm_object *biggest;
	bool wired;

	if (!sleep_lock_try(&map->lock))
		return;
	biggest = find_biggest(map, &wired); /* pass A */
	if (biggest != NULL) {
		vm_pageout_object_deactivate_pages(&vm->pmap, biggest, desired);
		sleep_lock_release(&biggest->lock);
	}
	deactivate_all(vm, desired); /* pass B */
	if (desired == 0 && !wired)
		pmap_remove(&vm->pmap, map->min, map->max);
	sleep_lock_release(&map->lock);
}
