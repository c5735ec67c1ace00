/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times in directory entries, against the C library's calendar: every day from 1980 to 2107,
 * every two seconds of a day, and every 16 bits that are none. And on a volume: what is refused,
 * and what a mount finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "fs/fat32_time.h"
#include "kern/vnode.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_object.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define EPOCH 315532800 /* 1980, since 1970 */
#define DAY_S 86400
#define FRAMES 3000u

static struct file_disk disk;
static const bool never;

/* The date and time of seconds as the C library sees them. */
static void
expect(uint32_t seconds, uint16_t *date, uint16_t *time)
{
	time_t since_1970 = (time_t)seconds + EPOCH;
	struct tm tm;

	assert_non_null(gmtime_r(&since_1970, &tm));
	*date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	*time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

static void
check(uint32_t seconds)
{
	uint16_t date = 0, time = 0, right_date, right_time;

	expect(seconds, &right_date, &right_time);
	assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
	assert_int_equal(date, right_date);
	assert_int_equal(time, right_time);
	assert_int_equal(fat32_time_get(date, time), seconds & ~1u);
}

static void
test_days(void **state)
{
	uint64_t seconds;

	(void)state;
	for (seconds = 0; seconds <= FAT32_TIME_LAST_S; seconds += DAY_S) {
		check((uint32_t)seconds);
		check((uint32_t)seconds + DAY_S - 1);
	}
}

static void
test_seconds(void **state)
{
	uint32_t second;

	(void)state;
	for (second = 0; second < DAY_S; second++)
		check(20000u * DAY_S + second);
}

static void
test_ends(void **state)
{
	uint16_t date = 1, time = 2;

	(void)state;
	check(0);
	check(FAT32_TIME_LAST_S);
	assert_int_equal(fat32_time_put(FAT32_TIME_LAST_S + 1, &date, &time), ERR_INVAL);
	assert_int_equal(fat32_time_put(UINT32_MAX, &date, &time), ERR_INVAL);
	assert_int_equal(date, 1);
	assert_int_equal(time, 2);
}

/* Whatever is stored gives a time, and only a real one another than the first. */
static void
test_rubbish(void **state)
{
	uint32_t bits, seconds, real_days = 0, real_seconds = 0;
	uint16_t date, time;

	(void)state;
	for (bits = 0; bits <= UINT16_MAX; bits++) {
		seconds = fat32_time_get((uint16_t)bits, 0);
		if (seconds != 0 || bits == 0x21) {
			assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
			assert_int_equal(date, bits);
			real_days++;
		}
		seconds = fat32_time_get(0x21, (uint16_t)bits);
		if (seconds != 0 || bits == 0) {
			assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
			assert_int_equal(time, bits);
			real_seconds++;
		}
	}
	assert_int_equal(real_days, 46751); /* 128 years, 31 of them leap years */
	assert_int_equal(real_seconds, 43200);
}

/* ---- on a volume */

static uint32_t
time_of(const char *path)
{
	struct vnode *vp;
	uint32_t modified_s;

	assert_int_equal(vfs_lookup(path, &vp), 0);
	modified_s = vp->modified_s;
	vnode_unref(vp);
	return (modified_s);
}

static int
set_time(const char *path, uint32_t modified_s)
{
	struct vnode *vp;
	int err;

	assert_int_equal(vfs_lookup(path, &vp), 0);
	err = vnode_set_time(vp, modified_s);
	vnode_unref(vp);
	return (err);
}

static void
times(void *arg)
{
	struct fat_layout layout;
	struct vm_object *object;
	struct vnode *vp, *gone;

	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", arg), 0);
	disk.dev.can_flush = true;
	sim_mm_boot_bare(FRAMES);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	fat_image_layout(&disk, &layout);
	assert_int_equal(vfs_create("/file", &vp), 0);
	assert_int_equal(vp->modified_s, 0);
	/* Before the entry says how long the file is, and when it does. */
	object = file_pager_alloc(vp);
	assert_int_equal(file_pager_extend(object, 3000, &never), 0);
	assert_int_equal(vnode_set_time(vp, 1393677297), 0);
	assert_int_equal(vp->modified_s, 1393677296);
	assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC, false), 0);
	vm_object_deallocate(object);
	vnode_unref(vp);
	assert_int_equal(set_time("/apps", 1000), 0);
	assert_int_equal(set_time("/", 1000), ERR_PERM);
	assert_int_equal(set_time("/file", FAT32_TIME_LAST_S + 1), ERR_INVAL);
	disk.dev.read_only = true;
	assert_int_equal(set_time("/file", 4), ERR_ROFS);
	disk.dev.read_only = false;
	disk.bad_first = layout.data / 512;
	disk.bad_count = 2 * layout.cluster_bytes / 512;
	assert_int_equal(set_time("/file", 4), ERR_IO);
	disk.bad_count = 0;
	/* All of it is on the disk, and nothing else has changed. */
	sim_mm_boot_bare(FRAMES);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	assert_int_equal(time_of("/file"), 1393677296);
	assert_int_equal(time_of("/apps"), 1000);
	assert_int_equal(vfs_lookup("/file", &vp), 0);
	assert_int_equal(vp->size_bytes, 3000);
	assert_int_equal(vfs_unlink("/file", &gone), 0);
	assert_int_equal(vnode_set_time(gone, 8), 0); /* no entry to write to */
	file_pager_forget(gone);
	vnode_unref(gone);
	vnode_unref(vp);
	assert_int_equal(vfs_sync(), 0);
	assert_string_equal(console_tap_text(), "");
	file_disk_close(&disk);
}

static void
test_times(void **state)
{
	(void)state;
	sim_run(times, (void *)(uintptr_t)fat_image_make("time512", 1, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_times),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
