/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cooperative scheduler: a task gives up the core only here.
 *
 * Rules (ARCHITECTURE.md, "Yield rules"): Y1 only functions documented "May
 * yield" reach tsleep or sched_yield, which assert task context. Y2 after a
 * yield every unpinned fact is stale. Y6 what an interrupt handler shares with
 * tasks is guarded by struct irq_lock (kern/irq.h), never by bare masking.
 */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/irq.h"
#include "kern/task.h"

#define SLEEP_FOREVER 0

/* Adopt the boot thread of control as task "boot" (zeroed storage given by the
 * caller), create the run queues. Once on the board; a host test starts over with it.
 * When nobody is runnable, the last task to sleep waits for an interrupt on its own
 * stack; the boot task, in sched_idle_forever(), takes over from tasks that end. */
void sched_init(struct task *boot);
_Noreturn void sched_idle_forever(void);

/*
 * Sleep until wakeup(chan) or until timeout_us microseconds have passed
 * (SLEEP_FOREVER = no limit). wmesg says why, for ps; at most 8 characters.
 * Returns 0 or ERR_TIMEDOUT. May yield (always does).
 */
int tsleep(const void *chan, const char *wmesg, uint64_t timeout_us);

/*
 * As tsleep, for a condition that an interrupt handler changes: the caller
 * holds lock; it is released once the task is on the sleep queue, so that no
 * wakeup is lost, and taken again before return.
 */
int msleep(const void *chan, struct irq_lock *lock, const char *wmesg, uint64_t timeout_us);

/* Make every sleeper on chan runnable (wakeup_pri: with a better priority until
 * it has run). From any context, interrupt handlers included. Never yields. */
void wakeup(const void *chan);
void wakeup_pri(const void *chan, enum task_priority priority);
/* The longest sleeper only; true if there was one. */
bool wakeup_one(const void *chan);
/* End t's sleep at once with timed_out set (for kill); nothing if it does not sleep. */
void wakeup_task(struct task *t);

/* Give the core to another runnable task of equal or better priority. May yield.
 * (Its symbol differs from its name: POSIX has a function of this name, which the
 * sanitizers of host tests call.) */
void sched_yield(void) __asm__("ebb_sched_yield");

/* A yield point inside a long loop: yields only when someone of better priority,
 * or an equal one after this task's slice, waits. May yield. */
void sched_maybe_yield(void);

/* Elements a loop over pages, entries or slots may handle between two calls of
 * sched_maybe_yield (architecture: at most about 20,000 instructions). */
#define SCHED_LOOP_MAX 128

/* Change a task's base priority (the page daemon raises and lowers itself). */
void sched_set_priority(struct task *t, enum task_priority priority);

/* On the way back to EL0 (proc_ast, when task.ast_pending is set): switch if a better
 * task waits, or an equal one and the slice is used up. May yield. */
void sched_user_return(void);

/* Interrupt context marker, kept by arch around irq_dispatch. */
void sched_irq_enter(void);
void sched_irq_exit(void);
bool sched_in_irq(void);

/* Number of tasks waiting for the core (the run queue of vmstat; neither the running
 * nor the idle one counts), and time spent idle so far. */
uint32_t sched_runnable_count(void);
uint64_t sched_idle_cycles(void);
/* Boot, which had nobody to yield to, is over: kern.sched.run_longest_us begins. */
void sched_run_longest_reset(void);

/*
 * Test seam: when set, every yield point yields and the next task is the one
 * chosen by this function out of count runnable ones (0..count-1, best first).
 * NULL in production.
 */
extern uint32_t (*sched_choose)(uint32_t count);

#endif
