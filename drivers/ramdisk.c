/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in RAM.
 *
 * A request is served at once, in the context of whoever submits it: the copy is
 * the whole work. A done callback may submit the next request; the loop that is
 * already running takes it, so the stack does not grow.
 *
 * Owns: the memory range given at attach.
 * Does not: allocate, zero the memory, or use interrupts.
 * Invariants:
 *   R1 at most one call of ramdisk_start works on a disk at a time;
 *   R2 a request lies inside the disk (kern/blk.c has checked it).
 * Yields: never.
 * Complexity: a page costs its cpu_copy and a few dozen instructions.
 * See: kern/blkdev.h.
 */
#include "drivers/ramdisk.h"

#include <stddef.h>

#include "drivers/drivers_params.h"
#include "kern/blkdev.h"
#include "kern/machdep.h"
#include "lib/assert.h"

#define BLOCK_BYTES 512u
#define COPY_ALIGN  64u

struct ramdisk {
	struct blkdev dev;
	uint8_t *bytes; /* first byte, direct map; NULL = unit not in use */
	bool working;   /* R1 */
};

static struct ramdisk ramdisks[RAMDISK_UNITS];

static inline void
transfer(struct ramdisk *rd, const struct bio *bio)
{
	uint8_t *at = rd->bytes + bio->block * BLOCK_BYTES;

	for (uint32_t i = 0; i < bio->segment_count; i++) {
		void *memory = phys_to_virt(bio->segments[i].pa);
		uint32_t bytes = bio->segments[i].bytes;

		if (bio->op == BIO_READ)
			cpu_copy(memory, at, bytes);
		else
			cpu_copy(at, memory, bytes);
		at += bytes;
	}
	KASSERT(at <= rd->bytes + rd->dev.block_count * BLOCK_BYTES, "R2: inside the disk");
}

static void
ramdisk_start(struct blkdev *dev)
{
	struct ramdisk *rd = dev->softc;
	struct bio *first;

	/* An interrupt handler may submit between the last blk_next and the end of
	 * working: then its request is found by the second look at the queue. */
	while (!rd->working && dev->queued_count > 0) {
		rd->working = true;
		while ((first = blk_next(dev)) != NULL) {
			for (const struct bio *bio = first; bio != NULL; bio = bio->merged_next)
				transfer(rd, bio);
			drivers_params.md_requests++;
			bio_done(first, 0);
		}
		rd->working = false;
	}
}

static const struct blkdev_ops ramdisk_ops = {
	.start = ramdisk_start,
	.poll = ramdisk_start,
};

int
ramdisk_attach(uint32_t unit, uint64_t pa, uint64_t bytes, bool read_only)
{
	struct ramdisk *rd;
	int error;

	if (unit >= RAMDISK_UNITS)
		return (ERR_RANGE);
	if (pa % COPY_ALIGN != 0 || bytes < BLOCK_BYTES)
		return (ERR_INVAL);
	rd = &ramdisks[unit];
	if (rd->bytes != NULL)
		return (ERR_EXIST);
	rd->bytes = phys_to_virt(pa);
	rd->dev = (struct blkdev){
		.name = { 'm', 'd', (char)('0' + unit) },
		.ops = &ramdisk_ops,
		.softc = rd,
		.block_bytes = BLOCK_BYTES,
		.block_count = bytes / BLOCK_BYTES,
		.bio_blocks_max = UINT32_MAX,
		.read_only = read_only,
	};
	error = blk_register(&rd->dev);
	if (error != 0)
		rd->bytes = NULL;
	return (error);
}
