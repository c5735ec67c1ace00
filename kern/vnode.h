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
	/* Last reference gone. Never yields. */
	void (*release)(struct vnode *vp);
	/*
	 * Have room on the disk for the file to become bytes long, which nobody sees before
	 * size_bytes says so. How long it can become (less: the volume is full, or that is as long
	 * as a file can be), or ERR_IO, ERR_CORRUPT. May yield.
	 */
	int64_t (*reserve)(struct vnode *vp, uint64_t bytes);
	/* size_bytes has been made smaller and nobody uses what lies beyond: the room is free, and
	 * the file durably no longer at the end. ERR_IO, ERR_CORRUPT. May yield. */
	int (*shrink)(struct vnode *vp);
	/* The first size_bytes bytes have been written, if not flushed: it is at least so long from
	 * now on, durable. size_changed tells if there is more. ERR_IO. May yield. */
	int (*sync_size)(struct vnode *vp, uint64_t size_bytes);
	/* modified_s becomes that, as exactly as the file system can keep it, durable. ERR_INVAL
	 * (it cannot), ERR_PERM (of this file it keeps none), ERR_IO. May yield. */
	int (*set_time)(struct vnode *vp, uint32_t modified_s);
};

/*
 * A file grows and shrinks by size_bytes, which whoever holds its pages changes (mm/file_pager);
 * what bmap said of a page stays true until the file is made shorter than that.
 */
struct vnode {
	const struct vnode_ops *ops;
	struct blkdev *dev;
	uint64_t size_bytes;
	uint64_t shrink_bytes; /* while is_shrinking: to so many */
	uint32_t ref_count;
	bool is_directory;
	bool is_text;          /* programs run from it (mm/file_pager): not to be written */
	bool is_swap;          /* a swap area lies in it (mm/swap_file): not to be opened */
	bool is_unlinked;      /* removed: goes with its last reference */
	bool is_shrinking;     /* being made shorter, with the lock */
	bool size_changed;     /* the disk does not say size_bytes yet, or not for sure */
	uint32_t modified_s;   /* since the first of 1980, UTC: what somebody said; 0: nobody did */
	uint32_t cuts;         /* times it was made shorter: what reserve promised may be gone */
	uint32_t writer_count; /* open for writing so many times: not to be executed */
	uint64_t id;           /* unique per file on this device (first cluster) */
	void *fs_data;         /* the file system's */
	const char *name;      /* for messages; the file system's, lives as long */
	/* Whoever writes dirty pages of the file back holds it. Taken after a write has
	 * begun (vnode_write_begin), before the lock of the object and of pages. */
	struct sleep_lock lock;
	/* Whoever makes the file longer and fills what is new holds it, before all other locks;
	 * it is kept while waiting for memory, so nothing that makes memory free takes it. */
	struct sleep_lock grow_lock;
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
	/* A new, empty file, referenced. ERR_EXIST, ERR_INVAL (a name that cannot be),
	 * ERR_NOSPC, and as lookup. May yield. */
	int (*create)(const char *path, struct vnode **out);
	/* Remove the name of a file, durable at the end; the vnode, referenced: with its last
	 * reference it goes. ERR_ISDIR, ERR_BUSY (text or swap), and as lookup. May yield. */
	int (*unlink)(const char *path, struct vnode **out);
	/* Free what has been removed; say on the disk that the volume is at rest if it is. May
	 * yield. */
	int (*sync)(void);
};

void vfs_mount(const struct fs_ops *ops, struct blkdev *dev);
/* ERR_NODEV when nothing is mounted. May yield. */
int vfs_lookup(const char *path, struct vnode **out) ERR_MUST_CHECK;
int vfs_readdir(struct vnode *vp, uint32_t index, struct vnode_dirent *out) ERR_MUST_CHECK;
/* As struct fs_ops says, or ERR_NODEV, ERR_ROFS; within the gate for writes (below), which they
 * may wait for. May yield. */
int vfs_create(const char *path, struct vnode **out) ERR_MUST_CHECK;
int vfs_unlink(const char *path, struct vnode **out) ERR_MUST_CHECK;
int vfs_sync(void) ERR_MUST_CHECK;
int vnode_set_time(struct vnode *vp, uint32_t modified_s) ERR_MUST_CHECK;
/* The bytes of vp have changed, or where they lie: what was read ahead of it is old. Never
 * yields. */
void vnode_changed(struct vnode *vp);
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
