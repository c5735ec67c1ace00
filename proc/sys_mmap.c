/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls mmap and msync.
 *
 *              anonymous                            file
 *   private    an object of its own                 the file's object, a shadow object with
 *                                                   copies at the first write
 *   shared     an object that forked processes      the file's object: writes show at once
 *              share                                to all, and go to the file
 *
 * What is mapped past the end of a file cannot be used: the access ends the program. The
 * rest of the file's last page reads as zeros; what is written there goes nowhere.
 *
 * Owns: nothing.
 * Does not: touch pages (mm/vm_map.h, mm/file_pager.h).
 * Invariants:
 *   M2  a shared mapping is writable, or may become so, only if the file was opened for
 *       reading and writing
 * Yields: mmap of files and with MAP_FIXED, msync.
 * See: lib/ebb_abi.h; sys_mem.c for the other calls on memory.
 */
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_map.h"
#include "proc/proc_internal.h"

#define MAP_KNOWN (EBB_MAP_SHARED | EBB_MAP_PRIVATE | EBB_MAP_FIXED | EBB_MAP_ANONYMOUS)
#define MS_KNOWN  (EBB_MS_ASYNC | EBB_MS_INVALIDATE | EBB_MS_SYNC)

/* A request that has been checked. */
struct request {
	vm_offset_t start; /* 0: anywhere */
	vm_size_t size;
	vm_prot_t prot;
	bool shared, fixed, anonymous;
};

static int
check_request(const struct proc *p, const uint64_t *a, struct request *r)
{
	uint64_t flags = a[3];

	r->start = a[0];
	r->size = round_page(a[1]);
	r->prot = proc_prot(a[2]);
	r->shared = (flags & EBB_MAP_SHARED) != 0;
	r->fixed = (flags & EBB_MAP_FIXED) != 0;
	r->anonymous = (flags & EBB_MAP_ANONYMOUS) != 0 ||
	    (flags & (EBB_MAP_SHARED | EBB_MAP_PRIVATE)) == 0;
	if ((flags & ~(uint64_t)MAP_KNOWN) != 0 || (r->shared && (flags & EBB_MAP_PRIVATE) != 0))
		return (ERR_INVAL);
	if (a[1] == 0 || r->size < a[1] || !proc_prot_valid(a[2]) || (r->start & PAGE_MASK) != 0)
		return (ERR_INVAL);
	if (r->size > p->abi->address_max)
		return (ERR_NOMEM);
	if (r->start == 0 && !r->fixed)
		return (0);
	if (r->start < p->abi->address_min || r->start > p->abi->address_max - r->size)
		return (ERR_INVAL);
	return (0);
}

/* What file fd gives: object (referenced), offset, rights. */
static int
open_object(struct proc *p, const struct request *r, uint64_t fd, uint64_t offset,
    struct vm_map_insert_args *args)
{
	struct proc_file *file = proc_file_of(p, fd);

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind != PROC_FILE_VNODE || file->vnode->is_directory)
		return (ERR_NODEV);
	if ((offset & PAGE_MASK) != 0 || atop(offset) + atop(r->size) > UINT32_MAX)
		return (ERR_INVAL);
	if (file->vnode->is_swap)
		return (ERR_BUSY); /* opened before it became one: others' memory */
	if (file->mode == EBB_O_WRONLY)
		return (ERR_PERM);
	if (r->shared && file->mode != EBB_O_RDWR) /* M2 */
		args->max_prot = VM_PROT_READ | VM_PROT_EXECUTE;
	if ((r->prot & ~args->max_prot) != 0)
		return (ERR_PERM);
	args->offset = (vm_pindex_t)atop(offset);
	args->object = file_pager_alloc(file->vnode);
	if (!r->shared)
		args->flags = MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	return (args->object == NULL ? ERR_NOMEM : 0);
}

/* Where it goes: MAP_FIXED makes room. */
static int
find_place(struct proc *p, const struct request *r, vm_offset_t *start)
{
	*start = r->start != 0 ? r->start : proc_mmap_gap(p, r->size);
	if (*start == 0)
		return (ERR_NOMEM);
	return (r->fixed ? vm_map_remove(p->vmspace, *start, *start + r->size) : 0);
}

int64_t
sys_mmap(struct proc *p, const uint64_t *a)
{
	struct vm_map_insert_args args = { .max_prot = VM_PROT_ALL };
	struct request r;
	vm_offset_t start = 0;
	int error = check_request(p, a, &r);

	args.prot = r.prot;
	args.inheritance = r.shared ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
	if (error == 0 && !r.anonymous)
		error = open_object(p, &r, a[4], a[5], &args);
	else if (error == 0 && r.shared &&
	    (args.object = vm_object_allocate((uint32_t)atop(r.size))) == NULL)
		error = ERR_NOMEM;
	if (error == 0)
		error = find_place(p, &r, &start);
	if (error == 0)
		error = args.object != NULL ? vm_map_insert(p->vmspace, start, r.size, &args) :
		    vm_map_find(p->vmspace, &start, r.size, r.prot, 0);
	if (error != 0 && args.object != NULL)
		vm_object_deallocate(args.object);
	return (error == 0 ? (int64_t)start : error);
}

/* Write back what entry shows of its file in [start, end). */
static int
sync_entry(const struct vm_map_entry *entry, vm_offset_t start, vm_offset_t end, uint32_t flags)
{
	struct vm_object *object = entry->object;
	vm_pindex_t first, last;
	int error = 0;

	if (object == NULL || object->type != OBJT_VNODE ||
	    (entry->flags & MAP_ENTRY_COW) != 0)
		return (0);
	first = entry->offset + (vm_pindex_t)atop(start - entry->start);
	last = entry->offset + (vm_pindex_t)atop(end - entry->start);
	if (last > object->size_pages)
		last = object->size_pages;
	if (first >= last)
		return (0);
	vm_object_reference(object); /* entry is not used any more */
	error = file_pager_sync(object, first, last, flags, false);
	vm_object_deallocate(object);
	return (error);
}

int64_t
sys_msync(struct proc *p, const uint64_t *a)
{
	uint32_t flags = OBJPC_SYNC | ((a[2] & EBB_MS_INVALIDATE) != 0 ? OBJPC_INVAL : 0);
	struct vm_map *map = &p->vmspace->map;
	vm_offset_t at = a[0], end, next;
	struct vm_map_entry *entry;
	int error = proc_check_range(p, a[0], a[1], &end);

	if (error == 0 && ((a[2] & ~(uint64_t)MS_KNOWN) != 0 ||
	    (a[2] & (EBB_MS_ASYNC | EBB_MS_SYNC)) == (EBB_MS_ASYNC | EBB_MS_SYNC)))
		error = ERR_INVAL;
	for (; error == 0 && at < end; at = next) {
		entry = vm_map_lookup_entry(map, at);
		if (entry == NULL)
			return (ERR_NOMEM); /* as POSIX wants it */
		next = entry->end < end ? entry->end : end;
		if ((a[2] & EBB_MS_ASYNC) == 0)
			error = sync_entry(entry, at, next, flags);
	}
	if (error == 0 && (a[2] & EBB_MS_ASYNC) != 0)
		vfs_speedup_syncer();
	return (error);
}
