/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arms the board's watchdog and reloads it while ebb is alive.
 *
 *             watchdog_start            a check stalls
 *   IDLE ----------------------> ARMED <---------------> STALLED ---> the board resets
 *                               reload    progress again
 *
 * Before each reload the trace goes to RAM, so that the next boot finds it: a reset by the
 * watchdog loses at most what was recorded in the last quarter of a period and the wait.
 *
 * Owns: whether it is armed; the checks and when each last saw progress.
 * Does not: know the hardware (drivers), or what the checks look at (board/main.c adds them).
 * Invariants:
 *   W1 the hardware is touched only after watchdog_start was asked for it;
 *   W2 a stall is said once, and the watchdog is not reloaded while it lasts.
 *   W3 the checks fit their table.
 * Yields: task "watchdog", watchdog_start.
 * See: kern/watchdog.h, kern/trace.h; docs/HARDWARE.md.
 */
#include "kern/watchdog.h"

#include <stddef.h>

#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/led.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define TURNS_IN_PERIOD 4u
#define US_PER_SECOND   1000000u

struct check {
	const char *name;
	bool (*fn)(uint64_t *progress);
	uint64_t progress;
	uint64_t since_us; /* of the last progress, or when nobody waited */
};

static const struct watchdog_dev *device;
static uint32_t period_s; /* 0 = not armed */
static struct check checks[WATCHDOG_CHECKS_MAX];
static uint32_t check_count;

void
watchdog_attach(const struct watchdog_dev *dev)
{
	device = dev;
	period_s = 0;
	check_count = 0;
	kern_params.watchdog_state = dev == NULL ? WATCHDOG_NONE : WATCHDOG_IDLE;
}

void
watchdog_add_check(const char *name, bool (*fn)(uint64_t *progress))
{
	KASSERT(check_count < WATCHDOG_CHECKS_MAX, "W3: room for every check");
	checks[check_count++] = (struct check){ .name = name, .fn = fn,
		.since_us = timer_now_us() };
}

/* The first check that has waited too long, or NULL. */
static const struct check *
stalled(uint64_t now_us)
{
	const struct check *found = NULL;

	for (uint32_t i = 0; i < check_count; i++) {
		struct check *c = &checks[i];
		uint64_t before = c->progress;

		if (!c->fn(&c->progress) || c->progress != before)
			c->since_us = now_us;
		else if (found == NULL && now_us - c->since_us >= WATCHDOG_STALL_US)
			found = c;
	}
	return (found);
}

void
watchdog_turn(uint64_t now_us)
{
	const struct check *c = stalled(now_us);

	trace_flush();
	if (c != NULL) {
		if (kern_params.watchdog_state != WATCHDOG_STALLED)
			kprintf("watchdog: %s: no progress for %u s; the board resets soon\n",
			    c->name, WATCHDOG_STALL_US / US_PER_SECOND);
		kern_params.watchdog_state = WATCHDOG_STALLED; /* W2 */
		return;
	}
	kern_params.watchdog_state = WATCHDOG_ARMED;
	kern_params.watchdog_left_us = (int64_t)device->left_us();
	device->load(period_s);
	kern_params.watchdog_reloads++;
}

static void
reload_forever(void *arg)
{
	(void)arg;
	for (;;) {
		watchdog_turn(timer_now_us());
		tsleep(&device, "wdog", (uint64_t)period_s * US_PER_SECOND / TURNS_IN_PERIOD);
	}
}

/* Whether watchdog= can be followed; the reason if not. */
static bool
may_arm(bool insist)
{
	if (device == NULL) {
		kprintf("watchdog: no watchdog on this board\n");
		return (false);
	}
	if (cpu_cycles_per_second() != LED_EMULATOR_HZ)
		return (true);
	if (!insist)
		kprintf("watchdog: not armed: QEMU resets at the moment of arming\n");
	else if (trace_former_count() > 0)
		kprintf("watchdog: not armed again: there was a former boot\n");
	else
		return (true);
	return (false);
}

int
watchdog_start(uint32_t seconds, bool insist)
{
	struct task *t;
	uint32_t cause;
	int err;

	if (!may_arm(insist))
		return (0);
	cause = device->cause();
	kprintf("watchdog: %s, armed for %u s; reset status %#x: %s\n", device->name,
	    (unsigned)seconds, (unsigned)cause, device->cause_words(cause));
	console_drain();
	err = task_create(&t, "watchdog", PRI_NORMAL, reload_forever, NULL);
	if (err != 0)
		return (err);
	period_s = seconds;
	kern_params.watchdog_seconds = seconds;
	kern_params.watchdog_state = WATCHDOG_ARMED;
	trace(TRACE_WATCHDOG, seconds, 1, 0);
	trace_flush();
	device->load(seconds);
	return (0);
}

uint32_t
watchdog_panic(void)
{
	if (period_s != 0)
		device->load(period_s);
	return (period_s);
}
