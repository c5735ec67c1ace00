/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's answer as POSIX functions give it; for libebb's own files.
 */
#ifndef APP_LIBEBB_RESULT_H
#define APP_LIBEBB_RESULT_H

#include <errno.h>
#include <stdint.h>

/* Negative errno -> -1 with errno set; anything else as it is. */
static inline int64_t
checked(int64_t result)
{
	if (result < 0) {
		errno = (int)-result;
		return (-1);
	}
	return (result);
}

#endif
