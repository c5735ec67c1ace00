/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swap pager over a disk that fails (contract 1.15).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "lib/crc32c.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_fault.h"
#include "mm/vm_launder.h"
#include "mm/vm_pager.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define SLOTS  1024u

static struct vmspace *vm;
static struct vm_object *object;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* An object of 256 pages; the running task counts as the page daemon. */
static void
boot(uint32_t slots)
{
	sim_swap_boot(FRAMES, slots);
	vm = sim_swap_space(256);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	tsleep(&vm, "boot", 1000); /* task swapio goes to its place */
}

static struct vm_page *
page(uint32_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

static uint32_t
slot(uint32_t pindex)
{
	return (swap_map_lookup(object, pindex));
}

/* contract 1.15, T2, in our terms */
static void
check_slots(void)
{
	struct swap_area_info info;
	uint32_t n, usable = 0, used = 0;

	for (n = 0; swap_pager_info(n, &info); n++) {
		usable += info.slots - SWAP_RESERVED_SLOTS - info.bad_slots;
		used += info.used_slots;
	}
	assert_int_equal(swap_pager_total(), usable);
	assert_int_equal(swap_pager_avail() + used, usable);
	sim_mm_check();
}

static void
program_touches(uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_store(vm, first, tag), 0);
}

/* Make a program's pages candidates for laundering. */
static void
deactivate(uint32_t first, uint32_t end)
{
	for (; first < end; first++) {
		/* a sequential reader's pages may have been cached behind it */
		if (page(first) == NULL)
			assert_int_equal(
			    vm_fault(vm, SIM_SWAP_BASE + ptoa(first), VM_PROT_READ), 0);
		vm_page_deactivate(page(first));
		vm_page_test_dirty(page(first));
	}
}

/* Write pages [first, end) and wait for it. */
static void
write_out(uint32_t first, uint32_t end)
{
	deactivate(first, end);
	for (; first < end; first++)
		if (page(first)->dirty != 0 && !vm_page_busied(page(first)))
			assert_true(vm_pageout_clean(page(first)) > 0);
	sim_swap_settle(object);
}

static void
evict(uint32_t first, uint32_t end)
{
	write_out(first, end);
	for (; first < end; first++)
		assert_true(vm_pageout_try_free(page(first)));
}

static void
verify(uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_verify(vm, first, tag), 0);
}

static void
finish(void)
{
	check_slots();
	vmspace_free(vm);
	assert_int_equal(swap_pager_avail(), swap_pager_total());
	check_slots();
}

/* ---- contents and counts */

RUN_TEST(swap_T1_read_back_equality)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 256, 1);
	evict(0, 256);
	assert_int_equal(object->resident_count, 0);
	check_slots();
	verify(0, 256, 1);
	program_touches(100, 120, 2);
	evict(90, 130);
	verify(0, 100, 1);
	verify(100, 120, 2);
	verify(120, 256, 1);
	finish();
}

RUN_TEST(swap_T1_cluster_is_one_write_and_one_read_brings_neighbours)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 32, 1);
	evict(0, 32);
	assert_int_equal(sim_swap_disk.writes, 2);
	assert_int_equal(mm_params.v_swappgsout, 32);
	assert_int_equal(mm_params.v_swapout, 2);
	assert_int_equal(vm->usage.page_outs, 32);
	assert_int_equal(vm->usage.page_out_ops, 2);
	assert_int_equal(sim_swap_verify(vm, 8, 1), 0);
	assert_int_equal(sim_swap_disk.reads, 1);
	assert_int_equal(object->resident_count, 15); /* 7 before, 7 after (haspage) */
	assert_int_equal(vm->usage.page_ins, 15);
	assert_int_equal(vm->usage.page_in_ops, 1);
	assert_int_equal(page(9)->queue, PQ_INACTIVE);
	assert_int_equal(page(9)->dirty, 0);
	finish();
}

RUN_TEST(swap_T2_slots_add_up)
{
	uint32_t round, i, first;

	(void)arg;
	boot(600);
	for (round = 0; round < 60; round++) {
		first = sim_random(240);
		program_touches(first, first + 16, round);
		write_out(first, first + 16);
		check_slots();
		i = sim_random(256);
		swap_pager_ops.free_space(object, 0, 0);
		if (page(i) != NULL && sim_random(2) == 0)
			program_touches(i, i + 1, round);
		check_slots();
	}
	finish();
}

