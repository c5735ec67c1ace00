/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests: the machine's part of mm/pmap.h. The mappings themselves are kept
 * in test/host/sim_pmap.c, named by number.
 */
#ifndef MACHINE_PMAP_MD_H
#define MACHINE_PMAP_MD_H

#include <stdint.h>

#define PMAP_USER_MIN 0x1000ull
#define PMAP_USER_MAX 0x8000000000ull

struct vm_page;
struct sim_table;

struct pmap {
	long resident_count;      /* pages mapped */
	uint64_t flag_faults;     /* faults that only set an emulated flag */
	uint32_t first;           /* its mappings: number of the first */
	struct vm_page *root;     /* top-level table, wired */
	struct sim_table *tables; /* one for each 2 MiB with a mapping */
};

struct md_page {
	uint32_t first;           /* its mappings: number of the first */
	uint32_t count;
};

#endif
