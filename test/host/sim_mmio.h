/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated device registers behind mmio_read32 and mmio_write32. An access to an
 * address that no device has claimed fails the test.
 */
#ifndef TEST_SIM_MMIO_H
#define TEST_SIM_MMIO_H

#include <stdint.h>

struct sim_mmio {
	uintptr_t base;
	uint32_t bytes;
	uint32_t (*read)(void *device, uint32_t offset);
	void (*write)(void *device, uint32_t offset, uint32_t value);
	void *device;
	struct sim_mmio *next; /* sim_mmio.c */
};

/* Forget all devices. */
void sim_mmio_reset(void);
/*
 * The CPU's accesses, by mmio_read32 and mmio_write32, to peripherals of BCM283x (addresses
 * from 0x3f000000 on, a page each) must have a barrier between one peripheral and the next.
 * A device's own accesses, a DMA engine's, are not the CPU's.
 */
/* Somebody else has had the core, and may have touched any peripheral: each switch of tasks
 * counts as that, and the start; a test says so before it calls a driver. */
void sim_mmio_elsewhere(void);
uint32_t sim_mmio_device_read(uintptr_t address);
void sim_mmio_device_write(uintptr_t address, uint32_t value);

/* Claim [base, base + bytes); the struct stays the caller's. */
void sim_mmio_add(struct sim_mmio *window);

#endif
