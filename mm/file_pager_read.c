/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a file, from its sectors.
 *
 *   pages --read--> filled; the last one zeroed past the end of the file
 *             |        neighbours: inactive, released;  wanted: stays busy, OK
 *             `-- failed: a neighbour is freed (it can be read again on its own);
 *                 the wanted page is read again, alone, vm.file_read_retries times, then
 *                 ERROR
 *
 *   outcome  OK     read            BAD    past the end of the file
 *            ERROR  the disk or the file system says so
 *            AGAIN  the device is short of something: the fault is repeated
 *            FAIL   never: every page of a file has data; PEND never
 *
 * Owns: the request, on the stack of the task that waits for it.
 * Does not: choose what to read (vm_fault_pagein, file_pager_page).
 * Invariants:
 *   R1 a page becomes valid only with all its sectors read, or zeroed past the end;
 *   R2 the pages are exclusive-busy until they are released here; the wanted one stays so.
 * Yields: file_get_pages, for the device and the console.
 * Complexity: one request for each run of the file.
 * See: contract 1.16; file_pager_io.c.
 */
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "mm/file_pager_internal.h"

bool
file_has_page(struct vm_object *object, vm_pindex_t pindex, uint32_t *before, uint32_t *after)
{
	if (pindex >= object->size_pages)
		return (false);
	if (before != NULL)
		*before = pindex;
	if (after != NULL)
		*after = object->size_pages - pindex - 1;
	return (true);
}

/* R1. */
static void
page_arrived(const struct vnode *vp, struct vm_page *m)
{
	file_io_zero_tail(vp, m);
	m->valid = VM_PAGE_BITS_ALL;
	m->dirty = 0;
	pmap_page_filled(m);
	mm_params.v_vnodepgsin++;
}

/* One transfer of up to count pages; how many it covered, or ERR_*. */
static int
read_some(struct file_io *io, struct vnode *vp, struct vm_page **m, uint32_t count)
{
	uint64_t started = get_cyclecount();
	int n = file_io_map(io, vp, m, count);

	if (n < 0)
		return (n);
	mm_params.v_vnodein++;
	trace(TRACE_PAGEIN, m[0]->pindex, io->runs[0].sector, io->count);
	file_io_run(io, BIO_READ, BIO_PAGEIN);
	histogram_add(&mm_params.file_read_us,
	    timer_cycles_to_us(get_cyclecount() - started));
	return (n);
}

/* Neighbours that came join the inactive queue, the others are freed. */
static void
settle_neighbour(const struct vnode *vp, struct vm_page *m, bool failed)
{
	if (failed) {
		vm_page_free(m);
		return;
	}
	page_arrived(vp, m);
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
}

/* Read all; 0 or what became of m[wanted]. Without a message. */
static int
read_all(struct file_io *io, struct vnode *vp, struct vm_page **m, uint32_t count,
    uint32_t wanted)
{
	uint32_t done = 0, i;
	int n, error = ERR_IO;

	while (done < count) {
		n = read_some(io, vp, m + done, count - done);
		if (n < 0) {
			io->failed = 1;
			io->error = n;
			io->error_page = m[done]->pindex;
			io->error_sector = 0;
			n = 1;
		}
		for (i = 0; i < (uint32_t)n; i++) {
			bool failed = (io->failed >> i & 1) != 0;

			if (done + i != wanted)
				settle_neighbour(vp, m[done + i], failed);
			else
				error = failed ? io->error : 0;
		}
		done += (uint32_t)n;
	}
	return (error);
}

/* The wanted page has failed for good. */
static enum vm_pager_outcome
give_up(const struct file_io *io, const struct vnode *vp, int error)
{
	kprintf("file: %s: page %u (%s sector %llu) cannot be read: %s\n", vp->name,
	    (unsigned)io->error_page, vp->dev->name, (unsigned long long)io->error_sector,
	    err_string(error));
	mm_params.v_file_errors++;
	return (file_io_outcome(error) == VM_PAGER_AGAIN ? VM_PAGER_AGAIN : VM_PAGER_ERROR);
}

enum vm_pager_outcome
file_get_pages(struct vm_object *object, struct vm_page **m, uint32_t count, uint32_t wanted)
{
	uint32_t retries = (uint32_t)mm_params.file_read_retries, end = count;
	struct vnode *vp = object->vnode;
	struct file_io io = { .count = 0 };
	int error;

	while (m[end - 1]->pindex >= object->size_pages && end - 1 != wanted)
		vm_page_free(m[--end]); /* wanted ends it */
	if (m[wanted]->pindex >= object->size_pages) {
		while (end > 0)
			if (--end != wanted)
				vm_page_free(m[end]);
		return (VM_PAGER_BAD);
	}
	error = read_all(&io, vp, m, end, wanted);
	for (; error != 0 && retries > 0 && m[wanted]->pindex < file_pages(vp); retries--)
		error = read_all(&io, vp, m + wanted, 1, 0);
	if (error != 0 && m[wanted]->pindex >= file_pages(vp))
		return (VM_PAGER_BAD); /* the file has been cut meanwhile */
	if (error != 0)
		return (give_up(&io, vp, error));
	page_arrived(vp, m[wanted]);
	return (VM_PAGER_OK);
}
