/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ten thousand short lives of swap on disks that fail.
 *
 * Each run draws its disks from a seed: how many areas, units or not, how slow, and what
 * goes wrong: writes or reads that fail, blocks that are bad, torn writes, flipped bits, late
 * and lost completions, answers out of order, a disk that is taken out and put back, a
 * swapoff in the middle of it. Two programs write and read about 200 times each in a pool
 * half their size, with the page daemon, under a scheduler that yields at every legal point.
 *
 * What must hold: no byte is ever wrong; an access fails only where the disk had truly lost
 * the data (or is away just now); when the trouble is over every other page is as it was
 * written; at the end every frame and slot has come back.
 *
 * EBB_SEED=n replays a run exactly; EBB_SEEDS=n: so many runs, EBB_START=n: with the seeds
 * behind n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_client.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_replay.h"
#include "test/host/sim_swap.h"

#define FRAMES   112u
#define PAGES    130u /* of each program */
#define PROGRAMS 2u
#define SLOTS    640u
#define STEPS    160u /* of each program; in the first ones it writes all its pages */
#define RUNS     10000u
#define SPARE    260u /* slots that write errors leave */

/* What goes wrong in this run. */
enum trouble {
	WRITES_FAIL,
	READS_FAIL,      /* and succeed when repeated */
	BITS_FLIP,       /* in what is read */
	BLOCKS_GO_BAD,   /* for good: what lies there is gone */
	WRITES_DAMAGE,   /* torn, or with a wrong bit, and no error */
	LATE,
	COMPLETIONS_LOST,
	REMOVAL,
	SWAPOFF,
	TROUBLES
};

struct page_state {
	uint32_t tag; /* 0: never written */
};

static struct program {
	struct vmspace *vm;
	struct page_state pages[PAGES];
	bool done;
} programs[PROGRAMS];

static enum trouble trouble, also;
static struct sim_disk second;
static void *second_records;
static bool two_areas, over;
static uint32_t tag_clock;
static uint64_t pages_in, pages_out, retired, lost_pages, gone_errors, kinds_met[TROUBLES];

static bool
is_on(enum trouble t)
{
	return (trouble == t || also == t);
}

/* ---- what may fail */

static bool
lies_in_bad_block(const struct program *p, uint32_t page)
{
	uint32_t slot = swap_map_lookup(sim_swap_object(p->vm), page);
	uint64_t first = (uint64_t)SWAP_SLOT_INDEX(slot) * 8;

	return (slot != SWAP_SLOT_NONE && SWAP_SLOT_AREA(slot) == 0 &&
	    first < sim_swap_disk.bad_block + sim_swap_disk.bad_count &&
	    first + 8 > sim_swap_disk.bad_block);
}

static bool
may_fail(const struct program *p, uint32_t page)
{
	if (is_on(WRITES_DAMAGE))
		return (true);
	if (is_on(REMOVAL) && !over)
		return (true);
	return (is_on(BLOCKS_GO_BAD) && lies_in_bad_block(p, page));
}

static void
check_error(const struct program *p, uint32_t page, int error)
{
	if (error == 0)
		return;
	if (error != ERR_IO || !may_fail(p, page))
		fail_msg("page %u: error %d with trouble %d and %d", page, error, trouble, also);
	gone_errors++;
}

static void
read_page(struct program *p, uint32_t page)
{
	struct page_state *s = &p->pages[page];

	if (s->tag != 0)
		check_error(p, page, sim_swap_verify(p->vm, page, s->tag));
}

static void
write_page(struct program *p, uint32_t page)
{
	uint32_t tag = ++tag_clock;
	int error = sim_swap_store(p->vm, page, tag);

	check_error(p, page, error);
	if (error == 0)
		p->pages[page].tag = tag;
}

static void
program_run(void *arg)
{
	struct program *p = arg;
	uint32_t step, page;

	for (step = 0; step < STEPS; step++) {
		page = step < PAGES / 2 ? step * 2 : sim_random(PAGES);
		if (step < PAGES / 2 || sim_random(3) == 0)
			write_page(p, page);
		else
			read_page(p, page);
		if (step < PAGES / 2)
			write_page(p, page + 1);
		if (sim_random(8) == 0)
			tsleep(p, "think", 1 + sim_random(2000));
	}
	p->done = true;
}

/* ---- trouble */

/* A disk with a little of everything that the run has drawn. */
static void
begin_trouble(struct sim_disk *disk)
{
	disk->depth = 1 + sim_random(SIM_DISK_DEPTH);
	disk->latency_us = sim_random(500);
	disk->latency_spread_us = sim_random(2) == 0 ? sim_random(1000) : 0;
	if (is_on(READS_FAIL))
		disk->read_error_every = 3 + sim_random(20);
	if (is_on(BITS_FLIP))
		disk->flip_read_every = 3 + sim_random(20);
	if (is_on(WRITES_DAMAGE)) {
		disk->torn_write_every = 2 + sim_random(20);
		disk->flip_write_every = 2 + sim_random(20);
	}
	if (is_on(LATE)) {
		disk->late_every = 2 + sim_random(10);
		disk->late_us = 1 + sim_random(100000);
	}
	if (is_on(COMPLETIONS_LOST))
		disk->lose_every = 5 + sim_random(30);
}

static void
swapoff_and_on(void)
{
	struct swap_off_result result;
	vm_size_t bytes = swap_pager_record_bytes(SLOTS);

	if (!two_areas || swap_pager_swapoff(&second.dev, &result) != 0)
		return;
	tsleep(&second, "off", 1 + sim_random(3000));
	assert_int_equal(swap_pager_swapon(&second.dev, second_records, bytes, false), 0);
}

