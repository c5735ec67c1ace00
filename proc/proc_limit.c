/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of processes.
 *
 *   RSS      pages beyond it age and leave, about once a second (mm/vm_daemon.c)
 *   BUDGET   as RSS, but enforced: a quarter a pass, then all that is too much
 *   AS       mapping more is refused (mm/vm_map.c)
 *   MEMLOCK  wiring more is refused (mlock)
 *
 * Owns: proc->limits.
 * Does not: enforce any of them.
 * Invariants:
 *   L1  soft <= hard; a process raises no hard limit, the monitor may
 *   L2  a child begins with its parent's limits
 * Yields: never.
 * See: lib/ebb_abi.h; contract 1.11.
 */
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
