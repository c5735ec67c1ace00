/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vm daemon: once a second, or when asked, every client is held to its limits.
 *
 *   sleep --> swap out who may be (if asked) --> each client: limit, budget --+
 *     ^                                            ^                          |
 *     |                                            +-- above budget, pass < 11 |
 *     +------------------------------------------------------------------------+
 *
 * A limit of resident memory is approached by ageing: a page leaves when it has not
 * been used for some rounds. A budget is enforced step by step: at most a quarter of
 * the program a pass for eight passes, then all that is too much.
 *
 * Owns: the task; vm.daemon.passes.
 * Does not: kill; write pages.
 * Invariants:
 *   B1 at most ATTEMPTS_MAX passes each time it wakes;
 *   B2 a client without limits, in memory, is not touched;
 *   B3 after a call that may yield a client's pid is used to go on, and its vmspace
 *      only until the next yield.
 * Yields: vm_daemon_run.
 * Complexity: a pass is O(clients + pages of those above a limit).
 * See: contract 1.11. Quirk Q7: the reference never forgets within one wakeup that
 *   somebody was above his budget, so one such program costs 11 passes over all
 *   (vm.daemon_retry_all = 1). By default only who is above is looked at again.
 */
#include "mm/vm_daemon.h"

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_client.h"
#include "mm/vm_request.h"

#define PERIOD_US       1000000u
#define ATTEMPTS_MAX    11u
#define ATTEMPTS_GENTLE 8u

#define NOT_NOW (VM_CLIENT_SYSTEM | VM_CLIENT_EXEC | VM_CLIENT_EXITING | VM_CLIENT_NEW)

/* Pages that it may keep. */
static uint32_t
limit_of(const struct vm_client *client)
{
	if ((client->flags & VM_CLIENT_SWAPPED) != 0)
		return (0);
	return (client->rss_soft_pages < client->rss_hard_pages ? client->rss_soft_pages
								: client->rss_hard_pages);
}

/* Make it fit its budget; true if it is still above what this attempt asks for. */
static bool
account(const struct vm_client *client, uint32_t resident, uint32_t attempt)
{
	uint32_t available = client->budget_pages;

	vm_client_ops->set_usage(client->pid, resident);
	if (resident <= available)
		return (false);
	if (attempt <= ATTEMPTS_GENTLE && available < resident - resident / 4)
		available = resident - resident / 4;
	vm_pageout_map_deactivate_pages(client->vmspace, available);
	resident = vmspace_resident_count(client->vmspace);
	vm_client_ops->set_usage(client->pid, resident);
	return (resident > available);
}

static bool
look_at(const struct vm_client *client, uint32_t attempt)
{
	uint32_t resident = vmspace_resident_count(client->vmspace);
	uint32_t limit = limit_of(client);

	if (attempt > 1 && !mm_params.daemon_retry_all && resident <= client->budget_pages)
		return (false); /* it was not for this one that the pass is made */
	if (resident >= limit)
		vm_pageout_map_deactivate_pages(client->vmspace, limit);
	return (account(client, resident, attempt));
}

/* One pass over all clients; true if somebody is still above his budget. */
static bool
one_pass(uint32_t attempt)
{
	struct vm_client client = { .pid = 0 };
	bool again = false;

	mm_params.daemon_passes++;
	while (vm_client_ops->next(client.pid, &client)) {
		if (client.vmspace != NULL && (client.flags & NOT_NOW) == 0)
			again |= look_at(&client, attempt);
		sched_maybe_yield();
	}
	return (again);
}

void
vm_daemon_run(uint32_t request)
{
	uint32_t attempt = 0;
	bool again = false, above;

	if (vm_client_ops == NULL)
		return;
	if (request != 0)
		vm_swapout_procs(request);
	do {
		above = one_pass(++attempt);
		again = above || (again && mm_params.daemon_retry_all);
	} while (again && attempt < ATTEMPTS_MAX);
}

static void
daemon_main(void *arg)
{
	(void)arg;
	for (;;)
		vm_daemon_run(vm_request_wait(PERIOD_US));
}

int
vm_daemon_start(void)
{
	struct task *t;

	return (task_create(&t, "vmdaemon", PRI_NORMAL, daemon_main, NULL));
}
