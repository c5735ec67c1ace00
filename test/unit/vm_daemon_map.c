/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deactivating the pages of an address space (contract 1.7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_daemon.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define PAGES  64u
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *vm;
static struct vm_object *first;
static const struct sleep_lock *refused;

static bool
refuse(const struct sleep_lock *lock)
{
	return (lock == refused);
}

static void
boot(void)
{
	sim_swap_boot(FRAMES, 0);
	vm = sim_swap_space(PAGES);
	first = sim_swap_object(vm);
	refused = NULL;
	sleep_lock_refuse = refuse;
}

static void
finish(void)
{
	struct vm_object *object;

	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object))
		assert_null(object->lock.owner);
	assert_null(vm->map.lock.owner);
	sim_mm_check();
	sleep_lock_refuse = NULL;
}

/* A clean page of object, mapped and unused, at place of the address space. */
static struct vm_page *
mapped(struct vm_object *object, uint32_t place, uint8_t queue, uint8_t act_count)
{
	struct vm_page *m = sim_swap_page(object, place, queue, false);

	m->act_count = act_count;
	assert_int_equal(pmap_enter(&vm->pmap, SIM_SWAP_BASE + place * PAGE_SIZE, m, RW, 0), 0);
	return (m);
}

static void
mapped_run(struct vm_object *object, uint32_t start, uint32_t end)
{
	for (; start < end; start++)
		mapped(object, start, PQ_INACTIVE, 0);
}

static uint32_t
resident(void)
{
	return ((uint32_t)pmap_resident_count(&vm->pmap));
}

static void
touch(struct vm_page *m)
{
	sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + m->pindex * PAGE_SIZE)->accessed = true;
}

/* Make front a shadow of back. */
static void
shadow(struct vm_object *front, struct vm_object *back)
{
	if (back->shadow_count++ != 0)
		vm_object_reference(back);
	front->backing_object = back;
	LIST_INSERT_HEAD(&back->shadow_head, front, shadow_link);
}

static struct vm_object *contended;

static void
contender(void *arg)
{
	(void)arg;
	sleep_lock_acquire(&contended->lock);
	tsleep(&contended, "test", 5000);
	sleep_lock_release(&contended->lock);
}

/* A second stretch of memory behind a gap, at page 128 of the address space. */
#define FAR_PAGE 128u

static struct vm_object *
far_object(uint32_t pages)
{
	vm_offset_t va = SIM_SWAP_BASE + FAR_PAGE * PAGE_SIZE;

	assert_int_equal(vm_map_find(vm, &va, pages * PAGE_SIZE, RW, 0), 0);
	return (vm_map_lookup_entry(&vm->map, va)->object);
}

static void
far_mapped(struct vm_object *object, uint32_t start, uint32_t end)
{
	for (; start < end; start++) {
		struct vm_page *m = sim_swap_page(object, start, PQ_INACTIVE, false);

		assert_int_equal(pmap_enter(&vm->pmap,
		    SIM_SWAP_BASE + (FAR_PAGE + start) * PAGE_SIZE, m, RW, 0), 0);
	}
}

/* Pages of the second stretch that are mapped. */
static uint32_t
far_resident(uint32_t pages)
{
	vm_offset_t va = SIM_SWAP_BASE + FAR_PAGE * PAGE_SIZE;
	uint32_t i, count = 0;

	for (i = 0; i < pages; i++, va += PAGE_SIZE)
		count += sim_pmap_find(&vm->pmap, va) != NULL;
	return (count);
}

RUN_TEST(mdeact_T1_locked_map_no_change)
{
	uint64_t before;

	(void)arg;
	boot();
	mapped_run(first, 0, 10);
	before = mm_params.v_pdpages;
	refused = &vm->map.lock;
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 10);
	assert_int_equal(mm_params.v_pdpages, before);
	refused = NULL;
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 0);
	finish();
}

