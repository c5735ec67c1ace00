/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files as objects: their life.
 *
 *               file_pager_alloc          last reference gone
 *   (no object) ----------------> IN USE <-------------------> KEPT, with its pages
 *        ^                               file_pager_alloc        |
 *        +------- terminated: least recent of more than ---------+
 *                 vm.file_objects_max, or empty and memory is low
 *
 * The pages of a file that nobody uses stay until the page daemon takes them. What is
 * dirty when the last mapping or open file goes is written back then; if that is not
 * possible at once, by the syncer.
 *
 *   file_pager_io.c     pages to sectors      file_pager_read.c    page-in
 *   file_pager_write.c  page-out            file_pager_size.c    longer, shorter
 *
 * Owns: the list of file objects, vnode.object, .is_text and .write_error, OBJ_MIGHTBEDIRTY.
 * Does not: know file systems (kern/vnode.h) or programs.
 * Invariants:
 *   F1 a vnode has at most one object, and that one names it and holds a reference to it;
 *   F2 the object is as large as the file, in pages (file_pager_size.c changes both);
 *   F3 at most vm.file_objects_max objects without references are kept, those with dirty
 *      pages apart;
 *   F4 a dirty page, or one mapped for writing, lies in an object with OBJ_MIGHTBEDIRTY, or
 *      is on its way to the disk, or whoever holds the vnode's lock will come to it.
 * Yields: file_pager_alloc, file_pager_page, file_pager_sync, and dropping the last reference.
 * Complexity: a step for each file in the list, where an object is made or given up.
 * See: contract 1.4, 1.17; docs/decisions (unified page cache).
 */
#include "mm/file_pager.h"

#include <string.h>

#include "kern/eventhandler.h"
#include "kern/sched.h"
#include "mm/file_pager_internal.h"
#include "mm/vm_launder.h"
#include "mm/vm_meter.h"

static TAILQ_HEAD(file_list, vnode) files = TAILQ_HEAD_INITIALIZER(files); /* new ones last */
static uint64_t use_clock;

/* ---- life */

static struct vm_object *
make(struct vnode *vp)
{
	struct vm_object *object = vm_object_allocate(file_pages(vp));

	if (object == NULL)
		return (NULL);
	object->type = OBJT_VNODE;
	object->flags = 0; /* anybody may map any of it */
	object->vnode = vp;
	vp->object = object;
	vnode_ref(vp);
	TAILQ_INSERT_TAIL(&files, vp, object_link);
	return (object);
}

struct vm_object *
file_pager_alloc(struct vnode *vp)
{
	KASSERT(vp->ref_count > 0 && !vp->is_directory, "F1: the file is in use");
	while (vp->object != NULL && (vp->object->flags & OBJ_DEAD) != 0)
		tsleep(&vp->object, "vobjdead", SLEEP_FOREVER);
	if (vp->object == NULL)
		return (make(vp));
	vm_object_reference(vp->object);
	return (vp->object);
}

/* The object is going, without pages. */
static void
file_dealloc(struct vm_object *object)
{
	struct vnode *vp = object->vnode;

	KASSERT(vp->object == object, "F1: file and object name each other");
	TAILQ_REMOVE(&files, vp, object_link);
	vp->object = NULL;
	wakeup(&vp->object);
	vnode_unref(vp);
}

static inline bool
is_kept(const struct vm_object *object)
{
	return (object->ref_count == 0 && (object->flags & OBJ_DEAD) == 0);
}

/* Does nobody work on it just now? */
static inline bool
is_quiet(const struct vm_object *object)
{
	return (object->paging_in_progress == 0 && object->lock.owner == NULL);
}

/* The kept object to give up next, or NULL while there are not too many (F3). */
static struct vm_object *
least_recent(void)
{
	struct vnode *vp, *oldest = NULL;
	int64_t kept = 0;

	TAILQ_FOREACH(vp, &files, object_link) {
		if (!is_kept(vp->object) || !is_quiet(vp->object) ||
		    (vp->object->flags & OBJ_MIGHTBEDIRTY) != 0 || vp->size_changed)
			continue;
		kept++;
		if (oldest == NULL || vp->object_used < oldest->object_used)
			oldest = vp;
	}
	return (kept > mm_params.file_objects_max ? oldest->object : NULL);
}

/* Nobody uses the file any more. Dirty pages go to the disk now, or by the syncer. */
static void
file_unreferenced(struct vm_object *object)
{
	object->vnode->is_text = false;
	object->vnode->object_used = ++use_clock;
	if (object->vnode->is_unlinked) {
		vm_object_terminate(object);
		return;
	}
	if ((object->flags & OBJ_MIGHTBEDIRTY) != 0) {
		int error;

		vm_object_reference(object);
		error = file_pager_sync(object, 0, 0, 0, true);
		(void)error; /* it stays dirty: the syncer will try again */
		object->ref_count--; /* not by vm_object_deallocate, which calls this */
		if (object->ref_count == 0)
			object->vnode->is_text = false; /* it may have been run meanwhile */
		if (object->ref_count == 0 && object->vnode->is_unlinked)
			vm_object_terminate(object); /* or removed: it was in use then */
	}
	while ((object = least_recent()) != NULL)
		vm_object_terminate(object);
}

