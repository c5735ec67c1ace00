/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file pager: pages of files over a disk that fails, with every layout of a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_pager.h"
#include "test/host/console_tap.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u

static struct sim_file file;
static struct vm_object *object;
static const bool alive; /* nobody kills the test */

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* A file of bytes; its object, in use. */
static void
boot(uint64_t bytes, uint32_t cluster_sectors, uint32_t every_gap)
{
	sim_file_boot(FRAMES, 64);
	sim_file_make(&file, "/data", bytes, cluster_sectors, every_gap);
	object = file_pager_alloc(&file.vnode);
	assert_non_null(object);
	tsleep(&file, "boot", 1000); /* tasks go to their places */
	console_tap_begin();
}

static struct vm_page *
get(vm_pindex_t pindex, uint32_t ahead)
{
	struct vm_page *m = NULL;
	int error = file_pager_page(object, pindex, ahead, &alive, &m);

	assert_int_equal(error, 0);
	return (m);
}

static void
check_page(struct vm_page *m)
{
	const uint8_t *bytes = vm_page_address(m);
	uint32_t i;

	for (i = 0; i < PAGE_SIZE; i++) {
		uint64_t at = (uint64_t)m->pindex * PAGE_SIZE + i;
		uint8_t expected = at < file.vnode.size_bytes ? sim_file_byte(&file, at) : 0;

		if (bytes[i] != expected)
			fail_msg("page %u byte %u: %u, expected %u", m->pindex, i, bytes[i],
			    expected);
	}
}

/* Change page pindex: every byte becomes value. */
static void
change(vm_pindex_t pindex, uint8_t value)
{
	struct vm_page *m = get(pindex, 0);

	memset(vm_page_address(m), value, PAGE_SIZE);
	file_pager_changed(m);
	vm_page_unhold(m);
}

/* Is that what the disk holds of page pindex? */
static bool
stored(vm_pindex_t pindex, uint8_t value)
{
	uint64_t at = (uint64_t)pindex * PAGE_SIZE, end = at + PAGE_SIZE;

	if (end > file.vnode.size_bytes)
		end = file.vnode.size_bytes;
	for (; at < end; at++)
		if (sim_file_stored(&file, at) != value)
			return (false);
	return (true);
}

static void
put_away(void)
{
	vm_object_deallocate(object);
	sim_file_check();
}

/* ---- reading */

RUN_TEST(file_pager_reads_every_layout)
{
	static const uint32_t clusters[] = { 1, 2, 4, 8, 16, 64 };
	static const uint32_t gaps[] = { 0, 1, 2, 3, 7 };
	uint32_t c, g, i;

	(void)arg;
	for (c = 0; c < 6; c++) {
		for (g = 0; g < 5; g++) {
			boot(37 * PAGE_SIZE + 777, clusters[c], gaps[g]);
			for (i = 0; i < 38; i++) {
				struct vm_page *m = get((i * 5) % 38, i % 20);

				check_page(m);
				vm_page_unhold(m);
			}
			assert_int_equal(object->resident_count, 38);
			put_away();
		}
	}
}

RUN_TEST(file_pager_contiguous_file_is_one_read)
{
	struct vm_page *m;

	(void)arg;
	boot(32 * PAGE_SIZE, 8, 0);
	m = get(0, 31);
	check_page(m);
	vm_page_unhold(m);
	assert_int_equal(sim_file_disk.reads, 1);
	assert_int_equal(object->resident_count, 32);
	/* one read a run */
	boot(32 * PAGE_SIZE, 8, 8);
	m = get(0, 31);
	vm_page_unhold(m);
	assert_int_equal(sim_file_disk.reads, 4);
	put_away();
}

RUN_TEST(file_pager_tail_of_the_last_page_is_zero)
{
	struct vm_page *m;

	(void)arg;
	boot(3 * PAGE_SIZE + 100, 1, 0);
	memset(sim_file_disk.bytes + (file.cluster[24] * 512) + 100, 0x77, 412);
	m = get(3, 0);
	check_page(m);
	vm_page_unhold(m);
	assert_int_equal(file_pager_page(object, 4, 0, &alive, &m), ERR_RANGE);
	put_away();
}

