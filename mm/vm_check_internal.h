/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vm_check.c and vm_check_object.c share; nobody else includes it.
 */
#ifndef MM_VM_CHECK_INTERNAL_H
#define MM_VM_CHECK_INTERNAL_H

#include "mm/vm_check.h"

/* Count a broken rule; the first one's text is kept. */
void vm_check_broken(struct vm_check_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void vm_check_objects(struct vm_check_result *r);
void vm_check_maps(struct vm_check_result *r);
void vm_check_swap(struct vm_check_result *r);

#endif
