/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SDHOST controller of BCM2835-2837, by interrupts; its data by the DMA engine or by the
 * processor.
 *
 * The controller has a FIFO of 16 words and a state machine ("FSM") whose state shows in
 * EDM. What it wants, beyond what its registers promise:
 *   - FIFO thresholds are 4 words both ways, whatever the transfer;
 *   - after a transfer the FSM may stay in READWAIT or WRITESTART1 and has to be forced back
 *     to data mode;
 *   - towards the end of a read of several blocks fewer than 4 words do not ask for DMA:
 *     the last three are fetched by the processor;
 *   - power goes off and on with 10 ms each, with all registers clear in between;
 *   - after the stop of a read near the end of the card it needs a rest;
 *   - errors of the data phase do not interrupt: the status is looked at every LOOK_US;
 *   - a command is over when NEW is clear; it tells of no such thing.
 * Interrupts are only hints here: every condition is read from the registers, and the handler
 * acknowledges, masks and wakes.
 *
 * Owns: the controller's registers.
 * Does not: know commands (sdcard.c); choose between DMA and PIO (sdhost_dma.c).
 * Invariants:
 *   H1 interrupts are enabled (in HCFG) only while the task sleeps in doze;
 *   H2 byte and block count are set before a command with data;
 *   H3 a wake-up that comes while the task does not sleep is kept for its next sleep.
 * Yields: every sdhost operation that waits.
 * Complexity: by PIO 16 words cost 17 register accesses and 8 store pairs at best.
 * See: docs/decisions/0018 on what is known of this controller, which has no public manual.
 */
#include "drivers/bcm2835_sdhost.h"

#include <stddef.h>

#include "drivers/drivers_params.h"
#include "drivers/sdhost.h"
#include "drivers/sdhost_dma.h"
#include "drivers/sdhost_pio.h"
#include "kern/irq.h"
#include "kern/mmio.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"

enum sdhost_register {
	CMD = 0x00,
	ARG = 0x04,
	TOUT = 0x08,
	CDIV = 0x0c,
	RSP0 = 0x10,
	HSTS = 0x20,
	VDD = 0x30,
	EDM = 0x34,
	HCFG = 0x38,
	HBCT = 0x3c,
	DATA = 0x40,
	HBLC = 0x50,
};

#define CMD_NEW         0x8000u
#define CMD_FAIL        0x4000u
#define CMD_BUSY_WAIT   0x0800u
#define CMD_NO_RESPONSE 0x0400u
#define CMD_LONG        0x0200u
#define CMD_WRITE       0x0080u
#define CMD_READ        0x0040u

#define HSTS_IRQS        0x0700u /* busy over, block, data: write 1 to clear, like the rest */
#define HSTS_REW_TIMEOUT 0x0080u /* read, erase or write */
#define HSTS_CMD_TIMEOUT 0x0040u
#define HSTS_CRC16       0x0020u
#define HSTS_CRC7        0x0010u
#define HSTS_FIFO        0x0008u
#define HSTS_ERRORS      0x00f8u
#define HSTS_ALL         0x07f8u

#define HCFG_BUSY_IRQ  (1u << 10)
#define HCFG_BLOCK_IRQ (1u << 8)
#define HCFG_DATA_IRQ  (1u << 4)
#define HCFG_SLOW      (1u << 3)  /* the clock is not changed behind our back */
#define HCFG_WIDE_EXT  (1u << 2)  /* 4 lines */
#define HCFG_WIDE_INT  (1u << 1)

#define EDM_FSM(edm)     ((edm) & 0xf)
#define EDM_WORDS(edm)   ((edm) >> 4 & 0x1f)
#define EDM_FORCE_DATA   (1u << 19)
#define EDM_THRESHOLDS   (0x1fu << 14 | 0x1fu << 9)
#define EDM_THRESHOLDS_4 (4u << 14 | 4u << 9)
enum fsm { FSM_IDENT = 0, FSM_DATA = 1, FSM_READWAIT = 4, FSM_WRITESTART1 = 10 };

