/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: what an SD card says of itself, and the disk that the driver makes of it.
 *
 * A host controller at the seam (drivers/sdhost.h) answers from the input: a byte of
 * flags, the registers (struct registers), then 4 bytes for each trouble: command number
 * from the start (2 bytes), what happens, and a byte for it. All else is a card that
 * works. After it is attached, first and last blocks are read, written and erased.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/sdcard.h"
#include "drivers/sdcard_internal.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"

#define FLAG_FAST      0x01u /* the controller can do high speed, */
#define FLAG_FOUR      0x02u /* has four data lines, */
#define FLAG_COUNTS    0x04u /* and counts writes */
#define FLAG_VERSION_1 0x08u /* no answer to SEND_IF_COND */
#define TROUBLES_MAX   16u
#define BLOCKS_MAX     128u
#define BUFFER_BLOCKS  64u
#define CARD_SECONDS   (2ull * 60)   /* to identify a card, three times at most */
#define REQUEST_US     (600ull * 1000000)
#define R1_READY       0x900u        /* transfer state, ready */
#define DISK_BLOCKS    (1ull << 32)  /* addresses of SDHC and SDXC cards have 32 bits */
#define SDSC_BLOCKS    (1ull << 23)  /* those of SDSC cards count bytes */

const uint32_t fuzz_runs = 50000;

/* As they cross the wire; words of cid and csd with bit 127 first. */
struct registers {
	uint32_t cid[4], csd[4];
	uint32_t ocr, r6, if_cond;
	uint8_t scr[8], status[64], function[64];
};
_Static_assert(sizeof(struct registers) == 180, "no padding");

enum trouble_kind { TROUBLE_SILENT, TROUBLE_CRC, TROUBLE_STATUS, TROUBLE_DATA, TROUBLE_BUSY,
	TROUBLE_KINDS };

struct trouble {
	uint32_t number;
	uint32_t kind;
	uint32_t value;
};

static struct registers registers;
static struct trouble troubles[TROUBLES_MAX];
static uint32_t trouble_count, command_number;
static uint8_t flags;
static bool app, attached;
static uint8_t buffer[BUFFER_BLOCKS * 512] __attribute__((aligned(4096)));
static struct sdhost host;

/* ---- the controller */

static const struct trouble *
trouble_now(void)
{
	for (uint32_t i = 0; i < trouble_count; i++)
		if (troubles[i].number == command_number)
			return (&troubles[i]);
	return (NULL);
}

static int
host_reset(struct sdhost *h)
{
	(void)h;
	app = false;
	return (0);
}

static int
host_set_clock(struct sdhost *h, uint32_t hz)
{
	fuzz_check(hz > 0 && hz <= h->clock_max_hz, "a clock that the controller cannot make");
	return (0);
}

static void
host_set_width(struct sdhost *h, uint32_t lines)
{
	fuzz_check(lines == 1 || h->four_lines, "lines that are not there");
}

static void
host_abort(struct sdhost *h)
{
	(void)h;
}

/* A command that addresses blocks: as numbers if the CSD is that of high capacity. */
static void
address_check(const struct sd_command *c)
{
	const struct blkdev *dev = blk_find("sd0");
	uint64_t block = registers.csd[0] >> 30 == 1 ? c->argument : c->argument / 512;

	fuzz_check(attached && dev != NULL, "blocks before the card is known");
	if (c->data == NULL)
		return;
	fuzz_check(c->data->block_count > 0 && c->data->block_count <= BLOCKS_MAX,
	    "more blocks than the controller takes");
	fuzz_check(block < dev->block_count && c->data->block_count <= dev->block_count - block,
	    "blocks outside the card");
	fuzz_check(!c->data->write || !dev->read_only, "a write to a read-only card");
}

