/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SD memory card.
 *
 * Owns: the card's state and content.
 * Does not: know a host controller or time (sim_sdhci.c).
 * Invariants:
 *   J1 data moves only in states DATA and RECEIVE;
 *   J2 an error bit stays in the status until it has been reported once.
 * Yields: never.
 * See: SD Physical Layer Simplified Specification 3.01, 4.
 */
#include "test/host/sim_card.h"

#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"

enum state { IDLE, READY, IDENT, STBY, TRAN, DATA, RCV, PRG };

#define BLOCK_BYTES 512u
#define RCA         0x45670000u

#define R1_ADDRESS_ERROR (1u << 30)
#define R1_OUT_OF_RANGE  (1u << 31)
#define R1_ERASE_SEQUENCE (1u << 28)
#define R1_WP_VIOLATION  (1u << 26)
#define R1_ILLEGAL       (1u << 22)
#define R1_READY         (1u << 8)
#define R1_APP           (1u << 5)

uint32_t
sim_card_pattern(uint64_t block)
{
	return ((uint32_t)block * 2654435761u ^ 0x5d5d5d5d);
}

void
sim_card_init(struct sim_card *card, enum sim_card_kind kind, uint64_t block_count)
{
	memset(card, 0, sizeof(*card));
	card->kind = kind;
	card->serial = 1;
	card->block_count = block_count;
	card->bytes = malloc(block_count * BLOCK_BYTES);
	KASSERT(card->bytes != NULL, "J3: memory for the card");
	for (uint64_t b = 0; b < block_count; b++) {
		uint32_t pattern = sim_card_pattern(b);

		for (uint32_t i = 0; i < BLOCK_BYTES; i += 4)
			memcpy(card->bytes + b * BLOCK_BYTES + i, &pattern, 4);
	}
}

void
sim_card_free(struct sim_card *card)
{
	free(card->bytes);
	card->bytes = NULL;
}

/* ---- registers */

static void
put_bits(uint32_t word[4], uint32_t high, uint32_t low, uint64_t value)
{
	for (uint32_t bit = low; bit <= high; bit++, value >>= 1)
		if (value & 1)
			word[3 - bit / 32] |= 1u << bit % 32;
}

static void
cid_make(const struct sim_card *card, uint32_t cid[4])
{
	put_bits(cid, 127, 120, 0xaa);
	put_bits(cid, 103, 64, 0x53494d5344ull); /* "SIMSD" */
	put_bits(cid, 55, 24, card->serial);
}

static void
csd_make(const struct sim_card *card, uint32_t csd[4])
{
	if (card->noise) {
		memcpy(csd, card->noise_csd, sizeof(card->noise_csd));
		return;
	}
	if (card->kind == SIM_CARD_SDHC) {
		put_bits(csd, 127, 126, 1);
		put_bits(csd, 83, 80, 9);
		put_bits(csd, 69, 48, card->block_count / 1024 - 1);
	} else {
		/* READ_BL_LEN 10, C_SIZE_MULT 7: units of 512 * 1024 bytes */
		put_bits(csd, 83, 80, 10);
		put_bits(csd, 49, 47, 7);
		put_bits(csd, 73, 62, card->block_count / 1024 - 1);
	}
	if (card->read_only)
		put_bits(csd, 13, 13, 1);
	put_bits(csd, 95, 84, 0x135 | (card->no_switch ? 0 : 0x400)); /* classes */
	put_bits(csd, 25, 22, 9);
	put_bits(csd, 46, 46, !card->sector_erase);
	put_bits(csd, 45, 39, card->sector_erase ? 63 : 127);
}

/* ---- commands */

static uint32_t
r1(struct sim_card *card)
{
	uint32_t answer = card->status | card->state << 9;

	if (card->state == PRG && card->busy_left > 0)
		card->busy_left--;
	else
		answer |= R1_READY;
	if (card->state == PRG && card->busy_left == 0)
		card->state = TRAN;
	if (card->app)
		answer |= R1_APP;
	card->status = 0;
	return (answer);
}

