/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash store as a disk: requests of any shape, erases, figures, reads that come while
 * a write waits for an erase, and what it does when it is idle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store.h"
#include "kern/blkdev.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "test/host/console_tap.h"
#include "test/host/sim_flash.h"
#include "test/host/sim_machdep.h"

#define BLOCK_BYTES 32768u
#define BLOCKS      64u

static struct sim_flash sim;
static void *memory;
static struct blkdev *dev;

static void
disk_begin(void)
{
	drivers_params_register();
	sim_flash_open(&sim, BLOCK_BYTES, BLOCKS);
	memory = malloc(flash_store_memory_bytes(&sim.flash.geometry));
	console_tap_begin();
	sim_ram_init(1u << 20);
	if (blk_find("fl0") != NULL)
		blk_unregister(blk_find("fl0"));
	assert_int_equal(flash_store_attach(&sim.flash, 0, memory, false), 0);
	if (strstr(console_tap_text(), "fl0: 1312 KiB on simulated flash, 64 erase blocks of 32 "
		"KiB, 0 bad, erased 1 times on average, 1 at most\n") == NULL)
		fail_msg("%s", console_tap_text());
	dev = blk_find("fl0");
	assert_non_null(dev);
}

static void
disk_end(void)
{
	blk_unregister(dev);
	free(memory);
	sim_flash_close(&sim);
}

static uint64_t
figure(const char *name)
{
	const char *found;
	uint64_t value;

	for (uint32_t n = 0; dev->ops->figure(dev, n, &found, &value); n++)
		if (strcmp(found, name) == 0)
			return (value);
	fail_msg("no figure %s", name);
	return (0);
}

static void
disk_body(void *arg)
{
	uint8_t *buffer;
	struct bio odd = { .op = BIO_WRITE, .block = 40, .block_count = 2, .segment_count = 3,
		.segments = { { SIM_RAM_BASE + 512, 2048 }, { SIM_RAM_BASE + 8192, 5120 },
		{ SIM_RAM_BASE + 16384, 1024 } } };
	struct bio erase = { .op = BIO_ERASE, .block = 2, .block_count = 3 };

	(void)arg;
	disk_begin();
	buffer = phys_to_virt(SIM_RAM_BASE);
	for (uint32_t i = 0; i < 1u << 20; i++)
		buffer[i] = (uint8_t)(i * 7 + i / 4096);
	assert_int_equal(flash_store_attach(&sim.flash, 0, memory, false), ERR_EXIST);
	assert_int_equal(flash_store_attach(&sim.flash, 1, memory, false), ERR_RANGE);
	assert_int_equal(dev->block_bytes, FLASH_STORE_SLOT_BYTES);
	assert_int_equal(blk_write(dev, 0, buffer, 32), 0);
	assert_int_equal(blk_read(dev, 1, buffer + 0x40000, 31), 0);
	assert_memory_equal(buffer + 0x40000, buffer + 4096, 31 * 4096);
	assert_int_equal(blk_wait(dev, &odd), 0);
	assert_int_equal(blk_read(dev, 40, buffer + 0x40000, 2), 0);
	assert_memory_equal(buffer + 0x40000, buffer + 512, 2048);
	assert_memory_equal(buffer + 0x40800, buffer + 8192, 5120);
	assert_memory_equal(buffer + 0x41c00, buffer + 16384, 1024);
	odd.op = BIO_READ;
	memset(buffer, 0, 32768);
	assert_int_equal(blk_wait(dev, &odd), 0);
	assert_memory_equal(buffer + 0x40800, buffer + 8192, 5120);
	assert_int_equal(blk_wait(dev, &erase), 0);
	assert_int_equal(blk_read(dev, 3, buffer, 1), 0);
	assert_true(buffer[0] == 0 && memcmp(buffer, buffer + 1, 4095) == 0);
	assert_int_equal(blk_flush(dev), 0);
	assert_int_equal(blk_read(dev, dev->block_count, buffer, 1), ERR_RANGE);
	assert_int_equal(figure("programs"), 34);
	assert_int_equal(figure("write_amplification_x100"), 100);
	assert_int_equal(figure("bad_blocks"), 0);
	assert_true(figure("free_blocks") > 50 && figure("erases") >= 5);
	disk_end();
}
SIM_TEST(disk)

/* ---- a read that comes during a write with erases */

static uint32_t order, read_done_at, write_done_at;
static bool erasing_at_read;

