/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 on sound cards: every name, size, depth and layout is read back exactly.
 *
 * The images come from mkfs.fat and mtools with the smallest and the largest
 * clusters; the oracle is computed (fat_file_byte). Fragmentation is forced by
 * shuffling the clusters of a file in the image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "fs/fat32_node.h"
#include "kern/vnode.h"
#include "lib/rng.h"
#include "mm/uma.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_meter.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

static struct file_disk disk;
static uint8_t buffer[70000];

static void
mount_image(const char *path)
{
	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", path), 0);
	assert_int_equal(fat_image_mount(&disk), 0);
	assert_string_equal(console_tap_text(), "");
}

static void
remount(void)
{
	assert_int_equal(fat_image_mount(&disk), 0);
}

static struct vnode *
open_path(const char *path)
{
	struct vnode *vp = NULL;
	int err = vfs_lookup(path, &vp);

	if (err != 0)
		fail_msg("lookup %s: %s\n%s", path, err_string(err), console_tap_text());
	return (vp);
}

/* Read count bytes at offset and compare with the oracle. */
static void
check_read(struct vnode *vp, const char *path, uint64_t offset, uint32_t count)
{
	uint64_t expected = offset >= vp->size_bytes ? 0 : vp->size_bytes - offset;
	int64_t got;
	uint32_t i;

	if (expected > count)
		expected = count;
	got = vnode_read(vp, offset, buffer, count);
	if (got != (int64_t)expected)
		fail_msg("%s: read %u at %lu: %ld, expected %lu\n%s", path, count, offset, got,
		    expected, console_tap_text());
	for (i = 0; i < expected; i++) {
		if (buffer[i] != fat_file_byte(path, (uint32_t)offset + i))
			fail_msg("%s: wrong byte at %lu", path, offset + i);
	}
}

static void
check_whole(const char *path, uint32_t size)
{
	struct vnode *vp = open_path(path);
	uint64_t at;

	assert_false(vp->is_directory);
	assert_int_equal(vp->size_bytes, size);
	for (at = 0; at <= size; at += sizeof(buffer))
		check_read(vp, path, at, sizeof(buffer));
	vnode_unref(vp);
}

static void
check_all_files(void *arg)
{
	int i;

	mount_image(arg);
	for (i = 0; fat_files[i].path != NULL; i++)
		check_whole(fat_files[i].path, fat_files[i].size_bytes);
	file_disk_close(&disk);
}

static void
test_all_files_512(void **state)
{
	(void)state;
	sim_run(check_all_files, (void *)fat_image_make("c512", 1, true));
}

static void
test_all_files_64k(void **state)
{
	(void)state;
	sim_run(check_all_files, (void *)fat_image_make("c64k", 128, true));
}

static void
test_all_files_4k(void **state)
{
	(void)state;
	sim_run(check_all_files, (void *)fat_image_make("c4k", 8, true));
}

static void
check_odd_offsets(void *arg)
{
	static const char *paths[] = { "/two.dots.in", "/apps/sort.elf", "/one512.bin", NULL };
	struct vnode *vp;
	uint32_t at;
	int i;

	mount_image(arg);
	for (i = 0; paths[i] != NULL; i++) {
		vp = open_path(paths[i]);
		for (at = 1; at < vp->size_bytes + 3; at += 2) {
			check_read(vp, paths[i], at, 1);
			check_read(vp, paths[i], at, 511);
			check_read(vp, paths[i], at, 4097);
		}
		vnode_unref(vp);
	}
	file_disk_close(&disk);
}

static void
test_odd_offsets(void **state)
{
	(void)state;
	sim_run(check_odd_offsets, (void *)fat_image_make("c512", 1, true));
	sim_run(check_odd_offsets, (void *)fat_image_make("c64k", 128, true));
}

