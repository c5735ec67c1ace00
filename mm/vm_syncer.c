/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task syncer: goes over the files every vfs.syncer_period seconds, or when the page
 * daemon is short of clean pages and has had to pass files by (vfs_speedup_syncer), and
 * writes what is dirty.
 *
 * Owns: nothing; a reference to the object that it works on.
 * Does not: hold more than one file's lock; wait while writes to files are suspended: it
 *   comes again.
 * Invariants:
 *   Y1 files are visited in order of their objects' ids, so one that comes or goes
 *      meanwhile is visited at most once.
 * Yields: everywhere.
 * See: contract 1.8 step 6; mm/file_pager.c, kern/vfs_write.c.
 */
#include "mm/vm_syncer.h"

#include "kern/sched.h"
#include "kern/task.h"
#include "mm/file_pager.h"
#include "mm/mm_params.h"
#include "mm/vm_launder.h"

/* How often to look whether the period has been set, while it is 0. */
#define PERIOD_ZERO_US 5000000u

/* Every file; the first error. */
static int
sync_files(uint32_t flags, bool nowait)
{
	struct vm_object *object;
	uint32_t id = 0;
	int error, first = 0;

	while ((object = file_pager_next_dirty(id)) != NULL) {
		id = object->id; /* Y1 */
		vm_object_reference(object);
		/* The disk learns a new size only when the data is there. */
		error = file_pager_sync(
		    object, 0, 0, object->vnode->size_changed ? OBJPC_SYNC : flags, nowait);
		if (first == 0)
			first = error;
		vm_object_deallocate(object);
	}
	return (first);
}

int
vm_syncer_sync(void)
{
	int error = sync_files(OBJPC_SYNC, false);
	int volume = vfs_sync();

	return (error != 0 ? error : volume);
}

static void
syncer_main(void *arg)
{
	uint64_t period_us;
	bool asked;

	(void)arg;
	for (;;) {
		period_us = (uint64_t)mm_params.syncer_period * 1000000;
		asked = vfs_syncer_wait(period_us != 0 ? period_us : PERIOD_ZERO_US);
		if (!asked && period_us == 0)
			continue;
		mm_params.v_syncs++;
		mm_params.v_sync_speedups += asked;
		(void)sync_files(0, true); /* errors are remembered by the files */
		if (vfs_sync() != 0)
			continue; /* it will be tried again */
	}
}

int
vm_syncer_start(void)
{
	static struct task *syncer;

	return (task_create(&syncer, "syncer", PRI_NORMAL, syncer_main, NULL));
}
