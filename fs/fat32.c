/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32: mount, paths, and where the pages of a file lie.
 *
 *   fat32.c        mount, lookup, readdir, bmap; the volume lock
 *   fat32_change.c create, grow, shrink, remove
 *   fat32_entry.c  directory entries that change     fat32_name.c  names of new ones
 *   fat32_time.c   dates and times in them
 *   fat32_table.c  what is written to the FAT
 *   fat32_node.c   the vnodes; checks of a file when it is opened
 *   fat32_dir.c    directory entries and names
 *   fat32_chain.c  cluster chains as extents
 *   fat32_cache.c  sectors of FAT and directories
 *   fat32_bpb.c    the boot sector
 *
 * File data does not pass through here: a reader or writer asks bmap for the
 * sectors of a page and moves them itself, so overwriting data never touches
 * metadata. A path is first made plain as text ("." and ".." resolved), then
 * walked from the root.
 *
 * Owns: the volume lock, the path being walked.
 * Does not: change the volume (fat32_change.c); allocate (fat32_node does).
 *
 * Invariants:
 * F1 nodes, cache and the static buffers are touched only under the volume lock.
 * F2 runs returned by bmap lie inside the device and cover whole sectors of the file.
 *
 * Yields: every operation, on the volume lock and in blk_read.
 * See: kern/vnode.h; Microsoft, FAT: General Overview of On-Disk Format.
 */
#include "fs/fat32.h"

#include <string.h>

#include "fs/fat32_cache.h"
#include "fs/fat32_table.h"
#include "fs/fat32_volume.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/le.h"

#define PAGE_SECTORS 8
#define PATH_BYTES 1024

#define TABLE_CLEAN 0x08000000u /* FAT entry 1: unmounted cleanly */

static bool volume_busy;

/* Under the lock. */
static char path[PATH_BYTES];
static struct fat32_dirent entry;

void
fat32_volume_lock(void)
{
	while (volume_busy)
		tsleep(&volume_busy, "fat32", SLEEP_FOREVER);
	volume_busy = true;
}

void
fat32_volume_unlock(void)
{
	KASSERT(volume_busy, "F1: the lock is held");
	if (fat32_cache_write_failed())
		fat32_geometry.unclean = true; /* as if it had been mounted so */
	volume_busy = false;
	wakeup_one(&volume_busy);
}

/*
 * Copy from to the static path as "/a/b": no empty, "." or ".." component.
 * A ".." at the root stays there.
 */
static int
path_make_plain(const char *from)
{
	uint32_t used = 0;

	while (*from != '\0') {
		uint32_t bytes = (uint32_t)strcspn(from, "/");

		if (bytes == 2 && from[0] == '.' && from[1] == '.') {
			while (used > 0 && path[--used] != '/')
				continue;
		} else if (bytes != 0 && !(bytes == 1 && from[0] == '.')) {
			if (used + 1 + bytes >= PATH_BYTES)
				return (ERR_NAMETOOLONG);
			path[used++] = '/';
			memcpy(path + used, from, bytes);
			used += bytes;
		}
		from += bytes;
		from += strspn(from, "/");
	}
	path[used] = '\0';
	return (0);
}

/* Find the entry of dir called name (bytes long) and fill the static entry; its number. */
static int
directory_search(struct fat32_node *dir, const char *name, uint32_t bytes, uint32_t *number)
{
	char why[FAT32_WHY_BYTES] = "";
	uint32_t slot = 0;
	int err;

	for (;;) {
		err = fat32_dir_next(&fat32_geometry, &dir->chain, &slot, &entry, why);
		if (err != 0)
			return (fat32_node_complain(dir->path, err, why));
		*number = slot - 1; /* slot is the next one */
		if (fat32_name_equal(entry.name, name, bytes) ||
		    fat32_name_equal(entry.short_name, name, bytes))
			return (0);
	}
}

/* Go from *node (whose reference is given up) to its child that ends at path[end]. */
static int
walk_step(struct fat32_node **node, uint32_t start, uint32_t end)
{
	struct fat32_node *parent = *node, *child;
	char after = path[end];
	uint32_t slot;
	int err;

	path[end] = '\0';
	err = parent->vnode.is_directory ?
	    directory_search(parent, path + start, end - start, &slot) : ERR_NOTDIR;
	if (err == 0)
		err = fat32_node_get(parent, &entry, path, &child);
	path[end] = after;
	parent->vnode.ref_count--;
	if (err == 0)
		*node = child;
	return (err);
}

