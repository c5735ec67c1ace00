/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapon, swapoff.
 *
 *   swapon md0     pages may go there from now on
 *   swapon md0 5   ... before they go to areas of a lesser priority; also for one in use
 *   swapon /swap.bin   a file that lies in one piece, with a header by tools/mkswap
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

/* Of an area that is in use already, too. */
static bool
set_priority(const char *name, int64_t priority)
{
	const struct blkdev *dev = vm_swapctl_find(name);

	return (dev != NULL && swap_pager_set_priority(dev, (int32_t)priority) == 0);
}

void
cmd_swapon(const struct monitor_call *call)
{
	int64_t priority = 0;
	int error;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a device");
		return;
	}
	if (call->argc > 2 && !monitor_number(call, 2, -1000, 1000, &priority))
		return;
	error = vm_swapon(call->argv[1]);
	if (error == ERR_BUSY && call->argc > 2 && set_priority(call->argv[1], priority))
		return;
	if (error == 0)
		(void)set_priority(call->argv[1], priority);
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
