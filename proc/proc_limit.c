/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of processes.
 *
 *   RSS      pages beyond it age and leave, about once a second (mm/vm_daemon.c)
 *   BUDGET   as RSS, but enforced: a quarter a pass, then all that is too much
 *   AS       mapping more is refused (mm/vm_map.c)
 *   MEMLOCK  wiring more is refused (mlock)
 *   NPROC    fork and spawn are refused while the caller's job has that many processes
 *
 * Beside them kern.maxproc bounds all processes. The last few of it are the monitor's, so
 * that however many programs start others, it can start what looks into the matter.
 *
 * Owns: proc->limits.
 * Does not: enforce those of memory.
 * Invariants:
 *   L1  soft <= hard; a process raises no hard limit, the monitor may
 *   L2  a child begins with its parent's limits
 * Yields: never.
 * Complexity: proc_limit_start is linear in the number of processes.
 * See: lib/ebb_abi.h; proc_tree.c for what a job is; contract 1.11.
 */
#include "kern/kern_params.h"
#include "proc/proc_internal.h"

void
proc_limits_inherit(struct proc *p, const struct proc *parent)
{
	uint32_t i;

	for (i = 0; i < EBB_RLIMIT_COUNT; i++) {
		p->limits[i].soft = parent != NULL ? parent->limits[i].soft : EBB_RLIM_INFINITY;
		p->limits[i].hard = parent != NULL ? parent->limits[i].hard : EBB_RLIM_INFINITY;
	}
	proc_limits_apply(p);
}

uint64_t
proc_limit_bytes(const struct proc *p, uint32_t resource)
{
	const struct ebb_rlimit *limit = &p->limits[resource];

	return (limit->soft < limit->hard ? limit->soft : limit->hard);
}

/* The map knows 0 as "no limit". */
static vm_size_t
map_limit(const struct proc *p, uint32_t resource)
{
	uint64_t bytes = proc_limit_bytes(p, resource);

	if (bytes == EBB_RLIM_INFINITY)
		return (0);
	return (bytes != 0 ? bytes : 1);
}

void
proc_limits_apply(struct proc *p)
{
	if (p->vmspace == NULL)
		return;
	p->vmspace->map.size_limit_bytes = map_limit(p, EBB_RLIMIT_AS);
	p->vmspace->map.wired_limit_bytes = map_limit(p, EBB_RLIMIT_MEMLOCK);
}

int
proc_limit_set(struct proc *p, uint64_t resource, const struct ebb_rlimit *limit, bool may_raise)
{
	if (resource >= EBB_RLIMIT_COUNT || limit->soft > limit->hard)
		return (ERR_INVAL);
	if (!may_raise && limit->hard > p->limits[resource].hard)
		return (ERR_PERM);
	p->limits[resource] = *limit;
	proc_limits_apply(p);
	return (0);
}

int
proc_limit_start(const struct proc *parent)
{
	int64_t all = parent == NULL ? 0 : kern_params.maxproc_reserve;
	uint64_t job = 0;
	struct proc *p;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p)) {
		all++;
		job += parent != NULL && p->job_pid == parent->job_pid;
	}
	if (all < kern_params.maxproc &&
	    (parent == NULL || job < proc_limit_bytes(parent, EBB_RLIMIT_NPROC)))
		return (0);
	kern_params.proc_refused++;
	return (ERR_AGAIN);
}
