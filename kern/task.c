/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and ending tasks, and the list of all of them.
 *
 * Owns: the list, and the ids.
 * Does not: schedule (sched.c), nor know how a stack is made (arch).
 * Invariants:
 *   K1 a task is on the list from task_create until task_exit;
 *   K2 ids ascend along the list and are never used again.
 * Yields: task_exit, for good.
 * See: kern/task.h; kern/sched.c for the states.
 */
#include "kern/task.h"

#include <stddef.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/sched_internal.h"
#include "lib/assert.h"

static LIST_HEAD(, task) all = LIST_HEAD_INITIALIZER(all);
static struct task *last; /* newest on the list */
static uint32_t last_id;

void
task_list_reset(void)
{
	LIST_INIT(&all);
	last = NULL;
	last_id = 0;
}

/* At the end, so that the list stays in order of ids. */
void
task_list_add(struct task *t, const char *name, enum task_priority priority)
{
	strncpy(t->name, name, sizeof(t->name) - 1);
	t->name[sizeof(t->name) - 1] = '\0';
	t->id = ++last_id;
	t->priority = priority;
	t->base_priority = priority;
	if (last == NULL)
		LIST_INSERT_HEAD(&all, t, all_link);
	else
		LIST_INSERT_AFTER(last, t, all_link);
	last = t;
}

static void
list_remove(struct task *t)
{
	struct task *prev = NULL;

	if (t == last) {
		for (struct task *i = LIST_FIRST(&all); i != t; i = LIST_NEXT(i, all_link))
			prev = i;
		last = prev;
	}
	LIST_REMOVE(t, all_link);
}

/* First code of every task but the first. */
static void
task_main(struct task *t)
{
	sched_task_begin();
	t->fn(t->arg);
	task_exit();
}

int
task_create(struct task **out, const char *name, enum task_priority priority,
    void (*fn)(void *arg), void *arg)
{
	struct task *t;
	int err = cpu_task_prepare(&t, task_main);

	if (err != 0)
		return (err);
	t->fn = fn;
	t->arg = arg;
	task_list_add(t, name, priority);
	sched_task_ready(t);
	*out = t;
	return (0);
}

void
task_exit(void)
{
	list_remove(curtask());
	sched_task_end();
}

struct task *
task_next(struct task *prev)
{
	return (prev == NULL ? LIST_FIRST(&all) : LIST_NEXT(prev, all_link));
}
