/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an exception means, and who deals with it.
 *
 *   EL0 abort:  pmap_fault (emulated flag: done) -> vm_fault -> proc_user_fault
 *   EL0 FP:     fpu_trap (lazy switch)           -> proc_user_fault
 *   EL0 other:  proc_user_fault
 *   EL1 abort on a user address inside usercopy: pmap_fault -> vm_fault -> fix-up
 *   EL1 other:  panic
 *
 * System calls of AArch64 programs do not come here (vectors.S).
 *
 * Owns: nothing.
 * Does not: print for programs or end them (proc does).
 * Invariants: R1 interrupts stay masked until ESR and FAR are in variables: a second
 *   exception overwrites the registers. R2 every function returns with interrupts
 *   masked, as vectors.S expects. R3 the kernel's own exceptions are never resolved
 *   outside [usercopy_start, usercopy_end). R4 user copies run with interrupts on,
 *   because they may sleep. R5 with interrupts, SErrors are let in: a write that a bus
 *   refuses is told where it happened, not when a program runs next.
 * Yields: trap_el0_sync and trap_el1_sync may (vm_fault, system calls).
 * See: vectors.S, kern/usercpu.h, mm/vm_fault.h, proc/trap_hooks.h.
 */
#include <machine/trapframe.h>

#include "arch/arm64/cpu.h"
#include "arch/arm64/esr.h"
#include "arch/arm64/kva.h"
#include "kern/irq.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "lib/assert.h"
#include "mm/pmap.h"
#include "mm/vm_fault.h"
#include "proc/trap_hooks.h"

void trap_el0_sync(struct trapframe *tf, uint64_t esr, uint64_t far);
int trap_el0_flag(uint64_t far, uint64_t esr);
void trap_el1_sync(struct trapframe *tf);
void trap_irq(void);
_Noreturn void trap_unexpected(struct trapframe *tf, uint64_t vector);
_Noreturn void trap_stack_overflow(struct trapframe *tf);

extern const char usercopy_start[], usercopy_end[], usercopy_fixup[];

static inline void
interrupts_on(void)
{
	__asm__ volatile("msr daifclr, #6" ::: "memory");
}

