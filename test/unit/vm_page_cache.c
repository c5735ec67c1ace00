/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cached pages: free memory with contents (contract 1.13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_map.h"
#include "mm/vm_check.h"
#include "mm/vm_launder.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 512u
#define SLOTS  512u
#define PAGES  64u

static struct vmspace *vm;
static struct vm_object *object;
static struct vm_domain *const vmd = &vm_domains[0];

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vm_page *
page(vm_pindex_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

/* Pages 0 .. count - 1 of a program, written by it and then to swap: clean, inactive. */
static void
boot(uint32_t count)
{
	uint32_t i;

	sim_swap_boot(FRAMES, SLOTS);
	vm = sim_swap_space(PAGES);
	object = sim_swap_object(vm);
	for (i = 0; i < count; i++) {
		assert_int_equal(sim_swap_store(vm, i, 7), 0);
		vm_page_deactivate(page(i));
		vm_page_test_dirty(page(i));
		assert_int_equal(vm_pageout_clean(page(i)), 1);
	}
	sim_swap_settle(object);
}

RUN_TEST(cache_T1_revived_page_has_its_bytes_without_io)
{
	uint32_t reads, faults;

	(void)arg;
	boot(8);
	assert_true(vm_page_try_to_cache(page(3)));
	assert_null(page(3));
	assert_true(vm_page_is_cached(object, 3));
	reads = sim_swap_disk.reads;
	faults = (uint32_t)mm_params.v_vm_faults;
	assert_int_equal(sim_swap_verify(vm, 3, 7), 0);
	assert_int_equal(sim_swap_disk.reads, reads);
	assert_int_equal(mm_params.v_vm_faults, faults + 1);
	assert_int_equal(mm_params.v_reactivated, 1);
	assert_false(vm_page_is_cached(object, 3));
	assert_int_equal(page(3)->queue, PQ_ACTIVE);
	sim_mm_check();
}

/* A write revives too, and then the stored copy is worthless. */
RUN_TEST(cache_T1a_revived_by_a_write)
{
	(void)arg;
	boot(4);
	assert_true(vm_page_try_to_cache(page(2)));
	assert_int_equal(sim_swap_store(vm, 2, 9), 0);
	assert_int_equal(swap_map_lookup(object, 2), SWAP_SLOT_NONE);
	assert_int_equal(sim_swap_verify(vm, 2, 9), 0);
	sim_mm_check();
}

/* When all free frames are gone, the oldest cached page is taken, and nothing of it is
 * to be seen. */
RUN_TEST(cache_T2_reuse_never_leaks)
{
	static const uint8_t zeros[PAGE_SIZE];
	struct vm_page *m[FRAMES], *oldest;
	uint32_t n = 0;

	(void)arg;
	boot(4);
	oldest = page(1);
	assert_true(vm_page_try_to_cache(page(1)));
	assert_true(vm_page_try_to_cache(page(0)));
	while (vmd->v_free_count > 0) {
		m[n] = vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED |
		    VM_ALLOC_NOBUSY);
		assert_non_null(m[n++]);
	}
	assert_int_equal(vmd->v_cache_count, 2);
	m[n] = vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED |
	    VM_ALLOC_NOBUSY | VM_ALLOC_ZERO);
	assert_ptr_equal(m[n], oldest);
	assert_memory_equal(vm_page_address(m[n]), zeros, PAGE_SIZE);
	assert_int_equal(m[n]->valid, 0);
	assert_false(vm_page_is_cached(object, 1));
	assert_true(vm_page_is_cached(object, 0));
	sim_mm_check();
	for (n++; n-- > 0;) {
		vm_page_unwire(m[n], PQ_NONE);
		vm_page_free(m[n]);
	}
	assert_int_equal(sim_swap_verify(vm, 1, 7), 0); /* from swap */
	assert_int_equal(sim_swap_verify(vm, 0, 7), 0);
}

