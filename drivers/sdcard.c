/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SD memory card as a disk: its requests.
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
 * An erase is ERASE_START, ERASE_END, ERASE: as a discard where the card has it. After an
 * error the card is brought to order (sdcard_recover.c) and the request repeated from its
 * start, a few times and with growing pauses; requests behind it wait, so they keep their
 * order. At high speed the last repetition is made at the default speed.
 *
 * Owns: struct sdcard, its task, every bio between blk_next and bio_done.
 * Does not: touch registers (sdhost.h); cache; repeat what the card itself calls wrong
 *   (address, write protection).
 * Invariants:
 *   D1 only the card's task uses the host once sdcard_attach has returned;
 *   D2 a chain is completed exactly once, after its last attempt;
 *   D3 attempts per chain are at most 1 + dev.sd.retries_max, and a card that is gone is
 *      waited for at most dev.sd.gone_wait after it went.
 * Yields: everything but sdcard_start.
 * See: SD Physical Layer Simplified Specification 3.01, 4.3 (data transfer,
 *   erase), 4.7 (commands), 4.10 (status).
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
#define IDENTIFY_TRIES     3 /* a feature that fails is left out the next time */
#define RETRY_PAUSE_US     1000u
#define RETRY_PAUSE_SHIFT  8 /* a quarter of a second at most */
#define NEAR_END_BLOCKS    64u
#define ERASE_BLOCKS_MIN   128u
#define ALIGN_BLOCKS_USUAL 8192u
/* 256 KiB: longer transfers gain nothing, make others wait, and their cache maintenance
 * would hold the core for too long. */
#define TRANSFER_BLOCKS_MAX 512u

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

int
sdcard_status(struct sdcard *card, uint32_t *r1)
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
 * near the last block that is no error (4.3.3): every block asked for has come.
 */
int
sdcard_stop(struct sdcard *card, bool near_end)
{
	struct sd_command c = { .index = SD_STOP_TRANSMISSION, .response = SD_RESPONSE_R1B,
		.near_end = near_end };
	int error = card->host->ops->command(card->host, &c);

	if (error != 0)
		return (error);
	if (near_end)
		c.answer[0] &= ~SD_R1_OUT_OF_RANGE;
	return (status_error(c.answer[0]));
}

int
sdcard_settle(struct sdcard *card, uint64_t timeout_us)
{
	uint64_t deadline_us = 0;
	uint32_t r1;

	for (;;) {
		int error = sdcard_status(card, &r1);

		if (error == 0)
			error = status_error(r1);
		if (error != 0)
			return (error);
		if (r1 & SD_R1_READY && SD_R1_STATE(r1) == SD_STATE_TRANSFER)
			return (0);
		if (deadline_us == 0)
			deadline_us = timer_now_us() + timeout_us;
		else if (timer_now_us() >= deadline_us)
			return (ERR_TIMEDOUT);
		tsleep(card, "sdbusy", READY_SLEEP_US);
	}
}

/* An address as the card wants it. */
static uint32_t
address(const struct sdcard *card, uint64_t block)
{
	return ((uint32_t)(card->high_capacity ? block : block * SD_BLOCK_BYTES));
}

/* Read or write the whole chain once. */
static int
move(struct sdcard *card, const struct bio *first, uint32_t block_count)
{
	struct sd_data data = { .write = first->op == BIO_WRITE, .block_bytes = SD_BLOCK_BYTES,
		.block_count = block_count };
	struct sd_command c = { .index = (uint8_t)transfer_index(data.write, block_count),
		.response = SD_RESPONSE_R1, .data = &data,
		.argument = address(card, first->block) };
	bool near_end = !data.write &&
	    first->block + block_count + NEAR_END_BLOCKS >= card->block_count;
	bool counted = card->set_block_count && block_count > 1 &&
	    (!data.write || card->host->counts_writes);
	int error = 0;

	sd_data_rewind(&data, first);
	if (counted)
		error = sdcard_simple(card, SD_SET_BLOCK_COUNT, SD_RESPONSE_R1, block_count, NULL);
	if (error == 0)
		error = sdcard_send(card, &c);
	if (error == 0)
		error = card->host->ops->transfer(card->host, &c);
	if (error == 0 && block_count > 1 && !counted)
		error = sdcard_stop(card, near_end);
	if (error == 0 && data.write)
		error = sdcard_settle(card, READY_WAIT_US);
	return (error);
}

/* The card is asked when it is done: an erase takes longer than any controller waits. */
static int
erase(struct sdcard *card, const struct bio *bio)
{
	uint64_t last = bio->block + bio->block_count - 1;
	int error = sdcard_simple(card, SD_ERASE_START, SD_RESPONSE_R1,
	    address(card, bio->block), NULL);

	if (error == 0)
		error = sdcard_simple(card, SD_ERASE_END, SD_RESPONSE_R1, address(card, last),
		    NULL);
	if (error == 0)
		error = sdcard_simple(card, SD_ERASE, SD_RESPONSE_R1, card->can_discard, NULL);
	if (error == 0)
		error = sdcard_settle(card, sdcard_erase_us(card, bio->block_count));
	return (error);
}

