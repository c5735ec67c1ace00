/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapoff: an area is emptied while everybody goes on, then it is gone.
 *
 *   IN USE --close--> CLOSING --round, round, ...--> empty --> gone
 *     ^                  | does not fit; a page cannot be read; 100 rounds
 *     +------reopen------+
 *
 * A round goes over the area's slots. The page of a slot in use is in memory, or is read
 * with the neighbours that lie beside it; it becomes dirty, which makes its slot
 * worthless. Objects may fork, merge or end meanwhile: after each wait the slot's owner
 * is asked for anew.
 *
 * Owns: nothing.
 * Does not: write (the page daemon does, to other areas), or give back records.
 * Invariants:
 *   N1 an object that is waited for has paging in progress, so it is neither destroyed
 *      nor merged meanwhile;
 *   N2 a slot is given up only when its page is in memory and dirty;
 *   N3 before the first page is read it is known that all fit;
 *   N4 when others have used up that room meanwhile, swapoff gives up: nobody is killed
 *      for it.
 * Yields: swap_pager_swapoff, for pages, memory and reads, each SCHED_LOOP_MAX slots.
 * Complexity: O(slots) a round; a page costs as much as a fault that reads.
 * See: contract 1.15, T8.
 */
#include "kern/console.h"
#include "kern/sched.h"
#include "mm/swap_pager_internal.h"
#include "mm/vm_meter.h"

#define ROUNDS_MAX    100u
#define ERASE_REST_US 10000u
#define ROUND_REST_US 10000u /* what is left is in transit or being destroyed */
#define TRIES_MAX     16u    /* for one slot in one round */

#define SLOT_AGAIN 1 /* something was waited for: ask anew */

static struct swap_area *
find_area(const struct blkdev *dev)
{
	uint32_t n;

	for (n = 0; n < swap_area_count; n++)
		if (swap_areas[n].dev == dev)
			return (&swap_areas[n]);
	return (NULL);
}

/* ---- does it fit? */

static bool
needs_memory(uint32_t slot)
{
	struct vm_object *object;
	vm_pindex_t pindex;

	return (swap_map_owner(slot, &object, &pindex) && (object->flags & OBJ_DEAD) == 0 &&
	    vm_page_lookup(object, pindex) == NULL);
}

