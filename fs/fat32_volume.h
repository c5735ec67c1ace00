/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fat32.c has for fat32_change.c: the volume lock, and paths.
 */
#ifndef FS_FAT32_VOLUME_H
#define FS_FAT32_VOLUME_H

#include "fs/fat32_node.h"

/* Covers nodes, cache, tables and static buffers. May yield; never yields. */
void fat32_volume_lock(void);
void fat32_volume_unlock(void);

/* Where a path leads, under the lock. */
struct fat32_place {
	struct fat32_node *directory; /* referenced, or NULL */
	const char *path;             /* plain, from the root: until the lock is given up */
	const char *name;             /* its last component */
	struct fat32_dirent *entry;   /* what is called so ... */
	uint32_t slot;                /* ... and its number in the directory */
};

/*
 * Find the directory of path and what it has under the last name. 0; ERR_NOENT with
 * place->directory set: nothing so called in it. ERR_ISDIR: path is the root.
 * Other errors as lookup, with directory NULL. May yield.
 */
int fat32_place_find(const char *path, struct fat32_place *place) ERR_MUST_CHECK;

/* ---- fat32_change.c */
int fat32_create(const char *path, struct vnode **out);
int fat32_unlink(const char *path, struct vnode **out);
int64_t fat32_reserve(struct vnode *vp, uint64_t bytes);
int fat32_shrink(struct vnode *vp);
int fat32_sync_size(struct vnode *vp, uint64_t size_bytes);
int fat32_set_time(struct vnode *vp, uint32_t modified_s);
int fat32_sync_volume(void);

#endif
