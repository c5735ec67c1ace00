/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of posixtest share.
 */
#ifndef APP_POSIXTEST_H
#define APP_POSIXTEST_H

#include "app/libebb/check.h"

/* Children, what they end of, and exec of /apps/NAME.elf, this program. */
void processes(const char *name);
/* This program started again by that: 0 if descriptor open_fd is open and no other is. */
int processes_again(int open_fd);

#endif
