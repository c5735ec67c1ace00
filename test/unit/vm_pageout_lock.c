/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locking a page found on a queue (contract 1.2), and page locks as such.
 *
 * Each property is seen with both locks; the slow path is forced by the seam, or by a
 * task that has the lock and does something to the queue before it lets go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout_lock.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 256u
#define PAGES  8u
#define CHAOS  400u

static struct vm_domain *const vmd = &vm_domains[0];
static struct vm_pagequeue *const pq = &vm_domains[0].pagequeues[PQ_INACTIVE];
static struct vm_object *object, *other;
static struct vm_page *page[PAGES], *next;
static struct vm_page untouched;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static bool
refuse_all(const struct sleep_lock *lock)
{
	(void)lock;
	return (true);
}

static void
boot(void)
{
	uint32_t i;

	sim_swap_boot(FRAMES, 0);
	sleep_lock_refuse = NULL;
	object = vm_object_allocate(PAGES);
	other = vm_object_allocate(PAGES);
	for (i = 0; i < PAGES; i++)
		page[i] = sim_swap_page(object, i, PQ_INACTIVE, true);
	next = &untouched;
}

/* X2, and the queue is what the arguments say: count pages, from page[first] on. */
static void
check_queue(uint32_t count)
{
	uint32_t n;

	for (n = 1; n < VM_PAGE_FIRST; n++)
		assert_int_equal(vm_page_array[n].flags, 0);
	assert_int_equal(pq->count, count);
	sim_mm_check();
}

static void
check_order(void)
{
	uint32_t i;

	assert_ptr_equal(vm_pagequeue_first(pq), page[0]);
	for (i = 0; i < PAGES; i++)
		assert_ptr_equal(vm_pagequeue_next(page[i]),
		    i + 1 == PAGES ? NULL : page[i + 1]);
	check_queue(PAGES);
}

/* ---- who is in the way */

enum what { NOTHING, FREE, REQUEUE, REHOME, DROP_NEIGHBOURS, DROP_ALL_BEHIND };

static enum what what;

static void
do_it(struct vm_page *m)
{
	switch (what) {
	case FREE:
		vm_page_free(m);
		break;
	case REQUEUE:
		vm_page_requeue(m);
		break;
	case REHOME:
		vm_page_remove(m);
		vm_page_insert(m, other, 3);
		break;
	case DROP_ALL_BEHIND:
		vm_page_free(page[4]);
		vm_page_free(page[5]);
		vm_page_free(page[6]);
		vm_page_free(page[7]);
		break;
	case DROP_NEIGHBOURS:
		vm_page_free(page[2]);
		vm_page_free(page[4]);
		break;
	default:
		break;
	}
}

static void
page_owner(void *arg)
{
	vm_page_lock(arg);
	tsleep(arg, "owner", 1000);
	do_it(arg);
	vm_page_unlock(arg);
}

static void
object_owner(void *arg)
{
	sleep_lock_acquire(&object->lock);
	tsleep(arg, "owner", 1000);
	do_it(arg);
	sleep_lock_release(&object->lock);
}

/* Lock page[3], by its own or the object's lock, while its owner does what. */
static bool
contend(bool by_object, enum what w)
{
	struct task *t;
	bool same;

	what = w;
	assert_int_equal(task_create(&t, "owner", PRI_IO, by_object ? object_owner : page_owner,
	    page[3]), 0);
	tsleep(&t, "start", 10);
	if (!by_object) {
		same = vm_pageout_page_lock(page[3], &next);
	} else {
		vm_page_lock(page[3]);
		same = vm_pageout_fallback_object_lock(page[3], &next);
		assert_true(sleep_lock_owned(&object->lock)); /* T7 */
		assert_int_equal(object->paging_in_progress, 0);
		sleep_lock_release(&object->lock);
	}
	assert_true(vm_page_lock_owned(page[3])); /* T7 */
	vm_page_unlock(page[3]);
	return (same);
}

/* ---- 1.2 */

