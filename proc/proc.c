/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process table: from proc_spawn to proc_wait.
 *
 * A process is an item of a zone (struct proc), one task with its kernel stack
 * and one vmspace. It is made by whoever starts it and ended by its own task: a
 * kill only marks it, and it ends at its next return to EL0 or, if it sleeps, when
 * the sleep ends, which the kill brings about.
 *
 * Owns: the table, pids, struct proc from birth to reaping.
 * Does not: load programs (exec.c), carry out system calls (syscall.c).
 * Invariants:
 *   R1  a ZOMBIE has no task, no vmspace and no open file
 *   R2  only the process's own task leaves state ACTIVE or EMBRYO
 *   R3  a process is reaped once: by its parent's proc_wait, or at once if its
 *       parent is gone
 * Yields: proc_exit, proc_wait. proc_kill and proc_spawn do not.
 * See: exec.c, syscall.c, proc_client.c, mm/vm_client.h.
 */
#include "proc/proc.h"

#include <stdio.h>
#include <string.h>

#include "kern/sched.h"
#include "kern/trace.h"
#include "kern/uma.h"
#include "lib/assert.h"
#include "proc/exec.h"
#include "proc/pipe.h"
#include "proc/proc_internal.h"
#include "proc/trap_hooks.h"

_Static_assert(sizeof(struct proc) <= UMA_ITEM_BYTES_MAX, "a slab holds at least one");

#define PARENT_GONE UINT32_MAX /* nobody will wait: reaped when it ends */

static TAILQ_HEAD(, proc) procs = TAILQ_HEAD_INITIALIZER(procs);
static struct uma_zone proc_zone;
static uint32_t last_pid;

/* Parents sleep here until some process ends. */
static const char exit_channel;

void
proc_init(void)
{
	TAILQ_INIT(&procs);
	uma_zone_init(&proc_zone, "proc", sizeof(struct proc));
	proc_files_init();
	pipes_init();
	proc_client_init();
}

struct proc *
proc_new(void)
{
	return (uma_zalloc(&proc_zone, UMA_NORMAL));
}

void
proc_discard(struct proc *p)
{
	uma_zfree(&proc_zone, p);
}

void
proc_publish(struct proc *p)
{
	p->pid = ++last_pid;
	TAILQ_INSERT_TAIL(&procs, p, all_link);
}

static void
proc_free(struct proc *p)
{
	TAILQ_REMOVE(&procs, p, all_link);
	proc_discard(p);
}

static int
set_arguments(struct proc *p, const char *const argv[], uint32_t argc)
{
	uint32_t i;

	if (argc == 0 || argc > PROC_ARGS_MAX)
		return (ERR_INVAL);
	p->arg_bytes = 0;
	for (i = 0; i < argc; i++) {
		size_t bytes = strlen(argv[i]) + 1;

		if (bytes > PROC_ARG_BYTES - p->arg_bytes)
			return (ERR_INVAL);
		memcpy(p->args + p->arg_bytes, argv[i], bytes);
		p->arg_bytes += (uint32_t)bytes;
	}
	p->arg_count = argc;
	return (0);
}

/* The last part of the path without ".elf". */
static void
set_name(struct proc *p, const char *path)
{
	const char *base = strrchr(path, '/');
	char *dot;

	snprintf(p->name, sizeof(p->name), "%s", base == NULL ? path : base + 1);
	dot = strrchr(p->name, '.');
	if (dot != NULL && strcasecmp(dot, ".elf") == 0)
		*dot = '\0';
}

int
proc_set_program(struct proc *p, const char *path, const char *const argv[], uint32_t argc)
{
	if (strlen(path) >= sizeof(p->path))
		return (ERR_NAMETOOLONG);
	snprintf(p->path, sizeof(p->path), "%s", path);
	set_name(p, path);
	return (set_arguments(p, argv, argc));
}

/* First code of a process's task: become the program. */
static void
proc_main(void *arg)
{
	struct proc *p = arg;
	struct cpu_user_start start;
	int error = exec_load(p, &start);

	if (error != 0) {
		p->exec_status = error;
		proc_exit(127);
	}
	p->state = PROC_ACTIVE;
	trace(TRACE_EXEC, p->pid, start.pc, 0);
	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason);
	cpu_user_enter(&start);
}

int
proc_task_create(struct proc *p, void (*fn)(void *arg))
{
	char name[TASK_NAME_BYTES];
	int error;

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, p->name);
	error = task_create(&p->task, name, PRI_NORMAL, fn, p);
	if (error != 0)
		return (error);
	p->task->proc = p;
	cpu_user_attach(p->task, &p->vmspace->pmap, p->fp_state);
	return (0);
}

struct vmspace *
proc_vmspace_alloc(void)
{
	return (vmspace_alloc(proc_abi_aarch32.address_min, proc_abi_aarch64.address_max));
}

static int
proc_start(struct proc *p)
{
	int error;

	p->vmspace = proc_vmspace_alloc();
	if (p->vmspace == NULL)
		return (ERR_NOMEM);
	proc_limits_apply(p);
	error = proc_task_create(p, proc_main);
	if (error != 0)
		vmspace_free(p->vmspace);
	return (error);
}

