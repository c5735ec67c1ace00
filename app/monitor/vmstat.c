/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmstat: samples, the line made of two of them, and who prints it.
 *
 *   r              tasks waiting for the core
 *   free .. wire   pages; cache counts as free and is 0 without cached pages
 *   flt            faults that vm_fault handled, per second
 *   eflt           faults that only set an emulated referenced or modified flag
 *   pi, po         pages read from and written to swap, per second
 *   clu            swap writes (clusters of pages), per second
 *   swap           pages of swap in use
 *   rd, wr         transfers of all disks, per second
 *   cpu            percent of the time in which the core was busy
 *
 * Owns: the vmstat task.
 * Does not: count anything itself.
 *
 * Invariants:
 * V1 at most one vmstat task.
 *
 * Yields: vmstat_loop, vmstat_task_stop.
 * See: mm/mm.params for the counters; vmstat(8) of FreeBSD for the manner.
 */
#include "app/monitor/vmstat.h"

#include <stddef.h>
#include <stdio.h>

#include "app/monitor/monitor.h"
#include "kern/blkdev.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "lib/assert.h"
#include "mm/mm_params.h"
#include "mm/swap_pager.h"
#include "mm/vm_meter.h"

#define SECOND_US 1000000u

const char vmstat_header[] =
    "r   fre   act inact cache  wire   flt  eflt    pi    po clu  swap   rd   wr cpu\n";

void
vmstat_sample_take(struct vmstat_sample *out)
{
	struct blkdev *dev;

	vm_meter_refresh();
	*out = (struct vmstat_sample){
		.at_us = timer_now_us(),
		.runnable = sched_runnable_count(),
		.free = mm_params.v_free_count,
		.active = mm_params.v_active_count,
		.inactive = mm_params.v_inactive_count,
		.cache = mm_params.v_cache_count,
		.wired = mm_params.v_wire_count,
		.swap_used = swap_pager_total() - swap_pager_avail(),
		.faults = mm_params.v_vm_faults,
		.flag_faults = mm_params.pmap_af_faults + mm_params.pmap_dirty_faults,
		.page_ins = mm_params.v_swappgsin,
		.page_outs = mm_params.v_swappgsout,
		.clusters = mm_params.v_swapout,
		.idle_us = timer_cycles_to_us(sched_idle_cycles()),
	};
	for (dev = blk_next_device(NULL); dev != NULL; dev = blk_next_device(dev)) {
		if (dev->parent != NULL)
			continue;
		out->reads += dev->reads;
		out->writes += dev->writes;
	}
}

/* Events per second, rounded. */
static unsigned long
rate(uint64_t before, uint64_t now, uint64_t elapsed_us)
{
	return ((unsigned long)(((now - before) * SECOND_US + elapsed_us / 2) / elapsed_us));
}

static uint32_t
busy_percent(const struct vmstat_sample *before, const struct vmstat_sample *now,
    uint64_t elapsed_us)
{
	uint64_t idle = (now->idle_us - before->idle_us) * 100 / elapsed_us;

	return (idle < 100 ? 100 - (uint32_t)idle : 0);
}

void
vmstat_format(const struct vmstat_sample *before, const struct vmstat_sample *now,
    char line[VMSTAT_LINE_BYTES])
{
	uint64_t us = now->at_us > before->at_us ? now->at_us - before->at_us : 1;

	snprintf(line, VMSTAT_LINE_BYTES,
	    "%1u %5lu %5lu %5lu %5lu %5lu %5lu %5lu %5lu %5lu %3lu %5lu %4lu %4lu %3u\n",
	    now->runnable, (unsigned long)now->free, (unsigned long)now->active,
	    (unsigned long)now->inactive, (unsigned long)now->cache, (unsigned long)now->wired,
	    rate(before->faults, now->faults, us),
	    rate(before->flag_faults, now->flag_faults, us),
	    rate(before->page_ins, now->page_ins, us), rate(before->page_outs, now->page_outs, us),
	    rate(before->clusters, now->clusters, us), (unsigned long)now->swap_used,
	    rate(before->reads, now->reads, us), rate(before->writes, now->writes, us),
	    busy_percent(before, now, us));
}

#define ASK_US 100000u /* longest time between two calls of stop */

/* Wait until until_us; false when told to stop. */
static bool
wait_until(uint64_t until_us, bool (*stop)(void *arg, uint64_t wait_us), void *arg)
{
	uint64_t now;

	while ((now = timer_now_us()) < until_us) {
		if (stop(arg, until_us - now < ASK_US ? until_us - now : ASK_US))
			return (false);
	}
	return (true);
}

void
vmstat_loop(uint32_t seconds, bool (*stop)(void *arg, uint64_t wait_us), void *arg)
{
	struct vmstat_sample samples[2];
	char line[VMSTAT_LINE_BYTES];
	uint64_t next_us;
	uint32_t n;

	vmstat_sample_take(&samples[0]);
	next_us = samples[0].at_us;
	for (n = 0;; n++) {
		/* A fixed beat, so that a late line does not delay those after it; beats
		 * that were missed altogether are left out. */
		next_us += (uint64_t)seconds * SECOND_US;
		if (next_us < timer_now_us())
			next_us = timer_now_us();
		if (!wait_until(next_us, stop, arg))
			return;
		if (n % VMSTAT_HEADER_LINES == 0)
			kprintf("%s", vmstat_header);
		vmstat_sample_take(&samples[(n + 1) % 2]);
		vmstat_format(&samples[n % 2], &samples[(n + 1) % 2], line);
		kprintf("%s", line);
	}
}

static bool task_running, task_stopping;
static uint32_t task_seconds;

static bool
task_stop_asked(void *arg, uint64_t wait_us)
{
	(void)arg;
	if (!task_stopping)
		tsleep(&task_stopping, "vmstat", wait_us);
	return (task_stopping);
}

static void
vmstat_task(void *arg)
{
	(void)arg;
	vmstat_loop(task_seconds, task_stop_asked, NULL);
	task_running = false;
	wakeup(&task_running);
}

int
vmstat_task_start(uint32_t seconds)
{
	struct task *t;
	int err;

	if (task_running)
		return (ERR_BUSY);
	task_running = true;
	task_stopping = false;
	task_seconds = seconds;
	err = task_create(&t, "vmstat", MONITOR_PRIORITY, vmstat_task, NULL);
	if (err != 0)
		task_running = false;
	return (err);
}

void
vmstat_task_stop(void)
{
	task_stopping = true;
	wakeup(&task_stopping);
	while (task_running)
		tsleep(&task_running, "vmstat", SLEEP_FOREVER);
	KASSERT(!task_running, "V1: one vmstat task at most");
}