RUN_TEST(file_pager_has_page_knows_the_end)
{
	uint32_t before = 99, after = 99;

	(void)arg;
	boot(5 * PAGE_SIZE - 1, 8, 0);
	assert_true(file_pager_ops.has_page(object, 1, &before, &after));
	assert_int_equal(before, 1);
	assert_int_equal(after, 3);
	assert_true(file_pager_ops.has_page(object, 4, NULL, NULL));
	assert_false(file_pager_ops.has_page(object, 5, NULL, NULL));
	put_away();
}

/* get_pages on busy pages first..first+count-1, after which the file may have become
 * shorter */
static uint32_t size_after;

static enum vm_pager_outcome
get_pages(vm_pindex_t first, uint32_t count, uint32_t wanted)
{
	struct vm_page *m[16];
	enum vm_pager_outcome outcome;
	uint32_t i;

	for (i = 0; i < count; i++) {
		m[i] = vm_page_alloc(object, first + i, VM_ALLOC_NORMAL);
		assert_non_null(m[i]);
	}
	if (size_after != 0)
		object->size_pages = size_after;
	outcome = file_pager_ops.get_pages(object, m, count, wanted);
	object->size_pages = file.vnode.size_bytes / PAGE_SIZE;
	assert_true(vm_page_xbusied(m[wanted]));
	if (outcome == VM_PAGER_OK) {
		check_page(m[wanted]);
		vm_page_deactivate(m[wanted]);
		vm_page_xunbusy(m[wanted]);
	} else {
		assert_int_equal(m[wanted]->valid, 0);
		vm_page_free(m[wanted]);
	}
	return (outcome);
}

RUN_TEST(file_pager_get_outcomes)
{
	(void)arg;
	boot(8 * PAGE_SIZE, 8, 1);
	size_after = 7;
	assert_int_equal(get_pages(5, 3, 1), VM_PAGER_OK); /* the end cuts */
	assert_int_equal(object->resident_count, 2);
	assert_int_equal(get_pages(7, 1, 0), VM_PAGER_BAD);
	size_after = 2;
	assert_int_equal(get_pages(2, 3, 1), VM_PAGER_BAD);
	size_after = 0;
	assert_string_equal(console_tap_text(), "");
	file.bmap_bad = 2;
	file.bmap_error = ERR_CORRUPT;
	assert_int_equal(get_pages(1, 4, 1), VM_PAGER_ERROR);
	assert_non_null(strstr(console_tap_text(), "file: /data: page 2 (file0 sector 0)"));
	assert_int_equal(object->resident_count, 5); /* 1, 3, 4 came */
	file.bmap_error = ERR_NOMEM;
	assert_int_equal(get_pages(2, 1, 0), VM_PAGER_AGAIN);
	file.bmap_error = ERR_NOTSUP;
	assert_int_equal(get_pages(2, 1, 0), VM_PAGER_ERROR); /* FAIL would show zeros */
	file.bmap_error = 0;
	assert_int_equal(get_pages(2, 1, 0), VM_PAGER_OK);
	put_away();
}

RUN_TEST(file_pager_neighbours_error_is_not_the_wanted_pages)
{
	(void)arg;
	boot(8 * PAGE_SIZE, 8, 0);
	sim_file_disk.bad_block = file.cluster[3] + 5;
	sim_file_disk.bad_count = 1;
	assert_int_equal(get_pages(0, 8, 5), VM_PAGER_OK); /* again, alone */
	assert_int_equal(object->resident_count, 1);
	assert_string_equal(console_tap_text(), "");
	assert_int_equal(get_pages(3, 1, 0), VM_PAGER_ERROR);
	assert_non_null(strstr(console_tap_text(), "page 3 (file0 sector"));
	put_away();
}

/* ---- writing */

RUN_TEST(file_pager_writes_only_what_is_dirty_and_only_the_file)
{
	static const uint32_t clusters[] = { 1, 3, 8, 16 };
	uint32_t c;

	(void)arg;
	for (c = 0; c < 4; c++) {
		boot(21 * PAGE_SIZE + 1100, clusters[c], 2);
		change(3, 0x33);
		change(4, 0x44);
		change(21, 0x55);
		assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
		assert_true(stored(3, 0x33) && stored(4, 0x44) && stored(21, 0x55));
		/* behind the end of the file its last sector is zero */
		for (uint32_t i = 1100; i < 3 * 512; i++)
			assert_int_equal(sim_file_stored(&file, 21 * PAGE_SIZE + i), 0);
		for (uint64_t at = 0; at < 21 * PAGE_SIZE; at++)
			if (at / PAGE_SIZE != 3 && at / PAGE_SIZE != 4)
				assert_int_equal(sim_file_stored(&file, at),
				    sim_file_byte(&file, at));
		assert_int_equal(object->flags & OBJ_MIGHTBEDIRTY, 0);
		put_away();
	}
}

