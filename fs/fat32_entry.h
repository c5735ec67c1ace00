/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing directory entries. The caller holds the volume lock. All may yield.
 */
#ifndef FS_FAT32_ENTRY_H
#define FS_FAT32_ENTRY_H

#include "fs/fat32_name.h"

/*
 * An entry for an empty file called name in directory dir, which gets another cluster if it is
 * full; *position as in struct fat32_dirent. ERR_NOSPC, ERR_CORRUPT with a phrase in why,
 * ERR_IO. Nothing called so is there (the caller has looked).
 */
int fat32_entry_create(const struct fat32_geometry *geo, struct fat32_chain *dir,
    struct fat32_new_name *name, uint64_t *position, char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

/* First cluster (0: none) and size of the entry at position. */
int fat32_entry_update(uint64_t position, uint32_t cluster, uint32_t size_bytes) ERR_MUST_CHECK;

/* When it was changed, as fat32_time_put says it. */
int fat32_entry_set_time(uint64_t position, uint16_t date, uint16_t time) ERR_MUST_CHECK;

/* Remove entry number slot of dir, and the pieces of its long name before it. 0: the entry is
 * gone, though after an error not yet durable, and pieces may be left. */
int fat32_entry_delete(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t slot,
    char why[FAT32_WHY_BYTES]) ERR_MUST_CHECK;

#endif
