/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated physical map keeps contract 1.14 as the board's does, so that tests of mm
 * stand on the same ground. The board's: test/pmap_model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/vm_page.h"
#include "mm/vm_page_lock.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define VA SIM_SWAP_BASE
#define RW (VM_PROT_READ | VM_PROT_WRITE)

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static struct vmspace *vm;
static struct vm_page *m;

/* A program that has written its first page: it is in its TLB. */
static void
boot(void)
{
	sim_swap_boot(512, 64);
	vm = sim_swap_space(8);
	assert_int_equal(sim_store(vm, VA, "x", 1), 0);
	m = vm_page_lookup(sim_swap_object(vm), 0);
	assert_int_equal(pmap_resident_count(&vm->pmap), 1);
}

static void
end(void)
{
	sim_mm_check();
	vmspace_free(vm);
	sim_mm_check();
}

static uint64_t
faults(void)
{
	return (mm_params.v_vm_faults);
}

RUN_TEST(pmap_T1_write_after_remove_write_faults)
{
	uint64_t before;

	(void)arg;
	boot();
	assert_true(pmap_page_is_write_mapped(m));
	pmap_remove_write(m);
	assert_false(pmap_page_is_write_mapped(m));
	before = faults();
	assert_int_equal(sim_load(vm, VA, &(char){ 0 }, 1), 0);
	assert_int_equal(faults(), before);
	assert_int_equal(sim_store(vm, VA, "y", 1), 0);
	assert_int_equal(faults(), before + 1);
	end();
}

RUN_TEST(pmap_T2_dirtiness_moves_to_the_page)
{
	uint32_t way;

	(void)arg;
	for (way = 0; way < 4; way++) {
		boot();
		m->dirty = 0;
		pmap_clear_modify(m);
		assert_false(pmap_is_modified(m));
		assert_int_equal(sim_store(vm, VA, "z", 1), 0); /* between */
		if (way == 0)
			pmap_remove_all(m);
		else if (way == 1)
			pmap_remove_write(m);
		else if (way == 2)
			pmap_protect(&vm->pmap, VA, VA + PAGE_SIZE, VM_PROT_READ);
		else
			pmap_remove(&vm->pmap, VA, VA + PAGE_SIZE);
		assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
		assert_int_equal(pmap_page_is_mapped(m), way == 1 || way == 2);
		if (!pmap_page_is_mapped(m))
			assert_int_equal(m->aflags & PGA_REFERENCED, PGA_REFERENCED);
		end();
	}
}

RUN_TEST(pmap_T3_not_referenced_unless_touched_since)
{
	(void)arg;
	boot();
	assert_int_equal(pmap_ts_referenced(m), 1);
	assert_int_equal(pmap_ts_referenced(m), 0);
	assert_false(pmap_is_referenced(m));
	assert_int_equal(sim_load(vm, VA, &(char){ 0 }, 1), 0);
	assert_int_equal(pmap_ts_referenced(m), 1);
	end();
}

RUN_TEST(pmap_T4_at_most_five_mappings_a_call)
{
	uint32_t i;

	(void)arg;
	boot();
	/* Five more mappings of the page, at addresses beyond the program's memory. */
	for (i = 1; i < 6; i++)
		assert_int_equal(pmap_enter(&vm->pmap, VA + ptoa(100 + i), m, VM_PROT_READ,
		    PMAP_ENTER_READ), 0);
	assert_int_equal(pmap_ts_referenced(m), 5);
	assert_int_equal(pmap_ts_referenced(m), 1);
	assert_int_equal(pmap_ts_referenced(m), 0);
	pmap_remove(&vm->pmap, VA + ptoa(100), VA + ptoa(110));
	end();
}

RUN_TEST(pmap_T5_no_write_by_a_stale_entry)
{
	uint64_t before;

	(void)arg;
	boot();
	pmap_remove_all(m);
	before = faults();
	assert_int_equal(sim_store(vm, VA, "y", 1), 0);
	assert_int_equal(faults(), before + 1); /* not by the translation of before */
	sim_pmap_lazy_tlb = true;               /* the planted bug is found */
	pmap_remove_all(m);
	assert_non_null(sim_pmap_check());
	sim_pmap_lazy_tlb = false;
	sim_tlb_reset();
	end();
}

RUN_TEST(pmap_T6_counts_are_exact)
{
	struct vmspace *other;
	uint32_t i;

	(void)arg;
	boot();
	other = sim_swap_space(8);
	for (i = 0; i < 8; i++) {
		assert_int_equal(sim_store(vm, VA + ptoa(i), "a", 1), 0);
		assert_int_equal(pmap_resident_count(&vm->pmap), i + 1);
	}
	assert_int_equal(pmap_resident_count(&other->pmap), 0);
	assert_int_equal(pmap_enter(&other->pmap, VA, m, VM_PROT_READ, 0), 0);
	assert_int_equal(pmap_resident_count(&other->pmap), 1);
	assert_true(pmap_page_exists_quick(&other->pmap, m));
	assert_int_equal(pmap_enter(&other->pmap, VA, m, VM_PROT_READ, 0), 0); /* again */
	assert_int_equal(pmap_resident_count(&other->pmap), 1);
	pmap_remove_all(m);
	assert_int_equal(pmap_resident_count(&other->pmap), 0);
	assert_int_equal(pmap_resident_count(&vm->pmap), 7);
	pmap_remove(&vm->pmap, VA, VA + ptoa(5));
	assert_int_equal(pmap_resident_count(&vm->pmap), 3);
	vmspace_free(other);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pmap_T1_write_after_remove_write_faults),
		cmocka_unit_test(pmap_T2_dirtiness_moves_to_the_page),
		cmocka_unit_test(pmap_T3_not_referenced_unless_touched_since),
		cmocka_unit_test(pmap_T4_at_most_five_mappings_a_call),
		cmocka_unit_test(pmap_T5_no_write_by_a_stale_entry),
		cmocka_unit_test(pmap_T6_counts_are_exact),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
