/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling a device which of its units hold nothing any more.
 *
 *   unit dead --idle device, at most one each vm.swap_discard_us--> BIO_ERASE --> known empty
 *
 * A card that knows a unit to be empty need not copy it when it is written again, and can
 * prepare it while it has nothing else to do. So it is told only then, one unit at a time,
 * and nobody waits for it: swapio passes by.
 *
 * Owns: the one erase that is under way.
 * Does not: choose units (lib/slot_layout.c); erase anything that is in use, or the header.
 * Invariants:
 *   X1 a unit that is being erased hands no slot out (L3), and its area does not go.
 * Yields: never, but for a device that completes inside blk_submit.
 * See: docs/decisions (swap layout for cards); SD Physical Layer 3.01, 4.3.5.
 */
#include "kern/sched.h"
#include "kern/timer.h"
#include "mm/swap_pager_internal.h"

#define RECHECK_US 100000u

static struct bio erase;             /* X1 */
static struct swap_area *erase_area; /* NULL: none is under way */
static volatile bool erase_finished;
static uint64_t last_us;
static void (*wake_swapio)(void);

void
swap_discard_init(void (*wake)(void))
{
	erase_area = NULL;
	erase_finished = false;
	last_us = 0;
	wake_swapio = wake;
	erase.state = BIO_IDLE;
}

/* Interrupt context, or under blk_submit. */
static void
erase_done(struct bio *bio)
{
	(void)bio;
	erase_finished = true;
	wake_swapio();
}

static bool
is_idle(const struct blkdev *dev)
{
	for (; dev != NULL; dev = dev->parent)
		if (dev->queued_count + dev->active_count != 0)
			return (false);
	return (true);
}

static const struct blkdev *
whole(const struct blkdev *dev, uint64_t *offset_blocks)
{
	for (*offset_blocks = 0; dev->parent != NULL; dev = dev->parent)
		*offset_blocks += dev->parent_block;
	return (dev);
}

static bool
can_erase(const struct swap_area *area)
{
	uint64_t offset;

	return (area->dev != NULL && !area->closing && area->layout.runs != NULL &&
	    whole(area->dev, &offset)->erase_blocks != 0);
}

/* The blocks of the area's slots [first, first + count) that the device can erase: whole
 * erase units of its own. */
static void
fill_erase(const struct swap_area *area, uint32_t first, uint32_t count)
{
	uint64_t offset, start, end;
	uint32_t unit = whole(area->dev, &offset)->erase_blocks;

	start = offset + (uint64_t)first * area->blocks_per_slot;
	end = start + (uint64_t)count * area->blocks_per_slot;
	start = (start + unit - 1) / unit * unit;
	end = end / unit * unit;
	erase = (struct bio){ .op = BIO_ERASE, .priority = BIO_PAGEOUT, .done = erase_done };
	if (start < end) {
		erase.block = start - offset;
		erase.block_count = (uint32_t)(end - start);
	}
}

/* Start with a dead unit of the area; false if there is none. */
static bool
start(struct swap_area *area)
{
	uint32_t first, count;

	if (!is_idle(area->dev) || !slot_layout_erase_begin(&area->layout, &first, &count))
		return (false);
	erase_area = area;
	erase_finished = false;
	last_us = timer_now_us();
	fill_erase(area, first, count);
	if (erase.block_count != 0)
		blk_submit(area->dev, &erase);
	else
		erase_finished = true; /* a part of a unit, at the start of a partition */
	return (true);
}

static void
finish(void)
{
	slot_layout_erase_end(&erase_area->layout, erase.error == 0);
	if (erase.error == 0 && erase.block_count != 0) {
		erase_area->discards++;
		mm_params.v_swap_discards++;
	}
	erase_area = NULL;
}

/* One dead unit of the areas that can have one. */
static void
start_one(void)
{
	uint32_t n;

	for (n = 0; n < swap_area_count; n++)
		if (can_erase(&swap_areas[n]) && start(&swap_areas[n]))
			return;
}

static bool
any_can_erase(void)
{
	uint32_t n;

	for (n = 0; n < swap_area_count; n++)
		if (can_erase(&swap_areas[n]))
			return (true);
	return (false);
}

uint64_t
swap_discard_poll(void)
{
	uint64_t period_us = (uint64_t)mm_params.swap_discard_us;

	if (erase_area != NULL && erase_finished)
		finish();
	if (erase_area == NULL && (period_us == 0 || !any_can_erase()))
		return (SLEEP_FOREVER);
	if (erase_area == NULL && timer_now_us() - last_us >= period_us)
		start_one();
	if (erase_area != NULL && erase_finished) /* inside blk_submit */
		finish();
	/* The end of an erase may have come before the sleep began, and swapoff waits for it. */
	if (period_us == 0 || (erase_area != NULL && period_us > RECHECK_US))
		return (RECHECK_US);
	return (period_us);
}

bool
swap_discard_busy(const struct swap_area *area)
{
	return (erase_area == area);
}
