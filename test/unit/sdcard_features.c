/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a card can do beyond reading and writing: high speed, SD Status, erase.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/sdcard_internal.h"
#include "kern/blkdev.h"
#include "lib/err.h"
#include "test/host/sd_fixture.h"

static uint64_t
figure(const char *wanted)
{
	const char *name;
	uint64_t value;

	for (uint32_t n = 0; sd_dev->ops->figure(sd_dev, n, &name, &value); n++)
		if (strcmp(name, wanted) == 0)
			return (value);
	fail_msg("no figure %s", wanted);
	return (0);
}

/* ---- high speed */

static void
high_speed_body(void *arg)
{
	bool offered = *(bool *)arg;

	sd_begin(SIM_CARD_SDHC);
	sd_card.has_high_speed = offered;
	assert_int_equal(sd_attach(), 0);
	assert_true(sd_card.high_speed == offered);
	assert_int_equal(sd_clock_hz(), offered ? 50000000 : 25000000);
	assert_true(sd_said(offered ? ", 50 MHz," : ", 25 MHz,"));
	assert_int_equal(figure("mhz"), offered ? 50 : 25);
	if (!sd_mode->sdhost)
		assert_int_equal(sd_emmc.control0 >> 2 & 1, 0); /* NO_HISPD_BIT */
	assert_true(sd_four_lines());
	sd_assert_reads_right(5, 9);
	sd_assert_writes_right(5, 9);
	sd_end();
}

static void
test_high_speed(void **state)
{
	(void)state;
	for (int offered = 0; offered < 2; offered++)
		sd_run_all(high_speed_body, &(bool){ offered });
}

/* A card that does not know SWITCH_FUNC is not asked. */
static void
no_switch_body(void *arg)
{
	bool version_1 = *(bool *)arg;

	sd_begin(version_1 ? SIM_CARD_SDSC_V1 : SIM_CARD_SDSC_V2);
	sd_card.no_switch = !version_1;
	sd_card.has_high_speed = true;
	assert_int_equal(sd_attach(), 0);
	/* 6 is APP_SET_BUS_WIDTH too. */
	assert_int_equal(sd_card.commands[6], 1);
	assert_int_equal(sd_clock_hz(), 25000000);
	sd_end();
}

static void
test_no_switch(void **state)
{
	(void)state;
	for (int version_1 = 0; version_1 < 2; version_1++)
		sd_run_all(no_switch_body, &(bool){ version_1 });
}

/* What fails during identification is left out at the next try. */
static void
feature_fails_body(void *arg)
{
	bool status = *(bool *)arg;

	sd_begin(SIM_CARD_SDHC);
	sd_card.has_high_speed = true;
	sd_card.sd_status[10] = 0x90;
	sd_card.no_status = status;
	if (!status) {
		sd_card.fail_index = 6;
		sd_card.fail_skip = 1; /* APP_SET_BUS_WIDTH */
		sd_card.fail_count = 1;
		sd_card.fail_result = SIM_CARD_BAD_CRC;
	}
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(sd_clock_hz(), status ? 50000000 : 25000000);
	assert_int_equal(figure("au_kib"), status ? 0 : 4096);
	sd_assert_reads_right(5, 9);
	sd_end();
}

static void
test_feature_fails(void **state)
{
	(void)state;
	for (int status = 0; status < 2; status++)
		sd_run_all(feature_fails_body, &(bool){ status });
}

/* Checksums that fail at 50 MHz only: the last repetition is made at 25. */
static void
slow_down_body(void *arg)
{
	(void)arg;
	sd_begin(SIM_CARD_SDHC);
	sd_card.has_high_speed = true;
	assert_int_equal(sd_attach(), 0);
	sd_card.data_fail_block = 2;
	sd_card.data_fail_count = 3;
	sd_card.data_fail_result = SIM_CARD_BAD_CRC;
	sd_assert_reads_right(300, 20);
	assert_true(sd_said("errors at 50 MHz; slower from now on"));
	assert_int_equal(sd_clock_hz(), 25000000);
	assert_int_equal(sd_dev->retries, 3);
	assert_int_equal(figure("mhz"), 25);
	sd_assert_writes_right(300, 20);
	sd_end();
}

static void
test_slow_down(void **state)
{
	sd_run_all(slow_down_body, *state);
}

