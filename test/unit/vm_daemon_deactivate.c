/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deactivating the pages of an object chain (contract 1.6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_daemon.h"
#include "mm/vm_page_lock.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define PAGES  64u
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *vm;
static struct vm_object *first;
static void
boot(void)
{
	sim_swap_boot(FRAMES, 0);
	vm = sim_swap_space(PAGES);
	first = sim_swap_object(vm);
}

static void
finish(void)
{
	struct vm_object *object;

	for (object = vm_object_next(NULL); object != NULL; object = vm_object_next(object))
		assert_null(object->lock.owner);
	assert_null(vm->map.lock.owner);
	sim_mm_check();
}

/* A clean page of object, mapped and unused, at place of the address space. */
static struct vm_page *
mapped(struct vm_object *object, uint32_t place, uint8_t queue, uint8_t act_count)
{
	struct vm_page *m = sim_swap_page(object, place, queue, false);

	m->act_count = act_count;
	assert_int_equal(pmap_enter(&vm->pmap, SIM_SWAP_BASE + place * PAGE_SIZE, m, RW, 0), 0);
	return (m);
}

static void
mapped_run(struct vm_object *object, uint32_t start, uint32_t end)
{
	for (; start < end; start++)
		mapped(object, start, PQ_INACTIVE, 0);
}

static uint32_t
resident(void)
{
	return ((uint32_t)pmap_resident_count(&vm->pmap));
}

static void
touch(struct vm_page *m)
{
	sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + m->pindex * PAGE_SIZE)->accessed = true;
}

static void
deactivate(uint32_t desired)
{
	sleep_lock_acquire(&first->lock);
	vm_pageout_object_deactivate_pages(&vm->pmap, first, desired);
	assert_true(sleep_lock_owned(&first->lock));
	sleep_lock_release(&first->lock);
}

/* Make front a shadow of back. */
static void
shadow(struct vm_object *front, struct vm_object *back)
{
	if (back->shadow_count++ != 0)
		vm_object_reference(back);
	front->backing_object = back;
	LIST_INSERT_HEAD(&back->shadow_head, front, shadow_link);
}

static struct vm_object *
put_behind(struct vm_object *front)
{
	struct vm_object *back = vm_object_allocate(PAGES);

	shadow(front, back);
	return (back);
}

/* ---- 1.6 */

RUN_TEST(odeact_T1_stops_at_the_target)
{
	uint64_t before;

	(void)arg;
	boot();
	mapped_run(first, 0, 20);
	before = mm_params.v_pdpages;
	deactivate(5);
	assert_int_equal(resident(), 5);
	assert_int_equal(mm_params.v_pdpages - before, 15); /* asked before each page */
	deactivate(5);
	assert_int_equal(mm_params.v_pdpages - before, 15);
	finish();
}

RUN_TEST(odeact_T2_shared_object_ages_only)
{
	struct vm_object *a, *b;
	struct vm_page *m;

	(void)arg;
	boot();
	a = vm_object_allocate(PAGES);
	b = vm_object_allocate(PAGES);
	m = mapped(first, 3, PQ_ACTIVE, 2);
	shadow(a, first);
	vm_object_reference(first);
	shadow(b, first);
	deactivate(0);
	assert_int_equal(m->act_count, 1);
	deactivate(0);
	deactivate(0);
	assert_int_equal(m->act_count, 0);
	assert_int_equal(m->queue, PQ_ACTIVE);
	assert_int_equal(resident(), 1);
	finish();
}

RUN_TEST(odeact_T3_page_mapped_elsewhere_only_is_untouched)
{
	struct vmspace *other;
	struct vm_page *active, *inactive;
	vm_offset_t va = SIM_SWAP_BASE;

	(void)arg;
	boot();
	other = sim_swap_space(PAGES);
	mapped(first, 9, PQ_INACTIVE, 0);
	active = sim_swap_page(first, 1, PQ_ACTIVE, false);
	inactive = sim_swap_page(first, 2, PQ_INACTIVE, false);
	active->act_count = 1;
	active->aflags |= PGA_REFERENCED;
	assert_int_equal(pmap_enter(&other->pmap, va, active, RW, 0), 0);
	assert_int_equal(pmap_enter(&other->pmap, va + PAGE_SIZE, inactive, RW, 0), 0);
	deactivate(0);
	assert_int_equal(resident(), 0);
	assert_int_equal(active->queue, PQ_ACTIVE);
	assert_int_equal(active->act_count, 1);
	assert_true(active->aflags & PGA_REFERENCED);
	assert_int_equal(inactive->queue, PQ_INACTIVE);
	assert_int_equal(pmap_resident_count(&other->pmap), 2);
	finish();
}

