/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of its memory a program really uses.
 */
#ifndef MM_VM_WORKINGSET_H
#define MM_VM_WORKINGSET_H

#include "mm/vm_map.h"

/*
 * Pages of vm used since the last call; starts a new period. The page daemon loses
 * nothing: a use found here is handed to it as the page's software reference flag.
 * vm is the caller's own. May yield.
 */
uint32_t vmspace_working_set(struct vmspace *vm);

#endif
