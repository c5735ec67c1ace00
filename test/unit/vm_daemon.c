/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vm daemon: limits, budgets, programs swapped out whole (contract 1.11).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_daemon.h"
#include "mm/vm_request.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define SECOND 1000000u

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* What a build without swapping cannot do. */
#ifdef NO_SWAPPING
#define RUN_SWAP_TEST(name)                  \
	static void name(void **state)       \
	{                                    \
		(void)state;                 \
		skip();                      \
	}                                    \
	__attribute__((unused)) static void name##_body(void *arg)
#else
#define RUN_SWAP_TEST(name) RUN_TEST(name)
#endif

static void
boot(void)
{
	sim_swap_boot(FRAMES, 0);
	mm_params.swap_idle_threshold1 = 2;
	mm_params.swap_idle_threshold2 = 10;
}

static uint32_t
resident(const struct vm_client *client)
{
	return (vmspace_resident_count(client->vmspace));
}

/* No page of the client has been used lately; its pages have this activity (0: they
 * are inactive). */
static void
cool(struct vm_client *client, uint8_t act_count)
{
	struct vm_object *object = sim_swap_object(client->vmspace);
	struct vm_page *m;

	for (m = vm_page_find_least(object, 0); m != NULL; m = vm_page_next(m)) {
		(void)pmap_ts_referenced(m);
		m->aflags &= (uint8_t)~PGA_REFERENCED;
		if (act_count == 0)
			vm_page_deactivate(m);
		m->act_count = act_count;
	}
}

static void
wire(struct vm_client *client, bool yes)
{
	struct vm_object *object = sim_swap_object(client->vmspace);
	struct vm_page *m;

	for (m = vm_page_find_least(object, 0); m != NULL; m = vm_page_next(m)) {
		if (yes)
			vm_page_wire(m);
		else
			vm_page_unwire(m, PQ_ACTIVE);
	}
}

/* How often accounting heard of pid, and the last figure. */
static uint32_t
usages(uint32_t pid, uint32_t *last)
{
	uint32_t i, count = 0;

	for (i = 0; i < sim_usage_count; i++) {
		if (sim_usages[i].pid != pid)
			continue;
		count++;
		*last = sim_usages[i].resident_pages;
	}
	return (count);
}

static const struct sleep_lock *refused;
static uint32_t tries;

/* Locks that are tried: one is refused. */
static bool
refuse(const struct sleep_lock *lock)
{
	tries++;
	return (lock == refused);
}

/* ---- limits */

RUN_TEST(daemon_T1_rss_limit_holds_within_a_second)
{
	struct vm_client *soft, *hard;

	(void)arg;
	boot();
	soft = sim_client_add(50, 20, 0);
	hard = sim_client_add(51, 20, 0);
	cool(soft, 1);
	cool(hard, 0);
	soft->rss_soft_pages = 8;
	hard->rss_soft_pages = 15;
	hard->rss_hard_pages = 4; /* the smaller of both counts */
	assert_int_equal(vm_daemon_start(), 0);
	tsleep(&soft, "test", SECOND + SECOND / 10);
	assert_int_equal(resident(soft), 8);
	assert_int_equal(resident(hard), 4);
	assert_int_equal(sim_swap_verify(soft->vmspace, 19, 50), 0);
	sim_mm_check();
}

/* Pages that are used stay: the limit is reached by ageing. */
RUN_TEST(daemon_T1b_hot_pages_leave_by_ageing)
{
	struct vm_client *client;

	(void)arg;
	boot();
	client = sim_client_add(50, 20, 0);
	client->rss_soft_pages = 8;
	assert_int_equal(vm_daemon_start(), 0);
	tsleep(&client, "test", SECOND + SECOND / 10);
	assert_int_equal(resident(client), 20);
	tsleep(&client, "test", 6 * SECOND);
	assert_int_equal(resident(client), 8);
	sim_mm_check();
}

RUN_TEST(daemon_T2_without_limit_never_touched)
{
	struct vm_client *client;
	uint64_t before;

	(void)arg;
	boot();
	client = sim_client_add(50, 20, 0);
	cool(client, 3);
	before = mm_params.v_pdpages;
	tries = 0;
	refused = NULL;
	sleep_lock_refuse = refuse;
	assert_int_equal(vm_daemon_start(), 0);
	tsleep(&client, "test", 20 * SECOND);
	sleep_lock_refuse = NULL;
	assert_int_equal(tries, 0); /* not even its map */
	assert_int_equal(resident(client), 20);
	assert_int_equal(mm_params.v_pdpages, before);
	assert_int_equal(vm_page_lookup(sim_swap_object(client->vmspace), 0)->act_count, 3);
	sim_mm_check();
}

