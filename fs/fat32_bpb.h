/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot sector of a FAT32 volume: checked field by field, told as numbers.
 *
 * Source for every offset and limit: Microsoft, FAT: General Overview of
 * On-Disk Format, version 1.03 ("BPB"). All sectors here have 512 bytes,
 * whatever the volume's own sector size is.
 */
#ifndef FS_FAT32_BPB_H
#define FS_FAT32_BPB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define FAT32_SECTOR_BYTES 512
#define FAT32_FIRST_CLUSTER 2
#define FAT32_COPIES_MAX 4

struct fat32_geometry {
	uint32_t cluster_bytes;   /* 512 to 65536, a power of two */
	uint32_t cluster_sectors;
	uint32_t cluster_count;   /* clusters 2 to cluster_count + 1 exist */
	uint32_t root_cluster;
	uint32_t fat_sectors;     /* of one copy */
	uint32_t copy_count;      /* 1 to FAT32_COPIES_MAX */
	uint32_t active_copy;     /* the one to read */
	bool mirrored;            /* all copies are kept equal */
	uint64_t fat_sector;      /* of copy 0 */
	uint64_t data_sector;     /* of cluster 2 */
	uint32_t backup_sector;   /* of the boot sector, 0 = none */
	uint32_t info_sector;     /* FSInfo: hints about free clusters; 0 = none */
	bool unclean;             /* when mounted: a write was cut short, once */
	uint8_t media;            /* also the low byte of entry 0 of each copy */
};

#define FAT32_WHY_BYTES 96

/*
 * Judge the boot sector of a volume on a device of device_sectors sectors and
 * fill geo. ERR_CORRUPT, or ERR_NOTSUP for another file system or a size that
 * is not read; why then says what is wrong, as a phrase. Does not yield.
 */
int fat32_bpb_parse(const uint8_t boot[FAT32_SECTOR_BYTES], uint64_t device_sectors,
    struct fat32_geometry *geo, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* First byte in which the two copies of the boot sector disagree about the
 * layout of the volume, or 0. Does not yield. */
uint32_t fat32_bpb_compare(const uint8_t boot[FAT32_SECTOR_BYTES],
    const uint8_t backup[FAT32_SECTOR_BYTES]);

/* First sector of a cluster that exists. */
static inline uint64_t
fat32_cluster_sector(const struct fat32_geometry *geo, uint32_t cluster)
{
	return (geo->data_sector +
	    (uint64_t)(cluster - FAT32_FIRST_CLUSTER) * geo->cluster_sectors);
}

static inline bool
fat32_cluster_exists(const struct fat32_geometry *geo, uint32_t cluster)
{
	return (cluster >= FAT32_FIRST_CLUSTER &&
	    cluster - FAT32_FIRST_CLUSTER < geo->cluster_count);
}

#endif
