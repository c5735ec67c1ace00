/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the FAT: entries, chains, and the marks that say whether the volume is at rest.
 *
 * The caller holds the volume lock for all of these. ERR_IO and what else blk_write
 * returns; then clusters may be lost (used by nobody), nothing else. All may yield.
 */
#ifndef FS_FAT32_TABLE_H
#define FS_FAT32_TABLE_H

#include "fs/fat32_chain.h"

/* Look at the marks of a volume that has been checked; *geo->unclean is set. */
int fat32_table_mount(struct fat32_geometry *geo) ERR_MUST_CHECK;

/* Before the first change: the volume is not at rest. */
int fat32_table_unrest(const struct fat32_geometry *geo) ERR_MUST_CHECK;
/* Everything that was changed is complete and can be made durable: it is, and the volume is
 * at rest (unless it was not when it was mounted: that is for fsck.fat to say). */
int fat32_table_rest(const struct fat32_geometry *geo) ERR_MUST_CHECK;

/*
 * Make chain (count 0: none yet) up to more clusters longer: how many, or ERR_NOSPC when there
 * is none. New clusters are linked among themselves and durable before the chain leads to
 * them. A new chain's first cluster is written to no directory entry here.
 */
int fat32_chain_grow(const struct fat32_geometry *geo, struct fat32_chain *chain, uint32_t more,
    char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* Lead the end of chain to cluster, which ends it now and is durable. */
int fat32_chain_join(const struct fat32_geometry *geo, struct fat32_chain *chain,
    uint32_t cluster) ERR_MUST_CHECK;

/*
 * Leave the first keep clusters of chain and free the others. The directory entry must be
 * durable and say so already.
 */
int fat32_chain_cut(const struct fat32_geometry *geo, struct fat32_chain *chain, uint32_t keep,
    char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

#endif