static uint32_t
absent_pages(const struct swap_area *area)
{
	uint32_t n = (uint32_t)(area - swap_areas), i, absent = 0;

	for (i = SWAP_RESERVED_SLOTS; i < area->slot_count; i++) {
		absent += needs_memory(SWAP_SLOT(n, i));
		if (i % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (absent);
}

/*
 * Pages of the area that neither memory nor other areas can take. Below free_target and
 * without swap somebody is killed soon (Q6).
 */
static uint32_t
unfit_pages(const struct swap_area *area)
{
	uint32_t absent = absent_pages(area), room = swap_pager_avail();
	const struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++)
		if (!vm_page_count_target(vmd))
			room += vm_meter_free(vmd) - vmd->v_free_target;
	return (absent > room ? absent - room : 0);
}

/* ---- one page */

/* Read m, which is busy, with what follows it in the object, in the area, and is not in
 * memory. */
static int
read_in(struct vm_object *object, struct vm_page *m, uint32_t slot)
{
	struct vm_page *pages[SWB_NPAGES] = { m };
	uint32_t count = 1;

	while (count < SWB_NPAGES && !vm_meter_all_min() &&
	    swap_map_holds(slot + count, object, m->pindex + count) &&
	    vm_page_lookup(object, m->pindex + count) == NULL) {
		pages[count] = vm_page_alloc(object, m->pindex + count,
		    VM_ALLOC_NORMAL | VM_ALLOC_IFNOTCACHED);
		if (pages[count] == NULL)
			break;
		count++;
	}
	return (swap_get_pages(object, pages, count, 0) == VM_PAGER_OK ? 0 : ERR_IO);
}

/* N2. */
static void
take_over(struct vm_page *m)
{
	uint32_t slot;

	vm_page_dirty(m);
	slot = swap_map_clear(m->object, m->pindex);
	if (slot != SWAP_SLOT_NONE)
		swap_area_free(slot, 1);
}

/* The page is not in memory: 0, ERR_*, or SLOT_AGAIN. */
static int
fetch(struct vm_object *object, vm_pindex_t pindex, uint32_t slot)
{
	struct vm_page *m;
	int error = 0;

	if (swap_pager_avail() == 0 && vm_meter_all_target())
		return (ERR_NOMEM); /* N4 */
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	if (m == NULL) {
		vm_wait_any();
		return (SLOT_AGAIN);
	}
	if (m->valid != VM_PAGE_BITS_ALL)
		error = read_in(object, m, slot);
	if (error != 0) {
		vm_page_free(m);
		return (error);
	}
	take_over(m);
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
	return (0);
}

/* N1: object's paging is in progress. */
static int
bring_in(struct vm_object *object, vm_pindex_t pindex, uint32_t slot)
{
	struct vm_page *m = vm_page_lookup(object, pindex);

	if (sleep_lock_held(&object->lock)) {
		sleep_lock_wait(&object->lock);
		return (SLOT_AGAIN);
	}
	if (m == NULL)
		return (fetch(object, pindex, slot));
	if (vm_page_busied(m)) {
		vm_page_busy_sleep(m, "swpoff");
		return (SLOT_AGAIN);
	}
	take_over(m);
	return (0);
}

static int
empty_slot(uint32_t slot)
{
	struct vm_object *object;
	vm_pindex_t pindex;
	uint32_t tries;
	int error = SLOT_AGAIN;

	for (tries = 0; error == SLOT_AGAIN && tries < TRIES_MAX; tries++) {
		if (!swap_map_owner(slot, &object, &pindex) || (object->flags & OBJ_DEAD) != 0)
			return (0);
		vm_object_pip_add(object, 1);
		error = bring_in(object, pindex, slot);
		vm_object_pip_wakeup(object, 1);
	}
	return (error == SLOT_AGAIN ? 0 : error); /* the next round's */
}

/* ---- the area */

static int
empty_area(const struct swap_area *area)
{
	uint32_t n = (uint32_t)(area - swap_areas), i, round;
	int error;

	for (round = 0; round < ROUNDS_MAX; round++) {
		for (i = SWAP_RESERVED_SLOTS; i < area->slot_count && area->used_slots != 0;
		    i++) {
			error = empty_slot(SWAP_SLOT(n, i));
			if (error != 0)
				return (error);
			if (i % SCHED_LOOP_MAX == 0)
				sched_maybe_yield();
		}
		if (area->used_slots == 0)
			return (0);
		(void)tsleep(&area->used_slots, "swpoff", ROUND_REST_US);
	}
	return (ERR_BUSY);
}

static void
report(const struct swap_area *area, const struct swap_off_result *result, int error)
{
	if (result->unfit_pages != 0)
		kprintf("swapoff: %s: %u pages of it fit neither in memory nor in other swap "
			"areas; it stays in use\n", area->dev->name, result->unfit_pages);
	else
		kprintf("swapoff: %s: %u pages are still in it (%s); it stays in use\n",
		    area->dev->name, area->used_slots, err_string(error));
}

int
swap_pager_swapoff(struct blkdev *dev, struct swap_off_result *result)
{
	struct swap_area *area = find_area(dev);
	int error = 0;

	*result = (struct swap_off_result){ 0 };
	if (area == NULL)
		return (ERR_NOENT);
	if (area->closing)
		return (ERR_BUSY);
	swap_area_close(area);
	result->unfit_pages = unfit_pages(area); /* N3 */
	if (result->unfit_pages != 0)
		error = ERR_NOMEM;
	if (error == 0)
		error = empty_area(area);
	while (error == 0 && swap_discard_busy(area)) /* X1 */
		(void)tsleep(&area->layout, "swperase", ERASE_REST_US);
	if (error != 0) {
		swap_area_reopen(area);
		report(area, result, error);
		return (error);
	}
	result->records = area->records;
	result->record_bytes = area->record_bytes;
	swap_area_remove(area);
	return (0);
}
