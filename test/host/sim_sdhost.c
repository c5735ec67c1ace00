/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated SDHOST controller.
 *
 *   CMD.NEW -> (command_us) -> answer, NEW clear
 *                \ data -> block by block through a FIFO of 16 words; the FSM in EDM says
 *                          where it is; at the end READWAIT or WRITESTART1 (lazy), or DATA
 *
 * Owns: the controller's registers.
 * Does not: raise interrupts for errors or for the end of a command; clock the card.
 * Invariants:
 *   U1 a command is written when the last is over, powered for POWER_US after as long without,
 *      with POWER_CLOCKS at IDENTIFY_HZ or less meanwhile, and with the FSM back from the last
 *      data phase;
 *   U2 byte and block count are right for a command with data before it is written;
 *   U3 the FIFO is not read when empty nor written when full by the CPU; thresholds are 4;
 *   U4 as silicon does it, less than 4 words do not ask for DMA in a read of several blocks.
 * Yields: never (raises interrupts).
 * See: docs/decisions/0018.
 */
#include "test/host/sim_sdhost.h"

#include <string.h>

#include "kern/timer.h"
#include "lib/assert.h"
#include "test/host/sim_dma.h"

#define CMD_NEW   0x8000u
#define CMD_FAIL  0x4000u
#define CMD_BUSY  0x800u
#define CMD_NONE  0x400u
#define CMD_LONG  0x200u
#define CMD_WRITE 0x80u
#define CMD_READ  0x40u

#define HSTS_BUSY   0x400u
#define HSTS_BLOCK  0x200u
#define HSTS_DATA   0x100u
#define HSTS_REW_TO 0x80u
#define HSTS_CMD_TO 0x40u
#define HSTS_CRC16  0x20u
#define HSTS_CRC7   0x10u
#define HSTS_IRQS   0x700u

#define HCFG_BUSY  0x400u
#define HCFG_BLOCK 0x100u
#define HCFG_DATA  0x10u

#define EDM_FORCE      (1u << 19)
#define EDM_THRESHOLDS (4u << 14 | 4u << 9)
enum { IDENT = 0, DATAMODE = 1, READDATA = 2, WRITEDATA = 3, READWAIT = 4, WRITESTART1 = 10 };

#define OP_COND    41u
#define FIFO_WORDS 16u
#define IDENTIFY_HZ 400000u
#define POWER_US   9000u
#define POWER_CLOCKS 74u /* SD 6.4.1 */
#define BUSY_US    20u
#define DATA_TIMEOUT_US 200000u

static void
raise(struct sim_sdhost *s, uint32_t bit, uint32_t enable)
{
	if (!(s->hcfg & enable))
		return;
	s->hsts |= bit;
	if (bit == HSTS_BLOCK && s->lose_done)
		s->lose_done = false;
	else
		sim_irq_raise(SIM_SDHOST_LINE);
}

static void
later(struct sim_event *event, uint32_t delay_us, void (*fn)(void *arg), struct sim_sdhost *s)
{
	if (delay_us == 0)
		fn(s);
	else
		sim_event_schedule(event, delay_us, fn, s);
}

static void
fsm_set(struct sim_sdhost *s, uint32_t fsm)
{
	s->edm = (s->edm & ~0xfu) | fsm;
}

/* ---- data */

static void
data_timeout(void *arg)
{
	((struct sim_sdhost *)arg)->hsts |= HSTS_REW_TO;
}

static void
refuse(struct sim_sdhost *s, enum sim_card_result result)
{
	s->refused = true;
	if (result == SIM_CARD_BAD_CRC)
		s->hsts |= HSTS_CRC16;
	else if (!s->mute)
		sim_event_schedule(&s->data_event, DATA_TIMEOUT_US, data_timeout, s);
}

static void
data_finish(void *arg)
{
	struct sim_sdhost *s = arg;

	if (s->stuck_busy)
		return;
	if (s->lazy_fsm)
		fsm_set(s, s->reading ? READWAIT : WRITESTART1);
	else
		fsm_set(s, DATAMODE);
	s->reading = s->writing = false;
	raise(s, HSTS_BLOCK, HCFG_BLOCK);
}

static void
push(struct sim_sdhost *s, uint32_t word)
{
	s->fifo[(s->fifo_first + s->fifo_words++) % FIFO_WORDS] = word;
}

static uint32_t
pop(struct sim_sdhost *s)
{
	s->fifo_words--;
	return (s->fifo[s->fifo_first++ % FIFO_WORDS]);
}

static bool
block_passed(struct sim_sdhost *s)
{
	enum sim_card_result result = SIM_CARD_OK;

	s->position = 0;
	if (s->writing)
		result = sim_card_write(s->card, s->buffer, s->hbct);
	if (result != SIM_CARD_OK) {
		refuse(s, result);
		return (false);
	}
	if (--s->blocks_left > 0)
		return (true);
	later(&s->data_event, s->block_us, data_finish, s);
	return (false);
}

