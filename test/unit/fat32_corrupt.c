/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 on damaged cards: every file gives its right bytes or a clean error, with
 * one line that names the path, and the work stays bounded.
 *
 * First each kind of damage on purpose, then each bit of the boot sector, then
 * thousands of random bytes of FATs and directories. EBB_SEED=seed replays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "fs/fat32_bpb.h"
#include "kern/vnode.h"
#include "lib/le.h"
#include "lib/rng.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"

#define FILES 8 /* the few of fat_image_make */
#define END 0x0fffffff
#define RANDOM_ROUNDS 4000

/* Sectors that mounting and reading all files may cost, whatever is broken. */
#define WORK_MAX 40000

static struct file_disk disk;
static struct fat_layout layout;
static uint8_t *contents[FILES];
static uint8_t buffer[400000];

static void
disk_open(void *path)
{
	uint32_t i, k;

	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", path), 0);
	fat_image_layout(&disk, &layout);
	for (i = 0; i < FILES; i++) {
		if (contents[i] != NULL)
			continue;
		contents[i] = malloc(fat_files[i].size_bytes + 1);
		for (k = 0; k < fat_files[i].size_bytes; k++)
			contents[i][k] = fat_file_byte(fat_files[i].path, k);
	}
}

static uint64_t
entry_at(const char *name11)
{
	uint64_t at = fat_entry_find(&disk, 2, name11);

	assert_true(at != 0);
	return (at);
}

static uint32_t
entry_cluster(uint64_t at)
{
	return ((uint32_t)le16(disk.bytes + at + 20) << 16 | le16(disk.bytes + at + 26));
}

static void
entry_cluster_set(uint64_t at, uint32_t cluster)
{
	disk.bytes[at + 20] = (uint8_t)(cluster >> 16);
	disk.bytes[at + 21] = (uint8_t)(cluster >> 24);
	disk.bytes[at + 26] = (uint8_t)cluster;
	disk.bytes[at + 27] = (uint8_t)(cluster >> 8);
}

/* Mount afresh; path must now be refused with a line that contains words. */
static void
expect_corrupt(const char *path, const char *words)
{
	struct vnode *vp;
	char start[300];

	console_tap_begin();
	assert_int_equal(fat_image_mount(&disk), 0);
	disk.sectors_read = 0;
	assert_int_equal(vfs_lookup(path, &vp), ERR_CORRUPT);
	snprintf(start, sizeof(start), "fat32: fd0: %s: ", path);
	if (strncasecmp(console_tap_text(), start, strlen(start)) != 0 ||
	    strstr(console_tap_text(), words) == NULL)
		fail_msg("expected '%s...%s', got: %s", start, words, console_tap_text());
	assert_string_equal(strchr(console_tap_text(), '\n'), "\n");
	assert_in_range(disk.sectors_read, 0, WORK_MAX);
}

static void
expect_sound(const char *path)
{
	struct vnode *vp;

	console_tap_begin();
	assert_int_equal(fat_image_mount(&disk), 0);
	assert_int_equal(vfs_lookup(path, &vp), 0);
	vnode_unref(vp);
	assert_string_equal(console_tap_text(), "");
}

/* Put value into the entry of cluster, expect the words, and repair. */
static void
expect_link_fault(uint32_t cluster, uint32_t value, const char *path, const char *words)
{
	uint32_t before = fat_entry_get(&disk, cluster);

	fat_entry_set(&disk, cluster, value);
	expect_corrupt(path, words);
	fat_entry_set(&disk, cluster, before);
	expect_sound(path);
}

