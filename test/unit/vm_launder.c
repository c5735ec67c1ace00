/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_launder.c: clusters (contract 1.3) over a pager that only looks, and
 * settling by outcome (1.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/vm_fault.h"
#include "mm/vm_launder.h"
#include "mm/vm_pager.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u /* cluster of 16 */

static struct vm_domain *const vmd = &vm_domains[0];
static struct vmspace *vm;
static struct vm_object *object;

/* The looking pager: what it was given, and what it answers. */
static struct {
	uint32_t calls, first, count;
	enum vm_pager_outcome answer[32]; /* by index in the run */
	uint64_t latency_us;
} pager;

static void
look_put_pages(struct vm_object *o, struct vm_page **m, uint32_t count, uint32_t flags,
    enum vm_pager_outcome *outcomes)
{
	uint32_t i;

	(void)flags;
	pager.calls++;
	pager.first = m[0]->pindex;
	pager.count = count;
	assert_int_equal(o->paging_in_progress, count);
	for (i = 0; i < count; i++) {
		assert_int_equal(m[i]->pindex, m[0]->pindex + i); /* clean_T8 */
		assert_true(vm_page_busied(m[i]) && !vm_page_xbusied(m[i]));
		assert_false(pmap_page_is_write_mapped(m[i])); /* flush_T8 */
		outcomes[i] = pager.answer[i];
	}
	if (pager.latency_us != 0)
		tsleep(&pager, "look", pager.latency_us);
}

static bool
look_has_page(struct vm_object *o, vm_pindex_t pindex, uint32_t *before, uint32_t *after)
{
	(void)o;
	(void)pindex;
	(void)before;
	(void)after;
	return (false);
}

static void
look_page_unswapped(struct vm_page *m)
{
	(void)m;
}

static const struct vm_pager_ops look_ops = {
	.has_page = look_has_page,
	.put_pages = look_put_pages,
	.page_unswapped = look_page_unswapped,
};

static void
boot(void)
{
	sim_swap_boot(FRAMES, 0);
	memset(&pager, 0, sizeof(pager)); /* answers OK */
	vm_pager_ops[OBJT_DEFAULT] = vm_pager_ops[OBJT_SWAP] = &look_ops;
	vm = sim_swap_space(64);
	object = sim_swap_object(vm);
}

static struct vm_page *
page(uint32_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

/* Launder page m; the run that the pager saw is [first, last]. */
static void
expect_run(uint32_t m, uint32_t first, uint32_t last)
{
	uint32_t calls = pager.calls;

	assert_int_equal(vm_pageout_clean(page(m)), last - first + 1);
	assert_int_equal(pager.calls, calls + 1);
	assert_int_equal(pager.first, first);
	assert_int_equal(pager.first + pager.count - 1, last);
	assert_int_equal(object->paging_in_progress, 0);
	sim_mm_check();
}

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* ---- 1.3 */

RUN_TEST(clean_T1_lone_dirty_page)
{
	(void)arg;
	boot();
	sim_swap_page(object, 20, PQ_INACTIVE, true);
	expect_run(20, 20, 20);
}

RUN_TEST(clean_T2_aligned_run)
{
	(void)arg;
	boot();
	sim_swap_dirty_run(object, 0, 40);
	expect_run(20, 16, 31);
}

RUN_TEST(clean_T3_back_past_the_alignment)
{
	(void)arg;
	boot();
	sim_swap_dirty_run(object, 0, 40);
	page(21)->dirty = 0;
	expect_run(20, 5, 20);
}

RUN_TEST(clean_T4_inside_the_object)
{
	(void)arg;
	boot();
	sim_swap_dirty_run(object, 0, 3);
	expect_run(1, 0, 2);
	sim_swap_dirty_run(object, 60, 64); /* 64 is the object's size */
	expect_run(62, 60, 63);
}

static void
spoil(struct vm_page *m, uint32_t how)
{
	switch (how) {
	case 0:
		vm_page_activate(m);
		break;
	case 1:
		vm_page_xbusy(m);
		break;
	case 2:
		vm_page_sbusy(m);
		object->paging_in_progress++;
		break;
	case 3:
		vm_page_hold(m);
		break;
	case 4:
		vm_page_wire(m);
		break;
	case 5:
		m->dirty = 0;
		break;
	default:
		vm_page_free(m);
	}
}

/* Whatever is wrong with the neighbour ends that direction, and only that. */
RUN_TEST(clean_T5_ineligible_neighbour_ends_direction)
{
	uint32_t how, pip;

	(void)arg;
	for (how = 0; how <= 6; how++) {
		boot();
		sim_swap_dirty_run(object, 4, 12);
		spoil(page(6), how);
		spoil(page(10), how);
		pip = object->paging_in_progress;
		object->paging_in_progress = 0;
		assert_int_equal(vm_pageout_clean(page(8)), 3);
		object->paging_in_progress = pip;
		assert_int_equal(pager.first, 7);
		assert_int_equal(pager.count, 3);
	}
	sim_mm_check();
}

RUN_TEST(clean_T6_limit_of_a_small_pool)
{
	(void)arg;
	boot();
	vmd->cluster_pages = VM_PAGEOUT_PAGE_COUNT_SMALL;
	sim_swap_dirty_run(object, 0, 64);
	expect_run(20, 16, 23);
}

RUN_TEST(clean_T7_dirtiness_in_page_tables)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 16; i < 20; i++) {
		assert_int_equal(sim_swap_store(vm, i, 1), 0);
		page(i)->dirty = 0; /* the mapping alone knows */
		vm_page_deactivate(page(i));
	}
	assert_true(pmap_is_modified(page(17)));
	vm_page_test_dirty(page(18));
	expect_run(18, 16, 19);
}

