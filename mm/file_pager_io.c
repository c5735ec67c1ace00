/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a file to and from its sectors.
 *
 *   pages    | m[0]          | m[1]          | m[2]          | ...
 *   runs     | run 0                 | run 1 | run 2         |     what bmap says
 *   pieces   | bio     | bio         | bio   | bio           |     what a request may hold
 *
 * A file that lies in one run costs one request. Only sectors of the file are touched:
 * runs come from bmap alone, and the last one ends where the file does.
 *
 * Owns: nothing; a struct file_io is its user's.
 * Does not: know pages' states, choose what to transfer, retry.
 * Invariants:
 *   T1 the runs of a transfer cover its pages from the first byte on, without gaps, up to
 *      the end of the last page or of the file;
 *   T2 a transfer has at most FILE_IO_PAGES pages and VNODE_RUNS_MAX runs;
 *   T3 a block of the device is a sector (as fs/fat32 asks of it).
 * Yields: file_io_map (bmap may read the disk, but waits for no memory), file_io_run.
 * Complexity: one bmap for each run, one request for each piece.
 * See: kern/vnode.h; file_pager_read.c, file_pager_write.c.
 */
#include <string.h>

#include "mm/file_pager_internal.h"

/* ---- where the pages lie */

/* Append a run; one that follows the last on the disk makes that longer. */
static void
add_run(struct file_io *io, uint64_t sector, uint32_t sectors)
{
	struct vnode_run *last = io->run_count == 0 ? NULL : &io->runs[io->run_count - 1];

	if (last != NULL && last->sector + last->sector_count == sector) {
		last->sector_count += sectors;
		return;
	}
	io->runs[io->run_count].sector = sector;
	io->runs[io->run_count++].sector_count = sectors;
}

/* Sectors of the file in [first, first + pages). */
static uint32_t
file_sectors(const struct vnode *vp, uint64_t first, uint32_t pages)
{
	uint64_t left = (vp->size_bytes + 511) / 512 - first * PAGE_SECTORS;
	uint64_t wanted = (uint64_t)pages * PAGE_SECTORS;

	return ((uint32_t)(left < wanted ? left : wanted));
}

/* Page first, and what follows it without a break up to limit pages: how many; 0 = they
 * do not fit any more (T2). */
static int
map_some(struct file_io *io, uint64_t first, uint32_t limit)
{
	struct vnode_run runs[VNODE_RUNS_MAX];
	uint32_t contiguous = 0, covered = 0, wanted, i;
	uint64_t size;
	int count;

	do { /* the file may grow meanwhile */
		size = io->vp->size_bytes;
		count = io->vp->ops->bmap(io->vp, first, runs, &contiguous);
	} while (size != io->vp->size_bytes);
	if (count < 0)
		return (count);
	for (i = 0; i < (uint32_t)count; i++)
		covered += runs[i].sector_count;
	if (covered != file_sectors(io->vp, first, 1))
		return (ERR_CORRUPT);
	if (io->vp->dev->block_bytes != 512) /* T3 */
		return (ERR_NOTSUP);
	if (io->run_count + (uint32_t)count > VNODE_RUNS_MAX)
		return (0);
	if (limit > contiguous + 1)
		limit = contiguous + 1;
	wanted = file_sectors(io->vp, first, limit);
	runs[count - 1].sector_count += wanted - covered;
	for (i = 0; i < (uint32_t)count; i++)
		add_run(io, runs[i].sector, runs[i].sector_count);
	return ((int)limit);
}

int
file_io_map(struct file_io *io, struct vnode *vp, struct vm_page **m, uint32_t count)
{
	uint32_t limit = count < FILE_IO_PAGES ? count : FILE_IO_PAGES;
	int n;

	io->vp = vp;
	io->m = m;
	io->count = io->run_count = io->run = io->run_done = io->done = io->piece = 0;
	io->failed = 0;
	io->error = 0;
	while (io->count < limit) {
		n = map_some(io, (uint64_t)m[0]->pindex + io->count, limit - io->count);
		if (n <= 0 && io->count == 0) {
			KASSERT(n < 0, "T2: a page has at most VNODE_RUNS_MAX runs");
			return (n);
		}
		if (n <= 0)
			break; /* a fault there is the next transfer's */
		io->count += (uint32_t)n;
	}
	return ((int)io->count);
}

/* ---- the transfer */

/* Fill in the memory of up to sectors sectors from byte position io->done; how many. */
static uint32_t
fill_segments(struct file_io *io, uint32_t sectors)
{
	uint32_t at = io->done, end = io->done + sectors;
	struct bio *bio = &io->bio;

	bio->segment_count = 0;
	while (at < end) {
		uint32_t skip = at % PAGE_SECTORS, n = PAGE_SECTORS - skip;

		KASSERT(bio->segment_count < BIO_SEGMENTS_MAX, "T2: a segment a page is enough");
		if (n > end - at)
			n = end - at;
		bio->segments[bio->segment_count].pa =
		    VM_PAGE_TO_PHYS(io->m[at / PAGE_SECTORS]) + skip * 512;
		bio->segments[bio->segment_count++].bytes = n * 512;
		at += n;
	}
	return (at - io->done);
}

bool
file_io_next(struct file_io *io, enum bio_op op, enum bio_priority priority)
{
	uint32_t limit = io->vp->dev->bio_blocks_max;
	const struct vnode_run *run;
	uint32_t sectors;

	KASSERT(io->run < io->run_count, "T2: asked for a piece until there is none");
	if (io->run_done == io->runs[io->run].sector_count) {
		io->run++;
		io->run_done = 0;
	}
	if (io->run == io->run_count)
		return (false);
	run = &io->runs[io->run];
	sectors = run->sector_count - io->run_done;
	io->piece = fill_segments(io, sectors < limit ? sectors : limit);
	io->bio.op = (uint8_t)op;
	io->bio.priority = (uint8_t)priority;
	io->bio.block = run->sector + io->run_done;
	io->bio.block_count = io->piece;
	return (true);
}

void
file_io_note(struct file_io *io, int error)
{
	uint32_t i, first = io->done / PAGE_SECTORS;
	uint32_t last = (io->done + io->piece - 1) / PAGE_SECTORS;

	if (error != 0) {
		for (i = first; i <= last; i++)
			io->failed |= 1u << i;
		if (io->error == 0) {
			io->error = error;
			io->error_page = io->m[first]->pindex;
			io->error_sector = io->runs[io->run].sector + io->run_done;
		}
	}
	io->done += io->piece;
	io->run_done += io->piece;
}

void
file_io_run(struct file_io *io, enum bio_op op, enum bio_priority priority)
{
	while (file_io_next(io, op, priority))
		file_io_note(io, blk_wait(io->vp->dev, &io->bio));
}

void
file_io_zero_tail(const struct vnode *vp, struct vm_page *m)
{
	uint32_t used = (uint32_t)(vp->size_bytes & PAGE_MASK);

	if (used != 0 && m->pindex == file_pages(vp) - 1)
		memset((uint8_t *)vm_page_address(m) + used, 0, PAGE_SIZE - used);
}

enum vm_pager_outcome
file_io_outcome(int error)
{
	KASSERT(error < 0, "T2: something has failed");
	switch (error) {
	case ERR_ROFS:
	case ERR_NOTSUP:
		return (VM_PAGER_FAIL);
	case ERR_AGAIN:
	case ERR_NOMEM:
		return (VM_PAGER_AGAIN);
	default:
		return (VM_PAGER_ERROR);
	}
}
