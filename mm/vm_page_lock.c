/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page locks: a pool of sleep locks, shared by page number.
 *
 * Neighbouring frames have different locks, so one that is taken rarely stands for
 * another page that somebody looks at.
 *
 * Owns: the pool.
 * Does not: know what its users do with a page.
 * Invariants: those of kern/sleep_lock.c; and L1 nobody takes a second page lock while
 *   he has one (two pages may share one lock).
 * Yields: never (vm_page_lock does).
 * See: mm/vm_page_lock.h; docs/decisions/0014-what-page-locks-protect.md.
 */
#include "mm/vm_page_lock.h"

struct sleep_lock vm_page_locks[VM_PAGE_LOCKS];

void
vm_page_lock_init(void)
{
	uint32_t i;

	for (i = 0; i < VM_PAGE_LOCKS; i++)
		vm_page_locks[i] = (struct sleep_lock){ .owner = NULL };
}
