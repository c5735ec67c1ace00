/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call that asks for memory in one piece.
 *
 * A program cannot use physical memory; it asks whether a buffer that a device would need
 * could be had, as a driver asks, and what that costs shows in its own statistics. The
 * memory is given back at once.
 *
 * Owns: nothing.
 * Does not: map what it got.
 * Invariants: none of its own.
 * Yields: whenever something has to be given up.
 * See: mm/vm_pageout_grow.h, lib/ebb_abi.h.
 */
#include "mm/vm_pageout_grow.h"
#include "proc/proc_internal.h"

static bool
power_of_two_or_none(uint64_t value)
{
	return ((value & (value - 1)) == 0);
}

int64_t
sys_contig(struct proc *p, const uint64_t *a)
{
	struct vm_phys_range range = { .low = a[1], .high = a[2], .alignment = a[3] };
	uint64_t pages = a[0] / PAGE_SIZE + (a[0] % PAGE_SIZE != 0);
	struct vm_page *m;

	(void)p;
	if (pages == 0 || range.low >= range.high || !power_of_two_or_none(range.alignment))
		return (ERR_INVAL);
	if (pages >= vm_page_array_count || range.alignment > UINT64_C(1) << 40)
		return (ERR_NOMEM);
	m = vm_pageout_alloc_contig((uint32_t)pages, &range);
	if (m == NULL)
		return (ERR_NOMEM);
	vm_page_free_contig(m, (uint32_t)pages);
	return (0);
}
