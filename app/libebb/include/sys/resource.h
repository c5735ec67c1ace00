/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program has used and may use, by POSIX names. What ebb does not count is no
 * member of struct rusage; what it cannot limit has no RLIMIT_ name.
 */
#ifndef SYS_RESOURCE_H
#define SYS_RESOURCE_H

#include <stdint.h>
#include <sys/time.h>

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)

struct rusage {
	struct timeval ru_utime; /* on the core, kernel work included */
	struct timeval ru_stime; /* 0: not told apart */
	long ru_maxrss;          /* KiB */
	long ru_minflt;          /* faults without I/O */
	long ru_majflt;          /* faults that read */
	long ru_nswap;           /* times swapped out whole */
};

typedef uint64_t rlim_t;
#define RLIM_INFINITY UINT64_MAX

struct rlimit {
	rlim_t rlim_cur;
	rlim_t rlim_max;
};

#define RLIMIT_RSS     0 /* bytes resident */
#define RLIMIT_AS      1 /* bytes mapped */
#define RLIMIT_MEMLOCK 3 /* bytes wired by mlock */
#define RLIMIT_NPROC   4 /* processes of the same job */

int getrusage(int who, struct rusage *out);
int getrlimit(int resource, struct rlimit *out);
int setrlimit(int resource, const struct rlimit *limit);

#endif
