/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the errors of lib/err.h.
 *
 * Owns: the phrases that a user reads after a colon ("cat: /x: no such file").
 * Does not: turn errors into errno values (proc/syscall.c does).
 * Invariants: E1 every ERR_* has a phrase (test/unit/test_lib.c walks them).
 * Yields: never.
 * See: lib/err.h.
 */
#include <stddef.h>

#include "lib/err.h"

static const char *const phrases[] = {
	[-ERR_OK] = "no error",
	[-ERR_NOMEM] = "out of memory",
	[-ERR_FAULT] = "bad address",
	[-ERR_INVAL] = "invalid argument",
	[-ERR_NOENT] = "no such file or name",
	[-ERR_IO] = "I/O error",
	[-ERR_TIMEDOUT] = "timed out",
	[-ERR_BUSY] = "busy",
	[-ERR_EXIST] = "already exists",
	[-ERR_NODEV] = "no such device",
	[-ERR_RANGE] = "out of range",
	[-ERR_NOSPC] = "no space left",
	[-ERR_CORRUPT] = "corrupt data",
	[-ERR_NOEXEC] = "not a program this kernel can run",
	[-ERR_PERM] = "not permitted",
	[-ERR_NOSYS] = "no such system call",
	[-ERR_BADF] = "no such open file",
	[-ERR_ISDIR] = "is a directory",
	[-ERR_NOTDIR] = "not a directory",
	[-ERR_NAMETOOLONG] = "name too long",
	[-ERR_MFILE] = "too many open files",
	[-ERR_AGAIN] = "temporarily unavailable",
	[-ERR_CHILD] = "no such child process",
	[-ERR_KILLED] = "killed",
	[-ERR_NOTSUP] = "not supported",
	[-ERR_ROFS] = "read-only",
	[-ERR_PIPE] = "nobody reads at the other end",
	[-ERR_SPIPE] = "cannot seek there",
	[-ERR_NFILE] = "too many pipes",
	[-ERR_SRCH] = "no such process",
};

const char *
err_string(int err)
{
	int count = (int)(sizeof(phrases) / sizeof(phrases[0]));

	/* Compared before negation: -INT_MIN is undefined. */
	if (err > 0 || err <= -count || phrases[-err] == NULL)
		return ("unknown error");
	return (phrases[-err]);
}
