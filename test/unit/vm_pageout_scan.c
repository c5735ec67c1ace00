/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One scan of the page daemon (contract 1.8), with the classic policy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define SLOTS  1024u
#define YIELD_EVERY 24u /* unmapped pages: VM_SCAN_WORK_MAX */

static struct vm_domain *const vmd = &vm_domains[0];
static struct vmspace *vm;
static struct vm_object *object;

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
	sim_swap_boot(FRAMES, SLOTS);
	vm = sim_swap_space(1024);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	vmd->v_inactive_target = 0;
}

static struct vm_page *
page(uint32_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

/* Scan while wanted pages are missing (paging_target). */
static void
scan(uint32_t pass, int32_t wanted)
{
	sim_swap_leave_free((uint32_t)((int32_t)vmd->v_free_target - wanted));
	vmd->vm_pageout_deficit = 0;
	vm_pageout_scan(vmd, pass);
	sim_swap_settle(object);
	sim_mm_check();
}

static uint32_t
inactive_count(void)
{
	return (vmd->pagequeues[PQ_INACTIVE].count);
}

static uint32_t
active_count(void)
{
	return (vmd->pagequeues[PQ_ACTIVE].count);
}

/* So many inactive dirty pages, not yet marked, that no active page is needed. */
static void
filler(uint32_t pages)
{
	static uint32_t at;

	for (at = 900; pages > 0; pages--, at++)
		sim_swap_page(object, at, PQ_INACTIVE, true);
}

/* ---- the way of a page */

RUN_TEST(scan_T1_clean_at_once_dirty_in_three_passes)
{
	struct vm_page *dirty;

	(void)arg;
	boot();
	dirty = sim_swap_page(object, 1, PQ_INACTIVE, true);
	sim_swap_page(object, 3, PQ_INACTIVE, false);
	scan(1, 5);
	assert_null(page(3));
	assert_int_equal(dirty->flags & PG_WINATCFLS, PG_WINATCFLS);
	assert_int_equal(dirty->queue, PQ_INACTIVE);
	assert_int_equal(sim_swap_disk.writes, 0);
	assert_int_equal(mm_params.v_tfree, 1);
	scan(1, 5);
	assert_int_equal(sim_swap_disk.writes, 1);
	assert_int_equal(page(1)->dirty, 0);
	scan(1, 5);
	assert_null(page(1));
	assert_int_not_equal(swap_map_lookup(object, 1), SWAP_SLOT_NONE);
}

RUN_TEST(scan_T2_pass_2_writes_without_the_mark)
{
	(void)arg;
	boot();
	sim_swap_page(object, 1, PQ_INACTIVE, true);
	scan(2, 5);
	assert_int_equal(sim_swap_disk.writes, 1);
	assert_int_equal(page(1)->flags & PG_WINATCFLS, 0);
}

RUN_TEST(scan_T3_referenced_page_is_activated)
{
	struct vm_page *by_flag, *by_mapping;

	(void)arg;
	boot();
	by_flag = sim_swap_page(object, 1, PQ_INACTIVE, false);
	by_flag->aflags |= PGA_REFERENCED;
	assert_int_equal(sim_swap_store(vm, 2, 1), 0);
	by_mapping = page(2);
	by_mapping->act_count = 250; /* Q4: nothing wraps */
	vm_page_deactivate(by_mapping);
	filler(20);
	scan(1, 5);
	assert_int_equal(by_flag->queue, PQ_ACTIVE);
	assert_int_equal(by_flag->act_count, ACT_INIT + ACT_ADVANCE + 1);
	assert_int_equal(by_flag->aflags & PGA_REFERENCED, 0);
	assert_int_equal(by_mapping->queue, PQ_ACTIVE);
	assert_int_equal(by_mapping->act_count, 254);
	assert_int_equal(mm_params.v_pdactivated, 2);
}

RUN_TEST(scan_unreferenced_object_page_is_requeued)
{
	struct vm_object *orphan = vm_object_allocate(4);
	struct vm_page *m;

	(void)arg;
	boot();
	orphan = vm_object_allocate(4);
	m = sim_swap_page(orphan, 0, PQ_INACTIVE, false);
	m->aflags |= PGA_REFERENCED;
	sim_swap_page(object, 0, PQ_INACTIVE, true);
	orphan->ref_count = 0;
	scan(1, 5);
	assert_int_equal(m->queue, PQ_INACTIVE);
	assert_int_equal(m->aflags & PGA_REFERENCED, 0);
	orphan->ref_count = 1;
}

/* ---- pages that are stuck */

RUN_TEST(scan_T4a_stuck_pages_raise_the_active_target)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 5; i++) {
		sim_swap_page(object, i, PQ_INACTIVE, true);
		if (i < 3)
			vm_page_xbusy(page(i));
		else
			vm_page_hold(page(i));
	}
	for (i = 100; i < 150; i++)
		sim_swap_page(object, i, PQ_ACTIVE, true)->act_count = 1;
	vmd->v_inactive_target = 10;
	scan(1, 1);
	/* 10 - 5 inactive + 1 wanted, and 5 stuck */
	assert_int_equal(active_count(), 50 - (10 - 5 + 1 + 5));
}

