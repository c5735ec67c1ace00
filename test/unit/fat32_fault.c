/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 changes at their edges: the longest name, names that only look alike, writes that fail
 * half way, clusters that nobody needs; what is on the disk afterwards must be what the vnodes say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "fs/fat32_cache.h"
#include "fs/fat32_name.h"
#include "fs/fat32_node.h"
#include "kern/vnode.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_object.h"
#include "mm/vm_page.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FRAMES 3000u
#define MIB (1u << 20)

static struct file_disk disk;
static const bool never;

static void
mount_again(void)
{
	sim_mm_boot_bare(FRAMES);
	console_tap_begin();
	assert_int_equal(fat32_mount(&disk.dev), 0);
}

static void
mount_fresh(const char *image)
{
	static uint32_t number; /* a test that fails leaves its disk */
	char name[8];

	disk.bad_count = 0;
	snprintf(name, sizeof(name), "ff%u", number++ % 100);
	assert_int_equal(file_disk_open(&disk, name, image), 0);
	disk.dev.can_flush = true;
	mount_again();
}

/* What is on the disk passes fsck.fat without a word. */
static void
check_sound(void)
{
	char copy[] = "build/test-fat/fault-XXXXXX";
	int fd = mkstemp(copy);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, disk.bytes, disk.byte_count), (ssize_t)disk.byte_count);
	close(fd);
	fat_image_shell("PATH=$PATH:/usr/sbin:/sbin fsck.fat -n %s >%s.out 2>&1 || "
			"{ cat %s.out; exit 1; }",
	    copy, copy, copy);
	fat_image_shell("rm %s %s.out", copy, copy);
}

static struct vnode *
create(const char *path)
{
	struct vnode *vp = NULL;
	int err = vfs_create(path, &vp);

	if (err != 0)
		fail_msg("create %s: %s\n%s", path, err_string(err), console_tap_text());
	return (vp);
}

static int
extend(struct vnode *vp, uint64_t bytes)
{
	struct vm_object *object = file_pager_alloc(vp);
	int err = file_pager_extend(object, bytes, &never);

	vm_object_deallocate(object);
	return (err);
}

static int
sync_file(struct vnode *vp)
{
	struct vm_object *object = file_pager_alloc(vp);
	int err = file_pager_sync(object, 0, 0, OBJPC_SYNC, false);

	vm_object_deallocate(object);
	return (err);
}

/* As the last close of a writer. */
static void
settle(struct vnode *vp)
{
	assert_int_equal(sync_file(vp), 0);
	vnode_unref(vp);
}

static int
remove_path(const char *path)
{
	struct vnode *vp;
	int err = vfs_unlink(path, &vp);

	if (err != 0)
		return (err);
	file_pager_forget(vp);
	vnode_unref(vp);
	return (vfs_sync());
}

/* ---- names */

/* As many characters as entries of one sector hold: 195. */
static void
longest(void *arg)
{
	char name[200];
	struct vnode *vp;

	mount_fresh(arg);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[1 + 195] = '\0';
	settle(create(name));
	assert_int_equal(vfs_lookup(name, &vp), 0);
	vnode_unref(vp);
	memcpy(name + 1 + 192, "\xf0\x9f\x98\x80", 5); /* two units: 194 */
	settle(create(name));
	memcpy(name + 1 + 194, "\xf0\x9f\x98\x80", 5); /* 196 */
	name[1 + 193] = name[1 + 192] = 'y';
	assert_int_equal(vfs_create(name, &vp), ERR_NAMETOOLONG);
	check_sound();
	file_disk_close(&disk);
}

