/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of mm/pmap.h one by one: properties T1 to T6 of contract 1.14, with flags
 * kept by software, by hardware, and half and half.
 *
 * Owns: a few address spaces and pages.
 * Does not: mix verbs at random (test_random.c).
 * Invariants: none.
 * Yields: never.
 * See: mm/pmap.h.
 */
#include "arch/arm64/pte.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

#define VA   0x10000ull
#define FAR_VA 0x7fffffe000ull

static struct pmap space, spaces[8];
static struct vm_page *m;

static void
begin(uint32_t hafdbs, uint64_t seed)
{
	test_core(hafdbs, seed);
	test_pinit(&space);
	m = model_page_new();
	pmap_activate(&space);
}

static void
end(uint32_t kept_pages)
{
	pmap_remove(&space, 0, PMAP_USER_MAX);
	model_check_rest();
	pmap_activate(NULL);
	pmap_release(&space);
	test_all_returned(kept_pages);
}

#define EACH_CORE(hafdbs, seed)                                                  \
	for (uint32_t hafdbs = MMU_HAFDBS_NONE; hafdbs <= MMU_HAFDBS_DIRTY; hafdbs++) \
		for (uint64_t seed = 1; seed <= 40; seed++)

/* A first write is one fault in software, none in hardware; then none for either. */
static void
test_emulation(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		int faults = 0;

		begin(hafdbs, seed);
		assert_int_equal(pmap_stats.hw_flags, hafdbs == MMU_HAFDBS_DIRTY);
		test_enter(&space, VA, m, RW, 0);
		assert_false(pmap_is_modified(m) || pmap_is_referenced(m));
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, &faults));
		assert_int_equal(faults, hafdbs == MMU_HAFDBS_DIRTY ? 0 : 1);
		assert_true(pmap_is_modified(m) && pmap_is_referenced(m));
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, &faults));
		assert_true(test_touch(&space, VA, VM_PROT_READ, m, &faults));
		assert_int_equal(faults, hafdbs == MMU_HAFDBS_DIRTY ? 0 : 1);
		assert_int_equal(pmap_stats.af_faults + pmap_stats.dirty_faults,
		    hafdbs != MMU_HAFDBS_DIRTY);
		end(1);
	}
}

/* Read first: the write afterwards is the second fault, of the other kind. */
static void
test_read_then_write(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		begin(hafdbs, seed);
		test_enter(&space, VA, m, RW, 0);
		assert_true(test_touch(&space, VA, VM_PROT_READ, m, NULL));
		assert_true(pmap_is_referenced(m));
		assert_false(pmap_is_modified(m));
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_true(pmap_is_modified(m));
		assert_int_equal(pmap_stats.af_faults, hafdbs == MMU_HAFDBS_NONE);
		assert_int_equal(pmap_stats.dirty_faults, hafdbs != MMU_HAFDBS_DIRTY);
		end(1);
	}
}

/* What a mapping does not allow, pmap_fault leaves to vm_fault. */
static void
test_rights(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		begin(hafdbs, seed);
		assert_int_equal(pmap_fault(&space, VA, VM_PROT_READ), ERR_FAULT);
		assert_int_equal(pmap_fault(&space, PMAP_USER_MAX, VM_PROT_READ), ERR_FAULT);
		test_enter(&space, VA, m, VM_PROT_READ, PMAP_ENTER_READ);
		assert_true(test_touch(&space, VA, VM_PROT_READ, m, NULL));
		assert_false(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_false(test_touch(&space, VA, VM_PROT_EXECUTE, m, NULL));
		assert_ptr_equal(pmap_extract(&space, VA, VM_PROT_READ), m);
		assert_null(pmap_extract(&space, VA, VM_PROT_WRITE));
		assert_null(pmap_extract(&space, VA + PAGE_SIZE, VM_PROT_READ));
		assert_null(pmap_extract(&space, FAR_VA, VM_PROT_READ));
		test_enter(&space, VA, m, RX, PMAP_ENTER_READ);
		assert_true(test_touch(&space, VA, VM_PROT_EXECUTE, m, NULL));
		test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE);
		assert_true(pmap_is_modified(m));
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_false(test_touch(&space, VA, VM_PROT_EXECUTE, m, NULL));
		end(1);
	}
}