RUN_TEST(mdeact_T2_biggest_private_object_first)
{
	struct vm_object *far, *shadows[2];

	(void)arg;
	boot();
	far = far_object(10);
	mapped_run(first, 0, 6);
	far_mapped(far, 0, 10);
	vm_pageout_map_deactivate_pages(vm, 12);
	assert_int_equal(far_resident(10), 6);
	vm_pageout_map_deactivate_pages(vm, 9); /* still the bigger: resident pages, not mapped */
	assert_int_equal(far_resident(10), 3);
	shadows[0] = vm_object_allocate(10);
	shadows[1] = vm_object_allocate(10);
	vm_object_reference(far);
	shadow(shadows[0], far);
	vm_pageout_map_deactivate_pages(vm, 8); /* one shadow: private enough */
	assert_int_equal(far_resident(10), 2);
	shadow(shadows[1], far);
	vm_pageout_map_deactivate_pages(vm, 7); /* two shadows: not private */
	assert_int_equal(far_resident(10), 2);
	assert_int_equal(resident(), 7);
	finish();
}

RUN_TEST(mdeact_T2b_first_of_equals_and_only_who_can_be_locked)
{
	struct vm_object *far;

	(void)arg;
	boot();
	far = far_object(10);
	mapped_run(first, 0, 10);
	far_mapped(far, 0, 10);
	vm_pageout_map_deactivate_pages(vm, 19);
	assert_int_equal(far_resident(10), 10);
	refused = &first->lock;
	vm_pageout_map_deactivate_pages(vm, 18);
	assert_int_equal(far_resident(10), 9);
	finish();
}

RUN_TEST(mdeact_T3_wired_entry_keeps_its_mappings)
{
	struct vm_map_entry *entry;
	struct vm_page *wired, *hot;

	(void)arg;
	boot();
	wired = mapped(first, 0, PQ_INACTIVE, 0);
	hot = mapped(first, 1, PQ_ACTIVE, 60);
	vm_page_wire(wired);
	entry = vm_map_lookup_entry(&vm->map, SIM_SWAP_BASE);
	entry->wired_count = 1;
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_true(pmap_page_is_mapped(wired));
	assert_true(pmap_page_is_mapped(hot));
	assert_int_equal(resident(), 2);
	entry->wired_count = 0;
	vm_page_unwire(wired, PQ_INACTIVE);
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 0);
	finish();
}

RUN_TEST(mdeact_T4_desired_0_leaves_nothing_resident)
{
	struct vm_page *hot, *busy;

	(void)arg;
	boot();
	hot = mapped(first, 1, PQ_ACTIVE, 60);
	busy = mapped(first, 2, PQ_ACTIVE, 5);
	vm_page_trysbusy(busy);
	touch(hot);
	mapped_run(first, 10, 20);
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 0);
	assert_false(pmap_page_is_mapped(hot));
	assert_int_equal(hot->queue, PQ_ACTIVE); /* unmapped, still to age */
	vm_page_sunbusy(busy);
	finish();
}

RUN_TEST(mdeact_T5_submaps_are_ignored)
{
	struct vm_map_entry *entry;
	struct vm_object *far;

	(void)arg;
	boot();
	far = far_object(10);
	mapped_run(first, 0, 4);
	far_mapped(far, 0, 10);
	entry = vm_map_lookup_entry(&vm->map, SIM_SWAP_BASE + FAR_PAGE * PAGE_SIZE);
	entry->flags |= MAP_ENTRY_SUBMAP;
	vm_pageout_map_deactivate_pages(vm, 1);
	assert_int_equal(far_resident(10), 10);
	assert_int_equal(resident(), 10);
	entry->flags &= (uint8_t)~MAP_ENTRY_SUBMAP;
	finish();
}

RUN_TEST(mdeact_T6_stops_when_the_target_is_met)
{
	struct vm_object *far;
	struct vm_page *hot;
	uint64_t before;

	(void)arg;
	boot();
	far = far_object(10);
	hot = mapped(first, 0, PQ_ACTIVE, 9);
	mapped_run(first, 1, 4);
	far_mapped(far, 0, 10);
	before = mm_params.v_pdpages;
	vm_pageout_map_deactivate_pages(vm, 11);
	assert_int_equal(resident(), 11);
	assert_int_equal(mm_params.v_pdpages - before, 3);
	assert_int_equal(hot->act_count, 9);
	vm_pageout_map_deactivate_pages(vm, 2); /* the far ones, then first's in order */
	assert_int_equal(resident(), 2);
	assert_int_equal(hot->act_count, 8);
	assert_non_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 3 * PAGE_SIZE));
	finish();
}

