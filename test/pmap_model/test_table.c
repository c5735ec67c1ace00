/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What address spaces cost: tables and reverse-map pages are taken when needed and
 * given back when empty; a refusal changes nothing; ASIDs roll over.
 *
 * Owns: a few address spaces.
 * Does not: test rights and flags (test_verbs.c).
 * Invariants: none.
 * Yields: never.
 * See: arch/arm64/pmap_table.c, pmap_pv.c, asid.c.
 */
#include <string.h>

#include "arch/arm64/pte.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

#define VA 0x10000ull
#define SAME_L3  (VA + PAGE_SIZE)
#define OTHER_L3 (VA + (1ull << L2_SHIFT))
#define OTHER_L2 (VA + (1ull << L1_SHIFT))

static struct pmap space, spaces[20];
static struct vm_page *m, *second;

static void
begin(void)
{
	test_core(MMU_HAFDBS_NONE, 5);
	test_pinit(&space);
	m = model_page_new();
	second = model_page_new();
	pmap_activate(&space);
}

static void
end(void)
{
	pmap_remove(&space, 0, PMAP_USER_MAX);
	model_check_rest();
	pmap_activate(NULL);
	pmap_release(&space);
	test_all_returned(2);
}

static void
test_tables(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pmap_stats.table_pages, 1);
	test_enter(&space, VA, m, VM_PROT_READ, PMAP_ENTER_READ);
	assert_int_equal(pmap_stats.table_pages, 3);
	test_enter(&space, SAME_L3, second, VM_PROT_READ, PMAP_ENTER_READ);
	assert_int_equal(pmap_stats.table_pages, 3);
	test_enter(&space, OTHER_L3, m, VM_PROT_READ, PMAP_ENTER_READ);
	assert_int_equal(pmap_stats.table_pages, 4);
	test_enter(&space, OTHER_L2, m, VM_PROT_READ, PMAP_ENTER_READ);
	assert_int_equal(pmap_stats.table_pages, 6);
	assert_int_equal(pmap_resident_count(&space), 4);
	assert_int_equal(pv_zone.used_items, 2);
	assert_int_equal(pv_slabs(), 1);

	test_enter(&space, VA, second, VM_PROT_READ, 0); /* in place: no table moves */
	assert_int_equal(pmap_stats.table_pages, 6);
	pmap_remove(&space, VA, SAME_L3);
	assert_int_equal(pmap_stats.table_pages, 6);
	pmap_remove(&space, SAME_L3, SAME_L3 + PAGE_SIZE);
	assert_int_equal(pmap_stats.table_pages, 5);
	pmap_remove_all(m);
	model_check_rest();
	assert_int_equal(pmap_stats.table_pages, 1);
	assert_int_equal(pv_slabs(), 0);
	end();
}

/* All entries of one table and more, so that the flush is of the whole ASID; reverse
 * mappings over several chunks. */
static void
test_many(void **state)
{
	const uint32_t count = 800;
	uint32_t i;

	(void)state;
	begin();
	for (i = 0; i < count; i++)
		test_enter(&space, VA + ptoa(i), m, RW, PMAP_ENTER_WRITE);
	assert_int_equal(pv_zone.used_items, count - 1);
	assert_int_equal(pv_slabs(), 4);
	assert_int_equal(pmap_stats.table_pages, 4);
	pmap_protect(&space, VA + ptoa(1), VA + ptoa(count), VM_PROT_READ);
	model_check_rest();
	assert_true(pmap_page_is_write_mapped(m));
	pmap_remove(&space, VA + ptoa(10), VA + ptoa(count - 10));
	model_check_rest();
	assert_int_equal(pmap_resident_count(&space), 20);
	assert_int_equal(pv_zone.used_items, 19);
	assert_true(pv_slabs() <= 2);
	for (i = 0; i < 10; i++) {
		assert_ptr_equal(pmap_extract(&space, VA + ptoa(i), VM_PROT_READ), m);
		assert_ptr_equal(pmap_extract(&space, VA + ptoa(count - 1 - i), VM_PROT_READ), m);
	}
	assert_null(pmap_extract(&space, VA + ptoa(10), VM_PROT_READ));
	pmap_remove_all(m);
	model_check_rest();
	assert_int_equal(pv_slabs(), 0);
	end();
}

/* Each allocation of pmap_enter refused in turn: nothing has changed. */
static void
test_refused(void **state)
{
	uint32_t skip, used;
	struct pmap before;
	struct pmap_stats stats;

	(void)state;
	begin();
	test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE);
	for (skip = 0; skip < 3; skip++) {
		used = model_pool_used();
		before = space;
		stats = pmap_stats;
		model_pool_refuse(skip); /* level 2, level 3, reverse mapping */
		assert_int_equal(pmap_enter(&space, OTHER_L2, m, RX, 0), ERR_NOMEM);
		model_check_rest();
		assert_int_equal(model_pool_used(), used);
		assert_memory_equal(&space, &before, sizeof(space));
		assert_memory_equal(&pmap_stats, &stats, sizeof(stats));
		assert_null(pmap_extract(&space, OTHER_L2, VM_PROT_READ));
		assert_false((m->aflags & PGA_EXECSYNC) != 0);
		assert_true(pmap_is_modified(m));
	}
	test_enter(&space, SAME_L3, second, RW, PMAP_ENTER_WRITE);
	model_pool_refuse(0); /* a second mapping of m, where another page is */
	assert_int_equal(pmap_enter(&space, SAME_L3, m, RW, 0), ERR_NOMEM);
	assert_ptr_equal(pmap_extract(&space, SAME_L3, VM_PROT_WRITE), second);
	assert_true(pmap_is_modified(second));
	assert_int_equal(second->dirty, 0);
	model_pool_refuse(3);
	test_enter(&space, OTHER_L2, m, VM_PROT_READ, 0);
	model_pool_refuse(0);
	assert_int_equal(pmap_pinit(&spaces[0]), ERR_NOMEM);
	model_pool_refuse(UINT32_MAX);
	end();
}

/* More address spaces than ASIDs of 4 bits, each used again and again: none ever sees
 * what another left in the TLB. */
static void
test_rollover(void **state)
{
	const struct model_core core = { .hafdbs = MMU_HAFDBS_NONE, .asid_bits = 4 };
	struct vm_page *own[20];
	uint32_t round, i;

	(void)state;
	sim_seed(11);
	model_reset(&core);
	for (i = 0; i < 20; i++) {
		test_pinit(&spaces[i]);
		own[i] = model_page_new();
		test_enter(&spaces[i], VA, own[i], RW, 0);
	}
	for (round = 0; round < 500; round++) {
		i = sim_random(20);
		pmap_activate(&spaces[i]);
		assert_true(test_touch(&spaces[i], VA, RW & ~VM_PROT_READ, own[i], NULL));
		if (sim_random(4) == 0) {
			pmap_remove(&spaces[i], 0, PMAP_USER_MAX);
			model_check_rest();
			pmap_activate(NULL);
			pmap_release(&spaces[i]);
			test_pinit(&spaces[i]);
			test_enter(&spaces[i], VA, own[i], RW, 0);
		}
	}
	assert_true(pmap_stats.asid_rollovers > 10);
	pmap_activate(NULL);
	for (i = 0; i < 20; i++) {
		pmap_remove_all(own[i]);
		pmap_release(&spaces[i]);
	}
	test_all_returned(20);
}

int
model_table_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rollover),
	};

	return (cmocka_run_group_tests_name("pmap tables", tests, NULL, NULL));
}
