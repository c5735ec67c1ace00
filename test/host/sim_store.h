/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pager for tests of the fault path, which knows what was asked of it.
 *
 * It serves one object: page i, while stored, is full of byte i + 1. Whatever it is
 * asked for against the contract of mm/vm_pager.h fails the test.
 */
#ifndef TEST_SIM_STORE_H
#define TEST_SIM_STORE_H

#include "mm/vm_pager.h"

#define SIM_STORE_PAGES 128u

struct sim_store {
	bool stored[SIM_STORE_PAGES];
	uint32_t reads;                 /* so far */
	uint32_t first, count, wanted;  /* of the last read: first pindex, pages, index */
	enum vm_pager_outcome outcome;  /* of reads to come */
	uint64_t latency_us;            /* 0: a read does not yield */
};
extern struct sim_store sim_store_state;

/* Empty it, and make it the pager of swap objects. */
void sim_store_reset(void);

#endif
