/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a FAT32 volume. Input: changes to a sound image that mkfs.fat and mtools
 * made, 8 bytes each:
 *
 *   kind        low 2 bits: what is changed; bits 2, 3: bytes of value less 1; bit 4: only
 *               one of two copies (boot sector, FAT); bit 5: a value from a list
 *   where       3 bytes: offset in the boot sector; cluster in use and byte of its entry;
 *               directory entry and byte in it; any byte
 *   value       4 bytes
 *
 * Then every name is looked up and read, as is what the sound image has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fat32.h"
#include "kern/vnode.h"
#include "lib/assert.h"
#include "lib/le.h"
#include "test/host/fat_image.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FILES          8      /* the few of fat_image_make */
#define FRAMES         32u
#define CHANGES_MAX    64u
#define CHANGE_BYTES   8u
#define ENTRY_BYTES    32u
#define CLUSTERS_MAX   1024u  /* the first so many are changed: those in use, some free */
#define FOLDERS_MAX    64u
#define NAMES_MAX      600u   /* looked at in one directory */
#define DEPTH_MAX      3u
#define READ_BYTES     20000u
#define PATH_BYTES     1000u
#define BOOT_BACKUP    (6u * 512)
/* Sectors that it all may cost, whatever is broken: a directory has at most 2 MiB, a chain
 * at most as many links as the volume has clusters. */
#define WORK_MAX       4000000u

enum kind { CHANGE_BOOT, CHANGE_FAT, CHANGE_ENTRY, CHANGE_BYTE };

const uint32_t fuzz_runs = 10000;

static struct file_disk disk;
static struct fat_layout layout;
static struct fuzz_input input;
/* Bytes of the sound image at which a directory's cluster begins. */
static uint64_t folders[FOLDERS_MAX];
static uint32_t folder_count;
static uint8_t buffer[READ_BYTES];

/* ---- changes */

/* Among them clusters past the last one, and those whose entries would be the next FAT's. */
static uint32_t
telling(uint32_t n)
{
	static const uint32_t fixed[] = { 0, 1, 2, 3, 0x0ffffff6, 0x0ffffff7, 0x0ffffff8,
		0x0fffffff, 0xffffffff, 0x7fffffff, 0x80000000, 4096 };
	uint32_t entries = (uint32_t)(layout.fat_bytes / 4);

	n %= sizeof(fixed) / sizeof(fixed[0]) + 4;
	if (n >= 4)
		return (fixed[n - 4]);
	return (n < 2 ? layout.cluster_count + 1 + n : entries + n - 2);
}

static void
put(uint64_t at, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes && at + i < disk.byte_count; i++)
		disk.bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void
change(const uint8_t raw[CHANGE_BYTES])
{
	uint32_t where = (uint32_t)raw[1] << 16 | le16(raw + 2), value = le32(raw + 4);
	uint32_t bytes = 1 + (raw[0] >> 2 & 3);
	bool both = (raw[0] & 0x10) == 0;

	if (raw[0] & 0x20)
		value = telling(value);
	switch (raw[0] & 3) {
	case CHANGE_BOOT:
		put(where % 512, value, bytes);
		if (both)
			put(BOOT_BACKUP + where % 512, value, bytes);
		break;
	case CHANGE_FAT:
		/* Mostly links to clusters that are in use. */
		if ((raw[0] & 0xa0) == 0x80)
			value = 2 + value % CLUSTERS_MAX;
		put(layout.fat + where % CLUSTERS_MAX * 4, value, 4);
		if (both)
			put(layout.fat + layout.fat_bytes + where % CLUSTERS_MAX * 4, value, 4);
		break;
	case CHANGE_ENTRY:
		put(folders[raw[1] % folder_count] + le16(raw + 2) % layout.cluster_bytes, value,
		    bytes);
		break;
	default:
		put((uint64_t)where * 8 + (raw[0] >> 5), value, bytes);
	}
}

static void
changes_make(void)
{
	uint8_t raw[CHANGE_BYTES];

	for (uint32_t n = 0; n < CHANGES_MAX && input.bytes_left >= CHANGE_BYTES; n++) {
		for (uint32_t i = 0; i < CHANGE_BYTES; i++)
			raw[i] = fuzz_u8(&input);
		change(raw);
	}
}

/* ---- the sound image's directories */

static void
folder_add(uint32_t cluster)
{
	for (; cluster < 0x0ffffff8 && folder_count < FOLDERS_MAX;
	    cluster = fat_entry_get(&disk, cluster))
		folders[folder_count++] = layout.data + (uint64_t)(cluster - 2) *
		    layout.cluster_bytes;
}

/* Root, then what it and its children hold; folders is the queue too. */
static void
folders_find(void)
{
	folder_add(2);
	for (uint32_t i = 0; i < folder_count; i++) {
		for (uint32_t at = 0; at < layout.cluster_bytes; at += ENTRY_BYTES) {
			const uint8_t *raw = disk.bytes + folders[i] + at;

			if (raw[0] != 0 && raw[0] != 0xe5 && raw[0] != '.' && raw[11] == 0x10)
				folder_add((uint32_t)le16(raw + 20) << 16 | le16(raw + 26));
		}
	}
}

/* ---- what is asked */