/* A reset in between comes back to high speed. */
static void
fast_again_body(void *arg)
{
	(void)arg;
	sd_begin(SIM_CARD_SDHC);
	sd_card.has_high_speed = true;
	assert_int_equal(sd_attach(), 0);
	sim_card_power_cycle(&sd_card);
	sd_assert_reads_right(300, 20);
	assert_int_equal(sd_dev->resets, 1);
	assert_int_equal(sd_clock_hz(), 50000000);
	assert_true(sd_card.high_speed);
	sd_end();
}

static void
test_fast_again(void **state)
{
	sd_run_all(fast_again_body, *state);
}

/* ---- SD Status */

struct status_case {
	uint8_t class, au, discard;
	uint32_t speed_class, au_kib;
};

static void
status_body(void *arg)
{
	const struct status_case *c = arg;
	uint32_t unit = c->au_kib != 0 ? c->au_kib * 2 : 128;

	sd_begin(SIM_CARD_SDHC);
	sd_card.sd_status[8] = c->class;
	sd_card.sd_status[10] = (uint8_t)(c->au << 4);
	sd_card.sd_status[24] = c->discard;
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(figure("au_kib"), c->au_kib);
	assert_int_equal(figure("speed_class"), c->speed_class);
	assert_int_equal(sd_dev->align_blocks, c->au_kib != 0 ? c->au_kib * 2 : 8192);
	assert_int_equal(sd_dev->erase_blocks, unit);
	sd_end();
}

static void
test_status(void **state)
{
	static struct status_case cases[] = { { 0, 0, 0, 0, 0 }, { 1, 1, 0, 2, 16 },
		{ 2, 8, 0, 4, 2048 }, { 3, 9, 2, 6, 4096 }, { 4, 11, 2, 10, 12288 },
		{ 9, 15, 0, 0, 65536 } };

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		sd_run_all(status_body, &cases[i]);
}

/* Whatever a card sends there, times and sizes stay within bounds. */
static uint32_t accepted, refused;

static void
status_noise_body(void *arg)
{
	uint32_t x = *(uint32_t *)arg;

	sd_begin(SIM_CARD_SDHC);
	for (uint32_t i = 0; i < 64; i++)
		sd_card.sd_status[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	assert_int_equal(sd_attach(), 0);
	assert_true(sd_dev->align_blocks <= 131072);
	assert_true(sdcard_erase_us(sd_dev->softc, SD_BLOCKS) < 1000ull * 1000000);
	sd_assert_reads_right(5, 2);
	sd_end();
}

static void
test_status_noise(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++)
		sd_run_all(status_noise_body, &seed);
}

/* All registers at once: the card is refused, or used within what it seems to be. */
static void
registers_noise_body(void *arg)
{
	uint32_t x = *(uint32_t *)arg * 2654435761u;

	sd_begin(x & 1 ? SIM_CARD_SDHC : SIM_CARD_SDSC_V2);
	sd_card.noise = true;
	for (uint32_t i = 0; i < 64; i++) {
		sd_card.sd_status[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		sd_card.noise_switch[i] = (uint8_t)(x >> 16);
		sd_card.noise_scr[i % 8] = (uint8_t)(x >> 8);
		((uint8_t *)sd_card.noise_csd)[i % 16] = (uint8_t)(x >> 20);
	}
	/* Half of the cards with a structure that is known. */
	if (x & 1u << 30)
		sd_card.noise_csd[0] &= 0x7fffffff;
	if (sd_attach() == 0) {
		assert_true(sd_dev->block_count > 0 && sd_dev->block_count <= 1ull << 32);
		assert_true(sd_dev->bio_blocks_max > 0);
		assert_true(sdcard_erase_us(sd_dev->softc, SD_BLOCKS) < 1000ull * 1000000);
		for (uint64_t block = 0; block < sd_dev->block_count;
		     block += sd_dev->block_count / 3 + 1)
			(void)!sd_read_blocks(block, 1);
		accepted++;
	} else {
		refused++;
	}
	sd_end();
}

static void
test_registers_noise(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 60; seed++)
		sd_run_all(registers_noise_body, &seed);
	assert_true(accepted > 100 && refused > 100);
}

/* ---- erase */

static int
erase(uint64_t block, uint32_t block_count)
{
	struct bio bio = { .op = BIO_ERASE, .block = block, .block_count = block_count };

	return (blk_wait(sd_dev, &bio));
}

struct erase_case {
	enum sim_card_kind kind;
	bool discard;
};

