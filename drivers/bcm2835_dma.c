/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA engine of BCM2835-2837.
 *
 *   begin, add ... -> start: memory mapped, control blocks written and cleaned, channel active
 *     -> interrupt (last control block) -> end: channel idle, memory unmapped
 *
 * One control block a piece of memory. Neighbouring pieces become one. The channel is paced
 * by the device's request line on the device's side only; writes wait for their response, so
 * that the interrupt comes after the last word has arrived.
 *
 * An error raises no interrupt: who waits must look now and then (bcm2835_dma_state).
 *
 * Owns: one channel's registers, its control blocks, the memory on its list while it runs.
 * Does not: allocate, wait for the end of a list, choose between DMA and PIO
 *   (sdhost_dma.c); use lite channels (7 and up), which move 64 KiB at most, or channel 0,
 *   which the firmware likes to use for bulk copies.
 * Invariants:
 *   X1 memory is mapped for the device from start to end, and only then;
 *   X2 control blocks are written and cleaned before the channel sees their address, and
 *      do not change until end;
 *   X3 start finds the channel idle.
 * Yields: never.
 * Complexity: O(pieces) and one cache instruction a line.
 * See: BCM2835 ARM Peripherals, chapter 4; kern/machdep.h (dma_map).
 */
#include "drivers/bcm2835_dma.h"

#include <stddef.h>

#include "drivers/drivers_params.h"
#include "kern/irq.h"
#include "kern/machdep.h"
#include "kern/mmio.h"
#include "kern/trace.h"
#include "lib/assert.h"

#define CHANNEL_BYTES 0x100u
#define ENABLE        0xff0u

enum dma_register { CS = 0x00, CONBLK_AD = 0x04, DEBUG = 0x20 };

#define CS_ACTIVE        (1u << 0)
#define CS_END           (1u << 1)
#define CS_INT           (1u << 2)
#define CS_WRITES_LEFT   (1u << 6)
#define CS_ERROR         (1u << 8)
#define CS_PRIORITY      (8u << 16 | 15u << 20) /* normal, and when the device is in need */
#define CS_WAIT_WRITES   (1u << 28)
#define CS_RESET         (1u << 31)
#define DEBUG_ERRORS     7u /* read, FIFO, last not set: cleared by writing them */

#define TI_INTERRUPT   (1u << 0)
#define TI_WAIT_RESP   (1u << 3)
#define TI_DEST_INC    (1u << 4)
#define TI_DEST_DREQ   (1u << 6)
#define TI_SOURCE_INC  (1u << 8)
#define TI_SOURCE_DREQ (1u << 10)
#define TI_DREQ_SHIFT  16
#define TI_NO_WIDE     (1u << 26)

#define FULL_CHANNELS    0x7eu
#define IDLE_LOOKS       1000u /* some 100 us: the bus is never that slow */

/* What the engine reads (4.2.1.1); 32-byte aligned. */
struct control_block {
	uint32_t info, source, dest, bytes, stride, next, reserved[2];
};

struct piece {
	uint64_t pa;
	uint32_t bytes;
};

struct bcm2835_dma {
	uintptr_t base;          /* the channel's registers */
	uint32_t channel;
	uint32_t blocks_bus;     /* bus address of blocks[] */
	void (*fn)(void *arg);
	void *arg;
	bool mapped, to_device;
	uint32_t count;
	struct piece pieces[BCM2835_DMA_PIECES_MAX];
	struct control_block blocks[BCM2835_DMA_PIECES_MAX] __attribute__((aligned(64)));
};

_Static_assert(sizeof(struct control_block) == 32, "a control block is 32 bytes");

static struct bcm2835_dma the_channel;

static uint32_t
reg_read(const struct bcm2835_dma *dma, enum dma_register reg)
{
	return (mmio_read32(dma->base + reg));
}

static void
reg_write(const struct bcm2835_dma *dma, enum dma_register reg, uint32_t value)
{
	mmio_write32(dma->base + reg, value);
}

/* Writing ACTIVE as 0 would pause the channel: a list that runs by now goes on. */
static void
dma_interrupt(void *arg)
{
	struct bcm2835_dma *dma = arg;

	uint32_t cs = reg_read(dma, CS);

	if (!(cs & CS_INT))
		return;
	drivers_params.dma_irqs++;
	reg_write(dma, CS, (cs & (CS_ACTIVE | CS_PRIORITY | CS_WAIT_WRITES)) | CS_INT | CS_END);
	mmio_barrier();
	if (dma->fn != NULL)
		dma->fn(dma->arg);
}

/* ---- the list */

void
bcm2835_dma_begin(struct bcm2835_dma *dma)
{
	KASSERT(!dma->mapped, "X1: the former list has ended");
	dma->count = 0;
}

int
bcm2835_dma_add(struct bcm2835_dma *dma, uint64_t pa, uint32_t bytes)
{
	struct piece *last = dma->count > 0 ? &dma->pieces[dma->count - 1] : NULL;

	if (last != NULL && last->pa + last->bytes == pa) {
		last->bytes += bytes;
		return (0);
	}
	if (dma->count == BCM2835_DMA_PIECES_MAX)
		return (ERR_NOSPC);
	dma->pieces[dma->count++] = (struct piece){ pa, bytes };
	return (0);
}

static uint32_t
blocks_bytes(const struct bcm2835_dma *dma)
{
	return ((dma->count * (uint32_t)sizeof(dma->blocks[0]) + 63) & ~63u);
}

