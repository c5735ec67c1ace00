/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleep locks.
 *
 * Who releases wakes the longest sleeper; the lock is not handed over, so whoever
 * comes first takes it, and a sleeper that finds it taken sleeps again.
 *
 * Owns: nothing but the lock's two fields.
 * Does not: lend priority, detect cycles of locks.
 * Invariants:
 *   S1 a lock has one owner, who takes it once;
 *   S2 only the owner releases;
 *   S3 no yield lies between finding a lock taken and sleeping on it, so no wakeup is
 *      lost; who wakes up and does not take the lock wakes the next sleeper.
 * Yields: sleep_lock_acquire, _acquire_timed and _wait, while it is taken.
 * See: kern/sleep_lock.h; ARCHITECTURE.md, "Yield rules".
 */
#include "kern/sleep_lock.h"

#include "kern/machdep.h"
#include "kern/sched.h"
#include "lib/assert.h"

bool (*sleep_lock_refuse)(const struct sleep_lock *lock);

bool
sleep_lock_owned(const struct sleep_lock *lock)
{
	return (lock->owner == curtask());
}

/* One sleep on a lock that is taken. */
static int
wait_once(struct sleep_lock *lock, uint64_t timeout_us)
{
	int error;

	lock->waiters++;
	error = tsleep(lock, "slplock", timeout_us);
	lock->waiters--;
	return (error);
}

void
sleep_lock_acquire(struct sleep_lock *lock)
{
	KASSERT(lock->owner != curtask(), "S1: a sleep lock is taken once");
	while (lock->owner != NULL)
		(void)wait_once(lock, SLEEP_FOREVER);
	lock->owner = curtask();
}

int
sleep_lock_acquire_timed(struct sleep_lock *lock, uint64_t timeout_us)
{
	uint64_t end_us = timer_now_us() + timeout_us, now_us;

	KASSERT(lock->owner != curtask(), "S1: a sleep lock is taken once");
	while (lock->owner != NULL) {
		now_us = timer_now_us();
		if (now_us >= end_us)
			return (ERR_TIMEDOUT);
		(void)wait_once(lock, end_us - now_us);
	}
	lock->owner = curtask();
	return (0);
}

void
sleep_lock_wake(struct sleep_lock *lock)
{
	(void)wakeup_one(lock);
}

void
sleep_lock_wait(struct sleep_lock *lock)
{
	while (sleep_lock_held(lock))
		(void)wait_once(lock, SLEEP_FOREVER);
	if (lock->waiters != 0 && lock->owner == NULL)
		wakeup_one(lock);
}
