/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page fault.
 *
 *   lookup      map entry, rights; first write to a private copy: make its shadow
 *   find        the page: resident | busy: sleep, start again | absent:
 *   chain       in the objects below (vm_fault_chain.c); a write moves or copies it
 *   allocate    (severe shortage: sleep, start again)
 *   fill        zeros | through the pager, with its neighbours (vm_fault_pagein.c)
 *   enter       into the page tables; a write dirties and drops the stored copy
 *   prefault    map resident neighbours
 *
 * The resident and the zero-fill path never yield between lookup and enter, so
 * they need not busy the page. Whenever something was waited for, everything is
 * looked up again.
 *
 * Owns: nothing; it moves pages between states that others own.
 * Does not: know page-table formats, queues' links or the disk.
 * Invariants:
 *   L1 a page that has a copy in swap, a file's page, or one of a lower object is
 *      never mapped writable by a read: the first write comes here;
 *   L2 a page entered is fully valid, and on a page queue unless wired;
 *   L3 a killed process never waits for memory here: it takes class SYSTEM, and
 *      without a page it gets ERR_KILLED;
 *   L4 only pages of the entry's own object are written, and none while the entry
 *      says NEEDS_COPY.
 * Yields: vm_fault, vm_fault_hold and vm_fault_wire, for busy pages, locked objects,
 *   memory and I/O.
 * Complexity: O(log entries + depth of the chain * log resident pages).
 * See: contract 1.16; architecture, "A day in the life".
 */
#include "mm/vm_fault.h"

#include "kern/sched.h"
#include "kern/trace.h"
#include "kern/vnode.h"
#include "mm/vm_fault_internal.h"
#include "mm/vm_map_internal.h"
#include "mm/vm_meter.h"
#include "mm/vm_pager.h"

#define PREFAULT_PAGES 4 /* looked at on each side */

int
vm_fault_wait_busy(struct vm_page *m)
{
	vm_page_reference(m);
	mm_params.v_intrans++;
	vm_page_busy_sleep(m, "vmpfw");
	return (FAULT_RETRY);
}

int
vm_fault_wait_lock(struct vm_object *object)
{
	vm_object_reference(object);
	sleep_lock_wait(&object->lock);
	vm_object_deallocate(object);
	return (FAULT_RETRY);
}

int
vm_fault_new_page(struct vm_fault_state *fs, const struct vm_page *from)
{
	uint32_t class = fs->vm->killed ? VM_ALLOC_SYSTEM : VM_ALLOC_NORMAL;
	uint32_t zero = from == NULL ? VM_ALLOC_ZERO : 0;
	struct vm_page *m;

	/* what the look-up saw on its way; the insert will not change it */
	fs->below = vm_page_of(fs->object->miss_below);
	fs->above = vm_page_of(fs->object->miss_above);
	m = vm_page_alloc(fs->object, fs->pindex, class | VM_ALLOC_NOBUSY | zero);
	if (m == NULL)
		return (FAULT_WAIT);
	m->valid = VM_PAGE_BITS_ALL;
	fs->m = m;
	vmspace_note_resident(fs->vm);
	if (__builtin_expect(from != NULL, 0)) {
		pmap_copy_page(from, m);
		return (0);
	}
	mm_params.v_zfod++;
	fs->vm->usage.zero_fills++;
	return (0);
}

static inline bool
in_swap(const struct vm_fault_state *fs, vm_pindex_t pindex)
{
	return (fs->object->type == OBJT_SWAP &&
	    vm_pager_of(fs->object)->has_page(fs->object, pindex, NULL, NULL));
}

