/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose: every kind hits what its rule says, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kern/blk_fault.h"
#include "kern/blkdev.h"
#include "kern/timer.h"
#include "test/host/sim_disk.h"
#include "test/host/sim_machdep.h"

#define BLOCKS 1024
#define PART_FIRST 100

static struct sim_disk disk;
static struct blkdev part;
static uint8_t *memory; /* of the simulated RAM: 16 pages */
static char why[160];

static void
begin(void)
{
	char text[] = "f0 off";
	int error;

	sim_ram_init(16 * 4096);
	memory = phys_to_virt(SIM_RAM_BASE);
	sim_disk_open(&disk, "f0", BLOCKS);
	for (uint32_t i = 0; i < BLOCKS * 512; i++)
		disk.bytes[i] = (uint8_t)(i / 512 * 7 + i);
	if (blk_find("f0s1") != NULL)
		blk_unregister(&part);
	part = (struct blkdev){ .name = "f0s1", .parent = &disk.dev, .parent_block = PART_FIRST,
		.block_count = 200 };
	assert_int_equal(blk_register(&part), 0);
	error = blk_fault_set(text, why, sizeof(why));
	assert_int_equal(error, 0);
	assert_null(blk_fault_rule(0));
}

static void
rule(const char *text)
{
	why[0] = '\0';
	if (blk_fault_set(text, why, sizeof(why)) != 0)
		fail_msg("%s: %s", text, why);
}

/* Blocks [block, block + count) of dev as they should be read. */
static bool
is_right(uint64_t first, uint32_t count)
{
	return (memcmp(memory, disk.bytes + first * 512, count * 512) == 0);
}

static void
write_fails_body(void *arg)
{
	uint8_t before[512];
	uint32_t i;

	(void)arg;
	begin();
	rule("f0 write every=3 times=2");
	memset(memory, 0x5a, 4096);
	for (i = 1; i <= 12; i++) {
		memcpy(before, disk.bytes + i * 512, 512);
		assert_int_equal(blk_write(&disk.dev, i, memory, 1), i == 3 || i == 6 ? ERR_IO : 0);
		if (i == 3 || i == 6)
			assert_memory_equal(disk.bytes + i * 512, before, 512);
		else
			assert_memory_equal(disk.bytes + i * 512, memory, 512);
		assert_int_equal(blk_read(&disk.dev, i, memory + 4096, 1), 0);
	}
	assert_int_equal(blk_fault_rule(0)->hits, 2);
	assert_int_equal(disk.dev.errors_of[BLK_ERROR_IO], 2);
	rule("f0 off");
	assert_int_equal(blk_write(&disk.dev, 3, memory, 1), 0);
}
SIM_TEST(write_fails)

static void
read_of_blocks_fails_body(void *arg)
{
	(void)arg;
	begin();
	rule("f0 read block=50 count=4");
	assert_int_equal(blk_read(&disk.dev, 46, memory, 4), 0);
	assert_int_equal(blk_read(&disk.dev, 46, memory, 5), ERR_IO);
	assert_int_equal(blk_read(&disk.dev, 53, memory, 1), ERR_IO);
	assert_int_equal(blk_read(&disk.dev, 54, memory, 1), 0);
	assert_int_equal(blk_write(&disk.dev, 50, memory, 1), 0);
}
SIM_TEST(read_of_blocks_fails)

/* A request of three segments, the middle one with the block in its second half. */
static void
corrupt_one_bit_body(void *arg)
{
	struct bio bio = { .op = BIO_READ, .segment_count = 3, .block = 60, .block_count = 4,
		.segments = { { SIM_RAM_BASE, 512 }, { SIM_RAM_BASE + 512, 1024 },
		    { SIM_RAM_BASE + 1536, 512 } } };
	uint32_t i, wrong = 0;

	(void)arg;
	begin();
	rule("f0 corrupt block=62");
	assert_int_equal(blk_wait(&disk.dev, &bio), 0);
	for (i = 0; i < 4 * 512; i++) {
		uint8_t difference = memory[i] ^ disk.bytes[60 * 512 + i];

		wrong += (uint32_t)__builtin_popcount(difference);
		if (difference != 0)
			assert_int_equal(i / 512, 2);
	}
	assert_int_equal(wrong, 1);
	assert_int_equal(blk_read(&disk.dev, 63, memory, 2), 0);
	assert_true(is_right(63, 2));
	assert_int_equal(blk_read(&disk.dev, 62, memory, 1), 0);
	assert_false(is_right(62, 1));
}
SIM_TEST(corrupt_one_bit)

