/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corners of objects, swap and page-in that no larger test reaches: what may not be
 * collapsed, long loops, outcomes of a pager, memory that runs out while mapping.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_fault.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout_grow.h"
#include "mm/vm_pager.h"
#include "mm/vm_phys.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"

#define FRAMES 2048u
#define BASE   SIM_SWAP_BASE
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

static struct vmspace *vm;
static struct vm_object *object;
static struct vm_domain *const vmd = &vm_domains[0];

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static void
boot(uint32_t pages)
{
	uint32_t i;

	sim_swap_boot(FRAMES, 1024);
	vm = sim_swap_space(pages);
	object = sim_swap_object(vm);
	for (i = 0; i < pages; i++)
		assert_int_equal(sim_swap_store(vm, i, 1), 0);
	sim_swap_be_pagedaemon();
	console_tap_begin();
	tsleep(&vm, "boot", 1000);
}

static struct vm_page *
page(uint32_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

/* Pages [first, end) to swap, their frames free. */
static void
evict(uint32_t first, uint32_t end)
{
	uint32_t i;

	for (i = first; i < end; i++) {
		vm_page_deactivate(page(i));
		vm_page_test_dirty(page(i));
	}
	for (i = first; i < end; i++)
		if (page(i)->dirty != 0 && !vm_page_busied(page(i)))
			assert_true(vm_pageout_clean(page(i)) > 0);
	sim_swap_settle(object);
	for (i = first; i < end; i++)
		assert_true(vm_pageout_try_free(page(i)));
}

static void
end(void)
{
	sim_mm_check();
	vmspace_free(vm);
	sim_mm_check();
}

/* ---- collapse */

static void
collapse_refused(void)
{
	struct vm_object *top = sim_swap_object(vm);

	vm_object_collapse(top);
	assert_ptr_equal(top->backing_object, object);
}

/* A child wrote page 0 and the parent went: all that keeps the two objects apart is what
 * each case says. */
RUN_TEST(collapse_waits_for_all_that_pins)
{
	struct vmspace *child;
	struct vm_object *top;
	struct task *me = curtask();

	(void)arg;
	boot(300);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(sim_swap_store(child, 0, 2), 0);
	object->paging_in_progress++;
	vmspace_free(vm);
	vm = child;
	top = sim_swap_object(vm);
	collapse_refused();
	object->paging_in_progress--;
	top->paging_in_progress++;
	collapse_refused();
	top->paging_in_progress--;
	object->lock.owner = me;
	collapse_refused();
	object->lock.owner = NULL;
	top->lock.owner = me;
	collapse_refused();
	top->lock.owner = NULL;
	top->type = OBJT_VNODE;
	collapse_refused();
	top->type = OBJT_DEFAULT;
	vm_page_xbusy(vm_page_lookup(object, 0));
	collapse_refused();
	vm_page_xunbusy(vm_page_lookup(object, 0));
	vm_page_wire(vm_page_lookup(object, 0)); /* wired and hidden */
	collapse_refused();
	vm_page_unwire(vm_page_lookup(object, 0), PQ_ACTIVE);
	evict(100, 250); /* more than one turn in memory, and in swap */
	vm_object_collapse(top);
	assert_null(top->backing_object);
	assert_int_equal(sim_swap_verify(vm, 200, 1), 0);
	assert_int_equal(sim_swap_verify(vm, 0, 2), 0);
	end();
}

/* ---- reading from swap */

/* Frames for pages [first, first + 8) of object, as a page-in brings them. */
static void
frames(struct vm_page **m, uint32_t first)
{
	uint32_t i;

	for (i = 0; i < 8; i++) {
		m[i] = vm_page_alloc(object, first + i, VM_ALLOC_NORMAL);
		assert_non_null(m[i]);
	}
}

RUN_TEST(swap_get_takes_what_lies_side_by_side)
{
	struct vm_page *m[8];

	(void)arg;
	boot(32);
	evict(0, 32);
	swap_pager_ops.free_space(object, 2, 3);
	swap_pager_ops.free_space(object, 6, 7);
	frames(m, 0);
	assert_int_equal(swap_pager_ops.get_pages(object, m, 8, 4), VM_PAGER_OK); /* 3, 4, 5 */
	assert_null(page(1));
	assert_null(page(7));
	assert_int_equal(page(3)->queue, PQ_INACTIVE);
	assert_true(vm_page_xbusied(page(4)));
	vm_page_activate(page(4));
	vm_page_xunbusy(page(4));
	frames(m, 16);
	swap_pager_ops.free_space(object, 20, 21);
	/* Nothing there. */
	assert_int_equal(swap_pager_ops.get_pages(object, m, 8, 4), VM_PAGER_FAIL);
	assert_null(page(16));
	vm_page_free(page(20));
	sim_swap_disk.dev.bio_blocks_max = 16;
	end();
}

/* ---- outcomes of a page-in */

static enum vm_pager_outcome outcomes[4];
static uint32_t asked;

static bool
test_has_page(struct vm_object *o, vm_pindex_t pindex, uint32_t *before, uint32_t *after)
{
	(void)o;
	(void)pindex;
	if (before != NULL)
		*before = *after = 0;
	return (true);
}

static enum vm_pager_outcome
test_get_pages(struct vm_object *o, struct vm_page **m, uint32_t count, uint32_t wanted)
{
	(void)o;
	(void)count;
	if (outcomes[asked] == VM_PAGER_OK) {
		m[wanted]->valid = VM_PAGE_BITS_ALL;
		m[wanted]->dirty = 0;
	}
	return (outcomes[asked++]);
}

/* A fault on page 5, which a pager answers so. */
static int
fault_answered(enum vm_pager_outcome first, enum vm_pager_outcome second)
{
	const struct vm_pager_ops *kept = vm_pager_ops[OBJT_SWAP];
	struct vm_pager_ops ops = *kept;
	int error;

	ops.has_page = test_has_page;
	ops.get_pages = test_get_pages;
	outcomes[0] = first;
	outcomes[1] = second;
	asked = 0;
	vm_pager_ops[OBJT_SWAP] = &ops;
	error = vm_fault(vm, BASE + ptoa(5), VM_PROT_READ);
	vm_pager_ops[OBJT_SWAP] = kept;
	sim_mm_check();
	return (error);
}

RUN_TEST(fault_outcomes_of_the_pager)
{
	(void)arg;
	boot(32);
	evict(0, 32);
	assert_int_equal(fault_answered(VM_PAGER_ERROR, 0), ERR_IO);
	assert_int_equal(fault_answered(VM_PAGER_BAD, 0), ERR_FAULT);
	assert_null(page(5));
	assert_int_equal(fault_answered(VM_PAGER_AGAIN, VM_PAGER_OK), 0);
	assert_int_equal(asked, 2);
	assert_non_null(page(5));
	evict(5, 6);
	object->flags |= OBJ_UNMANAGED; /* no cache-behind, whatever it is */
	assert_int_equal(sim_swap_verify(vm, 7, 1), 0);
	object->flags &= (uint8_t)~OBJ_UNMANAGED;
	end();
}

/* ---- entries that must stay apart */

RUN_TEST(map_entries_join_only_if_alike)
{
	struct vm_map_entry *a, *b;
	uint32_t i;

	(void)arg;
	boot(32);
	for (i = 0; i < 6; i++) {
		assert_int_equal(vm_map_protect(vm, BASE, BASE + ptoa(8), VM_PROT_READ), 0);
		a = vm_map_lookup_entry(&vm->map, BASE);
		b = vm_map_next(&vm->map, a);
		assert_int_equal(b->start, BASE + ptoa(8));
		if (i == 0)
			b->advice = VM_ADVICE_RANDOM;
		else if (i == 1)
			b->flags |= MAP_ENTRY_HEAP;
		else if (i == 2)
			b->inheritance = VM_INHERIT_NONE;
		else if (i == 3)
			b->offset++;
		else if (i == 4)
			b->max_prot = RW;
		assert_int_equal(vm_map_protect(vm, BASE, BASE + ptoa(8), RW), 0);
		assert_int_equal(vm_map_lookup_entry(&vm->map, BASE)->end == BASE + ptoa(8),
		    i < 5);
		if (i == 3)
			b->offset--;
		b->advice = VM_ADVICE_NORMAL;
		if (i < 5) {
			b->max_prot = a->max_prot;
			b->flags = a->flags;
			b->inheritance = a->inheritance;
		}
	}
	end();
}

/* Anonymous memory behind an entry grows it only if it is of its kind. */
RUN_TEST(map_growth_needs_an_entry_of_the_kind)
{
	struct vm_map_entry *e;
	vm_offset_t va;
	uint32_t i;

	(void)arg;
	for (i = 0; i < 4; i++) {
		boot(8);
		e = vm_map_lookup_entry(&vm->map, BASE);
		va = BASE + ptoa(8);
		if (i == 0)
			e->inheritance = VM_INHERIT_SHARE;
		else if (i == 1)
			e->advice = VM_ADVICE_RANDOM;
		else if (i == 2)
			e->max_prot = RW;
		else
			e->wired_count = 1;
		assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, 0), 0);
		assert_int_equal(e->end, BASE + ptoa(8));
		e->wired_count = 0;
		end();
	}
}

