/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node table: a directory entry becomes a vnode, once.
 *
 *        node_get: entry seen first           last reference gone
 *   FREE -------------------------> IN USE <-----------------------> KEPT
 *     ^                                        node_get again          |
 *     +---------------- slot needed for another (least recent) -------+
 *
 * A node is checked when it is made: size against chain, every link, "." and
 * "..", and against the other nodes: two chains that meet end at the same
 * cluster, so one comparison finds files that are linked across.
 *
 * Owns: the nodes and through them the vnodes of the file system.
 * Does not: resolve paths, lock (the volume lock covers it).
 *
 * Invariants:
 * N1 at most one node for a directory entry.
 * N2 a node with references stays as it is.
 * N3 a node's chain has been checked from end to end.
 *
 * Yields: fat32_node_get and fat32_node_root, in reading the FAT.
 * See: fs/fat32_chain.c; kern/vnode.h.
 */
#include "fs/fat32_node.h"

#include <stdio.h>
#include <string.h>

#include "fs/fat32.h"
#include "kern/console.h"
#include "lib/assert.h"

/* Files without clusters have no cluster number to be known by. */
#define ID_EMPTY_FILE (1ull << 62)

struct fat32_geometry fat32_geometry;

static struct fat32_node nodes[FAT32_NODES_MAX];
static const struct vnode_ops *node_ops;
static struct blkdev *node_dev;
static uint64_t use_clock;

void
fat32_node_init(const struct fat32_geometry *geo, const struct vnode_ops *ops,
    struct blkdev *dev)
{
	fat32_geometry = *geo;
	node_ops = ops;
	node_dev = dev;
	use_clock = 0;
	memset(nodes, 0, sizeof(nodes));
}

int
fat32_node_complain(const char *path, int err, const char *why)
{
	if (err == ERR_CORRUPT)
		kprintf("fat32: %s: %.200s: %s; check the card with fsck.fat\n", node_dev->name,
		    path, why);
	return (err);
}

/* The node of the entry at position, or NULL and the best free slot (or NULL). */
static struct fat32_node *
node_find(uint64_t position, struct fat32_node **slot)
{
	uint32_t i;

	*slot = NULL;
	for (i = 0; i < FAT32_NODES_MAX; i++) {
		struct fat32_node *n = &nodes[i];

		if (n->used != 0 && n->position == position)
			return (n);
		if (n->vnode.ref_count == 0 && (*slot == NULL || n->used < (*slot)->used))
			*slot = n;
	}
	return (NULL);
}

/* Another node whose chain runs into that of n, or NULL. */
static const struct fat32_node *
node_crossing(const struct fat32_node *n)
{
	uint32_t i;

	for (i = 0; i < FAT32_NODES_MAX; i++) {
		if (&nodes[i] != n && nodes[i].used != 0 && nodes[i].chain.count != 0 &&
		    nodes[i].chain.last == n->chain.last)
			return (&nodes[i]);
	}
	return (NULL);
}

static int
open_directory(struct fat32_node *n, uint32_t cluster, char *why)
{
	uint32_t limit = FAT32_DIR_BYTES_MAX / fat32_geometry.cluster_bytes;
	int err;

	n->chain.first = cluster;
	err = fat32_chain_open(&fat32_geometry, &n->chain, limit, false, why);
	n->vnode.size_bytes = (uint64_t)n->chain.count * fat32_geometry.cluster_bytes;
	return (err);
}

static int
open_file(struct fat32_node *n, const struct fat32_dirent *e, char *why)
{
	uint32_t cluster_bytes = fat32_geometry.cluster_bytes;
	uint32_t count = e->size_bytes / cluster_bytes + (e->size_bytes % cluster_bytes != 0);

	n->vnode.size_bytes = e->size_bytes;
	if (count == 0 && e->cluster == 0) {
		memset(&n->chain, 0, sizeof(n->chain));
		return (0);
	}
	if (count == 0 || count > fat32_geometry.cluster_count) {
		snprintf(why, FAT32_WHY_BYTES, "%u bytes long, yet starts at cluster %u of %u",
		    e->size_bytes, e->cluster, fat32_geometry.cluster_count);
		return (ERR_CORRUPT);
	}
	n->chain.first = e->cluster;
	return (fat32_chain_open(&fat32_geometry, &n->chain, count, true, why));
}

