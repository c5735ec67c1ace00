/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated CFI flash chips; each lane of the bus is a chip with a state of its own.
 *
 * Owns: contents, modes, status registers.
 * Does not: interrupt.
 * Invariants: Q1 contents are not read while a chip shows something else or is busy;
 *   Q2 a program clears bits only; Q3 commands are whole words for every chip.
 * Yields: never.
 * See: test/host/sim_cfi.h; Intel Embedded Flash Memory (J3) data sheet, 308551.
 */
#include "test/host/sim_cfi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/cfi_flash_internal.h"
#include "kern/timer.h"
#include "lib/assert.h"

#define SUSPEND_LATENCY_US 20u

static uint32_t
lane_mask(const struct sim_cfi *s)
{
	return (s->lane_bits == 32 ? UINT32_MAX : (1u << s->lane_bits) - 1);
}

static bool
busy(const struct sim_cfi_chip *c)
{
	return (timer_now_us() < c->busy_until_us);
}

static void
take_time(struct sim_cfi *s, struct sim_cfi_chip *c, uint64_t us)
{
	bool second = c == &s->chips[1];

	c->busy_until_us = s->stuck ? UINT64_MAX : timer_now_us() + us + (second ? us / 8 : 0);
	if (!second)
		return;
	c->status |= s->fail_status;
	s->fail_status = 0;
}

/* ---- contents */

static uint32_t
lane_get(const struct sim_cfi *s, uint32_t lane, uint32_t word)
{
	uint32_t value;

	memcpy(&value, s->bytes + (uint64_t)word * 4, 4);
	return (value >> lane * s->lane_bits & lane_mask(s));
}

static void
lane_and(struct sim_cfi *s, uint32_t lane, uint32_t word, uint32_t value)
{
	uint32_t old, bits = value << lane * s->lane_bits;
	uint32_t mask = lane_mask(s) << lane * s->lane_bits;

	memcpy(&old, s->bytes + (uint64_t)word * 4, 4);
	KASSERT((bits & ~old & mask) == 0, "Q2: a program clears bits only");
	old &= bits | ~mask;
	memcpy(s->bytes + (uint64_t)word * 4, &old, 4);
}

static uint32_t
block_words(const struct sim_cfi *s)
{
	return (s->block_bytes / 4);
}

static void
lane_erase(struct sim_cfi *s, uint32_t lane, uint32_t at)
{
	uint32_t first = at / block_words(s) * block_words(s);

	for (uint32_t i = first; i < first + block_words(s); i++) {
		uint32_t old;

		memcpy(&old, s->bytes + (uint64_t)i * 4, 4);
		old |= lane_mask(s) << lane * s->lane_bits;
		memcpy(s->bytes + (uint64_t)i * 4, &old, 4);
	}
}

/* ---- a chip */

/* An erase that has had its time is done. */
static void
settle(struct sim_cfi *s, struct sim_cfi_chip *c)
{
	if (!c->erasing || c->suspended || busy(c))
		return;
	c->erasing = false;
	if ((c->status & CFI_SR_ERRORS) == 0)
		lane_erase(s, (uint32_t)(c - s->chips), c->erase_at);
}

static uint32_t
chip_read(struct sim_cfi *s, struct sim_cfi_chip *c, uint32_t word)
{
	settle(s, c);
	if (c->show == SIM_CFI_QUERY)
		return (word >= sizeof(s->query) ? 0 : (uint32_t)s->query[word] +
		    (word != 0 && word == s->odd_at && c == &s->chips[1]));
	if (c->show == SIM_CFI_STATUS)
		return (c->status | (busy(c) ? 0u : CFI_SR_READY) |
		    (c->suspended ? CFI_SR_SUSPENDED : 0u));
	KASSERT(!busy(c), "Q1: contents are not read while a chip is busy");
	KASSERT(!c->suspended || word / block_words(s) != c->erase_at / block_words(s),
	    "Q1: nor of the block whose erase is suspended");
	return (lane_get(s, (uint32_t)(c - s->chips), word));
}

