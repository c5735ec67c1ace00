/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SDHCI 3.0 controller.
 *
 *   CMDTM write -> (command_us) -> answer -> COMMAND_DONE
 *                                     \ data -> (block_us) -> READY -> 128 words -> ...
 *                                                                  last: DATA_DONE
 *
 * Owns: the controller's registers.
 * Does not: model DMA of its own (there is none), voltage, or the time a clock takes to settle.
 * Invariants:
 *   L1 a command is written only while the lines it uses are free and the clock runs;
 *   L2 the data port is accessed only while a block is ready, and its ready bit has
 *      been acknowledged before (but by the DMA engine, which knows no such bit; one that
 *      does not wait for the request line gets zeros);
 *   L3 the block size is programmed for what the card sends;
 *   L4 two writes to a register of the card's clock domain are two card clocks apart, or
 *      hardware may lose one; without a card clock, as at the slowest;
 *   L5 the first command comes a millisecond after power, and a card is identified at no
 *      more than 400 kHz (SD Physical Layer 3.01, 6.4.1 and 4.2.1).
 * Yields: never (raises interrupts).
 * See: SD Host Controller Simplified Specification 3.00, 2.2.
 */
#include "test/host/sim_sdhci.h"

#include <string.h>

#include "kern/timer.h"
#include "lib/assert.h"
#include "test/host/sim_dma.h"

#define INT_COMMAND_DONE 0x1u
#define INT_DATA_DONE    0x2u
#define INT_WRITE_READY  0x10u
#define INT_READ_READY   0x20u
#define INT_SUMMARY      0x8000u
#define INT_CMD_TIMEOUT  0x10000u
#define INT_CMD_CRC      0x20000u
#define INT_DATA_TIMEOUT 0x100000u
#define INT_DATA_CRC     0x200000u
#define INT_ALL_ERRORS   0x01ff0000u

#define DATA_TIMEOUT_US 200000u
#define BUSY_US         20u

#define SLOWEST_HZ      400000u
#define CROSSED_CLOCKS  2u
#define POWER_UP_US     1000u

static void
raise(struct sim_sdhci *s, uint32_t bits)
{
	s->status |= bits & s->enable;
	if (s->status & INT_ALL_ERRORS)
		s->status |= INT_SUMMARY;
	if (s->lose_done && bits & INT_DATA_DONE) {
		s->lose_done = false;
		return;
	}
	if (s->status & s->signal)
		sim_irq_raise(SIM_SDHCI_LINE);
}

static void
later(struct sim_event *event, uint32_t delay_us, void (*fn)(void *arg), struct sim_sdhci *s)
{
	if (delay_us == 0)
		fn(s);
	else
		sim_event_schedule(event, delay_us, fn, s);
}

/* ---- data */

static uint32_t
block_bytes(const struct sim_sdhci *s)
{
	return (s->blksizecnt & 0x3ff);
}

static void
data_timeout(void *arg)
{
	raise(arg, INT_DATA_TIMEOUT);
}

static void
data_stuck(struct sim_sdhci *s)
{
	if (!s->mute)
		sim_event_schedule(&s->data_event, DATA_TIMEOUT_US, data_timeout, s);
}

static void
data_finish(void *arg)
{
	struct sim_sdhci *s = arg;

	if (s->stuck_busy)
		return;

	s->data_inhibit = false;
	raise(s, INT_DATA_DONE);
}

/* The next block to the buffer (read), or room for it (write). */
static void
block_ready(void *arg)
{
	struct sim_sdhci *s = arg;
	enum sim_card_result result = SIM_CARD_OK;

	if (!s->writing)
		result = sim_card_read(s->card, s->buffer, block_bytes(s));
	if (result == SIM_CARD_SILENT) {
		data_stuck(s);
		return;
	}
	if (result == SIM_CARD_BAD_CRC) {
		raise(s, INT_DATA_CRC);
		return;
	}
	s->ready = true;
	s->position = 0;
	raise(s, s->writing ? INT_WRITE_READY : INT_READ_READY);
	sim_dma_kick();
}

