/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory as devices see it, apart from the CPU's caches.
 *
 *   CPU (simulated RAM, static buffers)     device (a second copy of each)
 *        dma_map TO_DEVICE    ------ clean ----->
 *        dma_map FROM_DEVICE  -- write back, drop -->   lines marked as dropped
 *        dma_unmap FROM_DEVICE <---- fetch anew ------
 *
 * A static buffer (the control blocks) gets a window of its own among the bus addresses at
 * its first mapping. Bus addresses differ from physical ones, so that a driver that takes
 * one for the other reads from nowhere.
 *
 * Owns: the second copies, the counts of mappings.
 * Does not: see the CPU's accesses; a line counts as dirty when its copies differ.
 * Invariants:
 *   Y1 a device touches only memory that is mapped for it in that direction;
 *   Y2 mappings are whole lines where the device writes;
 *   Y3 each dma_unmap ends one dma_map of the same range and direction.
 * Yields: never.
 * See: test/host/sim_dma.h; kern/machdep.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"
#include "test/host/sim_cache.h"
#include "test/host/sim_dma.h"

#define LINE        64u
#define WINDOWS     4u
#define MAPPINGS    512u
#define RAM_BUS     0xc0000000u
#define STATIC_BUS  0xe0000000u
#define STATIC_STEP 0x01000000u
#define STATIC_BYTES 65536u

/* A range of bus addresses: what the CPU sees of it, what the device does. */
struct window {
	uint64_t pa;
	uint32_t bus;
	size_t bytes;
	uint8_t *cpu, *device;
	uint8_t *dropped;        /* per line: invalidated since the device may write it */
};

struct mapping {
	uint64_t pa;
	size_t bytes;
	enum dma_dir dir;
};

static bool on;
static enum sim_cache_case lost;
static struct window windows[WINDOWS];
static struct mapping mappings[MAPPINGS];
static uint32_t window_count, mapping_count;

static struct window *
window_add(uint64_t pa, uint32_t bus, size_t bytes, uint8_t *cpu)
{
	struct window *w = &windows[window_count++];

	KASSERT(window_count <= WINDOWS, "Y4: few static buffers are mapped");
	*w = (struct window){ pa, bus, bytes, cpu, malloc(bytes), calloc(bytes / LINE, 1) };
	if (pa == SIM_RAM_BASE)
		memcpy(w->device, cpu, bytes);
	else
		memset(w->device, 0xff, bytes); /* whatever was there before the kernel */
	return (w);
}

bool
sim_cache_on(void)
{
	return (on);
}

static void
forget(void)
{
	for (uint32_t i = 0; i < window_count; i++) {
		free(windows[i].device);
		free(windows[i].dropped);
	}
	on = false;
	window_count = mapping_count = 0;
}

void
sim_cache_begin(size_t ram_bytes, enum sim_cache_case lose)
{
	forget(); /* of a test that has failed */
	on = true;
	lost = lose;
	window_add(SIM_RAM_BASE, RAM_BUS, ram_bytes, phys_to_virt(SIM_RAM_BASE));
}

void
sim_cache_end(void)
{
	uint32_t left = mapping_count;

	forget();
	KASSERT(left == 0, "Y3: every mapping has ended");
}

/* ---- mappings */

static struct window *
window_of(uint64_t pa, size_t bytes)
{
	for (uint32_t i = 0; i < window_count; i++)
		if (pa >= windows[i].pa && pa + bytes <= windows[i].pa + windows[i].bytes)
			return (&windows[i]);
	KASSERT(bytes <= STATIC_BYTES, "Y4: a static buffer fits its window");
	return (window_add(pa, STATIC_BUS + window_count * STATIC_STEP, bytes, phys_to_virt(pa)));
}

static void
clean(struct window *w, uint64_t offset, size_t bytes)
{
	bool blocks = w->pa != SIM_RAM_BASE;

	if (lost != (blocks ? SIM_CACHE_CLEAN_BLOCKS : SIM_CACHE_CLEAN))
		memcpy(w->device + offset, w->cpu + offset, bytes);
}

static void
drop(struct window *w, uint64_t offset, size_t bytes)
{
	KASSERT(offset % LINE == 0 && bytes % LINE == 0, "Y2: whole lines");
	if (lost == SIM_CACHE_INVALIDATE_BEFORE)
		return;
	memcpy(w->device + offset, w->cpu + offset, bytes);
	memset(w->dropped + offset / LINE, 1, bytes / LINE);
}

uint64_t
sim_cache_map(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	struct window *w = window_of(pa, bytes);
	uint64_t offset = pa - w->pa;

	KASSERT(mapping_count < MAPPINGS, "Y4: mappings end");
	mappings[mapping_count++] = (struct mapping){ pa, bytes, dir };
	if (dir == DMA_TO_DEVICE)
		clean(w, offset, bytes);
	else
		drop(w, offset, bytes);
	return (w->bus + offset);
}

void
sim_cache_unmap(uint64_t pa, size_t bytes, enum dma_dir dir)
{
	struct window *w = window_of(pa, bytes);
	uint64_t offset = pa - w->pa;
	uint32_t i = 0;

	while (i < mapping_count && (mappings[i].pa != pa || mappings[i].bytes != bytes ||
	    mappings[i].dir != dir))
		i++;
	KASSERT(i < mapping_count, "Y3: what is unmapped was mapped");
	mappings[i] = mappings[--mapping_count];
	if (dir == DMA_TO_DEVICE)
		return;
	memset(w->dropped + offset / LINE, 0, bytes / LINE);
	if (lost != SIM_CACHE_INVALIDATE_AFTER)
		memcpy(w->cpu + offset, w->device + offset, bytes);
}

/* ---- the device's accesses */

static struct window *
window_at(uint32_t bus, enum dma_dir dir)
{
	for (uint32_t i = 0; i < window_count; i++) {
		struct window *w = &windows[i];
		uint64_t pa = w->pa + (bus - w->bus);

		if (bus < w->bus || bus - w->bus >= w->bytes)
			continue;
		for (uint32_t m = 0; m < mapping_count; m++)
			if (mappings[m].dir == dir && pa >= mappings[m].pa &&
			    pa + 4 <= mappings[m].pa + mappings[m].bytes)
				return (w);
	}
	KASSERT(false, "Y1: a device touches only what is mapped for it");
	return (NULL);
}

uint32_t
sim_cache_device_read(uint32_t bus)
{
	struct window *w = window_at(bus, DMA_TO_DEVICE);
	uint32_t word;

	memcpy(&word, w->device + (bus - w->bus), 4);
	return (word);
}

/* A dirty line that is still in the cache is evicted right after: the word is lost. */
void
sim_cache_device_write(uint32_t bus, uint32_t word)
{
	struct window *w = window_at(bus, DMA_FROM_DEVICE);
	uint32_t at = bus - w->bus, line = at & ~(LINE - 1);

	if (!w->dropped[at / LINE] && memcmp(w->cpu + line, w->device + line, LINE) != 0)
		memcpy(w->device + line, w->cpu + line, LINE);
	else
		memcpy(w->device + at, &word, 4);
}
