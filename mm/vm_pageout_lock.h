/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locking a page that was found on a queue (contract 1.2). For the scans of the page
 * daemon and of contiguous allocation.
 */
#ifndef MM_VM_PAGEOUT_LOCK_H
#define MM_VM_PAGEOUT_LOCK_H

#include "mm/vm_object.h"
#include "mm/vm_page_lock.h"

/*
 * Take the lock of m, which is on a queue. If another task has it: with a marker behind m,
 * asleep until it is free; *next is then the element behind the marker. True if m is still
 * on the same queue in front of the marker. The lock is the caller's either way. May yield
 * (then *next is set).
 */
bool vm_pageout_page_lock(struct vm_page *m, struct vm_page **next);

/*
 * The same for the lock of m's object; m's own is the caller's already and is again
 * afterwards, either way. True only if m is also still in that object, which the caller
 * reads before: it is his to unlock, and goes no sooner. May yield (then *next is set).
 */
bool vm_pageout_fallback_object_lock(struct vm_page *m, struct vm_page **next);

/* Both, in this order; false after neither is held any more. *object: m's, locked. May
 * yield (then *next is set). Inline where nobody is in the way. */
bool vm_pageout_lock_both_slow(struct vm_page *m, struct vm_object **object,
    struct vm_page **next);
static inline bool
vm_pageout_lock_both(struct vm_page *m, struct vm_object **object, struct vm_page **next)
{
	if (__builtin_expect(!vm_page_trylock(m), 0))
		return (vm_pageout_lock_both_slow(m, object, next));
	*object = m->object;
	if (__builtin_expect(sleep_lock_try(&m->object->lock), 1))
		return (true);
	vm_page_unlock(m);
	return (vm_pageout_lock_both_slow(m, object, next));
}

#endif