/* The last word of a block has passed the data port. */
static void
block_passed(struct sim_sdhci *s)
{
	enum sim_card_result result = SIM_CARD_OK;

	s->ready = false;
	if (s->writing)
		result = sim_card_write(s->card, s->buffer, block_bytes(s));
	if (result == SIM_CARD_SILENT)
		data_stuck(s);
	else if (result == SIM_CARD_BAD_CRC)
		raise(s, INT_DATA_CRC);
	else if (--s->blocks_left > 0)
		later(&s->data_event, s->block_us, block_ready, s);
	else
		later(&s->data_event, s->block_us, data_finish, s);
}

static bool
dma_request(void *device)
{
	return (((const struct sim_sdhci *)device)->ready);
}

static uint32_t
data_read(struct sim_sdhci *s)
{
	uint32_t word;

	if (sim_dma_moves() && !s->ready)
		return (0);
	KASSERT(s->ready && !s->writing, "L2: a block to read is ready");
	KASSERT(s->position > 0 || sim_dma_moves() || !(s->status & INT_READ_READY),
	    "L2: acknowledged first");
	memcpy(&word, s->buffer + s->position, 4);
	s->position += 4;
	if (s->position == block_bytes(s))
		block_passed(s);
	return (word);
}

static void
data_write(struct sim_sdhci *s, uint32_t word)
{
	if (sim_dma_moves() && !s->ready)
		return;
	KASSERT(s->ready && s->writing, "L2: room for a block");
	KASSERT(s->position > 0 || sim_dma_moves() || !(s->status & INT_WRITE_READY),
	    "L2: acknowledged first");
	memcpy(s->buffer + s->position, &word, 4);
	s->position += 4;
	if (s->position == block_bytes(s))
		block_passed(s);
}

/* ---- commands */

static void
answer_store(struct sim_sdhci *s, const uint32_t a[4])
{
	if ((s->cmdtm >> 16 & 3) != 1) {
		s->resp[0] = a[0];
		return;
	}
	for (uint32_t i = 0; i < 4; i++)
		s->resp[i] = a[3 - i] >> 8 | (i < 3 ? a[2 - i] << 24 : 0);
}

static void
data_begin(struct sim_sdhci *s)
{
	s->writing = !(s->cmdtm & 0x10);
	s->blocks_left = s->cmdtm & 0x20 ? s->blksizecnt >> 16 : 1;
	KASSERT(block_bytes(s) > 0 && s->blocks_left > 0, "L3: block size and count are set");
	later(&s->data_event, s->block_us, block_ready, s);
}

static void
command_answer(void *arg)
{
	struct sim_sdhci *s = arg;
	uint32_t answer[4];
	enum sim_card_result result = sim_card_command(s->card, s->cmdtm >> 24 & 0x3f, s->arg,
	    answer);

	if (result == SIM_CARD_SILENT && s->mute)
		return;
	s->command_inhibit = false;
	if (result != SIM_CARD_OK) {
		raise(s, result == SIM_CARD_SILENT ? INT_CMD_TIMEOUT : INT_CMD_CRC);
		return;
	}
	answer_store(s, answer);
	if ((s->cmdtm >> 16 & 3) == 3)
		later(&s->busy_event, s->command_us ? BUSY_US : 0, data_finish, s);
	raise(s, INT_COMMAND_DONE);
	if (s->cmdtm & 1u << 21)
		data_begin(s);
}

static uint32_t
card_clock_hz(const struct sim_sdhci *s)
{
	uint32_t divisor = (s->control1 >> 8 & 0xff) | (s->control1 >> 6 & 3) << 8;

	if (!(s->control1 & 4))
		return (SLOWEST_HZ);
	return (divisor == 0 ? SIM_SDHCI_CLOCK : SIM_SDHCI_CLOCK / (2 * divisor));
}

/* L5 */
static void
check_timing(const struct sim_sdhci *s, uint32_t index)
{
	KASSERT(index != 0 || timer_now_us() - s->reset_us >= POWER_UP_US,
	    "L5: the card has had time to power up");
	KASSERT((index != 2 && index != 3) || card_clock_hz(s) <= SLOWEST_HZ,
	    "L5: a card is identified slowly");
}

