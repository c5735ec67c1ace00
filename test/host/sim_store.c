/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pager that keeps no data: contents follow from the page index.
 *
 * Owns: sim_store_state.
 * Does not: write.
 * Invariants:
 *   S1 it is asked for exclusive-busy, consecutive pages that it has.
 * Yields: a read, with latency_us.
 * See: test/host/sim_store.h.
 */
#include "test/host/sim_store.h"

#include <string.h>

#include "kern/sched.h"

struct sim_store sim_store_state;

static bool
store_has_page(struct vm_object *object, vm_pindex_t pindex, uint32_t *before, uint32_t *after)
{
	vm_pindex_t i;

	(void)object;
	if (before != NULL) {
		for (i = pindex; i > 0 && sim_store_state.stored[i - 1]; i--)
			continue;
		*before = pindex - i;
	}
	if (after != NULL) {
		for (i = pindex; i + 1 < SIM_STORE_PAGES && sim_store_state.stored[i + 1]; i++)
			continue;
		*after = i - pindex;
	}
	return (sim_store_state.stored[pindex]);
}

static enum vm_pager_outcome
store_get_pages(struct vm_object *object, struct vm_page **m, uint32_t count, uint32_t wanted)
{
	uint32_t i;

	(void)object;
	sim_store_state.reads++;
	sim_store_state.first = m[0]->pindex;
	sim_store_state.count = count;
	sim_store_state.wanted = wanted;
	for (i = 0; i < count; i++) {
		KASSERT(vm_page_xbusied(m[i]), "S1: page is exclusive-busy");
		KASSERT(m[i]->pindex == m[0]->pindex + i, "S1: pages are consecutive");
		KASSERT(sim_store_state.stored[m[i]->pindex], "S1: page is stored");
	}
	if (sim_store_state.latency_us != 0)
		tsleep(&sim_store_state, "store", sim_store_state.latency_us);
	for (i = 0; i < count; i++) {
		if (sim_store_state.outcome == VM_PAGER_OK) {
			memset(vm_page_address(m[i]), (int)m[i]->pindex + 1, PAGE_SIZE);
			m[i]->valid = VM_PAGE_BITS_ALL;
		}
		if (i == wanted)
			continue;
		if (sim_store_state.outcome == VM_PAGER_OK) {
			vm_page_deactivate(m[i]);
			vm_page_xunbusy(m[i]);
		} else {
			vm_page_free(m[i]);
		}
	}
	return (sim_store_state.outcome);
}

static void
store_page_unswapped(struct vm_page *m)
{
	sim_store_state.stored[m->pindex] = false;
}

static void
store_free_space(struct vm_object *object, vm_pindex_t start, vm_pindex_t end)
{
	(void)object;
	for (; start < end && start < SIM_STORE_PAGES; start++)
		sim_store_state.stored[start] = false;
}

static const struct vm_pager_ops store_ops = {
	.has_page = store_has_page,
	.get_pages = store_get_pages,
	.page_unswapped = store_page_unswapped,
	.free_space = store_free_space,
};

void
sim_store_reset(void)
{
	memset(&sim_store_state, 0, sizeof(sim_store_state));
	sim_store_state.outcome = VM_PAGER_OK;
	vm_pager_ops[OBJT_SWAP] = &store_ops;
}
