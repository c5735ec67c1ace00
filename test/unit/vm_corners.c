/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corners of mm that no larger test reaches: memory that runs out at every point of a fork,
 * pinned pages, ranges with holes, loops long enough to yield.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_object.h"
#include "mm/vm_phys.h"
#include "mm/vm_workingset.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define BASE   SIM_SWAP_BASE
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

static struct vmspace *vm;
static struct vm_object *object;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* A program with so many pages, all of them written. */
static void
boot(uint32_t pages)
{
	uint32_t i;

	sim_swap_boot(FRAMES, 1024);
	vm = sim_swap_space(pages);
	object = sim_swap_object(vm);
	for (i = 0; i < pages; i++)
		assert_int_equal(sim_swap_store(vm, i, 1), 0);
	sim_swap_be_pagedaemon();
	tsleep(&vm, "boot", 1000);
}

static struct vm_page *
page(uint32_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

static void
end(void)
{
	sim_mm_check();
	vmspace_free(vm);
	sim_mm_check();
}

/* ---- how much memory a program uses */

RUN_TEST(workingset_counts_what_was_used_since)
{
	vm_offset_t guard = BASE + ptoa(400);
	uint32_t i;

	(void)arg;
	boot(300);
	assert_int_equal(vm_map_find(vm, &guard, PAGE_SIZE, VM_PROT_NONE, MAP_ENTRY_GUARD), 0);
	assert_int_equal(vmspace_working_set(vm), 300);
	assert_int_equal(vmspace_working_set(vm), 0);
	for (i = 290; i < 300; i++)
		assert_int_equal(sim_swap_verify(vm, i, 1), 0);
	page(295)->aflags = 0;
	assert_int_equal(vmspace_working_set(vm), 10);
	assert_int_equal(page(295)->aflags & PGA_REFERENCED, PGA_REFERENCED); /* W1 */
	assert_int_equal(vm_map_protect(vm, BASE + ptoa(100), BASE + ptoa(200), VM_PROT_READ), 0);
	assert_int_equal(vmspace_working_set(vm), 0); /* three entries now */
	for (i = 0; i < 300; i++)
		pmap_remove_all(page(i));
	vm_object_page_remove(object, 0, 299);
	assert_int_equal(vmspace_working_set(vm), 0);
	end();
}

/* ---- fork */

/* Entries of alternating rights from page first on. */
static void
stripe(uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i += 2)
		assert_int_equal(vm_map_protect(vm, BASE + ptoa(i), BASE + ptoa(i + 1),
		    VM_PROT_READ), 0);
}

RUN_TEST(fork_of_more_entries_than_one_turn_takes)
{
	struct vmspace *child;

	(void)arg;
	boot(300);
	stripe(0, 300);
	assert_true(vm->map.entry_count > SCHED_LOOP_MAX);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(child->map.entry_count, vm->map.entry_count);
	vmspace_free(child);
	end();
}

/* With n pages free a fork fails here or there, and leaves no trace; in the end it works. */
static uint32_t
failing_forks(void)
{
	struct vmspace *child;
	uint32_t n, failed = 0;
	int error;

	for (n = 0; n < 60; n++) {
		sim_swap_leave_free(n);
		error = vmspace_fork(vm, &child);
		if (error == 0)
			vmspace_free(child);
		else
			assert_int_equal(error, ERR_NOMEM);
		failed += error != 0;
		sim_mm_check();
	}
	sim_swap_leave_free(vm_domains[0].v_free_target);
	return (failed);
}

RUN_TEST(fork_fails_at_any_point_without_trace)
{
	struct vmspace *child;

	(void)arg;
	boot(300);
	stripe(0, 300);
	assert_int_equal(vm_map_inherit(vm, BASE, BASE + ptoa(10), VM_INHERIT_SHARE), 0);
	assert_true(failing_forks() > 0);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	vmspace_free(child);
	end();
}

/* Wired memory is copied at once; a process that is dying does not wait for the frames. */
RUN_TEST(fork_of_wired_memory)
{
	struct vmspace *child;

	(void)arg;
	boot(300);
	assert_int_equal(vm_map_wire(vm, BASE, BASE + ptoa(200)), 0);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(sim_swap_verify(child, 150, 1), 0);
	vmspace_free(child);
	vm->killed = true;
	assert_true(failing_forks() > 0);
	vm->killed = false;
	assert_int_equal(vm_map_unwire(vm, BASE, BASE + ptoa(200)), 0);
	end();
}

/* A wired page of a child lies in the object below until it is written. */
RUN_TEST(fork_of_wired_memory_that_is_shared_below)
{
	struct vmspace *child, *second;

	(void)arg;
	boot(8);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(vm_map_protect(child, BASE, BASE + ptoa(8), VM_PROT_READ), 0);
	assert_int_equal(vm_map_wire(child, BASE, BASE + ptoa(8)), 0);
	assert_int_equal(vmspace_fork(child, &second), 0);
	assert_int_equal(sim_swap_verify(second, 5, 1), 0);
	assert_int_equal(vm_map_unwire(child, BASE, BASE + ptoa(8)), 0);
	vmspace_free(second);
	vmspace_free(child);
	end();
}

