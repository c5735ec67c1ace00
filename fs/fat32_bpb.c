/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot sector to geometry, believing nothing.
 *
 * Each field that has a legal range is checked; those without one (drive
 * number, CHS geometry, hidden sectors, serial, label, "FAT32   " text) are not
 * read. A volume is FAT32 when its 16-bit FAT size and its fixed root directory
 * are zero, as every writer of small FAT32 volumes agrees, not by its number of
 * clusters.
 *
 * Owns: nothing. Does not: read the device.
 *
 * Invariants (of a geometry that was accepted; the rest of fs stands on them):
 * G1 every cluster from 2 to cluster_count + 1 lies inside the device.
 * G2 every copy of the FAT lies before the data and has an entry for each cluster.
 * G3 root_cluster exists.
 *
 * Yields: never.
 * See: fs/fat32_bpb.h; docs/SPEC.md, card layout.
 */
#include "fs/fat32_bpb.h"

#include <stdio.h>
#include <string.h>

#include "lib/le.h"

#define CLUSTER_BYTES_MAX 65536
#define VOLUME_SECTOR_BYTES_MAX 4096
#define CLUSTER_COUNT_MAX 0x0ffffff5u
#define ENTRY_BYTES 4
#define NO_SECTOR 0xffff

/* Byte offsets in the boot sector. */
enum {
	AT_JUMP = 0,
	AT_OEM_NAME = 3,
	AT_SECTOR_BYTES = 11,
	AT_CLUSTER_SECTORS = 13,
	AT_RESERVED_SECTORS = 14,
	AT_FAT_COPIES = 16,
	AT_ROOT_ENTRIES = 17,
	AT_TOTAL_SECTORS_16 = 19,
	AT_MEDIA = 21,
	AT_FAT_SECTORS_16 = 22,
	AT_TOTAL_SECTORS_32 = 32,
	AT_FAT_SECTORS_32 = 36,
	AT_FLAGS = 40,
	AT_VERSION = 42,
	AT_ROOT_CLUSTER = 44,
	AT_INFO_SECTOR = 48,
	AT_BACKUP_SECTOR = 50,
	AT_LAYOUT_END = 52,
	AT_SIGNATURE = 510
};

/* The fields as they stand, in the volume's own sectors. */
struct bpb {
	uint32_t sector_bytes;
	uint32_t cluster_sectors;
	uint32_t reserved_sectors;
	uint32_t fat_copies;
	uint32_t total_sectors;
	uint32_t fat_sectors;
	uint16_t flags;
	uint32_t root_cluster;
	uint16_t info_sector;
	uint16_t backup_sector;
	uint8_t media;
};

#define REFUSE(err, ...)                                      \
	do {                                                  \
		snprintf(why, FAT32_WHY_BYTES, __VA_ARGS__);  \
		return (err);                                 \
	} while (0)

static bool
is_power_of_two(uint32_t n)
{
	return (n != 0 && (n & (n - 1)) == 0);
}

static void
bpb_load(const uint8_t *boot, struct bpb *b)
{
	b->sector_bytes = le16(boot + AT_SECTOR_BYTES);
	b->cluster_sectors = boot[AT_CLUSTER_SECTORS];
	b->reserved_sectors = le16(boot + AT_RESERVED_SECTORS);
	b->fat_copies = boot[AT_FAT_COPIES];
	b->total_sectors = le32(boot + AT_TOTAL_SECTORS_32);
	b->fat_sectors = le32(boot + AT_FAT_SECTORS_32);
	b->flags = le16(boot + AT_FLAGS);
	b->root_cluster = le32(boot + AT_ROOT_CLUSTER);
	b->info_sector = le16(boot + AT_INFO_SECTOR);
	b->backup_sector = le16(boot + AT_BACKUP_SECTOR);
	b->media = boot[AT_MEDIA];
}

