/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting over the failures of an SD card, and over its absence.
 *
 *   error --recover--> card answers: STOP_TRANSMISSION if it is amid data, ready: repeat
 *      |                 \-> silent, or time was up: controller and card anew from power-on
 *      |                                      \-> no card, or another one: GONE
 *   GONE --await--> looks every LOOK_US until dev.sd.gone_wait after it went: back, or not
 *
 * Once that time is up requests fail at once, and one a second looks whether the card is back.
 * An idle card is looked at every dev.sd.look, so that its going and coming shows without a
 * request. Another card in its place stays unused, for what is on it is not ours; the same
 * one is known by its CID.
 *
 * Owns: gone, foreign and the times of struct sdcard.
 * Does not: repeat requests (sdcard.c).
 * Invariants:
 *   K1 CID and size stay those of the card that was attached;
 *   K2 only the card's task runs any of this.
 * Yields: everything.
 * See: drivers/sdcard_internal.h; SD Physical Layer Simplified Specification 3.01, 4.3, 4.10.
 */
#include <stddef.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/sdcard_internal.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/timer.h"

#define READY_WAIT_US  1000000u
#define LOOK_US        250000u
#define LOOK_AGAIN_US  1000000u
#define IDENTIFY_TRIES 2

static bool
same_card(const uint32_t a[4], const uint32_t b[4])
{
	return (memcmp(a, b, 4 * sizeof(a[0])) == 0);
}

/*
 * Identify the card anew. The blkdev was made for one card: a different one (or
 * one of another size) is refused.
 */
static int
identify_again(struct sdcard *card)
{
	uint64_t block_count = card->block_count;
	uint32_t cid[4];
	int error = ERR_NODEV;

	memcpy(cid, card->cid, sizeof(cid));
	drivers_params.sd_reinits++;
	card->dev.resets++;
	for (uint32_t n = 0; n < IDENTIFY_TRIES && error != 0; n++)
		error = sdcard_identify(card);
	card->foreign = error == 0 &&
	    (!same_card(cid, card->cid) || block_count != card->block_count);
	memcpy(card->cid, cid, sizeof(cid)); /* K1 */
	card->block_count = block_count;
	return (card->foreign ? ERR_NODEV : error);
}

static void
card_gone(struct sdcard *card, int error)
{
	card->gone = true;
	card->gone_us = card->looked_us = timer_now_us();
	drivers_params.sd_removals++;
	if (card->foreign)
		kprintf("%s: another card was put in; put back the one of the start\n",
		    card->dev.name);
	else
		kprintf("%s: card does not answer%s; put it back, or check its contacts\n",
		    card->dev.name, error == ERR_NODEV ? "" : " as it should");
}

/* Is a card that was gone back? */
static bool
back_again(struct sdcard *card)
{
	bool was_foreign = card->foreign;

	card->looked_us = timer_now_us();
	if (identify_again(card) != 0) {
		if (card->foreign && !was_foreign)
			kprintf("%s: this is another card; put back the one of the start\n",
			    card->dev.name);
		return (false);
	}
	card->gone = false;
	kprintf("%s: the card is back\n", card->dev.name);
	return (true);
}

int
sdcard_await(struct sdcard *card)
{
	uint64_t deadline_us = card->gone_us + (uint64_t)drivers_params.sd_gone_wait * 1000000;

	while (timer_now_us() < deadline_us) {
		tsleep(card, "sdgone", LOOK_US);
		if (back_again(card))
			return (0);
	}
	if (timer_now_us() - card->looked_us >= LOOK_AGAIN_US && back_again(card))
		return (0);
	return (ERR_NODEV);
}

/* A card that answers: out of its data phase, ready, past errors read away. */
static int
calm_down(struct sdcard *card)
{
	uint32_t r1;
	int error = sdcard_status(card, &r1);

	if (error != 0)
		return (error);
	if (SD_R1_STATE(r1) == SD_STATE_DATA || SD_R1_STATE(r1) == SD_STATE_RECEIVE)
		(void)!sdcard_stop(card, true);
	/* The first look reports and clears the errors of the past. */
	error = sdcard_settle(card, READY_WAIT_US);
	if (error != 0 && error != ERR_TIMEDOUT)
		error = sdcard_settle(card, READY_WAIT_US);
	return (error);
}

int
sdcard_recover(struct sdcard *card, int error)
{
	if (error != ERR_TIMEDOUT && calm_down(card) == 0)
		return (0);
	error = identify_again(card);
	if (error == 0)
		return (0);
	card_gone(card, error);
	return (ERR_NODEV);
}

int
sdcard_slow_down(struct sdcard *card)
{
	int error;

	kprintf("%s: errors at %u MHz; slower from now on\n", card->dev.name,
	    (unsigned)(card->clock_hz / 1000000));
	card->no_high_speed = true;
	error = identify_again(card);
	if (error == 0)
		return (0);
	card_gone(card, error);
	return (ERR_NODEV);
}

void
sdcard_look(struct sdcard *card)
{
	uint32_t r1;

	if (card->gone)
		(void)back_again(card);
	else if (sdcard_status(card, &r1) != 0)
		(void)!sdcard_recover(card, ERR_TIMEDOUT);
}
