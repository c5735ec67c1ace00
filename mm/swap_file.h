/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file as the device of a swap area, for who has no partition to spare. Public.
 *
 * The file lies in one piece on its disk and has the header that tools/mkswap writes, so
 * that nothing else is overwritten by mistake. While it is a device nobody can open it.
 */
#ifndef MM_SWAP_FILE_H
#define MM_SWAP_FILE_H

#include "kern/blkdev.h"
#include "lib/err.h"

void swap_file_init(void);
/*
 * Make the file at path a device ("swapf0", ...) in *out; it may be one already. ERR_NOTSUP
 * (in more than one piece, or not a file; a line on the console says which), ERR_BUSY (in
 * use by a program), ERR_NOSPC (four are devices), ERR_ROFS, or what vfs_lookup and the
 * file's disk say. May yield.
 */
int swap_file_attach(const char *path, struct blkdev **out) ERR_MUST_CHECK;
/* If the device is a file's: a file again. It is no swap area. May yield. */
void swap_file_detach(struct blkdev *dev);
/* The device that the file at path is, or NULL. May yield. */
struct blkdev *swap_file_find(const char *path);

#endif
