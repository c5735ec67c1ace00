/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free ranges of physical memory, in address order.
 *
 * The pool takes from the low end, wired tables from the high end: what is left when
 * the pool is limited stays in one piece for tables whose size is known only later
 * (swap records).
 *
 * Owns: the list of free ranges.
 * Does not: map anything (arch) or give anything back.
 * Invariants: N1 ranges are page aligned, not empty, sorted and disjoint. N3 a cut that
 *   would need a range too many changes nothing.
 * Yields: never.
 * See: board/main.c.
 */
#include "kern/bootmem.h"

#include <stdbool.h>

#include "lib/assert.h"

#define PAGE 4096ull
#define TOP  (~(PAGE - 1)) /* the last page that can be numbered is never used */

static struct bootmem_range ranges[BOOTMEM_RANGES_MAX];
static uint32_t range_count;
static uint64_t total_bytes;

static void
remove_at(uint32_t i)
{
	range_count--;
	for (; i < range_count; i++)
		ranges[i] = ranges[i + 1];
}

static int
insert_at(uint32_t i, uint64_t pa, uint64_t end)
{
	if (range_count == BOOTMEM_RANGES_MAX)
		return (ERR_NOSPC);
	for (uint32_t j = range_count; j > i; j--)
		ranges[j] = ranges[j - 1];
	ranges[i] = (struct bootmem_range){ pa, end - pa };
	range_count++;
	return (0);
}

/* Cut [pa, end) out of range i; true if range i is gone. */
static bool
cut(uint32_t i, uint64_t pa, uint64_t end, int *err)
{
	uint64_t first = ranges[i].pa, last = first + ranges[i].bytes;

	if (end <= first || pa >= last)
		return (false);
	if (pa <= first && end >= last) {
		remove_at(i);
		return (true);
	}
	if (pa <= first) {
		ranges[i] = (struct bootmem_range){ end, last - end };
		return (false);
	}
	if (end < last)
		*err = insert_at(i + 1, end, last);
	if (*err == 0)
		ranges[i].bytes = pa - first;
	return (false);
}

void
bootmem_init(void)
{
	range_count = 0;
	total_bytes = 0;
}

int
bootmem_add(uint64_t pa, uint64_t bytes)
{
	uint64_t end = (pa + bytes) & ~(PAGE - 1);
	uint32_t i = 0;
	int err;

	if (pa >= TOP || bytes > TOP - pa)
		return (ERR_RANGE);
	pa = (pa + PAGE - 1) & ~(PAGE - 1);
	if (end <= pa)
		return (0);
	while (i < range_count && ranges[i].pa < pa)
		i++;
	if ((i > 0 && ranges[i - 1].pa + ranges[i - 1].bytes > pa) ||
	    (i < range_count && ranges[i].pa < end))
		return (ERR_EXIST);
	err = insert_at(i, pa, end);
	if (err == 0)
		total_bytes += end - pa;
	return (err);
}

int
bootmem_reserve(uint64_t pa, uint64_t bytes)
{
	uint64_t end = TOP;
	uint32_t i = 0;
	int err = 0;

	if (pa >= TOP)
		return (0);
	if (bytes < TOP - pa)
		end = (pa + bytes + PAGE - 1) & ~(PAGE - 1);
	pa &= ~(PAGE - 1);
	while (i < range_count && err == 0)
		if (!cut(i, pa, end, &err))
			i++;
	return (err);
}

uint64_t
bootmem_total_bytes(void)
{
	return (total_bytes);
}

uint64_t
bootmem_free_bytes(void)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < range_count; i++)
		bytes += ranges[i].bytes;
	return (bytes);
}

int
bootmem_alloc(uint64_t bytes, uint64_t align, uint64_t *pa)
{
	KASSERT(align >= PAGE && (align & (align - 1)) == 0, "N2: alignment is a power of two");
	bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
	for (uint32_t i = range_count; i-- > 0 && bytes != 0;) {
		uint64_t end = ranges[i].pa + ranges[i].bytes;
		uint64_t start;

		if (ranges[i].bytes < bytes)
			continue;
		start = (end - bytes) & ~(align - 1);
		if (start < ranges[i].pa)
			continue;
		*pa = start;
		if (bootmem_reserve(start, bytes) == 0)
			return (0);
	}
	return (ERR_NOMEM);
}

/* What range i has of [pa, end). */
static struct bootmem_range
part(uint32_t i, uint64_t pa, uint64_t end)
{
	uint64_t range_end = ranges[i].pa + ranges[i].bytes;

	if (pa < ranges[i].pa)
		pa = ranges[i].pa;
	if (end > range_end)
		end = range_end;
	return ((struct bootmem_range){ pa, end > pa ? end - pa : 0 });
}

uint64_t
bootmem_free_bytes_in(uint64_t pa, uint64_t end)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < range_count; i++)
		bytes += part(i, pa, end).bytes;
	return (bytes);
}

int
bootmem_take_in(uint64_t pa, uint64_t end, uint64_t limit, struct bootmem_range *out)
{
	limit &= ~(PAGE - 1);
	for (uint32_t i = 0; i < range_count && limit != 0; i++) {
		*out = part(i, pa, end);
		if (out->bytes == 0)
			continue;
		if (out->bytes > limit)
			out->bytes = limit;
		return (bootmem_reserve(out->pa, out->bytes));
	}
	return (ERR_NOMEM);
}

int
bootmem_take(uint64_t limit, struct bootmem_range *out)
{
	return (bootmem_take_in(0, UINT64_MAX, limit, out));
}
