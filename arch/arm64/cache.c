/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache maintenance by address.
 *
 * Owns: the board's bus offset.
 * Does not: decide who shares what (drivers call dma_map, pmap the icache sync).
 * Invariants: M1 a buffer that a device writes shares no cache line with anything
 *   else: asserted. M2 maintenance is complete (DSB) before the function returns.
 *   M4 an instruction cache that is indexed by virtual addresses may hold a page under
 *   the program's address, which invalidation by the direct map's does not reach: all
 *   of it goes. M5 no line is cleaned without being invalidated: on any Cortex-A53 a
 *   clean and an eviction of the same line may reach memory in the wrong order (erratum
 *   855873; up to r0p2 also 819472, 824069, 826319 and 827319). A bit of CPUACTLR_EL1
 *   makes the core do the same, but only EL3 may be sure to reach it, and the firmware's
 *   stub does not set it.
 * Yields: never.
 * Complexity: one instruction per cache line.
 * See: kern/machdep.h; Arm ARM DDI0487 B2.10.5 (instruction cache), D7.5.
 */
#include "arch/arm64/cache.h"

#include "kern/machdep.h"
#include "kern/usercpu.h"
#include "lib/assert.h"

static uint64_t dma_bus_offset;
static uint64_t dma_reach_pa = UINT64_MAX;

static uint64_t
dcache_line_bytes(void)
{
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	return (4ull << (ctr >> 16 & 15));
}

static uint64_t
icache_line_bytes(void)
{
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	return (4ull << (ctr & 15));
}

/* CTR_EL0.L1Ip: physically tagged and indexed? The Cortex-A53's is indexed by the virtual
 * address. */
static bool
icache_by_pa(void)
{
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	return ((ctr >> 14 & 3) == 3);
}

static void
barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

#define FOR_LINES(operation, va, bytes, line_bytes)                                  \
	do {                                                                         \
		uint64_t line = (line_bytes), end = (uintptr_t)(va) + (bytes);       \
		for (uint64_t at = (uintptr_t)(va) & ~(line - 1); at < end; at += line) \
			__asm__ volatile(operation ", %0" :: "r"(at) : "memory");    \
	} while (0)

void
cache_set_dma(uint64_t bus_offset, uint64_t reach_pa)
{
	dma_bus_offset = bus_offset;
	dma_reach_pa = reach_pa;
}

void
cache_clean(const void *va, uint64_t bytes)
{
	FOR_LINES("dc civac", va, bytes, dcache_line_bytes());
	barrier();
}

/* Lines that may be dirty are written back before a device writes beneath them:
 * an eviction during the transfer would undo it. */
uint64_t
dma_map(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	void *va = phys_to_virt(pa);

	KASSERT(pa + bytes <= dma_reach_pa, "M3: a DMA buffer is within the device's reach");
	KASSERT(dir == DMA_TO_DEVICE || ((pa | bytes) & (dcache_line_bytes() - 1)) == 0,
	    "M1: a buffer that a device writes shares no cache line");
	FOR_LINES("dc civac", va, bytes, dcache_line_bytes()); /* M5: to clean, too */
	barrier();
	return (pa + dma_bus_offset);
}

void
dma_unmap(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	if (dir == DMA_FROM_DEVICE)
		FOR_LINES("dc ivac", phys_to_virt(pa), bytes, dcache_line_bytes());
	barrier();
}

void
cpu_sync_icache(const void *va, size_t bytes)
{
	FOR_LINES("dc civac", va, bytes, dcache_line_bytes()); /* M5 */
	__asm__ volatile("dsb ish" ::: "memory");
	if (icache_by_pa())
		FOR_LINES("ic ivau", va, bytes, icache_line_bytes());
	else
		__asm__ volatile("ic ialluis" ::: "memory"); /* M4 */
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}