#define FIFO_WORDS      16u
#define TAIL_WORDS      3u        /* of a DMA read: the threshold less one */
#define CDIV_MAX        0x7ffu
#define TOUT_RESET      0xf00000u
#define CARD_HZ_MAX     50000000u
#define CORE_HZ_MIN     1000000u
#define BLOCKS_MAX      0xffffu
#define POWER_US        10000u
#define QUICK_READS     32u       /* a few microseconds: a command at 25 MHz takes 6 */
#define LOOK_US         10000u
#define COMMAND_LOOK_US 100u
#define COMMAND_WAIT_US 100000u
#define BUSY_WAIT_US    1000000u
#define DATA_WAIT_US    1000000u
#define ABORT_WAIT_US   1000u
#define NEAR_END_REST_US 100u     /* the card reads ahead beyond its end */
#define DRAIN_WORDS     1024u     /* two of QEMU's blocks; hardware has 16 words */
#define YIELD_BLOCKS    32u

struct controller {
	struct sdhost host;
	struct sdhost_dma dma;
	uintptr_t base;
	uint32_t clock_hz;       /* core clock that the divisor was made for */
	uint32_t core_hz;        /* core clock now */
	uint32_t card_hz;        /* asked for; 0 = the slowest there is */
	uint32_t hcfg;           /* without interrupts */
	uint32_t cdiv, tout;
	bool writing;            /* the data phase */
	bool open;               /* a data phase has been prepared */
	struct irq_lock lock;
	bool woken;              /* by a handler, since the last sleep; sleep channel */
};

static struct controller controller; /* the chip has one */

static uint32_t
reg_read(const struct controller *s, enum sdhost_register reg)
{
	return (mmio_read32(s->base + reg));
}

static void
reg_write(const struct controller *s, enum sdhost_register reg, uint32_t value)
{
	mmio_write32(s->base + reg, value);
}

/* An operation begins: whatever else was touched before (kern/mmio.h). */
static struct controller *
enter(struct sdhost *host)
{
	mmio_barrier();
	return ((struct controller *)host);
}

/* ---- waiting */

static void
sdhost_wake(void *arg)
{
	struct controller *s = arg;

	irq_lock_acquire(&s->lock);
	s->woken = true;
	irq_lock_release(&s->lock);
	wakeup(&s->woken);
}

static void
sdhost_interrupt(void *arg)
{
	struct controller *s = arg;

	reg_write(s, HCFG, s->hcfg);
	reg_write(s, HSTS, reg_read(s, HSTS) & HSTS_IRQS);
	drivers_params.sd_irqs++;
	sdhost_wake(s);
}

/* Until an interrupt of those in irqs (HCFG's bits), or us. */
static void
doze(struct controller *s, uint32_t irqs, uint64_t us)
{
	drivers_params.sd_waits++;
	irq_lock_acquire(&s->lock);
	mmio_barrier();
	reg_write(s, HCFG, s->hcfg | irqs);
	while (!s->woken)
		if (msleep(&s->woken, &s->lock, "sdwait", us) != 0)
			break;
	mmio_barrier();
	reg_write(s, HCFG, s->hcfg);
	s->woken = false;
	irq_lock_release(&s->lock);
}

/* What the error bits of status mean, counted and cleared. */
static int
status_error(const struct controller *s, uint32_t status)
{
	trace(TRACE_DEVERR, status, reg_read(s, EDM), reg_read(s, CMD));
	reg_write(s, HSTS, status & HSTS_ERRORS);
	if (status & (HSTS_CRC16 | HSTS_CRC7)) {
		drivers_params.sd_crc_errors++;
		return (ERR_IO);
	}
	if (status & (HSTS_CMD_TIMEOUT | HSTS_REW_TIMEOUT)) {
		drivers_params.sd_timeouts++;
		return (ERR_TIMEDOUT);
	}
	return (ERR_IO);
}

struct wait {
	int (*look)(const struct controller *s); /* ERR_BUSY: not yet */
	uint32_t irqs;                           /* what may end it */
	uint32_t look_us, timeout_us;
};

/* Look a few times, then sleep between looks. */
static int
wait(struct controller *s, const struct wait *w)
{
	uint64_t deadline_us = 0;

	for (uint32_t n = 0; ; n++) {
		int state = w->look(s);

		if (state != ERR_BUSY)
			return (state);
		if (n < QUICK_READS)
			continue;
		if (n == QUICK_READS)
			deadline_us = timer_now_us() + w->timeout_us;
		else if (timer_now_us() >= deadline_us)
			break;
		doze(s, w->irqs, w->look_us);
	}
	drivers_params.sd_timeouts++;
	return (ERR_TIMEDOUT);
}

