/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_page*.c: allocation classes (contract 0.4), identity, and the page verbs
 * of contract 1.12 with every misuse assertion.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "lib/rng.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"

static struct vm_domain *const vmd = &vm_domains[0];
static struct vm_object *object;

static int
boot(void **state)
{
	(void)state;
	sim_mm_boot_bare(256);
	object = vm_object_allocate(1000);
	return (0);
}

/* A page with identity, valid, on no queue, not busy. */
static struct vm_page *
page_at(vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc(object, pindex, VM_ALLOC_NOBUSY);

	m->valid = VM_PAGE_BITS_ALL;
	return (m);
}

static uint32_t
queue_count(uint8_t queue)
{
	return (vmd->pagequeues[queue].count);
}

/* ---- 0.4 */

static uint32_t
allocate_all(uint32_t class)
{
	uint32_t n = 0;

	while (vm_page_alloc(NULL, 0, class | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED) != NULL)
		n++;
	return (n);
}

static void
classes_body(void *arg)
{
	(void)arg;
	sim_mm_boot(256);
	allocate_all(VM_ALLOC_NORMAL);
	assert_int_equal(vmd->v_free_count, vmd->v_free_reserved);
	assert_int_equal(vmd->vm_pageout_deficit, 1);
	assert_true(vmd->vm_pages_needed);
	assert_int_equal(mm_params.v_alloc_refused, 1);
	allocate_all(VM_ALLOC_NORMAL);
	assert_int_equal(vmd->vm_pageout_deficit, 2);
	allocate_all(VM_ALLOC_SYSTEM);
	assert_int_equal(vmd->v_free_count, vmd->v_interrupt_free_min);
	allocate_all(VM_ALLOC_INTERRUPT);
	assert_int_equal(vmd->v_free_count, 0);
}

static void
alloc_0_4_each_class_stops_at_its_reserve(void **state)
{
	sim_run(classes_body, state);
}

static void
daemon_class_body(void *arg)
{
	(void)arg;
	sim_mm_boot(256);
	vmd->worker = curtask();
	allocate_all(VM_ALLOC_NORMAL);
	assert_int_equal(vmd->v_free_count, vmd->v_interrupt_free_min);
}

static void
alloc_0_4_the_daemons_normal_is_system(void **state)
{
	sim_run(daemon_class_body, state);
}

static void
wakeup_body(void *arg)
{
	(void)arg;
	sim_mm_boot(4096);
	while (vmd->v_free_count > vmd->pageout_wakeup_thresh)
		assert_non_null(vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED));
	assert_false(vmd->vm_pages_needed);
	assert_non_null(vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED));
	assert_true(vmd->vm_pages_needed);
	assert_int_equal(vmd->vm_pageout_deficit, 0);
}

static void
alloc_0_4_success_below_the_threshold_wakes_the_daemon(void **state)
{
	sim_run(wakeup_body, state);
}

static void
alloc_flags(void **state)
{
	struct vm_page *m;

	(void)state;
	m = vm_page_alloc(object, 5, VM_ALLOC_NORMAL);
	assert_true(vm_page_xbusied(m));
	assert_ptr_equal(m->object, object);
	assert_int_equal(m->pindex, 5);
	assert_int_equal(m->valid, 0);
	assert_int_equal(m->queue, PQ_NONE);
	memset(vm_page_address(m), 0xff, PAGE_SIZE);
	vm_page_free(m);
	m = vm_page_alloc(object, 5, VM_ALLOC_NOBUSY | VM_ALLOC_ZERO | VM_ALLOC_WIRED);
	assert_false(vm_page_busied(m));
	assert_int_equal(m->wire_count, 1);
	assert_int_equal(*(uint8_t *)vm_page_address(m), 0);
	assert_int_equal(((uint8_t *)vm_page_address(m))[PAGE_SIZE - 1], 0);
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
	SIM_EXPECT_ASSERT("P6", vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL));
	SIM_EXPECT_ASSERT("P6", vm_page_alloc(object, 0, VM_ALLOC_NOOBJ));
}

