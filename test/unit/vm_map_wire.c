/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlock, madvise and mincore below the system calls, over a swap disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_fault.h"
#include "test/host/sim_fork.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define PAGES  SIM_FORK_PAGES
#define BASE   SIM_SWAP_BASE
#define AT(n)  (BASE + (vm_offset_t)(n) * PAGE_SIZE)
#define parent sim_fork_parent

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
boot(void)
{
	sim_fork_boot();
	mm_params.max_wired = 100;
}

static void
finish(void)
{
	sim_fork_end(parent);
	assert_int_equal(mm_params.v_user_wire_count, 0);
	sim_fork_end_all();
}

/* The page that va shows in parent's own object, or NULL. */
static struct vm_page *
page(uint32_t n)
{
	struct vm_map_entry *entry = vm_map_lookup_entry(&parent->map, AT(n));

	return (vm_page_lookup(entry->object,
	    entry->offset + (vm_pindex_t)atop(AT(n) - entry->start)));
}

static uint32_t
wired_frames(void)
{
	return (vm_domains[0].v_wire_count);
}

/* ---- wiring */

RUN_TEST(wire_faults_every_page_in_and_keeps_it)
{
	uint32_t before, i;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, false);
	before = wired_frames();
	assert_int_equal(vm_map_wire(parent, AT(2), AT(12)), 0);
	sim_mm_check();
	assert_int_equal(parent->map.wired_pages, 10);
	assert_int_equal(mm_params.v_user_wire_count, 10);
	assert_int_equal(wired_frames(), before + 10);
	for (i = 2; i < 12; i++) {
		assert_int_equal(page(i)->wire_count, 1);
		assert_int_equal(page(i)->queue, PQ_NONE);
		assert_true(sim_pmap_find(&parent->pmap, AT(i))->wired);
	}
	sim_fork_verify(parent, 0, 8, 1);
	assert_int_equal(sim_fork_word(parent, 11), 0);
	/* Wired twice is wired once; a part is let go, the rest stays. */
	assert_int_equal(vm_map_wire(parent, AT(0), AT(12)), 0);
	assert_int_equal(parent->map.wired_pages, 12);
	assert_int_equal(vm_map_unwire(parent, AT(3), AT(5)), 0);
	sim_mm_check();
	assert_int_equal(parent->map.wired_pages, 10);
	assert_int_equal(page(3)->wire_count, 0);
	assert_int_equal(page(3)->queue, PQ_ACTIVE);
	assert_false(sim_pmap_find(&parent->pmap, AT(3))->wired);
	assert_int_equal(vm_map_unwire(parent, AT(0), AT(PAGES)), 0);
	assert_int_equal(parent->map.entry_count, 1);
	finish();
}

RUN_TEST(wire_is_refused_as_a_whole)
{
	uint32_t before;

	(void)arg;
	boot();
	before = wired_frames();
	assert_int_equal(vm_map_wire(parent, AT(0) + 1, AT(2)), ERR_INVAL);
	assert_int_equal(vm_map_wire(parent, AT(1), AT(1)), ERR_INVAL);
	assert_int_equal(vm_map_wire(parent, AT(8), AT(PAGES + 1)), ERR_NOMEM);
	assert_int_equal(vm_map_unwire(parent, AT(8), AT(PAGES + 1)), ERR_NOMEM);
	assert_int_equal(vm_map_protect(parent, AT(4), AT(5), VM_PROT_NONE), 0);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(8)), ERR_NOMEM);
	mm_params.max_wired = 3;
	assert_int_equal(vm_map_wire(parent, AT(0), AT(4)), ERR_AGAIN);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(3)), 0);
	mm_params.max_wired = 100;
	parent->map.wired_limit_bytes = 4 * PAGE_SIZE;
	assert_int_equal(vm_map_wire(parent, AT(8), AT(10)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(4)), 0);
	assert_int_equal(vm_map_unwire(parent, AT(0), AT(4)), 0);
	assert_int_equal(parent->map.wired_pages, 0);
	assert_true(wired_frames() <= before + 2); /* page tables */
	finish();
}