RUN_TEST(odeact_T4_last_of_its_activity_goes_inactive_and_unmapped)
{
	struct vm_page *m, *other;

	(void)arg;
	boot();
	m = mapped(first, 1, PQ_ACTIVE, 1);
	other = mapped(first, 2, PQ_ACTIVE, 2);
	sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + PAGE_SIZE)->modified = true;
	deactivate(0);
	assert_int_equal(m->queue, PQ_INACTIVE);
	assert_false(pmap_page_is_mapped(m));
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL); /* what the mapping knew is kept */
	assert_int_equal(other->queue, PQ_ACTIVE);
	assert_int_equal(other->act_count, 1);
	assert_true(pmap_page_is_mapped(other));
	finish();
}

/* The other rows of the table. */
RUN_TEST(odeact_T4b_used_pages_stay_and_gain)
{
	struct vm_page *inactive, *low, *high, *flagged, *tail, *both;

	(void)arg;
	boot();
	inactive = mapped(first, 0, PQ_INACTIVE, 0);
	low = mapped(first, 1, PQ_ACTIVE, 60);
	high = mapped(first, 2, PQ_ACTIVE, 61);
	flagged = mapped(first, 3, PQ_INACTIVE, 255);
	tail = mapped(first, 4, PQ_ACTIVE, 9);
	both = mapped(first, 5, PQ_INACTIVE, 0);
	touch(inactive);
	touch(low);
	touch(high);
	touch(both);
	vm_page_reference(flagged);
	vm_page_reference(both);
	deactivate(0);
	assert_int_equal(both->act_count, ACT_INIT + 1); /* the flag adds nothing to a use */
	assert_false(both->aflags & PGA_REFERENCED);
	assert_int_equal(inactive->queue, PQ_ACTIVE);
	assert_int_equal(inactive->act_count, ACT_INIT + 1);
	assert_int_equal(low->act_count, 63);
	assert_int_equal(high->act_count, 61);
	assert_int_equal(flagged->queue, PQ_ACTIVE);
	assert_int_equal(flagged->act_count, 255); /* Q4: never wraps */
	assert_false(flagged->aflags & PGA_REFERENCED);
	assert_int_equal(tail->act_count, 8);
	assert_ptr_equal(vm_pagequeue_next(low), high);  /* each was requeued in turn */
	assert_ptr_equal(vm_pagequeue_next(high), flagged);
	assert_ptr_equal(vm_pagequeue_next(flagged), tail);
	assert_int_equal(resident(), 6);
	finish();
}

RUN_TEST(odeact_T4c_pinned_pages_are_passed_by)
{
	struct vm_page *busy, *held, *wired, *queueless;
	uint64_t before;

	(void)arg;
	boot();
	busy = mapped(first, 0, PQ_INACTIVE, 0);
	held = mapped(first, 1, PQ_INACTIVE, 0);
	wired = mapped(first, 2, PQ_INACTIVE, 0);
	queueless = mapped(first, 3, PQ_INACTIVE, 0);
	vm_page_dequeue(queueless);
	vm_page_xbusy(busy);
	vm_page_hold(held);
	vm_page_wire(wired);
	before = mm_params.v_pdpages;
	deactivate(0);
	assert_int_equal(resident(), 4);
	assert_int_equal(mm_params.v_pdpages - before, 3); /* all but the busy one */
	vm_page_deactivate(queueless);
	vm_page_xunbusy(busy);
	vm_page_unhold(held);
	vm_page_unwire(wired, PQ_INACTIVE);
	finish();
}

RUN_TEST(odeact_T5_order_of_the_chain)
{
	struct vm_object *second, *third;

	(void)arg;
	boot();
	second = put_behind(first);
	third = put_behind(second);
	mapped_run(first, 0, 3);
	mapped_run(second, 10, 13);
	mapped_run(third, 20, 23);
	deactivate(7);
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE));
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + PAGE_SIZE));
	assert_non_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 2 * PAGE_SIZE));
	deactivate(5);
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 2 * PAGE_SIZE));
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 10 * PAGE_SIZE));
	assert_non_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 11 * PAGE_SIZE));
	deactivate(2);
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 12 * PAGE_SIZE));
	assert_null(sim_pmap_find(&vm->pmap, SIM_SWAP_BASE + 20 * PAGE_SIZE));
	assert_int_equal(resident(), 2);
	finish();
}

