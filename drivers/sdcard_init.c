/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Identification of an SD memory card.
 *
 *   GO_IDLE_STATE -> SEND_IF_COND -> APP_SEND_OP_COND ... -> ALL_SEND_CID
 *     -> SEND_RELATIVE_ADDR -> SEND_CSD -> SELECT_CARD -> (SET_BLOCKLEN)
 *     -> APP_SEND_SCR -> APP_SET_BUS_WIDTH -> (APP_STATUS) -> (SWITCH_FUNC)
 *
 * A card that answers SEND_IF_COND is of version 2 or later and may be of high
 * capacity; one that stays silent there is of version 1, or not there at all, which
 * the next command tells.
 *
 * Owns: struct sdcard's description of the card.
 * Does not: transfer blocks or recover (sdcard.c, sdcard_recover.c); UHS modes; MMC.
 * Invariants:
 *   S1 every loop over the card's answers has a limit in time.
 * Yields: sdcard_identify.
 * See: SD Physical Layer Simplified Specification 3.01, 4.2 (flow), 5.2 (CID),
 *   5.3 (CSD), 5.6 (SCR).
 */
#include <stddef.h>
#include <string.h>

#include "drivers/sdcard_internal.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/assert.h"

#define IF_COND_33V_PATTERN 0x1aau
#define OCR_VOLTAGES        0x00ff8000u
#define OCR_HIGH_CAPACITY   (1u << 30)
#define OCR_READY           (1u << 31)
#define OP_COND_WAIT_US     1500000u /* the card is allowed 1 s */
#define OP_COND_SLEEP_US    10000u
#define R6_ERRORS           0xe000u  /* CRC, illegal command, error */

#define SCR_BYTES      8
#define SCR_4BIT       0x04 /* in byte 1 */

uint32_t
sdcard_bits(const uint32_t word[4], uint32_t high, uint32_t low)
{
	uint64_t value = 0;

	for (uint32_t i = high / 32 + 1; i-- > low / 32;)
		value = value << 32 | word[3 - i];
	value >>= low % 32;
	return ((uint32_t)(value & ((1ull << (high - low + 1)) - 1)));
}

/* The status that comes with APP_CMD may tell of the past: a version 1 card reports
 * there that it did not know SEND_IF_COND. The command itself is checked. */
int
sdcard_app(struct sdcard *card, struct sd_command *c)
{
	struct sd_command app = { .index = SD_APP_CMD, .response = SD_RESPONSE_R1,
		.argument = card->rca };
	int error = card->host->ops->command(card->host, &app);

	return (error != 0 ? error : sdcard_send(card, c));
}

/* *version_2: the card has answered SEND_IF_COND. */
static int
interface_check(struct sdcard *card, bool *version_2)
{
	struct sd_command c = { .index = SD_SEND_IF_COND, .response = SD_RESPONSE_R1,
		.argument = IF_COND_33V_PATTERN };
	int error = card->host->ops->command(card->host, &c);

	*version_2 = error == 0;
	if (error == 0 && (c.answer[0] & 0xfff) != IF_COND_33V_PATTERN)
		return (ERR_NOTSUP);
	return (error == ERR_TIMEDOUT ? 0 : error);
}

/* Wait until the card has powered up. Silence at the first try: no card. */
static int
power_up(struct sdcard *card, bool version_2)
{
	uint64_t deadline_us = timer_now_us() + OP_COND_WAIT_US;

	for (bool first = true; ; first = false) {
		struct sd_command c = { .index = SD_APP_SEND_OP_COND, .response = SD_RESPONSE_R3,
			.argument = OCR_VOLTAGES | (version_2 ? OCR_HIGH_CAPACITY : 0) };
		int error = sdcard_app(card, &c);

		if (error != 0)
			return (first && error == ERR_TIMEDOUT ? ERR_NODEV : error);
		card->high_capacity = version_2 && (c.answer[0] & OCR_HIGH_CAPACITY);
		if (c.answer[0] & OCR_READY)
			return (c.answer[0] & OCR_VOLTAGES ? 0 : ERR_NOTSUP);
		if (timer_now_us() >= deadline_us)
			return (ERR_TIMEDOUT);
		tsleep(card, "sdpower", OP_COND_SLEEP_US);
	}
}

static int
read_register(struct sdcard *card, uint32_t index, uint32_t argument, uint32_t out[4])
{
	struct sd_command c = { .index = (uint8_t)index, .response = SD_RESPONSE_R2,
		.argument = argument };
	int error = sdcard_send(card, &c);

	if (error == 0)
		memcpy(out, c.answer, sizeof(c.answer));
	return (error);
}