/* Mapping fails where memory runs out, and leaves nothing. */
RUN_TEST(map_fails_at_any_point_without_trace)
{
	uint32_t n, flags, failed = 0;
	vm_offset_t va;
	int error = 0;

	(void)arg;
	boot(8);
	for (n = 0; n < 400; n++) {
		sim_swap_leave_free(n % 4);
		flags = n % 3 == 0 ? MAP_ENTRY_GUARD : 0;
		va = BASE + ptoa(16 + 2 * n);
		error = vm_map_find(vm, &va, PAGE_SIZE, n % 2 == 0 ? RW : VM_PROT_READ,
		    (uint8_t)flags);
		assert_true(error == 0 || error == ERR_NOMEM);
		failed += error != 0;
	}
	assert_true(failed > 0);
	sim_mm_check();
	sim_swap_leave_free(0);
	for (n = 0; n < 4000 && vmspace_alloc(PAGE_SIZE, 1ull << 32) != NULL; n++)
		continue;
	assert_true(n < 4000);
	sim_swap_leave_free(vmd->v_free_target);
	end();
}

/* ---- memory in one piece */

RUN_TEST(contig_ranges_that_cannot_be)
{
	struct vm_phys_range r = { .high = SIM_RAM_BASE + ptoa(FRAMES) };

	(void)arg;
	boot(8);
	assert_null(vm_phys_find_contig(0, 0, &r));
	assert_null(vm_phys_find_contig(0, FRAMES + 1, &r));
	r.boundary = ptoa(8);
	assert_null(vm_phys_find_contig(0, 9, &r));
	assert_non_null(vm_phys_find_contig(0, 8, &r));
	r.low = SIM_RAM_BASE + ptoa(FRAMES - 4);
	assert_null(vm_phys_find_contig(0, 8, &r)); /* the boundary lies beyond the end */
	r.low = SIM_RAM_BASE + ptoa(FRAMES) + ptoa(64);
	assert_null(vm_phys_find_contig(0, 1, &r));
	r = (struct vm_phys_range){ .low = UINT64_MAX - ptoa(2), .high = UINT64_MAX };
	assert_null(vm_phys_find_contig(0, 1, &r));
	end();
}

/* None of a long queue is passed by, yields or not. */
RUN_TEST(grow_looks_at_every_page_of_a_long_queue)
{
	uint32_t i;

	(void)arg;
	boot(8);
	object = vm_object_allocate(400);
	for (i = 0; i < 400; i++)
		sim_swap_page(object, i, PQ_INACTIVE, false);
	vm_pageout_grow_cache(0, SIM_RAM_BASE, SIM_RAM_BASE + ptoa(FRAMES));
	assert_int_equal(object->resident_count, 0);
	assert_int_equal(vmd->pagequeues[PQ_INACTIVE].count, 0);
	vm_object_deallocate(object);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collapse_waits_for_all_that_pins),
		cmocka_unit_test(swap_get_takes_what_lies_side_by_side),
		cmocka_unit_test(fault_outcomes_of_the_pager),
		cmocka_unit_test(map_entries_join_only_if_alike),
		cmocka_unit_test(map_growth_needs_an_entry_of_the_kind),
		cmocka_unit_test(map_fails_at_any_point_without_trace),
		cmocka_unit_test(contig_ranges_that_cannot_be),
		cmocka_unit_test(grow_looks_at_every_page_of_a_long_queue),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
