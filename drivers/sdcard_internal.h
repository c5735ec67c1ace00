/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sdcard.c (transfers), sdcard_recover.c, sdcard_init.c (identification) and
 * sdcard_features.c (what the card can do) share.
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
	SD_SWITCH_FUNC = 6,
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
	SD_ERASE_START = 32,
	SD_ERASE_END = 33,
	SD_ERASE = 38,
	SD_APP_CMD = 55,
	SD_APP_SET_BUS_WIDTH = 6,
	SD_APP_STATUS = 13,
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

#define SD_DEFAULT_HZ     25000000u
#define SD_HIGH_SPEED_HZ  50000000u

struct sdcard {
	struct blkdev dev;
	struct sdhost *host;
	struct irq_lock lock;
	bool work;                 /* blk_next may have something; sleep channel; lock */
	/* The card's task only (identification: whoever attaches). */
	bool gone;                 /* it does not answer any more */
	bool foreign;              /* another card answers in its place */
	uint64_t gone_us;          /* since when */
	uint64_t looked_us;        /* when we last looked for a card that is gone */
	uint32_t cid[4];
	uint32_t csd[4];
	uint32_t rca;              /* in bits 31..16, as arguments want it */
	bool high_capacity;        /* addresses are blocks, else bytes */
	bool set_block_count;      /* SET_BLOCK_COUNT is supported */
	bool four_lines;
	bool read_only;
	uint64_t block_count;
	/* Features (sdcard_features.c). */
	bool can_switch;           /* SWITCH_FUNC is supported */
	bool high_speed;           /* ... and high speed is in force */
	bool no_high_speed;        /* it was tried and did not work */
	bool status_read;          /* the SD Status is known, or cannot be had */
	bool can_erase, can_discard;
	uint32_t clock_hz;
	uint32_t erase_blocks;     /* smallest unit of an erase */
	uint32_t au_blocks;        /* allocation unit, 0 = not said */
	uint32_t speed_class;      /* 0 = not said */
	uint32_t erase_base_us;    /* an erase takes at most this, */
	uint32_t erase_au_us;      /* and this for each allocation unit */
	uint8_t scratch[64] __attribute__((aligned(64))); /* register reads */
};

/* Bits high..low (at most 32) of a 128-bit register, bit 127 first in word[0]. */
uint32_t sdcard_bits(const uint32_t word[4], uint32_t high, uint32_t low);

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

/* Send an application command: APP_CMD, then command. */
int sdcard_app(struct sdcard *card, struct sd_command *command) ERR_MUST_CHECK;
/* The card status, error bits and all. */
int sdcard_status(struct sdcard *card, uint32_t *r1) ERR_MUST_CHECK;
/* Wait until the card is ready in transfer state; its errors. ERR_TIMEDOUT after timeout_us.
 * May yield. */
int sdcard_settle(struct sdcard *card, uint64_t timeout_us) ERR_MUST_CHECK;
/* End an open transfer; near_end: it was a read up to some 64 blocks from the card's last
 * one. May yield. */
int sdcard_stop(struct sdcard *card, bool near_end) ERR_MUST_CHECK;

/* Learn from CSD and SCR (SCR in card->scratch) what the card can do. */
void sdcard_features_parse(struct sdcard *card);
/* With the card in transfer state: SD Status once, high speed where the card offers it. An
 * error means that the card has to be identified again; what failed is then left out. May
 * yield. */
int sdcard_features(struct sdcard *card) ERR_MUST_CHECK;
/* How long erasing so many blocks may take. */
uint64_t sdcard_erase_us(const struct sdcard *card, uint32_t block_count);

/*
 * After error: get controller and card into a state where the request can be repeated. A
 * timeout means a new start from power-on, as does a card that does not answer. ERR_NODEV:
 * the card is gone (one line on the console). May yield.
 */
int sdcard_recover(struct sdcard *card, int error) ERR_MUST_CHECK;
/* Wait for a card that is gone until dev.sd.gone_wait has passed since. 0: it is back.
 * May yield. */
int sdcard_await(struct sdcard *card) ERR_MUST_CHECK;
/* Nothing to do: does the card still answer, or is it back? May yield. */
void sdcard_look(struct sdcard *card);
/* Give up high speed and identify the card anew. May yield. */
int sdcard_slow_down(struct sdcard *card) ERR_MUST_CHECK;

/* Take the card on card->host from power-on to transfer state and learn all about
 * it. ERR_NODEV, ERR_NOTSUP, ERR_IO, ERR_TIMEDOUT. May yield. */
int sdcard_identify(struct sdcard *card) ERR_MUST_CHECK;

#endif
