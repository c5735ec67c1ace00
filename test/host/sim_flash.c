/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash in memory.
 *
 * Owns: its contents and the wear of its blocks.
 * Does not: take time, except for polls of an erase.
 * Invariants: N1 a program clears bits only; N2 one operation at a time.
 * Yields: never.
 * See: test/host/sim_flash.h; drivers/flash.h.
 */
#include "test/host/sim_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"
#include "test/host/sim_machdep.h"

#define PROGRAM_BYTES 4u
#define BUFFER_BYTES  1024u
#define PIECE_BYTES   512u

static struct sim_flash *
of(struct flash *flash)
{
	return ((struct sim_flash *)(void *)flash);
}

static bool
one_in(uint32_t n)
{
	return (n != 0 && sim_random(n) == 0);
}

/* Is this operation the one at which power goes? */
static bool
cut_now(struct sim_flash *f)
{
	if (f->cut_after == 0 || --f->cut_after != 0)
		return (false);
	f->dead = true;
	return (true);
}

static bool
inside(const struct sim_flash *f, uint64_t offset, uint32_t bytes)
{
	uint64_t all = (uint64_t)f->flash.geometry.block_bytes * f->flash.geometry.block_count;

	return (offset % PROGRAM_BYTES == 0 && bytes % PROGRAM_BYTES == 0 && offset < all &&
	    bytes <= all - offset);
}

static int
sim_read(struct flash *flash, uint64_t offset, void *buffer, uint32_t bytes)
{
	struct sim_flash *f = of(flash);

	if (f->dead)
		return (ERR_NODEV);
	KASSERT(inside(f, offset, bytes), "N3: a read lies on the flash");
	KASSERT((uintptr_t)buffer % 4 == 0, "N3: to an aligned buffer");
	if (f->erasing && !f->suspended)
		return (ERR_BUSY);
	memcpy(buffer, f->bytes + offset, bytes);
	if (one_in(f->flip_read_one_in))
		((uint8_t *)buffer)[sim_random(bytes)] ^= (uint8_t)(1u << sim_random(8));
	return (0);
}

/* The first bytes arrive, of the next one some bits; or some bits of all of them. */
static void
program_torn(struct sim_flash *f, uint64_t offset, const uint8_t *data, uint32_t bytes)
{
	uint32_t whole = sim_random(bytes + 1);

	if (sim_random(4) == 0) {
		for (uint32_t i = 0; i < bytes; i++)
			if (sim_random(8) != 0)
				f->bytes[offset + i] &= data[i];
		return;
	}
	for (uint32_t i = 0; i < whole; i++)
		f->bytes[offset + i] &= data[i];
	if (whole < bytes)
		f->bytes[offset + whole] &= (uint8_t)(data[whole] | sim_random(256));
}

static int
sim_program(struct flash *flash, uint64_t offset, const void *buffer, uint32_t bytes)
{
	struct sim_flash *f = of(flash);
	const uint8_t *data = buffer;
	uint32_t b = (uint32_t)(offset / flash->geometry.block_bytes);

	if (f->dead)
		return (ERR_NODEV);
	KASSERT(inside(f, offset, bytes) && bytes > 0, "N3: a program lies on the flash");
	KASSERT(offset / BUFFER_BYTES == (offset + bytes - 1) / BUFFER_BYTES,
	    "N3: ... and inside a buffer");
	KASSERT(!f->erasing, "N2: one operation at a time");
	for (uint32_t i = 0; i < bytes; i++)
		KASSERT((data[i] & ~f->bytes[offset + i]) == 0 || f->broken[b],
		    "N1: a program clears bits only");
	f->programs++;
	if (cut_now(f)) {
		program_torn(f, offset, data, bytes);
		return (ERR_NODEV);
	}
	f->broken[b] |= one_in(f->program_fail_one_in);
	if (f->broken[b]) {
		program_torn(f, offset, data, bytes);
		return (ERR_IO);
	}
	for (uint32_t i = 0; i < bytes; i++)
		f->bytes[offset + i] &= data[i];
	return (0);
}

/* What an erase leaves that did not end: some of it erased, from one end, in pieces or
 * spots, or all bits cleared. */
