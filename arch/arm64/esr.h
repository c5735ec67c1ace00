/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ESR_EL1 (Arm ARM DDI0487 D17.2.37): its fields and its words.
 */
#ifndef ARM64_ESR_H
#define ARM64_ESR_H

#include <stdbool.h>
#include <stdint.h>

#define EC_UNKNOWN     0x00
#define EC_WFX         0x01
#define EC_FP_ACCESS   0x07
#define EC_ILLEGAL     0x0e
#define EC_SVC32       0x11
#define EC_SVC64       0x15
#define EC_SYSREG      0x18
#define EC_IABT_EL0    0x20
#define EC_IABT_EL1    0x21
#define EC_PC_ALIGN    0x22
#define EC_DABT_EL0    0x24
#define EC_DABT_EL1    0x25
#define EC_SP_ALIGN    0x26
#define EC_FP32        0x28
#define EC_FP64        0x2c
#define EC_SERROR      0x2f
#define EC_BKPT32      0x38
#define EC_BRK64       0x3c

#define ESR_WNR  (1u << 6)
#define ESR_CM   (1u << 8)
#define ESR_FNV  (1u << 10)

/* SPSR_EL1.M[4]: taken from AArch32 state (D17.2.141). */
#define SPSR_AARCH32 0x10ull

/* Fault status without its level. */
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS      0x08
#define FSC_PERMISSION  0x0c
#define FSC_EXTERNAL    0x10
#define FSC_ALIGNMENT   0x21

static inline uint32_t
esr_class(uint64_t esr)
{
	return (esr >> 26 & 0x3f);
}

static inline uint32_t
esr_status(uint64_t esr)
{
	return (esr & 0x3f);
}

/* Status class of an abort: FSC_TRANSLATION, FSC_ACCESS, FSC_PERMISSION, else 0. */
static inline uint32_t
esr_mmu_fault(uint64_t esr)
{
	uint32_t kind = esr & 0x3c;

	return (kind >= FSC_TRANSLATION && kind <= FSC_PERMISSION ? kind : 0);
}

static inline bool
esr_is_abort(uint32_t class)
{
	return (class == EC_IABT_EL0 || class == EC_IABT_EL1 || class == EC_DABT_EL0 ||
	    class == EC_DABT_EL1);
}

/* The exception class in words; never NULL. */
const char *esr_class_name(uint32_t class);
/* The fault status of an abort in words ("translation fault"); never NULL. */
const char *esr_status_name(uint32_t status);

#endif
