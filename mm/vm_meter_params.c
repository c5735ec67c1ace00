/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row table of mm's tunables and statistics, and what the tunables ask of each
 * other.
 *
 * vm.pageout_wakeup_thresh, vm.max_wired and vm.max_map_entries are computed at boot and
 * can be set then.
 * The threshold of all domains together is the tunable; each has its share of it.
 *
 * Owns: mm_params and its table.
 * Does not: count anything; whoever causes an event counts it.
 * Invariants:
 *   P1 a field's row has the field's name in mm/mm.params, once;
 *   P2 v_free_reserved < vm.pageout_wakeup_thresh <= v_free_target, once it was set:
 *      the worker is asked before NORMAL requests are refused, and has nothing to do
 *      above its target.
 * Gauges are copied from where the figure is kept by vm_meter_refresh.
 * Yields: never.
 * See: contract 0.2 and 0.5; kern/param.h, docs/PARAMS.md.
 */
#include <stddef.h>
#include <stdio.h>

#include "mm/vm_meter.h"

#define UPDATE_PERIOD_S  600
#define ENTRIES_PER_PAGE 4 /* with their objects they take a third of the pool at most */

struct mm_params mm_params;

/* Sums over all domains, pages. */
struct sums {
	uint32_t pages, free, reserved, target, wakeup;
};

static struct sums
sum_domains(void)
{
	struct sums sums = { 0 };
	const struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		sums.pages += vmd->v_page_count;
		sums.free += vmd->v_free_count;
		sums.reserved += vmd->v_free_reserved;
		sums.target += vmd->v_free_target;
		sums.wakeup += vmd->pageout_wakeup_thresh;
	}
	return (sums);
}

void
vm_meter_init_tunables(void)
{
	struct sums sums = sum_domains();

	mm_params.pageout_wakeup_thresh = sums.wakeup;
	mm_params.max_wired = sums.free / 3;
	mm_params.max_map_entries = sums.free * ENTRIES_PER_PAGE;
	if (mm_params.pageout_update_period == 0)
		mm_params.pageout_update_period = UPDATE_PERIOD_S;
}

/* NULL if least <= value <= most, else what is allowed. */
static const char *
within(int64_t value, uint32_t least, uint32_t most, const char *what)
{
	static char text[96];

	if (value >= least && value <= most)
		return (NULL);
	snprintf(text, sizeof(text), "expected %u to %u pages (%s), not %lld", (unsigned)least,
	    (unsigned)most, what, (long long)value);
	return (text);
}

static const char *
validate(const struct param_row *row, int64_t value)
{
	struct sums sums = sum_domains();

	if (row->value == &mm_params.pageout_wakeup_thresh)
		return (within(value, sums.reserved + 1, sums.target,
		    "above v_free_reserved, up to v_free_target"));
	if (row->value == &mm_params.max_wired)
		return (within(value, 0, sums.pages - sums.target,
		    "up to v_page_count - v_free_target"));
	return (NULL);
}

/* Each domain's share of the threshold that was set; all of it if there is one. */
static void
share_wakeup_thresh(void)
{
	struct sums sums = sum_domains();
	struct vm_domain *vmd;

	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++)
		vmd->pageout_wakeup_thresh = (uint32_t)(
		    (uint64_t)mm_params.pageout_wakeup_thresh * vmd->v_page_count / sums.pages);
}

static void
changed(const struct param_row *row)
{
	struct vm_domain *vmd;

	if (row->value == &mm_params.pageout_wakeup_thresh)
		share_wakeup_thresh();
	if (row->value == &mm_params.pageout_wakeup_above_min) {
		for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++)
			vm_meter_set_wakeup_thresh(vmd);
		mm_params.pageout_wakeup_thresh = sum_domains().wakeup;
	}
}

static const struct param_row rows[] = {
#define PARAMS       "mm/mm.params"
#define PARAM_VALUES mm_params
#include "kern/param_rows.h"
};

PARAM_TABLE(mm_params, rows, validate, changed)