/* Page 9 cannot be read back: those before it are let go again. */
RUN_TEST(wire_is_undone_when_a_page_cannot_be_had)
{
	struct vm_object *object;
	uint32_t i;

	(void)arg;
	boot();
	mm_params.swap_read_retries = 0;
	sim_fork_store(parent, 0, 16, 1);
	object = sim_fork_entry(parent)->object;
	sim_fork_evict(object, true);
	assert_int_equal(vm_map_wire(parent, AT(2), AT(4)), 0);
	sim_swap_disk.bad_block = SWAP_SLOT_INDEX(swap_map_lookup(object, 9)) * 8;
	sim_swap_disk.bad_count = 8;
	assert_int_equal(vm_map_wire(parent, AT(0), AT(16)), ERR_IO);
	sim_mm_check();
	assert_int_equal(parent->map.wired_pages, 2);
	for (i = 0; i < 9; i++)
		assert_int_equal(page(i)->wire_count, i == 2 || i == 3);
	assert_null(page(9));
	assert_int_equal(vm_map_unwire(parent, AT(0), AT(16)), 0);
	assert_int_equal(parent->map.entry_count, 1);
	finish();
}

RUN_TEST(wire_ends_with_the_mapping)
{
	uint32_t before;

	(void)arg;
	boot();
	before = vm_domains[0].v_free_count;
	assert_int_equal(vm_map_wire(parent, AT(0), AT(PAGES)), 0);
	assert_int_equal(vm_map_remove(parent, AT(4), AT(8)), 0);
	sim_mm_check();
	assert_int_equal(parent->map.wired_pages, PAGES - 4);
	assert_int_equal(mm_params.v_user_wire_count, PAGES - 4);
	assert_int_equal(vm_map_remove(parent, AT(0), AT(PAGES)), 0);
	sim_mm_check();
	assert_int_equal(mm_params.v_user_wire_count, 0);
	assert_true(vm_domains[0].v_free_count + 2 >= before);
	finish();
}

/* No access, then access again: the pages have stayed. */
RUN_TEST(wire_survives_protection)
{
	(void)arg;
	boot();
	sim_fork_store(parent, 0, 4, 1);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(4)), 0);
	assert_int_equal(vm_map_protect(parent, AT(1), AT(3), VM_PROT_NONE), 0);
	sim_mm_check();
	assert_int_equal(page(2)->wire_count, 1);
	assert_int_equal(vm_map_unwire(parent, AT(2), AT(3)), 0);
	sim_mm_check();
	assert_int_equal(page(2)->wire_count, 0);
	assert_int_equal(vm_map_protect(parent, AT(0), AT(4), VM_PROT_READ | VM_PROT_WRITE), 0);
	sim_fork_verify(parent, 0, 4, 1);
	finish();
}

/* A forked process wires nothing, and wiring what is shared copies it. */
RUN_TEST(wire_is_not_inherited)
{
	struct vmspace *child;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(4)), 0);
	child = sim_fork_space(parent);
	assert_int_equal(child->map.wired_pages, 0);
	assert_int_equal(mm_params.v_user_wire_count, 4);
	assert_int_equal(vm_map_wire(child, AT(4), AT(8)), 0);
	sim_mm_check();
	sim_fork_store(child, 0, 8, 2);
	sim_fork_verify(parent, 0, 8, 1);
	sim_fork_end(child);
	assert_int_equal(mm_params.v_user_wire_count, 4);
	sim_fork_verify(parent, 0, 8, 1);
	finish();
}

/* A page wired for reading, of a lower object, is copied by a write: the copy is wired. */
RUN_TEST(wire_moves_to_the_copy)
{
	struct vmspace *child;
	struct vm_page *below;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 4, 1);
	child = sim_fork_space(parent);
	below = page(0);
	assert_int_equal(vm_map_protect(parent, AT(0), AT(4), VM_PROT_READ), 0);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(4)), 0);
	assert_int_equal(below->wire_count, 1);
	assert_int_equal(vm_map_protect(parent, AT(0), AT(4), VM_PROT_READ | VM_PROT_WRITE), 0);
	sim_fork_store(parent, 0, 2, 2);
	sim_mm_check();
	assert_ptr_not_equal(page(0), below);
	assert_int_equal(page(0)->wire_count, 1);
	assert_int_equal(below->wire_count, 0);
	sim_fork_verify(child, 0, 4, 1);
	sim_fork_end(child);
	assert_int_equal(vm_map_unwire(parent, AT(0), AT(4)), 0);
	sim_mm_check();
	finish();
}

/* ---- when it cannot go on */

static int wire_result;

static void
wirer(void *arg)
{
	(void)arg;
	wire_result = vm_map_wire(parent, AT(0), AT(8));
}

