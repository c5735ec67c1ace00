/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash with the Intel command set, chips side by side on a 32-bit bus.
 *
 *   program  0xe8, wait for a buffer, words - 1, the words, 0xd0, wait   (or 0x40, word, wait)
 *   erase    0x20, 0xd0, poll                     suspend 0xb0, wait; resume 0xd0
 *   wait     status bit 7 in all lanes; then the error bits of all lanes
 *
 * There is no interrupt. A wait looks at the status a few times, then sleeps between
 * looks, at first for a part of the typical time, then for longer and longer, until the longest
 * time that the query gives has passed.
 *
 * Owns: struct cfi_flash, the chips' mode.
 * Does not: know what lies on the flash; retry.
 * Invariants:
 *   C1 the chips are in array mode whenever `array` says so, and only then are words read
 *      as contents;
 *   C2 no command but status and suspend is sent while an erase is under way.
 * Yields: read (if something is stuck), program, suspend, resume, attach.
 * See: Intel Embedded Flash Memory (J3) data sheet, order number 308551, chapters 8-11
 *   and its flow charts; drivers/cfi_flash_query.c.
 */
#include "drivers/cfi_flash.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/cfi_flash_internal.h"
#include "drivers/drivers_params.h"
#include "kern/console.h"
#include "kern/mmio.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/assert.h"

#define LOOKS_AT_ONCE  64u     /* before the first sleep */
#define PAUSE_SHARE    4u      /* of the typical time: the first sleep */
#define PAUSE_US_MAX   10000u
#define SUSPEND_US     50u     /* latency; the query does not give it */
#define SUSPEND_US_MAX 100000u

static struct cfi_flash the_flash;

/* ---- words */

static struct cfi_flash *
of(struct flash *flash)
{
	return ((struct cfi_flash *)(void *)flash);
}

static void
command(struct cfi_flash *c, uint64_t offset, uint32_t value)
{
	mmio_write32(c->base + (uintptr_t)offset, cfi_lanes(c, value));
	c->array = value == CFI_ARRAY;
}

static bool
ready(const struct cfi_flash *c, uint32_t status)
{
	uint32_t all = cfi_lanes(c, CFI_SR_READY);

	return ((status & all) == all);
}

/* Status bits that are set in any lane. */
static uint32_t
fold(const struct cfi_flash *c, uint32_t status)
{
	uint32_t bits = 0;

	for (uint32_t lane = 0; lane < c->lanes; lane++)
		bits |= status >> lane * (32 / c->lanes);
	return (bits & 0xff);
}

/* ---- waiting and judging */

static int
timed_out(struct cfi_flash *c, uint64_t offset, const char *what)
{
	drivers_params.flash_timeouts++;
	c->stuck = true;
	kprintf("%s: %s at %#llx has not ended in time\n", c->flash.name, what,
	    (unsigned long long)offset);
	return (ERR_TIMEDOUT);
}

/* The chips' status at offset once all are ready; ERR_TIMEDOUT. */
static int
wait_ready(struct cfi_flash *c, uint64_t offset, uint32_t us, uint32_t us_max)
{
	uint64_t began_us = timer_now_us();
	uint32_t pause_us = us / PAUSE_SHARE + 1;

	for (uint32_t looks = 0;; looks++) {
		bool late = timer_now_us() - began_us > us_max;

		if (ready(c, mmio_read32(c->base + (uintptr_t)offset)))
			return (0);
		if (late)
			return (ERR_TIMEDOUT);
		if (looks < LOOKS_AT_ONCE)
			continue;
		tsleep(c, "flash", pause_us);
		pause_us = pause_us < PAUSE_US_MAX / 2 ? pause_us * 2 : PAUSE_US_MAX;
	}
}

struct verdict {
	uint32_t bits; /* all of them set */
	int error;
	const char *text;
};

/* 0, or the error that the status tells of, with a line; clears it. */
static int
judge(struct cfi_flash *c, uint64_t offset, uint32_t status)
{
	static const struct verdict verdicts[] = {
		{ CFI_SR_VOLTAGE, ERR_IO, "the programming voltage is too low" },
		{ CFI_SR_LOCKED, ERR_ROFS, "the block is locked" },
		{ CFI_SR_ERASE | CFI_SR_PROGRAM, ERR_IO, "the chip did not understand" },
		{ CFI_SR_ERASE, ERR_IO, "the block does not erase" },
		{ CFI_SR_PROGRAM, ERR_IO, "a word does not program" },
	};
	uint32_t bits = fold(c, status);
	uint32_t i = 0;

	if ((bits & CFI_SR_ERRORS) == 0)
		return (0);
	while ((bits & verdicts[i].bits) != verdicts[i].bits)
		i++;
	drivers_params.flash_status_errors++;
	kprintf("%s: at %#llx: %s (status %08x)\n", c->flash.name, (unsigned long long)offset,
	    verdicts[i].text, status);
	command(c, 0, CFI_CLEAR);
	return (verdicts[i].error);
}

