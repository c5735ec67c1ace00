/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to block devices: queues, merging, partitions, completion, statistics.
 *
 *   blk_submit(partition) --shift--> queue[PAGEIN|NORMAL|PAGEOUT] of the whole device
 *       --blk_next, merged--> driver --bio_done--> done() or the task in blk_wait
 *
 * Merging happens when the driver takes a request, over what is queued by then: the
 * longer the device is busy, the more there is to merge, and nothing is held back.
 *
 * Owns: the table of devices; each device's queues, counts and histograms; a bio
 *   from blk_submit until its completion.
 * Does not: copy data, retry, or keep an order between requests in flight.
 * Invariants:
 *   B1 a bio is on one device's queue (QUEUED), or with its driver (ACTIVE), or IDLE;
 *   B2 a merged chain ascends in block without gaps, is of one kind, and has at most
 *      bio_blocks_max blocks;
 *   B3 while a bio is queued or active, its block counts from the start of the
 *      whole device; before and after, from the start of bio->dev;
 *   B4 queues and counts change only under the whole device's lock;
 *   B5 a queue that is not empty is passed over at most kern.blk.pass_max times, or
 *      once more for each other queue that waits as long;
 *   B6 a device vanishes as a whole, not a partition.
 * Yields: blk_wait, blk_read, blk_write, blk_flush, blk_unregister.
 * Complexity: submit O(1); next O(MERGE_SCAN_MAX * merged).
 * See: kern/blkdev.h.
 */
#include "kern/blkdev.h"

#include <stddef.h>
#include <string.h>

#include "kern/blk_fault.h"
#include "kern/kern_params.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define MERGE_SCAN_MAX 64 /* queued requests looked at for one that fits */

static SLIST_HEAD(, blkdev) devices = SLIST_HEAD_INITIALIZER(devices);

/* ---- table */

/* The whole device below any partition. */
static struct blkdev *
whole(struct blkdev *dev)
{
	while (dev->parent != NULL)
		dev = dev->parent;
	return (dev);
}

static bool
geometry_valid(const struct blkdev *dev)
{
	const struct blkdev *parent = dev->parent;

	if (dev->block_bytes < 512 || (dev->block_bytes & (dev->block_bytes - 1)) != 0)
		return (false);
	if (dev->bio_blocks_max == 0)
		return (false);
	if (parent == NULL)
		return (dev->ops != NULL);
	return (dev->block_bytes == parent->block_bytes &&
	    dev->bio_blocks_max <= parent->bio_blocks_max &&
	    dev->parent_block <= parent->block_count &&
	    dev->block_count <= parent->block_count - dev->parent_block);
}

int
blk_register(struct blkdev *dev)
{
	if (dev->parent != NULL && dev->block_bytes == 0)
		dev->block_bytes = dev->parent->block_bytes;
	if (dev->parent != NULL && dev->bio_blocks_max == 0)
		dev->bio_blocks_max = dev->parent->bio_blocks_max;
	if (dev->parent != NULL)
		dev->erase_blocks = dev->parent->erase_blocks;
	if (!geometry_valid(dev))
		return (ERR_INVAL);
	if (blk_find(dev->name) != NULL)
		return (ERR_EXIST);
	for (int p = 0; p < BIO_PRIORITY_COUNT; p++) {
		TAILQ_INIT(&dev->queue[p]);
		dev->passed_count[p] = 0;
	}
	dev->gone = false;
	dev->queued_count = 0;
	dev->active_count = 0;
	dev->faults = NULL;
	SLIST_INSERT_HEAD(&devices, dev, all_link);
	return (0);
}

static bool
registered(const struct blkdev *dev)
{
	struct blkdev *d;

	SLIST_FOREACH(d, &devices, all_link)
		if (d == dev)
			return (true);
	return (false);
}

void
blk_unregister(struct blkdev *dev)
{
	struct blkdev *device = whole(dev);

	if (registered(dev))
		SLIST_REMOVE(&devices, dev, blkdev, all_link);
	dev->gone = true;
	irq_lock_acquire(&device->lock);
	while (dev->queued_count + dev->active_count != 0)
		msleep(dev, &device->lock, "blkgone", SLEEP_FOREVER);
	irq_lock_release(&device->lock);
}

struct blkdev *
blk_find(const char *name)
{
	struct blkdev *dev;

	SLIST_FOREACH(dev, &devices, all_link)
		if (strncmp(dev->name, name, sizeof(dev->name)) == 0)
			return (dev);
	return (NULL);
}

