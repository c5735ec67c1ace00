/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with arch: running at EL0, and reaching user memory.
 */
#ifndef KERN_USERCPU_H
#define KERN_USERCPU_H

#include <stddef.h>
#include <stdint.h>

#include "kern/task.h"
#include "lib/err.h"

struct pmap;

/* Bytes of a program's FP/SIMD state; 16-byte aligned storage is the process's. */
#define CPU_FP_STATE_BYTES 544

/* t runs a program from now on: its address space, and where its FP/SIMD state is
 * kept while another runs (zeroed = initial state). pmap NULL detaches: no further
 * access to user memory. Takes effect at once if t is the caller. */
void cpu_user_attach(struct task *t, struct pmap *pmap, void *fp_state);

struct cpu_user_start {
	uint64_t pc;
	uint64_t sp;
	uint64_t args[3]; /* x0-x2 (r0-r2) */
	bool aarch32;
};

/* Leave the kernel: run the calling task's program at EL0. All other registers are
 * zero. Never returns; the program comes back by system calls and faults. */
_Noreturn void cpu_user_enter(const struct cpu_user_start *start);

/* The calling task's program continues in another address space, with all its registers. */
void cpu_user_move(struct pmap *pmap);

/*
 * The calling task is in a system call of its program. child, attached and not run yet,
 * becomes a copy: when its function calls cpu_user_resume, it leaves the same system call
 * with result 0, its registers, thread pointer and FP/SIMD state being those of the
 * caller now. Neither yields.
 */
void cpu_user_fork(struct task *child);
_Noreturn void cpu_user_resume(void);

/* The thread register that the calling task's program reads but cannot write (TPIDRRO_EL0,
 * in AArch32 TPIDRURO) holds value from now on. Does not yield. */
void cpu_user_set_tls(uint64_t value);

/*
 * Copy between wired kernel memory and the calling task's program. Any user
 * address whatever is survived: ERR_FAULT for one that is not mapped, not allowed,
 * wraps, or is the kernel's; ERR_IO or ERR_CORRUPT when the page cannot be read
 * back. May yield (page faults).
 */
int copyin(uint64_t user_from, void *to, size_t bytes) ERR_MUST_CHECK;
int copyout(const void *from, uint64_t user_to, size_t bytes) ERR_MUST_CHECK;
/* A NUL-terminated string of at most limit bytes, NUL included: ERR_NAMETOOLONG
 * beyond. */
int copyinstr(uint64_t user_from, char *to, size_t limit) ERR_MUST_CHECK;

/* Code or data was written to [va, va+bytes) of kernel memory that will be executed:
 * make the instruction cache coherent. */
void cpu_sync_icache(const void *va, size_t bytes);

#endif
