/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/ebb_abi.h"

/* void fp_round(const uint8_t *in, uint8_t *out); the thread register (TPIDRURW) holds
 * in + out meanwhile, and out is left as it is when it does not come back. */
	.syntax unified
	.arm
	.fpu neon-fp-armv8
	.text
	.global fp_round
	.type fp_round, %function
fp_round:
	push	{r4, r5, r6, r7}
	vpush	{d8-d15}
	mov	r4, r1
	vldmia	r0!, {d0-d15}
	vldmia	r0!, {d16-d31}
	add	r5, r0, r1
	mcr	p15, 0, r5, c13, c0, 2
	mov	r7, #EBB_SYS_YIELD
	svc	#0
	mrc	p15, 0, r6, c13, c0, 2
	cmp	r5, r6
	bne	1f
	vstmia	r4!, {d0-d15}
	vstmia	r4!, {d16-d31}
1:	vpop	{d8-d15}
	pop	{r4, r5, r6, r7}
	bx	lr
	.size fp_round, . - fp_round

	.section .note.GNU-stack, "", %progbits