/* Pages at random, runs and look-ahead against the FAT itself. */
static void
check_bmap_page(struct vnode *vp, uint64_t page)
{
	struct vnode_run runs[VNODE_RUNS_MAX], next[VNODE_RUNS_MAX];
	uint64_t file_sectors = (vp->size_bytes + 511) / 512, sectors = 0;
	uint32_t further, ignored, k;
	int count, i;

	count = vp->ops->bmap(vp, page, runs, &further);
	assert_in_range(count, 1, VNODE_RUNS_MAX);
	for (i = 0; i < count; i++)
		sectors += runs[i].sector_count;
	assert_int_equal(sectors, file_sectors - page * 8 < 8 ? file_sectors - page * 8 : 8);
	for (k = 1; k <= further && k < 20; k++) {
		assert_int_equal(vp->ops->bmap(vp, page + k, next, &ignored), 1);
		assert_int_equal(next[0].sector, runs[count - 1].sector +
		    runs[count - 1].sector_count + 8 * (k - 1));
	}
	/* The page behind them, if any, does not follow. */
	if (further == 0 && (page + 1) * 8 < file_sectors) {
		i = vp->ops->bmap(vp, page + 1, next, &ignored);
		assert_true(i > 1 || next[0].sector !=
		    runs[count - 1].sector + runs[count - 1].sector_count);
	}
}

static void
check_scattered(void *arg)
{
	static const char *paths[] = { "/data/huge.bin", "/big.dat", NULL };
	struct fat32_node *node;
	struct vnode *vp;
	struct rng rng;
	int i, n;

	rng_seed(&rng, 42);
	mount_image(arg);
	for (i = 0; paths[i] != NULL; i++) {
		uint32_t first, size;

		vp = open_path(paths[i]);
		first = ((struct fat32_node *)vp->fs_data)->chain.first;
		size = (uint32_t)vp->size_bytes;
		vnode_unref(vp);
		fat_image_scatter(&disk, first, 7 + (uint64_t)i);
		assert_int_equal(fat_image_mount(&disk), 0);
		check_whole(paths[i], size);
		vp = open_path(paths[i]);
		node = vp->fs_data;
		assert_true(node->chain.count == 1 ||
		    node->chain.extent_count > node->chain.count / 2);
		for (n = 0; n < 300; n++) {
			check_read(vp, paths[i], rng_below(&rng, size), 1 + rng_below(&rng, 5000));
			check_bmap_page(vp, rng_below(&rng, (size + 4095) / 4096));
		}
		vnode_unref(vp);
	}
	assert_string_equal(console_tap_text(), "");
	file_disk_close(&disk);
}

static void
test_scattered_512(void **state)
{
	(void)state;
	sim_run(check_scattered, (void *)fat_image_make("c512", 1, true));
}

static void
test_scattered_64k(void **state)
{
	(void)state;
	sim_run(check_scattered, (void *)fat_image_make("c64k", 128, true));
}

/* A contiguous file: after it is open no page costs a read of the FAT; in a
 * scattered one the next page is found from the last. */
