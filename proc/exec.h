/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load a program file into a fresh address space.
 */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include "kern/usercpu.h"
#include "proc/elf.h"
#include "proc/proc.h"

/*
 * Load p->path into p->vmspace, build its stack with the arguments, fill start.
 * On failure returns ERR_* with one line for the user in p->exec_error. Called by
 * p's own task. May yield.
 */
int exec_load(struct proc *p, struct cpu_user_start *start) ERR_MUST_CHECK;

#endif
