/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between kern/sched.c, kern/sleep.c and kern/task.c; nobody else includes it.
 */
#ifndef KERN_SCHED_INTERNAL_H
#define KERN_SCHED_INTERNAL_H

#include "kern/task.h"

/* task.c: forget all tasks (sched_init); name t, number it, put it on the list. */
void task_list_reset(void);
void task_list_add(struct task *t, const char *name, enum task_priority priority);

/* sched.c: a new task may run; the calling task has just begun to run, interrupts
 * still masked; the calling task is over. */
void sched_task_ready(struct task *t);
void sched_task_begin(void);
_Noreturn void sched_task_end(void);

/* sched.c, for sleep.c, interrupts masked. sched_make_runnable: t, on no queue, may run
 * from now on. sched_switch_away: give up the core; me already is where its state
 * (invariant S1) wants it; returns when me has been chosen again. */
void sched_make_runnable(struct task *t);
void sched_switch_away(struct task *me);
/* Interrupts enabled: free the stack of a task that ended just before the caller ran;
 * is there one? Every return from sched_switch_away is followed by it. */
void sched_reap(void);
bool sched_reap_pending(void);

/* sleep.c: nobody sleeps (sched_init). */
void sleep_queues_reset(void);

#endif
