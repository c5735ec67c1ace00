/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tunables of contract 0.5: the reference's names, defaults, limits, relations; and
 * what setting those does that are computed at boot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mm/vm_meter.h"
#include "test/host/sim_mm.h"

#define WAKEUP "vm.pageout_wakeup_thresh"

static char why[160];

static int
set(const char *name, int64_t value)
{
	return (param_set(name, value, why, sizeof(why)));
}

static void
tunables_have_the_names_and_defaults_of_the_reference(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} table[] = {
		{ WAKEUP, 77 },
		{ "vm.max_launder", 32 },
		{ "vm.pageout_update_period", 600 },
		{ "vm.lowmem_period", 10 },
		{ "vm.swap_enabled", SWAPPING },
		{ "vm.swap_idle_enabled", 0 },
		{ "vm.defer_swapspace_pageouts", 0 },
		{ "vm.disable_swapspace_pageouts", 0 },
		{ "vm.pageout_lock_miss", 0 },
		{ "vm.max_wired", 4096 / 3 },
	};
	uint32_t i;

	(void)state;
	sim_mm_boot(4096);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_non_null(param_find(table[i].name));
		/* A few frames are in use already. */
		assert_in_range(param_get(param_find(table[i].name)),
		    table[i].value - table[i].value / 50, table[i].value);
	}
	assert_int_equal(mm_params.max_wired, vm_domains[0].v_free_count / 3);
	sim_mm_check();
}

/* Every tunable of 0.5 takes its least and most, and answers with them to others. */
static void
tunables_keep_their_limits(void **state)
{
	static const struct {
		const char *name;
		int64_t least, most;
	} table[] = {
		{ WAKEUP, 56, 131 },
		{ "vm.max_launder", 0, 1024 },
		{ "vm.pageout_update_period", 0, 3600 },
		{ "vm.lowmem_period", 0, 3600 },
		{ "vm.defer_swapspace_pageouts", 0, 1 },
		{ "vm.disable_swapspace_pageouts", 0, 1 },
		{ "vm.max_wired", 0, 4096 - 131 },
	};
	char range[64];
	uint32_t i;

	(void)state;
	sim_mm_boot(4096);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(range, sizeof(range), "%s: expected %lld to %lld ", table[i].name,
		    (long long)table[i].least, (long long)table[i].most);
		assert_int_equal(set(table[i].name, table[i].least), 0);
		assert_int_equal(set(table[i].name, table[i].most), 0);
		assert_int_equal(set(table[i].name, table[i].most + 1), ERR_INVAL);
		assert_memory_equal(why, range, strlen(range));
		assert_int_equal(param_get(param_find(table[i].name)), table[i].most);
		assert_int_equal(set(table[i].name, table[i].least - 1), ERR_INVAL);
		assert_int_equal(param_get(param_find(table[i].name)), table[i].most);
	}
	sim_mm_check();
}

/* Below 0, and above what any pool has, the row's own limits answer. */
static void
tunables_that_are_computed_keep_the_rows_limits_too(void **state)
{
	(void)state;
	sim_mm_boot(4096);
	assert_int_equal(set(WAKEUP, -1), ERR_INVAL);
	assert_string_equal(why, WAKEUP ": expected 0 to 4194304 pages, not -1");
	assert_int_equal(set("vm.max_wired", 4194305), ERR_INVAL);
	assert_int_equal(set(WAKEUP, 132), ERR_INVAL);
	assert_string_equal(why, WAKEUP ": expected 56 to 131 pages "
	    "(above v_free_reserved, up to v_free_target), not 132");
}

static void
tunables_of_swapping_whole_programs(void **state)
{
	int expected = SWAPPING ? 0 : ERR_PERM;

	(void)state;
	sim_mm_boot(4096);
	assert_int_equal(set("vm.swap_enabled", 0), expected);
	assert_int_equal(set("vm.swap_enabled", 1), expected);
	assert_int_equal(set("vm.swap_idle_enabled", 1), expected);
	assert_int_equal(mm_params.swap_enabled, SWAPPING);
	assert_int_equal(mm_params.swap_idle_enabled, SWAPPING);
	assert_int_equal(set("vm.swap_enabled", 2), SWAPPING ? ERR_INVAL : ERR_PERM);
	if (!SWAPPING)
		assert_string_equal(why, "vm.swap_enabled: is always 0 in this build");
}

