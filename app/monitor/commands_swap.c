/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapon, swapoff.
 *
 *   swapon md0     pages may go there from now on
 *   swapoff sd0s2  everything in it comes into memory or goes to other areas; or it is
 *                  refused, with the number of pages that do not fit
 *
 * Owns: nothing. Does not: move pages (mm/swap_pager_off.c).
 *
 * Invariants: none.
 * Yields: both.
 * See: mm/vm_swapctl.h.
 */
#include <stddef.h>

#include "app/monitor/commands.h"
#include "kern/console.h"
#include "mm/vm_swapctl.h"

static void
names_expected(const struct monitor_call *call)
{
	struct blkdev *dev = NULL;

	kprintf("%s: no device is called %.32s; there are:", call->command->name,
	    call->argv[1]);
	while ((dev = blk_next_device(dev)) != NULL)
		kprintf(" %s", dev->name);
	kprintf("\n");
}

void
cmd_swapon(const struct monitor_call *call)
{
	int error;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a device");
		return;
	}
	error = vm_swapon(call->argv[1]);
	if (error == ERR_NODEV)
		names_expected(call);
	else if (error != 0)
		kprintf("swapon: %s: %s\n", call->argv[1], err_string(error));
	else
		kprintf("swapon: %s: %u pages free in all swap areas\n", call->argv[1],
		    swap_pager_avail());
}

void
cmd_swapoff(const struct monitor_call *call)
{
	uint32_t unfit_pages;
	int error;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a swap area's device");
		return;
	}
	error = vm_swapoff(call->argv[1], &unfit_pages);
	if (error == ERR_NODEV)
		names_expected(call);
	else if (error == ERR_NOENT)
		kprintf("swapoff: %s is no swap area\n", call->argv[1]);
	else if (error != 0)
		kprintf("swapoff: %s: %s\n", call->argv[1], err_string(error));
	else
		kprintf("swapoff: %s: done\n", call->argv[1]);
}