static void
erase_body(void *arg)
{
	const struct erase_case *c = arg;
	static uint8_t erased[128 * 512];

	sd_begin(c->kind);
	sd_card.sd_status[24] = c->discard ? 2 : 0;
	sd_card.busy_polls = 40;
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(sd_dev->erase_blocks, 128);
	assert_int_equal(erase(256, 128), 0);
	memset(erased, 0xff, sizeof(erased));
	assert_memory_equal(sd_card.bytes + 256 * 512, erased, sizeof(erased));
	sd_assert_reads_right(255, 1);
	sd_assert_reads_right(384, 1);
	assert_int_equal(sd_card.erase_argument, c->discard);
	assert_int_equal(drivers_params.sd_erases, 1);
	assert_int_equal(drivers_params.sd_erased_blocks, 128);
	assert_int_equal(sd_dev->retries, 0);
	assert_int_equal(erase(SD_BLOCKS - 3, 4), ERR_RANGE);
	assert_int_equal(erase(SD_BLOCKS - 128, 128), 0);
	sd_end();
}

static void
test_erase(void **state)
{
	static struct erase_case cases[] = { { SIM_CARD_SDSC_V1, false },
		{ SIM_CARD_SDSC_V2, false }, { SIM_CARD_SDHC, false }, { SIM_CARD_SDHC, true } };

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		sd_run_all(erase_body, &cases[i]);
}

/* An old card erases whole sectors of its own: less is refused, not rounded. */
static void
sector_erase_body(void *arg)
{
	(void)arg;
	sd_begin(SIM_CARD_SDSC_V2);
	sd_card.sector_erase = true;
	assert_int_equal(sd_attach(), 0);
	assert_int_equal(sd_dev->erase_blocks, 64);
	assert_int_equal(erase(64, 32), ERR_INVAL);
	assert_int_equal(erase(32, 64), ERR_INVAL);
	assert_int_equal(sd_card.commands[38], 0);
	assert_int_equal(erase(64, 64), 0);
	sd_assert_reads_right(63, 1);
	sd_assert_reads_right(128, 1);
	sd_end();
}

static void
test_sector_erase(void **state)
{
	sd_run_all(sector_erase_body, *state);
}

/* Each step of an erase fails once; a card that never ends one is started anew. */
static void
erase_fails_body(void *arg)
{
	uint32_t index = *(uint32_t *)arg;

	sd_begin_attached();
	sd_card.fail_index = index;
	sd_card.fail_count = 1;
	sd_card.fail_result = SIM_CARD_BAD_CRC;
	assert_int_equal(erase(256, 128), 0);
	assert_int_equal(sd_card.fail_count, 0);
	assert_int_equal(sd_card.bytes[256 * 512], 0xff);
	/* What came before in the sequence makes the card refuse its new start once. */
	assert_int_equal(sd_dev->retries, index == 32 ? 1 : 2);
	sd_card.busy_polls = UINT32_MAX;
	assert_int_equal(erase(512, 128), ERR_IO);
	assert_int_equal(sd_dev->resets - drivers_params.sd_reinits, 0);
	assert_true(sd_dev->resets >= 4);
	sd_card.busy_polls = 0;
	sd_assert_reads_right(800, 3);
	sd_end();
}

static void
test_erase_fails(void **state)
{
	static uint32_t indices[] = { 32, 33, 38 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		sd_run_all(erase_fails_body, &indices[i]);
}

/* The driver's figures count who moved the data. */
static void
figures_body(void *arg)
{
	(void)arg;
	sd_begin_attached();
	uint64_t registers = figure("pio");

	sd_assert_reads_right(5, 9);
	sd_assert_writes_right(5, 9);
	assert_int_equal(figure("dma"), sd_mode->dma ? 2 : 0);
	assert_int_equal(figure("pio") - registers, sd_mode->dma ? 0 : 2);
	sd_end();
}

static void
test_figures(void **state)
{
	sd_run_all(figures_body, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_high_speed),
		cmocka_unit_test(test_no_switch),
		cmocka_unit_test(test_feature_fails),
		cmocka_unit_test(test_slow_down),
		cmocka_unit_test(test_fast_again),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_noise),
		cmocka_unit_test(test_registers_noise),
		cmocka_unit_test(test_erase),
		cmocka_unit_test(test_sector_erase),
		cmocka_unit_test(test_erase_fails),
		cmocka_unit_test(test_figures),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
