/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making room for memory that lies in one piece (contract 1.5). Public.
 */
#ifndef MM_VM_PAGEOUT_GROW_H
#define MM_VM_PAGEOUT_GROW_H

#include "lib/err.h"
#include "mm/vm_page.h"
#include "mm/vm_pagequeue.h"
#include "mm/vm_phys.h"

/*
 * Walk one queue for pages wholly inside [low, high) that can be given up. Clean ones are
 * cached; with tries > 0 the first dirty one is written (a file's: the whole file), and
 * the answer is true: look again from the head. False: the end of the queue. References
 * do not count: hot pages go too. May yield.
 */
bool vm_pageout_launder(struct vm_pagequeue *pq, uint32_t tries, vm_paddr_t low,
    vm_paddr_t high);

/*
 * Give up what lies in [low, high): tries 0 clean inactive pages; 1 low-memory handlers
 * first, and dirty inactive pages too; 2 active pages too. It ends when every write fails.
 * May yield.
 */
void vm_pageout_grow_cache(uint32_t tries, vm_paddr_t low, vm_paddr_t high);

/*
 * pages frames in one piece where range says, wired, contents undefined: what is in the
 * way is given up by tries 0, 1, 2. NULL: even so there is no such piece. May yield.
 * Given back by vm_page_free_contig.
 */
struct vm_page *vm_pageout_alloc_contig(uint32_t pages, const struct vm_phys_range *range);

#endif
