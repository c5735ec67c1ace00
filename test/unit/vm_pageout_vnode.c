/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scan over dirty pages of files, under contention for locks, and what it asks of
 * others (contract 1.8, steps 1, 3, 5 and 6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/eventhandler.h"
#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/swap_map.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout.h"
#include "mm/vm_request.h"
#include "test/host/console_tap.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define SECOND 1000000u

static struct vm_domain *const vmd = &vm_domains[0];
static struct sim_file file;
static struct vm_object *object;
static const bool alive;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
boot(void)
{
	sim_file_boot(FRAMES, 64);
	sleep_lock_refuse = NULL;
	sim_file_make(&file, "/data", 64 * PAGE_SIZE, 8, 0);
	object = file_pager_alloc(&file.vnode);
	assert_non_null(object);
	tsleep(&file, "boot", 1000);
	console_tap_begin();
	sim_swap_be_pagedaemon();
	vmd->v_inactive_target = 0;
}

/* Page pindex of the file, changed, inactive. */
static struct vm_page *
dirty(vm_pindex_t pindex)
{
	struct vm_page *m = NULL;

	assert_int_equal(file_pager_page(object, pindex, 0, &alive, &m), 0);
	memset(vm_page_address(m), 0x5a, PAGE_SIZE);
	file_pager_changed(m);
	vm_page_unhold(m);
	m->aflags &= (uint8_t)~PGA_REFERENCED;
	m->act_count = 0;
	vm_page_deactivate(m);
	return (m);
}

static void
scan(uint32_t pass, int32_t wanted)
{
	sim_swap_leave_free((uint32_t)((int32_t)vmd->v_free_target - wanted));
	vmd->vm_pageout_deficit = 0;
	vm_pageout_scan(vmd, pass);
	sim_swap_settle(object);
	sim_file_check();
}

static void
expect_misses(uint64_t count)
{
	assert_int_equal(mm_params.pageout_lock_miss, count);
	assert_null(object->lock.owner);
	assert_null(vm_page_locks[0].owner);
}

/* Did the scan ask the syncer to hurry? */
static bool
hurried(void)
{
	return (vfs_syncer_wait(1));
}

/* ---- the way of a file's page */

RUN_TEST(scan_T1b_file_page_is_written_to_the_file)
{
	struct vm_page *m;

	(void)arg;
	boot();
	m = dirty(3);
	scan(1, 5);
	assert_int_equal(m->flags & PG_WINATCFLS, PG_WINATCFLS);
	assert_int_equal(sim_file_stored(&file, 3 * PAGE_SIZE),
	    sim_file_byte(&file, 3 * PAGE_SIZE));
	scan(1, 5);
	assert_int_equal(sim_file_stored(&file, 3 * PAGE_SIZE), 0x5a);
	assert_int_equal(m->dirty, 0);
	assert_int_equal(swap_map_lookup(object, 3), SWAP_SLOT_NONE);
	expect_misses(0);
	assert_null(file.vnode.lock.owner);
	scan(1, 5);
	assert_null(vm_page_lookup(object, 3));
	assert_false(hurried());
}

/* What forbids swap does not forbid files. */
RUN_TEST(scan_T7b_disabled_swap_lets_files_be_written)
{
	(void)arg;
	boot();
	mm_params.disable_swapspace_pageouts = 1;
	dirty(0);
	scan(2, 5);
	assert_int_equal(sim_file_stored(&file, 0), 0x5a);
}

RUN_TEST(scan_file_write_refused)
{
	struct vm_page *m;

	(void)arg;
	boot();
	m = dirty(0);
	vfs_write_suspend();
	scan(2, 5);
	expect_misses(1);
	assert_int_equal(m->queue, PQ_INACTIVE);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_false(hurried()); /* not below min */
	scan(2, (int32_t)vmd->v_free_target - (int32_t)vmd->v_free_min + 1);
	expect_misses(2);
	assert_true(hurried());
	vfs_write_resume();
	scan(2, 5);
	expect_misses(2);
	assert_int_equal(sim_file_stored(&file, 0), 0x5a);
}

/* A page is dirty by its mapping alone, and the object not known to be: not counted. */
RUN_TEST(scan_file_skips_count_if_the_object_might_be_dirty)
{
	(void)arg;
	boot();
	dirty(0);
	object->flags &= (uint8_t)~OBJ_MIGHTBEDIRTY;
	vfs_write_suspend();
	sim_swap_leave_free(vmd->v_free_min - 1);
	vm_pageout_scan(vmd, 2);
	object->flags |= OBJ_MIGHTBEDIRTY;
	expect_misses(1);
	assert_false(hurried());
}

/* ---- while the vnode's lock is waited for */

enum what { NOTHING, LONG, REQUEUE, ACTIVATE, FREE, BUSY, HOLD, CLEAN };

static enum what what;
static struct vm_page *target;

static void
vnode_owner(void *arg)
{
	(void)arg;
	sleep_lock_acquire(&file.vnode.lock);
	tsleep(&file, "owner", what == LONG ? SECOND : 10000);
	switch (what) {
	case REQUEUE:
		vm_page_requeue(target);
		break;
	case ACTIVATE:
		vm_page_activate(target);
		break;
	case FREE:
		vm_page_free(target);
		break;
	case BUSY:
		vm_page_xbusy(target);
		break;
	case HOLD:
		vm_page_hold(target);
		break;
	case CLEAN:
		target->dirty = 0;
		break;
	default:
		break;
	}
	sleep_lock_release(&file.vnode.lock);
}

/* Scan over one dirty page and another behind it, while the vnode's lock is taken. */
static void
contend(enum what w)
{
	struct task *t;

	boot();
	what = w;
	target = dirty(0);
	dirty(40);
	/* enough active pages to see by how many the target rises */
	for (uint32_t i = 50; i < 60; i++) {
		vm_page_activate(dirty(i));
		vm_page_lookup(object, i)->act_count = 1;
		vm_page_lookup(object, i)->aflags = 0;
	}
	assert_int_equal(task_create(&t, "owner", PRI_IO, vnode_owner, NULL), 0);
	tsleep(&t, "start", 10);
	sim_swap_leave_free(vmd->v_free_min - 1);
	vmd->v_inactive_target = 0;
	mm_params.pageout_global_targets = 0;
	vmd->v_free_target = vmd->v_free_min; /* one page is wanted */
	vmd->v_free_severe = 0;
	vm_pageout_scan(vmd, 2);
	vmd->v_free_target = vmd->v_free_min + 10;
	tsleep(&t, "settle", 2 * SECOND);
	assert_int_equal(vm_page_array[1].flags, 0);
}

static bool
written(vm_pindex_t pindex)
{
	return (sim_file_stored(&file, (uint64_t)pindex * PAGE_SIZE) == 0x5a);
}

RUN_TEST(scan_file_waits_for_the_vnode)
{
	(void)arg;
	contend(NOTHING);
	expect_misses(0);
	assert_true(written(0));
	assert_false(written(40)); /* one was enough */
	assert_false(hurried());
	sim_file_check();
}

RUN_TEST(scan_file_gives_up_after_a_time)
{
	(void)arg;
	contend(LONG);
	expect_misses(2);
	assert_false(written(0));
	assert_true(hurried());
	sim_file_check();
}

RUN_TEST(scan_file_page_moved_meanwhile)
{
	static const enum what moves[] = { REQUEUE, ACTIVATE, FREE };
	uint32_t i;

	(void)arg;
	for (i = 0; i < 3; i++) {
		contend(moves[i]);
		expect_misses(0);
		assert_true(written(40)); /* the scan went on */
		assert_int_equal(hurried(), moves[i] != FREE); /* then nothing is short */
		sim_mm_check();
	}
}

RUN_TEST(scan_file_page_cleaned_meanwhile)
{
	(void)arg;
	contend(CLEAN);
	assert_false(written(0));
	assert_true(written(40));
	assert_false(hurried());
}

RUN_TEST(scan_T4c_file_page_busy_or_held_meanwhile)
{
	(void)arg;
	contend(BUSY);
	assert_false(written(0));
	assert_true(written(40));
	assert_int_equal(vmd->pagequeues[PQ_ACTIVE].count, 10);
	assert_false(hurried()); /* busy: stuck, not skipped */
	vm_page_xunbusy(target);
	contend(HOLD);
	assert_false(written(0));
	assert_true(written(40));
	assert_true(hurried()); /* held: both */
	vm_page_unhold(target);
	sim_mm_check();
}

/* ---- locks of page and object */

static bool
refuse_all(const struct sleep_lock *lock)
{
	(void)lock;
	return (true);
}

static uint32_t refusals;

static bool
refuse_some(const struct sleep_lock *lock)
{
	(void)lock;
	refusals++;
	return (sim_random(2) == 0);
}

/* Nothing of what the scan decides depends on whether a try succeeds. */
RUN_TEST(scan_T1c_every_try_fails)
{
	(void)arg;
	boot();
	sleep_lock_refuse = refuse_all;
	dirty(3);
	scan(1, 5);
	scan(1, 5);
	assert_true(written(3));
	scan(1, 5);
	assert_null(vm_page_lookup(object, 3));
	expect_misses(0);
	sleep_lock_refuse = NULL;
}

static void
page_owner(void *arg)
{
	vm_page_lock(arg);
	tsleep(arg, "owner", 1000);
	vm_page_requeue(arg);
	vm_page_unlock(arg);
}

RUN_TEST(scan_passes_a_page_that_it_lost)
{
	struct vm_page *lost, *m;
	struct task *t;

	(void)arg;
	boot();
	lost = dirty(0);
	m = dirty(5);
	assert_int_equal(task_create(&t, "owner", PRI_IO, page_owner, lost), 0);
	tsleep(&t, "start", 10);
	scan(1, 5);
	assert_int_equal(m->flags & PG_WINATCFLS, PG_WINATCFLS);
	assert_int_equal(lost->flags & PG_WINATCFLS, 0); /* lost; two elements were looked at */
	assert_int_equal(mm_params.v_pdpages, 2);
}

/* Clustering leaves out a neighbour that another task has locked. */
static void
long_owner(void *arg)
{
	vm_page_lock(arg);
	tsleep(arg, "owner", SECOND);
	vm_page_unlock(arg);
}

RUN_TEST(scan_cluster_ends_at_a_locked_neighbour)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 4; i++)
		dirty(i);
	assert_int_equal(task_create(&t, "owner", PRI_IO, long_owner,
	    vm_page_lookup(object, 2)), 0);
	tsleep(&t, "start", 10);
	sim_swap_leave_free(vmd->v_free_target - 1);
	vm_pageout_scan(vmd, 2);
	sim_swap_settle(object);
	assert_true(written(0) && written(1));
	assert_false(written(2) || written(3));
}

