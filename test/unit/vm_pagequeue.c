/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_pagequeue.c: queues with markers against an array model; contract 1.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_phys.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define PAGES   60u
#define MARKERS 4u
#define MAX     (PAGES + MARKERS)

#define pq (vm_domains[0].pagequeues[PQ_ACTIVE])

static struct vm_page *model[MAX]; /* in queue order, markers included */
static uint32_t model_count;

static void
model_insert(uint32_t at, struct vm_page *m)
{
	memmove(&model[at + 1], &model[at], (model_count - at) * sizeof(model[0]));
	model[at] = m;
	model_count++;
}

static void
model_remove(uint32_t at)
{
	model_count--;
	memmove(&model[at], &model[at + 1], (model_count - at) * sizeof(model[0]));
}

static uint32_t
model_find(const struct vm_page *m)
{
	uint32_t i;

	for (i = 0; i < model_count && model[i] != m; i++)
		continue;
	return (i);
}

static void
compare(void)
{
	struct vm_page *m = vm_pagequeue_first(&pq);
	uint32_t i, pages = 0;

	for (i = 0; i < model_count; i++) {
		assert_ptr_equal(m, model[i]);
		assert_int_equal(m->queue, PQ_ACTIVE);
		assert_ptr_equal(vm_page_of(m->q_prev), i == 0 ? NULL : model[i - 1]);
		pages += (m->flags & PG_MARKER) == 0;
		m = vm_pagequeue_next(m);
	}
	assert_null(m);
	assert_ptr_equal(vm_page_of(pq.tail), model_count == 0 ? NULL : model[model_count - 1]);
	assert_int_equal(pq.count, pages);
}

static void
boot(void)
{
	sim_mm_boot_bare(PAGES + 4);
	model_count = 0;
}

static void
page_step(struct vm_page *m, uint32_t choice)
{
	uint32_t at = model_find(m);

	if (at == model_count) {
		if (choice % 2 == 0) {
			vm_pagequeue_enqueue(&pq, m);
			model_insert(model_count, m);
		} else {
			vm_pagequeue_enqueue_head(&pq, m);
			model_insert(0, m);
		}
		return;
	}
	model_remove(at);
	if (choice % 2 == 0) {
		vm_pagequeue_dequeue(&pq, m);
	} else {
		vm_pagequeue_requeue(&pq, m);
		model_insert(model_count, m);
	}
}

static void
marker_step(struct vm_page *marker, struct vm_page *behind)
{
	uint32_t at = model_find(marker);

	if (at < model_count) {
		vm_pagequeue_remove_marker(&pq, marker);
		model_remove(at);
	} else if (model_find(behind) < model_count) {
		vm_pagequeue_insert_after(&pq, behind, marker);
		model_insert(model_find(behind) + 1, marker);
	}
}

static void
queue_random_operations_match_model(void **state)
{
	struct vm_page *pages[PAGES], *markers[MARKERS];
	struct rng rng;
	uint32_t i;

	(void)state;
	boot();
	rng_seed(&rng, 3);
	for (i = 0; i < PAGES; i++)
		pages[i] = vm_phys_alloc(0, 0);
	for (i = 0; i < MARKERS; i++)
		markers[i] = vm_pagequeue_marker_begin(&pq);
	for (i = 0; i < 100000; i++) {
		if (rng_below(&rng, 4) == 0)
			marker_step(markers[rng_below(&rng, MARKERS)],
			    pages[rng_below(&rng, PAGES)]);
		else
			page_step(pages[rng_below(&rng, PAGES)], rng_below(&rng, 2));
		if (i % 16 == 0)
			compare();
	}
}

/* A marker behind the only page of pq. */
static struct vm_page *
marked(struct vm_page **page)
{
	struct vm_page *m;

	boot();
	*page = vm_page_alloc(vm_object_allocate(1), 0, VM_ALLOC_NOBUSY);
	vm_pagequeue_enqueue(&pq, *page);
	m = vm_pagequeue_marker_begin(&pq);
	vm_pagequeue_insert_after(&pq, *page, m);
	return (m);
}

static void
marker_T1_only_its_flag(void **state)
{
	struct vm_page *page;

	(void)state;
	assert_int_equal(marked(&page)->flags, PG_MARKER);
	assert_int_equal(marked(&page)->aflags, 0);
	sim_mm_check();
}

