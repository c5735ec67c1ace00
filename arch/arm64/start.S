/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From reset or loader to C in the upper half.
 *
 * Entered at EL3, EL2 or EL1 with the MMU off, at the physical address that
 * board/BOARD/kernel.ld names, x0 = device tree or ATAG list or 0; on QEMU with
 * an ELF file by all cores at once. Core 0 goes on, others park.
 *
 * Owns: boot and emergency stack (.boot), the order in which caches and MMU go on.
 * Does not: know the board; decide what is mapped (start_map.c).
 * Invariants: B1 until the MMU is on every address is PC-relative and every access
 *   aligned: memory is Device-nGnRnE then. B2 what is written with the caches off
 *   and read with them on (.boot) has no line in any cache: invalidated first, and
 *   with the MMU off no data access allocates one. B3 .bss is cleared through the
 *   cache, so a stale line cannot surface in it.
 * Yields: never.
 * See: Arm ARM DDI0487 D1 (exception levels), D8.2 (TCR_EL1), D17.2 (registers);
 *   Cortex-A53 TRM DDI0500, 4.3.66 (CPUECTLR_EL1).
 */
#include "arch/arm64/kva.h"

#define SCTLR_OFF 0x30d00800 /* RES1 bits of Armv8.0 */
/* M C SA SA0 CP15BEN I DZE UCT nTWI nTWE WXN UCI */
#define SCTLR_ON  (SCTLR_OFF | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 12 | \
	1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 19 | 1 << 26)
#define SCTLR_SPAN (1 << 23)
#define SCTLR_EL2_OFF 0x30c50830 /* the same of SCTLR_EL2 */

/* T0SZ = T1SZ = 25, 4 KiB granules, walks inner shareable and write-back. */
#define TCR_BASE (25 | 1 << 8 | 1 << 10 | 3 << 12 | 25 << 16 | 1 << 24 | 1 << 26 | \
	3 << 28 | 2 << 30)
#define TCR_AS_BIT 36

#define SPSR_EL1H 0x3c5 /* all masked */
#define SPSR_EL2H 0x3c9

	.section .text.start, "ax"
	.global _start
_start:
	msr	daifset, #15
	mov	x20, x0
	mrs	x1, mpidr_el1
	tst	x1, #0xffffff
	b.ne	cpu_park
	mrs	x1, CurrentEL
	cmp	x1, #2 << 2
	b.hi	from_el3
	b.eq	from_el2
	b	from_el1

/* Also the target of the spin table: address by cpu_park_address(). */
	.global cpu_park
cpu_park:
	msr	daifset, #15
1:	wfi
	b	1b

/* No firmware before us: set up what it would have. */
from_el3:
	mov	x1, #0x5b1		/* RW, HCE, SMD, RES1, NS */
	msr	scr_el3, x1
	msr	cptr_el3, xzr
	msr	mdcr_el3, xzr		/* debug and counter registers do not trap */
	mrs	x1, cntfrq_el0
	cbnz	x1, 1f
	movz	x1, #0x124, lsl #16	/* 19.2 MHz, the crystal of BCM283x */
	movk	x1, #0xf800
	msr	cntfrq_el0, x1
1:	mrs	x1, midr_el1
	ubfx	x1, x1, #4, #12
	mov	x2, #0xd03
	cmp	x1, x2
	b.ne	2f
	mrs	x1, s3_1_c15_c2_1	/* Cortex-A53: SMPEN before any cache is on */
	orr	x1, x1, #1 << 6
	msr	s3_1_c15_c2_1, x1
	isb
2:	mrs	x1, id_aa64pfr0_el1
	ubfx	x1, x1, #8, #4
	cbz	x1, 3f
	ldr	w1, =SCTLR_EL2_OFF	/* unknown after reset to EL3 */
	msr	sctlr_el2, x1
	mov	x1, #SPSR_EL2H
	msr	spsr_el3, x1
	adr	x1, from_el2
	msr	elr_el3, x1
	isb
	eret