/* Entries by the hundred, guards among them: others come in between. */
RUN_TEST(mdeact_many_entries)
{
	vm_offset_t va;
	uint32_t i;

	(void)arg;
	boot();
	mapped_run(first, 0, 10);
	for (i = 0; i < 300; i++) {
		va = SIM_SWAP_BASE + (FAR_PAGE + 2 * i) * PAGE_SIZE;
		assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE,
		    i % 2 == 0 ? VM_PROT_NONE : VM_PROT_READ, i % 2 == 0 ? MAP_ENTRY_GUARD : 0), 0);
	}
	sim_random_scheduler(sim_seed(8));
	vm_pageout_map_deactivate_pages(vm, 1);
	assert_int_equal(resident(), 1);
	vm_pageout_map_deactivate_pages(vm, 0);
	sim_random_scheduler(0);
	assert_int_equal(resident(), 0);
	finish();
}

static bool deactivated;

static void
deactivator(void *arg)
{
	(void)arg;
	vm_pageout_map_deactivate_pages(vm, 0);
	deactivated = true;
}

/* The daemon waits for an object and holds the map: who exits, unmaps or changes rights
 * waits for the daemon. */
static void
while_map_is_locked(void (*act)(void))
{
	struct task *t;

	boot();
	mapped_run(first, 0, 10);
	contended = first;
	deactivated = false;
	assert_int_equal(task_create(&t, "contender", PRI_NORMAL, contender, NULL), 0);
	sched_yield();
	assert_int_equal(task_create(&t, "deactivator", PRI_NORMAL, deactivator, NULL), 0);
	sched_yield();
	assert_ptr_equal(vm->map.lock.owner, t);
	assert_false(deactivated);
	act();
	assert_true(deactivated);
	sim_mm_check();
}

static void
act_exit(void)
{
	vmspace_free(vm);
}

static void
act_unmap(void)
{
	assert_int_equal(vm_map_remove(vm, SIM_SWAP_BASE, SIM_SWAP_BASE + 5 * PAGE_SIZE), 0);
}

static void
act_protect(void)
{
	assert_int_equal(vm_map_protect(vm, SIM_SWAP_BASE, SIM_SWAP_BASE + 5 * PAGE_SIZE,
	    VM_PROT_READ), 0);
}

static void
act_inherit(void)
{
	assert_int_equal(vm_map_inherit(vm, SIM_SWAP_BASE, SIM_SWAP_BASE + 5 * PAGE_SIZE,
	    VM_INHERIT_NONE), 0);
}

RUN_TEST(mdeact_others_wait_for_the_map)
{
	(void)arg;
	while_map_is_locked(act_exit);
	while_map_is_locked(act_unmap);
	while_map_is_locked(act_protect);
	while_map_is_locked(act_inherit);
	sleep_lock_refuse = NULL;
}

/* Wiring lets go of the map's lock while it waits for memory. */
RUN_TEST(mdeact_keeps_mappings_of_what_is_being_wired)
{
	struct vm_map_entry *entry;

	(void)arg;
	boot();
	mapped_run(first, 0, 4);
	vm_page_hold(vm_page_lookup(first, 3));
	entry = vm_map_lookup_entry(&vm->map, SIM_SWAP_BASE);
	entry->flags |= MAP_ENTRY_IN_TRANSITION;
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 1);
	entry->flags &= (uint8_t)~MAP_ENTRY_IN_TRANSITION;
	vm_pageout_map_deactivate_pages(vm, 0);
	assert_int_equal(resident(), 0);
	vm_page_unhold(vm_page_lookup(first, 3));
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mdeact_T1_locked_map_no_change),
		cmocka_unit_test(mdeact_T2_biggest_private_object_first),
		cmocka_unit_test(mdeact_T2b_first_of_equals_and_only_who_can_be_locked),
		cmocka_unit_test(mdeact_T3_wired_entry_keeps_its_mappings),
		cmocka_unit_test(mdeact_T4_desired_0_leaves_nothing_resident),
		cmocka_unit_test(mdeact_T5_submaps_are_ignored),
		cmocka_unit_test(mdeact_T6_stops_when_the_target_is_met),
		cmocka_unit_test(mdeact_many_entries),
		cmocka_unit_test(mdeact_others_wait_for_the_map),
		cmocka_unit_test(mdeact_keeps_mappings_of_what_is_being_wired),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
