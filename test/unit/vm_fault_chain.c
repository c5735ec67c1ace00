/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults over a chain of objects: pagers' answers, locks, neighbours, advice
 * (contract 1.16).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
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
#define MANY   200u /* pages of a second region */
#define SECOND (SIM_SWAP_BASE + 0x1000000ull)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *child;
static uint32_t done;

/* Two spaces over one object with all its pages; the child has a shadow with page 0. */
static void
boot_pair(void)
{
	sim_fork_boot();
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_store(child, 0, 1, 2);
	done = 0;
}

static void
end_pair(void)
{
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

static vm_offset_t
va_of(uint32_t page)
{
	return (SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE);
}

/* ---- what a pager answers */

RUN_TEST(fault_T5b_fail_goes_on_to_the_next_object)
{
	(void)arg;
	boot_pair();
	sim_store_reset();
	sim_fork_entry(child)->object->type = OBJT_SWAP;
	sim_store_state.stored[6] = true;
	sim_store_state.outcome = VM_PAGER_FAIL;
	assert_int_equal(sim_swap_verify(child, 6, 1), 0);
	assert_null(vm_page_lookup(sim_fork_entry(child)->object, 6));
	assert_int_equal(sim_fork_entry(child)->object->paging_in_progress, 0);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_mm_check();
}

RUN_TEST(fault_T5c_an_error_below_ends_the_fault_without_a_page)
{
	struct vm_object *lower;

	(void)arg;
	boot_pair();
	lower = sim_fork_entry(parent)->object;
	sim_fork_evict(lower, false);
	sim_swap_disk.read_error_every = 1;
	assert_int_equal(vm_fault(child, va_of(8), VM_PROT_WRITE), ERR_IO);
	assert_null(vm_page_lookup(lower, 8));
	assert_null(vm_page_lookup(sim_fork_entry(child)->object, 8));
	assert_int_equal(lower->paging_in_progress, 0);
	sim_mm_check();
	sim_swap_disk.read_error_every = 0;
	sim_fork_verify(child, 1, PAGES, 1);
	end_pair();
}

/* ---- waiting */

static void
fault_task(void *arg)
{
	assert_int_equal(vm_fault(arg, va_of(8), VM_PROT_READ), 0);
	done++;
	wakeup(&done);
}

static void
start_fault(struct vmspace *vm)
{
	struct task *task;

	assert_int_equal(task_create(&task, "fault", PRI_NORMAL, fault_task, vm), 0);
}

RUN_TEST(fault_T8b_concurrent_faults_through_a_chain_one_read)
{
	uint64_t reads;

	(void)arg;
	boot_pair();
	sim_fork_evict(sim_fork_entry(parent)->object, false);
	reads = mm_params.v_swapin;
	start_fault(parent);
	start_fault(child);
	while (done < 2)
		tsleep(&done, "test", SLEEP_FOREVER);
	assert_int_equal(mm_params.v_swapin, reads + 1);
	end_pair();
}

/* Somebody else works on the object `lock` belongs to: the fault waits for him. */
static void
check_lock(struct sleep_lock *lock, struct vmspace *vm)
{
	done = 0;
	sleep_lock_acquire(lock);
	start_fault(vm);
	tsleep(&lock, "test", 5000);
	assert_int_equal(done, 0);
	sleep_lock_release(lock);
	tsleep(&lock, "test", 5000);
	assert_int_equal(done, 1);
}

RUN_TEST(fault_waits_for_locked_objects_of_the_chain)
{
	(void)arg;
	boot_pair();
	check_lock(&sim_fork_entry(child)->object->lock, child);
	check_lock(&sim_fork_entry(parent)->object->lock, child);
	assert_int_equal(sim_fork_entry(parent)->object->ref_count, 2);
	end_pair();
}

static void
write_task(void *arg)
{
	assert_int_equal(sim_swap_store(arg, 9, 4), 0);
	done++;
}

RUN_TEST(fault_waits_for_a_locked_map_before_it_changes_an_entry)
{
	struct task *task;

	(void)arg;
	boot_pair();
	sleep_lock_acquire(&parent->map.lock);
	assert_int_equal(task_create(&task, "write", PRI_NORMAL, write_task, parent), 0);
	tsleep(&task, "test", 5000);
	assert_int_equal(done, 0);
	assert_int_equal(sim_fork_depth(parent), 1);
	sleep_lock_release(&parent->map.lock);
	tsleep(&task, "test", 5000);
	assert_int_equal(done, 1);
	assert_int_equal(sim_fork_depth(parent), 2);
	sim_fork_verify(child, 9, 10, 1);
	end_pair();
}

/* ---- neighbours and advice */

RUN_TEST(fault_maps_resident_neighbours_of_the_whole_chain)
{
	(void)arg;
	boot_pair();
	sim_fork_store(child, 12, 13, 2);
	pmap_remove(&child->pmap, va_of(0), va_of(PAGES));
	assert_int_equal(vm_fault(child, va_of(10), VM_PROT_READ), 0);
	assert_int_equal(vmspace_resident_count(child), 9);
	sim_fork_verify(child, 12, 13, 2);
	sim_fork_verify(child, 6, 12, 1);
	end_pair();
}

/* A second region of MANY pages, all of them in swap; its object. */
static struct vm_object *
many(uint8_t advice)
{
	vm_offset_t va = SECOND;
	struct vm_map_entry *entry;
	struct vm_page *m;
	uint32_t i;

	sim_fork_boot();
	assert_int_equal(vm_map_find(parent, &va, MANY * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, 0), 0);
	for (i = 0; i < MANY; i++)
		assert_int_equal(sim_store(parent, va + i * PAGE_SIZE, &i, sizeof(i)), 0);
	entry = vm_map_lookup_entry(&parent->map, va);
	for (i = 0; i < MANY; i++) {
		m = vm_page_lookup(entry->object, i);
		vm_page_test_dirty(m);
		vm_page_deactivate(m); /* so that they are written side by side */
	}
	sim_fork_evict(entry->object, true);
	sim_fork_evict(entry->object, false);
	entry->advice = advice;
	entry->next_read = 0;
	return (entry->object);
}

static void
touch(uint32_t page)
{
	uint32_t found = 0;

	assert_int_equal(sim_load(parent, SECOND + (vm_offset_t)page * PAGE_SIZE, &found,
	    sizeof(found)), 0);
	assert_int_equal(found, page);
}

RUN_TEST(fault_T7b_random_advice_reads_one_page)
{
	struct vm_object *object;

	(void)arg;
	object = many(VM_ADVICE_RANDOM);
	touch(50);
	touch(51);
	assert_int_equal(object->resident_count, 2);
	sim_fork_end(parent);
	sim_fork_end_all();
}

static uint32_t
count_mapped(uint32_t first, uint32_t end)
{
	uint32_t n = 0;

	for (; first < end; first++)
		n += pmap_extract(&parent->pmap, SECOND + (vm_offset_t)first * PAGE_SIZE,
		    VM_PROT_READ) != NULL;
	return (n);
}

RUN_TEST(fault_T7c_sequential_advice_reads_ahead_and_lets_go_behind)
{
	uint32_t i;

	(void)arg;
	(void)many(VM_ADVICE_SEQUENTIAL);
	touch(50);
	assert_null(vm_page_lookup(vm_map_lookup_entry(&parent->map, SECOND)->object, 49));
	for (i = 51; i < 150; i++)
		touch(i);
	/* 32 pages behind each read are unmapped; those further back already are */
	assert_true(count_mapped(50, 140) <= 2 * 8);
	assert_true(mm_params.v_tcached > 60);
	for (i = 50; i < 150; i++)
		touch(i);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(fault_T7d_at_the_maximum_80_pages_behind_are_cached)
{
	uint32_t i;

	(void)arg;
	(void)many(VM_ADVICE_NORMAL);
	for (i = 0; i < 24; i++)
		touch(i);
	assert_int_equal(mm_params.v_tcached, 0);
	for (; i < MANY; i++)
		touch(i);
	assert_int_equal(vm_map_lookup_entry(&parent->map, SECOND)->read_ahead,
	    VM_FAULT_READ_AHEAD_MAX);
	assert_true(mm_params.v_tcached > 100);
	assert_int_equal(count_mapped(110, 180), 0);
	for (i = 0; i < MANY; i++)
		touch(i);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* What is behind and dirty is kept, what is pinned is left alone. */
RUN_TEST(fault_behind_a_sequential_reader_dirty_and_pinned_pages_stay)
{
	struct vm_object *object;
	struct vm_page *held;
	uint32_t i, value = 70;

	(void)arg;
	object = many(VM_ADVICE_SEQUENTIAL);
	for (i = 64; i < 72; i++)
		touch(i);
	assert_int_equal(sim_store(parent, SECOND + 70 * PAGE_SIZE, &value, sizeof(value)), 0);
	held = vm_page_lookup(object, 69);
	vm_page_hold(held);
	for (; i < 90; i++)
		touch(i);
	assert_int_equal(vm_page_lookup(object, 70)->queue, PQ_INACTIVE);
	assert_ptr_equal(vm_page_lookup(object, 69), held);
	assert_true(pmap_page_is_mapped(held));
	assert_null(vm_page_lookup(object, 68));
	vm_page_unhold(held);
	touch(70);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* Another reader is at work behind: what lies beyond his page is his to let go. */
RUN_TEST(fault_behind_a_sequential_reader_a_page_being_read_is_the_end)
{
	struct vm_object *object;
	struct vm_page *read;
	uint32_t i;

	(void)arg;
	object = many(VM_ADVICE_SEQUENTIAL);
	for (i = 64; i < 72; i++)
		touch(i);
	read = vm_page_lookup(object, 69);
	vm_page_xbusy(read);
	read->valid = 0;
	for (; i < 90; i++)
		touch(i);
	read->valid = VM_PAGE_BITS_ALL;
	vm_page_xunbusy(read);
	assert_null(vm_page_lookup(object, 70));
	assert_ptr_equal(vm_page_lookup(object, 69), read);
	assert_non_null(vm_page_lookup(object, 68));
	sim_fork_end(parent);
	sim_fork_end_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_T5b_fail_goes_on_to_the_next_object),
		cmocka_unit_test(fault_T5c_an_error_below_ends_the_fault_without_a_page),
		cmocka_unit_test(fault_T8b_concurrent_faults_through_a_chain_one_read),
		cmocka_unit_test(fault_waits_for_locked_objects_of_the_chain),
		cmocka_unit_test(fault_waits_for_a_locked_map_before_it_changes_an_entry),
		cmocka_unit_test(fault_maps_resident_neighbours_of_the_whole_chain),
		cmocka_unit_test(fault_T7b_random_advice_reads_one_page),
		cmocka_unit_test(fault_T7c_sequential_advice_reads_ahead_and_lets_go_behind),
		cmocka_unit_test(fault_T7d_at_the_maximum_80_pages_behind_are_cached),
		cmocka_unit_test(fault_behind_a_sequential_reader_dirty_and_pinned_pages_stay),
		cmocka_unit_test(fault_behind_a_sequential_reader_a_page_being_read_is_the_end),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
