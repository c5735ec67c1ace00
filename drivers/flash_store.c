/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash store as a disk: requests, its task, figures.
 *
 *   blk_next --> READ   store_read, straight to the request's memory
 *            --> WRITE  store_write, a slot at a time; reads that came meanwhile in between
 *            --> ERASE  store_forget
 *   idle     --> free blocks are erased ahead of need
 *
 * Page-ins do not wait for the writes before them: they are served between two slots of a write
 * or a move, and, where the flash can suspend it, during an erase. What else is taken
 * from the block layer then waits on a list of its own, in order.
 *
 * A write is on the flash when its request is done, so there is nothing to flush.
 *
 * Owns: the stores, their tasks, every bio between blk_next and bio_done.
 * Does not: know where anything lies (flash_store_log.c).
 * Invariants:
 *   D1 only the store's task uses the flash once flash_store_attach has returned;
 *   D2 a chain is completed exactly once.
 * Yields: everything but the start of a request and the figures.
 * See: drivers/flash_store.h; docs/decisions/0019-flash-store.md.
 */
#include "drivers/flash_store.h"

#include <string.h>

#include "drivers/flash_store_internal.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "lib/assert.h"

#define BIO_SLOTS_MAX 32u    /* 128 KiB: longer requests gain nothing */
#define IDLE_US       100000u

static struct flash_store stores[FLASH_STORE_UNITS];

/* ---- requests */

/* A position in the memory of a request. */
struct cursor {
	const struct bio *bio;
	uint32_t segment, offset_bytes;
};

static void *
cursor_address(const struct cursor *c)
{
	return ((uint8_t *)phys_to_virt(c->bio->segments[c->segment].pa) + c->offset_bytes);
}

/* Bytes from here to the end of the segment. */
static uint32_t
cursor_left(const struct cursor *c)
{
	return (c->bio->segments[c->segment].bytes - c->offset_bytes);
}

static void
cursor_advance(struct cursor *c, uint32_t bytes)
{
	c->offset_bytes += bytes;
	if (cursor_left(c) == 0) {
		c->segment++;
		c->offset_bytes = 0;
	}
}

/* A slot between page and the request's memory. */
static void
cursor_copy(struct cursor *c, uint8_t *page, bool to_request)
{
	for (uint32_t done = 0; done < STORE_SLOT_BYTES;) {
		uint32_t bytes = cursor_left(c);

		if (bytes > STORE_SLOT_BYTES - done)
			bytes = STORE_SLOT_BYTES - done;
		if (to_request)
			memcpy(cursor_address(c), page + done, bytes);
		else
			memcpy(page + done, cursor_address(c), bytes);
		cursor_advance(c, bytes);
		done += bytes;
	}
}

static int
read_bio(struct flash_store *s, const struct bio *bio)
{
	struct cursor c = { .bio = bio };
	int error = 0;

	for (uint32_t i = 0; i < bio->block_count && error == 0; i++) {
		uint32_t slot = (uint32_t)bio->block + i;

		sched_maybe_yield();
		if (cursor_left(&c) >= STORE_SLOT_BYTES) {
			error = store_read(s, slot, cursor_address(&c));
			cursor_advance(&c, STORE_SLOT_BYTES);
			continue;
		}
		error = store_read(s, slot, s->read_page);
		if (error == 0)
			cursor_copy(&c, s->read_page, true);
	}
	return (error);
}

static int
write_bio(struct flash_store *s, const struct bio *bio)
{
	struct cursor c = { .bio = bio };
	int error = 0;

	for (uint32_t i = 0; i < bio->block_count && error == 0; i++) {
		s->reads_serve(s);
		sched_maybe_yield();
		cursor_copy(&c, s->write_page, false);
		error = store_write(s, (uint32_t)bio->block + i, s->write_page);
	}
	return (error);
}

static int
erase_bio(struct flash_store *s, const struct bio *bio)
{
	for (uint32_t i = 0; i < bio->block_count; i++) {
		if (i % SCHED_LOOP_MAX == 0)
			sched_maybe_yield();
		store_forget(s, (uint32_t)bio->block + i);
	}
	return (0);
}

static void
serve(struct flash_store *s, struct bio *first)
{
	int error = 0;

	for (const struct bio *bio = first; bio != NULL && error == 0; bio = bio->merged_next) {
		if (bio->op == BIO_READ)
			error = read_bio(s, bio);
		else if (bio->op == BIO_WRITE)
			error = write_bio(s, bio);
		else
			error = erase_bio(s, bio);
	}
	bio_done(first, error);
}

/* ---- reads before writes */

static bool
reads_wait(struct flash_store *s)
{
	return (!TAILQ_EMPTY(&s->dev.queue[BIO_PAGEIN]));
}

static void
reads_serve(struct flash_store *s)
{
	struct bio *first;

	while (reads_wait(s) && (first = blk_next(&s->dev)) != NULL) {
		if (first->op == BIO_READ)
			serve(s, first);
		else
			TAILQ_INSERT_TAIL(&s->deferred, first, link);
	}
}