static int
look_data_error(const struct controller *s)
{
	uint32_t status = reg_read(s, HSTS);

	return (status & HSTS_ERRORS ? status_error(s, status) : 0);
}

static int
look_command(const struct controller *s)
{
	return (reg_read(s, CMD) & CMD_NEW ? ERR_BUSY : 0);
}

/* Words to read, or room for words to write. */
static uint32_t
fifo_ready(const struct controller *s)
{
	uint32_t words = EDM_WORDS(reg_read(s, EDM));

	if (words > FIFO_WORDS)
		words = FIFO_WORDS;
	return (s->writing ? FIFO_WORDS - words : words);
}

static int
look_fifo(const struct controller *s)
{
	int error = look_data_error(s);

	if (error != 0)
		return (error);
	return (fifo_ready(s) > 0 ? 0 : ERR_BUSY);
}

/* Back from the data phase? The FSM is helped where it waits for more than there is. */
static int
look_end(const struct controller *s)
{
	uint32_t edm = reg_read(s, EDM);
	int error = look_data_error(s);

	if (error != 0)
		return (error);
	if (s->writing && EDM_WORDS(edm) > 0)
		return (ERR_BUSY);
	if (EDM_FSM(edm) == (s->writing ? FSM_WRITESTART1 : FSM_READWAIT)) {
		reg_write(s, EDM, edm | EDM_FORCE_DATA);
		return (0);
	}
	return (EDM_FSM(edm) == FSM_IDENT || EDM_FSM(edm) == FSM_DATA ? 0 : ERR_BUSY);
}

static const struct wait
	wait_command = { look_command, 0, COMMAND_LOOK_US, COMMAND_WAIT_US },
	wait_busy = { look_command, HCFG_BUSY_IRQ, LOOK_US, BUSY_WAIT_US },
	wait_fifo = { look_fifo, HCFG_DATA_IRQ, LOOK_US, DATA_WAIT_US },
	wait_end = { look_end, HCFG_BLOCK_IRQ, LOOK_US, DATA_WAIT_US },
	wait_abort = { look_end, 0, COMMAND_LOOK_US, ABORT_WAIT_US };

/* ---- clock, width, reset */

/* Card clock = core clock / (CDIV + 2); half a second for a block. */
static int
sdhost_set_clock(struct sdhost *host, uint32_t hz)
{
	struct controller *s = enter(host);
	uint32_t divisor;

	s->clock_hz = s->core_hz;
	s->card_hz = hz;
	divisor = (s->clock_hz + hz - 1) / hz;
	if (divisor < 2)
		divisor = 2;
	s->cdiv = divisor - 2 < CDIV_MAX ? divisor - 2 : CDIV_MAX;
	s->tout = s->clock_hz / (s->cdiv + 2) / 2;
	reg_write(s, CDIV, s->cdiv);
	reg_write(s, TOUT, s->tout);
	return (0);
}

static void
sdhost_set_width(struct sdhost *host, uint32_t lines)
{
	struct controller *s = enter(host);

	s->hcfg = HCFG_SLOW | HCFG_WIDE_INT | (lines == 4 ? HCFG_WIDE_EXT : 0);
	reg_write(s, HCFG, s->hcfg);
}

/* Off, everything clear, thresholds, on, with the slowest clock for the 74 cycles that a card
 * has before its first command (SD 6.4.1); then the clock and width in force. */
static void
reset_all(struct controller *s)
{
	static const enum sdhost_register zeroed[] = { CMD, ARG, HCFG, HBCT, HBLC };

	drivers_params.sd_resets++;
	reg_write(s, VDD, 0);
	for (uint32_t i = 0; i < sizeof(zeroed) / sizeof(zeroed[0]); i++)
		reg_write(s, zeroed[i], 0);
	reg_write(s, CDIV, CDIV_MAX);
	reg_write(s, TOUT, TOUT_RESET);
	reg_write(s, HSTS, HSTS_ALL);
	reg_write(s, EDM, (reg_read(s, EDM) & ~EDM_THRESHOLDS) | EDM_THRESHOLDS_4);
	tsleep(s, "sdpower", POWER_US);
	mmio_barrier();
	reg_write(s, VDD, 1);
	tsleep(s, "sdpower", POWER_US);
	mmio_barrier();
	reg_write(s, HCFG, s->hcfg);
	reg_write(s, CDIV, s->cdiv);
	reg_write(s, TOUT, s->tout);
}