/* Find or make the page: 0 with fs->m, an error, FAULT_RETRY or FAULT_WAIT. */
static inline int
find_page(struct vm_fault_state *fs)
{
	struct vm_object *object = fs->object;
	struct vm_page *m = vm_page_lookup(object, fs->pindex);

	if (m != NULL) {
		if (vm_page_xbusied(m) || (vm_page_busied(m) && fs->access == VM_PROT_WRITE))
			return (vm_fault_wait_busy(m));
		fs->m = m;
		fs->below = vm_page_prev(m);
		fs->above = vm_page_next(m);
		return (0);
	}
	if (__builtin_expect(vm_meter_all_severe(), 0) && !fs->vm->killed)
		return (FAULT_WAIT);
	if (object->type == OBJT_DEFAULT && object->backing_object == NULL)
		return (vm_fault_new_page(fs, NULL));
	return (vm_fault_chain(fs));
}

/* May m, found by a read, be mapped so that writes to it do not come here? */
static inline bool
write_through(const struct vm_fault_state *fs, const struct vm_page *m)
{
	return ((fs->entry->flags & MAP_ENTRY_NEEDS_COPY) == 0 && fs->object == fs->entry->object &&
	    (m->busy == 0 || m->busy == VPB_EXCLUSIVE) &&
	    fs->object->type != OBJT_VNODE && !in_swap(fs, fs->pindex));
}

/* Is fs->m a page that its file is about to lose (file_pager_size.c, Z3)? */
static bool
is_cut_off(const struct vm_fault_state *fs)
{
	const struct vnode *vp = fs->object->type == OBJT_VNODE ? fs->object->vnode : NULL;

	return (vp != NULL && vp->is_shrinking && ptoa(fs->pindex) >= vp->shrink_bytes);
}

/* Map fs->m for the access. */
static inline int
enter(struct vm_fault_state *fs)
{
	struct vm_page *m = fs->m;
	vm_prot_t prot = fs->entry->prot;
	uint32_t flags = PMAP_ENTER_READ;

	KASSERT(m->valid == VM_PAGE_BITS_ALL, "L2: entered page is valid");
	if (fs->access == VM_PROT_WRITE) {
		KASSERT(fs->object == fs->entry->object, "L4: written pages are the entry's own");
		flags = PMAP_ENTER_WRITE;
		m->dirty = VM_PAGE_BITS_ALL;
		if (fs->object->type != OBJT_DEFAULT)
			vm_pager_of(fs->object)->page_unswapped(m);
	} else if ((prot & VM_PROT_WRITE) != 0 && !write_through(fs, m)) {
		prot &= (vm_prot_t)~VM_PROT_WRITE;
	}
	if (__builtin_expect(fs->wire, 0)) {
		if (is_cut_off(fs))
			return (ERR_FAULT);
		if (m->wire_count == UINT16_MAX) /* by as many mappings of one page */
			return (ERR_AGAIN);
		flags |= PMAP_ENTER_WIRED;
		vm_page_wire(m);
	} else {
		vm_page_activate(m);
	}
	if (pmap_enter(&fs->vm->pmap, fs->va, m, prot, flags) == 0)
		return (0);
	if (fs->wire)
		vm_page_unwire(m, PQ_ACTIVE);
	return (FAULT_WAIT);
}

/*
 * Map m, resident near the fault, read-only and unreferenced. False = stop looking
 * in this direction: at a page mapped already, whoever mapped it has looked beyond.
 */
static bool
prefault_one(const struct vm_fault_state *fs, struct vm_page *m)
{
	int64_t pages = (int64_t)m->pindex - fs->pindex;
	vm_offset_t va = fs->va + (vm_offset_t)(pages * (int64_t)PAGE_SIZE);

	if (pages > PREFAULT_PAGES || pages < -PREFAULT_PAGES || pmap_page_is_mapped(m))
		return (false);
	if (va < fs->entry->start || va >= fs->entry->end)
		return (false);
	if (vm_page_xbusied(m))
		return (true);
	KASSERT(m->valid == VM_PAGE_BITS_ALL, "L2: a page that is not being read is valid");
	return (pmap_enter(&fs->vm->pmap, va, m, fs->entry->prot & (vm_prot_t)~VM_PROT_WRITE,
	    0) == 0);
}