static void
marker_T2_exclusive_busy(void **state)
{
	struct vm_page *page;

	(void)state;
	assert_true(vm_page_xbusied(marked(&page)));
	sim_mm_check();
}

static void
marker_T3_held_once(void **state)
{
	struct vm_page *page;

	(void)state;
	assert_int_equal(marked(&page)->hold_count, 1);
	sim_mm_check();
}

static void
marker_T4_queue_as_given(void **state)
{
	struct vm_page *page;

	(void)state;
	assert_int_equal(marked(&page)->queue, PQ_ACTIVE);
	assert_int_equal(
	    vm_pagequeue_marker_begin(&vm_domains[0].pagequeues[PQ_INACTIVE])->queue, PQ_INACTIVE);
	sim_mm_check();
}

static void
marker_T6_is_not_counted(void **state)
{
	struct vm_page *page, *m;

	(void)state;
	m = marked(&page);
	assert_int_equal(pq.count, 1);
	SIM_EXPECT_ASSERT("Q2", vm_pagequeue_dequeue(&pq, m));
	SIM_EXPECT_ASSERT("Q3", vm_pagequeue_marker_end(m)); /* still on the queue */
	vm_pagequeue_remove_marker(&pq, m);
	assert_int_equal(pq.count, 1);
	vm_pagequeue_marker_end(m);
	assert_int_equal(m->flags, 0);
	assert_ptr_equal(vm_pagequeue_marker_begin(&pq), m);
	sim_mm_check();
}

static void
marker_survives_departure_of_its_neighbours(void **state)
{
	struct vm_page *a, *b, *c, *m;

	(void)state;
	boot();
	a = vm_phys_alloc(0, 0);
	b = vm_phys_alloc(0, 0);
	c = vm_phys_alloc(0, 0);
	vm_pagequeue_enqueue(&pq, a);
	vm_pagequeue_enqueue(&pq, b);
	vm_pagequeue_enqueue(&pq, c);
	m = vm_pagequeue_marker_begin(&pq);
	vm_pagequeue_insert_after(&pq, a, m);
	vm_pagequeue_dequeue(&pq, a);
	vm_pagequeue_dequeue(&pq, b);
	assert_ptr_equal(vm_pagequeue_next(m), c);
	vm_pagequeue_requeue(&pq, c);
	assert_ptr_equal(vm_pagequeue_first(&pq), m);
	assert_ptr_equal(vm_pagequeue_next(m), c);
}

static void
queue_misuse_asserts(void **state)
{
	struct vm_pagequeue other;
	struct vm_page *m;
	uint32_t i;

	(void)state;
	boot();
	vm_pagequeue_init(&other, PQ_INACTIVE);
	m = vm_phys_alloc(0, 0);
	SIM_EXPECT_ASSERT("Q1", vm_pagequeue_dequeue(&pq, m));
	vm_pagequeue_enqueue(&pq, m);
	SIM_EXPECT_ASSERT("Q1", vm_pagequeue_enqueue(&pq, m));
	SIM_EXPECT_ASSERT("Q1", vm_pagequeue_move(&other, &pq, m));
	vm_pagequeue_move(&pq, &other, m);
	assert_int_equal(m->queue, PQ_INACTIVE);
	assert_int_equal(other.count, 1);
	vm_pagequeue_dequeue(&other, m);
	vm_phys_free(m, 0);
	SIM_EXPECT_ASSERT("Q4", vm_pagequeue_enqueue(&pq, m));
	for (i = 0; i < VM_PAGE_MARKER_COUNT; i++)
		vm_pagequeue_marker_begin(&pq);
	SIM_EXPECT_ASSERT("Q3", vm_pagequeue_marker_begin(&pq));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_random_operations_match_model),
		cmocka_unit_test(marker_T1_only_its_flag),
		cmocka_unit_test(marker_T2_exclusive_busy),
		cmocka_unit_test(marker_T3_held_once),
		cmocka_unit_test(marker_T4_queue_as_given),
		cmocka_unit_test(marker_T6_is_not_counted),
		cmocka_unit_test(marker_survives_departure_of_its_neighbours),
		cmocka_unit_test(queue_misuse_asserts),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