/* Words from the card, or to it, as far as the FIFO has room or words. */
static void
data_run(void *arg)
{
	struct sim_sdhost *s = arg;

	while ((s->reading || s->writing) && !s->refused && s->blocks_left > 0) {
		uint32_t word;

		if (s->reading ? s->fifo_words == FIFO_WORDS : s->fifo_words == 0)
			break;
		if (s->reading && s->position == 0) {
			enum sim_card_result result = sim_card_read(s->card, s->buffer, s->hbct);

			if (result != SIM_CARD_OK) {
				refuse(s, result);
				break;
			}
		}
		if (s->reading) {
			memcpy(&word, s->buffer + s->position, 4);
			push(s, word);
		} else {
			word = pop(s);
			memcpy(s->buffer + s->position, &word, 4);
		}
		s->position += 4;
		if (s->position == s->hbct && !block_passed(s))
			break;
	}
	raise(s, HSTS_DATA, HCFG_DATA);
	sim_dma_kick();
}

/* The wire takes its time for every FIFO's worth. */
static void
data_more(struct sim_sdhost *s)
{
	if (sim_dma_moves() && s->block_us == 0)
		data_run(s); /* the engine is served by its loop */
	else if (!s->data_event.pending)
		later(&s->data_event, s->block_us / 8, data_run, s);
}

static bool
dma_request(void *device)
{
	const struct sim_sdhost *s = device;

	if (s->writing)
		return (s->fifo_words < FIFO_WORDS && s->blocks_left > 0);
	return (s->fifo_words >= (s->hblc > 1 ? 4u : 1u)); /* U4 */
}

static uint32_t
data_read(struct sim_sdhost *s)
{
	uint32_t word;

	if (s->fifo_words == 0) {
		KASSERT(sim_dma_moves(), "U3: the FIFO has a word");
		return (0);
	}
	word = pop(s);
	if (s->reading && s->fifo_words <= FIFO_WORDS / 2)
		data_more(s);
	return (word);
}

static void
data_write(struct sim_sdhost *s, uint32_t word)
{
	if (s->fifo_words == FIFO_WORDS) {
		KASSERT(sim_dma_moves(), "U3: the FIFO has room");
		return;
	}
	push(s, word);
	if (s->writing)
		data_more(s);
}

/* ---- commands */

static void
busy_over(void *arg)
{
	struct sim_sdhost *s = arg;

	s->cmd &= ~CMD_NEW;
	raise(s, HSTS_BUSY, HCFG_BUSY);
}

static void
data_begin(struct sim_sdhost *s)
{
	KASSERT((s->edm & (0x1fu << 14 | 0x1fu << 9)) == EDM_THRESHOLDS, "U3: thresholds are 4");
	KASSERT(s->hbct > 0 && s->hbct <= 512 && s->hblc > 0, "U2: byte and block count");
	KASSERT(s->fifo_words == 0, "U2: the FIFO is empty");
	s->reading = (s->cmd & CMD_READ) != 0;
	s->writing = !s->reading;
	s->refused = false;
	s->blocks_left = s->hblc;
	s->position = 0;
	fsm_set(s, s->reading ? READDATA : WRITEDATA);
	if (s->reading)
		later(&s->data_event, s->block_us / 8, data_run, s);
}

static void
command_answer(void *arg)
{
	struct sim_sdhost *s = arg;
	uint32_t answer[4];
	enum sim_card_result result = sim_card_command(s->card, s->cmd & 0x3f, s->arg, answer);

	if (result == SIM_CARD_SILENT && s->mute)
		return;
	if (result != SIM_CARD_OK && !(s->cmd & CMD_NONE)) {
		s->hsts |= result == SIM_CARD_SILENT ? HSTS_CMD_TO : HSTS_CRC7;
		s->cmd = (s->cmd | CMD_FAIL) & ~CMD_NEW;
		return;
	}
	if (s->lazy_fsm && (s->cmd & 0x3f) == OP_COND) { /* R3 has no checksum: silicon complains */
		s->hsts |= HSTS_CRC7;
		s->cmd |= CMD_FAIL;
	}
	for (uint32_t i = 0; i < 4; i++)
		s->resp[i] = s->cmd & CMD_LONG ? answer[3 - i] | (i == 0) : i == 0 ? answer[0] : 0;
	if (s->cmd & (CMD_READ | CMD_WRITE))
		data_begin(s);
	if (s->cmd & CMD_BUSY)
		later(&s->busy_event, s->command_us ? BUSY_US : 0, busy_over, s);
	else
		s->cmd &= ~CMD_NEW;
}

/* The card has had its clock, at this rate, since clock_us. */
static void
clock_passes(struct sim_sdhost *s)
{
	uint64_t now_us = timer_now_us(), hz = SIM_SDHOST_CLOCK / (s->cdiv + 2);

	if (s->vdd == 1 && hz <= IDENTIFY_HZ)
		s->power_clocks += (now_us - s->clock_us) * hz / 1000000;
	s->clock_us = now_us;
}

