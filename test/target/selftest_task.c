/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests of tasks, their stacks, the timer and interrupts.
 *
 * Owns: nothing.
 * Does not: measure speed; times only bound how long a test may take.
 * Invariants: none.
 * Yields: all.
 * See: test/target/self_*.test.
 */
#include <stddef.h>
#include <string.h>

#include "kern/kern_params.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "mm/vm_meter.h"
#include "test/target/selftest.h"

#define TASKS 8
#define ROUNDS 1000

static uint32_t turns[TASKS];
static uint32_t running;

/* Values that live in preserved registers across each switch. */
static void
worker(void *arg)
{
	uint32_t n = (uint32_t)(uintptr_t)arg;
	uint64_t a = n, b = n * 3, c = n * 5, d = n * 7, e = n * 11, f = n * 13;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		sched_yield();
		a += 1, b += 2, c += 3, d += 4, e += 5, f += 6;
	}
	if (a == n + ROUNDS && b == n * 3 + 2 * ROUNDS && c == n * 5 + 3 * ROUNDS &&
	    d == n * 7 + 4 * ROUNDS && e == n * 11 + 5 * ROUNDS && f == n * 13 + 6 * ROUNDS)
		turns[n] = ROUNDS;
	if (--running == 0)
		wakeup(&running);
}

bool
selftest_tasks(void)
{
	struct task *t;

	for (uint32_t n = 0; n < TASKS; n++) {
		running++;
		EXPECT(task_create(&t, "worker", PRI_NORMAL, worker, (void *)(uintptr_t)n) == 0);
	}
	while (running != 0)
		tsleep(&running, "workers", SLEEP_FOREVER);
	for (uint32_t n = 0; n < TASKS; n++)
		EXPECT(turns[n] == ROUNDS);
	return (true);
}

static void
short_life(void *arg)
{
	volatile char deep[8192];

	memset((char *)deep, 0x5a, sizeof(deep));
	*(uint32_t *)arg += deep[17] == 0x5a;
	wakeup(arg);
}

/* Stacks come back: many more tasks than fit at once, and no page is lost. */
bool
selftest_stacks(void)
{
	static uint32_t ended;
	uint32_t before = 0;
	struct task *t;

	for (uint32_t i = 0; i < 3000; i++) {
		EXPECT(task_create(&t, "short", PRI_NORMAL, short_life, &ended) == 0);
		while (ended <= i)
			tsleep(&ended, "short", SLEEP_FOREVER);
		sched_yield();
		if (i == 100)
			before = vm_domains[0].v_free_count;
	}
	EXPECT(ended == 3000);
	EXPECT(vm_domains[0].v_free_count == before);
	return (true);
}

#define MANY 700 /* more than the stack tables of boot reach */

static uint32_t present;
static bool go_home;

static void
wait_and_leave(void *arg)
{
	(void)arg;
	present++;
	while (!go_home)
		tsleep(&go_home, "crowd", SLEEP_FOREVER);
	if (--present == 0)
		wakeup(&present);
}

static bool
crowd(void)
{
	struct task *t;

	go_home = false;
	for (uint32_t i = 0; i < MANY; i++)
		EXPECT(task_create(&t, "crowd", PRI_NORMAL, wait_and_leave, NULL) == 0);
	while (present < MANY)
		sched_yield();
	go_home = true;
	wakeup(&go_home);
	while (present > 0)
		tsleep(&present, "crowd", SLEEP_FOREVER);
	sched_yield();
	return (true);
}

/* Many stacks at once; the tables for them stay, everything else comes back. */
bool
selftest_crowd(void)
{
	uint32_t before;

	EXPECT(crowd());
	before = vm_domains[0].v_free_count;
	EXPECT(crowd());
	EXPECT(vm_domains[0].v_free_count == before);
	return (true);
}

/* Without memory a task is refused, and nothing is lost by trying. */
bool
selftest_no_memory(void)
{
	uint32_t count = 0, before = vm_domains[0].v_free_count;
	struct task *t;

	go_home = false;
	while (task_create(&t, "crowd", PRI_NORMAL, wait_and_leave, NULL) == 0)
		count++;
	kprintf("%u tasks fit\n", (unsigned int)count);
	EXPECT(count > 50);
	EXPECT(vm_domains[0].v_free_count + 4 * count <= before);
	while (present < count)
		sched_yield();
	go_home = true;
	wakeup(&go_home);
	while (present > 0)
		tsleep(&present, "crowd", SLEEP_FOREVER);
	sched_yield();
	EXPECT(vm_domains[0].v_free_count + 16 >= before);
	return (true);
}

bool
selftest_timer(void)
{
	static int channel;
	uint64_t start = timer_now_us();
	uint64_t last = start;

	for (uint32_t i = 0; i < 20; i++) {
		EXPECT(tsleep(&channel, "timer", 10000) == ERR_TIMEDOUT);
		EXPECT(timer_now_us() >= last + 10000);
		last = timer_now_us();
	}
	EXPECT(last - start >= 200000);
	EXPECT(cpu_cycles_per_second() > 1000000);
	return (true);
}

static void
fired(void *arg)
{
	bool *in_irq = arg;

	*in_irq = sched_in_irq();
	wakeup(arg);
}

/* A callout runs in interrupt context, also while the core spins with interrupts on,
 * and not while they are masked. */
bool
selftest_irq(void)
{
	static volatile bool in_irq;
	static struct callout callout;
	uint64_t saved, deadline;

	callout_reset(&callout, 2000, fired, (void *)&in_irq);
	deadline = timer_now_us() + 1000000;
	while (!in_irq && timer_now_us() < deadline)
		continue;
	EXPECT(in_irq);
	in_irq = false;
	saved = intr_disable();
	callout_reset(&callout, 2000, fired, (void *)&in_irq);
	deadline = timer_now_us() + 20000;
	while (timer_now_us() < deadline)
		continue;
	EXPECT(!in_irq);
	intr_restore(saved);
	deadline = timer_now_us() + 1000000;
	while (!in_irq && timer_now_us() < deadline)
		continue;
	EXPECT(in_irq);
	return (true);
}
