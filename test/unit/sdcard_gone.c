/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SD cards that are pulled out and put back, completions that get lost, and anything that
 * goes wrong in any order (seeded).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "kern/blkdev.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/err.h"
#include "test/host/sd_fixture.h"

/* ---- out and back */

static struct sim_event put_back_event, pull_event;

static void
put_back(void *arg)
{
	(void)arg;
	sd_card.removed = false;
	sim_card_power_cycle(&sd_card);
}

static void
pull(void *arg)
{
	(void)arg;
	sd_card.removed = true;
}

struct gone_case {
	bool write, mute, in_transfer;
};

/* The request waits and goes through; nothing is lost, and two lines tell. */
static void
waits_body(void *arg)
{
	const struct gone_case *c = arg;
	uint64_t start_us;

	sd_begin_attached();
	sd_mute(c->mute);
	drivers_params.sd_gone_wait = 10;
	if (c->in_transfer) {
		sd_card.data_fail_block = 7;
		sd_card.data_fail_count = 1;
		sd_card.data_fail_result = SIM_CARD_SILENT;
		sd_card.data_fail_removes = true;
	} else {
		sd_card.removed = true;
	}
	sim_event_schedule(&put_back_event, 6000000, put_back, NULL);
	start_us = timer_now_us();
	if (c->write)
		sd_assert_writes_right(300, 20);
	else
		sd_assert_reads_right(300, 20);
	assert_true(timer_now_us() - start_us >= 5000000);
	assert_true(timer_now_us() - start_us < 10000000);
	assert_true(sd_said("sd0: card does not answer"));
	assert_true(sd_said("sd0: the card is back\n"));
	assert_int_equal(drivers_params.sd_removals, 1);
	assert_int_equal(drivers_params.sd_errors, 0);
	assert_true(sd_dev->resets > 0 && sd_dev->retries > 0);
	sd_mute(false);
	sd_assert_reads_right(600, 8);
	sd_end();
}

static void
test_request_waits(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct gone_case c = { .write = i & 1, .mute = i & 2, .in_transfer = i & 4 };

		sd_run_all(waits_body, &c);
	}
}

/* ... but not longer than it may, and those that come later not at all. */
static void
gives_up_body(void *arg)
{
	uint64_t start_us;

	(void)arg;
	sd_begin_attached();
	drivers_params.sd_gone_wait = 3;
	sd_card.removed = true;
	start_us = timer_now_us();
	assert_int_equal(sd_read_blocks(300, 20), ERR_NODEV);
	assert_true(timer_now_us() - start_us >= 3000000);
	assert_true(timer_now_us() - start_us < 5000000);
	start_us = timer_now_us();
	assert_int_equal(sd_write_blocks(300, 20), ERR_NODEV);
	assert_true(timer_now_us() - start_us < 1500000);
	put_back(NULL);
	tsleep(&start_us, "test", 1500000);
	sd_assert_reads_right(300, 20);
	assert_true(sd_said("sd0: the card is back\n"));
	assert_int_equal(drivers_params.sd_removals, 1);
	sd_end();
}

static void
test_gives_up(void **state)
{
	sd_run_all(gives_up_body, *state);
}

/* Another card in between is not written to, and the right one is waited for all the same. */
static void
other_card_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	drivers_params.sd_gone_wait = 10;
	sd_card.serial = 7;
	sim_card_power_cycle(&sd_card);
	pull(NULL);
	sim_event_schedule(&put_back_event, 1000000, put_back, NULL);
	sim_event_schedule(&pull_event, 4000000, pull, NULL);
	drivers_params.sd_gone_wait = 3;
	assert_int_equal(sd_write_blocks(300, 20), ERR_NODEV);
	assert_true(sd_said("this is another card"));
	assert_true(sd_is_pattern(sd_card.bytes + 300 * 512, 300, 20));
	tsleep(&put_back_event, "test", 3000000);
	sd_card.serial = 1;
	put_back(NULL);
	tsleep(&put_back_event, "test", 1500000);
	sd_assert_writes_right(300, 20);
	sd_end();
}

