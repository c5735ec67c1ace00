/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core this is.
 *
 * Owns: the table of part numbers.
 * Does not: choose anything by them: features come from the ID registers.
 * Invariants: none.
 * Yields: never.
 * See: Arm ARM DDI0487 D17.2.98 (MIDR_EL1) and the cores' manuals.
 */
#include "arch/arm64/cpu_id.h"

#include <stddef.h>
#include <stdio.h>

#define IMPLEMENTER_ARM 0x41

static const struct {
	uint32_t part;
	const char *name;
} parts[] = {
	{ 0xd03, "Cortex-A53" },
	{ 0xd04, "Cortex-A35" },
	{ 0xd05, "Cortex-A55" },
	{ 0xd07, "Cortex-A57" },
	{ 0xd08, "Cortex-A72" },
	{ 0xd0b, "Cortex-A76" },
};

void
cpu_id_text(char *buffer, uint32_t bytes)
{
	const char *name = "AArch64 core";
	uint64_t midr;

	__asm__("mrs %0, midr_el1" : "=r"(midr));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((midr >> 24 & 0xff) == IMPLEMENTER_ARM && (midr >> 4 & 0xfff) == parts[i].part)
			name = parts[i].name;
	snprintf(buffer, bytes, "%s r%up%u", name, (unsigned int)(midr >> 20 & 0xf),
	    (unsigned int)(midr & 0xf));
}
