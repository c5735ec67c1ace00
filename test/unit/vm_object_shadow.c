/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow objects and their collapse (contract 1.17), over a swap disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_fault.h"
#include "test/host/sim_fork.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define PAGES  SIM_FORK_PAGES
#define parent sim_fork_parent

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* ---- chains */

/* `generations` times: fork, both write (the parent only if asked), the parent ends. */
static void
generations(uint32_t count, bool parent_writes)
{
	struct vmspace *child;
	uint32_t i;

	sim_fork_store(parent, 0, PAGES, 1);
	for (i = 0; i < count; i++) {
		child = NULL;
		assert_int_equal(vmspace_fork(parent, &child), 0);
		sim_fork_store(child, i % PAGES, i % PAGES + 1, 1);
		if (parent_writes)
			sim_fork_store(parent, (i + 5) % PAGES, (i + 5) % PAGES + 1, 77);
		vmspace_free(parent);
		parent = child;
		assert_true(sim_fork_depth(parent) <= 2);
	}
	sim_mm_check();
	sim_fork_verify(parent, 0, PAGES, 1);
	assert_true(mm_params.object_chain_max <= 3);
}

RUN_TEST(object_T1a_chain_stays_short_when_the_child_goes_on)
{
	(void)arg;
	sim_fork_boot();
	generations(1000, false);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(object_T1b_chain_stays_short_when_both_write)
{
	(void)arg;
	sim_fork_boot();
	generations(1000, true);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(object_T1c_chain_stays_short_when_the_parent_goes_on)
{
	struct vmspace *child;
	uint32_t i;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(vmspace_fork(parent, &child), 0);
		sim_fork_store(parent, i % PAGES, i % PAGES + 1, 1);
		vmspace_free(child);
		assert_true(sim_fork_depth(parent) <= 2);
	}
	sim_fork_verify(parent, 0, PAGES, 1);
	assert_true(mm_params.object_chain_max <= 3);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(object_T2a_contents_survive_a_merge_with_half_the_pages_swapped)
{
	struct vmspace *child;
	struct vm_object *lower;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, true);
	child = sim_fork_space(parent);
	sim_fork_store(child, 8, 24, 2);
	sim_fork_evict(sim_fork_entry(child)->object, false);
	lower = sim_fork_entry(parent)->object;
	assert_ptr_equal(sim_fork_entry(child)->object->backing_object, lower);
	sim_fork_end(parent);
	assert_int_equal(sim_fork_depth(child), 1);
	assert_true(mm_params.object_collapses >= 1);
	/* 8 odd pages of 0-7 and 24-31 from below, 8 even ones of its own */
	assert_int_equal(sim_fork_entry(child)->object->swap_count, 16);
	assert_int_equal(swap_pager_total() - swap_pager_avail(), 16);
	sim_fork_verify(child, 0, 8, 1);
	sim_fork_verify(child, 8, 24, 2);
	sim_fork_verify(child, 24, PAGES, 1);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(object_T2b_contents_survive_passing_by)
{
	struct vmspace *child, *second;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, 8, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, true);
	child = sim_fork_space(parent);
	second = sim_fork_space(parent);
	sim_fork_store(child, 0, 8, 2);
	sim_fork_evict(sim_fork_entry(child)->object, false);
	assert_int_equal(sim_fork_depth(child), 2);
	vm_object_collapse(sim_fork_entry(child)->object);
	assert_int_equal(sim_fork_depth(child), 1);
	assert_int_equal(mm_params.object_bypasses, 1);
	sim_mm_check();
	sim_fork_verify(child, 0, 8, 2);
	sim_fork_verify(parent, 0, 8, 1);
	sim_fork_verify(second, 0, 8, 1);
	sim_fork_end(second);
	sim_fork_end(parent);
	sim_fork_verify(child, 0, 8, 2);
	assert_int_equal(sim_fork_word(child, 9), 0);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(object_one_page_that_shows_keeps_the_backing_object)
{
	struct vmspace *child;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, 8, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, false);
	child = sim_fork_space(parent);
	sim_fork_store(child, 0, 6, 2); /* 6 shows, in swap; 7, in memory */
	vm_object_collapse(sim_fork_entry(child)->object);
	assert_int_equal(sim_fork_depth(child), 2);
	sim_fork_store(child, 7, 8, 2);
	vm_object_collapse(sim_fork_entry(child)->object);
	assert_int_equal(sim_fork_depth(child), 2);
	sim_fork_store(child, 6, 7, 2);
	vm_object_collapse(sim_fork_entry(child)->object);
	assert_int_equal(sim_fork_depth(child), 1);
	sim_fork_end(parent);
	sim_fork_verify(child, 0, 8, 2);
	sim_fork_end(child);
	sim_fork_end_all();
}

static bool
refuse(const struct sleep_lock *lock)
{
	(void)lock;
	return (true);
}

RUN_TEST(object_collapse_leaves_alone_what_is_in_use)
{
	struct vmspace *child;
	struct vm_object *upper, *lower;
	struct vm_page *m;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_store(child, 0, 1, 2);
	upper = sim_fork_entry(child)->object;
	lower = upper->backing_object;
	lower->paging_in_progress++;
	sim_fork_end(parent);
	vm_object_collapse(upper);
	assert_ptr_equal(upper->backing_object, lower);
	lower->paging_in_progress--;
	upper->paging_in_progress++;
	vm_object_collapse(upper);
	assert_ptr_equal(upper->backing_object, lower);
	upper->paging_in_progress--;
	sleep_lock_refuse = refuse;
	vm_object_collapse(upper);
	assert_ptr_equal(upper->backing_object, lower);
	sleep_lock_refuse = NULL;
	m = vm_page_lookup(lower, 9);
	vm_page_xbusy(m);
	vm_object_collapse(upper);
	assert_ptr_equal(upper->backing_object, lower);
	sim_mm_check();
	vm_page_xunbusy(m);
	vm_object_collapse(upper);
	assert_null(upper->backing_object);
	sim_fork_verify(child, 0, 1, 2);
	sim_fork_verify(child, 1, PAGES, 1);
	sim_fork_end(child);
	sim_fork_end_all();
}

/* ---- unmapping what others map */

RUN_TEST(object_unmapping_a_part_leaves_the_others_pages)
{
	struct vmspace *child;
	vm_offset_t at = SIM_SWAP_BASE;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	assert_int_equal(vm_map_remove(child, at + 4 * PAGE_SIZE, at + 12 * PAGE_SIZE), 0);
	assert_int_equal(vm_map_remove(child, at + 30 * PAGE_SIZE, at + PAGES * PAGE_SIZE), 0);
	sim_mm_check();
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_verify(child, 0, 4, 1);
	sim_fork_verify(child, 12, 30, 1);
	assert_int_equal(sim_swap_verify(child, 4, 1), ERR_FAULT);
	sim_fork_end(child);
	/* alone again: what is unmapped is freed at once */
	assert_int_equal(sim_fork_entry(parent)->object->resident_count, PAGES);
	assert_int_equal(vm_map_remove(parent, at, at + 4 * PAGE_SIZE), 0);
	assert_int_equal(vm_map_lookup_entry(&parent->map, at + 4 * PAGE_SIZE)
	    ->object->resident_count, PAGES - 4);
	sim_fork_verify(parent, 4, PAGES, 1);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(object_T5_destroying_all_gives_all_back)
{
	struct vmspace *spaces[6];
	uint32_t i;

	(void)arg;
	sim_fork_boot();
	spaces[0] = parent;
	sim_fork_store(parent, 0, PAGES, 1);
	for (i = 1; i < 6; i++) {
		spaces[i] = sim_fork_space(spaces[i / 2]);
		sim_fork_store(spaces[i], i, 2 * i + 3, 10 + i);
		sim_fork_evict(sim_fork_entry(spaces[i])->object, i % 2 == 0);
	}
	sim_fork_evict(sim_fork_entry(parent)->object, true);
	for (i = 0; i < 6; i++)
		sim_fork_end(spaces[(i * 5 + 2) % 6]);
	sim_fork_end_all();
	assert_int_equal(vm_domains[0].pagequeues[PQ_ACTIVE].count, 0);
	assert_int_equal(vm_domains[0].pagequeues[PQ_INACTIVE].count, 0);
}

/* A charge ends with its address space, not with the object. */
RUN_TEST(object_that_outlives_its_address_space_charges_nobody)
{
	struct vmspace *child;
	struct vm_object *lower;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	lower = sim_fork_entry(parent)->object;
	child = sim_fork_space(parent);
	assert_ptr_equal(lower->usage, &parent->usage);
	sim_fork_end(parent);
	assert_ptr_equal(sim_fork_entry(child)->object, lower);
	assert_null(lower->usage);
	sim_fork_evict(lower, true);
	sim_fork_verify(child, 0, PAGES, 1);
	sim_fork_store(child, 0, 1, 2);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(object_fork_without_memory_leaves_no_trace)
{
	struct vmspace *child = NULL;
	uint32_t objects;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	objects = sim_fork_objects();
	sim_swap_leave_free(0);
	while (vmspace_fork(parent, &child) == 0) /* what the zones have at hand */
		child = NULL;
	assert_null(child);
	sim_swap_leave_free(400);
	assert_true(sim_fork_objects() >= objects);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_T1a_chain_stays_short_when_the_child_goes_on),
		cmocka_unit_test(object_T1b_chain_stays_short_when_both_write),
		cmocka_unit_test(object_T1c_chain_stays_short_when_the_parent_goes_on),
		cmocka_unit_test(object_T2a_contents_survive_a_merge_with_half_the_pages_swapped),
		cmocka_unit_test(object_T2b_contents_survive_passing_by),
		cmocka_unit_test(object_one_page_that_shows_keeps_the_backing_object),
		cmocka_unit_test(object_collapse_leaves_alone_what_is_in_use),
		cmocka_unit_test(object_unmapping_a_part_leaves_the_others_pages),
		cmocka_unit_test(object_T5_destroying_all_gives_all_back),
		cmocka_unit_test(object_that_outlives_its_address_space_charges_nobody),
		cmocka_unit_test(object_fork_without_memory_leaves_no_trace),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
