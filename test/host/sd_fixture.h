/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated card on a simulated controller under the real drivers, for tests.
 */
#ifndef TEST_SD_FIXTURE_H
#define TEST_SD_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/blkdev.h"
#include "test/host/sim_card.h"
#include "test/host/sim_sdhci.h"

#define SD_BLOCKS    8192u
#define SD_BUFFER_PA (SIM_RAM_BASE + 0x10000u)

/* How controller and card behave; every test runs under all of them. */
struct sd_variant {
	bool stubborn;
	uint32_t command_us, block_us;
	uint64_t seed;
};
extern const struct sd_variant *sd_variant;

extern struct sim_card sd_card;
extern struct sim_sdhci sd_controller;
extern struct blkdev *sd_dev; /* sd0, or NULL */

/* Run body once for each variant, by sim_run. */
void sd_run_all(void (*body)(void *arg), void *arg);

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

/* Has the console shown text? */
bool sd_said(const char *text);

#endif
