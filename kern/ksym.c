/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for kernel addresses.
 *
 * Owns: nothing; the table is linked into the image after it has been made from
 *   the image's own symbols.
 * Does not: walk stacks (arch does).
 * Invariants: Y1 the table is sorted by address.
 * Yields: never.
 * Complexity: O(log symbols).
 * See: kern/panic.h.
 */
#include "kern/panic.h"

const char *
ksym_lookup(uint64_t address, uint64_t *offset)
{
	uint32_t low = 0;
	uint32_t high = ksyms_count;

	/* The first symbol above address lies at high. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ksyms[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	*offset = high == 0 ? 0 : address - ksyms[high - 1].address;
	return (high == 0 ? "?" : ksyms[high - 1].name);
}