3:	ldr	w1, =SCTLR_OFF
	msr	sctlr_el1, x1
	mov	x1, #SPSR_EL1H
	msr	spsr_el3, x1
	adr	x1, from_el1
	msr	elr_el3, x1
	isb
	eret

/* EL2 traps nothing and virtualises nothing from now on. */
from_el2:
	mov	x1, #1 << 31		/* HCR_EL2.RW: EL1 is AArch64 */
	msr	hcr_el2, x1
	isb
	mrs	x1, cnthctl_el2
	orr	x1, x1, #3		/* EL1 may use the physical counter and timer */
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	mov	x1, #0x33ff
	msr	cptr_el2, x1
	msr	hstr_el2, xzr
	mrs	x1, mdcr_el2		/* nor do they here: all but HPMN is unknown at reset */
	and	x1, x1, #0x1f
	msr	mdcr_el2, x1
	msr	vttbr_el2, xzr
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	ldr	w1, =SCTLR_OFF
	msr	sctlr_el1, x1
	mov	x1, #SPSR_EL1H
	msr	spsr_el2, x1
	adr	x1, from_el1
	msr	elr_el2, x1
	isb
	eret

from_el1:
	msr	spsel, #1
	ldr	w1, =SCTLR_OFF
	msr	sctlr_el1, x1
	isb
	adrp	x0, boot_guard_start	/* B2 */
	adrp	x1, kernel_end
	bl	invalidate
	adrp	x1, boot_stack_end
	mov	sp, x1
	mov	x29, xzr
	/* Loaded elsewhere than linked for: the direct map would be wrong. */
	adr	x1, _start
	ldr	x2, =_start
	ldr	x3, =KVA_DIRECT
	sub	x2, x2, x3
	mrs	x0, cntfrq_el0
	cmp	x1, x2
	b.ne	misplaced
	bl	board_start_light
	bl	start_map		/* x0 = TTBR0, x1 = TTBR1 */

	ldr	x2, =KVA_MAIR
	msr	mair_el1, x2
	bl	tcr_value
	msr	tcr_el1, x2
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x1
	dsb	sy
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	w2, =SCTLR_ON
	mrs	x3, id_aa64mmfr1_el1	/* with FEAT_PAN: set PSTATE.PAN on each exception */
	ubfx	x3, x3, #20, #4
	cbz	x3, 1f
	bic	w2, w2, #SCTLR_SPAN
1:	msr	sctlr_el1, x2
	isb
	ldr	x2, =start_high
	br	x2

misplaced:
	bl	board_start_misplaced
	b	cpu_park

/* [x0, x1) out of the data caches, contents lost. x2-x4 are scratch. */
invalidate:
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4
	mov	x2, #4
	lsl	x2, x2, x3
1:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* x2 = TCR_EL1: physical address size as the CPU has, at most 48 bits; 16-bit
 * ASIDs where it has them. x3 is scratch. */
tcr_value:
	ldr	x2, =TCR_BASE
	mrs	x3, id_aa64mmfr0_el1
	ubfx	x4, x3, #4, #4
	and	x3, x3, #0xf
	cmp	x3, #5
	b.ls	1f
	mov	x3, #5
1:	bfi	x2, x3, #32, #3
	ubfx	x4, x4, #1, #1
	bfi	x2, x4, #TCR_AS_BIT, #1
	ret

/* In the upper half, caches on. */
start_high:
	ldr	x1, =boot_stack_end
	mov	sp, x1
	ldr	x1, =vectors
	msr	vbar_el1, x1
	ldr	x1, =kernel_bss_start	/* B3 */
	ldr	x2, =kernel_bss_end
2:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	2b
	msr	tpidr_el1, xzr
	msr	tpidr_el0, xzr
	msr	tpidrro_el0, xzr
	msr	cpacr_el1, xzr		/* FP and SIMD trap: see fp.S */
	msr	mdscr_el1, xzr
	mov	x1, #2			/* CNTKCTL_EL1.EL0VCTEN: programs may read CNTVCT */
	msr	cntkctl_el1, x1
	isb
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	bl	kernel_main
	b	cpu_park
	.ltorg