static enum sim_card_result
illegal(struct sim_card *card)
{
	card->status |= R1_ILLEGAL;
	return (SIM_CARD_SILENT);
}

static void
power_off(struct sim_card *card)
{
	card->state = IDLE;
	card->rca = card->status = 0;
	card->app = card->expect_cmd23 = card->high_speed = false;
	card->register_bytes = card->erase_steps = 0;
	card->polls_left = card->op_cond_polls;
	card->counted_left = 0;
}

void
sim_card_power_cycle(struct sim_card *card)
{
	power_off(card);
}

static enum sim_card_result
op_cond(struct sim_card *card, uint32_t argument, uint32_t *answer)
{
	*answer = 0x00ff8000;
	if (card->polls_left > 0) {
		card->polls_left--;
		return (SIM_CARD_OK);
	}
	if (card->kind == SIM_CARD_SDHC) {
		if (!(argument & 1u << 30))
			return (SIM_CARD_OK); /* stays busy: host cannot use it */
		*answer |= 1u << 30;
	}
	*answer |= 1u << 31;
	card->state = READY;
	return (SIM_CARD_OK);
}

static enum sim_card_result
data_begin(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t *answer)
{
	uint64_t block = card->kind == SIM_CARD_SDHC ? argument : argument / BLOCK_BYTES;
	bool write = index == 24 || index == 25;

	if (card->state != TRAN)
		return (illegal(card));
	if (block >= card->block_count)
		card->status |= R1_ADDRESS_ERROR;
	else if (write && card->read_only)
		card->status |= R1_WP_VIOLATION;
	if (card->status != 0) {
		*answer = r1(card);
		return (SIM_CARD_OK);
	}
	*answer = r1(card);
	card->state = write ? RCV : DATA;
	card->block = block;
	card->block_bytes = BLOCK_BYTES;
	card->block_number = 0;
	card->single = index == 17 || index == 24;
	card->counted_left = card->expect_cmd23 ? card->counted : 0;
	card->expect_cmd23 = false;
	return (SIM_CARD_OK);
}

/* A register goes out as data. */
static enum sim_card_result
register_begin(struct sim_card *card, uint32_t bytes, uint32_t *answer)
{
	if (card->state != TRAN)
		return (illegal(card));
	*answer = r1(card);
	card->state = DATA;
	card->register_bytes = bytes;
	card->block_number = 0;
	memset(card->register_data, 0, sizeof(card->register_data));
	return (SIM_CARD_OK);
}

static enum sim_card_result
scr_begin(struct sim_card *card, uint32_t *answer)
{
	static const uint8_t scr[4] = { 0x02, 0x35, 0x80, 0x00 };
	enum sim_card_result result = register_begin(card, 8, answer);

	memcpy(card->register_data, scr, sizeof(scr));
	if (card->kind == SIM_CARD_SDSC_V1)
		card->register_data[0] = 0;
	card->register_data[3] = card->has_cmd23 ? 2 : 0;
	if (card->noise)
		memcpy(card->register_data, card->noise_scr, sizeof(card->noise_scr));
	return (result);
}

static enum sim_card_result
switch_begin(struct sim_card *card, uint32_t argument, uint32_t *answer)
{
	enum sim_card_result result;

	if (card->no_switch || card->kind == SIM_CARD_SDSC_V1)
		return (illegal(card));
	result = register_begin(card, 64, answer);
	card->register_data[13] = card->has_high_speed ? 3 : 1;
	card->register_data[16] = (argument & 0xf) == 1 && card->has_high_speed ? 1 : 0xf;
	if (argument >> 31 && card->register_data[16] == 1)
		card->high_speed = true;
	if (card->noise)
		memcpy(card->register_data, card->noise_switch, sizeof(card->noise_switch));
	return (result);
}

