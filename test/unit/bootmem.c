/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM at boot: adding, reserving, cutting from both ends, against a map of pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/bootmem.h"
#include "lib/rng.h"

#define PAGE 4096ull

static void
test_rounding(void **state)
{
	struct bootmem_range r;

	(void)state;
	bootmem_init();
	assert_int_equal(bootmem_add(100, 3 * PAGE), 0);
	assert_int_equal(bootmem_total_bytes(), 2 * PAGE);
	assert_int_equal(bootmem_add(10 * PAGE, 100), 0);
	assert_int_equal(bootmem_total_bytes(), 2 * PAGE);
	assert_int_equal(bootmem_reserve(PAGE + 10, 1), 0);
	assert_int_equal(bootmem_free_bytes(), PAGE);
	assert_int_equal(bootmem_take(PAGE - 1, &r), ERR_NOMEM);
	assert_int_equal(bootmem_take(100 * PAGE, &r), 0);
	assert_int_equal(r.pa, 2 * PAGE);
	assert_int_equal(r.bytes, PAGE);
	assert_int_equal(bootmem_take(PAGE, &r), ERR_NOMEM);
}

/* Whatever a device tree says: sums that do not fit. */
static void
test_endless(void **state)
{
	(void)state;
	bootmem_init();
	assert_int_equal(bootmem_add(-2 * PAGE, 3 * PAGE), ERR_RANGE);
	assert_int_equal(bootmem_add(-100ull, 10), ERR_RANGE);
	assert_int_equal(bootmem_add(PAGE, 9 * PAGE), 0);
	assert_int_equal(bootmem_add(20 * PAGE, UINT64_MAX), ERR_RANGE);
	assert_int_equal(bootmem_reserve(-100ull, 10), 0);
	assert_int_equal(bootmem_free_bytes(), 9 * PAGE);
	assert_int_equal(bootmem_reserve(8 * PAGE, -4 * PAGE), 0);
	assert_int_equal(bootmem_free_bytes(), 7 * PAGE);
	assert_int_equal(bootmem_free_bytes_in(8 * PAGE, 10 * PAGE), 0);
	assert_int_equal(bootmem_reserve(2 * PAGE + 1, UINT64_MAX), 0);
	assert_int_equal(bootmem_free_bytes(), PAGE);
}

static void
test_windows(void **state)
{
	struct bootmem_range r;

	(void)state;
	bootmem_init();
	assert_int_equal(bootmem_add(10 * PAGE, 10 * PAGE), 0);
	assert_int_equal(bootmem_add(40 * PAGE, 10 * PAGE), 0);
	assert_int_equal(bootmem_free_bytes_in(15 * PAGE, 45 * PAGE), 10 * PAGE);
	assert_int_equal(bootmem_take_in(0, 10 * PAGE, PAGE, &r), ERR_NOMEM);
	assert_int_equal(bootmem_take_in(15 * PAGE, 45 * PAGE, 100 * PAGE, &r), 0);
	assert_int_equal(r.pa, 15 * PAGE);
	assert_int_equal(r.bytes, 5 * PAGE);
	assert_int_equal(bootmem_take_in(15 * PAGE, 45 * PAGE, 2 * PAGE, &r), 0);
	assert_int_equal(r.pa, 40 * PAGE);
	assert_int_equal(r.bytes, 2 * PAGE);
	assert_int_equal(bootmem_free_bytes_in(0, UINT64_MAX), 13 * PAGE);
	assert_int_equal(bootmem_free_bytes_in(42 * PAGE, 42 * PAGE), 0);
}

static void
test_overlap(void **state)
{
	(void)state;
	bootmem_init();
	assert_int_equal(bootmem_add(8 * PAGE, 8 * PAGE), 0);
	assert_int_equal(bootmem_add(4 * PAGE, 5 * PAGE), ERR_EXIST);
	assert_int_equal(bootmem_add(15 * PAGE, PAGE), ERR_EXIST);
	assert_int_equal(bootmem_add(4 * PAGE, 4 * PAGE), 0);
	assert_int_equal(bootmem_free_bytes(), 12 * PAGE);
}

static void
test_full_table(void **state)
{
	(void)state;
	bootmem_init();
	for (uint32_t i = 0; i < BOOTMEM_RANGES_MAX; i++)
		assert_int_equal(bootmem_add(i * 4 * PAGE, 3 * PAGE), 0);
	assert_int_equal(bootmem_add(1000 * PAGE, PAGE), ERR_NOSPC);
	assert_int_equal(bootmem_total_bytes(), BOOTMEM_RANGES_MAX * 3 * PAGE);
	assert_int_equal(bootmem_reserve(PAGE, PAGE), ERR_NOSPC);
}

static void
test_alloc(void **state)
{
	uint64_t pa;

	(void)state;
	bootmem_init();
	assert_int_equal(bootmem_add(PAGE, 30 * PAGE), 0);
	assert_int_equal(bootmem_alloc(1, PAGE, &pa), 0);
	assert_int_equal(pa, 30 * PAGE);
	assert_int_equal(bootmem_alloc(2 * PAGE, 16 * PAGE, &pa), 0);
	assert_int_equal(pa, 16 * PAGE);
	assert_int_equal(bootmem_alloc(20 * PAGE, PAGE, &pa), ERR_NOMEM);
	assert_int_equal(bootmem_alloc(0, PAGE, &pa), ERR_NOMEM);
	assert_int_equal(bootmem_alloc(15 * PAGE, PAGE, &pa), 0);
	assert_int_equal(pa, PAGE);
}

/* ---- against a byte for each page: 0 no RAM, 1 free, 2 taken */

#define PAGES 256
static uint8_t model[PAGES];

static uint64_t
model_free(void)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		bytes += model[i] == 1 ? PAGE : 0;
	return (bytes);
}

static void
model_take(uint64_t pa, uint64_t bytes, bool all_free)
{
	for (uint64_t i = pa / PAGE; i < (pa + bytes) / PAGE; i++) {
		if (all_free)
			assert_int_equal(model[i], 1);
		if (model[i] == 1)
			model[i] = 2;
	}
}

static void
random_step(struct rng *rng)
{
	uint64_t start = rng_below(rng, PAGES - 20), count = 1 + rng_below(rng, 20);
	struct bootmem_range r;
	uint64_t pa;

	switch (rng_below(rng, 3)) {
	case 0:
		if (bootmem_reserve(start * PAGE, count * PAGE) == 0)
			model_take(start * PAGE, count * PAGE, false);
		break;
	case 1:
		if (bootmem_alloc(count * PAGE, PAGE << rng_below(rng, 4), &pa) == 0)
			model_take(pa, count * PAGE, true);
		break;
	default:
		if (bootmem_take(count * PAGE, &r) == 0)
			model_take(r.pa, r.bytes, true);
		break;
	}
	assert_int_equal(bootmem_free_bytes(), model_free());
}

static void
test_model(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (uint32_t round = 0; round < 500; round++) {
		bootmem_init();
		memset(model, 0, sizeof(model));
		for (uint32_t i = 0; i < 3; i++) {
			assert_int_equal(bootmem_add(i * 80 * PAGE, 70 * PAGE), 0);
			memset(model + i * 80, 1, 70);
		}
		for (uint32_t i = 0; i < 20; i++)
			random_step(&rng);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_model),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
