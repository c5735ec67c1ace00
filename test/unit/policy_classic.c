/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/policy_classic.c: numbers in, verdict out (contract 1.8, 1.16).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/mm_params.h"
#include "mm/vm_param.h"
#include "mm/vm_policy.h"

static struct vm_page_facts
idle_page(void)
{
	return ((struct vm_page_facts){ .object_referenced = true, .valid = true, .pass = 1,
		.launder_budget = 1, .swap_write_allowed = true });
}

static enum vm_verdict
inactive(struct vm_page_facts facts)
{
	uint8_t act_count = 0;

	return (policy_classic.inactive(&facts, &act_count));
}

/* The order of the questions: each answer overrides all that follow. */
static void
policy_asks_in_the_contracts_order(void **state)
{
	struct vm_page_facts f = idle_page();

	(void)state;
	f.launder_budget = 0;
	assert_int_equal(inactive(f), VM_CACHE); /* clean */
	f.dirty = true;
	assert_int_equal(inactive(f), VM_REQUEUE); /* once round */
	f.winatcfls = true;
	assert_int_equal(inactive(f), VM_LEAVE); /* no budget */
	f.launder_budget = 1;
	assert_int_equal(inactive(f), VM_LAUNDER);
	f.swap_write_allowed = false;
	assert_int_equal(inactive(f), VM_REQUEUE);
	f.swap_write_allowed = true;
	f.object_dead = true;
	assert_int_equal(inactive(f), VM_REQUEUE);
	f.valid = false;
	assert_int_equal(inactive(f), VM_FREE);
	f.held = true;
	assert_int_equal(inactive(f), VM_LEAVE);
	f.act_delta = 1;
	assert_int_equal(inactive(f), VM_ACTIVATE);
	f.object_referenced = false;
	assert_int_equal(inactive(f), VM_REQUEUE);
	f.busy = true;
	assert_int_equal(inactive(f), VM_LEAVE);
}

static void
policy_second_pass_needs_no_mark(void **state)
{
	struct vm_page_facts f = idle_page();

	(void)state;
	f.dirty = true;
	f.pass = 2;
	assert_int_equal(inactive(f), VM_LAUNDER);
}

static void
policy_activity_counts(void **state)
{
	struct vm_page_facts f = idle_page();
	uint8_t count = 99;

	(void)state;
	f.act_delta = 1;
	policy_classic.inactive(&f, &count);
	assert_int_equal(count, 9); /* T3: 5 + 3 + 1 */
	f.act_count = 254; /* Q4: not clamped, but never wraps */
	f.act_delta = 6;
	policy_classic.inactive(&f, &count);
	assert_int_equal(count, 255);
	f.act_count = 200; /* the active scan clamps */
	assert_int_equal(policy_classic.active(&f, &count), VM_REQUEUE);
	assert_int_equal(count, ACT_MAX);
	f.act_count = 10;
	policy_classic.active(&f, &count);
	assert_int_equal(count, 10 + 3 + 6);
	f.act_delta = 0;
	f.act_count = 2;
	assert_int_equal(policy_classic.active(&f, &count), VM_REQUEUE);
	assert_int_equal(count, 1);
	f.act_count = 1;
	assert_int_equal(policy_classic.active(&f, &count), VM_DEACTIVATE);
	assert_int_equal(count, 0);
	f.act_count = 0;
	assert_int_equal(policy_classic.active(&f, &count), VM_DEACTIVATE);
	assert_int_equal(count, 0);
}

static void
policy_targets(void **state)
{
	struct vm_policy_meter in = { .paging_target = 40, .deficit = 7, .inactive_count = 100,
		.inactive_target = 130, .all_paging_target = 40, .all_inactive_count = 100,
		.all_inactive_target = 130, .pass = 1 };
	struct vm_policy_targets out;

	(void)state;
	mm_params_register();
	policy_classic.targets(&in, &out);
	assert_int_equal(out.reclaim, 47);
	assert_int_equal(out.deactivate, 130 - 100 + 40 + 7);
	assert_int_equal(out.launder, 32);
	in.all_paging_target = 60; /* Q5: all of them are shorter than this one */
	policy_classic.targets(&in, &out);
	assert_int_equal(out.reclaim, 47);
	assert_int_equal(out.deactivate, 130 - 100 + 60 + 7);
	in.all_paging_target = -500; /* this one is short alone */
	policy_classic.targets(&in, &out);
	assert_int_equal(out.deactivate, 130 - 100 + 40 + 7);
	in.pass = 2;
	policy_classic.targets(&in, &out);
	assert_int_equal(out.launder, 10000);
	mm_params.max_launder = 0; /* acts as 1 */
	in.pass = 1;
	policy_classic.targets(&in, &out);
	assert_int_equal(out.launder, 1);
}

/* 1.16, T7, starting from the contract's new entry. */
static void
policy_windows(void **state)
{
	struct vm_fault_facts f = { .entry_pages = 100, .read_ahead = VM_FAULT_READ_AHEAD_INIT };
	static const uint32_t grown[] = { 15, 23, 31, 31 };
	uint32_t behind, ahead, i;

	(void)state;
	policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
	assert_int_equal(behind, 8);
	assert_int_equal(ahead, 7);
	f.sequential = true;
	for (i = 0; i < 4; i++) {
		policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
		assert_int_equal(behind, 0);
		assert_int_equal(ahead, grown[i]);
	}
	f.read_ahead = 7;
	f.entry_pages = 3; /* growth = distance to the entry's start */
	policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
	assert_int_equal(ahead, 10);
	f.sequential = false;
	policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
	assert_int_equal(behind, 3);
	f.random_advice = true;
	policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
	assert_int_equal(behind + ahead, 0);
	f.random_advice = false;
	f.sequential_advice = true;
	policy_classic.fault_window(&f, &behind, &ahead, &f.read_ahead);
	assert_int_equal(behind, 0);
	assert_int_equal(ahead, 31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_asks_in_the_contracts_order),
		cmocka_unit_test(policy_second_pass_needs_no_mark),
		cmocka_unit_test(policy_activity_counts),
		cmocka_unit_test(policy_targets),
		cmocka_unit_test(policy_windows),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
