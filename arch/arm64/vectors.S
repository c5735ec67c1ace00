/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception entry and exit.
 *
 * From EL0 the stack is the task's, empty: SP_EL1 stands just below its struct
 * task. From EL1 the frame goes below what runs, after a look at the bit that
 * tells a stack pointer in the guard (kva.h).
 *
 * Owns: struct trapframe's layout in use; the emergency stack.
 * Does not: decide anything: trap.c does, except that a system call goes straight
 *   to proc_syscall, because it is the most frequent exception.
 * Invariants: V1 EL0 is entered only through el0_return, with interrupts masked
 *   since the last look at ast_pending. V2 a frame is never pushed on a stack
 *   pointer in a guard. V3 FP registers are those of the program: nothing
 *   here touches them. V4 trap_el0_flag runs with interrupts masked throughout and does
 *   not yield.
 * Yields: proc_syscall, proc_ast and trap_el0_sync may.
 * See: Arm ARM DDI0487 D1.3 (vector table), D17.2.37 (ESR_EL1).
 */
#include "arch/arm64/kva.h"
#include <machine/trapframe.h>
#include "arch/arm64/task_offsets.h"

#define EC_SVC64    0x15
#define EC_DABT_EL0 0x24
#define FSC_FLAG    0x08 /* bits 5:3 of an access flag (8-11) or permission fault (12-15) */

/* Registers that a call may change, into the frame at sp. */
.macro save_scratch
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
.endm

.macro save_preserved
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
.endm

/* x21 = stack pointer to note. */
.macro save_state
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #TF_X30]
	stp	x22, x23, [sp, #TF_ELR]
.endm

.macro restore_state
	ldp	x22, x23, [sp, #TF_ELR]
	msr	elr_el1, x22
	msr	spsr_el1, x23
.endm

.macro restore_scratch
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
.endm

.macro restore_preserved
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
.endm

/* What save_scratch left out. The frame record chain of the kernel ends here. */
.macro enter_el0_rest
	save_preserved
	mrs	x21, sp_el0
	save_state
	mov	x29, xzr
.endm

.macro enter_el0
	sub	sp, sp, #TF_BYTES
	save_scratch
	enter_el0_rest
.endm

/* From EL1. V2: the bit test needs a register while there is none; sums and
 * differences with sp make room for it. */
.macro enter_el1
	sub	sp, sp, #TF_BYTES
	add	sp, sp, x0
	sub	x0, sp, x0
	tbz	x0, #KSTACK_BIT, stack_overflow
	sub	x0, sp, x0
	sub	sp, sp, x0
	save_scratch
	save_preserved
	add	x21, sp, #TF_BYTES
	save_state
	mrs	x24, esr_el1
	mrs	x25, far_el1
	stp	x24, x25, [sp, #TF_ESR]
.endm

.macro vector label
	.balign 128
	b	\label
.endm

/* A vector that nothing should ever take. */
.macro unexpected number
	.balign 128
	enter_el1
	mov	x1, #\number
	b	vector_unexpected
.endm

	.text
	.balign 2048
	.global vectors
vectors:
	unexpected 0
	unexpected 1
	unexpected 2
	unexpected 3
	vector	el1_sync
	vector	el1_irq
	unexpected 6
	unexpected 7
	.balign 128
	sub	sp, sp, #TF_BYTES
	save_scratch
	mrs	x1, esr_el1
	lsr	x2, x1, #26
	cmp	x2, #EC_SVC64
	b.eq	el0_svc
	and	x3, x1, #0x38
	cmp	x2, #EC_DABT_EL0
	ccmp	x3, #FSC_FLAG, #0, eq
	b.eq	el0_flag
	b	el0_sync
	vector	el0_irq
	unexpected 10
	unexpected 11
	.balign 128
	sub	sp, sp, #TF_BYTES
	save_scratch
	b	el0_sync
	vector	el0_irq
	unexpected 14
	unexpected 15

/* x8 = number, x0-x5 = arguments, which lie at the start of the frame. */
el0_svc:
	enter_el0_rest
	mov	x0, x8
	mov	x1, sp
	msr	daifclr, #6
	bl	proc_syscall
	str	x0, [sp]
el0_return:
	msr	daifset, #2
	mrs	x1, tpidr_el1
	ldrb	w1, [x1, #TASK_AST_PENDING]
	cbnz	w1, el0_ast
el0_resume:
	restore_state
	ldp	x30, x21, [sp, #TF_X30]
	msr	sp_el0, x21
	restore_scratch
	restore_preserved
	add	sp, sp, #TF_BYTES
	eret

el0_ast:
	msr	daifclr, #6
	bl	proc_ast
	b	el0_return

/* An access flag or permission fault on data, nearly always one that pmap_fault
 * emulates: only what a call may change has been saved, and nothing else need be,
 * because nothing can intervene (V4). */
el0_flag:
	mrs	x0, far_el1
	str	x30, [sp, #TF_X30]
	bl	trap_el0_flag
	ldr	x30, [sp, #TF_X30]
	cbnz	w0, el0_sync
	restore_scratch
	add	sp, sp, #TF_BYTES
	eret

/* Scratch registers are saved, the others as they were. */
el0_sync:
	enter_el0_rest
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	trap_el0_sync
	b	el0_return

el0_irq:
	enter_el0
	bl	trap_irq
	b	el0_return

el1_irq:
	enter_el1
	bl	trap_irq
	b	el1_return

el1_sync:
	enter_el1
	mov	x0, sp
	bl	trap_el1_sync
el1_return:
	restore_state
	ldr	x30, [sp, #TF_X30]
	restore_scratch
	restore_preserved
	add	sp, sp, #TF_BYTES
	eret

vector_unexpected:
	mov	x0, sp
	bl	trap_unexpected

/* x0 = stack pointer in a guard, sp = x0 + the former x0. User-visible thread
 * registers serve as scratch: nothing returns from here. */
stack_overflow:
	msr	tpidr_el0, x0
	sub	x0, sp, x0
	msr	tpidrro_el0, x0
	adrp	x0, emergency_stack_end
	add	x0, x0, :lo12:emergency_stack_end
	mov	sp, x0
	mrs	x0, tpidrro_el0
	sub	sp, sp, #TF_BYTES
	save_scratch
	save_preserved
	mrs	x21, tpidr_el0
	add	x21, x21, #TF_BYTES
	save_state
	mrs	x24, esr_el1
	mrs	x25, far_el1
	stp	x24, x25, [sp, #TF_ESR]
	mov	x0, sp
	bl	trap_stack_overflow

/* void user_enter(const struct trapframe *from, void *top): to EL0 with the registers
 * of *from, moved to where enter_el0 would have put them, just below top. *from may
 * overlap that from below, hence highest first. */
	.global user_enter
user_enter:
	sub	x1, x1, #TF_BYTES
	mov	x2, #TF_BYTES
1:	sub	x2, x2, #16
	add	x5, x0, x2
	ldp	x3, x4, [x5]
	add	x5, x1, x2
	stp	x3, x4, [x5]
	cbnz	x2, 1b
	mov	sp, x1
	b	el0_return

/* void user_resume(struct trapframe *frame): to EL0 with the registers of *frame, which
 * lies where enter_el0 puts them; what is below is left. */
	.global user_resume
user_resume:
	mov	sp, x0
	b	el0_return
