/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page tables: what is mapped in the upper half.
 */
#ifndef ARM64_KMAP_H
#define ARM64_KMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arm64/pte.h"
#include "lib/err.h"

/* Kernel pages and blocks are global and always referenced; MAIR_EL1 indices as in
 * kva.h. Code is never writable, the rest never executable. */
#define KPTE_TEXT   (PTE_ATTR(0) | PTE_SH_INNER | PTE_AF | PTE_UXN | PTE_RO)
#define KPTE_RODATA (KPTE_TEXT | PTE_PXN)
#define KPTE_DATA   (PTE_ATTR(0) | PTE_SH_INNER | PTE_AF | PTE_UXN | PTE_PXN)
#define KPTE_REGS   (PTE_ATTR(1) | PTE_AF | PTE_UXN | PTE_PXN)
#define KPTE_UNCACHED (PTE_ATTR(2) | PTE_AF | PTE_UXN | PTE_PXN)
#define KPTE_TYPE   (PTE_VALID | PTE_TABLE)
#define KPTE_POINTER (PTE_VALID | PTE_TABLE) /* levels 1, 2: to the next table */
#define KPTE_BLOCK  PTE_VALID                /* level 2: 2 MiB */
#define KPTE_PAGE   (PTE_VALID | PTE_TABLE)  /* level 3 */

/* Level-1 tables of the upper half, and of the lower half, empty from kmap_init on. */
extern uint64_t kmap_l1[PTE_TABLE_ENTRIES];
extern uint64_t kmap_lower_l1[PTE_TABLE_ENTRIES];

/* Remove the lower-half mapping that the start needed. Once, first of all. */
void kmap_init(void);

/* Add RAM [pa, pa + bytes), rounded inwards to pages, to the direct map, readable
 * and writable; pages that are mapped already stay as they are. ERR_RANGE beyond
 * the direct map, ERR_NOMEM when the table pages kept for this are used up (what
 * was mapped so far stays). Boot time. */
int kmap_add_ram(uint64_t pa, uint64_t bytes) ERR_MUST_CHECK;

/* Map one page of a kernel stack at va, or remove it: removal returns the page's
 * physical address, and its translation is gone from every core. ERR_NOMEM without
 * a table page. Does not yield. */
int kmap_stack_enter(uintptr_t va, uint64_t pa) ERR_MUST_CHECK;
uint64_t kmap_stack_remove(uintptr_t va);

/* True if the kernel can read the eight bytes at va: for a panic, which trusts no
 * pointer. */
bool kmap_readable(uintptr_t va);

/* Physical address of an empty level-1 table: TTBR0_EL1's while no program is active. */
uint64_t kmap_lower_pa(void);

/* Physical address of cpu_park (start.S), where a core waits that is not used. */
uint64_t cpu_park_address(void);

#endif
