/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vm_fault.c and vm_fault_pagein.c share; nobody else includes it.
 */
#ifndef MM_VM_FAULT_INTERNAL_H
#define MM_VM_FAULT_INTERNAL_H

#include "mm/vm_map.h"
#include "mm/vm_page.h"

/* Answers of a step besides 0 and ERR_*. */
#define FAULT_RETRY 1 /* something was waited for: look everything up again */
#define FAULT_WAIT  2 /* no memory: wait for it, then look everything up again */

struct vm_fault_state {
	struct vmspace *vm;
	vm_offset_t va;             /* page aligned */
	vm_prot_t access;
	bool hold;                  /* the caller wants the page held */
	bool paging;                /* m is ours (busy), object has paging in progress */
	struct vm_map_entry *entry; /* valid until the next yield */
	struct vm_object *object;
	vm_pindex_t pindex;
	struct vm_page *m;
	struct vm_page *below;      /* resident pages around m, or NULL; until the next yield */
	struct vm_page *above;
	uint64_t started_us;        /* of the read */
};

/*
 * Read the page that (object, pindex) has in swap, with neighbours. 0: fs->m is
 * valid and busy, fs->paging is set and vm_fault_pagein_end must follow;
 * FAULT_RETRY the same, but the map has changed; FAULT_WAIT or ERR_*: nothing is
 * left to undo. May yield.
 */
int vm_fault_pagein(struct vm_fault_state *fs);
/* Release fs->m and the object. */
void vm_fault_pagein_end(struct vm_fault_state *fs);

#endif
