/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames as states.
 *
 * Owns: nothing.
 * Does not: change a page, or ask the pmap (that would be a walk for each mapping).
 * Invariants: none.
 * Yields: never.
 * See: mm/vm_pagemap.h; mm/vm_page.h for what the fields mean.
 */
#include "mm/vm_pagemap.h"

#include "mm/vm_page.h"

uint32_t
vm_pagemap_count(void)
{
	return (vm_page_array_count - VM_PAGE_FIRST);
}

enum vm_pagemap_state
vm_pagemap_state(uint32_t n)
{
	const struct vm_page *m = &vm_page_array[VM_PAGE_FIRST + n];

	if (m->queue == PQ_CACHE)
		return (VM_PAGEMAP_CACHE);
	if (m->wire_count != 0)
		return (VM_PAGEMAP_WIRED);
	if (vm_page_busied(m))
		return (VM_PAGEMAP_BUSY);
	if (m->queue == PQ_ACTIVE)
		return (VM_PAGEMAP_ACTIVE);
	if (m->queue == PQ_INACTIVE)
		return (m->dirty != 0 ? VM_PAGEMAP_DIRTY : VM_PAGEMAP_INACTIVE);
	return (m->object == NULL && m->hold_count == 0 ? VM_PAGEMAP_FREE : VM_PAGEMAP_OTHER);
}

enum vm_pagemap_state
vm_pagemap_most(uint32_t first, uint32_t end)
{
	uint32_t counts[VM_PAGEMAP_STATES] = { 0 }, s, best = 0;

	for (; first < end; first++)
		counts[vm_pagemap_state(first)]++;
	for (s = 1; s < VM_PAGEMAP_STATES; s++)
		if (counts[s] > counts[best])
			best = s;
	return ((enum vm_pagemap_state)best);
}
