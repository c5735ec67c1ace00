/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleep channels: tasks that wait for an address.
 *
 *   sleepers[hash(chan)] -> t -> t      in order of going to sleep
 *
 * Owns: the sleep queues; wchan, wmesg, timed_out, slept_at_us and sleep_timer of
 *   every task.
 * Does not: choose who runs (sched.c).
 * Invariants:
 *   L1 a task is on the sleep queue of its wchan exactly while it is SLEEPING;
 *   L2 nobody sleeps with interrupts masked by anything but the lock given to msleep;
 *   L3 a sleeper has a channel;
 *   L4 queues change only with interrupts masked, and grow only in task context.
 * Yields: tsleep, msleep.
 * Complexity: wakeup without sleepers: one load and one test; else the length of
 *   the bucket.
 * See: kern/sched.h.
 */
#include "kern/sched.h"

#include <stddef.h>

#include "kern/kern_params.h"
#include "kern/sched_internal.h"
#include "lib/assert.h"

#define SLEEP_BUCKETS 64u

TAILQ_HEAD(sleep_queue, task);

static struct sleep_queue sleepers[SLEEP_BUCKETS];

void
sleep_queues_reset(void)
{
	for (uint32_t i = 0; i < SLEEP_BUCKETS; i++)
		TAILQ_INIT(&sleepers[i]);
}

static inline struct sleep_queue *
bucket_of(const void *chan)
{
	uintptr_t a = (uintptr_t)chan;

	return (&sleepers[(a >> 6 ^ a >> 12) % SLEEP_BUCKETS]);
}

static void
sleep_timeout(void *arg)
{
	wakeup_task(arg);
}

/* Interrupts masked: from the run to a sleep queue and away. */
static void
sleep_on(struct task *me, const void *chan, const char *wmesg, uint64_t timeout_us)
{
	KASSERT(chan != NULL, "L3: a sleeper has a channel");
	kern_params.sleeps++;
	me->slice_used_cycles = 0;
	me->wchan = chan;
	me->wmesg = wmesg;
	me->slept_at_us = timer_now_us();
	me->state = TASK_SLEEPING;
	TAILQ_INSERT_TAIL(bucket_of(chan), me, run_link);
	if (timeout_us != SLEEP_FOREVER)
		callout_reset(&me->sleep_timer, timeout_us, sleep_timeout, me);
	sched_switch_away(me);
}

int
tsleep(const void *chan, const char *wmesg, uint64_t timeout_us)
{
	struct task *me = curtask();
	uint64_t saved = intr_disable();

	KASSERT(saved == 0, "L2: nobody sleeps with interrupts masked");
	sleep_on(me, chan, wmesg, timeout_us);
	intr_restore(saved);
	sched_reap();
	return (me->timed_out ? ERR_TIMEDOUT : 0);
}

int
msleep(const void *chan, struct irq_lock *lock, const char *wmesg, uint64_t timeout_us)
{
	struct task *me = curtask();

	KASSERT(lock->held && lock->saved == 0, "L2: msleep holds its lock and no other");
	lock->held = false;
	sleep_on(me, chan, wmesg, timeout_us);
	/* Still masked: the lock is taken again without a gap, then let go to reap. */
	lock->saved = 0;
	lock->held = true;
	if (sched_reap_pending()) {
		irq_lock_release(lock);
		sched_reap();
		irq_lock_acquire(lock);
	}
	return (me->timed_out ? ERR_TIMEDOUT : 0);
}

/* Interrupts masked: t's sleep is over. */
static void
sleep_end(struct task *t, enum task_priority priority, bool timed_out)
{
	TAILQ_REMOVE(bucket_of(t->wchan), t, run_link);
	callout_stop(&t->sleep_timer);
	t->wchan = NULL;
	t->wmesg = NULL;
	t->timed_out = timed_out;
	if (priority < t->priority)
		t->priority = priority;
	kern_params.wakeups++;
	sched_make_runnable(t);
}

/*
 * Wake the first limit sleepers on chan; true if there was one. Out of line, so that
 * a wakeup that finds its bucket empty saves no registers.
 */
static __attribute__((noinline)) bool
wake(const void *chan, enum task_priority priority, uint32_t limit)
{
	struct task *t, *next;
	uint32_t left = limit;
	uint64_t saved = intr_disable();

	TAILQ_FOREACH_SAFE(t, bucket_of(chan), run_link, next) {
		if (t->wchan != chan)
			continue;
		sleep_end(t, priority, false);
		if (--left == 0)
			break;
	}
	intr_restore(saved);
	return (left != limit);
}

/* Without the mask: tasks alone go to sleep, and one that is about to, on a condition
 * of an interrupt handler, has interrupts masked (L4). */
static inline bool
nobody_on(const void *chan)
{
	return (TAILQ_FIRST(bucket_of(chan)) == NULL);
}

void
wakeup(const void *chan)
{
	if (!nobody_on(chan))
		wake(chan, PRI_COUNT, UINT32_MAX);
}

void
wakeup_pri(const void *chan, enum task_priority priority)
{
	if (!nobody_on(chan))
		wake(chan, priority, UINT32_MAX);
}

bool
wakeup_one(const void *chan)
{
	return (!nobody_on(chan) && wake(chan, PRI_COUNT, 1));
}

void
wakeup_task(struct task *t)
{
	uint64_t saved = intr_disable();

	if (t->state == TASK_SLEEPING)
		sleep_end(t, PRI_COUNT, true);
	intr_restore(saved);
}