static void
command_write(struct sim_sdhci *s, uint32_t value)
{
	bool uses_data = (value & 1u << 21) || (value >> 16 & 3) == 3;

	KASSERT(!s->command_inhibit, "L1: the command line is free");
	KASSERT(!uses_data || !s->data_inhibit || value >> 24 == 12, "L1: the data lines are free");
	KASSERT((s->control1 & 7) == 7, "L1: the clock runs");
	check_timing(s, value >> 24);
	s->cmdtm = value;
	s->command_inhibit = true;
	if (uses_data)
		s->data_inhibit = true;
	later(&s->command_event, s->command_us, command_answer, s);
}

/* ---- registers */

static void
phase_drop(struct sim_sdhci *s)
{
	sim_event_cancel(&s->command_event);
	sim_event_cancel(&s->data_event);
	sim_event_cancel(&s->busy_event);
	s->ready = false;
}

static void
control1_write(struct sim_sdhci *s, uint32_t value)
{
	if (value & 1u << 24) {
		phase_drop(s);
		s->command_inhibit = s->data_inhibit = false;
		s->blksizecnt = s->arg = s->cmdtm = 0;
		s->control0 = s->control1 = s->status = s->enable = s->signal = 0;
		s->full_resets++;
		s->reset_us = timer_now_us();
		return;
	}
	if (value & 3u << 25) {
		phase_drop(s);
		s->line_resets++;
		if (!s->stubborn)
			s->command_inhibit = s->data_inhibit = false;
	}
	s->control1 = value & ~(7u << 24) & ~2u;
	if (value & 1)
		s->control1 |= 2;
}

static uint32_t
sdhci_read(void *device, uint32_t offset)
{
	struct sim_sdhci *s = device;

	switch (offset) {
	case 0x04: return (s->blksizecnt);
	case 0x08: return (s->arg);
	case 0x0c: return (s->cmdtm);
	case 0x10: case 0x14: case 0x18: case 0x1c: return (s->resp[(offset - 0x10) / 4]);
	case 0x20: return (data_read(s));
	case 0x24: return (0x01ff0000u | (s->command_inhibit ? 1 : 0) | (s->data_inhibit ? 2 : 0));
	case 0x28: return (s->control0);
	case 0x2c: return (s->control1);
	case 0x30: return (s->status);
	case 0x34: return (s->enable);
	case 0x38: return (s->signal);
	case 0xfc: return (0x24020000u);
	default: return (0);
	}
}

/* L4. Statuses are acknowledged, and interrupts masked, at any time. */
static void
check_spacing(struct sim_sdhci *s, uint32_t offset)
{
	uint64_t *last = &s->written_cycles[offset / 4], now = get_cyclecount();

	if (offset == 0x20 || offset == 0x30 || offset == 0x38)
		return;
	KASSERT(*last == 0 || now - *last >= (uint64_t)CROSSED_CLOCKS * SIM_CYCLES_PER_SECOND /
	    card_clock_hz(s), "L4: writes to a register are two card clocks apart");
	*last = now;
}

static void
sdhci_write(void *device, uint32_t offset, uint32_t value)
{
	struct sim_sdhci *s = device;

	check_spacing(s, offset);
	switch (offset) {
	case 0x04: s->blksizecnt = value; break;
	case 0x08: s->arg = value; break;
	case 0x0c: command_write(s, value); break;
	case 0x20: data_write(s, value); break;
	case 0x28: s->control0 = value; break;
	case 0x2c: control1_write(s, value); break;
	case 0x30:
		s->status &= ~value;
		if (!(s->status & INT_ALL_ERRORS))
			s->status &= ~INT_SUMMARY;
		break;
	case 0x34: s->enable = value; break;
	case 0x38:
		s->signal = value;
		raise(s, 0);
		break;
	default: break;
	}
}

void
sim_sdhci_init(struct sim_sdhci *s, struct sim_card *card)
{
	memset(s, 0, sizeof(*s));
	s->card = card;
	s->window = (struct sim_mmio){ .base = SIM_SDHCI_BASE, .bytes = 0x100,
		.read = sdhci_read, .write = sdhci_write, .device = s };
	sim_mmio_add(&s->window);
	sim_dma.request[SIM_SDHCI_DREQ] = dma_request;
	sim_dma.device[SIM_SDHCI_DREQ] = s;
}
