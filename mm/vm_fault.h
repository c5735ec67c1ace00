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
 * a copyin. 0: repeat the access. ERR_FAULT: nothing mapped there, not allowed, or
 * beyond the end of a file; ERR_IO, ERR_CORRUPT: the page is in swap or in a file and
 * cannot be read back (its pager has printed where); ERR_KILLED: the process was killed
 * while waiting. May yield.
 */
int vm_fault(struct vmspace *vm, vm_offset_t va, vm_prot_t access) ERR_MUST_CHECK;

/*
 * Fault the page at va in for access and hold it (vm_page_unhold when done): for
 * kernel code that fills or reads a user page through the direct map (exec, read,
 * write). Errors as vm_fault. May yield.
 */
int vm_fault_hold(struct vmspace *vm, vm_offset_t va, vm_prot_t access,
    struct vm_page **out) ERR_MUST_CHECK;

/*
 * Fault the page at va in, for writing if its entry may be written, and wire it and its
 * mapping (mlock). Undone by pmap_unwire and vm_page_unwire of the page that
 * pmap_extract names. Errors as vm_fault. May yield.
 */
int vm_fault_wire(struct vmspace *vm, vm_offset_t va) ERR_MUST_CHECK;

#endif
