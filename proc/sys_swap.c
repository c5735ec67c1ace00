/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls swapon and swapoff: by the name of a device, as the monitor's commands.
 *
 * There are no users, so every program may.
 *
 * Owns: nothing.
 * Does not: know areas (mm/vm_swapctl.h).
 * Invariants: none of its own.
 * Yields: both.
 * See: lib/ebb_abi.h.
 */
#include "kern/usercpu.h"
#include "mm/vm_swapctl.h"
#include "proc/proc_internal.h"

#define NAME_BYTES 64

int64_t
sys_swapon(struct proc *p, const uint64_t *a)
{
	char name[NAME_BYTES];
	int error = copyinstr(a[0], name, sizeof(name));

	(void)p;
	return (error == 0 ? vm_swapon(name) : error);
}

int64_t
sys_swapoff(struct proc *p, const uint64_t *a)
{
	char name[NAME_BYTES];
	uint32_t unfit_pages;
	int error = copyinstr(a[0], name, sizeof(name));

	(void)p;
	return (error == 0 ? vm_swapoff(name, &unfit_pages) : error);
}
