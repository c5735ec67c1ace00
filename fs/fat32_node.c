/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nodes: a directory entry becomes a vnode, once.
 *
 *          node_get: entry seen first           last reference gone
 *   (none) -------------------------> IN USE <-----------------------> KEPT
 *     ^                                          node_get again          |
 *     +--- least recent of more than NODES_KEPT; or memory is low -------+
 *
 * A node is checked when it is made: size against chain, every link, "." and
 * "..", and against the other nodes: two chains that meet end at the same
 * cluster, so one comparison finds files that are linked across.
 *
 * Nodes are items of a zone: there are as many as memory allows. A new one is not on
 * the list before its checks, which yield, are done.
 *
 * Owns: the nodes and through them the vnodes of the file system.
 * Does not: resolve paths, lock (the volume lock covers it; what drops kept nodes
 *   does not yield and needs none).
 *
 * Invariants:
 * N1 at most one node for a directory entry.
 * N2 a node with references stays; one whose file is removed has no position and is not found.
 * N3 the chain of a node on the list has been checked from end to end.
 * N4 without a reference a node may vanish at any yield: nothing points to it then. One
 *    whose entry is not what it should be, or whose clusters are to be freed, stays.
 *
 * Yields: fat32_node_get and fat32_node_root, in reading the FAT.
 * See: fs/fat32_chain.c; kern/vnode.h.
 */
#include "fs/fat32_node.h"

#include <stdio.h>
#include <string.h>

#include "fs/fat32.h"
#include "kern/console.h"
#include "kern/eventhandler.h"
#include "kern/uma.h"
#include "lib/assert.h"

/* Files without clusters have no cluster number to be known by. */
#define ID_EMPTY_FILE (1ull << 62)

struct fat32_geometry fat32_geometry;

/* Nodes kept without references while memory is plentiful. */
#define NODES_KEPT 64u

static TAILQ_HEAD(node_list, fat32_node) nodes; /* looked up last comes first */
static struct uma_zone node_zone;
static const struct vnode_ops *node_ops;
static struct blkdev *node_dev;

/* Free what nobody refers to, the keep most recent ones excepted. */
static void
drop_unused(uint32_t keep)
{
	struct fat32_node *n, *next;
	uint32_t kept = 0;

	TAILQ_FOREACH_SAFE(n, &nodes, link, next) {
		if (n->vnode.ref_count != 0 || n->vnode.is_unlinked || n->vnode.size_changed ||
		    kept++ < keep)
			continue;
		TAILQ_REMOVE(&nodes, n, link);
		uma_zfree(&node_zone, n);
	}
}

static void
node_lowmem(void *arg, uint32_t flags)
{
	(void)arg;
	(void)flags;
	drop_unused(0);
}

static struct eventhandler lowmem_handler = {
	.name = "fat32 nodes",
	.fn = node_lowmem,
	.priority = EVENTHANDLER_PRI_ANY,
};

void
fat32_node_init(const struct fat32_geometry *geo, const struct vnode_ops *ops,
    struct blkdev *dev)
{
	fat32_geometry = *geo;
	node_ops = ops;
	node_dev = dev;
	TAILQ_INIT(&nodes);
	uma_zone_init(&node_zone, "vnode", sizeof(struct fat32_node));
	eventhandler_register(EVENT_VM_LOWMEM, &lowmem_handler);
}

int
fat32_node_complain(const char *path, int err, const char *why)
{
	if (err == ERR_CORRUPT)
		kprintf("fat32: %s: %.200s: %s; check the card with fsck.fat\n", node_dev->name,
		    path, why);
	return (err);
}

/* The node of the entry at position, or NULL. */
static struct fat32_node *
node_find(uint64_t position)
{
	struct fat32_node *n;

	TAILQ_FOREACH(n, &nodes, link)
		if (n->position == position)
			return (n);
	return (NULL);
}

