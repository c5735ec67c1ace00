/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/blk.c over a driver that takes one chain at a time and shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/blkdev.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "lib/rng.h"
#include "test/host/sim_machdep.h"

#define DISK_BLOCKS 1024

static struct blkdev disk;
static uint8_t media[DISK_BLOCKS * 512];
static struct bio *active;          /* what the driver has taken */
static bool hold;                   /* the driver takes nothing by itself */
static int next_error;
static char served[256];            /* "r10+2 " a request taken */
static struct sim_event completion;

static void
copy_chain(struct bio *bio)
{
	for (; bio != NULL; bio = bio->merged_next) {
		uint64_t at = bio->block * 512;

		for (uint32_t i = 0; i < bio->segment_count; i++) {
			void *memory = phys_to_virt(bio->segments[i].pa);

			if (bio->op == BIO_READ)
				memcpy(memory, media + at, bio->segments[i].bytes);
			else if (bio->op == BIO_WRITE)
				memcpy(media + at, memory, bio->segments[i].bytes);
			at += bio->segments[i].bytes;
		}
	}
}

static void disk_start(struct blkdev *dev);

static void
disk_irq(void *arg)
{
	struct bio *bio = active;

	(void)arg;
	active = NULL;
	copy_chain(bio);
	bio_done(bio, next_error);
	disk_start(&disk);
}

static void
disk_take(void)
{
	size_t used = strlen(served);

	active = blk_next(&disk);
	if (active == NULL)
		return;
	if (used < sizeof(served) - 20)
		snprintf(served + used, sizeof(served) - used, "%c%u+%u ",
		    "rwfe"[active->op], (unsigned)active->block, bio_chain_blocks(active));
	sim_event_schedule(&completion, 100, disk_irq, NULL);
}

static void
disk_start(struct blkdev *dev)
{
	(void)dev;
	if (active == NULL && !hold)
		disk_take();
}

static const struct blkdev_ops disk_ops = { .start = disk_start };

static void
disk_setup(void)
{
	for (struct blkdev *d; (d = blk_next_device(NULL)) != NULL;) {
		d->queued_count = d->active_count = 0;
		blk_unregister(d);
	}
	disk = (struct blkdev){
		.name = "t0",
		.ops = &disk_ops,
		.block_bytes = 512,
		.block_count = DISK_BLOCKS,
		.bio_blocks_max = 16,
		.can_flush = true,
	};
	active = NULL;
	hold = false;
	next_error = 0;
	served[0] = '\0';
	completion.pending = false;
	assert_int_equal(blk_register(&disk), 0);
}

static uint8_t buffer[64][512] __attribute__((aligned(4096)));
static struct bio bios[64];
static uint32_t done_count;
static char done_text[256];

static void
note_done(struct bio *bio)
{
	size_t used = strlen(done_text);

	assert_int_equal(bio->state, BIO_IDLE);
	done_count++;
	if (used < sizeof(done_text) - 20)
		snprintf(done_text + used, sizeof(done_text) - used, "%u:%d ",
		    (unsigned)(bio - bios), bio->error);
}

static struct bio *
bio_set(uint32_t n, enum bio_op op, enum bio_priority priority, uint64_t block, uint32_t count)
{
	struct bio *bio = &bios[n];

	memset(bio, 0, sizeof(*bio));
	bio->op = (uint8_t)op;
	bio->priority = (uint8_t)priority;
	bio->block = block;
	bio->block_count = count;
	bio->segment_count = 1;
	bio->segments[0] = (struct bio_segment){ virt_to_phys(buffer[n]), count * 512 };
	bio->done = note_done;
	return (bio);
}

static void
submit(uint32_t n, enum bio_op op, enum bio_priority priority, uint64_t block)
{
	blk_submit(&disk, bio_set(n, op, priority, block, 1));
}

/* Let the driver go and wait until all is done. */
static void
release(void)
{
	hold = false;
	disk_start(&disk);
	tsleep(&hold, "release", 1000000);
	assert_int_equal(disk.queued_count, 0);
	assert_int_equal(disk.active_count, 0);
}

