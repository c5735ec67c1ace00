/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM: replacement policy. Numbers in, verdict out.
 *
 * A policy touches no list and starts no I/O; vm_pageout.c gathers the facts and
 * carries out the verdict. So the host tests can ask it by itself
 * (test/unit/policy_classic.c).
 */
#ifndef MM_VM_POLICY_H
#define MM_VM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum vm_verdict {
	VM_LEAVE,         /* stay where it is */
	VM_REQUEUE,       /* to the tail of its queue */
	VM_ACTIVATE,
	VM_DEACTIVATE,
	VM_FREE,
	VM_CACHE,         /* free, but keep the identity while nobody needs the frame */
	VM_LAUNDER,       /* write it (with its cluster) */
	VM_LAUNDRY_QUEUE,
};

/* What the scan found out about one page, in the contract's order. */
struct vm_page_facts {
	uint32_t act_delta;   /* software flag + pmap_ts_referenced */
	uint8_t act_count;
	bool object_referenced; /* its object has references */
	bool object_dead;
	bool busy;
	bool held;
	bool valid;
	bool dirty;           /* after vm_page_test_dirty; asked only when needed */
	bool winatcfls;       /* went round once already */
	uint32_t pass;
	int32_t launder_budget; /* clusters left */
	bool swap_write_allowed;
};

struct vm_policy_meter {
	int32_t paging_target;
	uint32_t deficit;
	uint32_t inactive_count, active_count, inactive_target;
	/* The same of all domains (quirk Q5), or of the one that scans again. */
	int32_t all_paging_target;
	uint32_t all_inactive_count, all_inactive_target;
	uint32_t pass;
	uint32_t elapsed_us;
};

struct vm_policy_targets {
	int32_t reclaim;    /* pages to free */
	int32_t launder;    /* clusters */
	int32_t deactivate; /* pages, before busy and held ones are added */
};

struct vm_fault_facts {
	uint32_t entry_pages;    /* pages between entry start and the fault */
	uint32_t read_ahead;     /* the entry's present window */
	bool sequential;         /* the fault is where the last window ended */
	bool random_advice, sequential_advice;
};

struct vm_policy {
	const char *name;
	void (*targets)(const struct vm_policy_meter *in, struct vm_policy_targets *out);
	/* *act_count: in the old, out the new value. The active queue is a clock: whatever
	 * is not deactivated goes to its tail. */
	enum vm_verdict (*inactive)(const struct vm_page_facts *in, uint8_t *act_count);
	enum vm_verdict (*active)(const struct vm_page_facts *in, uint8_t *act_count);
	/* Shadow word that the object keeps for an evicted page (0 = nothing). */
	uint32_t (*evicted)(const struct vm_page_facts *in);
	/* Start of a page that came back: queue (PQ_*) and act_count. */
	void (*paged_in)(uint32_t shadow, uint8_t *queue, uint8_t *act_count);
	/* Window around a fault: pages behind and ahead; new entry window in *read_ahead. */
	void (*fault_window)(const struct vm_fault_facts *in, uint32_t *behind, uint32_t *ahead,
	    uint32_t *read_ahead);
};

extern const struct vm_policy policy_classic;
extern const struct vm_policy *vm_policy; /* the one in use */

#endif