static void
tunables_lock_miss_is_a_counter(void **state)
{
	(void)state;
	sim_mm_boot(4096);
	assert_int_equal(set("vm.pageout_lock_miss", 1), ERR_PERM);
	assert_int_equal(param_find("vm.pageout_lock_miss")->kind, PARAM_COUNTER);
}

static void
tunables_update_period_of_0_becomes_600_at_boot_only(void **state)
{
	(void)state;
	sim_mm_boot(4096);
	assert_int_equal(set("vm.pageout_update_period", 0), 0);
	vm_meter_init_tunables();
	assert_int_equal(mm_params.pageout_update_period, 600);
	mm_params.pageout_update_period = 30;
	vm_meter_init_tunables();
	assert_int_equal(mm_params.pageout_update_period, 30);
}

static void
tunables_wakeup_threshold_takes_effect(void **state)
{
	struct vm_domain *vmd = &vm_domains[0];

	(void)state;
	sim_mm_boot(4096);
	assert_int_equal(set(WAKEUP, 100), 0);
	assert_int_equal(vmd->pageout_wakeup_thresh, 100);
	vmd->v_free_count = 99;
	assert_true(vm_paging_needed(vmd));
	vmd->v_free_count = 100;
	assert_false(vm_paging_needed(vmd));
}

static void
tunables_wakeup_threshold_is_shared_by_domains(void **state)
{
	(void)state;
	sim_mm_boot_domains(8192, 2);
	assert_int_equal(mm_params.pageout_wakeup_thresh, 2 * 77);
	assert_int_equal(set(WAKEUP, 200), 0);
	assert_int_equal(vm_domains[0].pageout_wakeup_thresh, 100);
	assert_int_equal(vm_domains[1].pageout_wakeup_thresh, 100);
	assert_int_equal(set(WAKEUP, 2 * 131 + 1), ERR_INVAL);
	sim_mm_check();
}

/* Divided first: small pools have their threshold below free_min, unless mended. */
static void
quirk_Q1_wakeup_threshold_below_free_min(void **state)
{
	struct vm_domain *vmd = &vm_domains[0];

	(void)state;
	sim_mm_boot(1024);
	assert_int_equal(vmd->v_free_min, 47);
	assert_int_equal(vmd->pageout_wakeup_thresh, 44);
	vmd->v_free_count = 45;
	assert_true(vm_page_count_min(vmd) && !vm_paging_needed(vmd));
	assert_int_equal(set("vm.pageout_wakeup_above_min", 1), 0);
	assert_int_equal(vmd->pageout_wakeup_thresh, 48);
	assert_int_equal(mm_params.pageout_wakeup_thresh, 48);
	assert_true(vm_paging_needed(vmd));
	assert_int_equal(set("vm.pageout_wakeup_above_min", 0), 0);
	assert_int_equal(vmd->pageout_wakeup_thresh, 44);
	sim_mm_boot(4096); /* where it is above already nothing changes */
	assert_int_equal(set("vm.pageout_wakeup_above_min", 1), 0);
	assert_int_equal(vmd->pageout_wakeup_thresh, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunables_have_the_names_and_defaults_of_the_reference),
		cmocka_unit_test(tunables_keep_their_limits),
		cmocka_unit_test(tunables_that_are_computed_keep_the_rows_limits_too),
		cmocka_unit_test(tunables_of_swapping_whole_programs),
		cmocka_unit_test(tunables_lock_miss_is_a_counter),
		cmocka_unit_test(tunables_update_period_of_0_becomes_600_at_boot_only),
		cmocka_unit_test(tunables_wakeup_threshold_takes_effect),
		cmocka_unit_test(tunables_wakeup_threshold_is_shared_by_domains),
		cmocka_unit_test(quirk_Q1_wakeup_threshold_below_free_min),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
