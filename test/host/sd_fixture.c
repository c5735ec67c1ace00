/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated card on either simulated controller under the real drivers, for tests.
 *
 * Owns: card, controllers, DMA engine, and the disk that the drivers make of them.
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

#include "drivers/bcm2835_dma.h"
#include "drivers/bcm2835_emmc.h"
#include "drivers/bcm2835_sdhost.h"
#include "drivers/drivers_params.h"
#include "drivers/sdcard.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"

#define RAM_BYTES   (1u << 20)

#define EMMC_PORT_BUS   0x7e300020u
#define SDHOST_PORT_BUS 0x7e202040u
#define DMA_CHANNELS    0x7f35u /* what real firmware says */

struct sim_card sd_card;
struct sim_sdhci sd_emmc;
struct sim_sdhost sd_sdhost;
struct blkdev *sd_dev;

static const struct sd_mode modes[] = {
	{ "EMMC, PIO", false, false },
	{ "EMMC, DMA", false, true },
	{ "SDHOST, PIO", true, false },
	{ "SDHOST, DMA", true, true },
};
const struct sd_mode *sd_mode = &modes[0];

static const struct sd_variant variants[] = {
	{ true, 0, 0, 0 },       /* QEMU: at once, line reset does not help */
	{ false, 5, 40, 0 },     /* hardware: 25 MHz */
	{ false, 300, 400, 77 }, /* a slow card under the random scheduler */
};
const struct sd_variant *sd_variant = &variants[0];

static enum sim_cache_case lost_maintenance;

static int
host_attach(struct sdhost **host)
{
	struct bcm2835_dma_port port = { .bus = EMMC_PORT_BUS, .dreq = BCM2835_DREQ_EMMC };
	int error = 0;

	if (sd_mode->dma)
		error = bcm2835_dma_attach(SIM_DMA_BASE, SIM_DMA_LINE, DMA_CHANNELS, &port.dma);
	if (error != 0)
		return (error);
	if (!sd_mode->sdhost)
		return (bcm2835_emmc_attach(SIM_SDHCI_BASE, SIM_SDHCI_LINE, SIM_SDHCI_CLOCK, &port,
		    host));
	port.bus = SDHOST_PORT_BUS;
	port.dreq = BCM2835_DREQ_SDHOST;
	return (bcm2835_sdhost_attach(SIM_SDHOST_BASE, SIM_SDHOST_LINE, SIM_SDHOST_CLOCK, &port,
	    host));
}

int
sd_attach(void)
{
	struct sdhost *host;
	int error = host_attach(&host);

	if (error == 0)
		error = sdcard_attach(host, 0);
	sd_dev = error == 0 ? blk_find("sd0") : NULL;
	return (error);
}

static void
controllers_init(void)
{
	sim_mmio_reset();
	sim_dma_init();
	sim_sdhci_init(&sd_emmc, &sd_card);
	sim_sdhost_init(&sd_sdhost, &sd_card);
	sim_dma.instant = sd_variant->qemu;
	sd_emmc.stubborn = sd_variant->qemu;
	sd_sdhost.lazy_fsm = !sd_variant->qemu;
	sd_emmc.command_us = sd_sdhost.command_us = sd_variant->command_us;
	sd_emmc.block_us = sd_sdhost.block_us = sd_variant->block_us;
}

void
sd_begin(enum sim_card_kind kind)
{
	sim_card_init(&sd_card, kind, SD_BLOCKS);
	controllers_init();
	sim_ram_init(RAM_BYTES);
	sim_cache_begin(RAM_BYTES, lost_maintenance);
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
	sim_cache_end();
	sim_card_free(&sd_card);
}

void
sd_lose_maintenance(enum sim_cache_case lose)
{
	lost_maintenance = lose;
}

void
sd_mute(bool mute)
{
	sd_emmc.mute = sd_sdhost.mute = mute;
}

void
sd_lose_done(void)
{
	sd_emmc.lose_done = sd_sdhost.lose_done = true;
}

void
sd_stick_busy(bool stick)
{
	sd_emmc.stuck_busy = sd_sdhost.stuck_busy = stick;
}

bool
sd_four_lines(void)
{
	return (sd_mode->sdhost ? sd_sdhost.hcfg & 4 : sd_emmc.control0 & 2);
}

uint32_t
sd_clock_hz(void)
{
	uint32_t divisor = (sd_emmc.control1 >> 8 & 0xff) | (sd_emmc.control1 >> 6 & 3) << 8;

	if (sd_mode->sdhost)
		return (SIM_SDHOST_CLOCK / (sd_sdhost.cdiv + 2));
	return (divisor == 0 ? SIM_SDHCI_CLOCK : SIM_SDHCI_CLOCK / (2 * divisor));
}

bool
sd_dma_used(void)
{
	return (sim_dma.chains > 0);
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

void
sd_run_all(void (*body)(void *arg), void *arg)
{
	for (uint32_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
		for (uint32_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
			sd_mode = &modes[m];
			sd_variant = &variants[i];
			sim_run(body, arg);
		}
}

void
sd_choose(bool sdhost, bool dma)
{
	sd_mode = &modes[2 * sdhost + dma];
	sd_variant = &variants[0];
}

static void
give_up_body(void *arg)
{
	(void)arg;
	sd_dev->active_count = sd_dev->queued_count = 0; /* its task is no more */
	blk_unregister(sd_dev);
	sd_dev = NULL;
}

void
sd_give_up(void)
{
	sim_run(give_up_body, NULL);
	sim_cache_begin(RAM_BYTES, 0); /* forgets what was mapped */
	sim_cache_end();
	sim_card_free(&sd_card);
}
