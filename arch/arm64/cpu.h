/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of arch/arm64 that deal with tasks share.
 */
#ifndef ARM64_CPU_H
#define ARM64_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct task;

/* Make t's first cpu_switch call entry(t) on its own stack. */
void cpu_context_first(struct task *t, void (*entry)(struct task *t));

/* True for an address in the guard of any kernel stack. */
bool kstack_is_guard(uintptr_t va);

/* FP/SIMD: t is about to run, or has no program any more; the running program
 * used an FP register without access: true if it has it now (fpu.c). */
void fpu_switch(struct task *t);
void fpu_detach(struct task *t);
bool fpu_trap(void);
/* t runs: its fp_state holds what its registers hold now. */
void fpu_save(struct task *t);

#endif
