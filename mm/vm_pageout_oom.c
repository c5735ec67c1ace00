/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory: the vote of the domains, and the choice of a victim.
 *
 *   no progress on RAM and swap      all domains voted      largest client
 *   -------------------------> vote ------------------> oom ---------------> killed
 *   relief: the vote is withdrawn                            a dying client is awaited
 *
 * Owns: oom_voted of every domain, vm_client_ops.
 * Does not: end a program (proc does, through vm_client_ops).
 * Invariants:
 *   Y1 a kill needs the votes of all domains, and uses up the last one's;
 *   Y2 no yield lies between looking at the clients and the kill;
 *   Y3 while a killed client still gives back its memory, no other one is chosen, for
 *      at most VICTIM_WAIT_US.
 * Yields: vm_pageout_oom, when it prints, after the kill.
 * Complexity: O(clients * map entries).
 * See: contract 1.9. Its rules by pid (1, below 48) name system processes of another
 *   system: here VM_CLIENT_SYSTEM says so. A program in its first exec needs no memory
 *   that would have to be taken from somebody for long: what it executes is mapped, not read.
 */
#include "kern/console.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "mm/swap_pager.h"
#include "mm/vm_client.h"
#include "mm/vm_pageout.h"

#define SWAP_LEFT_PAGES 64u
#define VICTIM_WAIT_US  10000000u
#define KIB_PER_PAGE    (PAGE_SIZE / 1024)

/* In the contract's words: lock busy; not normal; in exec, protected, system; killed; a
 * thread that is neither runnable, running nor asleep (only one that ends is). */
#define NEVER                                                                  \
	(VM_CLIENT_LOCKED | VM_CLIENT_NEW | VM_CLIENT_EXEC | VM_CLIENT_PROTECTED | \
	    VM_CLIENT_SYSTEM | VM_CLIENT_KILLED | VM_CLIENT_EXITING)

struct victim {
	struct vm_client client;
	uint32_t size;     /* pages, as the contract counts; 0 = none found */
	uint32_t resident; /* pages */
	uint32_t swapped;
};

const struct vm_client_ops *vm_client_ops;

static uint32_t waiting_for_pid;  /* a dying client; 0 = none */
static uint64_t waiting_since_us; /* for that one */

/* ---- vote */

static bool
all_voted(void)
{
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		if (!vm_domains[i].oom_voted)
			return (false);
	return (true);
}

static bool
starving(const struct vm_domain *vmd)
{
	if (swap_pager_avail() < SWAP_LEFT_PAGES && vm_page_count_min(vmd))
		return (true);
	return (swap_pager_full() && vm_paging_target(vmd) > 0);
}

void
vm_pageout_mightbe_oom(struct vm_domain *vmd, uint32_t pass)
{
	if (pass <= 1 || !starving(vmd)) {
		vmd->oom_voted = false;
		return;
	}
	if (vmd->oom_voted)
		return;
	vmd->oom_voted = true;
	if (!all_voted())
		return;
	vm_pageout_oom(VM_OOM_MEM);
	vmd->oom_voted = false;
}

/* ---- victim */

/* Y3: is memory on its way already? */
static bool
await_dying(void)
{
	struct vm_client client = { .pid = 0 };
	uint64_t now = timer_now_us();

	while (vm_client_ops->next(client.pid, &client)) {
		if ((client.flags & VM_CLIENT_KILLED) == 0)
			continue;
		if (client.pid != waiting_for_pid) {
			waiting_for_pid = client.pid;
			waiting_since_us = now;
		}
		return (now - waiting_since_us < VICTIM_WAIT_US);
	}
	waiting_for_pid = 0;
	return (false);
}

/* May it be chosen? Asked in the contract's order. */
static bool
is_eligible(const struct vm_client *client)
{
	if ((client->flags & NEVER) != 0 || client->vmspace == NULL)
		return (false);
	if (!sleep_lock_try(&client->vmspace->map.lock))
		return (false);
	sleep_lock_release(&client->vmspace->map.lock); /* Y2: it stays as it is */
	return (true);
}

/* Pages of swap, of each entry its share of the object's, and one. */
static uint32_t
swap_blocks(struct vmspace *vm)
{
	const struct vm_object *object;
	struct vm_map_entry *entry = NULL;
	uint64_t blocks = 0;

	while ((entry = vm_map_next(&vm->map, entry)) != NULL) {
		object = entry->object;
		if ((entry->flags & MAP_ENTRY_SUBMAP) != 0 || object == NULL ||
		    object->swap_count == 0)
			continue;
		blocks += object->swap_count * atop(entry->end - entry->start) /
		    object->size_pages + 1;
	}
	return ((uint32_t)blocks);
}

/* The strictly largest eligible client. */
static void
choose(int shortage, struct victim *best)
{
	struct vm_client client = { .pid = 0 };
	uint32_t resident, size;

	while (vm_client_ops->next(client.pid, &client)) {
		if (!is_eligible(&client))
			continue;
		resident = vmspace_resident_count(client.vmspace);
		size = swap_blocks(client.vmspace) + (shortage == VM_OOM_MEM ? resident : 0);
		if (size > best->size)
			*best = (struct victim){ client, size, resident,
				vmspace_swap_count(client.vmspace) };
	}
}

/* The name is used before the line can yield. */
static void
report(const struct victim *v)
{
	uint32_t total = swap_pager_total(), avail = swap_pager_avail();

	kprintf("out of memory: %s (pid %u) killed: it had %u KiB in memory and %u KiB in swap; "
		"swap has %u of %u KiB free\n", v->client.name, v->client.pid,
	    v->resident * KIB_PER_PAGE, v->swapped * KIB_PER_PAGE, avail * KIB_PER_PAGE,
	    total * KIB_PER_PAGE);
}

void
vm_pageout_oom(int shortage)
{
	struct victim victim = { .size = 0 };
	uint32_t i;

	if (vm_client_ops == NULL || await_dying())
		return;
	choose(shortage, &victim);
	if (victim.size == 0)
		return;
	trace(TRACE_OOM, victim.client.pid, victim.size, 0);
	mm_params.v_oom_kills++;
	waiting_for_pid = victim.client.pid;
	waiting_since_us = timer_now_us();
	vm_client_ops->kill(victim.client.pid, "out of memory and swap");
	for (i = 0; i < vm_domain_count; i++)
		vm_meter_wake_waiters(&vm_domains[i]);
	report(&victim);
}
