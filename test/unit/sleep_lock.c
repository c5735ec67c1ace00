/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/sleep_lock.c: one owner, nobody forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "kern/sleep_lock.h"
#include "test/host/sim_machdep.h"

#define TASKS  8u
#define ROUNDS 200u

static struct sleep_lock lock;

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
	lock = (struct sleep_lock){ .owner = NULL };
	sleep_lock_refuse = NULL;
}

/* Own the lock for so many microseconds. */
static void
holder(void *arg)
{
	sleep_lock_acquire(&lock);
	tsleep(arg, "hold", *(uint64_t *)arg);
	sleep_lock_release(&lock);
}

static void
hold_for(uint64_t us)
{
	static uint64_t kept_us;
	struct task *t;

	kept_us = us;
	assert_int_equal(task_create(&t, "holder", PRI_IO, holder, &kept_us), 0);
	tsleep(&t, "start", 1);
}

RUN_TEST(sleep_lock_has_one_owner)
{
	(void)arg;
	boot();
	assert_false(sleep_lock_owned(&lock));
	assert_true(sleep_lock_try(&lock));
	assert_true(sleep_lock_owned(&lock));
	assert_false(sleep_lock_held(&lock)); /* not by another task */
	assert_false(sleep_lock_try(&lock));
	SIM_EXPECT_ASSERT("S1", sleep_lock_acquire(&lock));
	SIM_EXPECT_ASSERT("S1", (void)!sleep_lock_acquire_timed(&lock, 1));
	sleep_lock_release(&lock);
	SIM_EXPECT_ASSERT("S2", sleep_lock_release(&lock));
	assert_int_equal(sleep_lock_acquire_timed(&lock, 0), 0);
	sleep_lock_release(&lock);
}

RUN_TEST(sleep_lock_of_another_task)
{
	uint64_t begin = timer_now_us();

	(void)arg;
	boot();
	hold_for(5000);
	assert_true(sleep_lock_held(&lock));
	assert_false(sleep_lock_try(&lock));
	SIM_EXPECT_ASSERT("S2", sleep_lock_release(&lock));
	sleep_lock_acquire(&lock);
	assert_in_range(timer_now_us() - begin, 5000, 6000);
	assert_int_equal(lock.waiters, 0);
	sleep_lock_release(&lock);
}

RUN_TEST(sleep_lock_timed)
{
	uint64_t begin;

	(void)arg;
	boot();
	hold_for(9000);
	begin = timer_now_us();
	assert_int_equal(sleep_lock_acquire_timed(&lock, 2000), ERR_TIMEDOUT);
	assert_in_range(timer_now_us() - begin, 2000, 3000);
	assert_false(sleep_lock_owned(&lock));
	assert_int_equal(sleep_lock_acquire_timed(&lock, 0), ERR_TIMEDOUT);
	assert_int_equal(sleep_lock_acquire_timed(&lock, 50000), 0);
	assert_true(sleep_lock_owned(&lock));
	assert_in_range(timer_now_us() - begin, 8000, 10000);
	assert_int_equal(lock.waiters, 0);
	sleep_lock_release(&lock);
}

static bool
refuse_all(const struct sleep_lock *l)
{
	assert_ptr_equal(l, &lock);
	return (true);
}

RUN_TEST(sleep_lock_try_can_be_refused)
{
	(void)arg;
	boot();
	sleep_lock_refuse = refuse_all;
	assert_false(sleep_lock_try(&lock));
	sleep_lock_acquire(&lock); /* only a try */
	sleep_lock_refuse = NULL;
	sleep_lock_release(&lock);
	assert_true(sleep_lock_try(&lock));
	sleep_lock_release(&lock);
}

static uint32_t arrived;

static void
waiter(void *arg)
{
	(void)arg;
	sleep_lock_wait(&lock);
	arrived++;
}

static void
taker(void *arg)
{
	(void)arg;
	sleep_lock_acquire(&lock);
	arrived++;
	sleep_lock_release(&lock);
}

/* S3: who only waited passes the wakeup on. */
RUN_TEST(sleep_lock_wait_forgets_nobody)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	arrived = 0;
	assert_true(sleep_lock_try(&lock));
	for (i = 0; i < 6; i++)
		assert_int_equal(task_create(&t, "w", PRI_NORMAL, i % 2 == 0 ? waiter : taker,
		    NULL), 0);
	tsleep(&t, "settle", 100);
	assert_int_equal(arrived, 0);
	assert_int_equal(lock.waiters, 6);
	sleep_lock_wait(&lock); /* one's own: no wait */
	sleep_lock_release(&lock);
	tsleep(&t, "settle", 100);
	assert_int_equal(arrived, 6);
	assert_int_equal(lock.waiters, 0);
	assert_null(lock.owner);
}

/* Under the seeded scheduler. */
static uint32_t inside, done, taken;

static void
crowd(void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		switch (sim_random(4)) {
		case 0:
			if (!sleep_lock_try(&lock))
				continue;
			break;
		case 1:
			if (sleep_lock_acquire_timed(&lock, 1 + sim_random(20)) != 0)
				continue;
			break;
		case 2:
			sleep_lock_wait(&lock);
			continue;
		default:
			sleep_lock_acquire(&lock);
		}
		assert_int_equal(inside++, 0);
		taken++;
		tsleep(&inside, "inside", 1 + sim_random(10));
		assert_int_equal(--inside, 0);
		sleep_lock_release(&lock);
	}
	done++;
}

RUN_TEST(sleep_lock_crowd)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	inside = done = taken = 0;
	sim_random_scheduler(sim_seed(7));
	for (i = 0; i < TASKS; i++)
		assert_int_equal(task_create(&t, "crowd", PRI_NORMAL, crowd, NULL), 0);
	while (done < TASKS)
		tsleep(&t, "crowd", 1000);
	sim_random_scheduler(0);
	assert_true(taken > TASKS * ROUNDS / 4);
	assert_null(lock.owner);
	assert_int_equal(lock.waiters, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleep_lock_has_one_owner),
		cmocka_unit_test(sleep_lock_of_another_task),
		cmocka_unit_test(sleep_lock_timed),
		cmocka_unit_test(sleep_lock_try_can_be_refused),
		cmocka_unit_test(sleep_lock_wait_forgets_nobody),
		cmocka_unit_test(sleep_lock_crowd),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
