/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap on a device with units: where clusters go, what is erased and when; priorities.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/rng.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/swap_pager_internal.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES     1024u
#define SLOTS      2048u /* of which two are reserved */
#define UNIT_SLOTS 256u
#define UNIT       (UNIT_SLOTS * 8) /* blocks */

static struct vmspace *vm;
static struct vm_object *object;
static struct sim_disk second;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
boot(uint32_t erase_blocks, int64_t discard_us)
{
	sim_swap_align_blocks = UNIT;
	sim_swap_erase_blocks = erase_blocks;
	sim_swap_boot(FRAMES, SLOTS);
	mm_params.swap_discard_us = discard_us;
	vm = sim_swap_space(2000);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	tsleep(&vm, "boot", 1000); /* task swapio goes to its place */
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
	sim_swap_align_blocks = sim_swap_erase_blocks = 0;
}

/* Clusters that wait together leave as one write. */
RUN_TEST(swap_adjacent_clusters_leave_as_one_write)
{
	uint32_t i;

	(void)arg;
	boot(0, 0);
	sim_swap_disk.depth = 1;
	sim_swap_disk.latency_us = 1000;
	touch(0, 48, 1);
	launder(0, 48);
	sim_swap_settle(object);
	assert_int_equal(mm_params.v_swapout, 6);
	assert_int_equal(sim_swap_disk.writes, 4);
	assert_int_equal(sim_swap_disk.dev.merges, 2);
	for (i = 1; i < 48; i++)
		assert_int_equal(swap_map_lookup(object, i), swap_map_lookup(object, 0) + i);
	finish();
}

/* Larger clusters, if they are asked for. */
RUN_TEST(swap_clusters_of_32_if_asked_for)
{
	(void)arg;
	boot(0, 0);
	mm_params.pageout_cluster_pages = 32;
	touch(0, 64, 1);
	evict(0, 64);
	assert_int_equal(mm_params.v_swapout, 2);
	assert_int_equal(swap_map_lookup(object, 63), swap_map_lookup(object, 32) + 31);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(sim_swap_verify(vm, i, 1), 0);
	mm_params.pageout_cluster_pages = 1;
	touch(64, 68, 1);
	evict(64, 68);
	assert_int_equal(mm_params.v_swapout, 6);
	mm_params.pageout_cluster_pages = 0;
	finish();
}

/* Pages written over and over: always the open unit, upwards, however much is free behind. */
RUN_TEST(swap_writes_go_through_a_unit_in_order)
{
	uint32_t round, last = 0, slot;

	(void)arg;
	boot(0, 1000); /* it cannot erase */
	for (round = 0; round < 14; round++) {
		touch(0, 16, round);
		evict(0, 16);
		slot = SWAP_SLOT_INDEX(swap_map_lookup(object, 0));
		assert_true(slot > last);
		last = slot;
	}
	assert_true(last < 2 * UNIT_SLOTS); /* unit 0 has the header and is not empty */
	for (round = 0; round < 16; round++) {
		touch(0, 16, round);
		evict(0, 16);
	}
	assert_true(SWAP_SLOT_INDEX(swap_map_lookup(object, 0)) >= 2 * UNIT_SLOTS);
	assert_int_equal(sim_swap_verify(vm, 3, 15), 0);
	finish();
}

/* Dead units are erased when the disk is idle, and what is alive is not. */
RUN_TEST(swap_dead_units_are_erased_when_idle)
{
	struct swap_area_info info;
	uint32_t i;

	(void)arg;
	boot(UNIT, 1000);
	touch(0, 600, 1); /* units 1, 2 and a part of 3; 0 has the header */
	evict(0, 600);
	sim_swap_disk.latency_us = 0;
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.unit_slots, UNIT_SLOTS);
	/* Kill what lies in unit 1. */
	for (i = 0; i < 600; i++)
		if (SWAP_SLOT_INDEX(swap_map_lookup(object, i)) / UNIT_SLOTS == 1)
			touch(i, i + 1, 2);
	tsleep(&vm, "erase", 2000000);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.discards, 5); /* 1, and 4 to 7 of an earlier boot */
	assert_int_equal(mm_params.v_swap_discards, 5);
	assert_int_equal(sim_swap_disk.dev.erases, 5);
	assert_int_equal(sim_swap_disk.bytes[UNIT * 512 + 5], 0xff);
	for (i = 0; i < 600; i++)
		if (vm_page_lookup(object, i) == NULL)
			assert_int_equal(sim_swap_verify(vm, i, 1), 0);
	finish();
}

RUN_TEST(swap_nothing_is_erased_while_the_disk_works)
{
	struct bio busy = { .op = BIO_WRITE, .segment_count = 1, .block_count = 8,
		.segments = { { SIM_RAM_BASE, 4096 } } };

	(void)arg;
	boot(UNIT, 1000);
	sim_swap_disk.latency_us = 30000000;
	blk_submit(&sim_swap_disk.dev, &busy);
	tsleep(&vm, "idle", 20000000);
	assert_int_equal(sim_swap_disk.dev.erases, 0);
	sim_swap_disk.latency_us = 100;
	tsleep(&vm, "idle", 20000000);
	assert_int_equal(sim_swap_disk.dev.erases, 7);
	mm_params.swap_discard_us = 0;
	finish();
}