/* EVENT_VM_LOWMEM: objects of which nothing is left. */
static void
give_up_empty(void *arg, uint32_t flags)
{
	struct vnode *vp, *next;

	(void)arg;
	(void)flags;
	TAILQ_FOREACH_SAFE(vp, &files, object_link, next) {
		struct vm_object *object = vp->object;

		if (is_kept(object) && is_quiet(object) && object->resident_count == 0 &&
		    object->cached_count == 0)
			vm_object_terminate(object);
	}
}

static struct eventhandler lowmem_handler = {
	.name = "file objects",
	.fn = give_up_empty,
	.priority = EVENTHANDLER_PRI_FIRST, /* so that their vnodes can go next */
};

/* ---- pages for read and write */

/* Pages pindex, pindex + 1, ..., as many of ahead as can be had without waiting. */
static uint32_t
window_allocate(struct vm_object *object, struct vm_page **m, uint32_t ahead)
{
	uint32_t n;

	for (n = 1; n <= ahead && m[0]->pindex + n < object->size_pages; n++) {
		if (vm_meter_all_min() ||
		    vm_page_lookup(object, m[0]->pindex + n) != NULL)
			break;
		m[n] = vm_page_alloc(object, m[0]->pindex + n,
		    VM_ALLOC_NORMAL | VM_ALLOC_IFNOTCACHED);
		if (m[n] == NULL)
			break;
	}
	return (n);
}

static int
error_of(enum vm_pager_outcome outcome)
{
	switch (outcome) {
	case VM_PAGER_BAD: /* the file has become shorter */
		return (ERR_RANGE);
	case VM_PAGER_OK:
		return (0);
	case VM_PAGER_AGAIN:
		return (ERR_AGAIN);
	default:
		return (ERR_IO);
	}
}

/* Bring page pindex in; ERR_AGAIN = wait for memory and look again. */
static int
page_in(struct vm_object *object, vm_pindex_t pindex, uint32_t ahead)
{
	struct vm_page *m[FILE_IO_PAGES];
	enum vm_pager_outcome outcome = VM_PAGER_OK;

	m[0] = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	if (m[0] == NULL)
		return (ERR_AGAIN);
	vm_object_pip_add(object, 1);
	if (m[0]->valid != VM_PAGE_BITS_ALL)
		outcome = file_get_pages(object, m, window_allocate(object, m,
		    ahead < FILE_IO_PAGES ? ahead : FILE_IO_PAGES - 1), 0);
	if (outcome == VM_PAGER_OK) {
		vm_page_deactivate(m[0]);
		vm_page_xunbusy(m[0]);
	} else {
		vm_page_free(m[0]);
	}
	vm_object_pip_wakeup(object, 1);
	return (error_of(outcome));
}

int
file_pager_page(struct vm_object *object, vm_pindex_t pindex, uint32_t ahead, const bool *killed,
    struct vm_page **out)
{
	bool found = true;
	struct vm_page *m;
	int error;

	while ((m = vm_page_lookup(object, pindex)) == NULL || vm_page_xbusied(m)) {
		if (pindex >= object->size_pages) /* to be asked again after each sleep */
			return (ERR_RANGE);
		if (m != NULL) {
			vm_page_busy_sleep(m, "filepg");
			continue;
		}
		if (sleep_lock_held(&object->lock)) {
			sleep_lock_wait(&object->lock);
			continue;
		}
		found = false;
		error = page_in(object, pindex, ahead);
		if (error == ERR_AGAIN && *killed)
			return (ERR_KILLED);
		if (error == ERR_AGAIN)
			vm_waitpfault_any();
		else if (error != 0)
			return (error);
	}
	if (found)
		vm_page_reference(m); /* used twice: worth keeping */
	vm_page_hold(m);
	*out = m;
	return (0);
}

int64_t
file_pager_read(struct vm_object *object, uint64_t at, void *buffer, uint32_t count)
{
	static const bool killed; /* this is for the kernel's own tasks */
	uint64_t left = PAGE_SIZE - (at & PAGE_MASK), size = object->vnode->size_bytes;
	struct vm_page *m;
	int error;

	if (at >= size)
		return (0);
	left = left < size - at ? left : size - at;
	left = left < count ? left : count;
	error = file_pager_page(object, (vm_pindex_t)atop(at), 7, &killed, &m);
	if (error != 0)
		return (error);
	memcpy(buffer, (const uint8_t *)vm_page_address(m) + (at & PAGE_MASK), left);
	vm_page_unhold(m);
	return ((int64_t)left);
}

