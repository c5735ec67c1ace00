/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share: values from an input, a verdict, a disk of any size.
 *
 * Owns: nothing.
 * Does not: drive targets (fuzz_main.c).
 * Invariants: Z1 requests that reach the disk lie inside it (blk.c checks).
 * Yields: never.
 * See: test/host/fuzz.h.
 */
#include <stdio.h>
#include <string.h>

#include "kern/machdep.h"
#include "lib/assert.h"
#include "lib/le.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"

void
fuzz_check(bool holds, const char *what)
{
	if (!holds)
		sim_fail(what);
}

uint8_t
fuzz_u8(struct fuzz_input *in)
{
	if (in->bytes_left == 0)
		return (0);
	in->bytes_left--;
	return (*in->data++);
}

uint32_t
fuzz_u32(struct fuzz_input *in)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < 4; i++)
		value |= (uint32_t)fuzz_u8(in) << 8 * i;
	return (value);
}

uint64_t
fuzz_u64(struct fuzz_input *in)
{
	uint64_t low = fuzz_u32(in);

	return (low | (uint64_t)fuzz_u32(in) << 32);
}

void
fuzz_put32(uint8_t *at, uint32_t value)
{
	for (uint32_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* ---- the disk */

static void
segment_read(const struct fuzz_disk *disk, uint64_t at, uint8_t *to, size_t bytes)
{
	size_t there = at < disk->byte_count ? disk->byte_count - (size_t)at : 0;

	if (there > bytes)
		there = bytes;
	if (there > 0)
		memcpy(to, disk->bytes + at, there);
	memset(to + there, 0, bytes - there);
}

static int
bio_serve(struct fuzz_disk *disk, const struct bio *bio)
{
	uint64_t at = bio->block * disk->dev.block_bytes;

	if (bio->op != BIO_READ)
		return (ERR_NOTSUP);
	KASSERT(bio->block < disk->dev.block_count &&
	    bio->block_count <= disk->dev.block_count - bio->block, "Z1: inside the disk");
	for (uint32_t i = 0; i < bio->segment_count; i++) {
		segment_read(disk, at, phys_to_virt(bio->segments[i].pa), bio->segments[i].bytes);
		at += bio->segments[i].bytes;
	}
	disk->blocks_read += bio->block_count;
	return (0);
}

static void
fuzz_disk_start(struct blkdev *dev)
{
	struct bio *head;

	while ((head = blk_next(dev)) != NULL) {
		int err = 0;

		for (struct bio *bio = head; bio != NULL && err == 0; bio = bio->merged_next)
			err = bio_serve(dev->softc, bio);
		bio_done(head, err);
	}
}

static const struct blkdev_ops fuzz_disk_ops = { .start = fuzz_disk_start };

int
fuzz_disk_open(struct fuzz_disk *disk, const char *name)
{
	snprintf(disk->dev.name, sizeof(disk->dev.name), "%s", name);
	disk->dev.ops = &fuzz_disk_ops;
	disk->dev.softc = disk;
	return (blk_register(&disk->dev));
}
