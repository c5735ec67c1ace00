/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Arasan SDHCI 3.0 controller of BCM2835-2837, by interrupts; its data by the DMA
 * engine at its data port (it has no DMA of its own), or by the processor.
 *
 * Each wait looks at the status register a few times first, because a fast
 * controller is ready at once; then it unmasks the interrupts it waits for and
 * sleeps. The handler masks them all again and wakes: it never acknowledges, so the
 * status stays for the task to read. By PIO, while the buffer is ready for the next
 * block each time the driver looks, a whole transfer runs without an interrupt.
 *
 * After an error the command and data lines are reset; where that does not clear
 * the inhibit bits the whole controller is, and clock, width and masks are put back.
 *
 * The high-speed bit of CONTROL0 stays clear at 50 MHz too: this controller does not keep
 * its timing with it (Linux: SDHCI_QUIRK_NO_HISPD_BIT for brcm,bcm2835-sdhci). Its clock for
 * data timeouts is the card's: the longest, 2^27 of them, is 2.7 s at 50 MHz.
 *
 * Owns: the controller's registers.
 * Does not: know commands (sdcard.c); choose between DMA and PIO (sdhost_dma.c);
 *   switch voltages; detect cards (the pin is not wired on these boards).
 * Invariants:
 *   E1 interrupts are unmasked (IRPT_EN != 0) only while the task sleeps in emmc_sleep;
 *   E2 a buffer-ready bit is acknowledged before its block is moved, because moving
 *      the last word may raise it anew for the next block;
 *   E3 a wake-up that comes while the task does not sleep is kept for its next sleep.
 * Yields: every sdhost operation that waits.
 * Complexity: by PIO a block costs 128 loads and half as many store pairs, and one look at
 *   the status.
 * See: SD Host Controller Simplified Specification 3.00, chapters 2 and 3; BCM2835
 *   ARM Peripherals, chapter 5. All registers are accessed as 32-bit words.
 */
#include "drivers/bcm2835_emmc.h"

#include <stddef.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/sdhost.h"
#include "drivers/sdhost_dma.h"
#include "drivers/sdhost_pio.h"
#include "kern/irq.h"
#include "kern/mmio.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"

enum emmc_register {
	BLKSIZECNT = 0x04,
	ARG1 = 0x08,
	CMDTM = 0x0c,
	RESP0 = 0x10,
	DATA = 0x20,
	STATUS = 0x24,
	CONTROL0 = 0x28,
	CONTROL1 = 0x2c,
	INTERRUPT = 0x30,
	IRPT_MASK = 0x34, /* which bits INTERRUPT shows */
	IRPT_EN = 0x38,   /* which of them raise the line */
	CONTROL2 = 0x3c,
	SLOTISR_VER = 0xfc,
};

#define CMDTM_BLOCK_COUNT (1u << 1)
#define CMDTM_TO_HOST     (1u << 4)
#define CMDTM_MULTI       (1u << 5)
#define CMDTM_R_NONE      (0u << 16)
#define CMDTM_R_136       (1u << 16)
#define CMDTM_R_48        (2u << 16)
#define CMDTM_R_48_BUSY   (3u << 16)
#define CMDTM_CHECK_CRC   (1u << 19)
#define CMDTM_CHECK_INDEX (1u << 20)
#define CMDTM_DATA        (1u << 21)
#define CMDTM_ABORT       (3u << 22)
#define CMDTM_INDEX_SHIFT 24

#define STATUS_CMD_INHIBIT (1u << 0)
#define STATUS_DAT_INHIBIT (1u << 1)

#define CONTROL0_4BIT     (1u << 1)
#define CONTROL0_POWER_33 (0xfu << 8)

#define CONTROL1_CLOCK_INTERNAL (1u << 0)
#define CONTROL1_CLOCK_STABLE   (1u << 1)
#define CONTROL1_CLOCK_CARD     (1u << 2)
#define CONTROL1_TIMEOUT_MAX    (0xeu << 16)
#define CONTROL1_RESET_ALL      (1u << 24)
#define CONTROL1_RESET_CMD      (1u << 25)
#define CONTROL1_RESET_DATA     (1u << 26)
#define CONTROL1_RESETS (CONTROL1_RESET_ALL | CONTROL1_RESET_CMD | CONTROL1_RESET_DATA)

