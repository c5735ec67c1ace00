/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that somebody else touches while they are emptied, merged or passed by; wired
 * pages behind a sharer's copy; fork and page-in where memory ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_fault.h"
#include "mm/vm_meter.h"
#include "test/host/sim_fork.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define PAGES  SIM_FORK_PAGES
#define parent sim_fork_parent
#define LONG   300u /* pages: its loops yield */
#define SECOND (SIM_SWAP_BASE + 0x1000000ull)
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *child;
static struct vm_object *wanted; /* what the other task touches */
static bool touched, alive;

static vm_offset_t
va_of(uint32_t page)
{
	return (SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE);
}

static bool
exists(const struct vm_object *object)
{
	struct vm_object *o = vm_object_next(NULL);

	while (o != NULL && o != object)
		o = vm_object_next(o);
	return (o != NULL);
}

static void
let_others_run(uint32_t times)
{
	while (times-- > 0)
		sched_yield();
}

static void
begin_other(void (*fn)(void *))
{
	struct task *task;

	touched = alive = false;
	assert_int_equal(task_create(&task, "other", PRI_NORMAL, fn, NULL), 0);
}

/* ---- an object ends */

static void
lock_while_it_ends(void *arg)
{
	(void)arg;
	while (wanted->resident_count == LONG)
		sched_yield();
	sleep_lock_acquire(&wanted->lock);
	touched = true;
	while (wanted->resident_count != 0)
		sched_yield();
	let_others_run(20);
	alive = exists(wanted);
	sleep_lock_release(&wanted->lock);
}

static void
page_while_it_ends(void *arg)
{
	(void)arg;
	while (wanted->resident_count == LONG)
		sched_yield();
	vm_object_pip_add(wanted, 1);
	touched = true;
	while (wanted->resident_count != 0)
		sched_yield();
	let_others_run(20);
	alive = exists(wanted);
	vm_object_pip_wakeup(wanted, 1);
}

/* True if the other task came in between. */
static bool
end_object(void (*other)(void *))
{
	uint32_t i;

	wanted = vm_object_allocate(LONG);
	assert_non_null(wanted);
	for (i = 0; i < LONG; i++)
		sim_swap_page(wanted, i, PQ_ACTIVE, true);
	begin_other(other);
	vm_object_deallocate(wanted);
	assert_false(exists(wanted));
	assert_true(alive || !touched);
	sim_mm_check();
	return (touched);
}

