/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical map and the processor as tests of mm see them.
 *
 * sim_pmap.c keeps mm/pmap.h's contract with a table of mappings; sim_cpu.c plays
 * a core that loads and stores through it: bytes in the simulated RAM, found by a
 * software TLB that caches translations until a pmap verb invalidates them. A verb
 * that forgets to makes a later access read or write the wrong frame.
 */
#ifndef TEST_SIM_PMAP_H
#define TEST_SIM_PMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/pmap.h"

struct vmspace;

/* One mapping. */
struct sim_mapping {
	struct pmap *pmap; /* NULL: unused */
	vm_offset_t va;
	uint32_t page;     /* page number */
	vm_prot_t prot;
	bool accessed, modified, wired;
	uint32_t hash_next, pmap_next, pmap_prev, page_next;
};

/* Forget everything (a new boot). */
void sim_pmap_reset(void);
/* 1 of n calls of pmap_enter says ERR_NOMEM (by sim_random); 0 = none. */
extern uint32_t sim_pmap_nomem_one_in;
/* The hardware sets the flags, without faults. */
extern bool sim_pmap_hw_flags;
/* Skip the invalidation of the TLB: the planted bug that a test must notice. */
extern bool sim_pmap_lazy_tlb;
/* Recount mappings and tables, and compare every TLB entry with its mapping: NULL,
 * or what is wrong. */
const char *sim_pmap_check(void);

struct sim_mapping *sim_pmap_find(struct pmap *pmap, vm_offset_t va);

/* ---- sim_cpu.c: an access by a program. 0, or the error of vm_fault. May yield. */
int sim_load(struct vmspace *vm, vm_offset_t va, void *to, size_t bytes);
int sim_store(struct vmspace *vm, vm_offset_t va, const void *from, size_t bytes);
/* Instruction fetch of 4 bytes. */
int sim_fetch(struct vmspace *vm, vm_offset_t va, uint32_t *insn);

/* ---- between the two */
void sim_tlb_reset(void);
void sim_tlb_invalidate(struct pmap *pmap, vm_offset_t va);
const char *sim_tlb_check(void);

#endif
