/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap areas: which slots of which device are free.
 *
 *   slot 0      header (lib/swap_header.h)      never handed out
 *   slot 1      spare                           never handed out
 *   slot 2..    FREE <--> USED --> BAD          alloc_run, free, retire
 *
 * Runs go to the areas of the best priority, in turn, and to lesser ones when those are
 * full. Inside an area they follow each other (next fit); on a device that says in what
 * units it likes to be written, unit by unit (lib/slot_layout.c).
 *
 * Owns: swap_areas, every slot's state, the two alarms.
 * Does not: know what a slot holds (swap_map), or do I/O on slots.
 * Invariants:
 *   A1 free + used + bad + SWAP_RESERVED_SLOTS = slot_count in every area;
 *   A2 avail_slots is the sum of the free slots of the areas that are not closing;
 *   A3 a slot that is freed or retired was in use;
 *   A4 a bad slot is never handed out again;
 *   A5 nothing is handed out of an area that is closing; it goes when it is empty.
 * Yields: swap_pager_probe, swap_pager_swapon (they read the header), and
 *   swap_area_report.
 * Complexity: alloc and free O(1) mostly; see lib/run_alloc.c.
 * See: contract 1.15; docs/SPEC.md for the header. Unlike the reference, a request
 *   that finds no run of 4 goes on with single slots (quirk Q10), so "full" means that
 *   no slot at all is left.
 */
#include <string.h>

#include "kern/console.h"
#include "kern/machdep.h"
#include "lib/swap_header.h"
#include "mm/swap_pager_internal.h"

#define SLOTS_MIN     64u
#define SLOTS_MAX     (1u << 24)
#define RUN_HALVES_TO 4u

struct swap_area swap_areas[SWAP_AREAS_MAX];
uint32_t swap_area_count;

static uint32_t next_area;   /* where the next run is looked for first */
static uint32_t avail_slots; /* free in all areas */
static uint32_t usable_slots; /* free and used in all areas */
static bool full, almost_full, report_due;

void
swap_area_init(void)
{
	memset(swap_areas, 0, sizeof(swap_areas));
	swap_area_count = next_area = avail_slots = usable_slots = 0;
	full = almost_full = true;
	report_due = false;
}

/* ---- alarms */

/* The contract's marks, lower where all swap is smaller than they assume. */
static uint32_t
mark(uint32_t pages, uint32_t limit)
{
	return (pages < limit ? pages : limit);
}

static void
check_alarms(void)
{
	if (avail_slots < mark(NSWAP_LOWAT, usable_slots / 2)) {
		report_due |= !almost_full;
		almost_full = true;
		return;
	}
	full = false;
	if (avail_slots > mark(NSWAP_HIWAT, usable_slots / 4 * 3))
		almost_full = false;
}

void
swap_area_report(void)
{
	if (!report_due)
		return;
	report_due = false;
	kprintf("swap: nearly full, %u of %u pages free\n", avail_slots, usable_slots);
}

/* ---- slots */

static inline bool
by_units(const struct swap_area *area)
{
	return (area->layout.runs != NULL);
}

/* From one of the areas of this priority, in turn. */
static uint32_t
alloc_exactly(int32_t priority, uint32_t count)
{
	struct swap_area *area;
	uint32_t i, n, first;

	for (i = 0; i < swap_area_count; i++) {
		n = (next_area + i) % swap_area_count;
		area = &swap_areas[n];
		if (area->dev == NULL || area->closing || area->priority != priority ||
		    count > area->run_max || count > area->runs.free_count)
			continue;
		first = by_units(area) ? slot_layout_get(&area->layout, count) :
		    run_alloc_get(&area->runs, count);
		if (first == RUN_ALLOC_NONE)
			continue;
		area->used_slots += count;
		next_area = (n + 1) % swap_area_count;
		return (SWAP_SLOT(n, first));
	}
	return (SWAP_SLOT_NONE);
}

