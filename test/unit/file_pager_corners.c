/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file pager where things meet: a file opened while its object goes, a locked
 * object, writes without a map, a disk that answers at once; and each rule of
 * file_pager_check broken once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/vm_check.h"
#include "mm/vm_launder.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_pager.h"
#include "mm/vm_syncer.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u

static struct sim_file file, second_file;
static struct vm_object *object;
static const bool alive; /* nobody kills the test */
static bool done;

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
	sim_file_make(&file, "/data", 16 * PAGE_SIZE, 8, 0);
	object = file_pager_alloc(&file.vnode);
	assert_non_null(object);
	done = false;
	tsleep(&file, "boot", 1000); /* tasks go to their places */
}

static struct vm_page *
get(vm_pindex_t pindex)
{
	struct vm_page *m = NULL;

	assert_int_equal(file_pager_page(object, pindex, 0, &alive, &m), 0);
	vm_page_unhold(m);
	return (m);
}

static void
change(vm_pindex_t pindex)
{
	struct vm_page *m = get(pindex);

	vm_page_hold(m);
	memset(vm_page_address(m), 0x5a, PAGE_SIZE);
	file_pager_changed(m);
	vm_page_unhold(m);
}

static void
start(void (*fn)(void *arg))
{
	struct task *task;

	assert_int_equal(task_create(&task, "other", PRI_NORMAL, fn, NULL), 0);
	tsleep(&done, "start", 1000);
}

static void
put_away(void)
{
	vm_object_deallocate(object);
	sim_file_check();
}

static void
give_up_main(void *arg)
{
	(void)arg;
	vm_object_terminate(object);
	done = true;
}

static void
open_main(void *arg)
{
	(void)arg;
	object = file_pager_alloc(&file.vnode);
	done = true;
}

/* F1: it waits for the old object's end, and has a new one. */
RUN_TEST(file_opened_while_its_object_goes_has_a_new_one)
{
	struct vm_object *old;
	struct vm_page *m;
	uint32_t old_id;

	(void)arg;
	boot();
	old = object;
	old_id = old->id;
	m = get(3);
	vm_object_deallocate(object); /* kept */
	vm_page_xbusy(m);             /* somebody looks at it */
	start(give_up_main);
	assert_false(done);
	assert_int_not_equal(old->flags & OBJ_DEAD, 0);
	file.vnode.write_error = ERR_IO; /* unclean, yet it is going */
	assert_null(file_pager_next_dirty(0));
	file.vnode.write_error = 0;
	vm_lowmem(0); /* it is given up once */
	start(open_main);
	assert_false(done);
	vm_page_xunbusy(m);
	while (file.vnode.object == NULL || file.vnode.object->id == old_id)
		tsleep(&done, "new", 1000);
	assert_int_equal(object->ref_count, 1);
	assert_int_equal(object->resident_count, 0);
	get(3);
	put_away();
}

/* An empty object that somebody works on stays when memory is low. */
RUN_TEST(file_object_at_work_is_not_given_up)
{
	(void)arg;
	boot();
	vm_object_deallocate(object);
	vm_object_pip_add(object, 1);
	vm_lowmem(0);
	assert_ptr_equal(file.vnode.object, object);
	vm_object_pip_wakeup(object, 1);
	sleep_lock_acquire(&object->lock);
	vm_lowmem(0);
	assert_ptr_equal(file.vnode.object, object);
	sleep_lock_release(&object->lock);
	vm_lowmem(0);
	assert_null(file.vnode.object);
	sim_file_check();
}

/* Pages that can be revived are worth keeping, too. */
RUN_TEST(file_object_with_cached_pages_is_not_given_up)
{
	(void)arg;
	boot();
	assert_true(vm_page_try_to_cache(get(3)));
	assert_int_equal(object->resident_count, 0);
	assert_int_equal(object->cached_count, 1);
	vm_object_deallocate(object);
	vm_lowmem(0);
	assert_ptr_equal(file.vnode.object, object);
	object = file_pager_alloc(&file.vnode);
	get(3);
	assert_int_equal(sim_file_disk.reads, 1); /* revived */
	put_away();
}

/* A file system whose map does not cover the page: no byte of it is believed. */
RUN_TEST(file_map_that_is_too_short_is_refused)
{
	struct vm_page *m = NULL;

	(void)arg;
	boot();
	file.bmap_short = 1;
	assert_int_equal(file_pager_page(object, 3, 0, &alive, &m), ERR_IO);
	assert_int_equal(object->resident_count, 0);
	file.bmap_short = 0;
	get(3);
	put_away();
}