/* ---- identity */

static void
identity_random_matches_model(void **state)
{
	static struct vm_page *model[1000];
	struct vm_page *below, *above, *m;
	uint32_t i, k, n, count = 0;
	struct rng rng;

	(void)state;
	memset(model, 0, sizeof(model));
	rng_seed(&rng, 5);
	for (i = 0; i < 100000; i++) {
		k = rng_below(&rng, 1000);
		m = vm_page_lookup(object, k);
		assert_ptr_equal(m, model[k]);
		for (n = k; n < 1000 && model[n] == NULL; n++)
			continue;
		if (i % 8 == 0)
			assert_ptr_equal(vm_page_find_least(object, k), n < 1000 ? model[n] : NULL);
		vm_page_neighbours(object, k, &below, &above);
		assert_true(below == NULL || (below->pindex < k && vm_page_next(below) ==
		    (m != NULL ? m : above)));
		assert_true(above == NULL || (above->pindex > k && vm_page_prev(above) ==
		    (m != NULL ? m : below)));
		if (m != NULL) {
			vm_page_free(m);
			model[k] = NULL;
			count--;
		} else if (count < 200) {
			/* half of the inserts use the place of the missed look-up */
			if (i % 2 == 0)
				(void)vm_page_lookup(object, (k + 1) % 1000);
			model[k] = vm_page_alloc(object, k, VM_ALLOC_NOBUSY);
			assert_non_null(model[k]);
			count++;
		}
		assert_int_equal(object->resident_count, count);
	}
}

static void
identity_misuse_asserts(void **state)
{
	struct vm_page *m = page_at(3);

	(void)state;
	SIM_EXPECT_ASSERT("T2", vm_page_alloc(object, 3, VM_ALLOC_NORMAL));
	SIM_EXPECT_ASSERT("T2", vm_page_alloc(object, 1000, VM_ALLOC_NORMAL));
	SIM_EXPECT_ASSERT("T1", vm_page_insert(m, object, 4));
	vm_page_remove(m);
	SIM_EXPECT_ASSERT("T1", vm_page_remove(m));
}

/* ---- 1.12 */

static void
page_T1_double_free_panics(void **state)
{
	struct vm_page *m = page_at(0);

	(void)state;
	vm_page_free(m);
	SIM_EXPECT_ASSERT("P7", vm_page_free(m));
	sim_mm_check();
}

static void
page_T2_freeing_mapped_or_shared_busy_panics(void **state)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, 1ull << 30);
	struct vm_page *m = page_at(0);

	(void)state;
	assert_int_equal(pmap_enter(&vm->pmap, PAGE_SIZE, m, VM_PROT_READ, PMAP_ENTER_READ), 0);
	SIM_EXPECT_ASSERT("P4: freed page is not mapped", vm_page_free(m));
	pmap_remove_all(m);
	vm_page_sbusy(m);
	SIM_EXPECT_ASSERT("P4: freed page is not shared", vm_page_free(m));
	vm_page_sunbusy(m);
	vm_page_wire(m);
	SIM_EXPECT_ASSERT("P4: freed page is not wired", vm_page_free(m));
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
	sim_mm_check();
}

static void
page_T3_wire_unwire_round_trip(void **state)
{
	struct vm_page *m = page_at(0);
	uint32_t wired = vmd->v_wire_count;

	(void)state;
	vm_page_activate(m);
	vm_page_wire(m);
	vm_page_wire(m);
	assert_int_equal(m->queue, PQ_NONE);
	assert_int_equal(vmd->v_wire_count, wired + 1);
	vm_page_activate(m); /* nothing: it is wired */
	assert_int_equal(m->queue, PQ_NONE);
	vm_page_unwire(m, PQ_ACTIVE);
	assert_int_equal(m->queue, PQ_NONE);
	m->flags |= PG_WINATCFLS;
	vm_page_unwire(m, PQ_INACTIVE);
	assert_int_equal(m->queue, PQ_INACTIVE);
	assert_int_equal(m->flags & PG_WINATCFLS, 0);
	assert_int_equal(vmd->v_wire_count, wired);
	SIM_EXPECT_ASSERT("P3", vm_page_unwire(m, PQ_ACTIVE));
	sim_mm_check();
}

