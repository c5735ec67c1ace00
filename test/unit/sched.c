/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/sched.c and kern/task.c under the simulated machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kern/kern_params.h"
#include "kern/sched.h"
#include "test/host/sim_machdep.h"

static char order[64];

static void
note(char c)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof(order));
	order[n] = c;
	order[n + 1] = '\0';
}

static struct task *
spawn(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	struct task *t = NULL;

	assert_int_equal(task_create(&t, name, priority, fn, arg), 0);
	return (t);
}

static void
note_arg(void *arg)
{
	note(*(const char *)arg);
}

/* ---- priorities */

static void
priorities_body(void *arg)
{
	(void)arg;
	order[0] = '\0';
	spawn("n1", PRI_NORMAL, note_arg, "1");
	spawn("n2", PRI_NORMAL, note_arg, "2");
	spawn("io", PRI_IO, note_arg, "i");
	spawn("fault", PRI_FAULT, note_arg, "f");
	assert_int_equal(sched_runnable_count(), 4);
	sched_maybe_yield(); /* the better ones only, in their order */
	assert_string_equal(order, "if");
	sched_yield();
	assert_string_equal(order, "if12");
	sched_yield(); /* nobody: comes straight back */
	assert_int_equal(sched_runnable_count(), 0);
}

SIM_TEST(priorities)

/* ---- sleep and wakeup */

static int chan_a, chan_b;
static struct proc *const some_proc = (struct proc *)&chan_a;

static void
sleeper(void *arg)
{
	assert_int_equal(tsleep(&chan_a, "sleepa", SLEEP_FOREVER), 0);
	note(*(const char *)arg);
}

static void
wakeup_body(void *arg)
{
	(void)arg;
	order[0] = '\0';
	wakeup(&chan_a); /* no sleeper: nothing */
	assert_false(wakeup_one(&chan_a));
	spawn("1", PRI_NORMAL, sleeper, "1");
	spawn("2", PRI_NORMAL, sleeper, "2");
	spawn("3", PRI_NORMAL, sleeper, "3");
	sched_yield();
	wakeup(&chan_b);
	assert_int_equal(sched_runnable_count(), 0);
	assert_true(wakeup_one(&chan_a)); /* the longest sleeper */
	sched_yield();
	assert_string_equal(order, "1");
	wakeup(&chan_a);
	sched_yield();
	assert_string_equal(order, "123");
	assert_false(wakeup_one(&chan_a));
}

SIM_TEST(wakeup)

/* Two channels in one bucket: a wakeup on the one leaves the other asleep. */
static uint8_t same_bucket[64 * 4096 + 1];

static void
bucket_sleeper(void *arg)
{
	tsleep(arg, "bucket", SLEEP_FOREVER);
	note('x');
}

static void
bucket_body(void *arg)
{
	(void)arg;
	order[0] = '\0';
	for (uintptr_t i = 0; i < 65; i++)
		spawn("bucket", PRI_NORMAL, bucket_sleeper, &same_bucket[i * 4096]);
	sched_yield();
	wakeup(&same_bucket[64 * 4096]);
	sched_yield();
	assert_string_equal(order, "x");
}

SIM_TEST(bucket)

/* ---- timeouts */

static void
timeout_body(void *arg)
{
	uint64_t start = timer_now_us();
	uint64_t passed;

	(void)arg;
	assert_int_equal(tsleep(&chan_a, "timeout", 5000), ERR_TIMEDOUT);
	passed = timer_now_us() - start;
	assert_in_range(passed, 5000, 5010);
	assert_false(curtask()->sleep_timer.pending);
}

SIM_TEST(timeout)

static void
wake_a(void *arg)
{
	(void)arg;
	wakeup(&chan_a);
}

static void
timeout_cancelled_body(void *arg)
{
	static struct sim_event event;
	uint64_t start = timer_now_us();

	(void)arg;
	sim_event_schedule(&event, 1000, wake_a, NULL);
	assert_int_equal(tsleep(&chan_a, "cancel", 5000), 0);
	assert_in_range(timer_now_us() - start, 1000, 1010);
	assert_false(curtask()->sleep_timer.pending);
	sim_advance_us(10000); /* the callout is gone: nothing happens */
	assert_int_equal(curtask()->state, TASK_RUNNING);
	/* The whole wait was idle. */
	assert_in_range(timer_cycles_to_us(sched_idle_cycles()), 990, 1010);
}

