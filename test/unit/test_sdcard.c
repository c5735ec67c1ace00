/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sdcard.c and bcm2835_emmc.c against a simulated controller and card: every kind of
 * card, and every way for a transfer to go wrong, ends in right data or a clean error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_emmc.h"
#include "drivers/drivers_params.h"
#include "drivers/sdcard.h"
#include "drivers/sdcard_internal.h"
#include "kern/blkdev.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/err.h"
#include "test/host/console_tap.h"
#include "test/host/sim_card.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_sdhci.h"

#define RAM_BYTES   (1u << 20)
#define BLOCKS      8192u
#define BUFFER_PA   (SIM_RAM_BASE + 0x10000u)

static struct sim_card card;
static struct sim_sdhci sdhci;
static struct blkdev *dev;

/* Tests differ in these; every one of them runs all the tests. */
static const struct variant {
	bool stubborn;
	uint32_t command_us, block_us;
	uint64_t seed;
} variants[] = {
	{ true, 0, 0, 0 },       /* QEMU: at once, line reset does not help */
	{ false, 5, 20, 0 },     /* hardware: 25 MHz */
	{ false, 300, 400, 77 }, /* a slow card under the random scheduler */
};
static const struct variant *variant = &variants[0];

/* ---- helpers */

static int
attach(void)
{
	struct sdhost *host;
	int error = bcm2835_emmc_attach(SIM_SDHCI_BASE, SIM_SDHCI_LINE, SIM_SDHCI_CLOCK, &host);

	if (error == 0)
		error = sdcard_attach(host, 0);
	dev = error == 0 ? blk_find("sd0") : NULL;
	return (error);
}

static void
begin(enum sim_card_kind kind)
{
	sim_mmio_reset();
	sim_card_init(&card, kind, BLOCKS);
	sim_sdhci_init(&sdhci, &card);
	sdhci.stubborn = variant->stubborn;
	sdhci.command_us = variant->command_us;
	sdhci.block_us = variant->block_us;
	sim_ram_init(RAM_BYTES);
	console_tap_begin();
	memset(&drivers_params, 0, sizeof(drivers_params));
	drivers_params.sd_retries = 3;
	if (variant->seed != 0)
		sim_random_scheduler(sim_seed(variant->seed));
}

/* A working SDHC card. */
static void
begin_attached(void)
{
	begin(SIM_CARD_SDHC);
	assert_int_equal(attach(), 0);
}

static void
end(void)
{
	sim_random_scheduler(0);
	if (dev != NULL)
		blk_unregister(dev);
	dev = NULL;
	sim_card_free(&card);
}

static uint8_t *
buffer(void)
{
	return (phys_to_virt(BUFFER_PA));
}

static void
buffer_fill(uint32_t salt, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count * 512; i++)
		buffer()[i] = (uint8_t)(i * 7 + i / 512 + salt);
}

static bool
is_pattern(const uint8_t *at, uint64_t block, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count * 512; i += 4) {
		uint32_t want = sim_card_pattern(block + i / 512), got;

		memcpy(&got, at + i, 4);
		if (got != want)
			return (false);
	}
	return (true);
}

static int
read_blocks(uint64_t block, uint32_t block_count)
{
	memset(buffer(), 0xee, block_count * 512);
	return (blk_read(dev, block, buffer(), block_count));
}

static void
assert_reads_right(uint64_t block, uint32_t block_count)
{
	assert_int_equal(read_blocks(block, block_count), 0);
	assert_true(is_pattern(buffer(), block, block_count));
}

static int
write_blocks(uint64_t block, uint32_t block_count)
{
	buffer_fill((uint32_t)block, block_count);
	return (blk_write(dev, block, buffer(), block_count));
}

static void
assert_writes_right(uint64_t block, uint32_t block_count)
{
	assert_int_equal(write_blocks(block, block_count), 0);
	assert_memory_equal(card.bytes + block * 512, buffer(), block_count * 512);
}

static bool
said(const char *text)
{
	return (strstr(console_tap_text(), text) != NULL);
}

/* Run body once for each variant. */
static void
run_all(void (*body)(void *arg), void *arg)
{
	for (uint32_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		variant = &variants[i];
		sim_run(body, arg);
	}
}

/* ---- identification */

static void
kind_body(void *arg)
{
	enum sim_card_kind kind = *(enum sim_card_kind *)arg;

	begin(kind);
	card.op_cond_polls = 3;
	assert_int_equal(attach(), 0);
	assert_int_equal(dev->block_count, BLOCKS);
	assert_int_equal(dev->block_bytes, 512);
	assert_false(dev->read_only);
	assert_true(said(kind == SIM_CARD_SDHC ? "sd0: SDHC" : "sd0: SDSC"));
	assert_true(said("SIMSD, 4 MiB, 25 MHz, 4-bit"));
	assert_int_equal(sdhci.control0 & 2, 2);
	assert_int_equal(card.commands[16], kind == SIM_CARD_SDHC ? 0 : 1);
	assert_reads_right(0, 1);
	assert_reads_right(BLOCKS - 1, 1);
	assert_reads_right(1000, 64);
	assert_writes_right(77, 1);
	assert_writes_right(2000, 128);
	assert_reads_right(2128, 1);
	assert_int_equal(drivers_params.sd_retried, 0);
	assert_int_equal(drivers_params.sd_errors, 0);
	end();
}

