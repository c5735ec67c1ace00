/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of consecutive slots: bits, and a radix-16 tree of longest-run hints.
 *
 *   hints[2]                 [ 32 ]                 longest run below, capped at 32
 *   hints[1]      [ 32 | 7 | 0 | ... x16 ]
 *   hints[0]   [ 32 | 4 | ... x16 ] [ ... ]         one for each word
 *   words      [ 64 slots ] [ 64 slots ] ...        bit set = free
 *
 * A run never crosses a word: with runs of at most 32 in words of 64 the loss is
 * small, and both search and hints become exact one-word operations.
 *
 * Owns: the storage given to run_alloc_init.
 * Does not: know what a slot is; lock (callers are tasks under one kernel lock).
 * Invariants:
 *   R1 a slot is given out only when its bit says free, and given back only when
 *      its bit says used;
 *   R2 hints[0][w] is the longest run of word w, capped at RUN_ALLOC_MAX; every
 *      higher hint is the largest of its sixteen children;
 *   R3 bits beyond slot_count are never set;
 *   R4 free_count is the number of set bits;
 *   R5 an area has at least one slot, and fewer than RUN_ALLOC_NONE;
 *   R6 storage is aligned for 64-bit words;
 *   R7 a run has 1 to RUN_ALLOC_MAX slots;
 *   R8 a range given by a caller lies inside the area.
 * Yields: never.
 * Complexity: get and put O(16 * levels) at worst; mostly one word and one hint.
 * See: lib/run_alloc.h; lib/bitmap.c for the searches inside a word.
 */
#include "lib/run_alloc.h"

#include "lib/assert.h"
#include "lib/bitmap.h"

#define RADIX 16u

static uint32_t
hint_bytes(uint32_t slot_count)
{
	uint32_t count = BITMAP_WORDS((uint64_t)slot_count);
	uint32_t total = count;

	while (count > 1) {
		count = (count + RADIX - 1) / RADIX;
		total += count;
	}
	return (total);
}

size_t
run_alloc_storage_bytes(uint32_t slot_count)
{
	return (BITMAP_WORDS((size_t)slot_count) * 8 + hint_bytes(slot_count));
}

static uint8_t
word_hint(uint64_t word)
{
	uint32_t longest = bitmap_word_longest(word);

	return ((uint8_t)(longest < RUN_ALLOC_MAX ? longest : RUN_ALLOC_MAX));
}

/* Largest of the children of node at level (>= 1). */
static uint8_t
children_max(const struct run_alloc *ra, uint32_t level, uint32_t node)
{
	uint32_t first = node * RADIX;
	uint32_t last = first + RADIX;
	uint8_t best = 0;

	if (last > ra->hint_count[level - 1])
		last = ra->hint_count[level - 1];
	for (uint32_t i = first; i < last; i++)
		if (ra->hints[level - 1][i] > best)
			best = ra->hints[level - 1][i];
	return (best);
}

/* The hint of word w is now this: set it, and those above as far as they change. */
static void
hints_update(struct run_alloc *ra, uint32_t w, uint8_t hint)
{
	uint32_t node = w;

	for (uint32_t level = 0; level < ra->level_count; level++) {
		uint8_t old = ra->hints[level][node];

		if (level > 0 && !(hint > old))
			hint = children_max(ra, level, node);
		if (hint == old)
			return;
		ra->hints[level][node] = hint;
		node /= RADIX;
	}
}

static void
levels_init(struct run_alloc *ra, uint8_t *storage)
{
	uint32_t count = BITMAP_WORDS((uint64_t)ra->slot_count);
	uint32_t level = 0;

	for (;;) {
		ra->hints[level] = storage;
		ra->hint_count[level] = count;
		storage += count;
		level++;
		if (count == 1)
			break;
		count = (count + RADIX - 1) / RADIX;
	}
	ra->level_count = level;
}