RUN_TEST(scan_T4b_busy_page_keeps_its_bits_held_one_does_not)
{
	struct vm_page *busy, *held;

	(void)arg;
	boot();
	busy = sim_swap_page(object, 1, PQ_INACTIVE, false);
	held = sim_swap_page(object, 2, PQ_INACTIVE, false);
	busy->aflags |= PGA_REFERENCED;
	held->aflags |= PGA_REFERENCED;
	vm_page_xbusy(busy);
	vm_page_hold(held);
	filler(20);
	scan(1, 2);
	assert_int_equal(busy->aflags & PGA_REFERENCED, PGA_REFERENCED);
	assert_int_equal(busy->queue, PQ_INACTIVE);
	assert_int_equal(held->queue, PQ_ACTIVE); /* Q12 */
}

/* ---- how much */

RUN_TEST(scan_T5_stops_when_enough)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 20; i++)
		sim_swap_page(object, i, PQ_INACTIVE, false);
	scan(1, 7);
	assert_int_equal(inactive_count(), 13);
	assert_int_equal(mm_params.v_pdpages, 7);
	assert_null(page(6)); /* the oldest went */
	assert_non_null(page(7));
	vmd->vm_pageout_deficit = 3;
	vm_pageout_scan(vmd, 1); /* the target is met; the deficit counts on top */
	assert_int_equal(inactive_count(), 10);
	assert_int_equal(vmd->vm_pageout_deficit, 0);
	sim_mm_check();
}

RUN_TEST(scan_T6_each_page_once)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 300; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true);
	scan(1, 5);
	assert_int_equal(mm_params.v_pdpages, 300);
	for (i = 0; i < 300; i++)
		assert_int_equal(page(i)->flags & PG_WINATCFLS, PG_WINATCFLS);
	assert_int_equal(sim_swap_disk.writes, 0);
}

/* Q3: the budget counts clusters. */
RUN_TEST(scan_launders_max_launder_clusters)
{
	uint32_t i;

	(void)arg;
	boot();
	mm_params.max_launder = 3;
	for (i = 0; i < 160; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true)->flags |= PG_WINATCFLS;
	sim_swap_disk.dev.bio_blocks_max = 128;
	scan(1, 30);
	assert_int_equal(mm_params.v_swapout, 3);
	assert_int_equal(mm_params.v_swappgsout, 48);
	scan(1, 30);
	assert_int_equal(mm_params.v_tcached, 30);
	assert_int_equal(mm_params.v_swapout, 3);
	scan(2, 30); /* 18 clean pages, then clusters without limit: 7 are left */
	assert_int_equal(mm_params.v_tcached, 48);
	assert_int_equal(mm_params.v_swappgsout, 160);
}

RUN_TEST(scan_invalid_page_is_freed)
{
	(void)arg;
	boot();
	sim_swap_page(object, 1, PQ_INACTIVE, false)->valid = 0;
	scan(1, 5);
	assert_null(page(1));
}

