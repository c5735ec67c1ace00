/* SPDX-License-Identifier: BSD-2-Clause */
/* int64_t ebb_syscall(number, a0, a1, a2): number to x8, arguments one down. */
	.text
	.global ebb_syscall
	.type ebb_syscall, %function
ebb_syscall:
	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	svc	#0
	ret
	.size ebb_syscall, . - ebb_syscall

	.section .note.GNU-stack, "", %progbits
