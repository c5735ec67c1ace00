/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small functions that newlib declares and leaves to the system, or does not do with care.
 *
 * Owns: nothing.
 * Does not: system calls of its own.
 * Invariants:
 *   none
 * Yields: creat, as open.
 * See: POSIX.1-2017, System Interfaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <reent.h>
#include <stdlib.h>

int
creat(const char *path, mode_t mode)
{
	return (open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
}

/* There is no shell, whatever newlib's says for AArch64. */
int
system(const char *command)
{
	if (command == NULL)
		return (0);
	errno = ENOSYS;
	return (-1);
}

/* newlib's does not see that the product is too large for size_t. */
void *
calloc(size_t count, size_t bytes)
{
	size_t product;

	if (__builtin_mul_overflow(count, bytes, &product)) {
		errno = ENOMEM;
		return (NULL);
	}
	return (_calloc_r(_REENT, count, bytes));
}

/* Also what newlib's aligned_alloc ends in. errno stays. */
int
posix_memalign(void **out, size_t alignment, size_t bytes)
{
	int before = errno;
	void *memory;

	if (alignment % sizeof(void *) != 0 || alignment == 0 ||
	    (alignment & (alignment - 1)) != 0)
		return (EINVAL);
	memory = memalign(alignment, bytes);
	errno = before;
	if (memory == NULL)
		return (ENOMEM);
	*out = memory;
	return (0);
}