/* Random states; the run is consecutive, holds the page, and could not be longer. */
RUN_TEST(clean_T8_random_runs)
{
	uint32_t round, i, m, written;

	(void)arg;
	for (round = 0; round < 200; round++) {
		boot();
		for (i = 0; i < 64; i++)
			if (sim_random(8) != 0)
				sim_swap_page(object, i,
				    sim_random(10) == 0 ? PQ_ACTIVE : PQ_INACTIVE,
				    sim_random(10) != 0);
		for (m = sim_random(64); page(m) == NULL || page(m)->queue != PQ_INACTIVE ||
		    page(m)->dirty == 0; m = sim_random(64))
			continue;
		written = vm_pageout_clean(page(m));
		assert_int_equal(written, pager.count);
		assert_in_range(m, pager.first, pager.first + pager.count - 1);
		assert_in_range(pager.count, 1, 16);
		for (i = pager.first; i < pager.first + pager.count; i++)
			assert_true(page(i)->queue == PQ_INACTIVE && page(i)->dirty != 0);
		i = pager.first + pager.count;
		if (pager.count < 16 && i < 64 && page(i) != NULL)
			assert_true(page(i)->queue != PQ_INACTIVE || page(i)->dirty == 0);
		if (pager.count < 16 && pager.first > 0 && page(pager.first - 1) != NULL)
			assert_true(page(pager.first - 1)->queue != PQ_INACTIVE ||
			    page(pager.first - 1)->dirty == 0);
	}
	sim_mm_check();
}

RUN_TEST(clean_U1_refuses_a_busy_page)
{
	struct vm_page *m;

	(void)arg;
	boot();
	m = sim_swap_page(object, 3, PQ_INACTIVE, true);
	vm_page_xbusy(m);
	SIM_EXPECT_ASSERT("U1", vm_pageout_clean(m));
	vm_page_xunbusy(m);
	m->dirty = 0;
	SIM_EXPECT_ASSERT("U1", vm_pageout_clean(m));
}

/* ---- 1.4 */

