/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files as the VM sees them: the mount, references, and reading by pages.
 *
 * A file system tells where a page lies (bmap) and keeps out of the transfer. Whole
 * pages go from the disk straight into the frame. What is not a whole page, and
 * pages read one after the other, come by way of a window: VFS_WINDOW_PAGES wired
 * pages that hold a stretch of one file, filled by one transfer as far as the file
 * is contiguous. So reading a file in small pieces, or page by page, costs one disk
 * command for the window and not one for each piece.
 *
 * Owns: the mount, the window and its lock, every vnode's ref_count.
 * Does not: know the pages that mm keeps of a file (mm/file_pager), which may be newer
 *   than the disk: programs read those. Nor write data.
 * Invariants:
 *   V1 a vnode is used only while it has references;
 *   V2 the window is touched only under its lock, and holds bytes of window_vp only;
 *      it is emptied when that vnode loses its last reference;
 *   V3 what a page holds past the end of its file is zero.
 * Yields: vfs_*, vnode_read, vnode_read_page.
 * See: kern/vnode.h.
 */
#include "kern/vnode.h"

#include <stddef.h>
#include <string.h>

#include "kern/kern_params.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "lib/assert.h"

#define VFS_PAGE_BYTES   4096u
#define VFS_WINDOW_PAGES 8u
#define SECTOR_BYTES     512u
#define PAGE_SECTORS     (VFS_PAGE_BYTES / SECTOR_BYTES)

static const struct fs_ops *fs;
static struct vnode volume; /* stands for the whole of it at the gate for writes */

static uint8_t window[VFS_WINDOW_PAGES][VFS_PAGE_BYTES] __attribute__((aligned(4096)));
static bool window_locked;
static struct vnode *window_vp; /* NULL: empty */
static uint64_t window_first;   /* page index of window[0] */
static uint32_t window_count;

/* The page that vnode_read_page read last: the next one may be wanted next. */
static struct vnode *last_vp;
static uint64_t last_index;

/* A device block of which only a part is wanted; under the window's lock too. */
static uint8_t block_buffer[VFS_PAGE_BYTES] __attribute__((aligned(4096)));

/* ---- mount and references */

void
vfs_mount(const struct fs_ops *ops, struct blkdev *dev)
{
	volume.dev = dev;
	fs = ops;
	window_vp = NULL;
	last_vp = NULL;
}

int
vfs_lookup(const char *path, struct vnode **out)
{
	return (fs == NULL ? ERR_NODEV : fs->lookup(path, out));
}

int
vfs_readdir(struct vnode *vp, uint32_t index, struct vnode_dirent *out)
{
	if (fs == NULL)
		return (ERR_NODEV);
	return (vp->is_directory ? fs->readdir(vp, index, out) : ERR_NOTDIR);
}

/* Within the gate, with whatever fs can do. */
static int
volume_begin(void)
{
	if (fs == NULL)
		return (ERR_NODEV);
	return (fs->create == NULL ? ERR_ROFS : vnode_write_begin(&volume, false));
}

int
vfs_create(const char *path, struct vnode **out)
{
	int err = volume_begin();

	if (err != 0)
		return (err);
	err = fs->create(path, out);
	vnode_write_end(&volume);
	return (err);
}

int
vfs_unlink(const char *path, struct vnode **out)
{
	int err = volume_begin();

	if (err != 0)
		return (err);
	err = fs->unlink(path, out);
	vnode_write_end(&volume);
	return (err);
}

int
vfs_sync(void)
{
	int err = volume_begin();

	if (err != 0) /* nothing mounted, or nothing ever written */
		return (err == ERR_NODEV || err == ERR_ROFS ? 0 : err);
	err = fs->sync();
	vnode_write_end(&volume);
	return (err);
}

int
vnode_set_time(struct vnode *vp, uint32_t modified_s)
{
	int err = vp->ops->set_time == NULL ? ERR_ROFS : vnode_write_begin(vp, false);

	if (err != 0)
		return (err);
	err = vp->ops->set_time(vp, modified_s);
	vnode_write_end(vp);
	return (err);
}

