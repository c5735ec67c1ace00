/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_blk.c and virtio_mmio.c against a simulated device: both transports, limits,
 * several requests in flight, errors, and answers that no sane device gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/virtio_blk.h"
#include "kern/blkdev.h"
#include "kern/contig.h"
#include "kern/sched.h"
#include "lib/err.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_virtio.h"

#define SLOTS     4
#define BLOCKS    4096u
#define RAM_BYTES (4u << 20)
#define BUFFER_PA (SIM_RAM_BASE + 0x10000u)

static struct sim_virtio slots[SLOTS];
static struct blkdev *dev;

static const struct virtio_blk_slots where = {
	.base = SIM_VIRTIO_BASE,
	.stride_bytes = SIM_VIRTIO_STRIDE,
	.count = SLOTS,
	.first_irq = SIM_VIRTIO_LINE,
};

static const struct variant {
	uint32_t version, latency_us;
	bool shuffle, batch;
	uint64_t seed;
} variants[] = {
	{ 2, 0, false, false, 0 },
	{ 1, 0, false, false, 0 },
	{ 2, 50, false, false, 0 },
	{ 2, 500, false, true, 0 },
	{ 1, 50, true, false, 41 },
	{ 2, 50, true, true, 42 },
};
static const struct variant *variant = &variants[0];

/* ---- memory for queues: in place of the pool's */

static uint8_t dma_pages[SLOTS][4096] __attribute__((aligned(4096)));
static uint32_t dma_pages_used, dma_pages_left = SLOTS;

int
contig_alloc(uint64_t bytes, uint64_t low, uint64_t high, uint64_t alignment, uint64_t *pa)
{
	assert_int_equal(bytes, 4096);
	assert_int_equal(alignment, 4096);
	assert_true(low == 0 && high == UINT64_MAX);
	if (dma_pages_left == 0)
		return (ERR_NOMEM);
	dma_pages_left--;
	memset(dma_pages[dma_pages_used], 0xa5, bytes);
	*pa = virt_to_phys(dma_pages[dma_pages_used++]);
	return (0);
}

void
contig_free(uint64_t pa, uint64_t bytes)
{
	assert_int_equal(bytes, 4096);
	assert_int_equal(pa, virt_to_phys(dma_pages[dma_pages_used - 1]));
	dma_pages_used--;
	dma_pages_left++;
}

/* ---- helpers */

/* One disk in slot 2, everything else empty. */
static struct sim_virtio *
begin(void)
{
	sim_mmio_reset();
	for (uint32_t i = 0; i < SLOTS; i++)
		sim_virtio_empty(&slots[i], i);
	sim_mmio_reset();
	for (uint32_t i = 0; i < SLOTS; i++)
		if (i != 2)
			sim_virtio_empty(&slots[i], i);
	sim_virtio_init(&slots[2], 2, BLOCKS);
	slots[2].version = variant->version;
	slots[2].latency_us = variant->latency_us;
	slots[2].shuffle = variant->shuffle;
	slots[2].batch = variant->batch;
	sim_ram_init(RAM_BYTES);
	dma_pages_used = 0;
	dma_pages_left = SLOTS;
	console_tap_begin();
	memset(&drivers_params, 0, sizeof(drivers_params));
	sim_seed(variant->seed != 0 ? variant->seed : 1);
	if (variant->seed != 0)
		sim_random_scheduler(variant->seed);
	return (&slots[2]);
}

static struct sim_virtio *
begin_attached(void)
{
	struct sim_virtio *v = begin();

	assert_int_equal(virtio_blk_probe(&where), 1);
	dev = blk_find("vd0");
	assert_non_null(dev);
	return (v);
}

static void
end(void)
{
	sim_random_scheduler(0);
	if (dev != NULL)
		blk_unregister(dev);
	dev = NULL;
	for (uint32_t i = 0; i < SLOTS; i++)
		sim_virtio_free(&slots[i]);
}

static void
run_all(void (*body)(void *arg), void *arg)
{
	for (uint32_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		variant = &variants[i];
		sim_run(body, arg);
	}
}

