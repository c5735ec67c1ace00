/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page locks: they keep reclaim away from a page.
 *
 * Whoever owns the lock of a page may yield, and afterwards the page daemon, contiguous
 * allocation and clustering have not moved, cached, freed or begun to write that page.
 * Everybody else goes on: a fault may activate it, its object may free it. Unlike a hold
 * or a wiring the lock leaves no mark on the page: a scan that meets it waits, keeping
 * its place (mm/vm_pageout_lock.h), and does not count the page as stuck.
 *
 * Order: vnode, object, page; a task owns one page lock at a time.
 */
#ifndef MM_VM_PAGE_LOCK_H
#define MM_VM_PAGE_LOCK_H

#include "kern/sleep_lock.h"
#include "mm/vm_page.h"

#define VM_PAGE_LOCKS 64u /* pages share them by number */

extern struct sleep_lock vm_page_locks[VM_PAGE_LOCKS];

static inline struct sleep_lock *
vm_page_lock_of(const struct vm_page *m)
{
	return (&vm_page_locks[vm_page_number(m) % VM_PAGE_LOCKS]);
}
/* May yield. */
static inline void
vm_page_lock(struct vm_page *m)
{
	sleep_lock_acquire(vm_page_lock_of(m));
}
static inline bool
vm_page_trylock(struct vm_page *m)
{
	return (sleep_lock_try(vm_page_lock_of(m)));
}
static inline void
vm_page_unlock(struct vm_page *m)
{
	sleep_lock_release(vm_page_lock_of(m));
}
/* Does the calling task own it? Does another one? */
static inline bool
vm_page_lock_owned(const struct vm_page *m)
{
	return (sleep_lock_owned(vm_page_lock_of(m)));
}
static inline bool
vm_page_lock_held(const struct vm_page *m)
{
	return (sleep_lock_held(vm_page_lock_of(m)));
}

/* All free (host tests boot repeatedly). */
void vm_page_lock_init(void);

#endif
