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
/* Claim [base, base + bytes); the struct stays the caller's. */
void sim_mmio_add(struct sim_mmio *window);

#endif
