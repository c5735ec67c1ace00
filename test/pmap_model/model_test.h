/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the pmap share: seeds, address spaces that the model knows, and
 * accesses by a program with its faults resolved.
 */
#ifndef TEST_MODEL_TEST_H
#define TEST_MODEL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arm64/pmap_pv.h"
#include "mm/pmap.h"
#include "mm/uma.h"
#include "test/pmap_model/model_pool.h"
#include "test/pmap_model/model_tlb.h"

#define RW  (VM_PROT_READ | VM_PROT_WRITE)
#define RX  (VM_PROT_READ | VM_PROT_EXECUTE)

/* A core with these flags and 8-bit ASIDs, and seed in force. */
void test_core(uint32_t hafdbs, uint64_t seed);

/* pmap_pinit, known to the model; its root counts as a table page. */
void test_pinit(struct pmap *pmap);

/* pmap_enter that must succeed, then the model's check. */
void test_enter(struct pmap *pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot,
    uint32_t flags);

/* An access by the active program, faults included: true if it went through, and then it
 * was to m. *faults counts the faults on the way (may be NULL). */
bool test_touch(struct pmap *pmap, vm_offset_t va, vm_prot_t access, const struct vm_page *m,
    int *faults);

/* Slabs of reverse mappings with a mapping in them. */
static inline uint32_t
pv_slabs(void)
{
	return (pv_zone.slab_pages - pv_zone.empty_slabs);
}

/* Everything has been given back: nothing mapped, nothing allocated but kept_pages. */
void test_all_returned(uint32_t kept_pages);

/* The groups, one a file. */
int model_start_tests(void);
int model_self_tests(void);
int model_verb_tests(void);
int model_table_tests(void);
int model_race_tests(void);
int model_random_tests(void);

#endif
