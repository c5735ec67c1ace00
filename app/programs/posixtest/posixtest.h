/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of posixtest share: counting what is not as it should be.
 */
#ifndef APP_POSIXTEST_H
#define APP_POSIXTEST_H

#include <errno.h>
#include <stdio.h>

extern int failures;

#define CHECK(condition)                                                                  \
	do {                                                                              \
		if (!(condition)) {                                                       \
			printf("FAIL %s line %d: %s (errno %d)\n", __FILE__, __LINE__,    \
			    #condition, errno);                                           \
			failures++;                                                       \
		}                                                                         \
	} while (0)
#define FAILS(call, error) CHECK((errno = 0, (call)) && errno == (error))

/* Children, what they end of, and exec of /apps/NAME.elf, this program. */
void processes(const char *name);
/* This program started again by that: 0 if descriptor open_fd is open and no other is. */
int processes_again(int open_fd);

#endif