static void
read_done(struct bio *bio)
{
	assert_int_equal(bio->error, 0);
	read_done_at = ++order;
	erasing_at_read = sim.erasing;
}

static void
write_done(struct bio *bio)
{
	assert_int_equal(bio->error, 0);
	write_done_at = ++order;
	wakeup(&write_done_at);
}

static void
read_meanwhile(bool can_suspend)
{
	struct bio write = { .op = BIO_WRITE, .priority = BIO_PAGEOUT, .block = 100,
		.block_count = 32, .segment_count = 1,
		.segments = { { SIM_RAM_BASE, 32 * 4096 } }, .done = write_done };
	struct bio read = { .op = BIO_READ, .priority = BIO_PAGEIN, .block = 5, .block_count = 1,
		.segment_count = 1, .segments = { { SIM_RAM_BASE + 0x40000, 4096 } },
		.done = read_done };

	disk_begin();
	sim.flash.geometry.can_suspend = can_suspend;
	assert_int_equal(blk_write(dev, 5, phys_to_virt(SIM_RAM_BASE), 1), 0);
	sim.erase_polls = 20;
	order = read_done_at = write_done_at = 0;
	blk_submit(dev, &write);
	while (!sim.erasing)
		tsleep(&order, "erasing", 100);
	blk_submit(dev, &read);
	while (read_done_at == 0)
		tsleep(&order, "read", 100);
	while (write_done_at == 0)
		tsleep(&write_done_at, "write", 100000);
	assert_int_equal(read_done_at, 1);
	assert_int_equal(erasing_at_read, can_suspend);
	assert_int_equal(sim.suspends != 0, can_suspend);
	assert_memory_equal(phys_to_virt(SIM_RAM_BASE + 0x40000), phys_to_virt(SIM_RAM_BASE), 4096);
	sim.erase_polls = 0;
	disk_end();
}

static void
reads_first_body(void *arg)
{
	(void)arg;
	read_meanwhile(true);
}
SIM_TEST(reads_first)

static void
reads_wait_body(void *arg)
{
	(void)arg;
	read_meanwhile(false);
}
SIM_TEST(reads_wait)

/* Another write comes with the read, and the block layer gives it out first: it waits, but
 * is not forgotten. */
static void
deferred_body(void *arg)
{
	struct bio write = { .op = BIO_WRITE, .priority = BIO_PAGEOUT, .block = 100,
		.block_count = 32, .segment_count = 1,
		.segments = { { SIM_RAM_BASE, 32 * 4096 } }, .done = write_done };
	struct bio second = { .op = BIO_WRITE, .priority = BIO_PAGEOUT, .block = 200,
		.block_count = 1, .segment_count = 1,
		.segments = { { SIM_RAM_BASE + 4096, 4096 } }, .done = write_done };
	struct bio read = { .op = BIO_READ, .priority = BIO_PAGEIN, .block = 5, .block_count = 1,
		.segment_count = 1, .segments = { { SIM_RAM_BASE + 0x40000, 4096 } },
		.done = read_done };

	(void)arg;
	disk_begin();
	sim.flash.geometry.can_suspend = true;
	sim.erase_polls = 20;
	kern_params.blk_pass_max = 0;
	order = read_done_at = write_done_at = 0;
	memset(phys_to_virt(SIM_RAM_BASE + 4096), 0x77, 4096);
	blk_submit(dev, &write);
	while (!sim.erasing)
		tsleep(&order, "erasing", 100);
	blk_submit(dev, &second);
	blk_submit(dev, &read);
	while (order < 3)
		tsleep(&write_done_at, "write", 100000);
	assert_int_equal(read_done_at, 1);
	assert_int_equal(blk_read(dev, 200, phys_to_virt(SIM_RAM_BASE), 1), 0);
	assert_int_equal(*(uint8_t *)phys_to_virt(SIM_RAM_BASE), 0x77);
	sim.erase_polls = 0;
	disk_end();
}
SIM_TEST(deferred)

/* With nothing to do blocks are erased ahead of need. */
static void
idle_body(void *arg)
{
	uint64_t erases;

	(void)arg;
	disk_begin();
	tsleep(&order, "idle", 5000000);
	erases = figure("erases");
	assert_int_equal(erases, 7); /* gc_free */
	assert_int_equal(blk_write(dev, 0, phys_to_virt(SIM_RAM_BASE), 30), 0);
	assert_int_equal(figure("erases"), erases);
	disk_end();
}
SIM_TEST(idle)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_reads_first),
		cmocka_unit_test(test_reads_wait),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_idle),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
