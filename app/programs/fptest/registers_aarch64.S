/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/ebb_abi.h"

/* void fp_round(const uint8_t *in, uint8_t *out) */
	.text
	.global fp_round
	.type fp_round, %function
fp_round:
	sub	sp, sp, #80
	stp	d8, d9, [sp]
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	str	x1, [sp, #64]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x0, #16 * \n]
	.endr
	mov	x8, #EBB_SYS_YIELD
	svc	#0
	ldr	x1, [sp, #64]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x1, #16 * \n]
	.endr
	ldp	d8, d9, [sp]
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	add	sp, sp, #80
	ret
	.size fp_round, . - fp_round

	.section .note.GNU-stack, "", %progbits
