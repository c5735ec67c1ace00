/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newlib's <utime.h> leaves to the system.
 */
#ifndef SYS_UTIME_H
#define SYS_UTIME_H

#include <sys/types.h>

struct utimbuf {
	time_t actime;  /* not kept */
	time_t modtime; /* seconds since 1970 */
};

/* NULL would mean now, which nobody knows: EINVAL. */
int utime(const char *path, const struct utimbuf *times);

#endif
