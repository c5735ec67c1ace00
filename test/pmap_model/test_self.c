/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * That the model notices: each case breaks one rule of the architecture by hand, and
 * the model must say so; the same steps done properly must pass.
 *
 * Owns: one address space, one table of each level.
 * Does not: use the pmap beyond making the root.
 * Invariants: none.
 * Yields: never.
 * See: model_tlb.c for the rules W1..W9.
 */
#include "arch/arm64/pte.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

#define VA      0x40201000ull
#define ASID    (1ull << 48)
#define OPERAND (ASID | VA >> PAGE_SHIFT)
#define TRIES   400

static struct pmap space;
static struct vm_page *l2_page, *l3_page, *data, *other;
static uint64_t *l1, *l2, *l3;

static struct vm_page *
new_table(void)
{
	return (vm_page_alloc(NULL, 0,
	    VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED | VM_ALLOC_ZERO));
}

/* Tables down to VA, running with ASID 1, nothing mapped yet. */
static void
set_up(uint64_t seed)
{
	test_core(MMU_HAFDBS_NONE, seed);
	test_pinit(&space);
	l2_page = new_table();
	l3_page = new_table();
	data = model_page_new();
	other = model_page_new();
	mmu_dsb_ishst();
	l1 = &space.root[pte_index(VA, L1_SHIFT)];
	l2 = &mmu_table(VM_PAGE_TO_PHYS(l2_page))[pte_index(VA, L2_SHIFT)];
	l3 = &mmu_table(VM_PAGE_TO_PHYS(l3_page))[pte_index(VA, L3_SHIFT)];
	pte_store(l1, VM_PAGE_TO_PHYS(l2_page) | PTE_TABLE | PTE_VALID);
	pte_store(l2, VM_PAGE_TO_PHYS(l3_page) | PTE_TABLE | PTE_VALID);
	mmu_dsb_ishst();
	mmu_ttbr0_write(space.root_pa | ASID);
	mmu_isb();
	model_interest(VA);
	model_check_rest();
}

static uint64_t
entry_for(const struct vm_page *m, vm_prot_t prot)
{
	uint64_t entry = pte_make(VM_PAGE_TO_PHYS(m), prot) | PTE_AF;

	return ((prot & VM_PROT_WRITE) != 0 ? entry & ~PTE_RO : entry);
}

static void
map(const struct vm_page *m, vm_prot_t prot)
{
	pte_store(l3, entry_for(m, prot));
	mmu_dsb_ishst();
}

static void
flush(void)
{
	mmu_dsb_ishst();
	mmu_tlbi_vale1is(OPERAND);
	mmu_dsb_ish();
	mmu_isb();
}

/* Run steps under many seeds until one draws the failure with prefix; one must. */
static void
noticed(const char *prefix, void (*steps)(void))
{
	volatile uint64_t seed; /* lives across longjmp */

	for (seed = 1; seed <= TRIES; seed++) {
		set_up(seed);
		map(data, RW);
		sim_expect_begin(prefix);
		if (setjmp(sim_expect_env) != 0)
			return;
		steps();
		sim_expect_begin(NULL);
	}
	fail_msg("the model never noticed: %s", prefix);
}

/* ---- properly */

static void
test_sound(void **state)
{
	uint64_t seed, pa;

	(void)state;
	for (seed = 1; seed <= TRIES; seed++) {
		set_up(seed);
		map(data, RW);
		model_check_rest();
		assert_true(model_access(VA, VM_PROT_WRITE, &pa));
		assert_int_equal(pa, VM_PAGE_TO_PHYS(data));
		pte_exchange(l3, 0);
		flush();
		model_check_rest();
		assert_false(model_access(VA, VM_PROT_READ, &pa));
		map(other, VM_PROT_READ);
		model_check_rest();
		assert_true(model_access(VA, VM_PROT_READ, &pa));
		assert_int_equal(pa, VM_PAGE_TO_PHYS(other));
		assert_false(model_access(VA, VM_PROT_WRITE, &pa));
	}
}

/* ---- one rule broken each */

static void
steps_no_break(void)
{
	pte_exchange(l3, entry_for(other, RW));
}

static void
steps_break_without_tlbi(void)
{
	pte_exchange(l3, 0);
	mmu_dsb_ishst();
	map(other, RW);
}

static void
steps_make_before_completion(void)
{
	pte_exchange(l3, 0);
	mmu_dsb_ishst();
	mmu_tlbi_vale1is(OPERAND);
	map(other, RW);
}

