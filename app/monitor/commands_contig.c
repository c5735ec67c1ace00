/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contig: can so much memory be had in one piece, and what had to go for it?
 *
 *   contig 256K
 *   contig 1M 0x10000000 0x20000000 64K     between two addresses, aligned
 *
 * The memory is given back at once.
 *
 * Owns: nothing. Does not: reclaim (mm/vm_pageout_grow.h).
 *
 * Invariants: none.
 * Yields: the command.
 * See: docs/CONTRACT.md 1.5.
 */
#include <stddef.h>
#include <stdlib.h>

#include "app/monitor/commands.h"
#include "kern/console.h"
#include "mm/vm_meter.h"
#include "mm/vm_pageout_grow.h"

/* "256K", "1M", "0x1000"; false if it is no such size. */
static bool
parse_bytes(const char *word, uint64_t *bytes)
{
	char *end;

	if (*word < '0' || *word > '9')
		return (false);
	*bytes = strtoull(word, &end, 0);
	if (*end == 'K' || *end == 'M') {
		uint32_t shift = *end == 'K' ? 10 : 20;

		if (*bytes > UINT64_MAX >> shift)
			return (false);
		*bytes <<= shift;
		end++;
	}
	return (*end == '\0');
}

static uint64_t
pool_pages(void)
{
	uint64_t pages = 0;
	uint32_t i;

	for (i = 0; i < vm_domain_count; i++)
		pages += vm_domains[i].v_page_count;
	return (pages);
}

static void
allocate(uint64_t bytes, const struct vm_phys_range *range)
{
	uint32_t pages = (uint32_t)((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
	uint64_t cached = mm_params.v_tcached, written = mm_params.v_swappgsout;
	struct vm_page *m = vm_pageout_alloc_contig(pages, range);

	if (m == NULL) {
		kprintf("contig: no %u pages in one piece there: what is wired cannot move\n",
		    pages);
		return;
	}
	kprintf("contig: %u pages at 0x%llx; %llu pages cached and %llu written for it\n", pages,
	    (unsigned long long)VM_PAGE_TO_PHYS(m),
	    (unsigned long long)(mm_params.v_tcached - cached),
	    (unsigned long long)(mm_params.v_swappgsout - written));
	vm_page_free_contig(m, pages);
}

void
cmd_contig(const struct monitor_call *call)
{
	struct vm_phys_range range = { .high = UINT64_MAX };
	uint64_t values[4] = { 0, 0, UINT64_MAX, 0 };
	int i;

	for (i = 1; i < call->argc; i++) {
		if (!parse_bytes(call->argv[i], &values[i - 1])) {
			monitor_expected(call, "%s is no size or address", call->argv[i]);
			return;
		}
	}
	range.low = values[1];
	range.high = values[2];
	range.alignment = values[3];
	if (values[0] == 0 || range.low >= range.high ||
	    (range.alignment & (range.alignment - 1)) != 0)
		monitor_expected(call, "a size, a range that is not empty, a power of two");
	else if (values[0] / PAGE_SIZE >= pool_pages())
		kprintf("contig: the pool has %llu pages\n", (unsigned long long)pool_pages());
	else
		allocate(values[0], &range);
}
