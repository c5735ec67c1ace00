/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork and exec: a process becomes two, or another program.
 *
 *   fork   memory copied on write, files and limits inherited, a task of its own that
 *          leaves the kernel where its parent does, with 0 in the result register
 *   exec   the new program is loaded into a second address space while the old one is
 *          kept; only when all of it is there the old one goes. So whatever is wrong with
 *          the file, the caller gets an errno and lives on
 *
 * Owns: nothing of its own; the table is proc.c's.
 * Does not: load a program (exec.c), copy memory (mm/vm_map_fork.c).
 * Invariants:
 *   K3 a child is in the table only when it is complete: it has a task, memory and files;
 *   K4 after a failed exec the process has its address space, registers, heap and
 *      arguments as before;
 *   K5 a killed process ends after either call, having lost nothing on the way.
 * Yields: proc_fork, proc_exec.
 * See: kern/usercpu.h (cpu_user_fork); contract 1.17.
 */
#include <stdio.h>
#include <string.h>

#include "kern/sched.h"
#include "kern/trace.h"
#include "lib/assert.h"
#include "mm/vm_meter.h"
#include "proc/exec.h"
#include "proc/proc_internal.h"

#define TRIES_MAX 16 /* to find memory for what the kernel needs */

/* First code of a child's task. */
static void
fork_main(void *arg)
{
	struct proc *p = arg;

	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason);
	cpu_user_resume();
}

static void
inherit(struct proc *p, const struct proc *parent)
{
	p->parent_pid = parent->pid;
	p->state = PROC_ACTIVE;
	p->abi = parent->abi;
	p->start_us = timer_now_us();
	p->brk_start = parent->brk_start;
	p->brk = parent->brk;
	p->stack_top = parent->stack_top;
	p->arg_count = parent->arg_count;
	p->arg_bytes = parent->arg_bytes;
	memcpy(p->args, parent->args, sizeof(p->args));
	memcpy(p->name, parent->name, sizeof(p->name));
	memcpy(p->path, parent->path, sizeof(p->path));
	proc_limits_inherit(p, parent);
	proc_files_copy(p, parent);
}

/* Everything of p but its files has been made, or could not: then undo it. */
static int
start(struct proc *p, struct proc *parent, struct vmspace *vm, uint32_t *pid)
{
	int error;

	p->vmspace = vm;
	proc_limits_apply(p);
	error = proc_task_create(p, fork_main);
	if (error == 0) {
		cpu_user_fork(p->task);
		proc_publish(p);
		proc_tree_join(p, parent);
		*pid = p->pid;
		return (0);
	}
	proc_files_close(p);
	proc_discard(p);
	return (error);
}

static int
have_child(struct proc *parent, struct vmspace *vm, uint32_t *pid)
{
	struct proc *p = proc_new();

	if (p == NULL)
		return (ERR_NOMEM);
	inherit(p, parent);
	return (start(p, parent, vm, pid));
}

static int
fork_once(struct proc *parent, uint32_t *pid)
{
	struct vmspace *vm;
	int error = proc_limit_start(parent);

	if (error == 0)
		error = vmspace_fork(parent->vmspace, &vm);
	if (error != 0)
		return (error);
	error = parent->killed ? ERR_KILLED : proc_limit_start(parent); /* it took a while */
	if (error == 0)
		error = have_child(parent, vm, pid);
	if (error != 0)
		vmspace_free(vm);
	return (error);
}

/* A kernel stack is not paged: when there is no memory for it, the page daemon may soon
 * have made some. */
int
proc_fork(struct proc *parent, uint32_t *pid)
{
	uint32_t tries = 0;
	int error;

	while ((error = fork_once(parent, pid)) == ERR_NOMEM && !parent->killed &&
	    ++tries < TRIES_MAX)
		vm_wait_any();
	return (error);
}

/* ---- exec */