static void
check_work(void *arg)
{
	struct vnode_run runs[VNODE_RUNS_MAX];
	struct vnode *vp;
	struct fat32_chain *chain;
	uint64_t before, page;
	uint32_t further, first;

	mount_image(arg);
	vp = open_path("/data/huge.bin");
	before = disk.sectors_read;
	for (page = 0; page < vp->size_bytes / 4096; page++)
		assert_int_equal(vp->ops->bmap(vp, page * 37 % (vp->size_bytes / 4096), runs,
		    &further), 1);
	assert_int_equal(disk.sectors_read, before);
	first = ((struct fat32_node *)vp->fs_data)->chain.first;
	vnode_unref(vp);
	fat_image_scatter(&disk, first, 3);
	assert_int_equal(fat_image_mount(&disk), 0);
	vp = open_path("/data/huge.bin");
	chain = &((struct fat32_node *)vp->fs_data)->chain;
	assert_true(chain->extent_count > 2000);
	/* Marks are spread over the file, and a sequential reader never goes back. */
	assert_in_range(chain->mark_count, FAT32_MARKS_MAX / 2, FAT32_MARKS_MAX);
	assert_true(chain->marks[1].index < chain->count / 8);
	assert_true(chain->marks[chain->mark_count - 1].index > chain->count / 2);
	for (page = 0; page < vp->size_bytes / 4096; page++) {
		assert_true(vp->ops->bmap(vp, page, runs, &further) > 0);
		assert_in_range(page * 8 + 7 - chain->cursor.index, 0, chain->cursor.count - 1);
	}
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_work(void **state)
{
	(void)state;
	sim_run(check_work, (void *)fat_image_make("c512", 1, true));
}

struct refused_path {
	const char *path;
	int err;
};

static void
check_paths(void *arg)
{
	static const struct refused_path refused[] = {
		{ "/nothing.txt", ERR_NOENT }, { "/apps/nothing", ERR_NOENT },
		{ "/gone number 2", ERR_NOENT }, { "/TESTCARD", ERR_NOENT },
		{ "/lower.txt/x", ERR_NOTDIR }, { "/nodir/x", ERR_NOENT },
		{ "/lower.tx", ERR_NOENT }, { "/lower.txtx", ERR_NOENT },
	};
	static const char *same[] = { "/apps/sort.elf", "/APPS/SORT.ELF", "apps/sort.elf",
		"//apps///sort.elf", "/apps/./sort.elf", "/apps/../apps/sort.elf",
		"/../apps/sort.elf", "/d1/d2/../../apps/sort.elf", "/aPpS/sOrT.eLf" };
	static char longest[1100];
	struct vnode *vp, *first;
	size_t i;

	mount_image(arg);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(vfs_lookup(refused[i].path, &vp), refused[i].err);
	first = open_path(same[0]);
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		vp = open_path(same[i]);
		assert_ptr_equal(vp, first);
		vnode_unref(vp);
	}
	assert_int_equal(first->ref_count, 1);
	vnode_unref(first);
	/* By its short name. */
	vp = open_path("/apps/ALONGE~1.TEX");
	assert_int_equal(vp->size_bytes, 4095);
	vnode_unref(vp);
	vp = open_path("/apps/../..");
	assert_true(vp->is_directory);
	vnode_unref(vp);
	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(vfs_lookup(longest, &vp), ERR_NAMETOOLONG);
	file_disk_close(&disk);
}

static void
test_paths(void **state)
{
	(void)state;
	sim_run(check_paths, (void *)fat_image_make("c512", 1, true));
}

/* Is name in the directory, exactly once? */
static void
check_listed(struct vnode *dir, const char *name, uint64_t size, bool is_directory)
{
	struct vnode_dirent e;
	uint32_t i, found = 0;
	int err;

	for (i = 0; (err = vfs_readdir(dir, i, &e)) == 0; i++) {
		assert_string_not_equal(e.name, ".");
		assert_string_not_equal(e.name, "..");
		assert_string_not_equal(e.name, "TESTCARD");
		if (strcmp(e.name, name) != 0)
			continue;
		found++;
		assert_int_equal(e.size_bytes, size);
		assert_int_equal(e.is_directory, is_directory);
	}
	assert_int_equal(err, ERR_NOENT);
	if (found != 1)
		fail_msg("%s listed %u times", name, found);
}

