/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Families of address spaces for tests of fork and shadow objects.
 *
 * Owns: sim_fork_parent.
 * Does not: run programs; the test's task plays all of them.
 * Invariants: none of its own; each step is followed by sim_mm_check.
 * Yields: all, in page faults.
 * See: test/host/sim_fork.h.
 */
#include "test/host/sim_fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define SLOTS  1024u

struct vmspace *sim_fork_parent;

void
sim_fork_boot(void)
{
	sim_swap_boot(FRAMES, SLOTS);
	sim_fork_parent = sim_swap_space(SIM_FORK_PAGES);
	sim_swap_be_pagedaemon();
	tsleep(&sim_fork_parent, "boot", 1000);
}

struct vm_map_entry *
sim_fork_entry(struct vmspace *vm)
{
	return (vm_map_lookup_entry(&vm->map, SIM_SWAP_BASE));
}

struct vmspace *
sim_fork_space(struct vmspace *vm)
{
	struct vmspace *child = NULL;

	assert_int_equal(vmspace_fork(vm, &child), 0);
	sim_mm_check();
	return (child);
}

void
sim_fork_store(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_store(vm, first, tag), 0);
}

void
sim_fork_verify(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t tag)
{
	for (; first < end; first++)
		assert_int_equal(sim_swap_verify(vm, first, tag), 0);
}

uint32_t
sim_fork_word(struct vmspace *vm, uint32_t page)
{
	uint32_t word = 1;

	assert_int_equal(
	    sim_load(vm, SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE, &word, sizeof(word)), 0);
	return (word);
}

uint32_t
sim_fork_depth(struct vmspace *vm)
{
	struct vm_object *object = sim_fork_entry(vm)->object;
	uint32_t depth = 0;

	for (; object != NULL; object = object->backing_object)
		depth++;
	return (depth);
}

uint32_t
sim_fork_objects(void)
{
	struct vm_object *object;
	uint32_t n = 0;

	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object))
		n++;
	return (n);
}

/* Write every page of object whose index says so, and free its frame. */
void
sim_fork_evict(struct vm_object *object, bool odd)
{
	struct vm_page *m, *next;

	for (m = vm_page_find_least(object, 0); m != NULL; m = next) {
		next = vm_page_next(m);
		if ((m->pindex & 1) != odd)
			continue;
		vm_page_test_dirty(m);
		vm_page_deactivate(m);
		if (m->dirty != 0 && !vm_page_busied(m))
			assert_true(vm_pageout_clean(m) > 0);
		vm_object_pip_wait(object);
		pmap_remove_all(m);
		assert_int_equal(m->dirty, 0);
		vm_page_free(m);
	}
}

void
sim_fork_end(struct vmspace *vm)
{
	vmspace_free(vm);
	sim_mm_check();
}

void
sim_fork_end_all(void)
{
	assert_int_equal(sim_fork_objects(), 0);
	assert_int_equal(swap_pager_avail(), swap_pager_total());
	sim_mm_check();
}