static int
open_checked(struct fat32_node *n, const struct fat32_node *parent,
    const struct fat32_dirent *e, char *why)
{
	const struct fat32_node *other;
	int err;

	if (!e->is_directory) {
		err = open_file(n, e, why);
	} else if (e->cluster == fat32_geometry.root_cluster || e->size_bytes != 0) {
		snprintf(why, FAT32_WHY_BYTES, "a directory of size %u at cluster %u",
		    e->size_bytes, e->cluster);
		err = ERR_CORRUPT;
	} else {
		err = open_directory(n, e->cluster, why);
		if (err == 0)
			err = fat32_dir_check(&fat32_geometry, &n->chain, parent->chain.first, why);
	}
	if (err != 0 || n->chain.count == 0)
		return (err);
	other = node_crossing(n);
	if (other == NULL)
		return (0);
	snprintf(why, FAT32_WHY_BYTES, "shares cluster %u with %.48s", n->chain.last,
	    other->path);
	return (ERR_CORRUPT);
}

static void
node_init(struct fat32_node *n, uint64_t position, bool is_directory, const char *path)
{
	size_t bytes = strlen(path);

	memset(n, 0, sizeof(*n));
	n->vnode.ops = node_ops;
	n->vnode.dev = node_dev;
	n->vnode.is_directory = is_directory;
	n->vnode.fs_data = n;
	n->position = position;
	if (bytes >= FAT32_NODE_PATH_BYTES)
		path += bytes - (FAT32_NODE_PATH_BYTES - 1);
	strcpy(n->path, path);
}

/* Hand out a new node if its check passed, else leave the slot free. */
static int
node_finish(struct fat32_node *n, int err, const char *why, struct fat32_node **out)
{
	if (err != 0) {
		n->used = 0;
		return (fat32_node_complain(n->path, err, why));
	}
	n->vnode.id = n->chain.count != 0 ? n->chain.first : ID_EMPTY_FILE + n->position;
	n->vnode.ref_count = 1;
	n->used = ++use_clock;
	*out = n;
	return (0);
}

static int
node_reuse(struct fat32_node *n, struct fat32_node **out)
{
	n->vnode.ref_count++;
	n->used = ++use_clock;
	*out = n;
	return (0);
}

static int
table_full(const char *path)
{
	kprintf("fat32: %s: %.200s: %u files are open, no more can be; close some\n",
	    node_dev->name, path, FAT32_NODES_MAX);
	return (ERR_NOMEM);
}

int
fat32_node_root(struct fat32_node **out)
{
	char why[FAT32_WHY_BYTES] = "";
	struct fat32_node *n, *slot;
	int err;

	n = node_find(0, &slot);
	if (n != NULL)
		return (node_reuse(n, out));
	if (slot == NULL)
		return (table_full("/"));
	node_init(slot, 0, true, "/");
	err = open_directory(slot, fat32_geometry.root_cluster, why);
	return (node_finish(slot, err, why, out));
}

int
fat32_node_get(const struct fat32_node *parent, const struct fat32_dirent *e,
    const char *path, struct fat32_node **out)
{
	char why[FAT32_WHY_BYTES] = "";
	struct fat32_node *n, *slot;
	int err;

	KASSERT(e->position != 0, "N1: only the root has position 0");
	n = node_find(e->position, &slot);
	if (n != NULL)
		return (node_reuse(n, out));
	if (slot == NULL)
		return (table_full(path));
	KASSERT(slot != parent, "N2: the parent is referenced");
	node_init(slot, e->position, e->is_directory, path);
	err = open_checked(slot, parent, e, why);
	return (node_finish(slot, err, why, out));
}