/* Map piece i and describe it; next: the bus address of its successor, or 0. */
static void
block_fill(const struct bcm2835_dma_port *port, uint32_t i, uint32_t next)
{
	struct bcm2835_dma *dma = port->dma;
	struct control_block *block = &dma->blocks[i];
	enum dma_dir dir = dma->to_device ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	uint32_t memory = (uint32_t)dma_map(dma->pieces[i].pa, dma->pieces[i].bytes, dir);

	*block = (struct control_block){ .bytes = dma->pieces[i].bytes, .next = next,
		.info = TI_WAIT_RESP | TI_NO_WIDE | port->dreq << TI_DREQ_SHIFT |
		    (next == 0 ? TI_INTERRUPT : 0) };
	if (dma->to_device) {
		block->info |= TI_SOURCE_INC | TI_DEST_DREQ;
		block->source = memory;
		block->dest = port->bus;
	} else {
		block->info |= TI_DEST_INC | TI_SOURCE_DREQ;
		block->source = port->bus;
		block->dest = memory;
	}
}

void
bcm2835_dma_start(const struct bcm2835_dma_port *port, bool to_device, uint32_t tail_bytes)
{
	struct bcm2835_dma *dma = port->dma;
	uint32_t bus = dma->blocks_bus;

	mmio_barrier();
	KASSERT(dma->count > 0 && dma->pieces[dma->count - 1].bytes > tail_bytes,
	    "X2: there is something to move");
	KASSERT(reg_read(dma, CONBLK_AD) == 0, "X3: the channel is idle");
	dma->to_device = to_device;
	dma->mapped = true;
	for (uint32_t i = 0; i < dma->count; i++)
		block_fill(port, i, i + 1 < dma->count ?
		    bus + (i + 1) * (uint32_t)sizeof(dma->blocks[0]) : 0);
	dma->blocks[dma->count - 1].bytes -= tail_bytes;
	(void)dma_map(virt_to_phys(dma->blocks), blocks_bytes(dma), DMA_TO_DEVICE); /* X2 */
	reg_write(dma, CS, CS_INT | CS_END);
	reg_write(dma, DEBUG, DEBUG_ERRORS);
	reg_write(dma, CONBLK_AD, bus);
	mmio_barrier();
	reg_write(dma, CS, CS_ACTIVE | CS_WAIT_WRITES | CS_PRIORITY);
}

/* CONBLK_AD becomes 0 when the last control block is done; ACTIVE alone says little. */
int
bcm2835_dma_state(const struct bcm2835_dma *dma)
{
	uint32_t cs;

	mmio_barrier();
	cs = reg_read(dma, CS);
	if (cs & CS_ERROR) {
		trace(TRACE_DEVERR, cs, reg_read(dma, DEBUG), reg_read(dma, CONBLK_AD));
		drivers_params.dma_errors++;
		return (ERR_IO);
	}
	return (reg_read(dma, CONBLK_AD) == 0 && !(cs & CS_ACTIVE) ? 0 : ERR_BUSY);
}

/* Pause, let what is on the bus arrive, reset. */
static void
channel_stop(struct bcm2835_dma *dma)
{
	drivers_params.dma_aborts++;
	reg_write(dma, CS, 0);
	for (uint32_t n = 0; n < IDLE_LOOKS && reg_read(dma, CS) & CS_WRITES_LEFT; n++)
		continue;
	reg_write(dma, CS, CS_RESET);
	reg_write(dma, CONBLK_AD, 0);
	reg_write(dma, DEBUG, DEBUG_ERRORS);
}

void
bcm2835_dma_end(struct bcm2835_dma *dma)
{
	enum dma_dir dir = dma->to_device ? DMA_TO_DEVICE : DMA_FROM_DEVICE;

	KASSERT(dma->mapped, "X1: a list was started");
	mmio_barrier();
	if (reg_read(dma, CONBLK_AD) != 0 || reg_read(dma, CS) & CS_ERROR)
		channel_stop(dma);
	mmio_barrier();
	for (uint32_t i = 0; i < dma->count; i++)
		dma_unmap(dma->pieces[i].pa, dma->pieces[i].bytes, dir);
	dma_unmap(virt_to_phys(dma->blocks), blocks_bytes(dma), DMA_TO_DEVICE);
	dma->mapped = false;
}

/* ---- attaching */

void
bcm2835_dma_notify(struct bcm2835_dma *dma, void (*fn)(void *arg), void *arg)
{
	dma->fn = fn;
	dma->arg = arg;
}

uint32_t
bcm2835_dma_channel(const struct bcm2835_dma *dma)
{
	return (dma->channel);
}

int
bcm2835_dma_attach(uintptr_t base, uint32_t irq, uint32_t channels, struct bcm2835_dma **out)
{
	struct bcm2835_dma *dma = &the_channel;
	uint64_t blocks_pa = virt_to_phys(dma->blocks);
	int error;

	channels &= FULL_CHANNELS;
	if (channels == 0)
		return (ERR_NODEV);
	dma->channel = 31 - (uint32_t)__builtin_clz(channels);
	dma->base = base + dma->channel * CHANNEL_BYTES;
	dma->fn = NULL;
	dma->mapped = false;
	mmio_barrier();
	mmio_write32(base + ENABLE, mmio_read32(base + ENABLE) | 1u << dma->channel);
	reg_write(dma, CS, CS_RESET);
	reg_write(dma, CONBLK_AD, 0);
	/* The address alone is wanted here. */
	dma->blocks_bus = (uint32_t)dma_map(blocks_pa, sizeof(dma->blocks), DMA_TO_DEVICE);
	dma_unmap(blocks_pa, sizeof(dma->blocks), DMA_TO_DEVICE);
	error = irq_register(irq + dma->channel, dma_interrupt, dma, "dma");
	if (error == 0)
		*out = dma;
	return (error);
}
