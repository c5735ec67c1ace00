/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page daemon's worker (contract 1.10), and paging as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_pageout.h"
#include "mm/vm_policy.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define SCANS_MAX 64u

static struct vm_domain *const vmd = &vm_domains[0];

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* ---- the worker as the policy sees it: one note for each scan */

static struct {
	uint32_t count;
	uint32_t pass[SCANS_MAX];
	uint64_t at_us[SCANS_MAX];
} scans;
static uint32_t asked;

static void
noting_targets(const struct vm_policy_meter *in, struct vm_policy_targets *out)
{
	if (asked++ % 2 == 0 && scans.count < SCANS_MAX) {
		scans.pass[scans.count] = in->pass;
		scans.at_us[scans.count++] = timer_now_us();
	}
	policy_classic.targets(in, out);
}

static struct vm_policy noting;

static void
boot(uint32_t frames, uint32_t slots)
{
	sim_swap_boot(frames, slots);
	memset(&scans, 0, sizeof(scans));
	asked = 0;
	noting = policy_classic;
	noting.targets = noting_targets;
	vm_policy = &noting;
	assert_int_equal(vm_pageout_start(), 0);
}

static void
pass_time(uint64_t us)
{
	tsleep(&scans, "test", us);
}

/* Scan n came at_us after scan n - 1. */
static void
expect_scan(uint32_t n, uint32_t pass, uint64_t after_us)
{
	uint64_t us = scans.at_us[n] - scans.at_us[n - 1];

	assert_true(n < scans.count);
	assert_int_equal(scans.pass[n], pass);
	assert_in_range(us, after_us, after_us + 1000);
}

RUN_TEST(worker_T1_two_passes_then_one_each_half_second)
{
	(void)arg;
	boot(1024, 0);
	pass_time(1500000); /* one rest of a second is over */
	assert_int_equal(scans.count, 1);
	sim_swap_leave_free(10);
	pagedaemon_wakeup(vmd);
	pass_time(1700000);
	assert_int_equal(scans.pass[1], 1);
	expect_scan(2, 2, 0);
	expect_scan(3, 3, 500000);
	expect_scan(4, 4, 500000);
	expect_scan(5, 5, 500000);
	assert_int_equal(mm_params.v_pdwakeups, 5);
	sim_mm_check();
}

RUN_TEST(worker_T2_relief_brings_back_the_second)
{
	uint32_t n;

	(void)arg;
	boot(1024, 0);
	sim_swap_leave_free(10);
	pagedaemon_wakeup(vmd);
	pass_time(100000);
	sim_swap_leave_free(500);
	pass_time(5000000);
	n = scans.count - 1;
	expect_scan(n, 0, 1000000);
	expect_scan(n - 1, 0, 1000000);
	assert_false(vmd->vm_pages_needed);
	sim_mm_check();
}

static void
call_wakeup(void *arg)
{
	(void)arg;
	pagedaemon_wakeup(vmd);
}

/* Whenever the request comes, from an interrupt, pass 1 follows at once. */
RUN_TEST(worker_T3_no_wakeup_is_lost)
{
	static struct sim_event event;
	uint64_t asked_at;
	uint32_t i, n;

	(void)arg;
	boot(1024, 0);
	for (i = 0; i < 200; i++) {
		scans.count = 0;
		sim_event_schedule(&event, 900000 + sim_random(200000), call_wakeup, NULL);
		while (event.pending)
			pass_time(997);
		asked_at = timer_now_us();
		pass_time(2000);
		for (n = 0; n < scans.count && scans.pass[n] == 0; n++)
			continue;
		assert_true(n < scans.count);
		assert_true(scans.at_us[n] <= asked_at + 1000);
	}
	sim_mm_check();
}

RUN_TEST(worker_T4_never_waits_for_itself)
{
	(void)arg;
	boot(1024, 0);
	sim_swap_be_pagedaemon();
	pagedaemon_wakeup(vmd);
	assert_false(vmd->vm_pages_needed);
	sim_mm_check();
}

