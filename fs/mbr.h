/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Public: the partition table in sector 0 of a disk.
 *
 * Layout: byte 446 four entries of 16 bytes (boot flag, 3 bytes CHS, type,
 * 3 bytes CHS, first sector, sector count), byte 510 the signature 55 AA.
 * Numbers are little-endian, sectors have 512 bytes; CHS is ignored.
 */
#ifndef FS_MBR_H
#define FS_MBR_H

#include "kern/blkdev.h"
#include "lib/err.h"

#define MBR_TYPE_FAT32_LBA 0x0c
#define MBR_TYPE_SWAP 0x82

/*
 * Read the table of disk and register each sane primary partition as a device
 * named <disk>s1 .. <disk>s4 with its mbr_type. Each entry that is not sane is
 * named in one console line and left out. Once per disk, or again after its
 * partitions have been unregistered. May yield.
 *
 * Returns the number of partitions registered (at least 1), or, after one
 * console line that says what to do: ERR_NOENT (no table, or no usable entry),
 * ERR_NOTSUP (GPT, or blocks other than 512 bytes), ERR_IO.
 */
int mbr_scan(struct blkdev *disk) ERR_MUST_CHECK;

#endif
