/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel stacks: slots of address space, each with an unmapped lower half.
 *
 * A stack and its struct task come and go together (kern/machdep.h). Running into
 * the guard is caught by vectors.S (stack pointer) or trap.c (address).
 *
 * Owns: the map of slots in use; the pages under a stack while it exists.
 * Does not: choose what runs on it.
 * Invariants: T1 the pages of a free slot are unmapped on every core. T2 struct
 *   task ends exactly at stack_top; the stack grows down from below it.
 * Yields: never.
 * See: kva.h, kmap.c.
 */
#include <string.h>

#include "arch/arm64/cpu.h"
#include "arch/arm64/kmap.h"
#include "arch/arm64/kva.h"
#include "kern/machdep.h"
#include "kern/task.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "mm/vm_page.h"

#define SLOTS_MAX 2048 /* 64 MiB of address space */
#define STACK_PAGES ((uint32_t)(KSTACK_BYTES / PAGE_SIZE))
#define TASK_BYTES ((sizeof(struct task) + 63) & ~(size_t)63)

static uint64_t slots[BITMAP_WORDS(SLOTS_MAX)];

static uintptr_t
slot_stack(uint32_t slot)
{
	return (KVA_STACKS + slot * KSTACK_SLOT_BYTES + KSTACK_BYTES);
}

static void
unmap(uintptr_t base, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++) {
		struct vm_page *m = PHYS_TO_VM_PAGE(kmap_stack_remove(base + i * PAGE_SIZE));

		vm_page_unwire(m, PQ_NONE);
		vm_page_free(m);
	}
}

static int
map_one(uintptr_t va)
{
	struct vm_page *m = vm_page_alloc(NULL, 0,
	    VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
	int err;

	if (m == NULL)
		return (ERR_NOMEM);
	err = kmap_stack_enter(va, VM_PAGE_TO_PHYS(m));
	if (err != 0) {
		vm_page_unwire(m, PQ_NONE);
		vm_page_free(m);
	}
	return (err);
}

int
cpu_task_prepare(struct task **out, void (*entry)(struct task *t))
{
	uint32_t slot = bitmap_find_clear(slots, SLOTS_MAX, 0);
	struct task *t;
	uintptr_t base;

	if (slot == BITMAP_NONE)
		return (ERR_NOMEM);
	base = slot_stack(slot);
	for (uint32_t i = 0; i < STACK_PAGES; i++)
		if (map_one(base + i * PAGE_SIZE) != 0) {
			unmap(base, i);
			return (ERR_NOMEM);
		}
	bitmap_set(slots, slot);
	t = (struct task *)(base + KSTACK_BYTES - TASK_BYTES);
	memset(t, 0, TASK_BYTES);
	t->md.stack_base = base;
	t->md.stack_top = base + KSTACK_BYTES;
	cpu_context_first(t, entry);
	*out = t;
	return (0);
}

void
cpu_task_release(struct task *t)
{
	uintptr_t base = t->md.stack_base;
	uint32_t slot = (uint32_t)((base - KVA_STACKS) / KSTACK_SLOT_BYTES);

	KASSERT(bitmap_test(slots, slot), "T1: the stack released is one in use");
	KASSERT(t != curtask(), "T3: a task does not release its own stack");
	unmap(base, STACK_PAGES);
	bitmap_clear(slots, slot);
}

bool
kstack_is_guard(uintptr_t va)
{
	extern const char boot_guard_start[], boot_stack_start[];

	if (va >= (uintptr_t)boot_guard_start && va < (uintptr_t)boot_stack_start)
		return (true);
	return (va >= KVA_STACKS && va < KVA_STACKS + SLOTS_MAX * KSTACK_SLOT_BYTES &&
	    (va >> KSTACK_BIT & 1) == 0);
}
