/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_meter.c: thresholds of contract 0.2, predicates of 0.3, waiting of 1.10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_meter.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

static void
thresholds_golden_table(void **state)
{
	static const struct {
		uint32_t pages, cluster, reserved, severe, min, wakeup, target, inactive;
	} golden[] = {
		{ 512, 8, 42, 44, 46, 44, 58, 87 },
		{ 1024, 8, 43, 45, 47, 44, 59, 88 },
		{ 1999, 8, 44, 48, 52, 55, 76, 114 },
		{ 2000, 16, 52, 56, 60, 66, 84, 126 },
		{ 4096, 16, 55, 64, 74, 77, 131, 196 },
		{ 16384, 16, 71, 111, 151, 165, 391, 586 },
		{ 65536, 16, 135, 298, 461, 506, 1439, 2158 },
		{ 242688, 16, 366, 972, 1578, 1727, 5214, 7821 },
	};
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		struct vm_domain vmd = { .v_page_count = golden[i].pages,
			.v_free_count = golden[i].pages / 10 * 9 };

		vm_meter_init_thresholds(&vmd);
		assert_int_equal(vmd.cluster_pages, golden[i].cluster);
		assert_int_equal(vmd.v_free_reserved, golden[i].reserved);
		assert_int_equal(vmd.v_free_severe, golden[i].severe);
		assert_int_equal(vmd.v_free_min, golden[i].min);
		assert_int_equal(vmd.pageout_wakeup_thresh, golden[i].wakeup);
		assert_int_equal(vmd.v_free_target, golden[i].target);
		assert_int_equal(vmd.v_inactive_target, golden[i].inactive);
		assert_int_equal(vmd.v_pageout_free_min, 34);
		assert_int_equal(vmd.v_interrupt_free_min, 2);
	}
}

/* The daemon begins with the values of the table, for each domain that boots. */
static void
worker_T7_initial_values_are_those_of_the_formulas(void **state)
{
	struct vm_domain by_formula;

	(void)state;
	sim_mm_boot(4096);
	by_formula = (struct vm_domain){ .v_page_count = vm_domains[0].v_page_count,
		.v_free_count = vm_domains[0].v_free_count };
	vm_meter_init_thresholds(&by_formula);
	assert_int_equal(vm_domains[0].v_page_count, 4096);
	assert_int_equal(vm_domains[0].v_free_reserved, 55);
	assert_int_equal(vm_domains[0].v_free_severe, 64);
	assert_int_equal(vm_domains[0].v_free_min, 74);
	assert_int_equal(vm_domains[0].pageout_wakeup_thresh, 77);
	assert_int_equal(vm_domains[0].v_free_target, 131);
	assert_int_equal(vm_domains[0].v_inactive_target, by_formula.v_inactive_target);
	assert_int_equal(mm_params.pageout_update_period, 600);
	assert_int_equal(mm_params.max_wired, vm_domains[0].v_free_count / 3);
	assert_int_equal(mm_params.max_map_entries, vm_domains[0].v_free_count * 4);
	sim_mm_check();
}

static void
thresholds_inactive_target_is_at_most_a_third_of_free(void **state)
{
	struct vm_domain vmd = { .v_page_count = 4096, .v_free_count = 300 };

	(void)state;
	vm_meter_init_thresholds(&vmd);
	assert_int_equal(vmd.v_inactive_target, 100);
}

static void
predicates_compare_strictly(void **state)
{
	struct vm_domain vmd = { .v_free_severe = 10, .v_free_min = 20, .v_free_target = 40,
		.pageout_wakeup_thresh = 30, .v_cache_count = 5 };

	(void)state;
	vmd.v_free_count = 5;
	assert_false(vm_page_count_severe(&vmd));
	assert_true(vm_page_count_min(&vmd));
	vmd.v_free_count = 4;
	assert_true(vm_page_count_severe(&vmd));
	vmd.v_free_count = 15;
	assert_false(vm_page_count_min(&vmd));
	vmd.v_free_count = 24;
	assert_true(vm_paging_needed(&vmd));
	vmd.v_free_count = 25;
	assert_false(vm_paging_needed(&vmd));
	assert_true(vm_page_count_target(&vmd));
	assert_int_equal(vm_paging_target(&vmd), 10);
	vmd.v_free_count = 45;
	assert_false(vm_page_count_target(&vmd));
	assert_int_equal(vm_paging_target(&vmd), -10);
}

/* ---- waiting */

static char order[32];
static struct vm_domain *const vmd = &vm_domains[0];

static void
note(char c)
{
	order[strlen(order)] = c;
}

static struct task *
spawn(void (*fn)(void *), void *arg)
{
	struct task *t;

	assert_int_equal(task_create(&t, "waiter", PRI_NORMAL, fn, arg), 0);
	return (t);
}

static void
boot(void)
{
	sim_mm_boot(128);
	memset(order, 0, sizeof(order));
}

static void
wait_then_note(void *arg)
{
	vm_wait(vmd);
	note(*(const char *)arg);
}