#define INT_COMMAND_DONE (1u << 0)
#define INT_DATA_DONE    (1u << 1)
#define INT_WRITE_READY  (1u << 4)
#define INT_READ_READY   (1u << 5)
#define INT_ERROR        (1u << 15)
#define INT_CMD_TIMEOUT  (1u << 16)
#define INT_DATA_TIMEOUT (1u << 20)
#define INT_ERRORS       0x017f8000u /* each kind, and their summary (bit 15) */
#define INT_CRC_ERRORS   0x006e0000u /* command CRC, end bit, index; data CRC, end bit */
#define INT_SHOWN (INT_COMMAND_DONE | INT_DATA_DONE | INT_WRITE_READY | INT_READ_READY | INT_ERRORS)

#define CMD_STOP_TRANSMISSION 12

#define IDENTIFY_HZ      400000u
#define CARD_HZ_MAX      50000000u
#define SLOW_WRITE_US    10u       /* four card clocks at 400 kHz */
#define FAST_WRITE_US    1u
#define QUICK_READS      8         /* about a microsecond on hardware */
#define COMMAND_WAIT_US  100000u   /* an answer takes 64 card clocks at most */
#define BLOCK_WAIT_US    1000000u  /* card: 100 ms to read, 500 ms to write */
#define BUSY_WAIT_US     1000000u
#define RESET_WAIT_US    100000u
#define POLL_SLEEP_US    1000u
#define POWER_UP_US      2000u     /* 74 clocks at 400 kHz and the supply's ramp */
#define YIELD_BLOCKS     32        /* some 8,000 instructions */

struct emmc {
	struct sdhost host;
	uintptr_t base;
	uint32_t clock_hz;       /* base clock */
	uint32_t card_hz;        /* clock in force, 0 = off */
	uint32_t control0;       /* what CONTROL0 should hold */
	struct sdhost_dma dma;
	struct irq_lock lock;
	bool woken;              /* by a handler, since the last sleep; sleep channel */
};

static struct emmc controller; /* the chip has one */

static uint32_t
reg_read(const struct emmc *e, enum emmc_register reg)
{
	return (mmio_read32(e->base + reg));
}

/* Two writes within two card clocks may lose one of them (the controller's clock
 * crossing; Linux' sdhci-iproc waits the same). At identification speed, and while there
 * is no card clock, that is longer than a write takes. Of the registers that are written
 * twice in a row at full speed, only those of clock and width have no answer of the card
 * in between. */
static void
reg_write(const struct emmc *e, enum emmc_register reg, uint32_t value)
{
	mmio_write32(e->base + reg, value);
	if (e->card_hz <= IDENTIFY_HZ)
		timer_delay(SLOW_WRITE_US);
}

/* Of the registers of clock and width. */
static void
control_write(const struct emmc *e, enum emmc_register reg, uint32_t value)
{
	reg_write(e, reg, value);
	timer_delay(FAST_WRITE_US);
}

/* An operation begins: whatever else was touched before (kern/mmio.h). */
static struct emmc *
enter(struct sdhost *host)
{
	mmio_barrier();
	return ((struct emmc *)host);
}

/* ---- waiting */

static void
emmc_wake(void *arg)
{
	struct emmc *e = arg;

	irq_lock_acquire(&e->lock);
	e->woken = true;
	irq_lock_release(&e->lock);
	wakeup(&e->woken);
}

static void
emmc_interrupt(void *arg)
{
	struct emmc *e = arg;

	mmio_write32(e->base + IRPT_EN, 0);
	drivers_params.sd_irqs++;
	emmc_wake(e);
}

/* Until one of bits, or timeout_us. A bit that is set already interrupts at once. */
static void
emmc_sleep(struct emmc *e, uint32_t bits, uint64_t timeout_us)
{
	drivers_params.sd_waits++;
	irq_lock_acquire(&e->lock);
	mmio_barrier();
	mmio_write32(e->base + IRPT_EN, bits);
	while (!e->woken)
		if (msleep(&e->woken, &e->lock, "sdwait", timeout_us) != 0)
			break;
	mmio_barrier();
	mmio_write32(e->base + IRPT_EN, 0);
	e->woken = false;
	irq_lock_release(&e->lock);
}

