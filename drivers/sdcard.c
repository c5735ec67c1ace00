/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SD memory card as a disk: transfers, and getting over their failures.
 *
 * One task a card takes merged chains from the block layer and carries each out as
 * one command pair:
 *
 *   (SET_BLOCK_COUNT) READ/WRITE_MULTIPLE_BLOCK, data, (STOP_TRANSMISSION) (SEND_STATUS)
 *
 * SET_BLOCK_COUNT where the card has it, else STOP_TRANSMISSION; one block alone
 * needs neither. A write is done when the card says that it is back in transfer
 * state, so a completed write is on the card.
 *
 * After an error:   SEND_STATUS  -> answers: STOP_TRANSMISSION if it is in the middle
 *                                   of data, wait until it is ready, repeat
 *                                -> silent: identify it again from power-on, repeat
 * A card that cannot be identified is gone: its requests fail at once, and once a
 * second a request looks whether it has come back. Another card in its place stays
 * unused, for what is on it is not ours.
 *
 * Owns: struct sdcard, its task, every bio between blk_next and bio_done.
 * Does not: touch registers (sdhost.h); cache; retry what the card itself calls wrong
 *   (address, write protection).
 * Invariants:
 *   D1 only the card's task uses the host once sdcard_attach has returned;
 *   D2 a chain is completed exactly once, after its last attempt;
 *   D3 attempts per chain are at most 1 + dev.sd.retries_max.
 * Yields: everything but sdcard_start.
 * See: SD Physical Layer Simplified Specification 3.01, 4.3 (data transfer), 4.7
 *   (commands), 4.10 (status).
 */
#include "drivers/sdcard.h"

#include <stddef.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/sdcard_internal.h"
#include "kern/blkdev.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define READY_WAIT_US      1000000u
#define READY_SLEEP_US     1000u
#define LOOK_AGAIN_US      1000000u
#define IDENTIFY_TRIES     2
/* 512 KiB: longer transfers gain nothing and make others wait. */
#define TRANSFER_BLOCKS_MAX 1024u

static struct sdcard cards[SDCARD_UNITS];

/* ---- commands */

static int
status_error(uint32_t r1)
{
	if (r1 & (SD_R1_OUT_OF_RANGE | SD_R1_ADDRESS_ERROR))
		return (ERR_RANGE);
	if (r1 & SD_R1_WP_VIOLATION)
		return (ERR_ROFS);
	return (r1 & SD_R1_ERRORS ? ERR_IO : 0);
}

int
sdcard_send(struct sdcard *card, struct sd_command *c)
{
	int error = card->host->ops->command(card->host, c);

	if (error != 0 || (c->response != SD_RESPONSE_R1 && c->response != SD_RESPONSE_R1B))
		return (error);
	error = status_error(c->answer[0]);
	if (error == 0)
		return (0);
	trace(TRACE_DEVERR, c->index, c->answer[0], c->argument);
	if (c->data != NULL)
		card->host->ops->abort(card->host);
	return (error);
}

int
sdcard_simple(struct sdcard *card, uint32_t index, uint32_t response, uint32_t argument,
    uint32_t *answer)
{
	struct sd_command c = { .index = (uint8_t)index, .response = (uint8_t)response,
		.argument = argument };
	int error = sdcard_send(card, &c);

	if (answer != NULL)
		*answer = c.answer[0];
	return (error);
}

/* The card status, error bits and all: those are of the past here. */
static int
status_get(struct sdcard *card, uint32_t *r1)
{
	struct sd_command c = { .index = SD_SEND_STATUS, .response = SD_RESPONSE_R1,
		.argument = card->rca };
	int error = card->host->ops->command(card->host, &c);

	*r1 = c.answer[0];
	return (error);
}

/* ---- one transfer */

static uint32_t
transfer_index(bool write, uint32_t block_count)
{
	if (write)
		return (block_count > 1 ? SD_WRITE_MULTIPLE_BLOCK : SD_WRITE_BLOCK);
	return (block_count > 1 ? SD_READ_MULTIPLE_BLOCK : SD_READ_SINGLE_BLOCK);
}

/*
 * End an open transfer. A card may find that it has read ahead beyond its end;
 * when the last block was asked for, that is no error (4.3.3).
 */
