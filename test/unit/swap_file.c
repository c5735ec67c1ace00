/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A swap area in a file: what is refused, what is kept from others, that it pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "lib/swap_header.h"
#include "mm/file_pager.h"
#include "mm/swap_file.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "mm/vm_swapctl.h"
#include "test/host/console_tap.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define SLOTS  256u

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

#define MANY 5

static struct sim_file area, pieces, small, crumbs, many[MANY];

/* The file system: three files. */
static int
lookup(const char *path, struct vnode **out)
{
	if (strcmp(path, "/area") == 0)
		*out = &area.vnode;
	else if (strcmp(path, "/pieces") == 0)
		*out = &pieces.vnode;
	else if (strcmp(path, "/small") == 0)
		*out = &small.vnode;
	else if (strcmp(path, "/crumbs") == 0)
		*out = &crumbs.vnode;
	else if (strncmp(path, "/many", 5) == 0)
		*out = &many[path[5] - '0'].vnode;
	else
		return (ERR_NOENT);
	vnode_ref(*out);
	return (0);
}

static const struct fs_ops fs = { .lookup = lookup };

static void
put_header(const struct sim_file *file, uint64_t page_count)
{
	struct swap_header h = { .magic = SWAP_HEADER_MAGIC, .version = SWAP_HEADER_VERSION,
		.page_bytes = PAGE_SIZE, .page_count = page_count };

	h.crc = swap_header_crc(&h);
	memcpy(sim_file_disk.bytes + file->cluster[0] * 512, &h, sizeof(h));
}

static void
boot(void)
{
	sim_file_boot(FRAMES, 0);
	sim_file_make(&area, "area", SLOTS * PAGE_SIZE + 700, 8, 0);
	sim_file_make(&pieces, "pieces", SLOTS * PAGE_SIZE, 8, 100);
	sim_file_make(&small, "small", 63 * PAGE_SIZE, 8, 0);
	vfs_mount(&fs, &sim_file_disk.dev);
	vm_swapctl_init();
	put_header(&area, SLOTS);
}

RUN_TEST(swap_file_pages_and_is_given_back)
{
	struct swap_area_info info;
	struct vmspace *vm;
	uint32_t unfit, i;

	(void)arg;
	boot();
	assert_int_equal(vm_swapon("/area"), 0);
	assert_true(area.vnode.is_swap);
	assert_int_equal(area.vnode.ref_count, 2);
	assert_true(swap_pager_info(0, &info));
	assert_string_equal(info.device, "swapf0");
	assert_int_equal(info.slots, SLOTS);
	assert_ptr_equal(vm_swapctl_find("/area"), blk_find("swapf0"));
	assert_int_equal(vm_swapon("/area"), ERR_BUSY);
	assert_int_equal(vm_swapon("swapf0"), ERR_BUSY);
	assert_int_equal(area.vnode.ref_count, 2);

	vm = sim_swap_space(200);
	for (i = 0; i < 200; i++)
		assert_int_equal(sim_swap_store(vm, i, 5), 0);
	sim_swap_be_pagedaemon();
	sim_swap_evict(sim_swap_object(vm), 0, 200);
	for (i = 0; i < 100; i++)
		assert_int_equal(sim_swap_verify(vm, i, 5), 0);
	sim_file_check(); /* nothing beside the file was written */

	assert_int_equal(vm_swapoff("/area", &unfit), 0);
	assert_false(area.vnode.is_swap);
	assert_int_equal(area.vnode.ref_count, 1);
	assert_null(blk_find("swapf0"));
	for (i = 0; i < 200; i++)
		assert_int_equal(sim_swap_verify(vm, i, 5), 0);
	vmspace_free(vm);
	sim_file_check();
	/* And again. */
	assert_int_equal(vm_swapon("/area"), 0);
	assert_int_equal(vm_swapoff("swapf0", &unfit), 0);
}