static uint32_t
flush(uint32_t count, struct vm_flush_part *part)
{
	struct vm_page *mc[32];
	uint32_t i;

	for (i = 0; i < count; i++)
		mc[i] = page(i);
	return (vm_pageout_flush(mc, count, 0, part));
}

static void
boot_dirty(uint32_t count)
{
	boot();
	sim_swap_dirty_run(object, 0, count);
}

RUN_TEST(flush_T1_counts_ok_and_pend)
{
	uint32_t i;

	(void)arg;
	boot_dirty(6);
	pager.answer[0] = VM_PAGER_PEND;
	pager.answer[1] = VM_PAGER_FAIL;
	pager.answer[2] = VM_PAGER_BAD;
	pager.answer[3] = VM_PAGER_ERROR;
	pager.answer[4] = VM_PAGER_AGAIN;
	assert_int_equal(flush(6, NULL), 2); /* 0 and 5 */
	assert_int_equal(object->paging_in_progress, 1);
	assert_true(vm_page_busied(page(0)));
	for (i = 1; i < 6; i++)
		assert_false(vm_page_busied(page(i)));
	vm_page_sunbusy(page(0));
	vm_object_pip_wakeup(object, 1);
	sim_mm_check();
}

RUN_TEST(flush_T2_bad_page_is_clean_and_inactive)
{
	(void)arg;
	boot_dirty(1);
	pager.answer[0] = VM_PAGER_BAD;
	assert_int_equal(flush(1, NULL), 0);
	assert_int_equal(page(0)->dirty, 0);
	assert_int_equal(page(0)->queue, PQ_INACTIVE);
	sim_mm_check();
}

RUN_TEST(flush_T3_error_page_is_active_and_dirty)
{
	static const enum vm_pager_outcome bad[] = { VM_PAGER_ERROR, VM_PAGER_FAIL };
	struct vm_flush_part part;
	uint32_t i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		boot_dirty(1);
		pager.answer[0] = bad[i];
		part = (struct vm_flush_part){ .mreq = 0 };
		assert_int_equal(flush(1, &part), 0);
		assert_int_equal(page(0)->queue, PQ_ACTIVE);
		assert_true(page(0)->act_count >= ACT_INIT);
		assert_int_equal(page(0)->dirty, VM_PAGE_BITS_ALL);
		assert_true(part.eio);
		assert_int_equal(part.runlen, 1);
	}
	sim_mm_check();
}

RUN_TEST(flush_T4_again_cuts_the_run)
{
	struct vm_flush_part part = { .mreq = 1, .eio = true };

	(void)arg;
	boot_dirty(6);
	pager.answer[4] = VM_PAGER_AGAIN;
	assert_int_equal(flush(6, &part), 5);
	assert_int_equal(part.runlen, 3); /* pages 1, 2, 3 */
	assert_false(part.eio);
	assert_int_equal(page(4)->queue, PQ_INACTIVE);
	assert_int_equal(page(4)->dirty, VM_PAGE_BITS_ALL);
	sim_mm_check();
}

RUN_TEST(flush_T5_error_after_the_cut_is_not_the_callers)
{
	struct vm_flush_part part = { .mreq = 1 };

	(void)arg;
	boot_dirty(6);
	pager.answer[0] = VM_PAGER_ERROR; /* before mreq */
	pager.answer[2] = VM_PAGER_AGAIN;
	pager.answer[4] = VM_PAGER_ERROR;
	assert_int_equal(flush(6, &part), 3);
	assert_int_equal(part.runlen, 1);
	assert_false(part.eio);
	part = (struct vm_flush_part){ .mreq = 0 };
	vm_page_deactivate(page(0));
	pager.answer[0] = VM_PAGER_OK;
	pager.answer[1] = VM_PAGER_ERROR; /* inside */
	flush(6, &part);
	assert_true(part.eio);
	sim_mm_check();
}

