/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks on the core: switching, idling, entering and leaving programs.
 *
 * Owns: when which pmap becomes active on the core (pmap_activate does nothing when
 *   it is already).
 * Does not: choose the next task (kern/sched.c).
 * Invariants: U1 a task with a program runs with its pmap active; a kernel task runs
 *   with whichever was active last and touches no user memory. U2 a task detaches its
 *   pmap itself, before the pmap is released.
 * Yields: cpu_switch is how others yield; the rest never.
 * See: kern/machdep.h, kern/usercpu.h.
 */
#include "arch/arm64/cpu.h"

#include <machine/trapframe.h>
#include <string.h>

#include "arch/arm64/esr.h"
#include "arch/arm64/task_offsets.h"
#include "kern/machdep.h"
#include "kern/task.h"
#include "kern/usercpu.h"
#include "lib/assert.h"
#include "mm/pmap.h"

#define SPSR_EL0_A64 0x0ull
#define SPSR_THUMB   0x20ull

_Static_assert(offsetof(struct task, ast_pending) == TASK_AST_PENDING, "vectors.S");

void switch_context(uint64_t *save, const uint64_t *load);
_Noreturn void user_enter(const struct trapframe *from, void *top);
_Noreturn void user_resume(struct trapframe *frame);
extern const char switch_first[];

void
cpu_context_first(struct task *t, void (*entry)(struct task *t))
{
	t->md.regs[0] = (uintptr_t)entry;
	t->md.regs[1] = (uintptr_t)t;
	t->md.regs[11] = (uintptr_t)switch_first;
	t->md.regs[12] = (uintptr_t)t & ~(uintptr_t)15;
}

void
cpu_switch(struct task *from, struct task *to)
{
	if (from->md.pmap != NULL)
		__asm__ volatile("mrs %0, tpidr_el0" : "=r"(from->md.tpidr_el0));
	if (to->md.pmap != NULL) {
		pmap_activate(to->md.pmap);
		fpu_switch(to);
		__asm__ volatile("msr tpidr_el0, %0\n\tmsr tpidrro_el0, %1" ::
		    "r"(to->md.tpidr_el0), "r"(to->md.tpidrro_el0));
	}
	curtask_set(to);
	switch_context(from->md.regs, to->md.regs);
}

void
cpu_idle(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

void
cpu_user_attach(struct task *t, struct pmap *pmap, void *fp_state)
{
	uint64_t saved = intr_disable();

	KASSERT(pmap == NULL || fp_state != NULL, "U3: a program has room for its FP state");
	KASSERT(pmap != NULL || t == curtask(), "U2: a task detaches its pmap itself");
	if (fp_state != t->md.fp_state)
		fpu_detach(t);
	t->md.pmap = pmap;
	t->md.fp_state = fp_state;
	t->md.tpidr_el0 = t->md.tpidrro_el0 = 0;
	if (t == curtask()) {
		pmap_activate(pmap);
		fpu_switch(t);
		__asm__ volatile("msr tpidr_el0, xzr\n\tmsr tpidrro_el0, xzr");
	}
	intr_restore(saved);
}

void
cpu_user_move(struct pmap *pmap)
{
	uint64_t saved = intr_disable();

	curtask()->md.pmap = pmap;
	pmap_activate(pmap);
	intr_restore(saved);
}

/* Where the registers of t's program are while it is in the kernel: vectors.S. */
static struct trapframe *
user_frame(struct task *t)
{
	return ((struct trapframe *)((uintptr_t)t & ~(uintptr_t)15) - 1);
}

void
cpu_user_fork(struct task *child)
{
	struct task *parent = curtask();
	struct trapframe *frame = user_frame(child);
	uint64_t saved = intr_disable();

	KASSERT(parent->md.pmap != NULL && child->md.pmap != NULL,
	    "U1: a task with a program has its pmap");
	*frame = *user_frame(parent);
	frame->x[0] = 0;
	if ((frame->spsr & SPSR_AARCH32) != 0)
		frame->x[1] = 0; /* the result's upper half */
	child->md.regs[12] = (uintptr_t)frame; /* its first stack pointer: below the frame */
	fpu_save(parent);
	memcpy(child->md.fp_state, parent->md.fp_state, CPU_FP_STATE_BYTES);
	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(child->md.tpidr_el0));
	child->md.tpidrro_el0 = parent->md.tpidrro_el0;
	intr_restore(saved);
}

void
cpu_user_set_tls(uint64_t value)
{
	uint64_t saved = intr_disable();

	curtask()->md.tpidrro_el0 = value;
	__asm__ volatile("msr tpidrro_el0, %0" :: "r"(value));
	intr_restore(saved);
}

void
cpu_user_resume(void)
{
	(void)intr_disable();
	user_resume(user_frame(curtask()));
}

void
cpu_user_enter(const struct cpu_user_start *start)
{
	struct task *t = curtask();
	struct trapframe frame;

	KASSERT(t->md.pmap != NULL, "U1: a task with a program has its pmap");
	memset(&frame, 0, sizeof(frame));
	memcpy(frame.x, start->args, sizeof(start->args));
	frame.elr = start->pc;
	frame.sp = start->sp;
	frame.spsr = SPSR_EL0_A64;
	if (start->aarch32) {
		frame.spsr = SPSR_AARCH32 | ((start->pc & 1) != 0 ? SPSR_THUMB : 0);
		frame.elr &= ~1ull;
		frame.x[13] = start->sp;
	}
	(void)intr_disable();
	user_enter(&frame, (void *)((uintptr_t)t & ~(uintptr_t)15));
}
