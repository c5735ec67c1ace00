/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages to swap, in clusters, at most SWAP_ASYNC_MAX of them in flight.
 *
 *            take           submit             write_done            settle
 *   FREE -----------> FILLED -------> IN FLIGHT ---------> DONE list -------> FREE
 *     ^                 | no slot left        (interrupt: record, wake)
 *     +-----------------+
 *
 * Who settles: the next task that passes by (the page daemon after each submission
 * and while it waits for a cluster), else task "swapio" at PRI_IO, which write_done
 * wakes. So a page is never left busy because the page daemon rests, and a device
 * that completes inside blk_submit costs no task switch.
 *
 * Owns: the clusters, their requests, the list of those that are done, task swapio.
 * Does not: choose pages (vm_launder), allocate anything.
 * Invariants:
 *   H1 a page in flight is shared-busy and write-protected from before its CRC is
 *      taken until it is settled, so the bytes written are those summed up;
 *   H2 a page that could not be written is dirty, resident, has no slot, and its slot
 *      is never used again, unless the whole device was away (but see
 *      vm.swap_reuse_bad_slots);
 *   H3 the done list is shared with interrupt handlers: under done_lock;
 *   H4 a cluster is settled once.
 * Yields: swap_put_pages (for a free cluster; each YIELD_PAGES pages; to the end of a
 *   synchronous write; for the console).
 * Complexity: a page costs its CRC, one record and one step of settling; slots,
 *   request and completion are per cluster.
 * See: contract 1.4, 1.15.
 */
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/crc32c.h"
#include "mm/swap_pager_internal.h"
#include "mm/vm_launder.h"
#include "mm/vm_meter.h"

#define YIELD_PAGES     4u /* a sum costs 840 instructions, a record as many again at worst */
#define REPORT_EVERY_US 1000000u /* write errors of one area told at most so often */

struct swap_write {
	struct bio bio;
	struct vm_page *pages[VM_PAGEOUT_CLUSTER_MAX];
	struct vm_object *object;
	uint32_t slot;
	uint32_t count;
	uint32_t serial;         /* of its present use: grows when it is settled */
	uint64_t started_cycles;
	struct swap_write *next; /* free list or done list */
};

static struct swap_write writes[SWAP_ASYNC_MAX];
static struct swap_write *free_writes;
static struct swap_write *volatile done_writes;
static struct irq_lock done_lock;
static struct swap_write *submitting; /* its submitter settles it: no wakeup */
static uint32_t in_flight;            /* submitted, not settled */
static struct task *swapio;

/* Any context. */
static void
wake_swapio(void)
{
	wakeup(&done_lock);
}

void
swap_write_init(void)
{
	uint32_t i;

	free_writes = NULL;
	done_writes = NULL;
	submitting = NULL;
	swapio = NULL;
	in_flight = 0;
	swap_discard_init(wake_swapio);
	for (i = 0; i < SWAP_ASYNC_MAX; i++) {
		writes[i].next = free_writes;
		free_writes = &writes[i];
	}
}

/* ---- completion */

/* Interrupt context, or under blk_submit. */
static void
write_done(struct bio *bio)
{
	struct swap_write *w = bio->context;

	irq_lock_acquire(&done_lock);
	w->next = done_writes;
	done_writes = w;
	if (w != submitting)
		wakeup(&done_lock);
	irq_lock_release(&done_lock);
}

static void
settle_written(struct swap_write *w)
{
	struct vm_domain *vmd;
	struct vm_page *m;
	uint32_t i;

	for (i = 0; i < w->count; i++) {
		m = w->pages[i];
		vmd = vm_domain_of(m);
		m->dirty = 0; /* H1: so no mapping can be modified */
		vm_page_sunbusy(m);
		if (vm_page_count_severe(vmd))
			(void)vm_page_try_to_cache(m);
	}
	swap_area_of(w->slot)->written_pages += w->count;
	mm_params.v_swappgsout += w->count;
	if (w->object->usage != NULL) {
		w->object->usage->page_outs += w->count;
		w->object->usage->page_out_ops++;
	}
}

/* H2. In the reference (quirk Q8) the page keeps its bad slot, which goes back to the
 * allocator when the page's next write has found another. */
static void
settle_failed(struct swap_write *w, int error)
{
	struct vm_page *m;
	uint32_t i;

	for (i = 0; i < w->count; i++) {
		m = w->pages[i];
		KASSERT(swap_map_holds(w->slot + i, w->object, m->pindex),
		    "H1: a busy page keeps its slot");
		if (!mm_params.swap_reuse_bad_slots)
			(void)swap_map_clear(w->object, m->pindex);
		vm_page_dirty(m);
		vm_page_activate(m);
		vm_page_sunbusy(m);
	}
	if (!mm_params.swap_reuse_bad_slots && error == ERR_NODEV)
		swap_area_free(w->slot, w->count);
	else if (!mm_params.swap_reuse_bad_slots)
		swap_area_retire(w->slot, w->count);
	mm_params.v_pageout_errors += w->count;
}

