/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that become longer and shorter, with their pages.
 *
 * Longer: room on the disk first (vnode_ops.reserve); then page by page zeros, dirty, and the
 * size with each. So whoever sees the size finds zeros or what has been written since, never
 * what lay on the disk before. The disk learns the size when the data is there
 * (file_pager_sync).
 *
 * Shorter: the size, then the pages beyond it and what maps them, then the disk. The next
 * access to such a page is one past the end.
 *
 * Owns: vnode.size_bytes and vm_object.size_pages while they change.
 * Does not: know clusters; wait for memory with a lock.
 * Invariants:
 *   Z1 between two yields size_bytes and size_pages of a file with an object agree, but while
 *      it is being made shorter, which holds the vnode's lock;
 *   Z2 a page is in its object before the size shows it, or in the same step;
 *   Z3 a file is not made shorter while a page that would go is wired; nor does one become wired
 *      meanwhile (vm_fault.c).
 * Yields: both functions.
 * Complexity: a step for each page that comes or goes.
 * See: kern/vnode.h; fs/fat32_change.c.
 */
#include <string.h>

#include "kern/machdep.h"
#include "kern/sched.h"
#include "mm/file_pager_internal.h"
#include "mm/pmap.h"
#include "mm/vm_meter.h"

static inline uint64_t
smaller(uint64_t a, uint64_t b)
{
	return (a < b ? a : b);
}

/* Is the file what it was, and may it grow? */
static int
may_grow(const struct vnode *vp)
{
	return (vp->is_swap || vp->is_text ? ERR_BUSY : 0);
}

/* The size becomes end, at most a page more. Never yields. */
static void
set_size(struct vm_object *object, uint64_t end)
{
	object->vnode->size_bytes = end;
	object->vnode->size_changed = true;
	object->size_pages = file_pages(object->vnode);
	vnode_changed(object->vnode);
}

/* Zeros up to end in the page that the file ends in. */
static int
extend_last(struct vm_object *object, uint64_t end, const bool *killed)
{
	uint64_t size = object->vnode->size_bytes;
	struct vm_page *m;
	int error = file_pager_page(object, (vm_pindex_t)atop(size), 0, killed, &m);

	if (error == ERR_RANGE) /* it has become shorter meanwhile */
		return (0);
	if (error != 0)
		return (error);
	file_pager_changed(m);
	if (object->vnode->size_bytes == size) {
		memset((uint8_t *)vm_page_address(m) + (size & PAGE_MASK), 0,
		    PAGE_SIZE - (size & PAGE_MASK));
		set_size(object, end);
	}
	vm_page_unhold(m);
	return (0);
}

/* A page of zeros behind the last one; ERR_AGAIN = wait for memory. Never yields. */
static int
extend_page(struct vm_object *object, uint64_t end)
{
	uint64_t size = object->vnode->size_bytes;
	struct vm_page *m;

	object->size_pages = (uint32_t)atop(size) + 1;
	m = vm_page_alloc(object, (vm_pindex_t)atop(size), VM_ALLOC_NORMAL);
	if (m == NULL) {
		object->size_pages = (uint32_t)atop(size);
		return (ERR_AGAIN);
	}
	pmap_zero_page(m);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	object->flags |= OBJ_MIGHTBEDIRTY;
	pmap_page_filled(m);
	set_size(object, end);
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
	return (0);
}

/* Within the page that the file ends in, or a new one. */
static int
extend_some(struct vm_object *object, uint64_t end, const bool *killed)
{
	uint64_t size = object->vnode->size_bytes;

	if (end <= size)
		return (ERR_NOSPC);
	return (
	    (size & PAGE_MASK) != 0 ? extend_last(object, end, killed) : extend_page(object, end));
}

/* How long the file can become, of what is wanted; *room. */
static int
reserve(struct vnode *vp, uint64_t wanted, uint64_t *room)
{
	int64_t got;
	int error = vnode_write_begin(vp, false);

	if (error != 0)
		return (error);
	got = vp->ops->reserve(vp, wanted);
	vp->size_changed = true; /* the last writer's close looks what is left over */
	vnode_write_end(vp);
	if (got <= (int64_t)vp->size_bytes)
		return (got < 0 ? (int)got : ERR_NOSPC);
	*room = (uint64_t)got;
	return (0);
}