/* Who waits for memory to wire may be the one program that can be killed for it. */
RUN_TEST(wire_waits_without_the_maps_lock)
{
	struct task *task;

	(void)arg;
	boot();
	sim_swap_leave_free(0);
	wire_result = 1;
	assert_int_equal(task_create(&task, "wirer", PRI_NORMAL, wirer, NULL), 0);
	tsleep(&wire_result, "test", 1000);
	assert_int_equal(wire_result, 1);
	assert_null(parent->map.lock.owner);
	assert_int_equal(parent->map.wired_pages, 8);
	parent->killed = true;
	vm_meter_wake_waiters(&vm_domains[0]);
	tsleep(&wire_result, "test", 1000);
	assert_int_equal(wire_result, ERR_KILLED);
	assert_int_equal(parent->map.wired_pages, 0);
	parent->killed = false;
	sim_swap_leave_free(64);
	finish();
}

/* 65,535 mappings of one page may be wired; one more is refused, and all of that call. */
RUN_TEST(wire_count_does_not_overflow)
{
	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	page(3)->wire_count = UINT16_MAX;
	assert_int_equal(vm_map_wire(parent, AT(0), AT(8)), ERR_AGAIN);
	assert_int_equal(page(3)->wire_count, UINT16_MAX);
	page(3)->wire_count = 0;
	assert_int_equal(page(0)->wire_count, 0);
	assert_int_equal(parent->map.wired_pages, 0);
	finish();
}

/* ---- madvise */

RUN_TEST(advise_is_kept_in_the_entry)
{
	(void)arg;
	boot();
	assert_int_equal(vm_map_advise(parent, AT(4), AT(8), VM_ADVICE_RANDOM), 0);
	assert_int_equal(parent->map.entry_count, 3);
	assert_int_equal(vm_map_lookup_entry(&parent->map, AT(4))->advice, VM_ADVICE_RANDOM);
	assert_int_equal(vm_map_lookup_entry(&parent->map, AT(8))->advice, VM_ADVICE_NORMAL);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(PAGES), VM_ADVICE_SEQUENTIAL), 0);
	assert_int_equal(parent->map.entry_count, 1);
	assert_int_equal(vm_map_advise(parent, AT(0) + 8, AT(8), VM_ADVICE_RANDOM), ERR_INVAL);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(0), VM_ADVICE_FREE), ERR_INVAL);
	assert_int_equal(vm_map_advise(parent, AT(8), AT(8) | (1ull << 47), VM_ADVICE_FREE),
	    ERR_INVAL);
	finish();
}

RUN_TEST(advise_dontneed_puts_clean_pages_first)
{
	struct vm_page *m;
	struct vm_object *object;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	object = sim_fork_entry(parent)->object;
	sim_fork_evict(object, false); /* 0, 2, 4, 6 go */
	sim_fork_verify(parent, 0, 8, 1); /* and come back, clean */
	sim_fork_store(parent, 7, 8, 2);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(PAGES), VM_ADVICE_DONTNEED), 0);
	sim_mm_check();
	assert_int_equal(page(0)->queue, PQ_INACTIVE);
	assert_int_equal(page(0)->dirty, 0);
	assert_int_equal(page(7)->queue, PQ_INACTIVE);
	assert_int_equal(page(7)->dirty, VM_PAGE_BITS_ALL);
	assert_false(pmap_is_referenced(page(7)));
	assert_int_equal(page(7)->act_count, 0);
	/* All clean ones lie in front of all dirty ones. */
	m = vm_page_of(vm_domains[0].pagequeues[PQ_INACTIVE].head);
	for (; m != NULL && m->dirty == 0; m = vm_page_of(m->q_next))
		continue;
	for (; m != NULL; m = vm_page_of(m->q_next))
		assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	sim_fork_verify(parent, 0, 7, 1);
	sim_fork_verify(parent, 7, 8, 2);
	finish();
}

RUN_TEST(advise_free_forgets_contents_and_copies)
{
	struct vm_object *object;
	uint32_t i;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	object = sim_fork_entry(parent)->object;
	sim_fork_evict(object, false);
	assert_int_equal(object->swap_count, 4);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(6), VM_ADVICE_FREE), 0);
	sim_mm_check();
	assert_int_equal(object->swap_count, 1); /* page 6's */
	assert_int_equal(page(1)->dirty, 0);
	assert_false(pmap_is_modified(page(1)));
	assert_int_equal(sim_fork_word(parent, 2), 0);
	/* Not taken yet: still there. Written again: kept. */
	sim_fork_verify(parent, 1, 2, 1);
	sim_fork_store(parent, 3, 4, 5);
	assert_true(vm_page_try_to_cache(page(1)));
	for (i = 0; i < 2; i++)
		assert_int_equal(sim_fork_word(parent, i), 0);
	vm_page_test_dirty(page(3));
	assert_int_equal(page(3)->dirty, VM_PAGE_BITS_ALL);
	sim_fork_verify(parent, 6, 8, 1);
	finish();
}

