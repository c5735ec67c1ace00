/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT between objects and what backs them: an ops table for each object type.
 */
#ifndef MM_VM_PAGER_H
#define MM_VM_PAGER_H

#include "mm/vm_object.h"

/* Outcome for one page. */
enum vm_pager_outcome {
	VM_PAGER_OK,    /* done */
	VM_PAGER_BAD,   /* index outside the object */
	VM_PAGER_FAIL,  /* in range: no data (get), no space (put) */
	VM_PAGER_PEND,  /* started; the pager completes it later */
	VM_PAGER_ERROR, /* I/O error, or the checksum is wrong */
	VM_PAGER_AGAIN, /* transient shortage */
};

#define VM_PAGER_PUT_SYNC   1 /* return when all is written */
#define VM_PAGER_PUT_INVAL  2 /* nobody will want the pages afterwards */
#define VM_PAGER_CLUSTER_OK 8 /* may be written together with others */

struct vm_pager_ops {
	/* Is there backed data for pindex? How many pages before and after lie next to
	 * it on the store (0 if not asked: NULL). Never yields. */
	bool (*has_page)(struct vm_object *object, vm_pindex_t pindex, uint32_t *before,
	    uint32_t *after);
	/*
	 * Fill the exclusive-busy pages m[0..count-1] (consecutive pindex); m[wanted]
	 * must succeed. Others that could be filled end valid, clean, unbusied and on
	 * the inactive queue, the rest are freed; m[wanted] stays busy: OK = valid
	 * and clean, ERROR/FAIL = still invalid. May yield.
	 */
	enum vm_pager_outcome (*get_pages)(struct vm_object *object, struct vm_page **m,
	    uint32_t count, uint32_t wanted);
	/*
	 * Write the shared-busy, write-protected pages m[0..count-1]; outcomes[i] for
	 * each. PEND pages are settled by the pager at completion (clean, unbusied,
	 * paging_in_progress dropped; on error dirty again and activated). From the
	 * page daemon asynchronous, at most SWAP_ASYNC_MAX in flight, else synchronous.
	 * Allocates nothing. May yield.
	 */
	void (*put_pages)(struct vm_object *object, struct vm_page **m, uint32_t count,
	    uint32_t flags, enum vm_pager_outcome *outcomes);
	/* The page has been dirtied, or mapped so that it can be: its stored copy is worthless
	 * now. Called for every object that is not OBJT_DEFAULT. Never yields. */
	void (*page_unswapped)(struct vm_page *m);
	/* Forget what is stored for [start, end), where no page is resident or will be
	 * made (NULL: what is stored stays). May yield (long ranges). */
	void (*free_space)(struct vm_object *object, vm_pindex_t start, vm_pindex_t end);
	/*
	 * What `from` has stored for [start, end) goes to `to`, where index i of `from` is
	 * i - offset; what lies outside `to`, or where `to` has a page or something stored,
	 * is forgotten (the destination wins). Allocates nothing. May yield (long ranges),
	 * each page being stored once at every moment. NULL: objects of this type have no
	 * chain.
	 */
	void (*transfer)(struct vm_object *from, struct vm_object *to, vm_pindex_t offset,
	    vm_pindex_t start, vm_pindex_t end);
	/* The last reference is gone. With this the object stays, with its pages, until its
	 * pager calls vm_object_terminate; without (NULL) it is terminated. May yield. */
	void (*unreferenced)(struct vm_object *object);
	/* The object is being destroyed, without pages: drop what it refers to (NULL:
	 * nothing to drop). May yield. */
	void (*dealloc)(struct vm_object *object);
};

/* Indexed by enum vm_object_type; registered at boot (mm does not call upwards). */
extern const struct vm_pager_ops *vm_pager_ops[OBJT_TYPES];

static inline const struct vm_pager_ops *
vm_pager_of(const struct vm_object *object)
{
	return (vm_pager_ops[object->type]);
}

#endif