void
vnode_changed(struct vnode *vp)
{
	if (window_vp == vp)
		window_vp = NULL; /* V2 */
	if (last_vp == vp)
		last_vp = NULL;
}

void
vnode_ref(struct vnode *vp)
{
	vp->ref_count++;
}

void
vnode_unref(struct vnode *vp)
{
	KASSERT(vp->ref_count > 0, "V1: a reference that is dropped was held");
	if (--vp->ref_count != 0)
		return;
	vnode_changed(vp); /* the file system may use the struct for another file now */
	vp->ops->release(vp);
}

static void
window_lock(void)
{
	while (window_locked)
		tsleep(&window_locked, "vfswin", SLEEP_FOREVER);
	window_locked = true;
}

static void
window_unlock(void)
{
	window_locked = false;
	wakeup_one(&window_locked);
}

/* ---- from disk to memory */

/* Sectors that are not whole device blocks, a block at a time through block_buffer. */
static int
read_by_blocks(struct blkdev *dev, const struct vnode_run *run, uint8_t *to)
{
	uint32_t block_sectors = dev->block_bytes / SECTOR_BYTES;
	uint64_t sector = run->sector;
	uint64_t end = run->sector + run->sector_count;

	if (dev->block_bytes > sizeof(block_buffer))
		return (ERR_NOTSUP);
	while (sector < end) {
		uint32_t skip = (uint32_t)(sector % block_sectors);
		uint64_t count = block_sectors - skip;
		int err = blk_read(dev, sector / block_sectors, block_buffer, 1);

		if (err != 0)
			return (err);
		if (count > end - sector)
			count = end - sector;
		memcpy(to, block_buffer + skip * SECTOR_BYTES, count * SECTOR_BYTES);
		to += count * SECTOR_BYTES;
		sector += count;
	}
	return (0);
}

static int
read_run(struct blkdev *dev, const struct vnode_run *run, uint8_t *to)
{
	uint32_t block_sectors = dev->block_bytes / SECTOR_BYTES;

	kern_params.vnode_reads++;
	kern_params.vnode_read_bytes += (uint64_t)run->sector_count * SECTOR_BYTES;
	if ((run->sector | run->sector_count) % block_sectors != 0)
		return (read_by_blocks(dev, run, to));
	return (blk_read(dev, run->sector / block_sectors, to, run->sector_count / block_sectors));
}

/*
 * Where up to *pages pages from page first lie: the runs of the first page, the last
 * one drawn out over what follows it on the disk. The number of runs, *pages set to
 * what they cover; or ERR_*.
 */
