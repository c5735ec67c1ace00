/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an SD card can do beyond reading and writing: from CSD, SCR and SD Status, and the
 * switch to high speed.
 *
 *   CSD       command classes (erase, switch), erase unit
 *   SCR       version of the specification, SET_BLOCK_COUNT
 *   SD Status allocation unit, speed class, time that an erase takes, discard
 *
 * Cards are known to fail in all of these. What goes wrong once is left out afterwards: the
 * card is identified anew and works without it, by the older rules.
 *
 * Owns: the features part of struct sdcard.
 * Does not: use UHS modes, which need 1.8 V signals.
 * Invariants:
 *   F1 SWITCH_FUNC is sent only to cards whose CSD and SCR both know it;
 *   F2 au_blocks and erase_blocks are multiples of a block and the times are bounded,
 *      whatever the card says.
 * Yields: sdcard_features.
 * See: SD Physical Layer Simplified Specification 6.00, 4.3.10 (switch), 4.10.2 (SD
 *   Status), 4.14 (erase time), 5.3 (CSD), 5.6 (SCR).
 */
#include <stddef.h>

#include "drivers/sdcard_internal.h"
#include "kern/console.h"

#define CCC_ERASE  (1u << 5)
#define CCC_SWITCH (1u << 10)

#define SCR_SPEC(scr)  ((scr)[0] & 0x0f) /* 0: version 1.0, which has no SWITCH_FUNC */
#define SCR_CMD23      0x02              /* in byte 3 */

#define SWITCH_BYTES      64
#define SWITCH_CHECK      0x00fffff1u    /* group 1: function 1; the others as they are */
#define SWITCH_SET        0x80fffff1u
#define SWITCH_SUPPORT_AT 13             /* functions 7..0 of group 1 */
#define SWITCH_RESULT_AT  16             /* low half: function of group 1, 15 = none */
#define SWITCH_HIGH_SPEED 1u

#define STATUS_BYTES       64
#define STATUS_CLASS_AT    8
#define STATUS_AU_AT       10            /* high half */
#define STATUS_ERASE_SIZE_AT 11          /* two bytes: allocation units, */
#define STATUS_ERASE_TIME_AT 13          /* seconds for them; low 2 bits: seconds on top */
#define STATUS_DISCARD_AT  24
#define STATUS_DISCARD     0x02

#define ERASE_BASE_US  2000000u
#define ERASE_AU_US    1000000u          /* where the card does not say */
#define AU_BLOCKS_USUAL 8192u            /* 4 MiB */

void
sdcard_features_parse(struct sdcard *card)
{
	uint32_t classes = sdcard_bits(card->csd, 95, 84);

	card->set_block_count = (card->scratch[3] & SCR_CMD23) != 0;
	card->can_switch = (classes & CCC_SWITCH) && SCR_SPEC(card->scratch) >= 1; /* F1 */
	card->can_erase = (classes & CCC_ERASE) != 0;
	card->erase_blocks = 1;
	if (sdcard_bits(card->csd, 126, 126) == 0 && sdcard_bits(card->csd, 46, 46) == 0) {
		uint32_t length_log = sdcard_bits(card->csd, 25, 22); /* WRITE_BL_LEN */

		card->erase_blocks = (sdcard_bits(card->csd, 45, 39) + 1) <<
		    (length_log > 9 && length_log < 12 ? length_log - 9 : 0);
	}
}

/* A register of the card as data of command index, into card->scratch. */
static int
register_read(struct sdcard *card, uint32_t index, uint32_t argument, uint32_t bytes)
{
	struct sd_data data = { .block_bytes = bytes, .block_count = 1, .buffer = card->scratch };
	struct sd_command c = { .index = (uint8_t)index, .response = SD_RESPONSE_R1,
		.argument = argument, .data = &data };
	int error = index == SD_APP_STATUS ? sdcard_app(card, &c) : sdcard_send(card, &c);

	return (error != 0 ? error : card->host->ops->transfer(card->host, &c));
}

/* ---- SD Status */

/* AU_SIZE: powers of two from 16 KiB, but 12 and 24 MiB among the larger ones. */
static uint32_t
au_blocks(uint32_t code)
{
	static const uint8_t large_mib[] = { 4, 8, 12, 16, 24, 32, 64 };

	if (code == 0)
		return (0);
	if (code < 9)
		return (32u << (code - 1));
	return (large_mib[code - 9] * 2048u);
}

static void
status_parse(struct sdcard *card)
{
	static const uint8_t classes[] = { 0, 2, 4, 6, 10 };
	const uint8_t *status = card->scratch;
	uint32_t class = status[STATUS_CLASS_AT];
	uint32_t erase_aus = (uint32_t)status[STATUS_ERASE_SIZE_AT] << 8 |
	    status[STATUS_ERASE_SIZE_AT + 1];
	uint32_t seconds = status[STATUS_ERASE_TIME_AT] >> 2;

	card->speed_class = class < sizeof(classes) ? classes[class] : 0;
	card->au_blocks = au_blocks(status[STATUS_AU_AT] >> 4);
	card->can_discard = (status[STATUS_DISCARD_AT] & STATUS_DISCARD) != 0;
	card->erase_base_us = ERASE_BASE_US + (status[STATUS_ERASE_TIME_AT] & 3) * 1000000u;
	if (erase_aus > 0 && seconds > 0)
		card->erase_au_us = seconds * 1000000u / erase_aus;
}

static int
status_read(struct sdcard *card)
{
	int error;

	card->status_read = true;
	card->erase_base_us = ERASE_BASE_US;
	card->erase_au_us = ERASE_AU_US;
	error = register_read(card, SD_APP_STATUS, 0, STATUS_BYTES);
	if (error == 0)
		status_parse(card);
	return (error);
}

uint64_t
sdcard_erase_us(const struct sdcard *card, uint32_t block_count)
{
	uint32_t unit = card->au_blocks != 0 ? card->au_blocks : AU_BLOCKS_USUAL;

	return (card->erase_base_us +
	    ((uint64_t)block_count / unit + 2) * card->erase_au_us);
}

/* ---- high speed */

static int
high_speed_set(struct sdcard *card)
{
	int error = register_read(card, SD_SWITCH_FUNC, SWITCH_CHECK, SWITCH_BYTES);

	if (error != 0)
		return (error);
	if (!(card->scratch[SWITCH_SUPPORT_AT] & 1u << SWITCH_HIGH_SPEED)) {
		card->no_high_speed = true;
		return (0);
	}
	error = register_read(card, SD_SWITCH_FUNC, SWITCH_SET, SWITCH_BYTES);
	if (error != 0)
		return (error);
	if ((card->scratch[SWITCH_RESULT_AT] & 0x0f) != SWITCH_HIGH_SPEED) {
		card->no_high_speed = true; /* busy with something else: stays as it was */
		return (0);
	}
	card->high_speed = true;
	card->clock_hz = card->host->clock_max_hz < SD_HIGH_SPEED_HZ ? card->host->clock_max_hz :
	    SD_HIGH_SPEED_HZ;
	return (card->host->ops->set_clock(card->host, card->clock_hz));
}

int
sdcard_features(struct sdcard *card)
{
	int error = 0;

	if (!card->status_read)
		error = status_read(card);
	if (error != 0 || !card->can_switch || card->no_high_speed ||
	    card->host->clock_max_hz <= SD_DEFAULT_HZ)
		return (error);
	error = high_speed_set(card);
	if (error != 0)
		card->no_high_speed = true;
	return (error);
}