static inline void
prefault(struct vm_fault_state *fs)
{
	const struct vm_object *object = fs->entry->object;
	struct vm_page *m;

	if (object->ref_count != 1 || object->backing_object != NULL) {
		vm_fault_prefault_chain(fs);
		return;
	}

	for (m = fs->below; m != NULL && prefault_one(fs, m); m = vm_page_prev(m))
		continue;
	for (m = fs->above; m != NULL && prefault_one(fs, m); m = vm_page_next(m))
		continue;
}

/* One attempt: 0, an error, FAULT_RETRY or FAULT_WAIT; nothing is held after it. */
static int
attempt(struct vm_fault_state *fs)
{
	struct vm_map_entry *entry = vm_map_lookup_entry(&fs->vm->map, fs->va);
	int error;

	if (entry == NULL || (entry->prot & fs->access) == 0)
		return (ERR_FAULT);
	KASSERT(entry->object != NULL, "V2: what has rights has an object");
	if (sleep_lock_held(&entry->object->lock))
		return (vm_fault_wait_lock(entry->object));
	fs->entry = entry;
	if (__builtin_expect((entry->flags & MAP_ENTRY_NEEDS_COPY) != 0, 0) &&
	    fs->access == VM_PROT_WRITE && (error = vm_fault_shadow(fs)) != 0)
		return (error);
	fs->object = entry->object;
	fs->pindex = entry->offset + (vm_pindex_t)atop(fs->va - entry->start);
	fs->paging = false;
	error = find_page(fs);
	if (error == 0)
		error = enter(fs);
	if (error == 0) {
		if (fs->hold)
			vm_page_hold(fs->m);
		prefault(fs);
	}
	if (fs->paging)
		vm_fault_pagein_end(fs);
	return (error);
}

/* L3: sleep until there is memory, unless the process is dying. */
static int
wait_memory(const struct vm_fault_state *fs)
{
	if (!fs->vm->killed)
		vm_map_wait_memory(&fs->vm->map, vm_waitpfault_any);
	return (fs->vm->killed ? ERR_KILLED : FAULT_RETRY);
}

/* The first attempt ended with error: go on until it succeeds or cannot. */
static int
fault_again(struct vm_fault_state *fs, int error)
{
	for (;;) {
		if (error == FAULT_WAIT)
			error = wait_memory(fs);
		if (error != FAULT_RETRY)
			break;
		error = attempt(fs);
	}
	trace(TRACE_FAULT, fs->va, fs->access, (uint64_t)(int64_t)error);
	return (error);
}

static inline int
fault(struct vm_fault_state *fs)
{
	int error;

	mm_params.v_vm_faults++;
	fs->vm->usage.faults++;
	error = attempt(fs);
	return (__builtin_expect(error == 0, 1) ? 0 : fault_again(fs, error));
}

int
vm_fault(struct vmspace *vm, vm_offset_t va, vm_prot_t access)
{
	struct vm_fault_state fs = { .vm = vm, .va = trunc_page(va), .access = access };

	return (fault(&fs));
}

int
vm_fault_hold(struct vmspace *vm, vm_offset_t va, vm_prot_t access, struct vm_page **out)
{
	struct vm_fault_state fs = { .vm = vm, .va = trunc_page(va), .access = access,
		.hold = true };
	int error = fault(&fs);

	*out = error == 0 ? fs.m : NULL;
	return (error);
}

int
vm_fault_wire(struct vmspace *vm, vm_offset_t va)
{
	struct vm_map_entry *entry = vm_map_lookup_entry(&vm->map, va);
	struct vm_fault_state fs = { .vm = vm, .va = trunc_page(va), .access = VM_PROT_READ,
		.wire = true };

	if (entry != NULL && (entry->prot & VM_PROT_WRITE) != 0)
		fs.access = VM_PROT_WRITE;
	return (fault(&fs));
}
