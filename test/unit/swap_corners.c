/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corners of swap: an area on a small device inside a larger one, slots that fail or stay
 * while their area goes, records that find no memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pager.h"
#include "mm/vm_swapctl.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES     1024u
#define SLOTS      1536u
#define UNIT_SLOTS 256u
#define UNIT       (UNIT_SLOTS * 8) /* blocks */
#define PART_BLOCK 1000u            /* not at the start of a unit */

static struct vmspace *vm;
static struct vm_object *object;
static struct sim_disk disk, more;
static struct blkdev part;
static void *records;

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
	sim_swap_boot(FRAMES, 0);
	vm = sim_swap_space(600);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
}

/* An area on a partition of a disk with units, which takes 4 pages in a request. */
static void
boot_partition(int64_t discard_us)
{
	vm_size_t bytes = swap_pager_record_bytes(SLOTS);

	boot();
	mm_params.swap_discard_us = discard_us;
	if (blk_find("p0s1") != NULL)
		blk_unregister(&part);
	sim_disk_open(&disk, "p0", PART_BLOCK + SLOTS * 8);
	disk.dev.align_blocks = disk.dev.erase_blocks = UNIT;
	disk.latency_us = 100;
	part = (struct blkdev){ .name = "p0s1", .parent = &disk.dev, .parent_block = PART_BLOCK,
		.block_count = SLOTS * 8, .bio_blocks_max = 32 };
	assert_int_equal(blk_register(&part), 0);
	free(records);
	records = aligned_alloc(64, (bytes + 63) & ~63ull);
	assert_int_equal(swap_pager_swapon(&part, records, bytes, false), 0);
	tsleep(&vm, "boot", 1000);
}

static void
touch(uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_store(vm, first, tag), 0);
}

static void
launder(uint32_t first, uint32_t end)
{
	sim_swap_launder(object, first, end);
}

static void
evict(uint32_t first, uint32_t end)
{
	sim_swap_evict(object, first, end);
}

static void
finish(void)
{
	vmspace_free(vm);
	sim_mm_check();
	mm_params.swap_discard_us = 0;
}

/* The first unit of the partition is a part of one: nothing outside whole units, and
 * nothing before the partition, is erased. */
RUN_TEST(swap_erases_whole_units_of_a_partition)
{
	uint64_t first = (PART_BLOCK + UNIT - 1) / UNIT * UNIT, block;

	(void)arg;
	boot_partition(1000);
	memset(disk.bytes, 0x77, (PART_BLOCK + SLOTS * 8) * 512);
	tsleep(&vm, "erase", 3000000);
	for (block = 0; block < first; block++)
		assert_int_equal(disk.bytes[block * 512], 0x77);
	assert_int_equal(disk.bytes[first * 512], 0xff);
	touch(0, 300, 3);
	evict(0, 300);
	tsleep(&vm, "erase", 3000000);
	for (block = 0; block < 300; block++)
		assert_int_equal(sim_swap_verify(vm, (uint32_t)block, 3), 0);
	finish();
}

/* While an erase is under way the tunable is set to never: it ends, and none follows. */
RUN_TEST(swap_erase_ends_when_no_more_are_wanted)
{
	struct swap_area_info info;

	(void)arg;
	boot_partition(1000);
	tsleep(&vm, "first", 3000);
	disk.latency_us = 50000;
	tsleep(&vm, "second", 3000);
	assert_int_equal(disk.in_flight, 1);
	mm_params.swap_discard_us = 0;
	touch(0, 8, 1);
	launder(0, 8); /* its end wakes swapio, which passes by the erase */
	tsleep(&vm, "end", 3000000);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(disk.in_flight, 0);
	assert_int_equal(disk.dev.erases, info.discards);
	tsleep(&vm, "rest", 3000000);
	assert_int_equal(disk.dev.erases, info.discards);
	finish();
}

