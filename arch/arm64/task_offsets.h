/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offsets in struct task that assembly uses; cpu.c asserts them.
 */
#ifndef ARM64_TASK_OFFSETS_H
#define ARM64_TASK_OFFSETS_H

#define TASK_AST_PENDING 208

#endif
