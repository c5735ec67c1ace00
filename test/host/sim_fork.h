/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Families of address spaces for tests of fork and shadow objects. Inside sim_run.
 */
#ifndef TEST_SIM_FORK_H
#define TEST_SIM_FORK_H

#include "mm/vm_map.h"

#define SIM_FORK_PAGES 32u

/* The first of the family: SIM_FORK_PAGES at SIM_SWAP_BASE; the test's task counts as the
 * page daemon. */
extern struct vmspace *sim_fork_parent;
void sim_fork_boot(void);

struct vmspace *sim_fork_space(struct vmspace *vm);
struct vm_map_entry *sim_fork_entry(struct vmspace *vm);
/* Write the pattern of tag to pages [first, end); read them and compare. */
void sim_fork_store(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t tag);
void sim_fork_verify(struct vmspace *vm, uint32_t first, uint32_t end, uint32_t tag);
/* The first word of page. */
uint32_t sim_fork_word(struct vmspace *vm, uint32_t page);
/* Objects in the chain of the first entry; objects in all. */
uint32_t sim_fork_depth(struct vmspace *vm);
uint32_t sim_fork_objects(void);
/* Write every page of object with an even (odd) index to swap, and free its frame. */
void sim_fork_evict(struct vm_object *object, bool odd);
/* An address space ends; it was the last: nothing is left. */
void sim_fork_end(struct vmspace *vm);
void sim_fork_end_all(void);

#endif