static void
erase_torn(struct sim_flash *f, uint32_t b)
{
	uint32_t bytes = f->flash.geometry.block_bytes, part = sim_random(bytes + 1);
	uint8_t *at = f->bytes + (uint64_t)b * bytes;

	switch (sim_random(6)) {
	case 0:
		memset(at, 0xff, part);
		break;
	case 1:
		memset(at + part, 0xff, bytes - part);
		break;
	case 2:
		memset(at, 0, bytes);
		break;
	case 3:
		for (uint32_t i = 0; i < bytes; i++)
			at[i] |= (uint8_t)sim_random(256);
		break;
	case 4:
		for (uint32_t i = 0; i < bytes; i += PIECE_BYTES)
			if (sim_random(2) == 0)
				memset(at + i, 0xff, PIECE_BYTES);
		break;
	default:
		break;
	}
}

static int
sim_erase_start(struct flash *flash, uint32_t block)
{
	struct sim_flash *f = of(flash);

	if (f->dead)
		return (ERR_NODEV);
	KASSERT(block < flash->geometry.block_count, "N3: a block of the flash");
	KASSERT(!f->erasing, "N2: one operation at a time");
	f->erases++;
	if (cut_now(f)) {
		erase_torn(f, block);
		return (ERR_NODEV);
	}
	f->erasing = true;
	f->suspended = false;
	f->erasing_block = block;
	f->polls_left = f->erase_polls;
	return (0);
}

static int
sim_erase_poll(struct flash *flash)
{
	struct sim_flash *f = of(flash);
	uint32_t b = f->erasing_block;

	if (f->dead)
		return (ERR_NODEV);
	KASSERT(f->erasing && !f->suspended, "N2: an erase is under way");
	if (f->polls_left > 0) {
		f->polls_left--;
		return (ERR_AGAIN);
	}
	f->erasing = false;
	f->broken[b] |= one_in(f->erase_fail_one_in) ||
	    (f->endurance != 0 && f->erased[b] >= f->endurance);
	if (f->broken[b]) {
		erase_torn(f, b);
		return (ERR_IO);
	}
	f->erased[b]++;
	memset(f->bytes + (uint64_t)b * flash->geometry.block_bytes, 0xff,
	    flash->geometry.block_bytes);
	return (0);
}

static int
sim_erase_suspend(struct flash *flash)
{
	struct sim_flash *f = of(flash);

	KASSERT(f->erasing && flash->geometry.can_suspend, "N2: an erase is under way");
	f->suspended = true;
	f->suspends++;
	return (f->dead ? ERR_NODEV : 0);
}

static int
sim_erase_resume(struct flash *flash)
{
	struct sim_flash *f = of(flash);

	KASSERT(f->suspended, "N2: an erase is suspended");
	f->suspended = false;
	return (f->dead ? ERR_NODEV : 0);
}

static const struct flash_ops sim_flash_ops = {
	.read = sim_read,
	.program = sim_program,
	.erase_start = sim_erase_start,
	.erase_poll = sim_erase_poll,
	.erase_suspend = sim_erase_suspend,
	.erase_resume = sim_erase_resume,
};

void
sim_flash_open(struct sim_flash *f, uint32_t block_bytes, uint32_t block_count)
{
	size_t bytes = (size_t)block_bytes * block_count;

	memset(f, 0, sizeof(*f));
	f->flash.ops = &sim_flash_ops;
	f->flash.geometry = (struct flash_geometry){ .block_bytes = block_bytes,
		.block_count = block_count, .program_bytes = PROGRAM_BYTES,
		.buffer_bytes = BUFFER_BYTES, .erase_us = 1000000 };
	strcpy(f->flash.name, "simulated flash");
	f->bytes = malloc(bytes);
	f->erased = calloc(block_count, sizeof(*f->erased));
	f->broken = calloc(block_count, sizeof(*f->broken));
	if (f->bytes == NULL || f->erased == NULL || f->broken == NULL) {
		perror("sim_flash_open");
		exit(1);
	}
	memset(f->bytes, 0xff, bytes);
}

void
sim_flash_close(struct sim_flash *f)
{
	free(f->bytes);
	free(f->erased);
	free(f->broken);
	memset(f, 0, sizeof(*f));
}

void
sim_flash_power_on(struct sim_flash *f)
{
	f->dead = f->erasing = f->suspended = false;
	f->cut_after = 0;
}