RUN_TEST(cache_T3_cache_to_free_leaves_f)
{
	uint32_t before;
	struct vm_page *m;

	(void)arg;
	boot(4);
	m = page(2);
	before = vm_meter_free(vmd);
	assert_true(vm_page_try_to_cache(m));
	assert_int_equal(vm_meter_free(vmd), before + 1);
	assert_int_equal(vmd->v_cache_count, 1);
	vm_page_cache_release(m);
	assert_int_equal(vm_meter_free(vmd), before + 1);
	assert_int_equal(vmd->v_cache_count, 0);
	assert_int_equal(m->flags & PG_FREE, PG_FREE);
	sim_mm_check();
}

/* A default object's page holds zeros, or it would be dirty: nothing to keep. */
RUN_TEST(cache_T4_never_written_reads_zero)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint8_t bytes[PAGE_SIZE];

	(void)arg;
	boot(0);
	assert_int_equal(sim_load(vm, SIM_SWAP_BASE, bytes, PAGE_SIZE), 0);
	assert_int_equal(object->type, OBJT_DEFAULT);
	assert_int_equal(page(0)->dirty, 0);
	assert_memory_equal(vm_page_address(page(0)), zeros, PAGE_SIZE);
	assert_true(vm_page_try_to_cache(page(0)));
	assert_false(vm_page_is_cached(object, 0));
	assert_int_equal(vmd->v_cache_count, 0);
	assert_int_equal(sim_load(vm, SIM_SWAP_BASE, bytes, PAGE_SIZE), 0);
	assert_memory_equal(bytes, zeros, PAGE_SIZE);
	sim_mm_check();
}

/* Nor is a page of a swap object without a slot. */
RUN_TEST(cache_T4a_swap_object_without_slot)
{
	(void)arg;
	boot(2);
	assert_int_equal(sim_load(vm, SIM_SWAP_BASE + 9 * PAGE_SIZE, &(char){ 0 }, 1), 0);
	assert_int_equal(object->type, OBJT_SWAP);
	assert_true(vm_page_try_to_cache(page(9)));
	assert_false(vm_page_is_cached(object, 9));
	sim_mm_check();
}

RUN_TEST(cache_T5_end_of_object_drops_its_pages)
{
	uint32_t before;

	(void)arg;
	boot(8);
	assert_true(vm_page_try_to_cache(page(1)));
	assert_true(vm_page_try_to_cache(page(5)));
	before = vmd->v_page_count;
	assert_int_equal(vm_map_remove(vm, SIM_SWAP_BASE + 4 * PAGE_SIZE,
	    SIM_SWAP_BASE + 8 * PAGE_SIZE), 0);
	assert_int_equal(vmd->v_cache_count, 1); /* page 5 went with its range */
	sim_mm_check();
	vmspace_free(vm);
	assert_int_equal(vmd->v_cache_count, 0);
	assert_int_equal(vmd->v_page_count, before);
	sim_mm_check();
}

RUN_TEST(cache_T6_never_dirty_or_mapped)
{
	struct vm_page *m;

	(void)arg;
	boot(4);
	m = page(0);
	assert_int_equal(sim_swap_verify(vm, 0, 7), 0); /* mapped, referenced */
	m->dirty = VM_PAGE_BITS_ALL;
	assert_false(vm_page_try_to_cache(m));
	m->dirty = 0;
	assert_true(pmap_page_is_mapped(m));
	SIM_EXPECT_ASSERT("A5", vm_page_cache(m));
	SIM_EXPECT_ASSERT("A1", vm_page_cache_insert(m));
	assert_true(vm_page_try_to_cache(m)); /* unmaps it */
	assert_false(pmap_page_is_mapped(m));
	m = page(1);
	assert_int_equal(sim_swap_store(vm, 1, 8), 0); /* dirty in the page tables alone */
	m->dirty = 0;
	assert_false(vm_page_try_to_cache(m));
	assert_int_not_equal(m->dirty, 0);
	vm_page_hold(page(2));
	assert_false(vm_page_try_to_cache(page(2)));
	vm_page_unhold(page(2));
	vm_page_xbusy(page(2));
	assert_false(vm_page_try_to_cache(page(2)));
	vm_page_xunbusy(page(2));
	vm_page_wire(page(2));
	assert_false(vm_page_try_to_cache(page(2)));
	vm_page_unwire(page(2), PQ_INACTIVE);
	sim_mm_check();
}