/* No request is larger than the device takes, either way, whichever page is wanted. */
RUN_TEST(swap_requests_fit_a_small_device)
{
	struct vm_page *m[16];
	uint32_t wanted, i;

	(void)arg;
	boot_partition(0);
	touch(0, 48, 9);
	evict(0, 48);
	assert_int_equal(swap_map_lookup(object, 15), swap_map_lookup(object, 0) + 15);
	for (wanted = 0; wanted < 16; wanted += 15) {
		for (i = 0; i < 16; i++)
			m[i] = vm_page_alloc(object, i, VM_ALLOC_NORMAL);
		vm_object_pip_add(object, 1);
		assert_int_equal(swap_pager_ops.get_pages(object, m, 16, wanted), VM_PAGER_OK);
		vm_page_deactivate(m[wanted]);
		vm_page_xunbusy(m[wanted]);
		vm_object_pip_wakeup(object, 1);
		assert_int_equal(object->resident_count, 4);
		for (i = 0; i < 16; i++)
			if (vm_page_lookup(object, i) != NULL)
				assert_true(vm_pageout_try_free(vm_page_lookup(object, i)));
	}
	for (i = 0; i < 48; i++)
		assert_int_equal(sim_swap_verify(vm, i, 9), 0);
	finish();
}

static int off_error;
static bool off_done;

static void
swapoff_task(void *arg)
{
	struct swap_off_result result;

	(void)arg;
	off_error = swap_pager_swapoff(&sim_swap_disk.dev, &result);
	off_done = true;
}

static void
start_swapoff(void)
{
	struct task *t;

	off_done = false;
	assert_int_equal(task_create(&t, "off", PRI_NORMAL, swapoff_task, NULL), 0);
	tsleep(&vm, "start", 1000);
	assert_false(off_done);
}

/* The whole device is away: its slots are not to blame, and take the pages later. */
RUN_TEST(swap_device_that_is_away_costs_no_slots)
{
	struct swap_area_info info;

	(void)arg;
	boot();
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS);
	tsleep(&vm, "boot", 1000);
	sim_swap_disk.dead = true;
	touch(0, 16, 6);
	launder(0, 16);
	sim_swap_settle(object);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.bad_slots, 0);
	assert_int_equal(info.used_slots, 0);
	assert_int_not_equal(vm_page_lookup(object, 3)->dirty, 0);
	sim_swap_disk.dead = false;
	evict(0, 16);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(sim_swap_verify(vm, i, 6), 0);
	finish();
}

/* A write fails whose area is closing: the pages stay, the area goes. */
RUN_TEST(swap_write_that_fails_while_its_area_goes)
{
	(void)arg;
	boot();
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS);
	tsleep(&vm, "boot", 1000);
	sim_swap_disk.latency_us = 50000;
	sim_swap_disk.write_error_every = 1;
	touch(0, 16, 2);
	launder(0, 16);
	start_swapoff();
	tsleep(&vm, "end", 3000000);
	assert_true(off_done);
	assert_int_equal(off_error, 0);
	assert_int_equal(swap_pager_total(), 0);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(sim_swap_verify(vm, i, 2), 0);
	finish();
}

static void
deallocate(void *arg)
{
	vm_object_deallocate(arg);
}

/* Slots of an object that is being destroyed and cannot end: swapoff waits, then says so. */
RUN_TEST(swap_off_gives_up_on_slots_that_stay)
{
	struct vm_object *other;
	struct task *t;

	(void)arg;
	boot();
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS);
	tsleep(&vm, "boot", 1000);
	other = vm_object_allocate(32);
	other->type = OBJT_SWAP;
	sim_swap_dirty_run(other, 0, 16);
	sim_swap_launder(other, 0, 16);
	sim_swap_settle(other);
	vm_object_pip_add(other, 1);
	assert_int_equal(task_create(&t, "dealloc", PRI_NORMAL, deallocate, other), 0);
	tsleep(&vm, "start", 1000);
	assert_true((other->flags & OBJ_DEAD) != 0);
	console_tap_begin();
	start_swapoff();
	tsleep(&vm, "rounds", 5000000);
	assert_true(off_done);
	assert_int_equal(off_error, ERR_BUSY);
	assert_non_null(strstr(console_tap_text(), "16 pages are still in it"));
	vm_object_pip_wakeup(other, 1);
	tsleep(&vm, "end", 100000);
	off_done = false;
	assert_int_equal(task_create(&t, "off", PRI_NORMAL, swapoff_task, NULL), 0);
	tsleep(&vm, "end", 100000);
	assert_true(off_done);
	assert_int_equal(off_error, 0);
	finish();
}

