/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM before the page pool exists, and what stays outside it: the free ranges of
 * physical memory, from which the pool and wired tables are cut. Boot time; nothing
 * here yields.
 */
#ifndef KERN_BOOTMEM_H
#define KERN_BOOTMEM_H

#include <stdint.h>

#include "lib/err.h"

#define BOOTMEM_RANGES_MAX 8

struct bootmem_range {
	uint64_t pa;    /* page aligned */
	uint64_t bytes; /* whole pages */
};

/* Nothing is known yet (host tests boot more than once). */
void bootmem_init(void);

/* RAM [pa, pa + bytes), rounded inwards to pages, is there. ERR_NOSPC: too
 * many ranges; ERR_EXIST: it overlaps what is known; ERR_RANGE: it does not end. */
int bootmem_add(uint64_t pa, uint64_t bytes) ERR_MUST_CHECK;
/* ... and these bytes of it, rounded outwards, are taken; all from pa on if they would not
 * end. ERR_NOSPC. */
int bootmem_reserve(uint64_t pa, uint64_t bytes) ERR_MUST_CHECK;

/* Bytes of RAM added, and those still free. */
uint64_t bootmem_total_bytes(void);
uint64_t bootmem_free_bytes(void);

/* Cut bytes (rounded up to pages), aligned to align (a power of two, at least a page),
 * from the high end; for good. ERR_NOMEM. */
int bootmem_alloc(uint64_t bytes, uint64_t align, uint64_t *pa) ERR_MUST_CHECK;

/* Bytes free within [pa, end). */
uint64_t bootmem_free_bytes_in(uint64_t pa, uint64_t end);

/* Cut at most limit bytes from the low end of the lowest free range. ERR_NOMEM when
 * nothing is left. */
int bootmem_take(uint64_t limit, struct bootmem_range *out) ERR_MUST_CHECK;
/* The same within [pa, end), page aligned. ERR_NOSPC: too many ranges. */
int bootmem_take_in(uint64_t pa, uint64_t end, uint64_t limit,
    struct bootmem_range *out) ERR_MUST_CHECK;

#endif