RUN_TEST(swap_T3_clean_page_is_not_written_again)
{
	uint32_t writes, kept;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	evict(0, 8);
	writes = sim_swap_disk.writes;
	kept = slot(3);
	verify(0, 8, 1);
	assert_int_equal(slot(3), kept); /* kept while clean */
	deactivate(0, 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_true(vm_pageout_try_free(page(i)));
	assert_int_equal(sim_swap_disk.writes, writes);
	verify(0, 8, 1);
	finish();
}

RUN_TEST(swap_T4_write_fault_frees_the_slot)
{
	uint32_t avail;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	evict(0, 8);
	verify(0, 8, 1);
	avail = swap_pager_avail();
	program_touches(3, 4, 2);
	assert_int_equal(slot(3), SWAP_SLOT_NONE);
	assert_int_equal(swap_pager_avail(), avail + 1);
	check_slots();
	evict(0, 8);
	verify(3, 4, 2);
	verify(4, 8, 1);
	finish();
}

/* Dirtied without a fault (by the kernel): the new slot replaces the old one. */
RUN_TEST(swap_T2_rewritten_page_frees_its_old_slot)
{
	uint32_t avail;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	write_out(0, 8);
	avail = swap_pager_avail();
	for (uint32_t i = 0; i < 8; i++)
		vm_page_dirty(page(i));
	write_out(0, 8);
	assert_int_equal(swap_pager_avail(), avail);
	finish();
}

/* ---- failing writes */

RUN_TEST(swap_T5_write_error_keeps_the_page_and_retires_the_slots)
{
	struct swap_area_info info;
	uint32_t i;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 16, 1);
	sim_swap_disk.write_error_every = 1;
	deactivate(0, 16);
	assert_int_equal(vm_pageout_clean(page(0)), 16); /* under way */
	sim_swap_settle(object);
	for (i = 0; i < 16; i++) {
		assert_int_equal(page(i)->dirty, VM_PAGE_BITS_ALL);
		assert_int_equal(page(i)->queue, PQ_ACTIVE);
		assert_true(page(i)->act_count >= ACT_INIT);
		assert_int_equal(slot(i), SWAP_SLOT_NONE);
	}
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.bad_slots, 16);
	assert_int_equal(info.used_slots, 0);
	assert_int_equal(mm_params.v_pageout_errors, 16);
	check_slots();
	sim_swap_disk.write_error_every = 0;
	evict(0, 16);
	assert_true(SWAP_SLOT_INDEX(slot(0)) >= SWAP_RESERVED_SLOTS + 16);
	verify(0, 16, 1);
	finish();
}

/* Q8 mended: however long it runs, a bad slot is not used again. */
RUN_TEST(swap_T5_bad_slot_is_never_reused)
{
	uint32_t round, i;

	(void)arg;
	boot(100);
	program_touches(0, 8, 1);
	sim_swap_disk.write_error_every = 1;
	deactivate(0, 8);
	vm_pageout_clean(page(0)); /* slots 2..9 */
	sim_swap_settle(object);
	sim_swap_disk.write_error_every = 0;
	for (round = 0; round < 40; round++) {
		program_touches(0, 8, round);
		write_out(0, 8);
		for (i = 0; i < 8; i++)
			assert_true(SWAP_SLOT_INDEX(slot(i)) >= 10);
		check_slots();
	}
	finish();
}

/* ---- failing reads */

RUN_TEST(swap_T6_read_error_fails_the_fault_after_retries)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	evict(0, 8);
	sim_swap_disk.bad_block = (uint64_t)SWAP_SLOT_INDEX(slot(4)) * 8;
	sim_swap_disk.bad_count = 1;
	console_tap_begin();
	assert_int_equal(sim_swap_verify(vm, 4, 1), ERR_IO);
	assert_non_null(strstr(console_tap_text(), "swap0 block 48, slot 6 ("));
	assert_int_equal(sim_swap_disk.reads, 1 + 2); /* vm.swap_read_retries */
	assert_null(page(4));
	assert_int_equal(object->paging_in_progress, 0);
	check_slots();
	verify(0, 4, 1); /* the neighbours survive, one by one if need be */
	verify(5, 8, 1);
	sim_swap_disk.bad_count = 0;
	verify(4, 5, 1);
	finish();
}

RUN_TEST(swap_T6_passing_read_error_is_repaired)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	evict(0, 8);
	sim_swap_disk.read_error_every = 2; /* reads 2, 4, ... fail */
	verify(0, 8, 1);
	sim_swap_disk.read_error_every = 0;
	evict(0, 8);
	sim_swap_disk.flip_read_every = 1; /* never right; the first page of each read */
	assert_int_equal(sim_swap_verify(vm, 0, 1), ERR_IO);
	assert_int_equal(mm_params.v_crc_errors, 1 + 2);
	sim_swap_disk.flip_read_every = 2;
	sim_swap_disk.reads = 1; /* the next one is wrong, and its repetition right */
	assert_int_equal(sim_swap_verify(vm, 0, 1), 0);
	assert_int_equal(mm_params.v_crc_errors, 1 + 2 + 1);
	finish();
}