static void
test_other_card(void **state)
{
	sd_run_all(other_card_body, *state);
}

/* A card of another size is another card, whatever its CID says. */
static void
other_size_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sd_card.block_count = SD_BLOCKS / 2;
	sim_card_power_cycle(&sd_card);
	assert_int_equal(sd_write_blocks(300, 20), ERR_NODEV);
	assert_true(sd_is_pattern(sd_card.bytes + 300 * 512, 300, 20));
	sd_card.block_count = SD_BLOCKS;
	sim_card_power_cycle(&sd_card);
	tsleep(&put_back_event, "test", 1500000);
	sd_assert_writes_right(300, 20);
	sd_assert_reads_right(SD_BLOCKS - 8, 8);
	sd_end();
}

static void
test_other_size(void **state)
{
	sd_run_all(other_size_body, *state);
}

/* Without a request the going and coming shows all the same. */
static void
idle_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	drivers_params.sd_look = 2;
	sd_assert_reads_right(1, 1);
	tsleep(&put_back_event, "test", 5000000);
	assert_int_equal(drivers_params.sd_removals, 0);
	assert_true(sd_card.commands[13] > 0);
	sd_card.removed = true;
	tsleep(&put_back_event, "test", 5000000);
	assert_true(sd_said("sd0: card does not answer"));
	assert_int_equal(drivers_params.sd_removals, 1);
	put_back(NULL);
	tsleep(&put_back_event, "test", 5000000);
	assert_true(sd_said("sd0: the card is back\n"));
	sd_assert_reads_right(300, 20);
	assert_int_equal(sd_dev->errors, 0);
	sd_end();
}

static void
test_idle(void **state)
{
	sd_run_all(idle_body, *state);
}

/* ---- completions */

static void
lost_done_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	for (uint32_t i = 0; i < 4; i++) {
		sd_lose_done();
		sd_assert_reads_right(300, 20);
		sd_lose_done();
		sd_assert_writes_right(900, 20);
	}
	assert_int_equal(sd_dev->retries, 0);
	assert_int_equal(drivers_params.sd_errors, 0);
	sd_end();
}

static void
test_lost_completion(void **state)
{
	sd_run_all(lost_done_body, *state);
}

static void
unstick(void *arg)
{
	(void)arg;
	sd_stick_busy(false);
}

/* The end of data does not come: a new start, and the transfer once more. */
static void
stuck_busy_body(void *arg)
{
	bool for_ever = *(bool *)arg;

	sd_begin_attached();
	sd_stick_busy(true);
	if (for_ever) {
		assert_int_equal(sd_write_blocks(300, 20), ERR_NODEV);
		sd_stick_busy(false);
		tsleep(&put_back_event, "test", 1500000);
	} else {
		sim_event_schedule(&put_back_event, 900000, unstick, NULL);
		sd_assert_writes_right(300, 20);
		assert_true(sd_dev->retries >= 1 && sd_dev->resets >= 1);
	}
	sd_assert_reads_right(600, 20);
	sd_end();
}

static void
test_stuck_busy(void **state)
{
	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++)
		sd_run_all(stuck_busy_body, &(bool){ for_ever });
}

/* ---- order */

static uint32_t order[4], ended;

static void
note_order(struct bio *bio)
{
	assert_int_equal(bio->error, 0);
	order[ended++] = (uint32_t)(uintptr_t)bio->context;
	wakeup(&ended);
}

/* What waits behind a request that has to be repeated stays behind it. */
static void
order_body(void *arg)
{
	static struct bio bios[4];

	(void)arg;
	sd_begin_attached();
	sim_random_scheduler(0);
	ended = 0;
	sd_card.data_fail_block = 2;
	sd_card.data_fail_count = 2;
	sd_card.data_fail_result = SIM_CARD_SILENT;
	for (uint32_t i = 0; i < 4; i++) {
		bios[i] = (struct bio){ .op = i & 1 ? BIO_WRITE : BIO_READ,
			.priority = BIO_NORMAL, .block = 100 + i * 64, .block_count = 16,
			.segment_count = 1, .segments = { { SD_BUFFER_PA + i * 8192, 8192 } },
			.done = note_order, .context = (void *)(uintptr_t)i };
		blk_submit(sd_dev, &bios[i]);
	}
	while (ended < 4)
		tsleep(&ended, "test", 1000000);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(sd_dev->retries, 2);
	sd_end();
}

