/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Public: the FAT32 file system.
 */
#ifndef FS_FAT32_H
#define FS_FAT32_H

#include "kern/blkdev.h"
#include "lib/err.h"

/*
 * Check the volume on dev and mount it as the file system (kern/vnode.h).
 * Once. On failure one console line names the device, the fault and what to do,
 * and nothing is mounted: ERR_CORRUPT, ERR_NOTSUP (not FAT32), ERR_IO. May yield.
 *
 * Later errors of single files or directories are returned by the operation
 * after one console line with path and cluster.
 */
int fat32_mount(struct blkdev *dev) ERR_MUST_CHECK;

#endif