static int
map_pages(struct vnode *vp, uint64_t first, uint32_t *pages, struct vnode_run *runs)
{
	uint64_t file_sectors, wanted, covered = 0;
	uint32_t contiguous = 0;
	int count;

	do { /* the file may grow meanwhile */
		file_sectors = (vp->size_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
		count = vp->ops->bmap(vp, first, runs, &contiguous);
	} while (file_sectors != (vp->size_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES);
	if (count < 0)
		return (count);
	for (int i = 0; i < count; i++)
		covered += runs[i].sector_count;
	wanted = file_sectors - first * PAGE_SECTORS;
	if (count == 0 || covered != (wanted < PAGE_SECTORS ? wanted : PAGE_SECTORS))
		return (ERR_CORRUPT);
	if (*pages > contiguous + 1)
		*pages = contiguous + 1;
	if (wanted > (uint64_t)*pages * PAGE_SECTORS)
		wanted = (uint64_t)*pages * PAGE_SECTORS;
	runs[count - 1].sector_count += (uint32_t)(wanted - covered);
	return (count);
}

/*
 * Read up to max_pages pages from page first to contiguous memory; how many (at least
 * one), or ERR_*. Under the window's lock, for block_buffer's sake.
 */
static int
fill(struct vnode *vp, uint64_t first, uint32_t max_pages, uint8_t *to)
{
	struct vnode_run runs[VNODE_RUNS_MAX];
	uint64_t left_bytes = vp->size_bytes - first * VFS_PAGE_BYTES;
	uint64_t memory_bytes;
	uint8_t *at = to;
	int count = map_pages(vp, first, &max_pages, runs);

	if (count < 0)
		return (count);
	for (int i = 0; i < count; i++) {
		int err = read_run(vp->dev, &runs[i], at);

		if (err != 0)
			return (err);
		at += (uint64_t)runs[i].sector_count * SECTOR_BYTES;
	}
	memory_bytes = (uint64_t)max_pages * VFS_PAGE_BYTES;
	if (left_bytes < memory_bytes)
		memset(to + left_bytes, 0, memory_bytes - left_bytes);
	return ((int)max_pages);
}

/* Locked: page index of vp in the window, read from disk if need be; or NULL and
 * *err. */
static const uint8_t *
window_page(struct vnode *vp, uint64_t index, int *err)
{
	if (window_vp != vp || index < window_first || index - window_first >= window_count) {
		window_vp = NULL;
		*err = fill(vp, index, VFS_WINDOW_PAGES, window[0]);
		if (*err < 0)
			return (NULL);
		window_vp = vp;
		window_first = index;
		window_count = (uint32_t)*err;
	}
	*err = 0;
	return (window[index - window_first]);
}

/* ---- reading */

/* Whole pages at once, where buffer and file are both at the start of one; 0 if not. */
static int64_t
read_direct(struct vnode *vp, uint64_t offset, uint8_t *to, uint64_t count)
{
	uint64_t pages = count / VFS_PAGE_BYTES;
	int got;

	if ((offset | (uintptr_t)to) % VFS_PAGE_BYTES != 0 || pages == 0)
		return (0);
	got = fill(vp, offset / VFS_PAGE_BYTES, pages < 256 ? (uint32_t)pages : 256, to);
	return (got < 0 ? got : (int64_t)got * VFS_PAGE_BYTES);
}

/* A part of one page, by way of the window. */
static int64_t
read_part(struct vnode *vp, uint64_t offset, uint8_t *to, uint64_t count)
{
	uint32_t skip = (uint32_t)(offset % VFS_PAGE_BYTES);
	uint64_t part = VFS_PAGE_BYTES - skip;
	const uint8_t *page;
	int err;

	page = window_page(vp, offset / VFS_PAGE_BYTES, &err);
	if (page == NULL)
		return (err);
	if (part > count)
		part = count;
	memcpy(to, page + skip, part);
	return ((int64_t)part);
}

int64_t
vnode_read(struct vnode *vp, uint64_t offset, void *buffer, uint64_t count)
{
	uint64_t done = 0;
	int64_t got = 0;

	KASSERT(vp->ref_count > 0, "V1: a vnode in use has references");
	if (vp->is_directory)
		return (ERR_ISDIR);
	if (offset >= vp->size_bytes)
		return (0);
	if (count > vp->size_bytes - offset)
		count = vp->size_bytes - offset;
	while (done < count) {
		uint8_t *to = (uint8_t *)buffer + done;

		window_lock();
		got = read_direct(vp, offset + done, to, count - done);
		if (got == 0)
			got = read_part(vp, offset + done, to, count - done);
		window_unlock();
		if (got < 0)
			return (got);
		done += (uint64_t)got;
		sched_maybe_yield();
	}
	return ((int64_t)done);
}

int
vnode_read_page(struct vnode *vp, uint64_t page_index, uint64_t pa)
{
	bool in_order;
	const uint8_t *page;
	int err;

	KASSERT(vp->ref_count > 0, "V1: a vnode in use has references");
	if (page_index >= (vp->size_bytes + VFS_PAGE_BYTES - 1) / VFS_PAGE_BYTES)
		return (ERR_RANGE);
	window_lock();
	in_order = last_vp == vp && page_index == last_index + 1;
	last_vp = vp;
	last_index = page_index;
	if (in_order) {
		page = window_page(vp, page_index, &err);
		if (page != NULL)
			cpu_copy(phys_to_virt(pa), page, VFS_PAGE_BYTES);
	} else {
		err = fill(vp, page_index, 1, phys_to_virt(pa));
	}
	window_unlock();
	return (err < 0 ? err : 0);
}
