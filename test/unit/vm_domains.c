/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several memory domains: who gets a page where, who waits for whom, and whose shortage
 * counts (contract, "For all of ebb"; 0.4; quirk Q5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/uma.h"
#include "mm/vm_pageout.h"
#include "mm/vm_phys.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u /* of each domain */

static struct vm_domain *const first = &vm_domains[0];
static struct vm_domain *const second = &vm_domains[1];
static struct vm_page *taken[4 * FRAMES];
static uint32_t taken_count;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* sim_swap_boot, then the upper half of its frames again as domain 1. */
static void
boot(void)
{
	static void *array;

	sim_swap_boot(2 * FRAMES, 0);
	sim_pmap_reset();
	free(array);
	array = aligned_alloc(64, vm_phys_array_bytes(2 * FRAMES));
	vm_phys_init(array, 2 * FRAMES);
	assert_int_equal(vm_phys_add_segment(SIM_RAM_BASE, SIM_RAM_BASE + FRAMES * PAGE_SIZE, 0),
	    0);
	assert_int_equal(vm_phys_add_segment(SIM_RAM_BASE + FRAMES * PAGE_SIZE,
	    SIM_RAM_BASE + 2 * FRAMES * PAGE_SIZE, 1), 0);
	uma_startup();
	vm_object_init();
	vm_map_init();
	vm_meter_init_thresholds(first);
	vm_meter_init_thresholds(second);
	taken_count = 0;
}

/* Take frames of vmd until it has free_pages. */
static void
drain(struct vm_domain *vmd, uint32_t free_pages)
{
	while (vm_meter_free(vmd) > free_pages)
		taken[taken_count++] = vm_phys_alloc(vmd->id, 0);
}

static struct vm_page *
alloc(uint32_t class)
{
	return (vm_page_alloc(NULL, 0, class | VM_ALLOC_NOOBJ));
}

RUN_TEST(domains_take_turns)
{
	uint32_t i, count[2] = { 0, 0 };

	(void)arg;
	boot();
	for (i = 0; i < 100; i++)
		count[alloc(VM_ALLOC_NORMAL)->domain]++;
	assert_int_equal(count[0], 50);
	assert_int_equal(count[1], 50);
}

RUN_TEST(domains_stand_in_for_each_other)
{
	uint32_t i;

	(void)arg;
	boot();
	drain(first, first->v_free_reserved);
	for (i = 0; i < 10; i++)
		assert_int_equal(alloc(VM_ALLOC_NORMAL)->domain, 1);
	assert_true(first->vm_pages_needed); /* it was asked, too */
	assert_false(second->vm_pages_needed);
	assert_int_equal(first->vm_pageout_deficit, 0); /* nobody was refused */
	drain(second, second->v_free_reserved);
	assert_null(alloc(VM_ALLOC_NORMAL));
	assert_int_equal(first->vm_pageout_deficit, 1);
	assert_int_equal(second->vm_pageout_deficit, 1);
	assert_non_null(alloc(VM_ALLOC_SYSTEM));
}

RUN_TEST(domains_are_severe_only_together)
{
	(void)arg;
	boot();
	drain(first, 10);
	assert_true(vm_page_count_severe(first));
	assert_false(vm_meter_all_severe());
	assert_false(vm_meter_all_min());
	assert_int_equal(vm_meter_spare(), vm_meter_free(second) - second->v_free_min);
	drain(second, 10);
	assert_true(vm_meter_all_severe());
	assert_true(vm_meter_all_min());
	assert_int_equal(vm_meter_spare(), 0);
	vm_meter_refresh();
	assert_int_equal(mm_params.v_page_count, 2 * FRAMES);
	assert_int_equal(mm_params.v_free_count, 20);
}

static char order[4];
static uint32_t order_count;

static void
fault_waiter(void *arg)
{
	(void)arg;
	vm_waitpfault_any();
	order[order_count++] = 'f';
}

static void
kernel_waiter(void *arg)
{
	(void)arg;
	vm_wait_any();
	order[order_count++] = 'k';
}

/* T5, T6: relief in any domain ends the wait, the kernel's requests first. */
RUN_TEST(worker_T5b_relief_in_any_domain)
{
	struct task *t;

	(void)arg;
	boot();
	drain(first, first->v_free_min - 1);
	order_count = 0;
	vm_wait_any(); /* the second has pages: no wait */
	drain(second, second->v_free_min - 1);
	assert_int_equal(task_create(&t, "fault", PRI_NORMAL, fault_waiter, NULL), 0);
	assert_int_equal(task_create(&t, "kernel", PRI_NORMAL, kernel_waiter, NULL), 0);
	tsleep(&order, "start", 100);
	assert_int_equal(order_count, 0);
	assert_true(first->vm_pages_needed && second->vm_pages_needed);
	assert_int_equal(second->waiters, 2);
	while (vm_page_count_min(second)) {
		struct vm_page *m = taken[--taken_count];

		vm_phys_free(m, 0);
		vm_page_free_wakeup(second);
	}
	tsleep(&order, "end", 100);
	assert_int_equal(order_count, 2);
	assert_memory_equal(order, "kf", 2);
	assert_int_equal(first->waiters + second->waiters, 0);
	while (taken_count > 0)
		vm_phys_free(taken[--taken_count], 0);
	sim_mm_check();
}

/* Cached in the domain that is at its reserve: it comes back, others have pages. */
RUN_TEST(domains_give_a_cached_page_back)
{
	struct vm_object *o;
	struct vm_page *m;

	(void)arg;
	boot();
	o = vm_object_allocate(4);
	o->type = OBJT_VNODE; /* for whose pages nothing else need be stored */
	m = vm_page_alloc(o, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_cache(m);
	assert_true(vm_page_is_cached(o, 0));
	drain(vm_domain_of(m), vm_domain_of(m)->v_free_reserved);
	assert_ptr_equal(vm_page_alloc(o, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY), m);
	assert_int_equal(m->valid, VM_PAGE_BITS_ALL);
	vm_page_cache(m);
	drain(first, first->v_free_reserved);
	drain(second, second->v_free_reserved);
	assert_null(vm_page_alloc(o, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY));
}

/* ---- Q5 */

static struct vm_object *object;

/* Inactive pages for the second domain, active ones for the first. */
static void
fill(void)
{
	struct vm_page *m;
	uint32_t i;

	object = vm_object_allocate(512);
	for (i = 0; i < 200; i++) {
		m = vm_page_alloc(object, i, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
		m->valid = m->dirty = VM_PAGE_BITS_ALL;
		if (m->domain == 0)
			vm_page_activate(m);
		else
			vm_page_deactivate(m);
		m->act_count = 1;
	}
	first->v_inactive_target = second->v_inactive_target = 0;
}

/* How many pages does the first deactivate for the second's sake? */
static uint32_t
deactivated(bool global)
{
	boot();
	fill();
	mm_params.pageout_global_targets = global;
	second->v_inactive_target = 130; /* 100 inactive: 30 short */
	first->v_free_target = vm_meter_free(first);
	second->v_free_target = vm_meter_free(second);
	vm_pageout_scan(first, 1);
	return (first->pagequeues[PQ_INACTIVE].count);
}

RUN_TEST(domains_deactivate_for_each_other)
{
	(void)arg;
	assert_int_equal(deactivated(true), 30);
	assert_int_equal(deactivated(false), 0);
}

RUN_TEST(domains_first_to_scan_takes_the_deficit)
{
	(void)arg;
	boot();
	first->vm_pageout_deficit = 3;
	second->vm_pageout_deficit = 4;
	vm_pageout_scan(first, 1);
	assert_int_equal(first->vm_pageout_deficit + second->vm_pageout_deficit, 0);
	mm_params.pageout_global_targets = 0;
	first->vm_pageout_deficit = 3;
	second->vm_pageout_deficit = 4;
	vm_pageout_scan(first, 1);
	assert_int_equal(first->vm_pageout_deficit, 0);
	assert_int_equal(second->vm_pageout_deficit, 4);
}

/* A domain that is short alone deactivates for itself, whatever the sum says. */
RUN_TEST(domains_do_not_starve_alone)
{
	(void)arg;
	boot();
	fill();
	first->v_inactive_target = 20;
	first->v_free_target = vm_meter_free(first) + 5;
	second->v_free_target = 0; /* far more than enough */
	vm_pageout_scan(first, 1);
	assert_int_equal(first->pagequeues[PQ_INACTIVE].count, 25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_take_turns),
		cmocka_unit_test(domains_stand_in_for_each_other),
		cmocka_unit_test(domains_are_severe_only_together),
		cmocka_unit_test(worker_T5b_relief_in_any_domain),
		cmocka_unit_test(domains_give_a_cached_page_back),
		cmocka_unit_test(domains_deactivate_for_each_other),
		cmocka_unit_test(domains_first_to_scan_takes_the_deficit),
		cmocka_unit_test(domains_do_not_starve_alone),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