int
proc_spawn(const char *path, const char *const argv[], uint32_t argc, uint32_t parent_pid,
    uint32_t *pid)
{
	struct proc *parent = parent_pid != 0 ? proc_find(parent_pid) : NULL;
	struct proc *p;
	int error;

	if (parent != NULL && parent->killed)
		return (ERR_KILLED);
	error = proc_limit_start(parent);
	if (error != 0)
		return (error);
	p = proc_new();
	if (p == NULL)
		return (ERR_NOMEM);
	p->abi = &proc_abi_aarch64;
	p->parent_pid = parent_pid;
	proc_limits_inherit(p, parent);
	p->start_us = timer_now_us();
	proc_files_console(p);
	error = proc_set_program(p, path, argv, argc);
	if (error == 0)
		error = proc_start(p);
	if (error != 0) {
		proc_files_close(p); /* ends none: they are the console's */
		proc_discard(p);
		return (error);
	}
	proc_publish(p);
	proc_tree_join(p, parent);
	*pid = p->pid;
	return (0);
}

static void
orphan_children(uint32_t pid)
{
	struct proc *p, *next;

	TAILQ_FOREACH_SAFE(p, &procs, all_link, next) {
		if (p->parent_pid != pid)
			continue;
		p->parent_pid = PARENT_GONE;
		if (p->state == PROC_ZOMBIE)
			proc_free(p); /* R3 */
	}
}

/* Give back memory first: when it was killed for it, others are waiting. */
static void
release_memory(struct proc *p)
{
	struct vmspace *vm = p->vmspace;

	cpu_user_attach(p->task, NULL, NULL);
	p->vmspace = NULL;
	vmspace_retire(vm, &p->usage);
}

_Noreturn void
proc_exit(int32_t status)
{
	struct proc *p = curtask()->proc;

	KASSERT(p->state != PROC_ZOMBIE, "R2: a process ends once");
	release_memory(p);
	proc_files_close(p);
	console_flush(&p->writer);
	trace(TRACE_EXIT, p->pid, (uint64_t)status, 0);
	p->exit_status = status;
	p->end_us = timer_now_us();
	p->run_cycles = p->task->run_cycles + get_cyclecount() - p->task->switched_in_cycles;
	p->task->proc = NULL;
	p->task = NULL;
	p->state = PROC_ZOMBIE;
	proc_tree_leave(p);
	orphan_children(p->pid);
	if (p->parent_pid == PARENT_GONE)
		proc_free(p);
	wakeup(&exit_channel);
	task_exit();
}

static void
collect(struct proc *p, struct proc_exit *out)
{
	out->pid = p->pid;
	out->status = p->exit_status;
	out->exec_error = p->exec_status;
	snprintf(out->exec_message, sizeof(out->exec_message), "%s", p->exec_error);
	out->usage = p->usage;
	out->elapsed_us = p->end_us - p->start_us;
	out->run_us = timer_cycles_to_us(p->run_cycles);
	if (proc_find(p->parent_pid) != NULL)
		proc_rusage_add_child(proc_find(p->parent_pid), p);
	proc_free(p);
}

/* A finished child to reap, or NULL; *any tells whether there is a child at all. */
static struct proc *
find_zombie(uint32_t parent_pid, uint32_t pid, bool *any)
{
	struct proc *p;

	*any = false;
	TAILQ_FOREACH(p, &procs, all_link) {
		if (p->parent_pid != parent_pid || (pid != 0 && p->pid != pid))
			continue;
		*any = true;
		if (p->state == PROC_ZOMBIE)
			return (p);
	}
	return (NULL);
}

int
proc_wait(uint32_t parent_pid, uint32_t pid, struct proc_exit *out)
{
	struct proc *self = curtask()->proc;
	struct proc *p;
	int error = 0;
	bool any;

	while ((p = find_zombie(parent_pid, pid, &any)) == NULL) {
		if (!any || (self != NULL && self->killed)) {
			error = any ? ERR_KILLED : ERR_CHILD;
			break;
		}
		if (self != NULL && self->idle_since_us == 0)
			proc_idle_begin(self);
		tsleep(&exit_channel, "wait", SLEEP_FOREVER);
	}
	if (self != NULL)
		proc_idle_end(self);
	if (p != NULL)
		collect(p, out);
	return (error);
}

int
proc_reap(uint32_t parent_pid, uint32_t pid, struct proc_exit *out)
{
	bool any;
	struct proc *p = find_zombie(parent_pid, pid, &any);

	if (p == NULL)
		return (any ? ERR_AGAIN : ERR_CHILD);
	collect(p, out);
	return (0);
}

int
proc_kill(uint32_t pid, uint32_t reason)
{
	struct proc *p = proc_find(pid);

	if (p == NULL || p->state == PROC_ZOMBIE)
		return (ERR_NOENT);
	if (p->killed)
		return (0);
	trace(TRACE_SIGNAL, pid, reason, 0);
	p->killed = true;
	p->kill_reason = (uint8_t)reason;
	if (p->vmspace != NULL)
		p->vmspace->killed = true;
	p->task->ast_pending = true;
	sched_set_priority(p->task, PRI_KILLED);
	wakeup_task(p->task);
	return (0);
}

void
proc_ast(void)
{
	struct proc *p = curtask()->proc;

	curtask()->ast_pending = false;
	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason);
	sched_user_return();
	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason);
}

struct vmspace *
proc_curvmspace(void)
{
	struct proc *p = curtask()->proc;

	return (p == NULL ? NULL : p->vmspace);
}

struct proc *
proc_next(struct proc *prev)
{
	return (prev == NULL ? TAILQ_FIRST(&procs) : TAILQ_NEXT(prev, all_link));
}

struct proc *
proc_find(uint32_t pid)
{
	struct proc *p;

	TAILQ_FOREACH(p, &procs, all_link) {
		if (p->pid == pid)
			return (p);
	}
	return (NULL);
}
