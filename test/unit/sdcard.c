/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SD drivers against simulated controllers and a simulated card: every kind of
 * card is identified and gives and takes the right bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_sdhost.h"
#include "drivers/drivers_params.h"
#include "kern/blkdev.h"
#include "kern/sched.h"
#include "lib/err.h"
#include "test/host/sd_fixture.h"

/* ---- identification */

static void
kind_body(void *arg)
{
	enum sim_card_kind kind = *(enum sim_card_kind *)arg;

	sd_begin(kind);
	sd_card.op_cond_polls = 3;
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(sd_dev->block_count, SD_BLOCKS);
	assert_int_equal(sd_dev->block_bytes, 512);
	assert_false(sd_dev->read_only);
	assert_true(sd_said(kind == SIM_CARD_SDHC ? "sd0: SDHC" : "sd0: SDSC"));
	assert_true(sd_said("SIMSD, 4 MiB, 25 MHz, 4-bit"));
	assert_true(sd_four_lines());
	assert_int_equal(sd_clock_hz(), 25000000);
	assert_int_equal(sd_card.commands[16], kind == SIM_CARD_SDHC ? 0 : 1);
	sd_assert_reads_right(0, 1);
	sd_assert_reads_right(SD_BLOCKS - 1, 1);
	sd_assert_reads_right(1000, 64);
	sd_assert_writes_right(77, 1);
	sd_assert_writes_right(2000, 128);
	sd_assert_reads_right(2128, 1);
	assert_true(sd_dma_used() == sd_mode->dma);
	assert_int_equal(drivers_params.sd_retried, 0);
	assert_int_equal(drivers_params.sd_errors, 0);
	sd_end();
}

static void
test_kinds(void **state)
{
	(void)state;
	for (enum sim_card_kind kind = SIM_CARD_SDSC_V1; kind <= SIM_CARD_SDHC; kind++)
		sd_run_all(kind_body, &kind);
}

static void
no_card_body(void *arg)
{
	sd_begin(SIM_CARD_SDHC);
	sd_card.removed = true;
	sd_mute(*(bool *)arg);
	assert_int_equal(sd_attach(), ERR_NODEV);
	assert_true(sd_said("sd0: no card"));
	assert_null(blk_find("sd0"));
	sd_end();
}

static void
test_no_card(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++)
		sd_run_all(no_card_body, &(bool){ mute });
}

static void
slow_power_up_body(void *arg)
{
	(void)arg;
	sd_begin(SIM_CARD_SDHC);
	sd_card.op_cond_polls = 1000;
	assert_int_equal(sd_attach(), ERR_TIMEDOUT);
	assert_true(sd_said("cannot be identified"));
	sd_end();
}

static void
test_never_powers_up(void **state)
{
	sd_run_all(slow_power_up_body, *state);
}

static void
one_failure_body(void *arg)
{
	static const uint32_t indices[] = { 2, 3, 7, 9, 41, 51, 55 };

	sd_begin(SIM_CARD_SDHC);
	sd_card.fail_index = indices[*(uint32_t *)arg];
	sd_card.fail_count = 1;
	sd_card.fail_result = SIM_CARD_BAD_CRC;
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(sd_card.fail_count, 0);
	sd_assert_reads_right(5, 9);
	sd_end();
}

static void
test_identification_repeats(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		sd_run_all(one_failure_body, &i);
}

static void
read_only_body(void *arg)
{
	(void)arg;
	sd_begin(SIM_CARD_SDHC);
	sd_card.read_only = true;
	assert_int_equal(sd_attach(), 0);
	assert_true(sd_dev->read_only);
	assert_true(sd_said("write protected"));
	assert_int_equal(sd_write_blocks(3, 2), ERR_ROFS);
	assert_int_equal(sd_card.commands[25], 0);
	sd_end();
}

static void
test_read_only(void **state)
{
	sd_run_all(read_only_body, *state);
}

/* ---- transfers */