static int
stop(struct sdcard *card, bool write, bool at_end)
{
	struct sd_command c = { .index = SD_STOP_TRANSMISSION, .response = SD_RESPONSE_R1B };
	int error = card->host->ops->command(card->host, &c);

	if (error != 0)
		return (error);
	if (!write && at_end)
		c.answer[0] &= ~SD_R1_OUT_OF_RANGE;
	return (status_error(c.answer[0]));
}

/* After a write: back in transfer state, without an error? */
static int
settle(struct sdcard *card)
{
	uint64_t deadline_us = 0;
	uint32_t r1;

	for (;;) {
		int error = status_get(card, &r1);

		if (error == 0)
			error = status_error(r1);
		if (error != 0)
			return (error);
		if (r1 & SD_R1_READY && SD_R1_STATE(r1) == SD_STATE_TRANSFER)
			return (0);
		if (deadline_us == 0)
			deadline_us = timer_now_us() + READY_WAIT_US;
		else if (timer_now_us() >= deadline_us)
			return (ERR_TIMEDOUT);
		tsleep(card, "sdbusy", READY_SLEEP_US);
	}
}

/* Carry out the whole chain once. */
static int
attempt(struct sdcard *card, const struct bio *first, uint32_t block_count)
{
	struct sd_data data = { .write = first->op == BIO_WRITE, .block_bytes = SD_BLOCK_BYTES,
		.block_count = block_count };
	struct sd_command c = { .index = (uint8_t)transfer_index(data.write, block_count),
		.response = SD_RESPONSE_R1, .data = &data,
		.argument = (uint32_t)(card->high_capacity ? first->block :
		    first->block * SD_BLOCK_BYTES) };
	bool at_end = first->block + block_count == card->block_count;
	bool counted = card->set_block_count && block_count > 1;
	int error = 0;

	sd_data_rewind(&data, first);
	if (counted)
		error = sdcard_simple(card, SD_SET_BLOCK_COUNT, SD_RESPONSE_R1, block_count, NULL);
	if (error == 0)
		error = sdcard_send(card, &c);
	if (error == 0)
		error = card->host->ops->transfer(card->host, &c);
	if (error == 0 && block_count > 1 && !counted)
		error = stop(card, data.write, at_end);
	if (error == 0 && data.write)
		error = settle(card);
	return (error);
}

/* ---- recovery */

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
	for (uint32_t n = 0; n < IDENTIFY_TRIES && error != 0; n++)
		error = sdcard_identify(card);
	card->foreign = error == 0 &&
	    (!same_card(cid, card->cid) || block_count != card->block_count);
	memcpy(card->cid, cid, sizeof(cid));
	card->block_count = block_count;
	return (card->foreign ? ERR_NODEV : error);
}

static void
card_gone(struct sdcard *card, int error)
{
	card->gone = true;
	card->looked_us = timer_now_us();
	if (card->foreign)
		kprintf("%s: another card was put in; put back the one of the start\n",
		    card->dev.name);
	else
		kprintf("%s: card does not answer%s; put it back, or check its contacts\n",
		    card->dev.name, error == ERR_NODEV ? "" : " as it should");
}

/* Get card and controller into a state where the transfer can be repeated. */
static int
recover(struct sdcard *card)
{
	uint32_t r1;
	int error = status_get(card, &r1);

	if (error == 0 && (SD_R1_STATE(r1) == SD_STATE_DATA || SD_R1_STATE(r1) == SD_STATE_RECEIVE))
		(void)!stop(card, false, true);
	if (error == 0) {
		/* The first look reports and clears the errors of the past. */
		error = settle(card);
		if (error != 0 && error != ERR_TIMEDOUT)
			error = settle(card);
	}
	if (error == 0)
		return (0);
	error = identify_again(card);
	if (error != 0)
		card_gone(card, error);
	return (error);
}

/* What another attempt cannot mend. */
static bool
final(int error)
{
	return (error == 0 || error == ERR_RANGE || error == ERR_ROFS);
}

static int
transfer(struct sdcard *card, const struct bio *first, uint32_t block_count)
{
	int error = attempt(card, first, block_count);

	for (int64_t n = 0; error != 0; n++) {
		int broken = recover(card);

		if (broken != 0)
			return (ERR_NODEV);
		if (final(error) || n >= drivers_params.sd_retries)
			return (error);
		drivers_params.sd_retried++;
		error = attempt(card, first, block_count);
	}
	return (0);
}

/* ---- the task */

