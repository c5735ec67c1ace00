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

/* int64_t ebb_syscall_args(number, const uint64_t args[6]) */
	.global ebb_syscall_args
	.type ebb_syscall_args, %function
ebb_syscall_args:
	mov	x8, x0
	mov	x9, x1
	ldp	x0, x1, [x9]
	ldp	x2, x3, [x9, #16]
	ldp	x4, x5, [x9, #32]
	svc	#0
	ret
	.size ebb_syscall_args, . - ebb_syscall_args

	.section .note.GNU-stack, "", %progbits
