/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SD drivers when things go wrong: each way for a transfer to fail
 * ends in right data or a clean error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "kern/blkdev.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/err.h"
#include "test/host/sd_fixture.h"

/* ---- failures */

struct data_failure {
	bool write;
	enum sim_card_result result;
	bool has_cmd23;
};

/* In the middle of a transfer, once. */
static void
data_failure_body(void *arg)
{
	const struct data_failure *f = arg;

	sd_begin(SIM_CARD_SDHC);
	sd_card.has_cmd23 = f->has_cmd23;
	assert_int_equal(sd_attach(), 0);
	sd_card.data_fail_block = 7;
	sd_card.data_fail_count = 1;
	sd_card.data_fail_result = f->result;
	if (f->write)
		sd_assert_writes_right(300, 20);
	else
		sd_assert_reads_right(300, 20);
	assert_int_equal(sd_card.data_fail_count, 0);
	assert_int_equal(drivers_params.sd_retried, 1);
	assert_int_equal(drivers_params.sd_errors, 0);
	sd_assert_reads_right(400, 3);
	sd_end();
}

static void
test_data_failure_once(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct data_failure f = { .write = i & 1, .has_cmd23 = i & 4,
			.result = i & 2 ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC };

		sd_run_all(data_failure_body, &f);
	}
}

static void
data_failure_always_body(void *arg)
{
	const struct data_failure *f = arg;

	sd_begin_attached();
	sd_card.data_fail_block = 2;
	sd_card.data_fail_count = 1000;
	sd_card.data_fail_result = f->result;
	assert_int_equal(f->write ? sd_write_blocks(300, 20) : sd_read_blocks(300, 20),
	    ERR_IO);
	assert_int_equal(sd_card.data_fail_count, 1000 - 4);
	assert_int_equal(drivers_params.sd_retried, 3);
	assert_int_equal(drivers_params.sd_errors, 1);
	sd_card.data_fail_count = 0;
	sd_assert_reads_right(400, 3);
	sd_end();
}

static void
test_data_failure_always(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct data_failure f = { .write = i & 1,
			.result = i & 2 ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC };

		sd_run_all(data_failure_always_body, &f);
	}
}

static void
command_failure_body(void *arg)
{
	sd_begin_attached();
	sd_card.fail_index = *(uint32_t *)arg;
	sd_card.fail_count = 1;
	sd_card.fail_result = SIM_CARD_SILENT;
	if (sd_card.fail_index == 25)
		sd_assert_writes_right(900, 4);
	else
		sd_assert_reads_right(900, 4);
	assert_int_equal(sd_card.fail_count, 0);
	assert_int_equal(drivers_params.sd_retried, 1);
	assert_int_equal(drivers_params.sd_reinits, 1); /* time was up: a new start */
	sd_end();
}

static void
test_command_failure_once(void **state)
{
	static uint32_t indices[] = { 12, 18, 25 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		sd_run_all(command_failure_body, &indices[i]);
}

/* The card loses its mind (as after a supply dip): silent until identified again. */
static void
reinit_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sd_card.state = 0;
	sd_card.rca = 0;
	sd_assert_reads_right(900, 4);
	assert_int_equal(drivers_params.sd_reinits, 1);
	sd_assert_writes_right(910, 4);
	assert_int_equal(drivers_params.sd_reinits, 1);
	sd_end();
}

static void
test_identified_again(void **state)
{
	sd_run_all(reinit_body, *state);
}

/* R1 error bits end the command before any data is waited for. */
static void
status_body(void *arg)
{
	uint64_t start_us;

	sd_begin_attached();
	sd_card.fail_index = 18;
	sd_card.fail_count = 1000;
	sd_card.fail_status = *(uint32_t *)arg;
	start_us = timer_now_us();
	assert_int_equal(sd_read_blocks(900, 4),
	    sd_card.fail_status == 1u << 26 ? ERR_ROFS : ERR_IO);
	assert_true(timer_now_us() - start_us < 100000);
	sd_card.fail_count = 0;
	sd_assert_reads_right(900, 4);
	sd_end();
}

static void
test_status_errors(void **state)
{
	static uint32_t statuses[] = { 1u << 31, 1u << 30, 1u << 26, 1u << 21, 1u << 19 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		sd_run_all(status_body, &statuses[i]);
}

/* The block layer believes in more blocks than the card has. */
static void
out_of_range_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sd_card.block_count /= 2;
	assert_int_equal(sd_read_blocks(SD_BLOCKS - 4, 4), ERR_IO);
	assert_int_equal(sd_card.commands[18], 1);
	sd_assert_reads_right(900, 4);
	sd_end();
}

static void
test_out_of_range(void **state)
{
	sd_run_all(out_of_range_body, *state);
}

static void
removed_body(void *arg)
{
	sd_begin_attached();
	sd_mute(*(bool *)arg);
	sd_assert_reads_right(1, 1);
	sd_card.removed = true;
	assert_int_equal(sd_read_blocks(900, 4), ERR_NODEV);
	assert_true(sd_said("sd0: card does not answer"));
	assert_int_equal(sd_read_blocks(900, 4), ERR_NODEV);
	assert_int_equal(sd_write_blocks(900, 4), ERR_NODEV);

	sd_card.removed = false;
	sd_card.state = 0;
	sd_card.rca = 0;
	tsleep(&sd_card, "test", 2000000);
	sd_assert_reads_right(900, 4);
	assert_true(sd_said("sd0: the card is back"));
	sd_end();
}

static void
test_removed_and_back(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++)
		sd_run_all(removed_body, &(bool){ mute });
}

static void
foreign_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	sd_card.serial = 2;
	sd_card.state = 0;
	sd_card.rca = 0;
	assert_int_equal(sd_write_blocks(900, 4), ERR_NODEV);
	assert_true(sd_said("another card"));
	assert_true(sd_is_pattern(sd_card.bytes + 900 * 512, 900, 4));
	tsleep(&sd_card, "test", 2000000);
	assert_int_equal(sd_write_blocks(900, 4), ERR_NODEV);
	sd_card.serial = 1;
	sd_card.state = 0;
	tsleep(&sd_card, "test", 2000000);
	sd_assert_writes_right(900, 4);
	sd_end();
}

static void
test_foreign_card(void **state)
{
	sd_run_all(foreign_body, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_failure_once),
		cmocka_unit_test(test_data_failure_always),
		cmocka_unit_test(test_command_failure_once),
		cmocka_unit_test(test_identified_again),
		cmocka_unit_test(test_status_errors),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_removed_and_back),
		cmocka_unit_test(test_foreign_card),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
