/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between kern/sched.c and kern/task.c; nobody else includes it.
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

#endif
