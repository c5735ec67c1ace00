/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated BCM2835 DMA engine, and the memory that a device sees when nothing
 * snoops the caches.
 *
 * Simulated RAM (phys_to_virt) is what the CPU sees: its caches. Beneath it, once
 * sim_cache_begin has been called, lies a second copy, which is what devices read and write.
 * dma_map and dma_unmap move lines between the two as clean and invalidate do; nothing
 * else does, so a device reads old bytes where a clean is missing, and the CPU reads
 * old bytes where an invalidate is. A line that a device writes while the cache holds it
 * dirty and nobody has invalidated it is written back over the device's bytes.
 */
#ifndef TEST_SIM_DMA_H
#define TEST_SIM_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/machdep.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

/* ---- caches */

/* The cases of maintenance that a test can leave out, to see that it is missed. */
enum sim_cache_case {
	SIM_CACHE_CLEAN = 1,      /* of memory that the device reads */
	SIM_CACHE_CLEAN_BLOCKS,   /* of the engine's control blocks */
	SIM_CACHE_INVALIDATE_BEFORE, /* of memory that the device writes */
	SIM_CACHE_INVALIDATE_AFTER,
};

/* From now on devices see memory through the second copy; ram_bytes of simulated RAM, whose
 * present content both have. lose: a case to leave out, or 0. */
void sim_cache_begin(size_t ram_bytes, enum sim_cache_case lose);
/* dma_map is the identity again. Fails unless every mapping has ended. */
void sim_cache_end(void);
/* For sim_ram.c. */
bool sim_cache_on(void);
uint64_t sim_cache_map(uint64_t pa, size_t bytes, enum dma_dir dir);
void sim_cache_unmap(uint64_t pa, size_t bytes, enum dma_dir dir);

/* ---- the engine */

#define SIM_DMA_BASE     0x3f007000u
#define SIM_DMA_LINE     16
#define SIM_DMA_CHANNELS 15u

struct sim_dma {
	/* ---- set by the test */
	bool instant;            /* the whole chain at once, deaf to requests (QEMU) */
	bool lose_interrupt;     /* the next interrupt is lost */
	bool stuck;              /* the channel does not move */
	uint32_t fail_after;     /* words until the channel stops with an error; 0 = never */
	/* Does the device with this request line want a word? */
	bool (*request[32])(void *device);
	void *device[32];
	/* ---- the engine's */
	struct sim_mmio window;
	struct sim_event event;
	uint32_t cs, conblk, debug, enable;
	uint32_t info, source, dest, left, next;
	bool loaded;
	uint32_t channel;        /* the one that was used last */
	uint32_t words, chains, resets;
};

extern struct sim_dma sim_dma;

/* An idle engine, its registers claimed. */
void sim_dma_init(void);
/* A device may have come to want a word. */
void sim_dma_kick(void);
/* Is the register access in progress the engine's? */
bool sim_dma_moves(void);

#endif
