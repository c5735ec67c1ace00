/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ebb's own calls for programs.
 *
 * Each is one system call with errno set on failure, as POSIX functions do it.
 *
 * Owns: nothing.
 * Does not: what newlib needs (newlib_calls.c).
 * Invariants:
 *   none; the kernel checks every argument
 * Yields: programs are preemptive; every call may block.
 * See: ebb.h, lib/ebb_abi.h.
 */
#include "app/libebb/ebb.h"

#include "app/libebb/result.h"

int
ebb_null(void)
{
	return ((int)ebb_syscall(EBB_SYS_NULL, 0, 0, 0));
}

void *
ebb_mmap(size_t bytes, uint32_t prot)
{
	return (ebb_map(&(struct ebb_map){ .bytes = bytes, .prot = prot }));
}

void *
ebb_map(const struct ebb_map *map)
{
	uint64_t args[6] = { (uintptr_t)map->start, map->bytes, map->prot, map->flags,
		(uint64_t)map->fd, map->offset };
	int64_t address = checked(ebb_syscall_args(EBB_SYS_MMAP, args));

	return (address == -1 ? NULL : (void *)(uintptr_t)address);
}

int
ebb_msync(void *start, size_t bytes, uint32_t flags)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MSYNC, (uintptr_t)start, bytes, flags)));
}

int
ebb_munmap(void *start, size_t bytes)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MUNMAP, (uintptr_t)start, bytes, 0)));
}

int
ebb_mprotect(void *start, size_t bytes, uint32_t prot)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MPROTECT, (uintptr_t)start, bytes, prot)));
}

int
ebb_mlock(const void *start, size_t bytes)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MLOCK, (uintptr_t)start, bytes, 0)));
}

int
ebb_munlock(const void *start, size_t bytes)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MUNLOCK, (uintptr_t)start, bytes, 0)));
}

int
ebb_madvise(void *start, size_t bytes, uint32_t advice)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MADVISE, (uintptr_t)start, bytes, advice)));
}

int
ebb_mincore(const void *start, size_t bytes, uint8_t *states)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MINCORE, (uintptr_t)start, bytes,
	    (uintptr_t)states)));
}

int
ebb_minherit(void *start, size_t bytes, uint32_t inheritance)
{
	return ((int)checked(ebb_syscall(EBB_SYS_MINHERIT, (uintptr_t)start, bytes,
	    inheritance)));
}

int
ebb_getrusage(uint32_t who, struct ebb_rusage *usage)
{
	return ((int)checked(ebb_syscall(EBB_SYS_GETRUSAGE, who, (uintptr_t)usage, 0)));
}

int
ebb_swapon(const char *device)
{
	return ((int)checked(ebb_syscall(EBB_SYS_SWAPON, (uintptr_t)device, 0, 0)));
}

int
ebb_swapoff(const char *device)
{
	return ((int)checked(ebb_syscall(EBB_SYS_SWAPOFF, (uintptr_t)device, 0, 0)));
}

int
ebb_usage(struct ebb_usage *usage)
{
	return ((int)checked(ebb_syscall(EBB_SYS_USAGE, (uintptr_t)usage, 0, 0)));
}

int64_t
ebb_working_set(void)
{
	return (checked(ebb_syscall(EBB_SYS_WORKINGSET, 0, 0, 0)));
}

int
ebb_times(struct ebb_times *times)
{
	return ((int)checked(ebb_syscall(EBB_SYS_TIMES, (uintptr_t)times, 0, 0)));
}

int
ebb_getrlimit(uint32_t resource, struct ebb_rlimit *limit)
{
	return ((int)checked(ebb_syscall(EBB_SYS_GETRLIMIT, resource, (uintptr_t)limit, 0)));
}

int
ebb_setrlimit(uint32_t resource, const struct ebb_rlimit *limit)
{
	return ((int)checked(ebb_syscall(EBB_SYS_SETRLIMIT, resource, (uintptr_t)limit, 0)));
}

uint64_t
ebb_clock_us(void)
{
	return ((uint64_t)ebb_syscall(EBB_SYS_CLOCK, 0, 0, 0));
}

int
ebb_sleep_us(uint64_t us)
{
	return ((int)checked(ebb_syscall(EBB_SYS_SLEEP, us, 0, 0)));
}

void
ebb_yield(void)
{
	ebb_syscall(EBB_SYS_YIELD, 0, 0, 0);
}

int
ebb_spawn(const char *path, char *const argv[], uint32_t argc)
{
	return ((int)checked(ebb_syscall(EBB_SYS_SPAWN, (uintptr_t)path, (uintptr_t)argv, argc)));
}

int
ebb_wait(uint32_t pid, int *status)
{
	return ((int)checked(ebb_syscall(EBB_SYS_WAIT, pid, (uintptr_t)status, 0)));
}
