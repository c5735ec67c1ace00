/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests of the pmap on the real MMU: referenced and modified flags, whoever
 * keeps them, and address-space numbers past their rollover.
 *
 * The accesses are copyin and copyout, which use the rights of EL0.
 *
 * Owns: nothing.
 * Does not: test what the model knows better (test/pmap_model).
 * Invariants: none.
 * Yields: all tests.
 * See: test/target/self_flags*.test, mm/pmap.h.
 */
#include <stddef.h>

#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "mm/mm_params.h"
#include "mm/vm_map.h"
#include "mm/vm_page.h"
#include "proc/proc.h"
#include "test/target/selftest.h"

#define ROUNDS 1000u

static struct proc proc;
static vm_offset_t at;
static struct vm_page *page;

static bool
load(void)
{
	char byte;

	return (copyin(at, &byte, 1) == 0);
}

static bool
store(void)
{
	char byte = 7;

	return (copyout(&byte, at, 1) == 0);
}

/* An address space for the calling task with one page in it, written. */
static bool
begin(void)
{
	proc.vmspace = vmspace_alloc(PMAP_USER_MIN, PMAP_USER_MAX);
	EXPECT(proc.vmspace != NULL);
	at = 0x400000;
	EXPECT(vm_map_find(proc.vmspace, &at, PAGE_SIZE, VM_PROT_READ | VM_PROT_WRITE, 0) == 0);
	curtask()->proc = &proc;
	cpu_user_attach(curtask(), &proc.vmspace->pmap, proc.fp_state);
	EXPECT(store());
	page = pmap_extract(&proc.vmspace->pmap, at, VM_PROT_WRITE);
	EXPECT(page != NULL && pmap_is_modified(page));
	return (true);
}

static void
end(void)
{
	cpu_user_attach(curtask(), NULL, NULL);
	curtask()->proc = NULL;
	vmspace_free(proc.vmspace);
}

static bool
referenced_once(uint64_t faults)
{
	uint64_t before;

	EXPECT(pmap_ts_referenced(page) <= 1);
	EXPECT(pmap_ts_referenced(page) == 0 && !pmap_is_referenced(page));
	before = pmap_stats.af_faults;
	EXPECT(load() && load());
	EXPECT(pmap_stats.af_faults - before == faults);
	EXPECT(pmap_is_referenced(page) && pmap_ts_referenced(page) == 1);
	return (true);
}

static bool
modified_once(uint64_t faults)
{
	uint64_t before;

	EXPECT(load());
	pmap_clear_modify(page);
	before = pmap_stats.dirty_faults;
	EXPECT(load() && !pmap_is_modified(page));
	EXPECT(store() && store() && pmap_is_modified(page));
	EXPECT(pmap_stats.dirty_faults - before == faults);
	return (true);
}

/* Unreferenced and clean: a store sets both in one go. */
static bool
both_at_once(uint64_t faults)
{
	uint64_t before;

	pmap_clear_modify(page);
	EXPECT(pmap_ts_referenced(page) == 1);
	before = pmap_stats.af_faults + pmap_stats.dirty_faults;
	EXPECT(store() && pmap_is_modified(page) && pmap_is_referenced(page));
	EXPECT(pmap_stats.af_faults + pmap_stats.dirty_faults - before == faults);
	return (true);
}

static bool
write_protected(void)
{
	uint64_t before = pmap_stats.dirty_faults + pmap_stats.af_faults;

	page->dirty = 0;
	pmap_remove_write(page);
	EXPECT(page->dirty == VM_PAGE_BITS_ALL && !pmap_page_is_write_mapped(page));
	EXPECT(load() && !pmap_is_modified(page));
	EXPECT(store() && pmap_is_modified(page)); /* through vm_fault */
	EXPECT(pmap_stats.dirty_faults + pmap_stats.af_faults == before);
	return (true);
}

static bool
flags(void)
{
	uint64_t faults = pmap_stats.hw_flags == 0;

	for (uint32_t i = 0; i < ROUNDS; i++)
		EXPECT(referenced_once(faults) && modified_once(faults) && both_at_once(faults));
	return (write_protected());
}

bool
selftest_flags(void)
{
	bool good = begin() && flags();

	end();
	kprintf("flags: kept by %s, %llu access-flag and %llu dirty faults\n",
	    pmap_stats.hw_flags != 0 ? "hardware" : "software",
	    (unsigned long long)pmap_stats.af_faults, (unsigned long long)pmap_stats.dirty_faults);
	return (good && (pmap_stats.hw_flags == 0) == (pmap_stats.af_faults != 0));
}

/* Use up the address-space numbers with spaces that live for a moment each; between
 * them this task's own must keep its contents, and theirs must stay apart. */
static bool
use_up_asids(void)
{
	static struct pmap passing;
	uint64_t before = pmap_stats.asid_rollovers;
	char byte = 0;

	for (uint32_t i = 0; pmap_stats.asid_rollovers < before + 2; i++) {
		EXPECT(i < 3u << 16);
		EXPECT(pmap_pinit(&passing) == 0);
		cpu_user_attach(curtask(), &passing, proc.fp_state);
		EXPECT(pmap_fault(&passing, at, VM_PROT_READ) == ERR_FAULT);
		cpu_user_attach(curtask(), NULL, NULL);
		pmap_release(&passing);
		if (i % 1024 != 0)
			continue;
		cpu_user_attach(curtask(), &proc.vmspace->pmap, proc.fp_state);
		EXPECT(copyin(at, &byte, 1) == 0 && byte == 7);
		sched_yield();
	}
	cpu_user_attach(curtask(), &proc.vmspace->pmap, proc.fp_state);
	EXPECT(copyin(at, &byte, 1) == 0 && byte == 7);
	return (true);
}

bool
selftest_asids(void)
{
	bool good = begin() && use_up_asids();

	end();
	return (good);
}
