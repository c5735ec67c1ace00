/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for new directory entries.
 */
#ifndef FS_FAT32_NAME_H
#define FS_FAT32_NAME_H

#include "fs/fat32_dir.h"

/* A set of entries lies in one sector, so that it is written at once: at most 15 pieces. */
#define FAT32_NEW_UNITS_MAX ((FAT32_ENTRIES_PER_SECTOR - 1) * FAT32_PIECE_UNITS)

struct fat32_new_name {
	uint16_t units[FAT32_NEW_UNITS_MAX]; /* UTF-16 */
	uint32_t unit_count;                 /* 0: the short name says it all */
	uint8_t raw[11];                     /* the short name as stored */
	uint8_t case_flags;
};

/*
 * Take name (bytes long, UTF-8) apart. ERR_INVAL: empty, a forbidden character, no UTF-8, a
 * space or dot at its end; ERR_NAMETOOLONG. Does not yield.
 */
int fat32_name_new(const char *name, uint32_t bytes, struct fat32_new_name *out) ERR_MUST_CHECK;

/* The short name for a long one, attempt number attempt. */
void fat32_name_alias(struct fat32_new_name *name, uint32_t attempt);

/* Entries that the name takes. */
static inline uint32_t
fat32_name_entries(const struct fat32_new_name *name)
{
	return (1 + (name->unit_count + FAT32_PIECE_UNITS - 1) / FAT32_PIECE_UNITS);
}

/* Write them, of an empty file, to entry at and those after it. */
void fat32_name_put(const struct fat32_new_name *name, uint8_t *at);

#endif