/* To where the first bytes of path lead. */
static int
walk(uint32_t bytes, struct fat32_node **out)
{
	struct fat32_node *node = NULL;
	uint32_t at = 0;
	int err;

	err = fat32_node_root(&node);
	while (err == 0 && at < bytes) {
		uint32_t start = at + 1;

		at = start + (uint32_t)strcspn(path + start, "/");
		err = walk_step(&node, start, at);
	}
	*out = node;
	return (err);
}

static int
fat32_lookup(const char *name, struct vnode **out)
{
	struct fat32_node *node = NULL;
	int err;

	fat32_volume_lock();
	err = path_make_plain(name);
	if (err == 0)
		err = walk((uint32_t)strlen(path), &node);
	if (err == 0)
		*out = &node->vnode;
	fat32_volume_unlock();
	return (err);
}

int
fat32_place_find(const char *from, struct fat32_place *place)
{
	struct fat32_node *directory = NULL;
	uint32_t start;
	int err = path_make_plain(from);

	memset(place, 0, sizeof(*place));
	place->path = path;
	place->entry = &entry;
	if (err != 0)
		return (err);
	if (path[0] == '\0')
		return (ERR_ISDIR);
	start = (uint32_t)(strrchr(path, '/') - path);
	err = walk(start, &directory);
	if (err == 0 && !directory->vnode.is_directory) {
		directory->vnode.ref_count--;
		err = ERR_NOTDIR;
	}
	if (err != 0)
		return (err);
	place->directory = directory;
	place->name = path + start + 1;
	return (directory_search(directory, place->name, (uint32_t)strlen(place->name),
	    &place->slot));
}

/* The entry number index of dir into the static entry. */
static int
directory_read(struct fat32_node *dir, uint32_t index)
{
	char why[FAT32_WHY_BYTES] = "";
	int err = 0;

	if (index < dir->readdir_index)
		dir->readdir_index = dir->readdir_slot = 0;
	while (dir->readdir_index <= index) {
		err = fat32_dir_next(&fat32_geometry, &dir->chain, &dir->readdir_slot, &entry,
		    why);
		if (err != 0)
			return (fat32_node_complain(dir->path, err, why));
		dir->readdir_index++;
	}
	return (0);
}

static int
fat32_readdir(struct vnode *vp, uint32_t index, struct vnode_dirent *out)
{
	int err;

	if (!vp->is_directory)
		return (ERR_NOTDIR);
	fat32_volume_lock();
	err = directory_read(vp->fs_data, index);
	if (err == 0) {
		/* A name that does not fit is also known by its short name. */
		strcpy(out->name, strlen(entry.name) < sizeof(out->name) ? entry.name :
		    entry.short_name);
		out->size_bytes = entry.is_directory ? 0 : entry.size_bytes;
		out->is_directory = entry.is_directory;
	}
	fat32_volume_unlock();
	return (err);
}

/* Part of a file: sectors [at, end) of the page wanted, file_end its last + 1. */
struct bmap_span {
	uint64_t at, end, file_end;
};

/* Append the run that begins at span->at; *contiguous is updated for it. */
static int
bmap_run(struct fat32_node *node, struct bmap_span *span, struct vnode_run *run,
    uint32_t *contiguous_pages, char *why)
{
	uint32_t cluster_sectors = fat32_geometry.cluster_sectors;
	struct fat32_extent e;
	uint64_t extent_end, offset, left;
	int err;

	err = fat32_chain_find(&fat32_geometry, &node->chain,
	    (uint32_t)(span->at / cluster_sectors), &e, why);
	if (err != 0)
		return (err);
	offset = span->at - (uint64_t)e.index * cluster_sectors;
	extent_end = ((uint64_t)e.index + e.count) * cluster_sectors;
	if (extent_end > span->file_end)
		extent_end = span->file_end;
	run->sector = fat32_cluster_sector(&fat32_geometry, e.cluster) + offset;
	run->sector_count = (uint32_t)((extent_end < span->end ? extent_end : span->end) -
	    span->at);
	KASSERT(run->sector + run->sector_count <= node->vnode.dev->block_count,
	    "F2: run inside the device");
	span->at += run->sector_count;
	left = extent_end - span->at;
	*contiguous_pages = (uint32_t)(left / PAGE_SECTORS);
	if (left % PAGE_SECTORS != 0 && extent_end == span->file_end)
		(*contiguous_pages)++;
	return (0);
}

