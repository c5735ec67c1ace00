/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 images for tests: mkfs.fat and mtools write them, computed content fills
 * them, and a few functions that know the format only from its specification
 * (nothing of fs/) damage or shuffle them.
 *
 * Owns: the folder build/test-fat/.
 * Does not: use code under test.
 *
 * Invariants: none.
 * Yields: never.
 * See: test/unit/fat32.c, test/unit/fat32_corrupt.c.
 */
#include "test/host/fat_image.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "lib/le.h"
#include "lib/rng.h"
#include "test/host/sim_mm.h"

#define FOLDER "build/test-fat"
#define FEW_FILES 8
#define CLUSTERS 66200 /* mtools takes fewer than 65525 for FAT16 */

#define LONG_50 "fifty characters of a name that goes on and on, 50"
#define DEEP_5 "/d1/d2/d3/d4/d5"

const struct fat_file fat_files[] = {
	{ "/EMPTY.TXT", 0 },
	{ "/one512.bin", 512 },
	{ "/ONE64K.BIN", 65536 },
	{ "/Mixed.Txt", 1 },
	{ "/big.dat", 300001 },
	{ "/apps/sort.elf", 8193 },
	{ "/apps/a longer name with spaces and.several.dots.text", 4095 },
	{ "/" LONG_50 "/inner.dat", 511 },
	/* the few end here */
	{ "/lower.txt", 513 },
	{ "/UPPER.low", 4096 },
	{ "/low.UPP", 4097 },
	{ "/noext", 65535 },
	{ "/thirteen char", 65537 },
	{ "/twenty six characters 1234", 131072 },
	{ "/Überraschung – ſchön.txt", 77 },
	{ "/.hidden", 3 },
	{ "/two.dots.in", 9001 },
	{ "/" LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 "55555", 1000 },
	{ DEEP_5 DEEP_5 DEEP_5 DEEP_5 "/deep.txt", 1234 },
	{ DEEP_5 "/d1/empty", 0 },
	{ "/data/huge.bin", 1500000 },
	{ NULL, 0 }
};

uint8_t
fat_file_byte(const char *path, uint32_t at)
{
	uint32_t hash = 2166136261u;

	for (; *path != '\0'; path++)
		hash = (hash ^ (uint8_t)*path) * 16777619u;
	hash += at / 4 * 2654435761u;
	return ((uint8_t)(hash >> (at % 4 * 8)));
}

