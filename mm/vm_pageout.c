/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page daemon: when to scan, how much, and the ageing of active pages.
 *
 *            enough pages: pass 0, rest 1 s           short of pages
 *   +------ REST <------------------------- SCAN <-------------------+
 *   |         | woken, or pages needed       ^  pass 1, 2 at once,    |
 *   |         +--- pass + 1 -----------------+  then 0.5 s between    |
 *   +-- 1 s passed: pass 0, idle ageing -----+------------------------+
 *
 * Owns: vmd->pass and vmd->worker; the worker tasks; v_pdwakeups, v_pdpages.
 * Does not: wake allocators by any rule of its own (vm_meter), decide over a page
 *   (vm_policy), write one (vm_launder), kill (vm_pageout_oom.c).
 * Invariants:
 *   J1 no yield lies between the test of vm_pages_needed and the sleep on it;
 *   J2 nothing on this path allocates or waits for free pages.
 * Yields: the worker; vm_pageout_scan by work done (VM_SCAN_WORK_MAX) and in writes.
 * Complexity: a scan is O(pages looked at).
 * See: contract 1.8, 1.10. Below free_min the worker runs at PRI_PAGEOUT, and it is
 *   woken at that priority; else it is as good as a program. Between passes it
 *   rests the contract's half second only when another pass would find nothing new
 *   (vm.pageout_rest_full: always).
 */
#include "mm/vm_pageout.h"

#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "kern/vnode.h"
#include "mm/swap_pager.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_pageout_internal.h"
#include "mm/vm_request.h"

#define REST_SHORT_US 500000u
#define REST_LONG_US  1000000u

/* ---- scan */

/*
 * The reference counts active and inactive pages of all domains for every domain's active
 * target, and lets the first domain that scans take the whole deficit (quirk Q5).
 */
static inline bool
is_counted(const struct vm_scan *s, const struct vm_domain *vmd)
{
	return (mm_params.pageout_global_targets || vmd == s->vmd);
}

static void
take_deficit(struct vm_scan *s)
{
	struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		if (!is_counted(s, vmd))
			continue;
		s->deficit += vmd->vm_pageout_deficit;
		vmd->vm_pageout_deficit = 0;
	}
}

static void
ask_targets(const struct vm_scan *s, struct vm_policy_targets *targets)
{
	const struct vm_domain *own = s->vmd, *vmd;
	struct vm_policy_meter meter = { .paging_target = vm_paging_target(own),
		.deficit = s->deficit, .pass = s->facts.pass,
		.inactive_count = own->pagequeues[PQ_INACTIVE].count,
		.active_count = own->pagequeues[PQ_ACTIVE].count,
		.inactive_target = own->v_inactive_target };

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		if (!is_counted(s, vmd))
			continue;
		meter.all_paging_target += vm_paging_target(vmd);
		meter.all_inactive_count += vmd->pagequeues[PQ_INACTIVE].count;
		meter.all_inactive_target += vmd->v_inactive_target;
	}
	vm_policy->targets(&meter, targets);
}

/* One page of the active queue; true if it stays there. */
static inline bool
age(struct vm_scan *s, struct vm_page *m)
{
	s->work += VM_SCAN_WORK_LOOK + (pmap_page_is_mapped(m) ? VM_SCAN_WORK_MAPPED : 0);
	vm_scan_sample(&s->facts, m);
	if (vm_policy->active(&s->facts, &m->act_count) != VM_DEACTIVATE)
		return (true);
	vm_page_deactivate(m);
	s->shortage--;
	return (false);
}

/*
 * Requeueing each page that stays is the same as moving the whole stretch that was
 * looked at to the tail at once, before a yield and at the end: no marker is needed,
 * the place is the head of the queue.
 */
