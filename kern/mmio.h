/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to a device register. On the board a volatile access; natively
 * (HOST_TEST) the call goes to a simulated device that the test has registered.
 *
 * RULE for drivers of BCM283x: these chips may return the data of reads from two
 * peripherals in the wrong order, and take writes to two of them in any order
 * (BCM2835 ARM Peripherals, 1.3). So a driver begins with mmio_barrier wherever it
 * is entered from outside, and after each sleep, in which others had their turn.
 * Interrupt handlers need not: the controller's driver does it around them.
 * test/host/sim_mmio.c fails a test in which a barrier is missing.
 */
#ifndef KERN_MMIO_H
#define KERN_MMIO_H

#include <stdint.h>

#ifdef HOST_TEST
uint32_t mmio_read32(uintptr_t address);
void mmio_write32(uintptr_t address, uint32_t value);
void mmio_barrier(void);
#else
static inline uint32_t
mmio_read32(uintptr_t address)
{
	return (*(volatile uint32_t *)address);
}

static inline void
mmio_write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* Order earlier memory and register accesses before later ones: needed between
 * registers and DMA memory, and between two peripherals as above. */
static inline void
mmio_barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}
#endif

#endif
