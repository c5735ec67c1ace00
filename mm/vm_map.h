/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: sorted, disjoint map entries over objects. Public.
 */
#ifndef MM_VM_MAP_H
#define MM_VM_MAP_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "lib/err.h"
#include "mm/pmap.h"
#include "mm/vm_object.h"

/* vm_map_entry.flags */
#define MAP_ENTRY_GUARD         0x01 /* never accessible, keeps neighbours apart */
#define MAP_ENTRY_HEAP          0x02 /* grown by sbrk */
#define MAP_ENTRY_STACK         0x04
#define MAP_ENTRY_COW           0x08 /* private: the first write to a page copies it */
#define MAP_ENTRY_NEEDS_COPY    0x10 /* ... into a shadow object that is still to be made */
#define MAP_ENTRY_SUBMAP        0x20 /* no object of its own: skipped by the daemons */
#define MAP_ENTRY_IN_TRANSITION 0x40 /* being wired or unwired */
#define MAP_ENTRY_USER_WIRED    0x80 /* by mlock: one of wired_count */

/* vm_map_entry.inheritance: what fork gives the child */
#define VM_INHERIT_SHARE 0
#define VM_INHERIT_COPY  1
#define VM_INHERIT_NONE  2

/* vm_map_entry.advice: how it will be used */
enum vm_advice {
	VM_ADVICE_NORMAL,
	VM_ADVICE_RANDOM,
	VM_ADVICE_SEQUENTIAL,
	VM_ADVICE_DONTNEED, /* not kept: done at once; and so on */
	VM_ADVICE_FREE
};

/* What vm_map_mincore says of a page. */
#define VM_MINCORE_INCORE     0x01
#define VM_MINCORE_REFERENCED 0x02
#define VM_MINCORE_MODIFIED   0x04
#define VM_MINCORE_SWAPPED    0x08 /* not in memory, but stored in swap */

struct vm_map_entry {
	RB_ENTRY(vm_map_entry) link;
	vm_offset_t start;
	vm_offset_t end;          /* exclusive, page aligned */
	struct vm_object *object; /* NULL for a guard */
	vm_pindex_t offset;       /* page of object at start */
	vm_prot_t prot;
	vm_prot_t max_prot;
	uint8_t flags;            /* MAP_ENTRY_* */
	uint8_t inheritance;      /* VM_INHERIT_* */
	uint8_t advice;           /* VM_ADVICE_NORMAL, RANDOM or SEQUENTIAL */
	uint8_t read_ahead;       /* pages, grows on sequential faults (1.16) */
	uint16_t wired_count;     /* wirings of the whole entry; every page is resident, wired */
	vm_pindex_t next_read;    /* where a sequential fault would be */
	struct vm_map_entry *next_dead; /* chain of entries taken out together */
};

RB_HEAD(vm_map_tree, vm_map_entry);

struct vm_map {
	struct vm_map_tree entries;
	struct vm_map_entry *hint; /* last entry looked up */
	uint32_t entry_count;
	uint32_t version;          /* changes with every change of the entries */
	vm_offset_t min;
	vm_offset_t max;           /* exclusive */
	vm_size_t size_bytes;      /* mapped, guards excluded */
	vm_size_t size_limit_bytes; /* refuse to map more (0 = no limit) */
	uint32_t wired_pages;       /* of the wired entries */
	vm_size_t wired_limit_bytes; /* refuse to wire more (0 = no limit) */
	/* Entries change only under it, or between two yields while no other task owns it. */
	struct sleep_lock lock;
};

/* A process's memory: map and page tables. */
struct vmspace {
	LIST_ENTRY(vmspace) all_link;
	struct vm_map map;
	struct pmap pmap;
	struct vm_usage usage;
	bool killed; /* its faults use class SYSTEM and skip the severe check */
};

void vm_map_init(void);

/* Empty address space for user addresses [min, max); NULL without memory. */
struct vmspace *vmspace_alloc(vm_offset_t min, vm_offset_t max);
/* Addresses from max on, where nothing is mapped yet, are not the program's from now on.
 * Does not yield. */
void vmspace_set_max(struct vmspace *vm, vm_offset_t max);
/* Remove everything and free it; it is not active on any core. May yield. */
void vmspace_free(struct vmspace *vm);

/*
 * Map size bytes of new anonymous memory. *address: wanted start (page aligned;
 * ERR_EXIST if anything is there) or 0 = first fit; the start on return. Memory
 * right behind an entry of the same kind grows that entry and its object. With
 * MAP_ENTRY_GUARD nothing is mapped and nothing may be, and the size is not
 * counted. ERR_NOMEM (limit, no gap, no memory for the entry), ERR_INVAL (size or
 * address not page aligned, outside the map). Does not yield.
 */
int vm_map_find(struct vmspace *vm, vm_offset_t *address, vm_size_t size, vm_prot_t prot,
    uint8_t flags) ERR_MUST_CHECK;