/* Dirtiness that comes to light only by unmapping is not lost. */
RUN_TEST(scan_mapped_clean_page_is_unmapped_then_judged)
{
	(void)arg;
	boot();
	assert_int_equal(sim_swap_verify(vm, 1, 0), ERR_CORRUPT); /* a page of zeros */
	(void)pmap_ts_referenced(page(1));
	vm_page_deactivate(page(1));
	assert_int_equal(sim_swap_store(vm, 2, 1), 0);
	(void)pmap_ts_referenced(page(2));
	page(2)->dirty = 0;
	vm_page_deactivate(page(2));
	scan(1, 5);
	assert_null(page(1)); /* clean, never written: reads as zeros again */
	assert_non_null(page(2));
	assert_int_equal(page(2)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(sim_swap_verify(vm, 2, 1), 0);
}

/* ---- who may be written */

RUN_TEST(scan_T7_disabled_swap_is_never_written)
{
	uint32_t i, pass;

	(void)arg;
	boot();
	mm_params.disable_swapspace_pageouts = 1;
	for (i = 0; i < 10; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true);
	for (pass = 1; pass < 6; pass++) {
		scan(pass, 70);
		assert_int_equal(inactive_count(), 10);
		assert_int_equal(vmd->pagequeues[PQ_INACTIVE].head, vm_page_number(page(0)));
	}
	assert_int_equal(sim_swap_disk.writes, 0);
}

RUN_TEST(scan_T8_deferred_writes_below_min_only)
{
	(void)arg;
	boot();
	mm_params.defer_swapspace_pageouts = 1;
	sim_swap_page(object, 1, PQ_INACTIVE, true);
	scan(2, (int32_t)(vmd->v_free_target - vmd->v_free_min)); /* exactly free_min: not below */
	assert_int_equal(sim_swap_disk.writes, 0);
	scan(2, (int32_t)(vmd->v_free_target - vmd->v_free_min) + 1);
	assert_int_equal(sim_swap_disk.writes, 1);
}

RUN_TEST(scan_T9_dead_object_is_not_written)
{
	(void)arg;
	boot();
	sim_swap_page(object, 1, PQ_INACTIVE, true);
	object->flags |= OBJ_DEAD;
	scan(2, 5);
	scan(3, 5);
	assert_int_equal(sim_swap_disk.writes, 0);
	assert_non_null(page(1));
	object->flags &= (uint8_t)~OBJ_DEAD;
}

/* ---- ageing */

RUN_TEST(scan_T10_activity_rises_to_64_and_falls_in_64_scans)
{
	uint32_t i;

	(void)arg;
	boot();
	assert_int_equal(sim_swap_store(vm, 0, 1), 0);
	for (i = 0; i < 20; i++) {
		uint8_t byte;

		assert_int_equal(sim_load(vm, SIM_SWAP_BASE, &byte, 1), 0);
		scan(1, 5);
		assert_int_equal(page(0)->queue, PQ_ACTIVE);
	}
	assert_int_equal(page(0)->act_count, ACT_MAX);
	for (i = 0; i < 63; i++) {
		scan(1, 5);
		assert_int_equal(page(0)->queue, PQ_ACTIVE);
	}
	scan(1, 5);
	assert_int_equal(page(0)->queue, PQ_INACTIVE);
}

RUN_TEST(scan_T12_idle_ageing_visits_all_in_a_period)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 700; i++)
		sim_swap_page(object, i, PQ_ACTIVE, true)->act_count = 10;
	for (i = 0; i < 600; i++) /* one a second */
		vm_pageout_scan(vmd, 0);
	for (i = 0; i < 600; i++)
		assert_int_equal(page(i)->act_count, 9);
	assert_int_equal(page(699)->act_count, 10);
	mm_params.v_pdpages = 0;
	for (i = 100; i < 700; i++)
		vm_page_free(page(i));
	vm_pageout_scan(vmd, 0); /* Q2: fewer than 600, none */
	assert_int_equal(mm_params.v_pdpages, 0);
	mm_params.pageout_update_period = 0;
	vm_pageout_scan(vmd, 0);
	assert_int_equal(mm_params.v_pdpages, 0);
	sim_mm_check();
}