/* T1: a write after remove_write faults; T2: dirtiness is kept in the page. */
static void
pmap_T1_write_after_remove_write_faults(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		begin(hafdbs, seed);
		test_enter(&space, VA, m, RW, 0);
		test_enter(&space, FAR_VA, m, RW, 0);
		assert_true(pmap_page_is_write_mapped(m));
		assert_true(test_touch(&space, FAR_VA, VM_PROT_WRITE, m, NULL));
		assert_true(test_touch(&space, VA, VM_PROT_READ, m, NULL));
		assert_int_equal(m->dirty, 0);
		pmap_remove_write(m);
		model_check_rest();
		assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
		assert_false(pmap_is_modified(m) || pmap_page_is_write_mapped(m));
		assert_false(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_false(test_touch(&space, FAR_VA, VM_PROT_WRITE, m, NULL));
		assert_true(test_touch(&space, FAR_VA, VM_PROT_READ, m, NULL));
		end(1);
	}
}

/* T2, T5: remove_all, remove and protect. */
static void
pmap_T2a_dirtiness_moves_to_the_page(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		uint32_t way;

		for (way = 0; way < 4; way++) {
			begin(hafdbs, seed);
			test_enter(&space, VA, m, RW, 0);
			assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
			if (way == 0)
				pmap_remove_all(m);
			else if (way == 1)
				pmap_remove(&space, VA, VA + PAGE_SIZE);
			else if (way == 2)
				pmap_protect(&space, 0, PMAP_USER_MAX, VM_PROT_NONE);
			else
				pmap_protect(&space, VA, VA + PAGE_SIZE, VM_PROT_READ);
			model_check_rest();
			assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
			assert_false(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
			assert_int_equal(pmap_resident_count(&space), way == 3);
			assert_int_equal(pmap_page_is_mapped(m), way == 3);
			assert_int_equal(m->aflags & PGA_REFERENCED,
			    way == 3 ? 0 : PGA_REFERENCED);
			end(1);
		}
	}
}

/* After clear_modify the next write sets modified again. */
static void
test_clear_modify(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		begin(hafdbs, seed);
		test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE);
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		pmap_clear_modify(m);
		model_check_rest();
		assert_false(pmap_is_modified(m));
		assert_int_equal(m->dirty, 0);
		assert_true(pmap_page_is_write_mapped(m));
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_true(pmap_is_modified(m));
		end(1);
	}
}

/* Mappings of m, each read once. */
static void
touch_mappings(uint32_t mappings)
{
	uint32_t i;

	for (i = 0; i < mappings; i++) {
		test_enter(&space, VA + ptoa(i), m, VM_PROT_READ, 0);
		test_touch(&space, VA + ptoa(i), VM_PROT_READ, m, NULL);
	}
}

/* 0 when not touched since, however many mappings there are. */
static void
pmap_T3_not_referenced_unless_touched_since(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		uint32_t mappings;

		for (mappings = 1; mappings <= 5; mappings++) {
			begin(hafdbs, seed);
			touch_mappings(mappings);
			assert_int_equal(pmap_ts_referenced(m), (int)mappings);
			assert_int_equal(pmap_ts_referenced(m), 0);
			model_check_rest();
			test_touch(&space, VA, VM_PROT_READ, m, NULL);
			assert_int_equal(pmap_ts_referenced(m), 1);
			assert_int_equal(pmap_ts_referenced(m), 0);
			end(1);
		}
	}
}

/* Of six mappings at most five are looked at, and the sixth by the next call. */
static void
pmap_T4_at_most_five_mappings_a_call(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		uint32_t mappings, i;

		for (mappings = 1; mappings <= 7; mappings++) {
			int first = mappings > 5 ? 5 : (int)mappings;

			begin(hafdbs, seed);
			touch_mappings(mappings);
			assert_int_equal(pmap_ts_referenced(m), first);
			model_check_rest();
			assert_int_equal(pmap_ts_referenced(m), (int)mappings - first);
			model_check_rest();
			assert_int_equal(pmap_ts_referenced(m), 0);
			assert_false(pmap_is_referenced(m));
			test_touch(&space, VA + ptoa(mappings - 1), VM_PROT_READ, m, NULL);
			i = (uint32_t)pmap_ts_referenced(m);
			assert_int_equal(i + (uint32_t)pmap_ts_referenced(m), 1);
			end(1);
		}
	}
}

