/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests of the disk drivers, on whichever disk the board has.
 *
 * What is written lies at the end of the swap partition and is put back afterwards.
 *
 * Owns: three buffers of a quarter MiB.
 * Does not: measure speed as a verdict; selftest_disk_speed only prints (under -icount a
 *   nanosecond is an instruction).
 * Invariants: none.
 * Yields: all.
 * See: test/target/self_disk*.test.
 */
#include <stddef.h>
#include <string.h>

#include "kern/blkdev.h"
#include "kern/machdep.h"
#include "kern/param.h"
#include "kern/sched.h"
#include "lib/rng.h"
#include "test/target/selftest.h"

#define BYTES      (256u << 10)
#define BLOCKS     (BYTES / 512)
#define PAGES      (BYTES / 4096)
#define MBR_SWAP   0x82
#define BAD_BLOCK  5003 /* self_disk_error.test makes it fail */
#define SPEED_ROUNDS 16
#define END_BLOCKS 1024

static uint8_t saved[BYTES] __attribute__((aligned(4096)));
static uint8_t pattern[BYTES] __attribute__((aligned(4096)));
static uint8_t seen[BYTES] __attribute__((aligned(4096)));
static struct bio bios[PAGES];
static struct irq_lock lock; /* finished, failed */
static uint32_t finished, failed;

static struct blkdev *
swap_partition(void)
{
	struct blkdev *dev = NULL;

	while ((dev = blk_next_device(dev)) != NULL)
		if (dev->mbr_type == MBR_SWAP)
			return (dev);
	return (NULL);
}

static int64_t
statistic(const char *name)
{
	const struct param_row *row = param_find(name);

	return (row != NULL ? param_get(row) : -1);
}

static void
pattern_fill(void)
{
	struct rng rng;

	rng_seed(&rng, 20260101);
	for (uint32_t i = 0; i < BYTES; i += 8) {
		uint64_t value = rng_next(&rng);

		memcpy(pattern + i, &value, 8);
	}
}

static void
page_done(struct bio *bio)
{
	irq_lock_acquire(&lock);
	if (bio->error != 0)
		failed++;
	finished++;
	irq_lock_release(&lock);
	wakeup(&finished);
}

/* All pages at once, each a request of two pieces, in an order that is neither
 * ascending nor descending; true if all went well. */
static bool
pages_move(struct blkdev *dev, enum bio_op op, uint64_t block, const void *memory)
{
	uint64_t pa = virt_to_phys(memory);

	finished = failed = 0;
	for (uint32_t i = 0; i < PAGES; i++) {
		uint32_t page = i * 29 % PAGES;

		bios[i] = (struct bio){ .op = (uint8_t)op, .priority = i % BIO_PRIORITY_COUNT,
			.block = block + page * 8, .block_count = 8, .segment_count = 2,
			.segments = { { pa + page * 4096, 512 }, { pa + page * 4096 + 512, 3584 } },
			.done = page_done };
		blk_submit(dev, &bios[i]);
	}
	irq_lock_acquire(&lock);
	while (finished < PAGES)
		(void)msleep(&finished, &lock, "pages", SLEEP_FOREVER);
	irq_lock_release(&lock);
	return (failed == 0);
}

static bool
single_blocks_agree(struct blkdev *dev, uint64_t block)
{
	for (uint32_t i = 0; i < BLOCKS; i += 37) {
		if (blk_read(dev, block + i, seen, 1) != 0)
			return (false);
		if (memcmp(seen, pattern + i * 512, 512) != 0)
			return (false);
	}
	return (true);
}

