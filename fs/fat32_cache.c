/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metadata cache: eight lines of eight sectors, least recently used first
 * out. Clean only: what is written goes to the device at once.
 *
 * A line is one transfer, so that a chain of the FAT or a directory costs one
 * request per 4 KiB. If the transfer fails, the wanted sector is read alone: a
 * bad sector then hurts only those who ask for it.
 *
 * Owns: the lines (static, wired). Does not: lock (the volume lock covers it).
 *
 * Invariants:
 * C1 a line with count != 0 holds sectors [sector, sector + count) of the device.
 * C2 lines do not go past the end of the device.
 *
 * Yields: all but fat32_cache_init, in blk_read, blk_write and blk_flush.
 * See: fs/fat32_cache.h.
 */
#include "fs/fat32_cache.h"

#include <stddef.h>
#include <string.h>

#include "lib/assert.h"

#define SECTOR_BYTES 512
#define LINE_SECTORS 8
#define LINE_COUNT 8

struct cache_line {
	uint64_t sector;
	uint32_t count;    /* sectors held, 0 = empty */
	uint64_t used;     /* value of clock at the last use */
};

static struct blkdev *device;
static uint64_t clock;
static bool write_failed;
static struct cache_line lines[LINE_COUNT];
static uint8_t data[LINE_COUNT][LINE_SECTORS * SECTOR_BYTES]
    __attribute__((aligned(LINE_SECTORS * SECTOR_BYTES)));

void
fat32_cache_init(struct blkdev *dev)
{
	uint32_t i;

	device = dev;
	clock = 0;
	write_failed = false;
	for (i = 0; i < LINE_COUNT; i++)
		lines[i] = (struct cache_line){ 0 };
}

/* The line that holds sector, else NULL and the line to replace in *oldest. */
static struct cache_line *
line_find(uint64_t sector, struct cache_line **oldest)
{
	uint32_t i;

	*oldest = &lines[0];
	for (i = 0; i < LINE_COUNT; i++) {
		struct cache_line *l = &lines[i];

		if (sector - l->sector < l->count && sector >= l->sector)
			return (l);
		if (l->used < (*oldest)->used)
			*oldest = l;
	}
	return (NULL);
}

static int
line_fill(struct cache_line *l, uint64_t sector)
{
	uint64_t first = sector - sector % LINE_SECTORS;
	uint64_t left = device->block_count - first;
	uint32_t count = left < LINE_SECTORS ? (uint32_t)left : LINE_SECTORS;
	int err;

	KASSERT(first + count <= device->block_count, "C2: line inside the device");
	l->count = 0;
	err = blk_read(device, first, data[l - lines], count);
	if (err == ERR_IO && count > 1) {
		first = sector;
		count = 1;
		err = blk_read(device, first, data[l - lines], count);
	}
	if (err != 0)
		return (err);
	l->sector = first;
	l->count = count;
	return (0);
}

int
fat32_cache_get(uint64_t sector, const uint8_t **out)
{
	struct cache_line *l, *oldest;
	int err;

	if (sector >= device->block_count)
		return (ERR_RANGE);
	l = line_find(sector, &oldest);
	if (l == NULL) {
		l = oldest;
		err = line_fill(l, sector);
		if (err != 0)
			return (err);
	}
	l->used = ++clock;
	*out = data[l - lines] + (sector - l->sector) * SECTOR_BYTES;
	return (0);
}

int
fat32_cache_put(uint64_t sector, const uint8_t *from)
{
	struct cache_line *l, *oldest;
	int err;

	if (sector >= device->block_count)
		return (ERR_RANGE);
	err = blk_write(device, sector, from, 1);
	write_failed |= err != 0;
	l = line_find(sector, &oldest);
	if (l == NULL)
		return (err);
	if (err == 0)
		memcpy(data[l - lines] + (sector - l->sector) * SECTOR_BYTES, from, SECTOR_BYTES);
	else
		l->count = 0; /* who knows what is there */
	return (err);
}

int
fat32_cache_flush(void)
{
	int err = blk_flush(device);

	write_failed |= err != 0;
	return (err);
}

bool
fat32_cache_write_failed(void)
{
	return (write_failed);
}
