/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated RAM and the rest of kern/machdep.h that concerns memory.
 *
 * Physical addresses from SIM_RAM_BASE on lie in one array. Buffers of the code
 * under test that are not in that array (static ones, a test's own) have
 * themselves as physical address: host addresses lie far above simulated RAM.
 *
 * Owns: the array.
 * Does not: model caches (sim_cache.c, once a test has begun it; else dma_map is the
 *   identity).
 * Invariants: A1 an address below FOREIGN_BASE lies inside the array.
 * Yields: never.
 * See: test/host/sim_machdep.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/panic.h"
#include "lib/assert.h"
#include "test/host/sim_dma.h"
#include "test/host/sim_machdep.h"

#define FOREIGN_BASE 0x100000000000ull /* static PIE, heap and stacks of Linux lie above */

static uint8_t *ram;
static size_t ram_bytes;

void
sim_ram_init(size_t bytes)
{
	KASSERT(bytes % 4096 == 0, "A2: RAM is whole pages");
	if (bytes != ram_bytes) {
		free(ram);
		ram = aligned_alloc(4096, bytes);
	}
	if (ram == NULL) {
		perror("sim_ram_init");
		exit(1);
	}
	memset(ram, 0, bytes);
	ram_bytes = bytes;
}

void *
phys_to_virt(uint64_t pa)
{
	if (pa >= FOREIGN_BASE)
		return ((void *)(uintptr_t)pa);
	KASSERT(pa >= SIM_RAM_BASE && pa - SIM_RAM_BASE < ram_bytes, "A1: address is RAM");
	return (ram + (pa - SIM_RAM_BASE));
}

uint64_t
virt_to_phys(const void *va)
{
	const uint8_t *p = va;

	if (ram != NULL && p >= ram && p < ram + ram_bytes)
		return (SIM_RAM_BASE + (uint64_t)(p - ram));
	KASSERT((uintptr_t)va >= FOREIGN_BASE, "A1: address is RAM");
	return ((uintptr_t)va);
}

uint64_t
dma_map(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	return (sim_cache_on() ? sim_cache_map(pa, bytes, dir) : pa);
}

void
dma_unmap(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	if (sim_cache_on())
		sim_cache_unmap(pa, bytes, dir);
}

uintptr_t
cpu_map_device(uint64_t pa, size_t bytes)
{
	(void)bytes;
	return (pa);
}

void *sim_uncached;
size_t sim_uncached_bytes;

void *
cpu_map_uncached(uint64_t pa, size_t bytes)
{
	(void)pa;
	return (bytes <= sim_uncached_bytes ? sim_uncached : NULL);
}

void
cpu_copy(void *to, const void *from, size_t bytes)
{
	KASSERT(bytes % 64 == 0, "A3: cpu_copy moves whole cache lines");
	memcpy(to, from, bytes);
}

void
cpu_poweroff(int exit_code)
{
	panic("poweroff %d", exit_code);
}

void
cpu_reboot(void)
{
	panic("reboot");
}

void
cpu_panic_dump(const void *trap_frame)
{
	(void)trap_frame;
}
