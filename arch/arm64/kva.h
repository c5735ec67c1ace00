/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The upper half of the address space (TTBR1_EL1), and its descriptors.
 *
 *   0xFFFFFF8000000000  KVA_DIRECT   all RAM at KVA_DIRECT + physical address;
 *                                    the kernel image is part of it
 *   0xFFFFFFFF00000000  KVA_STACKS   kernel stacks, slots of 32 KiB: the lower
 *                                    half unmapped (guard), the upper the stack
 *   0xFFFFFFFF80000000  KVA_DEVICES  device registers
 *
 * 39 bits (TCR_EL1.T1SZ = 25), 4 KiB granule, walks start at level 1.
 * Also read by assembly and by linker scripts.
 */
#ifndef ARM64_KVA_H
#define ARM64_KVA_H

#ifdef __ASSEMBLER__
#define KVA_CONST(x) x
#else
#define KVA_CONST(x) x##ull
#endif

#define KVA_DIRECT        KVA_CONST(0xffffff8000000000)
#define KVA_DIRECT_END    KVA_CONST(0xffffffc000000000) /* 256 GiB of physical addresses */
#define KVA_STACKS        KVA_CONST(0xffffffff00000000)
#define KVA_DEVICES       KVA_CONST(0xffffffff80000000)
#define KVA_DEVICES_BYTES KVA_CONST(0x40000000)

/* A kernel stack fills the half of its slot in which this bit is 1, so that one
 * bit test tells a good stack pointer from one in the guard. */
#define KSTACK_BIT        14
#define KSTACK_BYTES      KVA_CONST(0x4000)
#define KSTACK_SLOT_BYTES KVA_CONST(0x8000)

/* MAIR_EL1: attribute index 0 Normal write-back, 1 Device-nGnRE, 2 Normal
 * non-cacheable (Arm ARM DDI0487, D17.2.97). */
#define KVA_MAIR          KVA_CONST(0x4404ff)

#define KBLOCK_BYTES KVA_CONST(0x200000) /* a level-2 block */

#endif