/* ---- work between yields */

static uint32_t looked_max, looked_before, slots_max, slots_before;
static bool racing;

/* At each yield point: how much has been done since the last one? */
static uint32_t
note_work(uint32_t count)
{
	uint32_t looked = (uint32_t)mm_params.v_pdpages;

	(void)count;
	if (looked - looked_before > looked_max)
		looked_max = looked - looked_before;
	if (object->swap_count - slots_before > slots_max)
		slots_max = object->swap_count - slots_before;
	looked_before = looked;
	slots_before = object->swap_count;
	return (0);
}

static void
competitor(void *arg)
{
	(void)arg;
	while (racing)
		sched_yield();
}

static void
watch_scan(uint32_t pass)
{
	struct task *t;

	racing = true;
	looked_max = looked_before = slots_max = 0;
	slots_before = object->swap_count;
	mm_params.v_pdpages = 0;
	assert_int_equal(task_create(&t, "race", PRI_NORMAL, competitor, NULL), 0);
	sched_choose = note_work;
	vm_pageout_scan(vmd, pass);
	sched_choose = NULL;
	racing = false;
	sim_swap_settle(object);
}

/* 24 units of work: 24 pages that nobody maps, 5 that must be unmapped. */
RUN_TEST(scan_yields_by_work_done)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 300; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true);
	vmd->vm_pageout_deficit = 5000;
	watch_scan(1);
	assert_in_range(looked_max, 1, YIELD_EVERY);
	vmd->vm_pageout_deficit = 5000;
	watch_scan(2); /* clusters of 16: at most 4 pages are summed up at once */
	assert_in_range(slots_max, 1, 4);
	boot();
	for (i = 0; i < 200; i++) {
		assert_int_equal(sim_swap_verify(vm, i, 0), ERR_CORRUPT); /* zeros, mapped */
		(void)pmap_ts_referenced(page(i));
		vm_page_deactivate(page(i));
	}
	vmd->vm_pageout_deficit = 5000;
	watch_scan(1);
	assert_int_equal(inactive_count(), 0);
	assert_in_range(looked_max, 1, 5);
}

/* ---- under fire */

RUN_TEST(scan_T13_queues_hold_after_failing_writes)
{
	uint32_t i, pass;

	(void)arg;
	boot();
	sim_swap_disk.write_error_one_in = 2;
	for (i = 0; i < 400; i++)
		sim_swap_page(object, i, sim_random(3) == 0 ? PQ_ACTIVE : PQ_INACTIVE,
		    sim_random(3) != 0)->act_count = (uint8_t)sim_random(4);
	vmd->v_inactive_target = 100;
	for (pass = 1; pass < 12; pass++)
		scan(pass, 40);
	for (i = 0; i < 400; i++)
		if (page(i) != NULL)
			assert_true(sim_swap_pattern_holds(page(i), object->id, i));
	assert_true(mm_params.v_pageout_errors > 0);
}

/* At the first yield point: free the page that the marker follows, and the next. */
static void
saboteur(void *arg)
{
	struct vm_page *marker = &vm_page_array[1];

	(void)arg;
	assert_int_equal(marker->flags, PG_MARKER);
	vm_page_free(vm_page_of(marker->q_prev));
	vm_page_free(vm_page_of(marker->q_next));
}

RUN_TEST(scan_keeps_its_place_over_a_yield)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 200; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true);
	sim_swap_leave_free(vmd->v_free_target - 30);
	assert_int_equal(task_create(&t, "saboteur", PRI_IO, saboteur, NULL), 0);
	vm_pageout_scan(vmd, 1);
	assert_int_equal(inactive_count(), 198);
	for (i = 0; i < 200; i++)
		assert_true(page(i) == NULL || (page(i)->flags & PG_WINATCFLS) != 0);
	assert_int_equal(vm_page_array[1].flags, 0); /* 1.2, T6: the marker has gone */
	sim_mm_check();
}

