/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes as mm sees them: clients in pid order (mm/vm_client.h).
 *
 * Also the words in which a process's state and end are told to people.
 *
 * Owns: the ops table registered with mm; swapped, swapouts and the resident figures.
 * Does not: decide who dies (mm/vm_pageout_oom.c) or is swapped out (mm/vm_daemon*.c).
 *   The kernel is cooperative and has no debugger: no client is LOCKED or TRACED.
 * Invariants:
 *   K1  a ZOMBIE is never shown: it has no memory
 *   K2  only who sleeps in a wait that uses no memory of the program is swapped out,
 *       and his mark goes when that wait ends
 *   K4  who becomes another program is judged by the memory that he still has, and may be
 *       killed for it: he waits for memory like everybody
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
		flags |= VM_CLIENT_EXEC; /* K4 */
	if (p->vmspace == NULL)
		flags |= VM_CLIENT_EXITING;
	if (p->killed)
		flags |= VM_CLIENT_KILLED;
	if (p->swapped)
		flags |= VM_CLIENT_SWAPPED;
	if (p->idle_since_us == 0)
		flags |= VM_CLIENT_UNSAFE; /* K2 */
	if (p->task != NULL && p->task->base_priority < PRI_KILLED)
		flags |= VM_CLIENT_REALTIME;
	return (flags);
}

static uint32_t
limit_pages(uint64_t bytes)
{
	return (bytes / PAGE_SIZE < VM_CLIENT_NO_LIMIT ? (uint32_t)(bytes / PAGE_SIZE)
						      : VM_CLIENT_NO_LIMIT);
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
		out->vmspace = p->former != NULL ? p->former : p->vmspace;
		out->flags = client_flags(p);
		out->asleep_us = p->idle_since_us == 0 ? 0 : timer_now_us() - p->idle_since_us;
		out->rss_soft_pages = limit_pages(p->limits[EBB_RLIMIT_RSS].soft);
		out->rss_hard_pages = limit_pages(p->limits[EBB_RLIMIT_RSS].hard);
		out->budget_pages = limit_pages(proc_limit_bytes(p, EBB_RLIMIT_BUDGET));
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

static void
client_set_usage(uint32_t pid, uint32_t resident_pages)
{
	struct proc *p = proc_find(pid);

	if (p == NULL)
		return;
	p->resident_pages = resident_pages;
	if (resident_pages > p->resident_pages_max)
		p->resident_pages_max = resident_pages;
}

static bool
client_swap_out(uint32_t pid)
{
	struct proc *p = proc_find(pid);

	if (p == NULL || p->swapped || p->idle_since_us == 0)
		return (false); /* K2 */
	p->swapped = true;
	p->swapouts++;
	return (true);
}

static const struct vm_client_ops client_ops = {
	.next = client_next,
	.kill = client_kill,
	.set_usage = client_set_usage,
	.swap_out = client_swap_out,
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
	if (p->state == PROC_EMBRYO || p->loading)
		return ("exec");
	if (p->state == PROC_ZOMBIE)
		return ("zombie");
	if (p->killed)
		return ("dying");
	if (p->swapped)
		return ("swapped");
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
	else if (reason > EBB_KILL_SIGNAL)
		snprintf(buffer, bytes, "killed by signal %u",
		    (unsigned)(reason - EBB_KILL_SIGNAL));
	else
		snprintf(buffer, bytes, "%s", reasons[reason <= EBB_KILL_OOM ? reason : 0]);
}