RUN_TEST(swap_file_refusals)
{
	uint32_t unfit;

	(void)arg;
	boot();
	sim_file_make(&crumbs, "crumbs", 70 * PAGE_SIZE, 4, 1); /* a page in two pieces */
	console_tap_begin();
	assert_int_equal(vm_swapon("/none"), ERR_NOENT);
	assert_int_equal(vm_swapoff("/none", &unfit), ERR_NODEV);
	assert_int_equal(vm_swapoff("/area", &unfit), ERR_NODEV);
	assert_int_equal(vm_swapon("/crumbs"), ERR_NOTSUP);
	assert_int_equal(vm_swapon("/pieces"), ERR_NOTSUP);
	assert_non_null(strstr(console_tap_text(), "/pieces: lies on its disk in pieces"));
	put_header(&small, 63);
	assert_int_equal(vm_swapon("/small"), ERR_RANGE);
	memset(sim_file_disk.bytes + area.cluster[0] * 512, 0, 100);
	assert_int_equal(vm_swapon("/area"), ERR_CORRUPT);
	assert_non_null(strstr(console_tap_text(), "no swap header"));
	put_header(&area, SLOTS);
	area.vnode.is_directory = true;
	assert_int_equal(vm_swapon("/area"), ERR_NOTSUP);
	area.vnode.is_directory = false;
	area.vnode.size_bytes = PAGE_SIZE - 1;
	assert_int_equal(vm_swapon("/area"), ERR_NOTSUP);
	area.vnode.size_bytes = SLOTS * PAGE_SIZE + 700;
	sim_file_disk.dev.block_bytes = 1024;
	assert_int_equal(vm_swapon("/area"), ERR_NOTSUP);
	sim_file_disk.dev.block_bytes = 512;
	area.bmap_error = ERR_IO;
	area.bmap_bad = 0;
	assert_int_equal(vm_swapon("/area"), ERR_IO);
	area.bmap_error = 0;
	sim_file_disk.dev.read_only = true;
	assert_int_equal(vm_swapon("/area"), ERR_ROFS);
	sim_file_disk.dev.read_only = false;
	/* None of it is left. */
	assert_null(blk_find("swapf0"));
	assert_false(area.vnode.is_swap || pieces.vnode.is_swap || small.vnode.is_swap);
	assert_int_equal(area.vnode.ref_count, 1);
	assert_int_equal(pieces.vnode.ref_count, 1);
	assert_int_equal(vm_swapon("/area"), 0);
	assert_int_equal(vm_swapoff("/area", &unfit), 0);
}

/* A file that is in use is no swap area; what was written to it goes to the disk first. */
RUN_TEST(swap_file_of_others)
{
	static const bool killed;
	struct vm_object *object;
	struct vm_page *m;
	uint32_t unfit;

	(void)arg;
	boot();
	area.vnode.writer_count = 1;
	assert_int_equal(vm_swapon("/area"), ERR_BUSY);
	area.vnode.writer_count = 0;
	area.vnode.is_text = true;
	assert_int_equal(vm_swapon("/area"), ERR_BUSY);
	area.vnode.is_text = false;
	object = file_pager_alloc(&area.vnode);
	assert_int_equal(vm_swapon("/area"), ERR_BUSY);
	assert_int_equal(file_pager_page(object, 100, 0, &killed, &m), 0);
	memset(vm_page_address(m), 0x3c, PAGE_SIZE);
	file_pager_changed(m);
	vm_page_unhold(m);
	vfs_write_suspend(); /* so that it stays dirty */
	vm_object_deallocate(object);
	vfs_write_resume();
	assert_int_not_equal(sim_file_stored(&area, 100 * PAGE_SIZE), 0x3c);
	assert_int_equal(vm_swapon("/area"), 0);
	assert_int_equal(sim_file_stored(&area, 100 * PAGE_SIZE), 0x3c);
	assert_int_equal(vm_swapoff("/area", &unfit), 0);
	sim_file_check();
}

static void
attach_slowly(void *arg)
{
	struct blkdev **dev = arg;

	assert_int_equal(swap_file_attach("/area", dev), 0);
}