/* At the yield point: free the page that the marker follows, the last one. */
static void
last_saboteur(void *arg)
{
	(void)arg;
	assert_int_equal(vm_page_array[1].q_next, VM_PAGE_NONE);
	vm_page_free(vm_page_of(vm_page_array[1].q_prev));
}

RUN_TEST(scan_ends_when_its_last_page_goes_over_a_yield)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i <= YIELD_EVERY; i++) {
		sim_swap_page(object, i, PQ_INACTIVE, true);
		vm_page_xbusy(page(i)); /* stays in place */
	}
	sim_swap_leave_free(vmd->v_free_target - 30);
	assert_int_equal(task_create(&t, "saboteur", PRI_IO, last_saboteur, NULL), 0);
	vm_pageout_scan(vmd, 1);
	assert_int_equal(inactive_count(), YIELD_EVERY);
	assert_int_equal(vm_page_array[1].flags, 0);
}

/* At the yield point: the page looked at last, now the tail, and the next one go. */
static void
active_saboteur(void *arg)
{
	const struct vm_pagequeue *pq = &vmd->pagequeues[PQ_ACTIVE];

	(void)arg;
	vm_page_free(vm_page_of(pq->tail));
	vm_page_free(vm_page_of(pq->head));
}

RUN_TEST(scan_active_keeps_its_place_over_a_yield)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 200; i++)
		sim_swap_page(object, i, PQ_ACTIVE, true)->act_count = 9;
	vmd->v_inactive_target = 500;
	assert_int_equal(task_create(&t, "saboteur", PRI_IO, active_saboteur, NULL), 0);
	sim_swap_leave_free(vmd->v_free_target - 30);
	vm_pageout_scan(vmd, 1);
	assert_int_equal(active_count(), 198);
	assert_null(page(YIELD_EVERY - 1));
	assert_null(page(YIELD_EVERY));
	/* 200 looks: one page went before its turn, so the first is seen again */
	for (i = 0; i < 200; i++)
		assert_true(page(i) == NULL || page(i)->act_count == (i == 0 ? 7 : 8));
	assert_int_equal(vmd->pagequeues[PQ_ACTIVE].tail, vm_page_number(page(0)));
	assert_int_equal(vmd->pagequeues[PQ_ACTIVE].head, vm_page_number(page(1)));
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_T1_clean_at_once_dirty_in_three_passes),
		cmocka_unit_test(scan_T2_pass_2_writes_without_the_mark),
		cmocka_unit_test(scan_T3_referenced_page_is_activated),
		cmocka_unit_test(scan_unreferenced_object_page_is_requeued),
		cmocka_unit_test(scan_T4a_stuck_pages_raise_the_active_target),
		cmocka_unit_test(scan_T4b_busy_page_keeps_its_bits_held_one_does_not),
		cmocka_unit_test(scan_T5_stops_when_enough),
		cmocka_unit_test(scan_T6_each_page_once),
		cmocka_unit_test(scan_launders_max_launder_clusters),
		cmocka_unit_test(scan_invalid_page_is_freed),
		cmocka_unit_test(scan_mapped_clean_page_is_unmapped_then_judged),
		cmocka_unit_test(scan_T7_disabled_swap_is_never_written),
		cmocka_unit_test(scan_T8_deferred_writes_below_min_only),
		cmocka_unit_test(scan_T9_dead_object_is_not_written),
		cmocka_unit_test(scan_T10_activity_rises_to_64_and_falls_in_64_scans),
		cmocka_unit_test(scan_T12_idle_ageing_visits_all_in_a_period),
		cmocka_unit_test(scan_yields_by_work_done),
		cmocka_unit_test(scan_T13_queues_hold_after_failing_writes),
		cmocka_unit_test(scan_keeps_its_place_over_a_yield),
		cmocka_unit_test(scan_active_keeps_its_place_over_a_yield),
		cmocka_unit_test(scan_ends_when_its_last_page_goes_over_a_yield),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
