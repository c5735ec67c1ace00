/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated device's way to memory (sim_dma.h has the CPU's side): one word at a bus
 * address, which must be mapped for the device in that direction.
 */
#ifndef TEST_SIM_CACHE_H
#define TEST_SIM_CACHE_H

#include <stdint.h>

uint32_t sim_cache_device_read(uint32_t bus);
void sim_cache_device_write(uint32_t bus, uint32_t word);

#endif