static int paged_error;

static void
page_main(void *arg)
{
	struct vm_page *m = NULL;

	paged_error = file_pager_page(object, 3, 0, arg, &m);
	if (paged_error == 0)
		vm_page_unhold(m);
	done = true;
}

/* No memory: whoever wants a page waits, unless he has been killed. */
RUN_TEST(file_page_without_memory_waits_or_the_program_ends)
{
	static const bool dead = true;
	struct task *t;

	(void)arg;
	boot();
	sim_swap_leave_free(0);
	assert_int_equal(task_create(&t, "dead", PRI_NORMAL, page_main, (void *)&dead), 0);
	tsleep(&file, "dead", 1000);
	assert_true(done);
	assert_int_equal(paged_error, ERR_KILLED);
	done = false;
	assert_int_equal(task_create(&t, "alive", PRI_NORMAL, page_main, (void *)&alive), 0);
	tsleep(&file, "alive", 1000);
	assert_false(done);
	sim_swap_leave_free(FRAMES / 2);
	while (!done)
		tsleep(&file, "alive", 1000);
	assert_int_equal(paged_error, 0);
	put_away();
}

static struct vm_page *dirtied[2];

/* Whichever is not being written just now. */
static void
dirty_main(void *arg)
{
	uint32_t i;

	(void)arg;
	while (!done) {
		for (i = 0; i < 2; i++) {
			if (vm_page_busied(dirtied[i]))
				continue;
			vm_page_hold(dirtied[i]);
			file_pager_changed(dirtied[i]);
			vm_page_unhold(dirtied[i]);
		}
		tsleep(&done, "dirty", 10);
	}
}

/* J2: somebody who writes without end does not keep sync for ever. */
RUN_TEST(file_sync_ends_though_the_file_is_dirtied_without_end)
{
	(void)arg;
	boot();
	dirtied[0] = get(3);
	dirtied[1] = get(9);
	start(dirty_main);
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	assert_in_range(sim_file_disk.writes, 4, 8);
	assert_int_not_equal(object->flags & OBJ_MIGHTBEDIRTY, 0);
	done = true;
	tsleep(&vm_domains, "end", 1000);
	put_away();
}

static void
read_main(void *arg)
{
	(void)arg;
	get(2);
	done = true;
}

RUN_TEST(file_page_of_a_locked_object_waits)
{
	(void)arg;
	boot();
	sleep_lock_acquire(&object->lock);
	start(read_main);
	tsleep(&done, "long", 100000);
	assert_false(done);
	assert_int_equal(object->resident_count, 0);
	sleep_lock_release(&object->lock);
	while (!done)
		tsleep(&done, "done", 1000);
	assert_int_equal(object->resident_count, 1);
	put_away();
}

RUN_TEST(file_read_errors_reach_the_reader)
{
	static const bool killed = true;
	struct vm_page *m;
	char byte;

	(void)arg;
	boot();
	file.bmap_bad = 4;
	file.bmap_error = ERR_CORRUPT;
	assert_int_equal(file_pager_read(object, 4 * PAGE_SIZE, &byte, 1), ERR_IO);
	file.bmap_error = ERR_NOMEM; /* comes again, unless killed */
	assert_int_equal(file_pager_page(object, 4, 0, &killed, &m), ERR_KILLED);
	file.bmap_error = 0;
	assert_int_equal(file_pager_read(object, 4 * PAGE_SIZE, &byte, 1), 1);
	put_away();
}

/* The page daemon's: as often as there are transfers, and more. */
static void
flush(vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);

	assert_int_equal(vnode_write_begin(&file.vnode, true), 0);
	(void)vm_pageout_flush(&m, 1, 0, NULL);
	vnode_write_end(&file.vnode);
}

RUN_TEST(file_write_without_a_map_keeps_page_and_transfer)
{
	uint32_t i;

	(void)arg;
	boot();
	change(5);
	sim_swap_be_pagedaemon();
	file.bmap_bad = 5;
	file.bmap_error = ERR_CORRUPT;
	for (i = 0; i < 10; i++) {
		flush(5);
		assert_false(vm_page_busied(vm_page_lookup(object, 5)));
		assert_int_equal(vm_page_lookup(object, 5)->dirty, VM_PAGE_BITS_ALL);
	}
	file.bmap_error = 0;
	flush(5);
	vm_object_pip_wait(object);
	assert_int_equal(vm_page_lookup(object, 5)->dirty, 0);
	vm_domains[0].worker = NULL;
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), ERR_IO); /* told */
	put_away();
}

