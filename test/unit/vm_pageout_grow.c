/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in one piece: finding it, and giving up what is in the way (contract 1.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/contig.h"
#include "kern/eventhandler.h"
#include "kern/sched.h"
#include "kern/trace.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_page_lock.h"
#include "mm/vm_pageout_grow.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define SLOTS  1024u
#define PAGES  256u
#define ALL    UINT64_MAX

static struct vmspace *vm;
static struct vm_object *object;
static struct vm_domain *const vmd = &vm_domains[0];
static uint32_t lowmem_calls;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
count_lowmem(void *arg, uint32_t flags)
{
	(void)arg;
	assert_int_equal(flags, 0);
	lowmem_calls++;
}

static struct eventhandler handler = { .name = "test", .fn = count_lowmem };

/* An object with a slot for whatever is cached; the pages stay where the test puts them. */
static void
boot(void)
{
	sim_swap_boot(FRAMES, SLOTS);
	vm = sim_swap_space(PAGES);
	object = sim_swap_object(vm);
	lowmem_calls = 0;
	eventhandler_register(EVENT_VM_LOWMEM, &handler);
	tsleep(&vm, "boot", 1000);
}

static void
done(void)
{
	eventhandler_deregister(EVENT_VM_LOWMEM, &handler);
	sim_swap_settle(object);
	sim_mm_check();
}

static struct vm_page *
page(vm_pindex_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

/* A clean page with a copy in swap. */
static struct vm_page *
clean_page(vm_pindex_t pindex, uint8_t queue)
{
	struct vm_page *m = sim_swap_page(object, pindex, PQ_INACTIVE, true);

	assert_true(vm_pageout_launder(&vmd->pagequeues[PQ_INACTIVE], 1, VM_PAGE_TO_PHYS(m),
	    VM_PAGE_TO_PHYS(m) + PAGE_SIZE));
	assert_int_equal(m->dirty, 0);
	if (queue == PQ_ACTIVE)
		vm_page_activate(m);
	return (m);
}

RUN_TEST(grow_T1_tries_0_caches_clean_inactive_pages_only)
{
	struct vm_page *dirty, *active;
	uint32_t writes;

	(void)arg;
	boot();
	clean_page(0, PQ_INACTIVE);
	active = clean_page(1, PQ_ACTIVE);
	dirty = sim_swap_page(object, 2, PQ_INACTIVE, true);
	writes = sim_swap_disk.writes;
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(vm_page_is_cached(object, 0));
	assert_ptr_equal(page(1), active);
	assert_ptr_equal(page(2), dirty);
	assert_int_equal(sim_swap_disk.writes, writes);
	assert_int_equal(lowmem_calls, 0);
	done();
}

/* A reference does not save it, nor does a mapping. */
RUN_TEST(grow_T1a_hot_page_goes_too)
{
	(void)arg;
	boot();
	clean_page(0, PQ_INACTIVE);
	assert_int_equal(sim_load(vm, SIM_SWAP_BASE, &(char){ 0 }, 1), 0);
	vm_page_deactivate(page(0));
	vm_page_reference(page(0));
	assert_true(pmap_page_is_mapped(page(0)));
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(vm_page_is_cached(object, 0));
	done();
}

RUN_TEST(grow_T2_tries_1_writes_dirty_inactive_pages)
{
	uint32_t i, active;

	(void)arg;
	boot();
	for (i = 0; i < 5; i++)
		sim_swap_page(object, i, PQ_INACTIVE, true);
	sim_swap_page(object, 9, PQ_ACTIVE, true);
	vm_pageout_grow_cache(1, 0, ALL);
	for (i = 0; i < 5; i++)
		assert_true(vm_page_is_cached(object, i));
	assert_int_equal(sim_swap_disk.writes, 5); /* each by itself */
	assert_int_equal(lowmem_calls, 1);
	active = page(9)->queue;
	assert_int_equal(active, PQ_ACTIVE);
	for (i = 0; i < 5; i++)
		assert_int_not_equal(swap_map_lookup(object, i), SWAP_SLOT_NONE);
	done();
}

RUN_TEST(grow_T3_tries_2_empties_the_active_queue)
{
	struct vm_page *held, *busy, *wired;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 6; i++)
		sim_swap_page(object, i, i % 2 == 0 ? PQ_ACTIVE : PQ_INACTIVE, true);
	held = sim_swap_page(object, 6, PQ_ACTIVE, true);
	vm_page_hold(held);
	busy = sim_swap_page(object, 7, PQ_ACTIVE, true);
	vm_page_xbusy(busy);
	wired = sim_swap_page(object, 8, PQ_ACTIVE, true);
	vm_page_wire(wired);
	vm_pageout_grow_cache(2, 0, ALL);
	for (i = 0; i < 6; i++)
		assert_true(vm_page_is_cached(object, i));
	assert_ptr_equal(page(6), held);
	assert_ptr_equal(page(7), busy);
	assert_ptr_equal(page(8), wired);
	vm_page_unhold(held);
	vm_page_xunbusy(busy);
	vm_page_unwire(wired, PQ_ACTIVE);
	done();
}

RUN_TEST(grow_T4_pages_partly_outside_stay)
{
	struct vm_page *m;

	(void)arg;
	boot();
	m = clean_page(0, PQ_INACTIVE);
	vm_pageout_grow_cache(2, VM_PAGE_TO_PHYS(m) + 1, ALL);
	assert_ptr_equal(page(0), m);
	vm_pageout_grow_cache(2, 0, VM_PAGE_TO_PHYS(m) + PAGE_SIZE - 1);
	assert_ptr_equal(page(0), m);
	vm_pageout_grow_cache(0, VM_PAGE_TO_PHYS(m), VM_PAGE_TO_PHYS(m) + PAGE_SIZE);
	assert_true(vm_page_is_cached(object, 0));
	done();
}

RUN_TEST(grow_T5_ends_when_every_write_fails)
{
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 20; i++)
		sim_swap_page(object, i, i < 10 ? PQ_INACTIVE : PQ_ACTIVE, true);
	sim_swap_disk.write_error_every = 1;
	vm_pageout_grow_cache(2, 0, ALL);
	for (i = 0; i < 20; i++) {
		assert_non_null(page(i));
		assert_int_not_equal(page(i)->dirty, 0);
	}
	/* inactive: 10, each of which becomes active; active: the 10 there were at entry */
	assert_int_equal(sim_swap_disk.errors, 20);
	sim_swap_disk.write_error_every = 0;
	done();
}

