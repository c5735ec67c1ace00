/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_fault_pagein.c: faults that read, with a pager that knows what was asked
 * (contract 1.16: T3, T5, T7, T8).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/uma.h"
#include "mm/vm_fault.h"
#include "mm/vm_meter.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_store.h"

#define BASE  0x100000ull
#define PAGES SIM_STORE_PAGES
#define RW    (VM_PROT_READ | VM_PROT_WRITE)

static struct vm_domain *const vmd = &vm_domains[0];
static struct vmspace *vm;

/* ---- set-up */

static vm_offset_t
va_of(uint32_t page)
{
	return (BASE + (vm_offset_t)page * PAGE_SIZE);
}

static struct vm_object *
the_object(void)
{
	return (vm_map_lookup_entry(&vm->map, BASE)->object);
}

static void
boot(uint32_t frames)
{
	vm_offset_t va = BASE;

	sim_mm_boot(frames);
	sim_store_reset();
	vm = vmspace_alloc(PAGE_SIZE, 1ull << 30);
	assert_int_equal(vm_map_find(vm, &va, PAGES * PAGE_SIZE, RW, 0), 0);
}

/* Pages [first, end) are in the store and nowhere else. */
static void
boot_stored(uint32_t first, uint32_t end)
{
	boot(512);
	the_object()->type = OBJT_SWAP;
	memset(&sim_store_state.stored[first], true, end - first);
}

static uint8_t
load(uint32_t page)
{
	uint8_t byte = 0xee;

	assert_int_equal(sim_load(vm, va_of(page), &byte, 1), 0);
	return (byte);
}

static void
store_byte(uint32_t page, uint8_t byte)
{
	assert_int_equal(sim_store(vm, va_of(page), &byte, 1), 0);
}

/* vm_check knows nothing of this test's store, so only rules without swap bite. */
static void
finish(void)
{
	sim_mm_check();
	vmspace_free(vm);
	uma_reclaim();
	assert_int_equal(vmd->v_free_count, vmd->v_page_count);
	sim_mm_check();
}

static void
T3_body(void *arg)
{
	(void)arg;
	boot_stored(10, 11);
	assert_int_equal(load(10), 11);
	assert_int_equal(sim_store_state.reads, 1);
	assert_true(sim_store_state.stored[10]); /* kept while the page stays clean */
	assert_null(pmap_extract(&vm->pmap, va_of(10), VM_PROT_WRITE)); /* L1 */
	store_byte(10, 99);
	assert_false(sim_store_state.stored[10]);
	assert_int_equal(vm_page_lookup(the_object(), 10)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(load(10), 99);
	sim_store_state.stored[12] = true; /* a write fault reads first, then drops the copy */
	assert_int_equal(sim_store(vm, va_of(12) + 1, "x", 1), 0);
	assert_false(sim_store_state.stored[12]);
	assert_int_equal(load(12), 13);
	finish();
}

static void
fault_T3_write_after_page_in_frees_swap(void **state)
{
	sim_run(T3_body, state);
}

/* ---- T5 */

static void
T5_body(void *arg)
{
	uint8_t byte;

	(void)arg;
	boot_stored(0, 64);
	sim_store_state.outcome = VM_PAGER_ERROR;
	assert_int_equal(sim_load(vm, va_of(20), &byte, 1), ERR_IO);
	assert_int_equal(the_object()->resident_count, 0);
	assert_int_equal(the_object()->paging_in_progress, 0);
	assert_true(sim_store_state.stored[20]);
	sim_mm_check();
	sim_store_state.outcome = VM_PAGER_OK;
	assert_int_equal(load(20), 21);
	finish();
}

static void
fault_T5_pager_error_leaves_no_page_behind(void **state)
{
	sim_run(T5_body, state);
}

/* ---- T7: the window */

static void
window_body(void *arg)
{
	struct vm_page *m;
	uint32_t i;

	(void)arg;
	boot_stored(0, PAGES);
	assert_int_equal(load(40), 41);
	assert_int_equal(sim_store_state.first + sim_store_state.wanted, 40);
	assert_true(sim_store_state.first >= 40 - VM_FAULT_READ_BEHIND);
	assert_true(sim_store_state.count > 1);
	for (i = sim_store_state.first; i < sim_store_state.first + sim_store_state.count; i++) {
		m = vm_page_lookup(the_object(), i);
		assert_non_null(m);
		assert_false(vm_page_busied(m));
		assert_int_equal(m->queue, i == 40 ? PQ_ACTIVE : PQ_INACTIVE);
		assert_int_equal(load(i), i + 1);
	}
	assert_int_equal(sim_store_state.reads, 1);
	assert_int_equal(mm_params.v_io_faults, 1);
	finish();
}

static void
fault_window_is_read_at_once(void **state)
{
	sim_run(window_body, state);
}

static void
T7_body(void *arg)
{
	static const uint32_t ahead[] = { 7, 15, 23, 31 };
	struct vm_map_entry *entry;
	uint32_t page = 20, i;

	(void)arg;
	boot_stored(0, PAGES);
	entry = vm_map_lookup_entry(&vm->map, BASE);
	assert_int_equal(entry->read_ahead, 15);
	for (i = 0; i < 4; i++) { /* the first is random, each other where the last ended */
		assert_int_equal(load(page), page + 1);
		assert_int_equal(entry->read_ahead, ahead[i]);
		assert_int_equal(sim_store_state.count - sim_store_state.wanted - 1, ahead[i]);
		assert_int_equal(sim_store_state.wanted, i == 0 ? 8 : 0);
		page += ahead[i] + 1;
		assert_int_equal(entry->next_read, page);
	}
	assert_int_equal(load(page + 5), page + 6);
	assert_int_equal(entry->read_ahead, 7);
	finish();
}

static void
fault_T7_window_grows_with_sequential_faults(void **state)
{
	sim_run(T7_body, state);
}

static void
window_cut_body(void *arg)
{
	struct vm_page *taken[512];
	uint32_t n, first;

	(void)arg;
	boot_stored(0, PAGES);
	/* resident pages, the entry's edges and holes in the store end it */
	vmd->v_free_min = 0;
	the_object()->type = OBJT_DEFAULT;
	store_byte(58, 1);
	the_object()->type = OBJT_SWAP;
	sim_store_state.stored[58] = sim_store_state.stored[63] = false;
	assert_int_equal(load(60), 61);
	assert_int_equal(sim_store_state.first, 59);
	assert_int_equal(sim_store_state.count, 4); /* 59..62 */
	assert_int_equal(load(0), 1);
	assert_int_equal(sim_store_state.wanted, 0);
	assert_int_equal(load(PAGES - 1), PAGES);
	assert_int_equal(sim_store_state.first + sim_store_state.count, PAGES);
	/* without spare pages only the wanted one: W1 */
	vm_meter_init_thresholds(vmd);
	n = sim_mm_exhaust(taken);
	vm_page_unwire(taken[--n], PQ_NONE);
	vm_page_free(taken[n]);
	first = sim_store_state.reads;
	assert_int_equal(load(90), 91);
	assert_int_equal(sim_store_state.reads, first + 1);
	assert_int_equal(sim_store_state.count, 1);
	while (n > 0) {
		vm_page_unwire(taken[--n], PQ_NONE);
		vm_page_free(taken[n]);
	}
	finish();
}

static void
fault_window_is_cut_by_neighbours_edges_and_memory(void **state)
{
	sim_run(window_cut_body, state);
}

/* ---- T8 and busy pages */

static uint32_t loads_done;

static void
load_20(void *arg)
{
	(void)arg;
	assert_int_equal(load(20), 21);
	loads_done++;
}

static void
T8_body(void *arg)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot_stored(0, PAGES);
	sim_store_state.latency_us = 1000;
	loads_done = 0;
	for (i = 0; i < 5; i++)
		assert_int_equal(task_create(&t, "load", PRI_NORMAL, load_20, NULL), 0);
	sched_yield();
	assert_int_equal(loads_done, 0);
	assert_int_equal(the_object()->paging_in_progress, 1);
	sim_mm_check();
	tsleep(&loads_done, "test", 2000);
	assert_int_equal(loads_done, 5);
	assert_int_equal(sim_store_state.reads, 1);
	assert_int_equal(mm_params.v_intrans, 4);
	finish();
}

