/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uint32_t hostile_registers(uint32_t number, uint32_t pattern)
 *
 * A system call with pattern in all registers but r7 = number and sp; then the number of
 * registers from r2 up that the kernel has changed.
 */
	.syntax unified
	.arm
	.text
	.global hostile_registers
	.type hostile_registers, %function
hostile_registers:
	push	{r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}
	mov	r7, r0
	mov	r0, r1
	.irp r, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14
	mov	r\r, r1
	.endr
	svc	#0
	ldr	r0, [sp]
	mov	r1, #0
	.irp r, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14
	cmp	r\r, r0
	addne	r1, r1, #1
	.endr
	mov	r0, r1
	pop	{r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}
	bx	lr
	.size hostile_registers, . - hostile_registers

	.section .note.GNU-stack, "", %progbits