static void
torn_write_body(void *arg)
{
	struct bio bio = { .op = BIO_WRITE, .segment_count = 3, .block = 70, .block_count = 8,
		.segments = { { SIM_RAM_BASE, 1024 }, { SIM_RAM_BASE + 4096, 2048 },
		    { SIM_RAM_BASE + 8192, 1024 } } };
	uint8_t tail[4 * 512];

	(void)arg;
	begin();
	memset(memory, 0x11, 4096);
	memset(memory + 4096, 0x22, 4096);
	memcpy(tail, disk.bytes + 74 * 512, sizeof(tail));
	rule("f0 torn every=1 times=1");
	assert_int_equal(blk_wait(&disk.dev, &bio), ERR_IO);
	assert_memory_equal(disk.bytes + 70 * 512, memory, 1024);
	assert_memory_equal(disk.bytes + 72 * 512, memory + 4096, 1024);
	assert_memory_equal(disk.bytes + 74 * 512, tail, sizeof(tail));
	/* The request is as it was. */
	assert_int_equal(bio.segment_count, 3);
	assert_int_equal(bio.block_count, 8);
	assert_int_equal(bio.segments[1].bytes, 2048);
	assert_int_equal(blk_wait(&disk.dev, &bio), 0);
	assert_memory_equal(disk.bytes + 72 * 512, memory + 4096, 2048);
	assert_memory_equal(disk.bytes + 76 * 512, memory + 8192, 1024);
}
SIM_TEST(torn_write)

/* Merged requests fail together, all of them, and none is lost. */
static uint32_t ended, ended_wrong;

static void
count_end(struct bio *bio)
{
	ended++;
	ended_wrong += bio->error != 0;
}

static void
torn_chain_body(void *arg)
{
	struct bio bios[6] = { 0 };
	uint32_t i;

	(void)arg;
	begin();
	disk.depth = 1;
	disk.latency_us = 100;
	ended = ended_wrong = 0;
	rule("f0 torn after=1 times=1");
	for (i = 0; i < 6; i++) {
		bios[i] = (struct bio){ .op = BIO_WRITE, .segment_count = 1, .block = 200 + 2 * i,
			.block_count = 2, .segments = { { SIM_RAM_BASE + i * 4096, 1024 } },
			.done = count_end };
		memset(memory + i * 4096, (int)(0x80 + i), 1024);
		blk_submit(&disk.dev, &bios[i]);
	}
	sim_advance_us(10000);
	assert_int_equal(ended, 6);
	assert_int_equal(ended_wrong, 5); /* the first went alone, the others as one chain */
	assert_int_equal(disk.bytes[202 * 512], 0x81);
	assert_int_not_equal(disk.bytes[203 * 512], 0x81);
	assert_int_not_equal(disk.bytes[206 * 512], 0x83);
	assert_int_equal(disk.dev.active_count, 0);
}
SIM_TEST(torn_chain)

static void
delays_add_up_body(void *arg)
{
	struct bio bios[3] = { 0 };
	uint64_t started;
	uint32_t i;

	(void)arg;
	begin();
	ended = ended_wrong = 0;
	rule("f0,delay_ms=2,every=1");
	started = timer_now_us();
	for (i = 0; i < 3; i++) {
		bios[i] = (struct bio){ .op = BIO_READ, .segment_count = 1, .block = 10 * i,
			.block_count = 1, .segments = { { SIM_RAM_BASE + i * 4096, 512 } },
			.done = count_end };
		blk_submit(&disk.dev, &bios[i]);
	}
	assert_int_equal(ended, 0);
	sim_advance_us(2500);
	assert_int_equal(ended, 1);
	sim_advance_us(2000);
	assert_int_equal(ended, 2);
	assert_int_equal(blk_read(&disk.dev, 5, memory, 1), 0);
	assert_int_equal(ended, 3);
	assert_true(timer_now_us() - started >= 8000);
	assert_true(disk.dev.read_us.max >= 2000);
}
SIM_TEST(delays_add_up)

static void
gone_body(void *arg)
{
	(void)arg;
	begin();
	rule("f0 gone after=2");
	assert_int_equal(blk_read(&disk.dev, 1, memory, 1), 0);
	assert_int_equal(blk_write(&disk.dev, 1, memory, 1), 0);
	assert_int_equal(blk_read(&disk.dev, 1, memory, 1), ERR_NODEV);
	assert_int_equal(blk_write(&disk.dev, 1, memory, 1), ERR_NODEV);
	assert_int_equal(disk.dev.errors_of[BLK_ERROR_NODEV], 2);
	rule("f0 off");
	assert_int_equal(blk_read(&disk.dev, 1, memory, 1), 0);
}
SIM_TEST(gone)

