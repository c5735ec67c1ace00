/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_fault.c: zero fill, denial, waiting, prefault, holds (contract 1.16: T1, T4,
 * T6); faults that read are in vm_fault_pagein.c.
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

/* ---- T1, T3, T4 */

static void
T1_body(void *arg)
{
	uint32_t i;

	(void)arg;
	boot(512);
	memset(vm_page_address(vm_page_of(VM_PAGE_FIRST + 400)), 0x55, PAGE_SIZE);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(load(i), 0);
	assert_int_equal(sim_store_state.reads, 0);
	assert_int_equal(vm->usage.zero_fills, PAGES);
	assert_int_equal(mm_params.v_zfod, PAGES);
	assert_int_equal(vmspace_resident_count(vm), PAGES);
	finish();
}

static void
fault_T1_untouched_anon_reads_zero(void **state)
{
	sim_run(T1_body, state);
}

static void
write_body(void *arg)
{
	struct vm_page *m;

	(void)arg;
	boot(512);
	assert_int_equal(load(0), 0);
	m = vm_page_lookup(the_object(), 0);
	assert_int_equal(m->dirty, 0);
	assert_int_equal(m->queue, PQ_ACTIVE);
	assert_true(m->act_count >= ACT_INIT);
	store_byte(0, 42); /* emulated modified flag, no vm_fault */
	assert_int_equal(vm->usage.faults, 1);
	assert_int_equal(vm->pmap.flag_faults, 1);
	vm_page_test_dirty(m);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	store_byte(1, 43); /* a write fault dirties at once */
	assert_int_equal(vm_page_lookup(the_object(), 1)->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(load(0), 42);
	assert_int_equal(load(1), 43);
	finish();
}

static void
fault_write_dirties(void **state)
{
	sim_run(write_body, state);
}

static void
T4_body(void *arg)
{
	vm_offset_t guard = va_of(PAGES);
	uint32_t insn, free_count;
	uint8_t byte = 1;

	(void)arg;
	boot(512);
	assert_int_equal(vm_map_find(vm, &guard, PAGE_SIZE, RW, MAP_ENTRY_GUARD), 0);
	assert_int_equal(vm_map_protect(vm, va_of(4), va_of(5), VM_PROT_READ), 0);
	assert_int_equal(load(4), 0);
	free_count = vmd->v_free_count;
	assert_int_equal(sim_load(vm, BASE - 1, &byte, 1), ERR_FAULT);
	assert_int_equal(sim_load(vm, guard, &byte, 1), ERR_FAULT);
	assert_int_equal(sim_store(vm, guard, &byte, 1), ERR_FAULT);
	assert_int_equal(sim_store(vm, va_of(4), &byte, 1), ERR_FAULT);
	assert_int_equal(sim_fetch(vm, va_of(3), &insn), ERR_FAULT);
	assert_int_equal(sim_load(vm, ~0ull, &byte, 1), ERR_FAULT);
	assert_int_equal(sim_load(vm, 0, &byte, 1), ERR_FAULT);
	assert_int_equal(vmd->v_free_count, free_count);
	assert_int_equal(load(4), 0);
	assert_int_equal(the_object()->resident_count, 1);
	finish();
}

static void
fault_T4_unmapped_or_denied_changes_nothing(void **state)
{
	sim_run(T4_body, state);
}

/* ---- T6 */

static int waiter_result;
static bool waiter_done;

static void
touch_page_0(void *arg)
{
	uint8_t byte = 1;

	(void)arg;
	waiter_result = sim_store(vm, va_of(0), &byte, 1);
	waiter_done = true;
}

static void
T6_body(void *arg)
{
	struct vm_page *taken[512];
	struct task *t;
	uint32_t n;

	(void)arg;
	boot(512);
	waiter_done = false;
	n = sim_mm_exhaust(taken);
	assert_int_equal(task_create(&t, "fault", PRI_NORMAL, touch_page_0, NULL), 0);
	sched_yield();
	assert_false(waiter_done);
	assert_int_equal(vmd->waiters, 1);
	assert_true(vmd->vm_pages_needed);
	vm->killed = true; /* a killed one does not wait: L3 */
	assert_int_equal(vm_fault(vm, va_of(1), VM_PROT_WRITE), 0);
	vm->killed = false;
	while (n > 0 && vm_page_count_min(vmd)) {
		vm_page_unwire(taken[--n], PQ_NONE);
		vm_page_free(taken[n]);
	}
	sched_yield();
	assert_true(waiter_done);
	assert_int_equal(waiter_result, 0);
	while (n > 0) {
		vm_page_unwire(taken[--n], PQ_NONE);
		vm_page_free(taken[n]);
	}
	finish();
}

static void
fault_T6_severe_normal_waits_killed_proceeds(void **state)
{
	sim_run(T6_body, state);
}

static void
killed_body(void *arg)
{
	struct vm_page *taken[512];
	struct task *t;
	uint32_t n;

	(void)arg;
	boot(512);
	waiter_done = false;
	n = sim_mm_exhaust(taken);
	assert_int_equal(task_create(&t, "fault", PRI_NORMAL, touch_page_0, NULL), 0);
	sched_yield();
	assert_false(waiter_done);
	vm->killed = true;
	wakeup_task(t);
	sched_yield();
	assert_true(waiter_done);
	assert_int_equal(waiter_result, ERR_KILLED);
	assert_int_equal(vmd->waiters, 0);
	/* without even the system reserve it does not wait either */
	while ((taken[n] = vm_page_alloc(NULL, 0,
	    VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED)) != NULL)
		n++;
	assert_int_equal(vm_fault(vm, va_of(9), VM_PROT_READ), ERR_KILLED);
	while (n > 0) {
		vm_page_unwire(taken[--n], PQ_NONE);
		vm_page_free(taken[n]);
	}
	finish();
}

static void
fault_killed_while_waiting(void **state)
{
	sim_run(killed_body, state);
}

static void
nomem_body(void *arg)
{
	uint32_t i;

	(void)arg;
	boot(512);
	sim_pmap_nomem_one_in = 2;
	for (i = 0; i < PAGES; i++) {
		store_byte(i, (uint8_t)i);
		assert_int_equal(load(i), (uint8_t)i);
	}
	sim_pmap_nomem_one_in = 0;
	finish();
}

static void
fault_pmap_enter_without_memory_is_retried(void **state)
{
	sim_run(nomem_body, state);
}

/* ---- prefault */

static void
prefault_body(void *arg)
{
	uint32_t i;

	(void)arg;
	boot(512);
	for (i = 20; i < 40; i++)
		store_byte(i, (uint8_t)i);
	pmap_remove(&vm->pmap, BASE, va_of(PAGES));
	assert_int_equal(vmspace_resident_count(vm), 0);
	assert_int_equal(load(30), 30);
	assert_int_equal(vmspace_resident_count(vm), 9);
	for (i = 26; i <= 34; i++) {
		assert_non_null(pmap_extract(&vm->pmap, va_of(i), VM_PROT_READ));
		if (i != 30) {
			assert_null(pmap_extract(&vm->pmap, va_of(i), VM_PROT_WRITE));
			assert_false(pmap_is_referenced(vm_page_lookup(the_object(), i)));
		}
	}
	assert_int_equal(vm->usage.faults, 21);
	store_byte(31, 77);
	assert_int_equal(load(31), 77);
	finish();
}

static void
fault_prefaults_four_resident_neighbours_each_side(void **state)
{
	sim_run(prefault_body, state);
}

/* ---- busy pages and holds */

static uint32_t loads_done;

static void
write_30(void *arg)
{
	(void)arg;
	store_byte(30, 2);
	loads_done++;
}

static void
shared_busy_body(void *arg)
{
	struct vm_page *m;
	struct task *t;

	(void)arg;
	boot(512);
	loads_done = 0;
	store_byte(30, 1);
	m = vm_page_lookup(the_object(), 30);
	vm_page_sbusy(m); /* as a page-out does */
	vm_object_pip_add(the_object(), 1);
	pmap_remove_write(m);
	assert_int_equal(load(30), 1);
	pmap_remove_all(m);
	assert_int_equal(load(30), 1); /* mapped again, read-only */
	assert_int_equal(task_create(&t, "write", PRI_NORMAL, write_30, NULL), 0);
	sched_yield();
	assert_int_equal(loads_done, 0);
	assert_int_equal(load(30), 1);
	vm_page_sunbusy(m);
	vm_object_pip_wakeup(the_object(), 1);
	sched_yield();
	assert_int_equal(loads_done, 1);
	assert_int_equal(load(30), 2);
	finish();
}

static void
flush_T6b_owner_reads_but_waits_to_write(void **state)
{
	sim_run(shared_busy_body, state);
}

static void
hold_body(void *arg)
{
	struct vm_page *m, *none;
	uint32_t free_count;

	(void)arg;
	boot(512);
	assert_int_equal(vm_fault_hold(vm, va_of(3) + 5, VM_PROT_WRITE, &m), 0);
	assert_int_equal(m->hold_count, 1);
	assert_int_equal(m->pindex, 3);
	*(uint8_t *)vm_page_address(m) = 17;
	assert_int_equal(load(3), 17);
	assert_int_equal(vm_fault_hold(vm, 0, VM_PROT_READ, &none), ERR_FAULT);
	assert_null(none);
	assert_int_equal(load(50), 0); /* keeps the table page in use */
	assert_int_equal(vm_map_protect(vm, va_of(3), va_of(4), VM_PROT_READ), 0);
	free_count = vmd->v_free_count;
	assert_int_equal(vm_map_remove(vm, va_of(3), va_of(4)), 0);
	assert_int_equal(vmd->v_free_count, free_count);
	assert_int_equal(*(uint8_t *)vm_page_address(m), 17);
	vm_page_unhold(m);
	assert_int_equal(vmd->v_free_count, free_count + 1);
	finish();
}

static void
fault_hold_outlives_unmap(void **state)
{
	sim_run(hold_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_T1_untouched_anon_reads_zero),
		cmocka_unit_test(fault_write_dirties),
		cmocka_unit_test(fault_T4_unmapped_or_denied_changes_nothing),
		cmocka_unit_test(fault_T6_severe_normal_waits_killed_proceeds),
		cmocka_unit_test(fault_killed_while_waiting),
		cmocka_unit_test(fault_pmap_enter_without_memory_is_retried),
		cmocka_unit_test(fault_prefaults_four_resident_neighbours_each_side),
		cmocka_unit_test(flush_T6b_owner_reads_but_waits_to_write),
		cmocka_unit_test(fault_hold_outlives_unmap),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
