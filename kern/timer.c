/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock and the callouts, over one one-shot hardware timer.
 *
 * Callouts wait in a list ordered by deadline. There are few at a time (one per
 * task with a timed sleep, one for the slice), and most are stopped before they
 * fire, so a list beats a wheel. The hardware is armed for the head only, and
 * left armed when the head is stopped: an early interrupt finds nothing due and
 * arms the next, which is cheaper than arming at every stop.
 *
 * Owns: the callout list, the boot time, what the hardware is armed for.
 * Does not: run anything but callout functions in interrupt context.
 * Invariants:
 *   T1 the list is ordered by deadline, equal ones in order of arrival;
 *   T2 the hardware is armed no later than the head's deadline;
 *   T3 a callout is off the list, and may be reset again, when its fn is called;
 *   T4 timer_delay is for at most a millisecond.
 * Yields: never.
 * Complexity: reset O(pending), from the far end; stop O(1).
 * See: kern/timer.h.
 */
#include "kern/timer.h"

#include <stddef.h>

#include "kern/irq.h"
#include "kern/kern_params.h"
#include "kern/machdep.h"
#include "lib/assert.h"

#define US_PER_SECOND 1000000u
/* Longest delay, 142 years: keeps the arithmetic below inside 64 bits. */
#define DELAY_US_MAX  (1ull << 52)

static TAILQ_HEAD(callout_list, callout) pending = TAILQ_HEAD_INITIALIZER(pending);
static struct irq_lock lock;
static uint64_t boot_cycles;
static uint64_t armed_cycles = UINT64_MAX;

void
timer_init(void)
{
	TAILQ_INIT(&pending);
	boot_cycles = get_cyclecount();
	armed_cycles = UINT64_MAX;
}

uint64_t
timer_cycles_to_us(uint64_t cycles)
{
	uint64_t hz = cpu_cycles_per_second();

	/* In two parts, so that the product stays small. */
	return (cycles / hz * US_PER_SECOND + cycles % hz * US_PER_SECOND / hz);
}

uint64_t
timer_us_to_cycles(uint64_t us)
{
	uint64_t hz = cpu_cycles_per_second();

	if (us > DELAY_US_MAX)
		us = DELAY_US_MAX;
	/* Rounded up: a delay is never shorter than asked for. */
	return (us / US_PER_SECOND * hz +
	    (us % US_PER_SECOND * hz + US_PER_SECOND - 1) / US_PER_SECOND);
}

uint64_t
timer_now_us(void)
{
	return (timer_cycles_to_us(get_cyclecount() - boot_cycles));
}

static void
arm(uint64_t deadline_cycles)
{
	armed_cycles = deadline_cycles;
	cpu_timer_arm(deadline_cycles);
}

/* Put c where it belongs; most deadlines lie behind those already there. */
static void
insert(struct callout *c)
{
	struct callout *before = TAILQ_LAST(&pending, callout_list);

	while (before != NULL && before->deadline_cycles > c->deadline_cycles)
		before = TAILQ_PREV(before, callout_list, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&pending, c, link);
	else
		TAILQ_INSERT_AFTER(&pending, before, c, link);
}

void
callout_reset(struct callout *c, uint64_t delay_us, void (*fn)(void *arg), void *arg)
{
	uint64_t delay_cycles = timer_us_to_cycles(delay_us);

	irq_lock_acquire(&lock);
	if (c->pending)
		TAILQ_REMOVE(&pending, c, link);
	/* At least one tick ahead, so that timer_interrupt always comes to an end. */
	c->deadline_cycles = get_cyclecount() + (delay_cycles > 0 ? delay_cycles : 1);
	c->fn = fn;
	c->arg = arg;
	c->pending = true;
	insert(c);
	if (c->deadline_cycles < armed_cycles)
		arm(c->deadline_cycles);
	irq_lock_release(&lock);
}

bool
callout_stop(struct callout *c)
{
	bool was_pending;

	if (!c->pending)
		return (false);
	irq_lock_acquire(&lock);
	was_pending = c->pending;
	if (was_pending) {
		TAILQ_REMOVE(&pending, c, link);
		c->pending = false;
	}
	irq_lock_release(&lock);
	return (was_pending);
}

/* Take the first callout that is due off the list, or arm for the one that is not. */
static struct callout *
take_due(uint64_t now)
{
	struct callout *c;

	irq_lock_acquire(&lock);
	c = TAILQ_FIRST(&pending);
	if (c != NULL && c->deadline_cycles <= now) {
		TAILQ_REMOVE(&pending, c, link);
		c->pending = false;
	} else {
		arm(c != NULL ? c->deadline_cycles : UINT64_MAX);
		c = NULL;
	}
	irq_lock_release(&lock);
	return (c);
}

void
timer_interrupt(void)
{
	uint64_t now = get_cyclecount();
	struct callout *c;

	while ((c = take_due(now)) != NULL) {
		kern_params.callouts++;
		c->fn(c->arg);
	}
}

void
timer_delay(uint64_t us)
{
	uint64_t start = get_cyclecount();
	uint64_t cycles = timer_us_to_cycles(us);

	KASSERT(us <= 1000, "T4: a busy wait is at most a millisecond");
	while (get_cyclecount() - start < cycles)
		continue;
}
