/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's first page tables, built before the MMU is on.
 *
 * They are also its final ones: the image is mapped page by page with the rights
 * it keeps, so nothing is ever changed from one valid entry to another. kmap.c adds
 * the rest of RAM and device registers later.
 *
 * Owns: the tables in .boot.tables.
 * Does not: use any pointer that was initialised at link time: this runs at the
 *   physical address, the linker speaks of the virtual one (start.S, B1).
 * Invariants: S1 no page of the image is both writable and executable. S2 the only
 *   lower-half mapping is the block that holds _start, read-only, and it goes when
 *   kmap_init runs.
 * Yields: never.
 * See: start.S, kmap.c.
 */
#include <stdint.h>

#include "arch/arm64/kmap.h"
#include "arch/arm64/kva.h"

#define L3_TABLES 3 /* 6 MiB of image wherever it begins: asserted in sections.ld */

uint64_t kmap_l1[PTE_TABLE_ENTRIES] __attribute__((section(".boot.tables"), aligned(4096)));
uint64_t kmap_lower_l1[PTE_TABLE_ENTRIES] __attribute__((section(".boot.tables"), aligned(4096)));
static uint64_t image_l2[PTE_TABLE_ENTRIES] __attribute__((section(".boot.tables"), aligned(4096)));
static uint64_t lower_l2[PTE_TABLE_ENTRIES] __attribute__((section(".boot.tables"), aligned(4096)));
static uint64_t image_l3[L3_TABLES + 1][PTE_TABLE_ENTRIES]
    __attribute__((section(".boot.tables.more"), aligned(4096)));

extern const char kernel_text_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern const char boot_guard_start[], boot_stack_start[];

struct start_roots {
	uint64_t ttbr0;
	uint64_t ttbr1;
};
struct start_roots start_map(void);

static void
clear(uint64_t *table)
{
	for (volatile uint64_t *p = table; p < table + PTE_TABLE_ENTRIES; p++)
		*p = 0;
}

static void
clear_all(void)
{
	clear(kmap_l1);
	clear(kmap_lower_l1);
	clear(image_l2);
	clear(lower_l2);
	for (uint32_t i = 0; i <= L3_TABLES; i++)
		clear(image_l3[i]);
}

/* The rights of the image page at pa; 0 for a guard. */
static uint64_t
rights(uint64_t pa)
{
	if (pa < (uintptr_t)kernel_text_end)
		return (KPTE_TEXT);
	if (pa < (uintptr_t)kernel_rodata_end)
		return (KPTE_RODATA);
	if (pa >= (uintptr_t)boot_guard_start && pa < (uintptr_t)boot_stack_start)
		return (0);
	return (KPTE_DATA);
}

struct start_roots
start_map(void)
{
	uint64_t start = (uintptr_t)kernel_text_start;
	uint64_t first_block = start / KBLOCK_BYTES;

	clear_all();
	kmap_l1[pte_index(start, L1_SHIFT)] = (uintptr_t)image_l2 | KPTE_POINTER;
	for (uint64_t pa = start; pa < (uintptr_t)kernel_end; pa += PAGE_SIZE) {
		uint64_t *l3 = image_l3[pa / KBLOCK_BYTES - first_block];
		uint64_t attributes = rights(pa);

		image_l2[pte_index(pa, L2_SHIFT)] = (uintptr_t)l3 | KPTE_POINTER;
		if (attributes != 0)
			l3[pte_index(pa, L3_SHIFT)] = pa | attributes | KPTE_PAGE;
	}
	kmap_lower_l1[pte_index(start, L1_SHIFT)] = (uintptr_t)lower_l2 | KPTE_POINTER;
	lower_l2[pte_index(start, L2_SHIFT)] = first_block * KBLOCK_BYTES | KPTE_TEXT | KPTE_BLOCK;
	return ((struct start_roots){ (uintptr_t)kmap_lower_l1, (uintptr_t)kmap_l1 });
}
