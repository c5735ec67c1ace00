/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of the table walker and the TLB: they cache whatever the architecture lets
 * them, whenever they like, and complain about what must not happen.
 */
#ifndef TEST_MODEL_TLB_H
#define TEST_MODEL_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/vm_param.h"

/* What the simulated core has, and the seed of its moods (as of sim_seed). Resets the
 * pool too and runs pmap_bootstrap. */
struct model_core {
	uint32_t hafdbs;    /* MMU_HAFDBS_* */
	uint32_t asid_bits; /* 2..16 */
};
void model_reset(const struct model_core *core);

/* A root table: of a pmap just made. */
void model_root(uint64_t pa);

/* An address that speculation may touch. */
void model_interest(vm_offset_t va);

/*
 * An access by the program: true, and its physical address in *pa; or false: it
 * faulted. Sets flags as the core's hardware does.
 */
bool model_access(vm_offset_t va, vm_prot_t access, uint64_t *pa);

/* Call at the end of each verb: all stores published, all invalidations complete, no
 * TLB entry that contradicts the tables. */
void model_check_rest(void);

/* fn runs at every point where another core could act; NULL = nobody. */
void model_race_hook(void (*fn)(void));

/* model_pool.c: the page at pa goes back to the pool. */
void model_page_freed(uint64_t pa);

#endif
