/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap that the kernel's C library asks for, and does not get.
 *
 * vsnprintf into a fixed buffer shares its inner functions with asprintf, whose
 * buffer grows, so newlib's allocator is among the names that the kernel must
 * define. Nothing in the kernel may reach them.
 *
 * Owns: nothing.
 * Does not: allocate. Kernel objects come from mm/uma.h, pages from mm/vm_page.h.
 * Invariants:
 *   L1 the kernel formats into fixed buffers only.
 * Yields: never.
 * See: tools/build_newlib, which chooses the parts of newlib.
 */
#include <stddef.h>

#include "lib/assert.h"

struct _reent;

void *_malloc_r(struct _reent *reent, size_t bytes);
void *_realloc_r(struct _reent *reent, void *old, size_t bytes);
void _free_r(struct _reent *reent, void *old);

void *
_malloc_r(struct _reent *reent, size_t bytes)
{
	(void)reent;
	(void)bytes;
	kassert_fail(__FILE__, __LINE__, "L1: the kernel has no malloc");
}

void *
_realloc_r(struct _reent *reent, void *old, size_t bytes)
{
	(void)old;
	return (_malloc_r(reent, bytes));
}

void
_free_r(struct _reent *reent, void *old)
{
	(void)reent;
	(void)old;
	kassert_fail(__FILE__, __LINE__, "L1: the kernel has no free");
}
