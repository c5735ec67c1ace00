/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contents of pages, through the direct map: zero, copy, and when the instruction
 * cache must be told.
 *
 * PGA_EXECSYNC says that the instruction cache agrees with the page's contents. It is
 * absent in a page just allocated, and taken away whenever the contents change by the
 * direct map or may change by a writable mapping. Only a mapping that executes pays for
 * the maintenance, and only once.
 *
 * Owns: PGA_EXECSYNC, together with pmap_enter.
 * Does not: know the cache's line sizes (cpu_sync_icache does).
 * Invariants: X1 an executable mapping is made only of a page with PGA_EXECSYNC.
 * Yields: never.
 * See: mm/pmap.h; Arm ARM B2.4.4 (concurrent modification and execution).
 */
#include "arch/arm64/pmap_var.h"
#include "kern/machdep.h"
#include "kern/usercpu.h"

void
pmap_zero_page(struct vm_page *m)
{
	mmu_zero_page(vm_page_address(m));
	pmap_page_filled(m);
}

void
pmap_copy_page(const struct vm_page *from, struct vm_page *to)
{
	cpu_copy(vm_page_address(to), vm_page_address(from), PAGE_SIZE);
	pmap_page_filled(to);
}

void
pmap_page_filled(struct vm_page *m)
{
	m->aflags &= (uint8_t)~PGA_EXECSYNC;
}

void
pmap_exec_sync(struct vm_page *m)
{
	if ((m->aflags & PGA_EXECSYNC) != 0)
		return;
	cpu_sync_icache(vm_page_address(m), PAGE_SIZE);
	m->aflags |= PGA_EXECSYNC;
}