/* An erase that fails is tried again, and harms nobody. */
RUN_TEST(swap_erase_that_fails)
{
	struct swap_area_info info;

	(void)arg;
	boot(UNIT, 1000);
	sim_swap_disk.bad_block = 3 * UNIT;
	sim_swap_disk.bad_count = 1;
	tsleep(&vm, "erase", 1000000);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.discards, 6);
	assert_true(sim_swap_disk.dev.errors > 2);
	touch(0, 200, 4);
	evict(0, 200);
	assert_int_equal(sim_swap_verify(vm, 100, 4), 0);
	sim_swap_disk.bad_count = 0;
	tsleep(&vm, "erase", 1000000);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.discards, 7);
	finish();
}

/* Swapoff of an area of which a unit is being erased waits for it. */
RUN_TEST(swap_off_waits_for_an_erase)
{
	struct swap_off_result result;
	int error;

	(void)arg;
	boot(UNIT, 1000);
	sim_swap_disk.latency_us = 500000;
	touch(0, 1, 1);
	tsleep(&vm, "erase", 10000);
	assert_int_equal(sim_swap_disk.in_flight, 1);
	error = swap_pager_swapoff(&sim_swap_disk.dev, &result);
	assert_int_equal(error, 0);
	assert_int_equal(sim_swap_disk.in_flight, 0);
	assert_int_equal(sim_swap_verify(vm, 0, 1), 0);
	finish();
}

/* However rarely units are erased, swapio looks soon whether an erase has ended. */
RUN_TEST(swap_erase_is_looked_at_soon)
{
	struct swap_off_result result;
	uint64_t since_us;
	int error;

	(void)arg;
	boot(UNIT, 3600000000);
	sim_swap_disk.latency_us = 500000;
	tsleep(&vm, "erase", 3600100000);
	assert_int_equal(sim_swap_disk.in_flight, 1);
	assert_true(swap_discard_poll() <= 100000);
	since_us = timer_now_us();
	error = swap_pager_swapoff(&sim_swap_disk.dev, &result);
	assert_int_equal(error, 0);
	assert_true(timer_now_us() - since_us < 1000000);
	finish();
}

/* Random page-outs with erases all the time: every page comes back as it was. */
RUN_TEST(swap_random_with_erases)
{
	static uint32_t tag[200];
	struct rng rng;
	uint32_t step, i, n;

	(void)arg;
	rng_seed(&rng, sim_seed(0));
	boot(UNIT, 1);
	memset(tag, 0, sizeof(tag));
	for (step = 1; step < 1500; step++) {
		i = rng_below(&rng, 184);
		n = 1 + rng_below(&rng, 16);
		touch(i, i + n, step);
		for (uint32_t k = i; k < i + n; k++)
			tag[k] = step;
		evict(i, i + n);
		i = rng_below(&rng, 200);
		if (tag[i] != 0)
			assert_int_equal(sim_swap_verify(vm, i, tag[i]), 0);
		if (vm_page_lookup(object, i) != NULL)
			evict(i, i + 1);
		if (rng_below(&rng, 8) == 0)
			tsleep(&vm, "rest", 400);
	}
	for (i = 0; i < 200; i++)
		if (tag[i] != 0) {
			assert_int_equal(sim_swap_verify(vm, i, tag[i]), 0);
			vm_page_deactivate(vm_page_lookup(object, i));
			assert_true(vm_pageout_try_free(vm_page_lookup(object, i)));
		}
	assert_true(mm_params.v_swap_discards > 7);
	mm_params.swap_discard_us = 0;
	finish();
}

/* The area of better priority is filled first; equal ones take turns. */
RUN_TEST(swap_better_priority_first)
{
	struct swap_area_info a, b;

	(void)arg;
	sim_swap_align_blocks = 0;
	sim_swap_boot(FRAMES, SLOTS);
	sim_swap_add(&second, "swap1", 64 + 2);
	vm = sim_swap_space(2000);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	assert_int_equal(swap_pager_set_priority(&second.dev, 5), 0);
	touch(0, 100, 1);
	evict(0, 100);
	assert_true(swap_pager_info(0, &a) && swap_pager_info(1, &b));
	assert_int_equal(b.priority, 5);
	assert_int_equal(b.used_slots, 64);
	assert_int_equal(a.used_slots, 36);
	assert_int_equal(swap_pager_set_priority(&second.dev, -1), 0);
	touch(0, 100, 2);
	evict(0, 100);
	assert_true(swap_pager_info(0, &a) && swap_pager_info(1, &b));
	assert_int_equal(b.used_slots, 0);
	assert_int_equal(a.used_slots, 100);
	assert_int_equal(sim_swap_verify(vm, 99, 2), 0);
	blk_unregister(&second.dev);
	assert_int_equal(swap_pager_set_priority(&(struct blkdev){ 0 }, 1), ERR_NOENT);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_adjacent_clusters_leave_as_one_write),
		cmocka_unit_test(swap_clusters_of_32_if_asked_for),
		cmocka_unit_test(swap_writes_go_through_a_unit_in_order),
		cmocka_unit_test(swap_dead_units_are_erased_when_idle),
		cmocka_unit_test(swap_nothing_is_erased_while_the_disk_works),
		cmocka_unit_test(swap_erase_that_fails),
		cmocka_unit_test(swap_off_waits_for_an_erase),
		cmocka_unit_test(swap_erase_is_looked_at_soon),
		cmocka_unit_test(swap_random_with_erases),
		cmocka_unit_test(swap_better_priority_first),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
