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

#define FAULT_FAILS_MAX 4 /* pagers without data that one fault remembers */

struct vm_fault_state {
	struct vmspace *vm;
	vm_offset_t va;             /* page aligned */
	vm_prot_t access;
	bool hold;                  /* the caller wants the page held */
	bool wire;                  /* ... or wired */
	bool paging;                /* m is ours (busy), object has paging in progress */
	uint8_t fail_count;
	uint32_t failed[FAULT_FAILS_MAX]; /* ids of objects whose pager answered FAIL */
	struct vm_map_entry *entry; /* valid until the next yield */
	struct vm_object *object;   /* where m is or goes: entry's, or one further down */
	vm_pindex_t pindex;         /* ... there */
	struct vm_page *m;
	struct vm_page *below;      /* resident pages around m, or NULL; until the next yield */
	struct vm_page *above;
	uint64_t started_us;        /* of the read */
};

/* Page m is in transit: sleep until it is not. FAULT_RETRY. */
int vm_fault_wait_busy(struct vm_page *m);
/* Somebody else has locked object: sleep until he has not. FAULT_RETRY. */
int vm_fault_wait_lock(struct vm_object *object);
/* A page of zeros, or with the bytes of *from, for (object, pindex): 0 or FAULT_WAIT. */
int vm_fault_new_page(struct vm_fault_state *fs, const struct vm_page *from);

/*
 * fs->object, the entry's, has no page: read it, or look further down the chain, or
 * make it (vm_fault_chain.c). Answers as vm_fault_pagein, whose end must follow when
 * fs->paging is set. For a write m ends up in the entry's object.
 */
int vm_fault_chain(struct vm_fault_state *fs);
/* The entry is a private copy that is still to be made: 0, FAULT_WAIT or FAULT_RETRY. */
int vm_fault_shadow(struct vm_fault_state *fs);
/* Map resident neighbours that may lie in several objects of the chain. */
void vm_fault_prefault_chain(struct vm_fault_state *fs);

/*
 * Read the page that (object, pindex) has stored, with neighbours. 0: fs->m is
 * valid, and if fs->paging is set also busy and vm_fault_pagein_end must follow (a
 * cached page comes back without reading and not busy);
 * FAULT_RETRY the same, but the map has changed or the page is not in the entry's
 * object; FAULT_WAIT or ERR_*: nothing is left to undo. May yield.
 */
int vm_fault_pagein(struct vm_fault_state *fs);
/* Release fs->m and the object. */
void vm_fault_pagein_end(struct vm_fault_state *fs);

#endif