/* Programs, locks refused at random, writes that fail: queues and contents hold. */
RUN_TEST(scan_T13b_under_random_refusals)
{
	struct vmspace *vm;
	uint32_t i, pass;

	(void)arg;
	boot();
	sim_random_scheduler(sim_seed(5));
	refusals = 0;
	sleep_lock_refuse = refuse_some;
	sim_file_disk.write_error_one_in = 3;
	sim_swap_disk.write_error_one_in = 3;
	vm = sim_swap_space(200);
	for (i = 0; i < 200; i++)
		assert_int_equal(sim_swap_store(vm, i, 1), 0);
	for (i = 0; i < 64; i++)
		dirty(i);
	vmd->v_inactive_target = 100;
	for (pass = 1; pass < 8; pass++)
		scan(pass, 60);
	sleep_lock_refuse = NULL;
	sim_random_scheduler(0);
	assert_true(refusals > 100);
	sim_file_disk.write_error_one_in = sim_swap_disk.write_error_one_in = 0;
	sim_swap_leave_free(1000);
	vmd->worker = NULL; /* the test is a program again */
	for (i = 0; i < 200; i++)
		assert_int_equal(sim_swap_verify(vm, i, 1), 0);
	assert_int_equal(vm_page_array[1].flags, 0);
	sim_file_check();
}

