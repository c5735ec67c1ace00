/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/vfs.c over a file system that lies in an array: files in pieces of any size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/vnode.h"
#include "lib/rng.h"
#include "test/host/sim_machdep.h"

#define MEDIA_SECTORS 4096u
#define FILE_SECTORS  300u /* 37.5 pages */

static uint8_t media[MEDIA_SECTORS * 512];
static struct blkdev disk;
static int fail_countdown; /* the nth transfer from now fails; 0 = none */
static uint32_t transfers;

static bool slow; /* transfers take time, so that others run meanwhile */
static struct bio *active;
static struct sim_event done_event;

static void
transfer_done(void *arg)
{
	struct bio *chain = active;

	(void)arg;
	active = NULL;
	transfers++;
	for (struct bio *bio = chain; bio != NULL; bio = bio->merged_next)
		memcpy(phys_to_virt(bio->segments[0].pa), media + bio->block * disk.block_bytes,
		    bio->segments[0].bytes);
	bio_done(chain, fail_countdown > 0 && --fail_countdown == 0 ? ERR_IO : 0);
	if (disk.queued_count != 0)
		disk.ops->start(&disk);
}

static void
disk_start(struct blkdev *dev)
{
	if (active != NULL || (active = blk_next(dev)) == NULL)
		return;
	if (slow)
		sim_event_schedule(&done_event, 200, transfer_done, NULL);
	else
		transfer_done(NULL);
}

static const struct blkdev_ops disk_ops = { .start = disk_start };

/* A file whose sector i lies at map[i]. */
static uint32_t map[FILE_SECTORS + 8];
static uint8_t content[FILE_SECTORS * 512];
static struct vnode file;
static uint32_t released;
static bool corrupt;

static int
file_bmap(struct vnode *vp, uint64_t page, struct vnode_run runs[VNODE_RUNS_MAX],
    uint32_t *contiguous)
{
	uint64_t sectors = (vp->size_bytes + 511) / 512;
	uint64_t at = page * 8;
	uint64_t end = at + 8 < sectors ? at + 8 : sectors;
	int count = 0;

	if (at >= sectors)
		return (ERR_RANGE);
	for (; at < end; at++) {
		if (count > 0 && runs[count - 1].sector + runs[count - 1].sector_count == map[at]) {
			runs[count - 1].sector_count++;
			continue;
		}
		runs[count++] = (struct vnode_run){ map[at], 1 };
	}
	*contiguous = 0;
	while (at < sectors && map[at] == map[at - 1] + 1)
		if (++at % 8 == 0 || at == sectors)
			(*contiguous)++;
	if (corrupt)
		runs[0].sector_count--;
	sched_maybe_yield();
	return (count);
}

static void
file_release(struct vnode *vp)
{
	assert_int_equal(vp->ref_count, 0);
	released++;
}

static const struct vnode_ops file_ops = { .bmap = file_bmap, .release = file_release };

static int
fs_lookup(const char *path, struct vnode **out)
{
	if (strcmp(path, "/file") != 0)
		return (ERR_NOENT);
	vnode_ref(&file);
	*out = &file;
	return (0);
}

static int
fs_readdir(struct vnode *vp, uint32_t index, struct vnode_dirent *out)
{
	(void)vp;
	strcpy(out->name, "file");
	return (index == 0 ? 0 : ERR_NOENT);
}

static const struct fs_ops fs_ops = { .lookup = fs_lookup, .readdir = fs_readdir };

/* Lay the file out in pieces of piece sectors and fill it. */
static void
setup(uint32_t block_bytes, uint32_t piece, uint64_t size_bytes)
{
	if (disk.ops != NULL)
		blk_unregister(&disk);
	disk = (struct blkdev){ .name = "f0", .ops = &disk_ops, .block_bytes = block_bytes,
		.block_count = MEDIA_SECTORS * 512 / block_bytes, .bio_blocks_max = 128 };
	assert_int_equal(blk_register(&disk), 0);
	fail_countdown = 0;
	corrupt = false;
	memset(media, 0xee, sizeof(media));
	for (uint32_t i = 0; i < FILE_SECTORS; i++) {
		uint32_t p = i / piece;

		/* Pieces in twos exchanged, with a gap behind each. */
		map[i] = (p ^ 1) * (piece + 1) + i % piece + 3;
		for (uint32_t b = 0; b < 512; b++)
			content[i * 512 + b] = (uint8_t)(i * 7 + b * 13 + b / 256);
		memcpy(media + map[i] * 512, content + i * 512, 512);
	}
	file = (struct vnode){ .ops = &file_ops, .dev = &disk, .size_bytes = size_bytes,
		.ref_count = 1 };
	vfs_mount(&fs_ops, &disk);
}