RUN_TEST(file_pager_last_reference_writes_back)
{
	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	change(2, 0x22);
	vm_object_deallocate(object);
	assert_true(stored(2, 0x22));
	assert_int_equal(object->resident_count, 1); /* kept */
	assert_ptr_equal(file_pager_alloc(&file.vnode), object);
	put_away();
}

RUN_TEST(file_pager_write_error_is_told_once_and_remembered)
{
	(void)arg;
	boot(16 * PAGE_SIZE, 8, 0);
	change(5, 0x11);
	change(6, 0x11);
	sim_file_disk.write_error_every = 1;
	assert_int_equal(file_pager_sync(object, 0, 0, 0, false), ERR_IO);
	assert_int_equal(vm_page_lookup(object, 5)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(vm_page_lookup(object, 5)->queue, PQ_ACTIVE);
	assert_non_null(strstr(console_tap_text(), "file: /data: page 5 (file0 sector"));
	console_tap_begin();
	assert_int_equal(file_pager_sync(object, 0, 0, 0, false), ERR_IO);
	assert_string_equal(console_tap_text(), "");
	sim_file_disk.write_error_every = 0;
	/* the write succeeds, yet somebody has to hear of the one that did not */
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), ERR_IO);
	assert_true(stored(5, 0x11) && stored(6, 0x11));
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	put_away();
}

/* put_pages as the page daemon's flush calls it */
static uint32_t
flush(vm_pindex_t first, uint32_t count)
{
	struct vm_page *m[16];
	uint32_t i, n;

	for (i = 0; i < count; i++)
		m[i] = vm_page_lookup(object, first + i);
	assert_int_equal(vnode_write_begin(&file.vnode, true), 0);
	n = vm_pageout_flush(m, count, 0, NULL);
	vnode_write_end(&file.vnode);
	return (n);
}

RUN_TEST(file_pager_daemons_writes_do_not_wait)
{
	uint32_t i;

	(void)arg;
	boot(64 * PAGE_SIZE, 8, 0);
	for (i = 0; i < 64; i++)
		change(i, (uint8_t)i);
	sim_swap_be_pagedaemon();
	for (i = 0; i < 64; i += 8)
		assert_int_equal(flush(i, 8), 8);
	assert_true(vm_page_busied(vm_page_lookup(object, 63)));
	assert_in_range(sim_file_disk.in_flight_max, 2, 4);
	vm_object_pip_wait(object);
	for (i = 0; i < 64; i++) {
		assert_true(stored(i, (uint8_t)i));
		assert_int_equal(vm_page_lookup(object, i)->dirty, 0);
	}
	vm_domains[0].worker = NULL;
	put_away();
}

RUN_TEST(file_pager_daemons_write_in_pieces)
{
	uint32_t i;

	(void)arg;
	boot(16 * PAGE_SIZE, 3, 1); /* a page lies in three or four pieces */
	for (i = 0; i < 16; i++)
		change(i, (uint8_t)(0x80 + i));
	sim_swap_be_pagedaemon();
	assert_int_equal(flush(0, 16), 16);
	vm_object_pip_wait(object);
	for (i = 0; i < 16; i++)
		assert_true(stored(i, (uint8_t)(0x80 + i)));
	vm_domains[0].worker = NULL;
	put_away();
}

RUN_TEST(file_pager_daemons_write_error)
{
	uint32_t i;

	(void)arg;
	boot(8 * PAGE_SIZE, 8, 4);
	for (i = 0; i < 8; i++)
		change(i, 0x99);
	sim_swap_be_pagedaemon();
	sim_file_disk.bad_block = file.cluster[6];
	sim_file_disk.bad_count = 1;
	assert_int_equal(flush(0, 8), 8);
	vm_object_pip_wait(object);
	for (i = 0; i < 8; i++)
		assert_int_equal(vm_page_lookup(object, i)->dirty, i < 4 ? 0 : VM_PAGE_BITS_ALL);
	vm_domains[0].worker = NULL;
	assert_int_not_equal(file.vnode.write_error, 0);
	sim_file_disk.bad_count = 0;
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), ERR_IO);
	put_away();
}

