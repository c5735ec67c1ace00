/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quirks of the reference (contract 0.6): reproduced, or mended with a tunable that brings
 * them back. Q1 is in vm_meter_params.c, Q7 in vm_daemon.c, Q11 in vm_lowmem.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "mm/vm_pageout_grow.h"
#include "mm/vm_phys.h"
#include "mm/vm_policy.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u

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
boot(uint32_t slots)
{
	sim_swap_boot(FRAMES, slots);
	vm = sim_swap_space(1024);
	object = sim_swap_object(vm);
	sim_swap_be_pagedaemon();
	vmd->v_inactive_target = 0;
	tsleep(&vm, "boot", 1000); /* task swapio goes to its place */
}

static uint32_t
slot(uint32_t pindex)
{
	return (swap_map_lookup(object, pindex));
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

/* A program writes pages [first, end); then they go to swap. */
static void
write_out(uint32_t first, uint32_t end, uint32_t tag)
{
	struct vm_page *m;
	uint32_t i;

	for (i = first; i < end; i++) {
		assert_int_equal(sim_swap_store(vm, i, tag), 0);
		vm_page_deactivate(vm_page_lookup(object, i));
		vm_page_test_dirty(vm_page_lookup(object, i));
	}
	for (i = first; i < end; i++) {
		m = vm_page_lookup(object, i);
		/* One that found no slot is active again. */
		if (m->dirty != 0 && m->queue == PQ_INACTIVE && !vm_page_busied(m))
			(void)vm_pageout_clean(m);
	}
	sim_swap_settle(object);
}

/* Markers on both queues, among pages: every walk passes them by. */
RUN_TEST(marker_T5_is_never_taken_for_a_page)
{
	struct vm_pagequeue *queues = vmd->pagequeues;
	struct vm_page *marker[2];
	uint32_t i, pass;

	(void)arg;
	boot(1024);
	for (i = 0; i < 40; i++)
		sim_swap_page(object, i, i % 2 == 0 ? PQ_INACTIVE : PQ_ACTIVE, i % 3 == 0);
	for (i = 0; i < 2; i++) {
		marker[i] = vm_pagequeue_marker_begin(&queues[i]);
		vm_pagequeue_insert_after(&queues[i], vm_pagequeue_first(&queues[i]), marker[i]);
	}
	for (pass = 0; pass < 4; pass++)
		scan(pass, 60);
	vm_pageout_grow_cache(2, SIM_RAM_BASE, SIM_RAM_BASE + ptoa(FRAMES));
	assert_int_equal(queues[PQ_ACTIVE].count + queues[PQ_INACTIVE].count,
	    object->resident_count);
	for (i = 0; i < 2; i++) {
		assert_int_equal(marker[i]->flags, PG_MARKER);
		assert_true(vm_page_xbusied(marker[i]));
		assert_int_equal(marker[i]->hold_count, 1);
		assert_int_equal(marker[i]->queue, i);
		vm_pagequeue_remove_marker(&queues[i], marker[i]);
		vm_pagequeue_marker_end(marker[i]);
	}
	sim_mm_check();
}

/* Idle ageing looks at active_count / period pages: below that none, ever. */
RUN_TEST(quirk_Q2_fewer_active_pages_than_seconds_never_age)
{
	uint32_t i;

	(void)arg;
	boot(1024);
	for (i = 0; i < 599; i++)
		sim_swap_page(object, i, PQ_ACTIVE, false);
	scan(0, 0);
	assert_int_equal(mm_params.v_pdpages, 0);
	sim_swap_page(object, i, PQ_ACTIVE, false);
	scan(0, 0);
	assert_int_equal(mm_params.v_pdpages, 1);
}

/* The budget of a pass counts clusters, not pages. */
RUN_TEST(quirk_Q3_max_launder_counts_clusters)
{
	uint32_t i;

	(void)arg;
	boot(1024);
	mm_params.max_launder = 2;
	for (i = 0; i < 96; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true)->flags |= PG_WINATCFLS;
	scan(1, 50);
	assert_int_equal(mm_params.v_swapout, 2);
	assert_int_equal(mm_params.v_swappgsout, 2 * VM_PAGEOUT_PAGE_COUNT);
}

/* Reactivation is not clamped to ACT_MAX, the next active scan clamps; never a wrap. */
RUN_TEST(quirk_Q4_reactivation_exceeds_act_max)
{
	struct vm_page_facts facts = { .act_delta = 6, .act_count = ACT_MAX,
		.object_referenced = true, .valid = true };
	uint8_t count = 0;
	uint32_t i;

	(void)arg;
	assert_int_equal(policy_classic.inactive(&facts, &count), VM_ACTIVATE);
	assert_int_equal(count, ACT_MAX + 6 + ACT_ADVANCE);
	for (i = 0; i < 100; i++) {
		facts.act_count = count;
		assert_int_equal(policy_classic.inactive(&facts, &count), VM_ACTIVATE);
		assert_true(count >= facts.act_count);
	}
	assert_int_equal(count, UINT8_MAX);
	facts.act_count = count;
	assert_int_equal(policy_classic.active(&facts, &count), VM_REQUEUE);
	assert_int_equal(count, ACT_MAX);
}

/* ---- Q5 */

/* Two domains of 1024 frames, active pages in both, the second short of pages. What a
 * scan of the first takes of the deficits, and how many pages it deactivates. */
static uint32_t
deactivated_by_first(bool global)
{
	struct vm_domain *second = &vm_domains[1];
	uint32_t i, before;

	sim_mm_boot_domains(FRAMES, 2);
	swap_pager_init();
	vm_client_ops = NULL;
	mm_params.pageout_global_targets = global;
	object = vm_object_allocate(400);
	for (i = 0; i < 400; i++)
		sim_swap_page(object, i, PQ_ACTIVE, false)->act_count = 1;
	for (i = 0; i < 2; i++) {
		vm_domains[i].v_inactive_target = 0;
		vm_domains[i].v_free_target = vm_meter_free(&vm_domains[i]);
	}
	second->v_free_target += 30; /* the second alone is short */
	vmd->vm_pageout_deficit = 5;
	second->vm_pageout_deficit = 7;
	before = vmd->pagequeues[PQ_ACTIVE].count;
	vm_pageout_scan(vmd, 1);
	assert_int_equal(vmd->vm_pageout_deficit, 0);
	assert_int_equal(second->vm_pageout_deficit, global ? 0 : 7);
	before -= vmd->pagequeues[PQ_ACTIVE].count;
	sim_mm_check();
	vm_object_deallocate(object);
	return (before);
}

RUN_TEST(quirk_Q5_first_domain_takes_everything)
{
	(void)arg;
	assert_int_equal(deactivated_by_first(true), 30 + 5 + 7);
	assert_int_equal(deactivated_by_first(false), 5);
}

/* Without swap "full" holds from boot: a second pass with any shortage kills. */
RUN_TEST(quirk_Q6_without_swap_the_second_pass_kills)
{
	(void)arg;
	boot(0);
	console_tap_begin();
	sim_client_add(50, 4, 0);
	assert_true(swap_pager_full());
	sim_swap_leave_free(vmd->v_free_target - 1);
	vm_pageout_mightbe_oom(vmd, 1);
	assert_int_equal(sim_kill_count, 0);
	vm_pageout_mightbe_oom(vmd, 2);
	assert_int_equal(sim_kill_count, 1);
	sim_mm_check();
}

/* ---- Q8 */

/* Let 8 pages fail, then write them 40 times: how often a slot that failed is used. */
static uint32_t
uses_of_bad_slots(bool reuse)
{
	uint32_t round, i, uses = 0;

	boot(100);
	mm_params.swap_reuse_bad_slots = reuse;
	console_tap_begin();
	sim_swap_disk.write_error_every = 1;
	write_out(0, 8, 1); /* slots 2..9 */
	sim_swap_disk.write_error_every = 0;
	assert_int_equal(slot(0), reuse ? SWAP_SLOT(0, SWAP_RESERVED_SLOTS) : SWAP_SLOT_NONE);
	assert_int_equal(swap_pager_avail(), swap_pager_total() - (reuse ? 8 : 0));
	assert_int_equal(vm_page_lookup(object, 0)->dirty, VM_PAGE_BITS_ALL);
	for (round = 0; round < 40; round++) {
		write_out(0, 8, round);
		for (i = 0; i < 8; i++)
			uses += SWAP_SLOT_INDEX(slot(i)) < SWAP_RESERVED_SLOTS + 8;
		sim_mm_check();
	}
	for (i = 0; i < 8; i++)
		assert_int_equal(sim_swap_verify(vm, i, 39), 0);
	return (uses);
}

RUN_TEST(quirk_Q8a_mended_a_bad_slot_is_retired)
{
	struct swap_area_info info;

	(void)arg;
	assert_int_equal(uses_of_bad_slots(false), 0);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.bad_slots, 8);
}

