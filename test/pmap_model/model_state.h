/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the two files of the model: its state. model_tlb.c walks, caches and judges;
 * model_mmu.c stands in for the instructions of <machine/mmu_ops.h>.
 */
#ifndef TEST_MODEL_STATE_H
#define TEST_MODEL_STATE_H

#include "arch/arm64/pte.h"
#include "test/host/sim_machdep.h"
#include "test/pmap_model/model_pool.h"
#include "test/pmap_model/model_tlb.h"

#define TLB_ENTRIES   48u
#define STORES_MAX    4096u
#define TLBIS_MAX     64u
#define INTEREST_MAX  64u
#define ASIDS         65536u
#define TTBR_ADDRESS  ((1ull << ASID_AT) - 1)
#define ASID_AT       48
#define TLBI_VA       ((1ull << 44) - 1)
#define LEVEL_SHIFT(l) (L3_SHIFT + 9 * (3 - (l)))

/* What a change may not touch while the entry is valid. */
#define FREE_BITS (PTE_AF | PTE_RO | PTE_DBM | PTE_UXN)

enum tlbi_kind { TLBI_LAST, TLBI_VA_ALL, TLBI_ASID, TLBI_ALL };

struct tlb_entry {
	uint32_t level;   /* 3 = a page; 1, 2 = cached pointer to a table; 0 = unused */
	uint32_t asid;
	uint64_t va_part; /* va >> shift of the level */
	uint64_t value;
	uint64_t *from;
	uint64_t filled_at;
};

struct pending_store {
	uint64_t *at;
	uint64_t old;
};

struct pending_tlbi {
	enum tlbi_kind kind;
	uint64_t operand;
	uint64_t issued_at;
};

struct model_state {
	struct model_core core;
	uint64_t now;
	uint64_t ttbr0;      /* in force */
	uint64_t ttbr0_next; /* written */
	uint32_t store_count;
	uint32_t tlbi_count;
	uint32_t interest_count;
	void (*race)(void);
	bool racing;
	struct tlb_entry tlb[TLB_ENTRIES];
	struct pending_tlbi tlbi[TLBIS_MAX];
	vm_offset_t interest[INTEREST_MAX];
	struct pending_store store[STORES_MAX];
	uint64_t asid_root[ASIDS]; /* whose entries those of an ASID are; 0 = nobody's */
};
extern struct model_state model;

static inline bool
model_chance(uint32_t one_in)
{
	return (sim_random(one_in) == 0);
}

/* Time passes: another core may act, the walker may fill the TLB. */
void model_speculate(void);

#endif
