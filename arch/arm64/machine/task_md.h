/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's part of struct task: what a task that does not run keeps.
 */
#ifndef MACHINE_TASK_MD_H
#define MACHINE_TASK_MD_H

#include <stdint.h>

struct pmap;

struct md_task {
	uint64_t regs[13];     /* x19-x29, x30, sp: what a C call preserves */
	uint64_t tpidr_el0;    /* the program's thread pointer */
	uint64_t tpidrro_el0;  /* the one that it can only read: cpu_user_set_tls */
	struct pmap *pmap;     /* the program's address space; NULL: runs in the kernel only */
	void *fp_state;        /* CPU_FP_STATE_BYTES of the program's, or NULL */
	uintptr_t stack_base;  /* lowest mapped address; below it lies the guard */
	uintptr_t stack_top;   /* first address above; struct task itself lies below it */
};

#endif