/* ---- steps 1, 5, 6 */

static uint32_t lowmem_calls;

static void
count_lowmem(void *arg, uint32_t flags)
{
	(void)arg;
	assert_int_equal(flags, 0);
	lowmem_calls++;
}

static struct eventhandler counting = { .name = "counting", .fn = count_lowmem };

static void
boot_lowmem(void)
{
	boot();
	vm_meter_add_domain(1);
	mm_params.lowmem_period = 10;
	eventhandler_register(EVENT_VM_LOWMEM, &counting);
	lowmem_calls = 0;
}

RUN_TEST(scan_T11_one_low_memory_event_a_period)
{
	uint32_t i;

	(void)arg;
	boot_lowmem();
	vm_pageout_scan(vmd, 0);
	assert_int_equal(lowmem_calls, 0); /* not in pass 0 */
	for (i = 0; i < 35; i++) { /* at 0, 1, ..., 34 s: three periods of more than 10 s end */
		vm_pageout_scan(vmd, 1 + i % 3);
		vm_pageout_scan(vmd, 1);
		sim_advance_us(SECOND);
	}
	assert_int_equal(lowmem_calls, 4);
	assert_int_equal(mm_params.v_lowmem, 4);
	eventhandler_deregister(EVENT_VM_LOWMEM, &counting);
	sim_mm_check();
}

