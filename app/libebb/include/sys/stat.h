/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newlib's <sys/stat.h>, and what it has only for other systems.
 */
#include_next <sys/stat.h>

#ifndef EBB_SYS_STAT_H
#define EBB_SYS_STAT_H

/* In tv_nsec of futimens and utimensat. */
#define UTIME_NOW  (-2L)
#define UTIME_OMIT (-1L)

/* FAT has no symbolic links: the same as stat. */
int lstat(const char *path, struct stat *out);

#endif
