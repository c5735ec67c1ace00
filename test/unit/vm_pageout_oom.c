/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory: the vote and the victim (contract 1.9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u

static struct vm_domain *const first = &vm_domains[0];
static struct vm_domain *const second = &vm_domains[1];

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* No swap: "full". Domain 0 starves when told so. */
static void
boot(uint32_t domains)
{
	sim_swap_boot(FRAMES, 0);
	vm_meter_add_domain(domains - 1);
	console_tap_begin();
}

static void
starve(struct vm_domain *vmd, bool yes)
{
	vmd->v_free_target = yes ? vm_meter_free(vmd) + 1 : vm_meter_free(vmd);
	vmd->v_free_min = 0;
}

static void
expect_kills(uint32_t count)
{
	assert_int_equal(sim_kill_count, count);
	assert_int_equal(mm_params.v_oom_kills, count);
}

static uint32_t
votes(void)
{
	return (first->oom_voted + second->oom_voted);
}

/* ---- the vote */

RUN_TEST(oom_T1_one_of_two_domains_does_not_kill)
{
	uint32_t pass;

	(void)arg;
	boot(2);
	sim_client_add(50, 4, 0);
	starve(first, true);
	starve(second, false);
	for (pass = 1; pass < 6; pass++) {
		vm_pageout_mightbe_oom(first, pass);
		vm_pageout_mightbe_oom(second, pass);
	}
	expect_kills(0);
	assert_int_equal(votes(), 1);
	sim_mm_check();
}

RUN_TEST(oom_T2_both_domains_kill_once)
{
	(void)arg;
	boot(2);
	sim_client_add(50, 4, 0);
	sim_client_add(51, 3, 0);
	starve(first, true);
	starve(second, true);
	vm_pageout_mightbe_oom(first, 2);
	expect_kills(0);
	vm_pageout_mightbe_oom(second, 2);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 50);
	assert_true(first->oom_voted); /* only the last voter's vote is used up */
	assert_false(second->oom_voted);
	sim_mm_check();
}

RUN_TEST(oom_T3_first_pass_never_kills)
{
	(void)arg;
	boot(1);
	sim_client_add(50, 4, 0);
	starve(first, true);
	vm_pageout_mightbe_oom(first, 0);
	vm_pageout_mightbe_oom(first, 1);
	expect_kills(0);
	vm_pageout_mightbe_oom(first, 2);
	expect_kills(1);
	sim_mm_check();
}

/* 1000 random looks at two domains: the number of votes, and who withdraws. */
static void
vote_at_random(bool withdrawal)
{
	uint32_t i;

	boot(2);
	for (i = 0; i < 1000; i++) {
		struct vm_domain *vmd = &vm_domains[sim_random(2)];
		uint32_t pass = sim_random(4);
		bool hungry = sim_random(2) == 0;

		starve(vmd, hungry);
		vm_pageout_mightbe_oom(vmd, pass);
		if (!withdrawal)
			assert_in_range(votes(), 0, 1); /* two would have been used up */
		else if (!hungry || pass <= 1)
			assert_false(vmd->oom_voted);
	}
	sim_mm_check();
}

RUN_TEST(oom_T4_votes_stay_in_range)
{
	(void)arg;
	vote_at_random(false);
}

RUN_TEST(oom_T10_relief_withdraws_the_vote)
{
	(void)arg;
	vote_at_random(true);
}

/* The other condition: little swap and below free_min; swap need not be full. */
RUN_TEST(oom_little_swap_counts_below_min_only)
{
	(void)arg;
	sim_swap_boot(FRAMES, 66 + 2);
	console_tap_begin();
	sim_client_add(50, 4, 0);
	assert_false(swap_pager_full());
	first->v_free_target = vm_meter_free(first) + 10;
	first->v_free_min = vm_meter_free(first) + 1;
	vm_pageout_mightbe_oom(first, 2);
	expect_kills(0); /* 66 pages of swap are left */
	sim_swap_boot(FRAMES, 62 + 2);
	first->v_free_target = vm_meter_free(first) + 10;
	first->v_free_min = 0;
	vm_pageout_mightbe_oom(first, 2);
	expect_kills(0);
	sim_client_add(50, 4, 0);
	first->v_free_min = vm_meter_free(first) + 1;
	vm_pageout_mightbe_oom(first, 2);
	expect_kills(1);
}