/* ---- pinned pages */

enum { PIN_BUSY, PIN_HELD, PIN_WIRED, PIN_INVALID, PINS };

/* Page i is pinned in way i. */
static void
pin(bool yes)
{
	if (yes) {
		vm_page_xbusy(page(PIN_BUSY));
		vm_page_hold(page(PIN_HELD));
		vm_page_wire(page(PIN_WIRED));
	} else {
		vm_page_xunbusy(page(PIN_BUSY));
		vm_page_unhold(page(PIN_HELD));
		vm_page_unwire(page(PIN_WIRED), PQ_ACTIVE);
	}
}

RUN_TEST(pinned_pages_are_not_given_up)
{
	uint32_t i;

	(void)arg;
	boot(16);
	for (i = 0; i < 16; i++)
		page(i)->dirty = 0;
	for (i = 0; i < 16; i++)
		pmap_clear_modify(page(i));
	pin(true);
	for (i = 0; i < PIN_INVALID; i++) {
		assert_false(vm_pageout_try_free(page(i)));
		assert_false(vm_page_try_to_cache(page(i)));
	}
	pin(false);
	page(4)->dirty = VM_PAGE_BITS_ALL;
	assert_false(vm_pageout_try_free(page(4)));
	assert_false(vm_page_try_to_cache(page(4)));
	assert_int_equal(sim_swap_store(vm, 5, 2), 0); /* only the page tables know */
	page(5)->dirty = 0;
	assert_false(vm_pageout_try_free(page(5)));
	assert_int_equal(page(5)->dirty, VM_PAGE_BITS_ALL);
	vm_page_dequeue(page(6));
	assert_false(vm_pageout_try_free(page(6)));
	assert_false(vm_page_try_to_cache(page(6)));
	vm_page_activate(page(6));
	assert_true(vm_pageout_try_free(page(7)));
	end();
}

/* A page that is nobody's goes on no queue. */
RUN_TEST(page_without_object_is_not_queued)
{
	struct vm_page *m;

	(void)arg;
	boot(8);
	m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NORMAL);
	assert_non_null(m);
	vm_page_activate(m);
	vm_page_deactivate(m);
	vm_page_deactivate_head(m);
	assert_int_equal(m->queue, PQ_NONE);
	vm_page_free(m);
	end();
}

RUN_TEST(advise_passes_pinned_pages_by)
{
	uint32_t i;

	(void)arg;
	boot(16);
	pin(true);
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(16), VM_ADVICE_FREE), 0);
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(16), VM_ADVICE_DONTNEED), 0);
	assert_int_equal(page(PIN_BUSY)->queue, PQ_ACTIVE);
	assert_int_equal(page(PIN_HELD)->queue, PQ_ACTIVE);
	assert_int_equal(page(PIN_WIRED)->queue, PQ_NONE);
	for (i = PINS; i < 16; i++)
		assert_int_equal(page(i)->queue, PQ_INACTIVE);
	pin(false);
	object->lock.owner = (struct task *)vm; /* somebody works on it: nothing is done */
	vm_page_activate(page(9));
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(16), VM_ADVICE_DONTNEED), 0);
	assert_int_equal(page(9)->queue, PQ_ACTIVE);
	object->lock.owner = NULL;
	end();
}

RUN_TEST(advise_over_holes_swap_and_long_ranges)
{
	uint8_t states[8];
	uint32_t i;

	(void)arg;
	boot(400);
	for (i = 0; i < 8; i++) {
		vm_page_deactivate(page(i));
		vm_page_test_dirty(page(i));
	}
	assert_int_equal(vm_pageout_clean(page(0)), 8);
	sim_swap_settle(object);
	for (i = 0; i < 4; i++)
		assert_true(vm_pageout_try_free(page(i)));
	assert_int_equal(vm_map_mincore(vm, BASE, BASE + ptoa(8), states), 0);
	assert_int_equal(states[0], VM_MINCORE_SWAPPED);
	assert_int_equal(states[7] & VM_MINCORE_INCORE, VM_MINCORE_INCORE);
	assert_int_equal(vm_map_remove(vm, BASE + ptoa(20), BASE + ptoa(40)), 0);
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(400), VM_ADVICE_FREE), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(swap_map_lookup(object, i), SWAP_SLOT_NONE); /* V14 */
	assert_int_equal(vm_map_advise(vm, BASE + ptoa(25), BASE + ptoa(30),
	    VM_ADVICE_DONTNEED), 0);
	assert_int_equal(vm_map_advise(vm, BASE + ptoa(500), BASE + ptoa(501),
	    VM_ADVICE_DONTNEED), 0);
	assert_int_equal(vm_map_advise(vm, BASE + 1, BASE + ptoa(1), VM_ADVICE_FREE), ERR_INVAL);
	assert_int_equal(vm_map_advise(vm, BASE, BASE, VM_ADVICE_FREE), ERR_INVAL);
	assert_int_equal(vm_map_advise(vm, 0, BASE, VM_ADVICE_FREE), ERR_INVAL);
	assert_int_equal(vm_map_advise(vm, BASE, vm->map.max + PAGE_SIZE, VM_ADVICE_FREE),
	    ERR_INVAL);
	end();
}

