/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes as mm sees them: clients in pid order (mm/vm_client.h).
 *
 * Also the words in which a process's state and end are told to people.
 *
 * Owns: the ops table registered with mm.
 * Does not: decide who dies (mm/vm_oom.c).
 * Invariants:
 *   K1  a ZOMBIE is never shown: it has no memory
 * Yields: never.
 * See: mm/vm_client.h, proc.c.
 */
#include "mm/vm_client.h"

#include <stdio.h>

#include "lib/assert.h"
#include "proc/proc_internal.h"

static uint32_t
client_flags(const struct proc *p)
{
	uint32_t flags = 0;

	if (p->protected_from_oom)
		flags |= VM_CLIENT_PROTECTED;
	if (p->state == PROC_EMBRYO)
		flags |= VM_CLIENT_EXEC;
	if (p->vmspace == NULL)
		flags |= VM_CLIENT_EXITING;
	if (p->killed)
		flags |= VM_CLIENT_KILLED;
	return (flags);
}

static bool
client_next(uint32_t after_pid, struct vm_client *out)
{
	struct proc *p;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p)) {
		if (p->pid <= after_pid || p->state == PROC_ZOMBIE)
			continue; /* K1 */
		out->pid = p->pid;
		out->name = p->name;
		out->vmspace = p->vmspace;
		out->flags = client_flags(p);
		return (true);
	}
	return (false);
}

static void
client_kill(uint32_t pid, const char *reason)
{
	int error = proc_kill(pid, EBB_KILL_OOM);

	(void)reason; /* mm prints it with the sizes; proc keeps the reason's code */
	KASSERT(error == 0, "K1: mm kills a live process");
}

static const struct vm_client_ops client_ops = {
	.next = client_next,
	.kill = client_kill,
};

void
proc_client_init(void)
{
	vm_client_ops = &client_ops;
}

void
vmspace_retire(struct vmspace *vm, struct vm_usage *usage)
{
	*usage = vm->usage;
	usage->flag_faults = vm->pmap.flag_faults;
	vmspace_free(vm);
}

const char *
proc_state_name(const struct proc *p)
{
	if (p->state == PROC_EMBRYO)
		return ("exec");
	if (p->state == PROC_ZOMBIE)
		return ("zombie");
	if (p->killed)
		return ("dying");
	switch (p->task->state) {
	case TASK_RUNNING:
		return ("run");
	case TASK_RUNNABLE:
		return ("ready");
	default:
		return ("sleep");
	}
}

void
proc_status_text(int32_t status, char *buffer, uint32_t bytes)
{
	static const char *const reasons[] = {
		[0] = "killed",
		[EBB_KILL_USER] = "killed on request",
		[EBB_KILL_FAULT] = "killed: bad memory access",
		[EBB_KILL_INSN] = "killed: bad instruction",
		[EBB_KILL_IO] = "killed: a page could not be read back",
		[EBB_KILL_OOM] = "killed: out of memory and swap",
	};
	uint32_t reason = (uint32_t)status & 0xff;

	if ((status & EBB_STATUS_KILLED) == 0)
		snprintf(buffer, bytes, "exited with %d", (int)status);
	else
		snprintf(buffer, bytes, "%s", reasons[reason <= EBB_KILL_OOM ? reason : 0]);
}
