/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page fault, the step that reads: choose a window around the page, allocate what
 * can be had of it without waiting, let the pager fill it.
 *
 *       entry start      behind   wanted      ahead        entry end
 *   ----|--------------[ . . . . ( * ) . . . . . . . . ]-------|----
 *   cut by the entry, by resident pages, by what lies next to the wanted page in
 *   swap, and by the free pages above free_min
 *
 * Owns: read_ahead and next_read of map entries.
 * Does not: decide the window's size (vm_policy) or read (the pager).
 * Invariants:
 *   W1 only the wanted page may wait for memory; the others are never waited for
 *      and never take F below free_min;
 *   W2 paging_in_progress is held from before the read until the page is released,
 *      so the object outlives a concurrent unmap, and no collapse takes it;
 *   W3 after the read the entry is used only if the map's version is the same and the
 *      page belongs to its own object; else the page, found resident now, is looked up
 *      again from the top of the chain;
 *   W4 a failed read leaves no page behind (contract 1.16, T5);
 *   W5 only what is stored is read: the chain's walk has asked, and nothing yielded since.
 * Yields: vm_fault_pagein, in the pager.
 * Complexity: O(window * log resident pages).
 * See: contract 1.16, T7 and T8.
 */
#include "kern/timer.h"
#include "mm/vm_fault_internal.h"
#include "mm/vm_meter.h"
#include "mm/vm_pager.h"
#include "mm/vm_policy.h"

struct window {
	uint32_t behind; /* pages */
	uint32_t ahead;
};

static inline uint32_t
at_most(uint32_t value, uint64_t limit)
{
	return (value < limit ? value : (uint32_t)limit);
}

/*
 * The pages before the fault, up to `pages` of them, have been used once and in order:
 * out of the page tables, to be had first when memory is needed.
 */
static void
cache_behind(const struct vm_fault_state *fs, uint32_t pages)
{
	const struct vm_map_entry *entry = fs->entry;
	vm_pindex_t at = entry->offset + (vm_pindex_t)atop(fs->va - entry->start), least;
	struct vm_page *m, *prev, *above;

	least = at - entry->offset > pages ? at - pages : entry->offset;
	if ((entry->object->flags & (OBJ_FICTITIOUS | OBJ_UNMANAGED)) != 0)
		return;
	vm_page_neighbours(entry->object, at, &m, &above);
	for (; m != NULL && m->pindex >= least && m->pindex + 1 == at && m->valid ==
	    VM_PAGE_BITS_ALL; m = prev, at--) {
		prev = vm_page_prev(m);
		if (vm_page_busied(m) || m->hold_count != 0 || m->wire_count != 0)
			continue;
		pmap_remove_all(m);
		m->aflags &= (uint8_t)~PGA_REFERENCED;
		if (m->dirty != 0)
			vm_page_deactivate(m);
		else
			vm_page_cache(m);
	}
}

/* What the policy wants. */
static struct window
window_wanted(const struct vm_fault_state *fs)
{
	struct vm_map_entry *entry = fs->entry;
	vm_pindex_t into = (vm_pindex_t)atop(fs->va - entry->start);
	struct vm_fault_facts facts = {
		.entry_pages = into,
		.read_ahead = entry->read_ahead,
		.sequential = entry->offset + into == entry->next_read,
		.random_advice = entry->advice == VM_ADVICE_RANDOM,
		.sequential_advice = entry->advice == VM_ADVICE_SEQUENTIAL,
	};
	struct window w = { 0, 0 };
	uint32_t read_ahead = entry->read_ahead;

	vm_policy->fault_window(&facts, &w.behind, &w.ahead, &read_ahead);
	if (facts.sequential && facts.sequential_advice)
		cache_behind(fs, VM_FAULT_READ_AHEAD_MAX + 1);
	else if (facts.sequential && !facts.random_advice &&
	    entry->read_ahead == VM_FAULT_READ_AHEAD_MAX)
		cache_behind(fs, VM_FAULT_CACHE_BEHIND);
	entry->read_ahead = (uint8_t)at_most(read_ahead, VM_FAULT_READ_AHEAD_MAX);
	w.behind = at_most(w.behind, VM_FAULT_READ_BEHIND);
	w.ahead = at_most(w.ahead, VM_FAULT_READ_AHEAD_MAX);
	return (w);
}

