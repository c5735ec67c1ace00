/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * T2 and T5 of contract 1.14 while a program writes: at every point where another core
 * could act, it stores to the page that a verb is working on. No write that went
 * through is unknown afterwards, and none goes through once the verb has returned.
 *
 * Owns: one address space, one page, a count of the writes.
 * Does not: race two verbs (one core runs the kernel).
 * Invariants: none.
 * Yields: never.
 * See: model_tlb.c (model_race_hook).
 */
#include "arch/arm64/pte.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

#define VA 0x30000ull

static struct pmap space;
static struct vm_page *m;
static uint32_t writes;

static void
writer(void)
{
	uint64_t pa;

	if (sim_random(2) == 0 || !model_access(VA, VM_PROT_WRITE, &pa))
		return;
	assert_int_equal(pa, VM_PAGE_TO_PHYS(m));
	writes++;
}

/* ---- verbs that take the right to write away */

static void
verb_remove(void)
{
	pmap_remove(&space, VA, VA + PAGE_SIZE);
}

static void
verb_remove_all(void)
{
	pmap_remove_all(m);
}

static void
verb_remove_write(void)
{
	pmap_remove_write(m);
}

static void
verb_protect(void)
{
	pmap_protect(&space, VA, VA + PAGE_SIZE, VM_PROT_READ);
}

static void
verb_enter_readonly(void)
{
	assert_int_equal(pmap_enter(&space, VA, m, VM_PROT_READ, 0), 0);
}

/* ---- verbs that leave it */

static void
verb_ts_referenced(void)
{
	pmap_ts_referenced(m);
}

static void
verb_enter_again(void)
{
	assert_int_equal(pmap_enter(&space, VA, m, RW, 0), 0);
}

static void
verb_fault(void)
{
	assert_int_equal(pmap_fault(&space, VA, VM_PROT_READ), 0);
}

static bool
known_dirty(void)
{
	return (m->dirty != 0 || pmap_is_modified(m));
}

/* Map, perhaps write, run verb against the writer; the number of writes it raced. */
static uint32_t
race(void (*verb)(void), uint32_t hafdbs, uint64_t seed)
{
	uint64_t pa;

	test_core(hafdbs, seed);
	test_pinit(&space);
	m = model_page_new();
	pmap_activate(&space);
	test_enter(&space, VA, m, RW, seed % 3 == 0 ? PMAP_ENTER_READ : 0);
	writes = 0;
	if (seed % 2 == 0) {
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		writes++;
	}
	model_race_hook(writer);
	verb();
	model_race_hook(NULL);
	model_check_rest();
	assert_int_equal(known_dirty(), writes != 0);
	if (!pmap_page_is_mapped(m) || !pmap_page_is_write_mapped(m))
		assert_false(model_access(VA, VM_PROT_WRITE, &pa));
	pmap_remove(&space, 0, PMAP_USER_MAX);
	assert_int_equal(known_dirty(), writes != 0);
	pmap_activate(NULL);
	pmap_release(&space);
	test_all_returned(1);
	return (writes);
}

static void
pmap_T2b_no_write_is_lost_in_a_race(void **state)
{
	void (*const verbs[])(void) = { verb_remove, verb_remove_all, verb_remove_write,
		verb_protect, verb_enter_readonly, verb_ts_referenced, verb_enter_again,
		verb_fault };
	uint32_t hafdbs, i, raced = 0;
	uint64_t seed;

	(void)state;
	for (hafdbs = MMU_HAFDBS_NONE; hafdbs <= MMU_HAFDBS_DIRTY; hafdbs++) {
		for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			for (seed = 1; seed <= 150; seed++)
				raced += race(verbs[i], hafdbs, seed);
		}
	}
	assert_true(raced > 1000);
}

/* Once a verb that takes the right to write away has returned, the translation that the
 * last write left in the TLB is of no use. */
static void
pmap_T5_no_write_by_a_stale_entry(void **state)
{
	void (*const verbs[])(void) = { verb_remove, verb_remove_all, verb_remove_write,
		verb_protect, verb_enter_readonly };
	uint32_t hafdbs, i;
	uint64_t seed, pa;

	(void)state;
	for (hafdbs = MMU_HAFDBS_NONE; hafdbs <= MMU_HAFDBS_DIRTY; hafdbs++) {
		for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			for (seed = 1; seed <= 50; seed++) {
				test_core(hafdbs, seed);
				test_pinit(&space);
				m = model_page_new();
				pmap_activate(&space);
				test_enter(&space, VA, m, RW, 0);
				assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
				assert_true(model_access(VA, VM_PROT_WRITE, &pa));
				verbs[i]();
				assert_false(model_access(VA, VM_PROT_WRITE, &pa));
				model_check_rest();
				pmap_remove_all(m);
				pmap_activate(NULL);
				pmap_release(&space);
			}
		}
	}
}

/* A write after clear_modify has returned is always known; so is one that raced the
 * other verbs. Clean and untouched stays clean. */
static void
test_clear_modify_settles(void **state)
{
	uint32_t hafdbs;
	uint64_t seed;

	(void)state;
	for (hafdbs = MMU_HAFDBS_NONE; hafdbs <= MMU_HAFDBS_DIRTY; hafdbs++) {
		for (seed = 1; seed <= 200; seed++) {
			test_core(hafdbs, seed);
			test_pinit(&space);
			m = model_page_new();
			pmap_activate(&space);
			test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE);
			if (seed % 2 == 0)
				assert_int_equal(pmap_ts_referenced(m), 1);
			model_race_hook(writer);
			pmap_clear_modify(m);
			model_race_hook(NULL);
			model_check_rest();
			assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
			assert_true(pmap_is_modified(m));
			pmap_remove_all(m);
			pmap_activate(NULL);
			pmap_release(&space);
		}
	}
}

/* A mapping used again while the others are looked at counts once. */
static void
test_referenced_once(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		test_core(MMU_HAFDBS_DIRTY, seed);
		test_pinit(&space);
		m = model_page_new();
		pmap_activate(&space);
		test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE);
		test_enter(&space, VA + PAGE_SIZE, m, RW, PMAP_ENTER_WRITE);
		model_race_hook(writer);
		assert_in_range(pmap_ts_referenced(m), 0, 2);
		model_race_hook(NULL);
		model_check_rest();
		pmap_remove_all(m);
		pmap_activate(NULL);
		pmap_release(&space);
	}
}

int
model_race_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pmap_T2b_no_write_is_lost_in_a_race),
		cmocka_unit_test(pmap_T5_no_write_by_a_stale_entry),
		cmocka_unit_test(test_clear_modify_settles),
		cmocka_unit_test(test_referenced_once),
	};

	return (cmocka_run_group_tests_name("pmap races", tests, NULL, NULL));
}