/* Is it a FAT32 boot sector at all? */
static int
check_kind(const uint8_t *boot, char *why)
{
	if (le16(boot + AT_SIGNATURE) != 0xaa55)
		REFUSE(ERR_CORRUPT, "no boot sector (signature %04x, expected aa55)",
		    le16(boot + AT_SIGNATURE));
	if (memcmp(boot + AT_OEM_NAME, "EXFAT   ", 8) == 0)
		REFUSE(ERR_NOTSUP, "an exFAT file system, only FAT32 is read");
	if (memcmp(boot + AT_OEM_NAME, "NTFS    ", 8) == 0)
		REFUSE(ERR_NOTSUP, "an NTFS file system, only FAT32 is read");
	if (!(boot[AT_JUMP] == 0xeb && boot[AT_JUMP + 2] == 0x90) && boot[AT_JUMP] != 0xe9)
		REFUSE(ERR_CORRUPT, "no FAT boot sector (it starts with %02x %02x %02x)",
		    boot[AT_JUMP], boot[AT_JUMP + 1], boot[AT_JUMP + 2]);
	if (le16(boot + AT_FAT_SECTORS_16) != 0 && le16(boot + AT_ROOT_ENTRIES) != 0)
		REFUSE(ERR_NOTSUP, "a FAT12 or FAT16 file system, only FAT32 is read");
	if (le16(boot + AT_FAT_SECTORS_16) != 0)
		REFUSE(ERR_CORRUPT, "16-bit FAT size %u, must be 0",
		    le16(boot + AT_FAT_SECTORS_16));
	if (le16(boot + AT_ROOT_ENTRIES) != 0)
		REFUSE(ERR_CORRUPT, "%u root entries, must be 0", le16(boot + AT_ROOT_ENTRIES));
	if (le16(boot + AT_TOTAL_SECTORS_16) != 0)
		REFUSE(ERR_CORRUPT, "16-bit sector count %u, must be 0",
		    le16(boot + AT_TOTAL_SECTORS_16));
	if (le16(boot + AT_VERSION) != 0)
		REFUSE(ERR_NOTSUP, "FAT32 version %04x, only 0 is known",
		    le16(boot + AT_VERSION));
	return (0);
}

/* Sizes and flags that can be judged without the others. */
static int
check_fields(const struct bpb *b, char *why)
{
	if (!is_power_of_two(b->sector_bytes) || b->sector_bytes < FAT32_SECTOR_BYTES ||
	    b->sector_bytes > VOLUME_SECTOR_BYTES_MAX)
		REFUSE(ERR_CORRUPT, "sectors of %u bytes", b->sector_bytes);
	if (!is_power_of_two(b->cluster_sectors))
		REFUSE(ERR_CORRUPT, "clusters of %u sectors", b->cluster_sectors);
	if (b->cluster_sectors * b->sector_bytes > CLUSTER_BYTES_MAX)
		REFUSE(ERR_NOTSUP, "clusters of %u bytes, at most %u are read",
		    b->cluster_sectors * b->sector_bytes, CLUSTER_BYTES_MAX);
	if (b->reserved_sectors == 0)
		REFUSE(ERR_CORRUPT, "no reserved sectors");
	if (b->fat_copies == 0 || b->fat_copies > FAT32_COPIES_MAX)
		REFUSE(ERR_CORRUPT, "%u copies of the FAT", b->fat_copies);
	if (b->media != 0xf0 && b->media < 0xf8)
		REFUSE(ERR_CORRUPT, "media byte %02x", b->media);
	if ((b->flags & 0xff70) != 0 || (b->flags & 0x0f) >= b->fat_copies)
		REFUSE(ERR_CORRUPT, "FAT flags %04x with %u copies", b->flags, b->fat_copies);
	if (b->info_sector != NO_SECTOR && b->info_sector >= b->reserved_sectors)
		REFUSE(ERR_CORRUPT, "information sector %u outside the %u reserved ones",
		    b->info_sector, b->reserved_sectors);
	if (b->backup_sector != NO_SECTOR && b->backup_sector >= b->reserved_sectors)
		REFUSE(ERR_CORRUPT, "backup boot sector %u outside the %u reserved ones",
		    b->backup_sector, b->reserved_sectors);
	return (0);
}

