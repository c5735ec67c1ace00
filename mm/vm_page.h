/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page array: one struct vm_page, 64 bytes, for each frame of the pool.
 *
 * A page has an identity (object, pindex), a state of its contents (valid,
 * dirty), a place (a page queue, a free list, or none) and pins. Pins are what
 * survives a yield:
 *
 *   busy   exclusive (one owner changes identity or contents: page-in, fault) or
 *          shared (n readers: page-out in flight)
 *   wire   not pageable: kernel stacks, page tables, mlock; off all queues
 *   hold   short-term: someone uses the frame's address; freeing waits for unhold
 *
 * Pages name each other by page number, the index into vm_page_array, 32 bits;
 * number 0 is no page (the array's first element is never used), the next
 * VM_PAGE_MARKER_COUNT are scan markers, frames follow.
 */
#ifndef MM_VM_PAGE_H
#define MM_VM_PAGE_H

#include "kern/task.h"
#include "lib/assert.h"
#include "lib/rb32.h"
#include "mm/pmap.h"
#include "mm/vm_param.h"

struct vm_object;

#define VM_PAGE_NONE         0u
#define VM_PAGE_MARKER_COUNT 15u
#define VM_PAGE_FIRST        (1u + VM_PAGE_MARKER_COUNT)

/* Queue ids (m->queue). */
#define PQ_INACTIVE 0
#define PQ_ACTIVE   1
#define PQ_COUNT    2   /* that the page daemon scans */
#define PQ_CACHE    2   /* clean pages without mappings: free memory with contents */
#define PQ_NONE     255

#define VM_PAGE_BITS_ALL 0xff /* valid/dirty: one bit for 512 bytes */

/* m->flags */
#define PG_MARKER    0x01 /* scan marker, not a page */
#define PG_WINATCFLS 0x02 /* dirty page went round the inactive queue once */
#define PG_FREE      0x04 /* on a free list (order valid if head of a block) */
#define PG_CACHED    0x08 /* in its object's cache set, not resident; on PQ_CACHE */
#define PG_UNHOLDFREE 0x10 /* free it when the last hold goes */
#define PG_WAITED    0x20 /* someone sleeps on its busy state */
/* m->aflags, may also be set by pmap */
#define PGA_REFERENCED 0x01 /* software reference flag */
#define PGA_EXECSYNC   0x02 /* instruction cache is in step with the contents (pmap) */

/* m->busy */
#define VPB_EXCLUSIVE 0x8000u /* else: number of sharers */

struct vm_page {
	/* o: mm/vm_page_tree (by pindex); on a free list: mm/vm_phys (buddy links) */
	struct rb32_node tree;
	/* q: mm/vm_pagequeue */
	uint32_t q_next;
	uint32_t q_prev;
	/* o */
	vm_pindex_t pindex;
	struct vm_object *object;
	/* p: mm/vm_page */
	uint16_t wire_count;
	uint16_t hold_count;
	uint16_t busy;
	uint8_t act_count; /* d: page daemon's; 0..255 */
	uint8_t queue;     /* q: PQ_* */
	uint8_t flags;     /* p: PG_* */
	uint8_t aflags;    /* p, m: PGA_* */
	uint8_t valid;     /* p: mask of 512-byte parts */
	uint8_t dirty;     /* p: mask; see also pmap_is_modified */
	uint8_t order;     /* f: mm/vm_phys, of a free block's head */
	uint8_t segment;   /* f: physical segment */
	uint8_t domain;    /* f */
	uint8_t spare;
	uint32_t frame;    /* f: physical address / PAGE_SIZE */
	/* m: the machine's pmap: first reverse mapping */
	struct md_page md;
};
_Static_assert(sizeof(struct vm_page) == 64, "struct vm_page is 64 bytes");

extern struct vm_page *vm_page_array;
extern uint32_t vm_page_array_count; /* with nil and markers */

static inline struct vm_page *
vm_page_of(uint32_t number)
{
	return (number == VM_PAGE_NONE ? NULL : &vm_page_array[number]);
}

static inline uint32_t
vm_page_number(const struct vm_page *m)
{
	return ((uint32_t)(m - vm_page_array));
}

/* Physical address of the frame; the page for a physical address (NULL outside the
 * pool); the frame in the kernel's direct map. */
static inline vm_paddr_t
VM_PAGE_TO_PHYS(const struct vm_page *m)
{
	return ((vm_paddr_t)m->frame << PAGE_SHIFT);
}
struct vm_page *PHYS_TO_VM_PAGE(vm_paddr_t pa);
void *vm_page_address(const struct vm_page *m);

/* ---- Allocation. Never sleeps; NULL = refused, the page daemon has been woken
 * and the deficit raised (contract 0.4). The page comes back exclusive-busy unless
 * NOBUSY, unqueued, contents undefined unless ZERO, valid = 0. */
#define VM_ALLOC_NORMAL    0
#define VM_ALLOC_SYSTEM    1
#define VM_ALLOC_INTERRUPT 2
#define VM_ALLOC_CLASS     0x03
#define VM_ALLOC_NOOBJ     0x04 /* object is NULL */
#define VM_ALLOC_NOBUSY    0x08
#define VM_ALLOC_WIRED     0x10
#define VM_ALLOC_ZERO      0x20 /* zero-filled; valid is still the caller's to set */
#define VM_ALLOC_IFCACHED    0x40 /* only a cached page of (object, pindex), else NULL */
#define VM_ALLOC_IFNOTCACHED 0x80 /* NULL if there is one */
#define VM_ALLOC_COUNT(n)    ((uint32_t)(n) << VM_ALLOC_COUNT_SHIFT) /* so many more to come */
#define VM_ALLOC_COUNT_SHIFT 16
/* A cached page of (object, pindex) comes back with its contents: valid is set then. */
struct vm_page *vm_page_alloc(struct vm_object *object, vm_pindex_t pindex, uint32_t req);

/* ---- Cached pages (contract 1.13; mm/vm_page_cache.c, mm/vm_object_cache.c). None of
 * these yields. cache: m is clean, unmapped and without pins (asserted); it becomes free
 * memory that keeps its contents, or is freed where these are worth nothing. try_to_cache:
 * false if m is dirty or in use, else its mappings go and it is cached. */
void vm_page_cache(struct vm_page *m);
bool vm_page_try_to_cache(struct vm_page *m);
struct vm_page *vm_page_cache_lookup(struct vm_object *object, vm_pindex_t pindex);
static inline bool
vm_page_is_cached(struct vm_object *object, vm_pindex_t pindex)
{
	return (vm_page_cache_lookup(object, pindex) != NULL);
}
/* Forget the cached pages of object in [start, end). */
void vm_page_cache_free(struct vm_object *object, vm_pindex_t start, vm_pindex_t end);
/* The same for at most limit pages; true: there are more. */
bool vm_page_cache_free_some(struct vm_object *object, vm_pindex_t start, vm_pindex_t end,
    uint32_t limit);
/* For vm_page_alloc: cached page m loses its identity but keeps its contents; the oldest
 * of a domain (NULL: there is none) loses both. Neither is free or busy then. */
void vm_page_cache_revive(struct vm_page *m);
/* For vm_page_cache: m's contents are worth keeping. */
void vm_page_cache_insert(struct vm_page *m);
struct vm_page *vm_page_cache_reuse(uint32_t domain);
/* Cached page m becomes an ordinary free frame; F stays as it is. */
void vm_page_cache_release(struct vm_page *m);

/*
 * pages frames that lie one behind the other where range says, wired, nobody's, contents
 * undefined: the first one; NULL (as vm_page_alloc) if the class of req does not allow so
 * many, or there is no such run. Cached pages in the way are given up; others are not
 * moved (see mm/vm_pageout_grow.h). Never yields. (mm/vm_page_contig.c)
 */
struct vm_phys_range;
struct vm_page *vm_page_alloc_contig(uint32_t req, uint32_t pages,
    const struct vm_phys_range *range);
void vm_page_free_contig(struct vm_page *first, uint32_t pages);

/* Back to the free lists: off its object and queue. Must be unmapped, unwired, not
 * shared-busy (asserted); exclusive busy is released and waiters woken. With a hold
 * on it, the free happens at the last unhold. */
void vm_page_free(struct vm_page *m);

/* ---- Identity (mm/vm_page_tree.c). None of these yields. A lookup that misses
 * remembers the place, so that an insert of the same pindex descends only once. */
struct vm_page *vm_page_lookup(struct vm_object *object, vm_pindex_t pindex);
/* The resident page with the smallest pindex >= pindex, or NULL. */
struct vm_page *vm_page_find_least(struct vm_object *object, vm_pindex_t pindex);
struct vm_page *vm_page_next(struct vm_page *m); /* next resident in its object */
struct vm_page *vm_page_prev(struct vm_page *m); /* the one before */
/* The nearest resident pages below and above pindex (NULL = none); O(1) right after
 * a lookup of pindex that missed. */
void vm_page_neighbours(struct vm_object *object, vm_pindex_t pindex, struct vm_page **below,
    struct vm_page **above);
void vm_page_insert(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex);
void vm_page_remove(struct vm_page *m);
/* m, not busy, becomes page pindex of object, with its contents, state and mappings. */
void vm_page_rename(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex);

/* ---- Busy. try: true on success. Last release wakes sleepers. */
static inline bool
vm_page_busied(const struct vm_page *m)
{
	return (m->busy != 0);
}
static inline bool
vm_page_xbusied(const struct vm_page *m)
{
	return (m->busy == VPB_EXCLUSIVE);
}
bool vm_page_tryxbusy(struct vm_page *m);
bool vm_page_trysbusy(struct vm_page *m);
void vm_page_xbusy(struct vm_page *m);  /* asserts it is free */
void vm_page_sbusy(struct vm_page *m);  /* asserts no exclusive owner */
void vm_page_xunbusy(struct vm_page *m);
void vm_page_sunbusy(struct vm_page *m);
void vm_page_busy_downgrade(struct vm_page *m); /* exclusive -> one sharer */
/* Sleep until m is not busy any more; m may be anything afterwards: look it up
 * again. May yield. */
void vm_page_busy_sleep(struct vm_page *m, const char *wmesg);

/* ---- Pins */
void vm_page_wire(struct vm_page *m);
void vm_page_unwire(struct vm_page *m, uint8_t queue);
void vm_page_hold(struct vm_page *m);
void vm_page_unhold(struct vm_page *m);

/* ---- Queues (contract 1.12) */
void vm_page_activate(struct vm_page *m);
void vm_page_deactivate(struct vm_page *m);
void vm_page_deactivate_head(struct vm_page *m); /* madvise: clean pages go first */
void vm_page_requeue(struct vm_page *m);
void vm_page_dequeue(struct vm_page *m);
static inline void
vm_page_reference(struct vm_page *m)
{
	m->aflags |= PGA_REFERENCED;
}

/* ---- Contents. dirty: all parts, needs fully valid. test_dirty: pick up
 * modified bits from the page tables. undirty: clean, mappings included. */
void vm_page_dirty(struct vm_page *m);
void vm_page_test_dirty(struct vm_page *m);
void vm_page_undirty(struct vm_page *m);

#endif
