/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: the copy that a forked process gets.
 *
 *   inheritance   entry of the copy
 *   NONE          none
 *   SHARE         the same object
 *   COPY          the same object until one of the two writes: both entries say
 *                 NEEDS_COPY, and the parent's pages lose their write permission
 *   COPY, wired   an object of its own, with copies of the pages: a wired page must
 *                 not be replaced under its owner
 *
 * Owns: nothing of its own (see vm_map.c).
 * Does not: fill the copy's page tables: its first accesses fault.
 * Invariants:
 *   V10 between a fork and the first write to a page no mapping of it is writable;
 *   V11 the parent's map is locked from the first entry to the last.
 * Yields: vmspace_fork (chains that collapse, memory for wired copies, each
 *   SCHED_LOOP_MAX entries or pages).
 * Complexity: O(entries + mapped pages); wired entries O(pages).
 * See: contract 1.17; mm/vm_object_shadow.c.
 */
#include "kern/sched.h"
#include "mm/vm_map_internal.h"
#include "mm/vm_meter.h"

/* Both processes map the object from now on. */
static void
share_object(struct vm_map_entry *entry)
{
	vm_object_reference(entry->object);
	entry->object->flags &= (uint8_t)~OBJ_ONEMAPPING;
}

int
vm_map_entry_shadow(struct vmspace *vm, struct vm_map_entry *entry)
{
	struct vm_object *before = entry->object;
	int error = vm_object_shadow(&entry->object, &entry->offset,
	    (uint32_t)atop(entry->end - entry->start));

	if (error != 0)
		return (error);
	if (entry->object != before)
		vm_object_charge(entry->object, &vm->usage);
	entry->flags &= (uint8_t)~MAP_ENTRY_NEEDS_COPY;
	vm->map.version++;
	return (0);
}

static int
fork_shared(struct vmspace *vm, struct vm_map_entry *entry)
{
	int error = 0;

	if ((entry->flags & MAP_ENTRY_NEEDS_COPY) != 0)
		error = vm_map_entry_shadow(vm, entry);
	if (error == 0)
		share_object(entry);
	return (error);
}

static void
fork_private(struct vmspace *vm, struct vm_map_entry *entry)
{
	vm_object_collapse(entry->object);
	if ((entry->flags & MAP_ENTRY_NEEDS_COPY) == 0)
		pmap_protect(&vm->pmap, entry->start, entry->end,
		    entry->prot & (vm_prot_t)~VM_PROT_WRITE);
	entry->flags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	vm->map.version++;
	share_object(entry);
}

/* ---- wired entries */

/* A page for the copy; waits for memory unless the process is dying. */
static struct vm_page *
copy_alloc(struct vmspace *vm, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m;

	while ((m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL)) == NULL && !vm->killed)
		vm_map_wait_memory(&vm->map, vm_wait_any);
	return (m);
}

/* The wired page behind index i of entry. */
static struct vm_page *
wired_page(const struct vm_map_entry *entry, vm_pindex_t i)
{
	struct vm_object *object = entry->object;
	vm_pindex_t pindex = entry->offset + i;
	struct vm_page *m;

	while ((m = vm_page_lookup(object, pindex)) == NULL && object->backing_object != NULL) {
		pindex += object->backing_offset;
		object = object->backing_object;
	}
	return (m);
}

static int
copy_pages(struct vmspace *vm, const struct vm_map_entry *entry, struct vm_object *object)
{
	struct vm_page *m, *from;
	vm_pindex_t i;

	for (i = 0; i < object->size_pages; i++) {
		m = copy_alloc(vm, object, i);
		if (m == NULL)
			return (ERR_NOMEM);
		from = wired_page(entry, i);
		KASSERT(from != NULL, "V11: every page of a wired entry is resident");
		pmap_copy_page(from, m);
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(m);
		vm_page_activate(m);
		vm_page_xunbusy(m);
		if ((i + 1) % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	return (0);
}

/* The object of the copy's entry, with what the wired entry shows; NULL without memory. */
static struct vm_object *
fork_wired(struct vmspace *vm, const struct vm_map_entry *entry)
{
	struct vm_object *object =
	    vm_object_allocate((uint32_t)atop(entry->end - entry->start));

	if (object != NULL && copy_pages(vm, entry, object) != 0) {
		vm_object_deallocate(object);
		return (NULL);
	}
	return (object);
}

/* ---- the whole */

/* What both have in common is copied; the object is still to be shared. */
static void
entry_copy(struct vm_map_entry *to, const struct vm_map_entry *from)
{
	*to = *from;
	to->flags &= (uint8_t)~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_USER_WIRED);
	to->wired_count = 0;
	to->next_dead = NULL;
}

static bool
is_wired_copy(const struct vm_map_entry *entry)
{
	return (entry->wired_count != 0 && entry->inheritance == VM_INHERIT_COPY);
}

/* Entry's object for `copy`, and the flags that sharing it brings. */
static int
fork_object(struct vmspace *vm, struct vm_map_entry *entry, struct vm_object **wired)
{
	if (entry->object == NULL)
		return (0);
	if (is_wired_copy(entry)) {
		*wired = fork_wired(vm, entry);
		return (*wired != NULL ? 0 : ERR_NOMEM);
	}
	if (entry->inheritance == VM_INHERIT_SHARE)
		return (fork_shared(vm, entry));
	fork_private(vm, entry);
	return (0);
}

static int
fork_entry(struct vmspace *vm, struct vm_map_entry *entry, struct vmspace *child)
{
	struct vm_map_entry *copy = vm_map_entry_create(&child->map);
	struct vm_object *wired = NULL;
	int error = copy == NULL ? ERR_NOMEM : fork_object(vm, entry, &wired);

	if (error != 0) {
		if (copy != NULL)
			vm_map_entry_dispose(copy);
		return (error);
	}
	entry_copy(copy, entry);
	if (wired != NULL) {
		copy->object = wired;
		copy->offset = 0;
		vm_object_charge(wired, &child->usage);
	}
	vm_map_entry_link(&child->map, copy);
	return (0);
}

int
vmspace_fork(struct vmspace *vm, struct vmspace **out)
{
	struct vmspace *child = vmspace_alloc(vm->map.min, vm->map.max);
	struct vm_map_entry *entry;
	uint32_t copied = 0;
	int error = 0;

	if (child == NULL)
		return (ERR_NOMEM);
	child->map.size_limit_bytes = vm->map.size_limit_bytes;
	sleep_lock_acquire(&vm->map.lock);
	for (entry = vm_map_next(&vm->map, NULL); error == 0 && entry != NULL;
	    entry = vm_map_next(&vm->map, entry)) {
		if (entry->inheritance != VM_INHERIT_NONE)
			error = fork_entry(vm, entry, child);
		if (++copied % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
	}
	sleep_lock_release(&vm->map.lock);
	if (error != 0) {
		vmspace_free(child);
		return (error);
	}
	*out = child;
	return (0);
}
