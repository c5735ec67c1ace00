/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only instructions of the kernel that access user memory.
 *
 * They load and store with the rights of EL0 (LDTR, STTR), so a kernel address, a
 * page without the right, or one made inaccessible is refused whatever the caller
 * checked. An exception on one of them is resolved by trap.c: repeated when
 * vm_fault made the page accessible, else continued at usercopy_fixup with the
 * error in x0.
 *
 * Owns: [usercopy_start, usercopy_end).
 * Does not: use the stack or preserved registers, so that the fix-up is a return.
 * Yields: the exception may.
 * See: usercopy.c; Arm ARM DDI0487 C3.2.5 (unprivileged access).
 */
	.text
	.global usercopy_start, usercopy_end, usercopy_fixup
usercopy_start:

/* int usercopy_in(void *to, uint64_t user_from, size_t bytes) */
	.global usercopy_in
usercopy_in:
	subs	x2, x2, #32
	b.lo	2f
1:	ldtr	x3, [x1]
	ldtr	x4, [x1, #8]
	ldtr	x5, [x1, #16]
	ldtr	x6, [x1, #24]
	stp	x3, x4, [x0]
	stp	x5, x6, [x0, #16]
	add	x1, x1, #32
	add	x0, x0, #32
	subs	x2, x2, #32
	b.hs	1b
2:	adds	x2, x2, #32
	b.eq	4f
3:	ldtrb	w3, [x1]
	add	x1, x1, #1
	strb	w3, [x0], #1
	subs	x2, x2, #1
	b.ne	3b
4:	mov	x0, xzr
	ret

/* int usercopy_out(const void *from, uint64_t user_to, size_t bytes) */
	.global usercopy_out
usercopy_out:
	subs	x2, x2, #32
	b.lo	2f
1:	ldp	x3, x4, [x0]
	ldp	x5, x6, [x0, #16]
	sttr	x3, [x1]
	sttr	x4, [x1, #8]
	sttr	x5, [x1, #16]
	sttr	x6, [x1, #24]
	add	x1, x1, #32
	add	x0, x0, #32
	subs	x2, x2, #32
	b.hs	1b
2:	adds	x2, x2, #32
	b.eq	4f
3:	ldrb	w3, [x0], #1
	sttrb	w3, [x1]
	add	x1, x1, #1
	subs	x2, x2, #1
	b.ne	3b
4:	mov	x0, xzr
	ret

/* int usercopy_string(char *to, uint64_t user_from, size_t limit): 0, or 1 when no
 * NUL came within limit (not 0) bytes. */
	.global usercopy_string
usercopy_string:
	ldtrb	w3, [x1]
	strb	w3, [x0], #1
	cbz	w3, 1f
	add	x1, x1, #1
	subs	x2, x2, #1
	b.ne	usercopy_string
	mov	x0, #1
	ret
1:	mov	x0, xzr
	ret

usercopy_end:

usercopy_fixup:
	ret
