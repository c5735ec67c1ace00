/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cooperative scheduler: one run queue a priority.
 *
 *   run_queue[PRI_IO]     -> t -> t      run_mask: bit p set = queue p not empty
 *   run_queue[PRI_NORMAL] -> t
 *
 * A task that finds nobody runnable when it goes to sleep waits for an interrupt
 * right where it is, on its own stack: if it is itself the next to be woken, as
 * with a page-in on a quiet system, no switch happens at all. Only a task that has
 * ended must leave its stack; then the boot task, parked in sched_idle_forever,
 * takes over.
 *
 * A program at EL0 is told to come by sched_user_return through ast_pending: when
 * a better task becomes runnable, or when the slice callout finds its time used up
 * while an equal one waits. The callout is armed only while someone waits.
 *
 * Owns: the run queues; state, priority, run_cycles, switched_in_cycles and
 *   slice_used_cycles of every task.
 * Does not: make or list tasks (task.c), keep sleepers (sleep.c), switch registers
 *   (arch).
 * Invariants:
 *   S1 a task is RUNNABLE and on the run queue of its priority, or SLEEPING and on the
 *      sleep queue of its wchan, or RUNNING, or ZOMBIE; the last two on no queue;
 *   S2 nobody sleeps or yields in interrupt context, or with interrupts masked by
 *      anything but the lock given to msleep;
 *   S3 queues change only with interrupts masked;
 *   S4 a zombie's stack is freed by the next task that runs, never by itself;
 *   S5 the boot task, once idle, is on no queue;
 *   S6 a task chosen by sched_choose is one of the runnable ones;
 *   S8 a task that has waited for kern.sched.starve_us goes before woken page-faulters,
 *      and for this one turn it is as good as they are; never before better ones;
 *   S7 a task that made way inside its slice (slice_used_cycles != 0) stands at the
 *      head of its queue, and its slice goes on when it runs again.
 * Yields: sched_yield, sched_maybe_yield, sched_user_return.
 * Complexity: choosing and switching O(1).
 * See: kern/sched.h, kern/task.h, kern/sleep.c.
 */
#include "kern/sched.h"

#include <stddef.h>

#include "kern/kern_params.h"
#include "kern/sched_internal.h"
#include "kern/trace.h"
#include "lib/assert.h"

TAILQ_HEAD(task_queue, task);

uint32_t (*sched_choose)(uint32_t count);

static struct task_queue run_queue[PRI_COUNT];
static uint32_t run_mask;
static uint32_t run_count;

static struct task *idle_task;   /* the boot task once it is idle */
static struct task *zombie;      /* ended, stack not yet freed */
static struct callout slice_callout;
static uint32_t irq_depth;
static uint64_t idle_cycles;
static uint64_t yield_point_cycles; /* when the running task passed its last one */
static uint64_t run_longest_cycles; /* between two of them, in kernel tasks */

/* ---- queues */

static void
run_queue_insert(struct task *t)
{
	t->state = TASK_RUNNABLE;
	t->runnable_since_cycles = get_cyclecount();
	if (t->slice_used_cycles != 0)
		TAILQ_INSERT_HEAD(&run_queue[t->priority], t, run_link);
	else
		TAILQ_INSERT_TAIL(&run_queue[t->priority], t, run_link);
	run_mask |= 1u << t->priority;
	run_count++;
}

static void
run_queue_remove(struct task *t)
{
	TAILQ_REMOVE(&run_queue[t->priority], t, run_link);
	if (TAILQ_EMPTY(&run_queue[t->priority]))
		run_mask &= ~(1u << t->priority);
	run_count--;
}

/* Number n of the runnable tasks, best first. */
static struct task *
run_queue_nth(uint32_t n)
{
	struct task *t = NULL;

	for (int p = 0; p < PRI_COUNT; p++)
		TAILQ_FOREACH(t, &run_queue[p], run_link)
			if (n-- == 0)
				return (t);
	KASSERT(false, "S6: the chosen task is one of the runnable ones");
	return (NULL);
}

/*
 * S8: when page-faulters are the best: of the tasks at the heads of the queues below,
 * the one that has waited longest, if that was too long; or NULL. Without it a program
 * that pages all the time on a disk that is never idle would keep the core.
 */
static struct task *
run_queue_starved(void)
{
	uint32_t lower = run_mask & ~((2u << PRI_FAULT) - 1);
	struct task *t, *oldest = NULL;

	if (__builtin_expect(lower == 0 || lower == run_mask, 1) ||
	    __builtin_ctz(run_mask) != PRI_FAULT || kern_params.starve_us == 0)
		return (NULL);
	for (; lower != 0; lower &= lower - 1) {
		t = TAILQ_FIRST(&run_queue[__builtin_ctz(lower)]);
		if (oldest == NULL || t->runnable_since_cycles < oldest->runnable_since_cycles)
			oldest = t;
	}
	if (get_cyclecount() - oldest->runnable_since_cycles <
	    timer_us_to_cycles((uint64_t)kern_params.starve_us))
		return (NULL);
	return (oldest);
}

