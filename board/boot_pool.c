/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page pool: how large, and how it is divided into memory domains.
 *
 *   domains=N      N equal parts, in the order of addresses
 *   NUMA nodes     one domain for each, as large as its share of free RAM
 *   neither        one domain
 *
 * Owns: nothing after boot.
 * Does not: find RAM (boot_ram.c), set thresholds (vm_meter).
 * Invariants: Z1 each domain has at least VM_POOL_PAGES_MIN pages, or there is only one.
 * Yields: never.
 * See: board/boot_ram.h, kern/bootmem.h, mm/vm_phys.h.
 */
#include "board/boot_ram.h"
#include "kern/bootargs.h"
#include "kern/bootmem.h"
#include "kern/console.h"
#include "kern/panic.h"
#include "lib/assert.h"
#include "mm/vm_meter.h"
#include "mm/vm_phys.h"

/* Without mem= this part of RAM stays outside the pool, for the page array and for
 * records of swap areas, whose size is known only when the disks are. */
#define WIRED_SHARE 32

typedef unsigned long long ull;

/* Pages for the pool: as asked for, within what there is. */
static uint64_t
pool_pages(bool *as_asked)
{
	uint64_t free_bytes = bootmem_free_bytes();
	uint64_t most = (free_bytes - free_bytes / WIRED_SHARE) >> PAGE_SHIFT;
	uint64_t wanted = bootargs.mem_bytes >> PAGE_SHIFT;

	*as_asked = true;
	if (bootargs.mem_bytes == 0)
		return (most);
	if (wanted < VM_POOL_PAGES_MIN) {
		kprintf("boot argument mem=: %llu bytes are too few; the page pool needs at least "
			"mem=%uK\n",
		    (ull)bootargs.mem_bytes, VM_POOL_PAGES_MIN * (PAGE_SIZE / 1024));
		*as_asked = false;
		return (VM_POOL_PAGES_MIN);
	}
	if (wanted > most) {
		kprintf("boot argument mem=: %llu MiB is more than the %llu MiB there are\n",
		    (ull)(bootargs.mem_bytes >> 20), (ull)(most >> (20 - PAGE_SHIFT)));
		*as_asked = false;
		return (most);
	}
	return (wanted);
}

/* Take pages of [pa, end) for domain; how many there were. */
static uint64_t
take(uint64_t pa, uint64_t end, uint64_t pages, uint32_t domain)
{
	struct bootmem_range range;
	uint64_t taken = 0;

	while (taken < pages && bootmem_take_in(pa, end, ptoa(pages - taken), &range) == 0) {
		if (vm_phys_add_segment(range.pa, range.pa + range.bytes, domain) != 0)
			panic_as(LED_PANIC_MEMORY, "page pool: no place for RAM at %#llx",
			    (ull)range.pa);
		taken += range.bytes >> PAGE_SHIFT;
	}
	return (taken);
}

static void
divide(uint64_t pages, uint32_t domains)
{
	uint32_t i;

	for (i = 0; i < domains; i++)
		pages -= take(0, UINT64_MAX, pages / (domains - i), i);
}

/* Free pages of the NUMA node with this id. */
static uint64_t
node_pages(const struct boot_node *nodes, uint32_t count, uint32_t id)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (nodes[i].id == id)
			bytes += bootmem_free_bytes_in(nodes[i].pa, nodes[i].end);
	return (bytes >> PAGE_SHIFT);
}

/* The smallest ids among the nodes, in order, at most VM_DOMAINS_MAX; how many. */
static uint32_t
node_ids(const struct boot_node *nodes, uint32_t count, uint32_t ids[VM_DOMAINS_MAX])
{
	uint64_t least = 0, id;
	uint32_t i, found;

	for (found = 0; found < VM_DOMAINS_MAX; found++, least = id + 1) {
		id = UINT64_MAX;
		for (i = 0; i < count; i++)
			if (nodes[i].id >= least && nodes[i].id < id)
				id = nodes[i].id;
		if (id == UINT64_MAX)
			break;
		ids[found] = (uint32_t)id;
	}
	return (found);
}

static uint64_t
take_node(const struct boot_node *nodes, uint32_t count, uint32_t id, uint64_t pages,
    uint32_t domain)
{
	uint64_t taken = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (nodes[i].id == id)
			taken += take(nodes[i].pa, nodes[i].end, pages - taken, domain);
	return (taken);
}

/* One domain for each NUMA node; false, with nothing done, if they are too small (Z1). */
static bool
divide_by_nodes(uint64_t pages)
{
	uint32_t ids[VM_DOMAINS_MAX], count, domains, i;
	const struct boot_node *nodes = boot_nodes(&count);
	uint64_t share[VM_DOMAINS_MAX], total = 0, left = pages;

	domains = node_ids(nodes, count, ids);
	for (i = 0; i < domains; i++)
		total += share[i] = node_pages(nodes, count, ids[i]);
	for (i = 0; i < domains; i++) {
		share[i] = i == domains - 1 ? left : share[i] * pages / total;
		left -= share[i];
		if (share[i] < VM_POOL_PAGES_MIN)
			return (false);
	}
	for (i = 0; i < domains; i++)
		(void)take_node(nodes, count, ids[i], share[i], i);
	return (true);
}

static uint32_t
domains_asked(uint64_t pages)
{
	uint32_t most = (uint32_t)(pages / VM_POOL_PAGES_MIN);

	if (bootargs.domains <= most)
		return (bootargs.domains);
	kprintf("boot argument domains=%u: the page pool of %llu pages is enough for %u\n",
	    bootargs.domains, (ull)pages, most);
	return (most);
}

bool
boot_pool(void)
{
	bool as_asked;
	uint64_t pages = pool_pages(&as_asked);
	void *array = boot_wired_alloc(vm_phys_array_bytes((uint32_t)pages));
	uint32_t i;

	if (array == NULL)
		panic_as(LED_PANIC_MEMORY, "no room for the page array of %llu pages", (ull)pages);
	vm_phys_init(array, (uint32_t)pages);
	if (bootargs.domains != 0)
		divide(pages, domains_asked(pages));
	else if (!divide_by_nodes(pages))
		divide(pages, 1);
	for (i = 0; i < vm_domain_count; i++)
		vm_meter_init_thresholds(&vm_domains[i]);
	vm_meter_init_tunables();
	return (as_asked);
}