static enum sim_card_result
status_begin(struct sim_card *card, uint32_t *answer)
{
	enum sim_card_result result;

	if (card->no_status)
		return (illegal(card));
	result = register_begin(card, 64, answer);
	memcpy(card->register_data, card->sd_status, 64);
	return (result);
}

/* ERASE_START, ERASE_END, ERASE in this order only. */
static enum sim_card_result
erase_step(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t *answer)
{
	uint64_t block = card->kind == SIM_CARD_SDHC ? argument : argument / BLOCK_BYTES;
	uint32_t step = index == 32 ? 0 : index == 33 ? 1 : 2;

	if (card->state != TRAN || card->read_only)
		return (illegal(card));
	if (card->erase_steps != step) {
		card->status |= R1_ERASE_SEQUENCE;
		card->erase_steps = 0;
		*answer = r1(card);
		return (SIM_CARD_OK);
	}
	if (step < 2 && block >= card->block_count)
		card->status |= R1_OUT_OF_RANGE;
	*answer = r1(card);
	card->erase_steps = (step + 1) % 3;
	if (step == 0)
		card->erase_start = block;
	if (step == 1)
		card->erase_end = block;
	if (step < 2)
		return (SIM_CARD_OK);
	card->erase_argument = argument;
	memset(card->bytes + card->erase_start * BLOCK_BYTES, 0xff,
	    (card->erase_end - card->erase_start + 1) * BLOCK_BYTES);
	card->busy_left = card->busy_polls;
	card->state = card->busy_left > 0 ? PRG : TRAN;
	return (SIM_CARD_OK);
}

static enum sim_card_result
stop(struct sim_card *card, uint32_t *answer)
{
	if (card->state != DATA && card->state != RCV)
		return (illegal(card));
	if (card->ahead && card->state == DATA && card->block == card->block_count)
		card->status |= R1_OUT_OF_RANGE;
	*answer = r1(card);
	card->register_bytes = 0;
	card->busy_left = card->state == RCV ? card->busy_polls : 0;
	card->state = card->busy_left > 0 ? PRG : TRAN;
	return (SIM_CARD_OK);
}

static enum sim_card_result
identification(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t answer[4])
{
	switch (index) {
	case 0:
		power_off(card);
		return (SIM_CARD_OK);
	case 8:
		if (card->kind == SIM_CARD_SDSC_V1 || card->state != IDLE)
			return (illegal(card));
		answer[0] = argument & 0xfff;
		return (SIM_CARD_OK);
	case 2:
		if (card->state != READY)
			return (illegal(card));
		cid_make(card, answer);
		card->state = IDENT;
		return (SIM_CARD_OK);
	case 3:
		if (card->state != IDENT && card->state != STBY)
			return (illegal(card));
		card->rca = RCA;
		answer[0] = RCA | (r1(card) & 0x1fff);
		card->state = STBY;
		return (SIM_CARD_OK);
	case 9:
		if (card->state != STBY || argument != card->rca)
			return (illegal(card));
		csd_make(card, answer);
		return (SIM_CARD_OK);
	default:
		return (illegal(card));
	}
}

static enum sim_card_result
ordinary(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t answer[4])
{
	switch (index) {
	case 7:
		if (card->state != STBY || argument != card->rca)
			return (illegal(card));
		answer[0] = r1(card);
		card->state = TRAN;
		return (SIM_CARD_OK);
	case 6:
		return (switch_begin(card, argument, answer));
	case 32: case 33: case 38:
		return (erase_step(card, index, argument, answer));
	case 12:
		return (stop(card, answer));
	case 13:
		if (argument != card->rca || card->state < STBY)
			return (illegal(card));
		answer[0] = r1(card);
		return (SIM_CARD_OK);
	case 16:
		if (card->state != TRAN || argument != BLOCK_BYTES)
			return (illegal(card));
		answer[0] = r1(card);
		return (SIM_CARD_OK);
	case 17: case 18: case 24: case 25:
		return (data_begin(card, index, argument, answer));
	case 23:
		if (card->state != TRAN || !card->has_cmd23)
			return (illegal(card));
		card->counted = argument;
		card->expect_cmd23 = true;
		answer[0] = r1(card);
		return (SIM_CARD_OK);
	case 55:
		if (card->rca != 0 && argument != card->rca)
			return (illegal(card));
		card->app = true;
		answer[0] = r1(card);
		return (SIM_CARD_OK);
	default:
		return (identification(card, index, argument, answer));
	}
}