static void
page_T4_act_count_after_activate(void **state)
{
	struct vm_page *m = page_at(0);

	(void)state;
	m->act_count = 2;
	vm_page_activate(m);
	assert_int_equal(m->act_count, 5);
	m->act_count = 3;
	vm_page_activate(m); /* already active: only raised */
	assert_int_equal(m->act_count, 5);
	m->act_count = 40;
	vm_page_deactivate(m);
	assert_int_equal(m->act_count, 40); /* kept */
	vm_page_activate(m);
	assert_int_equal(m->act_count, 40);
	assert_int_equal(queue_count(PQ_ACTIVE), 1);
	assert_int_equal(queue_count(PQ_INACTIVE), 0);
	sim_mm_check();
}

static void
page_T5_hold_defers_free_exactly_once(void **state)
{
	uint32_t free_count = vmd->v_free_count;
	struct vm_page *m = page_at(0);

	(void)state;
	vm_page_activate(m);
	vm_page_hold(m);
	vm_page_hold(m);
	vm_page_free(m);
	assert_null(vm_page_lookup(object, 0));
	assert_int_equal(m->queue, PQ_NONE);
	assert_int_equal(vmd->v_free_count, free_count - 1);
	SIM_EXPECT_ASSERT("P7", vm_page_free(m));
	vm_page_unhold(m);
	assert_int_equal(vmd->v_free_count, free_count - 1);
	vm_page_unhold(m);
	assert_int_equal(vmd->v_free_count, free_count);
	SIM_EXPECT_ASSERT("P3", vm_page_unhold(m));
	sim_mm_check();
}

static void
page_T6_requeue_keeps_length(void **state)
{
	struct vm_page *a = page_at(0), *b = page_at(1), *c = page_at(2);

	(void)state;
	vm_page_deactivate(a);
	vm_page_deactivate(b);
	vm_page_requeue(a);
	assert_int_equal(queue_count(PQ_INACTIVE), 2);
	assert_ptr_equal(vm_pagequeue_first(&vmd->pagequeues[PQ_INACTIVE]), b);
	vm_page_deactivate(b); /* no-op: it stays at the head */
	assert_ptr_equal(vm_pagequeue_first(&vmd->pagequeues[PQ_INACTIVE]), b);
	vm_page_deactivate_head(c);
	assert_ptr_equal(vm_pagequeue_first(&vmd->pagequeues[PQ_INACTIVE]), c);
	vm_page_dequeue(c);
	SIM_EXPECT_ASSERT("B4", vm_page_requeue(c));
	SIM_EXPECT_ASSERT("B4", vm_page_dequeue(c));
	vm_page_deactivate(c);
	assert_int_equal(queue_count(PQ_INACTIVE), 3);
	sim_mm_check();
}

static void
page_T7_shared_busy_of_exclusive_fails(void **state)
{
	struct vm_page *m = page_at(0);

	(void)state;
	vm_page_xbusy(m);
	assert_false(vm_page_trysbusy(m));
	assert_false(vm_page_tryxbusy(m));
	SIM_EXPECT_ASSERT("B1", vm_page_sbusy(m));
	SIM_EXPECT_ASSERT("B1", vm_page_xbusy(m));
	SIM_EXPECT_ASSERT("B3", vm_page_sunbusy(m));
	vm_page_busy_downgrade(m);
	assert_true(vm_page_trysbusy(m));
	assert_false(vm_page_tryxbusy(m));
	SIM_EXPECT_ASSERT("B3", vm_page_xunbusy(m));
	SIM_EXPECT_ASSERT("B3", vm_page_busy_downgrade(m));
	vm_page_sunbusy(m);
	vm_page_sunbusy(m);
	assert_false(vm_page_busied(m));
	SIM_EXPECT_ASSERT("B2", vm_page_busy_sleep(m, "test"));
	vm_page_activate(m);
	sim_mm_check();
}