static int
fat32_bmap(struct vnode *vp, uint64_t page_index, struct vnode_run runs[VNODE_RUNS_MAX],
    uint32_t *contiguous_pages)
{
	struct fat32_node *node = vp->fs_data;
	char why[FAT32_WHY_BYTES] = "";
	struct bmap_span span;
	int count, err = 0;

	fat32_volume_lock(); /* a file that is cut loses its clusters under it */
	span.file_end = (vp->size_bytes + FAT32_SECTOR_BYTES - 1) / FAT32_SECTOR_BYTES;
	span.at = page_index * PAGE_SECTORS;
	span.end = span.at + PAGE_SECTORS;
	if (span.end > span.file_end)
		span.end = span.file_end;
	if (span.at >= span.end)
		err = ERR_RANGE;
	for (count = 0; err == 0 && span.at < span.end; count++) {
		KASSERT(count < VNODE_RUNS_MAX, "F2: a page has at most 8 sectors");
		err = bmap_run(node, &span, &runs[count], contiguous_pages, why);
	}
	fat32_volume_unlock();
	return (err != 0 ? fat32_node_complain(node->path, err, why) : count);
}

/* The node stays until memory is low or more recent ones take its place. */
static void
fat32_release(struct vnode *vp)
{
	KASSERT(vp->ref_count == 0, "N2: released without references");
}

static const struct vnode_ops fat32_vnode_ops = { .bmap = fat32_bmap,
	.release = fat32_release, .reserve = fat32_reserve, .shrink = fat32_shrink,
	.sync_size = fat32_sync_size, .set_time = fat32_set_time };
static const struct fs_ops fat32_fs_ops = { .lookup = fat32_lookup, .readdir = fat32_readdir,
	.create = fat32_create, .unlink = fat32_unlink, .sync = fat32_sync_volume };

/* Does every copy of the FAT begin as the boot sector says? */
static int
mount_check_tables(const struct blkdev *dev, const struct fat32_geometry *geo)
{
	uint32_t copy, value;
	int err;

	for (copy = 0; copy < geo->copy_count; copy++) {
		if (!geo->mirrored && copy != geo->active_copy)
			continue;
		err = fat32_table_get(geo, copy, 0, &value);
		if (err != 0)
			return (err);
		if (value == (0x0fffff00u | geo->media))
			continue;
		kprintf("fat32: %s: copy %u of the FAT begins with %08x, expected %08x; check"
		    " the card with fsck.fat\n", dev->name, copy + 1, value,
		    0x0fffff00u | geo->media);
		return (ERR_CORRUPT);
	}
	err = fat32_table_get(geo, geo->active_copy, 1, &value);
	if (err == 0 && (value & TABLE_CLEAN) == 0)
		kprintf("fat32: %s: was not unmounted cleanly; check the card with fsck.fat\n",
		    dev->name);
	return (err);
}

/* Boot sector, its backup, the FATs; the line for ERR_IO is the caller's. */
static int
mount_check(struct blkdev *dev, struct fat32_geometry *geo)
{
	static uint8_t boot[FAT32_SECTOR_BYTES];
	char why[FAT32_WHY_BYTES] = "";
	const uint8_t *sector;
	uint32_t at = 0;
	int err;

	err = fat32_cache_get(0, &sector);
	if (err != 0)
		return (err);
	memcpy(boot, sector, sizeof(boot));
	err = fat32_bpb_parse(boot, dev->block_count, geo, why);
	if (err != 0) {
		kprintf("fat32: %s: %s; write the card again with make sdcard\n", dev->name, why);
		return (err);
	}
	if (geo->backup_sector != 0)
		err = fat32_cache_get(geo->backup_sector, &sector);
	if (err != 0)
		return (err);
	if (geo->backup_sector != 0)
		at = fat32_bpb_compare(boot, sector);
	if (at != 0) {
		kprintf("fat32: %s: boot sector and its backup differ in byte %u (%02x and %02x);"
		    " check the card with fsck.fat\n", dev->name, at, boot[at], sector[at]);
		return (ERR_CORRUPT);
	}
	return (mount_check_tables(dev, geo));
}

int
fat32_mount(struct blkdev *dev)
{
	struct fat32_geometry geo;
	int err;

	if (dev->block_bytes != FAT32_SECTOR_BYTES) {
		kprintf("fat32: %s: blocks of %u bytes, a FAT needs 512; use another disk\n",
		    dev->name, dev->block_bytes);
		return (ERR_NOTSUP);
	}
	fat32_volume_lock();
	fat32_cache_init(dev);
	err = mount_check(dev, &geo);
	if (err == 0)
		err = fat32_table_mount(&geo);
	if (err == 0)
		fat32_node_init(&geo, &fat32_vnode_ops, dev);
	fat32_volume_unlock();
	if (err == 0)
		vfs_mount(&fat32_fs_ops, dev);
	else if (err != ERR_CORRUPT && err != ERR_NOTSUP)
		kprintf("fat32: %s: cannot read the volume: %s; check the card\n", dev->name,
		    err_string(err));
	return (err);
}