/* With nothing on a queue at entry there is no try. */
RUN_TEST(grow_T5a_empty_queue_is_not_tried)
{
	struct vm_page *m;

	(void)arg;
	boot();
	m = sim_swap_page(object, 0, PQ_ACTIVE, true);
	vm_pageout_grow_cache(1, 0, ALL);
	assert_ptr_equal(page(0), m);
	assert_int_equal(sim_swap_disk.writes, 0);
	done();
}

/* ---- several domains */

static uint32_t
last_grown(uint32_t back)
{
	struct trace_record r;
	uint64_t n = trace_count();

	while (n-- > 0)
		if (trace_get(n, &r) && r.event == TRACE_GROW && back-- == 0)
			return ((uint32_t)r.a);
	return (UINT32_MAX);
}

static void
boot_two_domains(void)
{
	sim_mm_boot_domains(FRAMES, 2);
	swap_pager_init(); /* without areas, nor what an earlier test left in one */
}

RUN_TEST(grow_T6_domain_outside_the_range_is_not_scanned)
{
	struct vm_page *first, *end;

	(void)arg;
	boot_two_domains();
	assert_true(vm_phys_segment(1, &first, &end));
	assert_int_equal(first->domain, 1);
	vm_pageout_grow_cache(0, VM_PAGE_TO_PHYS(first), ALL);
	assert_int_equal(last_grown(0), 1);
	vm_pageout_grow_cache(0, VM_PAGE_TO_PHYS(first), ALL);
	assert_int_equal(last_grown(0), 1);
	assert_int_equal(last_grown(1), 1); /* nothing of domain 0 in between */
	sim_mm_check();
}

RUN_TEST(grow_T7_first_domain_moves_on)
{
	uint32_t first;

	(void)arg;
	boot_two_domains();
	vm_pageout_grow_cache(0, 0, ALL);
	first = last_grown(1);
	vm_pageout_grow_cache(0, 0, ALL);
	assert_int_equal(last_grown(1), 1 - first);
	vm_pageout_grow_cache(0, 0, ALL);
	assert_int_equal(last_grown(1), first);
	sim_mm_check();
}

