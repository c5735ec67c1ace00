/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page daemon: worker, scans, and the out-of-memory decision
 * (contract 1.8, 1.9, 1.10).
 */
#ifndef MM_VM_PAGEOUT_H
#define MM_VM_PAGEOUT_H

#include "lib/err.h"
#include "mm/vm_meter.h"

/* Create one worker task per domain. Boot time, after swap is known. */
int vm_pageout_start(void) ERR_MUST_CHECK;

/* One scan of the inactive, then the active queue. Public for tests. May yield. */
void vm_pageout_scan(struct vm_domain *vmd, uint32_t pass);

/* The vote of 1.9: may kill. May yield (not while choosing the victim). */
void vm_pageout_mightbe_oom(struct vm_domain *vmd, uint32_t pass);

#define VM_OOM_MEM   1
#define VM_OOM_SWAPZ 2
void vm_pageout_oom(int shortage);

#endif
