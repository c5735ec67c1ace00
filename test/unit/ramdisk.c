/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/ramdisk.c: right bytes, completion at submit, callbacks that submit again,
 * and refusal of what cannot be attached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/ramdisk.h"
#include "kern/blkdev.h"
#include "lib/err.h"
#include "test/host/sim_machdep.h"

#define DISK_PA   (SIM_RAM_BASE + 0x100000u)
#define BUFFER_PA (SIM_RAM_BASE + 0x10000u)
#define BYTES     (256u * 512 + 100)

static struct blkdev *dev;
static uint32_t left;

static void
again(struct bio *bio)
{
	assert_int_equal(bio->error, 0);
	if (--left > 0)
		blk_submit(dev, bio);
}

static void
transfer_checks(void)
{
	uint8_t *buffer = phys_to_virt(BUFFER_PA), *disk = phys_to_virt(DISK_PA);
	struct bio bio = { .op = BIO_WRITE, .block = 3, .block_count = 5, .segment_count = 2,
		.segments = { { BUFFER_PA, 512 }, { BUFFER_PA + 4096, 2048 } }, .done = again };

	for (uint32_t i = 0; i < 8192; i++)
		buffer[i] = (uint8_t)(i * 3 + i / 256);
	left = 1;
	blk_submit(dev, &bio);
	assert_int_equal(left, 0);
	assert_memory_equal(disk + 3 * 512, buffer, 512);
	assert_memory_equal(disk + 4 * 512, buffer + 4096, 2048);
	assert_int_equal(blk_read(dev, 4, buffer, 4), 0);
	assert_memory_equal(buffer, disk + 4 * 512, 2048);
	assert_int_equal(blk_read(dev, 250, buffer, 7), ERR_RANGE);
	/* Ten thousand in a row from the callback: the stack does not grow. */
	left = 10000;
	blk_submit(dev, &bio);
	assert_int_equal(left, 0);
}

static void
body(void *arg)
{
	(void)arg;
	sim_ram_init(2u << 20);
	memset(phys_to_virt(DISK_PA), 0x5a, BYTES);
	assert_int_equal(ramdisk_attach(RAMDISK_UNITS, DISK_PA, BYTES, false), ERR_RANGE);
	assert_int_equal(ramdisk_attach(0, DISK_PA + 8, BYTES, false), ERR_INVAL);
	assert_int_equal(ramdisk_attach(0, DISK_PA, 511, false), ERR_INVAL);
	assert_int_equal(ramdisk_attach(0, DISK_PA, BYTES, false), 0);
	assert_int_equal(ramdisk_attach(0, DISK_PA, BYTES, false), ERR_EXIST);
	dev = blk_find("md0");
	assert_non_null(dev);
	assert_int_equal(dev->block_count, 256);
	transfer_checks();
	assert_int_equal(ramdisk_attach(1, DISK_PA, BYTES, true), 0);
	assert_int_equal(blk_write(blk_find("md1"), 0, phys_to_virt(BUFFER_PA), 1), ERR_ROFS);
	blk_unregister(blk_find("md1"));
	blk_unregister(dev);
}

static void
test_ramdisk(void **state)
{
	sim_run(body, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ramdisk) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