/* The domain that may not give so many is passed by; if none may, each has a deficit. */
RUN_TEST(contig_of_another_domain)
{
	struct vm_phys_range range = { .high = ALL };
	struct vm_page *m, *other;
	uint32_t pages;

	(void)arg;
	boot_two_domains();
	pages = vm_meter_free(&vm_domains[0]) - vm_domains[0].v_free_reserved;
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, pages, &range);
	assert_non_null(m);
	assert_int_equal(m->domain, 0);
	other = vm_page_alloc_contig(VM_ALLOC_NORMAL, 16, &range);
	assert_non_null(other);
	assert_int_equal(other->domain, 1);
	assert_int_equal(vm_domains[0].vm_pageout_deficit, 0);
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, vm_domains[1].v_page_count, &range));
	assert_int_equal(vm_domains[0].vm_pageout_deficit, vm_domains[0].v_page_count);
	assert_int_equal(vm_domains[1].vm_pageout_deficit, vm_domains[1].v_page_count);
	vm_page_free_contig(other, 16);
	vm_page_free_contig(m, pages);
	sim_mm_check();
}

/* Asking in vain, again and again, does not ask the daemon for more than there is. */
RUN_TEST(contig_refusals_have_an_end)
{
	struct vm_phys_range range = { .high = ALL };
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < 10000; i++)
		assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, UINT32_MAX - i, &range));
	assert_in_range(vmd->vm_pageout_deficit, FRAMES / 2, 2 * FRAMES);
	done();
}

/* ---- locks */

static struct vm_page *locked_page;

static void
keep_lock(void *arg)
{
	vm_page_lock(locked_page);
	tsleep(arg, "lock", 5000);
	vm_page_unlock(locked_page);
}

/* It waits for the lock of a page, with its place kept. */
RUN_TEST(grow_waits_for_a_locked_page)
{
	struct task *t;

	(void)arg;
	boot();
	locked_page = clean_page(0, PQ_INACTIVE);
	clean_page(1, PQ_INACTIVE);
	assert_int_equal(task_create(&t, "owner", PRI_NORMAL, keep_lock, &t), 0);
	sched_yield();
	assert_true(vm_page_lock_held(locked_page));
	vm_pageout_grow_cache(0, 0, ALL);
	assert_true(vm_page_is_cached(object, 0));
	assert_true(vm_page_is_cached(object, 1));
	done();
}

/* ---- finding and taking */

RUN_TEST(contig_alignment_boundary_and_limits)
{
	struct vm_phys_range range = { .high = ALL, .alignment = 64 * 1024 };
	const vm_paddr_t base = SIM_RAM_BASE + 0x100000; /* nothing is in use there */
	struct vm_page *m;
	uint32_t free_pages, i;

	(void)arg;
	boot();
	free_pages = vm_meter_free(vmd);
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 9, &range);
	assert_non_null(m);
	assert_int_equal(VM_PAGE_TO_PHYS(m) % (64 * 1024), 0);
	assert_int_equal(vm_meter_free(vmd), free_pages - 9);
	for (i = 0; i < 9; i++) {
		assert_int_equal(VM_PAGE_TO_PHYS(&m[i]), VM_PAGE_TO_PHYS(m) + i * PAGE_SIZE);
		assert_int_equal(m[i].wire_count, 1);
	}
	sim_mm_check();
	vm_page_free_contig(m, 9);
	assert_int_equal(vm_meter_free(vmd), free_pages);
	sim_mm_check();
	range = (struct vm_phys_range){ .low = base + 0x7000, .high = ALL,
		.boundary = 0x8000 };
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 3, &range);
	assert_int_equal(VM_PAGE_TO_PHYS(m), base + 0x8000); /* not across 0x8000 */
	vm_page_free_contig(m, 3);
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 9, &range)); /* wider than that */
	range = (struct vm_phys_range){ .low = base, .high = base + 0x3fff };
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 4, &range));
	range.high++;
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 4, &range);
	assert_int_equal(VM_PAGE_TO_PHYS(m), base);
	vm_page_free_contig(m, 4);
	range = (struct vm_phys_range){ .low = ALL - 100, .high = ALL, .alignment = 1ull << 63 };
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 4, &range));
	range.alignment = 3;
	SIM_EXPECT_ASSERT("F1", vm_page_alloc_contig(VM_ALLOC_NORMAL, 4, &range));
	range = (struct vm_phys_range){ .high = ALL };
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, free_pages - vmd->v_free_reserved + 1,
	    &range));
	assert_int_equal(vm_meter_free(vmd), free_pages);
	done();
}