/* A rule about a partition counts its blocks, and does not touch its neighbours. */
static void
partition_body(void *arg)
{
	char text[160];

	(void)arg;
	begin();
	rule("f0s1 read block=8 count=2");
	assert_int_equal(blk_read(&part, 7, memory, 1), 0);
	assert_int_equal(blk_read(&part, 8, memory, 1), ERR_IO);
	assert_int_equal(blk_read(&disk.dev, PART_FIRST + 9, memory, 1), ERR_IO);
	assert_int_equal(blk_read(&disk.dev, 8, memory, 1), 0);
	blk_fault_describe(blk_fault_rule(0), text, sizeof(text));
	assert_string_equal(text, "f0s1 read block=8 count=2 every=1 after=0");
	rule("f0 off");
	assert_null(blk_fault_rule(0));
	rule("f0s1 write");
	assert_int_equal(blk_write(&disk.dev, 99, memory, 1), 0);
	assert_int_equal(blk_write(&disk.dev, 300, memory, 1), 0);
	assert_int_equal(blk_write(&part, 199, memory, 1), ERR_IO);
	assert_int_equal(blk_write(&part, 0, memory, 1), ERR_IO);
}
SIM_TEST(partition)

/* Power goes when half of the write is there. */
static void
cut_body(void *arg)
{
	(void)arg;
	begin();
	memset(memory, 0x77, 4096);
	rule("f0 cut after=1");
	assert_int_equal(blk_write(&disk.dev, 400, memory, 8), 0);
	(void)!blk_write(&disk.dev, 500, memory, 8);
}

static void
test_cut(void **state)
{
	sim_run_expect("poweroff 77", cut_body, state);
	assert_int_equal(disk.bytes[400 * 512 + 8 * 512 - 1], 0x77);
	assert_int_equal(disk.bytes[500 * 512 + 4 * 512 - 1], 0x77);
	assert_int_not_equal(disk.bytes[500 * 512 + 4 * 512], 0x77);
}

static void
bad_text_body(void *arg)
{
	static const struct {
		const char *text, *says;
		int error;
	} bad[] = {
		{ "", "''", ERR_NODEV },
		{ "sd9 write", "'sd9'", ERR_NODEV },
		{ "f0", "expected read", ERR_INVAL },
		{ "f0 wrote", "'wrote'", ERR_INVAL },
		{ "f0 delay", "'delay'", ERR_INVAL },
		{ "f0 delay_ms=0", "delay_ms=0", ERR_INVAL },
		{ "f0 write every=0", "every=0", ERR_INVAL },
		{ "f0 write every=", "every=", ERR_INVAL },
		{ "f0 write every=1x", "every=1x", ERR_INVAL },
		{ "f0 write every=-1", "every=-1", ERR_INVAL },
		{ "f0 write every=99999999999999999999999", "every=9999", ERR_INVAL },
		{ "f0 write sometimes", "sometimes", ERR_INVAL },
		{ "f0 read block=1024", "not all on f0", ERR_RANGE },
		{ "f0 read block=1020 count=5", "not all on f0", ERR_RANGE },
		{ "f0s1 read block=199 count=2", "not all on f0s1", ERR_RANGE },
	};
	uint32_t i;

	(void)arg;
	begin();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_int_equal(blk_fault_set(bad[i].text, why, sizeof(why)), bad[i].error);
		if (strstr(why, bad[i].says) == NULL)
			fail_msg("\"%s\": %s", bad[i].text, why);
		assert_null(blk_fault_rule(0));
	}
	for (i = 0; i < BLK_FAULT_RULES_MAX; i++)
		rule("f0 read every=5");
	assert_int_equal(blk_fault_set("f0 write", why, sizeof(why)), ERR_NOSPC);
	assert_non_null(strstr(why, "no more than 8"));
	assert_null(blk_fault_rule(BLK_FAULT_RULES_MAX));
}
SIM_TEST(bad_text)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_read_of_blocks_fails),
		cmocka_unit_test(test_corrupt_one_bit),
		cmocka_unit_test(test_torn_write),
		cmocka_unit_test(test_torn_chain),
		cmocka_unit_test(test_delays_add_up),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad_text),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
