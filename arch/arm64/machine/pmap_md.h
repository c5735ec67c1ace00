/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's part of mm/pmap.h: what an address space and a page carry.
 *
 * User addresses are 39 bits (TCR_EL1.T0SZ = 25): three levels of tables with
 * 512 entries of 8 bytes each, 4 KiB pages.
 */
#ifndef MACHINE_PMAP_MD_H
#define MACHINE_PMAP_MD_H

#include <stdint.h>

/* The first page stays unmapped, so that a null pointer faults. */
#define PMAP_USER_MIN 0x1000ull
#define PMAP_USER_MAX 0x8000000000ull

struct pmap {
	uint64_t *root;       /* level-1 table, in the direct map */
	uint64_t root_pa;
	uint64_t asid;        /* generation and ASID, see asid.c; 0 = none yet */
	long resident_count;  /* pages mapped */
	uint64_t flag_faults; /* faults that only set an emulated flag */
	uint32_t ref;         /* page number of the root table: names this pmap in 32 bits */
	uint32_t active_cores; /* bit n: TTBR0_EL1 of core n points here */
};

/*
 * Reverse mapping of a page: the first one inline, further ones in a ring of
 * extra entries (pmap_pv.c). pmap == 0: no mapping; the other two fields are
 * zero as well then, except in a page-table page (pmap_var.h).
 */
struct md_page {
	uint32_t pmap;    /* struct pmap by its ref */
	uint32_t va_page; /* virtual address >> 12 */
	uint32_t pv_tail; /* number of the last extra entry, 0 = none */
};

#endif