RUN_TEST(willneed_over_holes_and_long_ranges)
{
	uint32_t i;

	(void)arg;
	boot(400);
	assert_int_equal(vm_map_remove(vm, BASE + ptoa(20), BASE + ptoa(40)), 0);
	assert_int_equal(vm_map_protect(vm, BASE + ptoa(50), BASE + ptoa(60), VM_PROT_NONE), 0);
	for (i = 100; i < 400; i++)
		pmap_remove_all(page(i));
	assert_int_equal(vm_map_willneed(vm, BASE, BASE + ptoa(500)), 0);
	assert_int_equal(vm_map_willneed(vm, BASE + ptoa(25), BASE + ptoa(30)), 0);
	for (i = 100; i < 400; i++)
		assert_true(pmap_page_is_mapped(page(i)));
	pmap_remove_all(page(100));
	sim_swap_leave_free(vm_domains[0].v_free_target - 1);
	assert_int_equal(vm_map_willneed(vm, BASE, BASE + ptoa(500)), 0);
	assert_false(pmap_page_is_mapped(page(100))); /* R2 */
	end();
}

/* ---- arguments */

RUN_TEST(map_bad_ranges_one_by_one)
{
	static const struct {
		vm_offset_t start, end;
	} bad[] = { { BASE + 1, BASE + PAGE_SIZE }, { BASE, BASE + 1 }, { BASE, BASE },
		{ BASE + PAGE_SIZE, BASE }, { 0, BASE }, { BASE, (1ull << 32) + PAGE_SIZE } };
	vm_offset_t va;
	uint32_t i;

	(void)arg;
	boot(8);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vm_map_remove(vm, bad[i].start, bad[i].end), ERR_INVAL);
		assert_int_equal(vm_map_protect(vm, bad[i].start, bad[i].end, VM_PROT_READ),
		    ERR_INVAL);
		assert_int_equal(vm_map_inherit(vm, bad[i].start, bad[i].end, VM_INHERIT_NONE),
		    ERR_INVAL);
		assert_int_equal(vm_map_wire(vm, bad[i].start, bad[i].end), ERR_INVAL);
		assert_int_equal(vm_map_unwire(vm, bad[i].start, bad[i].end), ERR_INVAL);
		va = bad[i].start != 0 ? bad[i].start : 1; /* 0: anywhere */
		assert_int_not_equal(vm_map_find(vm, &va, bad[i].end - bad[i].start, RW, 0), 0);
	}
	end();
}

/* ---- contiguous memory by class */

RUN_TEST(contig_classes_keep_their_reserves)
{
	struct vm_phys_range any = { .high = SIM_RAM_BASE + ptoa(FRAMES) };
	struct vm_domain *vmd = &vm_domains[0];
	struct vm_page *m;

	(void)arg;
	boot(8);
	vmd->worker = NULL; /* an ordinary caller: the daemon's NORMAL is SYSTEM */
	sim_swap_leave_free(vmd->v_free_reserved + 3);
	vmd->vm_pageout_deficit = 0;
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 4, &any));
	assert_int_equal(vmd->vm_pageout_deficit, 4);
	m = vm_page_alloc_contig(VM_ALLOC_SYSTEM, 1, &any);
	assert_non_null(m);
	vm_page_free_contig(m, 1);
	sim_swap_leave_free(1);
	assert_null(vm_page_alloc_contig(VM_ALLOC_SYSTEM, 1, &any));
	m = vm_page_alloc_contig(VM_ALLOC_INTERRUPT, 1, &any);
	assert_non_null(m);
	vm_page_free_contig(m, 1);
	sim_swap_leave_free(vmd->v_free_target);
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 2, &any);
	assert_non_null(m);
	vm_page_free_contig(m, 2);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workingset_counts_what_was_used_since),
		cmocka_unit_test(fork_of_more_entries_than_one_turn_takes),
		cmocka_unit_test(fork_fails_at_any_point_without_trace),
		cmocka_unit_test(fork_of_wired_memory),
		cmocka_unit_test(fork_of_wired_memory_that_is_shared_below),
		cmocka_unit_test(pinned_pages_are_not_given_up),
		cmocka_unit_test(page_without_object_is_not_queued),
		cmocka_unit_test(advise_passes_pinned_pages_by),
		cmocka_unit_test(advise_over_holes_swap_and_long_ranges),
		cmocka_unit_test(willneed_over_holes_and_long_ranges),
		cmocka_unit_test(map_bad_ranges_one_by_one),
		cmocka_unit_test(contig_classes_keep_their_reserves),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
