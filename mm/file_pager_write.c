/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a file, to its sectors: the page daemon's without waiting, at most
 * FILE_ASYNC_MAX transfers in flight; everybody else's at once.
 *
 *            take           submit          write_done            settle
 *   FREE -----------> FILLED -------> IN FLIGHT -----> DONE list ----+---> FREE
 *                                        ^     next piece of it      |
 *                                        +---------------------------+
 * Who settles: the next writer that passes by, else task "fileio" at PRI_IO.
 *
 *   outcome  OK     written        PEND  on its way (page daemon)
 *            BAD    past the end of the file: nothing to write, the page is clean
 *            ERROR  the disk says so; FAIL  it cannot be written to: both stay dirty
 *            AGAIN  the device is short of something: tried again later
 *
 * Only sectors of the file are written: they come from bmap and end where the file
 * does. Tables and directory entries stay as they are.
 *
 * Owns: the transfers in flight, the list of those that are done, task fileio.
 * Does not: choose pages (vm_launder), allocate anything.
 * Invariants:
 *   K1 a page in flight is shared-busy and write-protected until it is settled;
 *   K2 a page that could not be written is dirty and resident, its file remembers the
 *      error until somebody is told (file_pager_sync), the console is told once;
 *   K3 the done list is shared with interrupt handlers: under done_lock;
 *   K4 a write in flight counts as begun at the gate (kern/vfs_write.c) until it is over.
 * Yields: file_put_pages (bmap, for a free transfer, to the end of a synchronous write,
 *   between transfers, for the console).
 * See: contract 1.4; file_pager_io.c; swap_pager_write.c does the same for swap.
 */
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "mm/file_pager_internal.h"
#include "mm/vm_launder.h"
#include "mm/vm_meter.h"

struct file_write {
	struct file_io io;
	struct vm_page *pages[FILE_IO_PAGES];
	struct vm_object *object;
	struct file_write *next; /* free list or done list */
};

static struct file_write writes[FILE_ASYNC_MAX];
static struct file_write *free_writes;
static struct file_write *volatile done_writes;
static struct irq_lock done_lock;
static struct file_write *submitting; /* its submitter settles it: no wakeup */
static uint32_t in_flight;
static struct task *fileio;

void
file_write_init(void)
{
	uint32_t i;

	free_writes = NULL;
	done_writes = NULL;
	submitting = NULL;
	fileio = NULL;
	in_flight = 0;
	for (i = 0; i < FILE_ASYNC_MAX; i++) {
		writes[i].next = free_writes;
		free_writes = &writes[i];
	}
}

/* K2. */
static void
note_failure(struct vm_object *object, int error, vm_pindex_t pindex, uint64_t sector)
{
	struct vnode *vp = object->vnode;
	bool told = vp->write_error != 0;

	vp->write_error = error == ERR_ROFS ? ERR_ROFS : ERR_IO; /* the line tells which */
	object->flags |= OBJ_MIGHTBEDIRTY;
	mm_params.v_file_errors++;
	if (!told)
		kprintf("file: %s: page %u (%s sector %llu) cannot be written: %s; it stays in "
			"memory\n", vp->name, (unsigned)pindex, vp->dev->name,
		    (unsigned long long)sector, err_string(error));
}

/* ---- the page daemon's */

/* Interrupt context, or under blk_submit. */
static void
write_done(struct bio *bio)
{
	struct file_write *w = bio->context;

	irq_lock_acquire(&done_lock);
	w->next = done_writes;
	done_writes = w;
	if (w != submitting)
		wakeup(&done_lock);
	irq_lock_release(&done_lock);
}

/* The next piece; false when there is none. */
static bool
write_piece(struct file_write *w)
{
	if (!file_io_next(&w->io, BIO_WRITE, BIO_PAGEOUT))
		return (false);
	w->io.bio.done = write_done;
	w->io.bio.context = w;
	submitting = w;
	blk_submit(w->io.vp->dev, &w->io.bio);
	submitting = NULL;
	return (true);
}

static void
settle_page(struct vm_page *m, bool failed)
{
	if (failed) {
		vm_page_dirty(m);
		vm_page_activate(m);
		vm_page_sunbusy(m);
		return;
	}
	m->dirty = 0; /* K1: so no mapping can be modified */
	vm_page_sunbusy(m);
	if (vm_page_count_severe(vm_domain_of(m)))
		(void)vm_page_try_to_cache(m);
}

/* The last write has been settled: a page daemon that rests for lack of clean pages need
 * not rest any longer. */
static void
wake_pagedaemon(void)
{
	struct vm_domain *vmd;

	if (in_flight != 0 || mm_params.pageout_rest_full)
		return;
	for (vmd = vm_domains; vmd < vm_domains + vm_domain_count; vmd++) {
		vmd->pass_pays = true;
		if (vmd->vm_pages_needed)
			wakeup(&vmd->vm_pages_needed);
	}
}