static void
misunderstood(struct sim_cfi_chip *c)
{
	c->status |= CFI_SR_ERASE | CFI_SR_PROGRAM;
	c->expect = SIM_CFI_COMMAND;
	c->show = SIM_CFI_STATUS;
}

static bool
refused(const struct sim_cfi *s, struct sim_cfi_chip *c, uint32_t word, uint8_t bit)
{
	if (!s->locked[word / block_words(s)])
		return (false);
	c->status |= (uint8_t)(bit | CFI_SR_LOCKED);
	return (true);
}

static void
suspend(struct sim_cfi *s, struct sim_cfi_chip *c)
{
	c->show = SIM_CFI_STATUS;
	settle(s, c);
	if (!c->erasing)
		return;
	c->suspended = true;
	c->left_us = c->busy_until_us - timer_now_us();
	c->busy_until_us = timer_now_us() +
	    (s->suspend_us != 0 ? s->suspend_us : SUSPEND_LATENCY_US);
	s->suspends++;
}

static void
resume(struct sim_cfi *s, struct sim_cfi_chip *c)
{
	if (!c->suspended) {
		misunderstood(c);
		return;
	}
	c->suspended = false;
	c->busy_until_us = timer_now_us() + c->left_us;
	c->show = SIM_CFI_STATUS;
	s->resumes++;
}

/* A new command. */
static void
chip_command(struct sim_cfi *s, struct sim_cfi_chip *c, uint32_t word, uint32_t value)
{
	static const uint8_t starts[][2] = { { CFI_WORD, SIM_CFI_WORD },
		{ CFI_BUFFER, SIM_CFI_COUNT }, { CFI_ERASE, SIM_CFI_ERASE },
		{ CFI_LOCK, SIM_CFI_LOCK } };

	if (busy(c)) { /* nothing else is heard */
		if (value == CFI_SUSPEND)
			suspend(s, c);
		return;
	}
	if (value == CFI_ARRAY)
		c->show = SIM_CFI_ARRAY;
	else if (value == CFI_QUERY && word == 0x55)
		c->show = SIM_CFI_QUERY;
	else if (value == CFI_STATUS)
		c->show = SIM_CFI_STATUS;
	else if (value == CFI_CLEAR)
		c->status = 0;
	else if (value == CFI_SUSPEND)
		suspend(s, c);
	else if (value == CFI_CONFIRM)
		resume(s, c);
	for (uint32_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (value != starts[i][0])
			continue;
		KASSERT(!c->erasing, "Q3: no program or erase during an erase");
		c->expect = starts[i][1];
		c->show = SIM_CFI_STATUS;
	}
	if (c->expect == SIM_CFI_COUNT)
		c->busy_until_us = timer_now_us() + s->buffer_wait_us;
}

static void
buffer_program(struct sim_cfi *s, struct sim_cfi_chip *c)
{
	s->buffers++;
	if (!refused(s, c, c->buffer_at, CFI_SR_PROGRAM))
		for (uint32_t i = 0; i < c->staged_count; i++)
			lane_and(s, (uint32_t)(c - s->chips), c->buffer_at + i, c->staged[i]);
	take_time(s, c, s->buffer_us);
}

static void
confirmed(struct sim_cfi *s, struct sim_cfi_chip *c, uint32_t word, uint8_t expect)
{
	if (expect == SIM_CFI_CONFIRM) {
		buffer_program(s, c);
	} else if (expect == SIM_CFI_ERASE) {
		s->erases++;
		c->erase_at = word;
		c->erasing = !refused(s, c, word, CFI_SR_ERASE);
		take_time(s, c, c->erasing ? s->erase_us : 1);
	} else {
		s->unlocks++;
		s->locked[word / block_words(s)] = false;
		take_time(s, c, s->word_us);
	}
}

/* Words of a buffered program, one behind the other. */
static void
data_word(struct sim_cfi_chip *c, uint32_t word, uint32_t value)
{
	if (c->staged_count == 0)
		c->buffer_at = word;
	KASSERT(word == c->buffer_at + c->staged_count, "Q3: words follow each other");
	c->staged[c->staged_count++] = value;
	if (--c->left == 0)
		c->expect = SIM_CFI_CONFIRM;
}

