/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copyin, copyout, copyinstr: checks before copyinout.S does the work.
 *
 * Owns: nothing.
 * Does not: resolve faults (trap.c).
 * Invariants: X1 a range that leaves [0, PMAP_USER_MAX) or wraps is refused before
 *   the first byte moves. X2 a task without a program reaches no user memory.
 * Yields: all may, in page faults.
 * See: kern/usercpu.h, copyinout.S.
 */
#include <stdbool.h>

#include "kern/machdep.h"
#include "kern/task.h"
#include "kern/usercpu.h"
#include "mm/pmap.h"

int usercopy_in(void *to, uint64_t user_from, size_t bytes);
int usercopy_out(const void *from, uint64_t user_to, size_t bytes);
int usercopy_string(char *to, uint64_t user_from, size_t limit);

static bool
range_is_user(uint64_t address, size_t bytes)
{
	return (curtask()->md.pmap != NULL && address < PMAP_USER_MAX &&
	    bytes <= PMAP_USER_MAX - address);
}

int
copyin(uint64_t user_from, void *to, size_t bytes)
{
	if (!range_is_user(user_from, bytes))
		return (ERR_FAULT);
	return (usercopy_in(to, user_from, bytes));
}

int
copyout(const void *from, uint64_t user_to, size_t bytes)
{
	if (!range_is_user(user_to, bytes))
		return (ERR_FAULT);
	return (usercopy_out(from, user_to, bytes));
}

int
copyinstr(uint64_t user_from, char *to, size_t limit)
{
	int err;

	if (!range_is_user(user_from, 1))
		return (ERR_FAULT);
	if (limit > PMAP_USER_MAX - user_from)
		limit = PMAP_USER_MAX - user_from;
	if (limit == 0)
		return (ERR_NAMETOOLONG);
	err = usercopy_string(to, user_from, limit);
	return (err > 0 ? ERR_NAMETOOLONG : err);
}