/* What an error status means, counted. */
static int
status_error(const struct emmc *e, uint32_t status)
{
	trace(TRACE_DEVERR, status, reg_read(e, STATUS), reg_read(e, CMDTM) >> CMDTM_INDEX_SHIFT);
	if (status & INT_CRC_ERRORS) {
		drivers_params.sd_crc_errors++;
		return (ERR_IO);
	}
	if (status & (INT_CMD_TIMEOUT | INT_DATA_TIMEOUT)) {
		drivers_params.sd_timeouts++;
		return (ERR_TIMEDOUT);
	}
	return (ERR_IO);
}

/* Look a few times, then sleep. */
static int
wait_long(struct emmc *e, uint32_t bits, uint64_t timeout_us)
{
	uint64_t deadline_us = 0, now_us = 0;
	uint32_t status;

	for (uint32_t n = 0; ; n++) {
		status = reg_read(e, INTERRUPT);
		if (status & INT_ERRORS)
			return (status_error(e, status));
		if (status & bits)
			break;
		if (n < QUICK_READS)
			continue;
		now_us = timer_now_us();
		if (n == QUICK_READS)
			deadline_us = now_us + timeout_us;
		if (now_us >= deadline_us) {
			drivers_params.sd_timeouts++;
			return (ERR_TIMEDOUT);
		}
		emmc_sleep(e, bits | (INT_ERRORS & ~INT_ERROR), deadline_us - now_us);
	}
	reg_write(e, INTERRUPT, status & bits);
	return (0);
}

/* Wait for one of bits and acknowledge it; errors as in sdhost.h. Mostly it is there
 * already: this runs once a block. */
static inline int
emmc_wait(struct emmc *e, uint32_t bits, uint64_t timeout_us)
{
	uint32_t status = reg_read(e, INTERRUPT);

	if (status & INT_ERRORS || !(status & bits))
		return (wait_long(e, bits, timeout_us));
	reg_write(e, INTERRUPT, status & bits);
	return (0);
}

/* Wait until the bits of reg in mask are all value's. */
static int
emmc_poll(const struct emmc *e, enum emmc_register reg, uint32_t mask, uint32_t value)
{
	uint64_t deadline_us = 0;

	for (uint32_t n = 0; (reg_read(e, reg) & mask) != value; n++) {
		if (n < QUICK_READS)
			continue;
		if (n == QUICK_READS)
			deadline_us = timer_now_us() + RESET_WAIT_US;
		else if (timer_now_us() >= deadline_us)
			return (ERR_TIMEDOUT);
		tsleep(e, "sdpoll", POLL_SLEEP_US);
		mmio_barrier();
	}
	return (0);
}

/* ---- clock, width, reset */

/* SDHCI 3.00: card clock = base / (2 * divisor), a 10-bit divisor in two fields. */
static uint32_t
clock_bits(const struct emmc *e, uint32_t hz)
{
	uint32_t divisor = 0;

	if (hz < e->clock_hz)
		divisor = (e->clock_hz + 2 * hz - 1) / (2 * hz);
	if (divisor > 0x3ff)
		divisor = 0x3ff;
	return ((divisor & 0xff) << 8 | divisor >> 8 << 6);
}

static int
emmc_set_clock(struct sdhost *host, uint32_t hz)
{
	struct emmc *e = enter(host);
	uint32_t control1 = CONTROL1_TIMEOUT_MAX | clock_bits(e, hz) | CONTROL1_CLOCK_INTERNAL;
	int error;

	e->card_hz = 0; /* slow writes until it runs again */
	control_write(e, CONTROL1, CONTROL1_TIMEOUT_MAX | CONTROL1_CLOCK_INTERNAL);
	control_write(e, CONTROL1, control1);
	error = emmc_poll(e, CONTROL1, CONTROL1_CLOCK_STABLE, CONTROL1_CLOCK_STABLE);
	if (error != 0)
		return (error);
	e->card_hz = hz;
	control_write(e, CONTROL1, control1 | CONTROL1_CLOCK_CARD);
	return (0);
}

static void
emmc_set_width(struct sdhost *host, uint32_t lines)
{
	struct emmc *e = enter(host);

	e->control0 &= ~CONTROL0_4BIT;
	if (lines == 4)
		e->control0 |= CONTROL0_4BIT;
	control_write(e, CONTROL0, e->control0);
}