/* The largest priority below *priority that an area has; false if there is none. */
static bool
next_priority(int64_t *priority)
{
	const struct swap_area *area;
	int64_t best = INT64_MIN;

	for (area = swap_areas; area < swap_areas + swap_area_count; area++)
		if (area->dev != NULL && area->priority < *priority && area->priority > best)
			best = area->priority;
	*priority = best;
	return (best != INT64_MIN);
}

/* A run of at most *count slots of the areas of this priority. */
static uint32_t
alloc_at(int32_t priority, uint32_t *count)
{
	uint32_t slot = alloc_exactly(priority, *count), n = *count;

	while (slot == SWAP_SLOT_NONE && n > 1) {
		if (n <= RUN_HALVES_TO && mm_params.swap_runs_of_four)
			break; /* quirk Q10 */
		n = n > RUN_HALVES_TO ? n / 2 : 1;
		slot = alloc_exactly(priority, n);
	}
	if (slot != SWAP_SLOT_NONE)
		*count = n;
	return (slot);
}

uint32_t
swap_area_alloc_run(uint32_t *count)
{
	uint32_t slot = SWAP_SLOT_NONE;
	int64_t priority = INT64_MAX;

	while (slot == SWAP_SLOT_NONE && next_priority(&priority))
		slot = alloc_at((int32_t)priority, count);
	if (slot == SWAP_SLOT_NONE) {
		mm_params.swap_alloc_failures++;
		full = almost_full = true;
		*count = 0;
		return (SWAP_SLOT_NONE);
	}
	avail_slots -= *count;
	check_alarms();
	return (slot);
}

void
swap_area_free(uint32_t slot, uint32_t count)
{
	struct swap_area *area = swap_area_of(slot);

	KASSERT(area->used_slots >= count, "A3: a freed slot was in use");
	if (by_units(area))
		slot_layout_put(&area->layout, SWAP_SLOT_INDEX(slot), count);
	else
		run_alloc_put(&area->runs, SWAP_SLOT_INDEX(slot), count);
	area->used_slots -= count;
	if (area->closing)
		return; /* A2 */
	avail_slots += count;
	check_alarms();
}

void
swap_area_retire(uint32_t slot, uint32_t count)
{
	struct swap_area *area = swap_area_of(slot);

	KASSERT(area->used_slots >= count, "A3: a retired slot was in use");
	area->used_slots -= count;
	area->bad_slots += count;
	if (!area->closing)
		usable_slots -= count;
}

void
swap_area_fill_bio(struct bio *bio, enum bio_op op, uint32_t slot, struct vm_page **m,
    uint32_t count)
{
	const struct swap_area *area = swap_area_of(slot);
	uint32_t i;

	bio->op = (uint8_t)op;
	bio->state = BIO_IDLE;
	bio->segment_count = (uint16_t)count;
	bio->block_count = count * area->blocks_per_slot;
	bio->block = (uint64_t)SWAP_SLOT_INDEX(slot) * area->blocks_per_slot;
	for (i = 0; i < count; i++)
		bio->segments[i] = (struct bio_segment){ VM_PAGE_TO_PHYS(m[i]), PAGE_SIZE };
}

/* ---- swapon */

static int
refuse(const struct blkdev *dev, int error, const char *what)
{
	kprintf("swap: %s: %s\n", dev->name, what);
	return (error);
}

/* What is wrong with the header, or NULL. */
static const char *
header_fault(const struct blkdev *dev, const struct swap_header *h)
{
	if (memcmp(h->magic, SWAP_HEADER_MAGIC, SWAP_HEADER_MAGIC_BYTES) != 0)
		return ("no swap header; initialise it with tools/mkswap");
	if (h->crc != swap_header_crc(h))
		return ("header checksum is wrong; run tools/mkswap again");
	if (h->version != SWAP_HEADER_VERSION)
		return ("header version is not 1; run tools/mkswap again");
	if (h->page_bytes != PAGE_SIZE)
		return ("page size in the header is not 4096; run tools/mkswap again");
	if (h->page_count > dev->block_count / (PAGE_SIZE / dev->block_bytes))
		return ("page count in the header exceeds the partition; run tools/mkswap "
			"again");
	return (NULL);
}