static void
test_longest(void **state)
{
	(void)state;
	sim_run(longest, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* A short name that is made up is not what another file is called. */
static void
alike(void *arg)
{
	static const char name[] = "Results of June.txt";
	struct fat32_new_name made;
	struct vnode *vp, *again;
	char path[16], fill[20];
	int i;

	mount_fresh(arg);
	assert_int_equal(fat32_name_new(name, (uint32_t)strlen(name), &made), 0);
	snprintf(path, sizeof(path), "/%.8s.%.3s", (char *)made.raw, (char *)made.raw + 8);
	for (i = 2; path[i] != '\0'; i++)
		if (path[i] >= 'A' && path[i] <= 'Z')
			path[i] += 'a' - 'A';
	settle(create("/something to go away"));
	settle(create("/something else to go away"));
	for (i = 0; i < 40; i++) { /* where there is room before them */
		snprintf(fill, sizeof(fill), "/fill%d", i);
		settle(create(fill));
	}
	vp = create(path); /* of both cases: a long name */
	assert_int_equal(remove_path("/something to go away"), 0);
	assert_int_equal(remove_path("/something else to go away"), 0);
	settle(create("/Results of June.txt")); /* goes to the free place before it */
	assert_int_equal(vfs_lookup(path, &again), 0);
	assert_ptr_equal(again, vp);
	vnode_unref(again);
	settle(vp);
	assert_int_equal(remove_path(path), 0);
	assert_int_equal(vfs_lookup("/Results of June.txt", &vp), 0);
	vnode_unref(vp);
	check_sound();
	file_disk_close(&disk);
}

static void
test_alike(void **state)
{
	(void)state;
	sim_run(alike, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* The root as long as a directory can be, in the last clusters of the volume too, and without a
 * free entry. */
static void
fill_root(void)
{
	struct fat_layout layout;
	uint32_t cluster = 2, next, have, at, number = 0;

	fat_image_layout(&disk, &layout);
	for (have = 1; (next = fat_entry_get(&disk, cluster)) < 0x0ffffff8; have++)
		cluster = next;
	for (next = layout.cluster_count + 1; have < 4096; have++, next--) {
		fat_entry_set(&disk, cluster, next);
		fat_entry_set(&disk, next, 0x0fffffff);
		memset(disk.bytes + layout.data + (next - 2) * 512ull, 0, 512);
		cluster = next;
	}
	for (cluster = 2; cluster < 0x0ffffff8; cluster = fat_entry_get(&disk, cluster))
		for (at = 0; at < 512; at += 32) {
			uint8_t *raw = disk.bytes + layout.data + (cluster - 2) * 512ull + at;
			char name[12];

			if (raw[0] != 0 && raw[0] != 0xe5)
				continue;
			snprintf(name, sizeof(name), "F%07u   ", number++ % 10000000);
			memset(raw, 0, 32);
			memcpy(raw, name, 11);
			raw[11] = 0x20;
			raw[24] = 0x21;
		}
}

static void
full_directory(void *arg)
{
	struct vnode *vp;

	mount_fresh(arg);
	fill_root();
	mount_again();
	assert_int_equal(vfs_create("/one more", &vp), ERR_NOSPC);
	assert_int_equal(vfs_create("/more", &vp), ERR_NOSPC);
	assert_int_equal(remove_path("/F0060000"), 0);
	assert_int_equal(vfs_create("/one more", &vp), ERR_NOSPC); /* needs two */
	settle(create("/more"));
	assert_int_equal(vfs_lookup("/more", &vp), 0);
	vnode_unref(vp);
	assert_int_equal(vfs_sync(), 0);
	file_disk_close(&disk);
}

static void
test_full_directory(void **state)
{
	(void)state;
	sim_run(full_directory, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* ---- writes that fail half way */

/* The entry is gone, its pieces in the sector before could not be removed: the file is gone. */
static void
half_removed(void *arg)
{
	struct fat32_node *n;
	struct vnode *vp, *old;
	char path[64];
	int i;

	mount_fresh(arg);
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/f/a file of a rather long name, number %d", i);
		assert_int_equal(vfs_lookup(path, &old), 0);
		n = old->fs_data;
		if (n->position % 16 < 3)
			break;
		vnode_unref(old);
	}
	assert_true(i < 40);
	assert_int_equal(extend(old, 3000), 0);
	assert_int_equal(sync_file(old), 0);
	disk.bad_first = n->position / 16 - 1;
	disk.bad_count = 1;
	if (vfs_unlink(path, &vp) == 0)
		vnode_unref(vp);
	disk.bad_count = 0;
	assert_int_equal(vfs_lookup(path, &vp), ERR_NOENT);
	for (i = 0; i < 4; i++) { /* one of them takes its place */
		snprintf(path, sizeof(path), "/f/new%d", i);
		vp = create(path);
		assert_ptr_not_equal(vp, old);
		assert_int_equal(vp->size_bytes, 0);
		settle(vp);
	}
	assert_int_equal(old->size_bytes, 3000);
	settle(old);
	file_disk_close(&disk);
}

static void
test_half_removed(void **state)
{
	const char *image = "build/test-fat/half.img";

	(void)state;
	fat_image_shell("cp --sparse=always %s %s", fat_image_make("change512", 1, false), image);
	fat_image_shell(
	    "export MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null; mmd -i %s ::/f; "
	    "for i in $(seq 0 39); do "
	    "mcopy -i %s /dev/null \"::/f/a file of a rather long name, number $i\"; done",
	    image, image);
	sim_run(half_removed, (void *)(uintptr_t)image);
}

static void
second_copy_fails(bool fails)
{
	struct fat_layout layout;

	fat_image_layout(&disk, &layout);
	disk.bad_first = (layout.fat + layout.fat_bytes) / 512;
	disk.bad_count = fails ? layout.fat_bytes / 512 : 0;
}

/* One copy of the FAT was written, the other not: the older file can be read, and the volume is
 * not called at rest. */
static void
half_written(void *arg)
{
	struct vnode *vp, *other;

	mount_fresh(arg);
	vp = create("/file");
	assert_int_equal(extend(vp, 3000), 0);
	assert_int_equal(sync_file(vp), 0);
	other = create("/other"); /* not at rest from here on */
	second_copy_fails(true);
	assert_int_equal(extend(vp, 30000), ERR_IO);
	second_copy_fails(false);
	settle(vp);
	settle(other);
	assert_int_equal(vfs_sync(), 0);
	assert_true((fat_entry_get(&disk, 1) & 0x08000000) == 0);
	mount_again();
	assert_int_equal(vfs_lookup("/file", &vp), 0);
	assert_int_equal(vp->size_bytes, 3000);
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_half_written(void **state)
{
	(void)state;
	sim_run(half_written, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* The mark could not be written: nothing is changed before it can. */
static void
half_marked(void *arg)
{
	struct vnode *vp;

	mount_fresh(arg);
	second_copy_fails(true);
	assert_int_equal(vfs_create("/file", &vp), ERR_IO);
	fat_entry_set(&disk, 1, fat_entry_get(&disk, 1) | 0x08000000);
	second_copy_fails(false);
	vp = create("/file");
	assert_true((fat_entry_get(&disk, 1) & 0x08000000) == 0);
	settle(vp);
	file_disk_close(&disk);
}

static void
test_half_marked(void **state)
{
	(void)state;
	sim_run(half_marked, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* ---- clusters that nobody needs */

/* A writer that has got more than it used, and is synchronised before it closes. */
static void
left_over(void *arg)
{
	struct vnode *vp;

	mount_fresh(arg);
	vp = create("/file");
	assert_int_equal(extend(vp, 3000), 0);
	vp->writer_count = 1;
	assert_int_equal(vp->ops->reserve(vp, 50000), 50000);
	vp->size_changed = true; /* as file_pager_extend does */
	assert_int_equal(sync_file(vp), 0);
	vp->writer_count = 0;
	settle(vp);
	assert_int_equal(vfs_sync(), 0);
	check_sound();
	file_disk_close(&disk);
}

static void
test_left_over(void **state)
{
	(void)state;
	sim_run(left_over, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* The FAT cannot be read when a file is cut: the clusters are freed when it can. */
static void
cut_later(void *arg)
{
	struct fat_layout layout;
	const uint8_t *sector;
	struct vnode *vp;
	uint32_t i, last;

	mount_fresh(arg);
	fat_image_layout(&disk, &layout);
	vp = create("/file");
	assert_int_equal(extend(vp, 2u * MIB), 0);
	assert_int_equal(sync_file(vp), 0);
	last = ((struct fat32_node *)vp->fs_data)->chain.last;
	for (i = 0; i < 8; i++) /* the cache is full of other things */
		assert_int_equal(fat32_cache_get(layout.data / 512 + 64 + 8 * i, &sector), 0);
	disk.bad_first = layout.fat / 512 + last / 128 - 4;
	disk.bad_count = 5;
	assert_int_equal(file_pager_truncate(vp, 2u * MIB - 512), ERR_IO);
	disk.bad_count = 0;
	settle(vp);
	assert_int_equal(vfs_sync(), 0);
	check_sound();
	file_disk_close(&disk);
}

static void
test_cut_later(void **state)
{
	(void)state;
	sim_run(cut_later, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_full_directory),
		cmocka_unit_test(test_half_removed),
		cmocka_unit_test(test_half_written),
		cmocka_unit_test(test_half_marked),
		cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_cut_later),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