static void
report_failure(uint32_t slot, uint32_t count, int error)
{
	struct swap_area *area = swap_area_of(slot);
	uint64_t now = timer_now_us();

	if (area->reported_us != 0 && now - area->reported_us < REPORT_EVERY_US)
		return;
	area->reported_us = now;
	if (error == ERR_NODEV)
		kprintf("swap: %s: the device is away; pages stay in memory\n", area->dev->name);
	else
		kprintf("swap: %s slots %u-%u: write failed: %s; the pages stay in memory, the "
			"slots are retired (%u so far)\n", area->dev->name,
		    SWAP_SLOT_INDEX(slot), SWAP_SLOT_INDEX(slot) + count - 1, err_string(error),
		    area->bad_slots);
}

/*
 * When the last write has been settled, a page daemon that rests for lack of clean
 * pages, or is about to, need not rest any longer.
 */
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
settle_one(struct swap_write *w)
{
	struct vm_object *object = w->object;
	uint32_t slot = w->slot, count = w->count;
	int error = w->bio.error;

	histogram_add(&mm_params.pageout_us,
	    timer_cycles_to_us(get_cyclecount() - w->started_cycles));
	if (error == 0)
		settle_written(w);
	else
		settle_failed(w, error);
	w->serial++;
	w->next = free_writes;
	free_writes = w;
	wakeup(&free_writes);
	wakeup(w);
	vm_object_pip_wakeup(object, count);
	in_flight--;
	if (error == 0)
		wake_pagedaemon();
	else
		report_failure(slot, count, error);
}

/* Settle all that are done. Yields only for the message about a failure. */
static void
settle(void)
{
	struct swap_write *w;

	while (done_writes != NULL) {
		irq_lock_acquire(&done_lock);
		w = done_writes;
		if (w != NULL)
			done_writes = w->next;
		irq_lock_release(&done_lock);
		if (w != NULL)
			settle_one(w);
	}
}

static void
swapio_main(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t limit_us;

		settle();
		limit_us = swap_discard_poll();
		irq_lock_acquire(&done_lock);
		if (done_writes == NULL)
			msleep(&done_lock, &done_lock, "swapio", limit_us);
		irq_lock_release(&done_lock);
	}
}

int
swap_write_start(void)
{
	if (swapio != NULL)
		return (0);
	return (task_create(&swapio, "swapio", PRI_IO, swapio_main, NULL));
}

/* ---- starting */

static struct swap_write *
write_take(void)
{
	struct swap_write *w;

	settle();
	while ((w = free_writes) == NULL) {
		tsleep(&free_writes, "swbuf", SLEEP_FOREVER);
		settle();
	}
	free_writes = w->next;
	return (w);
}

/* Note for each page where it goes and what it holds. H1: yielding changes neither. */
static void
record_pages(struct swap_write *w)
{
	struct vm_page *m;
	uint32_t i, replaced;

	for (i = 0; i < w->count; i++) {
		m = w->pages[i];
		replaced = swap_map_assign(w->object, m->pindex, w->slot + i,
		    crc32c(0, vm_page_address(m), PAGE_SIZE));
		if (replaced != SWAP_SLOT_NONE)
			swap_area_free(replaced, 1);
		if (i % YIELD_PAGES == YIELD_PAGES - 1)
			sched_maybe_yield();
	}
}

static void
write_submit(struct swap_write *w)
{
	struct swap_area *area = swap_area_of(w->slot);

	swap_area_fill_bio(&w->bio, BIO_WRITE, w->slot, w->pages, w->count);
	w->bio.priority = BIO_PAGEOUT;
	w->bio.done = write_done;
	w->bio.context = w;
	w->started_cycles = get_cyclecount();
	area->writes++;
	mm_params.v_swapout++;
	trace(TRACE_PAGEOUT, w->pages[0]->pindex, w->slot, w->count);
	in_flight++;
	submitting = w;
	blk_submit(area->dev, &w->bio);
	submitting = NULL;
	settle();
}

/* Start one cluster of at most count pages; how many, 0 = no slot is left. With
 * wait, only after it has been settled. */
static uint32_t
put_cluster(struct vm_object *object, struct vm_page **m, uint32_t count, bool wait)
{
	struct swap_write *w = write_take();
	uint32_t i, serial = w->serial;

	w->slot = swap_area_alloc_run(&count);
	if (w->slot == SWAP_SLOT_NONE) {
		w->next = free_writes;
		free_writes = w;
		return (0);
	}
	w->object = object;
	w->count = count;
	for (i = 0; i < count; i++)
		w->pages[i] = m[i];
	record_pages(w);
	write_submit(w);
	while (wait && w->serial == serial) {
		tsleep(w, "swwait", SLEEP_FOREVER);
		settle();
	}
	return (count);
}

void
swap_put_pages(struct vm_object *object, struct vm_page **m, uint32_t count, uint32_t flags,
    enum vm_pager_outcome *outcomes)
{
	bool wait = (flags & VM_PAGER_PUT_SYNC) != 0 || !vm_meter_is_pagedaemon(curtask());
	uint32_t done = 0, n, i;

	if (object->type == OBJT_DEFAULT)
		object->type = OBJT_SWAP;
	do {
		n = count - done < VM_PAGEOUT_CLUSTER_MAX ? count - done : VM_PAGEOUT_CLUSTER_MAX;
		n = put_cluster(object, m + done, n, wait);
		for (i = done; i < done + n; i++)
			outcomes[i] = VM_PAGER_PEND;
		done += n;
		sched_maybe_yield();
	} while (n != 0 && done < count);
	for (i = done; i < count; i++)
		outcomes[i] = VM_PAGER_FAIL;
	swap_area_report();
}
