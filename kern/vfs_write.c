/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate for writes to files, and requests to the syncer.
 *
 *             vnode_write_begin                 vnode_write_end
 *   (none) ---------------------> in progress -----------------> (none)
 *      ^ waits, or ERR_AGAIN, while suspended          | the last one wakes who suspends
 *      +-- vfs_write_resume <-- suspended <-- vfs_write_suspend
 *
 * Who writes pages of a file back passes the gate first. So whoever suspends writes (to
 * switch the board off, or in a test) knows afterwards that the disk is at rest.
 *
 * Owns: the number of writes in progress and of suspensions, the syncer's request.
 * Does not: write (mm's file pager does), know which files are dirty.
 * Invariants:
 *   W1 writes that begin and end are pairs;
 *   W2 while writes are suspended none begins;
 *   W3 a request to the syncer is not lost between its look and its sleep.
 * Yields: vnode_write_begin without nowait, vfs_write_suspend, vfs_syncer_wait.
 * See: kern/vnode.h; contract 1.8.
 */
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/vnode.h"
#include "lib/assert.h"

static uint32_t in_progress; /* writes */
static uint32_t suspended;   /* times */
static bool syncer_asked;

void
vfs_write_init(void)
{
	in_progress = suspended = 0;
	syncer_asked = false;
}

int
vnode_write_begin(struct vnode *vp, bool nowait)
{
	if (vp->dev->read_only)
		return (ERR_ROFS);
	while (suspended != 0) {
		if (nowait) {
			kern_params.vnode_write_refused++;
			return (ERR_AGAIN);
		}
		tsleep(&suspended, "suspfs", SLEEP_FOREVER);
	}
	in_progress++;
	return (0);
}

void
vnode_write_extend(struct vnode *vp)
{
	(void)vp;
	KASSERT(in_progress > 0, "W1: a write that goes on has begun");
	in_progress++;
}

void
vnode_write_end(struct vnode *vp)
{
	(void)vp;
	KASSERT(in_progress > 0, "W1: a write that ends has begun");
	if (--in_progress == 0 && suspended != 0)
		wakeup(&in_progress);
}

void
vfs_write_suspend(void)
{
	suspended++;
	while (in_progress != 0)
		tsleep(&in_progress, "suspwt", SLEEP_FOREVER);
}

void
vfs_write_resume(void)
{
	KASSERT(suspended > 0, "W1: what is resumed was suspended");
	if (--suspended == 0)
		wakeup(&suspended);
}

void
vfs_speedup_syncer(void)
{
	syncer_asked = true;
	wakeup(&syncer_asked);
}

bool
vfs_syncer_wait(uint64_t timeout_us)
{
	bool asked;

	if (!syncer_asked)
		(void)tsleep(&syncer_asked, "syncer", timeout_us);
	else
		sched_yield();
	asked = syncer_asked;
	syncer_asked = false;
	return (asked);
}