static void
check_chains(void *arg)
{
	uint32_t first, second, other, last;
	char words[64];

	disk_open(arg);
	first = entry_cluster(entry_at("BIG     DAT"));
	second = fat_entry_get(&disk, first);
	other = entry_cluster(entry_at("ONE64K  BIN"));
	for (last = first; fat_entry_get(&disk, last) != END;)
		last = fat_entry_get(&disk, last);
	expect_link_fault(first, first, "/big.dat", "a loop");
	expect_link_fault(last, first, "/big.dat", "a loop");
	expect_link_fault(last, second, "/big.dat", "a loop");
	snprintf(words, sizeof(words), "cluster %u in its chain is marked free", second);
	expect_link_fault(second, 0, "/big.dat", words);
	snprintf(words, sizeof(words), "cluster %u in its chain is marked bad", second);
	expect_link_fault(second, 0x0ffffff7, "/big.dat", words);
	snprintf(words, sizeof(words), "cluster %u leads to 1, outside", second);
	expect_link_fault(second, 1, "/big.dat", words);
	snprintf(words, sizeof(words), "cluster %u leads to %u, outside", second,
	    layout.cluster_count + 2);
	expect_link_fault(second, layout.cluster_count + 2, "/big.dat", words);
	expect_link_fault(second, 0x0ffffff0, "/big.dat", "outside the volume");
	snprintf(words, sizeof(words), "its chain ends at cluster %u", second);
	expect_link_fault(second, END, "/big.dat", words);
	expect_link_fault(last, other, "/big.dat", "goes on past");
	expect_link_fault(first, other, "/big.dat", "its chain");
	file_disk_close(&disk);
}

static void
test_chains(void **state)
{
	(void)state;
	sim_run(check_chains, (void *)fat_image_make("few512", 1, false));
	sim_run(check_chains, (void *)fat_image_make("few4k", 8, false));
}

/* Two files that share their end, consistently: the second to be opened loses. */
static void
check_cross_links(void *arg)
{
	struct vnode *vp, *other;
	uint32_t one, big, before_last, k;

	disk_open(arg);
	big = entry_cluster(entry_at("BIG     DAT"));
	one = entry_cluster(entry_at("ONE512  BIN"));
	before_last = big;
	for (k = big; fat_entry_get(&disk, k) != END; k = fat_entry_get(&disk, k))
		before_last = k;
	fat_entry_set(&disk, before_last, one);
	console_tap_begin();
	assert_int_equal(fat_image_mount(&disk), 0);
	assert_int_equal(vfs_lookup("/big.dat", &vp), 0);
	assert_int_equal(vfs_lookup("/one512.bin", &other), ERR_CORRUPT);
	assert_non_null(strstr(console_tap_text(), "/one512.bin: shares cluster"));
	assert_non_null(strstr(console_tap_text(), "with /big.dat"));
	vnode_unref(vp);
	file_disk_close(&disk);
}

static void
test_cross_links(void **state)
{
	(void)state;
	sim_run(check_cross_links, (void *)fat_image_make("few512", 1, false));
}

static void
check_entries(void *arg)
{
	uint64_t big, apps, inner, dot;
	uint32_t cluster, apps_cluster;

	disk_open(arg);
	big = entry_at("BIG     DAT");
	apps = entry_at("APPS       ");
	cluster = entry_cluster(big);
	apps_cluster = entry_cluster(apps);
	entry_cluster_set(big, 0);
	expect_corrupt("/big.dat", "starts at cluster 0");
	entry_cluster_set(big, 1);
	expect_corrupt("/big.dat", "starts at cluster 1");
	entry_cluster_set(big, 0xf0000000 | cluster);
	expect_corrupt("/big.dat", "starts at cluster 4");
	entry_cluster_set(big, 2);
	expect_corrupt("/big.dat", "its chain ends");
	entry_cluster_set(big, cluster);
	memset(disk.bytes + big + 28, 0xff, 4);
	expect_corrupt("/big.dat", "");
	memset(disk.bytes + big + 28, 0, 4);
	expect_corrupt("/big.dat", "0 bytes long, yet starts at cluster");
	disk.bytes[big + 28] = 1;
	expect_corrupt("/big.dat", "goes on past its 1 clusters");
	disk.bytes[big + 11] |= 0x10;
	expect_corrupt("/big.dat", "a directory of size 1");
	disk.bytes[big + 28] = 0;
	expect_corrupt("/big.dat", "its \".\" entry");
	/* A folder whose child leads back to it, to the root, and away. */
	inner = fat_entry_find(&disk, apps_cluster, "SORT    ELF");
	disk.bytes[inner + 11] = 0x10;
	memset(disk.bytes + inner + 28, 0, 4);
	entry_cluster_set(inner, apps_cluster);
	expect_corrupt("/apps/sort.elf", "its \"..\" entry leads to cluster 2");
	entry_cluster_set(inner, 2);
	expect_corrupt("/apps/sort.elf", "a directory of size 0 at cluster 2");
	dot = layout.data + (uint64_t)(apps_cluster - 2) * layout.cluster_bytes;
	entry_cluster_set(dot, 2);
	expect_corrupt("/apps", "its \".\" entry leads to cluster 2");
	file_disk_close(&disk);
}

