/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that come, grow, shrink and go.
 *
 *   create    an entry without clusters
 *   reserve   clusters at the end; the entry on the disk says nothing of them yet
 *   sync_size the entry, when the data is on the disk
 *   shrink    the entry, flush, then the clusters
 *   set_time  the entry, at any time: it says nothing of clusters
 *   unlink    the entry, flush; the clusters when nobody uses the file any more
 *
 * While a node is ahead of its entry, has clusters that it does not need, or waits for
 * its clusters to be freed, the volume is not at rest.
 *
 * Owns: vnode.size_changed and .is_unlinked of its vnodes.
 * Does not: touch pages; change vnode.size_bytes (proc and mm do, under their rules).
 * Invariants:
 * G1 an entry never says more bytes than its chain on the disk has.
 * G2 the clusters of a removed file are freed once: it has no reference and can get none.
 * Yields: all functions.
 * See: fs/fat32_table.c, fs/fat32_entry.c; docs/decisions/0022-fat-writes.md.
 */
#include <string.h>

#include "fs/fat32_entry.h"
#include "fs/fat32_cache.h"
#include "fs/fat32_table.h"
#include "fs/fat32_time.h"
#include "fs/fat32_volume.h"
#include "lib/assert.h"

#define FILE_BYTES_MAX UINT32_MAX

static uint32_t
clusters_for(uint64_t bytes)
{
	return (
	    (uint32_t)((bytes + fat32_geometry.cluster_bytes - 1) / fat32_geometry.cluster_bytes));
}

/* G2: free the clusters of removed files that nobody uses, when no entry leads to them. */
static int
orphans_free(void)
{
	struct fat32_node *n;
	char why[FAT32_WHY_BYTES] = "";
	int err = fat32_node_orphan() == NULL ? 0 : fat32_cache_flush();

	while (err == 0 && (n = fat32_node_orphan()) != NULL) {
		err = fat32_table_unrest(&fat32_geometry);
		if (err == 0 && n->chain.count != 0)
			err = fat32_chain_cut(&fat32_geometry, &n->chain, 0, why);
		if (err == 0)
			fat32_node_forget(n);
	}
	return (err);
}

/* Is anything ahead of what the disk says? */
static bool
node_is_ahead(const struct fat32_node *n)
{
	return (n->vnode.is_unlinked || n->vnode.size_changed ||
	    (!n->vnode.is_directory && n->chain.count > clusters_for(n->vnode.size_bytes)));
}

static int
rest_if_possible(void)
{
	int err = orphans_free();

	if (err == 0 && !fat32_node_any(node_is_ahead))
		err = fat32_table_rest(&fat32_geometry);
	return (err);
}

/* The entry has been written: is it what it should be, and is no cluster left over? */
static void
look_what_is_left(struct fat32_node *n)
{
	n->vnode.size_changed = n->entry_bytes != n->vnode.size_bytes ||
	    n->chain.count > clusters_for(n->vnode.size_bytes);
}

/* The entry of n, durable. */
static int
entry_write(struct fat32_node *n, uint64_t size_bytes)
{
	uint32_t first = size_bytes == 0 || n->chain.count == 0 ? 0 : n->chain.first;
	int err = 0;

	KASSERT(clusters_for(size_bytes) <= n->chain.count, "G1: clusters before the size");
	if (!n->vnode.is_unlinked)
		err = fat32_entry_update(n->position, first, (uint32_t)size_bytes);
	if (err == 0)
		err = fat32_cache_flush();
	if (err != 0)
		return (err);
	n->entry_bytes = (uint32_t)size_bytes;
	look_what_is_left(n);
	return (0);
}

/* What nobody needs, when its entry has been written. */
static int
trim(struct fat32_node *n)
{
	uint32_t keep = clusters_for(n->vnode.size_bytes);
	char why[FAT32_WHY_BYTES] = "";
	int err;

	if (n->chain.count <= keep)
		return (0);
	err = fat32_chain_cut(&fat32_geometry, &n->chain, keep, why);
	look_what_is_left(n);
	return (fat32_node_complain(n->path, err, why));
}

static int
create_in(const struct fat32_place *place, struct vnode **out)
{
	struct fat32_node *dir = place->directory, *n;
	char why[FAT32_WHY_BYTES] = "";
	struct fat32_new_name name;
	uint64_t position = 0;
	int err = fat32_name_new(place->name, (uint32_t)strlen(place->name), &name);

	if (err == 0)
		err = orphans_free(); /* they may have what it takes */
	if (err == 0)
		err = fat32_table_unrest(&fat32_geometry);
	if (err == 0)
		err = fat32_entry_create(&fat32_geometry, &dir->chain, &name, &position, why);
	dir->readdir_index = dir->readdir_slot = 0;
	dir->vnode.size_bytes = (uint64_t)dir->chain.count * fat32_geometry.cluster_bytes;
	if (err != 0)
		return (fat32_node_complain(dir->path, err, why));
	memset(place->entry, 0, sizeof(*place->entry));
	place->entry->position = position;
	err = fat32_node_get(dir, place->entry, place->path, &n);
	if (err == 0) {
		n->vnode.size_changed = true; /* until the entry is durable */
		*out = &n->vnode;
	}
	return (err);
}