/* While one task makes it a device another cannot. */
RUN_TEST(swap_file_becomes_one_device)
{
	struct blkdev *dev = NULL, *again;
	struct task *t;

	(void)arg;
	boot();
	area.bmap_sleep_us = 5000;
	assert_int_equal(task_create(&t, "attach", PRI_NORMAL, attach_slowly, &dev), 0);
	tsleep(&area, "start", 1000);
	assert_null(dev);
	assert_int_equal(swap_file_attach("/area", &again), ERR_BUSY);
	tsleep(&area, "end", 10000);
	assert_non_null(dev);
	assert_int_equal(swap_file_attach("/area", &again), 0);
	assert_ptr_equal(again, dev);
	assert_int_equal(area.vnode.ref_count, 2);
	swap_file_detach(dev);
	assert_int_equal(area.vnode.ref_count, 1);
}

static void
attach_many(void *arg)
{
	struct blkdev **dev = arg;

	assert_int_equal(swap_file_attach("/many0", dev), 0);
}

/* Two files that become devices at the same time become two. */
RUN_TEST(swap_files_at_the_same_time)
{
	struct blkdev *dev[2] = { NULL, NULL };
	struct task *t;

	(void)arg;
	boot();
	sim_file_make(&many[0], "many", 4 * PAGE_SIZE, 8, 0);
	many[0].bmap_sleep_us = 5000;
	assert_int_equal(task_create(&t, "attach", PRI_NORMAL, attach_many, &dev[0]), 0);
	tsleep(&area, "start", 1000);
	assert_int_equal(swap_file_attach("/area", &dev[1]), 0);
	tsleep(&area, "end", 10000);
	assert_non_null(dev[0]);
	assert_ptr_not_equal(dev[0], dev[1]);
	assert_ptr_equal(blk_find("swapf0"), dev[1]);
	assert_ptr_equal(blk_find("swapf1"), dev[0]);
	swap_file_detach(dev[0]);
	swap_file_detach(dev[1]);
	assert_false(area.vnode.is_swap || many[0].vnode.is_swap);
}

/* While one task takes the device away nobody swaps to it, or takes it away again. */
RUN_TEST(swap_file_that_is_taken_away)
{
	struct blkdev *dev, *again;

	(void)arg;
	boot();
	assert_int_equal(swap_file_attach("/area", &dev), 0);
	dev->gone = true; /* as in the midst of blk_unregister */
	assert_int_equal(swap_file_attach("/area", &again), ERR_BUSY);
	assert_int_equal(swap_pager_swapon(dev, NULL, 0, false), ERR_NODEV);
	swap_file_detach(dev);
	assert_true(area.vnode.is_swap);
	dev->gone = false;
	swap_file_detach(dev);
	assert_false(area.vnode.is_swap);
	assert_int_equal(area.vnode.ref_count, 1);
}

/* Four at most; each goes alone. */
RUN_TEST(swap_file_four_devices)
{
	struct blkdev *dev[MANY];
	char path[] = "/many0";
	int i;

	(void)arg;
	boot();
	for (i = 0; i < MANY; i++) {
		path[5] = (char)('0' + i);
		sim_file_make(&many[i], "many", 4 * PAGE_SIZE, 8, 0);
		assert_int_equal(swap_file_attach(path, &dev[i]), i < 4 ? 0 : ERR_NOSPC);
	}
	assert_false(many[4].vnode.is_swap);
	for (i = 3; i >= 0; i--) {
		swap_file_detach(dev[i]);
		assert_false(many[i].vnode.is_swap);
		assert_true(i == 0 || many[i - 1].vnode.is_swap);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_file_pages_and_is_given_back),
		cmocka_unit_test(swap_file_refusals),
		cmocka_unit_test(swap_file_of_others),
		cmocka_unit_test(swap_file_becomes_one_device),
		cmocka_unit_test(swap_files_at_the_same_time),
		cmocka_unit_test(swap_file_that_is_taken_away),
		cmocka_unit_test(swap_file_four_devices),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
