/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction by which the pmap touches the MMU, and nothing else.
 *
 * The pmap is also compiled natively against test/pmap_model, whose header of
 * the same name has the same functions; there a model of the table walker and
 * the TLB stands behind them. Sources: Arm ARM DDI 0487, chapter D8 (address
 * translation, TLB maintenance) and the register descriptions of D19.
 */
#ifndef MACHINE_MMU_OPS_H
#define MACHINE_MMU_OPS_H

#include <stdbool.h>
#include <stdint.h>

/* Kernel virtual address of physical address 0. */
#define MMU_DIRECT_MAP 0xFFFFFF8000000000ull

/* ---- Table entries. Hardware may set AF and clear AP[2] at any moment, hence the
 * exclusives; pte_store is for entries that are invalid or point to a table. */
static inline uint64_t
pte_load(const uint64_t *pte)
{
	return (__atomic_load_n(pte, __ATOMIC_RELAXED));
}

static inline void
pte_store(uint64_t *pte, uint64_t value)
{
	__atomic_store_n(pte, value, __ATOMIC_RELAXED);
}

static inline uint64_t
pte_exchange(uint64_t *pte, uint64_t value)
{
	return (__atomic_exchange_n(pte, value, __ATOMIC_RELAXED));
}

/* True if *pte was old and is now value. May fail spuriously: call it in a loop. */
static inline bool
pte_replace(uint64_t *pte, uint64_t old, uint64_t value)
{
	return (__atomic_compare_exchange_n(pte, &old, value, true, __ATOMIC_RELAXED,
	    __ATOMIC_RELAXED));
}

/* The table at physical address pa. */
static inline uint64_t *
mmu_table(uint64_t pa)
{
	return ((uint64_t *)(MMU_DIRECT_MAP + pa));
}

/* ---- Barriers. ishst: stores to tables are visible to walkers (and ordered before
 * TLBIs); ish: TLBIs are complete; isb: this core's later instructions see both. */
static inline void
mmu_dsb_ishst(void)
{
	__asm__ volatile("dsb ishst" ::: "memory");
}

static inline void
mmu_dsb_ish(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
}

static inline void
mmu_isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* ---- TLB invalidation on all cores; operand: ASID in 63:48, VA[55:12] in 43:0. */
static inline void
mmu_tlbi_vale1is(uint64_t operand) /* last-level entries of one address */
{
	__asm__ volatile("tlbi vale1is, %0" ::"r"(operand) : "memory");
}

static inline void
mmu_tlbi_vae1is(uint64_t operand) /* entries of all levels for one address */
{
	__asm__ volatile("tlbi vae1is, %0" ::"r"(operand) : "memory");
}

static inline void
mmu_tlbi_aside1is(uint64_t operand) /* everything of one ASID */
{
	__asm__ volatile("tlbi aside1is, %0" ::"r"(operand) : "memory");
}

static inline void
mmu_tlbi_vmalle1is(void) /* everything */
{
	__asm__ volatile("tlbi vmalle1is" ::: "memory");
}

/* ---- Address space of EL0: table's physical address in 47:0, ASID in 63:48. In
 * force after the next isb. */
static inline void
mmu_ttbr0_write(uint64_t value)
{
	__asm__ volatile("msr ttbr0_el1, %0" ::"r"(value) : "memory");
}

/* ---- What this core can do. */
#define MMU_HAFDBS_NONE  0 /* software sets referenced and modified */
#define MMU_HAFDBS_AF    1 /* hardware sets referenced */
#define MMU_HAFDBS_DIRTY 2 /* hardware sets both */

/* ID_AA64MMFR0_EL1.ASIDBits [7:4]: 0 = 8 bits, 2 = 16 bits. */
static inline uint32_t
mmu_asid_bits(void)
{
	uint64_t mmfr0;

	__asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
	return ((mmfr0 >> 4 & 0xf) == 2 ? 16 : 8);
}

/* ID_AA64MMFR1_EL1.HAFDBS [3:0]. The ID register alone tells: a Cortex-A53 reads
 * back TCR_EL1.HA and HD as written, and ignores them. */
static inline uint32_t
mmu_hafdbs(void)
{
	uint64_t mmfr1;

	__asm__("mrs %0, id_aa64mmfr1_el1" : "=r"(mmfr1));
	mmfr1 &= 0xf;
	return (mmfr1 > MMU_HAFDBS_DIRTY ? MMU_HAFDBS_DIRTY : (uint32_t)mmfr1);
}

#define TCR_T0SZ_MASK 0x3full
#define TCR_LOW_MASK  0xffffull      /* all of TTBR0's fields: T0SZ, EPD0, IRGN0 .. TG0 */
#define TCR_LOW_USER  (25ull | 1ull << 8 | 1ull << 10 | 3ull << 12) /* WBWA, inner, 4 KiB */
#define TCR_A1        (1ull << 22)   /* ASID comes from TTBR1: off */
#define TCR_AS        (1ull << 36)   /* 16-bit ASIDs */
#define TCR_TBI0      (1ull << 37)   /* top byte ignored: off */
#define TCR_HA        (1ull << 39)
#define TCR_HD        (1ull << 40)

/* Open the user half of translation: 39-bit addresses through TTBR0_EL1, which must
 * hold an empty table already. The caller flushes the TLB afterwards. */
static inline void
mmu_user_setup(uint32_t asid_bits, uint32_t hafdbs)
{
	uint64_t tcr;

	__asm__ volatile("mrs %0, tcr_el1" : "=r"(tcr));
	tcr &= ~(TCR_LOW_MASK | TCR_A1 | TCR_AS | TCR_TBI0 | TCR_HA | TCR_HD);
	tcr |= TCR_LOW_USER;
	if (asid_bits == 16)
		tcr |= TCR_AS;
	if (hafdbs >= MMU_HAFDBS_AF)
		tcr |= TCR_HA;
	if (hafdbs >= MMU_HAFDBS_DIRTY)
		tcr |= TCR_HD;
	__asm__ volatile("msr tcr_el1, %0\n\tisb" ::"r"(tcr) : "memory");
}

/* ---- Zero one page of 4096 bytes by cache lines (DC ZVA; DCZID_EL0: bit 4
 * prohibits it, 3:0 is log2 of the block in words), else by register pairs. */
static inline void
mmu_zero_page(void *page)
{
	uint8_t *p = page;
	uint8_t *end = p + 4096;
	uint64_t dczid;
	uint64_t step;

	__asm__("mrs %0, dczid_el0" : "=r"(dczid));
	step = 4ull << (dczid & 0xf);
	if ((dczid & 0x10) == 0 && step <= 512) {
		__asm__ volatile("1:	.rept 8\n"
				 "	dc zva, %0\n"
				 "	add %0, %0, %1\n"
				 "	.endr\n"
				 "	cmp %0, %2\n"
				 "	b.lo 1b" : "+r"(p) : "r"(step), "r"(end) : "cc", "memory");
		return;
	}
	for (; p < end; p += 16)
		__asm__ volatile("stp xzr, xzr, [%0]" ::"r"(p) : "memory");
}

#endif