static struct bio *
next_request(struct flash_store *s)
{
	struct bio *first = TAILQ_FIRST(&s->deferred);

	if (first == NULL)
		return (blk_next(&s->dev));
	TAILQ_REMOVE(&s->deferred, first, link);
	return (first);
}

/* ---- the task */

/* Until there is work: true; false: none came for a while. */
static bool
wait(struct flash_store *s, uint64_t timeout_us)
{
	bool work;

	irq_lock_acquire(&s->lock);
	while (!s->work)
		if (msleep(&s->work, &s->lock, "flidle", timeout_us) != 0)
			break;
	work = s->work;
	s->work = false;
	irq_lock_release(&s->lock);
	return (work);
}

static void
store_task(void *arg)
{
	struct flash_store *s = arg;
	bool more = true;

	for (;;) {
		struct bio *first;

		while ((first = next_request(s)) != NULL) {
			serve(s, first);
			more = true;
		}
		if (!wait(s, more ? IDLE_US : SLEEP_FOREVER))
			more = store_idle_work(s);
	}
}

static void
store_start(struct blkdev *dev)
{
	struct flash_store *s = dev->softc;

	irq_lock_acquire(&s->lock);
	s->work = true;
	irq_lock_release(&s->lock);
	wakeup(&s->work);
}

/* ---- figures */

struct wear {
	uint64_t max, mean, bad;
};

static struct wear
wear_of(const struct flash_store *s)
{
	struct wear w = { 0, 0, 0 };
	uint64_t sum = 0;

	for (uint32_t b = 0; b < s->block_count; b++) {
		const struct store_block *block = &s->blocks[b];

		if (block->state == STORE_BAD || block->state == STORE_FAILING) {
			w.bad++;
			continue;
		}
		sum += block->erase_count;
		if (block->erase_count > w.max)
			w.max = block->erase_count;
	}
	if (s->good_count != 0)
		w.mean = sum / s->good_count;
	w.mean = w.mean == 0 && sum != 0 ? 1 : w.mean;
	return (w);
}

static uint64_t
share_x100(uint64_t part, uint64_t whole)
{
	return (whole == 0 ? 100 : part * 100 / whole);
}

static bool
store_figure(const struct blkdev *dev, uint32_t n, const char **name, uint64_t *value)
{
	static const char *const names[] = { "programs", "erases", "gc_copies",
		"write_amplification_x100", "erase_max", "erase_mean", "spread_x100", "bad_blocks",
		"free_blocks" };
	const struct flash_store *s = dev->softc;
	const struct wear w = wear_of(s);
	const uint64_t values[] = { s->programs, s->erases, s->gc_copies,
		share_x100(s->programs, s->writes), w.max, w.mean, share_x100(w.max, w.mean), w.bad,
		s->free_count };

	if (n >= sizeof(names) / sizeof(names[0]))
		return (false);
	*name = names[n];
	*value = values[n];
	return (true);
}

static const struct blkdev_ops store_ops = {
	.start = store_start,
	.figure = store_figure,
};

/* ---- attach */

static void
announce(const struct flash_store *s)
{
	const struct wear w = wear_of(s);

	kprintf("%s: %u KiB on %s, %u erase blocks of %u KiB, %llu bad, erased %llu times on "
		"average, %llu at most\n", s->dev.name, s->slot_count * 4, s->flash->name,
	    s->block_count, s->flash->geometry.block_bytes >> 10, (unsigned long long)w.bad,
	    (unsigned long long)w.mean, (unsigned long long)w.max);
}

static int
store_begin(struct flash_store *s)
{
	struct task *task;
	int error;

	s->dev.ops = &store_ops;
	s->dev.softc = s;
	s->dev.block_bytes = STORE_SLOT_BYTES;
	s->dev.block_count = s->slot_count;
	s->dev.erase_blocks = 1;
	s->dev.align_blocks = BIO_SLOTS_MAX;
	s->dev.bio_blocks_max = BIO_SLOTS_MAX;
	s->reads_wait = reads_wait;
	s->reads_serve = reads_serve;
	TAILQ_INIT(&s->deferred);
	error = blk_register(&s->dev);
	if (error != 0)
		return (error);
	error = task_create(&task, s->dev.name, PRI_IO, store_task, s);
	if (error != 0)
		blk_unregister(&s->dev);
	return (error);
}

int
flash_store_attach(struct flash *flash, uint32_t unit, void *memory, bool format)
{
	struct flash_store *s;
	char name[4] = { 'f', 'l', (char)('0' + unit), '\0' };
	int error;

	if (unit >= FLASH_STORE_UNITS)
		return (ERR_RANGE);
	if (blk_find(name) != NULL)
		return (ERR_EXIST);
	s = &stores[unit];
	memset(s, 0, sizeof(*s));
	memcpy(s->dev.name, name, sizeof(name));
	error = store_mount(s, flash, memory, format);
	if (error == 0)
		error = store_begin(s);
	if (error == 0)
		announce(s);
	return (error);
}
