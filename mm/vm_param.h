/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page size, scalar types and the constants of the page daemon's contract 0.1
 * (docs/CONTRACT.md). Nothing here depends on the machine. Public.
 */
#ifndef MM_VM_PARAM_H
#define MM_VM_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u
#define PAGE_MASK  (PAGE_SIZE - 1)

/* Scalars, as FreeBSD names them. */
typedef uint64_t vm_offset_t;  /* virtual address */
typedef uint64_t vm_paddr_t;   /* physical address */
typedef uint64_t vm_size_t;    /* bytes */
typedef uint32_t vm_pindex_t;  /* page index inside an object */
typedef uint8_t vm_prot_t;     /* VM_PROT_* mask */

#define trunc_page(x) ((x) & ~(vm_offset_t)PAGE_MASK)
#define round_page(x) (((x) + PAGE_MASK) & ~(vm_offset_t)PAGE_MASK)
#define atop(x)       ((x) >> PAGE_SHIFT)
#define ptoa(x)       ((vm_offset_t)(x) << PAGE_SHIFT)

#define VM_PROT_NONE    0
#define VM_PROT_READ    1
#define VM_PROT_WRITE   2
#define VM_PROT_EXECUTE 4
#define VM_PROT_ALL     7

#define ACT_DECLINE 1
#define ACT_ADVANCE 3
#define ACT_INIT    5
#define ACT_MAX     64

#define VM_PAGEOUT_PAGE_COUNT       16   /* cluster, pages */
#define VM_PAGEOUT_PAGE_COUNT_SMALL 8    /* when v_page_count < 2000 */
#define VM_PAGEOUT_CLUSTER_MAX      32   /* of the tunable vm.pageout_cluster_pages */
#define VM_SMALL_POOL_PAGES         2000
#define MAXBSIZE                    65536u
#define SWB_NPAGES                  16   /* largest swap cluster, pages */
#define SWAP_RESERVED_SLOTS         2    /* first slots of an area, never allocated */
#define SWAP_ASYNC_MAX              4    /* cluster writes in flight */
#define NSWAP_LOWAT                 128  /* pages */
#define NSWAP_HIWAT                 512
#define PMAP_TS_REFERENCED_MAX      5    /* mappings looked at per call */

/* Pages of reading around a fault (contract 1.16). */
#define VM_FAULT_READ_BEHIND     8
#define VM_FAULT_READ_AHEAD_MIN  7
#define VM_FAULT_READ_AHEAD_INIT 15
#define VM_FAULT_READ_AHEAD_MAX  31
#define VM_FAULT_CACHE_BEHIND    80 /* 8 x (1 + 2 + 3 + 4) */
#define VM_FAULT_READ_MAX        (VM_FAULT_READ_BEHIND + VM_FAULT_READ_AHEAD_MAX + 1)

/* Smallest pool that ebb boots with, pages: the first line of contract 0.2's table. */
#define VM_POOL_PAGES_MIN 512

#endif