static void
test_order(void **state)
{
	sd_run_all(order_body, *state);
}

/* ---- anything */

/* Somebody comes by every three seconds and puts the card back. */
static void
come_by(void *arg)
{
	if (sd_card.removed)
		put_back(NULL);
	sim_event_schedule(&put_back_event, 3000000, come_by, arg);
}

static void
trouble(void)
{
	static const uint8_t indices[] = { 12, 13, 17, 18, 23, 24, 25 };

	switch (sim_random(9)) {
	case 0:
		sd_card.fail_index = indices[sim_random(sizeof(indices))];
		sd_card.fail_skip = 0;
		sd_card.fail_count = 1 + sim_random(2);
		sd_card.fail_result = sim_random(2) ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC;
		break;
	case 1:
		sd_card.data_fail_block = sim_random(12);
		sd_card.data_fail_count = 1 + sim_random(2);
		sd_card.data_fail_result = sim_random(2) ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC;
		sd_card.data_fail_removes = sim_random(3) == 0;
		break;
	case 2:
		sd_lose_done();
		break;
	case 3:
		sim_dma.lose_interrupt = true;
		break;
	case 4:
		if (sim_random(4) == 0)
			sim_dma.fail_after = 1 + sim_random(1000);
		break;
	case 5:
		sim_event_schedule(&pull_event, sim_random(2000), pull, NULL);
		break;
	case 6:
		sd_card.busy_polls = sim_random(20);
		break;
	default:
		break;
	}
}

/* A model of the card's blocks: a salt each; 0: as new. */
static uint8_t model[256];

static void
model_check(uint32_t block, uint32_t block_count)
{
	for (uint32_t b = 0; b < block_count; b++) {
		const uint8_t *at = sd_buffer() + b * 512;

		if (model[block + b] == 0)
			assert_true(sd_is_pattern(at, block + b, 1));
		for (uint32_t i = 0; model[block + b] != 0 && i < 512; i += 61)
			assert_int_equal(at[i], model[block + b]);
	}
}

static void
step(uint32_t n)
{
	uint32_t count = 1 + sim_random(24), block = sim_random(256 - count);
	uint8_t salt = (uint8_t)(n % 255 + 1);

	trouble();
	if (sim_random(2)) {
		assert_int_equal(sd_read_blocks(block, count), 0);
		model_check(block, count);
		return;
	}
	memset(sd_buffer(), salt, count * 512);
	memset(model + block, salt, count);
	assert_int_equal(blk_write(sd_dev, block, sd_buffer(), count), 0);
}

static void
random_body(void *arg)
{
	uint64_t seed = sim_seed(*(uint64_t *)arg);

	sd_begin(SIM_CARD_SDHC);
	sim_random_scheduler(seed);
	sd_card.has_cmd23 = sim_random(2);
	sd_card.has_high_speed = sim_random(2);
	assert_int_equal(sd_attach(), 0);
	drivers_params.sd_gone_wait = 20;
	drivers_params.sd_retries = 10;
	memset(model, 0, sizeof(model));
	come_by(NULL);
	for (uint32_t n = 0; n < 60; n++)
		step(n);
	sim_event_cancel(&pull_event);
	sd_card.fail_count = sd_card.data_fail_count = 0;
	assert_int_equal(sd_read_blocks(0, 256), 0);
	model_check(0, 256);
	assert_int_equal(drivers_params.sd_errors, 0);
	sd_end();
}

static void
test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		sd_run_all(random_body, &seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_waits),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_other_card),
		cmocka_unit_test(test_other_size),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_lost_completion),
		cmocka_unit_test(test_stuck_busy),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_random),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
