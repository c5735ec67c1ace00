/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * int64_t ebb_syscall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
 *
 * By the procedure call standard (AAPCS32 6.4) number is in r0:r1, a0 in r2:r3, a1 and a2
 * on the stack, the result in r0:r1, as the kernel leaves it. The call takes 32 bits of each.
 */
	.syntax unified
	.arm
	.text
	.global ebb_syscall
	.type ebb_syscall, %function
ebb_syscall:
	push	{r4, r7}
	mov	r7, r0
	mov	r0, r2
	ldr	r1, [sp, #8]
	ldr	r2, [sp, #16]
	svc	#0
	pop	{r4, r7}
	bx	lr
	.size ebb_syscall, . - ebb_syscall

	/* int64_t ebb_syscall_args(uint64_t number, const uint64_t args[6]) */
	.global ebb_syscall_args
	.type ebb_syscall_args, %function
ebb_syscall_args:
	push	{r4, r5, r6, r7}
	mov	r7, r0
	mov	r6, r2
	ldr	r0, [r6]
	ldr	r1, [r6, #8]
	ldr	r2, [r6, #16]
	ldr	r3, [r6, #24]
	ldr	r4, [r6, #32]
	ldr	r5, [r6, #40]
	svc	#0
	pop	{r4, r5, r6, r7}
	bx	lr
	.size ebb_syscall_args, . - ebb_syscall_args

	.section .note.GNU-stack, "", %progbits
