/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uint64_t hostile_registers(uint64_t number, uint64_t pattern)
 *
 * A system call with pattern in all registers but x8 = number, x18 and sp; then the number
 * of registers from x1 up that the kernel has changed.
 */
	.text
	.global hostile_registers
	.type hostile_registers, %function
hostile_registers:
	sub	sp, sp, #112
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	str	x1, [sp, #96]
	mov	x8, x0
	mov	x30, x1
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23
	mov	x\r, x30
	.endr
	.irp r, 24, 25, 26, 27, 28, 29
	mov	x\r, x30
	.endr
	svc	#0
	ldr	x0, [sp, #96]
	mov	x8, xzr
	.irp r, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23
	cmp	x\r, x0
	cinc	x8, x8, ne
	.endr
	.irp r, 24, 25, 26, 27, 28, 29, 30
	cmp	x\r, x0
	cinc	x8, x8, ne
	.endr
	mov	x0, x8
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	add	sp, sp, #112
	ret
	.size hostile_registers, . - hostile_registers

	.section .note.GNU-stack, "", %progbits
