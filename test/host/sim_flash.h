/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash in memory, by the rules of NOR and with all its troubles.
 *
 * A program that would set a bit fails the test. All randomness is sim_random's, so a
 * seed replays a run. Fields below the line are the test's to set at any time; 0 means
 * never.
 */
#ifndef TEST_SIM_FLASH_H
#define TEST_SIM_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/flash.h"

struct sim_flash {
	struct flash flash;
	uint8_t *bytes;
	uint32_t *erased;        /* times, of each block */
	bool *broken;            /* blocks that neither program nor erase any more */
	uint64_t programs, erases; /* begun */
	bool dead;               /* power has gone */
	bool erasing, suspended;
	uint32_t erasing_block, polls_left;
	uint32_t suspends;
	/* ---- configuration */
	uint64_t cut_after;      /* the so manyth program or erase from now is torn, then dark */
	uint32_t erase_polls;    /* ERR_AGAIN so many times */
	uint32_t program_fail_one_in, erase_fail_one_in; /* and the block is broken */
	uint32_t endurance;      /* erases that a block takes */
	uint32_t flip_read_one_in; /* a bit of what is read, not of what is stored */
};

/* A flash of erased blocks (block_bytes a power of two) with no troubles. */
void sim_flash_open(struct sim_flash *f, uint32_t block_bytes, uint32_t block_count);
void sim_flash_close(struct sim_flash *f);
/* Power comes back: contents are what they are. */
void sim_flash_power_on(struct sim_flash *f);

#endif
