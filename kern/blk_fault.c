/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose, between the block layer's queues and the driver.
 *
 *   blk_next --blk_fault_start--> driver --blk_fault_done--> submitter
 *                 |                             |
 *                 `--> HELD: ended with an      `--> HELD: ended when the delay is over
 *                      error, never started
 *
 * What is held is ended by a callout, never from under the driver that asked for it. The
 * delays of a device add up as those of a card would: one request after the other.
 *
 * A torn write is passed to the driver cut to its first half and gets its size back
 * when it returns.
 *
 * Owns: how often a rule has hit; each device's held chains (by bio.link and
 *   bio.due_cycles) and its one torn write.
 * Does not: know what is on the disk, or who asked; make rules (blk_fault_rule.c).
 * Invariants:
 *   J1 a held chain is ACTIVE and on one held list, which is in the order of due_cycles;
 *   J2 at most one write of a device is torn at a time.
 * Yields: never.
 * Complexity: O(rules) a request of a device with rules; one test of a pointer for others.
 * See: kern/blk_fault.h.
 */
#include "kern/blk_fault.h"

#include <stddef.h>

#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/timer.h"
#include "lib/assert.h"

#define DEVICES_MAX 4u
#define CUT_EXIT_CODE 77 /* which a test knows a cut by */

/* Of one whole device with rules. */
struct blk_faults {
	struct blkdev *dev;
	struct bio_queue held;
	struct callout callout;
	uint64_t busy_until_cycles;
	/* The torn write: NULL, or the bio as the driver has it, with what it had. */
	struct bio *torn, *torn_rest;
	uint32_t torn_block_count, torn_last_bytes;
	uint16_t torn_segment_count;
	bool cut;
};

struct blk_fault_rule blk_fault_rules[BLK_FAULT_RULES_MAX];
static struct blk_faults devices[DEVICES_MAX];

/* ---- What a rule is about */

static bool
is_about(const struct blk_fault_rule *rule, const struct bio *chain)
{
	bool reads = rule->kind == BLK_FAULT_READ || rule->kind == BLK_FAULT_CORRUPT;
	bool writes = rule->kind == BLK_FAULT_WRITE || rule->kind == BLK_FAULT_TORN ||
	    rule->kind == BLK_FAULT_CUT;

	if ((reads && chain->op != BIO_READ) || (writes && chain->op != BIO_WRITE))
		return (false);
	return (!rule->bounded || (chain->block < rule->end &&
	    rule->block < chain->block + bio_chain_blocks(chain)));
}

bool
blk_fault_is_on(const struct blk_fault_rule *rule, const struct blkdev *device)
{
	const struct blkdev *dev = rule->dev;

	while (dev != NULL && dev->parent != NULL)
		dev = dev->parent;
	return (dev == device);
}

/* Locked: the rule of this kind that hits chain now, or NULL. Counts. */
static struct blk_fault_rule *
hit(const struct blkdev *dev, uint8_t kind, const struct bio *chain)
{
	struct blk_fault_rule *rule, *found = NULL;

	for (rule = blk_fault_rules; rule < blk_fault_rules + BLK_FAULT_RULES_MAX; rule++) {
		if (rule->dev == NULL || rule->kind != kind || !blk_fault_is_on(rule, dev) ||
		    !is_about(rule, chain))
			continue;
		if (++rule->seen <= rule->after || rule->hits >= rule->times ||
		    (rule->seen - rule->after - 1) % rule->every != rule->every - 1)
			continue;
		rule->hits++;
		found = rule;
	}
	return (found);
}

/* ---- Holding back */

static void end_due(void *arg);

/* Locked. */
static void
arm(struct blk_faults *f)
{
	const struct bio *first = TAILQ_FIRST(&f->held);
	uint64_t now = get_cyclecount();

	if (first == NULL)
		return;
	callout_reset(&f->callout,
	    first->due_cycles > now ? timer_cycles_to_us(first->due_cycles - now) + 1 : 1,
	    end_due, f);
}

/* Locked: end chain with error at due. */
static void
hold(struct blk_faults *f, struct bio *chain, int error, uint64_t due_cycles)
{
	struct bio *before = TAILQ_LAST(&f->held, bio_queue);

	KASSERT(chain->state == BIO_ACTIVE, "J1: what is held is active");
	chain->error = error;
	chain->due_cycles = due_cycles;
	while (before != NULL && before->due_cycles > due_cycles)
		before = TAILQ_PREV(before, bio_queue, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&f->held, chain, link);
	else
		TAILQ_INSERT_AFTER(&f->held, before, chain, link);
	arm(f);
}

/* The callout: interrupt context. */
static void
end_due(void *arg)
{
	struct blk_faults *f = arg;
	struct bio *chain;

	for (;;) {
		irq_lock_acquire(&f->dev->lock);
		chain = TAILQ_FIRST(&f->held);
		if (chain == NULL || chain->due_cycles > get_cyclecount()) {
			arm(f);
			irq_lock_release(&f->dev->lock);
			return;
		}
		TAILQ_REMOVE(&f->held, chain, link);
		irq_lock_release(&f->dev->lock);
		blk_finish(chain, chain->error);
	}
}