void
vm_scan_active(struct vm_scan *s)
{
	struct vm_pagequeue *pq = &s->vmd->pagequeues[PQ_ACTIVE];
	struct vm_page *next, *kept = NULL, *m = vm_pagequeue_first(pq);
	uint32_t looked, limit = pq->count;

	/* Idle ageing (quirk Q2: fewer active pages than seconds means none). */
	if (s->facts.pass == 0 && mm_params.pageout_update_period != 0) {
		limit /= (uint32_t)mm_params.pageout_update_period;
		s->shortage = (int32_t)limit;
	}
	for (looked = 0; m != NULL && looked < limit && s->shortage > 0; m = next) {
		next = vm_pagequeue_next(m);
		if (__builtin_expect((m->flags & PG_MARKER) != 0, 0))
			continue; /* somebody else keeps his place */
		looked++;
		if (age(s, m))
			kept = m;
		if (s->work >= VM_SCAN_WORK_MAX) {
			if (kept != NULL)
				vm_pagequeue_rotate(pq, kept);
			kept = NULL;
			s->work = 0;
			sched_maybe_yield();
			next = vm_pagequeue_first(pq);
		}
	}
	if (kept != NULL)
		vm_pagequeue_rotate(pq, kept);
	mm_params.v_pdpages += looked;
	if (looked != 0)
		s->vmd->pass_pays = true; /* whatever was seen is a step nearer to going */
}

/* Step 1: ask everybody for what can be given back. */
static void
low_memory(const struct vm_scan *s)
{
	if (s->vmd->id == 0 && s->facts.pass > 0 && vm_lowmem_due())
		vm_lowmem(0);
}

/* Steps 5 and 6: what others are to do. */
static void
ask_others(const struct vm_scan *s)
{
	uint64_t now_s = timer_now_us() / 1000000u;

	if (mm_params.swap_idle_enabled && now_s != s->vmd->idle_asked_s) {
		s->vmd->idle_asked_s = now_s;
		vm_req_vmdaemon(VM_SWAP_IDLE);
	}
	if (vm_paging_target(s->vmd) <= 0)
		return;
	if (s->vnodes_skipped != 0 && vm_page_count_min(s->vmd))
		vfs_speedup_syncer();
	if (mm_params.swap_enabled)
		vm_req_vmdaemon(VM_SWAP_NORMAL);
}

void
vm_pageout_scan(struct vm_domain *vmd, uint32_t pass)
{
	struct vm_scan s = { .vmd = vmd, .facts.pass = pass };
	struct vm_policy_targets targets;
	int32_t wanted;

	vmd->pass_pays = false;
	low_memory(&s);
	take_deficit(&s);
	ask_targets(&s, &targets);
	wanted = s.shortage = targets.reclaim;
	s.facts.launder_budget = targets.launder;
	vm_scan_inactive(&s);
	ask_targets(&s, &targets);
	s.shortage = targets.deactivate + (int32_t)s.stuck;
	vm_scan_active(&s);
	trace(TRACE_SCAN, pass, (uint64_t)(int64_t)wanted, s.freed);
	ask_others(&s);
	vm_pageout_mightbe_oom(vmd, pass);
}

/* ---- worker */

/*
 * Pages are needed and the last pass has made the next one easier: resting would only
 * keep waiting those who need memory, now or in a moment. Not for ever: pages that
 * cannot be written become active again, and others must run to give memory back.
 */
static bool
go_on(const struct vm_domain *vmd)
{
	return (vmd->pass_pays && !mm_params.pageout_rest_full && !swap_pager_full() &&
	    vmd->pass <= ACT_MAX);
}

/* Sleep until there is something to do. */
static void
rest(struct vm_domain *vmd)
{
	if (vmd->vm_pages_needed && !vm_page_count_min(vmd)) {
		if (!vm_paging_needed(vmd))
			vmd->vm_pages_needed = false;
		vm_meter_wake_waiters(vmd);
	}
	sched_set_priority(vmd->worker, PRI_PAGEOUT);
	if (!vmd->vm_pages_needed) {
		vmd->pass = 0;
		tsleep(&vmd->vm_pages_needed, "psleep", REST_LONG_US);
	} else if (vmd->pass > 1 && !go_on(vmd)) {
		tsleep(&vmd->vm_pages_needed, "psleep", REST_SHORT_US);
	}
	if (!vm_page_count_min(vmd))
		sched_set_priority(vmd->worker, PRI_NORMAL);
	if (vmd->vm_pages_needed) {
		mm_params.v_pdwakeups++;
		vmd->pass++;
	}
}

static void
worker_main(void *arg)
{
	struct vm_domain *vmd = arg;

	for (;;) {
		rest(vmd);
		vm_pageout_scan(vmd, vmd->pass);
	}
}

int
vm_pageout_start(void)
{
	struct vm_domain *vmd;
	int error;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		error = task_create(&vmd->worker, "pagedaemon", PRI_PAGEOUT, worker_main, vmd);
		if (error != 0)
			return (error);
	}
	return (0);
}
