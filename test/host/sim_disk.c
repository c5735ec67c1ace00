/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault-injecting disk.
 *
 *   blk_submit -> start: take a chain, decide its fate, half of a write moves
 *              -> latency (simulated) -> interrupt: the rest moves, bio_done
 *
 * A write moves in two halves so that memory that changes under a write in flight is
 * noticed by whoever checks what was stored.
 *
 * Owns: the bytes of the disk, requests in flight.
 * Does not: retry or reorder beyond the latencies it draws.
 * Invariants: E1 a request completes at most once.
 * Yields: never.
 * See: test/host/sim_disk.h.
 */
#include "test/host/sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/machdep.h"
#include "lib/assert.h"

static bool
every(uint32_t k, uint32_t sequence)
{
	return (k != 0 && sequence % k == 0);
}

static bool
one_in(uint32_t n)
{
	return (n != 0 && sim_random(n) == 0);
}

/* ---- moving data */

/* Move bytes [from, to) of the chain, counted from its beginning. */
static void
move(struct sim_disk *disk, const struct bio *bio, uint64_t from, uint64_t to)
{
	uint64_t at = 0;

	for (; bio != NULL; bio = bio->merged_next) {
		uint64_t block_at = bio->block * SIM_DISK_BLOCK_BYTES;

		for (uint32_t i = 0; i < bio->segment_count; i++) {
			uint32_t bytes = bio->segments[i].bytes;
			uint64_t low = at > from ? at : from;
			uint64_t high = at + bytes < to ? at + bytes : to;

			if (low < high && bio->op == BIO_READ)
				memcpy((uint8_t *)phys_to_virt(bio->segments[i].pa) + (low - at),
				    disk->bytes + block_at + (low - at), high - low);
			else if (low < high && bio->op == BIO_WRITE)
				memcpy(disk->bytes + block_at + (low - at),
				    (uint8_t *)phys_to_virt(bio->segments[i].pa) + (low - at),
				    high - low);
			at += bytes;
			block_at += bytes;
		}
	}
}

static uint64_t
chain_bytes(const struct bio *bio)
{
	return ((uint64_t)bio_chain_blocks(bio) * SIM_DISK_BLOCK_BYTES);
}

/* One wrong bit somewhere in what was moved. */
static void
flip(struct sim_disk *disk, const struct bio *bio)
{
	uint32_t at = sim_random(bio->segments[0].bytes);
	uint8_t bit = (uint8_t)(1u << sim_random(8));

	if (bio->op == BIO_READ)
		((uint8_t *)phys_to_virt(bio->segments[0].pa))[at] ^= bit;
	else
		disk->bytes[bio->block * SIM_DISK_BLOCK_BYTES + at] ^= bit;
}

/* The data of a request that succeeds, as far as it was not moved at the start. */
static void
move_rest(struct sim_disk_request *r)
{
	struct sim_disk *disk = r->disk;
	const struct bio *chain = r->chain;
	uint64_t bytes = chain_bytes(chain);

	if (chain->op == BIO_READ) {
		move(disk, chain, 0, bytes);
		if (every(disk->flip_read_every, r->sequence))
			flip(disk, chain);
	} else if (chain->op == BIO_ERASE) {
		memset(disk->bytes + chain->block * SIM_DISK_BLOCK_BYTES, 0xff,
		    chain->block_count * SIM_DISK_BLOCK_BYTES);
	} else if (chain->op == BIO_WRITE) {
		if (!every(disk->torn_write_every, r->sequence))
			move(disk, chain, bytes / 2, bytes);
		if (every(disk->flip_write_every, r->sequence))
			flip(disk, chain);
	}
}

/* ---- requests */

static bool
hits_bad_block(const struct sim_disk *disk, const struct bio *chain)
{
	return (chain->block < disk->bad_block + disk->bad_count &&
	    chain->block + bio_chain_blocks(chain) > disk->bad_block);
}

static int
fate(struct sim_disk *disk, const struct bio *chain, uint32_t sequence)
{
	bool read = chain->op == BIO_READ;

	if (disk->dead)
		return (ERR_NODEV);
	if (hits_bad_block(disk, chain) ||
	    one_in(read ? disk->read_error_one_in : disk->write_error_one_in) ||
	    every(read ? disk->read_error_every : disk->write_error_every, sequence))
		return (ERR_IO);
	return (0);
}