/* ---- waiters */

static char order[8];
static uint32_t order_count;

static void
fault_waiter(void *arg)
{
	(void)arg;
	vm_waitpfault(vmd);
	order[order_count++] = 'f';
	assert_false(vm_page_count_min(vmd));
}

static void
kernel_waiter(void *arg)
{
	(void)arg;
	vm_wait(vmd);
	order[order_count++] = 'k';
	assert_false(vm_page_count_min(vmd));
}

/* Dirty inactive pages are written and freed until the waiters can go on. */
RUN_TEST(worker_T5_waiters_wake_at_min_kernel_first)
{
	struct vm_object *object;
	struct task *t;

	(void)arg;
	boot(2048, 1024);
	object = vm_object_allocate(256);
	sim_swap_dirty_run(object, 0, 200);
	sim_swap_disk.latency_us = 20000;
	sim_swap_leave_free(20);
	order_count = 0;
	assert_int_equal(task_create(&t, "fault", PRI_NORMAL, fault_waiter, NULL), 0);
	assert_int_equal(task_create(&t, "kernel", PRI_NORMAL, kernel_waiter, NULL), 0);
	pass_time(1000);
	assert_int_equal(order_count, 0);
	pass_time(3000000);
	assert_int_equal(order_count, 2);
	assert_memory_equal(order, "kf", 2);
	assert_true(vm_meter_free(vmd) >= vmd->v_free_min);
	sim_mm_check();
	vm_object_deallocate(object);
}

/* The rest between passes ends when the last write is back, unless told otherwise. */
static uint64_t
time_to_relief(bool rest_full, uint32_t latency_us, uint32_t step)
{
	struct vm_object *object;
	uint64_t begin;
	uint32_t i;

	boot(2048, 1024);
	mm_params.pageout_rest_full = rest_full;
	sim_swap_disk.latency_us = latency_us;
	object = vm_object_allocate(256);
	for (i = 0; i < 64; i++)
		sim_swap_page(object, i * step, PQ_INACTIVE, true);
	vmd->v_free_severe = 0; /* settled pages wait for the scan */
	sim_swap_leave_free(20);
	begin = timer_now_us();
	vm_wait(vmd);
	return (timer_now_us() - begin);
}

RUN_TEST(worker_rest_ends_with_the_last_write)
{
	(void)arg;
	assert_true(time_to_relief(false, 4000, 1) < 100000);
}

/* ... and does not begin when it came back before. */
RUN_TEST(worker_does_not_rest_after_writes_that_are_back)
{
	(void)arg;
	assert_true(time_to_relief(false, 0, 2) < 100000);
}

RUN_TEST(worker_rest_is_full_in_classic_mode)
{
	(void)arg;
	assert_true(time_to_relief(true, 4000, 1) >= 500000);
}

/* Active pages age pass by pass without a rest, down to the first that can go. */
static uint64_t
time_to_age(bool rest_full)
{
	struct vm_object *object;
	uint64_t begin;
	uint32_t i;

	boot(2048, 1024);
	mm_params.pageout_rest_full = rest_full;
	object = vm_object_allocate(256);
	for (i = 0; i < 200; i++)
		sim_swap_page(object, i, PQ_ACTIVE, true)->act_count = 9;
	sim_swap_leave_free(20);
	begin = timer_now_us();
	vm_wait(vmd);
	begin = timer_now_us() - begin;
	vm_object_deallocate(object);
	return (begin);
}

RUN_TEST(worker_does_not_rest_while_pages_age)
{
	(void)arg;
	assert_true(time_to_age(false) < 100000);
}

RUN_TEST(worker_ages_by_half_seconds_in_classic_mode)
{
	uint64_t us;

	(void)arg;
	us = time_to_age(true); /* passes 1 to 9 age, 10 writes, 11 frees */
	assert_in_range(us, 8 * 500000, 10 * 500000);
}