RUN_TEST(object_that_ends_waits_for_its_lock_and_its_paging)
{
	uint32_t i, locked = 0, paged = 0;

	(void)arg;
	sim_fork_boot();
	sim_random_scheduler(sim_seed(5));
	for (i = 0; i < 20; i++) {
		locked += end_object(lock_while_it_ends);
		paged += end_object(page_while_it_ends);
	}
	assert_true(locked > 0 && paged > 0);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* ---- long objects in swap */

static uint32_t
long_word(struct vmspace *vm, uint32_t page)
{
	uint32_t found = 0;

	assert_int_equal(sim_load(vm, SECOND + ptoa(page), &found, sizeof(found)), 0);
	return (found);
}

static void
long_store(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t what)
{
	uint32_t i, value;

	for (i = first; i < end; i++) {
		value = what + i;
		assert_int_equal(sim_store(vm, SECOND + ptoa(i), &value, sizeof(value)), 0);
	}
}

static struct vm_object *
long_object(struct vmspace *vm)
{
	return (vm_map_lookup_entry(&vm->map, SECOND)->object);
}

/* LONG pages of parent, all of them in swap only. */
static void
boot_long(void)
{
	vm_offset_t va = SECOND;

	sim_fork_boot();
	assert_int_equal(vm_map_find(parent, &va, ptoa(LONG), RW, 0), 0);
	long_store(parent, 0, LONG, 1000);
	sim_fork_evict(long_object(parent), true);
	sim_fork_evict(long_object(parent), false);
	wanted = long_object(parent);
	sim_random_scheduler(sim_seed(5));
}

/* As swapoff does. */
static void
bring_in(void *arg)
{
	struct vm_page *m;

	(void)arg;
	while (wanted->swap_count == LONG)
		sched_yield();
	m = vm_page_alloc(wanted, 5, VM_ALLOC_NORMAL);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
	touched = true;
}

RUN_TEST(object_page_brought_into_a_range_that_goes_is_freed)
{
	uint32_t i;

	(void)arg;
	boot_long();
	begin_other(bring_in);
	assert_int_equal(vm_map_remove(parent, SECOND, SECOND + ptoa(LONG - 20)), 0);
	let_others_run(20);
	assert_int_equal(wanted->swap_count, 20);
	if (touched)
		assert_int_equal(wanted->resident_count, 0);
	sim_mm_check();
	for (i = LONG - 20; i < LONG; i++)
		assert_int_equal(long_word(parent, i), 1000 + i);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* ---- collapse */

static void
drop_the_other_user(void *arg)
{
	(void)arg;
	while (wanted->lock.owner == NULL)
		sched_yield();
	vmspace_free(parent);
	touched = true;
}

RUN_TEST(object_whose_other_user_goes_is_merged_not_passed_by)
{
	uint32_t i;

	(void)arg;
	boot_long();
	child = sim_fork_space(parent);
	long_store(child, 0, LONG, 5000);
	begin_other(drop_the_other_user);
	vm_object_collapse(long_object(child));
	while (!touched)
		sched_yield();
	sim_mm_check();
	vm_object_collapse(long_object(child));
	assert_null(long_object(child)->backing_object);
	assert_false(exists(wanted));
	for (i = 0; i < LONG; i++)
		assert_int_equal(long_word(child, i), 5000 + i);
	sim_fork_end(child);
	sim_fork_end_all();
}

/* As swapoff, which waits for the lock with paging in progress. */
static void
page_while_it_is_merged(void *arg)
{
	(void)arg;
	while (wanted->lock.owner == NULL)
		sched_yield();
	vm_object_pip_add(wanted, 1);
	touched = true;
	sleep_lock_wait(&wanted->lock);
	alive = exists(wanted);
	vm_object_pip_wakeup(wanted, 1);
}

RUN_TEST(object_paged_while_it_is_merged_stays)
{
	uint32_t i;

	(void)arg;
	boot_long();
	child = sim_fork_space(parent);
	long_store(child, 0, 1, 5000);
	for (i = 1; i < LONG; i++)
		(void)long_word(parent, i);
	wanted->paging_in_progress++; /* no collapse yet */
	vmspace_free(parent);
	wanted->paging_in_progress--;
	begin_other(page_while_it_is_merged);
	vm_object_collapse(long_object(child));
	if (touched)
		assert_ptr_equal(long_object(child)->backing_object, wanted);
	let_others_run(40);
	assert_true(alive || !touched);
	sim_mm_check();
	vm_object_collapse(long_object(child));
	assert_null(long_object(child)->backing_object);
	for (i = 1; i < LONG; i++)
		assert_int_equal(long_word(child, i), 1000 + i);
	sim_fork_end(child);
	sim_fork_end_all();
}

/* ---- wired pages behind a sharer's copy */

/* third shares child's object, which shadows parent's. */
static struct vmspace *
boot_sharers(void)
{
	struct vmspace *third;

	sim_fork_boot();
	mm_params.max_wired = 100;
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_store(child, 0, 1, 2);
	assert_int_equal(vm_map_inherit(child, va_of(0), va_of(PAGES), VM_INHERIT_SHARE), 0);
	third = sim_fork_space(child);
	assert_ptr_equal(sim_fork_entry(third)->object, sim_fork_entry(child)->object);
	return (third);
}

/* The page that vm wires by page 3 is parent's. */
static struct vm_page *
wire_page_3(struct vmspace *vm)
{
	struct vm_page *m;

	assert_int_equal(vm_map_protect(vm, va_of(0), va_of(PAGES), VM_PROT_READ), 0);
	assert_int_equal(vm_map_wire(vm, va_of(3), va_of(4)), 0);
	assert_int_equal(vm_map_protect(vm, va_of(0), va_of(PAGES), RW), 0);
	m = vm_page_lookup(sim_fork_entry(parent)->object, 3);
	assert_int_equal(m->wire_count, 1);
	return (m);
}

RUN_TEST(wired_page_is_let_go_behind_a_sharers_copy)
{
	struct vmspace *third;
	struct vm_page *m, *copy;

	(void)arg;
	third = boot_sharers();
	m = wire_page_3(child);
	sim_fork_store(third, 3, 4, 3);
	sim_mm_check();
	copy = vm_page_lookup(sim_fork_entry(third)->object, 3);
	assert_int_equal(copy->wire_count, 0);
	sim_fork_verify(child, 3, 4, 3); /* shared */
	assert_int_equal(vm_map_unwire(child, va_of(3), va_of(4)), 0);
	assert_int_equal(m->wire_count, 0);
	assert_int_equal(copy->wire_count, 0);
	sim_fork_verify(parent, 3, 4, 1);
	sim_fork_end(third);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

RUN_TEST(wired_page_stays_wired_when_a_sharers_copy_is_copied)
{
	struct vmspace *third, *fourth;
	struct vm_page *m;

	(void)arg;
	third = boot_sharers();
	assert_int_equal(vm_map_inherit(child, va_of(0), va_of(PAGES), VM_INHERIT_COPY), 0);
	fourth = sim_fork_space(child);
	sim_fork_store(fourth, 0, 1, 4);
	assert_int_equal(sim_fork_depth(fourth), 3);
	m = wire_page_3(fourth);
	sim_fork_store(third, 3, 4, 3);
	sim_fork_store(fourth, 3, 4, 4);
	sim_mm_check();
	assert_int_equal(m->wire_count, 1);
	sim_fork_verify(fourth, 3, 4, 4);
	sim_fork_verify(third, 3, 4, 3);
	sim_fork_verify(parent, 3, 4, 1);
	assert_int_equal(vm_map_unwire(fourth, va_of(3), va_of(4)), 0);
	assert_int_equal(m->wire_count, 0);
	sim_fork_end(fourth);
	sim_fork_end(third);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* A hidden page that is wired must stay in the chain of whoever wired it. */
RUN_TEST(wired_page_that_a_sharer_hides_is_not_passed_by)
{
	struct vmspace *third;
	struct vm_object *shared;
	struct vm_page *m;

	(void)arg;
	third = boot_sharers();
	m = wire_page_3(child);
	sim_fork_store(third, 0, PAGES, 3); /* hides all of parent's */
	shared = sim_fork_entry(third)->object;
	vm_object_collapse(shared);
	assert_ptr_equal(shared->backing_object, sim_fork_entry(parent)->object);
	sim_mm_check();
	assert_int_equal(vm_map_unwire(child, va_of(3), va_of(4)), 0);
	assert_int_equal(m->wire_count, 0);
	vm_object_collapse(shared);
	assert_null(shared->backing_object);
	sim_fork_verify(child, 0, PAGES, 3);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_end(third);
	sim_fork_end(child);
	sim_fork_end(parent);
	sim_fork_end_all();
}

/* ---- where memory ends */

/* No frame and no object can be had. */
static void
use_up_memory(void)
{
	uint32_t n = 0;

	sim_swap_leave_free(0);
	while (n < 64 && vm_object_allocate(1) != NULL)
		n++;
	assert_true(n < 64);
}

/* Fork vm with more and more memory until it works; how often it did not. */
static uint32_t
fork_until_it_works(struct vmspace *vm)
{
	struct vmspace *third = NULL;
	const struct vm_object *object = sim_fork_entry(vm)->object;
	uint32_t frames, failed = 0, references = object->ref_count;
	int error = ERR_NOMEM;

	for (frames = 0; error != 0 && frames < 400; frames++) {
		use_up_memory();
		sim_swap_leave_free(frames);
		error = vmspace_fork(vm, &third);
		failed += error != 0;
		assert_true(error == 0 || error == ERR_NOMEM);
		if (error != 0)
			assert_int_equal(object->ref_count, references);
		sim_mm_check();
	}
	assert_int_equal(error, 0);
	sim_swap_leave_free(400);
	vmspace_free(third);
	return (failed);
}

RUN_TEST(fork_without_memory_at_any_point_leaves_nothing)
{
	(void)arg;
	sim_fork_boot();
	mm_params.max_wired = 100;
	sim_fork_store(parent, 0, PAGES, 1);
	child = sim_fork_space(parent);
	sim_fork_entry(child)->inheritance = VM_INHERIT_SHARE; /* it needs an object first */
	assert_true(fork_until_it_works(child) > 3);
	assert_int_equal(vm_map_wire(parent, va_of(0), va_of(2)), 0); /* it is copied at once */
	parent->killed = true; /* no waiting for memory */
	assert_true(fork_until_it_works(parent) > 3);
	parent->killed = false;
	assert_int_equal(vm_map_unwire(parent, va_of(0), va_of(2)), 0);
	sim_fork_verify(parent, 0, PAGES, 1);
	sim_fork_verify(child, 0, PAGES, 1);
	sim_fork_end(child);
	sim_fork_end(parent);
}

/* Killed: it takes from the reserve, and gives up where that ends. */
RUN_TEST(fault_of_a_killed_process_does_not_wait_for_a_page_to_read)
{
	struct vm_object *object;
	struct vm_page *m;

	(void)arg;
	sim_fork_boot();
	sim_fork_store(parent, 0, 2, 1);
	object = sim_fork_entry(parent)->object;
	sim_fork_evict(object, true);
	sim_fork_evict(object, false);
	sim_swap_leave_free(0);
	parent->killed = true;
	assert_int_equal(vm_fault(parent, va_of(0), VM_PROT_READ), ERR_KILLED);
	assert_null(vm_page_lookup(object, 0));
	sim_swap_leave_free(400);
	sim_fork_verify(parent, 0, 1, 1);
	m = vm_page_lookup(object, 0);
	vm_page_deactivate(m);
	assert_true(vm_page_try_to_cache(m));
	sim_swap_leave_free(1); /* the cached one */
	assert_true(vm_page_is_cached(object, 0));
	assert_int_equal(vm_fault(parent, va_of(0), VM_PROT_READ), ERR_KILLED);
	assert_true(vm_page_is_cached(object, 0));
	sim_mm_check();
	sim_swap_leave_free(400);
	sim_fork_verify(parent, 0, 2, 1);
	sim_fork_end(parent);
	sim_fork_end_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_that_ends_waits_for_its_lock_and_its_paging),
		cmocka_unit_test(object_page_brought_into_a_range_that_goes_is_freed),
		cmocka_unit_test(object_whose_other_user_goes_is_merged_not_passed_by),
		cmocka_unit_test(object_paged_while_it_is_merged_stays),
		cmocka_unit_test(wired_page_is_let_go_behind_a_sharers_copy),
		cmocka_unit_test(wired_page_stays_wired_when_a_sharers_copy_is_copied),
		cmocka_unit_test(wired_page_that_a_sharer_hides_is_not_passed_by),
		cmocka_unit_test(fork_without_memory_at_any_point_leaves_nothing),
		cmocka_unit_test(fault_of_a_killed_process_does_not_wait_for_a_page_to_read),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