struct blkdev *
blk_next_device(struct blkdev *prev)
{
	return (prev == NULL ? SLIST_FIRST(&devices) : SLIST_NEXT(prev, all_link));
}

/* ---- completion */

static enum blk_error_kind
error_kind(int error)
{
	switch (error) {
	case ERR_TIMEDOUT:
		return (BLK_ERROR_TIMEDOUT);
	case ERR_CORRUPT:
		return (BLK_ERROR_CORRUPT);
	case ERR_NODEV:
		return (BLK_ERROR_NODEV);
	case ERR_IO:
		return (BLK_ERROR_IO);
	default:
		return (BLK_ERROR_REFUSED);
	}
}

static void
count_error(struct blkdev *dev, int error)
{
	dev->errors++;
	dev->errors_of[error_kind(error)]++;
}

static inline void
count_done(struct blkdev *dev, const struct bio *bio, uint64_t us)
{
	if (bio->error != 0)
		count_error(dev, bio->error);
	if (bio->op == BIO_READ) {
		dev->reads++;
		dev->read_blocks += bio->block_count;
		histogram_add(&dev->read_us, us);
	} else if (bio->op == BIO_WRITE) {
		dev->writes++;
		dev->written_blocks += bio->block_count;
		histogram_add(&dev->write_us, us);
	} else if (bio->op == BIO_ERASE) {
		dev->erases++;
	}
}

/* Tell the submitter. From here on bio is its again, and may be gone. */
static inline void
hand_back(struct bio *bio, int error)
{
	uint8_t priority = bio->priority;

	bio->error = error;
	if (error != 0)
		kern_params.blk_errors++;
	bio->state = BIO_IDLE;
	if (bio->done != NULL)
		bio->done(bio);
	else if (priority == BIO_PAGEIN)
		wakeup_pri(bio, PRI_FAULT);
	else
		wakeup(bio);
}

/* One bio has left the queue (was_active: the driver) of device for good. */
static void
complete(struct blkdev *device, struct bio *bio, int error, bool was_active)
{
	uint64_t now = get_cyclecount();
	uint64_t us = timer_cycles_to_us(now - bio->submitted_cycles);
	struct blkdev *dev = bio->dev;

	trace(TRACE_BIO_DONE, bio->block, (uint64_t)(int64_t)error, us);
	bio->error = error;
	irq_lock_acquire(&device->lock);
	if (was_active && --device->active_count == 0)
		device->busy_cycles += now - device->busy_since_cycles;
	for (; dev != device; dev = dev->parent) {
		count_done(dev, bio, us);
		bio->block -= dev->parent_block;
		if (--dev->active_count == 0 && dev->gone)
			wakeup(dev);
	}
	count_done(device, bio, us);
	if (device->gone)
		wakeup(device);
	irq_lock_release(&device->lock);
	hand_back(bio, error);
}

void
blk_finish(struct bio *bio, int error)
{
	struct blkdev *device = whole(bio->dev);

	while (bio != NULL) {
		struct bio *next = bio->merged_next;

		KASSERT(bio->state == BIO_ACTIVE, "B1: the driver ends what it has taken");
		bio->merged_next = NULL;
		complete(device, bio, error, true);
		bio = next;
	}
}

void
bio_done(struct bio *bio, int error)
{
	struct blkdev *device = whole(bio->dev);

	if (device->faults == NULL || !blk_fault_done(device, bio, &error))
		blk_finish(bio, error);
}

/* Take the first bio off queue p without giving it to the driver. */
static struct bio *
unqueue_first(struct blkdev *dev, int p)
{
	struct bio *bio;

	irq_lock_acquire(&dev->lock);
	bio = TAILQ_FIRST(&dev->queue[p]);
	if (bio != NULL) {
		TAILQ_REMOVE(&dev->queue[p], bio, link);
		dev->queued_count--;
	}
	irq_lock_release(&dev->lock);
	return (bio);
}

void
blk_gone(struct blkdev *dev)
{
	KASSERT(dev->parent == NULL, "B6: a device vanishes as a whole");
	dev->gone = true;
	for (int p = 0; p < BIO_PRIORITY_COUNT; p++) {
		struct bio *bio;

		while ((bio = unqueue_first(dev, p)) != NULL)
			complete(dev, bio, ERR_NODEV, false);
	}
}

/* ---- submission */