static int
attempt(struct sdcard *card, const struct bio *first, uint32_t block_count)
{
	return (first->op == BIO_ERASE ? erase(card, first) : move(card, first, block_count));
}

/* ---- requests */

/* What another attempt cannot mend. */
static bool
final(int error)
{
	return (error == 0 || error == ERR_RANGE || error == ERR_ROFS);
}

/* Bring the card to order after error; high speed is given up before the last repetition. */
static int
mend(struct sdcard *card, int error, bool last)
{
	int broken = sdcard_recover(card, error);

	if (broken == 0 && last && error == ERR_IO && card->high_speed)
		broken = sdcard_slow_down(card);
	return (broken == 0 ? 0 : sdcard_await(card));
}

static int
transfer(struct sdcard *card, const struct bio *first, uint32_t block_count)
{
	int error = attempt(card, first, block_count);

	for (int64_t n = 0; error != 0; n++) {
		if (mend(card, error, n == drivers_params.sd_retries - 1) != 0)
			return (ERR_NODEV);
		if (final(error) || n >= drivers_params.sd_retries)
			return (error);
		drivers_params.sd_retried++;
		card->dev.retries++;
		tsleep(card, "sdretry", RETRY_PAUSE_US <<
		    (n < RETRY_PAUSE_SHIFT ? n : RETRY_PAUSE_SHIFT));
		error = attempt(card, first, block_count);
	}
	return (0);
}

/* ---- the task */

static void
count(const struct bio *first, uint32_t block_count)
{
	if (first->op == BIO_READ) {
		drivers_params.sd_reads++;
		drivers_params.sd_read_blocks += block_count;
	} else if (first->op == BIO_WRITE) {
		drivers_params.sd_writes++;
		drivers_params.sd_written_blocks += block_count;
	} else {
		drivers_params.sd_erases++;
		drivers_params.sd_erased_blocks += block_count;
	}
}

static int
serve(struct sdcard *card, const struct bio *first)
{
	uint32_t block_count = bio_chain_blocks(first);
	int error = 0;

	if (first->op == BIO_FLUSH)
		return (0);
	if (first->op == BIO_ERASE && (first->block % card->erase_blocks != 0 ||
	    block_count % card->erase_blocks != 0))
		return (ERR_INVAL);
	if (card->gone)
		error = sdcard_await(card);
	if (error == 0)
		error = transfer(card, first, block_count);
	if (error != 0) {
		drivers_params.sd_errors++;
		return (error == ERR_TIMEDOUT || error == ERR_RANGE ? ERR_IO : error);
	}
	count(first, block_count);
	return (0);
}

/* Until there may be work. Every dev.sd.look without any, a look at the card. */
static void
idle(struct sdcard *card)
{
	bool look = false;

	irq_lock_acquire(&card->lock);
	while (!card->work && !look) {
		uint64_t us = (uint64_t)drivers_params.sd_look * 1000000;

		look = msleep(&card->work, &card->lock, "sdidle",
		    us != 0 ? us : SLEEP_FOREVER) != 0;
	}
	look = !card->work;
	card->work = false;
	irq_lock_release(&card->lock);
	if (look)
		sdcard_look(card);
}

static void
sdcard_task(void *arg)
{
	struct sdcard *card = arg;

	for (;;) {
		struct bio *first;

		idle(card);
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

static bool
sdcard_figure(const struct blkdev *dev, uint32_t n, const char **name, uint64_t *value)
{
	const struct sdcard *card = dev->softc;
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{ "mhz", card->clock_hz / 1000000 },
		{ "au_kib", card->au_blocks / 2 },
		{ "speed_class", card->speed_class },
		{ "dma", card->host->dma_transfers },
		{ "pio", card->host->pio_transfers },
	};

	if (n >= sizeof(figures) / sizeof(figures[0]))
		return (false);
	*name = figures[n].name;
	*value = figures[n].value;
	return (true);
}

static const struct blkdev_ops sdcard_ops = {
	.start = sdcard_start,
	.figure = sdcard_figure,
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
	    (unsigned)(card->clock_hz / 1000000), card->four_lines ? 4u : 1u,
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

/* The unit that pays: the allocation unit, where erase units fit into it. */
static uint32_t
erase_unit(const struct sdcard *card)
{
	if (!card->can_erase)
		return (0);
	if (card->au_blocks != 0 && card->au_blocks % card->erase_blocks == 0)
		return (card->au_blocks);
	return (card->erase_blocks > 1 ? card->erase_blocks : ERASE_BLOCKS_MIN);
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
		.erase_blocks = erase_unit(card),
		/* A card that does not say: most have 4 MiB. */
		.align_blocks = card->au_blocks != 0 ? card->au_blocks : ALIGN_BLOCKS_USUAL,
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
