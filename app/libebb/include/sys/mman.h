/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory calls by their POSIX names: 0 or an address, or -1 (MAP_FAILED) with errno set.
 */
#ifndef SYS_MMAN_H
#define SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

#define MAP_SHARED    0x01
#define MAP_PRIVATE   0x02
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define MAP_ANON      MAP_ANONYMOUS
#define MAP_FAILED    ((void *)-1)

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC       4

#define MADV_NORMAL     0
#define MADV_RANDOM     1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED   3
#define MADV_DONTNEED   4
#define MADV_FREE       5
#define POSIX_MADV_NORMAL     MADV_NORMAL
#define POSIX_MADV_RANDOM     MADV_RANDOM
#define POSIX_MADV_SEQUENTIAL MADV_SEQUENTIAL
#define POSIX_MADV_WILLNEED   MADV_WILLNEED

/* Bits of what mincore says of a page. */
#define MINCORE_INCORE     0x01
#define MINCORE_REFERENCED 0x02
#define MINCORE_MODIFIED   0x04

#define INHERIT_SHARE 0
#define INHERIT_COPY  1
#define INHERIT_NONE  2

void *mmap(void *start, size_t bytes, int prot, int flags, int fd, off_t offset);
int munmap(void *start, size_t bytes);
int mprotect(void *start, size_t bytes, int prot);
int msync(void *start, size_t bytes, int flags);
int mlock(const void *start, size_t bytes);
int munlock(const void *start, size_t bytes);
int madvise(void *start, size_t bytes, int advice);
int posix_madvise(void *start, size_t bytes, int advice); /* the error, not errno */
int mincore(const void *start, size_t bytes, char *states);
int minherit(void *start, size_t bytes, int inheritance);

#endif