/* The disk answers inside blk_submit: the writer itself settles it. */
RUN_TEST(file_write_that_ends_at_once_is_settled_at_once)
{
	(void)arg;
	boot();
	change(5);
	sim_file_disk.latency_us = 0;
	sim_swap_be_pagedaemon();
	mm_params.pageout_rest_full = 1; /* the contract's: rests whatever comes */
	vm_domains[0].pass_pays = false;
	flush(5);
	assert_false(vm_page_busied(vm_page_lookup(object, 5)));
	assert_int_equal(vm_page_lookup(object, 5)->dirty, 0);
	assert_int_equal(sim_file_stored(&file, 5 * PAGE_SIZE), 0x5a);
	assert_false(vm_domains[0].pass_pays);
	mm_params.pageout_rest_full = 0;
	change(6);
	flush(6);
	assert_true(vm_domains[0].pass_pays); /* the next pass finds clean pages */
	vm_domains[0].worker = NULL;
	put_away();
}

RUN_TEST(file_sync_of_all_says_the_first_error)
{
	(void)arg;
	boot();
	sim_file_make(&second_file, "/more", PAGE_SIZE, 8, 0);
	assert_non_null(file_pager_alloc(&second_file.vnode));
	file.vnode.write_error = ERR_ROFS;
	second_file.vnode.write_error = ERR_IO;
	assert_int_equal(vm_syncer_sync(), ERR_ROFS);
	assert_int_equal(second_file.vnode.write_error, 0); /* told as well */
	assert_int_equal(vm_syncer_sync(), 0);
	vm_object_deallocate(second_file.vnode.object);
	put_away();
}

/* Change an lvalue, expect the rule, change it back. */
#define PLANT(lvalue, bad, rule)                                                   \
	do {                                                                       \
		__typeof__(lvalue) kept_ = lvalue;                                 \
		lvalue = bad;                                                      \
		assert_non_null(file_pager_check());                               \
		assert_memory_equal(file_pager_check(), rule, sizeof(rule) - 1);   \
		lvalue = kept_;                                                    \
		assert_null(file_pager_check());                                   \
	} while (0)

RUN_TEST(file_check_finds_each_broken_rule)
{
	struct vm_check_result r;

	(void)arg;
	boot();
	sim_file_make(&second_file, "/more", PAGE_SIZE, 8, 0);
	assert_non_null(file_pager_alloc(&second_file.vnode));
	PLANT(file.vnode.object, NULL, "F1");
	PLANT(object->vnode, &second_file.vnode, "F1");
	PLANT(object->type, OBJT_DEFAULT, "F1");
	PLANT(file.vnode.ref_count, 0, "F1");
	PLANT(object->size_pages, 15, "F2");
	PLANT(object->swap_count, 1, "F2");
	PLANT(get(2)->dirty, VM_PAGE_BITS_ALL, "F4");
	file.vnode.ref_count--; /* of the whole check, this breaks only that */
	second_file.vnode.ref_count--;
	vm_check(&r);
	assert_int_equal(r.broken, 0); /* the objects' own are left */
	file.vnode.ref_count--;
	vm_check(&r);
	assert_int_equal(r.broken, 1);
	assert_memory_equal(r.first_broken, "C19: files: F1", 14);
	file.vnode.ref_count += 2;
	second_file.vnode.ref_count++;
	vm_object_deallocate(second_file.vnode.object);
	put_away();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_opened_while_its_object_goes_has_a_new_one),
		cmocka_unit_test(file_object_at_work_is_not_given_up),
		cmocka_unit_test(file_object_with_cached_pages_is_not_given_up),
		cmocka_unit_test(file_map_that_is_too_short_is_refused),
		cmocka_unit_test(file_page_without_memory_waits_or_the_program_ends),
		cmocka_unit_test(file_sync_ends_though_the_file_is_dirtied_without_end),
		cmocka_unit_test(file_page_of_a_locked_object_waits),
		cmocka_unit_test(file_read_errors_reach_the_reader),
		cmocka_unit_test(file_write_without_a_map_keeps_page_and_transfer),
		cmocka_unit_test(file_write_that_ends_at_once_is_settled_at_once),
		cmocka_unit_test(file_sync_of_all_says_the_first_error),
		cmocka_unit_test(file_check_finds_each_broken_rule),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
