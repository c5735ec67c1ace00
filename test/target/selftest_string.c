/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self test of arch/arm64/string.S: every alignment, every small size.
 *
 * Owns: two buffers.
 * Does not: test memmove or the rest of the C library.
 * Invariants: none.
 * Yields: never.
 * See: test/target/self_string.test.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "test/target/selftest.h"

#define ALIGNMENTS 17u
#define SIZES      200u
#define BYTES      256u

static uint8_t from[BYTES] __attribute__((aligned(64)));
static uint8_t to[BYTES] __attribute__((aligned(64)));

/* Volatile, so that no loop here becomes a call of what is tested. */
static bool
all_are(const volatile uint8_t *at, uint32_t count, uint8_t value)
{
	for (uint32_t i = 0; i < count; i++)
		if (at[i] != value)
			return (false);
	return (true);
}

static void
background(void)
{
	for (volatile uint8_t *at = to; at < to + BYTES; at++)
		*at = 0xee;
}

static bool
set_works(uint32_t start, uint32_t size)
{
	background();
	return (memset(to + start, 0x15a, size) == to + start && all_are(to, start, 0xee) &&
	    all_are(to + start, size, 0x5a) &&
	    all_are(to + start + size, BYTES - start - size, 0xee));
}

static bool
copy_works(uint32_t start, uint32_t source, uint32_t size)
{
	background();
	if (memcpy(to + start, from + source, size) != to + start)
		return (false);
	for (uint32_t i = 0; i < size; i++)
		if (((volatile uint8_t *)to)[start + i] != from[source + i])
			return (false);
	return (all_are(to, start, 0xee) &&
	    all_are(to + start + size, BYTES - start - size, 0xee));
}

bool
selftest_string(void)
{
	for (uint32_t i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 7 + 1);
	for (uint32_t start = 0; start < ALIGNMENTS; start++)
		for (uint32_t size = 0; size < SIZES; size++)
			EXPECT(set_works(start, size));
	for (uint32_t start = 0; start < ALIGNMENTS; start++)
		for (uint32_t source = 0; source < ALIGNMENTS; source++)
			for (uint32_t size = 0; size < SIZES; size += 1 + size / 40)
				EXPECT(copy_works(start, source, size));
	return (true);
}