static int
sdhost_reset(struct sdhost *host)
{
	struct controller *s = enter(host);

	s->hcfg = HCFG_SLOW | HCFG_WIDE_INT;
	s->clock_hz = s->core_hz;
	s->card_hz = 0;
	s->cdiv = CDIV_MAX;
	s->tout = TOUT_RESET;
	reset_all(s);
	return (0);
}

/* No more blocks, FIFO empty, FSM at rest; a controller that does not get there is reset. */
static void
sdhost_abort(struct sdhost *host)
{
	struct controller *s = enter(host);

	reg_write(s, HBLC, 0);
	reg_write(s, HBCT, 0);
	for (uint32_t n = 0; n < DRAIN_WORDS && EDM_WORDS(reg_read(s, EDM)) > 0; n++)
		(void)reg_read(s, DATA);
	reg_write(s, HSTS, HSTS_ALL);
	if (wait(s, &wait_command) != 0 || EDM_WORDS(reg_read(s, EDM)) > 0 ||
	    (s->open && wait(s, &wait_abort) != 0))
		reset_all(s);
	reg_write(s, HSTS, HSTS_ALL);
	s->open = false;
}

/* ---- commands */

static uint32_t
command_bits(const struct sd_command *c)
{
	static const uint32_t by_response[] = {
		[SD_RESPONSE_NONE] = CMD_NO_RESPONSE,
		[SD_RESPONSE_R1] = 0,
		[SD_RESPONSE_R1B] = CMD_BUSY_WAIT,
		[SD_RESPONSE_R2] = CMD_LONG,
		[SD_RESPONSE_R3] = 0,
	};
	uint32_t bits = c->index | by_response[c->response] | CMD_NEW;

	if (c->data != NULL)
		bits |= c->data->write ? CMD_WRITE : CMD_READ;
	return (bits);
}

static void
answer_read(const struct controller *s, struct sd_command *c)
{
	if (c->response != SD_RESPONSE_R2) {
		c->answer[0] = reg_read(s, RSP0);
		return;
	}
	for (uint32_t i = 0; i < 4; i++)
		c->answer[3 - i] = reg_read(s, (enum sdhost_register)(RSP0 + 4 * i));
}

/* Why the command failed; 0 where the controller missed a checksum that R3 does not have. */
static int
command_error(const struct controller *s, const struct sd_command *c)
{
	uint32_t status = reg_read(s, HSTS);

	if (c->response == SD_RESPONSE_R3 && (status & HSTS_ERRORS) == HSTS_CRC7) {
		reg_write(s, HSTS, HSTS_CRC7);
		return (0);
	}
	return (status_error(s, status));
}

static int
command_run(struct controller *s, struct sd_command *c)
{
	int error = wait(s, &wait_command);

	if (error != 0)
		return (error);
	reg_write(s, HSTS, HSTS_ALL);
	if (c->data != NULL) { /* H2 */
		s->open = true;
		s->writing = c->data->write;
		reg_write(s, HBCT, c->data->block_bytes);
		reg_write(s, HBLC, c->data->block_count);
	}
	reg_write(s, ARG, c->argument);
	reg_write(s, CMD, command_bits(c));
	error = wait(s, c->response == SD_RESPONSE_R1B ? &wait_busy : &wait_command);
	if (error == 0 && reg_read(s, CMD) & CMD_FAIL)
		error = command_error(s, c);
	if (error != 0)
		return (error);
	if (c->near_end)
		tsleep(s, "sdrest", NEAR_END_REST_US);
	mmio_barrier();
	answer_read(s, c);
	return (0);
}