static void
trouble_step(void)
{
	bool room = swap_pager_total() > SPARE && swap_pager_avail() > SPARE;

	if (is_on(WRITES_FAIL))
		sim_swap_disk.write_error_one_in = room && sim_random(2) == 0 ?
		    2 + sim_random(8) : 0;
	if (is_on(BLOCKS_GO_BAD) && sim_random(4) == 0 && room) {
		sim_swap_disk.bad_block = sim_random(SLOTS * 8);
		sim_swap_disk.bad_count = sim_random(100);
	}
	if (is_on(SWAPOFF) && sim_random(3) == 0)
		swapoff_and_on();
}

/* What a driver does when nothing has come back for long; and whoever takes the disk away,
 * and puts it back however little goes on meanwhile. */
static void
finder_run(void *arg)
{
	(void)arg;
	for (;;) {
		tsleep(&tag_clock, "finder", 1 + sim_random(50000));
		sim_swap_disk.dead = is_on(REMOVAL) && !over && sim_random(3) == 0;
		sim_disk_find_lost(&sim_swap_disk);
		if (two_areas)
			sim_disk_find_lost(&second);
	}
}

static bool
all_done(void)
{
	return (programs[0].done && programs[1].done);
}

static void
end_trouble(struct sim_disk *disk)
{
	disk->read_error_every = disk->write_error_one_in = disk->flip_read_every = 0;
	disk->torn_write_every = disk->flip_write_every = disk->lose_every = 0;
	disk->late_every = 0;
	disk->dead = false;
}

/* ---- one run */

static void
draw(void)
{
	trouble = (enum trouble)sim_random(TROUBLES);
	also = (enum trouble)sim_random(TROUBLES);
	kinds_met[trouble]++;
	kinds_met[also]++;
	two_areas = is_on(SWAPOFF) || sim_random(3) == 0;
	sim_swap_align_blocks = sim_random(2) == 0 ? 0 : 256 * 8;
	sim_swap_erase_blocks = sim_swap_align_blocks;
}

static void
boot(void)
{
	draw();
	sim_swap_boot(FRAMES, SLOTS);
	mm_params.swap_discard_us = 500 + sim_random(5000);
	mm_params.swap_read_retries = 10; /* others read between the tries */
	begin_trouble(&sim_swap_disk);
	if (two_areas) {
		vm_size_t bytes = swap_pager_record_bytes(SLOTS);

		sim_disk_open(&second, "swap9", SLOTS * 8);
		begin_trouble(&second);
		if (second_records == NULL)
			second_records = aligned_alloc(64, (bytes + 63) & ~63ull);
		assert_int_equal(swap_pager_swapon(&second.dev, second_records, bytes, false), 0);
	}
	assert_int_equal(vm_pageout_start(), 0);
	tag_clock = 0;
	over = false;
}

/* No trouble any more: every page that is not gone is what was written. */
static void
check_all(void)
{
	uint32_t page;

	for (struct program *p = programs; p < programs + PROGRAMS; p++) {
		for (page = 0; page < PAGES; page++) {
			uint64_t before = gone_errors;

			read_page(p, page);
			lost_pages += gone_errors - before;
		}
	}
	sim_mm_check();
}

static void
run_body(void *arg)
{
	struct task *t;
	struct swap_area_info info;
	uint32_t i;

	(void)arg;
	boot();
	for (struct program *p = programs; p < programs + PROGRAMS; p++) {
		*p = (struct program){ .vm = sim_swap_space(PAGES) };
		assert_int_equal(task_create(&t, "program", PRI_NORMAL, program_run, p), 0);
	}
	assert_int_equal(task_create(&t, "finder", PRI_NORMAL, finder_run, NULL), 0);
	while (!all_done()) {
		trouble_step();
		tsleep(&tag_clock, "trouble", 1 + sim_random(10000));
	}
	over = true;
	end_trouble(&sim_swap_disk);
	end_trouble(&second);
	check_all();
	for (struct program *p = programs; p < programs + PROGRAMS; p++)
		vmspace_free(p->vm);
	sim_mm_check();
	for (i = 0; swap_pager_info(i, &info); i++) {
		assert_int_equal(info.used_slots, 0);
		retired += info.bad_slots;
	}
	pages_in += mm_params.v_swappgsin;
	pages_out += mm_params.v_swappgsout;
}

static void
nothing_is_lost_or_wrong(void **state)
{
	const char *text = getenv("EBB_SEEDS"), *start = getenv("EBB_START");
	uint64_t runs = text != NULL ? strtoul(text, NULL, 0) : RUNS, n, seed;
	uint64_t first = start != NULL ? strtoul(start, NULL, 0) : 0;
	uint32_t t;

	for (n = 1; n <= runs; n++) {
		seed = sim_seed(first + n);
		sim_random_scheduler(seed);
		if (getenv("EBB_TELL") != NULL)
			print_message("EBB_SEED=%llu\n", (unsigned long long)seed);
		sim_run(run_body, state);
		if (getenv("EBB_SEED") != NULL)
			break;
	}
	print_message("%llu runs of %u operations: %llu pages in, %llu out, %llu slots retired\n",
	    (unsigned long long)(n - 1), STEPS * PROGRAMS, (unsigned long long)pages_in,
	    (unsigned long long)pages_out, (unsigned long long)retired);
	print_message("%llu accesses of data that a disk had lost or was away with, %llu pages "
		"gone for good\n", (unsigned long long)gone_errors,
	    (unsigned long long)lost_pages);
	for (t = 0; t < TROUBLES && runs >= 1000; t++)
		assert_true(kinds_met[t] > runs / 20); /* it has met what it is for */
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_or_wrong),
	};

	(void)argc;
	sim_fix_addresses(argv);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
