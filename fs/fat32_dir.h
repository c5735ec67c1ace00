/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories: 32-byte entries to names.
 */
#ifndef FS_FAT32_DIR_H
#define FS_FAT32_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/fat32_chain.h"
#include "lib/err.h"

#define FAT32_NAME_UNITS_MAX 255                    /* UTF-16 units in a long name */
#define FAT32_NAME_BYTES (3 * FAT32_NAME_UNITS_MAX + 1) /* the same in UTF-8, with NUL */
#define FAT32_SHORT_NAME_BYTES (3 * 12 + 1)         /* 8.3, each byte at most 3 in UTF-8 */
#define FAT32_ENTRY_BYTES 32
#define FAT32_DIR_BYTES_MAX (65536 * FAT32_ENTRY_BYTES)
#define FAT32_ENTRIES_PER_SECTOR (FAT32_SECTOR_BYTES / FAT32_ENTRY_BYTES)

/* Byte offsets in an entry, and what its first byte and attributes say. */
enum { FAT32_AT_ATTRIBUTES = 11, FAT32_AT_CASE = 12, FAT32_AT_CHECKSUM = 13,
	FAT32_AT_CLUSTER_HIGH = 20, FAT32_AT_WRITE_TIME = 22, FAT32_AT_WRITE_DATE = 24,
	FAT32_AT_CLUSTER_LOW = 26, FAT32_AT_SIZE = 28 };
#define FAT32_FIRST_END 0x00
#define FAT32_FIRST_DELETED 0xe5
#define FAT32_ATTRIBUTE_ARCHIVE 0x20
#define FAT32_ATTRIBUTE_MASK 0x3f
#define FAT32_ATTRIBUTE_LONG_NAME 0x0f
#define FAT32_CASE_LOWER_BASE 0x08
#define FAT32_CASE_LOWER_EXTENSION 0x10
#define FAT32_PIECE_UNITS 13 /* UTF-16 units in a piece of a long name */
#define FAT32_PIECE_LAST 0x40
/* Where they lie in it. */
extern const uint8_t fat32_unit_offsets[FAT32_PIECE_UNITS];

struct fat32_dirent {
	char name[FAT32_NAME_BYTES];             /* UTF-8: the long name, else the short */
	char short_name[FAT32_SHORT_NAME_BYTES]; /* UTF-8 */
	uint32_t cluster;                        /* first cluster as stored */
	uint32_t size_bytes;                     /* as stored */
	uint32_t modified_s;                     /* since the first of 1980 */
	bool is_directory;
	uint64_t position;                       /* unique: sector * 16 + entry in it */
};

/*
 * The next file or directory in dir at or after entry number *slot, which moves
 * on behind it. Deleted entries, volume labels, "." and ".." are passed over; a
 * long name that does not belong to its entry is dropped. ERR_NOENT after the
 * last; ERR_CORRUPT with a phrase in why; ERR_IO. May yield.
 */
int fat32_dir_next(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t *slot,
    struct fat32_dirent *out, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/*
 * Does dir begin with "." naming itself and ".." naming parent (its first
 * cluster)? This is what keeps a corrupt tree free of loops. ERR_CORRUPT with a
 * phrase in why, ERR_IO. May yield.
 */
int fat32_dir_check(const struct fat32_geometry *geo, const struct fat32_chain *dir,
    uint32_t parent_cluster, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* Sector number index of directory dir, on the device. ERR_CORRUPT with a phrase in why,
 * ERR_IO. May yield. */
int fat32_dir_sector(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t index,
    uint64_t *sector, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* What ties the pieces of a long name to the 11 bytes of their short one. */
uint8_t fat32_short_name_checksum(const uint8_t *raw);
/* May this code point stand in no name? */
bool fat32_is_forbidden(uint32_t c);

/* Equal without regard to ASCII case; b has b_bytes bytes. Does not yield. */
bool fat32_name_equal(const char *a, const char *b, uint32_t b_bytes);

#endif