static void
steps_no_tlbi(void)
{
	pte_exchange(l3, entry_for(data, VM_PROT_READ));
	mmu_dsb_ishst();
	mmu_isb();
	model_check_rest();
}

static void
steps_af_without_tlbi(void)
{
	pte_exchange(l3, entry_for(data, RW) & ~PTE_AF);
	mmu_dsb_ishst();
	model_check_rest();
}

static void
steps_tlbi_before_publishing(void)
{
	pte_exchange(l3, entry_for(data, VM_PROT_READ));
	mmu_tlbi_vale1is(OPERAND);
	mmu_dsb_ish();
	mmu_isb();
	model_check_rest();
}

static void
steps_no_completion(void)
{
	pte_exchange(l3, 0);
	mmu_dsb_ishst();
	mmu_tlbi_vale1is(OPERAND);
	model_check_rest();
}

static void
steps_unpublished(void)
{
	pte_exchange(l3, 0);
	model_check_rest();
}

static void
steps_wrong_asid(void)
{
	pte_exchange(l3, 0);
	mmu_dsb_ishst();
	mmu_tlbi_vale1is((2ull << 48) | VA >> PAGE_SHIFT);
	mmu_dsb_ish();
	model_check_rest();
}

/* Unlink the level-3 table, invalidating only last-level entries. */
static void
steps_table_last_level(void)
{
	pte_exchange(l3, 0);
	pte_exchange(l2, 0);
	flush();
	model_check_rest();
}

static void
steps_table_freed_early(void)
{
	pte_exchange(l3, 0);
	pte_exchange(l2, 0);
	mmu_dsb_ishst();
	mmu_tlbi_vae1is(OPERAND);
	vm_page_unwire(l3_page, PQ_NONE);
	vm_page_free(l3_page);
}

static void
steps_table_not_cleared(void)
{
	struct vm_page *fresh = new_table();
	uint64_t pa;

	pte_store(l2 + 1, VM_PAGE_TO_PHYS(fresh) | PTE_TABLE | PTE_VALID);
	model_access(VA + (1u << L2_SHIFT), VM_PROT_READ, &pa);
}

static void
steps_asid_reused(void)
{
	static struct pmap second;

	test_pinit(&second);
	mmu_ttbr0_write(second.root_pa | ASID);
}

static void
steps_store_elsewhere(void)
{
	pte_store(vm_page_address(data), entry_for(other, RW));
}

static void
test_notices(void **state)
{
	(void)state;
	noticed("W1", steps_no_break);
	noticed("W1", steps_break_without_tlbi);
	noticed("W1", steps_make_before_completion);
	noticed("W3", steps_no_tlbi);
	noticed("W3", steps_af_without_tlbi);
	noticed("W3", steps_tlbi_before_publishing);
	noticed("W2", steps_no_completion);
	noticed("W2", steps_unpublished);
	noticed("W3", steps_wrong_asid);
	noticed("W3", steps_table_last_level);
	noticed("W4", steps_table_freed_early);
	noticed("W6", steps_table_not_cleared);
	noticed("W5", steps_asid_reused);
	noticed("W7", steps_store_elsewhere);
}

/* A clean page: software emulation faults, hardware sets the flags in memory. */
static void
test_flags(void **state)
{
	uint64_t pa, clean = 0;
	uint32_t hafdbs;

	(void)state;
	for (hafdbs = MMU_HAFDBS_NONE; hafdbs <= MMU_HAFDBS_DIRTY; hafdbs++) {
		struct model_core core = { .hafdbs = hafdbs, .asid_bits = 8 };

		set_up(3);
		model_reset(&core);
		test_pinit(&space);
		pmap_activate(&space);
		assert_int_equal(pmap_enter(&space, VA, model_page_new(), RW, 0), 0);
		assert_int_equal(model_access(VA, VM_PROT_READ, &pa), hafdbs >= MMU_HAFDBS_AF);
		assert_int_equal(model_access(VA, VM_PROT_WRITE, &pa),
		    hafdbs == MMU_HAFDBS_DIRTY);
		pmap_activate(NULL);
		clean += pmap_is_modified(pmap_extract(&space, VA, VM_PROT_READ)) ? 0 : 1;
		pmap_remove(&space, 0, PMAP_USER_MAX);
		pmap_release(&space);
	}
	assert_int_equal(clean, 2);
}

int
model_self_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_flags),
	};

	return (cmocka_run_group_tests_name("the model notices", tests, NULL, NULL));
}
