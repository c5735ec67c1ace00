/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory domain: counters, thresholds, predicates, and the channels on which
 * allocators and the page daemon wait for each other (contract 0.2, 0.3, 1.10).
 * Public.
 */
#ifndef MM_VM_METER_H
#define MM_VM_METER_H

#include "mm/mm_params.h"
#include "mm/vm_pagequeue.h"
#include "mm/vm_param.h"

#define VM_DOMAINS_MAX 4

/* Everything the page daemon knows of one memory domain. */
struct vm_domain {
	uint32_t id;
	/* pages */
	uint32_t v_page_count;
	uint32_t v_free_count;
	uint32_t v_cache_count; /* cached pages: free memory with contents */
	uint32_t v_wire_count;
	struct vm_pagequeue pagequeues[PQ_COUNT + 1]; /* by PQ_*, the cache queue last */
	/* thresholds, pages (contract 0.2) */
	uint32_t v_free_reserved;
	uint32_t v_free_severe;
	uint32_t v_free_min;
	uint32_t v_free_target;
	uint32_t v_inactive_target;
	uint32_t v_interrupt_free_min;
	uint32_t v_pageout_free_min;
	uint32_t pageout_wakeup_thresh;
	uint32_t cluster_pages;
	/* conversation between allocators and the worker */
	uint32_t vm_pageout_deficit;
	bool vm_pages_needed;          /* the worker has been asked */
	bool vm_pageout_pages_needed;  /* the worker itself waits */
	uint32_t waiters;              /* sleeping in vm_wait or vm_waitpfault */
	struct task *worker;
	/* page daemon's own */
	uint32_t pass;
	bool pass_pays;                /* another pass would find more: see vm_pageout.c */
	uint64_t idle_asked_s;         /* second of the last request VM_SWAP_IDLE */
	bool oom_voted;
};

extern struct vm_domain vm_domains[VM_DOMAINS_MAX];
extern uint32_t vm_domain_count;

static inline struct vm_domain *
vm_domain_of(const struct vm_page *m)
{
	return (&vm_domains[m->domain]);
}

/* Make domain id (and those below it) exist, empty. Boot time, by vm_phys. */
void vm_meter_add_domain(uint32_t id);
/* Where the calling task's next allocation begins to look: round robin. */
uint32_t vm_meter_next_domain(void);
/* Forget all domains (host tests boot more than once). */
void vm_meter_init(void);

/* Compute every threshold of vmd from v_page_count and v_free_count (0.2). */
void vm_meter_init_thresholds(struct vm_domain *vmd);
/* Compute pageout_wakeup_thresh alone, by the formula of contract 0.2. */
void vm_meter_set_wakeup_thresh(struct vm_domain *vmd);
/* Set the tunables that are computed: vm.pageout_wakeup_thresh, vm.max_wired, and
 * vm.pageout_update_period if it is 0. After the thresholds of all domains; boot time. */
void vm_meter_init_tunables(void);

/* F of the contract: what an allocation can still have. */
static inline uint32_t
vm_meter_free(const struct vm_domain *vmd)
{
	return (vmd->v_free_count + vmd->v_cache_count);
}
/* Does somebody wait for pages? *progress changes with every page that is freed or cached. */
bool vm_meter_waiting(uint64_t *progress);
static inline bool
vm_page_count_severe(const struct vm_domain *vmd)
{
	return (vmd->v_free_severe > vm_meter_free(vmd));
}
static inline bool
vm_page_count_min(const struct vm_domain *vmd)
{
	return (vmd->v_free_min > vm_meter_free(vmd));
}
static inline bool
vm_page_count_target(const struct vm_domain *vmd)
{
	return (vmd->v_free_target > vm_meter_free(vmd));
}
static inline int32_t
vm_paging_target(const struct vm_domain *vmd)
{
	return ((int32_t)vmd->v_free_target - (int32_t)vm_meter_free(vmd));
}
static inline bool
vm_paging_needed(const struct vm_domain *vmd)
{
	return (vm_meter_free(vmd) < vmd->pageout_wakeup_thresh);
}

/* In every domain: nobody has a page to give. */
static inline bool
vm_meter_all_severe(void)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (__builtin_expect(!vm_page_count_severe(&vm_domains[i]), 1))
			return (false);
	return (true);
}
static inline bool
vm_meter_all_min(void)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (__builtin_expect(!vm_page_count_min(&vm_domains[i]), 1))
			return (false);
	return (true);
}
static inline bool
vm_meter_all_target(void)
{
	const struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++)
		if (!vm_page_count_target(vmd))
			return (false);
	return (true);
}
/* Pages above free_min, in all domains: what can be had without hurting anybody. */
static inline uint32_t
vm_meter_spare(void)
{
	uint32_t i, spare = 0;

	for (i = 0; i < vm_domain_count; i++)
		if (!vm_page_count_min(&vm_domains[i]))
			spare += vm_meter_free(&vm_domains[i]) - vm_domains[i].v_free_min;
	return (spare);
}

/*
 * Ask for pages; idempotent, nothing when the worker itself calls. Any context,
 * never yields. The worker sleeps on channel &vmd->vm_pages_needed.
 */
void pagedaemon_wakeup(struct vm_domain *vmd);
/* Wake every vm_wait caller, then every page-faulter (1.10, T6). Never yields. */
void vm_meter_wake_waiters(struct vm_domain *vmd);
/* After F grew: wake the worker and the waiters as 1.12 (free_wakeup) says. */
void vm_page_free_wakeup(struct vm_domain *vmd);
/* Sleep until there are free pages again (1.10): for the kernel's own requests,
 * and for a page fault (woken later). From the worker: waits for
 * v_pageout_free_min. May yield (always does). */
void vm_wait(struct vm_domain *vmd);
void vm_waitpfault(struct vm_domain *vmd);
/* The same for whoever takes pages of any domain: until one of them has some. */
void vm_wait_any(void);
void vm_waitpfault_any(void);
/* True for the page daemon's own task(s). */
bool vm_meter_is_pagedaemon(const struct task *t);
/* Bring the gauges of mm/mm.params up to date; call it before reading one. Any
 * context, never yields. */
void vm_meter_refresh(void);

#endif
