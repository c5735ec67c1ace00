/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The partition table: good ones, each kind of bad entry, no table, and noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/mbr.h"
#include "lib/rng.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/file_disk.h"
#include "test/host/sim_machdep.h"

#define DISK_SECTORS 4096
#define IMAGE "build/test-fat/mbr.img"

static struct file_disk disk;

/* A disk of zeros with a signature; each has its own name, for partitions stay. */
static void
disk_make(const char *name)
{
	console_tap_begin();
	fat_image_shell("mkdir -p build/test-fat && head -c %u /dev/zero >" IMAGE,
	    DISK_SECTORS * 512);
	assert_int_equal(file_disk_open(&disk, name, IMAGE), 0);
	disk.bytes[510] = 0x55;
	disk.bytes[511] = 0xaa;
}

static void
put32(uint8_t *at, uint32_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void
entry_put(uint32_t index, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *raw = disk.bytes + 446 + 16 * index;

	memset(raw, 0, 16);
	raw[4] = type;
	put32(raw + 8, first);
	put32(raw + 12, count);
}

static void
partitions_drop(const char *name)
{
	char part[32];
	struct blkdev *dev;
	int i;

	for (i = 1; i <= 4; i++) {
		snprintf(part, sizeof(part), "%ss%d", name, i);
		dev = blk_find(part);
		if (dev != NULL)
			blk_unregister(dev);
	}
}

static void
expect_scan(int result, const char *text)
{
	int got = mbr_scan(&disk.dev);

	if (got != result || strcmp(console_tap_text(), text) != 0)
		fail_msg("scan gave %d, expected %d:\n%s", got, result, console_tap_text());
}

static void
body_good(void *arg)
{
	static uint8_t sector[512] __attribute__((aligned(512)));
	struct blkdev *p;

	(void)arg;
	disk_make("sda");
	disk.dev.align_blocks = 64;
	entry_put(0, 0x0c, 64, 1000);
	entry_put(1, 0x82, 2000, DISK_SECTORS - 2000);
	disk.bytes[446] = 0x80;
	disk.bytes[65 * 512 + 7] = 42;
	expect_scan(2, "");
	p = blk_find("sdas1");
	assert_non_null(p);
	assert_int_equal(p->mbr_type, 0x0c);
	assert_int_equal(p->block_count, 1000);
	assert_int_equal(p->align_blocks, 64);
	assert_ptr_equal(p->parent, &disk.dev);
	assert_int_equal(blk_read(p, 1, sector, 1), 0);
	assert_int_equal(sector[7], 42);
	assert_int_equal(blk_read(p, 1000, sector, 1), ERR_RANGE);
	p = blk_find("sdas2");
	assert_non_null(p);
	assert_int_equal(p->mbr_type, 0x82);
	assert_int_equal(p->parent_block, 2000);
	assert_int_equal(p->align_blocks, 0);
	assert_null(blk_find("sdas3"));
	partitions_drop("sda");
	file_disk_close(&disk);
}

static void
test_good(void **state)
{
	(void)state;
	sim_run(body_good, NULL);
}

static void
body_bad_entries(void *arg)
{
	(void)arg;
	disk_make("sdb");
	entry_put(0, 0x83, 100, 100);
	entry_put(1, 0x82, 199, 10);
	entry_put(2, 0x0c, 4000, 97);
	entry_put(3, 0x0c, 300, 0);
	expect_scan(1,
	    "sdb: partition 2 (type 0x82, sectors 199+10) overlaps partition 1; ignored\n"
	    "sdb: partition 3 (type 0x0c, sectors 4000+97) reaches past the end of the disk;"
	    " ignored\n"
	    "sdb: partition 4 (type 0x0c, sectors 300+0) has no length; ignored\n");
	partitions_drop("sdb");
	console_tap_begin();
	entry_put(0, 0x0f, 100, 100);
	entry_put(1, 0x82, 0, 10);
	entry_put(2, 0x0c, 0xfffffff0, 0xffffffff);
	entry_put(3, 0x83, 300, 10);
	disk.bytes[446 + 48] = 0x81;
	expect_scan(ERR_NOENT,
	    "sdb: partition 1 (type 0x0f, sectors 100+100) is extended, only primary ones are"
	    " read; ignored\n"
	    "sdb: partition 2 (type 0x82, sectors 0+10) lies over the partition table itself;"
	    " ignored\n"
	    "sdb: partition 3 (type 0x0c, sectors 4294967280+4294967295) reaches past the end of"
	    " the disk; ignored\n"
	    "sdb: partition 4 (type 0x83, sectors 300+10) has a damaged boot flag; ignored\n"
	    "sdb: the partition table has no usable entry; write the card again with make"
	    " sdcard\n");
	assert_null(blk_find("sdbs1"));
	file_disk_close(&disk);
}

static void
test_bad_entries(void **state)
{
	(void)state;
	sim_run(body_bad_entries, NULL);
}

static void
body_no_table(void *arg)
{
	(void)arg;
	disk_make("sdc");
	expect_scan(ERR_NOENT, "sdc: the partition table has no usable entry; write the card again"
	    " with make sdcard\n");
	console_tap_begin();
	disk.bytes[511] = 0;
	expect_scan(ERR_NOENT, "sdc: no partition table in sector 0 (signature 0055, expected"
	    " aa55); write the card again with make sdcard\n");
	console_tap_begin();
	disk.bytes[511] = 0xaa;
	entry_put(0, 0xee, 1, 4000);
	expect_scan(ERR_NOTSUP, "sdc: the disk has a GPT, only MBR partition tables are read; write"
	    " the card again with make sdcard\n");
	console_tap_begin();
	disk.bad_count = 1;
	assert_int_equal(mbr_scan(&disk.dev), ERR_IO);
	assert_non_null(strstr(console_tap_text(), "sdc: cannot read the partition table"));
	file_disk_close(&disk);
	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "sdc", fat_image_make("few4k", 8, false)), 0);
	expect_scan(ERR_NOENT, "sdc: no partition table, sector 0 starts a FAT file system; write"
	    " the card again with make sdcard\n");
	file_disk_close(&disk);
}