static int
sdhost_command(struct sdhost *host, struct sd_command *c)
{
	struct controller *s = enter(host);
	int error;

	if (s->core_hz != s->clock_hz && s->card_hz != 0)
		(void)sdhost_set_clock(host, s->card_hz);
	error = command_run(s, c);
	if (error != 0)
		sdhost_abort(host);
	return (error);
}

/* ---- data */

/* At most words words: what the FIFO has, or has room for. */
static uint32_t
fifo_move(const struct controller *s, uint32_t *memory, uint32_t words)
{
	uint32_t ready = fifo_ready(s);

	if (words > ready)
		words = ready;
	if (s->writing)
		sdhost_words_write(s->base + DATA, memory, words);
	else
		sdhost_words_read(s->base + DATA, memory, words);
	return (words);
}

static int
words_move(struct controller *s, uint32_t *memory, uint32_t words)
{
	while (words > 0) {
		uint32_t moved = fifo_move(s, memory, words);
		int error = moved == 0 ? wait(s, &wait_fifo) : 0;

		if (error != 0)
			return (error);
		memory += moved;
		words -= moved;
	}
	return (0);
}

static int
blocks_move(struct controller *s, struct sd_data *data)
{
	for (uint32_t n = 0; n < data->block_count; n++) {
		int error = words_move(s, sd_data_block(data), data->block_bytes / 4);

		if (error != 0)
			return (error);
		if (n % YIELD_BLOCKS == YIELD_BLOCKS - 1) {
			sched_maybe_yield();
			mmio_barrier();
		}
	}
	return (0);
}

static int
sdhost_look(struct sdhost *host)
{
	return (look_data_error(enter(host)));
}

static void
sdhost_doze(struct sdhost *host, uint64_t us)
{
	doze(enter(host), 0, us);
}

static int
dma_move(struct controller *s, const struct sd_data *data)
{
	uint32_t tail_bytes = !data->write && data->block_count > 1 ? TAIL_WORDS * 4 : 0;
	int error = sdhost_dma_move(&s->host, &s->dma, data, tail_bytes);

	mmio_barrier();
	if (error == 0 && tail_bytes > 0)
		error = words_move(s, phys_to_virt(s->dma.end_pa - tail_bytes), TAIL_WORDS);
	return (error);
}

static int
sdhost_transfer(struct sdhost *host, struct sd_command *c)
{
	struct controller *s = enter(host);
	bool by_dma = sdhost_dma_takes(&s->dma, c->data);
	int error = by_dma ? dma_move(s, c->data) : blocks_move(s, c->data);

	mmio_barrier();
	if (error == 0)
		error = wait(s, &wait_end);
	if (error != 0)
		sdhost_abort(host);
	s->open = false;
	if (error == 0 && by_dma)
		host->dma_transfers++;
	else if (error == 0)
		host->pio_transfers++;
	return (error);
}

static const struct sdhost_ops sdhost_ops = {
	.reset = sdhost_reset,
	.set_clock = sdhost_set_clock,
	.set_width = sdhost_set_width,
	.command = sdhost_command,
	.transfer = sdhost_transfer,
	.abort = sdhost_abort,
};

int
bcm2835_sdhost_attach(uintptr_t base, uint32_t irq, uint32_t clock_hz,
    const struct bcm2835_dma_port *port, struct sdhost **out)
{
	struct controller *s = &controller;
	int error;

	if (clock_hz < CORE_HZ_MIN)
		return (ERR_NODEV);
	s->base = base;
	s->core_hz = s->clock_hz = clock_hz;
	s->woken = false;
	s->host = (struct sdhost){ .name = "sdhost", .ops = &sdhost_ops,
		.clock_max_hz = CARD_HZ_MAX, .blocks_max = BLOCKS_MAX, .four_lines = true };
	s->dma = (struct sdhost_dma){ .port = *port, .look = sdhost_look, .doze = sdhost_doze };
	if (port->dma != NULL)
		bcm2835_dma_notify(port->dma, sdhost_wake, s);
	error = irq_register(irq, sdhost_interrupt, s, "sdhost");
	if (error == 0)
		error = sdhost_reset(&s->host);
	*out = &s->host;
	return (error);
}

void
bcm2835_sdhost_set_core_clock(uint32_t clock_hz)
{
	if (clock_hz >= CORE_HZ_MIN)
		controller.core_hz = clock_hz;
}