static void
start_over(void)
{
	disk_setup();
	done_count = 0;
	done_text[0] = '\0';
}

/* ---- one request */

static void
wait_body(void *arg)
{
	(void)arg;
	start_over();
	memset(buffer[0], 0x5a, 1024);
	assert_int_equal(blk_write(&disk, 7, buffer[0], 2), 0);
	assert_int_equal(media[7 * 512], 0x5a);
	assert_int_equal(media[9 * 512 - 1], 0x5a);
	assert_int_equal(blk_read(&disk, 7, buffer[2], 2), 0);
	assert_memory_equal(buffer[0], buffer[2], 1024);
	assert_int_equal(blk_flush(&disk), 0);
	assert_int_equal(disk.reads, 1);
	assert_int_equal(disk.writes, 1);
	assert_int_equal(disk.read_blocks, 2);
	assert_int_equal(disk.written_blocks, 2);
	assert_int_equal(disk.read_us.count, 1);
	assert_in_range(disk.read_us.max, 100, 105);
	assert_in_range(disk.busy_cycles, timer_us_to_cycles(300), timer_us_to_cycles(310));
	/* More than one request holds: split. */
	served[0] = '\0';
	assert_int_equal(blk_read(&disk, 100, buffer, 40), 0);
	assert_string_equal(served, "r100+16 r116+16 r132+8 ");
	next_error = ERR_IO;
	assert_int_equal(blk_read(&disk, 7, buffer[2], 2), ERR_IO);
	assert_int_equal(disk.errors, 1);
	next_error = 0;
	disk.can_flush = false;
	served[0] = '\0';
	assert_int_equal(blk_flush(&disk), 0);
	assert_string_equal(served, "");
}

SIM_TEST(wait)

/* ---- errors */

static void
expect_error(struct bio *bio, int error)
{
	done_count = 0;
	blk_submit(&disk, bio);
	assert_int_equal(done_count, 1);
	assert_int_equal(bio->error, error);
	assert_int_equal(disk.queued_count, 0);
}

static void
errors_body(void *arg)
{
	struct bio *bio;

	(void)arg;
	start_over();
	expect_error(bio_set(0, BIO_READ, BIO_NORMAL, DISK_BLOCKS, 1), ERR_RANGE);
	expect_error(bio_set(0, BIO_READ, BIO_NORMAL, DISK_BLOCKS - 1, 2), ERR_RANGE);
	expect_error(bio_set(0, BIO_READ, BIO_NORMAL, UINT64_MAX, 2), ERR_RANGE);
	expect_error(bio_set(0, BIO_READ, BIO_NORMAL, 0, 0), ERR_INVAL);
	expect_error(bio_set(0, BIO_READ, BIO_NORMAL, 0, 17), ERR_INVAL);
	expect_error(bio_set(0, BIO_READ, BIO_PRIORITY_COUNT, 0, 1), ERR_INVAL);
	expect_error(bio_set(0, BIO_ERASE, BIO_NORMAL, 0, 1), ERR_NOTSUP);
	bio = bio_set(0, BIO_READ, BIO_NORMAL, 0, 2);
	bio->segments[0].bytes = 512;
	expect_error(bio, ERR_INVAL);
	bio->segments[0].bytes = 1000;
	expect_error(bio, ERR_INVAL);
	bio->segments[0].bytes = 1024;
	bio->segments[0].pa += 64;
	expect_error(bio, ERR_INVAL);
	bio->segment_count = 0;
	expect_error(bio, ERR_INVAL);
	bio->segment_count = BIO_SEGMENTS_MAX + 1;
	expect_error(bio, ERR_INVAL);
	disk.read_only = true;
	expect_error(bio_set(0, BIO_WRITE, BIO_NORMAL, 0, 1), ERR_ROFS);
	disk.read_only = false;
	hold = true;
	blk_submit(&disk, bio_set(0, BIO_READ, BIO_NORMAL, 0, 1));
	SIM_EXPECT_ASSERT("B1", blk_submit(&disk, &bios[0]));
	SIM_EXPECT_ASSERT("B1", bio_done(&bios[0], 0));
	release();
}

