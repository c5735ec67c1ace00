/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX names for memory calls, for programs that come from elsewhere.
 */
#ifndef APP_LIBEBB_MMAN_H
#define APP_LIBEBB_MMAN_H

#include "app/libebb/ebb.h"

#define PROT_NONE  0
#define PROT_READ  EBB_PROT_READ
#define PROT_WRITE EBB_PROT_WRITE
#define PROT_EXEC  EBB_PROT_EXEC

#define MAP_SHARED    EBB_MAP_SHARED
#define MAP_PRIVATE   EBB_MAP_PRIVATE
#define MAP_FIXED     EBB_MAP_FIXED
#define MAP_ANONYMOUS EBB_MAP_ANONYMOUS
#define MAP_ANON      EBB_MAP_ANONYMOUS
#define MAP_FAILED    ((void *)-1)

#define MS_ASYNC      EBB_MS_ASYNC
#define MS_INVALIDATE EBB_MS_INVALIDATE
#define MS_SYNC       EBB_MS_SYNC

#define MADV_NORMAL     EBB_MADV_NORMAL
#define MADV_RANDOM     EBB_MADV_RANDOM
#define MADV_SEQUENTIAL EBB_MADV_SEQUENTIAL
#define MADV_WILLNEED   EBB_MADV_WILLNEED
#define MADV_DONTNEED   EBB_MADV_DONTNEED
#define MADV_FREE       EBB_MADV_FREE

#define MINCORE_INCORE     EBB_MINCORE_INCORE
#define MINCORE_REFERENCED EBB_MINCORE_REFERENCED
#define MINCORE_MODIFIED   EBB_MINCORE_MODIFIED

#define mmap(at, length, rights, how, file, from)                                        \
	ebb_map_posix(&(struct ebb_map){ .start = (at), .bytes = (length),               \
	    .prot = (uint32_t)(rights), .flags = (uint32_t)(how), .fd = (file),          \
	    .offset = (uint64_t)(from) })

static inline void *
ebb_map_posix(const struct ebb_map *map)
{
	void *at = ebb_map(map);

	return (at != NULL ? at : MAP_FAILED);
}

static inline int
munmap(void *start, size_t bytes)
{
	return (ebb_munmap(start, bytes));
}

static inline int
mprotect(void *start, size_t bytes, int prot)
{
	return (ebb_mprotect(start, bytes, (uint32_t)prot));
}

static inline int
msync(void *start, size_t bytes, int flags)
{
	return (ebb_msync(start, bytes, (uint32_t)flags));
}

static inline int
mlock(const void *start, size_t bytes)
{
	return (ebb_mlock(start, bytes));
}

static inline int
munlock(const void *start, size_t bytes)
{
	return (ebb_munlock(start, bytes));
}

static inline int
madvise(void *start, size_t bytes, int advice)
{
	return (ebb_madvise(start, bytes, (uint32_t)advice));
}

static inline int
mincore(const void *start, size_t bytes, char *states)
{
	return (ebb_mincore(start, bytes, (uint8_t *)states));
}

#endif