SIM_TEST(timeout_cancelled)

/* ---- wakeup_task, wakeup_pri, set_priority */

static int killed_result;

static void
killed_sleeper(void *arg)
{
	(void)arg;
	killed_result = tsleep(&chan_a, "killed", SLEEP_FOREVER);
}

static void
wakeup_task_body(void *arg)
{
	struct task *t = spawn("victim", PRI_NORMAL, killed_sleeper, NULL);

	(void)arg;
	killed_result = 1;
	wakeup_task(t); /* runnable, not asleep: nothing */
	sched_yield();
	assert_string_equal(t->wmesg, "killed");
	assert_int_equal(t->state, TASK_SLEEPING);
	wakeup_task(t);
	sched_yield();
	assert_int_equal(killed_result, ERR_TIMEDOUT);
}

SIM_TEST(wakeup_task)

static void
pri_sleeper(void *arg)
{
	tsleep(&chan_a, "pri", SLEEP_FOREVER);
	assert_int_equal(curtask()->priority, PRI_NORMAL); /* restored once it runs */
	note(*(const char *)arg);
	tsleep(&chan_b, "pri2", SLEEP_FOREVER);
	note(*(const char *)arg);
}

static void
wakeup_pri_body(void *arg)
{
	struct task *t;

	(void)arg;
	order[0] = '\0';
	t = spawn("pri", PRI_NORMAL, pri_sleeper, "p");
	sched_yield();
	spawn("other", PRI_FAULT, note_arg, "o");
	wakeup_pri(&chan_a, PRI_VMWAIT);
	assert_int_equal(t->priority, PRI_VMWAIT);
	assert_int_equal(t->base_priority, PRI_NORMAL);
	sched_maybe_yield(); /* the woken one before the fault-priority one */
	assert_string_equal(order, "po");
	wakeup_pri(&chan_b, PRI_IDLE); /* never worse than its own */
	assert_int_equal(t->priority, PRI_NORMAL);
}

SIM_TEST(wakeup_pri)

static void
set_priority_body(void *arg)
{
	struct task *t;

	(void)arg;
	order[0] = '\0';
	spawn("first", PRI_NORMAL, note_arg, "1");
	t = spawn("raised", PRI_NORMAL, note_arg, "2");
	sched_set_priority(t, PRI_PAGEOUT);
	sched_set_priority(curtask(), PRI_FAULT);
	sched_maybe_yield();
	assert_string_equal(order, "2");
	sched_set_priority(curtask(), PRI_IDLE);
	sched_maybe_yield();
	assert_string_equal(order, "21");
	/* A program that runs is told of a waiting task that is raised above it. */
	sched_set_priority(curtask(), PRI_NORMAL);
	curtask()->proc = some_proc;
	t = spawn("third", PRI_NORMAL, note_arg, "3");
	assert_false(curtask()->ast_pending);
	sched_set_priority(t, PRI_PAGEOUT);
	assert_true(curtask()->ast_pending);
}

SIM_TEST(set_priority)

/* ---- msleep against an interrupt */

static struct irq_lock lost_lock;
static bool done_flag;

static void
set_done(void *arg)
{
	(void)arg;
	irq_lock_acquire(&lost_lock);
	done_flag = true;
	irq_lock_release(&lost_lock);
	wakeup(&done_flag);
}

/* The interrupt falls due while the lock is held, between test and sleep. */
static void
lost_wakeup_body(void *arg)
{
	static struct sim_event event;

	(void)arg;
	for (uint64_t delay_us = 0; delay_us < 20; delay_us++) {
		done_flag = false;
		sim_event_schedule(&event, delay_us, set_done, NULL);
		irq_lock_acquire(&lost_lock);
		while (!done_flag) {
			sim_advance_us(5); /* masked: nothing is delivered */
			assert_int_equal(msleep(&done_flag, &lost_lock, "done", 0), 0);
			assert_true(lost_lock.held);
			assert_false(intr_enabled());
		}
		irq_lock_release(&lost_lock);
		assert_true(intr_enabled());
	}
}

SIM_TEST(lost_wakeup)

/* The wrong way is noticed: test, let the interrupt in, then sleep for ever. */
static void
deadlock_body(void *arg)
{
	static struct sim_event event;

	(void)arg;
	done_flag = false;
	sim_event_schedule(&event, 1, set_done, NULL);
	if (!done_flag) {
		sim_advance_us(10);
		tsleep(&done_flag, "lost", SLEEP_FOREVER);
	}
}