RUN_TEST(swap_T6_wrong_bytes_never_reach_a_program)
{
	struct swap_area_info info;
	char crcs[96];
	uint8_t *stored;
	uint32_t was;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 8, 1);
	evict(0, 8);
	stored = sim_swap_disk.bytes + (size_t)SWAP_SLOT_INDEX(slot(5)) * PAGE_SIZE;
	was = crc32c(0, stored, PAGE_SIZE);
	stored[1234] ^= 0x10;
	console_tap_begin();
	assert_int_equal(sim_swap_verify(vm, 5, 1), ERR_IO);
	snprintf(crcs, sizeof(crcs),
	    "swap0 block 56, slot 7: read back with CRC %08x, written with %08x",
	    (unsigned)crc32c(0, stored, PAGE_SIZE), (unsigned)was);
	assert_non_null(strstr(console_tap_text(), crcs));
	assert_null(page(5));
	verify(0, 5, 1);
	verify(6, 8, 1);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.crc_errors, 3);
	finish();
}

RUN_TEST(swap_T6_torn_write_is_found)
{
	uint32_t i, failed = 0;

	(void)arg;
	boot(SLOTS);
	program_touches(0, 16, 1);
	sim_swap_disk.torn_write_every = 1;
	evict(0, 16);
	for (i = 0; i < 16; i++)
		failed += sim_swap_verify(vm, i, 1) == ERR_IO;
	assert_int_equal(failed, 8);
	finish();
}

/* ---- space */

RUN_TEST(swap_T7_full_fails_and_never_overwrites)
{
	uint32_t i, activated = 0;

	(void)arg;
	boot(100);
	program_touches(0, 200, 1);
	deactivate(0, 200);
	for (i = 0; i < 200; i++)
		if (page(i)->queue == PQ_INACTIVE && page(i)->dirty != 0 &&
		    !vm_page_busied(page(i)))
			(void)vm_pageout_clean(page(i));
	sim_swap_settle(object);
	assert_int_equal(swap_pager_avail(), 0);
	assert_true(swap_pager_full() && swap_pager_almost_full());
	for (i = 0; i < 200; i++)
		activated += page(i)->queue == PQ_ACTIVE;
	assert_int_equal(activated, 200 - 98); /* FAIL: dirty, active */
	for (i = 0; i < 200; i++)
		if (page(i)->dirty == 0)
			assert_true(vm_pageout_try_free(page(i)));
	check_slots();
	verify(0, 200, 1);
	finish();
}

/* Q10: with runs of 1 to 3 left, a cluster still gets out, page by page. */
RUN_TEST(swap_fragmented_area_takes_single_pages)
{
	uint32_t i;

	(void)arg;
	boot(66);
	program_touches(0, 64, 1);
	write_out(0, 64);
	assert_int_equal(swap_pager_avail(), 0);
	for (i = 0; i < 64; i += 2) /* every second slot is free again */
		program_touches(i, i + 1, 2);
	for (i = 0; i < 64; i++)
		assert_true(page(i)->dirty != 0 || vm_pageout_try_free(page(i)));
	program_touches(100, 116, 3);
	evict(100, 116);
	assert_int_equal(swap_pager_avail(), 16);
	verify(100, 116, 3);
	finish();
}

RUN_TEST(swap_areas_take_turns)
{
	static struct sim_disk second;
	struct swap_area_info a, b;

	(void)arg;
	boot(SLOTS);
	sim_swap_add(&second, "swap1", SLOTS / 2);
	program_touches(0, 64, 1);
	evict(0, 64);
	assert_true(swap_pager_info(0, &a) && swap_pager_info(1, &b));
	assert_int_equal(a.used_slots, 32);
	assert_int_equal(b.used_slots, 32);
	verify(0, 64, 1);
	finish();
}

/* ---- writes in flight */

RUN_TEST(swap_at_most_four_writes_in_flight)
{
	(void)arg;
	boot(SLOTS);
	sim_swap_disk.depth = SIM_DISK_DEPTH;
	sim_swap_disk.dev.bio_blocks_max = 128; /* no merging of clusters */
	program_touches(0, 256, 1);
	write_out(0, 256);
	assert_int_equal(sim_swap_disk.in_flight_max, SWAP_ASYNC_MAX);
	assert_int_equal(sim_swap_disk.writes, 16);
	finish();
}

