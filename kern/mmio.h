/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to a device register. On the board a volatile access with the
 * barrier that Device-nGnRE needs against Normal memory; natively (HOST_TEST)
 * the call goes to a simulated device that the test has registered.
 */
#ifndef KERN_MMIO_H
#define KERN_MMIO_H

#include <stdint.h>

#ifdef HOST_TEST
uint32_t mmio_read32(uintptr_t address);
void mmio_write32(uintptr_t address, uint32_t value);
static inline void
mmio_barrier(void)
{
}
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
 * registers and DMA memory, and on BCM283x between two different peripherals
 * (BCM2835 ARM Peripherals, 1.3). */
static inline void
mmio_barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}
#endif

#endif
