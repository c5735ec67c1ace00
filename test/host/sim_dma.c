/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated BCM2835 DMA engine.
 *
 *   CS.ACTIVE -> control block at CONBLK_AD -> word by word, while the device asks
 *      -> the next one ... -> INT, END, CONBLK_AD = 0
 *
 * Memory is reached through sim_cache: what was not cleaned is not seen. One channel runs at a
 * time.
 *
 * Owns: the engine's registers.
 * Does not: move bytes, use strides, or give two channels turns.
 * Invariants:
 *   Q1 a control block is aligned and asks for what the driver should ask for: an increment on
 *      the memory's side, a request line on the device's, writes that wait;
 *   Q2 the interrupt is asked for by the last control block alone.
 * Yields: never.
 * See: BCM2835 ARM Peripherals, chapter 4; test/host/sim_dma.h.
 */
#include "test/host/sim_dma.h"

#include <string.h>

#include "kern/mmio.h"
#include "lib/assert.h"
#include "test/host/sim_cache.h"

#define CS_ACTIVE 0x1u
#define CS_END    0x2u
#define CS_INT    0x4u
#define CS_ERROR  0x100u
#define CS_RESET  0x80000000u

#define TI_INT       0x1u
#define TI_WAIT_RESP 0x8u
#define TI_DEST_INC  0x10u
#define TI_DEST_DREQ 0x40u
#define TI_SRC_INC   0x100u
#define TI_SRC_DREQ  0x400u

#define CHANNEL_BYTES 0x100u
#define PERIPHERALS_BUS 0x7e000000u
#define PERIPHERALS     0x3f000000u
#define START_US 3u

struct sim_dma sim_dma;
static bool moving;

bool
sim_dma_moves(void)
{
	return (moving);
}

static void
block_load(struct sim_dma *d)
{
	KASSERT(d->conblk % 32 == 0, "Q1: a control block is aligned");
	d->info = sim_cache_device_read(d->conblk);
	d->source = sim_cache_device_read(d->conblk + 4);
	d->dest = sim_cache_device_read(d->conblk + 8);
	d->left = sim_cache_device_read(d->conblk + 12);
	d->next = sim_cache_device_read(d->conblk + 20);
	d->loaded = true;
	KASSERT(d->left > 0 && d->left % 4 == 0 && (d->info & TI_WAIT_RESP),
	    "Q1: whole words, and writes wait");
	KASSERT((d->info & (TI_SRC_INC | TI_DEST_DREQ)) == (TI_SRC_INC | TI_DEST_DREQ) ||
	    (d->info & (TI_DEST_INC | TI_SRC_DREQ)) == (TI_DEST_INC | TI_SRC_DREQ),
	    "Q1: paced by the device");
	KASSERT(((d->info & TI_INT) != 0) == (d->next == 0), "Q2: the last one interrupts");
}

static bool
requested(const struct sim_dma *d)
{
	uint32_t line = d->info >> 16 & 31;

	KASSERT(d->request[line] != NULL, "Q1: the request line is a device's");
	return (d->request[line](d->device[line]));
}

static void
word_move(struct sim_dma *d)
{
	moving = true;
	if (d->info & TI_SRC_INC) {
		sim_mmio_device_write(d->dest - PERIPHERALS_BUS + PERIPHERALS,
		    sim_cache_device_read(d->source));
		d->source += 4;
	} else {
		sim_cache_device_write(d->dest, sim_mmio_device_read(d->source - PERIPHERALS_BUS +
		    PERIPHERALS));
		d->dest += 4;
	}
	moving = false;
	d->left -= 4;
	d->words++;
}

static void
block_end(struct sim_dma *d)
{
	d->loaded = false;
	d->conblk = d->next;
	d->cs |= CS_END;
	if (d->conblk != 0)
		return;
	d->cs = (d->cs & ~CS_ACTIVE) | CS_INT;
	d->chains++;
	if (!d->lose_interrupt)
		sim_irq_raise(SIM_DMA_LINE + d->channel);
	d->lose_interrupt = false;
}

static void
run(void *arg)
{
	struct sim_dma *d = arg;

	while (d->cs & CS_ACTIVE && !d->stuck && !moving && d->conblk != 0) {
		if (!d->loaded)
			block_load(d);
		if (!d->instant && !requested(d))
			return;
		word_move(d);
		if (d->fail_after > 0 && --d->fail_after == 0) {
			d->cs = (d->cs & ~CS_ACTIVE) | CS_ERROR;
			d->debug |= 4;
			return;
		}
		if (d->left == 0)
			block_end(d);
	}
}

void
sim_dma_kick(void)
{
	if (sim_dma.cs & CS_ACTIVE && !sim_dma.event.pending)
		run(&sim_dma);
}

static void
cs_write(struct sim_dma *d, uint32_t value)
{
	if (value & CS_RESET) {
		d->cs = 0;
		d->conblk = 0;
		d->loaded = false;
		d->resets++;
		sim_event_cancel(&d->event);
		return;
	}
	d->cs &= ~(value & (CS_INT | CS_END)) & ~CS_ACTIVE;
	d->cs |= value & CS_ACTIVE;
	if (!(value & CS_ACTIVE) || d->event.pending)
		return;
	KASSERT(d->enable & 1u << d->channel, "Q3: the channel is enabled");
	if (d->instant)
		run(d);
	else
		sim_event_schedule(&d->event, START_US, run, d);
}

static uint32_t
dma_read(void *device, uint32_t offset)
{
	struct sim_dma *d = device;

	if (offset == 0xff0)
		return (d->enable);
	switch (offset % CHANNEL_BYTES) {
	case 0x00: return (d->cs);
	case 0x04: return (d->conblk);
	case 0x20: return (d->debug);
	default: return (0);
	}
}

static void
dma_write(void *device, uint32_t offset, uint32_t value)
{
	struct sim_dma *d = device;

	if (offset == 0xff0) {
		d->enable = value;
		return;
	}
	d->channel = offset / CHANNEL_BYTES;
	switch (offset % CHANNEL_BYTES) {
	case 0x00: cs_write(d, value); break;
	case 0x04: d->conblk = value; break;
	case 0x20:
		d->debug &= ~value;
		if (d->debug == 0)
			d->cs &= ~CS_ERROR;
		break;
	default: break;
	}
}

void
sim_dma_init(void)
{
	memset(&sim_dma, 0, sizeof(sim_dma));
	moving = false;
	sim_dma.window = (struct sim_mmio){ .base = SIM_DMA_BASE, .bytes = 0x1000,
		.read = dma_read, .write = dma_write, .device = &sim_dma };
	sim_mmio_add(&sim_dma.window);
}
