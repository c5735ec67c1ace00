/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls by which a program says how it will use its memory, and asks where it is:
 * mlock, munlock, madvise, mincore.
 *
 * Addresses are rounded down, lengths up, to whole pages; madvise and mincore
 * want the address of a page.
 *
 * Owns: nothing.
 * Does not: touch pages (mm/vm_map.h).
 * Invariants:
 *   M3  no length or address of a program overflows: proc_check_range
 * Yields: all of them.
 * See: lib/ebb_abi.h; sys_mem.c for the other calls on memory.
 */
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "mm/vm_map.h"
#include "proc/proc_internal.h"

_Static_assert(EBB_MINCORE_INCORE == VM_MINCORE_INCORE &&
    EBB_MINCORE_REFERENCED == VM_MINCORE_REFERENCED &&
    EBB_MINCORE_MODIFIED == VM_MINCORE_MODIFIED &&
    EBB_MINCORE_SWAPPED == VM_MINCORE_SWAPPED, "mincore's bits are the kernel's");

/* The pages that bytes at address touch. */
static int
touched_pages(const struct proc *p, const uint64_t *a, vm_offset_t *start, vm_offset_t *end)
{
	uint64_t last;

	*start = trunc_page(a[0]);
	if (__builtin_add_overflow(a[0], a[1], &last))
		return (ERR_INVAL);
	return (proc_check_range(p, *start, last - *start, end));
}

/* A page that is mapped but cannot be had (beyond the end of its file). */
static int
wire_error(int error)
{
	return (error == ERR_FAULT ? ERR_NOMEM : error);
}

int64_t
sys_mlock(struct proc *p, const uint64_t *a)
{
	vm_offset_t start, end;
	int error = touched_pages(p, a, &start, &end);

	return (error == 0 ? wire_error(vm_map_wire(p->vmspace, start, end)) : error);
}

int64_t
sys_munlock(struct proc *p, const uint64_t *a)
{
	vm_offset_t start, end;
	int error = touched_pages(p, a, &start, &end);

	return (error == 0 ? vm_map_unwire(p->vmspace, start, end) : error);
}

int64_t
sys_madvise(struct proc *p, const uint64_t *a)
{
	static const uint8_t advice[] = {
		[EBB_MADV_NORMAL] = VM_ADVICE_NORMAL, [EBB_MADV_RANDOM] = VM_ADVICE_RANDOM,
		[EBB_MADV_SEQUENTIAL] = VM_ADVICE_SEQUENTIAL,
		[EBB_MADV_DONTNEED] = VM_ADVICE_DONTNEED, [EBB_MADV_FREE] = VM_ADVICE_FREE,
	};
	vm_offset_t end;
	int error = proc_check_range(p, a[0], a[1], &end);

	if (error == 0 && a[2] > EBB_MADV_FREE)
		error = ERR_INVAL;
	if (error != 0)
		return (error);
	if (a[2] == EBB_MADV_WILLNEED)
		return (vm_map_willneed(p->vmspace, a[0], end));
	return (vm_map_advise(p->vmspace, a[0], end, (enum vm_advice)advice[a[2]]));
}

int64_t
sys_mincore(struct proc *p, const uint64_t *a)
{
	uint8_t states[SCHED_LOOP_MAX];
	vm_offset_t start = a[0], end, next;
	uint64_t to = a[2];
	int error = proc_check_range(p, a[0], a[1], &end);

	for (; error == 0 && start < end; start = next) {
		next = end - start > ptoa(SCHED_LOOP_MAX) ? start + ptoa(SCHED_LOOP_MAX) : end;
		error = vm_map_mincore(p->vmspace, start, next, states);
		if (error == 0)
			error = copyout(states, to, atop(next - start));
		to += atop(next - start);
		sched_maybe_yield();
		if (error == 0 && p->killed)
			error = ERR_KILLED;
	}
	return (error);
}