/* While the pager works, the owner may read but not write. */
static uint64_t wrote_at_us;

static void
owner(void *arg)
{
	(void)arg;
	assert_int_equal(sim_swap_verify(vm, 0, 7), 0);
	assert_true(vm_page_busied(page(0))); /* the read did not wait */
	assert_int_equal(sim_swap_store(vm, 0, 8), 0);
	wrote_at_us = timer_now_us();
}

RUN_TEST(flush_T6_write_waits_read_does_not)
{
	struct task *t;
	uint64_t begin;

	(void)arg;
	boot();
	assert_int_equal(sim_swap_store(vm, 0, 7), 0);
	vm_page_deactivate(page(0));
	vm_page_test_dirty(page(0));
	pager.latency_us = 5000;
	begin = timer_now_us();
	wrote_at_us = 0;
	assert_int_equal(task_create(&t, "owner", PRI_NORMAL, owner, NULL), 0);
	assert_int_equal(vm_pageout_clean(page(0)), 1);
	assert_int_equal(wrote_at_us, 0);
	tsleep(&begin, "test", 1000);
	assert_true(wrote_at_us >= begin + 5000);
	assert_int_equal(sim_swap_verify(vm, 0, 8), 0);
	sim_mm_check();
}

RUN_TEST(flush_T7_paging_in_progress_returns)
{
	(void)arg;
	boot_dirty(16);
	object->paging_in_progress = 0;
	assert_int_equal(flush(16, NULL), 16);
	assert_int_equal(object->paging_in_progress, 0);
	sim_mm_check();
}

RUN_TEST(flush_T8_no_page_write_mapped)
{
	(void)arg;
	boot();
	assert_int_equal(sim_swap_store(vm, 0, 7), 0);
	assert_true(pmap_page_is_write_mapped(page(0)));
	vm_page_deactivate(page(0));
	vm_page_test_dirty(page(0));
	assert_int_equal(vm_pageout_clean(page(0)), 1); /* the pager has looked */
	assert_false(pmap_page_is_write_mapped(page(0)));
	assert_int_equal(page(0)->dirty, VM_PAGE_BITS_ALL);
	sim_mm_check();
}

/* Below severe a page that is done is freed at once (where 1.4 says cache). */
RUN_TEST(flush_severe_frees_done_pages)
{
	(void)arg;
	boot_dirty(2);
	sim_swap_leave_free(vmd->v_free_severe - 1);
	pager.answer[0] = VM_PAGER_BAD;
	pager.answer[1] = VM_PAGER_AGAIN;
	flush(2, NULL);
	assert_null(page(0));
	assert_non_null(page(1)); /* dirty */
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_T1_lone_dirty_page),
		cmocka_unit_test(clean_T2_aligned_run),
		cmocka_unit_test(clean_T3_back_past_the_alignment),
		cmocka_unit_test(clean_T4_inside_the_object),
		cmocka_unit_test(clean_T5_ineligible_neighbour_ends_direction),
		cmocka_unit_test(clean_T6_limit_of_a_small_pool),
		cmocka_unit_test(clean_T7_dirtiness_in_page_tables),
		cmocka_unit_test(clean_T8_random_runs),
		cmocka_unit_test(clean_U1_refuses_a_busy_page),
		cmocka_unit_test(flush_T1_counts_ok_and_pend),
		cmocka_unit_test(flush_T2_bad_page_is_clean_and_inactive),
		cmocka_unit_test(flush_T3_error_page_is_active_and_dirty),
		cmocka_unit_test(flush_T4_again_cuts_the_run),
		cmocka_unit_test(flush_T5_error_after_the_cut_is_not_the_callers),
		cmocka_unit_test(flush_T6_write_waits_read_does_not),
		cmocka_unit_test(flush_T7_paging_in_progress_returns),
		cmocka_unit_test(flush_T8_no_page_write_mapped),
		cmocka_unit_test(flush_severe_frees_done_pages),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
