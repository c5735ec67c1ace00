/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory domains: thresholds, and how allocators and the page daemon wait for
 * each other.
 *
 *   pages ^
 *         |  free_target    the worker reclaims up to here
 *         |  wakeup_thresh  below: an allocation wakes the worker
 *         |  free_min       below: waiters keep waiting
 *         |  free_severe    below: page faults wait before they allocate
 *         |  free_reserved  NORMAL allocations stop here
 *         |  interrupt_free_min  SYSTEM allocations stop here
 *
 * Owns: vm_domains, the thresholds, vm_pages_needed, vm_pageout_pages_needed,
 *   waiters, and the channels: &vmd->vm_pages_needed (the worker's rest),
 *   &vmd->v_free_count (vm_wait), &vmd->waiters (vm_waitpfault), &any_wait and
 *   &any_fault (a page of any domain will do: such a waiter counts in all of them); a
 *   worker that itself needs a page sleeps on &vmd->vm_pageout_pages_needed.
 * Does not: allocate, free or count pages (vm_phys counts free ones).
 * Invariants:
 *   M1 thresholds are ordered reserved <= severe <= min < target;
 *   M2 no yield lies between the test for free pages and the sleep, and whoever
 *      raises F calls vm_page_free_wakeup: no wakeup is lost;
 *   M3 domain ids are dense and below VM_DOMAINS_MAX.
 * Yields: vm_wait and vm_waitpfault, always; nothing else.
 * See: contract 0.2, 0.3, 1.10, 1.12; quirks Q1 (wakeup_thresh truncation; the
 *   tunable vm.pageout_wakeup_above_min mends it) and Q9 (freeing clears
 *   vm_pages_needed at free_min) are reproduced.
 */
#include "mm/vm_meter.h"

#include <string.h>

#include "kern/sched.h"
#include "kern/trace.h"

struct vm_domain vm_domains[VM_DOMAINS_MAX];
uint32_t vm_domain_count;

static const char any_wait, any_fault; /* channels: any domain will do */

void
vm_meter_init(void)
{
	memset(vm_domains, 0, sizeof(vm_domains));
	vm_domain_count = 0;
}

void
vm_meter_add_domain(uint32_t id)
{
	struct vm_domain *vmd;

	KASSERT(id < VM_DOMAINS_MAX, "M3: domain id in range");
	for (; vm_domain_count <= id; vm_domain_count++) {
		vmd = &vm_domains[vm_domain_count];
		vmd->id = vm_domain_count;
		vm_pagequeue_init(&vmd->pagequeues[PQ_INACTIVE], PQ_INACTIVE);
		vm_pagequeue_init(&vmd->pagequeues[PQ_ACTIVE], PQ_ACTIVE);
		vm_pagequeue_init(&vmd->pagequeues[PQ_CACHE], PQ_CACHE);
	}
}

void
vm_meter_set_wakeup_thresh(struct vm_domain *vmd)
{
	/* Divided first, as the reference does (Q1): small pools get a threshold
	 * below free_min, unless the tunable says otherwise. */
	vmd->pageout_wakeup_thresh = vmd->v_free_min / 10 * 11;
	if (mm_params.pageout_wakeup_above_min && vmd->pageout_wakeup_thresh <= vmd->v_free_min)
		vmd->pageout_wakeup_thresh = vmd->v_free_min + 1;
}

void
vm_meter_init_thresholds(struct vm_domain *vmd)
{
	uint32_t pages = vmd->v_page_count;
	uint32_t base_min = pages > 1024 ? 4 + (pages - 1024) / 200 : 4;

	vmd->cluster_pages = pages < VM_SMALL_POOL_PAGES ? VM_PAGEOUT_PAGE_COUNT_SMALL
							  : VM_PAGEOUT_PAGE_COUNT;
	vmd->v_interrupt_free_min = 2;
	vmd->v_pageout_free_min = 2 * MAXBSIZE / PAGE_SIZE + vmd->v_interrupt_free_min;
	vmd->v_free_reserved = vmd->cluster_pages + vmd->v_pageout_free_min + pages / 768;
	vmd->v_free_severe = base_min / 2 + vmd->v_free_reserved;
	vmd->v_free_target = 4 * base_min + vmd->v_free_reserved;
	vmd->v_free_min = base_min + vmd->v_free_reserved;
	vmd->v_inactive_target = 3 * vmd->v_free_target / 2;
	if (vmd->v_inactive_target > vmd->v_free_count / 3)
		vmd->v_inactive_target = vmd->v_free_count / 3;
	vm_meter_set_wakeup_thresh(vmd);
	if (mm_params.v_free_lowest == 0 || vmd->v_free_count < mm_params.v_free_lowest)
		mm_params.v_free_lowest = vmd->v_free_count;
	KASSERT(vmd->v_free_reserved <= vmd->v_free_severe &&
	    vmd->v_free_severe <= vmd->v_free_min && vmd->v_free_min < vmd->v_free_target,
	    "M1: thresholds are ordered");
}

uint32_t
vm_meter_next_domain(void)
{
	static uint8_t boot_cursor; /* before there are tasks */
	uint8_t *cursor = curtask() == NULL ? &boot_cursor : &curtask()->domain_cursor;

	*cursor = (uint8_t)((*cursor + 1u) % vm_domain_count);
	return (*cursor);
}

bool
vm_meter_is_pagedaemon(const struct task *t)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (t != NULL && vm_domains[i].worker == t)
			return (true);
	return (false);
}