/* Another node whose chain runs into that of n, or NULL. */
static const struct fat32_node *
node_crossing(const struct fat32_node *n)
{
	const struct fat32_node *other;

	TAILQ_FOREACH(other, &nodes, link)
		if (other->chain.count != 0 && other->chain.last == n->chain.last)
			return (other);
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

	n->vnode.size_bytes = n->entry_bytes = e->size_bytes;
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

/* A new node without references, not on the list; NULL after one line. */
static struct fat32_node *
node_create(uint64_t position, bool is_directory, const char *path)
{
	struct fat32_node *n = uma_zalloc(&node_zone, UMA_SYSTEM);
	size_t bytes = strlen(path);

	if (n == NULL) {
		kprintf("fat32: %s: %.200s: no memory to open another file\n", node_dev->name,
		    path);
		return (NULL);
	}
	n->vnode.ops = node_ops;
	n->vnode.dev = node_dev;
	n->vnode.is_directory = is_directory;
	n->vnode.fs_data = n;
	n->position = position;
	if (bytes >= FAT32_NODE_PATH_BYTES)
		path += bytes - (FAT32_NODE_PATH_BYTES - 1);
	strcpy(n->path, path);
	n->vnode.name = n->path;
	return (n);
}

/* Hand out a new node if its check passed, else free it. */
static int
node_finish(struct fat32_node *n, int err, const char *why, struct fat32_node **out)
{
	if (err != 0) {
		err = fat32_node_complain(n->path, err, why);
		uma_zfree(&node_zone, n);
		return (err);
	}
	n->vnode.id = n->chain.count != 0 ? n->chain.first : ID_EMPTY_FILE + n->position;
	n->vnode.ref_count = 1;
	TAILQ_INSERT_HEAD(&nodes, n, link);
	drop_unused(NODES_KEPT);
	*out = n;
	return (0);
}

static int
node_reuse(struct fat32_node *n, struct fat32_node **out)
{
	n->vnode.ref_count++;
	TAILQ_REMOVE(&nodes, n, link);
	TAILQ_INSERT_HEAD(&nodes, n, link);
	*out = n;
	return (0);
}

int
fat32_node_root(struct fat32_node **out)
{
	char why[FAT32_WHY_BYTES] = "";
	struct fat32_node *n = node_find(0);
	int err;

	if (n != NULL)
		return (node_reuse(n, out));
	n = node_create(0, true, "/");
	if (n == NULL)
		return (ERR_NOMEM);
	err = open_directory(n, fat32_geometry.root_cluster, why);
	return (node_finish(n, err, why, out));
}

int
fat32_node_get(const struct fat32_node *parent, const struct fat32_dirent *e,
    const char *path, struct fat32_node **out)
{
	char why[FAT32_WHY_BYTES] = "";
	struct fat32_node *n;
	int err;

	KASSERT(e->position != 0, "N1: only the root has position 0");
	n = node_find(e->position);
	if (n != NULL)
		return (node_reuse(n, out));
	KASSERT(parent->vnode.ref_count > 0, "N4: the parent is referenced");
	n = node_create(e->position, e->is_directory, path);
	if (n == NULL)
		return (ERR_NOMEM);
	n->vnode.modified_s = e->modified_s;
	err = open_checked(n, parent, e, why);
	return (node_finish(n, err, why, out));
}

struct fat32_node *
fat32_node_orphan(void)
{
	struct fat32_node *n;

	TAILQ_FOREACH(n, &nodes, link)
		if (n->vnode.is_unlinked && n->vnode.ref_count == 0)
			return (n);
	return (NULL);
}

bool
fat32_node_any(bool (*is)(const struct fat32_node *n))
{
	const struct fat32_node *n;

	TAILQ_FOREACH(n, &nodes, link)
		if (is(n))
			return (true);
	return (false);
}

void
fat32_node_forget(struct fat32_node *n)
{
	KASSERT(n->vnode.is_unlinked && n->vnode.ref_count == 0, "N2: an orphan goes");
	TAILQ_REMOVE(&nodes, n, link);
	uma_zfree(&node_zone, n);
}
