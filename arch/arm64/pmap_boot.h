/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What boot code calls before the first address space exists.
 */
#ifndef ARM64_PMAP_BOOT_H
#define ARM64_PMAP_BOOT_H

/*
 * Open the user half of translation on this core: TTBR0_EL1 at the empty table with
 * ASID 0; TCR_EL1's fields for TTBR0 (39-bit addresses), ASID size, and HA/HD where
 * ID_AA64MMFR1_EL1.HAFDBS has them; empty TLB. Once, when nothing is reached through
 * TTBR0 any more (kmap_init) and before the first pmap verb. Sets pmap_stats.hw_flags.
 */
void pmap_bootstrap(void);

#endif