static void
answer_make(struct sd_command *c, bool is_app)
{
	c->answer[0] = R1_READY;
	if (c->response == SD_RESPONSE_R2)
		memcpy(c->answer, c->index == SD_SEND_CSD ? registers.csd : registers.cid,
		    sizeof(c->answer));
	else if (is_app && c->index == SD_APP_SEND_OP_COND)
		c->answer[0] = registers.ocr;
	else if (c->index == SD_SEND_RELATIVE_ADDR)
		c->answer[0] = registers.r6;
	else if (c->index == SD_SEND_IF_COND)
		c->answer[0] = registers.if_cond;
	else if (c->index == SD_SWITCH_FUNC && !is_app)
		fuzz_check(registers.csd[1] >> 30 & 1, "a switch that the card does not have");
	else if (c->index == SD_READ_SINGLE_BLOCK || c->index == SD_READ_MULTIPLE_BLOCK ||
	    c->index == SD_WRITE_BLOCK || c->index == SD_WRITE_MULTIPLE_BLOCK ||
	    c->index == SD_ERASE_START || c->index == SD_ERASE_END)
		address_check(c);
}

static int
host_command(struct sdhost *h, struct sd_command *c)
{
	const struct trouble *t = trouble_now();
	bool is_app = app;

	(void)h;
	command_number++;
	sim_advance_us(5);
	app = c->index == SD_APP_CMD;
	if (c->index == SD_SEND_IF_COND && (flags & FLAG_VERSION_1))
		return (ERR_TIMEDOUT);
	answer_make(c, is_app);
	if (t == NULL)
		return (0);
	if (t->kind == TROUBLE_STATUS)
		c->answer[0] ^= 1u << t->value % 32;
	if (t->kind == TROUBLE_BUSY)
		tsleep(&host, "fuzz", t->value * 1000 + 1);
	return (t->kind == TROUBLE_SILENT ? ERR_TIMEDOUT : t->kind == TROUBLE_CRC ? ERR_IO : 0);
}

static int
host_transfer(struct sdhost *h, struct sd_command *c)
{
	const struct trouble *t = trouble_now();
	struct sd_data *data = c->data;

	(void)h;
	if (t != NULL && t->kind == TROUBLE_DATA)
		return (t->value % 2 == 0 ? ERR_TIMEDOUT : ERR_IO);
	if (data->buffer == NULL) {
		for (uint32_t i = 0; i < data->block_count; i++)
			if (!data->write)
				memset(sd_data_block(data), 0x5a, data->block_bytes);
		return (0);
	}
	if (c->index == SD_APP_SEND_SCR)
		memcpy(data->buffer, registers.scr, sizeof(registers.scr));
	else
		memcpy(data->buffer, c->index == SD_SWITCH_FUNC ? registers.function :
		    registers.status, sizeof(registers.status));
	return (0);
}

static const struct sdhost_ops host_ops = { .reset = host_reset, .set_clock = host_set_clock,
	.set_width = host_set_width, .command = host_command, .transfer = host_transfer,
	.abort = host_abort };

/* ---- the disk */

static void
disk_check(const struct blkdev *dev)
{
	const struct sdcard *card = dev->softc;

	fuzz_check(dev->block_count > 0 && dev->block_count <= DISK_BLOCKS, "an impossible size");
	fuzz_check(card->high_capacity || dev->block_count <= SDSC_BLOCKS,
	    "blocks that a byte address cannot reach");
	fuzz_check(dev->bio_blocks_max > 0 && dev->bio_blocks_max <= BLOCKS_MAX, "a transfer");
	fuzz_check(card->erase_blocks > 0 && dev->erase_blocks % card->erase_blocks == 0,
	    "an erase unit that the card cannot erase");
	fuzz_check(dev->erase_blocks <= 1u << 20 && dev->align_blocks <= 1u << 20 &&
	    dev->align_blocks > 0, "an impossible allocation unit");
	fuzz_check(sdcard_erase_us(card, dev->align_blocks) <= 200ull * 1000000,
	    "erasing a unit takes minutes");
}

static void
bounded(int error, uint64_t start_us)
{
	fuzz_check(error <= 0, "neither done nor an error");
	fuzz_check(timer_now_us() - start_us <= REQUEST_US, "a request without an end");
}

static void
erase(struct blkdev *dev)
{
	struct bio bio = { .op = BIO_ERASE, .priority = BIO_NORMAL };
	uint64_t start_us = timer_now_us();

	if (dev->erase_blocks == 0 || dev->erase_blocks > dev->block_count)
		return;
	bio.block = (dev->block_count / dev->erase_blocks - 1) * dev->erase_blocks;
	bio.block_count = dev->erase_blocks;
	bounded(blk_wait(dev, &bio), start_us);
}

