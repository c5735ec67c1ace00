/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's pmap against a model of the MMU.
 *
 * Owns: what the test files share (model_test.h).
 * Does not: test anything itself.
 * Invariants: none.
 * Yields: never.
 * See: model_tlb.c (the model), test_self.c (that the model notices), arch/arm64/pmap.c.
 */
/* Links: arch/arm64/asid.c arch/arm64/tlb.c arch/arm64/pmap.c arch/arm64/pmap_page.c */
/* Links: arch/arm64/pmap_pv.c arch/arm64/pmap_table.c arch/arm64/pmap_fault.c */
/* Links: arch/arm64/pmap_copy.c arch/arm64/pmap_advise.c */
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_test.h"

void
test_core(uint32_t hafdbs, uint64_t seed)
{
	struct model_core core = { .hafdbs = hafdbs, .asid_bits = 8 };

	sim_seed(seed);
	model_reset(&core);
}

void
test_pinit(struct pmap *pmap)
{
	assert_int_equal(pmap_pinit(pmap), 0);
	model_root(pmap->root_pa);
}

void
test_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot, uint32_t flags)
{
	model_interest(va);
	assert_int_equal(pmap_enter(pmap, va, m, prot, flags), 0);
	model_check_rest();
}

bool
test_touch(struct pmap *pmap, vm_offset_t va, vm_prot_t access, const struct vm_page *m,
    int *faults)
{
	int count = 0;
	uint64_t pa;

	while (!model_access(va, access, &pa)) {
		count++;
		if (pmap_fault(pmap, va, access) != 0)
			return (false);
		model_check_rest();
		assert_true(count < 3); /* a resolved fault does not come back */
	}
	assert_int_equal(trunc_page(pa), VM_PAGE_TO_PHYS(m));
	if (faults != NULL)
		*faults += count;
	return (true);
}

void
test_all_returned(uint32_t kept_pages)
{
	(void)uma_reclaim();
	assert_int_equal(model_pool_used(), kept_pages);
	assert_int_equal(pmap_stats.table_pages, 0);
	assert_int_equal(pv_slabs(), 0);
	assert_int_equal(pv_zone.used_items, 0);
}

int
main(void)
{
	return (model_start_tests() + model_self_tests() + model_verb_tests() +
	    model_table_tests() + model_race_tests() + model_random_tests());
}