/* What to map by vm_map_insert. */
struct vm_map_insert_args {
	struct vm_object *object; /* its reference goes over to the entry on success */
	vm_pindex_t offset;       /* page of object at the start */
	vm_prot_t prot;
	vm_prot_t max_prot;
	uint8_t flags;            /* MAP_ENTRY_*; COW | NEEDS_COPY: private */
	uint8_t inheritance;      /* VM_INHERIT_* */
};
/* Map size bytes of an object at start, where nothing is mapped. Errors as
 * vm_map_find. Does not yield. */
int vm_map_insert(struct vmspace *vm, vm_offset_t start, vm_size_t size,
    const struct vm_map_insert_args *args) ERR_MUST_CHECK;
/*
 * A copy of vm for a forked process: entries shared, copied on write, or left out by
 * their inheritance; wired entries are not wired in the copy. ERR_NOMEM (nothing was
 * made). May yield. (mm/vm_map_fork.c)
 */
int vmspace_fork(struct vmspace *vm, struct vmspace **out) ERR_MUST_CHECK;
/*
 * Put a shadow object in front of entry's, unless it is the sole owner of an anonymous
 * one; NEEDS_COPY goes. ERR_NOMEM. Does not yield. (mm/vm_map_fork.c)
 */
int vm_map_entry_shadow(struct vmspace *vm, struct vm_map_entry *entry) ERR_MUST_CHECK;
/* Set what fork does with [start, end). ERR_NOMEM, ERR_INVAL. May yield (locked map). */
int vm_map_inherit(struct vmspace *vm, vm_offset_t start, vm_offset_t end,
    uint8_t inheritance) ERR_MUST_CHECK;
/* Unmap [start, end), clipping entries: gone from the map at once, then the pages
 * are freed. ERR_NOMEM (no entry for a split; nothing was unmapped), ERR_INVAL.
 * May yield. */
int vm_map_remove(struct vmspace *vm, vm_offset_t start, vm_offset_t end) ERR_MUST_CHECK;
/* Change rights on a fully mapped range. ERR_FAULT (hole), ERR_PERM (guard), ERR_NOMEM,
 * ERR_INVAL. May yield (locked map). */
int vm_map_protect(struct vmspace *vm, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot) ERR_MUST_CHECK;
/*
 * Fault every page of [start, end) in and keep it in memory until it is unwired or
 * unmapped; a page may be wired already. All or nothing: ERR_INVAL, ERR_NOMEM (a hole, no
 * access, the map's limit, no entry), ERR_AGAIN (vm.max_wired), or the fault's error. May
 * yield. (mm/vm_fault_wire.c)
 */
int vm_map_wire(struct vmspace *vm, vm_offset_t start, vm_offset_t end) ERR_MUST_CHECK;
/* Let the pages of [start, end) go again. ERR_INVAL, ERR_NOMEM (a hole, no entry): nothing
 * was done. May yield. (mm/vm_map_wire.c) */
int vm_map_unwire(struct vmspace *vm, vm_offset_t start, vm_offset_t end) ERR_MUST_CHECK;
/* What the program says of [start, end), holes passed by. ERR_INVAL, ERR_NOMEM,
 * ERR_KILLED. May yield. (mm/vm_map_advise.c) */
int vm_map_advise(struct vmspace *vm, vm_offset_t start, vm_offset_t end,
    enum vm_advice advice) ERR_MUST_CHECK;
/* Map, and if there is memory read, what there is of [start, end). ERR_KILLED. May yield.
 * (mm/vm_fault_wire.c) */
int vm_map_willneed(struct vmspace *vm, vm_offset_t start, vm_offset_t end) ERR_MUST_CHECK;
/* VM_MINCORE_* of each page of [start, end), at most SCHED_LOOP_MAX of them. ERR_NOMEM: one
 * is not mapped. Does not yield. (mm/vm_map_advise.c) */
int vm_map_mincore(struct vmspace *vm, vm_offset_t start, vm_offset_t end,
    uint8_t *states) ERR_MUST_CHECK;
/* Entry that holds va, or NULL. */
struct vm_map_entry *vm_map_lookup_entry(struct vm_map *map, vm_offset_t va);
/* All address spaces, for vm_check; NULL = first. */
struct vmspace *vmspace_next(struct vmspace *prev);
/* Next entry in address order (NULL = first). */
struct vm_map_entry *vm_map_next(struct vm_map *map, struct vm_map_entry *prev);

/* Pages in memory (mapped) and in swap, for ps and the OOM killer. */
/* Keep the largest number of resident pages so far (usage.resident_max). */
static inline void
vmspace_note_resident(struct vmspace *vm)
{
	uint64_t pages = (uint64_t)pmap_resident_count(&vm->pmap);

	if (__builtin_expect(pages > vm->usage.resident_max, 0))
		vm->usage.resident_max = pages;
}
uint32_t vmspace_resident_count(const struct vmspace *vm);
uint32_t vmspace_swap_count(struct vmspace *vm);

#endif
