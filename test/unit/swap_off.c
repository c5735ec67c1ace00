/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapoff, and swapon while programs run (contract 1.15, T8).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/vm_fault.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "mm/vm_swapctl.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define SLOTS  1024u
#define PAGES  256u

static struct vmspace *vm;
static struct vm_object *object;
static struct sim_disk other;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
store(uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_store(vm, first, tag), 0);
}

static void
verify(uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_verify(vm, first, tag), 0);
}

static void
evict(void)
{
	struct vm_page *m, *next;
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		m = vm_page_lookup(object, i);
		vm_page_test_dirty(m);
		vm_page_deactivate(m);
	}
	for (i = 0; i < PAGES; i++) {
		m = vm_page_lookup(object, i);
		if (m->dirty != 0 && !vm_page_busied(m))
			assert_true(vm_pageout_clean(m) > 0);
	}
	sim_swap_settle(object);
	for (m = vm_page_find_least(object, 0); m != NULL; m = next) {
		next = vm_page_next(m);
		pmap_remove_all(m);
		vm_page_free(m);
	}
	assert_int_equal(object->resident_count, 0);
	assert_int_equal(object->swap_count, PAGES);
}

/* Everything that the program has is in the area on swap0. */
static void
boot(void)
{
	sim_swap_boot(FRAMES, SLOTS);
	vm = sim_swap_space(PAGES);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	tsleep(&vm, "boot", 1000);
	store(0, PAGES, 1);
	evict();
}

static int
swapoff(struct swap_off_result *result)
{
	int error = swap_pager_swapoff(&sim_swap_disk.dev, result);

	sim_mm_check();
	return (error);
}

RUN_TEST(swap_T8_swapoff_with_everything_swapped_keeps_the_contents)
{
	struct swap_off_result result;
	uint32_t reads = sim_swap_disk.reads;

	(void)arg;
	boot();
	assert_int_equal(swapoff(&result), 0);
	assert_int_equal(result.unfit_pages, 0);
	assert_int_equal(result.record_bytes, swap_pager_record_bytes(SLOTS));
	assert_true(sim_swap_disk.reads - reads < PAGES / 4); /* many pages a read */
	assert_int_equal(swap_pager_total() + swap_pager_avail(), 0);
	assert_true(swap_pager_full() && swap_pager_almost_full());
	assert_false(swap_pager_uses(&sim_swap_disk.dev));
	sim_swap_disk.dead = true;
	verify(0, PAGES, 1);
	assert_int_equal(object->swap_count, 0);
	assert_int_equal(swap_pager_swapoff(&sim_swap_disk.dev, &result), ERR_NOENT);
	vmspace_free(vm);
	sim_mm_check();
}

/* Pages that are in memory, clean: their copy goes, they do not need room. */
RUN_TEST(swap_T8b_pages_in_memory_need_no_room)
{
	struct swap_off_result result;

	(void)arg;
	boot();
	assert_int_equal(vm_map_advise(vm, SIM_SWAP_BASE, SIM_SWAP_BASE + ptoa(PAGES),
	    VM_ADVICE_RANDOM), 0); /* nothing is cached behind the reader */
	verify(0, PAGES, 1);
	assert_int_equal(object->swap_count, PAGES);
	sim_swap_leave_free(vm_domains[0].v_free_min);
	assert_int_equal(swapoff(&result), 0);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_swap_leave_free(FRAMES / 2);
}

