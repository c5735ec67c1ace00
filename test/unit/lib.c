/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/: error names, CRC-32C, bitmaps, byte ring, generator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bitmap.h"
#include "lib/crc32c.h"
#include "lib/err.h"
#include "lib/ring.h"
#include "lib/rng.h"
#include "test/host/sim_machdep.h"

static void
test_err(void **state)
{
	(void)state;
	assert_string_equal(err_string(ERR_IO), "I/O error");
	for (int err = 0; err >= ERR_SRCH; err--) {
		assert_string_not_equal(err_string(err), "unknown error");
		for (int other = 0; other > err; other--)
			assert_string_not_equal(err_string(err), err_string(other));
	}
	assert_string_equal(err_string(ERR_SRCH - 1), "unknown error");
	assert_string_equal(err_string(1), "unknown error");
	assert_string_equal(err_string(INT32_MIN), "unknown error");
}

/* Bit by bit, straight from the definition. */
static uint32_t
crc_model(uint32_t seed, const uint8_t *p, size_t bytes)
{
	uint32_t crc = ~seed;

	for (; bytes > 0; bytes--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return (~crc);
}

static void
test_crc32c(void **state)
{
	static uint8_t data[4096 + 64];
	struct rng rng;

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c(0, "", 0), 0);
	memset(data, 0, 32);
	assert_int_equal(crc32c(0, data, 32), 0x8a9136aau); /* RFC 3720, B.4 */
	memset(data, 0xff, 32);
	assert_int_equal(crc32c(0, data, 32), 0x62a8ab43u);
	rng_seed(&rng, 5);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rng_next(&rng);
	for (int i = 0; i < 500; i++) {
		size_t from = rng_below(&rng, 64);
		size_t bytes = rng_below(&rng, 4096);
		size_t split = rng_below(&rng, (uint32_t)bytes + 1);
		uint32_t whole = crc32c(0, data + from, bytes);

		assert_int_equal(whole, crc_model(0, data + from, bytes));
		assert_int_equal(whole, crc32c(crc32c(0, data + from, split),
		    data + from + split, bytes - split));
	}
}

static void
test_bitmap(void **state)
{
	uint64_t map[4] = { 0 };

	(void)state;
	assert_int_equal(BITMAP_WORDS(0), 0);
	assert_int_equal(BITMAP_WORDS(64), 1);
	assert_int_equal(BITMAP_WORDS(65), 2);
	bitmap_set(map, 3);
	bitmap_set(map, 130);
	bitmap_set(map, 200);
	assert_true(bitmap_test(map, 130));
	assert_false(bitmap_test(map, 131));
	assert_int_equal(bitmap_find_set(map, 256, 0), 3);
	assert_int_equal(bitmap_find_set(map, 256, 3), 3);
	assert_int_equal(bitmap_find_set(map, 256, 4), 130);
	assert_int_equal(bitmap_find_set(map, 200, 131), BITMAP_NONE); /* beyond the count */
	assert_int_equal(bitmap_find_set(map, 256, 256), BITMAP_NONE);
	assert_int_equal(bitmap_find_clear(map, 256, 3), 4);
	assert_int_equal(bitmap_count(map, 256), 3);
	assert_int_equal(bitmap_count(map, 200), 2);
	assert_int_equal(bitmap_count(map, 201), 3);
	bitmap_clear(map, 130);
	assert_int_equal(bitmap_find_set(map, 256, 4), 200);
	memset(map, 0xff, sizeof(map));
	assert_int_equal(bitmap_find_clear(map, 256, 0), BITMAP_NONE);
	assert_int_equal(bitmap_count(map, 256), 256);
}

/* Bit by bit: the longest run, and where the first of each length begins. */
static uint32_t
runs_model(uint64_t word, int first[65])
{
	uint32_t longest = 0, run = 0;

	for (uint32_t n = 1; n <= 64; n++)
		first[n] = -1;
	for (int bit = 0; bit < 64; bit++) {
		run = word >> bit & 1 ? run + 1 : 0;
		for (uint32_t n = 1; n <= run; n++)
			if (first[n] < 0)
				first[n] = bit - (int)n + 1;
		if (run > longest)
			longest = run;
	}
	return (longest);
}

static void
test_bitmap_runs(void **state)
{
	struct rng rng;
	int first[65];

	(void)state;
	rng_seed(&rng, 77);
	for (int i = 0; i < 20000; i++) {
		uint64_t word = rng_next(&rng);

		if (i % 3 == 1)
			word |= rng_next(&rng) | rng_next(&rng);
		if (i % 3 == 2)
			word = i % 2 ? ~0ull << i % 64 : ~0ull >> i % 64;
		assert_int_equal(bitmap_word_longest(word), runs_model(word, first));
		for (uint32_t n = 1; n <= 64; n++)
			assert_int_equal(bitmap_word_run(word, n), first[n]);
	}
	assert_int_equal(bitmap_word_longest(0), 0);
	assert_int_equal(bitmap_word_longest(~0ull), 64);
	SIM_EXPECT_ASSERT("B2", bitmap_word_run(1, 0));
	SIM_EXPECT_ASSERT("B2", bitmap_word_run(1, 65));
}

static void
test_ring(void **state)
{
	uint8_t bytes[8];
	struct ring ring = RING_INITIALIZER(bytes);
	uint8_t in = 0, out = 0;

	(void)state;
	assert_int_equal(ring_get(&ring), -1);
	ring.put = ring.get = UINT32_MAX - 3; /* positions wrap */
	for (int round = 0; round < 20; round++) {
		while (ring_put(&ring, in))
			in++;
		assert_int_equal(ring_used(&ring), 8);
		assert_int_equal(ring_room(&ring), 0);
		for (int i = 0; i < 5; i++)
			assert_int_equal(ring_get(&ring), out++);
		assert_int_equal(ring_room(&ring), 5);
	}
	ring_clear(&ring);
	assert_int_equal(ring_used(&ring), 0);
	ring_put(&ring, 0xff);
	assert_int_equal(ring_get(&ring), 0xff);
}

static void
test_rng(void **state)
{
	struct rng rng;
	uint32_t seen[10] = { 0 };

	(void)state;
	rng_seed(&rng, 0);
	assert_int_equal(rng.state, 88172645463325252ull);
	rng_seed(&rng, 1);
	assert_int_equal(rng_next(&rng), 5180492295206395165ull);
	for (int i = 0; i < 10000; i++)
		seen[rng_below(&rng, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_int_equal(rng_below(&rng, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_bitmap_runs),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_rng),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