/* Advised memory looks unused and clean; its next use is seen again. With keep_dirty
 * what was modified is kept in the page, else forgotten. */
static void
test_advise(void **state)
{
	const uint32_t used = PMAP_MINCORE_MAPPED | PMAP_MINCORE_REFERENCED;
	bool keep;

	(void)state;
	EACH_CORE (hafdbs, seed) {
		keep = seed % 2 == 0;
		begin(hafdbs, seed);
		test_enter(&space, VA, m, RW, 0);
		test_enter(&space, FAR_VA, m, VM_PROT_READ, 0);
		assert_int_equal(pmap_mincore(&space, VA), PMAP_MINCORE_MAPPED);
		assert_int_equal(pmap_mincore(&space, VA + PAGE_SIZE), 0);
		assert_int_equal(pmap_mincore(&space, PMAP_USER_MAX), 0);
		assert_true(test_touch(&space, FAR_VA, VM_PROT_READ, m, NULL));
		assert_int_equal(pmap_mincore(&space, FAR_VA + 1), used);
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_int_equal(pmap_mincore(&space, VA), used | PMAP_MINCORE_MODIFIED);
		pmap_advise(&space, VA, VA + PAGE_SIZE, keep);
		model_check_rest();
		assert_int_equal(m->dirty, keep ? VM_PAGE_BITS_ALL : 0);
		assert_int_equal(pmap_mincore(&space, VA), PMAP_MINCORE_MAPPED);
		assert_int_equal(pmap_mincore(&space, FAR_VA), used);
		pmap_unwire(&space, 0, PMAP_USER_MAX);
		m->dirty = 0;
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		assert_true(pmap_is_modified(m));
		end(1);
	}
}

/* Another page at the same address; the same page with other rights. */
static void
test_replace(void **state)
{
	(void)state;
	EACH_CORE (hafdbs, seed) {
		struct vm_page *second;

		begin(hafdbs, seed);
		second = model_page_new();
		test_enter(&space, VA, m, RW, 0);
		assert_true(test_touch(&space, VA, VM_PROT_WRITE, m, NULL));
		test_enter(&space, VA, second, VM_PROT_READ, PMAP_ENTER_READ);
		assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
		assert_true((m->aflags & PGA_REFERENCED) != 0);
		assert_false(pmap_page_is_mapped(m));
		assert_int_equal(pmap_resident_count(&space), 1);
		assert_true(test_touch(&space, VA, VM_PROT_READ, second, NULL));
		assert_false(test_touch(&space, VA, VM_PROT_WRITE, second, NULL));
		test_enter(&space, VA, second, RW, PMAP_ENTER_WRITE);
		assert_true(pmap_is_modified(second));
		test_enter(&space, VA, second, RW, 0); /* stays dirty and referenced */
		assert_true(pmap_is_modified(second) && pmap_is_referenced(second));
		assert_int_equal(second->dirty, 0);
		test_enter(&space, VA, second, VM_PROT_READ, 0);
		assert_int_equal(second->dirty, VM_PAGE_BITS_ALL);
		end(2);
	}
}

/* The instruction cache is made to agree once after each fill, and only for pages
 * that execute. */
static void
test_exec_sync(void **state)
{
	struct model_frame *frame;

	(void)state;
	begin(MMU_HAFDBS_NONE, 1);
	frame = model_frame_of(VM_PAGE_TO_PHYS(m));
	test_enter(&space, VA, m, VM_PROT_READ, 0);
	assert_false(frame->icache_ok);
	test_enter(&space, VA, m, RX, 0);
	assert_true(frame->icache_ok);
	frame->icache_ok = false; /* seen if it were done again */
	test_enter(&space, FAR_VA, m, RX, 0);
	assert_false(frame->icache_ok);
	pmap_remove_all(m);
	model_page_fill(m);
	test_enter(&space, VA, m, RX, 0);
	assert_true(frame->icache_ok);
	test_enter(&space, VA, m, RW, PMAP_ENTER_WRITE); /* may be written: unknown again */
	frame->icache_ok = false;
	test_enter(&space, VA, m, RX, 0);
	assert_true(frame->icache_ok);
	pmap_remove_all(m);
	pmap_zero_page(m);
	frame->icache_ok = false;
	test_enter(&space, VA, m, RX, 0);
	assert_true(frame->icache_ok);
	end(1);
}