static bool
exercise(struct blkdev *dev, uint64_t block)
{
	EXPECT(blk_write(dev, block, pattern, BLOCKS) == 0);
	EXPECT(single_blocks_agree(dev, block));
	EXPECT(pages_move(dev, BIO_READ, block, seen));
	EXPECT(memcmp(seen, pattern, BYTES) == 0);
	for (uint32_t i = 0; i < BYTES; i++)
		pattern[i] ^= 0xff;
	EXPECT(pages_move(dev, BIO_WRITE, block, pattern));
	memset(seen, 0, BYTES);
	EXPECT(blk_read(dev, block, seen, BLOCKS) == 0);
	EXPECT(memcmp(seen, pattern, BYTES) == 0);
	EXPECT(blk_write(dev, block + 3, pattern, 1) == 0);
	EXPECT(blk_read(dev, block, seen, 8) == 0);
	EXPECT(memcmp(seen + 3 * 512, pattern, 512) == 0);
	EXPECT(memcmp(seen + 4 * 512, pattern + 4 * 512, 4 * 512) == 0);
	EXPECT(blk_flush(dev) == 0);
	return (true);
}

static bool
no_trouble(void)
{
	EXPECT(statistic("dev.sd.errors") == 0);
	EXPECT(statistic("dev.sd.retries") == 0);
	EXPECT(statistic("dev.vblk.errors") == 0);
	EXPECT(statistic("dev.vblk.failed") == 0);
	EXPECT(statistic("dev.irq.foreign") == 0);
	return (true);
}

bool
selftest_disk(void)
{
	struct blkdev *dev = swap_partition();
	uint64_t block;
	bool passed;

	EXPECT(dev != NULL && dev->block_count > BLOCKS);
	block = dev->block_count - BLOCKS;
	pattern_fill();
	EXPECT(blk_read(dev, block, saved, BLOCKS) == 0);
	passed = exercise(dev, block);
	EXPECT(blk_write(dev, block, saved, BLOCKS) == 0);
	EXPECT(blk_read(dev, block, seen, BLOCKS) == 0);
	EXPECT(memcmp(seen, saved, BYTES) == 0);
	EXPECT(blk_read(dev, dev->block_count, seen, 1) == ERR_RANGE);
	return (passed && no_trouble());
}

/* One block of the disk fails; its neighbours and the driver do not. */
bool
selftest_disk_error(void)
{
	struct blkdev *dev = swap_partition();

	EXPECT(dev != NULL && dev->parent != NULL);
	dev = dev->parent;
	EXPECT(blk_read(dev, BAD_BLOCK - 3, seen, 8) == ERR_IO);
	EXPECT(blk_read(dev, BAD_BLOCK - 8, seen, 8) == 0);
	EXPECT(blk_read(dev, BAD_BLOCK + 1, seen, 8) == 0);
	EXPECT(statistic("dev.vblk.failed") == 0);
	return (true);
}

static void
speed(struct blkdev *dev, enum bio_op op, uint64_t block, uint32_t block_count)
{
	uint64_t ticks = get_cyclecount(), ns;
	int err = 0;

	for (uint32_t i = 0; i < SPEED_ROUNDS && err == 0; i++)
		err = op == BIO_READ ? blk_read(dev, block, saved, block_count) :
		    blk_write(dev, block, saved, block_count);
	ticks = get_cyclecount() - ticks;
	ns = ticks * 1000000000u / cpu_cycles_per_second();
	kprintf("bench: raw %s of %u bytes, %s: %llu instructions for 4096 bytes%s\n",
	    op == BIO_READ ? "read" : "write", (unsigned)block_count * 512, dev->name,
	    (unsigned long long)(ns * 8 / block_count / SPEED_ROUNDS), err != 0 ? ", FAILED" : "");
}

static void
speeds(struct blkdev *dev)
{
	/* Not at a card's end, where reads are apart. */
	uint64_t block = dev->block_count - BLOCKS - END_BLOCKS;

	for (uint32_t op = BIO_READ; op <= BIO_WRITE; op++)
		for (uint32_t block_count = 8; block_count <= BLOCKS; block_count *= 8)
			speed(dev, (enum bio_op)op, block, block_count);
}

bool
selftest_disk_speed(void)
{
	struct blkdev *dev = swap_partition();

	EXPECT(dev != NULL && dev->block_count > BLOCKS + END_BLOCKS);
	speeds(dev);
	dev = blk_find("md0");
	if (dev != NULL && dev->block_count > BLOCKS + END_BLOCKS)
		speeds(dev);
	return (true);
}
