/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM object: something with pages.
 *
 * Anonymous memory is a default object, which becomes a swap object when its first
 * page goes to swap; a vnode object is a file. An anonymous object may shadow another:
 * pages that it does not have are looked for in its backing object, as far down the
 * chain as it takes.
 *
 *   map entry --> [ shadow (private copies) ] --> [ backing object ] --> ... --> end:
 *                                                                          zero fill
 * Public.
 */
#ifndef MM_VM_OBJECT_H
#define MM_VM_OBJECT_H

#include <sys/queue.h>

#include "kern/sleep_lock.h"
#include "lib/err.h"
#include "mm/vm_page.h"
#include "mm/vm_param.h"

/* Only adds; type tells which pager serves the object. */
enum vm_object_type { OBJT_DEFAULT, OBJT_SWAP, OBJT_VNODE, OBJT_TYPES };

struct vnode;

#define OBJ_DEAD         0x01 /* being destroyed: its pages are not worth writing */
#define OBJ_FICTITIOUS   0x02 /* its pages are no frames of the pool: never paged */
#define OBJ_UNMANAGED    0x04 /* its pages are on no queue and have no reverse mappings */
#define OBJ_MIGHTBEDIRTY 0x08 /* vnode object: mapped writable since it was last cleaned */
#define OBJ_ONEMAPPING   0x10 /* anonymous: no index of it is mapped by two map entries */

/* What one program has cost so far. */
struct vm_usage {
	LIST_HEAD(, vm_object) charged; /* objects whose paging counts here */
	uint64_t faults;        /* vm_fault calls */
	uint64_t major_faults;  /* of these: had to read */
	uint64_t resident_max;  /* pages; as seen at faults for new pages and at unmapping */
	uint64_t flag_faults;   /* final figure; while it runs see struct pmap */
	uint64_t zero_fills;    /* pages */
	uint64_t page_ins;      /* pages read from a pager */
	uint64_t page_in_ops;   /* reads that brought them */
	uint64_t page_outs;     /* pages written */
	uint64_t page_out_ops;  /* writes that took them */
};

struct vm_object {
	LIST_ENTRY(vm_object) all_link;
	/* vm_page_tree's: resident pages by pindex (page number of the root) */
	uint32_t tree_root;
	uint32_t resident_count;    /* pages */
	uint32_t last;              /* the page with the largest pindex, or none */
	uint32_t miss_parent;       /* where miss_pindex would be linked */
	uint32_t miss_below;        /* the pages around it, or none */
	uint32_t miss_above;
	vm_pindex_t miss_pindex;    /* last lookup without result */
	bool miss_valid;            /* ... and the tree has not changed since */
	uint32_t size_pages;
	uint32_t ref_count;
	uint32_t paging_in_progress; /* pages in flight to or from the pager */
	/*
	 * Lock: the set of resident pages, the place in the chain and the type change only
	 * under it, or between two yields while no other task owns it.
	 */
	struct sleep_lock lock;
	/* s: vm_object_shadow's. Index 0 here is backing_offset there. */
	struct vm_object *backing_object; /* NULL: end of the chain */
	vm_pindex_t backing_offset;       /* pages */
	uint32_t shadow_count;            /* objects that shadow this one */
	LIST_HEAD(, vm_object) shadow_head;
	LIST_ENTRY(vm_object) shadow_link; /* in backing_object->shadow_head */
	/* c: vm_page_cache's: pages without mappings that still hold their contents */
	uint32_t cache_root;
	uint32_t cached_count;            /* pages */
	/* v: file_pager's: the file of a vnode object ("named"), or NULL */
	struct vnode *vnode;
	uint8_t type;               /* enum vm_object_type */
	uint8_t flags;              /* OBJ_* */
	bool pip_waited;
	uint32_t id;                /* unique, never reused */
	/* swap_map's: head of the chain of this object's slots, and their number */
	uint32_t swap_first;
	uint32_t swap_count;
	struct vm_usage *usage;     /* whom to charge, or NULL */
	LIST_ENTRY(vm_object) usage_link;
};

void vm_object_init(void);
/* Charge object's paging to usage from now on. When usage ends, nobody is charged for
 * what is left of it. */
void vm_object_charge(struct vm_object *object, struct vm_usage *usage);
void vm_object_uncharge_all(struct vm_usage *usage);
/* New anonymous object of size_pages with one reference; NULL without memory. */
struct vm_object *vm_object_allocate(uint32_t size_pages);
/* One more; a vnode object may have had none. Never yields. */
void vm_object_reference(struct vm_object *object);
/* Drop a reference; the last one terminates the object, unless its pager keeps it
 * (vm_pager_ops.unreferenced: files do), and drops its reference to its backing object.
 * One that leaves an object to a single shadow merges the two. May yield. */
void vm_object_deallocate(struct vm_object *object);
/* Destroy an object without references: wait for paging, free pages and swap. May
 * yield, but not when it has neither pages nor paging in progress. */
void vm_object_terminate(struct vm_object *object);
/* Free resident pages and swap of [start, end) and shrink or punch. The range is
 * not mapped any more. May yield (busy pages). */
void vm_object_page_remove(struct vm_object *object, vm_pindex_t start, vm_pindex_t end);

/*
 * Put a new default object of size_pages in front of *object, whose reference becomes
 * the new one's; *object and *offset (pages) name the new one afterwards. Nothing
 * happens when the caller is the sole owner of an anonymous object. ERR_NOMEM. Never
 * yields. (mm/vm_object_shadow.c)
 */
int vm_object_shadow(struct vm_object **object, vm_pindex_t *offset,
    uint32_t size_pages) ERR_MUST_CHECK;
/*
 * Shorten the chain below object as far as that can be done now: a backing object that
 * nobody else refers to is merged into object, one that is hidden completely is passed
 * by. Gives up where a page is busy, paging is in progress, or somebody has locked one of
 * them. The caller holds a reference to object. May yield.
 */
void vm_object_collapse(struct vm_object *object);

/* Take object, which is about to be destroyed, out of its chain: its backing object,
 * whose reference is the caller's now, or NULL. Never yields. */
struct vm_object *vm_object_detach(struct vm_object *object);

void vm_object_pip_add(struct vm_object *object, uint32_t pages);
void vm_object_pip_wakeup(struct vm_object *object, uint32_t pages);
/* May yield. */
void vm_object_pip_wait(struct vm_object *object);

/* All objects, for vm_check; NULL = first. */
struct vm_object *vm_object_next(struct vm_object *prev);

#endif