static void
waitpfault_then_note(void *arg)
{
	vm_waitpfault(vmd);
	note(*(const char *)arg);
}

static void
worker_T6_body(void *arg)
{
	uint32_t frames;

	(void)arg;
	boot();
	frames = vmd->v_free_count;
	vmd->v_free_count = vmd->v_free_min - 1;
	spawn(waitpfault_then_note, "p");
	spawn(waitpfault_then_note, "q");
	spawn(wait_then_note, "w");
	sched_yield();
	assert_string_equal(order, "");
	assert_true(vmd->vm_pages_needed);
	assert_int_equal(vmd->waiters, 3);
	vm_page_free_wakeup(vmd); /* still below free_min: T5 */
	sched_yield();
	assert_string_equal(order, "");
	vmd->v_free_count = vmd->v_free_min;
	vm_page_free_wakeup(vmd);
	sched_yield();
	assert_string_equal(order, "wpq");
	assert_int_equal(vmd->waiters, 0);
	assert_false(vmd->vm_pages_needed); /* Q9 */
	vmd->v_free_count = frames;
	sim_mm_check();
}

static void
worker_T6_vm_wait_is_served_before_waitpfault(void **state)
{
	sim_run(worker_T6_body, state);
}

static void
sleep_for_request(void *arg)
{
	(void)arg;
	vmd->worker = curtask();
	for (;;) {
		while (!vmd->vm_pages_needed)
			tsleep(&vmd->vm_pages_needed, "psleep", SLEEP_FOREVER);
		note('d');
		vmd->vm_pages_needed = false;
	}
}

static void
wakeup_body(void *arg)
{
	(void)arg;
	boot();
	spawn(sleep_for_request, NULL);
	sched_yield();
	pagedaemon_wakeup(vmd);
	pagedaemon_wakeup(vmd); /* idempotent */
	sched_yield();
	assert_string_equal(order, "d");
	pagedaemon_wakeup(vmd);
	sched_yield();
	assert_string_equal(order, "dd");
	vmd->worker = curtask();
	assert_true(vm_meter_is_pagedaemon(curtask()));
	pagedaemon_wakeup(vmd); /* T4: the daemon never waits on itself */
	assert_false(vmd->vm_pages_needed);
}

static void
worker_wakeup_is_idempotent_and_not_for_the_daemon(void **state)
{
	sim_run(wakeup_body, state);
}

static void
daemon_waits(void *arg)
{
	(void)arg;
	vmd->worker = curtask();
	vm_wait(vmd);
	note('d');
}

static void
daemon_body(void *arg)
{
	(void)arg;
	boot();
	vmd->v_free_count = vmd->v_pageout_free_min - 1;
	spawn(daemon_waits, NULL);
	sched_yield();
	assert_true(vmd->vm_pageout_pages_needed);
	vm_page_free_wakeup(vmd);
	sched_yield();
	assert_string_equal(order, "");
	vmd->v_free_count++;
	vm_page_free_wakeup(vmd);
	sched_yield();
	assert_string_equal(order, "d");
	assert_false(vmd->vm_pageout_pages_needed);
}

static void
worker_daemon_waits_for_pageout_free_min(void **state)
{
	sim_run(daemon_body, state);
}

static void
plenty_body(void *arg)
{
	(void)arg;
	boot();
	vm_wait(vmd); /* nobody would wake us */
	vm_waitpfault(vmd);
	assert_int_equal(vmd->waiters, 0);
	sim_mm_check();
}

static void
worker_T3b_no_sleep_with_pages_there(void **state)
{
	sim_run(plenty_body, state);
}

static void
waiting_body(void *arg)
{
	uint64_t before, after;

	(void)arg;
	boot();
	assert_false(vm_meter_waiting(&before));
	vmd->waiters++;
	assert_true(vm_meter_waiting(&after));
	assert_int_equal(after, before);
	mm_params.v_tfree++;
	assert_true(vm_meter_waiting(&after));
	assert_int_equal(after, before + 1);
	mm_params.v_tcached++;
	assert_true(vm_meter_waiting(&after));
	assert_int_equal(after, before + 2);
	vmd->waiters--;
	assert_false(vm_meter_waiting(&after));
}

static void
waiting_for_pages_is_seen_and_so_is_progress(void **state)
{
	sim_run(waiting_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thresholds_golden_table),
		cmocka_unit_test(thresholds_inactive_target_is_at_most_a_third_of_free),
		cmocka_unit_test(predicates_compare_strictly),
		cmocka_unit_test(worker_T7_initial_values_are_those_of_the_formulas),
		cmocka_unit_test(worker_T6_vm_wait_is_served_before_waitpfault),
		cmocka_unit_test(worker_wakeup_is_idempotent_and_not_for_the_daemon),
		cmocka_unit_test(worker_daemon_waits_for_pageout_free_min),
		cmocka_unit_test(worker_T3b_no_sleep_with_pages_there),
		cmocka_unit_test(waiting_for_pages_is_seen_and_so_is_progress),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