/* Reset everything and put back control0, masks and clock. */
static int
reset_all(struct emmc *e, uint32_t card_hz)
{
	int error;

	drivers_params.sd_resets++;
	e->card_hz = 0;
	control_write(e, CONTROL1, CONTROL1_RESET_ALL);
	error = emmc_poll(e, CONTROL1, CONTROL1_RESETS, 0);
	if (error != 0)
		return (error);
	reg_write(e, CONTROL2, 0);
	reg_write(e, IRPT_EN, 0);
	reg_write(e, IRPT_MASK, INT_SHOWN);
	reg_write(e, INTERRUPT, UINT32_MAX);
	control_write(e, CONTROL0, e->control0);
	return (emmc_set_clock(&e->host, card_hz));
}

static int
emmc_reset(struct sdhost *host)
{
	struct emmc *e = enter(host);
	int error;

	e->control0 = CONTROL0_POWER_33;
	error = reset_all(e, IDENTIFY_HZ);
	if (error == 0)
		tsleep(e, "sdpower", POWER_UP_US);
	return (error);
}

/* Line reset; where it leaves the lines inhibited (QEMU), everything. */
static void
emmc_abort(struct sdhost *host)
{
	struct emmc *e = enter(host);
	uint32_t inhibits = STATUS_CMD_INHIBIT | STATUS_DAT_INHIBIT;
	uint32_t resets = CONTROL1_RESET_CMD | CONTROL1_RESET_DATA;

	control_write(e, CONTROL1, (reg_read(e, CONTROL1) & ~CONTROL1_RESETS) | resets);
	if (emmc_poll(e, CONTROL1, CONTROL1_RESETS, 0) != 0 || reg_read(e, STATUS) & inhibits)
		(void)reset_all(e, e->card_hz != 0 ? e->card_hz : IDENTIFY_HZ);
	reg_write(e, INTERRUPT, UINT32_MAX);
}

/* ---- commands */

static uint32_t
command_bits(const struct sd_command *c)
{
	static const uint32_t by_response[] = {
		[SD_RESPONSE_NONE] = CMDTM_R_NONE,
		[SD_RESPONSE_R1] = CMDTM_R_48 | CMDTM_CHECK_CRC | CMDTM_CHECK_INDEX,
		[SD_RESPONSE_R1B] = CMDTM_R_48_BUSY | CMDTM_CHECK_CRC | CMDTM_CHECK_INDEX,
		[SD_RESPONSE_R2] = CMDTM_R_136 | CMDTM_CHECK_CRC,
		[SD_RESPONSE_R3] = CMDTM_R_48,
	};
	uint32_t bits = (uint32_t)c->index << CMDTM_INDEX_SHIFT | by_response[c->response];

	if (c->index == CMD_STOP_TRANSMISSION)
		bits |= CMDTM_ABORT;
	if (c->data == NULL)
		return (bits);
	bits |= CMDTM_DATA;
	if (!c->data->write)
		bits |= CMDTM_TO_HOST;
	if (c->data->block_count > 1)
		bits |= CMDTM_MULTI | CMDTM_BLOCK_COUNT;
	return (bits);
}

/* R2 comes without its CRC byte, shifted down by it. */
static void
answer_read(const struct emmc *e, struct sd_command *c)
{
	uint32_t r[4] = { 0, 0, 0, 0 };

	if (c->response != SD_RESPONSE_R2) {
		c->answer[0] = reg_read(e, RESP0);
		return;
	}
	for (uint32_t i = 0; i < 4; i++)
		r[i] = reg_read(e, (enum emmc_register)(RESP0 + 4 * i));
	c->answer[0] = r[3] << 8 | r[2] >> 24;
	c->answer[1] = r[2] << 8 | r[1] >> 24;
	c->answer[2] = r[1] << 8 | r[0] >> 24;
	c->answer[3] = r[0] << 8;
}

