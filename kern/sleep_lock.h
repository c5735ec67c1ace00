/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock that its owner may keep over a yield: for objects, pages, maps and vnodes.
 *
 * Between two yields nothing changes in a cooperative kernel, so who does not yield
 * needs no lock; he only may not change what another task has locked. Whoever must
 * find things unchanged after a yield holds the lock.
 */
#ifndef KERN_SLEEP_LOCK_H
#define KERN_SLEEP_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/machdep.h"
#include "lib/assert.h"
#include "lib/err.h"

struct task;

/* All zero = free. */
struct sleep_lock {
	struct task *owner;
	uint32_t waiters; /* tasks asleep on it */
};

/* Take it; the caller does not own it already (asserted). May yield. */
void sleep_lock_acquire(struct sleep_lock *lock);
/* The same for at most timeout_us: 0, or ERR_TIMEDOUT without the lock. May yield. */
int sleep_lock_acquire_timed(struct sleep_lock *lock, uint64_t timeout_us) ERR_MUST_CHECK;
/* Test seam: sleep_lock_try fails when this says so. NULL in production. */
extern bool (*sleep_lock_refuse)(const struct sleep_lock *lock);

/* True if it was free and is the caller's now. Never yields. Inline, as the release: the
 * page daemon does both for each page that it looks at. */
static inline bool
sleep_lock_try(struct sleep_lock *lock)
{
	if (lock->owner != NULL)
		return (false);
	if (__builtin_expect(sleep_lock_refuse != NULL, 0) && sleep_lock_refuse(lock))
		return (false);
	lock->owner = curtask();
	return (true);
}
/* Wake the longest sleeper, for sleep_lock_release. Never yields. */
void sleep_lock_wake(struct sleep_lock *lock);
/* The caller owns it (asserted). Never yields. */
static inline void
sleep_lock_release(struct sleep_lock *lock)
{
	KASSERT(lock->owner == curtask(), "S2: only the owner releases a sleep lock");
	lock->owner = NULL;
	if (__builtin_expect(lock->waiters != 0, 0))
		sleep_lock_wake(lock);
}
/* Sleep until it is free for a moment, without taking it. May yield. */
void sleep_lock_wait(struct sleep_lock *lock);
/* Does the calling task own it? */
bool sleep_lock_owned(const struct sleep_lock *lock);
/* Does some other task own it? */
static inline bool
sleep_lock_held(const struct sleep_lock *lock)
{
	return (__builtin_expect(lock->owner != NULL, 0) && !sleep_lock_owned(lock));
}

#endif