/* After something that did not end in time: is the chip with us again? */
static int
unstick(struct cfi_flash *c)
{
	if (!c->stuck)
		return (0);
	command(c, 0, CFI_STATUS);
	if (!ready(c, mmio_read32(c->base)))
		return (ERR_TIMEDOUT);
	command(c, 0, CFI_CLEAR);
	c->stuck = false;
	return (0);
}

/* May an operation on [offset, offset + bytes) begin? */
static int
begin(struct cfi_flash *c, uint64_t offset, uint32_t bytes)
{
	const struct flash_geometry *g = &c->flash.geometry;
	uint64_t all = (uint64_t)g->block_bytes * g->block_count;

	if ((offset | bytes) % CFI_BUS_BYTES != 0 || bytes == 0 || offset >= all ||
	    bytes > all - offset)
		return (ERR_RANGE);
	return (unstick(c));
}

/* ---- operations */

static int
cfi_read(struct flash *flash, uint64_t offset, void *buffer, uint32_t bytes)
{
	struct cfi_flash *c = of(flash);
	uint32_t *to = buffer;
	uintptr_t from;
	int error;

	if (c->state == CFI_ERASING)
		return (ERR_BUSY);
	error = begin(c, offset, bytes);
	if (error != 0)
		return (error);
	if (!c->array)
		command(c, 0, CFI_ARRAY);
	from = c->base + (uintptr_t)offset;
	for (uint32_t i = 0; i < bytes / CFI_BUS_BYTES; i++)
		to[i] = mmio_read32(from + i * CFI_BUS_BYTES);
	return (0);
}

static int
program_buffer(struct cfi_flash *c, uint64_t offset, const uint32_t *data, uint32_t words)
{
	/* Any address in the block would do for a chip; QEMU takes the buffer's from it. */
	uint64_t at = offset & ~(uint64_t)(c->flash.geometry.buffer_bytes - 1);
	int error;

	/* Asked once: a chip that has a buffer takes what comes next for the count. */
	command(c, at, CFI_BUFFER);
	error = wait_ready(c, at, c->buffer_us, c->buffer_us_max);
	if (error != 0)
		return (error);
	command(c, at, words - 1);
	for (uint32_t i = 0; i < words; i++)
		mmio_write32(c->base + (uintptr_t)offset + i * CFI_BUS_BYTES, data[i]);
	command(c, at, CFI_CONFIRM);
	return (wait_ready(c, offset, c->buffer_us, c->buffer_us_max));
}

static int
program_word(struct cfi_flash *c, uint64_t offset, uint32_t word)
{
	command(c, offset, CFI_WORD);
	mmio_write32(c->base + (uintptr_t)offset, word);
	return (wait_ready(c, offset, c->word_us, c->word_us_max));
}

static int
cfi_program(struct flash *flash, uint64_t offset, const void *buffer, uint32_t bytes)
{
	struct cfi_flash *c = of(flash);
	const uint32_t *data = buffer;
	uint32_t most = flash->geometry.buffer_bytes;
	int error = begin(c, offset, bytes);

	if (error == 0 && offset / most != (offset + bytes - 1) / most)
		error = ERR_RANGE;
	if (error == 0 && c->state != CFI_IDLE)
		error = ERR_BUSY;
	if (error != 0)
		return (error);
	if (c->buffered)
		error = program_buffer(c, offset, data, bytes / CFI_BUS_BYTES);
	else
		error = program_word(c, offset, *data);
	if (error != 0)
		return (timed_out(c, offset, "a program"));
	return (judge(c, offset, mmio_read32(c->base + (uintptr_t)offset)));
}

static int
cfi_erase_start(struct flash *flash, uint32_t block)
{
	struct cfi_flash *c = of(flash);
	uint64_t offset = (uint64_t)block * flash->geometry.block_bytes;
	int error = begin(c, offset, CFI_BUS_BYTES);

	if (error == 0 && c->state != CFI_IDLE)
		error = ERR_BUSY;
	if (error != 0)
		return (error);
	command(c, offset, CFI_ERASE);
	command(c, offset, CFI_CONFIRM);
	c->state = CFI_ERASING;
	c->block = block;
	c->erase_began_us = timer_now_us();
	return (0);
}

static int
cfi_erase_suspend(struct flash *flash)
{
	struct cfi_flash *c = of(flash);
	uint64_t offset = (uint64_t)c->block * flash->geometry.block_bytes;
	uint64_t us = timer_now_us() - c->erase_began_us;

	KASSERT(c->state == CFI_ERASING, "C2: an erase is under way");
	if (!flash->geometry.can_suspend)
		return (ERR_NOTSUP);
	command(c, offset, CFI_SUSPEND);
	command(c, offset, CFI_STATUS);
	if (wait_ready(c, offset, SUSPEND_US, SUSPEND_US_MAX) != 0)
		return (ERR_TIMEDOUT); /* it goes on, and erase_poll judges it */
	c->suspend_status = mmio_read32(c->base + (uintptr_t)offset);
	c->state = CFI_SUSPENDED;
	c->erase_began_us = us;
	return (0);
}

