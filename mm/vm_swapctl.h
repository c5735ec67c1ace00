/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap areas added and taken away while programs run, by the name of their device. Public.
 */
#ifndef MM_VM_SWAPCTL_H
#define MM_VM_SWAPCTL_H

#include "lib/err.h"
#include "mm/swap_pager.h"

void vm_swapctl_init(void);
/*
 * Swap to the device called name (a partition made by tools/mkswap, or a RAM disk), or to
 * the file of that name if it begins with '/' (see mm/swap_file.h for its errors), from
 * now on. ERR_NODEV (no such device), ERR_BUSY (is an area already), ERR_NOMEM (no memory
 * in one piece for its records), or what swap_pager_swapon says. May yield.
 */
int vm_swapon(const char *name) ERR_MUST_CHECK;
/* Not any more, see swap_pager_swapoff; *unfit_pages is valid with ERR_NOMEM. ERR_NODEV,
 * ERR_NOENT (is no area). May yield. */
int vm_swapoff(const char *name, uint32_t *unfit_pages) ERR_MUST_CHECK;
/* The device that name (see vm_swapon) stands for, or NULL. May yield. */
struct blkdev *vm_swapctl_find(const char *name);

#endif
