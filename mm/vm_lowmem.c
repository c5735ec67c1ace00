/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Low memory: handlers first, then the zones' empty slabs.
 *
 * The order matters: what a handler frees (vnodes) empties slabs.
 *
 * Owns: when the last low-memory event was; vm.stats.vm.v_lowmem.
 * Does not: decide that memory is low (the scan, and contiguous allocation do).
 * Invariants:
 *   L1 vm_lowmem_due is true at most once in vm.lowmem_period.
 * Yields: never.
 * Complexity: O(handlers and what they free).
 * See: contract 1.8 step 1, 1.17, quirk Q11; kern/eventhandler.h.
 */
#include "mm/vm_lowmem.h"

#include "kern/eventhandler.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "mm/mm_params.h"
#include "mm/uma.h"

#define HZ 1000u /* ticks a second of the reference */

static uint64_t last_us;
static bool ever;
static uint32_t last_ticks; /* of the reference: 0 at boot, whatever the clock said */

void
vm_lowmem_init(void)
{
	last_us = 0;
	ever = false;
	last_ticks = 0;
}

void
vm_lowmem(uint32_t flags)
{
	uint32_t pages;

	mm_params.v_lowmem++;
	eventhandler_invoke(EVENT_VM_LOWMEM, flags);
	pages = uma_reclaim();
	mm_params.uma_reclaimed += pages;
}

/* last + period * hz < now, in signed 32-bit ticks. */
static bool
raw_due(uint64_t now_us)
{
	uint32_t ticks = (uint32_t)(now_us / (1000000u / HZ));
	uint32_t limit = last_ticks + (uint32_t)mm_params.lowmem_period * HZ;

	if ((int32_t)limit >= (int32_t)ticks)
		return (false);
	last_ticks = ticks;
	return (true);
}

bool
vm_lowmem_due(void)
{
	uint64_t now_us = timer_now_us();

	if (mm_params.lowmem_raw_ticks)
		return (raw_due(now_us));
	if (ever && now_us - last_us <= (uint64_t)mm_params.lowmem_period * 1000000u)
		return (false);
	ever = true;
	last_us = now_us;
	return (true);
}