static inline void
interrupts_off(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

/* The right that the aborted access needs. Cache maintenance counts as a write in
 * WnR, but needs only to read. */
static vm_prot_t
abort_access(uint64_t esr)
{
	if (esr_class(esr) == EC_IABT_EL0)
		return (VM_PROT_EXECUTE);
	return ((esr & (ESR_WNR | ESR_CM)) == ESR_WNR ? VM_PROT_WRITE : VM_PROT_READ);
}

static const char *
abort_cause(uint64_t esr, vm_prot_t access, int error)
{
	if (error == ERR_IO || error == ERR_CORRUPT)
		return ("page could not be read back");
	if (esr_mmu_fault(esr) == 0)
		return (esr_status_name(esr_status(esr)));
	if (access == VM_PROT_EXECUTE)
		return ("jump to an address that is not executable");
	return (access == VM_PROT_WRITE ? "write to an address that is not writable"
					: "read from an address that is not readable");
}

/* No good end for the program. Interrupts on. */
static _Noreturn void
user_fault(struct trapframe *tf, uint64_t esr, const char *cause, int error)
{
	struct user_fault fault = {
		.pc = tf->elr, .esr = esr, .cause = cause, .error = error,
	};

	interrupts_on();
	proc_user_fault(&fault);
}

static _Noreturn void
user_abort(struct trapframe *tf, uint64_t esr, uint64_t far, int error)
{
	struct user_fault fault = {
		.pc = tf->elr, .far = far, .esr = esr, .error = error, .has_far = true,
		.cause = abort_cause(esr, abort_access(esr), error),
	};

	interrupts_on();
	proc_user_fault(&fault);
}

/* First look at a data abort whose page may only lack an emulated flag: 0 if so, and
 * it is set. Must stay short: vectors.S (V4). */
int
trap_el0_flag(uint64_t far, uint64_t esr)
{
	return (pmap_fault(curtask()->md.pmap, far, abort_access(esr)));
}

/* An abort on a user address, by the program or for it: 0 when the access may be
 * repeated. Interrupts are masked, and again on return. */
static int
resolve(uint64_t esr, uint64_t far)
{
	vm_prot_t access = abort_access(esr);
	uint32_t kind = esr_mmu_fault(esr);
	int err;

	if (kind == 0 || far >= PMAP_USER_MAX)
		return (ERR_FAULT);
	if (kind != FSC_TRANSLATION && pmap_fault(curtask()->md.pmap, far, access) == 0)
		return (0);
	interrupts_on();
	err = vm_fault(proc_curvmspace(), far, access);
	interrupts_off();
	return (err);
}

/* Everything but aborts. */
static void
el0_other(struct trapframe *tf, uint64_t esr)
{
	uint32_t class = esr_class(esr);
	bool aarch32 = (tf->spsr & SPSR_AARCH32) != 0;
	int64_t result;

	if (class == EC_FP_ACCESS && fpu_trap())
		return;
	if (class == EC_SVC32 && aarch32) {
		interrupts_on();
		result = proc_syscall_aarch32(tf->x[7], tf->x);
		interrupts_off();
		tf->x[0] = (uint32_t)result;
		tf->x[1] = (uint64_t)result >> 32;
		return;
	}
	user_fault(tf, esr, esr_class_name(class), ERR_NOEXEC);
}

void
trap_el0_sync(struct trapframe *tf, uint64_t esr, uint64_t far)
{
	uint32_t class = esr_class(esr);
	int err;

	if (class != EC_DABT_EL0 && class != EC_IABT_EL0) {
		el0_other(tf, esr);
		return;
	}
	err = resolve(esr, far);
	if (err == ERR_KILLED)
		curtask()->ast_pending = true;
	else if (err != 0)
		user_abort(tf, esr, far, err);
}

/* Inside usercopy: repeat, or continue at the fix-up with the error. */
static void
usercopy_abort(struct trapframe *tf)
{
	int err;

	KASSERT((tf->spsr & DAIF_I) == 0, "R4: user memory is reached with interrupts on");
	err = resolve(tf->esr, tf->far);
	if (err == 0)
		return;
	tf->elr = (uintptr_t)usercopy_fixup;
	tf->x[0] = (uint64_t)(int64_t)err;
}

void
trap_el1_sync(struct trapframe *tf)
{
	struct task *t = curtask();
	uint32_t class = esr_class(tf->esr);

	if (class == EC_DABT_EL1 && tf->elr >= (uintptr_t)usercopy_start &&
	    tf->elr < (uintptr_t)usercopy_end && tf->far < PMAP_USER_MAX &&
	    t != NULL && t->md.pmap != NULL) {
		usercopy_abort(tf);
		return;
	}
	if (class == EC_DABT_EL1 && kstack_is_guard(tf->far))
		panic_trap(tf,
		    "kernel stack overflow in task %s: access to its guard page at %#llx",
		    t != NULL ? t->name : "boot", (unsigned long long)tf->far);
	if (esr_is_abort(class))
		panic_trap(tf, "%s: %s %#llx: %s", esr_class_name(class),
		    class == EC_IABT_EL1 ? "execution at" :
		    (tf->esr & ESR_WNR) != 0 ? "write to" : "read from",
		    (unsigned long long)tf->far, esr_status_name(esr_status(tf->esr)));
	panic_trap(tf, "%s in the kernel", esr_class_name(class));
}

void
trap_irq(void)
{
	sched_irq_enter();
	irq_dispatch();
	sched_irq_exit();
}

void
trap_stack_overflow(struct trapframe *tf)
{
	struct task *t = curtask();

	panic_trap(tf, "kernel stack overflow in task %s: stack pointer %#llx in its guard page",
	    t != NULL ? t->name : "boot", (unsigned long long)tf->sp);
}

void
trap_unexpected(struct trapframe *tf, uint64_t vector)
{
	static const char *const kinds[] = { "synchronous exception", "IRQ", "FIQ", "SError" };
	static const char *const sources[] = {
		"the kernel on SP_EL0", "the kernel", "a program", "an AArch32 program",
	};

	panic_trap(tf, "unexpected %s from %s (vector %u)", kinds[vector & 3],
	    sources[vector >> 2 & 3], (unsigned int)vector);
}