static void
test_entries(void **state)
{
	(void)state;
	sim_run(check_entries, (void *)fat_image_make("few4k", 8, false));
}

/* A folder's own chain that never ends. */
static void
check_directory_loop(void *arg)
{
	uint32_t apps;

	disk_open(arg);
	apps = entry_cluster(entry_at("APPS       "));
	fat_entry_set(&disk, apps, apps);
	expect_corrupt("/apps", "a loop");
	fat_entry_set(&disk, apps, END);
	expect_sound("/apps/sort.elf");
	file_disk_close(&disk);
}

static void
test_directory_loop(void **state)
{
	(void)state;
	sim_run(check_directory_loop, (void *)fat_image_make("few512", 1, false));
	sim_run(check_directory_loop, (void *)fat_image_make("few64k", 128, false));
}

/* Only one copy of the FAT is damaged. */
static void
check_copies(void *arg)
{
	uint32_t big;

	disk_open(arg);
	big = entry_cluster(entry_at("BIG     DAT"));
	disk.bytes[layout.fat + layout.fat_bytes + 4ull * big] ^= 4;
	expect_corrupt("/big.dat", "the copies of the FAT disagree about cluster");
	disk.bytes[layout.fat + layout.fat_bytes + 4ull * big] ^= 4;
	disk.bytes[layout.fat + 4ull * big] ^= 4;
	expect_corrupt("/big.dat", "the copies of the FAT disagree about cluster");
	file_disk_close(&disk);
}

static void
test_copies(void **state)
{
	(void)state;
	sim_run(check_copies, (void *)fat_image_make("few512", 1, false));
}

/* Right size and bytes, or a clean error. With strict false the file's own
 * entry may be damaged in ways that nothing can tell (its size, its start). */
static void
check_file(uint32_t i, bool strict, const char *damage)
{
	const struct fat_file *f = &fat_files[i];
	struct vnode *vp;
	int64_t got;
	int err = vfs_lookup(f->path, &vp);

	if (err != 0) {
		assert_true(err == ERR_CORRUPT || !strict);
		assert_true(err == ERR_CORRUPT || err == ERR_NOENT || err == ERR_NOTDIR);
		return;
	}
	got = vnode_read(vp, 0, buffer, sizeof(buffer));
	if (strict && (vp->size_bytes != f->size_bytes || got != f->size_bytes ||
	    memcmp(buffer, contents[i], f->size_bytes) != 0))
		fail_msg("%s: wrong content after %s", f->path, damage);
	assert_true(got >= 0 || got == ERR_CORRUPT);
	vnode_unref(vp);
}

static void
check_card(bool strict, const char *damage)
{
	struct vnode_dirent e;
	struct vnode *vp;
	uint32_t i, n;
	int err;

	console_tap_begin();
	disk.sectors_read = 0;
	err = fat_image_mount(&disk);
	if (err != 0) {
		assert_true(err == ERR_CORRUPT || err == ERR_NOTSUP);
		assert_true(strncmp(console_tap_text(), "fat32: fd0: ", 12) == 0);
		return;
	}
	for (i = 0; i < FILES; i++)
		check_file(i, strict, damage);
	if (vfs_lookup("/", &vp) == 0) {
		for (n = 0; vfs_readdir(vp, n, &e) == 0; n++)
			assert_true(strlen(e.name) < sizeof(e.name) && n < 66000);
		vnode_unref(vp);
	}
	if (disk.sectors_read > WORK_MAX)
		fail_msg("%lu sectors read after %s", disk.sectors_read, damage);
}

struct bad_field {
	uint8_t at, bytes;
	uint32_t value;
	int err;
	const char *words;
};