static void
test_kinds(void **state)
{
	(void)state;
	for (enum sim_card_kind kind = SIM_CARD_SDSC_V1; kind <= SIM_CARD_SDHC; kind++)
		run_all(kind_body, &kind);
}

static void
no_card_body(void *arg)
{
	begin(SIM_CARD_SDHC);
	card.removed = true;
	sdhci.mute = *(bool *)arg;
	assert_int_equal(attach(), ERR_NODEV);
	assert_true(said("sd0: no card"));
	assert_null(blk_find("sd0"));
	end();
}

static void
test_no_card(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++)
		run_all(no_card_body, &(bool){ mute });
}

static void
slow_power_up_body(void *arg)
{
	(void)arg;
	begin(SIM_CARD_SDHC);
	card.op_cond_polls = 1000;
	assert_int_equal(attach(), ERR_TIMEDOUT);
	assert_true(said("cannot be identified"));
	end();
}

static void
test_never_powers_up(void **state)
{
	run_all(slow_power_up_body, *state);
}

static void
one_failure_body(void *arg)
{
	static const uint32_t indices[] = { 2, 3, 7, 9, 41, 51, 55 };

	begin(SIM_CARD_SDHC);
	card.fail_index = indices[*(uint32_t *)arg];
	card.fail_count = 1;
	card.fail_result = SIM_CARD_BAD_CRC;
	assert_int_equal(attach(), 0);
	assert_int_equal(card.fail_count, 0);
	assert_reads_right(5, 9);
	end();
}

static void
test_identification_repeats(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		run_all(one_failure_body, &i);
}

static void
read_only_body(void *arg)
{
	(void)arg;
	begin(SIM_CARD_SDHC);
	card.read_only = true;
	assert_int_equal(attach(), 0);
	assert_true(dev->read_only);
	assert_true(said("write protected"));
	assert_int_equal(write_blocks(3, 2), ERR_ROFS);
	assert_int_equal(card.commands[25], 0);
	end();
}

static void
test_read_only(void **state)
{
	run_all(read_only_body, *state);
}

/* ---- transfers */

static void
counted_body(void *arg)
{
	bool counted = *(bool *)arg;

	begin(SIM_CARD_SDHC);
	card.has_cmd23 = counted;
	card.ahead = true;
	card.busy_polls = 5;
	assert_int_equal(attach(), 0);
	assert_writes_right(16, 8);
	assert_writes_right(BLOCKS - 8, 8);
	assert_reads_right(BLOCKS - 40, 32);
	assert_int_equal(read_blocks(BLOCKS - 8, 8), 0);
	assert_memory_equal(buffer(), card.bytes + (BLOCKS - 8) * 512ull, 8 * 512);
	assert_int_equal(card.commands[23], counted ? 4 : 0);
	assert_int_equal(card.commands[12], counted ? 0 : 4);
	assert_int_equal(drivers_params.sd_retried, 0);
	assert_int_equal(drivers_params.sd_writes, 2);
	assert_int_equal(drivers_params.sd_written_blocks, 16);
	end();
}

static void
test_with_and_without_cmd23(void **state)
{
	(void)state;
	for (int counted = 0; counted < 2; counted++)
		run_all(counted_body, &(bool){ counted });
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
	begin_attached();
	finished = 0;
	memset(buffer(), 0, 5 * 4096);
	for (uint32_t i = 0; i < 5; i++) {
		bios[i] = (struct bio){ .op = BIO_READ, .priority = BIO_PAGEIN, .block = 64 + i * 8,
			.block_count = 8, .segment_count = 2, .done = count_done,
			.segments = { { BUFFER_PA + (4 - i) * 4096 + 512, 3584 },
			    { BUFFER_PA + (4 - i) * 4096, 512 } } };
		blk_submit(dev, &bios[i]);
	}
	while (finished < 5)
		tsleep(&finished, "test", SLEEP_FOREVER);
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(is_pattern(buffer() + (4 - i) * 4096 + 512, 64 + i * 8, 7));
		assert_true(is_pattern(buffer() + (4 - i) * 4096, 64 + i * 8 + 7, 1));
	}
	if (variant->seed == 0)
		assert_int_equal(card.commands[18], 1);
	end();
}

static void
test_merged_chain(void **state)
{
	run_all(merged_body, *state);
}

static void
flush_body(void *arg)
{
	(void)arg;
	begin_attached();
	assert_int_equal(blk_flush(dev), 0);
	end();
}

static void
test_flush(void **state)
{
	run_all(flush_body, *state);
}

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

	begin(SIM_CARD_SDHC);
	card.has_cmd23 = f->has_cmd23;
	assert_int_equal(attach(), 0);
	card.data_fail_block = 7;
	card.data_fail_count = 1;
	card.data_fail_result = f->result;
	if (f->write)
		assert_writes_right(300, 20);
	else
		assert_reads_right(300, 20);
	assert_int_equal(card.data_fail_count, 0);
	assert_int_equal(drivers_params.sd_retried, 1);
	assert_int_equal(drivers_params.sd_errors, 0);
	assert_reads_right(400, 3);
	end();
}

