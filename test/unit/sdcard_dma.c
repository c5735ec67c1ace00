/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SD drivers and the DMA engine: cache maintenance, failures of the engine, and the way
 * back to PIO.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_dma.h"
#include "drivers/drivers_params.h"
#include "kern/blkdev.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/err.h"
#include "test/host/sd_fixture.h"

/* Run body with the modes that use DMA only. */
#define DMA_BODY(name)                     \
	static void                        \
	name##_dma(void *arg)              \
	{                                  \
		if (sd_mode->dma)          \
			name(arg);         \
	}

/* ---- cache maintenance */

/* Each kind left out is seen: as wrong bytes, or as an engine that reads what is no list. */
static void
lost_clean_body(void *arg)
{
	(void)arg;
	sd_lose_maintenance(SIM_CACHE_CLEAN);
	sd_begin_attached();
	assert_int_equal(sd_write_blocks(100, 16), 0);
	assert_memory_not_equal(sd_card.bytes + 100 * 512, sd_buffer(), 16 * 512);
	sd_lose_maintenance(0);
	sd_end();
}
DMA_BODY(lost_clean_body)

static void
lost_invalidate_body(void *arg)
{
	sd_lose_maintenance(*(enum sim_cache_case *)arg);
	sd_begin_attached();
	assert_int_equal(sd_read_blocks(100, 16), 0);
	assert_false(sd_is_pattern(sd_buffer(), 100, 16));
	sd_lose_maintenance(0);
	sd_end();
}
DMA_BODY(lost_invalidate_body)

static void
lost_blocks_body(void *arg)
{
	sd_lose_maintenance(SIM_CACHE_CLEAN_BLOCKS);
	sd_begin_attached();
	(void)arg;
	(void)!sd_read_blocks(100, 16);
}

static void
test_missing_maintenance_is_seen(void **state)
{
	enum sim_cache_case before = SIM_CACHE_INVALIDATE_BEFORE;
	enum sim_cache_case after = SIM_CACHE_INVALIDATE_AFTER;

	(void)state;
	sd_run_all(lost_clean_body_dma, NULL);
	sd_run_all(lost_invalidate_body_dma, &before);
	sd_run_all(lost_invalidate_body_dma, &after);
	for (uint32_t sdhost = 0; sdhost < 2; sdhost++) {
		sd_choose(sdhost, true);
		sim_run_expect("Q1", lost_blocks_body, NULL);
		sd_lose_maintenance(0);
		sd_give_up();
	}
}

/* Written by PIO, read back by DMA, changed and written again: caches and memory stay one. */
static void
mixed_body(void *arg)
{
	static struct bio bio;

	(void)arg;
	sd_begin_attached();
	for (uint32_t round = 0; round < 4; round++) {
		sd_assert_writes_right(64 + round, 24);
		sd_assert_reads_right(200 + round, 33);
		assert_int_equal(sd_read_blocks(64 + round, 24), 0);
		assert_memory_equal(sd_buffer(), sd_card.bytes + (64 + round) * 512, 24 * 512);
		/* Neighbours of a single block stay what the CPU made them. */
		memset(sd_buffer(), 0x11 * (int)round, 3 * 512);
		bio = (struct bio){ .op = BIO_READ, .block = 300, .block_count = 1,
			.segment_count = 1, .segments = { { SD_BUFFER_PA + 512, 512 } } };
		assert_int_equal(blk_wait(sd_dev, &bio), 0);
		assert_true(sd_is_pattern(sd_buffer() + 512, 300, 1));
		assert_int_equal(sd_buffer()[511], 0x11 * round);
		assert_int_equal(sd_buffer()[1024], 0x11 * round);
	}
	sd_end();
}

static void
test_mixed(void **state)
{
	sd_run_all(mixed_body, *state);
}

/* ---- lists */

/* Memory in more pieces than a list holds: the processor does it. */
static void
long_list_body(void *arg)
{
	static struct bio bios[10];
	uint32_t done = 0;

	(void)arg;
	sd_begin_attached();
	sim_random_scheduler(0);
	memset(bios, 0, sizeof(bios));
	for (uint32_t b = 0; b < 10; b++) {
		bios[b] = (struct bio){ .op = BIO_READ, .priority = BIO_NORMAL,
			.block = 1000 + b * 32, .block_count = 32, .segment_count = 32 };
		for (uint32_t i = 0; i < 32; i++)
			bios[b].segments[i] = (struct bio_segment){
				SD_BUFFER_PA + (b * 32 + i) * 1024, 512 };
	}
	for (uint32_t b = 0; b < 10; b++)
		blk_submit(sd_dev, &bios[b]);
	for (uint32_t b = 0; b < 10; b++)
		while (bios[b].state != BIO_IDLE)
			tsleep(&done, "test", 1000);
	for (uint32_t i = 0; i < 320; i++)
		assert_true(sd_is_pattern(sd_buffer() + i * 1024, 1000 + i, 1));
	assert_int_equal(sd_card.commands[18], 1);
	assert_int_equal(sim_dma.chains, 0);
	sd_assert_reads_right(1, 16);
	assert_int_equal(sim_dma.chains, sd_mode->dma);
	sd_end();
}

