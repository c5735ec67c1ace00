/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files as devices: a partition of the file's disk, at the sectors of the file.
 *
 *   (file) --swap_file_attach--> swapf0, a child of the file's partition --swapon--> area
 *      ^                           |                                                   |
 *      +-----swap_file_detach------+-----------------------swapoff---------------------+
 *
 * Place and size of a file never change while the file system is mounted, so the blocks
 * stay the file's.
 *
 * Owns: the devices; vnode.is_swap; a reference to each such vnode.
 * Does not: know swap areas.
 * Invariants:
 *   Z1 a vnode is at most one device, and then is_swap;
 *   Z2 nobody writes to the file by other ways: it was not open and had no dirty pages when
 *      it became a device, and is not opened since.
 * Yields: all but swap_file_init.
 * See: kern/vnode.h; docs/SPEC.md for the header.
 */
#include "mm/swap_file.h"

#include <stdio.h>
#include <string.h>

#include "kern/console.h"
#include "kern/vnode.h"
#include "mm/file_pager.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_object.h"

struct swap_file {
	struct blkdev dev;
	struct vnode *vp; /* NULL: not in use */
};

static struct swap_file files[SWAP_AREAS_MAX];

void
swap_file_init(void)
{
	memset(files, 0, sizeof(files));
}

static struct swap_file *
file_of(const struct vnode *vp)
{
	struct swap_file *f;

	for (f = files; f < files + SWAP_AREAS_MAX; f++)
		if (f->vp == vp)
			return (f);
	return (NULL);
}

static int
refuse(const char *path, const char *why)
{
	kprintf("swap: %s: %s\n", path, why);
	return (ERR_NOTSUP);
}

/* The file's only piece. */
static int
only_piece(struct vnode *vp, const char *path, uint64_t *sector)
{
	struct vnode_run runs[VNODE_RUNS_MAX];
	uint64_t pages = vp->size_bytes / PAGE_SIZE;
	uint32_t contiguous = 0;
	int count;

	if (vp->is_directory || pages == 0 || vp->dev->block_bytes != 512)
		return (refuse(path, "is not a file that can hold pages"));
	count = vp->ops->bmap(vp, 0, runs, &contiguous);
	if (count < 0)
		return (count);
	if (count != 1 || contiguous + 1 < pages)
		return (refuse(path,
		    "lies on its disk in pieces; copy it to a card with more room"));
	*sector = runs[0].sector;
	return (0);
}

/* Z2: nobody has it open, and what was written to it is on the disk. */
static int
settle(struct vnode *vp)
{
	struct vm_object *object = vp->object;
	int error;

	if (vp->writer_count != 0 || vp->is_text || (object != NULL && object->ref_count != 0))
		return (ERR_BUSY);
	if (vp->dev->read_only)
		return (ERR_ROFS);
	if (object == NULL)
		return (0);
	object = file_pager_alloc(vp);
	if (object == NULL)
		return (ERR_NOMEM);
	error = file_pager_sync(object, 0, 0, OBJPC_SYNC, false);
	vm_object_deallocate(object);
	return (error);
}

static int
make_device(struct swap_file *f, struct vnode *vp, uint64_t sector)
{
	f->dev = (struct blkdev){ .parent = vp->dev, .parent_block = sector,
		.block_count = vp->size_bytes / PAGE_SIZE * (PAGE_SIZE / 512) };
	snprintf(f->dev.name, sizeof(f->dev.name), "swapf%u", (unsigned)(f - files));
	return (blk_register(&f->dev));
}

/* vp is referenced; with 0 that reference is the device's. */
static int
attach(struct vnode *vp, const char *path, struct blkdev **out)
{
	struct swap_file *f;
	uint64_t sector = 0;
	int error;

	vp->is_swap = true; /* before anything yields */
	error = settle(vp);
	if (error == 0)
		error = only_piece(vp, path, &sector);
	f = file_of(NULL); /* only now: others that become devices meanwhile take theirs */
	if (error == 0)
		error = f != NULL ? make_device(f, vp, sector) : ERR_NOSPC;
	if (error != 0) {
		vp->is_swap = false;
		return (error);
	}
	f->vp = vp;
	*out = &f->dev;
	return (0);
}

int
swap_file_attach(const char *path, struct blkdev **out)
{
	struct swap_file *f;
	struct vnode *vp;
	int error = vfs_lookup(path, &vp);

	if (error != 0)
		return (error);
	f = file_of(vp);
	if (f != NULL && f->dev.gone) /* just ceasing to be one */
		error = ERR_BUSY;
	else if (f != NULL)
		*out = &f->dev;
	else if (vp->is_swap) /* just becoming one */
		error = ERR_BUSY;
	else
		error = attach(vp, path, out);
	if (error != 0 || f != NULL)
		vnode_unref(vp);
	return (error);
}

void
swap_file_detach(struct blkdev *dev)
{
	struct swap_file *f;

	for (f = files; f < files + SWAP_AREAS_MAX; f++) {
		if (f->vp == NULL || &f->dev != dev || dev->gone)
			continue; /* gone: another task is at it */
		blk_unregister(dev);
		f->vp->is_swap = false;
		vnode_unref(f->vp);
		f->vp = NULL;
	}
}

struct blkdev *
swap_file_find(const char *path)
{
	struct swap_file *f;
	struct vnode *vp;

	if (vfs_lookup(path, &vp) != 0)
		return (NULL);
	f = file_of(vp);
	vnode_unref(vp);
	return (f == NULL ? NULL : &f->dev);
}
