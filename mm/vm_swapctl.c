/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapon and swapoff while programs run.
 *
 * An area's records (28 bytes a page, see swap_map.c) are sized at swapon. At boot they
 * come from memory outside the pool. Later they are frames of the pool in one piece. What
 * an area leaves behind is kept for the next area that fits into it: swapping off and on
 * again must not fail because memory in one piece is hard to get. Frames of the pool are
 * given back when a larger area comes.
 *
 * Owns: records that no area uses, and which of those in use are frames of the pool.
 * Does not: know slots (swap_pager*.c).
 * Invariants:
 *   Y1 records are in this table from the swapoff of an area from boot, or the swapon of
 *      any other one, on.
 * Yields: both.
 * See: docs/decisions/0016-swap-records-at-run-time.md; contract 1.15.
 */
#include "mm/vm_swapctl.h"

#include <string.h>

#include "mm/swap_file.h"
#include "mm/vm_pageout_grow.h"

struct records {
	void *start;          /* NULL: unused element */
	vm_size_t bytes;
	struct vm_page *pages; /* of the pool, or NULL */
	bool in_use;
};

static struct records table[2 * SWAP_AREAS_MAX];

void
vm_swapctl_init(void)
{
	memset(table, 0, sizeof(table));
	swap_file_init();
}

static struct records *
find_records(const void *start)
{
	struct records *r;

	for (r = table; r < table + 2 * SWAP_AREAS_MAX; r++)
		if (r->start == start)
			return (r);
	return (NULL);
}

/* Kept ones of the size at least, or NULL. */
static struct records *
find_kept(vm_size_t bytes)
{
	struct records *r;

	for (r = table; r < table + 2 * SWAP_AREAS_MAX; r++)
		if (r->start != NULL && !r->in_use && r->bytes >= bytes)
			return (r);
	return (NULL);
}

static struct records *
new_records(vm_size_t bytes)
{
	const struct vm_phys_range anywhere = { .high = ~(vm_paddr_t)0 };
	struct vm_page *pages =
	    vm_pageout_alloc_contig((uint32_t)atop(round_page(bytes)), &anywhere);
	struct records *r = find_records(NULL);

	if (pages == NULL)
		return (NULL);
	if (r == NULL) {
		vm_page_free_contig(pages, (uint32_t)atop(round_page(bytes)));
		return (NULL);
	}
	*r = (struct records){ vm_page_address(pages), bytes, pages, false };
	return (r);
}

/* Give back kept frames of the pool: larger ones are needed. */
static void
release_kept(void)
{
	struct records *r;

	for (r = table; r < table + 2 * SWAP_AREAS_MAX; r++) {
		if (r->start == NULL || r->in_use || r->pages == NULL)
			continue;
		vm_page_free_contig(r->pages, (uint32_t)atop(round_page(r->bytes)));
		r->start = NULL;
	}
}

static int
swapon_device(struct blkdev *dev)
{
	bool needs_header = strncmp(dev->name, "md", 2) != 0 && strncmp(dev->name, "fl", 2) != 0;
	struct records *r;
	uint64_t slots;
	vm_size_t bytes;
	int error;

	if (swap_pager_uses(dev))
		return (ERR_BUSY);
	error = swap_pager_probe(dev, needs_header, &slots);
	if (error != 0)
		return (error);
	bytes = swap_pager_record_bytes(slots);
	r = find_kept(bytes);
	if (r == NULL) {
		release_kept();
		r = new_records(bytes);
	}
	if (r == NULL)
		return (ERR_NOMEM);
	r->in_use = true;
	error = swap_pager_swapon(dev, r->start, r->bytes, needs_header);
	r->in_use = error == 0;
	return (error);
}

struct blkdev *
vm_swapctl_find(const char *name)
{
	return (name[0] == '/' ? swap_file_find(name) : blk_find(name));
}

int
vm_swapon(const char *name)
{
	struct blkdev *dev = NULL;
	int error = 0;

	if (name[0] == '/')
		error = swap_file_attach(name, &dev);
	else
		dev = blk_find(name);
	if (error == 0)
		error = dev != NULL ? swapon_device(dev) : ERR_NODEV;
	if (error != 0 && dev != NULL && !swap_pager_uses(dev))
		swap_file_detach(dev);
	return (error);
}

int
vm_swapoff(const char *name, uint32_t *unfit_pages)
{
	struct swap_off_result result = { 0 };
	struct blkdev *dev = vm_swapctl_find(name);
	struct records *r;
	int error = dev == NULL ? ERR_NODEV : swap_pager_swapoff(dev, &result);

	*unfit_pages = result.unfit_pages;
	if (error != 0)
		return (error);
	r = find_records(result.records);
	if (r != NULL) {
		r->in_use = false;
	} else if ((r = find_records(NULL)) != NULL) { /* Y1 */
		*r = (struct records){ result.records, result.record_bytes, NULL, false };
	}
	swap_file_detach(dev);
	return (0);
}