/* ---- Torn writes */

/* Locked: cut the chain to the first half of its first bio; false if that is nothing. */
static bool
tear(struct blk_faults *f, struct bio *chain)
{
	uint32_t keep = chain->block_count / 2, bytes, n;

	if (keep == 0 || f->torn != NULL)
		return (false); /* J2 */
	f->torn = chain;
	f->torn_rest = chain->merged_next;
	f->torn_block_count = chain->block_count;
	f->torn_segment_count = chain->segment_count;
	bytes = keep * f->dev->block_bytes;
	for (n = 0; chain->segments[n].bytes < bytes; n++)
		bytes -= chain->segments[n].bytes;
	f->torn_last_bytes = chain->segments[n].bytes;
	chain->segments[n].bytes = bytes;
	chain->segment_count = (uint16_t)(n + 1);
	chain->block_count = keep;
	chain->merged_next = NULL;
	return (true);
}

/* Locked: it is back from the driver. */
static void
mend(struct blk_faults *f)
{
	struct bio *chain = f->torn;

	chain->segments[chain->segment_count - 1].bytes = f->torn_last_bytes;
	chain->segment_count = f->torn_segment_count;
	chain->block_count = f->torn_block_count;
	chain->merged_next = f->torn_rest;
	f->torn = NULL;
}

/* The half of the last write is on the disk: nothing else will be. */
static void
power_cut(const struct blkdev *dev)
{
	kprintf("\nfault: power cut in the middle of a write to %s\n", dev->name);
	cpu_poweroff(CUT_EXIT_CODE);
}

/* ---- Corrupt reads */

/* One bit of the block, as it lies in the memory of the chain. */
static void
flip(const struct bio *chain, uint64_t block, uint32_t block_bytes)
{
	const struct bio *bio = chain;
	uint64_t at_bytes;
	uint32_t n;

	while (bio->merged_next != NULL && block >= bio->block + bio->block_count)
		bio = bio->merged_next;
	at_bytes = (block - bio->block) * block_bytes;
	for (n = 0; at_bytes >= bio->segments[n].bytes; n++)
		at_bytes -= bio->segments[n].bytes;
	*(uint8_t *)phys_to_virt(bio->segments[n].pa + at_bytes) ^= 0x10;
}

/* ---- The two hooks */

/* Locked: does it fail before the driver sees it, and how (0: it does not)? */
static int
start_error(struct blk_faults *f, struct bio *chain)
{
	struct blkdev *dev = f->dev;

	if (hit(dev, BLK_FAULT_GONE, chain) != NULL)
		return (ERR_NODEV);
	if (hit(dev, BLK_FAULT_CUT, chain) != NULL) {
		f->cut = true;
		if (!tear(f, chain))
			power_cut(dev);
		return (0);
	}
	if (hit(dev, BLK_FAULT_TORN, chain) != NULL)
		return (tear(f, chain) ? 0 : ERR_IO);
	if (hit(dev, BLK_FAULT_READ, chain) != NULL || hit(dev, BLK_FAULT_WRITE, chain) != NULL)
		return (ERR_IO);
	return (0);
}

bool
blk_fault_start(struct blkdev *dev, struct bio *chain)
{
	int error;

	irq_lock_acquire(&dev->lock);
	error = start_error(dev->faults, chain);
	if (error != 0)
		hold(dev->faults, chain, error, get_cyclecount());
	irq_lock_release(&dev->lock);
	return (error != 0);
}

/* Locked: hold chain back if a rule delays it. */
static bool
delay(struct blk_faults *f, struct bio *chain, int error)
{
	const struct blk_fault_rule *rule = hit(f->dev, BLK_FAULT_DELAY, chain);
	uint64_t now = get_cyclecount();

	if (rule == NULL)
		return (false);
	if (f->busy_until_cycles < now)
		f->busy_until_cycles = now;
	f->busy_until_cycles += timer_us_to_cycles(rule->delay_us);
	hold(f, chain, error, f->busy_until_cycles);
	return (true);
}

bool
blk_fault_done(struct blkdev *dev, struct bio *chain, int *error)
{
	struct blk_faults *f = dev->faults;
	const struct blk_fault_rule *rule;
	bool held;

	irq_lock_acquire(&dev->lock);
	if (f->torn == chain) {
		mend(f);
		*error = ERR_IO;
		if (f->cut)
			power_cut(dev);
	}
	rule = hit(dev, BLK_FAULT_CORRUPT, chain);
	if (rule != NULL && *error == 0)
		flip(chain, rule->block > chain->block ? rule->block : chain->block,
		    dev->block_bytes);
	held = delay(f, chain, *error);
	irq_lock_release(&dev->lock);
	return (held);
}

/* ---- Rules */

int
blk_fault_enable(struct blkdev *device)
{
	struct blk_faults *f;

	if (device->faults != NULL)
		return (0);
	for (f = devices; f < devices + DEVICES_MAX && f->dev != NULL && f->dev != device;
	     f++)
		continue;
	if (f == devices + DEVICES_MAX)
		return (ERR_NOSPC);
	*f = (struct blk_faults){ .dev = device };
	TAILQ_INIT(&f->held);
	device->faults = f;
	return (0);
}
