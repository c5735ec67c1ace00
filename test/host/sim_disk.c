/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk that fails in time.
 *
 *   start: take a request -> wait (event) -> transfer or fail -> bio_done, start
 *
 * A write that fails leaves garbage in its blocks: nobody may read them as data.
 *
 * Owns: struct sim_disk while open.
 * Does not: write to any file.
 * Invariants:
 *   D1 at most SIM_DISK_DEPTH requests are in flight;
 *   D2 requests that reach it lie inside the device (blk.c checks).
 * Yields: sim_disk_close.
 * See: test/host/sim_disk.h.
 */
#include "test/host/sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"

#define BLOCK_BYTES 512u

static void
transfer(struct sim_disk *disk, const struct bio *bio, bool garbage)
{
	uint8_t *at = disk->bytes + bio->block * BLOCK_BYTES;
	uint32_t i;

	KASSERT(bio->block + bio->block_count <= disk->dev.block_count, "D2: inside the disk");
	for (i = 0; i < bio->segment_count; i++) {
		void *memory = phys_to_virt(bio->segments[i].pa);
		uint32_t bytes = bio->segments[i].bytes;

		if (garbage)
			memset(at, 0xdb, bytes);
		else if (bio->op == BIO_READ)
			memcpy(memory, at, bytes);
		else
			memcpy(at, memory, bytes);
		at += bytes;
	}
}

/* 0, or that this request fails. */
static int
draw_error(struct sim_disk *disk, const struct bio *bio)
{
	uint32_t one_in = bio->op == BIO_READ ? disk->read_error_one_in :
	    disk->write_error_one_in;

	if (bio->op != BIO_READ && bio->op != BIO_WRITE)
		return (bio->op == BIO_FLUSH ? 0 : ERR_NOTSUP);
	return (disk->dead || (one_in != 0 && sim_random(one_in) == 0) ? ERR_IO : 0);
}

static void sim_disk_start(struct blkdev *dev);

static void
finish(void *arg)
{
	struct sim_disk_slot *slot = arg;
	struct sim_disk *disk = slot->disk;
	struct bio *head = slot->bio, *bio;
	int error = draw_error(disk, head);

	disk->reads += head->op == BIO_READ;
	disk->writes += head->op == BIO_WRITE;
	disk->failed += error != 0;
	for (bio = head; bio != NULL; bio = bio->merged_next)
		if (error == 0 || bio->op == BIO_WRITE)
			transfer(disk, bio, error != 0);
	slot->bio = NULL;
	bio_done(head, error);
	sim_disk_start(&disk->dev);
}

static void
sim_disk_start(struct blkdev *dev)
{
	struct sim_disk *disk = dev->softc;
	struct sim_disk_slot *slot;
	uint64_t delay_us;

	for (slot = disk->slots; slot < disk->slots + SIM_DISK_DEPTH; slot++) {
		if (slot->bio != NULL)
			continue;
		slot->bio = blk_next(dev);
		if (slot->bio == NULL)
			return;
		delay_us = disk->latency_us == 0 ? 0 : 1 + sim_random(disk->latency_us);
		sim_event_schedule(&slot->event, delay_us, finish, slot);
	}
}

static const struct blkdev_ops sim_disk_ops = { .start = sim_disk_start };

void
sim_disk_open(struct sim_disk *disk, const char *name, uint64_t block_count)
{
	uint32_t i;
	int error;

	memset(disk, 0, sizeof(*disk));
	disk->bytes = calloc(block_count, BLOCK_BYTES);
	for (i = 0; i < SIM_DISK_DEPTH; i++)
		disk->slots[i].disk = disk;
	snprintf(disk->dev.name, sizeof(disk->dev.name), "%s", name);
	disk->dev.ops = &sim_disk_ops;
	disk->dev.softc = disk;
	disk->dev.block_bytes = BLOCK_BYTES;
	disk->dev.block_count = block_count;
	disk->dev.bio_blocks_max = 256;
	error = blk_register(&disk->dev);
	KASSERT(error == 0, "D1: the name is free");
}

void
sim_disk_close(struct sim_disk *disk)
{
	blk_unregister(&disk->dev);
	free(disk->bytes);
	disk->bytes = NULL;
}