static void
fault_T8_concurrent_faults_one_read(void **state)
{
	sim_run(T8_body, state);
}

/* ---- the map changes while a page is read */

static int raced;

static void
load_raced(void *arg)
{
	uint8_t byte;

	(void)arg;
	raced = sim_load(vm, va_of(20), &byte, 1);
	loads_done++;
}

static void
unmap_body(void *arg)
{
	struct task *t;

	(void)arg;
	boot_stored(0, PAGES);
	sim_store_state.latency_us = 1000;
	loads_done = 0;
	assert_int_equal(task_create(&t, "load", PRI_NORMAL, load_raced, NULL), 0);
	sched_yield();
	assert_int_equal(vm_map_remove(vm, BASE, va_of(PAGES)), 0); /* waits for the read */
	tsleep(&loads_done, "test", 2000);
	assert_int_equal(loads_done, 1);
	assert_int_equal(raced, ERR_FAULT);
	assert_int_equal(vmspace_resident_count(vm), 0);
	finish();
}

static void
fault_unmap_during_read_is_noticed(void **state)
{
	sim_run(unmap_body, state);
}

static void
protect_body(void *arg)
{
	struct task *t;

	(void)arg;
	boot_stored(0, PAGES);
	sim_store_state.latency_us = 1000;
	loads_done = 0;
	assert_int_equal(task_create(&t, "load", PRI_NORMAL, load_raced, NULL), 0);
	sched_yield();
	assert_int_equal(vm_map_protect(vm, va_of(20), va_of(21), VM_PROT_NONE), 0);
	tsleep(&loads_done, "test", 2000);
	assert_int_equal(loads_done, 1);
	assert_int_equal(raced, ERR_FAULT);
	assert_null(pmap_extract(&vm->pmap, va_of(20), VM_PROT_READ));
	finish();
}

static void
fault_protect_during_read_is_noticed(void **state)
{
	sim_run(protect_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_T3_write_after_page_in_frees_swap),
		cmocka_unit_test(fault_T5_pager_error_leaves_no_page_behind),
		cmocka_unit_test(fault_window_is_read_at_once),
		cmocka_unit_test(fault_T7_window_grows_with_sequential_faults),
		cmocka_unit_test(fault_window_is_cut_by_neighbours_edges_and_memory),
		cmocka_unit_test(fault_T8_concurrent_faults_one_read),
		cmocka_unit_test(fault_unmap_during_read_is_noticed),
		cmocka_unit_test(fault_protect_during_read_is_noticed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