/* Is a card that was gone back? Looks at most once a second. */
static bool
back_again(struct sdcard *card)
{
	if (timer_now_us() - card->looked_us < LOOK_AGAIN_US)
		return (false);
	card->looked_us = timer_now_us();
	if (identify_again(card) != 0)
		return (false);
	card->gone = false;
	kprintf("%s: the card is back\n", card->dev.name);
	return (true);
}

static int
serve(struct sdcard *card, const struct bio *first)
{
	uint32_t block_count = bio_chain_blocks(first);
	int error;

	if (card->gone && !back_again(card))
		return (ERR_NODEV);
	if (first->op != BIO_READ && first->op != BIO_WRITE)
		return (ERR_NOTSUP);
	error = transfer(card, first, block_count);
	if (error != 0) {
		drivers_params.sd_errors++;
		return (error == ERR_TIMEDOUT || error == ERR_RANGE ? ERR_IO : error);
	}
	if (first->op == BIO_READ) {
		drivers_params.sd_reads++;
		drivers_params.sd_read_blocks += block_count;
	} else {
		drivers_params.sd_writes++;
		drivers_params.sd_written_blocks += block_count;
	}
	return (0);
}

static void
sdcard_task(void *arg)
{
	struct sdcard *card = arg;

	for (;;) {
		struct bio *first;

		irq_lock_acquire(&card->lock);
		while (!card->work)
			(void)msleep(&card->work, &card->lock, "sdidle", SLEEP_FOREVER);
		card->work = false;
		irq_lock_release(&card->lock);
		while ((first = blk_next(&card->dev)) != NULL)
			bio_done(first, serve(card, first));
	}
}

static void
sdcard_start(struct blkdev *dev)
{
	struct sdcard *card = dev->softc;

	irq_lock_acquire(&card->lock);
	card->work = true;
	irq_lock_release(&card->lock);
	wakeup(&card->work);
}

static const struct blkdev_ops sdcard_ops = {
	.start = sdcard_start,
};

/* ---- attaching */

static void
announce(const struct sdcard *card)
{
	char product[6];

	/* Product name: bits 103..64 of the CID. */
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t low = 96 - i * 8;
		char c = (char)(card->cid[3 - low / 32] >> low % 32);

		product[i] = c > ' ' && c < 0x7f ? c : '?';
	}
	product[5] = '\0';
	kprintf("%s: %s card %s, %llu MiB, %u MHz, %u-bit, %s%s\n", card->dev.name,
	    card->high_capacity ? "SDHC" : "SDSC", product,
	    (unsigned long long)(card->block_count / 2048),
	    (unsigned)(card->host->clock_max_hz / 1000000), card->four_lines ? 4u : 1u,
	    card->set_block_count ? "counted transfers" : "stopped transfers",
	    card->read_only ? ", write protected" : "");
}

static void
announce_failure(uint32_t unit, int error)
{
	if (error == ERR_NODEV)
		kprintf("sd%u: no card; insert one and reset the board\n", (unsigned)unit);
	else if (error == ERR_NOTSUP)
		kprintf("sd%u: this card is not an SD memory card that can be used\n",
		    (unsigned)unit);
	else
		kprintf("sd%u: the card cannot be identified (%s); check its contacts\n",
		    (unsigned)unit, err_string(error));
}

static void
dev_describe(struct sdcard *card, uint32_t unit)
{
	uint32_t blocks_max = card->host->blocks_max;

	card->dev = (struct blkdev){
		.name = { 's', 'd', (char)('0' + unit) },
		.ops = &sdcard_ops,
		.softc = card,
		.block_bytes = SD_BLOCK_BYTES,
		.block_count = card->block_count,
		.bio_blocks_max = blocks_max < TRANSFER_BLOCKS_MAX ? blocks_max :
		    TRANSFER_BLOCKS_MAX,
		.read_only = card->read_only,
	};
}

int
sdcard_attach(struct sdhost *host, uint32_t unit)
{
	struct sdcard *card = &cards[unit];
	struct task *task;
	int error = ERR_NODEV;

	KASSERT(unit < SDCARD_UNITS, "D4: the unit exists");
	memset(card, 0, sizeof(*card));
	card->host = host;
	for (uint32_t n = 0; n < IDENTIFY_TRIES && error != 0; n++)
		error = sdcard_identify(card);
	if (error != 0) {
		announce_failure(unit, error);
		return (error);
	}
	dev_describe(card, unit);
	announce(card);
	error = task_create(&task, card->dev.name, PRI_IO, sdcard_task, card);
	return (error != 0 ? error : blk_register(&card->dev));
}
