/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/uma.c: zones against a table of items.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "mm/uma.h"
#include "mm/vm_meter.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define ITEMS 400u

static struct uma_zone zone, other;

static void
uma_random_items_stay_apart(void **state)
{
	static uint32_t *items[ITEMS];
	uint32_t i, k, w, used = 0;
	struct rng rng;

	(void)state;
	sim_mm_boot_bare(64);
	uma_zone_init(&zone, "test", 100);
	assert_int_equal(zone.item_bytes, 112);
	memset(items, 0, sizeof(items));
	rng_seed(&rng, 4);
	for (i = 0; i < 50000; i++) {
		k = rng_below(&rng, ITEMS);
		if (items[k] == NULL && (items[k] = uma_zalloc(&zone, VM_ALLOC_NORMAL)) != NULL) {
			for (w = 0; w < 25; w++)
				assert_int_equal(items[k][w], 0);
			memset(items[k], (int)(k & 0xff), 100);
			used++;
		} else if (items[k] != NULL) {
			for (w = 0; w < 25; w++)
				assert_int_equal(items[k][w], (k & 0xff) * 0x01010101u);
			uma_zfree(&zone, items[k]);
			items[k] = NULL;
			used--;
		}
		assert_int_equal(zone.used_items, used);
		if (i % 100 == 0)
			assert_true(uma_zone_check(&zone));
	}
	for (k = 0; k < ITEMS; k++)
		if (items[k] != NULL)
			uma_zfree(&zone, items[k]);
	assert_int_equal(zone.slab_pages, 0);
	assert_int_equal(vm_domains[0].v_free_count, 64);
	assert_int_equal(vm_domains[0].v_wire_count, 0);
}

static void
uma_empty_pool_says_null(void **state)
{
	void *items[64];
	uint32_t n = 0;

	(void)state;
	sim_mm_boot_bare(2);
	uma_zone_init(&zone, "test", 1000);
	while (n < 64 && (items[n] = uma_zalloc(&zone, VM_ALLOC_NORMAL)) != NULL)
		n++;
	assert_int_equal(n, 8);
	while (n > 0)
		uma_zfree(&zone, items[--n]);
	assert_int_equal(vm_domains[0].v_free_count, 2);
}

static void
uma_misuse_asserts(void **state)
{
	char *item;

	(void)state;
	sim_mm_boot_bare(8);
	uma_zone_init(&zone, "test", 64);
	uma_zone_init(&other, "other", 64);
	SIM_EXPECT_ASSERT("U4", uma_zone_init(&zone, "big", 2017));
	item = uma_zalloc(&zone, VM_ALLOC_NORMAL);
	(void)uma_zalloc(&zone, VM_ALLOC_NORMAL);
	SIM_EXPECT_ASSERT("U3", uma_zfree(&other, item));
	SIM_EXPECT_ASSERT("U3", uma_zfree(&zone, item + 16));
}

static void
uma_check_finds_damage(void **state)
{
	char *a, *b;

	(void)state;
	sim_mm_boot_bare(8);
	uma_zone_init(&zone, "test", 64);
	a = uma_zalloc(&zone, VM_ALLOC_NORMAL);
	b = uma_zalloc(&zone, VM_ALLOC_NORMAL);
	uma_zfree(&zone, b);
	assert_true(uma_zone_check(&zone));
	zone.used_items++;
	assert_false(uma_zone_check(&zone));
	zone.used_items--;
	*(char **)b = a + PAGE_SIZE; /* written after free */
	assert_false(uma_zone_check(&zone));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uma_random_items_stay_apart),
		cmocka_unit_test(uma_empty_pool_says_null),
		cmocka_unit_test(uma_misuse_asserts),
		cmocka_unit_test(uma_check_finds_damage),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
