/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searches in bitmaps, a word at a time.
 *
 * Owns: nothing.
 * Does not: allocate, nor check bounds beyond the given bit_count.
 * Invariants:
 *   B1 a result is below bit_count, whatever the bits beyond it are;
 *   B2 a run inside a word has 1 to 64 bits.
 * Yields: never.
 * Complexity: one step a word; the searches inside one word take log2(64) steps.
 *   ANDing a word with itself shifted by k keeps bit i only if bits i..i+k
 *   were set, so doubling k tests a run of any length in six steps.
 * See: lib/run_alloc.c, its main user.
 */
#include "lib/bitmap.h"

#include "lib/assert.h"

static uint32_t
find(const uint64_t *map, uint32_t bit_count, uint32_t from, uint64_t invert)
{
	uint64_t mask = ~0ull << from % 64;

	if (from >= bit_count)
		return (BITMAP_NONE);
	for (uint32_t w = from / 64; w < BITMAP_WORDS(bit_count); w++) {
		uint64_t word = (map[w] ^ invert) & mask;
		uint32_t bit;

		mask = ~0ull;
		if (word == 0)
			continue;
		bit = w * 64 + (uint32_t)__builtin_ctzll(word);
		return (bit < bit_count ? bit : BITMAP_NONE);
	}
	return (BITMAP_NONE);
}

uint32_t
bitmap_find_set(const uint64_t *map, uint32_t bit_count, uint32_t from)
{
	return (find(map, bit_count, from, 0));
}

uint32_t
bitmap_find_clear(const uint64_t *map, uint32_t bit_count, uint32_t from)
{
	return (find(map, bit_count, from, ~0ull));
}

/* Set bits of x, by halves: __builtin_popcountll needs SIMD or libgcc on AArch64. */
static uint32_t
word_count(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return ((uint32_t)(x * 0x0101010101010101ull >> 56));
}

uint32_t
bitmap_count(const uint64_t *map, uint32_t bit_count)
{
	uint32_t count = 0;

	for (uint32_t w = 0; w < bit_count / 64; w++)
		count += word_count(map[w]);
	if (bit_count % 64 != 0)
		count += word_count(map[bit_count / 64] & ((1ull << bit_count % 64) - 1));
	return (count);
}

int
bitmap_word_run(uint64_t word, uint32_t count)
{
	uint32_t have = 1; /* bit i of word: bits i..i+have-1 were set */

	KASSERT(count >= 1 && count <= 64, "B2: a run inside a word has 1 to 64 bits");
	while (have < count && word != 0) {
		uint32_t step = have < count - have ? have : count - have;

		word &= word >> step;
		have += step;
	}
	return (word == 0 ? -1 : __builtin_ctzll(word));
}

/* By binary search over the length; unrolled, no step of it branches. */
uint32_t
bitmap_word_longest(uint64_t word)
{
	uint64_t power[6];     /* power[k]: starts of runs of 2^k bits */
	uint64_t runs = ~0ull; /* starts of runs of length bits */
	uint32_t length = 0;

	if (word == ~0ull)
		return (64);
	power[0] = word;
#pragma GCC unroll 5
	for (int k = 0; k < 5; k++)
		power[k + 1] = power[k] & power[k] >> (1u << k);
#pragma GCC unroll 6
	for (int k = 5; k >= 0; k--) {
		uint64_t longer = runs & power[k] >> length;

		runs = longer != 0 ? longer : runs;
		length += longer != 0 ? 1u << k : 0;
	}
	return (length);
}
