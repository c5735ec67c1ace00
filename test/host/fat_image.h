/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 images for host tests, made by mkfs.fat and mtools from files whose
 * content can be computed: the oracle needs no second copy.
 */
#ifndef TEST_HOST_FAT_IMAGE_H
#define TEST_HOST_FAT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "test/host/file_disk.h"

struct fat_file {
	const char *path;      /* as looked up: "/dir/name" */
	uint32_t size_bytes;
};

/* A tree with every shape of name, size and depth; ends with path NULL. */
extern const struct fat_file fat_files[];

/* Byte number at of the file called path. */
uint8_t fat_file_byte(const char *path, uint32_t at);

/* Run a shell command; the test fails if it fails. */
void fat_image_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Make build/test-fat/<name>-<number>.img with clusters of cluster_sectors * 512 bytes and
 * the files of fat_files (with all false: only the first few), if it is not there
 * yet. Returns its path (static buffer).
 */
const char *fat_image_make(const char *name, uint32_t cluster_sectors, bool all);

/* Boot mm with a pool of a few hundred frames, where the nodes live, and mount. */
int fat_image_mount(struct file_disk *disk) ERR_MUST_CHECK;

/* Where things lie in an image that was made here, in bytes. */
struct fat_layout {
	uint32_t cluster_bytes;
	uint64_t fat, fat_bytes;  /* first copy; the second follows */
	uint64_t data;            /* of cluster 2 */
	uint32_t cluster_count;
};
void fat_image_layout(const struct file_disk *disk, struct fat_layout *layout);
uint32_t fat_entry_get(const struct file_disk *disk, uint32_t cluster);
/* In both copies. */
void fat_entry_set(struct file_disk *disk, uint32_t cluster, uint32_t value);
/* Byte offset in the image of the 8.3 entry with this 11-byte name in the
 * directory that starts at cluster (its chain must be sound), or 0. */
uint64_t fat_entry_find(const struct file_disk *disk, uint32_t cluster, const char *name11);

/* Shuffle the clusters of the chain that starts at first (which stays first):
 * every link is changed, the content moves along. */
void fat_image_scatter(struct file_disk *disk, uint32_t first, uint64_t seed);

#endif
