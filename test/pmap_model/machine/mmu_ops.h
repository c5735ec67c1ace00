/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMU's instructions as calls of the model (model_tlb.c), in place of the
 * board's header of the same name. What each does is told there.
 */
#ifndef MACHINE_MMU_OPS_H
#define MACHINE_MMU_OPS_H

#include <stdbool.h>
#include <stdint.h>

#define MMU_HAFDBS_NONE  0
#define MMU_HAFDBS_AF    1
#define MMU_HAFDBS_DIRTY 2

uint64_t pte_load(const uint64_t *pte);
void pte_store(uint64_t *pte, uint64_t value);
uint64_t pte_exchange(uint64_t *pte, uint64_t value);
bool pte_replace(uint64_t *pte, uint64_t old, uint64_t value);
uint64_t *mmu_table(uint64_t pa);

void mmu_dsb_ishst(void);
void mmu_dsb_ish(void);
void mmu_isb(void);

void mmu_tlbi_vale1is(uint64_t operand);
void mmu_tlbi_vae1is(uint64_t operand);
void mmu_tlbi_aside1is(uint64_t operand);
void mmu_tlbi_vmalle1is(void);

void mmu_ttbr0_write(uint64_t value);

uint32_t mmu_asid_bits(void);
uint32_t mmu_hafdbs(void);
void mmu_user_setup(uint32_t asid_bits, uint32_t hafdbs);
void mmu_zero_page(void *page);

#endif
