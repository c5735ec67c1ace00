/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files and directories in use: vnodes with what FAT32 knows about them.
 */
#ifndef FS_FAT32_NODE_H
#define FS_FAT32_NODE_H

#include <sys/queue.h>

#include "fs/fat32_chain.h"
#include "fs/fat32_dir.h"
#include "kern/vnode.h"

#define FAT32_NODE_PATH_BYTES 96

struct fat32_node {
	TAILQ_ENTRY(fat32_node) link;
	struct vnode vnode;
	struct fat32_chain chain;
	uint64_t position;          /* of its directory entry; 0 = the root */
	uint32_t entry_bytes;       /* size that its directory entry says */
	uint32_t readdir_index;     /* directories: the next fat32_readdir in sequence ... */
	uint32_t readdir_slot;      /* ... starts at this entry */
	char path[FAT32_NODE_PATH_BYTES]; /* its end, for messages */
};

/* The volume: set once by fat32_node_init, then constant but for unclean, which a write that
 * fails sets. */
extern struct fat32_geometry fat32_geometry;

/* Begin without nodes (those of a former volume are forgotten, not freed); the vnodes
 * handed out later use ops and dev. Does not yield. */
void fat32_node_init(const struct fat32_geometry *geo, const struct vnode_ops *ops,
    struct blkdev *dev);

/* The root directory, referenced. As fat32_node_get. */
int fat32_node_root(struct fat32_node **out) ERR_MUST_CHECK;

/*
 * The node of directory entry e in parent, referenced; its chain is checked
 * when it is new. path is for messages. ERR_CORRUPT after one line, ERR_IO,
 * ERR_NOMEM after one line. Without references a node goes when memory is low. The
 * caller holds the volume lock. May yield.
 */
int fat32_node_get(const struct fat32_node *parent, const struct fat32_dirent *e,
    const char *path, struct fat32_node **out) ERR_MUST_CHECK;

/* Position of a file that has been removed: it has no entry. */
#define FAT32_NO_POSITION UINT64_MAX

/* A removed file without references, or NULL; is this true of any node? Neither yields. */
struct fat32_node *fat32_node_orphan(void);
bool fat32_node_any(bool (*is)(const struct fat32_node *n));
/* An orphan whose clusters are free. Never yields. */
void fat32_node_forget(struct fat32_node *n);

/* One console line about path, for ERR_CORRUPT; nothing for other errors.
 * Returns err. May yield. */
int fat32_node_complain(const char *path, int err, const char *why);

#endif