RUN_TEST(quirk_Q8b_reproduced_a_bad_slot_is_used_again)
{
	struct swap_area_info info;

	(void)arg;
	assert_true(uses_of_bad_slots(true) > 0);
	assert_true(swap_pager_info(0, &info));
	assert_int_equal(info.bad_slots, 0);
}

/* Freeing clears vm_pages_needed at free_min, the worker only above the threshold. */
RUN_TEST(quirk_Q9_freeing_clears_the_request_at_free_min)
{
	(void)arg;
	boot(64);
	assert_true(vmd->v_free_min < vmd->pageout_wakeup_thresh);
	sim_swap_leave_free(vmd->v_free_min - 1);
	vmd->vm_pages_needed = true;
	vm_page_free_wakeup(vmd);
	assert_true(vmd->vm_pages_needed);
	sim_swap_leave_free(vmd->v_free_min);
	vmd->vm_pages_needed = true;
	vm_page_free_wakeup(vmd);
	assert_false(vmd->vm_pages_needed);
	assert_true(vm_paging_needed(vmd));
}

/* Free slots only one by one: a cluster finds room (mended), or a lone page alone does. */
static uint32_t
written_into_fragments(bool runs_of_four)
{
	uint32_t i, written;

	boot(66);
	console_tap_begin();
	write_out(0, 64, 1);
	assert_int_equal(swap_pager_avail(), 0);
	for (i = 0; i < 64; i += 2) /* every second slot is free again */
		assert_int_equal(sim_swap_store(vm, i, 2), 0);
	for (i = 0; i < 64; i++)
		assert_true(vm_page_lookup(object, i)->dirty != 0 ||
		    vm_pageout_try_free(vm_page_lookup(object, i)));
	mm_params.swap_runs_of_four = runs_of_four;
	written = swap_pager_avail();
	write_out(100, 116, 3);
	written -= swap_pager_avail();
	write_out(200, 201, 3);
	assert_true(slot(200) != SWAP_SLOT_NONE);
	sim_mm_check();
	return (written);
}

