/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swapping out whole programs: who sleeps long enough, and safely.
 *
 * Here a client is only marked. The vm daemon, which calls this, then holds it to a
 * limit of 0 pages, so that all its mappings go and its pages age; the page daemon
 * writes them when it needs their frames. The program's next run takes the mark off,
 * and it comes back by page faults. Its kernel stack and struct proc stay: they are
 * a few wired pages of the pool.
 *
 * Owns: vm.stats.vm.v_swapped_out.
 * Does not: unmap anything.
 * Invariants: none of its own.
 * Yields: vm_swapout_procs, between two clients.
 * Complexity: O(clients squared), as the list is begun anew after each success.
 * See: contract 1.11; mm/vm_client.h.
 */
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_client.h"
#include "mm/vm_daemon.h"
#include "mm/vm_request.h"

#ifndef NO_SWAPPING

#define NEVER (VM_CLIENT_NEW | VM_CLIENT_SYSTEM | VM_CLIENT_TRACED | VM_CLIENT_EXEC | \
	VM_CLIENT_EXITING | VM_CLIENT_KILLED | VM_CLIENT_LOCKED | VM_CLIENT_REALTIME | \
	VM_CLIENT_SWAPPED | VM_CLIENT_UNSAFE)

/* Times are whole seconds, as the reference counts them: IDLE needs more than the
 * second threshold. */
static bool
eligible(const struct vm_client *client, uint32_t request)
{
	int64_t asleep_s = (int64_t)(client->asleep_us / 1000000u);

	if ((client->flags & NEVER) != 0 || asleep_s < mm_params.swap_idle_threshold1)
		return (false);
	if ((request & VM_SWAP_NORMAL) != 0)
		return (true);
	return ((request & VM_SWAP_IDLE) != 0 && asleep_s > mm_params.swap_idle_threshold2);
}

/* True if it has been swapped out. A map that is locked is being worked on. */
static bool
swap_out(const struct vm_client *client, uint32_t request)
{
	bool done;

	if (client->vmspace == NULL || !sleep_lock_try(&client->vmspace->map.lock))
		return (false);
	done = eligible(client, request) && vm_client_ops->swap_out(client->pid);
	sleep_lock_release(&client->vmspace->map.lock);
	return (done);
}

void
vm_swapout_procs(uint32_t request)
{
	struct vm_client client = { .pid = 0 };

	while (vm_client_ops->next(client.pid, &client)) {
		if (swap_out(&client, request)) {
			mm_params.v_swapped_out++;
			client.pid = 0; /* begin anew */
		}
		sched_maybe_yield();
	}
}

#else

void
vm_swapout_procs(uint32_t request)
{
	(void)request;
}

#endif