static void
runs_check(struct vnode *vp, uint64_t page)
{
	struct vnode_run runs[VNODE_RUNS_MAX];
	uint64_t pages = (vp->size_bytes + 4095) / 4096, sectors = 0, want;
	uint32_t further = 0;
	int count = vp->ops->bmap(vp, page, runs, &further);

	if (count < 0) {
		fuzz_check(page >= pages || count != ERR_RANGE, "ERR_RANGE inside the file");
		return;
	}
	fuzz_check(page < pages && count > 0 && count <= VNODE_RUNS_MAX, "runs past the end");
	for (int i = 0; i < count; i++) {
		sectors += runs[i].sector_count;
		fuzz_check(runs[i].sector_count > 0, "a run of no sectors");
		fuzz_check(runs[i].sector >= 2 && runs[i].sector < disk.dev.block_count &&
		    runs[i].sector_count + (uint64_t)further * 8 <= disk.dev.block_count -
		    runs[i].sector + (further > 0 ? 7 : 0), "a run outside the device");
	}
	want = (vp->size_bytes + 511) / 512 - page * 8;
	fuzz_check(sectors == (want < 8 ? want : 8), "runs that do not cover the page");
	fuzz_check(page + further < pages, "more pages follow than the file has");
}

static void
file_use(struct vnode *vp)
{
	uint64_t pages = (vp->size_bytes + 4095) / 4096, end = vp->size_bytes;
	int64_t got;

	fuzz_check(vp->size_bytes <= UINT32_MAX, "larger than a file can be");
	for (uint64_t page = 0; page < 3; page++)
		runs_check(vp, page);
	runs_check(vp, pages / 2);
	runs_check(vp, pages - 1);
	runs_check(vp, pages);
	runs_check(vp, UINT64_MAX / 2);
	got = vnode_read(vp, 0, buffer, sizeof(buffer));
	fuzz_check(got == ERR_CORRUPT || got == (int64_t)(end < sizeof(buffer) ? end :
	    sizeof(buffer)), "not as many bytes as the file has");
	if (end > sizeof(buffer))
		(void)!vnode_read(vp, end - 1000, buffer, sizeof(buffer));
}

static void
name_check(const struct vnode_dirent *e)
{
	fuzz_check(memchr(e->name, 0, sizeof(e->name)) != NULL && e->name[0] != 0, "no name");
	for (const char *c = e->name; *c != '\0'; c++)
		fuzz_check((uint8_t)*c >= 0x20 && *c != 0x7f && *c != '/', "a control character");
}

static void
path_use(const char *path)
{
	struct vnode *vp;

	if (vfs_lookup(path, &vp) != 0)
		return;
	if (!vp->is_directory)
		file_use(vp);
	vnode_unref(vp);
}

/* All names of the directory at path; *next: one of them that is a directory. */
static bool
folder_use(const char *path, char next[PATH_BYTES])
{
	struct vnode_dirent e;
	struct vnode *vp;
	static char child[PATH_BYTES + sizeof(e.name)];
	bool found = false;

	if (vfs_lookup(path, &vp) != 0)
		return (false);
	for (uint32_t n = 0; n < NAMES_MAX && vfs_readdir(vp, n, &e) == 0; n++) {
		name_check(&e);
		snprintf(child, sizeof(child), "%s/%s", path, e.name);
		if (n < 16)
			path_use(child);
		if (e.is_directory && !found && strlen(child) < PATH_BYTES) {
			found = true;
			strcpy(next, child);
		}
	}
	vnode_unref(vp);
	return (found);
}

static void
volume_use(void)
{
	static char path[PATH_BYTES], next[PATH_BYTES];

	for (uint32_t i = 0; i < FILES; i++)
		path_use(fat_files[i].path);
	path[0] = '\0';
	for (uint32_t depth = 0; depth < DEPTH_MAX; depth++) {
		if (!folder_use(path, next))
			break;
		strcpy(path, next);
	}
}

static void
mount(void *image)
{
	if (file_disk_open(&disk, "fz0", image) != 0)
		return;
	fat_image_layout(&disk, &layout);
	if (folder_count == 0)
		folders_find();
	changes_make();
	sim_mm_boot_bare(FRAMES);
	if (fat32_mount(&disk.dev) == 0)
		volume_use();
	fuzz_check(disk.sectors_read <= WORK_MAX, "too much is read");
	file_disk_close(&disk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char image[256];

	if (image[0] == '\0')
		snprintf(image, sizeof(image), "%s", fat_image_make("few512", 1, false));
	input = (struct fuzz_input){ data, size };
	sim_run(mount, image);
	return (0);
}

/* ---- seeds: sound, then a few changes of each kind */

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	static const uint8_t seeds[][2 * CHANGE_BYTES] = {
		{ 0x13, 0, 0, 0, 0xeb },                            /* nothing */
		{ CHANGE_BOOT, 0, 13, 0, 2 },                       /* sectors a cluster */
		{ CHANGE_BOOT | 0x0c, 0, 44, 0, 3 },                /* root cluster */
		{ CHANGE_FAT | 0x80, 0, 40, 0, 41 },
		{ CHANGE_FAT | 0x20, 0, 50, 0, 7 },
		{ CHANGE_FAT | 0x10, 0, 60, 0, 61 },
		{ CHANGE_ENTRY | 0x0c, 0, 28, 0, 0xff, 0xff, 0xff, 0xff },
		{ CHANGE_ENTRY | 0x04, 1, 0x3a, 0, 5, 0, 0, 0, CHANGE_ENTRY, 1, 0x2b, 0, 0x10 },
		{ CHANGE_ENTRY, 0, 0x40, 0, 0x43 },
		{ CHANGE_BYTE, 2, 0, 0, 1 },
		{ CHANGE_BOOT, 0, 40, 0, 0x80, 0, 0, 0, CHANGE_FAT | 0x20, 0, 30, 0, 2 },
	};

	if (n == sizeof(seeds) / sizeof(seeds[0]))
		return (0);
	memcpy(data, seeds[n], sizeof(seeds[n]));
	return (seeds[n][CHANGE_BYTES] != 0 ? sizeof(seeds[n]) : CHANGE_BYTES);
}
