/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on limits: of the calling process, inherited by its children.
 *
 * Owns: nothing.
 * Does not: know what a limit does (proc_limit.c).
 * Invariants: none of its own.
 * Yields: both calls, in copyin and copyout.
 * See: lib/ebb_abi.h.
 */
#include "kern/usercpu.h"
#include "proc/proc_internal.h"

int64_t
sys_setrlimit(struct proc *p, const uint64_t *a)
{
	struct ebb_rlimit limit;
	int error = copyin(a[1], &limit, sizeof(limit));

	return (error == 0 ? proc_limit_set(p, a[0], &limit, false) : error);
}

int64_t
sys_getrlimit(struct proc *p, const uint64_t *a)
{
	if (a[0] >= EBB_RLIMIT_COUNT)
		return (ERR_INVAL);
	return (copyout(&p->limits[a[0]], a[1], sizeof(p->limits[0])));
}
