/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on memory: the heap, unmapping and rights. mmap is in sys_mmap.c.
 *
 *   address_min .. program .. heap ->   |  mmap area, first fit  |  ... stack
 *
 * The mmap area starts at an eighth of the address range, far above any heap, so
 * the heap can always grow.
 *
 * Owns: proc->brk.
 * Does not: touch pages or entries (mm/vm_map.h).
 * Invariants:
 *   M1  [brk_start, round_page(brk)) is mapped, nothing else is below the mmap area
 *       and above the program
 * Yields: munmap and a shrinking sbrk.
 * See: lib/ebb_abi.h.
 */
#include "mm/vm_map.h"
#include "proc/proc_internal.h"

static vm_offset_t
mmap_base(const struct proc *p)
{
	return (p->abi->address_max / 8);
}

static int
heap_grow(struct proc *p, vm_offset_t new_brk)
{
	vm_offset_t start = round_page(p->brk), end = round_page(new_brk);

	if (new_brk >= mmap_base(p))
		return (ERR_NOMEM);
	if (end == start)
		return (0);
	return (vm_map_find(p->vmspace, &start, end - start, VM_PROT_READ | VM_PROT_WRITE,
	    MAP_ENTRY_HEAP));
}

int64_t
sys_sbrk(struct proc *p, const uint64_t *a)
{
	int64_t increment = (int64_t)a[0];
	vm_offset_t old = p->brk, new_brk;
	int error = 0;

	if (__builtin_add_overflow((int64_t)old, increment, (int64_t *)&new_brk) ||
	    (int64_t)new_brk < (int64_t)p->brk_start)
		return (ERR_NOMEM);
	if (new_brk > old)
		error = heap_grow(p, new_brk);
	else if (round_page(new_brk) < round_page(old))
		error = vm_map_remove(p->vmspace, round_page(new_brk), round_page(old));
	if (error != 0)
		return (error);
	p->brk = new_brk;
	return ((int64_t)old);
}

bool
proc_prot_valid(uint64_t prot)
{
	if (prot & ~(uint64_t)(EBB_PROT_READ | EBB_PROT_WRITE | EBB_PROT_EXEC))
		return (false);
	return ((prot & (EBB_PROT_WRITE | EBB_PROT_EXEC)) != (EBB_PROT_WRITE | EBB_PROT_EXEC));
}

vm_prot_t
proc_prot(uint64_t prot)
{
	return ((vm_prot_t)prot | ((prot & EBB_PROT_WRITE) != 0 ? VM_PROT_READ : 0));
}

vm_offset_t
proc_mmap_gap(struct proc *p, vm_size_t size)
{
	struct vm_map *map = &p->vmspace->map;
	struct vm_map_entry *entry;
	vm_offset_t start = mmap_base(p);

	for (entry = vm_map_next(map, NULL); entry != NULL; entry = vm_map_next(map, entry)) {
		if (entry->end <= start)
			continue;
		if (entry->start > start && entry->start - start >= size)
			break;
		start = entry->end;
	}
	return (size <= p->abi->address_max - start ? start : 0);
}

int
proc_check_range(const struct proc *p, uint64_t start, uint64_t bytes, vm_offset_t *end)
{
	vm_size_t size = round_page(bytes);

	if ((start & PAGE_MASK) || bytes == 0 || size < bytes || start < p->abi->address_min ||
	    size > p->abi->address_max || start > p->abi->address_max - size)
		return (ERR_INVAL);
	*end = start + size;
	return (0);
}

int64_t
sys_munmap(struct proc *p, const uint64_t *a)
{
	vm_offset_t end;
	int error = proc_check_range(p, a[0], a[1], &end);

	return (error == 0 ? vm_map_remove(p->vmspace, a[0], end) : error);
}

int64_t
sys_mprotect(struct proc *p, const uint64_t *a)
{
	vm_offset_t end;
	int error = proc_check_range(p, a[0], a[1], &end);

	if (error == 0 && !proc_prot_valid(a[2]))
		error = ERR_INVAL;
	return (error == 0 ? vm_map_protect(p->vmspace, a[0], end, proc_prot(a[2])) : error);
}

int64_t
sys_minherit(struct proc *p, const uint64_t *a)
{
	vm_offset_t end;
	int error = proc_check_range(p, a[0], a[1], &end);

	if (error == 0 && a[2] > EBB_INHERIT_NONE)
		error = ERR_INVAL;
	return (error == 0 ? vm_map_inherit(p->vmspace, a[0], end, (uint8_t)a[2]) : error);
}
