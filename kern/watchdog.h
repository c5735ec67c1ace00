/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog: hardware that resets the board unless it is reloaded in time.
 *
 * What counts as alive: task "watchdog" gets the core (so timer interrupts, the scheduler and
 * every task before it work), and every check that has been added finds either that nobody
 * waits or that there was progress within WATCHDOG_STALL_US.
 */
#ifndef KERN_WATCHDOG_H
#define KERN_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define WATCHDOG_STALL_US 60000000u /* waiting this long without progress is a hang */

/* hw.watchdog.state */
enum watchdog_state { WATCHDOG_NONE, WATCHDOG_IDLE, WATCHDOG_ARMED, WATCHDOG_STALLED };

/* CONTRACT with drivers. Any context; none yields. */
struct watchdog_dev {
	const char *name;
	void (*load)(uint32_t seconds); /* arm, or begin anew; 1 to 15 */
	uint64_t (*left_us)(void);      /* until the reset, while armed */
	uint32_t (*cause)(void);        /* why the last reset came, the hardware's bits */
	const char *(*cause_words)(uint32_t cause);
};

/* The board has this one. Boot, before tasks. */
void watchdog_attach(const struct watchdog_dev *dev);

/* check says whether somebody waits for something, and *progress changes whenever some of it
 * is done. At most WATCHDOG_CHECKS_MAX; boot. */
#define WATCHDOG_CHECKS_MAX 4u
void watchdog_add_check(const char *name, bool (*check)(uint64_t *progress));

/*
 * Boot argument watchdog=: arm it and start the task that reloads it, four times in each
 * period; or a line that says why not. QEMU resets at the moment of arming: where the counter
 * is QEMU's it is armed only if insist is set and no former boot is known, so once. Errors of
 * task_create; then nothing has been armed. May yield.
 */
int watchdog_start(uint32_t seconds, bool insist) ERR_MUST_CHECK;

/* One turn of the task at now_us: reload or not. For the task and for tests. */
void watchdog_turn(uint64_t now_us);

/* In a panic: a full period for its text, the last. Seconds until the reset, 0: none comes. */
uint32_t watchdog_panic(void);

#endif