static void sim_disk_start(struct blkdev *dev);

static void
finish(struct sim_disk_request *r)
{
	struct bio *chain = r->chain;

	KASSERT(chain != NULL, "E1: a request completes at most once");
	if (r->error == 0)
		move_rest(r);
	else
		r->disk->errors++;
	r->chain = NULL;
	r->disk->in_flight--;
	bio_done(chain, r->error);
}

/* Interrupt. */
static void
request_due(void *arg)
{
	struct sim_disk_request *r = arg;

	finish(r);
	sim_disk_start(&r->disk->dev);
}

static uint32_t
latency(const struct sim_disk *disk, uint32_t sequence)
{
	uint32_t us = disk->latency_us;

	if (disk->latency_spread_us != 0)
		us += sim_random(disk->latency_spread_us);
	if (every(disk->late_every, sequence))
		us += disk->late_us;
	return (us);
}

static void
begin(struct sim_disk *disk, struct sim_disk_request *r, struct bio *chain)
{
	uint32_t us;

	r->disk = disk;
	r->chain = chain;
	r->sequence = chain->op == BIO_READ ? ++disk->reads : ++disk->writes;
	r->error = fate(disk, chain, r->sequence);
	r->lost = every(disk->lose_every, disk->reads + disk->writes);
	if (++disk->in_flight > disk->in_flight_max)
		disk->in_flight_max = disk->in_flight;
	if (r->error == 0 && chain->op == BIO_WRITE)
		move(disk, chain, 0, chain_bytes(chain) / 2);
	us = latency(disk, r->sequence);
	if (r->lost)
		return;
	if (us == 0)
		finish(r);
	else
		sim_event_schedule(&r->event, us, request_due, r);
}

static struct sim_disk_request *
free_request(struct sim_disk *disk)
{
	uint32_t i, depth = disk->depth < SIM_DISK_DEPTH ? disk->depth : SIM_DISK_DEPTH;

	for (i = 0; i < depth; i++)
		if (disk->requests[i].chain == NULL)
			return (&disk->requests[i]);
	return (NULL);
}

static void
sim_disk_start(struct blkdev *dev)
{
	struct sim_disk *disk = dev->softc;
	struct sim_disk_request *r;
	struct bio *chain;

	if (disk->working)
		return;
	disk->working = true;
	while ((r = free_request(disk)) != NULL && (chain = blk_next(dev)) != NULL)
		begin(disk, r, chain);
	disk->working = false;
}

static const struct blkdev_ops sim_disk_ops = { .start = sim_disk_start };

/* ---- the test's side */

static void
forget(struct blkdev *old)
{
	struct blkdev *dev;

	for (dev = blk_next_device(NULL); dev != NULL && dev != old; dev = blk_next_device(dev))
		continue;
	if (dev == NULL)
		return;
	dev->active_count = dev->queued_count = 0; /* its run is over */
	blk_unregister(dev);
}

void
sim_disk_open(struct sim_disk *disk, const char *name, uint64_t blocks)
{
	int error;

	forget(blk_find(name));
	forget(&disk->dev);
	free(disk->bytes);
	memset(disk, 0, sizeof(*disk));
	disk->bytes = calloc(blocks, SIM_DISK_BLOCK_BYTES);
	disk->depth = 4;
	snprintf(disk->dev.name, sizeof(disk->dev.name), "%s", name);
	disk->dev.ops = &sim_disk_ops;
	disk->dev.softc = disk;
	disk->dev.block_bytes = SIM_DISK_BLOCK_BYTES;
	disk->dev.block_count = blocks;
	disk->dev.bio_blocks_max = 256;
	error = blk_register(&disk->dev);
	KASSERT(disk->bytes != NULL && error == 0, "E2: the disk can be made");
}

uint32_t
sim_disk_find_lost(struct sim_disk *disk)
{
	uint32_t i, found = 0;

	for (i = 0; i < SIM_DISK_DEPTH; i++) {
		if (disk->requests[i].chain == NULL || !disk->requests[i].lost)
			continue;
		disk->requests[i].lost = false;
		finish(&disk->requests[i]);
		found++;
	}
	if (found != 0)
		sim_disk_start(&disk->dev);
	return (found);
}
