/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few recently used pieces of the volume's metadata (FAT and directories).
 */
#ifndef FS_FAT32_CACHE_H
#define FS_FAT32_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "lib/err.h"

/* Forget everything and read from dev from now on. Does not yield. */
void fat32_cache_init(struct blkdev *dev);

/*
 * The 512 bytes of sector; *out is valid until the next call. ERR_RANGE past
 * the end of the device, ERR_IO and what else blk_read returns. The caller
 * holds the volume lock. May yield.
 */
int fat32_cache_get(uint64_t sector, const uint8_t **out) ERR_MUST_CHECK;

/* Write the 512 bytes of sector, to the device at once; from is aligned to 64 bytes.
 * Not durable before the device is flushed. As fat32_cache_get; after an error the sector
 * is old, new or unreadable. May yield. */
int fat32_cache_put(uint64_t sector, const uint8_t *from) ERR_MUST_CHECK;

/* Everything that was written is durable. May yield. */
int fat32_cache_flush(void) ERR_MUST_CHECK;

/* Has a write or a flush failed since fat32_cache_init? Then nobody knows what is on the disk.
 * Does not yield. */
bool fat32_cache_write_failed(void);

#endif
