/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt controllers of BCM2836/2837 as one: the core-local one (BCM2836 ARM-
 * local peripherals, QA7 rev 3.4) and the BCM2835 one behind its source bit 8
 * (BCM2835 ARM Peripherals, chapter 7).
 */
#ifndef DRIVERS_BCM2836_INTC_H
#define DRIVERS_BCM2836_INTC_H

#include <stdint.h>

/* Lines: 0-63 GPU sources, 64-71 ARM basic sources, 96 + n core-local source n. */
#define BCM2836_LINE_SYSTIMER1 1
#define BCM2836_LINE_SYSTIMER3 3
#define BCM2836_LINE_DMA(n)    (16 + (n))
#define BCM2836_LINE_AUX       29
#define BCM2836_LINE_SDHOST    56
#define BCM2836_LINE_UART0     57
#define BCM2836_LINE_EMMC      62
#define BCM2836_LINE_BASIC     64
#define BCM2836_LINE_LOCAL     96
#define BCM2836_LINE_CNTPS     96
#define BCM2836_LINE_CNTPNS    97  /* EL1 physical timer, non-secure */
#define BCM2836_LINE_CNTHP     98
#define BCM2836_LINE_CNTV      99
#define BCM2836_LINE_MAILBOX0  100
#define BCM2836_LINE_LOCAL_TIMER 107
#define BCM2836_LINES          108

/*
 * Mask every source and become the controller. local_base: the core-local block
 * (physical 0x40000000 on raspi3), gpu_base: the BCM2835 block (physical
 * 0x3F00B200). All lines go to core 0. Boot time; does not yield.
 */
void bcm2836_intc_attach(uintptr_t local_base, uintptr_t gpu_base);

#endif
