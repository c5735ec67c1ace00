/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/run_alloc.c against a model of one byte a slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "lib/run_alloc.h"
#include "test/host/sim_machdep.h"

#define SLOTS_MAX 70000u

static uint64_t storage[SLOTS_MAX / 8];
static uint8_t used[SLOTS_MAX];
static struct run_alloc ra;

static void
setup(uint32_t slot_count)
{
	assert_true(run_alloc_storage_bytes(slot_count) <= sizeof(storage));
	memset(storage, 0xa5, sizeof(storage));
	memset(used, 0, sizeof(used));
	run_alloc_init(&ra, storage, slot_count);
	assert_true(run_alloc_check(&ra));
	assert_int_equal(ra.free_count, slot_count);
}

static void
test_storage(void **state)
{
	(void)state;
	assert_int_equal(run_alloc_storage_bytes(1), 8 + 1);
	assert_int_equal(run_alloc_storage_bytes(64), 8 + 1);
	assert_int_equal(run_alloc_storage_bytes(65), 16 + 2 + 1);
	assert_int_equal(run_alloc_storage_bytes(64 * 17), 17 * 8 + 17 + 2 + 1);
	/* A GiB of 4 KiB slots. */
	assert_in_range(run_alloc_storage_bytes(262144), 262144 / 8, 262144 * 142 / 1000);
	/* The storage named is all that is touched. */
	for (uint32_t slots = 1; slots < 5000; slots += 61) {
		size_t bytes = run_alloc_storage_bytes(slots);

		setup(slots);
		assert_int_equal(((uint8_t *)storage)[bytes], 0xa5);
		for (uint32_t i = 0; i < slots; i++)
			assert_int_not_equal(run_alloc_get(&ra, 1), RUN_ALLOC_NONE);
		assert_int_equal(run_alloc_get(&ra, 1), RUN_ALLOC_NONE);
		assert_true(run_alloc_check(&ra));
		assert_int_equal(((uint8_t *)storage)[bytes], 0xa5);
	}
}

static void
test_next_fit(void **state)
{
	(void)state;
	setup(1000);
	assert_int_equal(run_alloc_get(&ra, 16), 0);
	assert_int_equal(run_alloc_get(&ra, 16), 16);
	run_alloc_put(&ra, 0, 16);
	assert_int_equal(run_alloc_get(&ra, 16), 32); /* not back to the hole */
	assert_int_equal(run_alloc_get(&ra, 20), 64); /* 48..63 is too small */
	assert_int_equal(run_alloc_get(&ra, 1), 84);
	while (run_alloc_get(&ra, 32) != RUN_ALLOC_NONE)
		continue;
	assert_int_equal(run_alloc_get(&ra, 4), 992); /* goes on behind the last run */
	assert_int_equal(run_alloc_get(&ra, 16), 0);  /* once around */
	assert_int_equal(run_alloc_get(&ra, 16), 48);
	assert_int_equal(run_alloc_get(&ra, 12), RUN_ALLOC_NONE);
	assert_int_equal(run_alloc_get(&ra, 11), 117);
	assert_int_equal(run_alloc_get(&ra, 4), 996);
	assert_int_equal(ra.free_count, 0);
}

static void
test_take(void **state)
{
	(void)state;
	setup(300);
	run_alloc_take(&ra, 0, 2);
	run_alloc_take(&ra, 60, 140); /* over three words */
	assert_int_equal(ra.free_count, 158);
	assert_false(run_alloc_is_free(&ra, 60));
	assert_false(run_alloc_is_free(&ra, 199));
	assert_true(run_alloc_is_free(&ra, 200));
	assert_true(run_alloc_check(&ra));
	assert_int_equal(run_alloc_get(&ra, 1), 2);
	run_alloc_put(&ra, 60, 140);
	assert_true(run_alloc_check(&ra));
	assert_int_equal(ra.free_count, 297);
}

