/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory that takes time and fails on request.
 *
 * Requests complete by simulated interrupts, in the order of their latencies. All
 * randomness is sim_random's, so a seed replays a run. Fields below the line are the
 * test's to set at any time; a count of 0 means never.
 */
#ifndef TEST_SIM_DISK_H
#define TEST_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "test/host/sim_machdep.h"

#define SIM_DISK_DEPTH       16u
#define SIM_DISK_BLOCK_BYTES 512u

struct sim_disk;

/* A chain of bios that the disk has taken. */
struct sim_disk_request {
	struct sim_event event;
	struct sim_disk *disk;
	struct bio *chain; /* NULL: free */
	uint32_t sequence; /* of its kind (read or write), from 1 */
	int error;
	bool lost;         /* completes only by sim_disk_find_lost */
};

struct sim_disk {
	struct blkdev dev;
	uint8_t *bytes;
	struct sim_disk_request requests[SIM_DISK_DEPTH];
	bool working;
	/* counted */
	uint32_t reads, writes; /* chains taken */
	uint32_t errors;        /* chains that failed by injection */
	uint32_t in_flight, in_flight_max;
	/* ---- configuration */
	uint32_t latency_us;        /* 0: completes inside blk_submit */
	uint32_t latency_spread_us; /* up to so much more, at random: out of order */
	uint32_t depth;             /* chains in flight, at most SIM_DISK_DEPTH */
	uint32_t read_error_one_in; /* at random */
	uint32_t write_error_one_in;
	uint32_t read_error_every;  /* exactly each k-th */
	uint32_t write_error_every;
	uint64_t bad_block;         /* first of bad_count blocks that can neither be ... */
	uint32_t bad_count;         /* ... read nor written */
	uint32_t torn_write_every;  /* only the first half arrives; no error */
	uint32_t flip_read_every;   /* one bit of the data is wrong; no error */
	uint32_t flip_write_every;
	uint32_t lose_every;        /* reads and writes: no completion */
	uint32_t late_every;        /* completes late_us later than it should */
	uint32_t late_us;
	bool dead;                  /* removed: everything fails */
};

/* A zeroed disk of blocks blocks of 512 bytes with no failures, registered as name; one
 * of the same name from an earlier test goes away. Fails the test on an error. */
void sim_disk_open(struct sim_disk *disk, const char *name, uint64_t blocks);
/* Complete lost requests now; how many there were. */
uint32_t sim_disk_find_lost(struct sim_disk *disk);

#endif
