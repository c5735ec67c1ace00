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
#include <sys/queue.h>

#include "kern/blkdev.h"
#include "kern/sleep_lock.h"
#include "lib/err.h"

struct vm_object;
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
	 * ERR_CORRUPT, ERR_IO. It allocates nothing and never waits for free pages: the
	 * page daemon calls it. It may read the file system's own tables through buffers
	 * that it has for good. May yield.
	 */
	int (*bmap)(struct vnode *vp, uint64_t page_index, struct vnode_run runs[VNODE_RUNS_MAX],
	    uint32_t *contiguous_pages);
	/* Last reference gone. */
	void (*release)(struct vnode *vp);
};

/*
 * Size and place of a file never change: what is written overwrites. So what bmap said
 * stays true.
 */
struct vnode {
	const struct vnode_ops *ops;
	struct blkdev *dev;
	uint64_t size_bytes;
	uint32_t ref_count;
	bool is_directory;
	bool is_text;          /* programs run from it (mm/file_pager): not to be written */
	bool is_swap;          /* a swap area lies in it (mm/swap_file): not to be opened */
	uint32_t writer_count; /* open for writing so many times: not to be executed */
	uint64_t id;           /* unique per file on this device (first cluster) */
	void *fs_data;         /* the file system's */
	const char *name;      /* for messages; the file system's, lives as long */
	/* Whoever writes dirty pages of the file back holds it. Taken after a write has
	 * begun (vnode_write_begin), before the lock of the object and of pages. */
	struct sleep_lock lock;
	/* mm/file_pager's */
	struct vm_object *object; /* the file's pages, or NULL */
	TAILQ_ENTRY(vnode) object_link; /* list of vnodes with an object */
	uint64_t object_used;  /* value of a counter when it was last given up */
	int write_error;       /* ERR_IO or ERR_ROFS: a write failed, nobody has been told */
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
 * of the file) or ERR_*. From the disk: what mm/file_pager has not written yet is not
 * seen. May yield.
 */
int64_t vnode_read(struct vnode *vp, uint64_t offset, void *buffer, uint64_t count) ERR_MUST_CHECK;
/* Fill one whole page frame at physical address pa with file page page_index;
 * what lies past the end of the file is zeroed. May yield. */
int vnode_read_page(struct vnode *vp, uint64_t page_index, uint64_t pa) ERR_MUST_CHECK;

/* ---- Writing (kern/vfs_write.c) */

/*
 * Begin to write to vp; each success is paired with vnode_write_end. While writes are
 * suspended: ERR_AGAIN with nowait, else it waits. ERR_ROFS: the device is read-only.
 * May yield (never with nowait).
 */
int vnode_write_begin(struct vnode *vp, bool nowait) ERR_MUST_CHECK;
/* A write that began goes on after its caller's vnode_write_end: one more to end. Never
 * yields. */
void vnode_write_extend(struct vnode *vp);
/* Never yields. */
void vnode_write_end(struct vnode *vp);
/* Refuse new writes and wait until those that have begun end; suspensions add up. May
 * yield. */
void vfs_write_suspend(void);
/* One suspension less. Never yields. */
void vfs_write_resume(void);

/*
 * The syncer (mm/vm_syncer) writes dirty files back every so often. speedup: now, please;
 * never yields. wait: the syncer's side: sleep until asked, at most timeout_us; true if
 * asked. Always yields.
 */
void vfs_speedup_syncer(void);
bool vfs_syncer_wait(uint64_t timeout_us);

/* Forget writes, suspensions and requests (host tests boot repeatedly). */
void vfs_write_init(void);

#endif
