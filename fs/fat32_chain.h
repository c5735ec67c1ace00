/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster chain: where the n-th cluster of a file lies.
 */
#ifndef FS_FAT32_CHAIN_H
#define FS_FAT32_CHAIN_H

#include <stdint.h>

#include "fs/fat32_bpb.h"
#include "lib/err.h"

/* Clusters index .. index + count - 1 of a file lie at cluster, cluster + 1, ... */
struct fat32_extent {
	uint32_t index;
	uint32_t cluster;
	uint32_t count;
};

#define FAT32_MARKS_MAX 32

/* Fixed size, whatever the length and fragmentation of the chain. */
struct fat32_chain {
	uint32_t first;       /* first cluster */
	uint32_t last;        /* last cluster */
	uint32_t count;       /* clusters; 0 = an empty file, nothing else is valid */
	uint32_t extent_count;
	uint32_t stride;      /* every stride-th extent is a mark; a power of two */
	uint32_t mark_count;
	struct fat32_extent marks[FAT32_MARKS_MAX]; /* ascending, marks[0].index == 0 */
	struct fat32_extent cursor; /* found last; sequential access goes on from here */
};

/*
 * Walk the chain that starts at chain->first and check every link in all mirrored
 * copies of the FAT; fill the rest of chain. count is the exact number of clusters, or, with
 * exact false, their largest number (directories have no size). On a volume that was not at
 * rest (geo->unclean) the active copy alone counts, and an exact chain may go on: a write was
 * cut short there; the rest belongs to nobody.
 * ERR_CORRUPT with a phrase in why, or ERR_IO. Steps: at most count. May yield.
 */
int fat32_chain_open(const struct fat32_geometry *geo, struct fat32_chain *chain,
    uint32_t count, bool exact, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/*
 * The whole extent that holds cluster number index (< chain->count). Without
 * reading the FAT for chains of up to FAT32_MARKS_MAX extents; else O(1)
 * amortised in sequential use, and at most stride extents are walked otherwise.
 * ERR_CORRUPT with a phrase in why, or ERR_IO. May yield.
 */
int fat32_chain_find(const struct fat32_geometry *geo, struct fat32_chain *chain,
    uint32_t index, struct fat32_extent *out, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* The chain has been made longer by count clusters, or has been cut to keep (> 0), which ends at
 * last. Neither yields. */
void fat32_chain_append(struct fat32_chain *chain, const uint32_t *clusters, uint32_t count);
void fat32_chain_shorten(struct fat32_chain *chain, uint32_t keep, uint32_t last);

/* Entry number cluster of copy number copy of the FAT; 28 bits. May yield. */
int fat32_table_get(const struct fat32_geometry *geo, uint32_t copy, uint32_t cluster,
    uint32_t *value) ERR_MUST_CHECK;

#endif