RUN_TEST(scan_T11b_not_from_domain_1)
{
	(void)arg;
	boot_lowmem();
	vm_pageout_scan(&vm_domains[1], 3);
	assert_int_equal(lowmem_calls, 0);
	vm_pageout_scan(vmd, 3);
	assert_int_equal(lowmem_calls, 1);
	eventhandler_deregister(EVENT_VM_LOWMEM, &counting);
	sim_mm_check();
}

RUN_TEST(scan_asks_the_vm_daemon)
{
	(void)arg;
	boot();
	mm_params.swap_enabled = 1;
	scan(1, -5); /* enough */
	assert_int_equal(vm_request_wait(1), 0);
	scan(1, 5);
	assert_int_equal(vm_request_wait(1), VM_SWAP_NORMAL);
	mm_params.swap_enabled = 0;
	scan(1, 5);
	assert_int_equal(vm_request_wait(1), 0);
	mm_params.swap_idle_enabled = 1;
	sim_advance_us(2 * SECOND);
	scan(0, -5);
	assert_int_equal(vm_request_wait(1), VM_SWAP_IDLE);
	scan(0, -5); /* the same second */
	assert_int_equal(vm_request_wait(1), 0);
	sim_advance_us(2 * SECOND);
	scan(0, -5);
	assert_int_equal(vm_request_wait(1), VM_SWAP_IDLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_T1b_file_page_is_written_to_the_file),
		cmocka_unit_test(scan_T7b_disabled_swap_lets_files_be_written),
		cmocka_unit_test(scan_file_write_refused),
		cmocka_unit_test(scan_file_skips_count_if_the_object_might_be_dirty),
		cmocka_unit_test(scan_file_waits_for_the_vnode),
		cmocka_unit_test(scan_file_gives_up_after_a_time),
		cmocka_unit_test(scan_file_page_moved_meanwhile),
		cmocka_unit_test(scan_file_page_cleaned_meanwhile),
		cmocka_unit_test(scan_T4c_file_page_busy_or_held_meanwhile),
		cmocka_unit_test(scan_T1c_every_try_fails),
		cmocka_unit_test(scan_passes_a_page_that_it_lost),
		cmocka_unit_test(scan_cluster_ends_at_a_locked_neighbour),
		cmocka_unit_test(scan_T13b_under_random_refusals),
		cmocka_unit_test(scan_T11_one_low_memory_event_a_period),
		cmocka_unit_test(scan_T11b_not_from_domain_1),
		cmocka_unit_test(scan_asks_the_vm_daemon),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
