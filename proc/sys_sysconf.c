/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call that tells a program what it runs on.
 *
 * Owns: nothing.
 * Does not: change anything.
 * Invariants:
 *   none
 * Yields: never.
 * See: lib/ebb_abi.h.
 */
#include "mm/vm_meter.h"
#include "proc/proc_internal.h"

static int64_t
pool_pages(bool available)
{
	int64_t pages = 0;
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		pages += available ? vm_meter_free(&vm_domains[i]) : vm_domains[i].v_page_count;
	return (pages);
}

int64_t
sys_sysconf(struct proc *p, const uint64_t *a)
{
	(void)p;
	switch (a[0]) {
	case EBB_SC_PAGESIZE:
		return (PAGE_SIZE);
	case EBB_SC_PHYS_PAGES:
		return (pool_pages(false));
	case EBB_SC_AVPHYS_PAGES:
		return (pool_pages(true));
	case EBB_SC_OPEN_MAX:
		return (PROC_FILES_MAX);
	case EBB_SC_ARG_MAX:
		return (PROC_ARG_BYTES);
	case EBB_SC_NPROCESSORS:
		return (1);
	default:
		return (ERR_INVAL);
	}
}
