/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches and the view that devices have of memory.
 */
#ifndef ARM64_CACHE_H
#define ARM64_CACHE_H

#include <stdint.h>

/* What the board adds to a physical address to make the one that devices use, and
 * the first physical address that they cannot reach. Boot time. */
void cache_set_dma(uint64_t bus_offset, uint64_t reach_pa);

/* Clean (and invalidate) [va, va+bytes) to the point of coherency, so that a core or device without
 * caches sees it. */
void cache_clean(const void *va, uint64_t bytes);

#endif