/* Do the parts fit into each other and into the device? */
static int
check_layout(const struct bpb *b, uint64_t device_sectors, char *why)
{
	uint64_t metadata = b->reserved_sectors + (uint64_t)b->fat_copies * b->fat_sectors;
	uint64_t bytes = (uint64_t)b->total_sectors * b->sector_bytes;
	uint64_t clusters;

	if (bytes > device_sectors * FAT32_SECTOR_BYTES)
		REFUSE(ERR_CORRUPT, "%lu bytes long, the partition has only %lu",
		    (unsigned long)bytes, (unsigned long)device_sectors * FAT32_SECTOR_BYTES);
	if (b->fat_sectors == 0 || metadata >= b->total_sectors)
		REFUSE(ERR_CORRUPT, "%u FATs of %u sectors in a volume of %u sectors",
		    b->fat_copies, b->fat_sectors, b->total_sectors);
	clusters = (b->total_sectors - metadata) / b->cluster_sectors;
	if (clusters == 0 || clusters > CLUSTER_COUNT_MAX)
		REFUSE(ERR_CORRUPT, "%lu clusters", (unsigned long)clusters);
	if ((clusters + FAT32_FIRST_CLUSTER) * ENTRY_BYTES >
	    (uint64_t)b->fat_sectors * b->sector_bytes)
		REFUSE(ERR_CORRUPT, "a FAT of %u sectors cannot hold %lu clusters",
		    b->fat_sectors, (unsigned long)clusters);
	if (b->root_cluster < FAT32_FIRST_CLUSTER ||
	    b->root_cluster - FAT32_FIRST_CLUSTER >= clusters)
		REFUSE(ERR_CORRUPT, "root directory at cluster %u of %lu", b->root_cluster,
		    (unsigned long)clusters);
	return (0);
}

static void
geometry_fill(const struct bpb *b, struct fat32_geometry *geo)
{
	uint32_t scale = b->sector_bytes / FAT32_SECTOR_BYTES;
	uint32_t metadata = b->reserved_sectors + b->fat_copies * b->fat_sectors;

	memset(geo, 0, sizeof(*geo));
	geo->cluster_sectors = b->cluster_sectors * scale;
	geo->cluster_bytes = geo->cluster_sectors * FAT32_SECTOR_BYTES;
	geo->cluster_count = (b->total_sectors - metadata) / b->cluster_sectors;
	geo->root_cluster = b->root_cluster;
	geo->fat_sectors = b->fat_sectors * scale;
	geo->copy_count = b->fat_copies;
	geo->mirrored = (b->flags & 0x80) == 0;
	geo->active_copy = geo->mirrored ? 0 : b->flags & 0x0f;
	geo->fat_sector = (uint64_t)b->reserved_sectors * scale;
	geo->data_sector = (uint64_t)metadata * scale;
	if (b->backup_sector != NO_SECTOR)
		geo->backup_sector = b->backup_sector * scale;
	geo->info_sector = b->info_sector == NO_SECTOR ? 0 : b->info_sector * scale;
	geo->media = b->media;
}

int
fat32_bpb_parse(const uint8_t boot[FAT32_SECTOR_BYTES], uint64_t device_sectors,
    struct fat32_geometry *geo, char why[FAT32_WHY_BYTES])
{
	struct bpb b;
	int err;

	err = check_kind(boot, why);
	if (err != 0)
		return (err);
	bpb_load(boot, &b);
	err = check_fields(&b, why);
	if (err != 0)
		return (err);
	err = check_layout(&b, device_sectors, why);
	if (err != 0)
		return (err);
	geometry_fill(&b, geo);
	return (0);
}

uint32_t
fat32_bpb_compare(const uint8_t boot[FAT32_SECTOR_BYTES],
    const uint8_t backup[FAT32_SECTOR_BYTES])
{
	uint32_t at;

	for (at = AT_SECTOR_BYTES; at < AT_LAYOUT_END; at++) {
		if (boot[at] != backup[at])
			return (at);
	}
	return (0);
}