/* Out of order, and by whatever task: all pages are settled, nobody else is needed. */
RUN_TEST(swap_completion_out_of_order_without_help)
{
	uint32_t i;

	(void)arg;
	boot(SLOTS);
	sim_swap_disk.depth = SIM_DISK_DEPTH;
	sim_swap_disk.latency_spread_us = 5000;
	program_touches(0, 64, 1);
	deactivate(0, 64);
	for (i = 0; i < 64; i += 16)
		assert_int_equal(vm_pageout_clean(page(i)), 16);
	tsleep(&i, "test", 20000); /* the page daemon rests; task swapio settles */
	for (i = 0; i < 64; i++)
		assert_true(page(i)->dirty == 0 && !vm_page_busied(page(i)));
	assert_int_equal(object->paging_in_progress, 0);
	finish();
}

RUN_TEST(swap_zero_latency_disk_completes_inside_the_call)
{
	(void)arg;
	boot(SLOTS);
	sim_swap_disk.latency_us = 0;
	program_touches(0, 16, 1);
	deactivate(0, 16);
	assert_int_equal(vm_pageout_clean(page(0)), 16);
	assert_false(vm_page_busied(page(0)));
	assert_int_equal(object->paging_in_progress, 0);
	finish();
}

RUN_TEST(swap_put_is_synchronous_for_others)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 16, 1);
	deactivate(0, 16);
	vm_domains[0].worker = NULL;
	assert_int_equal(vm_pageout_clean(page(0)), 16);
	assert_int_equal(page(0)->dirty, 0);
	assert_false(vm_page_busied(page(0)));
	assert_int_equal(object->paging_in_progress, 0);
	finish();
}

RUN_TEST(swap_severe_frees_what_was_written)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 16, 1);
	deactivate(0, 16);
	sim_swap_leave_free(vm_domains[0].v_free_severe - 4);
	assert_int_equal(vm_pageout_clean(page(0)), 16);
	sim_swap_settle(object);
	assert_int_equal(object->resident_count, 12); /* four and F is not severe any more */
	sim_swap_leave_free(500);
	verify(0, 16, 1);
	finish();
}

/* A lost completion holds one cluster, and nothing but its pages. */
RUN_TEST(swap_lost_completion_holds_only_its_pages)
{
	uint32_t i;

	(void)arg;
	boot(SLOTS);
	sim_swap_disk.lose_every = 2;
	program_touches(0, 64, 1);
	deactivate(0, 64);
	for (i = 0; i < 64; i += 16)
		assert_int_equal(vm_pageout_clean(page(i)), 16);
	tsleep(&i, "test", 100000);
	assert_false(vm_page_busied(page(0)));
	assert_true(vm_page_busied(page(16)));
	sim_swap_disk.lose_every = 0;
	assert_int_equal(sim_swap_verify(vm, 16, 1), 0); /* resident: may be read */
	assert_int_equal(sim_disk_find_lost(&sim_swap_disk), 2);
	sim_swap_settle(object);
	finish();
}

/* The object ends while its pages are being written. */
RUN_TEST(swap_object_dies_with_writes_in_flight)
{
	(void)arg;
	boot(SLOTS);
	program_touches(0, 48, 1);
	deactivate(0, 48);
	assert_int_equal(vm_pageout_clean(page(0)), 16);
	assert_int_equal(vm_pageout_clean(page(16)), 16);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_T1_read_back_equality),
		cmocka_unit_test(swap_T1_cluster_is_one_write_and_one_read_brings_neighbours),
		cmocka_unit_test(swap_T2_slots_add_up),
		cmocka_unit_test(swap_T2_rewritten_page_frees_its_old_slot),
		cmocka_unit_test(swap_T3_clean_page_is_not_written_again),
		cmocka_unit_test(swap_T4_write_fault_frees_the_slot),
		cmocka_unit_test(swap_T5_write_error_keeps_the_page_and_retires_the_slots),
		cmocka_unit_test(swap_T5_bad_slot_is_never_reused),
		cmocka_unit_test(swap_T6_read_error_fails_the_fault_after_retries),
		cmocka_unit_test(swap_T6_passing_read_error_is_repaired),
		cmocka_unit_test(swap_T6_wrong_bytes_never_reach_a_program),
		cmocka_unit_test(swap_T6_torn_write_is_found),
		cmocka_unit_test(swap_T7_full_fails_and_never_overwrites),
		cmocka_unit_test(swap_fragmented_area_takes_single_pages),
		cmocka_unit_test(swap_areas_take_turns),
		cmocka_unit_test(swap_at_most_four_writes_in_flight),
		cmocka_unit_test(swap_completion_out_of_order_without_help),
		cmocka_unit_test(swap_zero_latency_disk_completes_inside_the_call),
		cmocka_unit_test(swap_put_is_synchronous_for_others),
		cmocka_unit_test(swap_severe_frees_what_was_written),
		cmocka_unit_test(swap_lost_completion_holds_only_its_pages),
		cmocka_unit_test(swap_object_dies_with_writes_in_flight),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