static void
command_write(struct sim_sdhost *s, uint32_t value)
{
	uint32_t fsm = s->edm & 0xf;

	KASSERT(!(s->cmd & CMD_NEW), "U1: the last command is over");
	clock_passes(s);
	KASSERT(s->power_clocks >= POWER_CLOCKS, "U1: powered, with a slow clock");
	KASSERT(s->vdd == 1 && timer_now_us() - s->power_us >= POWER_US, "U1: powered");
	KASSERT(((value & 0x3f) != 2 && (value & 0x3f) != 3) ||
	    SIM_SDHOST_CLOCK / (s->cdiv + 2) <= IDENTIFY_HZ, "U1: a card is identified slowly");
	KASSERT(fsm == IDENT || fsm == DATAMODE || (value & 0x3f) == 12,
	    "U1: the FSM is back from the last data phase");
	s->cmd = value & ~CMD_FAIL;
	if (value & CMD_NEW)
		later(&s->command_event, s->command_us, command_answer, s);
}

/* ---- registers */

/* Power off clears all that goes on. */
static void
vdd_write(struct sim_sdhost *s, uint32_t value)
{
	if (value == 1 && s->vdd == 0) {
		KASSERT(timer_now_us() - s->power_us >= POWER_US, "U1: off for long enough");
		s->power_clocks = 0;
		s->clock_us = timer_now_us();
	}
	if (value == 0) {
		sim_event_cancel(&s->command_event);
		sim_event_cancel(&s->data_event);
		sim_event_cancel(&s->busy_event);
		s->fifo_words = 0;
		s->cmd = 0;
		s->reading = s->writing = false;
		s->full_resets++;
		fsm_set(s, IDENT);
	}
	s->vdd = value;
	s->power_us = timer_now_us();
}

static void
edm_write(struct sim_sdhost *s, uint32_t value)
{
	uint32_t fsm = s->edm & 0xf;

	if (value & EDM_FORCE && (fsm == READWAIT || fsm == WRITESTART1))
		fsm = DATAMODE;
	s->edm = (value & ~(EDM_FORCE | 0x1f0u | 0xfu)) | fsm;
}

/* What is under way has no more blocks. Silicon's FSM does not find its way back from there. */
static void
hblc_write(struct sim_sdhost *s, uint32_t value)
{
	s->hblc = value;
	if (value != 0)
		return;
	sim_event_cancel(&s->data_event);
	s->reading = s->writing = false;
	if (!s->lazy_fsm)
		fsm_set(s, DATAMODE);
}

static uint32_t
sdhost_read(void *device, uint32_t offset)
{
	struct sim_sdhost *s = device;

	switch (offset) {
	case 0x00: return (s->cmd);
	case 0x04: return (s->arg);
	case 0x08: return (s->tout);
	case 0x0c: return (s->cdiv);
	case 0x10: case 0x14: case 0x18: case 0x1c: return (s->resp[(offset - 0x10) / 4]);
	case 0x20: return (s->hsts);
	case 0x30: return (s->vdd);
	case 0x34: return ((s->edm & ~0x1f0u) | s->fifo_words << 4);
	case 0x38: return (s->hcfg);
	case 0x3c: return (s->hbct);
	case 0x40: return (data_read(s));
	case 0x50: return (s->hblc);
	default: return (0);
	}
}

static void
sdhost_write(void *device, uint32_t offset, uint32_t value)
{
	struct sim_sdhost *s = device;

	switch (offset) {
	case 0x00:
		if (value & CMD_NEW)
			command_write(s, value);
		break;
	case 0x04: s->arg = value; break;
	case 0x08: s->tout = value; break;
	case 0x0c:
		clock_passes(s);
		s->cdiv = value;
		break;
	case 0x20: s->hsts &= ~value; break;
	case 0x30: vdd_write(s, value); break;
	case 0x34: edm_write(s, value); break;
	case 0x38:
		s->hcfg = value;
		if (s->hsts & HSTS_IRQS)
			sim_irq_raise(SIM_SDHOST_LINE);
		break;
	case 0x3c: s->hbct = value; break;
	case 0x40: data_write(s, value); break;
	case 0x50: hblc_write(s, value); break;
	default: break;
	}
}

void
sim_sdhost_init(struct sim_sdhost *s, struct sim_card *card)
{
	memset(s, 0, sizeof(*s));
	s->card = card;
	s->edm = 0xf;
	s->window = (struct sim_mmio){ .base = SIM_SDHOST_BASE, .bytes = 0x100,
		.read = sdhost_read, .write = sdhost_write, .device = s };
	sim_mmio_add(&s->window);
	sim_dma.request[SIM_SDHOST_DREQ] = dma_request;
	sim_dma.device[SIM_SDHOST_DREQ] = s;
}