RUN_TEST(file_pager_put_outcomes)
{
	struct vm_page *m[2];
	enum vm_pager_outcome outcomes[2];

	(void)arg;
	boot(2 * PAGE_SIZE, 8, 0);
	change(0, 1);
	change(1, 1);
	m[0] = vm_page_lookup(object, 0);
	m[1] = vm_page_lookup(object, 1);
	vm_page_sbusy(m[0]);
	vm_page_sbusy(m[1]);
	file.bmap_error = ERR_NOMEM;
	file_pager_ops.put_pages(object, m, 2, VM_PAGER_PUT_SYNC, outcomes);
	assert_int_equal(outcomes[0], VM_PAGER_AGAIN);
	assert_int_equal(outcomes[1], VM_PAGER_OK); /* bmap_bad is page 0 */
	file.bmap_error = ERR_IO;
	file_pager_ops.put_pages(object, m, 1, VM_PAGER_PUT_SYNC, outcomes);
	assert_int_equal(outcomes[0], VM_PAGER_ERROR);
	file.bmap_error = 0;
	sim_file_disk.dev.read_only = true;
	vm_page_dirty(m[1]);
	file_pager_ops.put_pages(object, m + 1, 1, VM_PAGER_PUT_SYNC, outcomes);
	assert_int_equal(outcomes[0], VM_PAGER_FAIL);
	assert_int_equal(m[1]->dirty, VM_PAGE_BITS_ALL);
	object->size_pages = 1; /* as if the file had become shorter */
	file_pager_ops.put_pages(object, m, 2, VM_PAGER_PUT_SYNC, outcomes);
	assert_int_equal(outcomes[1], VM_PAGER_BAD);
	object->size_pages = 2;
	vm_page_sunbusy(m[0]);
	vm_page_sunbusy(m[1]);
	assert_int_equal(vnode_write_begin(&file.vnode, true), ERR_ROFS);
	sim_file_disk.dev.read_only = false;
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), ERR_ROFS); /* told */
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	put_away();
}

/* ---- the gate */

RUN_TEST(file_pager_suspended_writes_wait)
{
	(void)arg;
	boot(2 * PAGE_SIZE, 8, 0);
	change(0, 0x42);
	vfs_write_suspend();
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, true), ERR_AGAIN);
	assert_int_equal(vnode_write_begin(&file.vnode, true), ERR_AGAIN);
	assert_false(stored(0, 0x42));
	vm_object_deallocate(object); /* cannot be written now: stays dirty */
	assert_int_not_equal(object->flags & OBJ_MIGHTBEDIRTY, 0);
	object = file_pager_alloc(&file.vnode);
	vfs_write_resume();
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, true), 0);
	assert_true(stored(0, 0x42));
	put_away();
}

/* ---- life */

RUN_TEST(file_pager_one_object_a_file)
{
	struct vm_object *second;

	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	second = file_pager_alloc(&file.vnode);
	assert_ptr_equal(second, object);
	assert_int_equal(object->ref_count, 2);
	vm_object_deallocate(second);
	vnode_unref(&file.vnode); /* the test's own; the object keeps the file */
	assert_int_equal(file.releases, 0);
	vm_object_deallocate(object);
	assert_int_equal(file.releases, 0); /* kept */
	vm_lowmem(0);
	assert_int_equal(file.releases, 1); /* nothing of it was left */
	assert_null(file.vnode.object);
	sim_file_check();
}

RUN_TEST(file_pager_kept_objects_are_bounded)
{
	static struct sim_file files[6];
	uint32_t i;

	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	mm_params.file_objects_max = 3;
	for (i = 0; i < 6; i++) {
		vm_object_deallocate(object);
		sim_file_make(&files[i], "/many", 2 * PAGE_SIZE, 8, 0);
		object = file_pager_alloc(&files[i].vnode);
		vm_page_unhold(get(1, 0));
		vnode_unref(&files[i].vnode);
		sim_file_check();
	}
	vm_object_deallocate(object);
	object = NULL;
	for (i = 0; i < 6; i++)
		assert_int_equal(files[i].releases, i < 3);
	sim_file_check();
}