static int
address_get(struct sdcard *card)
{
	struct sd_command c = { .index = SD_SEND_RELATIVE_ADDR, .response = SD_RESPONSE_R1 };
	int error = card->host->ops->command(card->host, &c);

	if (error != 0)
		return (error);
	if (c.answer[0] & R6_ERRORS)
		return (ERR_IO);
	card->rca = c.answer[0] & 0xffff0000u;
	return (0);
}

/*
 * Size and write protection from the CSD (5.3.2 version 1, 5.3.3 version 2). The second
 * version is that of high capacity. The answer that told of it has no checksum: if it was
 * wrong, bytes would be addressed as blocks, or sizes not fit into an address.
 */
static int
csd_parse(struct sdcard *card)
{
	const uint32_t *csd = card->csd;
	uint32_t version = sdcard_bits(csd, 127, 126), shift;

	if (version < 2 && (version == 1) != card->high_capacity)
		return (ERR_NOTSUP);
	switch (version) {
	case 0:
		/* C_SIZE_MULT, READ_BL_LEN */
		shift = sdcard_bits(csd, 49, 47) + 2 + sdcard_bits(csd, 83, 80);
		if (sdcard_bits(csd, 83, 80) < 9 || sdcard_bits(csd, 83, 80) > 11)
			return (ERR_NOTSUP);
		card->block_count = (uint64_t)(sdcard_bits(csd, 73, 62) + 1) << (shift - 9);
		break;
	case 1:
		card->block_count = (uint64_t)(sdcard_bits(csd, 69, 48) + 1) * 1024;
		break;
	default:
		return (ERR_NOTSUP);
	}
	card->read_only = sdcard_bits(csd, 13, 12) != 0;
	return (0);
}

static int
scr_read(struct sdcard *card)
{
	struct sd_data data = { .block_bytes = SCR_BYTES, .block_count = 1,
		.buffer = card->scratch };
	struct sd_command c = { .index = SD_APP_SEND_SCR, .response = SD_RESPONSE_R1,
		.data = &data };
	int error = sdcard_app(card, &c);

	if (error == 0)
		error = card->host->ops->transfer(card->host, &c);
	if (error != 0)
		return (error);
	sdcard_features_parse(card);
	card->four_lines = card->host->four_lines && (card->scratch[1] & SCR_4BIT);
	return (0);
}

static int
width_set(struct sdcard *card)
{
	struct sd_command c = { .index = SD_APP_SET_BUS_WIDTH, .response = SD_RESPONSE_R1,
		.argument = 2 };
	int error;

	if (!card->four_lines)
		return (0);
	error = sdcard_app(card, &c);
	if (error == 0)
		card->host->ops->set_width(card->host, 4);
	return (error);
}

/* From power-on to stand-by state: the card has an address. */
static int
address_card(struct sdcard *card)
{
	bool version_2;
	int error = card->host->ops->reset(card->host);

	card->rca = 0;
	if (error != 0)
		return (error);
	/* No answer to wait for; a controller without card may say that it failed. */
	(void)!sdcard_simple(card, SD_GO_IDLE_STATE, SD_RESPONSE_NONE, 0, NULL);
	error = interface_check(card, &version_2);
	if (error == 0)
		error = power_up(card, version_2);
	if (error == 0)
		error = read_register(card, SD_ALL_SEND_CID, 0, card->cid);
	if (error == 0)
		error = address_get(card);
	return (error);
}

/* From stand-by to transfer state, at full clock. */
static int
select_card(struct sdcard *card)
{
	int error = read_register(card, SD_SEND_CSD, card->rca, card->csd);

	card->high_speed = false;
	card->clock_hz = card->host->clock_max_hz < SD_DEFAULT_HZ ? card->host->clock_max_hz :
	    SD_DEFAULT_HZ;
	if (error == 0)
		error = csd_parse(card);
	if (error == 0)
		error = card->host->ops->set_clock(card->host, card->clock_hz);
	if (error == 0)
		error = sdcard_simple(card, SD_SELECT_CARD, SD_RESPONSE_R1, card->rca, NULL);
	if (error == 0 && !card->high_capacity)
		error = sdcard_simple(card, SD_SET_BLOCKLEN, SD_RESPONSE_R1, SD_BLOCK_BYTES, NULL);
	return (error);
}

int
sdcard_identify(struct sdcard *card)
{
	int error = address_card(card);

	if (error == 0)
		error = select_card(card);
	if (error == 0)
		error = scr_read(card);
	if (error == 0)
		error = width_set(card);
	if (error == 0)
		error = sdcard_features(card);
	return (error);
}
