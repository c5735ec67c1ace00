/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 files that come, grow, shrink and go: names, limits, refusals, errors; fsck.fat judges
 * each volume in the end.
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
#include "fs/fat32_node.h"
#include "kern/sched.h"
#include "kern/task.h"
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
static uint32_t frames = FRAMES;
static const bool never;
static const bool always = true;

static void
mount_fresh(const char *image)
{
	static uint32_t number; /* a test that fails leaves its disk */
	char name[8];

	console_tap_begin();
	snprintf(name, sizeof(name), "fd%u", number++ % 100);
	assert_int_equal(file_disk_open(&disk, name, image), 0);
	disk.dev.can_flush = true;
	sim_mm_boot_bare(frames);
	assert_int_equal(fat32_mount(&disk.dev), 0);
}

/* What is on the disk passes fsck.fat without a word. */
static void
check_sound(void)
{
	char copy[] = "build/test-fat/change-XXXXXX";
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

/* As the last close of a writer. */
static void
settle(struct vnode *vp)
{
	struct vm_object *object = file_pager_alloc(vp);

	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	vm_object_deallocate(object);
	vnode_unref(vp);
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

static const char *good_names[] = { "/A", "/lower.txt", "/UPPER.TXT", "/Mixd.Txt", "/no extension",
	"/.hidden", "/a.b.c", "/ninechars.text", "/\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80.txt",
	"/a+b=c;[d],e", "/apps/13 characters", "/apps/twenty-six characters long", NULL };

static void
names(void *arg)
{
	struct vnode *vp, *again;
	int i;

	mount_fresh(arg);
	for (i = 0; good_names[i] != NULL; i++) {
		vp = create(good_names[i]);
		assert_int_equal(vfs_create(good_names[i], &again), ERR_EXIST);
		assert_int_equal(vfs_lookup(good_names[i], &again), 0);
		assert_ptr_equal(again, vp);
		vnode_unref(again);
		settle(vp);
	}
	/* Names whose short forms begin alike are kept apart. */
	for (i = 0; i < 300; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/apps/the same beginning %d.dat", i);
		settle(create(path));
	}
	check_sound();
	for (i = 0; good_names[i] != NULL; i++)
		assert_int_equal(remove_path(good_names[i]), 0);
	check_sound();
	file_disk_close(&disk);
}

static void
test_names(void **state)
{
	(void)state;
	sim_run(names, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

static void
bad_names(void *arg)
{
	static const char *bad[] = { "/a?", "/b*", "/trailing.", "/trailing ", "/ leading",
		"/a\x01", "/\xff\xfe", "/\xc0\x80", "/\xed\xa0\x80", "/\xe2\x82", NULL };
	char name[300];
	struct vnode *vp;
	int i;

	mount_fresh(arg);
	for (i = 0; bad[i] != NULL; i++)
		if (vfs_create(bad[i], &vp) != ERR_INVAL)
			fail_msg("bad name %d was taken", i);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[1 + 194] = '\0'; /* a surrogate pair may follow: 194 units are safe */
	settle(create(name));
	name[1 + 194] = 'x';
	name[1 + 196] = '\0';
	assert_int_equal(vfs_create(name, &vp), ERR_NAMETOOLONG);
	assert_int_equal(vfs_create("/", &vp), ERR_ISDIR);
	assert_int_equal(vfs_create("/none/x", &vp), ERR_NOENT);
	assert_int_equal(vfs_create("/x/y", &vp), ERR_NOENT);
	settle(create("/x"));
	assert_int_equal(vfs_create("/x/y", &vp), ERR_NOTDIR);
	assert_int_equal(remove_path("/apps"), ERR_ISDIR);
	assert_int_equal(remove_path("/nothing"), ERR_NOENT);
	check_sound();
	file_disk_close(&disk);
}

static void
test_bad_names(void **state)
{
	(void)state;
	sim_run(bad_names, (void *)(uintptr_t)fat_image_make("change4k", 8, false));
}

/* mtools lays long names over the ends of sectors; all of one goes. */
static void
foreign(void *arg)
{
	char path[64];
	int i;

	mount_fresh(arg);
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/f/a file of a rather long name, number %d", i);
		assert_int_equal(remove_path(path), 0);
	}
	check_sound();
	file_disk_close(&disk);
}

static void
test_foreign(void **state)
{
	const char *image = "build/test-fat/foreign.img";

	(void)state;
	fat_image_shell("cp --sparse=always %s %s", fat_image_make("change512", 1, false), image);
	fat_image_shell(
	    "export MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null; mmd -i %s ::/f; "
	    "for i in $(seq 0 39); do "
	    "mcopy -i %s /dev/null \"::/f/a file of a rather long name, number $i\"; done",
	    image, image);
	sim_run(foreign, (void *)(uintptr_t)image);
}

/* A directory whose end is followed by rubbish, as old formatters left it: a new entry is the last
 * one nevertheless. */
static void
rubbish(void *arg)
{
	struct fat_layout layout;
	char path[32];
	uint8_t *root;
	uint32_t i;

	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "rubbish", arg), 0);
	fat_image_layout(&disk, &layout);
	root = disk.bytes + layout.data; /* cluster 2 */
	for (i = 0; root[i] != 0; i += 32)
		continue;
	memset(root + i + 32, 'R', layout.cluster_bytes - i - 32);
	sim_mm_boot_bare(FRAMES);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	for (i = 0; i < 100; i++) {
		struct vnode_dirent entry;
		struct vnode *vp;
		uint32_t n = 0;

		snprintf(path, sizeof(path), "/%s%u", i % 3 == 0 ? "a name of two" : "n", i);
		settle(create(path));
		assert_int_equal(vfs_lookup("/", &vp), 0);
		while (vfs_readdir(vp, n, &entry) == 0 && n < 1000)
			assert_true(strchr(entry.name, 'R') == NULL && ++n > 0);
		vnode_unref(vp);
	}
	file_disk_close(&disk);
}

static void
test_rubbish(void **state)
{
	(void)state;
	sim_run(rubbish, (void *)(uintptr_t)fat_image_make("change4k", 8, false));
}

/* ---- sizes */

/* Free clusters; with spare, all but so many are made bad first. */
static uint32_t
free_clusters(uint32_t spare)
{
	struct fat_layout layout;
	uint32_t cluster, count = 0;

	fat_image_layout(&disk, &layout);
	for (cluster = 2; cluster < layout.cluster_count + 2; cluster++) {
		if (fat_entry_get(&disk, cluster) != 0)
			continue;
		if (spare != 0 && count >= spare)
			fat_entry_set(&disk, cluster, 0x0ffffff7);
		else
			count++;
	}
	return (count);
}

static void
full(void *arg)
{
	struct vnode *vp, *other;

	mount_fresh(arg);
	assert_int_equal(free_clusters(3001), 3001);
	vp = create("/big");
	assert_int_equal(extend(vp, 64u * MIB), ERR_NOSPC);
	assert_int_equal(vp->size_bytes, 3001u * 512); /* to the last byte */
	other = create("/none");
	assert_int_equal(extend(other, 1), ERR_NOSPC);
	assert_int_equal(other->size_bytes, 0);
	settle(other);
	settle(vp);
	assert_int_equal(free_clusters(0), 0);
	/* What is removed can be had again. */
	assert_int_equal(remove_path("/big"), 0);
	assert_int_equal(free_clusters(0), 3001);
	vp = create("/again");
	assert_int_equal(extend(vp, 3001u * 512), 0);
	assert_int_equal(file_pager_truncate(vp, 512), 0);
	assert_int_equal(free_clusters(0), 3000);
	settle(vp);
	assert_int_equal(remove_path("/again"), 0);
	assert_int_equal(free_clusters(0), 3001);
	file_disk_close(&disk);
}

static void
test_full(void **state)
{
	(void)state;
	sim_run(full, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* What may not grow or shrink, and who may not ask. */
static void
refusals(void *arg)
{
	struct vm_object *object;
	struct vm_page *m;
	struct vnode *vp;

	mount_fresh(arg);
	vp = create("/file");
	assert_int_equal(extend(vp, 10000), 0);
	object = file_pager_alloc(vp);
	vp->is_text = true;
	assert_int_equal(file_pager_extend(object, 20000, &never), ERR_BUSY);
	assert_int_equal(file_pager_truncate(vp, 1), ERR_BUSY);
	assert_int_equal(remove_path("/file"), ERR_BUSY);
	vp->is_text = false;
	vp->is_swap = true;
	assert_int_equal(file_pager_extend(object, 20000, &never), ERR_BUSY);
	assert_int_equal(remove_path("/file"), ERR_BUSY);
	vp->is_swap = false;
	assert_int_equal(file_pager_truncate(vp, 10000), 0); /* nothing to do */
	/* A wired page stays where it is, and so does the size. */
	assert_int_equal(file_pager_page(object, 2, 0, &never, &m), 0);
	vm_page_wire(m);
	assert_int_equal(file_pager_truncate(vp, 5000), ERR_BUSY);
	assert_int_equal(vp->size_bytes, 10000);
	vm_page_unwire(m, PQ_ACTIVE);
	vm_page_unhold(m);
	disk.dev.read_only = true;
	assert_int_equal(file_pager_extend(object, 20000, &never), ERR_ROFS);
	assert_int_equal(file_pager_truncate(vp, 1), ERR_ROFS);
	assert_int_equal(remove_path("/file"), ERR_ROFS);
	assert_int_equal(vfs_create("/other", &vp), ERR_ROFS);
	disk.dev.read_only = false;
	assert_int_equal(file_pager_truncate(object->vnode, 5000), 0);
	assert_int_equal(object->size_pages, 2);
	vp = object->vnode;
	vm_object_deallocate(object);
	settle(vp);
	check_sound();
	file_disk_close(&disk);
}

static void
test_refusals(void **state)
{
	(void)state;
	sim_run(refusals, (void *)(uintptr_t)fat_image_make("change4k", 8, false));
}

static struct vm_page *taken[400];
static uint32_t taken_count;

/* Without memory a file grows when there is some again, or not at all if who asked is killed. */
static void
give_back(void *arg)
{
	(void)arg;
	tsleep(&disk, "rest", 50000);
	while (taken_count > 0) {
		vm_page_unwire(taken[--taken_count], PQ_NONE);
		vm_page_free(taken[taken_count]);
	}
}

static void
short_of_memory(void *arg)
{
	struct vm_object *object;
	struct task *t;
	struct vnode *vp;

	frames = 400;
	mount_fresh(arg);
	frames = FRAMES;
	vp = create("/file");
	object = file_pager_alloc(vp);
	while (taken_count < 400 &&
	    (taken[taken_count] = vm_page_alloc(
		 NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED)) != NULL)
		taken_count++;
	assert_int_equal(file_pager_extend(object, 9000, &always), ERR_KILLED);
	assert_int_equal(task_create(&t, "giver", PRI_NORMAL, give_back, NULL), 0);
	assert_int_equal(file_pager_extend(object, 9000, &never), 0);
	assert_int_equal(vp->size_bytes, 9000);
	vm_object_deallocate(object);
	settle(vp);
	check_sound();
	file_disk_close(&disk);
}

static void
test_short_of_memory(void **state)
{
	(void)state;
	sim_run(short_of_memory, (void *)(uintptr_t)fat_image_make("change4k", 8, false));
}

/* ---- removed while in use */

static void
in_use(void *arg)
{
	struct vm_object *object;
	struct vm_page *m;
	struct vnode *vp, *fresh;

	mount_fresh(arg);
	vp = create("/file");
	assert_int_equal(extend(vp, 50000), 0);
	object = file_pager_alloc(vp);
	assert_int_equal(vfs_unlink("/file", &fresh), 0);
	assert_ptr_equal(fresh, vp);
	file_pager_forget(vp); /* in use: nothing goes */
	vnode_unref(fresh);
	assert_int_equal(vfs_lookup("/file", &fresh), ERR_NOENT);
	fresh = create("/file"); /* the name is free */
	assert_ptr_not_equal(fresh, vp);
	assert_int_equal(file_pager_page(object, 12, 0, &never, &m), 0);
	assert_int_equal(*(uint8_t *)vm_page_address(m), 0);
	vm_page_unhold(m);
	assert_int_equal(file_pager_extend(object, 60000, &never), 0);
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	vm_object_deallocate(object);
	vnode_unref(vp);
	settle(fresh);
	assert_int_equal(vfs_sync(), 0);
	check_sound();
	file_disk_close(&disk);
}

static void
test_in_use(void **state)
{
	(void)state;
	sim_run(in_use, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* ---- after a cut: a chain that goes on, copies that differ */

static void
unclean(void *arg)
{
	struct fat_layout layout;
	uint32_t first, last;
	struct vnode *vp;

	mount_fresh(arg);
	vp = create("/file");
	assert_int_equal(extend(vp, 4000), 0);
	first = ((struct fat32_node *)vp->fs_data)->chain.first;
	last = ((struct fat32_node *)vp->fs_data)->chain.last;
	settle(vp);
	fat_image_layout(&disk, &layout);
	fat_entry_set(&disk, last, layout.cluster_count); /* a tail of one cluster */
	fat_entry_set(&disk, layout.cluster_count, 0x0fffffff);
	sim_mm_boot_bare(FRAMES);
	console_tap_begin();
	assert_int_equal(fat32_mount(&disk.dev), 0);
	assert_int_equal(vfs_lookup("/file", &vp), ERR_CORRUPT);
	/* On a volume that was not at rest it is what a cut leaves. */
	fat_entry_set(&disk, 1, fat_entry_get(&disk, 1) & ~0x08000000u);
	disk.bytes[layout.fat + layout.fat_bytes + 4 * first] ^=
	    1; /* and the second copy is older */
	sim_mm_boot_bare(FRAMES);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	assert_int_equal(vfs_lookup("/file", &vp), 0);
	assert_int_equal(extend(vp, 9000), 0);
	assert_true(fat_entry_get(&disk, last) != layout.cluster_count);
	settle(vp);
	assert_true((fat_entry_get(&disk, 1) & 0x08000000) == 0); /* fsck.fat's to clear */
	file_disk_close(&disk);
}

static void
test_unclean(void **state)
{
	(void)state;
	sim_run(unclean, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

/* The FAT cannot be read or written: an error each time, and what was there stays. */
static void
failing(void *arg)
{
	struct fat_layout layout;
	struct vnode *vp, *other;

	mount_fresh(arg);
	fat_image_layout(&disk, &layout);
	vp = create("/file");
	assert_int_equal(extend(vp, 3000), 0);
	settle(vp);
	assert_int_equal(vfs_lookup("/file", &vp), 0);
	disk.bad_first = layout.fat / 512;
	disk.bad_count = 2 * layout.fat_bytes / 512;
	assert_int_equal(extend(vp, 300000), ERR_IO);
	assert_int_equal(vp->size_bytes, 3000);
	assert_true(vfs_create("/other", &other) < 0);
	assert_true(remove_path("/file") < 0);
	disk.bad_count = 0;
	assert_int_equal(extend(vp, 300000), 0);
	settle(vp);
	assert_int_equal(remove_path("/file"), 0);
	file_disk_close(&disk);
}

static void
test_failing(void **state)
{
	(void)state;
	sim_run(failing, (void *)(uintptr_t)fat_image_make("change512", 1, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_short_of_memory),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_unclean),
		cmocka_unit_test(test_failing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
