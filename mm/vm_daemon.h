/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vm daemon: limits of resident memory, budgets, swapping out whole programs
 * (contract 1.6, 1.7, 1.11). It is asked through mm/vm_request.h.
 */
#ifndef MM_VM_DAEMON_H
#define MM_VM_DAEMON_H

#include "lib/err.h"
#include "mm/vm_map.h"

/* Create the task. Boot time. */
int vm_daemon_start(void) ERR_MUST_CHECK;

/* What the daemon does each time it wakes, request being VM_SWAP_* bits or 0. Public
 * for tests. May yield. */
void vm_daemon_run(uint32_t request);

/* Swap out the clients that request (VM_SWAP_*, not 0) is about. May yield. Not in a
 * build without swapping. */
void vm_swapout_procs(uint32_t request);

/*
 * Age the pages of first and then of the objects behind it that pmap maps, and unmap
 * and deactivate what is unused, until pmap has no more than desired pages resident.
 * The caller owns first's lock and keeps it; a lock of each object behind it is taken
 * and released here. May yield.
 */
void vm_pageout_object_deactivate_pages(struct pmap *pmap, struct vm_object *first,
    uint32_t desired);

/*
 * The same for an address space: its biggest private object first, then all in order
 * of addresses; with desired 0 and nothing wired every mapping goes. Nothing at all
 * if the map is locked. vm is valid until the next yield after the return. May yield.
 */
void vm_pageout_map_deactivate_pages(struct vmspace *vm, uint32_t desired);

#endif