/* ---- as a whole */

static void
write_and_verify(struct vmspace *vm, uint32_t pages, uint32_t rounds)
{
	uint32_t round, i;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < pages; i++)
			assert_int_equal(sim_swap_store(vm, i, round), 0);
		for (i = 0; i < pages; i++)
			assert_int_equal(sim_swap_verify(vm, i, round), 0);
	}
}

RUN_TEST(paging_program_four_times_its_memory)
{
	struct vmspace *vm;

	(void)arg;
	boot(512, 4096);
	vm = sim_swap_space(2048);
	write_and_verify(vm, 2048, 2);
	sim_mm_check();
	assert_true(mm_params.v_swappgsout >= 2048);
	assert_int_equal(sim_kill_count, 0);
	vmspace_free(vm);
	assert_int_equal(swap_pager_avail(), swap_pager_total());
	sim_mm_check();
}

/* Every k-th write fails; nothing is lost. */
RUN_TEST(paging_survives_failing_writes)
{
	struct vmspace *vm;

	(void)arg;
	boot(512, 8192);
	sim_swap_disk.write_error_every = 7;
	vm = sim_swap_space(1024);
	write_and_verify(vm, 1024, 2);
	sim_mm_check();
	assert_true(mm_params.v_pageout_errors > 0);
	assert_int_equal(sim_kill_count, 0);
	vmspace_free(vm);
}

static uint32_t programs_running;

static void
hog(void *arg)
{
	struct vm_client *client = arg;
	uint32_t i, round;
	int error = 0;

	for (round = 0; error == 0 && round < 4; round++)
		for (i = 0; error == 0 && i < 500; i++)
			error = sim_swap_store(client->vmspace, i, client->pid);
	for (i = 0; error == 0 && i < 500; i++)
		error = sim_swap_verify(client->vmspace, i, client->pid);
	assert_true(error == 0 || (error == ERR_KILLED && client->vmspace->killed));
	vmspace_free(client->vmspace);
	client->vmspace = NULL; /* gone: from now on nobody's victim */
	client->flags = VM_CLIENT_SYSTEM;
	programs_running--;
}

/* Four hogs on memory and swap for two: some die, the others end well (OOM-4). */
RUN_TEST(paging_four_hogs_the_system_lives)
{
	struct task *t;
	uint32_t pid;

	(void)arg;
	boot(512, 600);
	programs_running = 4;
	for (pid = 60; pid < 64; pid++) {
		struct vm_client *client = sim_client_add(pid, 0, 0);

		vmspace_free(client->vmspace);
		client->vmspace = sim_swap_space(500);
		assert_int_equal(task_create(&t, "hog", PRI_NORMAL, hog, client), 0);
	}
	while (programs_running > 0)
		pass_time(100000);
	assert_in_range(sim_kill_count, 1, 3);
	assert_int_equal(swap_pager_avail(), swap_pager_total());
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_T1_two_passes_then_one_each_half_second),
		cmocka_unit_test(worker_T2_relief_brings_back_the_second),
		cmocka_unit_test(worker_T3_no_wakeup_is_lost),
		cmocka_unit_test(worker_T4_never_waits_for_itself),
		cmocka_unit_test(worker_T5_waiters_wake_at_min_kernel_first),
		cmocka_unit_test(worker_rest_ends_with_the_last_write),
		cmocka_unit_test(worker_does_not_rest_after_writes_that_are_back),
		cmocka_unit_test(worker_rest_is_full_in_classic_mode),
		cmocka_unit_test(worker_does_not_rest_while_pages_age),
		cmocka_unit_test(worker_ages_by_half_seconds_in_classic_mode),
		cmocka_unit_test(paging_program_four_times_its_memory),
		cmocka_unit_test(paging_survives_failing_writes),
		cmocka_unit_test(paging_four_hogs_the_system_lives),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