static void
test_data_failure_once(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct data_failure f = { i & 1, i & 2 ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC, i & 4 };

		run_all(data_failure_body, &f);
	}
}

static void
data_failure_always_body(void *arg)
{
	const struct data_failure *f = arg;

	begin_attached();
	card.data_fail_block = 2;
	card.data_fail_count = 1000;
	card.data_fail_result = f->result;
	assert_int_equal(f->write ? write_blocks(300, 20) : read_blocks(300, 20), ERR_IO);
	assert_int_equal(card.data_fail_count, 1000 - 4);
	assert_int_equal(drivers_params.sd_retried, 3);
	assert_int_equal(drivers_params.sd_errors, 1);
	card.data_fail_count = 0;
	assert_reads_right(400, 3);
	end();
}

static void
test_data_failure_always(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct data_failure f = { i & 1, i & 2 ? SIM_CARD_SILENT : SIM_CARD_BAD_CRC, false };

		run_all(data_failure_always_body, &f);
	}
}

static void
command_failure_body(void *arg)
{
	begin_attached();
	card.fail_index = *(uint32_t *)arg;
	card.fail_count = 1;
	card.fail_result = SIM_CARD_SILENT;
	if (card.fail_index == 25)
		assert_writes_right(900, 4);
	else
		assert_reads_right(900, 4);
	assert_int_equal(card.fail_count, 0);
	assert_int_equal(drivers_params.sd_retried, 1);
	assert_int_equal(drivers_params.sd_reinits, 0);
	end();
}

static void
test_command_failure_once(void **state)
{
	static uint32_t indices[] = { 12, 18, 25 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		run_all(command_failure_body, &indices[i]);
}

/* The card loses its mind (as after a supply dip): silent until identified again. */
static void
reinit_body(void *arg)
{
	(void)arg;
	begin_attached();
	card.state = 0;
	card.rca = 0;
	assert_reads_right(900, 4);
	assert_int_equal(drivers_params.sd_reinits, 1);
	assert_writes_right(910, 4);
	assert_int_equal(drivers_params.sd_reinits, 1);
	end();
}

static void
test_identified_again(void **state)
{
	run_all(reinit_body, *state);
}

/* R1 error bits end the command before any data is waited for. */
static void
status_body(void *arg)
{
	uint64_t start_us;

	begin_attached();
	card.fail_index = 18;
	card.fail_count = 1000;
	card.fail_status = *(uint32_t *)arg;
	start_us = timer_now_us();
	assert_int_equal(read_blocks(900, 4), card.fail_status == 1u << 26 ? ERR_ROFS : ERR_IO);
	assert_true(timer_now_us() - start_us < 100000);
	card.fail_count = 0;
	assert_reads_right(900, 4);
	end();
}

static void
test_status_errors(void **state)
{
	static uint32_t statuses[] = { 1u << 31, 1u << 30, 1u << 26, 1u << 21, 1u << 19 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		run_all(status_body, &statuses[i]);
}

/* The block layer believes in more blocks than the card has. */
static void
out_of_range_body(void *arg)
{
	(void)arg;
	begin_attached();
	card.block_count /= 2;
	assert_int_equal(read_blocks(BLOCKS - 4, 4), ERR_IO);
	assert_int_equal(card.commands[18], 1);
	assert_reads_right(900, 4);
	end();
}

static void
test_out_of_range(void **state)
{
	run_all(out_of_range_body, *state);
}

static void
removed_body(void *arg)
{
	begin_attached();
	sdhci.mute = *(bool *)arg;
	assert_reads_right(1, 1);
	card.removed = true;
	assert_int_equal(read_blocks(900, 4), ERR_NODEV);
	assert_true(said("sd0: card does not answer"));
	assert_int_equal(read_blocks(900, 4), ERR_NODEV);
	assert_int_equal(write_blocks(900, 4), ERR_NODEV);

	card.removed = false;
	card.state = 0;
	card.rca = 0;
	tsleep(&finished, "test", 2000000);
	assert_reads_right(900, 4);
	assert_true(said("sd0: the card is back"));
	end();
}

static void
test_removed_and_back(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++)
		run_all(removed_body, &(bool){ mute });
}

static void
foreign_body(void *arg)
{
	(void)arg;
	begin_attached();
	card.serial = 2;
	card.state = 0;
	card.rca = 0;
	assert_int_equal(write_blocks(900, 4), ERR_NODEV);
	assert_true(said("another card"));
	assert_true(is_pattern(card.bytes + 900 * 512, 900, 4));
	tsleep(&finished, "test", 2000000);
	assert_int_equal(write_blocks(900, 4), ERR_NODEV);
	card.serial = 1;
	card.state = 0;
	tsleep(&finished, "test", 2000000);
	assert_writes_right(900, 4);
	end();
}

static void
test_foreign_card(void **state)
{
	run_all(foreign_body, *state);
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
