/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block device over an image file, for host tests of file systems.
 *
 * The file is mapped privately: a test may damage bytes at will, the file stays
 * as it is.
 */
#ifndef TEST_HOST_FILE_DISK_H
#define TEST_HOST_FILE_DISK_H

#include <stdint.h>

#include "kern/blkdev.h"
#include "test/host/sim_machdep.h"

struct file_disk {
	struct blkdev dev;
	uint8_t *bytes;           /* the image; may be changed */
	uint64_t byte_count;
	uint64_t bad_first;       /* sectors [bad_first, bad_first + bad_count) ... */
	uint64_t bad_count;       /* ... fail with ERR_IO */
	uint64_t sectors_read;    /* work counter */
	/* Told of each sector written, and of each flush, if not NULL. */
	void (*wrote)(uint64_t sector, const uint8_t *data);
	void (*flushed)(void);
	uint32_t latency_us;      /* of a request, at most: sim_random draws it; 0: none */
	struct bio *under_way;    /* when there is one: one at a time */
	struct sim_event due;
};

/* Open path as a registered device called name. Returns 0 or ERR_IO, ERR_EXIST. */
int file_disk_open(struct file_disk *disk, const char *name, const char *path) ERR_MUST_CHECK;
void file_disk_close(struct file_disk *disk);

#endif