static bool
segments_valid(const struct bio *bio, uint32_t block_bytes)
{
	uint64_t bytes = 0;

	if (bio->segment_count == 0 || bio->segment_count > BIO_SEGMENTS_MAX)
		return (false);
	for (uint32_t i = 0; i < bio->segment_count; i++) {
		const struct bio_segment *segment = &bio->segments[i];

		if (segment->bytes == 0 || ((segment->pa | segment->bytes) & 511) != 0)
			return (false);
		bytes += segment->bytes;
	}
	return (bytes == (uint64_t)bio->block_count * block_bytes);
}

/* 0 if bio can be queued on dev, else why not. */
static int
check(const struct blkdev *dev, const struct bio *bio)
{
	bool read_only = false;

	for (const struct blkdev *d = dev; d != NULL; d = d->parent) {
		if (d->gone)
			return (ERR_NODEV);
		read_only |= d->read_only;
	}
	if (bio->priority >= BIO_PRIORITY_COUNT || bio->op > BIO_ERASE)
		return (ERR_INVAL);
	if (bio->op == BIO_FLUSH)
		return (0);
	if (read_only && bio->op != BIO_READ)
		return (ERR_ROFS);
	if (bio->block_count == 0)
		return (ERR_INVAL);
	if (bio->block >= dev->block_count || bio->block_count > dev->block_count - bio->block)
		return (ERR_RANGE);
	if (bio->op == BIO_ERASE)
		return (dev->erase_blocks == 0 ? ERR_NOTSUP : 0);
	if (bio->block_count > dev->bio_blocks_max || !segments_valid(bio, dev->block_bytes))
		return (ERR_INVAL);
	return (0);
}

static void
enqueue(struct blkdev *device, struct bio *bio)
{
	struct blkdev *dev = bio->dev;

	irq_lock_acquire(&device->lock);
	for (; dev != device; dev = dev->parent) {
		bio->block += dev->parent_block;
		dev->active_count++;
	}
	bio->state = BIO_QUEUED;
	TAILQ_INSERT_TAIL(&device->queue[bio->priority], bio, link);
	device->depth_sum += device->queued_count++;
	if (device->queued_count > device->depth_max)
		device->depth_max = device->queued_count;
	irq_lock_release(&device->lock);
}

void
blk_submit(struct blkdev *dev, struct bio *bio)
{
	struct blkdev *device = whole(dev);
	int err = check(dev, bio);

	KASSERT(bio->state == BIO_IDLE, "B1: a bio is submitted once at a time");
	kern_params.blk_requests++;
	bio->dev = dev;
	bio->merged_next = NULL;
	if (err != 0)
		count_error(dev, err);
	if (err != 0 || (bio->op == BIO_FLUSH && !device->can_flush)) {
		hand_back(bio, err);
		return;
	}
	bio->submitted_cycles = get_cyclecount();
	enqueue(device, bio);
	trace(TRACE_BIO, bio->block, (uint64_t)bio->block_count * dev->block_bytes, bio->op);
	device->ops->start(device);
}

/* ---- the driver's side */

/* Locked: the queue to serve now, or -1. A queue that waits too long goes first. */
static int
pick_queue(struct blkdev *dev)
{
	int pick = -1;

	if (dev->queued_count == 1) { /* nobody else to pass over */
		for (pick = 0; TAILQ_EMPTY(&dev->queue[pick]); pick++)
			continue;
		dev->passed_count[pick] = 0;
		return (pick);
	}
	for (int p = 0; p < BIO_PRIORITY_COUNT; p++) {
		if (TAILQ_EMPTY(&dev->queue[p]))
			continue;
		if (pick < 0 || dev->passed_count[p] >= (uint64_t)kern_params.blk_pass_max)
			pick = p;
	}
	for (int p = 0; p < BIO_PRIORITY_COUNT; p++)
		if (p != pick && !TAILQ_EMPTY(&dev->queue[p]))
			dev->passed_count[p]++;
	if (pick >= 0)
		dev->passed_count[pick] = 0;
	return (pick);
}

static void
take(struct blkdev *dev, struct bio *bio)
{
	uint64_t now = get_cyclecount();

	TAILQ_REMOVE(&dev->queue[bio->priority], bio, link);
	dev->queued_count--;
	if (dev->active_count++ == 0)
		dev->busy_since_cycles = now;
	bio->state = BIO_ACTIVE;
	histogram_add(&dev->wait_us[bio->priority],
	    timer_cycles_to_us(now - bio->submitted_cycles));
}