/* What is cached can be had again: a page whose slot has gone is found by the check. */
RUN_TEST(cache_without_copy_is_found)
{
	struct vm_check_result r;
	uint32_t slot;

	(void)arg;
	boot(4);
	assert_true(vm_page_try_to_cache(page(1)));
	slot = swap_map_clear(object, 1);
	vm_check(&r);
	assert_int_equal(r.broken, 1);
	assert_non_null(strstr(r.first_broken, "C16"));
	assert_int_equal(swap_map_assign(object, 1, slot, swap_map_crc(slot)), SWAP_SLOT_NONE);
	sim_mm_check();
}

RUN_TEST(cache_request_for_cached_only_or_not_at_all)
{
	struct vm_page *m;

	(void)arg;
	boot(4);
	assert_null(vm_page_alloc(object, 20, VM_ALLOC_NORMAL | VM_ALLOC_IFCACHED));
	assert_true(vm_page_try_to_cache(page(3)));
	assert_null(vm_page_alloc(object, 3, VM_ALLOC_NORMAL | VM_ALLOC_IFNOTCACHED));
	m = vm_page_alloc(object, 3, VM_ALLOC_NORMAL | VM_ALLOC_IFCACHED | VM_ALLOC_ZERO);
	assert_non_null(m);
	assert_int_equal(m->valid, VM_PAGE_BITS_ALL);
	assert_true(vm_page_xbusied(m));
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
	assert_int_equal(sim_swap_verify(vm, 3, 7), 0); /* not zeroed */
	sim_mm_check();
}

/* Below the class's limit the page does not come back; the fault waits and reads it. */
RUN_TEST(cache_refused_by_class)
{
	uint32_t deficit = vmd->vm_pageout_deficit;

	(void)arg;
	boot(4);
	assert_true(vm_page_try_to_cache(page(3)));
	sim_swap_leave_free(vmd->v_free_reserved);
	assert_null(vm_page_alloc(object, 3, VM_ALLOC_NORMAL | VM_ALLOC_COUNT(5)));
	assert_int_equal(vmd->vm_pageout_deficit, deficit + 5);
	assert_int_equal(vm_meter_free(vmd), vmd->v_free_reserved);
	assert_true(vm_page_is_cached(object, 3));
	sim_mm_check();
}

/* The set against an array: any order of caching, reviving, reusing, forgetting. */
RUN_TEST(cache_set_against_a_model)
{
	bool cached[PAGES] = { false };
	uint32_t step, i, n = 0;
	struct vm_page *m;

	(void)arg;
	boot(PAGES);
	sim_random_scheduler(sim_seed(4711));
	sim_random_scheduler(0);
	for (step = 0; step < 3000; step++) {
		i = sim_random(PAGES);
		if (!cached[i] && sim_random(4) != 0) {
			m = page(i) != NULL ? page(i) : NULL;
			cached[i] = m != NULL && vm_page_try_to_cache(m);
		} else if (sim_random(8) == 0) {
			vm_page_cache_free(object, i, i + 5);
			memset(&cached[i], 0, PAGES - i < 5 ? PAGES - i : 5);
		} else {
			assert_int_equal(sim_swap_verify(vm, i, 7), 0);
			cached[i] = false;
		}
		for (i = n = 0; i < PAGES; i++) {
			assert_int_equal(vm_page_is_cached(object, i), cached[i]);
			n += cached[i];
		}
		assert_int_equal(vmd->v_cache_count, n);
		if (step % 16 == 0)
			sim_mm_check();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_T1_revived_page_has_its_bytes_without_io),
		cmocka_unit_test(cache_T1a_revived_by_a_write),
		cmocka_unit_test(cache_T2_reuse_never_leaks),
		cmocka_unit_test(cache_T3_cache_to_free_leaves_f),
		cmocka_unit_test(cache_T4_never_written_reads_zero),
		cmocka_unit_test(cache_T4a_swap_object_without_slot),
		cmocka_unit_test(cache_T5_end_of_object_drops_its_pages),
		cmocka_unit_test(cache_T6_never_dirty_or_mapped),
		cmocka_unit_test(cache_without_copy_is_found),
		cmocka_unit_test(cache_request_for_cached_only_or_not_at_all),
		cmocka_unit_test(cache_refused_by_class),
		cmocka_unit_test(cache_set_against_a_model),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