/* Who is not to be disturbed is not. */
RUN_TEST(daemon_T2b_states_that_are_left_alone)
{
	static const uint32_t states[] = { VM_CLIENT_SYSTEM, VM_CLIENT_EXEC, VM_CLIENT_EXITING,
		VM_CLIENT_NEW };
	struct vm_client *client;
	uint32_t i;

	(void)arg;
	boot();
	client = sim_client_add(50, 20, 0);
	cool(client, 0);
	client->rss_soft_pages = 1;
	client->budget_pages = 1;
	for (i = 0; i < 4; i++) {
		client->flags = states[i];
		vm_daemon_run(0);
		assert_int_equal(resident(client), 20);
	}
	client->flags = 0;
	vm_daemon_run(0);
	assert_int_equal(resident(client), 1);
	client->vmspace = NULL;
	vm_daemon_run(VM_SWAP_NORMAL);
	sim_mm_check();
}

/* ---- swapped out */

RUN_SWAP_TEST(daemon_T3_swapped_out_all_mappings_gone)
{
	struct vm_client *client, *other;
	uint32_t i;

	(void)arg;
	boot();
	client = sim_client_add(50, 20, 0); /* hot */
	other = sim_client_add(51, 20, 0);
	client->asleep_us = 3 * SECOND;
	vm_daemon_run(VM_SWAP_NORMAL);
	assert_true(client->flags & VM_CLIENT_SWAPPED);
	assert_int_equal(mm_params.v_swapped_out, 1);
	assert_int_equal(resident(client), 0);
	assert_int_equal(resident(other), 20);
	for (i = 0; i < 40; i++) /* while it is out, its pages age */
		vm_daemon_run(0);
	assert_int_equal(mm_params.v_swapped_out, 1);
	client->flags = 0;
	for (i = 0; i < 20; i++)
		assert_int_equal(sim_swap_verify(client->vmspace, i, 50), 0);
	assert_int_equal(resident(client), 20);
	sim_mm_check();
}

/* ---- budgets */

/* From one figure that accounting hears to the next, a pass apart. */
static uint32_t
largest_loss_percent(void)
{
	uint32_t i, loss, largest = 0;

	for (i = 1; i < sim_usage_count; i++) {
		uint32_t before = sim_usages[i - 1].resident_pages;

		loss = (before - sim_usages[i].resident_pages) * 100 / before;
		if (loss > largest)
			largest = loss;
	}
	return (largest);
}

RUN_TEST(daemon_T4_first_eight_attempts_take_a_quarter_at_most)
{
	struct vm_client *client;

	(void)arg;
	boot();
	client = sim_client_add(50, 100, 0);
	client->budget_pages = 10;
	cool(client, 0);
	vm_daemon_run(0); /* reached at once: no second pass */
	assert_int_equal(mm_params.daemon_passes, 1);
	assert_int_equal(resident(client), 75);
	vm_daemon_run(0);
	assert_int_equal(resident(client), 57); /* 75 - 75 / 4 */
	assert_in_range(largest_loss_percent(), 24, 25);
	sim_mm_check();
}

/* Each pass over active pages looks at them twice, as the biggest and by address. */
RUN_TEST(daemon_T4b_a_quarter_until_the_eighth_attempt_then_all)
{
	struct vm_client *client;

	(void)arg;
	boot();
	client = sim_client_add(50, 100, 0);
	client->budget_pages = 10;
	cool(client, 16);
	vm_daemon_run(0);
	assert_int_equal(mm_params.daemon_passes, 8);
	assert_int_equal(resident(client), 75);
	client->budget_pages = VM_CLIENT_NO_LIMIT;
	cool(client, 0);
	cool(client, 18);
	client = sim_client_add(51, 100, 0);
	client->budget_pages = 10;
	cool(client, 18);
	mm_params.daemon_passes = 0;
	vm_daemon_run(0);
	assert_int_equal(mm_params.daemon_passes, 9);
	assert_int_equal(resident(client), 10);
	sim_mm_check();
}