static void
test_deadlock(void **state)
{
	(void)state;
	sim_run_expect("deadlock", deadlock_body, NULL);
}

/* ---- rules */

static void
irq_sleeps(void *arg)
{
	(void)arg;
	tsleep(&chan_a, "irq", SLEEP_FOREVER);
}

static void
rules_irq_body(void *arg)
{
	static struct sim_event event;

	(void)arg;
	sim_event_schedule(&event, 1, irq_sleeps, NULL);
	sim_advance_us(10);
}

static void
rules_masked_body(void *arg)
{
	(void)arg;
	(void)intr_disable();
	SIM_EXPECT_ASSERT("S2", sched_yield());
	SIM_EXPECT_ASSERT("L2", tsleep(&chan_a, "masked", SLEEP_FOREVER));
	intr_restore(0);
	SIM_EXPECT_ASSERT("L2", msleep(&chan_a, &lost_lock, "nolock", SLEEP_FOREVER));
	SIM_EXPECT_ASSERT("L3", tsleep(NULL, "nochan", SLEEP_FOREVER));
}

static void
test_rules(void **state)
{
	sim_run_expect("L2", rules_irq_body, NULL);
	memset(&lost_lock, 0, sizeof(lost_lock));
	sim_run(rules_masked_body, state);
}

/* ---- ending */

static uint32_t ended;

static void
end_at_once(void *arg)
{
	(void)arg;
	ended++;
	if (ended % 2 == 0)
		task_exit();
}

static uint32_t
task_count(void)
{
	uint32_t count = 0;
	uint32_t id = 0;

	for (struct task *t = task_next(NULL); t != NULL; t = task_next(t)) {
		assert_true(t->id > id);
		id = t->id;
		count++;
	}
	return (count);
}

/* AddressSanitizer sees a stack that is used after it was freed. */
static void
ending_body(void *arg)
{
	(void)arg;
	ended = 0;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 5; i++)
			spawn("short", i % 2 ? PRI_NORMAL : PRI_IO, end_at_once, NULL);
		assert_int_equal(task_count(), 7); /* boot, test and five */
		tsleep(&chan_a, "wait", 1000); /* the last to end leaves the core idle */
		assert_int_equal(task_count(), 2);
	}
	assert_int_equal(ended, 100);
}

SIM_TEST(ending)

/* ---- time */

static void
account_body(void *arg)
{
	uint64_t before = curtask()->run_cycles;

	(void)arg;
	sim_advance_us(300);
	sched_maybe_yield();
	sim_advance_us(200);
	tsleep(&chan_a, "account", 10000);
	assert_in_range(timer_cycles_to_us(curtask()->run_cycles - before), 500, 520);
	assert_in_range(kern_params.run_longest_us, 300, 310);
	sched_run_longest_reset();
	assert_int_equal(kern_params.run_longest_us, 0);
	sim_advance_us(100);
	sched_maybe_yield();
	assert_in_range(kern_params.run_longest_us, 100, 110);
}

SIM_TEST(account)

/* ---- seeded scheduler */

static void
yielder(void *arg)
{
	for (int i = 0; i < 5; i++) {
		note(*(const char *)arg);
		sched_maybe_yield();
	}
}

static void
random_body(void *arg)
{
	(void)arg;
	order[0] = '\0';
	spawn("a", PRI_NORMAL, yielder, "a");
	spawn("b", PRI_IO, yielder, "b");
	spawn("c", PRI_IDLE, yielder, "c");
	while (strlen(order) < 15)
		tsleep(&chan_a, "random", 1000);
}

static void
test_random(void **state)
{
	char first[64];

	(void)state;
	sim_random_scheduler(7);
	sim_run(random_body, NULL);
	strcpy(first, order);
	sim_random_scheduler(7);
	sim_run(random_body, NULL);
	assert_string_equal(order, first); /* same seed, same order */
	sim_random_scheduler(8);
	sim_run(random_body, NULL);
	assert_string_not_equal(order, first);
	sim_random_scheduler(0);
	sim_run(random_body, NULL);
	assert_memory_equal(order, "bbbbb", 5); /* priorities again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_wakeup),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_timeout_cancelled),
		cmocka_unit_test(test_wakeup_task),
		cmocka_unit_test(test_wakeup_pri),
		cmocka_unit_test(test_set_priority),
		cmocka_unit_test(test_lost_wakeup),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_ending),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_random),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