/* Random pieces beside random single frames, against the check of all lists. */
RUN_TEST(contig_random_pieces)
{
	struct vm_page *pieces[24] = { NULL }, *m;
	uint32_t sizes[24], i, step, free_pages;
	struct vm_phys_range range;

	(void)arg;
	boot();
	sim_random_scheduler(sim_seed(99));
	sim_random_scheduler(0);
	free_pages = vm_meter_free(vmd);
	for (step = 0; step < 3000; step++) {
		i = sim_random(24);
		if (pieces[i] != NULL) {
			vm_page_free_contig(pieces[i], sizes[i]);
			pieces[i] = NULL;
			continue;
		}
		sizes[i] = 1 + sim_random(40);
		range = (struct vm_phys_range){ .low = sim_random(2) * SIM_RAM_BASE, .high = ALL,
			.alignment = PAGE_SIZE << sim_random(5) };
		m = pieces[i] = vm_page_alloc_contig(VM_ALLOC_NORMAL, sizes[i], &range);
		if (m != NULL)
			assert_int_equal(VM_PAGE_TO_PHYS(m) & (range.alignment - 1), 0);
		if (step % 32 == 0)
			sim_mm_check();
	}
	for (i = 0; i < 24; i++)
		if (pieces[i] != NULL)
			vm_page_free_contig(pieces[i], sizes[i]);
	assert_int_equal(vm_meter_free(vmd), free_pages);
	done();
}

/* The whole way: pages of a program are in every corner, and go. */
RUN_TEST(contig_alloc_makes_room)
{
	struct vm_phys_range range = { .high = ALL };
	struct vm_page *m;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < PAGES; i++)
		assert_int_equal(sim_swap_store(vm, i, 5), 0);
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 900, &range));
	m = vm_pageout_alloc_contig(900, &range);
	assert_non_null(m);
	vm_page_free_contig(m, 900);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(sim_swap_verify(vm, i, 5), 0);
	assert_null(vm_pageout_alloc_contig(FRAMES, &range)); /* something is always wired */
	done();
}

/* As a driver asks: by bytes and addresses. */
RUN_TEST(contig_for_drivers)
{
	uint32_t free_pages;
	uint64_t pa;

	(void)arg;
	boot();
	free_pages = vm_meter_free(vmd);
	assert_int_equal(contig_alloc(2 * PAGE_SIZE + 1, SIM_RAM_BASE + 0x123456, ALL, 0x10000,
	    &pa), 0);
	assert_int_equal(pa, SIM_RAM_BASE + 0x130000);
	assert_int_equal(vm_meter_free(vmd), free_pages - 3);
	sim_mm_check();
	contig_free(pa, 2 * PAGE_SIZE + 1);
	assert_int_equal(vm_meter_free(vmd), free_pages);
	assert_int_equal(contig_alloc(0, 0, ALL, 0, &pa), ERR_NOMEM);
	assert_int_equal(contig_alloc(UINT64_MAX, 0, ALL, 0, &pa), ERR_NOMEM);
	assert_int_equal(contig_alloc(FRAMES * PAGE_SIZE, 0, ALL, 0, &pa), ERR_NOMEM);
	assert_int_equal(contig_alloc(1, 0, SIM_RAM_BASE, 0, &pa), ERR_NOMEM);
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grow_T1_tries_0_caches_clean_inactive_pages_only),
		cmocka_unit_test(grow_T1a_hot_page_goes_too),
		cmocka_unit_test(grow_T2_tries_1_writes_dirty_inactive_pages),
		cmocka_unit_test(grow_T3_tries_2_empties_the_active_queue),
		cmocka_unit_test(grow_T4_pages_partly_outside_stay),
		cmocka_unit_test(grow_T5_ends_when_every_write_fails),
		cmocka_unit_test(grow_T5a_empty_queue_is_not_tried),
		cmocka_unit_test(grow_T6_domain_outside_the_range_is_not_scanned),
		cmocka_unit_test(grow_T7_first_domain_moves_on),
		cmocka_unit_test(contig_of_another_domain),
		cmocka_unit_test(contig_refusals_have_an_end),
		cmocka_unit_test(grow_waits_for_a_locked_page),
		cmocka_unit_test(contig_alignment_boundary_and_limits),
		cmocka_unit_test(contig_random_pieces),
		cmocka_unit_test(contig_alloc_makes_room),
		cmocka_unit_test(contig_for_drivers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
