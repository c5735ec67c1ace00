/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic replacement policy: two queues, activity counted by sampling.
 *
 *                    referenced                    act_count reaches 0
 *   INACTIVE ----------------------> ACTIVE ---------------------------> INACTIVE
 *      |  dirty: once round the queue (WINATCFLS), then written
 *      +--> clean and not referenced: cached, which is free memory
 *
 * Owns: vm_policy, the pointer to the policy in use.
 * Does not: touch pages, queues or page tables; see vm_policy.h.
 * Invariants:
 *   N1 act_count never wraps: 8 bits, the inactive verdict saturates at 255, the
 *      active one clamps to ACT_MAX (quirk Q4: only there);
 *   N2 the order of questions is the contract's: delta, held, valid, clean,
 *      WINATCFLS, budget.
 * Yields: never.
 * See: contract 1.8 and 1.16 (windows); quirks Q3, Q4 and Q5 are reproduced.
 */
#include "mm/mm_params.h"
#include "mm/vm_page.h"
#include "mm/vm_param.h"
#include "mm/vm_policy.h"

#define LAUNDER_ALL 10000 /* clusters: from the second pass on as good as no limit */

const struct vm_policy *vm_policy = &policy_classic;

/*
 * The active target is that of all domains together (Q5). Here a domain can be short alone,
 * because each has its own thresholds: then it is its own.
 */
static int32_t
deactivation(const struct vm_policy_meter *in)
{
	int32_t own = (int32_t)in->inactive_target - (int32_t)in->inactive_count +
	    in->paging_target;
	int32_t all = (int32_t)in->all_inactive_target - (int32_t)in->all_inactive_count +
	    in->all_paging_target;

	return ((own > all ? own : all) + (int32_t)in->deficit);
}

static void
classic_targets(const struct vm_policy_meter *in, struct vm_policy_targets *out)
{
	int32_t budget = (int32_t)mm_params.max_launder;

	out->reclaim = in->paging_target + (int32_t)in->deficit;
	out->launder = in->pass > 1 ? LAUNDER_ALL : budget > 1 ? budget : 1;
	out->deactivate = deactivation(in);
}

/* A dirty page that nobody uses. */
static enum vm_verdict
dirty_verdict(const struct vm_page_facts *in)
{
	if (!in->winatcfls && in->pass < 2)
		return (VM_REQUEUE);
	if (in->launder_budget <= 0)
		return (VM_LEAVE);
	if (in->object_dead || !in->swap_write_allowed)
		return (VM_REQUEUE);
	return (VM_LAUNDER);
}

static enum vm_verdict
classic_inactive(const struct vm_page_facts *in, uint8_t *act_count)
{
	uint32_t count;

	if (in->busy)
		return (VM_LEAVE);
	if (in->act_delta > 0) {
		if (!in->object_referenced)
			return (VM_REQUEUE);
		/* The caller activates first, which raises the count to ACT_INIT. */
		count = in->act_count < ACT_INIT ? ACT_INIT : in->act_count;
		count += in->act_delta + ACT_ADVANCE;
		*act_count = (uint8_t)(count < UINT8_MAX ? count : UINT8_MAX);
		return (VM_ACTIVATE);
	}
	if (in->held)
		return (VM_LEAVE);
	if (!in->valid)
		return (VM_FREE);
	if (!in->dirty)
		return (VM_CACHE);
	return (dirty_verdict(in));
}

static enum vm_verdict
classic_active(const struct vm_page_facts *in, uint8_t *act_count)
{
	uint32_t count = in->act_count;

	if (in->act_delta > 0) {
		count += ACT_ADVANCE + in->act_delta;
		*act_count = (uint8_t)(count < ACT_MAX ? count : ACT_MAX);
		return (VM_REQUEUE);
	}
	*act_count = (uint8_t)(count > ACT_DECLINE ? count - ACT_DECLINE : 0);
	return (*act_count == 0 ? VM_DEACTIVATE : VM_REQUEUE);
}

static uint32_t
classic_evicted(const struct vm_page_facts *in)
{
	(void)in;
	return (0);
}

static void
classic_paged_in(uint32_t shadow, uint8_t *queue, uint8_t *act_count)
{
	(void)shadow;
	*queue = PQ_ACTIVE;
	*act_count = ACT_INIT;
}

/*
 * A sequential fault widens the window by up to 8 pages and reads nothing behind;
 * any other brings it back to the minimum, with up to 8 behind. (1.16, T7)
 */
static void
classic_fault_window(const struct vm_fault_facts *in, uint32_t *behind, uint32_t *ahead,
    uint32_t *read_ahead)
{
	uint32_t back = in->entry_pages < VM_FAULT_READ_BEHIND ? in->entry_pages
								: VM_FAULT_READ_BEHIND;
	uint32_t window = VM_FAULT_READ_AHEAD_MIN;

	*behind = *ahead = 0;
	if (in->random_advice)
		return;
	if (in->sequential_advice) {
		*ahead = VM_FAULT_READ_AHEAD_MAX;
		return;
	}
	if (in->sequential) {
		window = in->read_ahead + back;
		if (window > VM_FAULT_READ_AHEAD_MAX)
			window = VM_FAULT_READ_AHEAD_MAX;
	} else {
		*behind = back;
	}
	*ahead = *read_ahead = window;
}

const struct vm_policy policy_classic = {
	.name = "classic",
	.targets = classic_targets,
	.inactive = classic_inactive,
	.active = classic_active,
	.evicted = classic_evicted,
	.paged_in = classic_paged_in,
	.fault_window = classic_fault_window,
};