static void
disk_use(struct blkdev *dev)
{
	uint32_t blocks = dev->bio_blocks_max < BUFFER_BLOCKS ? dev->bio_blocks_max :
	    BUFFER_BLOCKS;
	uint64_t start_us = timer_now_us();

	if (blocks > dev->block_count)
		blocks = (uint32_t)dev->block_count;
	bounded(blk_read(dev, 0, buffer, 1), start_us);
	start_us = timer_now_us();
	bounded(blk_read(dev, dev->block_count - blocks, buffer, blocks), start_us);
	start_us = timer_now_us();
	bounded(blk_write(dev, dev->block_count - blocks, buffer, blocks), start_us);
	fuzz_check(blk_read(dev, dev->block_count, buffer, 1) == ERR_RANGE, "it has no end");
	erase(dev);
}

static void
attach(void *arg)
{
	uint64_t start_us = timer_now_us();
	struct blkdev *dev;
	int error;

	(void)arg;
	memset(&drivers_params, 0, sizeof(drivers_params));
	drivers_params_register();
	error = sdcard_attach(&host, 0);
	fuzz_check(timer_now_us() - start_us <= CARD_SECONDS * 1000000, "it never gives up");
	dev = blk_find("sd0");
	fuzz_check((error == 0) == (dev != NULL), "attached or not");
	if (dev == NULL)
		return;
	attached = true;
	disk_check(dev);
	disk_use(dev);
	blk_unregister(dev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t *to = (uint8_t *)&registers;

	flags = fuzz_u8(&in);
	for (size_t i = 0; i < sizeof(registers); i++)
		to[i] = fuzz_u8(&in);
	for (trouble_count = 0; trouble_count < TROUBLES_MAX && in.bytes_left > 0;) {
		struct trouble *t = &troubles[trouble_count++];

		t->number = fuzz_u8(&in) | (uint32_t)fuzz_u8(&in) << 8;
		t->kind = fuzz_u8(&in) % TROUBLE_KINDS;
		t->value = fuzz_u8(&in);
	}
	host = (struct sdhost){ .name = "fuzz", .ops = &host_ops, .blocks_max = BLOCKS_MAX,
		.clock_max_hz = flags & FLAG_FAST ? 50000000 : 20000000,
		.four_lines = (flags & FLAG_FOUR) != 0,
		.counts_writes = (flags & FLAG_COUNTS) != 0 };
	command_number = 0;
	app = attached = false;
	sim_run(attach, NULL);
	return (0);
}

/* ---- seeds: one SDHC and one SDSC card, without and with troubles */

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	static const uint8_t scr[8] = { 0x02, 0x35, 0x80, 0x02 };
	bool old = n % 2 != 0;
	struct registers r = { .cid = { 0x03534453, 0x44303136, 0x80123456, 0x78012300 },
		.ocr = old ? 0x80ff8000 : 0xc0ff8000, .r6 = 0x45670500, .if_cond = 0x1aa };

	if (n == 8)
		return (0);
	r.csd[0] = old ? 0x00260032 : 0x400e0032;
	r.csd[1] = old ? 0x5f5a83ff : 0x5b590000;
	r.csd[2] = old ? 0xedb7cfbf : 0x3b377f80;
	r.csd[3] = old ? 0x9640006f : 0x0a404000;
	memcpy(r.scr, scr, sizeof(scr));
	r.status[8] = 4;
	r.status[10] = (uint8_t)(n << 5 | 0x10);
	r.status[12] = 8;
	r.status[13] = 0x0a;
	r.function[13] = 3;
	r.function[16] = 1;
	data[0] = (uint8_t)(FLAG_FAST | FLAG_FOUR | (n & 2 ? FLAG_COUNTS : 0) |
	    (n == 7 ? FLAG_VERSION_1 : 0));
	memcpy(data + 1, &r, sizeof(r));
	if (n < 4)
		return (1 + sizeof(r));
	memset(data + 1 + sizeof(r), 0, 8);
	data[1 + sizeof(r)] = (uint8_t)(3 + n * 3);
	data[1 + sizeof(r) + 2] = (uint8_t)(n % TROUBLE_KINDS);
	data[1 + sizeof(r) + 4] = (uint8_t)(15 + n);
	data[1 + sizeof(r) + 6] = TROUBLE_DATA;
	return (1 + sizeof(r) + 8);
}