static int
command_run(struct emmc *e, struct sd_command *c)
{
	bool busy = c->response == SD_RESPONSE_R1B;
	uint32_t inhibits = STATUS_CMD_INHIBIT;
	int error;

	if (c->data != NULL || (busy && c->index != CMD_STOP_TRANSMISSION))
		inhibits |= STATUS_DAT_INHIBIT;
	error = emmc_poll(e, STATUS, inhibits, 0);
	if (error != 0)
		return (error);
	reg_write(e, INTERRUPT, UINT32_MAX);
	if (c->data != NULL)
		reg_write(e, BLKSIZECNT, c->data->block_count << 16 | c->data->block_bytes);
	reg_write(e, ARG1, c->argument);
	reg_write(e, CMDTM, command_bits(c));
	error = emmc_wait(e, INT_COMMAND_DONE, COMMAND_WAIT_US);
	if (error != 0)
		return (error);
	answer_read(e, c);
	return (busy ? emmc_wait(e, INT_DATA_DONE, BUSY_WAIT_US) : 0);
}

static int
emmc_command(struct sdhost *host, struct sd_command *c)
{
	struct emmc *e = enter(host);
	int error = command_run(e, c);

	if (error != 0)
		emmc_abort(host);
	return (error);
}

/* ---- data */

static int
blocks_move(struct emmc *e, struct sd_data *data)
{
	uint32_t ready = data->write ? INT_WRITE_READY : INT_READ_READY;
	uint32_t words = data->block_bytes / 4;

	for (uint32_t n = 0; n < data->block_count; n++) {
		int error = emmc_wait(e, ready, BLOCK_WAIT_US);
		uint32_t *memory;

		if (error != 0)
			return (error);
		memory = sd_data_block(data);
		if (data->write)
			sdhost_words_write(e->base + DATA, memory, words);
		else
			sdhost_words_read(e->base + DATA, memory, words);
		if (n % YIELD_BLOCKS == YIELD_BLOCKS - 1) {
			sched_maybe_yield();
			mmio_barrier();
		}
	}
	return (0);
}

static int
emmc_look(struct sdhost *host)
{
	const struct emmc *e = enter(host);
	uint32_t status = reg_read(e, INTERRUPT);

	return (status & INT_ERRORS ? status_error(e, status) : 0);
}

static void
emmc_doze(struct sdhost *host, uint64_t us)
{
	emmc_sleep(enter(host), INT_ERRORS & ~INT_ERROR, us);
}

static int
emmc_transfer(struct sdhost *host, struct sd_command *c)
{
	struct emmc *e = enter(host);
	bool by_dma = sdhost_dma_takes(&e->dma, c->data);
	int error = by_dma ? sdhost_dma_move(host, &e->dma, c->data, 0) : blocks_move(e, c->data);

	mmio_barrier();
	if (error == 0)
		error = emmc_wait(e, INT_DATA_DONE, BUSY_WAIT_US);
	if (error != 0)
		emmc_abort(host);
	else if (by_dma)
		host->dma_transfers++;
	else
		host->pio_transfers++;
	return (error);
}

static const struct sdhost_ops emmc_ops = {
	.reset = emmc_reset,
	.set_clock = emmc_set_clock,
	.set_width = emmc_set_width,
	.command = emmc_command,
	.transfer = emmc_transfer,
	.abort = emmc_abort,
};

int
bcm2835_emmc_attach(uintptr_t base, uint32_t irq, uint32_t clock_hz,
    const struct bcm2835_dma_port *port, struct sdhost **out)
{
	struct emmc *e = &controller;
	uint32_t version;
	int error;

	mmio_barrier();
	version = mmio_read32(base + SLOTISR_VER) >> 16;
	if (version == 0 || version == 0xffff || clock_hz < IDENTIFY_HZ)
		return (ERR_NODEV);
	e->base = base;
	e->clock_hz = clock_hz;
	e->host = (struct sdhost){ .name = "emmc", .ops = &emmc_ops,
		.clock_max_hz = CARD_HZ_MAX, .blocks_max = 0xffff, .four_lines = true,
		.counts_writes = true };
	e->dma = (struct sdhost_dma){ .port = *port, .look = emmc_look, .doze = emmc_doze };
	if (port->dma != NULL)
		bcm2835_dma_notify(port->dma, emmc_wake, e);
	mmio_write32(base + IRPT_EN, 0);
	error = irq_register(irq, emmc_interrupt, e, "emmc");
	if (error == 0)
		error = emmc_reset(&e->host);
	*out = &e->host;
	return (error);
}