/* Each field of the boot sector with a value that cannot be. */
static void
check_boot_fields(void *arg)
{
	static const struct bad_field bad[] = {
		{ 0, 3, 0x123456, ERR_CORRUPT, "starts with 56 34 12" },
		{ 11, 2, 513, ERR_CORRUPT, "sectors of 513 bytes" },
		{ 11, 2, 256, ERR_CORRUPT, "sectors of 256 bytes" },
		{ 11, 2, 8192, ERR_CORRUPT, "sectors of 8192 bytes" },
		{ 13, 1, 0, ERR_CORRUPT, "clusters of 0 sectors" },
		{ 13, 1, 3, ERR_CORRUPT, "clusters of 3 sectors" },
		{ 14, 2, 0, ERR_CORRUPT, "no reserved sectors" },
		{ 16, 1, 0, ERR_CORRUPT, "0 copies of the FAT" },
		{ 16, 1, 200, ERR_CORRUPT, "200 copies of the FAT" },
		{ 17, 2, 512, ERR_CORRUPT, "512 root entries" },
		{ 19, 2, 9, ERR_CORRUPT, "16-bit sector count 9" },
		{ 21, 1, 0xf1, ERR_CORRUPT, "media byte f1" },
		{ 22, 2, 9, ERR_CORRUPT, "16-bit FAT size 9" },
		{ 32, 4, 0, ERR_CORRUPT, "in a volume of 0 sectors" },
		{ 32, 4, 0xffffffff, ERR_CORRUPT, "the partition has only" },
		{ 36, 4, 0, ERR_CORRUPT, "FATs of 0 sectors" },
		{ 36, 4, 0x80000000, ERR_CORRUPT, "FATs of 2147483648 sectors" },
		{ 36, 4, 500, ERR_CORRUPT, "a FAT of 500 sectors cannot hold" },
		{ 40, 2, 0x82, ERR_CORRUPT, "FAT flags 0082 with 2 copies" },
		{ 42, 2, 1, ERR_NOTSUP, "FAT32 version 0001" },
		{ 44, 4, 0, ERR_CORRUPT, "root directory at cluster 0" },
		{ 44, 4, 0x01000000, ERR_CORRUPT, "root directory at cluster 16777216" },
		{ 48, 2, 32, ERR_CORRUPT, "information sector 32 outside the 32 reserved" },
		{ 50, 2, 32, ERR_CORRUPT, "backup boot sector 32 outside the 32 reserved" },
	};
	struct fat32_geometry geo;
	char why[FAT32_WHY_BYTES];
	uint8_t boot[512];
	size_t i, k;

	disk_open(arg);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(boot, disk.bytes, sizeof(boot));
		for (k = 0; k < bad[i].bytes; k++)
			boot[bad[i].at + k] = (uint8_t)(bad[i].value >> (8 * k));
		why[0] = '\0';
		if (fat32_bpb_parse(boot, disk.dev.block_count, &geo, why) != bad[i].err ||
		    strstr(why, bad[i].words) == NULL)
			fail_msg("expected '%s', got '%s'", bad[i].words, why);
	}
	memcpy(boot, disk.bytes, sizeof(boot));
	boot[17] = 1;
	boot[22] = 1;
	assert_int_equal(fat32_bpb_parse(boot, disk.dev.block_count, &geo, why), ERR_NOTSUP);
	assert_string_equal(why, "a FAT12 or FAT16 file system, only FAT32 is read");
	file_disk_close(&disk);
}

static void
test_boot_fields(void **state)
{
	(void)state;
	sim_run(check_boot_fields, (void *)fat_image_make("few512", 1, false));
}

