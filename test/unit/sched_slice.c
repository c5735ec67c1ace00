/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/sched.c: programs at EL0 that share the core by slices.
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

static int chan_a, chan_b;
static struct proc *const some_proc = (struct proc *)&chan_a;
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

/* A program at EL0: spends time, then passes through proc_ast if it is told to. */
static uint64_t spun_us;

static void
program(void *arg)
{
	for (int i = 0; i < 30; i++) {
		sim_advance_us(1000);
		if (curtask()->ast_pending) {
			curtask()->ast_pending = false;
			sched_user_return();
		}
		note(*(const char *)arg);
	}
	spun_us += 30000;
}

static void
slice_body(void *arg)
{
	uint32_t changes = 0;

	(void)arg;
	order[0] = '\0';
	kern_params.slice_us = 10000;
	spawn("a", PRI_NORMAL, program, "a")->proc = some_proc;
	spawn("b", PRI_NORMAL, program, "b")->proc = some_proc;
	while (strlen(order) < 60)
		tsleep(&chan_a, "slice", 100000);
	for (size_t i = 1; i < 60; i++)
		changes += order[i] != order[i - 1];
	assert_in_range(changes, 3, 7); /* each had its slice several times */
	assert_true(kern_params.preemptions >= 2);
}

SIM_TEST(slice)

static void
slice_never_body(void *arg)
{
	(void)arg;
	order[0] = '\0';
	kern_params.slice_us = 0;
	spawn("a", PRI_NORMAL, program, "a")->proc = some_proc;
	spawn("b", PRI_NORMAL, program, "b")->proc = some_proc;
	while (strlen(order) < 60)
		tsleep(&chan_a, "slice", 100000);
	assert_non_null(strstr(order, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbb"));
}

SIM_TEST(slice_never)

/* A better task that an interrupt wakes gets the core at the next return to EL0. */
static void
io_task(void *arg)
{
	(void)arg;
	tsleep(&chan_b, "io", SLEEP_FOREVER);
	note('!');
}

static void
wake_b(void *arg)
{
	(void)arg;
	wakeup(&chan_b);
}

static void
preempt_body(void *arg)
{
	static struct sim_event event;

	(void)arg;
	order[0] = '\0';
	spawn("io", PRI_IO, io_task, NULL);
	spawn("a", PRI_NORMAL, program, "a")->proc = some_proc;
	sim_event_schedule(&event, 3500, wake_b, NULL);
	tsleep(&chan_a, "preempt", 100000);
	assert_memory_equal(order, "aaa!a", 5);
}

SIM_TEST(preempt)

/* Interruptions by better tasks neither lengthen a slice nor cost the rest of it. */
static void
io_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 15; i++)
		tsleep(&chan_b, "often", 4000);
}

static void
slice_kept_body(void *arg)
{
	size_t run = 1, longest = 0;

	(void)arg;
	order[0] = '\0';
	spawn("io", PRI_IO, io_often, NULL);
	spawn("a", PRI_NORMAL, program, "a")->proc = some_proc;
	spawn("b", PRI_NORMAL, program, "b")->proc = some_proc;
	tsleep(&chan_a, "slice", 200000);
	assert_int_equal(strlen(order), 60);
	for (size_t i = 1; i < 50; i++) {
		run = order[i] == order[i - 1] ? run + 1 : 1;
		if (run > longest)
			longest = run;
	}
	assert_in_range(longest, 9, 21); /* a slice is 10 notes, seen up to a slice late */
	assert_true(kern_params.preemptions >= 10);
}

SIM_TEST(slice_kept)

/* A program that pages all the time, on a disk that is never idle: as soon as it
 * sleeps it is woken again, before all others. */
static bool pager_stop;

static void
disk_never_idle(void *arg)
{
	(void)arg;
	while (!pager_stop) {
		tsleep(&chan_a, "disk", SLEEP_FOREVER);
		sim_advance_us(300);
		wakeup_pri(&chan_b, PRI_FAULT);
	}
}

static void
pages_for_ever(void *arg)
{
	(void)arg;
	while (!pager_stop) {
		wakeup(&chan_a);
		tsleep(&chan_b, "pagein", SLEEP_FOREVER);
		sim_advance_us(100);
	}
}

static void
waits_its_turn(void *arg)
{
	for (int i = 0; i < 5; i++) {
		*(uint64_t *)arg = timer_now_us();
		sched_yield();
	}
	pager_stop = true;
	wakeup(&chan_a);
	wakeup(&chan_b);
}

/* S8. With starve_us = 0 it would never run while the others do. */
static void
starved_body(void *arg)
{
	uint64_t start = timer_now_us(), last = 0;

	(void)arg;
	kern_params.starve_us = 50000;
	pager_stop = false;
	spawn("io", PRI_IO, disk_never_idle, NULL);
	spawn("pager", PRI_NORMAL, pages_for_ever, NULL);
	tsleep(&order, "let go", 1000);
	spawn("poor", PRI_NORMAL, waits_its_turn, &last);
	while (!pager_stop && timer_now_us() - start < 2000000)
		tsleep(&order, "watch", 100000);
	assert_true(pager_stop);
	assert_in_range(last - start, 4 * 50000, 8 * 50000);
	tsleep(&order, "ends", 100000);
}

SIM_TEST(starved)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice),
		cmocka_unit_test(test_slice_never),
		cmocka_unit_test(test_preempt),
		cmocka_unit_test(test_slice_kept),
		cmocka_unit_test(test_starved),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
