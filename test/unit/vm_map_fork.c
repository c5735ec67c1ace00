/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork and copy on write (contract 1.16, 1.17), over a swap disk.
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

/* ---- copy on write */

RUN_TEST(fault_T2a_copy_on_write_by_a_child_leaves_the_parents_bytes)
{
	struct vmspace *child;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	assert_int_equal(vmspace_resident_count(child), 0);
	sim_fork_verify(child, 0, PAGES, 1);
	assert_int_equal(mm_params.v_cow_faults, 0);
	sim_fork_store(child, 3, 7, 2);
	assert_int_equal(mm_params.v_cow_faults, 4);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_verify(child, 0, 3, 1);
	sim_fork_verify(child, 3, 7, 2);
	sim_fork_verify(child, 7, PAGES, 1);
	sim_fork_end(child);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(fault_T2b_copy_on_write_by_the_parent_leaves_the_childs_bytes)
{
	struct vmspace *child, *second;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_store(parent, 0, 8, 2);
	second = sim_fork_space(parent);
	sim_fork_store(parent, 0, 4, 3);
	sim_fork_verify(child, 0, PAGES, 1);
	sim_fork_verify(second, 0, 8, 2);
	sim_fork_verify(second, 8, PAGES, 1);
	sim_fork_verify(parent, 0, 4, 3);
	sim_fork_verify(parent, 4, 8, 2);
	sim_fork_end(parent);
	sim_fork_verify(child, 0, PAGES, 1);
	sim_fork_verify(second, 0, 8, 2);
	sim_fork_end(child);
	sim_fork_verify(second, 0, 8, 2);
	sim_fork_verify(second, 8, PAGES, 1);
	sim_fork_end(second);
	sim_fork_end_all();
}

RUN_TEST(fault_T2c_untouched_memory_is_zero_in_both_and_stays_private)
{
	struct vmspace *child;

	(void)arg;
	sim_fork_boot();
	assert_int_equal(sim_fork_word(parent, 5), 0);
	child = sim_fork_space(parent);
	assert_int_equal(sim_fork_word(child, 5), 0);
	assert_int_equal(sim_fork_word(child, 6), 0);
	sim_fork_store(child, 5, 7, 9);
	assert_int_equal(sim_fork_word(parent, 5), 0);
	assert_int_equal(sim_fork_word(parent, 6), 0);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(fault_T2d_the_last_user_takes_the_page_instead_of_copying)
{
	struct vmspace *child;
	struct vm_object *lower;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_store(child, 0, 1, 2);
	lower = sim_fork_entry(child)->object->backing_object;
	assert_ptr_equal(lower, sim_fork_entry(parent)->object);
	lower->paging_in_progress++; /* no collapse when the parent goes */
	vm_object_reference(lower);
	assert_int_equal(vm_map_remove(parent, SIM_SWAP_BASE,
	    SIM_SWAP_BASE + PAGES * PAGE_SIZE), 0);
	lower->ref_count--;
	sim_fork_store(child, 4, 5, 2);
	assert_int_equal(mm_params.v_cow_optim, 1);
	assert_int_equal(mm_params.v_cow_faults, 1);
	assert_null(vm_page_lookup(lower, 4));
	sim_fork_verify(child, 4, 5, 2);
	sim_fork_verify(child, 5, PAGES, 1);
	lower->paging_in_progress--;
	vm_object_collapse(sim_fork_entry(child)->object);
	assert_int_equal(sim_fork_depth(child), 1);
	sim_fork_verify(child, 5, PAGES, 1);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(fault_T2e_fork_of_swapped_memory)
{
	struct vmspace *child;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, false);
	sim_fork_evict(sim_fork_entry(parent)->object, true);
	child = sim_fork_space(parent);
	sim_fork_store(child, 8, 16, 2);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_verify(child, 0, 8, 1);
	sim_fork_verify(child, 8, 16, 2);
	sim_fork_verify(child, 16, PAGES, 1);
	sim_fork_end(parent);
	sim_fork_verify(child, 8, 16, 2);
	sim_fork_verify(child, 16, PAGES, 1);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(fault_T2f_sharers_see_the_copy_of_a_private_page)
{
	struct vmspace *child, *sharer;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	assert_int_equal(vm_map_inherit(child, SIM_SWAP_BASE,
	    SIM_SWAP_BASE + PAGES * PAGE_SIZE, VM_INHERIT_SHARE), 0);
	sharer = sim_fork_space(child);
	sim_fork_verify(sharer, 0, 4, 1);
	sim_fork_store(child, 0, 2, 5);
	sim_fork_verify(sharer, 0, 2, 5);
	sim_fork_store(sharer, 2, 4, 6);
	sim_fork_verify(child, 2, 4, 6);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_end(child);
	sim_fork_verify(sharer, 0, 2, 5);
	sim_fork_end(sharer);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* ---- inheritance */

RUN_TEST(object_inheritance_none_leaves_the_range_out)
{
	struct vmspace *child;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	assert_int_equal(vm_map_inherit(parent, SIM_SWAP_BASE + 4 * PAGE_SIZE,
	    SIM_SWAP_BASE + 8 * PAGE_SIZE, VM_INHERIT_NONE), 0);
	child = sim_fork_space(parent);
	sim_fork_verify(child, 0, 4, 1);
	assert_int_equal(sim_swap_verify(child, 4, 1), ERR_FAULT);
	assert_int_equal(sim_swap_verify(child, 7, 1), ERR_FAULT);
	sim_fork_verify(child, 8, PAGES, 1);
	assert_int_equal(vm_map_inherit(parent, SIM_SWAP_BASE, SIM_SWAP_BASE + PAGE_SIZE, 3),
	    ERR_INVAL);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(object_wired_memory_is_copied_at_once)
{
	struct vmspace *child;
	vm_offset_t va = SIM_SWAP_BASE;
	struct vm_page *m;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	assert_int_equal(vm_map_inherit(parent, va + 4 * PAGE_SIZE, va + PAGES * PAGE_SIZE,
	    VM_INHERIT_NONE), 0);
	for (va = SIM_SWAP_BASE; va < SIM_SWAP_BASE + 4 * PAGE_SIZE; va += PAGE_SIZE)
		assert_int_equal(vm_fault_wire(parent, va), 0);
	sim_fork_entry(parent)->wired_count = 1;
	child = sim_fork_space(parent);
	assert_int_equal(sim_fork_entry(child)->wired_count, 0);
	assert_int_equal(sim_fork_entry(parent)->flags & MAP_ENTRY_NEEDS_COPY, 0);
	assert_int_equal(sim_fork_depth(child), 1);
	sim_fork_store(parent, 0, 4, 2);
	assert_int_equal(mm_params.v_cow_faults, 0);
	sim_fork_verify(child, 0, 4, 1);
	sim_fork_end(child);
	sim_fork_entry(parent)->wired_count = 0;
	for (va = SIM_SWAP_BASE; va < SIM_SWAP_BASE + 4 * PAGE_SIZE; va += PAGE_SIZE) {
		m = pmap_extract(&parent->pmap, va, VM_PROT_READ);
		assert_int_equal(m->wire_count, 1);
		assert_int_equal(m->queue, PQ_NONE);
		vm_page_unwire(m, PQ_ACTIVE);
	}
	sim_fork_end(parent);
	sim_fork_end_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_T2a_copy_on_write_by_a_child_leaves_the_parents_bytes),
		cmocka_unit_test(fault_T2b_copy_on_write_by_the_parent_leaves_the_childs_bytes),
		cmocka_unit_test(fault_T2c_untouched_memory_is_zero_in_both_and_stays_private),
		cmocka_unit_test(fault_T2d_the_last_user_takes_the_page_instead_of_copying),
		cmocka_unit_test(fault_T2e_fork_of_swapped_memory),
		cmocka_unit_test(fault_T2f_sharers_see_the_copy_of_a_private_page),
		cmocka_unit_test(object_inheritance_none_leaves_the_range_out),
		cmocka_unit_test(object_wired_memory_is_copied_at_once),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