/* What others see, and what is wired, is not forgotten. */
RUN_TEST(advise_free_spares_shared_and_wired_memory)
{
	struct vmspace *child;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	assert_int_equal(vm_map_wire(parent, AT(0), AT(2)), 0);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(2), VM_ADVICE_FREE), 0);
	assert_int_equal(page(0)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(vm_map_unwire(parent, AT(0), AT(2)), 0);
	child = sim_fork_space(parent);
	assert_int_equal(vm_map_advise(child, AT(0), AT(8), VM_ADVICE_FREE), 0);
	sim_mm_check();
	assert_int_equal(page(3)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(page(3)->queue, PQ_INACTIVE);
	sim_fork_verify(parent, 0, 8, 1);
	sim_fork_end(child);
	finish();
}

RUN_TEST(advise_willneed_maps_and_reads)
{
	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	sim_fork_evict(sim_fork_entry(parent)->object, false);
	assert_int_equal(vm_map_willneed(parent, AT(0), AT(PAGES + 4)), 0);
	sim_mm_check();
	assert_non_null(page(6));
	assert_null(page(8)); /* nothing is stored: nothing is made */
	assert_int_not_equal(pmap_mincore(&parent->pmap, AT(6)), 0);
	finish();
}

/* ---- mincore */

RUN_TEST(mincore_tells_where_pages_are)
{
	uint8_t states[PAGES];
	struct vm_object *object;

	(void)arg;
	boot();
	sim_fork_store(parent, 0, 8, 1);
	object = sim_fork_entry(parent)->object;
	sim_fork_evict(object, false);
	assert_int_equal(vm_map_mincore(parent, AT(0), AT(PAGES), states), 0);
	assert_int_equal(states[0], VM_MINCORE_SWAPPED);
	assert_int_equal(states[1],
	    VM_MINCORE_INCORE | VM_MINCORE_REFERENCED | VM_MINCORE_MODIFIED);
	assert_int_equal(states[9], 0);
	assert_int_equal(vm_map_advise(parent, AT(0), AT(8), VM_ADVICE_FREE), 0);
	assert_int_equal(vm_map_mincore(parent, AT(0), AT(4), states), 0);
	assert_int_equal(states[0], 0);
	assert_int_equal(states[1], VM_MINCORE_INCORE);
	assert_int_equal(vm_map_mincore(parent, AT(PAGES - 1), AT(PAGES + 1), states), ERR_NOMEM);
	finish();
}

/* A write that needed no fault is known to the page tables alone. */
RUN_TEST(mincore_tells_of_writes_without_faults)
{
	uint8_t state;

	(void)arg;
	boot();
	assert_int_equal(sim_fork_word(parent, 3), 0);
	assert_int_equal(vm_map_mincore(parent, AT(3), AT(4), &state), 0);
	assert_int_equal(state, VM_MINCORE_INCORE | VM_MINCORE_REFERENCED);
	sim_fork_store(parent, 3, 4, 1);
	assert_int_equal(page(3)->dirty, 0);
	assert_int_equal(vm_map_mincore(parent, AT(3), AT(4), &state), 0);
	assert_int_equal(state,
	    VM_MINCORE_INCORE | VM_MINCORE_REFERENCED | VM_MINCORE_MODIFIED);
	sim_mm_check();
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_faults_every_page_in_and_keeps_it),
		cmocka_unit_test(wire_is_refused_as_a_whole),
		cmocka_unit_test(wire_is_undone_when_a_page_cannot_be_had),
		cmocka_unit_test(wire_ends_with_the_mapping),
		cmocka_unit_test(wire_survives_protection),
		cmocka_unit_test(wire_is_not_inherited),
		cmocka_unit_test(wire_moves_to_the_copy),
		cmocka_unit_test(wire_waits_without_the_maps_lock),
		cmocka_unit_test(wire_count_does_not_overflow),
		cmocka_unit_test(advise_is_kept_in_the_entry),
		cmocka_unit_test(advise_dontneed_puts_clean_pages_first),
		cmocka_unit_test(advise_free_forgets_contents_and_copies),
		cmocka_unit_test(advise_free_spares_shared_and_wired_memory),
		cmocka_unit_test(advise_willneed_maps_and_reads),
		cmocka_unit_test(mincore_tells_where_pages_are),
		cmocka_unit_test(mincore_tells_of_writes_without_faults),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