static void
page_T8_dirty_on_invalid_asserts(void **state)
{
	struct vm_page *m = vm_page_alloc(object, 0, VM_ALLOC_NOBUSY);

	(void)state;
	SIM_EXPECT_ASSERT("P5", vm_page_dirty(m));
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	vm_page_activate(m);
	sim_mm_check();
}

static void
page_test_dirty_asks_the_page_tables(void **state)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, 1ull << 30);
	struct vm_page *m = page_at(0);

	(void)state;
	assert_int_equal(pmap_enter(&vm->pmap, PAGE_SIZE, m, VM_PROT_READ | VM_PROT_WRITE,
	    PMAP_ENTER_READ), 0);
	vm_page_test_dirty(m);
	assert_int_equal(m->dirty, 0);
	assert_int_equal(pmap_fault(&vm->pmap, PAGE_SIZE, VM_PROT_WRITE), 0);
	vm_page_test_dirty(m);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	vm_page_undirty(m);
	vm_page_test_dirty(m);
	assert_int_equal(m->dirty, 0);
}

/* ---- sleeping on a busy page */

static uint32_t woken;

static void
sleeper(void *arg)
{
	vm_page_busy_sleep(arg, "test");
	woken++;
}

static void
busy_sleep_body(void *arg)
{
	struct vm_page *m;
	struct task *t;

	boot(arg);
	m = page_at(0);
	woken = 0;
	vm_page_sbusy(m);
	vm_page_sbusy(m);
	assert_int_equal(task_create(&t, "a", PRI_NORMAL, sleeper, m), 0);
	assert_int_equal(task_create(&t, "b", PRI_NORMAL, sleeper, m), 0);
	sched_yield();
	vm_page_sunbusy(m);
	sched_yield();
	assert_int_equal(woken, 0);
	vm_page_sunbusy(m);
	sched_yield();
	assert_int_equal(woken, 2);
	assert_int_equal(m->flags & PG_WAITED, 0);
	vm_page_xbusy(m); /* a freed page wakes its sleepers too */
	assert_int_equal(task_create(&t, "c", PRI_NORMAL, sleeper, m), 0);
	sched_yield();
	vm_page_free(m);
	sched_yield();
	assert_int_equal(woken, 3);
}

static void
page_busy_sleepers_wake_at_the_last_release(void **state)
{
	sim_run(busy_sleep_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_0_4_each_class_stops_at_its_reserve),
		cmocka_unit_test(alloc_0_4_the_daemons_normal_is_system),
		cmocka_unit_test(alloc_0_4_success_below_the_threshold_wakes_the_daemon),
		cmocka_unit_test_setup(alloc_flags, boot),
		cmocka_unit_test_setup(identity_random_matches_model, boot),
		cmocka_unit_test_setup(identity_misuse_asserts, boot),
		cmocka_unit_test_setup(page_T1_double_free_panics, boot),
		cmocka_unit_test_setup(page_T2_freeing_mapped_or_shared_busy_panics, boot),
		cmocka_unit_test_setup(page_T3_wire_unwire_round_trip, boot),
		cmocka_unit_test_setup(page_T4_act_count_after_activate, boot),
		cmocka_unit_test_setup(page_T5_hold_defers_free_exactly_once, boot),
		cmocka_unit_test_setup(page_T6_requeue_keeps_length, boot),
		cmocka_unit_test_setup(page_T7_shared_busy_of_exclusive_fails, boot),
		cmocka_unit_test_setup(page_T8_dirty_on_invalid_asserts, boot),
		cmocka_unit_test_setup(page_test_dirty_asks_the_page_tables, boot),
		cmocka_unit_test(page_busy_sleepers_wake_at_the_last_release),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
