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

#include "kern/machdep.h"
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
	assert_int_equal(zone.slab_pages, UMA_EMPTY_MAX);
	assert_true(uma_zone_check(&zone));
	uma_reclaim();
	assert_true(uma_zone_check(&zone));
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
	assert_int_equal(zone.refusals, 1);
	uma_reclaim();
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
	SIM_EXPECT_ASSERT("U4", uma_zone_init(&zone, "big", UMA_ITEM_BYTES_MAX + 1));
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
	*(char **)b = b; /* a free chain without end */
	assert_false(uma_zone_check(&zone));
}

/* Each figure of a zone, and each thing that ties a slab to it. */
static void
uma_check_finds_wrong_figures(void **state)
{
	struct uma_zone copy;
	struct vm_page *m;
	void *items[70];
	uint32_t i;

	(void)state;
	sim_mm_boot_bare(8);
	uma_zone_init(&zone, "test", 64);
	uma_zone_init(&zone, "test", 64); /* again: empty, once on the list */
	assert_ptr_equal(uma_zone_next(NULL), &zone);
	for (i = 0; i < 70; i++) /* a full slab and a partial one */
		assert_non_null(items[i] = uma_zalloc(&zone, UMA_NORMAL));
	uma_zfree(&zone, items[69]);
	assert_true(uma_zone_check(&zone));
	copy = zone;
	assert_false(uma_zone_check(&copy)); /* not its slabs */
	for (i = 0; i < 2; i++) {
		m = PHYS_TO_VM_PAGE(virt_to_phys(items[i * 68]));
		m->wire_count++;
		assert_false(uma_zone_check(&zone));
		m->wire_count--;
	}
	zone.items_per_slab++;
	assert_false(uma_zone_check(&zone));
	zone.items_per_slab--;
	for (i = 0; i < 2; i++) {
		zone.slab_pages += i == 0 ? 1 : (uint32_t)-2;
		assert_false(uma_zone_check(&zone));
	}
	zone.slab_pages = 0;
	assert_false(uma_zone_check(&zone));
	zone.slab_pages = 2;
	zone.empty_slabs = 1;
	assert_false(uma_zone_check(&zone));
	zone.empty_slabs = 0;
	copy = zone;
	LIST_FIRST(&zone.empty) = LIST_FIRST(&zone.full); /* wrong, and all figures fit */
	zone.empty_slabs = 1;
	zone.slab_pages = 3;
	zone.used_items += zone.items_per_slab;
	assert_false(uma_zone_check(&zone));
	zone = copy;
	assert_true(uma_zone_check(&zone));
}

/* More empty slabs than may be kept. */
static void
uma_check_finds_a_hoard(void **state)
{
	void *items[UMA_EMPTY_MAX + 1];
	uint32_t i;

	(void)state;
	sim_mm_boot(1024);
	uma_zone_init(&zone, "test", UMA_ITEM_BYTES_MAX); /* a page each */
	for (i = 0; i <= UMA_EMPTY_MAX; i++)
		assert_non_null(items[i] = uma_zalloc(&zone, UMA_NORMAL));
	for (i = 0; i <= UMA_EMPTY_MAX; i++) {
		assert_true(uma_zone_check(&zone));
		zone.empty_slabs = 0; /* it forgets the others */
		uma_zfree(&zone, items[i]);
		zone.empty_slabs = i + 1;
	}
	assert_false(uma_zone_check(&zone));
	uma_reclaim();
	assert_true(uma_zone_check(&zone));
}

/* Contract 1.17, T4: slab pages that are given back raise F. */
static void
object_T4_empty_slabs_go_back_and_raise_F(void **state)
{
	struct vm_domain *vmd = &vm_domains[0];
	void *items[100];
	uint32_t i, free_pages;

	(void)state;
	sim_mm_boot(1024);
	uma_reclaim();
	uma_zone_init(&zone, "test", 1000);
	free_pages = vm_meter_free(vmd);
	for (i = 0; i < 100; i++)
		assert_non_null(items[i] = uma_zalloc(&zone, UMA_SYSTEM));
	assert_int_equal(vm_meter_free(vmd), free_pages - 25);
	for (i = 0; i < 100; i++)
		uma_zfree(&zone, items[i]);
	assert_int_equal(zone.empty_slabs, UMA_EMPTY_MAX);
	assert_int_equal(vm_meter_free(vmd), free_pages - UMA_EMPTY_MAX);
	assert_int_equal(uma_reclaim(), UMA_EMPTY_MAX);
	assert_int_equal(vm_meter_free(vmd), free_pages);
	assert_int_equal(zone.reclaimed_pages, UMA_EMPTY_MAX);
	assert_int_equal(uma_reclaim(), 0);
	sim_mm_check();
}

static void
uma_slab_with_an_item_in_use_stays(void **state)
{
	void *a, *b;

	(void)state;
	sim_mm_boot(1024);
	uma_zone_init(&zone, "test", UMA_ITEM_BYTES_MAX);
	a = uma_zalloc(&zone, UMA_NORMAL);
	b = uma_zalloc(&zone, UMA_NORMAL);
	assert_int_equal(zone.slab_pages, 2); /* a page each */
	uma_zfree(&zone, a);
	assert_int_equal(uma_reclaim(), 1);
	assert_int_equal(zone.slab_pages, 1);
	assert_int_equal(*(char *)b, 0);
	uma_zfree(&zone, b);
	assert_ptr_equal(uma_zalloc(&zone, UMA_NORMAL), b); /* from the kept slab */
	sim_mm_check();
}

/* Nothing is kept while waiters wait for free_min. */
static void
uma_keeps_no_slab_below_free_min(void **state)
{
	struct vm_domain *vmd = &vm_domains[0];
	void *item;

	(void)state;
	sim_mm_boot(1024);
	uma_zone_init(&zone, "test", 100);
	item = uma_zalloc(&zone, UMA_SYSTEM);
	vmd->v_free_min = vm_meter_free(vmd) + 1;
	uma_zfree(&zone, item);
	assert_int_equal(zone.slab_pages, 0);
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uma_random_items_stay_apart),
		cmocka_unit_test(uma_empty_pool_says_null),
		cmocka_unit_test(uma_misuse_asserts),
		cmocka_unit_test(uma_check_finds_damage),
		cmocka_unit_test(uma_check_finds_wrong_figures),
		cmocka_unit_test(uma_check_finds_a_hoard),
		cmocka_unit_test(object_T4_empty_slabs_go_back_and_raise_F),
		cmocka_unit_test(uma_slab_with_an_item_in_use_stays),
		cmocka_unit_test(uma_keeps_no_slab_below_free_min),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
