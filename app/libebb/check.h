/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For programs that check calls: what is not as it should be is printed and counted.
 */
#ifndef APP_LIBEBB_CHECK_H
#define APP_LIBEBB_CHECK_H

#include <errno.h>
#include <stdio.h>

extern int failures; /* the program defines it, and ends with it */

#define CHECK(condition)                                                                  \
	do {                                                                              \
		if (!(condition)) {                                                       \
			printf("FAIL %s line %d: %s (errno %d)\n", __FILE__, __LINE__,    \
			    #condition, errno);                                           \
			failures++;                                                       \
		}                                                                         \
	} while (0)
/* The call, which is to answer as condition says, sets errno to error. */
#define FAILS(condition, error) CHECK((errno = 0, (condition)) && errno == (error))

#endif