RUN_TEST(daemon_T5_at_most_eleven_passes)
{
	struct vm_client *client;
	uint32_t last = 0;

	(void)arg;
	boot();
	client = sim_client_add(50, 100, 0);
	client->budget_pages = 10;
	wire(client, true);
	vm_daemon_run(0);
	assert_int_equal(mm_params.daemon_passes, 11);
	assert_int_equal(usages(50, &last), 22); /* before and after each */
	assert_int_equal(last, 100);
	wire(client, false);
	sim_mm_check();
}

/* ---- who is swapped out */

RUN_SWAP_TEST(daemon_T6_idle_needs_ten_seconds_normal_two)
{
	static const struct {
		uint64_t asleep_us;
		bool normal, idle;
	} cases[] = {
		{ 0, false, false },
		{ 1999999, false, false },
		{ 2 * SECOND, true, false },
		{ 5 * SECOND, true, false },
		{ 10 * SECOND, true, false }, /* more than ten, in whole seconds */
		{ 11 * SECOND, true, true },
		{ 3600ull * SECOND, true, true },
	};
	struct vm_client *client;
	uint32_t i;

	(void)arg;
	boot();
	client = sim_client_add(50, 4, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		client->asleep_us = cases[i].asleep_us;
		client->flags = 0;
		vm_swapout_procs(VM_SWAP_IDLE);
		assert_int_equal(client->flags, cases[i].idle ? VM_CLIENT_SWAPPED : 0);
		client->flags = 0;
		vm_swapout_procs(VM_SWAP_NORMAL);
		assert_int_equal(client->flags, cases[i].normal ? VM_CLIENT_SWAPPED : 0);
		client->flags = 0;
		vm_swapout_procs(VM_SWAP_NORMAL | VM_SWAP_IDLE);
		assert_int_equal(client->flags, cases[i].normal ? VM_CLIENT_SWAPPED : 0);
	}
	client->flags = 0;
	mm_params.swap_idle_threshold1 = 6;
	mm_params.swap_idle_threshold2 = 4;
	client->asleep_us = 5 * SECOND;
	vm_swapout_procs(VM_SWAP_IDLE | VM_SWAP_NORMAL);
	assert_int_equal(client->flags, 0);
	mm_params.swap_idle_threshold1 = 5;
	vm_swapout_procs(VM_SWAP_IDLE);
	assert_int_equal(client->flags, VM_CLIENT_SWAPPED);
	sim_mm_check();
}

RUN_SWAP_TEST(daemon_T7_realtime_and_others_never)
{
	static const uint32_t states[] = { VM_CLIENT_REALTIME, VM_CLIENT_NEW, VM_CLIENT_SYSTEM,
		VM_CLIENT_TRACED, VM_CLIENT_EXITING, VM_CLIENT_LOCKED, VM_CLIENT_UNSAFE,
		VM_CLIENT_KILLED, VM_CLIENT_EXEC };
	struct vm_client *client;
	uint32_t i;

	(void)arg;
	boot();
	client = sim_client_add(50, 4, 0);
	client->asleep_us = 1000ull * SECOND;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		client->flags = states[i];
		vm_swapout_procs(VM_SWAP_NORMAL | VM_SWAP_IDLE);
		assert_int_equal(client->flags, states[i]);
	}
	client->flags = VM_CLIENT_PROTECTED; /* from the OOM killer, not from this */
	refused = &client->vmspace->map.lock;
	sleep_lock_refuse = refuse;
	vm_swapout_procs(VM_SWAP_NORMAL);
	assert_int_equal(client->flags, VM_CLIENT_PROTECTED);
	sleep_lock_refuse = NULL;
	vm_swapout_procs(VM_SWAP_NORMAL);
	assert_int_equal(client->flags, VM_CLIENT_PROTECTED | VM_CLIENT_SWAPPED);
	assert_int_equal(mm_params.v_swapped_out, 1);
	sim_mm_check();
}

RUN_SWAP_TEST(daemon_swaps_out_all_who_qualify)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 5; i++)
		sim_client_add(50 + i, 4, 0)->asleep_us = i % 2 == 0 ? 20 * SECOND : 0;
	vm_swapout_procs(VM_SWAP_IDLE);
	for (i = 0; i < 5; i++)
		assert_int_equal(sim_clients[i].flags, i % 2 == 0 ? VM_CLIENT_SWAPPED : 0);
	assert_int_equal(mm_params.v_swapped_out, 3);
	sim_mm_check();
}

static bool
cannot_swap_out(uint32_t pid)
{
	(void)pid;
	return (false);
}