/* ---- the victim */

RUN_TEST(oom_T5_protected_hog_survives)
{
	(void)arg;
	boot(1);
	sim_client_add(60, 2, 0);
	sim_client_add(61, 20, VM_CLIENT_PROTECTED);
	sim_client_add(62, 7, 0);
	sim_client_add(63, 7, 0);
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 62); /* of equals the earliest */
	assert_non_null(strstr(console_tap_text(), "client (pid 62) killed: it had 28 KiB in "
	    "memory and 0 KiB in swap; swap has 0 of 0 KiB free\n"));
	sim_mm_check();
}

RUN_TEST(oom_T6_system_never)
{
	(void)arg;
	boot(1);
	sim_client_add(1, 20, VM_CLIENT_SYSTEM);
	sim_client_add(2, 20, VM_CLIENT_EXITING);
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(0); /* T9: nobody eligible */
	sim_client_add(3, 1, 0);
	vm_pageout_oom(VM_OOM_MEM);
	assert_int_equal(sim_killed_pids[0], 3);
	sim_mm_check();
}

RUN_TEST(oom_T7_a_dying_victim_is_awaited)
{
	struct vm_client *victim;

	(void)arg;
	boot(1);
	victim = sim_client_add(60, 9, 0);
	sim_client_add(61, 4, 0);
	vm_pageout_oom(VM_OOM_MEM);
	vm_pageout_oom(VM_OOM_MEM);
	sim_advance_us(9000000);
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 60);
	sim_advance_us(1100000); /* ten seconds: it will not make it */
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(2);
	assert_int_equal(sim_killed_pids[1], 61); /* not the same one twice */
	(void)victim;
	sim_mm_check();
}

/* Nor does it matter who has killed it. */
RUN_TEST(oom_T7a_a_client_killed_by_others_is_awaited)
{
	(void)arg;
	boot(1);
	sim_client_add(60, 2, VM_CLIENT_KILLED);
	sim_client_add(61, 4, 0);
	vm_pageout_oom(VM_OOM_MEM);
	sim_advance_us(9000000);
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(0);
	sim_advance_us(1100000); /* ten seconds since it was seen */
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 61);
	sim_mm_check();
}

RUN_TEST(oom_next_victim_once_the_last_is_gone)
{
	(void)arg;
	boot(1);
	sim_client_add(60, 4, 0);
	sim_client_add(61, 9, 0);
	vm_pageout_oom(VM_OOM_MEM);
	sim_client_count = 1; /* 61 has gone */
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(2);
	assert_int_equal(sim_killed_pids[1], 60);
}

RUN_TEST(oom_T8_swapz_ignores_resident_size)
{
	struct vm_object *object;
	uint32_t i;

	(void)arg;
	sim_swap_boot(FRAMES, 512);
	console_tap_begin();
	sim_client_add(60, 30, 0);
	sim_client_add(61, 6, 0);
	vm_pageout_oom(VM_OOM_SWAPZ);
	expect_kills(0); /* no swap used: size 0 never */
	object = sim_swap_object(sim_clients[1].vmspace);
	for (i = 0; i < 6; i++)
		vm_page_deactivate(vm_page_lookup(object, i));
	assert_int_equal(vm_pageout_clean(vm_page_lookup(object, 0)), 6);
	vm_pageout_oom(VM_OOM_SWAPZ);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 61);
	assert_non_null(strstr(console_tap_text(), "24 KiB in memory and 24 KiB in swap"));
	sim_mm_check();
}

