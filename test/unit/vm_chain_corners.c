/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corners of shadow objects, fork and faults over a chain: no memory, long objects, pins,
 * pagers that fail one after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_fault.h"
#include "mm/vm_meter.h"
#include "test/host/sim_fork.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_store.h"
#include "test/host/sim_swap.h"

#define PAGES  SIM_FORK_PAGES
#define parent sim_fork_parent
#define LONG   300u /* pages */
#define SECOND (SIM_SWAP_BASE + 0x1000000ull)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *child;

static vm_offset_t
va_of(uint32_t page)
{
	return (SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE);
}

static void
boot_pair(void)
{
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
}

static void
end_pair(void)
{
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* No frame and no object can be had until sim_swap_leave_free gives some back. */
static void
use_up_memory(void)
{
	struct vm_object *spare[64];
	uint32_t n = 0;

	sim_swap_leave_free(0);
	while (n < 64 && (spare[n] = vm_object_allocate(1)) != NULL)
		n++;
	assert_true(n < 64);
	sim_swap_leave_free(0);
	/* they stay until the pool is given up with the test */
}

/* ---- no memory */

RUN_TEST(fault_of_a_killed_process_does_not_wait_for_a_shadow)
{
	(void)arg;
	boot_pair();
	use_up_memory();
	child->killed = true;
	assert_int_equal(vm_fault(child, va_of(3), VM_PROT_WRITE), ERR_KILLED);
	assert_true((sim_fork_entry(child)->flags & MAP_ENTRY_NEEDS_COPY) != 0);
	assert_int_equal(vm_map_entry_shadow(child, sim_fork_entry(child)), ERR_NOMEM);
	sim_swap_leave_free(400);
	sim_mm_check();
	sim_fork_verify(child, 0, PAGES, 1);
}

RUN_TEST(fault_of_a_killed_process_does_not_wait_for_a_copy)
{
	(void)arg;
	boot_pair();
	sim_fork_store(child, 0, 1, 2);
	sim_swap_leave_free(0);
	child->killed = true;
	assert_int_equal(vm_fault(child, va_of(3), VM_PROT_WRITE), ERR_KILLED);
	sim_swap_leave_free(400);
	sim_fork_verify(child, 3, 4, 1);
	end_pair();
}

RUN_TEST(object_fork_of_shared_and_wired_memory_without_memory)
{
	struct vmspace *third = NULL;

	(void)arg;
	boot_pair();
	sim_fork_entry(child)->inheritance = VM_INHERIT_SHARE;
	use_up_memory();
	assert_int_equal(vmspace_fork(child, &third), ERR_NOMEM);
	sim_swap_leave_free(400);
	assert_int_equal(vm_fault_wire(parent, va_of(0)), 0);
	sim_fork_entry(parent)->wired_count = 1;
	parent->killed = true;
	sim_swap_leave_free(20); /* enough for the kernel's own, none for a program */
	assert_int_equal(vmspace_fork(parent, &third), ERR_NOMEM);
	sim_fork_entry(parent)->wired_count = 0;
	parent->killed = false;
	sim_swap_leave_free(400);
	sim_fork_verify(parent, 0, PAGES, 1);
}

/* ---- long objects: everything yields on the way */

static uint32_t
long_word(struct vmspace *vm, uint32_t page)
{
	uint32_t found = 0;

	assert_int_equal(sim_load(vm, SECOND + (vm_offset_t)page * PAGE_SIZE, &found,
	    sizeof(found)), 0);
	return (found);
}

static void
long_store(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t what)
{
	uint32_t i, value;

	for (i = first; i < end; i++) {
		value = what + i;
		assert_int_equal(sim_store(vm, SECOND + (vm_offset_t)i * PAGE_SIZE, &value,
		    sizeof(value)), 0);
	}
}

static struct vm_object *
long_object(struct vmspace *vm)
{
	return (vm_map_lookup_entry(&vm->map, SECOND)->object);
}

static void
boot_long(void)
{
	vm_offset_t va = SECOND;

	sim_fork_boot();
	assert_int_equal(vm_map_find(parent, &va, LONG * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, 0), 0);
	long_store(parent, 0, LONG, 1000);
	sim_fork_evict(long_object(parent), true);
	sim_fork_evict(long_object(parent), false);
	child = sim_fork_space(parent);
	sim_random_scheduler(sim_seed(5));
}

RUN_TEST(object_T2d_long_objects_merge_over_yields)
{
	uint32_t i;

	(void)arg;
	boot_long();
	long_store(child, 0, 10, 5000);
	for (i = 0; i < LONG; i += 2)
		assert_int_equal(long_word(parent, i), 1000 + i);
	vmspace_free(parent);
	assert_null(long_object(child)->backing_object);
	for (i = 0; i < LONG; i++)
		assert_int_equal(long_word(child, i), (i < 10 ? 5000 : 1000) + i);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(object_T2e_long_objects_are_passed_by_over_yields)
{
	uint32_t i;

	(void)arg;
	boot_long();
	long_store(child, 0, LONG, 5000);
	vm_object_collapse(long_object(child));
	assert_null(long_object(child)->backing_object);
	for (i = 0; i < LONG; i += 7)
		assert_int_equal(long_word(parent, i), 1000 + i);
	end_pair();
}

static struct vm_object *wanted;
static bool taken;

/* Somebody refers to the backing object while it is being emptied. */
static void
taker(void *arg)
{
	(void)arg;
	while (wanted->lock.owner == NULL)
		sched_yield();
	vm_object_reference(wanted);
	taken = true;
}

RUN_TEST(object_that_is_wanted_while_it_is_merged_stays)
{
	struct task *task;
	uint32_t i;

	(void)arg;
	boot_long();
	taken = false;
	long_store(child, 0, 1, 5000);
	for (i = 1; i < LONG; i++)
		(void)long_word(parent, i);
	wanted = long_object(parent);
	wanted->paging_in_progress++; /* no collapse yet */
	vmspace_free(parent);
	wanted->paging_in_progress--;
	assert_int_equal(task_create(&task, "taker", PRI_NORMAL, taker, NULL), 0);
	vm_object_collapse(long_object(child));
	if (taken) {
		assert_ptr_equal(long_object(child)->backing_object, wanted);
		sim_mm_check();
		vm_object_deallocate(wanted);
	}
	assert_null(long_object(child)->backing_object);
	for (i = 1; i < LONG; i++)
		assert_int_equal(long_word(child, i), 1000 + i);
	sim_fork_end(child);
	sim_fork_end_all();
}

/* ---- pins */

static struct sleep_lock *refused;

static bool
refuse_one(const struct sleep_lock *lock)
{
	return (lock == refused);
}

RUN_TEST(object_collapse_gives_up_at_a_lock_and_at_a_wired_page)
{
	struct vm_object *upper, *lower;
	struct vm_page *m;

	(void)arg;
	boot_pair();
	sim_fork_store(child, 0, 4, 2);
	upper = sim_fork_entry(child)->object;
	lower = upper->backing_object;
	lower->paging_in_progress++;
	sim_fork_end(parent);
	lower->paging_in_progress--;
	refused = &lower->lock;
	sleep_lock_refuse = refuse_one;
	vm_object_collapse(upper);
	sleep_lock_refuse = NULL;
	assert_ptr_equal(upper->backing_object, lower);
	assert_null(upper->lock.owner);
	m = vm_page_lookup(lower, 2); /* hidden, and wired */
	vm_page_wire(m);
	vm_object_collapse(upper);
	assert_ptr_equal(upper->backing_object, lower);
	vm_page_unwire(m, PQ_ACTIVE);
	sim_fork_verify(child, 0, 4, 2);
	sim_fork_verify(child, 4, PAGES, 1);
	vm_object_collapse(upper);
	assert_null(upper->backing_object);
	sim_fork_end(child);
	sim_fork_end_all();
}

RUN_TEST(object_wired_page_of_a_lower_object_is_copied_by_fork)
{
	struct vmspace *third;
	struct vm_page *m;

	(void)arg;
	boot_pair();
	assert_int_equal(vm_map_remove(child, va_of(1), va_of(PAGES)), 0);
	assert_int_equal(vm_map_protect(child, va_of(0), va_of(1), VM_PROT_READ), 0);
	sim_fork_entry(child)->flags &= (uint8_t)~MAP_ENTRY_NEEDS_COPY;
	assert_int_equal(vm_object_shadow(&sim_fork_entry(child)->object,
	    &sim_fork_entry(child)->offset, 1), 0);
	assert_int_equal(vm_fault_wire(child, va_of(0)), 0);
	sim_fork_entry(child)->wired_count = 1;
	third = sim_fork_space(child);
	sim_fork_entry(child)->wired_count = 0;
	assert_int_equal(sim_fork_depth(third), 1);
	sim_fork_verify(third, 0, 1, 1);
	m = pmap_extract(&child->pmap, va_of(0), VM_PROT_READ);
	assert_ptr_equal(m->object, sim_fork_entry(parent)->object);
	vm_page_unwire(m, PQ_ACTIVE);
	sim_fork_end(third);
	end_pair();
}

RUN_TEST(fault_neighbours_that_are_busy_are_not_mapped)
{
	struct vm_page *m;

	(void)arg;
	boot_pair();
	pmap_remove(&parent->pmap, va_of(0), va_of(PAGES));
	m = vm_page_lookup(sim_fork_entry(parent)->object, 11);
	vm_page_xbusy(m);
	assert_int_equal(vm_fault(child, va_of(10), VM_PROT_READ), 0);
	assert_null(pmap_extract(&child->pmap, va_of(11), VM_PROT_READ));
	assert_non_null(pmap_extract(&child->pmap, va_of(12), VM_PROT_READ));
	vm_page_xunbusy(m);
	assert_int_equal(vm_fault_wire(child, 0x1000), ERR_FAULT);
	end_pair();
}

/* ---- pagers */

/* Every object of the chain says that it has page 6, and no pager gives it. */
static void
all_store_page_6(enum vm_pager_outcome outcome)
{
	struct vm_object *object = sim_fork_entry(child)->object;
	struct vm_page *m;

	sim_store_reset();
	sim_store_state.stored[6] = true;
	sim_store_state.outcome = outcome;
	for (; object != NULL; object = object->backing_object) {
		object->type = OBJT_SWAP;
		m = vm_page_lookup(object, 6);
		if (m != NULL) {
			pmap_remove_all(m);
			vm_page_free(m);
		}
	}
}

RUN_TEST(fault_T5d_all_pagers_fail_then_there_are_zeros)
{
	(void)arg;
	boot_pair();
	sim_fork_store(child, 0, 1, 2);
	all_store_page_6(VM_PAGER_FAIL);
	sim_store_state.stored[6] = true;
	assert_int_equal(vm_fault(child, va_of(6), VM_PROT_READ), 0);
	assert_int_equal(sim_fork_word(child, 6), 0);
	sim_mm_check();
}

RUN_TEST(fault_T5e_too_many_failing_pagers_are_an_error)
{
	uint32_t i;

	(void)arg;
	boot_pair();
	for (i = 0; i < 5; i++) {
		sim_fork_store(child, i, i + 1, 2);
		child = sim_fork_space(child);
	}
	assert_true(sim_fork_depth(child) > 4);
	all_store_page_6(VM_PAGER_FAIL);
	assert_int_equal(vm_fault(child, va_of(6), VM_PROT_READ), ERR_IO);
	sim_mm_check();
}

RUN_TEST(fault_T5f_bad_and_again)
{
	(void)arg;
	boot_pair();
	sim_fork_store(child, 0, 1, 2);
	all_store_page_6(VM_PAGER_BAD);
	assert_int_equal(vm_fault(child, va_of(6), VM_PROT_READ), ERR_FAULT);
	sim_store_state.outcome = VM_PAGER_AGAIN;
	child->killed = true;
	assert_int_equal(vm_fault(child, va_of(6), VM_PROT_READ), ERR_KILLED);
	assert_null(vm_page_lookup(sim_fork_entry(child)->object, 6));
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_of_a_killed_process_does_not_wait_for_a_shadow),
		cmocka_unit_test(fault_of_a_killed_process_does_not_wait_for_a_copy),
		cmocka_unit_test(object_fork_of_shared_and_wired_memory_without_memory),
		cmocka_unit_test(object_T2d_long_objects_merge_over_yields),
		cmocka_unit_test(object_T2e_long_objects_are_passed_by_over_yields),
		cmocka_unit_test(object_that_is_wanted_while_it_is_merged_stays),
		cmocka_unit_test(object_collapse_gives_up_at_a_lock_and_at_a_wired_page),
		cmocka_unit_test(object_wired_page_of_a_lower_object_is_copied_by_fork),
		cmocka_unit_test(fault_neighbours_that_are_busy_are_not_mapped),
		cmocka_unit_test(fault_T5d_all_pagers_fail_then_there_are_zeros),
		cmocka_unit_test(fault_T5e_too_many_failing_pagers_are_an_error),
		cmocka_unit_test(fault_T5f_bad_and_again),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
