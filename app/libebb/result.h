/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's answer as POSIX functions give it; for libebb's own files.
 */
#ifndef APP_LIBEBB_RESULT_H
#define APP_LIBEBB_RESULT_H

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

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

/* Close fd; errno is that of what went wrong before. */
static inline int
close_after(int fd, int result)
{
	int error = errno;

	if (close(fd) != 0 && result == 0)
		return (-1);
	errno = error;
	return (result);
}

#endif