static void
chip_write(struct sim_cfi *s, struct sim_cfi_chip *c, uint32_t word, uint32_t value)
{
	uint8_t expect = c->expect;

	settle(s, c);
	switch (expect) {
	case SIM_CFI_COMMAND:
		chip_command(s, c, word, value & 0xff);
		return;
	case SIM_CFI_WORD:
		s->words++;
		if (!refused(s, c, word, CFI_SR_PROGRAM))
			lane_and(s, (uint32_t)(c - s->chips), word, value);
		take_time(s, c, s->word_us);
		break;
	case SIM_CFI_COUNT:
		KASSERT(!busy(c), "Q3: no count before there is a buffer");
		c->left = value + 1;
		c->staged_count = 0;
		c->expect = SIM_CFI_DATA;
		if (c->left > s->buffer_words)
			misunderstood(c);
		return;
	case SIM_CFI_DATA:
		data_word(c, word, value);
		return;
	default:
		if ((value & 0xff) == CFI_CONFIRM)
			confirmed(s, c, word, expect);
		else
			misunderstood(c);
		break;
	}
	c->expect = SIM_CFI_COMMAND;
}

/* ---- the bus */

static uint32_t
bus_read(void *device, uint32_t offset)
{
	struct sim_cfi *s = device;
	uint32_t value = 0;

	if (s->lane_bits == 0)
		return (0);
	for (uint32_t lane = 0; lane < 32 / s->lane_bits; lane++)
		value |= (chip_read(s, &s->chips[lane], offset / 4) & lane_mask(s)) <<
		    lane * s->lane_bits;
	return (value);
}

static void
bus_write(void *device, uint32_t offset, uint32_t value)
{
	struct sim_cfi *s = device;

	if (s->lane_bits == 0)
		return;
	for (uint32_t lane = 0; lane < 32 / s->lane_bits; lane++)
		chip_write(s, &s->chips[lane], offset / 4,
		    value >> lane * s->lane_bits & lane_mask(s));
}

void
sim_cfi_query_make(struct sim_cfi *s)
{
	uint32_t lanes = 32 / s->lane_bits;
	uint32_t blocks = s->block_count - 1, unit = s->block_bytes / lanes / 256;
	static const uint8_t head[] = { 'Q', 'R', 'Y', 1, 0, 0x31, 0 };
	static const uint8_t extended[] = { 'P', 'R', 'I', '1', '1' };

	memset(s->query, 0, sizeof(s->query));
	memcpy(s->query + 0x10, head, sizeof(head));
	memcpy(s->query + 0x31, extended, sizeof(extended));
	memcpy(s->query + 0x1f, (const uint8_t[]){ 7, 8, 10, 0, 4, 3, 2 }, 7);
	s->query[0x27] = (uint8_t)__builtin_ctz(s->block_bytes / lanes * s->block_count);
	s->query[0x2a] = 6;
	s->query[0x2c] = 1;
	s->query[0x2d] = (uint8_t)blocks;
	s->query[0x2e] = (uint8_t)(blocks >> 8);
	s->query[0x2f] = (uint8_t)unit;
	s->query[0x30] = (uint8_t)(unit >> 8);
}

void
sim_cfi_init(struct sim_cfi *s)
{
	memset(s, 0, sizeof(*s));
	s->lane_bits = 16;
	s->block_bytes = 131072;
	s->block_count = 16;
	s->buffer_words = 32; /* 64 bytes of 16 bits */
	sim_cfi_query_make(s);
	s->bytes = malloc((size_t)s->block_bytes * s->block_count);
	if (s->bytes == NULL) {
		perror("sim_cfi_init");
		exit(1);
	}
	memset(s->bytes, 0xff, (size_t)s->block_bytes * s->block_count);
	s->window = (struct sim_mmio){ .base = SIM_CFI_BASE,
		.bytes = s->block_bytes * s->block_count, .read = bus_read, .write = bus_write,
		.device = s };
	sim_mmio_reset();
	sim_mmio_add(&s->window);
}

void
sim_cfi_close(struct sim_cfi *s)
{
	free(s->bytes);
	memset(s, 0, sizeof(*s));
	sim_mmio_reset();
}