/* Take the next task to run off its queue; NULL if there is none. */
static struct task *
run_queue_take(void)
{
	struct task *t, *starved;

	if (run_mask == 0)
		return (NULL);
	starved = run_queue_starved();
	if (__builtin_expect(sched_choose != NULL, 0))
		t = run_queue_nth(sched_choose(run_count));
	else
		t = starved != NULL ? starved : TAILQ_FIRST(&run_queue[__builtin_ctz(run_mask)]);
	run_queue_remove(t);
	histogram_add(&kern_params.sched_delay_us,
	    timer_cycles_to_us(get_cyclecount() - t->runnable_since_cycles));
	t->priority = t == starved ? PRI_FAULT : t->base_priority;
	return (t);
}

/* ---- the slice of programs at EL0 */

static uint64_t
slice_cycles(void)
{
	return (timer_us_to_cycles((uint64_t)kern_params.slice_us));
}

static bool
slice_over(const struct task *t, uint64_t now)
{
	return (kern_params.slice_us != 0 &&
	    t->slice_used_cycles + (now - t->switched_in_cycles) >= slice_cycles());
}

static void slice_arm(void);

/* Does the end of t's slice matter: does an equal one wait, or, when t goes before
 * better ones for this one turn (S8), anyone? */
static bool
turn_ends(const struct task *t)
{
	if (t->priority != t->base_priority)
		return (run_mask != 0);
	return ((run_mask & 1u << t->priority) != 0);
}

/* Callout: the running program's time may be up. */
static void
slice_expired(void *arg)
{
	struct task *t = curtask();

	(void)arg;
	if (t->state == TASK_RUNNING && t->proc != NULL && slice_over(t, get_cyclecount()))
		t->ast_pending = true;
	slice_arm();
}

/* Watch the running task's slice, if it is a program and an equal one waits. */
static void
slice_arm(void)
{
	struct task *t = curtask();

	if (slice_callout.pending || t->proc == NULL || t->state != TASK_RUNNING ||
	    !turn_ends(t) || kern_params.slice_us == 0)
		return;
	callout_reset(&slice_callout, (uint64_t)kern_params.slice_us, slice_expired, NULL);
}

/* Also tells a program that must make way. */
void
sched_make_runnable(struct task *t)
{
	struct task *now = curtask();

	run_queue_insert(t);
	if (now == NULL || now->proc == NULL || now->state != TASK_RUNNING)
		return;
	if (t->priority < now->priority)
		now->ast_pending = true;
	else
		slice_arm();
}

/* ---- switching */

/* The running task passes a yield point: note how long the last stretch was. */
static void
yield_point(const struct task *me, uint64_t now)
{
	uint64_t cycles = now - yield_point_cycles;

	yield_point_cycles = now;
	if (cycles <= run_longest_cycles || me->proc != NULL)
		return;
	run_longest_cycles = cycles;
	kern_params.run_longest_us = timer_cycles_to_us(cycles);
}

bool
sched_reap_pending(void)
{
	return (zombie != NULL);
}

void
sched_reap(void)
{
	struct task *t = zombie;

	if (__builtin_expect(t == NULL, 1))
		return;
	zombie = NULL;
	cpu_task_release(t);
}

/* Let interrupts in until one of them makes a task runnable; that task. */
static struct task *
idle_wait(void)
{
	struct task *next;
	uint64_t start = get_cyclecount();

	while ((next = run_queue_take()) == NULL) {
		cpu_idle();
		intr_restore(0);
		(void)intr_disable();
	}
	idle_cycles += get_cyclecount() - start;
	return (next);
}

static void
run_next(struct task *me, struct task *next)
{
	uint64_t now = get_cyclecount();

	next->state = TASK_RUNNING;
	next->switched_in_cycles = now;
	yield_point_cycles = now;
	if (next == me)
		return;
	kern_params.switches++;
	trace(TRACE_SWITCH, me->id, next->id, 0);
	curtask_set(next);
	slice_arm();
	cpu_switch(me, next);
	/* Here again: another task has switched back to me. */
}

void
sched_switch_away(struct task *me)
{
	uint64_t now = get_cyclecount();
	struct task *next;

	KASSERT(irq_depth == 0, "S2: nobody sleeps or yields in interrupt context");
	yield_point(me, now);
	me->run_cycles += now - me->switched_in_cycles;
	next = run_queue_take();
	if (next == NULL)
		next = me->state == TASK_ZOMBIE && idle_task != NULL ? idle_task : idle_wait();
	run_next(me, next);
}

