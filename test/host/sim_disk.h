/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory that takes its time and fails on purpose.
 *
 * Several requests are in flight, each for a random time, so they complete in any
 * order, from interrupt context. All choices come from sim_random: a seed replays
 * them.
 */
#ifndef TEST_SIM_DISK_H
#define TEST_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "test/host/sim_machdep.h"

#define SIM_DISK_DEPTH 4

struct sim_disk {
	struct blkdev dev;
	uint8_t *bytes;               /* contents; a test may look and damage */
	/* how it behaves from now on; 0 = never, at once */
	uint32_t latency_us;          /* a request takes 1 to this long */
	uint32_t read_error_one_in;   /* one of n reads fails with ERR_IO */
	uint32_t write_error_one_in;  /* one of n writes fails, its blocks are garbage */
	bool dead;                    /* every request fails */
	/* what it did: requests after merging */
	uint64_t reads, writes, failed;
	/* ---- sim_disk.c */
	struct sim_disk_slot {
		struct sim_event event;
		struct sim_disk *disk;
		struct bio *bio;      /* NULL: free */
	} slots[SIM_DISK_DEPTH];
};

/* A registered, zeroed device called name of block_count 512-byte blocks. */
void sim_disk_open(struct sim_disk *disk, const char *name, uint64_t block_count);
/* Unregister and free; nothing may be in flight. May yield. */
void sim_disk_close(struct sim_disk *disk);

#endif
