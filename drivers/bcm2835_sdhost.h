/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SDHOST controller of BCM2835-2837 as an SD host, by interrupts, with DMA or without.
 */
#ifndef DRIVERS_BCM2835_SDHOST_H
#define DRIVERS_BCM2835_SDHOST_H

#include <stdint.h>

#include "lib/err.h"

struct bcm2835_dma_port;
struct sdhost;

/*
 * Reset the controller at virtual address base (physical 0x3F202000 on raspi3) and take
 * interrupt line irq. clock_hz: the core clock (mailbox clock CORE), which it divides. port:
 * its data register (physical offset 0x40) for the DMA engine, or one without. The board
 * has routed the card's pins to it before. *out becomes the host for sdcard_attach.
 * ERR_NODEV: no such clock; errors of irq_register. Task context; may yield.
 */
int bcm2835_sdhost_attach(uintptr_t base, uint32_t irq, uint32_t clock_hz,
    const struct bcm2835_dma_port *port, struct sdhost **out) ERR_MUST_CHECK;

/* The core clock has another rate now: the card's clock is divided anew before the next
 * command. Nothing without an attached controller. Any task; does not yield. */
void bcm2835_sdhost_set_core_clock(uint32_t clock_hz);

#endif
