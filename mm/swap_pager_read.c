/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages from swap: one request for the wanted page and what lies next to it.
 *
 *   run of slots --read--> pages --CRC right--> neighbours: inactive, released
 *        ^                   |                  wanted: stays busy, OK
 *        |                   `--CRC wrong or I/O error, neighbour: freed (it can be
 *        |                      read again on its own)
 *        `-- wanted page wrong: again, alone, vm.swap_read_retries times, with longer
 *              and longer pauses; then ERROR
 *
 * The slots stay in use: a clean page need not be written again.
 *
 * Owns: the request, on the stack of the task that waits for it.
 * Does not: choose what to read (vm_fault_pagein), free slots.
 * Invariants:
 *   G1 the slots of a run that is being read cannot change owner: whoever frees
 *      them waits for the busy pages;
 *   G2 bytes that do not match the CRC of their slot never become valid.
 * Yields: swap_get_pages, for the device and the console.
 * Complexity: one request and one CRC a page.
 * See: contract 1.15.
 */
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "lib/crc32c.h"
#include "mm/swap_pager_internal.h"

#define NEIGHBOURS_MAX   (SWB_NPAGES / 2 - 1) /* told on each side (1.15) */
#define SLOW_READ_US     20000000u
#define RETRY_US         1000u /* before the first retry, then twice as long each */
#define RETRY_SHIFT_MAX  10u

/* A read in flight. */
struct swap_read {
	struct bio bio;
	struct irq_lock lock;
	volatile bool finished;
};

/* Consecutive pages in consecutive slots. */
struct read_run {
	struct vm_page **m;
	uint32_t slot;
	uint32_t count;
	uint32_t wanted; /* index of the page that must succeed */
};

bool
swap_has_page(struct vm_object *object, vm_pindex_t pindex, uint32_t *before, uint32_t *after)
{
	uint32_t slot = swap_map_lookup(object, pindex);
	uint32_t n;

	if (slot == SWAP_SLOT_NONE)
		return (false);
	if (before != NULL) {
		for (n = 0; n < NEIGHBOURS_MAX && n < pindex &&
		    swap_map_holds(slot - n - 1, object, pindex - n - 1);)
			n++;
		*before = n;
	}
	if (after != NULL) {
		for (n = 0; n < NEIGHBOURS_MAX &&
		    swap_map_holds(slot + n + 1, object, pindex + n + 1);)
			n++;
		*after = n;
	}
	return (true);
}

/* ---- one request */

/* Interrupt context, or under blk_submit. */
static void
read_done(struct bio *bio)
{
	struct swap_read *read = bio->context;

	irq_lock_acquire(&read->lock);
	read->finished = true;
	wakeup_pri(read, PRI_FAULT);
	irq_lock_release(&read->lock);
}

static void
read_wait(struct swap_read *read, const struct swap_area *area)
{
	int slow;

	irq_lock_acquire(&read->lock);
	while (!read->finished) {
		slow = msleep(read, &read->lock, "swread", SLOW_READ_US);
		if (slow == 0 || read->finished)
			continue;
		irq_lock_release(&read->lock);
		kprintf("swap: %s: a read has not come back for 20 seconds\n", area->dev->name);
		irq_lock_acquire(&read->lock);
	}
	irq_lock_release(&read->lock);
}

/* Fill the run's pages from its slots; 0 or the device's error. */
static int
read_run(const struct read_run *run)
{
	struct swap_area *area = swap_area_of(run->slot);
	uint64_t started = get_cyclecount();
	struct swap_read read;

	swap_area_fill_bio(&read.bio, BIO_READ, run->slot, run->m, run->count);
	read.bio.priority = BIO_PAGEIN;
	read.bio.done = read_done;
	read.bio.context = &read;
	read.finished = false;
	area->reads++;
	mm_params.v_swapin++;
	trace(TRACE_PAGEIN, run->m[run->wanted]->pindex, run->slot, run->count);
	blk_submit(area->dev, &read.bio);
	if (!read.finished)
		read_wait(&read, area);
	histogram_add(&mm_params.pagein_us, timer_cycles_to_us(get_cyclecount() - started));
	return (read.bio.error);
}

/* ---- what came */

/* G2: does the page hold what went to its slot? *crc is what it holds. */
static bool
page_check(const struct vm_page *m, uint32_t slot, uint32_t *crc)
{
	*crc = crc32c(0, vm_page_address(m), PAGE_SIZE);
	if (__builtin_expect(*crc == swap_map_crc(slot), 1))
		return (true);
	swap_area_of(slot)->crc_errors++;
	mm_params.v_crc_errors++;
	return (false);
}

