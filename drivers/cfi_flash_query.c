/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flash says of itself: the Common Flash Interface query.
 *
 * The width of the chips is found by asking: 0x98 is sent at word 0x55 in lanes of
 * 16, 8 and 32 bits until "QRY" comes back at word 0x10 in every lane. Then:
 *
 *   0x13 command set   0x15 extended table   0x1f-0x21 typical times, 2^n us, us, ms
 *   0x23-0x25 longest times, typical * 2^n   0x27 bytes of a chip, 2^n
 *   0x2a write buffer, 2^n bytes             0x2c erase regions; 0x2d blocks - 1, size / 256
 *   extended + 5: features (bit 1 erase suspend, 3 lock bits cleared all at once, 5 block locks)
 *
 * Owns: nothing.
 * Does not: assume a geometry; believe one that makes no sense.
 * Invariants: none.
 * Yields: never.
 * See: JEDEC JESD68.01 (CFI), JEP137B (command sets 1 and 3 are Intel's); Intel application
 *   notes 646 (query and extended table).
 */
#include <stddef.h>

#include "drivers/cfi_flash_internal.h"
#include "kern/console.h"
#include "kern/mmio.h"

#define WORD_US_DEFAULT    1000u
#define ERASE_US_DEFAULT   1000000u
#define TIME_US_MAX        60000000u
#define CHIP_SHIFT_MIN     16u
#define CHIP_SHIFT_MAX     30u
#define BUFFER_SHIFT_MAX   16u
#define BLOCK_BYTES_MIN    4096u

#define FEATURE_SUSPEND    (1u << 1)
#define FEATURE_UNLOCK_ALL (1u << 3)
#define FEATURE_LOCK_EACH  (1u << 5)

static void
command(const struct cfi_flash *c, uint32_t word, uint32_t value)
{
	mmio_write32(c->base + word * CFI_BUS_BYTES, cfi_lanes(c, value));
}

/* Byte n of the query, of which all chips must say the same. */
static uint8_t
query_byte(const struct cfi_flash *c, uint32_t n, bool *differ)
{
	uint32_t word = mmio_read32(c->base + n * CFI_BUS_BYTES);
	uint8_t value = (uint8_t)word;

	*differ |= word != cfi_lanes(c, value);
	return (value);
}

static uint16_t
query_16(const struct cfi_flash *c, uint32_t n, bool *differ)
{
	return ((uint16_t)(query_byte(c, n, differ) | query_byte(c, n + 1, differ) << 8));
}

/* Chips of so many bits: do they answer? Leaves them in the query if they do. */
static bool
query_begin(struct cfi_flash *c, uint32_t lane_bits)
{
	bool differ = false;

	c->lanes = CFI_BUS_BYTES * 8 / lane_bits;
	c->lane_ones = lane_bits == 32 ? 1 : lane_bits == 16 ? 0x00010001u : 0x01010101u;
	command(c, 0, CFI_ARRAY);
	command(c, 0x55, CFI_QUERY);
	if (query_byte(c, 0x10, &differ) == 'Q' && query_byte(c, 0x11, &differ) == 'R' &&
	    query_byte(c, 0x12, &differ) == 'Y' && !differ)
		return (true);
	command(c, 0, CFI_ARRAY);
	return (false);
}

/* 2^typical units of unit_us; at most 2^more as long. 0 where the query says none. */
static void
times(uint32_t unit_us, uint8_t typical, uint8_t more, uint32_t *us, uint32_t *us_max)
{
	uint64_t t;

	if (typical == 0)
		return;
	t = typical > 26 ? TIME_US_MAX : (uint64_t)unit_us << typical;
	*us = t > TIME_US_MAX ? TIME_US_MAX : (uint32_t)t;
	t = more > 26 ? TIME_US_MAX : (uint64_t)*us << (more == 0 ? 4 : more);
	*us_max = t > TIME_US_MAX ? TIME_US_MAX : (uint32_t)t;
}

static void
query_times(struct cfi_flash *c, bool *differ)
{
	uint8_t t[7];
	struct flash_geometry *g = &c->flash.geometry;

	for (uint32_t i = 0; i < sizeof(t); i++)
		t[i] = query_byte(c, 0x1f + i, differ);
	c->word_us = c->buffer_us = WORD_US_DEFAULT / 4;
	c->word_us_max = c->buffer_us_max = WORD_US_DEFAULT;
	g->erase_us = ERASE_US_DEFAULT;
	c->erase_us_max = 16 * ERASE_US_DEFAULT;
	times(1, t[0], t[4], &c->word_us, &c->word_us_max);
	times(1, t[1], t[5], &c->buffer_us, &c->buffer_us_max);
	times(1000, t[2], t[6], &g->erase_us, &c->erase_us_max);
}

/* Sizes; what is wrong with them, or NULL. */
static const char *
query_geometry(struct cfi_flash *c, uint64_t window_bytes, bool *differ)
{
	struct flash_geometry *g = &c->flash.geometry;
	uint32_t shift = query_byte(c, 0x27, differ), buffer = query_16(c, 0x2a, differ);
	uint32_t regions = query_byte(c, 0x2c, differ);
	uint64_t blocks = query_16(c, 0x2d, differ) + 1u;
	uint64_t bytes = query_16(c, 0x2f, differ) * 256u;

	if (shift < CHIP_SHIFT_MIN || shift > CHIP_SHIFT_MAX)
		return ("its size makes no sense");
	if ((uint64_t)c->lanes << shift > window_bytes)
		return ("it is larger than the address window");
	if (regions != 1)
		return ("its erase blocks are not all of one size");
	if (bytes < BLOCK_BYTES_MIN || (bytes & (bytes - 1)) != 0 ||
	    blocks * bytes != 1ull << shift)
		return ("its erase blocks do not make up its size");
	if (buffer > BUFFER_SHIFT_MAX || 1ull << buffer > bytes)
		return ("its write buffer makes no sense");
	g->block_bytes = (uint32_t)bytes * c->lanes;
	g->block_count = (uint32_t)blocks;
	g->program_bytes = CFI_BUS_BYTES;
	/* The field is a chip's; a program fills at most as much over all lanes, which is right
	 * for chips whose field is meant so and for those that mean the whole bus. */
	c->buffered = 1u << buffer >= 2 * CFI_BUS_BYTES;
	g->buffer_bytes = c->buffered ? 1u << buffer : CFI_BUS_BYTES;
	return (NULL);
}

static void
query_features(struct cfi_flash *c, bool *differ)
{
	uint32_t at = query_16(c, 0x15, differ), features = 0;

	c->unlock = CFI_UNLOCK_NONE;
	if (at < 0x31 || at > 0xff || query_byte(c, at, differ) != 'P' ||
	    query_byte(c, at + 1, differ) != 'R' || query_byte(c, at + 2, differ) != 'I')
		return;
	features = query_16(c, at + 5, differ);
	c->flash.geometry.can_suspend = (features & FEATURE_SUSPEND) != 0;
	if ((features & FEATURE_LOCK_EACH) != 0)
		c->unlock = CFI_UNLOCK_EACH;
	else if ((features & FEATURE_UNLOCK_ALL) != 0)
		c->unlock = CFI_UNLOCK_ALL;
}

static int
refuse(const char *what)
{
	kprintf("flash: %s; not used\n", what);
	return (ERR_NOTSUP);
}

int
cfi_query(struct cfi_flash *c, uint64_t window_bytes)
{
	bool differ = false;
	const char *fault;

	if (!query_begin(c, 16) && !query_begin(c, 8) && !query_begin(c, 32)) {
		kprintf("flash: no chip answers the CFI query; not used\n");
		return (ERR_NODEV);
	}
	c->command_set = query_16(c, 0x13, &differ);
	query_times(c, &differ);
	fault = query_geometry(c, window_bytes, &differ);
	query_features(c, &differ);
	command(c, 0, CFI_ARRAY);
	c->array = true;
	if (differ)
		return (refuse("the chips side by side are not alike"));
	if (c->command_set != 1 && c->command_set != 3) {
		kprintf("flash: command set %u, expected Intel's 1 or 3; not used\n",
		    c->command_set);
		return (ERR_NOTSUP);
	}
	return (fault != NULL ? refuse(fault) : 0);
}
