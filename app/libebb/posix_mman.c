/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <sys/mman.h>: memory calls by their POSIX names, for programs that come from elsewhere.
 *
 * Owns: nothing.
 * Does not: check what the kernel checks; but its errors get the numbers of POSIX.
 * Invariants:
 *   none
 * Yields: as the calls of ebb.h.
 * See: ebb.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

_Static_assert(PROT_READ == EBB_PROT_READ && PROT_WRITE == EBB_PROT_WRITE &&
	PROT_EXEC == EBB_PROT_EXEC, "rights are the kernel's");
_Static_assert(MAP_SHARED == EBB_MAP_SHARED && MAP_PRIVATE == EBB_MAP_PRIVATE &&
	MAP_FIXED == EBB_MAP_FIXED && MAP_ANONYMOUS == EBB_MAP_ANONYMOUS, "flags too");
_Static_assert(MS_ASYNC == EBB_MS_ASYNC && MS_INVALIDATE == EBB_MS_INVALIDATE &&
	MS_SYNC == EBB_MS_SYNC, "and these");
_Static_assert(MADV_FREE == EBB_MADV_FREE && MADV_WILLNEED == EBB_MADV_WILLNEED &&
	MINCORE_MODIFIED == EBB_MINCORE_MODIFIED && INHERIT_NONE == EBB_INHERIT_NONE, "and these");

/* A call's answer, with errno as POSIX has it for memory. */
static int
posix_errno(int result, int from, int to)
{
	if (result != 0 && errno == from)
		errno = to;
	return (result);
}

/* More than there can be: no mistake in the argument, but no memory. */
static bool
is_too_much(size_t bytes)
{
	return (bytes > SIZE_MAX / 2 || (uint64_t)bytes >> 38 != 0);
}

void *
mmap(void *start, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	void *at = NULL;

	if (((flags & MAP_SHARED) != 0) == ((flags & MAP_PRIVATE) != 0))
		errno = EINVAL;
	else if (is_too_much(bytes))
		errno = ENOMEM;
	else
		at = ebb_map(&(struct ebb_map){ .start = start, .bytes = bytes,
	    .prot = (uint32_t)prot, .flags = (uint32_t)flags, .fd = fd,
	    .offset = (uint64_t)offset });

	if (at == NULL && errno == EPERM) /* the file is not open for that */
		errno = EACCES;
	return (at != NULL ? at : MAP_FAILED);
}

int
munmap(void *start, size_t bytes)
{
	return (ebb_munmap(start, bytes));
}

int
mprotect(void *start, size_t bytes, int prot)
{
	return (posix_errno(ebb_mprotect(start, bytes, (uint32_t)prot), EFAULT, ENOMEM));
}

int
msync(void *start, size_t bytes, int flags)
{
	return (ebb_msync(start, bytes, (uint32_t)flags));
}

int
mlock(const void *start, size_t bytes)
{
	return (ebb_mlock(start, bytes));
}

int
munlock(const void *start, size_t bytes)
{
	return (ebb_munlock(start, bytes));
}

int
madvise(void *start, size_t bytes, int advice)
{
	return (ebb_madvise(start, bytes, (uint32_t)advice));
}

int
posix_madvise(void *start, size_t bytes, int advice)
{
	int before = errno, error = 0;

	if (ebb_madvise(start, bytes, (uint32_t)advice) != 0)
		error = errno;
	errno = before;
	return (error);
}

int
mincore(const void *start, size_t bytes, char *states)
{
	return (ebb_mincore(start, bytes, (uint8_t *)states));
}

int
minherit(void *start, size_t bytes, int inheritance)
{
	return (ebb_minherit(start, bytes, (uint32_t)inheritance));
}
