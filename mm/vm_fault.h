/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page fault, in named steps (contract 1.16).
 */
#ifndef MM_VM_FAULT_H
#define MM_VM_FAULT_H

#include "lib/err.h"
#include "mm/vm_map.h"
#include "mm/vm_page.h"

/*
 * Make va accessible for access (one VM_PROT_ bit) in vm, from EL0 or on behalf of
 * a copyin. 0: repeat the access. ERR_FAULT: nothing mapped there or not allowed;
 * ERR_IO, ERR_CORRUPT: the page is in swap and cannot be read back (swap_pager has
 * printed device and slot); ERR_KILLED: the process was killed while waiting.
 * May yield.
 */
int vm_fault(struct vmspace *vm, vm_offset_t va, vm_prot_t access) ERR_MUST_CHECK;

/*
 * Fault the page at va in for access and hold it (vm_page_unhold when done): for
 * kernel code that fills or reads a user page through the direct map (exec, read,
 * write). Errors as vm_fault. May yield.
 */
int vm_fault_hold(struct vmspace *vm, vm_offset_t va, vm_prot_t access,
    struct vm_page **out) ERR_MUST_CHECK;

#endif