void
fat_image_shell(const char *fmt, ...)
{
	char command[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("command failed: %s", command);
}

/* Write file f below folder. */
static void
file_make(const char *folder, const struct fat_file *f)
{
	char path[1024];
	FILE *out;
	uint32_t i;

	snprintf(path, sizeof(path), "%s%s", folder, f->path);
	for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	out = fopen(path, "wb");
	assert_non_null(out);
	for (i = 0; i < f->size_bytes; i++)
		putc(fat_file_byte(f->path, i), out);
	assert_int_equal(fclose(out), 0);
}

/* A number that changes with the tree: images of a former one are not taken. */
static uint32_t
tree_number(void)
{
	uint32_t hash = 1;
	int i;

	for (i = 0; fat_files[i].path != NULL; i++)
		hash = hash * 31 + fat_files[i].size_bytes + fat_file_byte(fat_files[i].path, 0);
	return (hash);
}

const char *
fat_image_make(const char *name, uint32_t cluster_sectors, bool all)
{
	static char image[256];
	char tree[256], part[300];
	uint32_t kib = CLUSTERS * cluster_sectors / 2 + 600 * (cluster_sectors > 8 ? 2 : 1);
	int i;

	snprintf(image, sizeof(image), FOLDER "/%s-%08x.img", name, tree_number());
	if (access(image, R_OK) == 0)
		return (image);
	snprintf(tree, sizeof(tree), FOLDER "/%s.%d", name, (int)getpid());
	snprintf(part, sizeof(part), "%s.part", tree);
	fat_image_shell("rm -rf '%s' '%s' && mkdir -p '%s'", tree, part, tree);
	for (i = 0; fat_files[i].path != NULL && (all || i < FEW_FILES); i++)
		file_make(tree, &fat_files[i]);
	fat_image_shell("PATH=$PATH:/usr/sbin:/sbin; mkfs.fat -F 32 -s %u -n TESTCARD -C '%s' %u"
	    " >/dev/null", cluster_sectors, part, kib);
	/* Files that are deleted again leave holes and deleted entries behind. */
	fat_image_shell("export LC_ALL=C.UTF-8; cd '%s' && for n in 1 2 3 4 5 6 7 8; do head -c"
	    " 700 /dev/zero >\"gone number $n\"; done && mcopy -i ../../../'%s' gone* ::/"
	    " && rm gone* && mdel -i ../../../'%s' '::/gone number 2' '::/gone number 4'"
	    " && mcopy -s -i ../../../'%s' * $(find . -maxdepth 1 -name '.h*') ::/ && mdel -i"
	    " ../../../'%s' '::/gone*'", tree, part, part, part, part);
	fat_image_shell("rm -rf '%s' && mv '%s' '%s'", tree, part, image);
	return (image);
}

void
fat_image_layout(const struct file_disk *disk, struct fat_layout *layout)
{
	const uint8_t *boot = disk->bytes;
	uint32_t sector_bytes = le16(boot + 11);

	layout->cluster_bytes = boot[13] * sector_bytes;
	layout->fat = (uint64_t)le16(boot + 14) * sector_bytes;
	layout->fat_bytes = (uint64_t)le32(boot + 36) * sector_bytes;
	layout->data = layout->fat + boot[16] * layout->fat_bytes;
	layout->cluster_count = (uint32_t)(((uint64_t)le32(boot + 32) * sector_bytes -
	    layout->data) / layout->cluster_bytes);
}

uint32_t
fat_entry_get(const struct file_disk *disk, uint32_t cluster)
{
	struct fat_layout l;

	fat_image_layout(disk, &l);
	return (le32(disk->bytes + l.fat + 4ull * cluster) & 0x0fffffff);
}

void
fat_entry_set(struct file_disk *disk, uint32_t cluster, uint32_t value)
{
	struct fat_layout l;
	int i;

	fat_image_layout(disk, &l);
	for (i = 0; i < 4; i++) {
		uint64_t at = l.fat + 4ull * cluster + (uint32_t)i;

		disk->bytes[at] = (uint8_t)(value >> (8 * i));
		disk->bytes[at + l.fat_bytes] = (uint8_t)(value >> (8 * i));
	}
}

uint64_t
fat_entry_find(const struct file_disk *disk, uint32_t cluster, const char *name11)
{
	struct fat_layout l;
	uint64_t at, start;

	fat_image_layout(disk, &l);
	for (; cluster < 0x0ffffff8; cluster = fat_entry_get(disk, cluster)) {
		start = l.data + (uint64_t)(cluster - 2) * l.cluster_bytes;
		for (at = start; at < start + l.cluster_bytes; at += 32) {
			if (memcmp(disk->bytes + at, name11, 11) == 0)
				return (at);
		}
	}
	return (0);
}

static uint32_t
chain_collect(const struct file_disk *disk, uint32_t first, uint32_t *clusters, uint32_t max)
{
	uint32_t count = 0, cluster = first;

	while (cluster < 0x0ffffff8) {
		assert_true(count < max);
		clusters[count++] = cluster;
		cluster = fat_entry_get(disk, cluster);
	}
	return (count);
}

#define SCATTER_MAX 4096

void
fat_image_scatter(struct file_disk *disk, uint32_t first, uint64_t seed)
{
	static uint32_t before[SCATTER_MAX], after[SCATTER_MAX];
	struct fat_layout l;
	struct rng rng;
	uint32_t count, i;
	uint8_t *copy;

	rng_seed(&rng, seed);
	fat_image_layout(disk, &l);
	count = chain_collect(disk, first, before, SCATTER_MAX);
	memcpy(after, before, sizeof(after));
	for (i = count - 1; i > 1; i--) {
		uint32_t other = 1 + rng_below(&rng, i), t = after[i];

		after[i] = after[other];
		after[other] = t;
	}
	copy = malloc((size_t)count * l.cluster_bytes);
	assert_non_null(copy);
	for (i = 0; i < count; i++)
		memcpy(copy + (size_t)i * l.cluster_bytes, disk->bytes + l.data +
		    (uint64_t)(before[i] - 2) * l.cluster_bytes, l.cluster_bytes);
	for (i = 0; i < count; i++) {
		memcpy(disk->bytes + l.data + (uint64_t)(after[i] - 2) * l.cluster_bytes,
		    copy + (size_t)i * l.cluster_bytes, l.cluster_bytes);
		fat_entry_set(disk, after[i], i + 1 < count ? after[i + 1] : 0x0fffffff);
	}
	free(copy);
}

#define POOL_FRAMES 256u

int
fat_image_mount(struct file_disk *disk)
{
	sim_mm_boot_bare(POOL_FRAMES);
	return (fat32_mount(&disk->dev));
}
