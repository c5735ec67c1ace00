/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thread-local storage of a program's one thread.
 *
 * The compiler reaches a __thread variable from a thread register (TPIDR_EL0; TPIDRURO of
 * AArch32, which only the kernel can write), which points to a thread control block of two
 * words; the variables follow it, at the next address that is aligned as they need. crt0
 * makes room on the stack and sets the register.
 *
 * Owns: nothing; writes the block it is given.
 * Does not: know threads beside the first.
 * Invariants:
 *   none
 * Yields: never.
 * See: ELF for the Arm 64-bit Architecture and Addenda to the ABI for the Arm Architecture
 *   (TLS variant 1); program.ld.
 */
#include <stdint.h>
#include <string.h>

#define TCB_BYTES (2 * sizeof(void *))

/* program.ld: addresses of these are the numbers. */
extern const char __tls_start[], __tls_data_bytes[], __tls_bytes[], __tls_align[];

void *ebb_tls_begin(void *block);

/* In block, of __tls_reserve bytes: the value of the thread register. */
void *
ebb_tls_begin(void *block)
{
	uintptr_t align = (uintptr_t)__tls_align > TCB_BYTES ? (uintptr_t)__tls_align : TCB_BYTES;
	uintptr_t at = ((uintptr_t)block + 2 * align - 1) & ~(align - 1);
	uintptr_t data_bytes = (uintptr_t)__tls_data_bytes;

	memset((void *)(at - TCB_BYTES), 0, TCB_BYTES);
	memcpy((void *)at, __tls_start, data_bytes);
	memset((void *)(at + data_bytes), 0, (uintptr_t)__tls_bytes - data_bytes);
	return ((void *)(at - align));
}