/* cmocka test test_NAME of NAME_body, with each variant of the device. */
#define EACH_VARIANT(name)                      \
	static void test_##name(void **state)   \
	{                                       \
		run_all(name##_body, *state);   \
	}

static uint8_t *
buffer(void)
{
	return (phys_to_virt(BUFFER_PA));
}

static bool
said(const char *text)
{
	return (strstr(console_tap_text(), text) != NULL);
}

static void
assert_reads_right(struct sim_virtio *v, uint64_t block, uint32_t block_count)
{
	memset(buffer(), 0xee, block_count * 512);
	assert_int_equal(blk_read(dev, block, buffer(), block_count), 0);
	assert_memory_equal(buffer(), v->bytes + block * 512, block_count * 512);
}

static void
assert_writes_right(struct sim_virtio *v, uint64_t block, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count * 512; i++)
		buffer()[i] = (uint8_t)(i * 13 + block);
	assert_int_equal(blk_write(dev, block, buffer(), block_count), 0);
	assert_memory_equal(v->bytes + block * 512, buffer(), block_count * 512);
}

/* ---- tests */

static void
basic_body(void *arg)
{
	struct sim_virtio *v = begin_attached();

	(void)arg;
	assert_int_equal(dev->block_count, BLOCKS);
	assert_false(dev->read_only);
	assert_true(dev->can_flush);
	assert_true(said("vd0: virtio disk simulated, 2 MiB"));
	assert_string_equal(virtio_blk_serial(0), "simulated");
	assert_null(virtio_blk_serial(1));
	assert_reads_right(v, 0, 1);
	assert_reads_right(v, BLOCKS - 1, 1);
	assert_reads_right(v, 100, 1500);
	assert_writes_right(v, 7, 1);
	assert_writes_right(v, 1000, 1100);
	assert_reads_right(v, 999, 1102);
	assert_int_equal(blk_flush(dev), 0);
	assert_int_equal(v->flushes, 1);
	assert_int_equal(drivers_params.vblk_errors, 0);
	end();
}

/* Larger than one request may be, so in pieces; nothing beside it changes. */
static void
discard_body(void *arg)
{
	struct sim_virtio *v = begin_attached();
	struct bio bio = { .op = BIO_ERASE, .priority = BIO_PAGEOUT, .block = 1000,
		.block_count = 404 };

	(void)arg;
	assert_int_equal(dev->erase_blocks, 4);
	assert_int_equal(dev->align_blocks, 2048);
	memset(v->bytes + 999 * 512, 0x11, 406 * 512);
	assert_int_equal(blk_wait(dev, &bio), 0);
	assert_int_equal(v->discards, 5);
	assert_int_equal(v->bytes[1000 * 512 - 1], 0x11);
	assert_memory_equal(v->bytes + 1000 * 512, (uint8_t[404 * 512]){ 0 }, 404 * 512);
	assert_int_equal(v->bytes[1404 * 512], 0x11);
	assert_int_equal(dev->erases, 1);
	v->bad_sector = 1100;
	assert_int_equal(blk_wait(dev, &bio), ERR_IO);
	end();
}

EACH_VARIANT(discard)

/* Without the feature, or with one that means nothing. */
static void
no_discard_body(void *arg)
{
	struct sim_virtio *v = begin();
	struct bio bio = { .op = BIO_ERASE, .block_count = 4 };

	v->discard_max = 3; /* less than it wants at least */
	v->features &= *(int *)arg != 0 ? ~0ull : ~(1ull << 13);
	assert_int_equal(virtio_blk_probe(&where), 1);
	dev = blk_find("vd0");
	assert_int_equal(dev->erase_blocks, 0);
	assert_int_equal(blk_wait(dev, &bio), ERR_NOTSUP);
	end();
}

static void
test_no_discard(void **state)
{
	(void)state;
	run_all(no_discard_body, &(int){ 0 });
	run_all(no_discard_body, &(int){ 1 });
}

EACH_VARIANT(basic)

/* Many scattered requests at once. */
#define MANY 40
static struct bio bios[MANY];
static uint32_t finished;
static struct irq_lock lock; /* finished */

static void
count_done(struct bio *bio)
{
	assert_int_equal(bio->error, *(int *)bio->context);
	irq_lock_acquire(&lock);
	finished++;
	irq_lock_release(&lock);
	wakeup(&finished);
}

static void
wait_finished(uint32_t count)
{
	irq_lock_acquire(&lock);
	while (finished < count)
		(void)msleep(&finished, &lock, "test", SLEEP_FOREVER);
	irq_lock_release(&lock);
}

static void
submit_many(uint32_t segments, int *expect)
{
	finished = 0;
	memset(buffer(), 0, MANY * 16384);
	for (uint32_t i = 0; i < MANY; i++) {
		struct bio *bio = &bios[i];

		*bio = (struct bio){ .op = BIO_READ, .priority = i % BIO_PRIORITY_COUNT,
			.block = i * 64 % BLOCKS, .block_count = 32, .done = count_done,
			.segment_count = (uint16_t)segments, .context = expect };
		for (uint32_t s = 0; s < segments; s++)
			bio->segments[s] = (struct bio_segment){
				BUFFER_PA + i * 16384 + (segments - 1 - s) * (16384 / segments),
				16384 / segments };
		blk_submit(dev, bio);
	}
	wait_finished(MANY);
}

