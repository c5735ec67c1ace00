/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying whole pages with general registers.
 *
 * Owns: nothing.
 * Does not: care for alignment below 64 bytes: the contract rules it out.
 * Yields: never.
 * Complexity: 548 instructions for 4 KiB (aim: 580).
 * See: kern/machdep.h, cpu_copy.
 */
	.text

.macro copy_64 offset
	ldp	x3, x4, [x1, #\offset]
	ldp	x5, x6, [x1, #\offset + 16]
	ldp	x7, x8, [x1, #\offset + 32]
	ldp	x9, x10, [x1, #\offset + 48]
	stp	x3, x4, [x0, #\offset]
	stp	x5, x6, [x0, #\offset + 16]
	stp	x7, x8, [x0, #\offset + 32]
	stp	x9, x10, [x0, #\offset + 48]
.endm

/* void cpu_copy(void *to, const void *from, size_t bytes): a multiple of 64. */
	.global cpu_copy
cpu_copy:
	subs	x2, x2, #512
	b.lo	2f
1:	copy_64	0
	copy_64	64
	copy_64	128
	copy_64	192
	copy_64	256
	copy_64	320
	copy_64	384
	ldp	x3, x4, [x1, #448]
	ldp	x5, x6, [x1, #464]
	ldp	x7, x8, [x1, #480]
	ldp	x9, x10, [x1, #496]
	add	x1, x1, #512
	stp	x3, x4, [x0, #448]
	stp	x5, x6, [x0, #464]
	stp	x7, x8, [x0, #480]
	stp	x9, x10, [x0, #496]
	add	x0, x0, #512
	subs	x2, x2, #512
	b.hs	1b
2:	adds	x2, x2, #512
	b.eq	4f
3:	copy_64	0
	add	x0, x0, #64
	add	x1, x1, #64
	subs	x2, x2, #64
	b.ne	3b
4:	ret