static void
check_readdir(void *arg)
{
	struct vnode_dirent e;
	struct vnode *vp;
	int i;

	mount_image(arg);
	vp = open_path("/");
	for (i = 0; fat_files[i].path != NULL; i++) {
		if (strrchr(fat_files[i].path, '/') == fat_files[i].path)
			check_listed(vp, fat_files[i].path + 1, fat_files[i].size_bytes, false);
	}
	check_listed(vp, "apps", 0, true);
	assert_int_equal(vfs_readdir(vp, 1000000, &e), ERR_NOENT);
	assert_int_equal(vfs_readdir(vp, 0, &e), 0);
	vnode_unref(vp);
	vp = open_path("/lower.txt");
	assert_int_equal(vfs_readdir(vp, 0, &e), ERR_NOTDIR);
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_readdir(void **state)
{
	(void)state;
	sim_run(check_readdir, (void *)fat_image_make("c512", 1, true));
	sim_run(check_readdir, (void *)fat_image_make("c64k", 128, true));
}

/* Put an entry with the long name units[0..count-1] over EMPTY.TXT's directory
 * entries, behind all others of cluster. */
static void
craft_name(uint64_t at, const char *name11, const uint16_t *units, uint32_t count)
{
	static const uint8_t places[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	uint32_t pieces = (count + 12) / 13, p, i;
	uint8_t sum = 0;

	for (i = 0; i < 11; i++)
		sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + (uint8_t)name11[i]);
	for (p = pieces; p > 0; p--, at += 32) {
		uint8_t *raw = disk.bytes + at;

		memset(raw, 0, 32);
		raw[0] = (uint8_t)(p | (p == pieces ? 0x40 : 0));
		raw[11] = 0x0f;
		raw[13] = sum;
		for (i = 0; i < 13; i++) {
			uint32_t n = (p - 1) * 13 + i;
			uint16_t u = n < count ? units[n] : n == count ? 0 : 0xffff;

			raw[places[i]] = (uint8_t)u;
			raw[places[i] + 1] = (uint8_t)(u >> 8);
		}
	}
	memset(disk.bytes + at, 0, 64);
	memcpy(disk.bytes + at, name11, 11);
}

static void
check_crafted_names(void *arg)
{
	static const uint16_t emoji[] = { 'a', 0xd83d, 0xde00, 0xdc00, 'b', 0xd83d };
	static const uint16_t unsafe[] = { 'a', 27, '[', 'J' };
	uint16_t wide[200];
	struct vnode_dirent e;
	struct vnode *vp;
	struct fat_layout l;
	int i;

	mount_image(arg);
	fat_image_layout(&disk, &l);
	for (i = 0; i < 200; i++)
		wide[i] = 0x20ac;
	craft_name(l.data, "EMOJI~1 TXT", emoji, 6);
	remount();
	vnode_unref(open_path("/a\xf0\x9f\x98\x80\xef\xbf\xbd"
	    "b\xef\xbf\xbd"));
	/* 600 bytes of UTF-8 do not fit a dirent: the short name stands in. */
	craft_name(l.data, "WIDE~1     ", wide, 200);
	remount();
	vp = open_path("/");
	assert_int_equal(vfs_readdir(vp, 0, &e), 0);
	assert_string_equal(e.name, "WIDE~1");
	vnode_unref(vp);
	vnode_unref(open_path("/WIDE~1"));
	/* A terminal sequence in a name never reaches the terminal. */
	craft_name(l.data, "\x05\x81""B\x1b    TXT", unsafe, 4);
	remount();
	vp = open_path("/");
	assert_int_equal(vfs_readdir(vp, 0, &e), 0);
	assert_string_equal(e.name, "\xcf\x83\xc3\xbc" "B_.TXT");
	vnode_unref(vp);
	/* One wrong bit in the checksum: the long name belongs to no one. */
	craft_name(l.data, "EMOJI~1 TXT", emoji, 6);
	disk.bytes[l.data + 13] ^= 1;
	remount();
	vp = open_path("/");
	assert_int_equal(vfs_readdir(vp, 0, &e), 0);
	assert_string_equal(e.name, "EMOJI~1.TXT");
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_crafted_names(void **state)
{
	(void)state;
	sim_run(check_crafted_names, (void *)fat_image_make("c4k", 8, true));
}

/* No frame is left: what still fits the last slab is opened, one more is refused and
 * named, and the others stay right. */
static void
check_table_full(void *arg)
{
	struct vnode *held[32];
	uint32_t count = 0, i;
	int err = 0;

	mount_image(arg);
	held[count++] = open_path(fat_files[0].path);
	while (vm_domains[0].v_free_count > 0)
		assert_non_null(vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED));
	while (err == 0 && fat_files[count].path != NULL) {
		err = vfs_lookup(fat_files[count].path, &held[count]);
		count += err == 0;
	}
	assert_int_equal(err, ERR_NOMEM);
	assert_true(count > 1);
	assert_non_null(strstr(console_tap_text(), "no memory to open another file"));
	for (i = 0; i < count; i++) {
		check_read(held[i], fat_files[i].path, 0, 1000);
		vnode_unref(held[i]);
	}
	vm_lowmem(0);
	vnode_unref(open_path(fat_files[count].path));
	file_disk_close(&disk);
}

static void
test_table_full(void **state)
{
	(void)state;
	sim_run(check_table_full, (void *)fat_image_make("c4k", 8, true));
}

static const struct uma_zone *
vnode_zone(void)
{
	struct uma_zone *zone = NULL;

	while ((zone = uma_zone_next(zone)) != NULL)
		if (strcmp(zone->name, "vnode") == 0)
			return (zone);
	return (NULL);
}

/* When memory is low, what nobody has open goes, and what is open stays. */
static void
check_lowmem(void *arg)
{
	uint32_t i, free_pages;
	struct vnode *vp, *again;

	mount_image(arg);
	free_pages = vm_domains[0].v_free_count;
	vp = open_path("/big.dat");
	for (i = 0; fat_files[i].path != NULL; i++)
		vnode_unref(open_path(fat_files[i].path));
	assert_true(vnode_zone()->used_items > 10);
	again = open_path("/big.dat");
	assert_ptr_equal(vp, again); /* one node a file */
	vnode_unref(again);
	vm_lowmem(0);
	assert_int_equal(vnode_zone()->used_items, 1);
	assert_int_equal(vm_domains[0].v_free_count, free_pages - 1);
	check_read(vp, "/big.dat", 0, 5000);
	vnode_unref(vp);
	vm_lowmem(0);
	assert_int_equal(vm_domains[0].v_free_count, free_pages);
	vp = open_path("/big.dat");
	check_read(vp, "/big.dat", 0, 5000);
	vnode_unref(vp);
	sim_mm_check();
	file_disk_close(&disk);
}

static void
test_lowmem(void **state)
{
	(void)state;
	sim_run(check_lowmem, (void *)fat_image_make("c4k", 8, true));
}

/* I/O errors come through, and go when the sectors are good again. */
static void
check_io_errors(void *arg)
{
	struct fat_layout l;
	struct vnode *vp;

	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", arg), 0);
	fat_image_layout(&disk, &l);
	disk.bad_count = 1;
	assert_int_equal(fat_image_mount(&disk), ERR_IO);
	assert_non_null(strstr(console_tap_text(), "fd0: cannot read the volume: "));
	disk.bad_first = l.data / 512;
	assert_int_equal(fat_image_mount(&disk), 0);
	assert_int_equal(vfs_lookup("/lower.txt", &vp), ERR_IO);
	disk.bad_count = 0;
	vp = open_path("/big.dat");
	disk.bad_first = l.data / 512;
	disk.bad_count = disk.dev.block_count;
	assert_int_equal(vnode_read(vp, 0, buffer, 10), ERR_IO);
	disk.bad_count = 0;
	check_read(vp, "/big.dat", 0, 5000);
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_io_errors(void **state)
{
	(void)state;
	sim_run(check_io_errors, (void *)fat_image_make("c512", 1, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_files_512),
		cmocka_unit_test(test_all_files_64k),
		cmocka_unit_test(test_all_files_4k),
		cmocka_unit_test(test_odd_offsets),
		cmocka_unit_test(test_scattered_512),
		cmocka_unit_test(test_scattered_64k),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_readdir),
		cmocka_unit_test(test_crafted_names),
		cmocka_unit_test(test_table_full),
		cmocka_unit_test(test_lowmem),
		cmocka_unit_test(test_io_errors),
	};

	return (cmocka_run_group_tests_name("fat32", tests, NULL, NULL));
}