static void
test_long_list(void **state)
{
	sd_run_all(long_list_body, *state);
}

/* ---- the engine fails */

static void
engine_error_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sd_assert_reads_right(10, 16);
	sim_dma.fail_after = 300;
	sd_assert_reads_right(400, 20);
	assert_true(sd_said(sd_mode->sdhost ? "sdhost: DMA channel 5 reports an error" :
	    "emmc: DMA channel 5 reports an error"));
	assert_int_equal(drivers_params.dma_errors, 1);
	assert_int_equal(sd_dev->retries, 1);
	assert_int_equal(drivers_params.sd_errors, 0);
	sd_assert_writes_right(500, 20);
	sd_assert_reads_right(700, 20);
	assert_int_equal(sim_dma.chains, 1);
	sd_end();
}
DMA_BODY(engine_error_body)

static void
test_engine_error(void **state)
{
	sd_run_all(engine_error_body_dma, *state);
}

/* A channel that stands without an error: twice in a row is enough. */
static void
engine_stuck_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sim_dma.stuck = true;
	sd_assert_writes_right(500, 20);
	assert_true(sd_said("DMA channel 5 does not come to its end"));
	assert_int_equal(sd_dev->retries, 2);
	assert_true(sd_dev->resets >= 2);
	assert_int_equal(drivers_params.dma_aborts, 2);
	sd_assert_reads_right(700, 20);
	sd_end();
}
DMA_BODY(engine_stuck_body)

static void
test_engine_stuck(void **state)
{
	sd_run_all(engine_stuck_body_dma, *state);
}

/* The card's errors are not laid at the engine's door, and end the wait at once. */
static void
card_error_body(void *arg)
{
	uint64_t start_us;

	(void)arg;
	sd_begin_attached();
	start_us = timer_now_us();
	for (uint32_t i = 0; i < 3; i++) {
		sd_card.data_fail_block = 3;
		sd_card.data_fail_count = 2;
		sd_card.data_fail_result = SIM_CARD_BAD_CRC;
		sd_assert_reads_right(300, 20);
		sd_card.data_fail_count = 2;
		sd_assert_writes_right(600, 20);
	}
	assert_true(timer_now_us() - start_us < 900000);
	assert_int_equal(sd_dev->retries, 12);
	assert_false(sd_said("from now on"));
	sd_assert_reads_right(900, 20);
	assert_true(sim_dma.chains >= 7);
	sd_end();
}
DMA_BODY(card_error_body)

static void
test_card_error(void **state)
{
	sd_run_all(card_error_body_dma, *state);
}

/* An interrupt that gets lost costs a look at the registers, not a transfer. */
static void
lost_interrupt_body(void *arg)
{
	uint64_t start_us;

	(void)arg;
	sd_begin_attached();
	start_us = timer_now_us();
	sim_dma.lose_interrupt = true;
	sd_assert_reads_right(400, 20);
	sim_dma.lose_interrupt = true;
	sd_assert_writes_right(500, 20);
	assert_true(timer_now_us() - start_us < 100000);
	assert_int_equal(sd_dev->retries, 0);
	assert_int_equal(sim_dma.chains, 2);
	sd_end();
}
DMA_BODY(lost_interrupt_body)

static void
test_lost_interrupt(void **state)
{
	sd_run_all(lost_interrupt_body_dma, *state);
}

/* ---- the channel */

static void
channel_body(void *arg)
{
	struct bcm2835_dma *dma;

	(void)arg;
	sim_ram_init(4096);
	sim_mmio_reset();
	sim_dma_init();
	assert_int_equal(bcm2835_dma_attach(SIM_DMA_BASE, SIM_DMA_LINE, 0x7f81, &dma), ERR_NODEV);
	assert_int_equal(bcm2835_dma_attach(SIM_DMA_BASE, SIM_DMA_LINE, 0x3c, &dma), 0);
	assert_int_equal(bcm2835_dma_channel(dma), 5);
	assert_int_equal(bcm2835_dma_attach(SIM_DMA_BASE, SIM_DMA_LINE, 0x7f15, &dma), 0);
	assert_int_equal(bcm2835_dma_channel(dma), 4);
	assert_true(sim_irq_line_enabled(SIM_DMA_LINE + 4));
	assert_int_equal(sim_dma.enable, 1u << 4 | 1u << 5);
	bcm2835_dma_begin(dma);
	for (uint32_t i = 0; i < BCM2835_DMA_PIECES_MAX; i++)
		assert_int_equal(bcm2835_dma_add(dma, SIM_RAM_BASE + i * 1024, 512), 0);
	assert_int_equal(bcm2835_dma_add(dma, SIM_RAM_BASE + (1 << 20), 512), ERR_NOSPC);
	/* What continues the last piece still fits. */
	assert_int_equal(bcm2835_dma_add(dma, SIM_RAM_BASE + 255 * 1024 + 512, 512), 0);
}

static void
test_channel(void **state)
{
	sim_run(channel_body, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_maintenance_is_seen),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_engine_error),
		cmocka_unit_test(test_engine_stuck),
		cmocka_unit_test(test_card_error),
		cmocka_unit_test(test_lost_interrupt),
		cmocka_unit_test(test_channel),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
