/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clean an object, or a part of it: write its dirty pages in order, in runs.
 *
 *   pindex   . d d d . . d d d d d d ...          d = dirty
 *              -----     -----------              a run: one flush (contract 1.4)
 *
 * What is written loses its write mappings (U3), and clean pages of files have none: after
 * a pass over the whole object nothing can be dirtied without a fault, so the object is no
 * longer OBJ_MIGHTBEDIRTY. A fault during the pass sets the flag again: OBJPC_SYNC looks
 * again.
 *
 * Unlike vm_pageout_clean it asks nothing about queues: active, wired and held pages are
 * written too.
 *
 * Owns: OBJ_MIGHTBEDIRTY is cleared here (see file_pager.c).
 * Does not: lock the file (its callers hold the vnode's lock).
 * Invariants:
 *   J1 with OBJPC_SYNC, what was dirty at the call has been tried when it returns;
 *   J2 at most PASSES_MAX passes, whoever goes on writing.
 * Yields: vm_object_page_clean, in the pager, for busy pages, and each SCHED_LOOP_MAX.
 * Complexity: O(resident pages of the range * log) a pass.
 * See: contract 1.5, 1.17.
 */
#include "kern/sched.h"
#include "mm/vm_launder.h"
#include "mm/vm_meter.h"
#include "mm/vm_pager.h"

#define PASSES_MAX 4

struct clean_pass {
	struct vm_object *object;
	vm_pindex_t end;
	uint32_t flags;
	uint32_t run_max; /* pages of one flush */
	bool failed;
	bool skipped;     /* a busy page was passed by */
};

/* A clean page is not mapped for writing (mm/vm_fault.c, L1), so it stays clean. */
static inline bool
is_dirty(struct vm_page *m)
{
	vm_page_test_dirty(m);
	return (m->dirty != 0);
}

/* The dirty run that begins with m, which is not busy; its length. */
static uint32_t
gather(const struct clean_pass *pass, struct vm_page **mc, struct vm_page *m)
{
	uint32_t count = 0;

	do {
		mc[count++] = m;
		m = vm_page_next(m);
	} while (count < pass->run_max && m != NULL && m->pindex == mc[count - 1]->pindex + 1 &&
	    m->pindex < pass->end && !vm_page_busied(m) && is_dirty(m));
	return (count);
}

static void
flush(struct clean_pass *pass, struct vm_page *m)
{
	struct vm_page *mc[VM_PAGEOUT_PAGE_COUNT];
	struct vm_flush_part part = { .mreq = 0 };
	uint32_t count = gather(pass, mc, m);

	(void)vm_pageout_flush(mc, count,
	    (pass->flags & OBJPC_SYNC) != 0 ? VM_PAGER_PUT_SYNC : 0, &part);
	if (part.eio || part.runlen < count)
		pass->failed = true;
}

/* Deal with m; the index to go on from. */
static vm_pindex_t
visit(struct clean_pass *pass, struct vm_page *m)
{
	vm_pindex_t at = m->pindex;

	if (!vm_page_busied(m)) {
		if (is_dirty(m))
			flush(pass, m);
		return (at + 1);
	}
	if ((pass->flags & OBJPC_SYNC) != 0) {
		vm_page_busy_sleep(m, "objpc");
		return (at);
	}
	pass->skipped = true;
	return (at + 1);
}

static void
run_pass(struct clean_pass *pass, vm_pindex_t start)
{
	struct vm_page *m;
	vm_pindex_t at = start;
	uint32_t looked_at = 0;

	pass->failed = pass->skipped = false;
	while ((m = vm_page_find_least(pass->object, at)) != NULL && m->pindex < pass->end) {
		at = visit(pass, m);
		if (++looked_at % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
}

/* OBJPC_INVAL: nobody shall see the pages again without reading them anew. */
static void
invalidate(const struct clean_pass *pass, vm_pindex_t start)
{
	struct vm_page *m = vm_page_find_least(pass->object, start), *next;

	for (; m != NULL && m->pindex < pass->end; m = next) {
		next = vm_page_next(m);
		if (m->wire_count == 0 && m->hold_count == 0)
			(void)vm_pageout_try_free(m);
	}
	vm_page_cache_free(pass->object, start, pass->end);
}

bool
vm_object_page_clean(struct vm_object *object, vm_pindex_t start, vm_pindex_t end, uint32_t flags)
{
	struct clean_pass pass = { .object = object, .flags = flags,
		.end = end == 0 ? object->size_pages : end,
		.run_max = vm_domains[0].cluster_pages };
	bool file = object->type == OBJT_VNODE;
	bool whole = file && start == 0 && pass.end >= object->size_pages;
	uint32_t passes = 0;

	if (pass.run_max == 0 || pass.run_max > VM_PAGEOUT_PAGE_COUNT)
		pass.run_max = VM_PAGEOUT_PAGE_COUNT;
	do {
		if (whole)
			object->flags &= (uint8_t)~OBJ_MIGHTBEDIRTY;
		run_pass(&pass, start);
		if (file && (pass.failed || pass.skipped))
			object->flags |= OBJ_MIGHTBEDIRTY;
	} while (whole && !pass.failed && (flags & OBJPC_SYNC) != 0 &&
	    (object->flags & OBJ_MIGHTBEDIRTY) != 0 && ++passes < PASSES_MAX); /* J2 */
	if ((flags & OBJPC_INVAL) != 0)
		invalidate(&pass, start);
	return (!pass.failed);
}
