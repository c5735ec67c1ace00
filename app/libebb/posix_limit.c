/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <sys/resource.h> and sysconf: what a program has used, may use, and runs on.
 *
 * Owns: nothing.
 * Does not: know limits; the kernel keeps them.
 * Invariants:
 *   none
 * Yields: never.
 * See: lib/ebb_abi.h.
 */
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

_Static_assert(RLIMIT_RSS == EBB_RLIMIT_RSS && RLIMIT_AS == EBB_RLIMIT_AS &&
	RLIMIT_MEMLOCK == EBB_RLIMIT_MEMLOCK && RLIMIT_NPROC == EBB_RLIMIT_NPROC,
    "limits are the kernel's");
_Static_assert(sizeof(struct rlimit) == sizeof(struct ebb_rlimit), "so are their values");

#define KIB_PER_PAGE 4

int
getrusage(int who, struct rusage *out)
{
	struct ebb_rusage r;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN) {
		errno = EINVAL;
		return (-1);
	}
	if (ebb_getrusage(who == RUSAGE_SELF ? EBB_RUSAGE_SELF : EBB_RUSAGE_CHILDREN, &r) != 0)
		return (-1);
	*out = (struct rusage){
		.ru_utime = { .tv_sec = (time_t)(r.user_us / 1000000),
		    .tv_usec = (suseconds_t)(r.user_us % 1000000) },
		.ru_maxrss = (long)(r.max_resident_pages * KIB_PER_PAGE),
		.ru_minflt = (long)r.minor_faults,
		.ru_majflt = (long)r.major_faults,
		.ru_nswap = (long)r.swapouts,
	};
	return (0);
}

int
getrlimit(int resource, struct rlimit *out)
{
	struct ebb_rlimit limit;

	if (ebb_getrlimit((uint32_t)resource, &limit) != 0)
		return (-1);
	*out = (struct rlimit){ .rlim_cur = limit.soft, .rlim_max = limit.hard };
	return (0);
}

int
setrlimit(int resource, const struct rlimit *limit)
{
	return (ebb_setrlimit((uint32_t)resource,
	    &(struct ebb_rlimit){ .soft = limit->rlim_cur, .hard = limit->rlim_max }));
}

/* What the kernel is asked for, or -1. */
static int
kernel_name(int name)
{
	switch (name) {
	case _SC_PAGESIZE:
		return (EBB_SC_PAGESIZE);
	case _SC_PHYS_PAGES:
		return (EBB_SC_PHYS_PAGES);
	case _SC_AVPHYS_PAGES:
		return (EBB_SC_AVPHYS_PAGES);
	case _SC_OPEN_MAX:
		return (EBB_SC_OPEN_MAX);
	case _SC_ARG_MAX:
		return (EBB_SC_ARG_MAX);
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		return (EBB_SC_NPROCESSORS);
	default:
		return (-1);
	}
}

/* Names that mean nothing to ebb: -1 and EINVAL. */
long
sysconf(int name)
{
	int asked = kernel_name(name);

	if (name == _SC_CLK_TCK)
		return (CLOCKS_PER_SEC);
	if (asked < 0) {
		errno = EINVAL;
		return (-1);
	}
	return ((long)checked(ebb_syscall(EBB_SYS_SYSCONF, (uint64_t)asked, 0, 0)));
}

int
getpagesize(void)
{
	return ((int)sysconf(_SC_PAGESIZE));
}