/* proc may say no at the last moment, or not be there yet; unknown bits ask nothing. */
RUN_TEST(daemon_asks_proc)
{
	struct vm_client_ops ops;
	struct vm_client *client;

	(void)arg;
	boot();
	client = sim_client_add(50, 4, 0);
	client->asleep_us = 20 * SECOND;
	ops = *vm_client_ops;
	ops.swap_out = cannot_swap_out;
	vm_client_ops = &ops;
	vm_swapout_procs(VM_SWAP_NORMAL);
	vm_swapout_procs(4);
	assert_int_equal(client->flags, 0);
	assert_int_equal(mm_params.v_swapped_out, 0);
	vm_client_ops = NULL;
	vm_daemon_run(VM_SWAP_NORMAL);
	assert_int_equal(mm_params.daemon_passes, 0);
	sim_mm_check();
}

/* The task does what is asked through vm_request. */
RUN_SWAP_TEST(daemon_is_woken_by_requests)
{
	struct vm_client *client;

	(void)arg;
	boot();
	client = sim_client_add(50, 4, 0);
	client->asleep_us = 5 * SECOND;
	assert_int_equal(vm_daemon_start(), 0);
	tsleep(&client, "test", 2 * SECOND + SECOND / 2);
	vm_req_vmdaemon(VM_SWAP_IDLE);
	tsleep(&client, "test", 1000);
	assert_int_equal(client->flags, 0);
	tsleep(&client, "test", SECOND);
	vm_req_vmdaemon(VM_SWAP_NORMAL);
	tsleep(&client, "test", 1000);
	assert_int_equal(client->flags, VM_CLIENT_SWAPPED);
	assert_int_equal(resident(client), 0);
	sim_mm_check();
}

/* ---- quirk Q7 */

static void
one_above_one_content(struct vm_client **above, struct vm_client **content)
{
	boot();
	*above = sim_client_add(50, 100, 0);
	*content = sim_client_add(51, 20, 0);
	(*content)->rss_soft_pages = 19;
	cool(*content, 5);
	(*above)->budget_pages = 80;
	cool(*above, 6); /* gone below 80 in the third pass */
}

/* By default only who is above is looked at again, and only while he is. */
RUN_TEST(quirk_Q7a_mended_others_are_left_alone)
{
	struct vm_client *above, *content;
	uint32_t last = 0;

	(void)arg;
	one_above_one_content(&above, &content);
	vm_daemon_run(0);
	assert_int_equal(resident(above), 80);
	assert_int_equal(mm_params.daemon_passes, 3);
	assert_int_equal(usages(51, &last), 1);
	assert_int_equal(resident(content), 20);
	sim_mm_check();
}

RUN_TEST(quirk_Q7b_reproduced_one_forces_eleven_passes_over_all)
{
	struct vm_client *above, *content;
	uint32_t last = 0;

	(void)arg;
	one_above_one_content(&above, &content);
	mm_params.daemon_retry_all = 1;
	vm_daemon_run(0);
	assert_int_equal(resident(above), 80);
	assert_int_equal(mm_params.daemon_passes, 11);
	assert_int_equal(usages(51, &last), 11);
	assert_int_equal(resident(content), 19); /* its limit was enforced at high speed */
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daemon_T1_rss_limit_holds_within_a_second),
		cmocka_unit_test(daemon_T1b_hot_pages_leave_by_ageing),
		cmocka_unit_test(daemon_T2_without_limit_never_touched),
		cmocka_unit_test(daemon_T2b_states_that_are_left_alone),
		cmocka_unit_test(daemon_T3_swapped_out_all_mappings_gone),
		cmocka_unit_test(daemon_T4_first_eight_attempts_take_a_quarter_at_most),
		cmocka_unit_test(daemon_T4b_a_quarter_until_the_eighth_attempt_then_all),
		cmocka_unit_test(daemon_T5_at_most_eleven_passes),
		cmocka_unit_test(daemon_T6_idle_needs_ten_seconds_normal_two),
		cmocka_unit_test(daemon_T7_realtime_and_others_never),
		cmocka_unit_test(daemon_swaps_out_all_who_qualify),
		cmocka_unit_test(daemon_asks_proc),
		cmocka_unit_test(daemon_is_woken_by_requests),
		cmocka_unit_test(quirk_Q7a_mended_others_are_left_alone),
		cmocka_unit_test(quirk_Q7b_reproduced_one_forces_eleven_passes_over_all),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
