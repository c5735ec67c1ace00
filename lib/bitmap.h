/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits in an array of 64-bit words; bit i lies in word i / 64. The caller owns
 * the words and their zeroing. No bounds are checked: the array has no length of
 * its own, so the functions that search take one.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Words for bit_count bits. */
#define BITMAP_WORDS(bit_count) (((bit_count) + 63) / 64)

#define BITMAP_NONE UINT32_MAX

static inline bool
bitmap_test(const uint64_t *map, uint32_t bit)
{
	return (map[bit / 64] >> bit % 64 & 1);
}

static inline void
bitmap_set(uint64_t *map, uint32_t bit)
{
	map[bit / 64] |= 1ull << bit % 64;
}

static inline void
bitmap_clear(uint64_t *map, uint32_t bit)
{
	map[bit / 64] &= ~(1ull << bit % 64);
}

/* First set (or clear) bit at or after from, below bit_count; else BITMAP_NONE. */
uint32_t bitmap_find_set(const uint64_t *map, uint32_t bit_count, uint32_t from);
uint32_t bitmap_find_clear(const uint64_t *map, uint32_t bit_count, uint32_t from);

/* Number of set bits below bit_count. */
uint32_t bitmap_count(const uint64_t *map, uint32_t bit_count);

/* Lowest position where count (1..64) consecutive bits of word are set, or -1. */
int bitmap_word_run(uint64_t word, uint32_t count);

/* Length of the longest run of set bits in word, 0..64. */
uint32_t bitmap_word_longest(uint64_t word);

#endif