/* What can be had of it. */
static struct window
window_cut(const struct vm_fault_state *fs, struct window w)
{
	const struct vm_map_entry *entry = fs->entry;
	struct vm_page *below, *above;
	uint32_t before = 0, after = 0, spare;
	bool stored = vm_pager_of(fs->object)->has_page(fs->object, fs->pindex, &before, &after);

	KASSERT(stored, "W5: what is read is stored");
	w.behind = at_most(at_most(w.behind, before), atop(fs->va - entry->start));
	w.ahead = at_most(at_most(w.ahead, after), atop(entry->end - fs->va) - 1);
	w.ahead = at_most(w.ahead, fs->object->size_pages - fs->pindex - 1);
	vm_page_neighbours(fs->object, fs->pindex, &below, &above);
	if (below != NULL)
		w.behind = at_most(w.behind, fs->pindex - below->pindex - 1);
	if (above != NULL)
		w.ahead = at_most(w.ahead, above->pindex - fs->pindex - 1);
	spare = vm_meter_spare();
	w.ahead = at_most(w.ahead, spare);
	w.behind = at_most(w.behind, spare - w.ahead);
	return (w);
}

/* Busy pages for the window; it shrinks where there is no memory (W1). */
static void
window_allocate(const struct vm_fault_state *fs, struct vm_page **wanted, struct window *w)
{
	uint32_t i;

	for (i = 1; i <= w->ahead; i++)
		if ((wanted[i] = vm_page_alloc(fs->object, fs->pindex + i,
		    VM_ALLOC_NORMAL | VM_ALLOC_IFNOTCACHED)) == NULL)
			break;
	w->ahead = i - 1;
	for (i = 1; i <= w->behind; i++)
		if ((*(wanted - i) = vm_page_alloc(fs->object, fs->pindex - i,
		    VM_ALLOC_NORMAL | VM_ALLOC_IFNOTCACHED)) == NULL)
			break;
	w->behind = i - 1;
}

static int
read_failed(struct vm_fault_state *fs, enum vm_pager_outcome outcome)
{
	uint32_t id = fs->object->id;

	vm_page_free(fs->m);
	vm_object_pip_wakeup(fs->object, 1);
	fs->paging = false;
	if (outcome == VM_PAGER_AGAIN)
		return (FAULT_WAIT);
	if (outcome == VM_PAGER_FAIL && fs->fail_count < FAULT_FAILS_MAX) {
		fs->failed[fs->fail_count++] = id;
		return (FAULT_RETRY);
	}
	return (outcome == VM_PAGER_BAD ? ERR_FAULT : ERR_IO);
}

/* The page is cached: take it back as it is, without I/O. */
static int
revive(struct vm_fault_state *fs, uint32_t class)
{
	struct vm_page *m = vm_page_alloc(fs->object, fs->pindex,
	    class | VM_ALLOC_NOBUSY | VM_ALLOC_IFCACHED);

	if (m == NULL)
		return (FAULT_WAIT);
	fs->m = m;
	fs->below = vm_page_prev(m);
	fs->above = vm_page_next(m);
	if (fs->object == fs->entry->object)
		return (0);
	vm_page_activate(m);
	return (FAULT_RETRY);
}

int
vm_fault_pagein(struct vm_fault_state *fs)
{
	struct vm_page *pages[VM_FAULT_READ_MAX];
	struct vm_page **wanted = &pages[VM_FAULT_READ_BEHIND];
	bool top = fs->object == fs->entry->object;
	struct window w;
	uint32_t class = fs->vm->killed ? VM_ALLOC_SYSTEM : VM_ALLOC_NORMAL;
	uint32_t version = fs->vm->map.version;
	enum vm_pager_outcome outcome;

	if (vm_page_is_cached(fs->object, fs->pindex))
		return (revive(fs, class));
	w = window_cut(fs, window_wanted(fs));
	*wanted = vm_page_alloc(fs->object, fs->pindex, class);
	if (*wanted == NULL)
		return (FAULT_WAIT);
	window_allocate(fs, wanted, &w);
	fs->entry->next_read = fs->entry->offset +
	    (vm_pindex_t)atop(fs->va - fs->entry->start) + w.ahead + 1;
	fs->m = *wanted;
	fs->paging = true;
	fs->started_us = timer_now_us();
	mm_params.v_io_faults++;
	fs->vm->usage.major_faults++;
	vmspace_note_resident(fs->vm);
	vm_object_pip_add(fs->object, 1);
	outcome = vm_pager_of(fs->object)->get_pages(fs->object, wanted - w.behind,
	    w.behind + 1 + w.ahead, w.behind);
	if (outcome != VM_PAGER_OK)
		return (read_failed(fs, outcome));
	fs->below = vm_page_prev(fs->m);
	fs->above = vm_page_next(fs->m);
	return (top && fs->vm->map.version == version ? 0 : FAULT_RETRY);
}

void
vm_fault_pagein_end(struct vm_fault_state *fs)
{
	if (fs->m->queue == PQ_NONE)
		vm_page_activate(fs->m);
	vm_page_xunbusy(fs->m);
	vm_object_pip_wakeup(fs->object, 1);
	histogram_add(&mm_params.fault_us, timer_now_us() - fs->started_us);
}
