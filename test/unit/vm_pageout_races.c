/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others do while a pass over a queue for contiguous memory lets them run (contract 1.1,
 * 1.2, 1.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_launder.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout.h"
#include "mm/vm_pageout_grow.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define SLOTS  1024u
#define PAGES  300u
#define ALL    UINT64_MAX

static struct vmspace *vm;
static struct vm_object *object;
static struct vm_pagequeue *const inactive = &vm_domains[0].pagequeues[PQ_INACTIVE];
static bool ran;

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
	sim_swap_boot(FRAMES, SLOTS);
	vm = sim_swap_space(PAGES);
	object = sim_swap_object(vm);
	ran = false;
	tsleep(&vm, "boot", 1000);
}

static void
start(void (*fn)(void *), void *arg)
{
	struct task *t;

	/* of better priority than the test: it runs where the pass yields */
	assert_int_equal(task_create(&t, "other", PRI_IO, fn, arg), 0);
}

/* A clean inactive page with a copy in swap. */
static void
clean_pages(uint32_t count)
{
	sim_swap_be_pagedaemon();
	sim_swap_dirty_run(object, 0, count);
	sim_swap_launder(object, 0, count);
	sim_swap_settle(object);
}

static void
finish(void)
{
	vmspace_free(vm);
	sim_mm_check();
}

/* The page of the 128th step, at which the pass yields. */
static struct vm_page *
at_the_yield(void)
{
	struct vm_page *m = vm_pagequeue_first(inactive);

	for (uint32_t i = 1; i < SCHED_LOOP_MAX; i++)
		m = vm_pagequeue_next(m);
	return (m);
}

static void
activate_it(void *arg)
{
	vm_page_activate(arg);
	ran = true;
}

static void
requeue_it(void *arg)
{
	vm_page_activate(arg);
	vm_page_deactivate(arg); /* at the end of the same queue */
	ran = true;
}

/* A page that is used meanwhile is passed by, and the pass goes on behind it. */
RUN_TEST(grow_T1b_page_that_becomes_active_at_the_yield_stays)
{
	struct vm_page *m;

	(void)arg;
	boot();
	clean_pages(200);
	m = at_the_yield();
	start(activate_it, m);
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(ran);
	assert_int_equal(m->queue, PQ_ACTIVE);
	assert_int_equal(object->resident_count, 1);
	assert_int_equal(object->cached_count, 199);
	finish();
}

/* One that moved to the end is met there. */
RUN_TEST(grow_T1c_page_that_moves_at_the_yield_is_met_again)
{
	(void)arg;
	boot();
	clean_pages(200);
	start(requeue_it, at_the_yield());
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(ran);
	assert_int_equal(object->resident_count, 0);
	assert_int_equal(object->cached_count, 200);
	finish();
}

static void
hold_page_lock(void *arg)
{
	struct vm_page *m = arg;

	vm_page_lock(m);
	tsleep(&ran, "hold", 5000);
	vm_page_activate(m);
	vm_page_unlock(m);
	ran = true;
}

/* A page whose lock another has, and which is somewhere else afterwards. */
RUN_TEST(grow_T1d_page_that_went_while_its_lock_was_awaited)
{
	struct vm_page *m;

	(void)arg;
	boot();
	clean_pages(10);
	m = vm_page_lookup(object, 4);
	start(hold_page_lock, m);
	tsleep(&vm, "start", 1000);
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(ran);
	assert_int_equal(m->queue, PQ_ACTIVE);
	assert_int_equal(object->cached_count, 9);
	finish();
}

static void
deallocate(void *arg)
{
	vm_object_deallocate(arg);
}

/* Dirty pages of an object that is going are not written: nobody wants them. */
RUN_TEST(grow_T2a_dirty_page_of_a_dying_object_is_not_written)
{
	struct vm_object *other;
	uint32_t writes;

	(void)arg;
	boot();
	other = vm_object_allocate(8);
	other->type = OBJT_SWAP;
	sim_swap_page(other, 0, PQ_INACTIVE, true);
	vm_object_pip_add(other, 1); /* so that it cannot end */
	start(deallocate, other);
	tsleep(&vm, "start", 1000);
	assert_true((other->flags & OBJ_DEAD) != 0);
	writes = sim_swap_disk.writes;
	vm_pageout_grow_cache(1, 0, ALL);
	assert_int_equal(sim_swap_disk.writes, writes);
	assert_int_equal(other->resident_count, 1);
	vm_object_pip_wakeup(other, 1);
	tsleep(&vm, "end", 1000);
	finish();
}

/* Above the minimum, below the wake-up mark, and nothing to be had: it stays asked for until
 * there is enough. */
RUN_TEST(worker_stays_asked_between_minimum_and_wakeup)
{
	struct vm_domain *vmd = &vm_domains[0];

	(void)arg;
	boot();
	mm_params.pageout_wakeup_above_min = 1;
	vm_meter_set_wakeup_thresh(vmd);
	assert_int_equal(vm_pageout_start(), 0);
	tsleep(&vm, "start", 1000);
	sim_swap_leave_free(vmd->v_free_min);
	pagedaemon_wakeup(vmd);
	tsleep(&vm, "passes", 3000000);
	assert_true(vmd->vm_pages_needed);
	sim_swap_leave_free(vmd->v_free_target + 1);
	tsleep(&vm, "passes", 3000000);
	assert_false(vmd->vm_pages_needed);
	mm_params.pageout_wakeup_above_min = 0;
	vm_meter_set_wakeup_thresh(vmd);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grow_T1b_page_that_becomes_active_at_the_yield_stays),
		cmocka_unit_test(grow_T1c_page_that_moves_at_the_yield_is_met_again),
		cmocka_unit_test(grow_T1d_page_that_went_while_its_lock_was_awaited),
		cmocka_unit_test(grow_T2a_dirty_page_of_a_dying_object_is_not_written),
		cmocka_unit_test(worker_stays_asked_between_minimum_and_wakeup),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