int
file_pager_extend(struct vm_object *object, uint64_t size_bytes, const bool *killed)
{
	struct vnode *vp = object->vnode;
	uint32_t cuts = vp->cuts;
	uint64_t room = 0;
	int error = 0;

	while (error == 0 && vp->size_bytes < size_bytes) {
		uint64_t end = smaller(
		    (vp->size_bytes & ~(uint64_t)PAGE_MASK) + PAGE_SIZE, size_bytes);

		if (vp->is_shrinking) { /* pages beyond the end may be there still: Z1 */
			sleep_lock_wait(&vp->lock);
			continue;
		}
		if (vp->cuts != cuts) { /* with it went what was reserved */
			cuts = vp->cuts;
			room = 0;
		}
		error = *killed ? ERR_KILLED : may_grow(vp);
		if (error == 0 && room <= vp->size_bytes) {
			error = reserve(vp, size_bytes, &room);
			continue; /* much may have changed */
		}
		if (error == 0)
			error = extend_some(object, smaller(end, room), killed);
		if (error == ERR_AGAIN) {
			vm_waitpfault_any();
			error = 0;
		}
		sched_maybe_yield();
	}
	return (error);
}

/* Is a page from index first on wired? Z3: what is not does not become so any more. */
static bool
any_wired(struct vm_object *object, vm_pindex_t first)
{
	uint32_t looked_at = 0;
	struct vm_page *m;

	while ((m = vm_page_find_least(object, first)) != NULL && m->wire_count == 0) {
		first = m->pindex + 1;
		if (++looked_at % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (m != NULL);
}

/* Free the pages from index first on, of which none is wired; at the end, without a yield
 * since, there is none. */
static void
remove_pages(struct vm_object *object, vm_pindex_t first)
{
	struct vm_page *m;

	for (;;) {
		m = vm_page_find_least(object, first);
		if (m == NULL) {
			if (!vm_page_cache_free_some(object, first, object->size_pages,
				SCHED_LOOP_MAX))
				return;
			sched_maybe_yield();
			continue;
		}
		if (vm_page_busied(m)) {
			vm_page_busy_sleep(m, "filecut");
			continue;
		}
		KASSERT(m->wire_count == 0, "Z3: what is locked is not cut off");
		pmap_remove_all(m);
		m->dirty = 0;
		vm_page_free(m);
		sched_maybe_yield();
	}
}

/* With the vnode's lock, within the gate. */
static int
truncate_locked(struct vnode *vp, uint64_t size_bytes)
{
	struct vm_object *object = vp->object;
	struct vm_page *m;

	if (object != NULL && any_wired(object, (vm_pindex_t)atop(size_bytes + PAGE_MASK)))
		return (ERR_BUSY);
	vp->size_bytes = size_bytes;
	vnode_changed(vp);
	vp->size_changed = true;
	if (object != NULL) {
		remove_pages(object, file_pages(vp));
		object->size_pages = file_pages(vp); /* Z1 */
		m = (size_bytes & PAGE_MASK) == 0 ?
		    NULL :
		    vm_page_lookup(object, (vm_pindex_t)atop(size_bytes));
		if (m != NULL && !vm_page_xbusied(m))
			file_io_zero_tail(vp, m);
	}
	return (vp->ops->shrink(vp));
}

int
file_pager_truncate(struct vnode *vp, uint64_t size_bytes)
{
	int error;

	if (size_bytes >= vp->size_bytes)
		return (0);
	error = may_grow(vp);
	if (error == 0)
		error = vnode_write_begin(vp, false);
	if (error != 0)
		return (error);
	sleep_lock_acquire(&vp->lock);
	vp->shrink_bytes = size_bytes;
	vp->is_shrinking = true;
	error = may_grow(vp); /* it may have been run, or become swap, meanwhile */
	if (error == 0 && size_bytes < vp->size_bytes)
		error = truncate_locked(vp, size_bytes);
	vp->is_shrinking = false;
	vp->cuts++;
	sleep_lock_release(&vp->lock);
	vnode_write_end(vp);
	return (error);
}

void
file_pager_forget(struct vnode *vp)
{
	struct vm_object *object = vp->object;

	KASSERT(vp->is_unlinked, "Z1: the file has been removed");
	if (object != NULL && (object->flags & OBJ_DEAD) == 0 && object->ref_count == 0)
		vm_object_terminate(object);
}