/* Locked: a queued request of the same kind that ends where [first, ...) begins or
 * begins where it ends, of at most room blocks; NULL if there is none. */
static struct bio *
find_adjacent(struct blkdev *dev, const struct bio *kind, uint64_t first, uint64_t end,
    uint32_t room)
{
	struct bio *bio;
	int looked = 0;

	TAILQ_FOREACH(bio, &dev->queue[kind->priority], link) {
		if (++looked > MERGE_SCAN_MAX)
			break;
		if (bio->op != kind->op || bio->block_count > room)
			continue;
		if (bio->block == end || bio->block + bio->block_count == first)
			return (bio);
	}
	return (NULL);
}

/* Locked: chain to bio what lies next to it; the chain's first. */
static struct bio *
merge(struct blkdev *dev, struct bio *bio)
{
	struct bio *head = bio, *tail = bio, *other;
	uint32_t blocks = bio->block_count;

	if (bio->op != BIO_READ && bio->op != BIO_WRITE)
		return (bio);
	for (;;) {
		uint64_t end = tail->block + tail->block_count;

		KASSERT(end - head->block == blocks && blocks <= dev->bio_blocks_max,
		    "B2: a chain ascends without gaps, within the device's limit");
		other = find_adjacent(dev, bio, head->block, end, dev->bio_blocks_max - blocks);
		if (other == NULL)
			return (head);
		take(dev, other);
		dev->merges++;
		kern_params.blk_merges++;
		blocks += other->block_count;
		if (other->block == end) {
			tail->merged_next = other;
			tail = other;
		} else {
			other->merged_next = head;
			head = other;
		}
	}
}

static struct bio *
take_next(struct blkdev *dev)
{
	struct bio *bio = NULL;
	int p;

	/* Nothing queued is the usual answer after a completion. */
	if (dev->queued_count == 0)
		return (NULL);
	irq_lock_acquire(&dev->lock);
	p = pick_queue(dev);
	if (p >= 0) {
		bio = TAILQ_FIRST(&dev->queue[p]);
		take(dev, bio);
		if (dev->queued_count != 0)
			bio = merge(dev, bio);
	}
	irq_lock_release(&dev->lock);
	return (bio);
}

struct bio *
blk_next(struct blkdev *dev)
{
	struct bio *bio = take_next(dev);

	while (bio != NULL && dev->faults != NULL && blk_fault_start(dev, bio))
		bio = take_next(dev);
	return (bio);
}

uint32_t
bio_chain_blocks(const struct bio *bio)
{
	uint32_t blocks = 0;

	for (; bio != NULL; bio = bio->merged_next)
		blocks += bio->block_count;
	return (blocks);
}

/* ---- waiting */

int
blk_wait(struct blkdev *dev, struct bio *bio)
{
	struct blkdev *device = whole(dev);

	bio->done = NULL;
	blk_submit(dev, bio);
	irq_lock_acquire(&device->lock);
	while (bio->state != BIO_IDLE)
		msleep(bio, &device->lock, "bio", SLEEP_FOREVER);
	irq_lock_release(&device->lock);
	return (bio->error);
}

/* Whole blocks to or from a contiguous buffer, in as many requests as it takes. */
static int
transfer(struct blkdev *dev, enum bio_op op, uint64_t block, uint64_t pa, uint32_t block_count)
{
	while (block_count > 0) {
		uint32_t count =
		    block_count < dev->bio_blocks_max ? block_count : dev->bio_blocks_max;
		struct bio bio = {
			.op = (uint8_t)op,
			.priority = BIO_NORMAL,
			.segment_count = 1,
			.block_count = count,
			.block = block,
			.segments = { { pa, count * dev->block_bytes } },
		};
		int err = blk_wait(dev, &bio);

		if (err != 0)
			return (err);
		block += count;
		pa += (uint64_t)count * dev->block_bytes;
		block_count -= count;
	}
	return (0);
}

int
blk_read(struct blkdev *dev, uint64_t block, void *buffer, uint32_t block_count)
{
	return (transfer(dev, BIO_READ, block, virt_to_phys(buffer), block_count));
}

int
blk_write(struct blkdev *dev, uint64_t block, const void *buffer, uint32_t block_count)
{
	return (transfer(dev, BIO_WRITE, block, virt_to_phys(buffer), block_count));
}

int
blk_flush(struct blkdev *dev)
{
	struct bio bio = { .op = BIO_FLUSH, .priority = BIO_NORMAL };

	return (blk_wait(dev, &bio));
}
