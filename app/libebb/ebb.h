/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ebb program can ask of the kernel beside the C library.
 *
 * Functions return 0 or a result, or -1 with errno set. lib/ebb_abi.h describes the
 * structures and the calls themselves.
 */
#ifndef APP_LIBEBB_EBB_H
#define APP_LIBEBB_EBB_H

#include <stddef.h>
#include <stdint.h>

#include "lib/ebb_abi.h"

/* Path on the card of the program NAME of ebb's own, built for the same ABI. */
#if UINTPTR_MAX == UINT32_MAX
#define EBB_PROGRAM(name) "/apps/" name "32.elf"
#else
#define EBB_PROGRAM(name) "/apps/" name ".elf"
#endif

/* A system call that does nothing: for measuring. */
int ebb_null(void);

/* Fresh zeroed memory, pageable, at least bytes long; NULL on failure. prot is a
 * mask of EBB_PROT_*. */
void *ebb_mmap(size_t bytes, uint32_t prot);
/* The same with everything that can be said: NULL on failure. All that is not set is 0:
 * private anonymous memory anywhere. */
struct ebb_map {
	void *start;     /* there (nothing may be mapped, but with EBB_MAP_FIXED); NULL: anywhere */
	size_t bytes;
	uint32_t prot;   /* EBB_PROT_* */
	uint32_t flags;  /* EBB_MAP_* */
	int fd;          /* of a file, without EBB_MAP_ANONYMOUS */
	uint64_t offset; /* in it, a multiple of 4096 */
};
void *ebb_map(const struct ebb_map *map);
/* What was written to shared mappings of files in the range is on the disk (EBB_MS_*). */
int ebb_msync(void *start, size_t bytes, uint32_t flags);
int ebb_munmap(void *start, size_t bytes);
int ebb_mprotect(void *start, size_t bytes, uint32_t prot);

/* Keep these pages in memory, all or none; let them go. */
int ebb_mlock(const void *start, size_t bytes);
int ebb_munlock(const void *start, size_t bytes);
/* How they will be used (EBB_MADV_*). */
int ebb_madvise(void *start, size_t bytes, uint32_t advice);
/* EBB_MINCORE_* of each page. */
int ebb_mincore(const void *start, size_t bytes, uint8_t *states);
/* What fork does with them (EBB_INHERIT_*). */
int ebb_minherit(void *start, size_t bytes, uint32_t inheritance);
/* What this program has used, or its children that have ended (EBB_RUSAGE_*). */
int ebb_getrusage(uint32_t who, struct ebb_rusage *usage);
/* Use a device for swapping; stop using it, which first brings everything in: ENOMEM if
 * it does not fit. */
int ebb_swapon(const char *device);
int ebb_swapoff(const char *device);

/* What this program's memory has cost so far. */
int ebb_usage(struct ebb_usage *usage);

/* Pages used since the last call (or the start); the next use of each page costs one
 * emulated access-flag fault on a core without hardware flags. */
int64_t ebb_working_set(void);

/* This program's time on the core, its age, and the core's idle time. */
int ebb_times(struct ebb_times *times);

/* Limits (EBB_RLIMIT_*) of this program and of those that it starts from now on. */
int ebb_getrlimit(uint32_t resource, struct ebb_rlimit *limit);
int ebb_setrlimit(uint32_t resource, const struct ebb_rlimit *limit);

/* Microseconds since the board booted. */
uint64_t ebb_clock_us(void);
int ebb_sleep_us(uint64_t us);
void ebb_yield(void);

/* Start the program at path with argv[0..argc-1]; its pid. */
int ebb_spawn(const char *path, char *const argv[], uint32_t argc);
/* Wait for child pid (0 = any); its pid, its exit status in *status. */
int ebb_wait(uint32_t pid, int *status);

/* Any call, as the kernel answers it (negative errno on failure). */
int64_t ebb_syscall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2);
/* The same for calls with more than three arguments. */
int64_t ebb_syscall_args(uint64_t number, const uint64_t args[6]);

#endif