static void
test_no_table(void **state)
{
	(void)state;
	sim_run(body_no_table, NULL);
}

/* Any table: what is registered lies inside the disk and apart. */
static void
body_noise(void *arg)
{
	struct blkdev *p, *q;
	struct rng rng;
	int round, i;

	(void)arg;
	disk_make("sdd");
	rng_seed(&rng, sim_seed(99));
	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 4; i++) {
			entry_put((uint32_t)i, (uint8_t)(rng_below(&rng, 4) * 0x41),
			    rng_below(&rng, DISK_SECTORS + 100), rng_below(&rng, DISK_SECTORS / 2));
			if (rng_below(&rng, 4) == 0)
				disk.bytes[446 + rng_below(&rng, 64)] = (uint8_t)rng_next(&rng);
		}
		i = mbr_scan(&disk.dev);
		assert_true(i > 0 || i == ERR_NOENT || i == ERR_NOTSUP);
		for (p = blk_next_device(NULL); p != NULL; p = blk_next_device(p)) {
			if (p->parent == NULL)
				continue;
			assert_in_range(p->parent_block, 1, DISK_SECTORS - 1);
			assert_in_range(p->parent_block + p->block_count, 2, DISK_SECTORS);
			for (q = blk_next_device(p); q != NULL; q = blk_next_device(q)) {
				assert_true(q->parent == NULL ||
				    p->parent_block >= q->parent_block + q->block_count ||
				    q->parent_block >= p->parent_block + p->block_count);
			}
		}
		partitions_drop("sdd");
		console_tap_begin();
	}
	file_disk_close(&disk);
}

static void
test_noise(void **state)
{
	(void)state;
	sim_run(body_noise, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_noise),
	};

	return (cmocka_run_group_tests_name("mbr", tests, NULL, NULL));
}