static enum sim_card_result
app_command(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t answer[4])
{
	card->app = false;
	switch (index) {
	case 41:
		return (card->state == IDLE ? op_cond(card, argument, answer) : illegal(card));
	case 6:
		if (card->state != TRAN || argument != 2)
			return (illegal(card));
		*answer = r1(card);
		return (SIM_CARD_OK);
	case 13:
		return (status_begin(card, answer));
	case 51:
		return (scr_begin(card, answer));
	default:
		/* No such application command: taken as the ordinary one (4.3.9.1). */
		return (ordinary(card, index, argument, answer));
	}
}

static bool
fails(struct sim_card *card, uint32_t index)
{
	if (index != card->fail_index || card->fail_count == 0)
		return (false);
	if (card->fail_skip > 0) {
		card->fail_skip--;
		return (false);
	}
	card->fail_count--;
	return (true);
}

enum sim_card_result
sim_card_command(struct sim_card *card, uint32_t index, uint32_t argument, uint32_t answer[4])
{
	memset(answer, 0, 4 * sizeof(answer[0]));
	if (card->removed)
		return (SIM_CARD_SILENT);
	card->commands[index]++;
	if (fails(card, index)) {
		if (card->fail_status == 0)
			return (card->fail_result);
		answer[0] = card->fail_status | card->state << 9 | R1_READY;
		return (SIM_CARD_OK);
	}
	if (card->app)
		return (app_command(card, index, argument, answer));
	return (ordinary(card, index, argument, answer));
}

/* ---- data */

static bool
data_fails(struct sim_card *card)
{
	if (card->data_fail_count == 0 || card->block_number != card->data_fail_block)
		return (false);
	card->data_fail_count--;
	if (card->data_fail_removes)
		card->removed = true;
	return (true);
}

/* One block has passed. */
static void
block_done(struct sim_card *card)
{
	card->block++;
	card->block_number++;
	if (card->counted_left > 0 && --card->counted_left == 0)
		card->single = true;
	if (!card->single)
		return;
	card->busy_left = card->state == RCV ? card->busy_polls : 0;
	card->state = card->busy_left > 0 ? PRG : TRAN;
}

enum sim_card_result
sim_card_read(struct sim_card *card, uint8_t *to, uint32_t bytes)
{
	if (card->removed || card->state != DATA)
		return (SIM_CARD_SILENT);
	if (card->register_bytes > 0) {
		KASSERT(bytes == card->register_bytes, "J4: a register has its size");
		memcpy(to, card->register_data, bytes);
		card->register_bytes = 0;
		card->state = TRAN;
		return (SIM_CARD_OK);
	}
	if (card->block >= card->block_count)
		return (SIM_CARD_SILENT);
	KASSERT(bytes == BLOCK_BYTES, "J4: a block has 512 bytes");
	if (data_fails(card))
		return (card->data_fail_result);
	memcpy(to, card->bytes + card->block * BLOCK_BYTES, bytes);
	block_done(card);
	return (SIM_CARD_OK);
}

enum sim_card_result
sim_card_write(struct sim_card *card, const uint8_t *from, uint32_t bytes)
{
	if (card->removed || card->state != RCV || card->block >= card->block_count)
		return (SIM_CARD_SILENT);
	KASSERT(bytes == BLOCK_BYTES, "J4: a block has 512 bytes");
	if (data_fails(card))
		return (card->data_fail_result);
	memcpy(card->bytes + card->block * BLOCK_BYTES, from, bytes);
	block_done(card);
	return (SIM_CARD_OK);
}