static void
test_misuse(void **state)
{
	(void)state;
	setup(100);
	SIM_EXPECT_ASSERT("R1", run_alloc_put(&ra, 5, 1));
	assert_int_equal(run_alloc_get(&ra, 4), 0);
	SIM_EXPECT_ASSERT("R1", run_alloc_put(&ra, 3, 2)); /* one of two is free */
	SIM_EXPECT_ASSERT("R1", run_alloc_take(&ra, 0, 1));
	SIM_EXPECT_ASSERT("R7", run_alloc_get(&ra, 0));
	SIM_EXPECT_ASSERT("R7", run_alloc_get(&ra, 33));
	SIM_EXPECT_ASSERT("R8", run_alloc_put(&ra, 99, 2));
	SIM_EXPECT_ASSERT("R8", run_alloc_put(&ra, UINT32_MAX, 2));
	SIM_EXPECT_ASSERT("R8", (void)run_alloc_is_free(&ra, 100));
	SIM_EXPECT_ASSERT("R5", run_alloc_init(&ra, storage, 0));
	SIM_EXPECT_ASSERT("R6", run_alloc_init(&ra, (uint8_t *)storage + 4, 10));
	assert_int_equal(ra.free_count, 96);
}

/* First fit from the cursor on, then from the start, inside groups of 64. */
static uint32_t
model_first(uint32_t slot_count, uint32_t cursor, uint32_t count)
{
	for (int round = 0; round < 2; round++) {
		uint32_t run = 0;

		for (uint32_t i = round == 0 ? cursor : 0; i < slot_count; i++) {
			if (i % 64 == 0)
				run = 0;
			run = used[i] ? 0 : run + 1;
			if (run >= count)
				return (i + 1 - count);
		}
	}
	return (RUN_ALLOC_NONE);
}

struct live {
	uint32_t first, count;
};

static void
model_get(uint32_t slot_count, uint32_t count, struct live *out)
{
	uint32_t expected = model_first(slot_count, ra.cursor, count);
	uint32_t first = run_alloc_get(&ra, count);

	out->count = 0;
	assert_int_equal(first, expected);
	if (first == RUN_ALLOC_NONE)
		return;
	assert_true(first + count <= slot_count);
	assert_int_equal(first / 64, (first + count - 1) / 64);
	for (uint32_t i = first; i < first + count; i++) {
		assert_int_equal(used[i], 0);
		used[i] = 1;
	}
	*out = (struct live){ first, count };
}

static void
model_run(uint32_t slot_count, uint32_t operations, uint64_t seed)
{
	static struct live live[SLOTS_MAX];
	uint32_t live_count = 0, in_use = 0;
	struct rng rng;

	rng_seed(&rng, seed);
	setup(slot_count);
	for (uint32_t op = 0; op < operations; op++) {
		/* Waves: mostly taking, then mostly giving back. */
		bool taking = rng_below(&rng, 10) < (op / (slot_count / 4 + 64) % 2 ? 3 : 7);

		if (taking || live_count == 0) {
			uint32_t count = 1 + rng_below(&rng, rng_below(&rng, 3) ? 16 : 32);

			model_get(slot_count, count, &live[live_count]);
			in_use += live[live_count].count;
			live_count += live[live_count].count != 0;
		} else {
			struct live *l = &live[rng_below(&rng, live_count)];
			uint32_t count = 1 + rng_below(&rng, l->count);

			/* Give back a part from the front: slots are freed one by one in life. */
			run_alloc_put(&ra, l->first, count);
			memset(used + l->first, 0, count);
			in_use -= count;
			l->first += count;
			l->count -= count;
			if (l->count == 0)
				*l = live[--live_count];
		}
		assert_int_equal(ra.free_count, slot_count - in_use);
		if (op % 512 == 0)
			assert_true(run_alloc_check(&ra));
	}
	for (uint32_t i = 0; i < slot_count; i++)
		assert_int_equal(run_alloc_is_free(&ra, i), !used[i]);
	assert_true(run_alloc_check(&ra));
}

static void
test_model(void **state)
{
	uint64_t seed = sim_seed(20261122);

	(void)state;
	model_run(1, 200, seed);
	model_run(63, 5000, seed + 1);
	model_run(64, 5000, seed + 2);
	model_run(1000, 40000, seed + 3);
	model_run(2500, 40000, seed + 6); /* the last group of sixteen words is not full */
	model_run(16384, 100000, seed + 4);
	model_run(65600, 100000, seed + 5); /* four levels of hints */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage),
		cmocka_unit_test(test_next_fit),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_model),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
