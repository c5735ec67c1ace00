/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First code of every AArch64 program: the kernel enters here with
 * x0 = argc, x1 = argv, sp 16-byte aligned, all other registers zero.
 */
	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	mov	x29, xzr
	mov	x30, xzr
	mov	x19, x0
	mov	x20, x1
	ldr	x0, =__tls_reserve
	sub	sp, sp, x0
	mov	x0, sp
	bl	ebb_tls_begin
	msr	tpidr_el0, x0
	bl	__libc_init_array
	mov	x0, x19
	mov	x1, x20
	bl	main
	bl	exit
1:	b	1b
	.size _start, . - _start

	/* No constructors beside .init_array: newlib asks for the old hooks too. */
	.global _init
	.type _init, %function
_init:
	ret
	.size _init, . - _init
	.global _fini
	.type _fini, %function
_fini:
	ret
	.size _fini, . - _fini

	.section .note.GNU-stack, "", %progbits