static void
check_boot_bits(void *arg)
{
	char damage[64];
	uint32_t bit;

	disk_open(arg);
	for (bit = 0; bit < 90 * 8; bit++) {
		snprintf(damage, sizeof(damage), "boot byte %u bit %u flipped", bit / 8, bit % 8);
		disk.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_card(true, damage);
		/* In the backup too: now the geometry itself has to stand the test. */
		disk.bytes[6 * 512 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_card(false, damage);
		disk.bytes[6 * 512 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		disk.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	check_card(true, "nothing");
	file_disk_close(&disk);
}

static void
test_boot_bits(void **state)
{
	(void)state;
	sim_run(check_boot_bits, (void *)fat_image_make("few512", 1, false));
	sim_run(check_boot_bits, (void *)fat_image_make("few64k", 128, false));
}

/* One random byte of the metadata in use; *in_directory tells the kind. */
static uint64_t
random_place(struct rng *rng, uint32_t used_clusters, bool *in_directory)
{
	static const char *folders[] = { "APPS       ", "FIFTYC~1   " };
	uint32_t cluster, kind = rng_below(rng, 8);

	*in_directory = kind >= 5;
	if (kind == 0)
		return (rng_below(rng, 512));
	if (kind < 3)
		return (layout.fat + rng_below(rng, 4 * used_clusters));
	if (kind < 5)
		return (layout.fat + layout.fat_bytes + rng_below(rng, 4 * used_clusters));
	if (kind < 7)
		return (layout.data + rng_below(rng, layout.cluster_bytes < 1024 ?
		    layout.cluster_bytes : 1024));
	cluster = entry_cluster(entry_at(folders[rng_below(rng, 2)]));
	return (layout.data + (uint64_t)(cluster - 2) * layout.cluster_bytes +
	    rng_below(rng, 256));
}

static void
check_random(void *arg)
{
	uint64_t seed = sim_seed(20261122), places[8];
	uint32_t round, n, count, used = 1200;
	uint8_t before[8];
	struct rng rng;
	char damage[64];

	disk_open(arg);
	rng_seed(&rng, seed);
	for (round = 0; round < RANDOM_ROUNDS; round++) {
		bool strict = true, in_directory;

		count = 1 + rng_below(&rng, round % 3 == 0 ? 8 : 1);
		/* All places first: finding folders needs an undamaged root. */
		for (n = 0; n < count; n++) {
			places[n] = random_place(&rng, used, &in_directory);
			strict = strict && !in_directory;
		}
		for (n = 0; n < count; n++) {
			before[n] = disk.bytes[places[n]];
			disk.bytes[places[n]] = (uint8_t)rng_next(&rng);
		}
		snprintf(damage, sizeof(damage), "round %u (EBB_SEED=%lu)", round, seed);
		check_card(strict, damage);
		while (n-- > 0)
			disk.bytes[places[n]] = before[n];
	}
	check_card(true, "repair");
	file_disk_close(&disk);
}

static void
test_random(void **state)
{
	(void)state;
	sim_run(check_random, (void *)fat_image_make("few512", 1, false));
	sim_run(check_random, (void *)fat_image_make("few4k", 8, false));
}

/* Whole sectors of noise where FAT and directories are. */
static void
check_noise(void *arg)
{
	uint64_t seed = sim_seed(7), start;
	uint8_t saved[4096];
	uint32_t round, i;
	struct rng rng;

	disk_open(arg);
	rng_seed(&rng, seed);
	for (round = 0; round < 300; round++) {
		start = round % 2 == 0 ? layout.data + 512 * rng_below(&rng, 3) :
		    layout.fat + 512 * rng_below(&rng, 8);
		memcpy(saved, disk.bytes + start, sizeof(saved));
		for (i = 0; i < 512; i++)
			disk.bytes[start + i] = (uint8_t)rng_next(&rng);
		if (round % 2 == 1)
			memcpy(disk.bytes + start + layout.fat_bytes, disk.bytes + start, 512);
		check_card(false, "noise");
		memcpy(disk.bytes + start, saved, sizeof(saved));
		if (round % 2 == 1)
			memcpy(disk.bytes + start + layout.fat_bytes, saved, 512);
	}
	check_card(true, "repair");
	file_disk_close(&disk);
}

static void
test_noise(void **state)
{
	(void)state;
	sim_run(check_noise, (void *)fat_image_make("few512", 1, false));
	sim_run(check_noise, (void *)fat_image_make("few64k", 128, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_cross_links),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_directory_loop),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_boot_fields),
		cmocka_unit_test(test_boot_bits),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_noise),
	};

	return (cmocka_run_group_tests_name("fat32_corrupt", tests, NULL, NULL));
}
