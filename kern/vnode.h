/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT between those who read files (proc, mm's file pager) and file systems.
 *
 * A vnode is a file as the VM sees it: a size and a map from page index to runs
 * of disk sectors. A file system implements vnode_ops.
 */
#ifndef KERN_VNODE_H
#define KERN_VNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "lib/err.h"

struct vnode;

/* Consecutive 512-byte sectors on the file's device. */
struct vnode_run {
	uint64_t sector;
	uint32_t sector_count;
};
#define VNODE_RUNS_MAX 8

struct vnode_ops {
	/*
	 * Where the 4 KiB page page_index of the file lies: up to VNODE_RUNS_MAX
	 * runs that together cover it (the last page may be covered in part).
	 * *contiguous_pages: how many further pages follow without a break after the
	 * last run. Returns the number of runs, or ERR_RANGE (past the end),
	 * ERR_CORRUPT, ERR_IO. May yield.
	 */
	int (*bmap)(struct vnode *vp, uint64_t page_index, struct vnode_run runs[VNODE_RUNS_MAX],
	    uint32_t *contiguous_pages);
	/* Last reference gone. */
	void (*release)(struct vnode *vp);
};

struct vnode {
	const struct vnode_ops *ops;
	struct blkdev *dev;
	uint64_t size_bytes;
	uint32_t ref_count;
	bool is_directory;
	uint64_t id;           /* unique per file on this device (first cluster) */
	void *fs_data;         /* the file system's */
};

/* One directory entry. */
struct vnode_dirent {
	char name[256];        /* UTF-8, NUL-terminated */
	uint64_t size_bytes;
	bool is_directory;
};

/* The mounted file system (there is one). Paths are absolute, '/'-separated,
 * matched without regard to ASCII case. */
struct fs_ops {
	/* A referenced vnode in *out. ERR_NOENT, ERR_NOTDIR, ERR_NAMETOOLONG,
	 * ERR_CORRUPT, ERR_IO, ERR_NOMEM (no page for a vnode). May yield. */
	int (*lookup)(const char *path, struct vnode **out);
	/* Entry number index of directory vp; ERR_NOENT after the last. May yield. */
	int (*readdir)(struct vnode *vp, uint32_t index, struct vnode_dirent *out);
};

void vfs_mount(const struct fs_ops *ops, struct blkdev *dev);
/* ERR_NODEV when nothing is mounted. May yield. */
int vfs_lookup(const char *path, struct vnode **out) ERR_MUST_CHECK;
int vfs_readdir(struct vnode *vp, uint32_t index, struct vnode_dirent *out) ERR_MUST_CHECK;
void vnode_ref(struct vnode *vp);
void vnode_unref(struct vnode *vp);

/*
 * Read count bytes at offset into a wired kernel buffer, a page-bounce at a time
 * through a wired scratch page or directly. Returns bytes read (short at the end
 * of the file) or ERR_*. May yield.
 */
int64_t vnode_read(struct vnode *vp, uint64_t offset, void *buffer, uint64_t count) ERR_MUST_CHECK;
/* Fill one whole page frame at physical address pa with file page page_index;
 * what lies past the end of the file is zeroed. May yield. */
int vnode_read_page(struct vnode *vp, uint64_t page_index, uint64_t pa) ERR_MUST_CHECK;

#endif