SIM_TEST(errors)

/* ---- order and merging */

static void
merge_body(void *arg)
{
	(void)arg;
	start_over();
	hold = true;
	submit(0, BIO_WRITE, BIO_NORMAL, 11);
	submit(1, BIO_WRITE, BIO_NORMAL, 13);
	submit(2, BIO_READ, BIO_NORMAL, 12);  /* another kind */
	submit(3, BIO_WRITE, BIO_NORMAL, 10); /* in front */
	submit(4, BIO_WRITE, BIO_NORMAL, 12); /* closes the gap, then 13 follows */
	submit(5, BIO_WRITE, BIO_PAGEOUT, 14); /* another priority */
	submit(6, BIO_WRITE, BIO_NORMAL, 20);
	for (int i = 0; i < 7; i++)
		memset(buffer[i], 'a' + i, 512);
	release();
	assert_string_equal(served, "w10+4 r12+1 w20+1 w14+1 ");
	assert_int_equal(disk.merges, 3);
	assert_int_equal(done_count, 7);
	assert_string_equal(done_text, "3:0 0:0 4:0 1:0 2:0 6:0 5:0 ");
	assert_int_equal(media[10 * 512], 'd');
	assert_int_equal(media[11 * 512], 'a');
	assert_int_equal(media[12 * 512], 'e');
	assert_int_equal(media[13 * 512], 'b');
	assert_int_equal(buffer[2][0], 'e');
}

SIM_TEST(merge)

static void
merge_limit_body(void *arg)
{
	(void)arg;
	start_over();
	hold = true;
	for (uint32_t i = 0; i < 40; i++)
		submit(i, BIO_READ, BIO_NORMAL, 200 + i);
	release();
	assert_string_equal(served, "r200+16 r216+16 r232+8 ");
	/* A flush is never merged, and does not hold up what comes behind it. */
	start_over();
	hold = true;
	bio_set(0, BIO_FLUSH, BIO_NORMAL, 0, 0);
	blk_submit(&disk, &bios[0]);
	bio_set(1, BIO_FLUSH, BIO_NORMAL, 0, 0);
	blk_submit(&disk, &bios[1]);
	release();
	assert_string_equal(served, "f0+0 f0+0 ");
}

SIM_TEST(merge_limit)

/* An error of the transfer reaches every request in it. */
static void
merge_error_body(void *arg)
{
	(void)arg;
	start_over();
	hold = true;
	submit(0, BIO_WRITE, BIO_NORMAL, 1);
	submit(1, BIO_WRITE, BIO_NORMAL, 2);
	submit(2, BIO_WRITE, BIO_NORMAL, 3);
	next_error = ERR_IO;
	release();
	assert_string_equal(served, "w1+3 ");
	assert_string_equal(done_text, "0:-5 1:-5 2:-5 ");
	assert_int_equal(disk.errors, 3);
}

SIM_TEST(merge_error)

/* ---- priorities */

static void
priority_body(void *arg)
{
	(void)arg;
	start_over();
	hold = true;
	submit(0, BIO_WRITE, BIO_PAGEOUT, 30);
	submit(1, BIO_READ, BIO_NORMAL, 20);
	submit(2, BIO_READ, BIO_PAGEIN, 10);
	submit(3, BIO_READ, BIO_PAGEIN, 5);
	release();
	assert_string_equal(served, "r10+1 r5+1 r20+1 w30+1 ");
}

SIM_TEST(priority)

/* Page-ins without end: each waiting page-out is passed at most pass_max times. */
static uint32_t since_pageout, worst, least;