static void
check_many(const struct sim_virtio *v, uint32_t segments)
{
	uint32_t bytes = 16384 / segments;

	for (uint32_t i = 0; i < MANY; i++)
		for (uint32_t s = 0; s < segments; s++)
			assert_memory_equal(buffer() + i * 16384 + (segments - 1 - s) * bytes,
			    v->bytes + (i * 64 % BLOCKS) * 512 + s * bytes, bytes);
}

static void
depth_body(void *arg)
{
	struct sim_virtio *v = begin_attached();
	uint32_t segments = *(uint32_t *)arg;
	int none = 0;

	submit_many(segments, &none);
	check_many(v, segments);
	if (variant->latency_us != 0)
		assert_true(v->waiting_max >= (segments == 1 ? 16 : segments == 4 ? 10 : 1));
	assert_true(drivers_params.vblk_inflight_max <= 16);
	end();
}

static void
test_queue_depth(void **state)
{
	static uint32_t segments[] = { 1, 4, 32 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		run_all(depth_body, &segments[i]);
}

static void
limits_body(void *arg)
{
	struct sim_virtio *v = begin();
	int none = 0;

	(void)arg;
	v->features |= 1u << 1;
	v->size_max = 1500;
	v->seg_max = 3;
	v->queue_max = 8;
	assert_int_equal(virtio_blk_probe(&where), 1);
	dev = blk_find("vd0");
	submit_many(4, &none);
	check_many(v, 4);
	assert_int_equal(v->segments_seen, 3);
	assert_int_equal(v->segment_bytes_seen, 1024);
	assert_writes_right(v, 10, 200);
	end();
}

static void
test_small_limits(void **state)
{
	run_all(limits_body, *state);
}

static void
merge_body(void *arg)
{
	struct sim_virtio *v = begin_attached();

	(void)arg;
	finished = 0;
	v->requests = 0;
	v->latency_us = 50;
	static int none = 0;
	for (uint32_t i = 0; i < 20; i++) {
		bios[i] = (struct bio){ .op = BIO_WRITE, .priority = BIO_PAGEOUT, .block = i * 8,
			.block_count = 8, .segment_count = 1, .done = count_done,
			.segments = { { BUFFER_PA + i * 4096, 4096 } }, .context = &none };
		memset(buffer() + i * 4096, (int)i, 4096);
		blk_submit(dev, &bios[i]);
	}
	wait_finished(20);
	assert_memory_equal(v->bytes, buffer(), 20 * 4096);
	end();
}

EACH_VARIANT(merge)

static void
io_error_body(void *arg)
{
	struct sim_virtio *v = begin_attached();

	(void)arg;
	v->bad_sector = 105;
	assert_int_equal(blk_read(dev, 100, buffer(), 8), ERR_IO);
	assert_int_equal(blk_write(dev, 105, buffer(), 1), ERR_IO);
	assert_reads_right(v, 106, 4);
	assert_int_equal(drivers_params.vblk_errors, 2);
	assert_int_equal(drivers_params.vblk_failed, 0);
	v->capacity = 1000;
	assert_int_equal(blk_read(dev, 2000, buffer(), 8), ERR_IO);
	end();
}

EACH_VARIANT(io_error)

static void
read_only_body(void *arg)
{
	struct sim_virtio *v = begin();

	(void)arg;
	v->features |= 1u << 5;
	v->features &= ~(1ull << 9);
	v->serial = "";
	assert_int_equal(virtio_blk_probe(&where), 1);
	dev = blk_find("vd0");
	assert_true(dev->read_only);
	assert_true(said("read-only"));
	assert_int_equal(blk_write(dev, 1, buffer(), 1), ERR_ROFS);
	assert_int_equal(blk_flush(dev), 0);
	assert_int_equal(v->flushes, 0);
	end();
}

EACH_VARIANT(read_only)

static void
garbage_body(void *arg)
{
	struct sim_virtio *v = begin_attached();
	int io = ERR_IO;

	assert_reads_right(v, 3, 3);
	v->garbage = *(enum sim_virtio_garbage *)arg;
	if (variant->version == 1 &&
	    (v->garbage == SIM_VIRTIO_LONG || v->garbage == SIM_VIRTIO_SHORT)) {
		assert_reads_right(v, 4, 3);
		end();
		return;
	}
	submit_many(2, &io);
	assert_int_equal(drivers_params.vblk_failed, 1);
	assert_true(said("vd0: the device broke the virtio protocol"));
	assert_int_equal(v->status, 0);
	assert_int_equal(blk_read(dev, 0, buffer(), 1), ERR_IO);
	submit_many(1, &io);
	end();
}

static void
test_garbage(void **state)
{
	(void)state;
	for (enum sim_virtio_garbage g = SIM_VIRTIO_INDEX; g <= SIM_VIRTIO_NO_STATUS; g++)
		run_all(garbage_body, &g);
}

/* A callback that submits again to a disk that has failed. */
static uint32_t again_left;

static void
again_done(struct bio *bio)
{
	assert_int_equal(bio->error, ERR_IO);
	if (again_left-- > 0)
		blk_submit(dev, bio);
	else
		wakeup(&again_left);
}

static void
again_body(void *arg)
{
	struct sim_virtio *v = begin_attached();

	(void)arg;
	v->garbage = SIM_VIRTIO_HEAD;
	again_left = 10000;
	bios[0] = (struct bio){ .op = BIO_READ, .block_count = 1, .segment_count = 1,
		.segments = { { BUFFER_PA, 512 } }, .done = again_done };
	blk_submit(dev, &bios[0]);
	while (again_left != UINT32_MAX)
		tsleep(&again_left, "test", 1000);
	end();
}

static void
test_submit_again_after_failure(void **state)
{
	run_all(again_body, *state);
}

/* A device that falls silent is given up, one that is slow is not. */
static void
silent_body(void *arg)
{
	struct sim_virtio *v = begin_attached();
	int io = ERR_IO;
	uint64_t start_us;

	(void)arg;
	assert_reads_right(v, 3, 3);
	v->latency_us = 29000000;
	assert_reads_right(v, 4, 3);
	assert_reads_right(v, 5, 3);
	v->latency_us = 2000000; /* while the watch is set it expires */
	for (uint32_t i = 0; i < 20; i++)
		assert_reads_right(v, 6 + i, 3);
	assert_int_equal(drivers_params.vblk_failed, 0);
	v->deaf = true;
	start_us = timer_now_us();
	submit_many(2, &io);
	assert_in_range(timer_now_us() - start_us, 30000000, 60000000);
	assert_int_equal(drivers_params.vblk_failed, 1);
	assert_true(said("vd0: the device broke the virtio protocol (no answer for 30 seconds)"));
	assert_int_equal(v->status, 0);
	assert_int_equal(blk_read(dev, 0, buffer(), 1), ERR_IO);
	end();
}

EACH_VARIANT(silent)

static void
unusable_body(void *arg)
{
	struct sim_virtio *v = begin();
	uint32_t what = *(uint32_t *)arg;

	if (what == 0)
		v->blk_size = 4096;
	else if (what == 1)
		v->queue_max = 2;
	else if (what == 2)
		v->deaf = true;
	else if (what == 3)
		v->version = 3;
	else if (what == 4)
		v->device_id = 1;
	else
		dma_pages_left = 0;
	assert_int_equal(virtio_blk_probe(&where), 0);
	assert_null(blk_find("vd0"));
	assert_int_equal(said("vd0: virtio disk not usable"), what < 3 || what == 5);
	assert_int_equal(said("no memory for its queue"), what == 5);
	assert_int_equal(dma_pages_used, what == 2); /* K8: the deaf one keeps its page */
	end();
}

static void
test_unusable(void **state)
{
	(void)state;
	for (uint32_t what = 0; what < 6; what++)
		run_all(unusable_body, &what);
}

static void
order_body(void *arg)
{
	struct sim_virtio *v = begin();

	(void)arg;
	sim_virtio_init(&slots[3], 3, 64);
	slots[3].serial = "top";
	v->serial = "below";
	sim_mmio_reset();
	for (uint32_t i = 0; i < SLOTS; i++)
		sim_mmio_add(&slots[i].window);
	assert_int_equal(virtio_blk_probe(&where), 2);
	assert_string_equal(virtio_blk_serial(0), "top");
	assert_string_equal(virtio_blk_serial(1), "below");
	dev = blk_find("vd1");
	assert_reads_right(v, 5, 5);
	blk_unregister(blk_find("vd0"));
	end();
}

EACH_VARIANT(order)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),
cmocka_unit_test(test_discard),
cmocka_unit_test(test_no_discard),
		cmocka_unit_test(test_queue_depth),
		cmocka_unit_test(test_small_limits),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_io_error),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_submit_again_after_failure),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_order),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