void
run_alloc_init(struct run_alloc *ra, void *storage, uint32_t slot_count)
{
	uint32_t words = BITMAP_WORDS((uint64_t)slot_count);

	KASSERT(slot_count >= 1 && slot_count < RUN_ALLOC_NONE, "R5: an area has slots");
	KASSERT(((uintptr_t)storage & 7) == 0, "R6: storage is aligned for words");
	ra->words = storage;
	ra->slot_count = slot_count;
	ra->free_count = slot_count;
	ra->cursor = 0;
	levels_init(ra, (uint8_t *)storage + (size_t)words * 8);
	for (uint32_t w = 0; w < words; w++)
		ra->words[w] = ~0ull;
	if (slot_count % 64 != 0)
		ra->words[words - 1] = (1ull << slot_count % 64) - 1;
	for (uint32_t w = 0; w < words; w++)
		ra->hints[0][w] = word_hint(ra->words[w]);
	for (uint32_t level = 1; level < ra->level_count; level++)
		for (uint32_t i = 0; i < ra->hint_count[level]; i++)
			ra->hints[level][i] = children_max(ra, level, i);
}

/* Down from node at level, whose hint promises a run of count: its first such word. */
static uint32_t
descend(const struct run_alloc *ra, uint32_t level, uint32_t node, uint32_t count)
{
	while (level > 0) {
		level--;
		node *= RADIX;
		while (ra->hints[level][node] < count)
			node++;
	}
	return (node);
}

/*
 * First word at or after w that has a run of count, or RUN_ALLOC_NONE: look at
 * the rest of w's group of sixteen, then at the rest of its parent's, and so on.
 */
static uint32_t
find_word(const struct run_alloc *ra, uint32_t w, uint32_t count)
{
	uint32_t node = w;

	for (uint32_t level = 0; level < ra->level_count; level++) {
		uint32_t end = (node / RADIX + 1) * RADIX;

		if (end > ra->hint_count[level])
			end = ra->hint_count[level];
		for (; node < end; node++)
			if (ra->hints[level][node] >= count)
				return (descend(ra, level, node, count));
		node = (node + RADIX - 1) / RADIX; /* the next group's parent */
		if (level + 1 < ra->level_count && node >= ra->hint_count[level + 1])
			return (RUN_ALLOC_NONE);
	}
	return (RUN_ALLOC_NONE);
}

/* Take bits [bit, bit + count) of word w, all known to be free. */
static uint32_t
word_take(struct run_alloc *ra, uint32_t w, uint32_t bit, uint32_t count)
{
	uint32_t first = w * 64 + bit;
	uint64_t mask = (count == 64 ? ~0ull : (1ull << count) - 1) << bit;

	KASSERT((ra->words[w] & mask) == mask, "R1: a slot that is taken was free");
	ra->words[w] &= ~mask;
	ra->free_count -= count;
	hints_update(ra, w, word_hint(ra->words[w]));
	return (first);
}

uint32_t
run_alloc_get(struct run_alloc *ra, uint32_t count)
{
	uint32_t w = ra->cursor / 64;
	int bit;

	KASSERT(count >= 1 && count <= RUN_ALLOC_MAX, "R7: a run has 1 to 32 slots");
	bit = bitmap_word_run(ra->words[w] & ~0ull << ra->cursor % 64, count);
	if (bit < 0) {
		w = find_word(ra, w + 1, count);
		if (w == RUN_ALLOC_NONE)
			w = find_word(ra, 0, count);
		if (w == RUN_ALLOC_NONE)
			return (RUN_ALLOC_NONE);
		bit = bitmap_word_run(ra->words[w], count);
		KASSERT(bit >= 0, "R2: a hint keeps its promise");
	}
	ra->cursor = w * 64 + (uint32_t)bit + count;
	if (ra->cursor >= ra->slot_count)
		ra->cursor = 0;
	return (word_take(ra, w, (uint32_t)bit, count));
}

/* Where in word w, without what lies outside [from, to), a run of count begins; or -1. */
static int
window_run(const struct run_alloc *ra, uint32_t w, uint32_t from, uint32_t to, uint32_t count)
{
	uint64_t word = ra->words[w];

	if (w == from / 64)
		word &= ~0ull << from % 64;
	if (w == to / 64)
		word &= (1ull << to % 64) - 1;
	return (bitmap_word_run(word, count));
}