RUN_TEST(swap_T8c_refused_with_the_number_of_pages_that_do_not_fit)
{
	struct swap_off_result result;

	(void)arg;
	boot();
	sim_swap_leave_free(vm_domains[0].v_free_target + 100);
	console_tap_begin();
	assert_int_equal(swapoff(&result), ERR_NOMEM);
	assert_int_equal(result.unfit_pages, PAGES - 100);
	assert_non_null(strstr(console_tap_text(), "156 pages of it fit neither"));
	assert_int_equal(swap_pager_total(), SLOTS - 2);
	assert_int_equal(swap_pager_avail(), SLOTS - 2 - PAGES);
	assert_int_equal(object->resident_count, 0); /* nothing was begun */
	sim_swap_add(&other, "swap1", 100 + 2);
	sim_swap_leave_free(vm_domains[0].v_free_target + 100); /* again */
	assert_int_equal(swapoff(&result), ERR_NOMEM);
	assert_int_equal(result.unfit_pages, PAGES - 200);
	sim_swap_leave_free(vm_domains[0].v_free_target + 300);
	assert_int_equal(swapoff(&result), 0);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

RUN_TEST(swap_T8d_a_page_that_cannot_be_read_keeps_the_area)
{
	struct swap_off_result result;

	(void)arg;
	boot();
	mm_params.swap_read_retries = 1;
	sim_swap_disk.bad_block = SWAP_SLOT_INDEX(swap_map_lookup(object, 77)) * 8;
	sim_swap_disk.bad_count = 8;
	console_tap_begin();
	assert_int_equal(swapoff(&result), ERR_IO);
	assert_non_null(strstr(console_tap_text(), "it stays in use"));
	assert_true(swap_pager_uses(&sim_swap_disk.dev));
	assert_int_equal(swap_pager_avail() + object->swap_count, SLOTS - 2);
	verify(0, 77, 1);
	assert_int_equal(sim_swap_verify(vm, 77, 1), ERR_IO);
	sim_swap_disk.bad_count = 0;
	assert_int_equal(swapoff(&result), 0);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

/* ---- while others go on */

static bool stop, watched_closing;
static uint32_t finished;

/* What becomes free while the area closes is not to be had. */
static void
watch(void *arg)
{
	struct swap_off_result result;
	struct swap_area_info info;

	(void)arg;
	while (!stop) {
		assert_true(swap_pager_info(0, &info));
		if (info.closing) {
			watched_closing = true;
			assert_int_equal(swap_pager_swapoff(&sim_swap_disk.dev, &result),
			    ERR_BUSY); /* once at a time */
			assert_int_equal(swap_pager_avail(), 0);
			assert_int_equal(swap_pager_total(), 0);
		}
		tsleep(&stop, "watch", 300);
		if (!swap_pager_info(0, &info))
			break;
	}
	finished++;
}

RUN_TEST(swap_T8e_frees_do_not_raise_avail_while_closing)
{
	struct swap_off_result result;
	struct task *t;

	(void)arg;
	boot();
	stop = watched_closing = false;
	finished = 0;
	assert_int_equal(task_create(&t, "watch", PRI_NORMAL, watch, NULL), 0);
	assert_int_equal(swapoff(&result), 0);
	stop = true;
	while (finished == 0)
		tsleep(&finished, "end", 1000);
	assert_true(watched_closing);
	verify(0, PAGES, 1);
	vmspace_free(vm);
}

/* Every second page is in memory: a read must not overwrite it. */
RUN_TEST(swap_T8g_pages_between_others_in_memory_stay)
{
	struct swap_off_result result;
	uint32_t i;

	(void)arg;
	boot();
	assert_int_equal(vm_map_advise(vm, SIM_SWAP_BASE, SIM_SWAP_BASE + ptoa(PAGES),
	    VM_ADVICE_RANDOM), 0);
	for (i = 1; i < PAGES; i += 2)
		verify(i, i + 1, 1);
	assert_int_equal(object->resident_count, PAGES / 2);
	assert_int_equal(swapoff(&result), 0);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

/* More than goes without a yield, and not all. */
RUN_TEST(swap_part_of_an_object_gives_its_slots_back)
{
	uint32_t i;

	(void)arg;
	boot();
	vm_object_page_remove(object, 1, PAGES - 1);
	assert_int_equal(object->swap_count, 2);
	assert_int_equal(swap_pager_avail(), SLOTS - 2 - 2);
	for (i = 1; i < PAGES - 1; i++)
		assert_int_equal(swap_map_lookup(object, i), SWAP_SLOT_NONE);
	verify(0, 1, 1);
	verify(PAGES - 1, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

static void
hold_lock(void *arg)
{
	(void)arg;
	sleep_lock_acquire(&object->lock);
	tsleep(&stop, "hold", 50000);
	assert_int_equal(object->resident_count, 0);
	sleep_lock_release(&object->lock);
	finished++;
}

RUN_TEST(swap_T8h_a_locked_object_is_awaited)
{
	struct swap_off_result result;
	struct task *t;

	(void)arg;
	boot();
	finished = 0;
	assert_int_equal(task_create(&t, "hold", PRI_NORMAL, hold_lock, NULL), 0);
	tsleep(&finished, "start", 1000);
	assert_int_equal(swapoff(&result), 0);
	assert_int_equal(finished, 1);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

static void
eat(void *arg)
{
	struct swap_area_info info;

	(void)arg;
	while (swap_pager_info(0, &info) && object->resident_count < PAGES / 4)
		tsleep(&stop, "eat", 100);
	sim_swap_leave_free(vm_domains[0].v_free_target - 1);
	finished++;
}

/* N4: others take the memory meanwhile: it stops, and nothing is lost. */
RUN_TEST(swap_T8i_memory_that_goes_meanwhile_keeps_the_area)
{
	struct swap_off_result result;
	struct task *t;

	(void)arg;
	boot();
	finished = 0;
	assert_int_equal(task_create(&t, "eat", PRI_NORMAL, eat, NULL), 0);
	assert_int_equal(swapoff(&result), ERR_NOMEM);
	assert_int_equal(finished, 1);
	assert_in_range(object->swap_count, 1, PAGES - PAGES / 4);
	assert_true(swap_pager_uses(&sim_swap_disk.dev));
	sim_swap_leave_free(FRAMES / 2);
	verify(0, PAGES, 1);
	assert_int_equal(swapoff(&result), 0);
	verify(0, PAGES, 1);
	vmspace_free(vm);
	sim_mm_check();
}

#define HOGS  3u
#define STEPS 4000u

static void
verify_versions(struct vmspace *of, const uint32_t *version, uint32_t stride)
{
	uint32_t page;

	for (page = 0; page < PAGES; page += stride)
		if (version[page] != 0)
			assert_int_equal(sim_swap_verify(of, page, version[page]), 0);
}

/* A program that writes and reads, forks now and then, in its own address space. */
static void
hog(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg, version[PAGES] = { 0 }, i, page;
	struct vmspace *mine = sim_swap_space(PAGES), *child;

	for (i = 0; i < STEPS; i++) {
		page = sim_random(PAGES);
		if (version[page] != 0)
			assert_int_equal(sim_swap_verify(mine, page, version[page]), 0);
		version[page] = id * 1000 + i + 1;
		assert_int_equal(sim_swap_store(mine, page, version[page]), 0);
		if (i % 100 == 99 && vmspace_fork(mine, &child) == 0) {
			verify_versions(child, version, 7);
			vmspace_free(child);
		}
		sched_yield();
	}
	verify_versions(mine, version, 1);
	vmspace_free(mine);
	finished++;
}

/* Two areas are taken away and given back in turn while programs page. */
RUN_TEST(swap_T8f_swapoff_and_swapon_under_load)
{
	static const char *const names[] = { "md0", "md1" };
	uint32_t i, unfit, done = 0, refused = 0;
	struct task *t;
	int error;

	(void)arg;
	sim_swap_boot(600, 0);
	sim_swap_add(&sim_swap_disk, "md0", 900);
	sim_swap_add(&other, "md1", 900);
	assert_int_equal(vm_pageout_start(), 0);
	finished = 0;
	for (i = 0; i < HOGS; i++)
		assert_int_equal(task_create(&t, "hog", PRI_NORMAL, hog, (void *)(uintptr_t)i),
		    0);
	for (i = 0; finished < HOGS && i < 2000; i++) {
		error = vm_swapoff(names[i % 2], &unfit);
		assert_true(error == 0 || error == ERR_NOMEM || error == ERR_BUSY);
		if (error == 0) {
			assert_int_equal(vm_swapoff(names[i % 2], &unfit), ERR_NOENT);
			tsleep(&finished, "rest", 2000);
			assert_int_equal(vm_swapon(names[i % 2]), 0);
			assert_int_equal(vm_swapon(names[i % 2]), ERR_BUSY);
			done++;
		} else {
			refused++;
		}
		sim_mm_check();
		tsleep(&finished, "rest", 3000);
	}
	printf("# %u times off and on, %u refused\n", done, refused);
	assert_int_equal(finished, HOGS);
	assert_true(done >= 5);
	sim_mm_check();
}

RUN_TEST(swapon_by_name_takes_memory_and_keeps_it)
{
	uint32_t free_pages, unfit;
	uint64_t kept;

	(void)arg;
	sim_swap_boot(FRAMES, 0);
	sim_swap_be_pagedaemon();
	assert_int_equal(vm_swapon("md7"), ERR_NODEV);
	assert_int_equal(vm_swapoff("md7", &unfit), ERR_NODEV);
	sim_disk_open(&sim_swap_disk, "md0", SLOTS * 8);
	sim_disk_open(&other, "md1", 40 * 8);
	assert_int_equal(vm_swapoff("md0", &unfit), ERR_NOENT);
	console_tap_begin();
	assert_int_equal(vm_swapon("md1"), ERR_RANGE);
	assert_int_equal(vm_swapon("md0"), 0);
	assert_int_equal(swap_pager_total(), SLOTS - 2);
	assert_int_equal(vm_swapoff("md0", &unfit), 0);
	free_pages = vm_domains[0].v_free_count;
	assert_int_equal(vm_swapon("md0"), 0); /* with the records that were kept */
	assert_int_equal(vm_domains[0].v_free_count, free_pages);
	assert_int_equal(vm_swapoff("md0", &unfit), 0);
	sim_disk_open(&other, "md1", 4 * SLOTS * 8); /* too large for them */
	assert_int_equal(vm_swapon("md1"), 0);
	assert_int_equal(vm_swapoff("md1", &unfit), 0);
	kept = atop(round_page(swap_pager_record_bytes(4 * SLOTS))) -
	    atop(round_page(swap_pager_record_bytes(SLOTS)));
	assert_int_equal(vm_domains[0].v_free_count, free_pages - kept);
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_T8_swapoff_with_everything_swapped_keeps_the_contents),
		cmocka_unit_test(swap_T8b_pages_in_memory_need_no_room),
		cmocka_unit_test(swap_T8c_refused_with_the_number_of_pages_that_do_not_fit),
		cmocka_unit_test(swap_T8d_a_page_that_cannot_be_read_keeps_the_area),
		cmocka_unit_test(swap_T8e_frees_do_not_raise_avail_while_closing),
		cmocka_unit_test(swap_T8g_pages_between_others_in_memory_stay),
		cmocka_unit_test(swap_part_of_an_object_gives_its_slots_back),
		cmocka_unit_test(swap_T8h_a_locked_object_is_awaited),
		cmocka_unit_test(swap_T8i_memory_that_goes_meanwhile_keeps_the_area),
		cmocka_unit_test(swap_T8f_swapoff_and_swapon_under_load),
		cmocka_unit_test(swapon_by_name_takes_memory_and_keeps_it),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
