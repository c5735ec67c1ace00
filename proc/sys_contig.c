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
 * See: kern/contig.h, lib/ebb_abi.h.
 */
#include "kern/contig.h"
#include "proc/proc_internal.h"

static bool
power_of_two_or_none(uint64_t value)
{
	return ((value & (value - 1)) == 0);
}

int64_t
sys_contig(struct proc *p, const uint64_t *a)
{
	uint64_t bytes = a[0], low = a[1], high = a[2], alignment = a[3], pa;
	int error;

	(void)p;
	if (bytes == 0 || low >= high || !power_of_two_or_none(alignment))
		return (ERR_INVAL);
	error = contig_alloc(bytes, low, high, alignment, &pa);
	if (error == 0)
		contig_free(pa, bytes);
	return (error);
}
