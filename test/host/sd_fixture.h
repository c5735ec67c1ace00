/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated card on either simulated controller, with DMA or without, under the real
 * drivers, for tests.
 */
#ifndef TEST_SD_FIXTURE_H
#define TEST_SD_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "test/host/sim_card.h"
#include "test/host/sim_dma.h"
#include "test/host/sim_sdhost.h"
#include "test/host/sim_sdhci.h"

#define SD_BLOCKS    8192u
#define SD_BUFFER_PA (SIM_RAM_BASE + 0x10000u)

/* Every test runs with each controller, by PIO and by DMA, */
struct sd_mode {
	const char *name;
	bool sdhost, dma;
};
extern const struct sd_mode *sd_mode;

/* under all of these: how controller and card behave. */
struct sd_variant {
	bool qemu;
	uint32_t command_us, block_us;
	uint64_t seed;
};
extern const struct sd_variant *sd_variant;

extern struct sim_card sd_card;
extern struct sim_sdhci sd_emmc;
extern struct sim_sdhost sd_sdhost;
extern struct blkdev *sd_dev; /* sd0, or NULL */

/* Run body once for each mode and variant, by sim_run. */
void sd_run_all(void (*body)(void *arg), void *arg);
/* The mode of a body that is run otherwise (the first variant); the end of one that failed as
 * expected. */
void sd_choose(bool sdhost, bool dma);
void sd_give_up(void);

/* Leave out a kind of cache maintenance from the next sd_begin on (0: none). */
void sd_lose_maintenance(enum sim_cache_case lose);

/* What the controller in use does: no status where a card is silent; no interrupt at the next
 * end of data; no end of data. Does it drive four lines, and at which clock? */
void sd_mute(bool mute);
void sd_lose_done(void);
void sd_stick_busy(bool stick);
bool sd_four_lines(void);
uint32_t sd_clock_hz(void);

/* In body: a card of SD_BLOCKS blocks in its slot; what attaching it gives; both, for
 * an SDHC card that works; the end of both. */
void sd_begin(enum sim_card_kind kind);
int sd_attach(void);
void sd_begin_attached(void);
void sd_end(void);

/* Transfers by a buffer in simulated RAM. The right ones fail the test if the bytes are
 * not those of the card. */
uint8_t *sd_buffer(void);
int sd_read_blocks(uint64_t block, uint32_t block_count);
int sd_write_blocks(uint64_t block, uint32_t block_count);
void sd_assert_reads_right(uint64_t block, uint32_t block_count);
void sd_assert_writes_right(uint64_t block, uint32_t block_count);
/* Are the blocks at `at` those that a new card holds from block on? */
bool sd_is_pattern(const uint8_t *at, uint64_t block, uint32_t block_count);

/* Does the last transfer's data go by DMA here? */
bool sd_dma_used(void);

/* Has the console shown text? */
bool sd_said(const char *text);

#endif