static void
resubmit(struct bio *bio)
{
	uint32_t n = (uint32_t)(bio - bios);

	done_count++;
	if (bio->priority == BIO_PAGEOUT) {
		if (since_pageout < least)
			least = since_pageout;
		since_pageout = 0;
		return;
	}
	if (bio->priority == BIO_PAGEIN && ++since_pageout > worst)
		worst = since_pageout;
	if (done_count > 300)
		return;
	bio_set(n, BIO_READ, (enum bio_priority)bio->priority, (n * 2 + done_count * 20) % 1000, 1);
	bio->done = resubmit;
	blk_submit(&disk, bio);
}

static void
starve_body(void *arg)
{
	(void)arg;
	start_over();
	kern_params.blk_pass_max = 5;
	hold = true;
	since_pageout = 0;
	worst = 0;
	least = UINT32_MAX;
	for (uint32_t i = 0; i < 3; i++)
		bio_set(i, BIO_READ, BIO_PAGEIN, i * 7, 1)->done = resubmit;
	bio_set(3, BIO_READ, BIO_NORMAL, 500, 1)->done = resubmit;
	for (uint32_t i = 4; i < 12; i++)
		bio_set(i, BIO_WRITE, BIO_PAGEOUT, 600 + 2 * i, 1)->done = resubmit;
	for (uint32_t i = 0; i < 12; i++)
		blk_submit(&disk, &bios[i]);
	hold = false;
	disk_start(&disk);
	for (uint32_t i = 4; i < 12; i++) {
		while (bios[i].state != BIO_IDLE)
			tsleep(&hold, "starve", 100);
		assert_in_range(worst, 1, 6);
	}
	assert_true(least >= 3); /* nor do they take over */
	assert_true(done_count < 100); /* the page-outs did not have to wait for the end */
	tsleep(&hold, "starve", 1000000);
}

SIM_TEST(starve)

/* ---- partitions */

static struct blkdev part, inner;

static void
partition_body(void *arg)
{
	(void)arg;
	start_over();
	part = (struct blkdev){ .name = "t0s1", .parent = &disk, .parent_block = 100,
		.block_count = 50 };
	assert_int_equal(blk_register(&part), 0);
	assert_int_equal(part.block_bytes, 512);
	assert_ptr_equal(blk_find("t0s1"), &part);
	memset(buffer[0], 'p', 512);
	assert_int_equal(blk_write(&part, 3, buffer[0], 1), 0);
	assert_int_equal(media[103 * 512], 'p');
	assert_int_equal(blk_write(&part, 50, buffer[0], 1), ERR_RANGE);
	assert_int_equal(part.writes, 1);
	assert_int_equal(disk.writes, 1);
	/* The bio comes back with the block that was given; merging crosses the edge. */
	hold = true;
	bio_set(0, BIO_WRITE, BIO_NORMAL, 49, 1);
	blk_submit(&part, &bios[0]);
	bio_set(1, BIO_WRITE, BIO_NORMAL, 150, 1);
	blk_submit(&disk, &bios[1]);
	served[0] = '\0';
	release();
	assert_string_equal(served, "w149+2 ");
	assert_int_equal(bios[0].block, 49);
	assert_ptr_equal(bios[0].dev, &part);
	assert_int_equal(part.active_count, 0);
	/* A partition in a partition. */
	inner = (struct blkdev){ .name = "t0s1a", .parent = &part, .parent_block = 10,
		.block_count = 40 };
	assert_int_equal(blk_register(&inner), 0);
	served[0] = '\0';
	assert_int_equal(blk_read(&inner, 1, buffer[0], 1), 0);
	assert_string_equal(served, "r111+1 ");
	assert_int_equal(part.reads, 1);
	disk.read_only = true;
	assert_int_equal(blk_write(&part, 0, buffer[0], 1), ERR_ROFS);
	disk.read_only = false;
	blk_unregister(&inner);
	blk_unregister(&part);
	assert_int_equal(blk_read(&part, 1, buffer[0], 1), ERR_NODEV);
}

SIM_TEST(partition)