RUN_TEST(odeact_T6_paging_in_progress_ends_the_walk)
{
	struct vm_object *second, *third;

	(void)arg;
	boot();
	second = put_behind(first);
	third = put_behind(second);
	mapped_run(first, 0, 3);
	mapped_run(second, 10, 13);
	mapped_run(third, 20, 23);
	vm_object_pip_add(second, 1);
	deactivate(0);
	assert_int_equal(resident(), 6);
	vm_object_pip_wakeup(second, 1);
	second->flags |= OBJ_UNMANAGED;
	deactivate(0);
	assert_int_equal(resident(), 6);
	second->flags &= (uint8_t)~OBJ_UNMANAGED;
	third->flags |= OBJ_FICTITIOUS; /* asked of the first only */
	deactivate(0);
	assert_int_equal(resident(), 0);
	third->flags &= (uint8_t)~OBJ_FICTITIOUS;
	mapped_run(first, 30, 33);
	first->flags |= OBJ_FICTITIOUS;
	deactivate(0);
	assert_int_equal(resident(), 3);
	first->flags &= (uint8_t)~OBJ_FICTITIOUS;
	finish();
}

static struct vm_object *contended;

static void
contender(void *arg)
{
	(void)arg;
	sleep_lock_acquire(&contended->lock);
	tsleep(&contended, "test", 5000);
	sleep_lock_release(&contended->lock);
}

/* Wherever the walk ends, every lock but the first's is let go; nobody is overtaken. */
RUN_TEST(odeact_T7_locks_are_balanced)
{
	struct vm_object *chain[4];
	struct task *t;
	uint32_t i, desired;

	(void)arg;
	for (desired = 0; desired <= 12; desired++) {
		boot();
		chain[0] = first;
		for (i = 1; i < 4; i++)
			chain[i] = put_behind(chain[i - 1]);
		for (i = 0; i < 4; i++)
			mapped_run(chain[i], 10 * i, 10 * i + 3);
		contended = chain[1 + desired % 3];
		assert_int_equal(task_create(&t, "contender", PRI_NORMAL, contender, NULL), 0);
		sched_yield();
		assert_ptr_equal(contended->lock.owner, t);
		deactivate(desired);
		assert_int_equal(resident(), desired);
		tsleep(&i, "test", 10000);
		finish();
	}
}

static struct vm_page *locked_page;

static void
page_owner(void *arg)
{
	(void)arg;
	vm_page_lock(locked_page);
	tsleep(&locked_page, "test", 5000);
	assert_true(pmap_page_is_mapped(locked_page)); /* nobody has touched it */
	vm_page_unlock(locked_page);
}

RUN_TEST(odeact_waits_for_a_locked_page)
{
	struct task *t;

	(void)arg;
	boot();
	mapped_run(first, 0, 5);
	locked_page = vm_page_lookup(first, 2);
	assert_int_equal(task_create(&t, "owner", PRI_NORMAL, page_owner, NULL), 0);
	sched_yield();
	assert_true(vm_page_lock_held(locked_page));
	deactivate(0);
	assert_int_equal(resident(), 0);
	assert_false(vm_page_lock_held(locked_page));
	finish();
}

/* Under the random scheduler others come in between the pages. */
RUN_TEST(odeact_yields_between_many_pages)
{
	uint32_t i;

	(void)arg;
	sim_swap_boot(FRAMES, 0);
	vm = sim_swap_space(600);
	first = sim_swap_object(vm);
	for (i = 0; i < 600; i++)
		mapped(first, i, PQ_INACTIVE, 0);
	sim_random_scheduler(sim_seed(5));
	deactivate(7);
	sim_random_scheduler(0);
	assert_int_equal(resident(), 7);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odeact_T1_stops_at_the_target),
		cmocka_unit_test(odeact_T2_shared_object_ages_only),
		cmocka_unit_test(odeact_T3_page_mapped_elsewhere_only_is_untouched),
		cmocka_unit_test(odeact_T4_last_of_its_activity_goes_inactive_and_unmapped),
		cmocka_unit_test(odeact_T4b_used_pages_stay_and_gain),
		cmocka_unit_test(odeact_T4c_pinned_pages_are_passed_by),
		cmocka_unit_test(odeact_T5_order_of_the_chain),
		cmocka_unit_test(odeact_T6_paging_in_progress_ends_the_walk),
		cmocka_unit_test(odeact_T7_locks_are_balanced),
		cmocka_unit_test(odeact_waits_for_a_locked_page),
		cmocka_unit_test(odeact_yields_between_many_pages),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