RUN_TEST(file_pager_killed_reader_gives_up)
{
	struct vm_page *m;
	bool killed = true;

	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	sim_swap_leave_free(vm_domains[0].v_free_reserved);
	assert_int_equal(file_pager_page(object, 0, 3, &killed, &m), ERR_KILLED);
	sim_swap_leave_free(vm_domains[0].v_free_min);
	assert_int_equal(file_pager_page(object, 0, 3, &killed, &m), 0);
	assert_int_equal(object->resident_count, 1); /* nothing ahead at free_min */
	vm_page_unhold(m);
	put_away();
}

/* ---- page_clean */

RUN_TEST(page_clean_runs_in_order)
{
	uint32_t i;

	(void)arg;
	boot(64 * PAGE_SIZE, 8, 0);
	for (i = 0; i < 40; i++)
		if (i != 5 && i != 30)
			change(i, 7);
	assert_true(vm_object_page_clean(object, 0, 0, OBJPC_SYNC));
	/* 0-4, 6-13, 14-21, 22-29, 31-38, 39 with clusters of 8 pages */
	assert_int_equal(sim_file_disk.writes, 6);
	assert_true(stored(39, 7));
	assert_int_equal(vm_page_lookup(object, 39)->dirty, 0);
	put_away();
}

RUN_TEST(page_clean_part_keeps_the_rest_dirty)
{
	(void)arg;
	boot(16 * PAGE_SIZE, 8, 0);
	change(2, 1);
	change(9, 1);
	assert_int_equal(file_pager_sync(object, 0, 5, OBJPC_SYNC, false), 0);
	assert_true(stored(2, 1));
	assert_false(stored(9, 1));
	assert_int_not_equal(object->flags & OBJ_MIGHTBEDIRTY, 0);
	assert_int_equal(file_pager_sync(object, 5, 16, OBJPC_SYNC, false), 0);
	assert_true(stored(9, 1));
	put_away();
}

RUN_TEST(page_clean_invalidates)
{
	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	change(1, 0x10);
	vm_page_unhold(get(2, 0));
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC | OBJPC_INVAL, false), 0);
	assert_true(stored(1, 0x10));
	assert_int_equal(object->resident_count, 0);
	put_away();
}

RUN_TEST(page_clean_sync_waits_for_busy_pages)
{
	(void)arg;
	boot(4 * PAGE_SIZE, 8, 0);
	change(1, 0x10);
	sim_swap_be_pagedaemon();
	assert_int_equal(flush(1, 1), 1);
	vm_domains[0].worker = NULL;
	assert_true(vm_page_busied(vm_page_lookup(object, 1)));
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	assert_false(vm_page_busied(vm_page_lookup(object, 1)));
	assert_int_equal(sim_file_disk.writes, 1);
	put_away();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_pager_reads_every_layout),
		cmocka_unit_test(file_pager_contiguous_file_is_one_read),
		cmocka_unit_test(file_pager_tail_of_the_last_page_is_zero),
		cmocka_unit_test(file_pager_has_page_knows_the_end),
		cmocka_unit_test(file_pager_get_outcomes),
		cmocka_unit_test(file_pager_neighbours_error_is_not_the_wanted_pages),
		cmocka_unit_test(file_pager_writes_only_what_is_dirty_and_only_the_file),
		cmocka_unit_test(file_pager_last_reference_writes_back),
		cmocka_unit_test(file_pager_write_error_is_told_once_and_remembered),
		cmocka_unit_test(file_pager_daemons_writes_do_not_wait),
		cmocka_unit_test(file_pager_daemons_write_in_pieces),
		cmocka_unit_test(file_pager_daemons_write_error),
		cmocka_unit_test(file_pager_put_outcomes),
		cmocka_unit_test(file_pager_suspended_writes_wait),
		cmocka_unit_test(file_pager_one_object_a_file),
		cmocka_unit_test(file_pager_kept_objects_are_bounded),
		cmocka_unit_test(file_pager_killed_reader_gives_up),
		cmocka_unit_test(page_clean_runs_in_order),
		cmocka_unit_test(page_clean_part_keeps_the_rest_dirty),
		cmocka_unit_test(page_clean_invalidates),
		cmocka_unit_test(page_clean_sync_waits_for_busy_pages),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