/* The first run of count in [from, to), or RUN_ALLOC_NONE. */
static uint32_t
find_in(const struct run_alloc *ra, uint32_t from, uint32_t to, uint32_t count)
{
	KASSERT(count >= 1 && count <= RUN_ALLOC_MAX, "R7: a run has 1 to 32 slots");
	KASSERT(from <= to && to <= ra->slot_count, "R8: a range lies inside the area");
	for (uint32_t w = from / 64; from < to && w <= (to - 1) / 64; w++) {
		int bit = ra->hints[0][w] < count ? -1 : window_run(ra, w, from, to, count);

		if (bit >= 0)
			return (w * 64 + (uint32_t)bit);
	}
	return (RUN_ALLOC_NONE);
}

bool
run_alloc_has_in(const struct run_alloc *ra, uint32_t from, uint32_t to, uint32_t count)
{
	return (find_in(ra, from, to, count) != RUN_ALLOC_NONE);
}

uint32_t
run_alloc_get_in(struct run_alloc *ra, uint32_t from, uint32_t to, uint32_t count)
{
	uint32_t first = find_in(ra, from, to, count);

	return (first == RUN_ALLOC_NONE ? first : word_take(ra, first / 64, first % 64, count));
}

/* Slots of [first, first + count) that lie in first's word. */
static uint32_t
in_word(uint32_t first, uint32_t count)
{
	uint32_t room = 64 - first % 64;

	return (count < room ? count : room);
}

void
run_alloc_take(struct run_alloc *ra, uint32_t first, uint32_t count)
{
	KASSERT(first < ra->slot_count && count <= ra->slot_count - first,
	    "R8: a range lies inside the area");
	while (count > 0) {
		uint32_t n = in_word(first, count);

		word_take(ra, first / 64, first % 64, n);
		first += n;
		count -= n;
	}
}

/* Length of the run of set bits that holds [bit, bit + count). */
static uint32_t
run_around(uint64_t word, uint32_t bit, uint32_t count)
{
	uint64_t below = bit == 0 ? ~0ull : ~(word << (64 - bit));
	uint64_t above = bit + count == 64 ? ~0ull : ~(word >> (bit + count));

	/* the bits on each side, inverted: zeros up to the end of the run */
	return (count + (uint32_t)__builtin_clzll(below) + (uint32_t)__builtin_ctzll(above));
}

void
run_alloc_put(struct run_alloc *ra, uint32_t first, uint32_t count)
{
	KASSERT(first < ra->slot_count && count <= ra->slot_count - first,
	    "R8: a range lies inside the area");
	while (count > 0) {
		uint32_t n = in_word(first, count);
		uint32_t w = first / 64;
		uint64_t mask = (n == 64 ? ~0ull : (1ull << n) - 1) << first % 64;

		KASSERT((ra->words[w] & mask) == 0, "R1: a slot that is given back was in use");
		ra->words[w] |= mask;
		ra->free_count += n;
		if (run_around(ra->words[w], first % 64, n) > ra->hints[0][w])
			hints_update(ra, w, word_hint(ra->words[w]));
		first += n;
		count -= n;
	}
}

bool
run_alloc_is_free(const struct run_alloc *ra, uint32_t slot)
{
	KASSERT(slot < ra->slot_count, "R8: a range lies inside the area");
	return (bitmap_test(ra->words, slot));
}

bool
run_alloc_check(const struct run_alloc *ra)
{
	uint32_t tail = ra->slot_count % 64;

	for (uint32_t w = 0; w < ra->hint_count[0]; w++)
		if (ra->hints[0][w] != word_hint(ra->words[w]))
			return (false);
	for (uint32_t level = 1; level < ra->level_count; level++)
		for (uint32_t i = 0; i < ra->hint_count[level]; i++)
			if (ra->hints[level][i] != children_max(ra, level, i))
				return (false);
	if (tail != 0 && ra->words[ra->slot_count / 64] >> tail != 0)
		return (false);
	return (bitmap_count(ra->words, ra->slot_count) == ra->free_count);
}