/* A page in several address spaces; each sees only its own. */
static void
test_several_spaces(void **state)
{
	uint32_t i;

	(void)state;
	begin(MMU_HAFDBS_NONE, 7);
	for (i = 0; i < 8; i++) {
		test_pinit(&spaces[i]);
		test_enter(&spaces[i], VA, m, RW, 0);
	}
	assert_false(pmap_page_exists_quick(&space, m));
	for (i = 0; i < 8; i++) {
		assert_true(pmap_page_exists_quick(&spaces[i], m));
		pmap_activate(&spaces[i]);
		assert_true(test_touch(&spaces[i], VA, VM_PROT_WRITE, m, NULL));
	}
	assert_int_equal(pv_zone.used_items, 7);
	pmap_remove(&spaces[3], 0, PMAP_USER_MAX);
	model_check_rest();
	assert_false(pmap_page_exists_quick(&spaces[3], m));
	assert_true(pmap_page_exists_quick(&spaces[4], m));
	pmap_remove_all(m);
	model_check_rest();
	for (i = 0; i < 8; i++) {
		assert_int_equal(pmap_resident_count(&spaces[i]), 0);
		pmap_activate(&space);
		pmap_release(&spaces[i]);
	}
	end(1);
}

static void
test_contents(void **state)
{
	struct vm_page *second;
	uint8_t *bytes;

	(void)state;
	begin(MMU_HAFDBS_NONE, 1);
	second = model_page_new();
	bytes = vm_page_address(m);
	bytes[0] = 1;
	bytes[PAGE_MASK] = 2;
	pmap_copy_page(m, second);
	assert_memory_equal(vm_page_address(second), bytes, PAGE_SIZE);
	pmap_zero_page(m);
	assert_int_equal(bytes[0] | bytes[PAGE_MASK], 0);
	end(2);
}

/* Misuse stops the machine. */
static void
test_misuse(void **state)
{
	(void)state;
	begin(MMU_HAFDBS_NONE, 1);
	test_enter(&space, VA, m, VM_PROT_READ, 0);
	SIM_EXPECT_ASSERT("M4", pmap_release(&space));
	SIM_EXPECT_ASSERT("M3", (void)!pmap_enter(&space, VA + 1, m, VM_PROT_READ, 0));
	SIM_EXPECT_ASSERT("M3", (void)!pmap_enter(&space, PMAP_USER_MAX, m, VM_PROT_READ, 0));
	SIM_EXPECT_ASSERT("M3", pmap_remove(&space, PAGE_SIZE, 0));
	SIM_EXPECT_ASSERT("M3", pmap_protect(&space, 1, PAGE_SIZE, VM_PROT_READ));
	SIM_EXPECT_ASSERT("M3", pmap_advise(&space, 1, PAGE_SIZE, true));
	SIM_EXPECT_ASSERT("M3", pmap_unwire(&space, PAGE_SIZE, 0));
	SIM_EXPECT_ASSERT("M6", (void)!pmap_enter(&space, VA, m, VM_PROT_NONE, 0));
	SIM_EXPECT_ASSERT("M6",
	    (void)!pmap_enter(&space, VA, m, VM_PROT_READ, PMAP_ENTER_WRITE));
	pmap_remove(&space, 0, PMAP_USER_MAX);
	SIM_EXPECT_ASSERT("M4", pmap_release(&space));
	end(1);
}

int
model_verb_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulation),
		cmocka_unit_test(test_read_then_write),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(pmap_T1_write_after_remove_write_faults),
		cmocka_unit_test(pmap_T2a_dirtiness_moves_to_the_page),
		cmocka_unit_test(test_clear_modify),
		cmocka_unit_test(pmap_T3_not_referenced_unless_touched_since),
		cmocka_unit_test(pmap_T4_at_most_five_mappings_a_call),
		cmocka_unit_test(test_advise),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_exec_sync),
		cmocka_unit_test(test_several_spaces),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_misuse),
	};

	return (cmocka_run_group_tests_name("pmap verbs", tests, NULL, NULL));
}
