/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm with a swap disk, for tests.
 *
 * Owns: the disk, the memory of swap records, frames taken away, the client table.
 * Does not: start the page daemon.
 * Invariants: none of its own.
 * Yields: sim_swap_store, sim_swap_verify, sim_swap_settle; the boot, for swapon.
 * See: test/host/sim_swap.h.
 */
#include "test/host/sim_swap.h"

#include <stdlib.h>
#include <string.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_swapctl.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"

#define RECORD_AREAS 4u
#define TAKEN_MAX    4096u

struct sim_disk sim_swap_disk;
uint32_t sim_swap_align_blocks, sim_swap_erase_blocks;
struct vm_client sim_clients[SIM_CLIENTS_MAX];
uint32_t sim_client_count;
uint32_t sim_killed_pids[SIM_CLIENTS_MAX], sim_kill_count;
struct sim_usage sim_usages[SIM_USAGES_MAX];
uint32_t sim_usage_count;

static void *records[RECORD_AREAS];
static uint32_t record_count;
static struct vm_page *taken[TAKEN_MAX];
static uint32_t taken_count;

/* ---- clients */

static bool
client_next(uint32_t after_pid, struct vm_client *out)
{
	uint32_t i;

	for (i = 0; i < sim_client_count; i++) {
		if (sim_clients[i].pid > after_pid) {
			*out = sim_clients[i];
			return (true);
		}
	}
	return (false);
}

static void
client_kill(uint32_t pid, const char *reason)
{
	uint32_t i;

	(void)reason;
	for (i = 0; i < sim_client_count; i++) {
		if (sim_clients[i].pid != pid)
			continue;
		sim_clients[i].flags |= VM_CLIENT_KILLED;
		sim_clients[i].vmspace->killed = true;
	}
	sim_killed_pids[sim_kill_count++] = pid;
}

static void
client_set_usage(uint32_t pid, uint32_t resident_pages)
{
	if (sim_usage_count == SIM_USAGES_MAX)
		return;
	sim_usages[sim_usage_count++] = (struct sim_usage){ pid, resident_pages };
}

static bool
client_swap_out(uint32_t pid)
{
	uint32_t i;

	for (i = 0; i < sim_client_count; i++)
		if (sim_clients[i].pid == pid)
			sim_clients[i].flags |= VM_CLIENT_SWAPPED;
	return (true);
}

static const struct vm_client_ops client_ops = {
	.next = client_next,
	.kill = client_kill,
	.set_usage = client_set_usage,
	.swap_out = client_swap_out,
};

struct vm_client *
sim_client_add(uint32_t pid, uint32_t pages, uint32_t flags)
{
	struct vm_client *client = &sim_clients[sim_client_count++];
	uint32_t i;
	int error;

	*client = (struct vm_client){ .pid = pid, .name = "client", .flags = flags,
		.vmspace = sim_swap_space(pages == 0 ? 1 : pages),
		.rss_soft_pages = VM_CLIENT_NO_LIMIT, .rss_hard_pages = VM_CLIENT_NO_LIMIT,
		.budget_pages = VM_CLIENT_NO_LIMIT };
	for (i = 0; i < pages; i++) {
		error = sim_swap_store(client->vmspace, i, pid);
		KASSERT(error == 0, "a client's page can be written");
	}
	return (client);
}

/* ---- boot */

void
sim_swap_add(struct sim_disk *disk, const char *name, uint32_t slots)
{
	vm_size_t bytes = swap_pager_record_bytes(slots);
	int error;

	sim_disk_open(disk, name, (uint64_t)slots * (PAGE_SIZE / SIM_DISK_BLOCK_BYTES));
	disk->latency_us = 200;
	disk->dev.align_blocks = sim_swap_align_blocks;
	disk->dev.erase_blocks = sim_swap_erase_blocks;
	free(records[record_count]);
	records[record_count] = aligned_alloc(64, (bytes + 63) & ~(vm_size_t)63);
	error = swap_pager_swapon(&disk->dev, records[record_count], bytes, false);
	KASSERT(error == 0, "swapon succeeds");
	record_count++;
}

void
sim_swap_boot(uint32_t frames, uint32_t slots)
{
	sim_mm_boot(frames);
	swap_pager_init();
	vm_swapctl_init();
	record_count = taken_count = sim_client_count = sim_kill_count = sim_usage_count = 0;
	vm_client_ops = &client_ops;
	if (slots != 0)
		sim_swap_add(&sim_swap_disk, "swap0", slots);
}

