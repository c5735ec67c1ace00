/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task: one kernel stack and the thread of control on it.
 *
 * Kernel daemons are tasks; so is the kernel side of every program. struct
 * task lies at the high end of its own stack memory, so making one is a single
 * allocation (cpu_task_prepare).
 */
#ifndef KERN_TASK_H
#define KERN_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <machine/task_md.h> /* struct md_task: saved registers, FP state */

#include "kern/timer.h"
#include "lib/err.h"

struct proc;

/*
 *            task_create            sched picks it
 *   (none) ------------> RUNNABLE <---------------> RUNNING
 *                           ^      sched_yield         |  |
 *                    wakeup |                   tsleep |  | task_exit
 *                           +------- SLEEPING <--------+  +--> ZOMBIE --(reaper)--> (none)
 */
enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE };

/* Run-queue priorities, best first. */
enum task_priority {
	PRI_IO,      /* I/O completion */
	PRI_PAGEOUT, /* the page daemon while free memory is below free_min */
	PRI_KILLED,  /* a killed program on its way out */
	PRI_VMWAIT,  /* woken vm_wait callers */
	PRI_FAULT,   /* woken page-faulters */
	PRI_NORMAL,  /* programs, monitor, daemons */
	PRI_IDLE,
	PRI_COUNT
};

#define TASK_NAME_BYTES 16

struct task {
	TAILQ_ENTRY(task) run_link;   /* s: run queue of its priority, or sleep bucket */
	LIST_ENTRY(task) all_link;    /* t: list of all tasks */
	struct md_task md;            /* arch: saved context, stack bounds */
	char name[TASK_NAME_BYTES];   /* t: NUL-terminated */
	uint32_t id;                  /* t: unique, never reused */
	uint8_t state;                /* s: enum task_state */
	uint8_t priority;             /* s: current; restored to base when it next runs */
	uint8_t base_priority;        /* t */
	bool timed_out;               /* s: why the last sleep ended */
	volatile bool ast_pending;    /* s, p: look at proc_ast() before returning to EL0 */
	uint8_t domain_cursor;        /* m: memory domain of its last page */
	const void *wchan;            /* s: channel it sleeps on, or NULL */
	const char *wmesg;            /* s: why, for ps */
	struct callout sleep_timer;   /* s */
	uint64_t run_cycles;          /* s: time on the core so far */
	uint64_t switched_in_cycles;  /* s: when it last got the core */
	uint64_t slice_used_cycles;   /* s: of its slice, before switched_in_cycles */
	uint64_t runnable_since_cycles; /* s: when it was put on its run queue */
	uint64_t slept_at_us;         /* s: start of the present sleep (ageing, ps) */
	struct proc *proc;            /* p: the program it runs, NULL for a daemon */
	void (*fn)(void *arg);        /* t */
	void *arg;                    /* t */
};
/* Owners: s = kern/sched.c, t = kern/task.c, p = proc/, m = mm/. */

/*
 * Make a runnable task that calls fn(arg); when fn returns the task ends.
 * ERR_NOMEM when the pool has no pages for a stack. Does not yield.
 */
int task_create(struct task **out, const char *name, enum task_priority priority,
    void (*fn)(void *arg), void *arg) ERR_MUST_CHECK;

/* End the calling task; its stack is freed by whoever runs next. Never returns. */
_Noreturn void task_exit(void);

/* Next task in id order after prev (NULL = first), NULL at the end. Valid until
 * the next yield. */
struct task *task_next(struct task *prev);

#endif