static int
header_check(const struct blkdev *dev, const struct swap_header *h, uint64_t *slot_count)
{
	const char *fault = header_fault(dev, h);

	if (fault != NULL)
		return (refuse(dev, ERR_CORRUPT, fault));
	*slot_count = h->page_count;
	return (0);
}

static int
header_read(struct blkdev *dev, uint64_t *slot_count)
{
	struct vm_page *m = vm_page_alloc(NULL, 0,
	    VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
	int error;

	if (m == NULL)
		return (refuse(dev, ERR_NOMEM,
		    "no memory to read the header; boot with a larger mem="));
	error = blk_read(dev, 0, vm_page_address(m), PAGE_SIZE / dev->block_bytes);
	if (error != 0)
		(void)refuse(dev, error, "the header cannot be read; check the card");
	else
		error = header_check(dev, vm_page_address(m), slot_count);
	vm_page_unwire(m, PQ_NONE);
	vm_page_free(m);
	return (error);
}

int
swap_pager_probe(struct blkdev *dev, bool needs_header, uint64_t *slot_count)
{
	int error = 0;

	if (dev->block_bytes > PAGE_SIZE || dev->bio_blocks_max < PAGE_SIZE / dev->block_bytes)
		return (refuse(dev, ERR_INVAL, "device cannot transfer pages of 4096 bytes"));
	if (dev->read_only)
		return (refuse(dev, ERR_ROFS, "device is read-only"));
	*slot_count = dev->block_count / (PAGE_SIZE / dev->block_bytes);
	if (needs_header && *slot_count >= SLOTS_MIN)
		error = header_read(dev, slot_count);
	if (error != 0)
		return (error);
	if (*slot_count < SLOTS_MIN)
		return (refuse(dev, ERR_RANGE, "smaller than 64 pages; make the partition larger"));
	if (*slot_count > SLOTS_MAX)
		*slot_count = SLOTS_MAX;
	return (0);
}

static vm_size_t
whole_words(vm_size_t bytes)
{
	return ((bytes + 7) & ~(vm_size_t)7);
}

/* Records first, then the bits of the run allocator, then the figures of units. */
vm_size_t
swap_pager_record_bytes(uint64_t slot_count)
{
	uint32_t slots = slot_count < SLOTS_MAX ? (uint32_t)slot_count : SLOTS_MAX;

	return (whole_words(swap_map_record_bytes(slots)) +
	    whole_words(run_alloc_storage_bytes(slots)) + slot_layout_storage_bytes(slots));
}

/* Where the units of a device with units begin in the area. */
static void
use_units(struct swap_area *area, void *storage)
{
	const struct blkdev *dev = area->dev;
	uint64_t offset = 0;
	uint32_t unit;

	for (; dev->parent != NULL; dev = dev->parent)
		offset += dev->parent_block;
	unit = dev->align_blocks / area->blocks_per_slot;
	if (unit == 0)
		return;
	offset /= area->blocks_per_slot;
	slot_layout_init(&area->layout, storage, &area->runs, unit,
	    (unit - (uint32_t)(offset % unit)) % unit);
	slot_layout_taken(&area->layout, 0, SWAP_RESERVED_SLOTS);
}

/* A number for a further area, or SWAP_AREAS_MAX. */
static uint32_t
unused_number(void)
{
	uint32_t n = 0;

	while (n < swap_area_count && swap_areas[n].dev != NULL)
		n++;
	return (n);
}

static void
area_add(struct blkdev *dev, uint32_t slot_count, void *records, vm_size_t record_bytes)
{
	uint32_t n = unused_number();
	struct swap_area *area = &swap_areas[n];
	uint32_t blocks = PAGE_SIZE / dev->block_bytes, run_max = dev->bio_blocks_max / blocks;
	uint8_t *bits = (uint8_t *)records + whole_words(swap_map_record_bytes(slot_count));

	swap_map_add_area(n, slot_count, records);
	*area = (struct swap_area){ .dev = dev, .slot_count = slot_count, .records = records,
		.record_bytes = record_bytes, .blocks_per_slot = blocks,
		.run_max = mark(run_max, VM_PAGEOUT_CLUSTER_MAX) };
	run_alloc_init(&area->runs, bits, slot_count);
	run_alloc_take(&area->runs, 0, SWAP_RESERVED_SLOTS);
	use_units(area, bits + whole_words(run_alloc_storage_bytes(slot_count)));
	if (n == swap_area_count)
		swap_area_count++;
	avail_slots += slot_count - SWAP_RESERVED_SLOTS;
	usable_slots += slot_count - SWAP_RESERVED_SLOTS;
	check_alarms();
}

int
swap_pager_swapon(struct blkdev *dev, void *records, vm_size_t record_bytes, bool needs_header)
{
	uint64_t slot_count;
	int error = swap_pager_probe(dev, needs_header, &slot_count);

	if (error != 0)
		return (error);
	if (swap_pager_uses(dev))
		return (refuse(dev, ERR_BUSY, "is a swap area already"));
	if (dev->gone) /* while its header was read */
		return (refuse(dev, ERR_NODEV, "is being removed"));
	if (unused_number() == SWAP_AREAS_MAX)
		return (refuse(dev, ERR_NOSPC, "there are four swap areas already"));
	if (record_bytes < swap_pager_record_bytes(slot_count))
		return (refuse(dev, ERR_NOMEM, "too little memory for its records"));
	if (swap_write_start() != 0)
		return (refuse(dev, ERR_NOMEM, "no memory for task swapio"));
	area_add(dev, (uint32_t)slot_count, records, record_bytes);
	return (0);
}

/* ---- swapoff (swap_pager_off.c) */

static uint32_t
usable(const struct swap_area *area)
{
	return (area->slot_count - area->bad_slots - SWAP_RESERVED_SLOTS);
}

void
swap_area_close(struct swap_area *area)
{
	area->closing = true;
	avail_slots -= area->runs.free_count;
	usable_slots -= usable(area);
	if (usable_slots == 0)
		full = almost_full = true;
	else
		check_alarms();
}

void
swap_area_reopen(struct swap_area *area)
{
	area->closing = false;
	avail_slots += area->runs.free_count;
	usable_slots += usable(area);
	check_alarms();
}

void
swap_area_remove(struct swap_area *area)
{
	KASSERT(area->closing && area->used_slots == 0, "A5: a removed area is empty");
	swap_map_remove_area((uint32_t)(area - swap_areas));
	*area = (struct swap_area){ .dev = NULL };
}

int
swap_pager_set_priority(const struct blkdev *dev, int32_t priority)
{
	struct swap_area *area;

	for (area = swap_areas; area < swap_areas + swap_area_count; area++)
		if (area->dev == dev) {
			area->priority = priority;
			return (0);
		}
	return (ERR_NOENT);
}

bool
swap_pager_uses(const struct blkdev *dev)
{
	uint32_t n;

	for (n = 0; n < swap_area_count; n++)
		if (swap_areas[n].dev == dev)
			return (true);
	return (false);
}

/* ---- figures */

uint32_t
swap_pager_total(void)
{
	return (usable_slots);
}

uint32_t
swap_pager_avail(void)
{
	return (avail_slots);
}

bool
swap_pager_full(void)
{
	return (full);
}

bool
swap_pager_almost_full(void)
{
	return (almost_full);
}

bool
swap_pager_info(uint32_t n, struct swap_area_info *out)
{
	const struct swap_area *area;

	for (area = swap_areas; area < swap_areas + swap_area_count; area++)
		if (area->dev != NULL && n-- == 0)
			break;
	if (area == swap_areas + swap_area_count)
		return (false);
	*out = (struct swap_area_info){
		.device = area->dev->name, .area = (uint32_t)(area - swap_areas),
		.closing = area->closing, .priority = area->priority,
		.unit_slots = area->layout.unit_slots, .discards = area->discards,
		.slots = area->slot_count,
		.used_slots = area->used_slots, .bad_slots = area->bad_slots,
		.writes = area->writes, .written_pages = area->written_pages,
		.reads = area->reads, .read_pages = area->read_pages,
		.crc_errors = area->crc_errors,
	};
	return (true);
}