static void
settle_write(struct file_write *w)
{
	struct vm_object *object = w->object;
	struct vnode *vp = w->io.vp;
	uint32_t i, count = w->io.count;
	bool failed = w->io.error != 0;

	if (failed)
		note_failure(object, w->io.error, w->io.error_page, w->io.error_sector);
	for (i = 0; i < count; i++)
		settle_page(w->pages[i], (w->io.failed >> i & 1) != 0);
	w->next = free_writes;
	free_writes = w;
	wakeup(&free_writes);
	in_flight--;
	vnode_write_end(vp);
	vm_object_pip_wakeup(object, count);
	if (!failed)
		wake_pagedaemon();
}

/* Settle all that are done, or start their next pieces. */
static void
settle(void)
{
	struct file_write *w;

	while (done_writes != NULL) {
		irq_lock_acquire(&done_lock);
		w = done_writes;
		if (w != NULL)
			done_writes = w->next;
		irq_lock_release(&done_lock);
		if (w == NULL)
			continue;
		file_io_note(&w->io, w->io.bio.error);
		if (!write_piece(w))
			settle_write(w);
	}
}

static void
fileio_main(void *arg)
{
	(void)arg;
	for (;;) {
		settle();
		irq_lock_acquire(&done_lock);
		if (done_writes == NULL)
			msleep(&done_lock, &done_lock, "fileio", SLEEP_FOREVER);
		irq_lock_release(&done_lock);
	}
}

int
file_write_start(void)
{
	if (fileio != NULL)
		return (0);
	return (task_create(&fileio, "fileio", PRI_IO, fileio_main, NULL));
}

static struct file_write *
write_take(void)
{
	struct file_write *w;

	settle();
	while ((w = free_writes) == NULL) {
		tsleep(&free_writes, "filebuf", SLEEP_FOREVER);
		settle();
	}
	free_writes = w->next;
	return (w);
}

static int
write_async(struct vm_object *object, struct vm_page **m, uint32_t count,
    enum vm_pager_outcome *outcomes)
{
	struct file_write *w = write_take();
	uint32_t i;
	int n;

	for (i = 0; i < count && i < FILE_IO_PAGES; i++)
		w->pages[i] = m[i];
	n = file_io_map(&w->io, object->vnode, w->pages, count);
	if (n < 0) {
		w->next = free_writes;
		free_writes = w;
		wakeup(&free_writes);
		return (n);
	}
	w->object = object;
	vnode_write_extend(object->vnode); /* K4 */
	in_flight++;
	for (i = 0; i < (uint32_t)n; i++)
		outcomes[i] = VM_PAGER_PEND;
	trace(TRACE_PAGEOUT, m[0]->pindex, w->io.runs[0].sector, w->io.count);
	(void)write_piece(w);
	settle();
	return (n);
}

/* ---- everybody else's */

static int
write_sync(struct vm_object *object, struct vm_page **m, uint32_t count,
    enum vm_pager_outcome *outcomes)
{
	struct file_io io = { .count = 0 };
	uint32_t i;
	int n = file_io_map(&io, object->vnode, m, count);

	if (n < 0)
		return (n);
	trace(TRACE_PAGEOUT, m[0]->pindex, io.runs[0].sector, io.count);
	file_io_run(&io, BIO_WRITE, BIO_NORMAL);
	for (i = 0; i < io.count; i++) {
		outcomes[i] = (io.failed >> i & 1) != 0 ? file_io_outcome(io.error) : VM_PAGER_OK;
		if (outcomes[i] == VM_PAGER_OK)
			vm_page_undirty(m[i]);
	}
	if (io.error != 0)
		note_failure(object, io.error, io.error_page, io.error_sector);
	return (n);
}

/* What became of the first pages; how many. */
static uint32_t
put_some(struct vm_object *object, struct vm_page **m, uint32_t count, bool wait,
    enum vm_pager_outcome *outcomes)
{
	int n;

	if (m[0]->pindex >= object->size_pages) {
		outcomes[0] = VM_PAGER_BAD;
		return (1);
	}
	if (m[count - 1]->pindex >= object->size_pages)
		count = object->size_pages - m[0]->pindex;
	file_io_zero_tail(object->vnode, m[count - 1]);
	mm_params.v_vnodeout++;
	n = wait ? write_sync(object, m, count, outcomes) :
	    write_async(object, m, count, outcomes);
	if (n > 0) {
		mm_params.v_vnodepgsout += (uint32_t)n;
		return ((uint32_t)n);
	}
	note_failure(object, n, m[0]->pindex, 0);
	outcomes[0] = file_io_outcome(n);
	return (1);
}

void
file_put_pages(struct vm_object *object, struct vm_page **m, uint32_t count, uint32_t flags,
    enum vm_pager_outcome *outcomes)
{
	bool wait = (flags & VM_PAGER_PUT_SYNC) != 0 || !vm_meter_is_pagedaemon(curtask());
	uint32_t done = 0;

	while (done < count) {
		done += put_some(object, m + done, count - done, wait, outcomes + done);
		sched_maybe_yield();
	}
}