/* A page that is busy again whenever swapoff looks at it holds up its own slot only. */
RUN_TEST(swap_off_passes_by_a_page_that_stays_busy)
{
	struct vm_page *m;
	uint32_t i;

	(void)arg;
	boot();
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS);
	tsleep(&vm, "boot", 1000);
	touch(0, 8, 3);
	launder(0, 8);
	sim_swap_settle(object);
	m = vm_page_lookup(object, 0);
	assert_true(vm_page_tryxbusy(m));
	start_swapoff();
	assert_int_not_equal(swap_map_lookup(object, 7), SWAP_SLOT_NONE);
	for (i = 0; i < 100 && swap_map_lookup(object, 7) != SWAP_SLOT_NONE; i++) {
		vm_page_xunbusy(m);
		assert_true(vm_page_tryxbusy(m));
		tsleep(&vm, "look", 1000);
	}
	assert_int_equal(object->swap_count, 1);
	assert_int_not_equal(swap_map_lookup(object, 0), SWAP_SLOT_NONE);
	assert_false(off_done);
	vm_page_xunbusy(m);
	tsleep(&vm, "end", 3000000);
	assert_true(off_done);
	assert_int_equal(off_error, 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(sim_swap_verify(vm, i, 3), 0);
	finish();
}

/* Records in the pool: none to be had; then larger ones while others are in use or are
 * kept from boot. */
RUN_TEST(swap_records_find_memory_or_not)
{
	static struct sim_disk small, large;
	uint32_t unfit, wired;

	(void)arg;
	boot();
	sim_swap_add(&sim_swap_disk, "swap0", SLOTS); /* as at boot: not of the pool */
	sim_disk_open(&small, "md8", 200 * 8);
	sim_disk_open(&large, "md9", 4 * SLOTS * 8);
	sim_disk_open(&more, "fl0", 300 * 8);
	assert_int_equal(vm_swapon("md8"), 0);
	assert_int_equal(vm_swapoff("swap0", &unfit), 0);
	sim_swap_leave_free(20);
	wired = vm_domains[0].v_wire_count;
	assert_int_equal(vm_swapon("md9"), ERR_NOMEM);
	assert_int_equal(vm_domains[0].v_wire_count, wired); /* those in use stay */
	assert_false(swap_pager_uses(&large.dev));
	sim_swap_leave_free(FRAMES / 2);
	assert_int_equal(vm_swapon("md9"), 0);
	assert_int_equal(vm_swapon("fl0"), 0); /* flash needs no header either */
	assert_int_equal(vm_swapoff("fl0", &unfit), 0);
	assert_int_equal(vm_swapoff("md9", &unfit), 0);
	assert_int_equal(vm_swapoff("md8", &unfit), 0);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_erases_whole_units_of_a_partition),
		cmocka_unit_test(swap_erase_ends_when_no_more_are_wanted),
		cmocka_unit_test(swap_requests_fit_a_small_device),
		cmocka_unit_test(swap_device_that_is_away_costs_no_slots),
		cmocka_unit_test(swap_write_that_fails_while_its_area_goes),
		cmocka_unit_test(swap_off_gives_up_on_slots_that_stay),
		cmocka_unit_test(swap_off_passes_by_a_page_that_stays_busy),
		cmocka_unit_test(swap_records_find_memory_or_not),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