RUN_TEST(lock_T1_no_contention)
{
	(void)arg;
	boot();
	assert_true(vm_pageout_page_lock(page[3], &next));
	assert_ptr_equal(next, &untouched);
	assert_true(vm_pageout_fallback_object_lock(page[3], &next));
	assert_ptr_equal(next, &untouched);
	assert_true(sleep_lock_owned(&object->lock));
	sleep_lock_release(&object->lock);
	vm_page_unlock(page[3]);
	check_order();
}

/* A try that fails, though nobody has the lock: nothing has changed. */
RUN_TEST(lock_T1b_refused_try)
{
	(void)arg;
	boot();
	sleep_lock_refuse = refuse_all;
	assert_true(vm_pageout_page_lock(page[3], &next));
	assert_ptr_equal(next, page[4]);
	next = NULL;
	assert_true(vm_pageout_fallback_object_lock(page[3], &next));
	assert_ptr_equal(next, page[4]);
	sleep_lock_release(&object->lock);
	vm_page_unlock(page[3]);
	assert_true(vm_pageout_page_lock(page[7], &next));
	assert_null(next);
	vm_page_unlock(page[7]);
	check_order();
}

RUN_TEST(lock_T2_page_freed_meanwhile)
{
	(void)arg;
	boot();
	assert_false(contend(false, FREE));
	assert_ptr_equal(next, page[4]);
	check_queue(PAGES - 1);
}

RUN_TEST(lock_T2b_page_freed_while_the_object_is_locked)
{
	(void)arg;
	boot();
	assert_false(contend(true, FREE));
	assert_ptr_equal(next, page[4]);
	check_queue(PAGES - 1);
}

RUN_TEST(lock_T3_page_requeued)
{
	(void)arg;
	boot();
	assert_false(contend(false, REQUEUE));
	assert_ptr_equal(next, page[4]);
	assert_int_equal(pq->tail, vm_page_number(page[3]));
	assert_false(contend(true, REQUEUE)); /* the last one to the tail: behind the marker */
	assert_ptr_equal(next, page[3]);
	check_queue(PAGES);
}

RUN_TEST(lock_T4_page_of_another_object)
{
	(void)arg;
	boot();
	assert_false(contend(true, REHOME));
	assert_ptr_equal(next, page[4]);
	assert_ptr_equal(page[3]->object, other);
	check_order(); /* in the same place */
	boot();
	assert_true(contend(false, REHOME)); /* its own lock does not ask */
}

RUN_TEST(lock_T5_neighbours_removed)
{
	(void)arg;
	boot();
	assert_true(contend(false, DROP_NEIGHBOURS));
	assert_ptr_equal(next, page[5]);
	check_queue(PAGES - 2);
	boot();
	assert_true(contend(true, DROP_NEIGHBOURS));
	assert_ptr_equal(next, page[5]);
	boot();
	assert_true(contend(true, DROP_ALL_BEHIND));
	assert_null(next);
	check_queue(PAGES - 4);
}

/* Whatever happens: see check_queue after each of them. */
RUN_TEST(lock_T6_no_marker_is_left)
{
	uint32_t w;

	(void)arg;
	for (w = NOTHING; w <= DROP_ALL_BEHIND; w++) {
		boot();
		assert_int_equal(contend(false, (enum what)w),
		    w != FREE && w != REQUEUE);
		check_queue(pq->count);
		boot();
		assert_int_equal(contend(true, (enum what)w),
		    w != FREE && w != REQUEUE && w != REHOME);
		check_queue(pq->count);
	}
}

RUN_TEST(lock_T7_held_on_false_too)
{
	struct vm_object *locked = NULL;
	struct task *t;

	(void)arg;
	boot();
	assert_false(contend(false, FREE)); /* contend asserts it */
	boot();
	assert_false(contend(true, REHOME));
	boot();
	what = REQUEUE;
	assert_int_equal(task_create(&t, "owner", PRI_IO, object_owner, page[3]), 0);
	tsleep(&t, "start", 10);
	assert_false(vm_pageout_lock_both(page[3], &locked, &next)); /* this one lets go */
	assert_ptr_equal(locked, object);
	assert_null(object->lock.owner);
	assert_false(vm_page_lock_owned(page[3]));
	assert_ptr_equal(next, page[4]);
	sim_mm_check();
}

