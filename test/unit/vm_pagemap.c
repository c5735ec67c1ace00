/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames by state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/vm_launder.h"
#include "mm/vm_pagemap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 256u

static enum vm_pagemap_state
state_of(const struct vm_page *m)
{
	return (vm_pagemap_state(vm_page_number(m) - VM_PAGE_FIRST));
}

static void
states_body(void *arg)
{
	uint32_t counts[VM_PAGEMAP_STATES] = { 0 }, n;
	struct vm_object *object;
	struct vm_page *m;

	(void)arg;
	sim_swap_boot(FRAMES, 64);
	assert_int_equal(vm_pagemap_count(), FRAMES);
	object = vm_object_allocate(16);
	object->type = OBJT_SWAP;
	assert_int_equal(state_of(sim_swap_page(object, 0, PQ_ACTIVE, true)), VM_PAGEMAP_ACTIVE);
	assert_int_equal(state_of(sim_swap_page(object, 1, PQ_INACTIVE, false)),
	    VM_PAGEMAP_INACTIVE);
	m = sim_swap_page(object, 2, PQ_INACTIVE, true);
	assert_int_equal(state_of(m), VM_PAGEMAP_DIRTY);
	vm_page_xbusy(m);
	assert_int_equal(state_of(m), VM_PAGEMAP_BUSY);
	vm_page_xunbusy(m);
	assert_true(vm_pageout_clean(m) > 0);
	sim_swap_settle(object);
	assert_true(vm_page_try_to_cache(m));
	assert_int_equal(state_of(m), VM_PAGEMAP_CACHE);
	m = sim_swap_page(object, 3, PQ_NONE, true);
	assert_int_equal(state_of(m), VM_PAGEMAP_OTHER);
	vm_page_wire(m);
	assert_int_equal(state_of(m), VM_PAGEMAP_WIRED);
	vm_page_unwire(m, PQ_INACTIVE);
	/* Freed while somebody holds it: nobody's yet. */
	m = sim_swap_page(object, 4, PQ_INACTIVE, false);
	vm_page_hold(m);
	vm_page_free(m);
	assert_int_equal(state_of(m), VM_PAGEMAP_OTHER);
	vm_page_unhold(m);
	assert_int_equal(state_of(m), VM_PAGEMAP_FREE);
	for (n = 0; n < vm_pagemap_count(); n++)
		counts[vm_pagemap_state(n)]++;
	assert_int_equal(counts[VM_PAGEMAP_FREE], vm_domains[0].v_free_count);
	assert_int_equal(counts[VM_PAGEMAP_CACHE], 1);
	assert_int_equal(counts[VM_PAGEMAP_WIRED], vm_domains[0].v_wire_count);
	/* Of all frames most are free; of one, and of two that differ, the first of the list. */
	assert_int_equal(vm_pagemap_most(0, vm_pagemap_count()), VM_PAGEMAP_FREE);
	for (n = 0; n + 1 < vm_pagemap_count(); n++) {
		enum vm_pagemap_state a = vm_pagemap_state(n), b = vm_pagemap_state(n + 1);

		assert_int_equal(vm_pagemap_most(n, n + 1), a);
		assert_int_equal(vm_pagemap_most(n, n + 2), a < b ? a : b);
	}
	vm_object_deallocate(object);
	sim_mm_check();
}

static void
test_states(void **state)
{
	sim_run(states_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