static void
page_arrived(struct vm_page *m, uint32_t slot)
{
	m->valid = VM_PAGE_BITS_ALL;
	m->dirty = 0;
	pmap_page_filled(m);
	swap_area_of(slot)->read_pages++;
	mm_params.v_swappgsin++;
	if (m->object->usage != NULL)
		m->object->usage->page_ins++;
}

/* Neighbours that are right join the inactive queue, the others are freed. */
static void
settle_neighbours(const struct read_run *run, bool usable)
{
	struct vm_page *m;
	uint32_t i, crc;

	for (i = 0; i < run->count; i++) {
		m = run->m[i];
		if (i == run->wanted)
			continue;
		if (!usable || !page_check(m, run->slot + i, &crc)) {
			vm_page_free(m);
			continue;
		}
		page_arrived(m, run->slot + i);
		vm_page_deactivate(m);
		vm_page_xunbusy(m);
	}
}

/* What is wrong with the wanted page; 0 = nothing. */
static int
wanted_check(const struct read_run *run, int error, uint32_t *crc)
{
	uint32_t slot = run->slot + run->wanted;

	if (error != 0)
		return (error);
	return (page_check(run->m[run->wanted], slot, crc) ? 0 : ERR_CORRUPT);
}

static enum vm_pager_outcome
give_up(const struct read_run *run, int error, uint32_t crc)
{
	uint32_t slot = run->slot + run->wanted, index = SWAP_SLOT_INDEX(slot);
	const struct swap_area *area = swap_area_of(slot);
	unsigned long block = (unsigned long)index * area->blocks_per_slot;

	if (error == ERR_CORRUPT)
		kprintf("swap: %s block %lu, slot %u: read back with CRC %08x, written with %08x\n",
		    area->dev->name, block, index, crc, swap_map_crc(slot));
	else
		kprintf("swap: %s block %lu, slot %u (CRC %08x): cannot be read back: %s\n",
		    area->dev->name, block, index, swap_map_crc(slot), err_string(error));
	return (VM_PAGER_ERROR);
}

static enum vm_pager_outcome
get_run(struct vm_object *object, struct read_run *run)
{
	uint32_t retries = (uint32_t)mm_params.swap_read_retries, crc = 0, n;
	int error = read_run(run);

	if (object->usage != NULL)
		object->usage->page_in_ops++;
	settle_neighbours(run, error == 0);
	error = wanted_check(run, error, &crc);
	if (error != 0) {
		run->m += run->wanted;
		run->slot += run->wanted;
		run->wanted = 0;
		run->count = 1;
	}
	for (n = 0; error != 0 && n < retries; n++) {
		tsleep(run, "swretry", RETRY_US << (n < RETRY_SHIFT_MAX ? n : RETRY_SHIFT_MAX));
		error = wanted_check(run, read_run(run), &crc);
	}
	if (error != 0)
		return (give_up(run, error, crc));
	page_arrived(run->m[run->wanted], run->slot + run->wanted);
	return (VM_PAGER_OK);
}

/* Cut the array to what lies side by side around m[wanted], and free the rest. */
static void
cut_run(struct vm_object *object, uint32_t slot, uint32_t run_max, uint32_t count,
    struct read_run *run)
{
	struct vm_page **m = run->m;
	uint32_t first = run->wanted, end = run->wanted + 1, i;

	while (end < count && end - first < run_max &&
	    swap_map_holds(slot + end - run->wanted, object, m[end]->pindex))
		end++;
	while (first > 0 && end - first < run_max &&
	    swap_map_holds(slot - (run->wanted - first + 1), object, m[first - 1]->pindex))
		first--;
	for (i = 0; i < count; i++)
		if (i < first || i >= end)
			vm_page_free(m[i]);
	run->m = m + first;
	run->count = end - first;
	run->slot = slot - (run->wanted - first);
	run->wanted -= first;
}

enum vm_pager_outcome
swap_get_pages(struct vm_object *object, struct vm_page **m, uint32_t count, uint32_t wanted)
{
	struct read_run run = { .m = m, .wanted = wanted };
	uint32_t slot = swap_map_lookup(object, m[wanted]->pindex);
	uint32_t run_max = 0;

	if (slot != SWAP_SLOT_NONE) {
		run_max = swap_area_of(slot)->run_max;
		cut_run(object, slot, run_max, count, &run);
		return (get_run(object, &run));
	}
	for (uint32_t i = 0; i < count; i++)
		if (i != wanted)
			vm_page_free(m[i]);
	return (VM_PAGER_FAIL);
}
