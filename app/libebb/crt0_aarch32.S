/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First code of every AArch32 program: the kernel enters here with r0 = argc, r1 = argv,
 * sp 16-byte aligned, all other registers zero.
 */
#include "lib/ebb_abi.h"

	.syntax unified
	.arm
	.section .text.start, "ax", %progbits
	.global _start
	.type _start, %function
_start:
	mov	r4, r0
	mov	r5, r1
	ldr	r0, =__tls_reserve
	sub	sp, sp, r0
	mov	r0, sp
	bl	ebb_tls_begin
	mov	r7, #EBB_SYS_TLS
	svc	#0
	bl	__libc_init_array
	mov	r0, r4
	mov	r1, r5
	bl	main
	bl	exit
1:	b	1b
	.size _start, . - _start

	/* No constructors beside .init_array: newlib asks for the old hooks too. */
	.global _init
	.type _init, %function
_init:
	bx	lr
	.size _init, . - _init
	.global _fini
	.type _fini, %function
_fini:
	bx	lr
	.size _fini, . - _fini

	.section .note.GNU-stack, "", %progbits
