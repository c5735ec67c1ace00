/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical segments and their buddy free lists.
 */
#ifndef MM_VM_PHYS_H
#define MM_VM_PHYS_H

#include "lib/err.h"
#include "mm/vm_page.h"

#define VM_PHYS_SEGMENTS_MAX 8
#define VM_PHYS_ORDERS       11 /* blocks of 1..1024 pages */
#define VM_PHYS_ORDER_HOT    0xfe /* m->order of a free frame kept apart for quick reuse */

/* Bytes that the page array needs for a pool of page_count frames: wired memory
 * outside the pool, given by the caller of vm_phys_init, 64-byte aligned. */
vm_size_t vm_phys_array_bytes(uint32_t page_count);

/* Set up the page array in memory at array. Then add segments, boot time only. */
void vm_phys_init(void *array, uint32_t page_count);
/* Add RAM [start, end) (page aligned) to domain; all its frames become free.
 * ERR_NOSPC when the array or segment table is full. */
int vm_phys_add_segment(vm_paddr_t start, vm_paddr_t end, uint32_t domain) ERR_MUST_CHECK;

/* A block of 2^order frames, naturally aligned, or NULL: no thresholds, no wakeups;
 * vm_page.c is the caller that knows the allocation classes. */
struct vm_page *vm_phys_alloc(uint32_t domain, uint32_t order);
void vm_phys_free(struct vm_page *m, uint32_t order);
/* Take one free frame, wherever it lies, out of its block. O(VM_PHYS_ORDERS), and
 * O(frames kept apart) if it is one of these. */
void vm_phys_take(struct vm_page *m);
/* Segment number n: its frames are [*first, *end), consecutive in the page array as in
 * memory; false past the last. */
bool vm_phys_segment(uint32_t n, struct vm_page **first, struct vm_page **end);
/* Merge the single frames that are kept apart; vm_phys_alloc does so by itself before
 * it refuses a larger block. */
void vm_phys_merge(uint32_t domain);
/* Free blocks of that order now (for the monitor and vm_check). */
uint32_t vm_phys_free_blocks(uint32_t domain, uint32_t order);

/* Where contiguous frames have to lie. All zero but high: anywhere. */
struct vm_phys_range {
	vm_paddr_t low;       /* lowest address */
	vm_paddr_t high;      /* exclusive */
	vm_paddr_t alignment; /* of the first byte: a power of two, or 0 */
	vm_paddr_t boundary;  /* not to be crossed: a power of two, or 0 = none */
};
/*
 * The first run of pages frames of domain in range that are free or cached: its first
 * frame; the run is still free or cached. NULL: there is none. Never yields. O(frames).
 */
struct vm_page *vm_phys_find_contig(uint32_t domain, uint32_t pages,
    const struct vm_phys_range *range);

#endif