static void
test_register(void **state)
{
	struct blkdev other = { .name = "t0", .ops = &disk_ops, .block_bytes = 512,
		.block_count = 1, .bio_blocks_max = 1 };

	(void)state;
	sim_reset();
	disk_setup();
	assert_int_equal(blk_register(&other), ERR_EXIST);
	strcpy(other.name, "t1");
	other.block_bytes = 768;
	assert_int_equal(blk_register(&other), ERR_INVAL);
	other.block_bytes = 256;
	assert_int_equal(blk_register(&other), ERR_INVAL);
	other.block_bytes = 512;
	other.parent = &disk;
	other.parent_block = DISK_BLOCKS;
	assert_int_equal(blk_register(&other), ERR_INVAL); /* beyond the end */
	assert_null(blk_find("t1"));
	assert_ptr_equal(blk_next_device(NULL), &disk);
	assert_null(blk_next_device(&disk));
}

/* ---- a device that vanishes; one that is taken away in use */

static void
unregister_task(void *arg)
{
	(void)arg;
	blk_unregister(&disk);
	strcat(done_text, "gone ");
}

static void
gone_body(void *arg)
{
	struct task *t;

	(void)arg;
	start_over();
	submit(0, BIO_READ, BIO_NORMAL, 1); /* active at once */
	submit(1, BIO_READ, BIO_NORMAL, 5);
	submit(2, BIO_READ, BIO_PAGEIN, 9);
	blk_gone(&disk);
	assert_string_equal(done_text, "2:-9 1:-9 ");
	submit(3, BIO_READ, BIO_PAGEIN, 9);
	assert_int_equal(bios[3].error, ERR_NODEV);
	release();
	assert_int_equal(bios[0].error, 0); /* the driver's own */

	start_over();
	submit(0, BIO_READ, BIO_NORMAL, 1);
	submit(1, BIO_READ, BIO_NORMAL, 5);
	assert_int_equal(task_create(&t, "unreg", PRI_NORMAL, unregister_task, NULL), 0);
	sched_yield();
	assert_null(blk_find("t0"));
	submit(2, BIO_READ, BIO_NORMAL, 9);
	release();
	assert_string_equal(done_text, "2:-9 0:0 1:0 gone ");
}

SIM_TEST(gone)

/* ---- many tasks, random requests, seeded scheduler: what was written is read */

#define WORKERS 6
static uint32_t workers_left;

static void
worker(void *arg)
{
	uint32_t n = (uint32_t)(uintptr_t)arg;
	uint8_t *memory = buffer[n * 8];
	struct rng rng;

	rng_seed(&rng, n + 1);
	for (int round = 0; round < 60; round++) {
		uint32_t count = 1 + rng_below(&rng, 4);
		uint64_t block = n * 100 + rng_below(&rng, 90);
		uint8_t byte = (uint8_t)rng_next(&rng);

		memset(memory, byte, count * 512);
		assert_int_equal(blk_write(&disk, block, memory, count), 0);
		memset(memory, 0, count * 512);
		assert_int_equal(blk_read(&disk, block, memory, count), 0);
		for (uint32_t i = 0; i < count * 512; i++)
			assert_int_equal(memory[i], byte);
	}
	if (--workers_left == 0)
		wakeup(&workers_left);
}

static void
random_body(void *arg)
{
	struct task *t;

	(void)arg;
	start_over();
	workers_left = WORKERS;
	for (uintptr_t n = 0; n < WORKERS; n++)
		assert_int_equal(task_create(&t, "w", PRI_NORMAL, worker, (void *)n), 0);
	tsleep(&workers_left, "workers", SLEEP_FOREVER);
	assert_int_equal(disk.reads, WORKERS * 60);
}

static void
test_random(void **state)
{
	sim_random_scheduler(sim_seed(99));
	sim_run(random_body, state);
	sim_random_scheduler(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_limit),
		cmocka_unit_test(test_merge_error),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_starve),
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_random),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
