/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output of one of the monitor's own commands into a file.
 */
#ifndef APP_MONITOR_REDIRECT_H
#define APP_MONITOR_REDIRECT_H

#include <stdbool.h>

#include "lib/err.h"

/* From now on what the calling task prints goes into path, made if need be; append: behind
 * what it holds, else instead of that. As vfs_lookup and vfs_create, ERR_ISDIR, ERR_BUSY,
 * ERR_ROFS, ERR_NOMEM. May yield. */
int redirect_begin(const char *path, bool append) ERR_MUST_CHECK;
/* No longer. Why not all of it is in the file, or 0. May yield. */
int redirect_end(void) ERR_MUST_CHECK;

#endif