void
file_pager_changed(struct vm_page *m)
{
	KASSERT(m->hold_count > 0, "F4: a page of a file, held");
	/* A write that is under way would call the page clean at its end. */
	while (vm_page_busied(m))
		vm_page_busy_sleep(m, "filechg");
	if (m->object == NULL)
		return; /* the file was cut meanwhile: the page is its holder's alone */
	KASSERT(m->object->type == OBJT_VNODE, "F4: a page of a file");
	vm_page_dirty(m);
	m->object->flags |= OBJ_MIGHTBEDIRTY;
	pmap_page_filled(m);
}

/* A fault maps the page so that it can be written. F4. */
static void
file_page_dirtied(struct vm_page *m)
{
	m->object->flags |= OBJ_MIGHTBEDIRTY;
}

/* ---- writing back */

/* With the vnode's lock, within the gate. */
static int
clean_locked(struct vm_object *object, vm_pindex_t start, vm_pindex_t end, uint32_t flags)
{
	struct vnode *vp = object->vnode;
	uint64_t size_bytes = vp->size_bytes; /* what comes later may not be written yet */
	bool clean = vm_object_page_clean(object, start, end, flags);
	int error = 0;

	if ((flags & OBJPC_SYNC) == 0)
		return (clean ? 0 : ERR_IO);
	error = vp->write_error;
	vp->write_error = 0;
	if (error == 0 && !clean)
		error = ERR_IO;
	if (error == 0 && vp->size_changed && start == 0 && end == 0)
		return (vp->ops->sync_size(vp, size_bytes)); /* which flushes first */
	return (error == 0 ? blk_flush(vp->dev) : error);
}

/* F4: might there be something to write, or somebody to be told of an error? */
static inline bool
is_unclean(const struct vm_object *object)
{
	const struct vnode *vp = object->vnode;

	return ((object->flags & OBJ_MIGHTBEDIRTY) != 0 || vp->write_error != 0 ||
	    vp->size_changed || vp->lock.owner != NULL);
}

int
file_pager_sync(struct vm_object *object, vm_pindex_t start, vm_pindex_t end, uint32_t flags,
    bool nowait)
{
	struct vnode *vp = object->vnode;
	int error;

	KASSERT(object->ref_count > 0, "F1: the object is in use");
	if (!is_unclean(object) && object->paging_in_progress == 0 && (flags & OBJPC_INVAL) == 0)
		return (0);
	error = vnode_write_begin(vp, nowait);
	if (error != 0)
		return (error);
	sleep_lock_acquire(&vp->lock);
	error = clean_locked(object, start, end, flags);
	sleep_lock_release(&vp->lock);
	vnode_write_end(vp);
	return (error);
}

/* ---- all of them */

struct vm_object *
file_pager_next_dirty(uint32_t after_id)
{
	struct vnode *vp;

	TAILQ_FOREACH(vp, &files, object_link)
		if (vp->object->id > after_id && (vp->object->flags & OBJ_DEAD) == 0 &&
		    is_unclean(vp->object))
			return (vp->object);
	return (NULL);
}

/* The words of the first rule that the file breaks. */
static const char *
check_file(const struct vnode *vp)
{
	struct vm_object *object = vp->object;
	struct vm_page *m;

	if (object == NULL || object->vnode != vp || object->type != OBJT_VNODE)
		return ("F1: file and object name each other");
	if (vp->ref_count == 0)
		return ("F1: a file with an object is referenced");
	if ((object->size_pages != file_pages(vp) && vp->lock.owner == NULL) ||
	    object->swap_count != 0)
		return ("F2: the object is as large as the file, without swap");
	for (m = vm_page_find_least(object, 0); m != NULL; m = vm_page_next(m))
		if (m->dirty != 0 && !vm_page_busied(m) && !is_unclean(object))
			return ("F4: a dirty page lies in an object that might be dirty");
	return (NULL);
}

const char *
file_pager_check(void)
{
	const char *broken = NULL;
	struct vnode *vp;

	TAILQ_FOREACH(vp, &files, object_link)
		if (broken == NULL)
			broken = check_file(vp);
	return (broken);
}

const struct vm_pager_ops file_pager_ops = {
	.has_page = file_has_page,
	.get_pages = file_get_pages,
	.put_pages = file_put_pages,
	.page_unswapped = file_page_dirtied,
	.unreferenced = file_unreferenced,
	.dealloc = file_dealloc,
};

void
file_pager_init(void)
{
	TAILQ_INIT(&files);
	use_clock = 0;
	file_write_init();
	vm_pager_ops[OBJT_VNODE] = &file_pager_ops;
}

int
file_pager_start(void)
{
	eventhandler_register(EVENT_VM_LOWMEM, &lowmem_handler);
	return (file_write_start());
}
