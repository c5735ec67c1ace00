/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes have used: getrusage, of the caller and of the children that it has
 * waited for, and of theirs.
 *
 * Owns: proc->children.
 * Does not: count (mm/vm_object.h, struct vm_usage).
 * Invariants:
 *   U1  a child is added once, when it is reaped; sizes are not added: the largest counts
 * Yields: the call, in copyout.
 * See: lib/ebb_abi.h.
 */
#include "kern/machdep.h"
#include "proc/proc_internal.h"

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return (a > b ? a : b);
}

static void
from_usage(struct ebb_rusage *r, const struct vm_usage *u)
{
	r->max_resident_pages = u->resident_max;
	r->major_faults = u->major_faults;
	r->minor_faults = u->faults - u->major_faults;
	r->page_ins = u->page_ins;
	r->page_outs = u->page_outs;
}

static void
add(struct ebb_rusage *to, const struct ebb_rusage *from)
{
	to->user_us += from->user_us;
	to->max_resident_pages = larger(to->max_resident_pages, from->max_resident_pages);
	to->minor_faults += from->minor_faults;
	to->major_faults += from->major_faults;
	to->page_ins += from->page_ins;
	to->page_outs += from->page_outs;
	to->swapouts += from->swapouts;
}

void
proc_rusage_add_child(struct proc *parent, const struct proc *child)
{
	struct ebb_rusage r = {
		.user_us = timer_cycles_to_us(child->run_cycles),
		.swapouts = child->swapouts,
	};

	from_usage(&r, &child->usage);
	add(&parent->children, &r);
	add(&parent->children, &child->children); /* U1 */
}

static void
of_caller(struct proc *p, struct ebb_rusage *r)
{
	uint64_t run = p->task->run_cycles + get_cyclecount() - p->task->switched_in_cycles;

	vmspace_note_resident(p->vmspace);
	*r = (struct ebb_rusage){
		.user_us = timer_cycles_to_us(run),
		.swapouts = p->swapouts,
	};
	from_usage(r, &p->vmspace->usage);
}

int64_t
sys_getrusage(struct proc *p, const uint64_t *a)
{
	struct ebb_rusage r;

	if (a[0] > EBB_RUSAGE_CHILDREN)
		return (ERR_INVAL);
	if (a[0] == EBB_RUSAGE_CHILDREN)
		r = p->children;
	else
		of_caller(p, &r);
	return (copyout(&r, a[1], sizeof(r)));
}
