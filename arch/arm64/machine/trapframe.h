/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of what an exception interrupted, as vectors.S saves them.
 */
#ifndef MACHINE_TRAPFRAME_H
#define MACHINE_TRAPFRAME_H

#define TF_X30  240
#define TF_ELR  256
#define TF_ESR  272
#define TF_BYTES 288

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct trapframe {
	uint64_t x[31];
	uint64_t sp;   /* SP_EL0, or the kernel's stack pointer before the exception */
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr;  /* valid in exceptions of the kernel and in a panic */
	uint64_t far;
};

_Static_assert(offsetof(struct trapframe, x[30]) == TF_X30, "vectors.S");
_Static_assert(offsetof(struct trapframe, elr) == TF_ELR, "vectors.S");
_Static_assert(offsetof(struct trapframe, esr) == TF_ESR, "vectors.S");
_Static_assert(sizeof(struct trapframe) == TF_BYTES, "vectors.S");
#endif

#endif