/* ---- beyond the properties */

static void
object_ender(void *arg)
{
	(void)arg;
	tsleep(arg, "ender", 300);
	vm_object_deallocate(object);
}

/* X3: the object's last reference goes while its lock is waited for. */
RUN_TEST(lock_waits_for_an_object_that_ends)
{
	struct task *t;
	bool same;

	(void)arg;
	boot();
	what = NOTHING;
	assert_int_equal(task_create(&t, "owner", PRI_IO, object_owner, page[3]), 0);
	assert_int_equal(task_create(&t, "ender", PRI_IO, object_ender, page[3]), 0);
	tsleep(&t, "start", 10);
	vm_page_lock(page[3]);
	same = vm_pageout_fallback_object_lock(page[3], &next);
	assert_true(same);
	assert_int_equal(object->flags & OBJ_DEAD, OBJ_DEAD);
	tsleep(&t, "hold", 5000); /* it waits for us in its turn */
	assert_true(sleep_lock_owned(&object->lock));
	assert_int_equal(page[3]->queue, PQ_INACTIVE);
	sleep_lock_release(&object->lock);
	vm_page_unlock(page[3]);
	tsleep(&t, "end", 5000);
	assert_int_equal(pq->count, 0);
	sim_mm_check();
}

static uint32_t running;

/* One scan after another that rotates the queue; others move, free and make pages. */
static void
scanner(void *arg)
{
	struct vm_object *locked;
	struct vm_page *m;
	uint32_t i;

	(void)arg;
	for (i = 0; i < CHAOS; i++) {
		m = vm_pagequeue_first(pq);
		while (m != NULL) {
			next = vm_pagequeue_next(m);
			if ((m->flags & PG_MARKER) == 0 &&
			    vm_pageout_lock_both(m, &locked, &next)) {
				assert_ptr_equal(m->object, locked);
				assert_int_equal(m->queue, PQ_INACTIVE);
				sleep_lock_release(&locked->lock);
				vm_page_unlock(m);
			}
			m = next;
		}
		sched_yield();
	}
	running--;
}

static void
mover(void *arg)
{
	struct sleep_lock *lock;
	struct vm_page *m;
	uint32_t i, at;

	(void)arg;
	for (i = 0; i < CHAOS; i++) {
		at = sim_random(PAGES);
		lock = sim_random(2) == 0 ? &object->lock : &vm_page_locks[sim_random(PAGES)];
		sleep_lock_acquire(lock);
		tsleep(&at, "mover", 1 + sim_random(5));
		m = vm_page_lookup(object, at);
		if (m == NULL)
			sim_swap_page(object, at, PQ_INACTIVE, true);
		else if (sim_random(3) == 0)
			vm_page_free(m);
		else if (sim_random(2) == 0)
			vm_page_activate(m);
		else
			vm_page_deactivate(m);
		sleep_lock_release(lock);
	}
	running--;
}

RUN_TEST(lock_crowd_on_one_queue)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot();
	running = 3;
	sim_random_scheduler(sim_seed(11));
	assert_int_equal(task_create(&t, "scanner", PRI_NORMAL, scanner, NULL), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(task_create(&t, "mover", PRI_NORMAL, mover, NULL), 0);
	while (running != 0)
		tsleep(&t, "crowd", 1000);
	sim_random_scheduler(0);
	check_queue(pq->count);
	assert_true(vmd->v_free_count > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_T1_no_contention),
		cmocka_unit_test(lock_T1b_refused_try),
		cmocka_unit_test(lock_T2_page_freed_meanwhile),
		cmocka_unit_test(lock_T2b_page_freed_while_the_object_is_locked),
		cmocka_unit_test(lock_T3_page_requeued),
		cmocka_unit_test(lock_T4_page_of_another_object),
		cmocka_unit_test(lock_T5_neighbours_removed),
		cmocka_unit_test(lock_T6_no_marker_is_left),
		cmocka_unit_test(lock_T7_held_on_false_too),
		cmocka_unit_test(lock_waits_for_an_object_that_ends),
		cmocka_unit_test(lock_crowd_on_one_queue),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
