/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address space identifiers: which TLB entries are whose.
 */
#ifndef ARM64_ASID_H
#define ARM64_ASID_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/pmap.h"

/* The ASID in bits 63:48, where TTBR0_EL1 and TLBI operands want it. */
#define ASID_SHIFT 48

/* Use ASIDs of so many bits (8 or 16; models use fewer). Number 0 is reserved for
 * the empty table whose TTBR0 value is empty_ttbr. Boot time only. */
void asid_init(uint32_t bits, uint64_t empty_ttbr);

/* Give pmap an ASID of the present generation if it has none. A rollover leaves
 * TTBR0 at the empty table and the TLB empty. */
void asid_assign(struct pmap *pmap);

/* pmap->asid is generation << ASID_BITS_MAX | ASID. */
#define ASID_BITS_MAX 16
extern uint64_t asid_generation;

/* May the TLB hold entries of pmap? If so its ASID, shifted, in *asid. */
static inline bool
asid_live(const struct pmap *pmap, uint64_t *asid)
{
	*asid = pmap->asid << ASID_SHIFT; /* the generation falls out at the top */
	return (pmap->asid >> ASID_BITS_MAX == asid_generation);
}

#endif