struct vmspace *
sim_swap_space(uint32_t pages)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	vm_offset_t va = SIM_SWAP_BASE;
	int error;

	KASSERT(vm != NULL, "there is memory for an address space");
	error = vm_map_find(vm, &va, (vm_size_t)pages * PAGE_SIZE, VM_PROT_READ | VM_PROT_WRITE,
	    0);
	KASSERT(error == 0, "there is memory for a mapping");
	return (vm);
}

struct vm_object *
sim_swap_object(struct vmspace *vm)
{
	return (vm_map_lookup_entry(&vm->map, SIM_SWAP_BASE)->object);
}

/* ---- pages */

static uint32_t
pattern_word(uint32_t tag, vm_pindex_t pindex, uint32_t i)
{
	return (tag * 0x9e3779b1u ^ pindex * 0x85ebca6bu ^ i * 0xc2b2ae35u);
}

static void
pattern_fill(uint32_t *words, uint32_t tag, vm_pindex_t pindex)
{
	for (uint32_t i = 0; i < PAGE_SIZE / 4; i++)
		words[i] = pattern_word(tag, pindex, i);
}

static bool
pattern_check(const uint32_t *words, uint32_t tag, vm_pindex_t pindex)
{
	for (uint32_t i = 0; i < PAGE_SIZE / 4; i++)
		if (words[i] != pattern_word(tag, pindex, i))
			return (false);
	return (true);
}

struct vm_page *
sim_swap_page(struct vm_object *object, vm_pindex_t pindex, uint8_t queue, bool dirty)
{
	struct vm_page *m = vm_page_alloc(object, pindex, VM_ALLOC_SYSTEM | VM_ALLOC_NOBUSY);

	KASSERT(m != NULL, "there is a frame for the test");
	pattern_fill(vm_page_address(m), object->id, pindex);
	m->valid = VM_PAGE_BITS_ALL;
	m->dirty = dirty ? VM_PAGE_BITS_ALL : 0;
	if (queue == PQ_ACTIVE)
		vm_page_activate(m);
	else if (queue == PQ_INACTIVE)
		vm_page_deactivate(m);
	return (m);
}

void
sim_swap_dirty_run(struct vm_object *object, vm_pindex_t first, vm_pindex_t end)
{
	for (; first < end; first++)
		sim_swap_page(object, first, PQ_INACTIVE, true);
}

bool
sim_swap_pattern_holds(const struct vm_page *m, uint32_t object_id, vm_pindex_t pindex)
{
	return (pattern_check(vm_page_address(m), object_id, pindex));
}

int
sim_swap_store(struct vmspace *vm, uint32_t page, uint32_t tag)
{
	uint32_t words[PAGE_SIZE / 4];

	pattern_fill(words, tag, page);
	return (sim_store(vm, SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE, words, PAGE_SIZE));
}

int
sim_swap_verify(struct vmspace *vm, uint32_t page, uint32_t tag)
{
	uint32_t words[PAGE_SIZE / 4];
	int error = sim_load(vm, SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE, words, PAGE_SIZE);

	if (error == 0 && !pattern_check(words, tag, page))
		error = ERR_CORRUPT;
	return (error);
}

void
sim_swap_launder(struct vm_object *object, vm_pindex_t first, vm_pindex_t end)
{
	struct vm_page *m;
	vm_pindex_t i;

	for (i = first; i < end; i++) {
		m = vm_page_lookup(object, i);
		vm_page_deactivate(m);
		vm_page_test_dirty(m);
	}
	for (i = first; i < end; i++) {
		uint32_t written = 1;

		m = vm_page_lookup(object, i);
		if (m->dirty != 0 && !vm_page_busied(m))
			written = vm_pageout_clean(m);
		KASSERT(written > 0, "there is room in swap");
	}
}

void
sim_swap_evict(struct vm_object *object, vm_pindex_t first, vm_pindex_t end)
{
	bool freed;

	sim_swap_launder(object, first, end);
	sim_swap_settle(object);
	for (; first < end; first++) {
		freed = vm_pageout_try_free(vm_page_lookup(object, first));
		KASSERT(freed, "a page that was written can go");
	}
}

void
sim_swap_settle(struct vm_object *object)
{
	vm_object_pip_wait(object);
}

void
sim_swap_leave_free(uint32_t count)
{
	struct vm_page *m;

	while (taken_count > 0 && vm_meter_free(&vm_domains[0]) < count) {
		m = taken[--taken_count];
		vm_page_unwire(m, PQ_NONE);
		vm_page_free(m);
	}
	while (vm_meter_free(&vm_domains[0]) > count) {
		m = vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY |
		    VM_ALLOC_WIRED);
		KASSERT(m != NULL && taken_count < TAKEN_MAX, "frames can be taken away");
		taken[taken_count++] = m;
	}
}

void
sim_swap_be_pagedaemon(void)
{
	vm_domains[0].worker = curtask();
}
