/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated card on a simulated controller under the real drivers, for tests.
 *
 * Owns: card, controller, and the disk that the drivers make of them.
 * Does not: judge; the tests do.
 * Invariants: none.
 * Yields: whatever reads and writes.
 * See: test/unit/sdcard.c, test/unit/sdcard_failure.c.
 */
#include "test/host/sd_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_emmc.h"
#include "drivers/drivers_params.h"
#include "drivers/sdcard.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"

#define RAM_BYTES   (1u << 20)

struct sim_card sd_card;
struct sim_sdhci sd_controller;
struct blkdev *sd_dev;

static const struct sd_variant variants[] = {
	{ true, 0, 0, 0 },       /* QEMU: at once, line reset does not help */
	{ false, 5, 20, 0 },     /* hardware: 25 MHz */
	{ false, 300, 400, 77 }, /* a slow card under the random scheduler */
};
const struct sd_variant *sd_variant = &variants[0];

int
sd_attach(void)
{
	struct sdhost *host;
	int error = bcm2835_emmc_attach(SIM_SDHCI_BASE, SIM_SDHCI_LINE, SIM_SDHCI_CLOCK, &host);

	if (error == 0)
		error = sdcard_attach(host, 0);
	sd_dev = error == 0 ? blk_find("sd0") : NULL;
	return (error);
}

void
sd_begin(enum sim_card_kind kind)
{
	sim_mmio_reset();
	sim_card_init(&sd_card, kind, SD_BLOCKS);
	sim_sdhci_init(&sd_controller, &sd_card);
	sd_controller.stubborn = sd_variant->stubborn;
	sd_controller.command_us = sd_variant->command_us;
	sd_controller.block_us = sd_variant->block_us;
	sim_ram_init(RAM_BYTES);
	console_tap_begin();
	memset(&drivers_params, 0, sizeof(drivers_params));
	drivers_params.sd_retries = 3;
	if (sd_variant->seed != 0)
		sim_random_scheduler(sim_seed(sd_variant->seed));
}

/* A working SDHC sd_card. */
void
sd_begin_attached(void)
{
	sd_begin(SIM_CARD_SDHC);
	assert_int_equal(sd_attach(), 0);
}

void
sd_end(void)
{
	sim_random_scheduler(0);
	if (sd_dev != NULL)
		blk_unregister(sd_dev);
	sd_dev = NULL;
	sim_card_free(&sd_card);
}

uint8_t *
sd_buffer(void)
{
	return (phys_to_virt(SD_BUFFER_PA));
}

static void
buffer_fill(uint32_t salt, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count * 512; i++)
		sd_buffer()[i] = (uint8_t)(i * 7 + i / 512 + salt);
}

bool
sd_is_pattern(const uint8_t *at, uint64_t block, uint32_t block_count)
{
	for (uint32_t i = 0; i < block_count * 512; i += 4) {
		uint32_t want = sim_card_pattern(block + i / 512), got;

		memcpy(&got, at + i, 4);
		if (got != want)
			return (false);
	}
	return (true);
}

int
sd_read_blocks(uint64_t block, uint32_t block_count)
{
	memset(sd_buffer(), 0xee, block_count * 512);
	return (blk_read(sd_dev, block, sd_buffer(), block_count));
}

void
sd_assert_reads_right(uint64_t block, uint32_t block_count)
{
	assert_int_equal(sd_read_blocks(block, block_count), 0);
	assert_true(sd_is_pattern(sd_buffer(), block, block_count));
}

int
sd_write_blocks(uint64_t block, uint32_t block_count)
{
	buffer_fill((uint32_t)block, block_count);
	return (blk_write(sd_dev, block, sd_buffer(), block_count));
}

void
sd_assert_writes_right(uint64_t block, uint32_t block_count)
{
	assert_int_equal(sd_write_blocks(block, block_count), 0);
	assert_memory_equal(sd_card.bytes + block * 512, sd_buffer(), block_count * 512);
}

bool
sd_said(const char *text)
{
	return (strstr(console_tap_text(), text) != NULL);
}

/* Run body once for each variant. */
void
sd_run_all(void (*body)(void *arg), void *arg)
{
	for (uint32_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		sd_variant = &variants[i];
		sim_run(body, arg);
	}
}
