/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What swap costs beside the same transfers without a pager, for one device (the first
 * swap area's) in one run.
 *
 *   raw     blk_read, blk_write: 64 KiB in order, 4 KiB anywhere
 *   pager   an object's pages out in clusters and back in, in order and anywhere
 *
 * Under -icount a nanosecond is an instruction and an SD card or RAM disk of QEMU takes no time
 * of its own, so the figures are instructions for 4 KiB: of driver, block layer and pager. A
 * virtio disk answers in the host's time: without -icount, only the ratios mean something.
 *
 * Owns: a buffer of 64 KiB; the object while it runs.
 * Does not: judge speed; it fails if a page does not come back as it was.
 * Invariants: none.
 * Yields: yes.
 * See: test/bench/96_*.test; selftest_disk.c for the drivers alone.
 */
#include <stddef.h>
#include <string.h>

#include "kern/blkdev.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "lib/rng.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_pager.h"
#include "test/target/selftest.h"

#define RAW_BYTES   65536u
#define RAW_ROUNDS  32u
#define PAGES       1024u /* of the object: 4 MiB */
#define READ_PAGES  8u
#define SOME_PAGES  256u  /* read one by one */

static uint8_t buffer[RAW_BYTES] __attribute__((aligned(4096)));
static struct rng rng;

/* Nanoseconds for each of pages pages since ticks. */
static uint32_t
per_page(uint64_t ticks, uint32_t pages)
{
	uint64_t ns = (get_cyclecount() - ticks) * 1000000000u / cpu_cycles_per_second();

	return ((uint32_t)(ns / pages));
}

/* ---- without a pager, at the end of the device */

static uint32_t
raw(struct blkdev *dev, enum bio_op op, uint32_t pages, bool in_order)
{
	uint32_t blocks = pages * (PAGE_SIZE / dev->block_bytes), i, error = 0;
	uint64_t span = (uint64_t)RAW_ROUNDS * RAW_BYTES / dev->block_bytes;
	uint64_t first = dev->block_count - span;
	uint64_t ticks = get_cyclecount(), at = first;

	for (i = 0; i < RAW_ROUNDS; i++) {
		if (!in_order)
			at = first + rng_below(&rng, (uint32_t)(span / blocks)) * blocks;
		error |= (op == BIO_READ ? blk_read(dev, at, buffer, blocks) :
		    blk_write(dev, at, buffer, blocks)) != 0;
		at += blocks;
	}
	return (error != 0 ? 0 : per_page(ticks, RAW_ROUNDS * pages));
}

/* ---- with it */

static struct vm_page *
new_page(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);

	if (m == NULL)
		return (NULL);
	memset(vm_page_address(m), (int)(pindex * 37 + 11), PAGE_SIZE);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	vm_page_deactivate(m);
	return (m);
}

/* As the page daemon would: clusters of 16, four in flight. */
static bool
write_out(struct vm_object *object, uint32_t *cost)
{
	struct task *worker = vm_domains[0].worker;
	uint64_t ticks = get_cyclecount();
	struct vm_page *m;
	uint32_t i;

	vm_domains[0].worker = curtask();
	for (i = 0; i < PAGES; i++) {
		m = vm_page_lookup(object, i);
		if (m->dirty != 0 && !vm_page_busied(m) && vm_pageout_clean(m) == 0)
			break;
	}
	vm_object_pip_wait(object);
	vm_domains[0].worker = worker;
	*cost = per_page(ticks, PAGES);
	return (i == PAGES);
}

static void
drop(struct vm_object *object)
{
	struct vm_page *m;
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		m = vm_page_lookup(object, i);
		if (m != NULL)
			(void)vm_pageout_try_free(m);
	}
}

/* count pages from first on, in one request if they lie together. */
static bool
read_in(struct vm_object *object, vm_pindex_t first, uint32_t count)
{
	struct vm_page *m[READ_PAGES];
	uint32_t i;

	for (i = 0; i < count; i++)
		if ((m[i] = vm_page_alloc(object, first + i, VM_ALLOC_NORMAL)) == NULL)
			return (false);
	vm_object_pip_add(object, 1);
	if (swap_pager_ops.get_pages(object, m, count, 0) != VM_PAGER_OK)
		return (false);
	vm_page_deactivate(m[0]);
	vm_page_xunbusy(m[0]);
	vm_object_pip_wakeup(object, 1);
	return (true);
}

static bool
read_back(struct vm_object *object, uint32_t *in_order, uint32_t *anywhere)
{
	uint64_t ticks = get_cyclecount();
	uint32_t i, n;

	for (i = 0; i < PAGES; i += READ_PAGES)
		EXPECT(read_in(object, i, READ_PAGES));
	*in_order = per_page(ticks, PAGES);
	for (i = 0; i < PAGES; i++) {
		const uint8_t *bytes = vm_page_address(vm_page_lookup(object, i));

		EXPECT(bytes[0] == (uint8_t)(i * 37 + 11) && bytes[4095] == bytes[0]);
	}
	drop(object);
	ticks = get_cyclecount();
	for (n = 0; n < SOME_PAGES;) {
		i = rng_below(&rng, PAGES);
		if (vm_page_lookup(object, i) != NULL)
			continue;
		EXPECT(read_in(object, i, 1));
		n++;
	}
	*anywhere = per_page(ticks, SOME_PAGES);
	return (true);
}

static void
print(const char *device, const char *what, uint32_t raw_cost, uint32_t pager_cost)
{
	kprintf("bench: %s, %s: raw %u, pager %u ns for 4 KiB; pager/raw %u.%02u\n", device, what,
	    raw_cost, pager_cost, raw_cost != 0 ? pager_cost / raw_cost : 0,
	    raw_cost != 0 ? pager_cost * 100 / raw_cost % 100 : 0);
}

bool
selftest_pager_speed(void)
{
	struct vm_object *object = vm_object_allocate(PAGES);
	uint32_t out, in, anywhere, i;
	struct swap_area_info a, b;
	struct blkdev *dev;

	EXPECT(object != NULL && swap_pager_info(0, &a));
	dev = blk_find(a.device);
	EXPECT(dev != NULL && a.used_slots == 0);
	rng_seed(&rng, 1);
	for (i = 0; i < PAGES; i++)
		EXPECT(new_page(object, i) != NULL);
	EXPECT(write_out(object, &out));
	drop(object);
	EXPECT(read_back(object, &in, &anywhere));
	EXPECT(swap_pager_info(0, &b));
	print(a.device, "write in order", raw(dev, BIO_WRITE, 16, true), out);
	print(a.device, "read in order", raw(dev, BIO_READ, 8, true), in);
	print(a.device, "read anywhere", raw(dev, BIO_READ, 1, false), anywhere);
	kprintf("bench: %s, write anywhere: raw %u ns for 4 KiB (the pager writes in order)\n",
	    a.device, raw(dev, BIO_WRITE, 1, false));
	kprintf("bench: %s: %llu.%llu pages a write of the pager, %u a read in order\n", a.device,
	    (unsigned long long)(b.written_pages / b.writes),
	    (unsigned long long)(b.written_pages * 10 / b.writes % 10), READ_PAGES);
	vm_object_deallocate(object);
	return (true);
}
