/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEAM between the SD controllers and the DMA engine of BCM2835-2837: one channel that moves
 * a list of memory to or from one device register.
 *
 * The engine does not see the caches; what has to be cleaned and invalidated is done here, so
 * a user of this header needs no dma_map of its own. Between start and end the memory on the
 * list belongs to the engine.
 */
#ifndef DRIVERS_BCM2835_DMA_H
#define DRIVERS_BCM2835_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* Pieces of physically contiguous memory in one list. */
#define BCM2835_DMA_PIECES_MAX 256u

/* Request lines (BCM2835 ARM Peripherals 4.2.1.3). */
#define BCM2835_DREQ_EMMC   11u
#define BCM2835_DREQ_SDHOST 13u

/* Channels that the ARM may have where the firmware does not say (bit n: channel n): 5, which
 * every firmware has left to the ARM. */
#define BCM2835_DMA_CHANNELS_SAFE (1u << 5)

struct bcm2835_dma;

/* A device's data register, as the engine reaches it. */
struct bcm2835_dma_port {
	struct bcm2835_dma *dma;  /* NULL: this device has to do without */
	uint32_t bus;             /* bus address of the register */
	uint32_t dreq;            /* the request line that paces it */
};

/*
 * Take the best of channels (bit n: channel n; the firmware's tag says which are the ARM's):
 * a full one, 1 to 6. base: virtual address of the engine (physical 0x3F007000 on raspi3);
 * irq: interrupt line of channel 0, channel n has irq + n. ERR_NODEV: none of them will do;
 * errors of irq_register. Task context.
 */
int bcm2835_dma_attach(uintptr_t base, uint32_t irq, uint32_t channels,
    struct bcm2835_dma **out) ERR_MUST_CHECK;

/* The channel's number. */
uint32_t bcm2835_dma_channel(const struct bcm2835_dma *dma);

/* Call fn(arg) in interrupt context at the end of each list. */
void bcm2835_dma_notify(struct bcm2835_dma *dma, void (*fn)(void *arg), void *arg);

/* Start a new list; put memory on it: whole cache lines. ERR_NOSPC: it is full. */
void bcm2835_dma_begin(struct bcm2835_dma *dma);
int bcm2835_dma_add(struct bcm2835_dma *dma, uint64_t pa, uint32_t bytes) ERR_MUST_CHECK;

/* Move the list, all but its last tail_bytes (fewer than the last piece has), to the port or
 * from it. The device must have been told before. Does not yield or wait. */
void bcm2835_dma_start(const struct bcm2835_dma_port *port, bool to_device, uint32_t tail_bytes);

/* 0: the list is through; ERR_BUSY: not yet; ERR_IO: the engine found an error and stands. */
int bcm2835_dma_state(const struct bcm2835_dma *dma) ERR_MUST_CHECK;

/* Stop the channel if it still runs and give the memory back to the CPU. After each start;
 * waits for at most a few microseconds, does not yield. */
void bcm2835_dma_end(struct bcm2835_dma *dma);

#endif