static void
counted_body(void *arg)
{
	bool counted = *(bool *)arg;
	/* SDHOST's writes are never counted. */
	uint32_t transfers_counted = !counted ? 0 : sd_mode->sdhost ? 2 : 4;

	sd_begin(SIM_CARD_SDHC);
	sd_card.has_cmd23 = counted;
	sd_card.ahead = true;
	sd_card.busy_polls = 5;
	assert_int_equal(sd_attach(), 0);
	sd_assert_writes_right(16, 8);
	sd_assert_writes_right(SD_BLOCKS - 8, 8);
	sd_assert_reads_right(SD_BLOCKS - 40, 32);
	assert_int_equal(sd_read_blocks(SD_BLOCKS - 8, 8), 0);
	assert_memory_equal(sd_buffer(), sd_card.bytes + (SD_BLOCKS - 8) * 512ull, 8 * 512);
	assert_int_equal(sd_card.commands[23], transfers_counted);
	assert_int_equal(sd_card.commands[12], 4 - transfers_counted);
	assert_int_equal(drivers_params.sd_retried, 0);
	assert_int_equal(drivers_params.sd_writes, 2);
	assert_int_equal(drivers_params.sd_written_blocks, 16);
	sd_end();
}

static void
test_with_and_without_cmd23(void **state)
{
	(void)state;
	for (int counted = 0; counted < 2; counted++)
		sd_run_all(counted_body, &(bool){ counted });
}

static uint32_t finished;

static void
count_done(struct bio *bio)
{
	assert_int_equal(bio->error, 0);
	finished++;
	wakeup(&finished);
}

/* Adjacent requests with scattered memory go out as one transfer. */
static void
merged_body(void *arg)
{
	static struct bio bios[5];

	(void)arg;
	sd_begin_attached();
	finished = 0;
	memset(sd_buffer(), 0, 5 * 4096);
	for (uint32_t i = 0; i < 5; i++) {
		bios[i] = (struct bio){ .op = BIO_READ, .priority = BIO_PAGEIN, .block = 64 + i * 8,
			.block_count = 8, .segment_count = 2, .done = count_done,
			.segments = { { SD_BUFFER_PA + (4 - i) * 4096 + 512, 3584 },
			    { SD_BUFFER_PA + (4 - i) * 4096, 512 } } };
		blk_submit(sd_dev, &bios[i]);
	}
	while (finished < 5) /* completed by a task: no wakeup is lost in between */
		tsleep(&finished, "test", SLEEP_FOREVER);
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(sd_is_pattern(sd_buffer() + (4 - i) * 4096 + 512, 64 + i * 8, 7));
		assert_true(sd_is_pattern(sd_buffer() + (4 - i) * 4096, 64 + i * 8 + 7, 1));
	}
	if (sd_variant->seed == 0)
		assert_int_equal(sd_card.commands[18], 1);
	sd_end();
}

static void
test_merged_chain(void **state)
{
	sd_run_all(merged_body, *state);
}

static void
flush_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	assert_int_equal(blk_flush(sd_dev), 0);
	sd_end();
}

static void
test_flush(void **state)
{
	sd_run_all(flush_body, *state);
}

/* The clock that SDHOST divides changes: the card keeps its own, from the next command on. */
static void
core_clock_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	if (!sd_mode->sdhost) {
		sd_end();
		return;
	}
	assert_int_equal(sd_sdhost.cdiv, 8);
	bcm2835_sdhost_set_core_clock(400000000);
	assert_int_equal(sd_sdhost.cdiv, 8);
	sd_assert_reads_right(100, 8);
	assert_int_equal(sd_sdhost.cdiv, 14);
	bcm2835_sdhost_set_core_clock(0); /* nobody knows */
	sd_assert_reads_right(100, 8);
	assert_int_equal(sd_sdhost.cdiv, 14);
	sd_end();
}

static void
test_core_clock(void **state)
{
	sd_run_all(core_clock_body, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_no_card),
		cmocka_unit_test(test_never_powers_up),
		cmocka_unit_test(test_identification_repeats),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_with_and_without_cmd23),
		cmocka_unit_test(test_merged_chain),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_core_clock),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