void
pagedaemon_wakeup(struct vm_domain *vmd)
{
	if (vm_meter_free(vmd) < mm_params.v_free_lowest)
		mm_params.v_free_lowest = vm_meter_free(vmd);
	if (vmd->vm_pages_needed || vm_meter_is_pagedaemon(curtask()))
		return;
	vmd->vm_pages_needed = true;
	trace(TRACE_WAKE, vm_meter_free(vmd), 0, 0);
	wakeup(&vmd->vm_pages_needed);
}

void
vm_meter_wake_waiters(struct vm_domain *vmd)
{
	if (vmd->waiters == 0)
		return;
	wakeup_pri(&vmd->v_free_count, PRI_VMWAIT);
	wakeup_pri(&any_wait, PRI_VMWAIT);
	wakeup_pri(&vmd->waiters, PRI_FAULT);
	wakeup_pri(&any_fault, PRI_FAULT);
}

void
vm_page_free_wakeup(struct vm_domain *vmd)
{
	if (vmd->vm_pageout_pages_needed && vm_meter_free(vmd) >= vmd->v_pageout_free_min) {
		vmd->vm_pageout_pages_needed = false;
		wakeup(&vmd->vm_pageout_pages_needed);
	}
	if ((vmd->vm_pages_needed || vmd->waiters != 0) && !vm_page_count_min(vmd)) {
		vmd->vm_pages_needed = false;
		vm_meter_wake_waiters(vmd);
	}
}

/* Nobody wakes a waiter who finds pages there already: such a caller (whose
 * request failed for another reason) only lets the others run. */
static void
wait_on(struct vm_domain *vmd, const void *chan, const char *wmesg)
{
	if (!vm_page_count_min(vmd)) {
		sched_yield();
		return;
	}
	pagedaemon_wakeup(vmd);
	vmd->waiters++;
	tsleep(chan, wmesg, SLEEP_FOREVER);
	vmd->waiters--;
}

/* As wait_on, in all domains: the first that has pages ends the sleep. */
static void
wait_on_all(const void *chan, const char *wmesg)
{
	uint32_t i;

	if (!vm_meter_all_min()) {
		sched_yield();
		return;
	}
	for (i = 0; i < vm_domain_count; i++) {
		pagedaemon_wakeup(&vm_domains[i]);
		vm_domains[i].waiters++;
	}
	tsleep(chan, wmesg, SLEEP_FOREVER);
	for (i = 0; i < vm_domain_count; i++)
		vm_domains[i].waiters--;
}

void
vm_wait_any(void)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (vm_domains[i].worker == curtask() && curtask() != NULL) {
			vm_wait(&vm_domains[i]);
			return;
		}
	wait_on_all(&any_wait, "vmwait");
}

void
vm_waitpfault_any(void)
{
	wait_on_all(&any_fault, "pfault");
}

void
vm_wait(struct vm_domain *vmd)
{
	if (vm_meter_is_pagedaemon(curtask())) {
		if (vm_meter_free(vmd) >= vmd->v_pageout_free_min) {
			sched_yield();
			return;
		}
		vmd->vm_pageout_pages_needed = true;
		tsleep(&vmd->vm_pageout_pages_needed, "VMWait", SLEEP_FOREVER);
		return;
	}
	wait_on(vmd, &vmd->v_free_count, "vmwait");
}

void
vm_waitpfault(struct vm_domain *vmd)
{
	wait_on(vmd, &vmd->waiters, "pfault");
}

bool
vm_meter_waiting(uint64_t *progress)
{
	uint32_t i, waiters = 0;

	for (i = 0; i < vm_domain_count; i++)
		waiters += vm_domains[i].waiters;
	*progress = mm_params.v_tfree + mm_params.v_tcached;
	return (waiters > 0);
}