RUN_TEST(oom_T9_nothing_eligible)
{
	(void)arg;
	boot(1);
	starve(first, true);
	vm_pageout_mightbe_oom(first, 2); /* no client at all */
	vm_pageout_mightbe_oom(first, 3);
	expect_kills(0);
	vm_client_ops = NULL;
	vm_pageout_oom(VM_OOM_MEM);
	sim_mm_check();
}

/* Every other reason not to be chosen; the smallest of all is left. */
RUN_TEST(oom_T5b_whoever_must_not_be_chosen)
{
	static const uint32_t never[] = { VM_CLIENT_LOCKED, VM_CLIENT_NEW, VM_CLIENT_EXEC,
		VM_CLIENT_PROTECTED, VM_CLIENT_SYSTEM, VM_CLIENT_EXITING };
	uint32_t i;

	(void)arg;
	boot(1);
	for (i = 0; i < 6; i++)
		sim_client_add(60 + i, 10, never[i]);
	sim_client_add(70, 1, VM_CLIENT_TRACED | VM_CLIENT_REALTIME | VM_CLIENT_SWAPPED |
	    VM_CLIENT_UNSAFE);
	vm_pageout_oom(VM_OOM_MEM);
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 70);
	sim_mm_check();
}

static const struct sleep_lock *refused;

static bool
refuse(const struct sleep_lock *lock)
{
	return (lock == refused);
}

RUN_TEST(oom_T5c_locked_map_is_passed_by)
{
	struct vm_client *big;

	(void)arg;
	boot(1);
	big = sim_client_add(60, 10, 0);
	sim_client_add(61, 2, 0);
	refused = &big->vmspace->map.lock;
	sleep_lock_refuse = refuse;
	vm_pageout_oom(VM_OOM_MEM);
	sleep_lock_refuse = NULL;
	expect_kills(1);
	assert_int_equal(sim_killed_pids[0], 61);
	assert_null(big->vmspace->map.lock.owner);
	sim_mm_check();
}

static uint32_t waited;

static void
waiter(void *arg)
{
	(void)arg;
	vm_wait_any();
	waited++;
}

/* A kill wakes whoever waits for pages, in every domain: one of them may be the victim. */
RUN_TEST(oom_T2b_a_kill_wakes_the_waiters)
{
	struct task *t;

	(void)arg;
	boot(2);
	sim_client_add(50, 4, 0);
	first->v_free_min = vm_meter_free(first) + 1;
	second->v_free_min = vm_meter_free(second) + 1;
	waited = 0;
	assert_int_equal(task_create(&t, "waiter", PRI_NORMAL, waiter, NULL), 0);
	tsleep(&t, "start", 100);
	assert_int_equal(first->waiters, 1);
	assert_int_equal(second->waiters, 1);
	vm_pageout_oom(VM_OOM_MEM);
	tsleep(&t, "woken", 100);
	assert_int_equal(waited, 1);
	assert_int_equal(first->waiters + second->waiters, 0);
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oom_T1_one_of_two_domains_does_not_kill),
		cmocka_unit_test(oom_T2_both_domains_kill_once),
		cmocka_unit_test(oom_T2b_a_kill_wakes_the_waiters),
		cmocka_unit_test(oom_T3_first_pass_never_kills),
		cmocka_unit_test(oom_T4_votes_stay_in_range),
		cmocka_unit_test(oom_little_swap_counts_below_min_only),
		cmocka_unit_test(oom_T5_protected_hog_survives),
		cmocka_unit_test(oom_T6_system_never),
		cmocka_unit_test(oom_T7_a_dying_victim_is_awaited),
		cmocka_unit_test(oom_T7a_a_client_killed_by_others_is_awaited),
		cmocka_unit_test(oom_next_victim_once_the_last_is_gone),
		cmocka_unit_test(oom_T8_swapz_ignores_resident_size),
		cmocka_unit_test(oom_T9_nothing_eligible),
		cmocka_unit_test(oom_T10_relief_withdraws_the_vote),
		cmocka_unit_test(oom_T5b_whoever_must_not_be_chosen),
		cmocka_unit_test(oom_T5c_locked_map_is_passed_by),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
