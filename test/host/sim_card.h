/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SD memory card: commands in, answers and blocks out, and failures on
 * demand. It knows the states of SD Physical Layer 3.01, 4.1 and answers as a card
 * does; a command in the wrong state gets no answer and sets ILLEGAL_COMMAND.
 */
#ifndef TEST_SIM_CARD_H
#define TEST_SIM_CARD_H

#include <stdbool.h>
#include <stdint.h>

enum sim_card_kind { SIM_CARD_SDSC_V1, SIM_CARD_SDSC_V2, SIM_CARD_SDHC };
enum sim_card_result { SIM_CARD_OK, SIM_CARD_SILENT, SIM_CARD_BAD_CRC };

struct sim_card {
	/* ---- set by the test */
	enum sim_card_kind kind;
	bool has_cmd23, read_only, removed;
	bool has_high_speed;      /* offered by SWITCH_FUNC */
	bool no_switch;           /* SWITCH_FUNC is not known (an old card) */
	bool no_status;           /* nor SD Status */
	bool sector_erase;        /* SDSC: erased by 64 blocks (else by single ones) */
	uint8_t sd_status[64];    /* SD Status but the bus width */
	/* Instead of those of its kind, where noise says so: CSD, SCR, what SWITCH_FUNC answers. */
	bool noise;
	uint32_t noise_csd[4];
	uint8_t noise_scr[8], noise_switch[64];
	bool ahead;               /* stop after the last block reports OUT_OF_RANGE */
	uint32_t serial;          /* in the CID */
	uint32_t op_cond_polls;   /* busy answers before power-up is complete */
	uint32_t busy_polls;      /* statuses "programming" after a write */
	/* Failures: answer to command fail_index, the next fail_count times (after
	 * fail_skip good ones). */
	uint32_t fail_index, fail_skip, fail_count;
	enum sim_card_result fail_result;
	uint32_t fail_status;     /* bits in R1 instead of fail_result */
	/* Data block number data_fail_block of a transfer, data_fail_count times. */
	uint32_t data_fail_block, data_fail_count;
	enum sim_card_result data_fail_result;
	bool data_fail_removes;   /* and there the card is pulled out */
	/* ---- the card's */
	uint8_t *bytes;
	uint64_t block_count;
	uint32_t state, rca, status;
	bool app, expect_cmd23;
	uint32_t polls_left, busy_left;
	uint64_t block;           /* next of the open transfer */
	uint32_t block_bytes;
	uint32_t counted_left;    /* of SET_BLOCK_COUNT, 0 = open end */
	uint32_t counted;         /* argument of the last SET_BLOCK_COUNT */
	uint32_t block_number;    /* in this transfer */
	bool single;
	uint32_t register_bytes;  /* a register is sent instead of blocks */
	uint8_t register_data[64];
	bool high_speed;          /* switched */
	uint64_t erase_start, erase_end;
	uint32_t erase_argument;  /* of the last ERASE */
	uint32_t erase_steps;     /* 0: ERASE_START is due; 1: ERASE_END; 2: ERASE */
	uint32_t commands[64];    /* how often each was received */
};

/* A powered-off card of block_count blocks (v1, v2: a multiple of 512; SDHC: of
 * 1024), block n filled with a pattern of n. */
void sim_card_init(struct sim_card *card, enum sim_card_kind kind, uint64_t block_count);
void sim_card_free(struct sim_card *card);
/* The pattern of block n at its start. */
uint32_t sim_card_pattern(uint64_t block);

/* As after pulling it out and putting it back. */
void sim_card_power_cycle(struct sim_card *card);

/* answer: R1, R3, R6, R7 in answer[0]; R2 as four words, bit 127 first. */
enum sim_card_result sim_card_command(struct sim_card *card, uint32_t index, uint32_t argument,
    uint32_t answer[4]);
/* The next block of the open read or write; SILENT: the card does nothing. */
enum sim_card_result sim_card_read(struct sim_card *card, uint8_t *to, uint32_t bytes);
enum sim_card_result sim_card_write(struct sim_card *card, const uint8_t *from, uint32_t bytes);

#endif