/* Only chips that were suspended get the command: one may have ended before, or both. */
static int
cfi_erase_resume(struct flash *flash)
{
	struct cfi_flash *c = of(flash);
	uint64_t offset = (uint64_t)c->block * flash->geometry.block_bytes;
	uint32_t bits = 32 / c->lanes, word = 0;

	KASSERT(c->state == CFI_SUSPENDED, "C2: an erase is suspended");
	for (uint32_t lane = 0; lane < c->lanes; lane++) {
		bool suspended = (c->suspend_status >> lane * bits & CFI_SR_SUSPENDED) != 0;

		word |= (suspended ? CFI_CONFIRM : CFI_ARRAY) << lane * bits;
	}
	mmio_write32(c->base + (uintptr_t)offset, word);
	command(c, offset, CFI_STATUS);
	c->state = CFI_ERASING;
	c->erase_began_us = timer_now_us() - c->erase_began_us;
	return (0);
}

static int
cfi_erase_poll(struct flash *flash)
{
	struct cfi_flash *c = of(flash);
	uint64_t offset = (uint64_t)c->block * flash->geometry.block_bytes;
	uint64_t us = timer_now_us() - c->erase_began_us;
	uint32_t status;

	KASSERT(c->state == CFI_ERASING, "C2: an erase is under way");
	status = mmio_read32(c->base + (uintptr_t)offset);
	if (!ready(c, status) && us <= c->erase_us_max)
		return (ERR_AGAIN);
	if (ready(c, status) && (fold(c, status) & CFI_SR_SUSPENDED) != 0) {
		/* Ready, but not done: a suspend that was given up came after all. */
		c->suspend_status = status;
		c->state = CFI_SUSPENDED;
		c->erase_began_us = us;
		(void)!cfi_erase_resume(flash);
		return (ERR_AGAIN);
	}
	c->state = CFI_IDLE;
	if (!ready(c, status))
		return (timed_out(c, offset, "an erase"));
	return (judge(c, offset, status));
}

static const struct flash_ops cfi_ops = {
	.read = cfi_read,
	.program = cfi_program,
	.erase_start = cfi_erase_start,
	.erase_poll = cfi_erase_poll,
	.erase_suspend = cfi_erase_suspend,
	.erase_resume = cfi_erase_resume,
};

/* ---- attach */

static int
unlock_one(struct cfi_flash *c, uint64_t offset, uint32_t us_max)
{
	command(c, offset, CFI_LOCK);
	command(c, offset, CFI_CONFIRM);
	command(c, offset, CFI_STATUS);
	if (wait_ready(c, offset, c->word_us, us_max) != 0)
		return (timed_out(c, offset, "unlocking"));
	return (judge(c, offset, mmio_read32(c->base + (uintptr_t)offset)));
}

static int
unlock(struct cfi_flash *c)
{
	const struct flash_geometry *g = &c->flash.geometry;
	int error = 0;

	if (c->unlock == CFI_UNLOCK_ALL)
		return (unlock_one(c, 0, c->erase_us_max));
	if (c->unlock == CFI_UNLOCK_EACH)
		for (uint32_t b = 0; b < g->block_count && error == 0; b++)
			error = unlock_one(c, (uint64_t)b * g->block_bytes, c->word_us_max);
	return (error);
}

int
cfi_flash_attach(uintptr_t base, uint64_t window_bytes, struct flash **flash)
{
	struct cfi_flash *c = &the_flash;
	const struct flash_geometry *g = &c->flash.geometry;
	int error;

	if (c->flash.ops != NULL)
		return (ERR_EXIST);
	memset(c, 0, sizeof(*c));
	c->base = base;
	strcpy(c->flash.name, "flash");
	error = cfi_query(c, window_bytes);
	if (error == 0)
		error = unlock(c);
	if (error != 0)
		return (error);
	c->flash.ops = &cfi_ops;
	snprintf(c->flash.name, sizeof(c->flash.name), "NOR flash of %llu MiB",
	    (unsigned long long)g->block_bytes * g->block_count >> 20);
	kprintf("flash: %u chips of %u bits, %u erase blocks of %u KiB, %s%s\n", c->lanes,
	    32 / c->lanes, g->block_count, g->block_bytes >> 10,
	    c->buffered ? "write buffer" : "no write buffer",
	    g->can_suspend ? ", erase suspend" : "");
	*flash = &c->flash;
	return (0);
}
