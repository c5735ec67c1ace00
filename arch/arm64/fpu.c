/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FP/SIMD registers of programs, switched lazily.
 *
 * The kernel uses none. A program that touches one without access traps; then the
 * registers of whoever had them go to that program's store and its own come in. A
 * switch between programs that do not compute with FP so costs nothing.
 *
 * Owns: whose values the FP registers hold; CPACR_EL1.
 * Does not: touch an FP register itself (fp.S does).
 * Invariants: F1 access is open exactly while the running program owns the
 *   registers. F2 the owner has an fp_state to save them to.
 * Yields: never; called with interrupts masked.
 * See: Arm ARM DDI0487 D17.2.34 (CPACR_EL1.FPEN).
 */
#include <stddef.h>

#include "arch/arm64/cpu.h"
#include "kern/machdep.h"
#include "kern/task.h"
#include "lib/assert.h"

#define CPACR_FPEN (3ull << 20)

void cpu_fp_save(void *state);
void cpu_fp_restore(const void *state);

static struct task *owner;
static bool open;

static void
access_set(bool allow)
{
	if (open == allow)
		return;
	open = allow;
	__asm__ volatile("msr cpacr_el1, %0\n\tisb" :: "r"(allow ? CPACR_FPEN : 0) : "memory");
}

void
fpu_switch(struct task *t)
{
	access_set(t == owner);
}

void
fpu_detach(struct task *t)
{
	if (owner != t)
		return;
	owner = NULL;
	access_set(false);
}

bool
fpu_trap(void)
{
	struct task *t = curtask();

	if (t->md.fp_state == NULL || open)
		return (false);
	access_set(true);
	if (owner != NULL && owner != t) {
		KASSERT(owner->md.fp_state != NULL, "F2: the owner's registers have a store");
		cpu_fp_save(owner->md.fp_state);
	}
	if (owner != t)
		cpu_fp_restore(t->md.fp_state);
	owner = t;
	return (true);
}

void
fpu_save(struct task *t)
{
	if (owner == t && open)
		cpu_fp_save(t->md.fp_state);
}