/* ---- yielding */

/* Stand in line again, with interrupts masked, and give up the core. */
static void
yield_to_others(struct task *me)
{
	run_queue_insert(me);
	sched_switch_away(me);
	intr_restore(0);
	sched_reap();
}

void
sched_yield(void)
{
	struct task *me = curtask();
	uint64_t saved = intr_disable();

	KASSERT(saved == 0, "S2: nobody yields with interrupts masked");
	KASSERT(irq_depth == 0, "S2: nobody sleeps or yields in interrupt context");
	me->slice_used_cycles = 0;
	if (run_mask != 0) {
		yield_to_others(me);
		return;
	}
	yield_point(me, get_cyclecount());
	intr_restore(saved);
}

/*
 * Make way for a better task, or for an equal one after the slice; true if so. Who
 * makes way before the end of the slice keeps the rest of it and the head of the
 * queue (S7).
 */
static bool
make_way(struct task *me, uint64_t now)
{
	bool over = slice_over(me, now);
	uint32_t better;

	if (over)
		me->priority = me->base_priority; /* S8: one turn */
	better = (1u << me->priority) - 1;
	if (__builtin_expect(sched_choose == NULL, 1) && (run_mask & better) == 0 &&
	    !(over && (run_mask & 1u << me->priority) != 0))
		return (false);
	KASSERT(intr_enabled(), "S2: nobody yields with interrupts masked");
	(void)intr_disable();
	if (over)
		me->slice_used_cycles = 0;
	else
		me->slice_used_cycles += now - me->switched_in_cycles;
	yield_to_others(me);
	return (true);
}

void
sched_maybe_yield(void)
{
	struct task *me = curtask();
	uint64_t now;

	if (me == NULL)
		return;
	now = get_cyclecount();
	if (run_mask == 0 || !make_way(me, now))
		yield_point(me, now);
}

void
sched_user_return(void)
{
	if (run_mask != 0 && make_way(curtask(), get_cyclecount()))
		kern_params.preemptions++;
}

/* ---- the rest */

void
sched_set_priority(struct task *t, enum task_priority priority)
{
	uint64_t saved = intr_disable();

	t->base_priority = priority;
	if (t->state == TASK_RUNNABLE && t != idle_task) {
		run_queue_remove(t);
		t->priority = priority;
		sched_make_runnable(t);
	} else {
		t->priority = priority;
	}
	intr_restore(saved);
}

void
sched_task_ready(struct task *t)
{
	uint64_t saved = intr_disable();

	sched_make_runnable(t);
	intr_restore(saved);
}

void
sched_task_begin(void)
{
	intr_restore(0);
	sched_reap();
}

void
sched_task_end(void)
{
	struct task *me = curtask();

	(void)intr_disable();
	KASSERT(zombie == NULL, "S4: the one that ended before has been freed");
	me->state = TASK_ZOMBIE;
	zombie = me;
	sched_switch_away(me);
	KASSERT(false, "S4: a task that has ended never runs again");
	__builtin_unreachable();
}

void
sched_init(struct task *boot)
{
	for (int p = 0; p < PRI_COUNT; p++)
		TAILQ_INIT(&run_queue[p]);
	sleep_queues_reset();
	run_mask = 0;
	run_count = 0;
	irq_depth = 0;
	idle_cycles = 0;
	run_longest_cycles = 0;
	idle_task = NULL;
	zombie = NULL;
	slice_callout.pending = false;
	task_list_reset();
	task_list_add(boot, "boot", PRI_NORMAL);
	boot->state = TASK_RUNNING;
	boot->switched_in_cycles = get_cyclecount();
	yield_point_cycles = boot->switched_in_cycles;
	curtask_set(boot);
}

void
sched_idle_forever(void)
{
	struct task *me = curtask();

	(void)intr_disable();
	me->base_priority = PRI_IDLE;
	me->wmesg = "idle";
	idle_task = me;
	for (;;) {
		struct task *next = run_queue_take();

		if (next == NULL)
			next = idle_wait();
		me->state = TASK_RUNNABLE;
		run_next(me, next);
		intr_restore(0);
		sched_reap();
		(void)intr_disable();
	}
}

void
sched_irq_enter(void)
{
	irq_depth++;
}

void
sched_irq_exit(void)
{
	irq_depth--;
}

bool
sched_in_irq(void)
{
	return (irq_depth != 0);
}

void
sched_run_longest_reset(void)
{
	yield_point_cycles = get_cyclecount();
	run_longest_cycles = 0;
	kern_params.run_longest_us = 0;
}

uint32_t
sched_runnable_count(void)
{
	return (run_count);
}

uint64_t
sched_idle_cycles(void)
{
	return (idle_cycles);
}
