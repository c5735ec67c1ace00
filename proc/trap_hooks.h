/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arch's trap path calls in proc: the one header between the two.
 */
#ifndef PROC_TRAP_HOOKS_H
#define PROC_TRAP_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct vmspace;

/*
 * System call number with arguments args[0..5] (saved x0-x5 or r0-r5); the result
 * goes into the saved x0/r0. Called with interrupts enabled on the program's
 * kernel stack. May yield.
 */
int64_t proc_syscall(uint64_t number, const uint64_t *args);

/*
 * The same for an AArch32 program: of args only the lower halves hold (Arm ARM D1.20.1:
 * the upper ones are unknown). The result goes into r0, its upper half into r1.
 */
int64_t proc_syscall_aarch32(uint64_t number, const uint64_t *args);

/* The running program's memory, for vm_fault. */
struct vmspace *proc_curvmspace(void);

/* A program did something that has no good end. */
struct user_fault {
	uint64_t pc;
	uint64_t far;       /* address concerned, if has_far */
	uint64_t esr;       /* as the machine reports it */
	const char *cause;  /* in words: "write to unmapped address" */
	int error;          /* ERR_FAULT, ERR_IO, ERR_CORRUPT; ERR_NOEXEC = bad instruction */
	bool has_far;
};

/* Print what happened and end the program. Never returns. */
_Noreturn void proc_user_fault(const struct user_fault *fault);

/* Called on the way back to EL0 whenever curtask()->ast_pending is set: ends a
 * killed program, gives up the core when the slice is used. May yield, may not
 * return. */
void proc_ast(void);

#endif
