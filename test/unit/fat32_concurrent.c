/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FAT32 with several readers at once, changed at every legal point: the volume
 * lock, the shared cache and the cursors of one file. EBB_SEED=seed replays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "fs/fat32_node.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/vnode.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"

static struct file_disk disk;

static struct vnode *
open_path(const char *path)
{
	struct vnode *vp = NULL;

	assert_int_equal(vfs_lookup(path, &vp), 0);
	return (vp);
}

#define READERS 4
#define READS 40

static uint32_t readers_left;

static void
reader(void *arg)
{
	static uint8_t chunks[READERS][3000];
	uint32_t number = (uint32_t)(uintptr_t)arg, n, k;
	struct vnode_dirent e;

	for (n = 0; n < READS; n++) {
		const struct fat_file *f = &fat_files[sim_random(20)];
		struct vnode *vp = open_path(n % 2 == 0 ? f->path : "/data/huge.bin");
		uint64_t at = sim_random((uint32_t)vp->size_bytes + 1);
		int64_t got = vnode_read(vp, at, chunks[number], sizeof(chunks[0]));

		assert_true(got >= 0 && (got > 0 || at == vp->size_bytes));
		for (k = 0; k < got; k++)
			assert_int_equal(chunks[number][k], fat_file_byte(n % 2 == 0 ? f->path :
			    "/data/huge.bin", (uint32_t)at + k));
		vnode_unref(vp);
		vp = open_path("/");
		assert_int_equal(vfs_readdir(vp, sim_random(8), &e), 0);
		vnode_unref(vp);
	}
	readers_left--;
	wakeup(&readers_left);
}

/* Several tasks at once, changed at every legal point. */
static void
check_concurrent(void *arg)
{
	struct vnode *vp;
	struct task *t;
	uintptr_t i;

	console_tap_begin();
	assert_int_equal(file_disk_open(&disk, "fd0", arg), 0);
	assert_int_equal(fat_image_mount(&disk), 0);
	vp = open_path("/data/huge.bin");
	fat_image_scatter(&disk, ((struct fat32_node *)vp->fs_data)->chain.first, 11);
	vnode_unref(vp);
	assert_int_equal(fat_image_mount(&disk), 0);
	sim_random_scheduler(sim_seed(3));
	readers_left = READERS;
	for (i = 0; i < READERS; i++)
		assert_int_equal(task_create(&t, "reader", PRI_NORMAL, reader, (void *)i), 0);
	while (readers_left != 0)
		tsleep(&readers_left, "test", SLEEP_FOREVER);
	sim_random_scheduler(0);
	file_disk_close(&disk);
}

static void
test_concurrent(void **state)
{
	(void)state;
	sim_run(check_concurrent, (void *)fat_image_make("c512", 1, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_concurrent),
	};

	return (cmocka_run_group_tests_name("fat32_concurrent", tests, NULL, NULL));
}
