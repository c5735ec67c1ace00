/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sdcard.c (transfers, recovery) and sdcard_init.c (identification) share.
 */
#ifndef DRIVERS_SDCARD_INTERNAL_H
#define DRIVERS_SDCARD_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/sdhost.h"
#include "kern/blkdev.h"

/* Commands by the names of SD Physical Layer 3.01, 4.7.4; SD_APP: after APP_CMD. */
enum sd_command_index {
	SD_GO_IDLE_STATE = 0,
	SD_ALL_SEND_CID = 2,
	SD_SEND_RELATIVE_ADDR = 3,
	SD_SELECT_CARD = 7,
	SD_SEND_IF_COND = 8,
	SD_SEND_CSD = 9,
	SD_STOP_TRANSMISSION = 12,
	SD_SEND_STATUS = 13,
	SD_SET_BLOCKLEN = 16,
	SD_READ_SINGLE_BLOCK = 17,
	SD_READ_MULTIPLE_BLOCK = 18,
	SD_SET_BLOCK_COUNT = 23,
	SD_WRITE_BLOCK = 24,
	SD_WRITE_MULTIPLE_BLOCK = 25,
	SD_APP_CMD = 55,
	SD_APP_SET_BUS_WIDTH = 6,
	SD_APP_SEND_OP_COND = 41,
	SD_APP_SEND_SCR = 51,
};

/* Card status (R1), SD Physical Layer 3.01, 4.10.1. */
#define SD_R1_OUT_OF_RANGE  (1u << 31)
#define SD_R1_ADDRESS_ERROR (1u << 30)
#define SD_R1_WP_VIOLATION  (1u << 26)
#define SD_R1_ERRORS        0xfdf98008u
#define SD_R1_READY         (1u << 8)
#define SD_R1_STATE(r1)     ((r1) >> 9 & 0xf)
enum sd_state { SD_STATE_TRANSFER = 4, SD_STATE_DATA = 5, SD_STATE_RECEIVE = 6,
	SD_STATE_PROGRAM = 7 };

struct sdcard {
	struct blkdev dev;
	struct sdhost *host;
	struct irq_lock lock;
	bool work;                 /* blk_next may have something; sleep channel; lock */
	/* The card's task only (identification: whoever attaches). */
	bool gone;                 /* it does not answer any more */
	bool foreign;              /* another card answers in its place */
	uint64_t looked_us;        /* when we last looked for a card that is gone */
	uint32_t cid[4];
	uint32_t csd[4];
	uint32_t rca;              /* in bits 31..16, as arguments want it */
	bool high_capacity;        /* addresses are blocks, else bytes */
	bool set_block_count;      /* SET_BLOCK_COUNT is supported */
	bool four_lines;
	bool read_only;
	uint64_t block_count;
	uint8_t scratch[64] __attribute__((aligned(64))); /* register reads */
};

/*
 * Send a command and check the card status of an R1 answer. ERR_RANGE: the card
 * finds the address wrong; ERR_ROFS: write protected; ERR_IO: any other error bit;
 * errors of the host's command. With data: on error the data phase is dropped.
 * May yield.
 */
int sdcard_send(struct sdcard *card, struct sd_command *command) ERR_MUST_CHECK;
/* The same for a command without data; *answer (may be NULL) its first word. */
int sdcard_simple(struct sdcard *card, uint32_t index, uint32_t response, uint32_t argument,
    uint32_t *answer) ERR_MUST_CHECK;

/* Take the card on card->host from power-on to transfer state and learn all about
 * it. ERR_NODEV, ERR_NOTSUP, ERR_IO, ERR_TIMEDOUT. May yield. */
int sdcard_identify(struct sdcard *card) ERR_MUST_CHECK;

#endif
