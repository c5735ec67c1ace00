/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch from one kernel stack to another.
 *
 * Owns: the order of registers in struct md_task.regs.
 * Does not: touch what belongs to a program (cpu.c does).
 * Invariants: W1 only registers that a C call preserves are kept: a switch is a call.
 * Yields: switch_context is what yielding means.
 * See: kern/machdep.h, cpu_switch; AAPCS64, 6.1.1.
 */
	.text

/* void switch_context(uint64_t *save, const uint64_t *load) */
	.global switch_context
switch_context:
	mov	x9, sp
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	str	x9, [x0, #96]
	ldp	x19, x20, [x1, #0]
	ldp	x21, x22, [x1, #16]
	ldp	x23, x24, [x1, #32]
	ldp	x25, x26, [x1, #48]
	ldp	x27, x28, [x1, #64]
	ldp	x29, x30, [x1, #80]
	ldr	x9, [x1, #96]
	mov	sp, x9
	ret

/* Where a new task begins: x19 = entry(struct task *), x20 = the task. */
	.global switch_first
switch_first:
	mov	x0, x20
	mov	x29, xzr
	blr	x19
	brk	#1
