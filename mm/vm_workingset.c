/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Working-set estimate from referenced flags.
 *
 * Every resident page of the address space is asked whether it was used since the
 * last question, which clears its flag in the page tables; the next use of each
 * page costs one emulated access-flag fault (none where the hardware sets flags).
 *
 * Owns: nothing.
 * Does not: change queues or act_count.
 * Invariants:
 *   W1  a reference taken from the page tables is never lost to the page daemon: it
 *       becomes PGA_REFERENCED
 * Yields: vmspace_working_set, between pages; it looks each page up again by index.
 * Complexity: one tree step for each resident page.
 * See: mm/pmap.h (pmap_ts_referenced).
 */
#include "mm/vm_workingset.h"

#include "kern/sched.h"
#include "mm/vm_page.h"

/* Count used pages of one entry from *next on, at most SCHED_LOOP_MAX looked at;
 * *next is where to go on, the entry's end when it is done. */
static uint32_t
count_some(const struct vm_map_entry *entry, vm_pindex_t *next, vm_pindex_t end)
{
	struct vm_page *m = vm_page_find_least(entry->object, *next);
	uint32_t looked, used = 0;

	for (looked = 0; looked < SCHED_LOOP_MAX && m != NULL && m->pindex < end; looked++) {
		if (pmap_ts_referenced(m) > 0) {
			vm_page_reference(m); /* W1 */
			used++;
		}
		*next = m->pindex + 1;
		m = vm_page_next(m);
	}
	if (m == NULL || m->pindex >= end)
		*next = end;
	return (used);
}

uint32_t
vmspace_working_set(struct vmspace *vm)
{
	struct vm_map_entry *entry;
	uint32_t used = 0;

	for (entry = vm_map_next(&vm->map, NULL); entry != NULL;
	    entry = vm_map_next(&vm->map, entry)) {
		vm_pindex_t next = entry->offset;
		vm_pindex_t end = next + (vm_pindex_t)atop(entry->end - entry->start);

		while (entry->object != NULL && next < end) {
			used += count_some(entry, &next, end);
			sched_maybe_yield();
		}
	}
	return (used);
}