static uint8_t memory[FILE_SECTORS * 512 + 8192] __attribute__((aligned(4096)));

/* Read all in steps, at this alignment of memory; past the given end nothing is written. */
static void
read_all(uint64_t step, uint32_t skew)
{
	uint64_t at = 0;
	int64_t got;

	memset(memory, 0x77, sizeof(memory));
	while ((got = vnode_read(&file, at, memory + skew + at, step)) > 0) {
		assert_true((uint64_t)got == step || at + (uint64_t)got == file.size_bytes);
		at += (uint64_t)got;
	}
	assert_int_equal(got, 0);
	assert_int_equal(at, file.size_bytes);
	assert_memory_equal(memory + skew, content, at);
	assert_int_equal(memory[skew + at], 0x77);
}

static void
read_pages(void)
{
	uint64_t pages = (file.size_bytes + 4095) / 4096;
	static uint8_t frame[4096] __attribute__((aligned(4096)));

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t left = file.size_bytes - i * 4096;
		uint64_t bytes = left < 4096 ? left : 4096;

		memset(frame, 0x77, sizeof(frame));
		assert_int_equal(vnode_read_page(&file, i, virt_to_phys(frame)), 0);
		assert_memory_equal(frame, content + i * 4096, bytes);
		for (uint64_t b = bytes; b < 4096; b++)
			assert_int_equal(frame[b], 0);
	}
	assert_int_equal(vnode_read_page(&file, pages, virt_to_phys(frame)), ERR_RANGE);
}

static void
layouts_body(void *arg)
{
	static const uint32_t pieces[] = { 1, 3, 8, 20, FILE_SECTORS };
	static const uint64_t sizes[] = { FILE_SECTORS * 512, FILE_SECTORS * 512 - 1,
		37 * 4096, 36 * 4096 + 1, 100 };

	(void)arg;
	for (uint32_t block_bytes = 512; block_bytes <= 4096; block_bytes *= 2)
		for (uint32_t p = 0; p < 5; p++)
			for (uint32_t s = 0; s < 5; s++) {
				setup(block_bytes, pieces[p], sizes[s]);
				read_all(1 << 20, 0);
				read_all(1 << 20, 5);
				read_all(8192, 0);
				read_all(1000, 0);
				read_pages();
			}
}

SIM_TEST(layouts)

/* Small and page-wise sequential reading costs one transfer a window. */
static void
window_body(void *arg)
{
	(void)arg;
	setup(512, FILE_SECTORS, FILE_SECTORS * 512);
	transfers = 0;
	read_all(100, 0);
	assert_int_equal(transfers, 5); /* 37.5 pages, 8 at a time */
	vfs_mount(&fs_ops, &disk);
	transfers = 0;
	read_pages();
	assert_int_equal(transfers, 6); /* the first page alone, then 36.5 in eights */
	transfers = 0;
	read_all(1 << 20, 0); /* straight: 37 pages by 128 blocks; the rest is there */
	assert_int_equal(transfers, 3);
	/* Another file in the same struct: nothing of the old one is served. */
	assert_int_equal(vnode_read(&file, 0, memory, 10), 10);
	released = 0;
	vnode_ref(&file);
	vnode_unref(&file);
	assert_int_equal(released, 0);
	vnode_unref(&file);
	assert_int_equal(released, 1);
	file.ref_count = 1;
	media[map[0] * 512] ^= 0xff;
	assert_int_equal(vnode_read(&file, 0, memory, 10), 10);
	assert_int_equal(memory[0], (uint8_t)~content[0]);
}

