/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ESR_EL1 in words.
 *
 * Owns: the two tables.
 * Does not: decide what an exception means for whom (trap.c).
 * Invariants: none.
 * Yields: never.
 * Complexity: a search through some twenty rows, for messages only.
 * See: Arm ARM DDI0487 D17.2.37, tables of EC and DFSC.
 */
#include "arch/arm64/esr.h"

#include <stddef.h>

struct code_name {
	uint32_t code;
	const char *name;
};

static const struct code_name classes[] = {
	{ EC_UNKNOWN, "undefined instruction" },
	{ EC_WFX, "WFI or WFE not allowed" },
	{ EC_FP_ACCESS, "FP/SIMD access not allowed" },
	{ EC_ILLEGAL, "illegal execution state" },
	{ EC_SVC32, "system call (AArch32)" },
	{ EC_SVC64, "system call" },
	{ EC_SYSREG, "system register not accessible" },
	{ EC_IABT_EL0, "instruction abort at EL0" },
	{ EC_IABT_EL1, "instruction abort in the kernel" },
	{ EC_PC_ALIGN, "misaligned program counter" },
	{ EC_DABT_EL0, "data abort at EL0" },
	{ EC_DABT_EL1, "data abort in the kernel" },
	{ EC_SP_ALIGN, "misaligned stack pointer" },
	{ EC_FP32, "floating-point exception (AArch32)" },
	{ EC_FP64, "floating-point exception" },
	{ EC_SERROR, "SError (asynchronous bus error)" },
	{ 0x30, "hardware breakpoint at EL0" },
	{ 0x31, "hardware breakpoint in the kernel" },
	{ 0x32, "software step at EL0" },
	{ 0x33, "software step in the kernel" },
	{ 0x34, "watchpoint at EL0" },
	{ 0x35, "watchpoint in the kernel" },
	{ EC_BKPT32, "BKPT instruction (AArch32)" },
	{ EC_BRK64, "BRK instruction" },
};

static const struct code_name statuses[] = {
	{ 0x00, "address size fault" },
	{ FSC_TRANSLATION, "translation fault (not mapped)" },
	{ FSC_ACCESS, "access flag fault" },
	{ FSC_PERMISSION, "permission fault" },
};

static const struct code_name other_statuses[] = {
	{ FSC_EXTERNAL, "external abort (nothing answers at this address)" },
	{ 0x14, "external abort on a table walk, level 0" },
	{ 0x15, "external abort on a table walk, level 1" },
	{ 0x16, "external abort on a table walk, level 2" },
	{ 0x17, "external abort on a table walk, level 3" },
	{ 0x18, "parity or ECC error" },
	{ FSC_ALIGNMENT, "alignment fault" },
	{ 0x30, "TLB conflict" },
	{ 0x35, "unsupported exclusive or atomic access" },
};

static const char *
find(const struct code_name *table, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].code == code)
			return (table[i].name);
	return ("unknown");
}

const char *
esr_class_name(uint32_t class)
{
	return (find(classes, sizeof(classes) / sizeof(classes[0]), class));
}

const char *
esr_status_name(uint32_t status)
{
	if (status < FSC_EXTERNAL)
		return (find(statuses, sizeof(statuses) / sizeof(statuses[0]), status & ~3u));
	return (find(other_statuses, sizeof(other_statuses) / sizeof(other_statuses[0]), status));
}