RUN_TEST(quirk_Q10_clusters_need_runs_of_four)
{
	(void)arg;
	assert_int_equal(written_into_fragments(false), 16);
	assert_int_equal(written_into_fragments(true), 0);
}

/* Busy is asked before the reference bits are sampled, held after it. */
RUN_TEST(quirk_Q12_a_busy_page_keeps_its_bits_a_held_one_does_not)
{
	struct vm_page *busy, *held;

	(void)arg;
	boot(64);
	busy = sim_swap_page(object, 1, PQ_INACTIVE, false);
	held = sim_swap_page(object, 2, PQ_INACTIVE, false);
	busy->aflags |= PGA_REFERENCED;
	held->aflags |= PGA_REFERENCED;
	vm_page_xbusy(busy);
	vm_page_hold(held);
	scan(1, 2);
	assert_int_equal(busy->queue, PQ_INACTIVE);
	assert_int_equal(busy->aflags & PGA_REFERENCED, PGA_REFERENCED);
	assert_int_equal(held->queue, PQ_ACTIVE);
	assert_int_equal(held->aflags & PGA_REFERENCED, 0);
	vm_page_xunbusy(busy);
	vm_page_unhold(held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marker_T5_is_never_taken_for_a_page),
		cmocka_unit_test(quirk_Q2_fewer_active_pages_than_seconds_never_age),
		cmocka_unit_test(quirk_Q3_max_launder_counts_clusters),
		cmocka_unit_test(quirk_Q4_reactivation_exceeds_act_max),
		cmocka_unit_test(quirk_Q5_first_domain_takes_everything),
		cmocka_unit_test(quirk_Q6_without_swap_the_second_pass_kills),
		cmocka_unit_test(quirk_Q8a_mended_a_bad_slot_is_retired),
		cmocka_unit_test(quirk_Q8b_reproduced_a_bad_slot_is_used_again),
		cmocka_unit_test(quirk_Q9_freeing_clears_the_request_at_free_min),
		cmocka_unit_test(quirk_Q10_clusters_need_runs_of_four),
		cmocka_unit_test(quirk_Q12_a_busy_page_keeps_its_bits_a_held_one_does_not),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
