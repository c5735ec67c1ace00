/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of every frame of the pool, for who shows it. Public.
 */
#ifndef MM_VM_PAGEMAP_H
#define MM_VM_PAGEMAP_H

#include <stdint.h>

enum vm_pagemap_state {
	VM_PAGEMAP_FREE,
	VM_PAGEMAP_CACHE,    /* free, but its contents can be had back */
	VM_PAGEMAP_ACTIVE,
	VM_PAGEMAP_INACTIVE, /* clean */
	VM_PAGEMAP_DIRTY,    /* inactive, to be written first */
	VM_PAGEMAP_BUSY,     /* on its way from or to a disk */
	VM_PAGEMAP_WIRED,    /* page tables, kernel objects, mlock */
	VM_PAGEMAP_OTHER,    /* on no queue: just being used */
	VM_PAGEMAP_STATES
};

/* Frames of the pool. */
uint32_t vm_pagemap_count(void);
/* The state of frame n < vm_pagemap_count(), in the order of their addresses. O(1),
 * changes nothing (a page that a program has dirtied and that nobody has looked at since
 * counts as clean). Never yields. */
enum vm_pagemap_state vm_pagemap_state(uint32_t n);
/* The state that most of the frames [first, end) have, of equals the first of the list
 * above. Never yields. */
enum vm_pagemap_state vm_pagemap_most(uint32_t first, uint32_t end);

#endif