int
fat32_create(const char *path, struct vnode **out)
{
	struct fat32_place place;
	int err;

	fat32_volume_lock();
	err = fat32_place_find(path, &place);
	if (err == 0)
		err = ERR_EXIST;
	else if (err == ERR_NOENT && place.directory != NULL)
		err = create_in(&place, out);
	if (place.directory != NULL)
		place.directory->vnode.ref_count--;
	fat32_volume_unlock();
	return (err);
}

static int
unlink_in(const struct fat32_place *place, struct fat32_node *n)
{
	struct fat32_node *dir = place->directory;
	char why[FAT32_WHY_BYTES] = "";
	int err;

	if (n->vnode.is_text || n->vnode.is_swap)
		return (ERR_BUSY);
	err = fat32_table_unrest(&fat32_geometry);
	if (err == 0)
		err = fat32_entry_delete(&fat32_geometry, &dir->chain, place->slot, why);
	if (err != 0)
		return (fat32_node_complain(dir->path, err, why));
	dir->readdir_index = dir->readdir_slot = 0;
	n->vnode.is_unlinked = true;
	n->position = FAT32_NO_POSITION;
	return (0);
}

/* The node comes back with a reference: who has its pages lets go of them, and then of it. */
int
fat32_unlink(const char *path, struct vnode **out)
{
	struct fat32_node *n = NULL;
	struct fat32_place place;
	int err;

	fat32_volume_lock();
	err = fat32_place_find(path, &place);
	if (err == 0 && place.entry->is_directory)
		err = ERR_ISDIR;
	if (err == 0)
		err = fat32_node_get(place.directory, place.entry, place.path, &n);
	if (err == 0) {
		err = unlink_in(&place, n);
		if (err == 0)
			*out = &n->vnode;
		else
			n->vnode.ref_count--;
	}
	if (place.directory != NULL)
		place.directory->vnode.ref_count--;
	fat32_volume_unlock();
	return (err);
}

int64_t
fat32_reserve(struct vnode *vp, uint64_t bytes)
{
	struct fat32_node *n = vp->fs_data;
	char why[FAT32_WHY_BYTES] = "";
	uint64_t capacity;
	uint32_t need;
	int err = 0;

	if (bytes > FILE_BYTES_MAX)
		bytes = FILE_BYTES_MAX;
	need = clusters_for(bytes);
	fat32_volume_lock();
	if (need > n->chain.count) {
		err = orphans_free();
		if (err == 0)
			err = fat32_table_unrest(&fat32_geometry);
		if (err == 0)
			err = fat32_chain_grow(
			    &fat32_geometry, &n->chain, need - n->chain.count, why);
		if (err > 0 || err == ERR_NOSPC)
			err = 0;
	}
	capacity = (uint64_t)n->chain.count * fat32_geometry.cluster_bytes;
	fat32_volume_unlock();
	return (err != 0 ? err : (int64_t)(capacity < bytes ? capacity : bytes));
}

int
fat32_shrink(struct vnode *vp)
{
	struct fat32_node *n = vp->fs_data;
	int err;

	fat32_volume_lock();
	err = fat32_table_unrest(&fat32_geometry);
	/* Not more than before: what is new may not be on the disk yet. */
	if (err == 0)
		err = entry_write(
		    n, n->entry_bytes < vp->size_bytes ? n->entry_bytes : vp->size_bytes);
	if (err == 0)
		err = trim(n);
	if (err == 0)
		err = rest_if_possible();
	fat32_volume_unlock();
	return (err);
}

int
fat32_sync_size(struct vnode *vp, uint64_t size_bytes)
{
	struct fat32_node *n = vp->fs_data;
	int err;

	fat32_volume_lock();
	err = fat32_cache_flush(); /* data and chain come first */
	if (err == 0)
		err = entry_write(n, size_bytes < vp->size_bytes ? size_bytes : vp->size_bytes);
	if (err == 0 && vp->writer_count == 0)
		err = trim(n);
	if (err == 0)
		err = rest_if_possible();
	fat32_volume_unlock();
	return (err);
}

int
fat32_set_time(struct vnode *vp, uint32_t modified_s)
{
	struct fat32_node *n = vp->fs_data;
	uint16_t date, time;
	int err = fat32_time_put(modified_s, &date, &time);

	if (err != 0)
		return (err);
	fat32_volume_lock();
	if (n->position == 0)
		err = ERR_PERM; /* the root has no entry */
	else if (!vp->is_unlinked)
		err = fat32_entry_set_time(n->position, date, time);
	if (err == 0)
		err = fat32_cache_flush();
	if (err == 0)
		vp->modified_s = fat32_time_get(date, time);
	fat32_volume_unlock();
	return (err);
}

int
fat32_sync_volume(void)
{
	int err;

	fat32_volume_lock();
	err = rest_if_possible();
	fat32_volume_unlock();
	return (err);
}