SIM_TEST(window)

static void
errors_body(void *arg)
{
	struct vnode *vp;
	struct vnode_dirent e;

	(void)arg;
	vfs_mount(NULL, NULL);
	assert_int_equal(vfs_lookup("/file", &vp), ERR_NODEV);
	assert_int_equal(vfs_readdir(&file, 0, &e), ERR_NODEV);
	setup(512, 8, FILE_SECTORS * 512);
	assert_int_equal(vfs_lookup("/nothing", &vp), ERR_NOENT);
	assert_int_equal(vfs_lookup("/file", &vp), 0);
	assert_ptr_equal(vp, &file);
	assert_int_equal(vfs_readdir(vp, 0, &e), ERR_NOTDIR);
	vp->is_directory = true;
	assert_int_equal(vfs_readdir(vp, 0, &e), 0);
	assert_int_equal(vnode_read(vp, 0, memory, 1), ERR_ISDIR);
	vp->is_directory = false;
	assert_int_equal(vnode_read(vp, UINT64_MAX, memory, 1), 0);
	assert_int_equal(vnode_read(vp, 5, memory, 0), 0);
	/* A failed read is not remembered as a good one. */
	fail_countdown = 1;
	assert_int_equal(vnode_read(vp, 5, memory, 10), ERR_IO);
	assert_int_equal(vnode_read(vp, 5, memory, 10), 10);
	assert_memory_equal(memory, content + 5, 10);
	fail_countdown = 2;
	assert_int_equal(vnode_read(vp, 0, memory, 3 * 4096), ERR_IO);
	fail_countdown = 1;
	assert_int_equal(vnode_read_page(vp, 3, virt_to_phys(memory)), ERR_IO);
	fail_countdown = 1;
	assert_int_equal(vnode_read_page(vp, 4, virt_to_phys(memory)), ERR_IO);
	/* Nor does it leave the window with a mixture. */
	setup(512, 3, FILE_SECTORS * 512);
	file.ref_count = 2;
	assert_int_equal(vnode_read(vp, 0, memory, 10), 10);
	fail_countdown = 2;
	assert_int_equal(vnode_read(vp, 20 * 4096, memory, 10), ERR_IO);
	assert_int_equal(vnode_read(vp, 0, memory, 10), 10);
	assert_memory_equal(memory, content, 10);
	corrupt = true;
	assert_int_equal(vnode_read(vp, 100000, memory, 10), ERR_CORRUPT);
	corrupt = false;
	vnode_unref(vp);
	vnode_unref(vp);
	SIM_EXPECT_ASSERT("V1", vnode_unref(vp));
	SIM_EXPECT_ASSERT("V1", (void)!vnode_read(vp, 0, memory, 1));
}

SIM_TEST(errors)

/* Readers at once, yielding everywhere. */
static uint32_t readers_left;

static void
reader(void *arg)
{
	uint8_t bytes[6000];
	struct rng rng;

	rng_seed(&rng, (uintptr_t)arg + 1);
	for (int i = 0; i < 100; i++) {
		uint64_t at = rng_below(&rng, FILE_SECTORS * 512);
		uint64_t count = rng_below(&rng, sizeof(bytes));
		int64_t got = vnode_read(&file, at, bytes, count);

		assert_true(got >= 0 && (uint64_t)got <= count);
		assert_memory_equal(bytes, content + at, (size_t)got);
	}
	if (--readers_left == 0)
		wakeup(&readers_left);
}

static void
many_body(void *arg)
{
	struct task *t;

	(void)arg;
	setup(512, 20, FILE_SECTORS * 512);
	slow = true;
	readers_left = 5;
	for (uintptr_t i = 0; i < 5; i++)
		assert_int_equal(task_create(&t, "reader", PRI_NORMAL, reader, (void *)i), 0);
	tsleep(&readers_left, "readers", SLEEP_FOREVER);
	slow = false;
}

static void
test_many(void **state)
{
	sim_random_scheduler(sim_seed(12));
	sim_run(many_body, state);
	sim_random_scheduler(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_many),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