/* What an exec changes in the process before it is sure to succeed. */
struct before_exec {
	struct vmspace *vmspace;
	const struct proc_abi *abi;
	vm_offset_t brk_start, brk, stack_top;
	uint32_t arg_count, arg_bytes;
	char name[PROC_NAME_BYTES];
	char args[PROC_ARG_BYTES];
	char path[sizeof(((struct proc *)NULL)->path)];
};

static void
save(const struct proc *p, struct before_exec *b)
{
	b->vmspace = p->vmspace;
	b->abi = p->abi;
	b->brk_start = p->brk_start;
	b->brk = p->brk;
	b->stack_top = p->stack_top;
	b->arg_count = p->arg_count;
	b->arg_bytes = p->arg_bytes;
	memcpy(b->name, p->name, sizeof(b->name));
	memcpy(b->args, p->args, sizeof(b->args));
	memcpy(b->path, p->path, sizeof(b->path));
}

/* K4 */
static void
restore(struct proc *p, const struct before_exec *b)
{
	struct vmspace *unfinished = p->vmspace;

	p->abi = b->abi;
	p->brk_start = b->brk_start;
	p->brk = b->brk;
	p->stack_top = b->stack_top;
	p->arg_count = b->arg_count;
	p->arg_bytes = b->arg_bytes;
	memcpy(p->name, b->name, sizeof(p->name));
	memcpy(p->args, b->args, sizeof(p->args));
	memcpy(p->path, b->path, sizeof(p->path));
	p->exec_error[0] = '\0';
	p->vmspace = b->vmspace;
	p->former = NULL;
	p->vmspace->killed = p->killed;
	cpu_user_move(&p->vmspace->pmap);
	vmspace_free(unfinished);
}

/* The process goes on being charged for what it did as its former program. */
static void
retire_former(struct vmspace *vm, struct vmspace *former)
{
	struct vm_usage past;

	vmspace_retire(former, &past);
	vm->usage.faults += past.faults;
	vm->usage.major_faults += past.major_faults;
	if (past.resident_max > vm->usage.resident_max)
		vm->usage.resident_max = past.resident_max;
	vm->usage.zero_fills += past.zero_fills;
	vm->usage.page_ins += past.page_ins;
	vm->usage.page_in_ops += past.page_in_ops;
	vm->usage.page_outs += past.page_outs;
	vm->usage.page_out_ops += past.page_out_ops;
	vm->pmap.flag_faults += past.flag_faults;
}

/* The new program is all there: nothing can fail any more. */
static _Noreturn void
become(struct proc *p, struct vmspace *former, const struct cpu_user_start *start)
{
	cpu_user_attach(p->task, NULL, NULL);
	p->former = NULL;
	memset(p->fp_state, 0, sizeof(p->fp_state));
	cpu_user_attach(p->task, &p->vmspace->pmap, p->fp_state);
	retire_former(p->vmspace, former);
	p->loading = false;
	proc_files_exec(p);
	snprintf(p->task->name, sizeof(p->task->name), "%.*s",
	    (int)sizeof(p->task->name) - 1, p->name);
	trace(TRACE_EXEC, p->pid, start->pc, 0);
	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason); /* K5 */
	cpu_user_enter(start);
}

int
proc_exec(struct proc *p, const char *path, const char *const argv[], uint32_t argc)
{
	struct vmspace *vm = proc_vmspace_alloc();
	struct before_exec before;
	struct cpu_user_start start;
	int error;

	if (vm == NULL)
		return (ERR_NOMEM);
	save(p, &before);
	p->loading = true;
	vm->killed = p->killed;
	p->former = p->vmspace;
	p->vmspace = vm;
	proc_limits_apply(p);
	cpu_user_move(&vm->pmap);
	error = proc_set_program(p, path, argv, argc);
	if (error == 0)
		error = exec_load(p, &start);
	if (error == 0)
		become(p, before.vmspace, &start);
	restore(p, &before);
	p->loading = false;
	return (error);
}
