/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corners of mm at the edge of what there is: wiring over holes, advice about odd entries,
 * cleaning objects of failing pagers, swap devices that cannot be used, waiting without
 * need.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
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

static void
end(void)
{
	sim_mm_check();
	vmspace_free(vm);
	sim_mm_check();
}

/* Entries: memory, a hole of 4 pages, memory without rights, a guard. */
static void
odd_map(void)
{
	vm_offset_t va = BASE + ptoa(16);

	boot(16);
	assert_int_equal(vm_map_remove(vm, BASE + ptoa(4), BASE + ptoa(8)), 0);
	assert_int_equal(vm_map_protect(vm, BASE + ptoa(12), BASE + ptoa(16), VM_PROT_NONE), 0);
	assert_int_equal(vm_map_find(vm, &va, ptoa(2), VM_PROT_NONE, MAP_ENTRY_GUARD), 0);
}

RUN_TEST(wire_needs_every_page_there)
{
	(void)arg;
	odd_map();
	assert_int_equal(vm_map_wire(vm, BASE, BASE + ptoa(10)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(vm, BASE + ptoa(4), BASE + ptoa(10)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(vm, BASE + ptoa(8), BASE + ptoa(14)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(vm, BASE + ptoa(16), BASE + ptoa(18)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(vm, BASE + ptoa(16), BASE + ptoa(30)), ERR_NOMEM);
	assert_int_equal(vm_map_unwire(vm, BASE + ptoa(100), BASE + ptoa(101)), ERR_NOMEM);
	assert_int_equal(vm_map_unwire(vm, BASE, BASE + ptoa(10)), ERR_NOMEM);
	assert_int_equal(vm_map_wire(vm, BASE, BASE + ptoa(4)), 0);
	assert_int_equal(vm_map_wire(vm, BASE, BASE + ptoa(2)), 0); /* again */
	assert_int_equal(vm_map_unwire(vm, BASE, BASE + ptoa(4)), 0);
	assert_int_equal(vm_map_unwire(vm, BASE, BASE + ptoa(4)), 0);
	end();
}

RUN_TEST(advise_over_odd_entries)
{
	uint8_t states[16];
	uint32_t n;
	int error = 0;

	(void)arg;
	odd_map();
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(18), VM_ADVICE_DONTNEED), 0);
	assert_int_equal(vm_map_advise(vm, BASE, BASE + ptoa(18), VM_ADVICE_FREE), 0);
	assert_int_equal(vm_map_willneed(vm, BASE, BASE + ptoa(18)), 0);
	page(9)->valid = 1; /* being filled */
	page(9)->dirty = 0;
	pmap_clear_modify(page(9));
	assert_int_equal(vm_map_mincore(vm, BASE + ptoa(8), BASE + ptoa(12), states), 0);
	assert_int_equal(states[1], 0);
	page(9)->valid = VM_PAGE_BITS_ALL;
	page(8)->dirty = 0;
	page(8)->aflags = 0;
	pmap_clear_modify(page(8));
	(void)pmap_ts_referenced(page(8));
	assert_int_equal(vm_map_mincore(vm, BASE + ptoa(8), BASE + ptoa(9), states), 0);
	assert_int_equal(states[0], VM_MINCORE_INCORE);
	sim_swap_leave_free(0);
	for (n = 0; n < 400 && error == 0; n++) /* each cuts an entry in two */
		error = vm_map_advise(vm, BASE + ptoa(8 + n % 3), BASE + ptoa(9 + n % 3),
		    n % 2 == 0 ? VM_ADVICE_RANDOM : VM_ADVICE_SEQUENTIAL);
	assert_true(error == 0 || error == ERR_NOMEM);
	sim_swap_leave_free(vmd->v_free_target);
	end();
}

/* ---- cleaning an object */

static enum vm_pager_outcome answer;

static void
test_put_pages(struct vm_object *o, struct vm_page **m, uint32_t count, uint32_t flags,
    enum vm_pager_outcome *outcomes)
{
	uint32_t i;

	(void)o;
	(void)m;
	(void)flags;
	for (i = 0; i < count; i++)
		outcomes[i] = answer;
}

static bool
clean_answered(enum vm_pager_outcome outcome, uint32_t flags)
{
	const struct vm_pager_ops *kept = vm_pager_ops[object->type];
	struct vm_pager_ops ops = *kept;
	bool clean;

	ops.put_pages = test_put_pages;
	answer = outcome;
	vm_pager_ops[object->type] = &ops;
	clean = vm_object_page_clean(object, 0, 0, flags);
	vm_pager_ops[object->type] = kept;
	return (clean);
}

RUN_TEST(page_clean_with_a_pager_that_fails)
{
	uint32_t cluster;

	(void)arg;
	boot(40);
	object->type = OBJT_SWAP;
	assert_false(clean_answered(VM_PAGER_ERROR, OBJPC_SYNC));
	assert_false(clean_answered(VM_PAGER_AGAIN, OBJPC_SYNC));
	assert_false(clean_answered(VM_PAGER_FAIL, 0));
	assert_int_equal(page(3)->dirty, VM_PAGE_BITS_ALL);
	cluster = vmd->cluster_pages;
	vmd->cluster_pages = 0;
	assert_true(vm_object_page_clean(object, 0, 0, OBJPC_SYNC));
	vmd->cluster_pages = VM_PAGEOUT_PAGE_COUNT + 1;
	page(3)->dirty = VM_PAGE_BITS_ALL;
	assert_true(vm_object_page_clean(object, 0, 0, OBJPC_SYNC));
	vmd->cluster_pages = cluster;
	vm_page_wire(page(1));
	vm_page_hold(page(2));
	assert_true(vm_object_page_clean(object, 0, 0, OBJPC_SYNC | OBJPC_INVAL));
	assert_int_equal(object->resident_count, 2);
	vm_page_unwire(page(1), PQ_ACTIVE);
	vm_page_unhold(page(2));
	end();
}

/* ---- swap devices */

RUN_TEST(swapon_refuses_odd_devices)
{
	static struct sim_disk disk;
	static uint64_t records[4096];
	uint64_t slots;

	(void)arg;
	boot(8);
	sim_disk_open(&disk, "odd", 256 * 8);
	disk.dev.block_bytes = 2 * PAGE_SIZE;
	assert_int_equal(swap_pager_probe(&disk.dev, false, &slots), ERR_INVAL);
	disk.dev.block_bytes = SIM_DISK_BLOCK_BYTES;
	sim_swap_leave_free(0);
	assert_int_equal(swap_pager_probe(&disk.dev, true, &slots), ERR_NOMEM);
	sim_swap_leave_free(vmd->v_free_target);
	disk.dev.block_count = 8;
	assert_int_equal(swap_pager_probe(&disk.dev, true, &slots), ERR_RANGE);
	disk.dev.block_count = 1ull << 40;
	assert_int_equal(swap_pager_probe(&disk.dev, false, &slots), 0);
	assert_int_equal(slots, 1u << 24);
	assert_int_equal(swap_pager_record_bytes(1ull << 30), swap_pager_record_bytes(1u << 24));
	assert_int_not_equal(swap_pager_swapon(&sim_swap_disk.dev, records, sizeof(records),
	    false), 0); /* in use */
	end();
}

RUN_TEST(swapon_takes_as_many_areas_as_there_are_numbers)
{
	static struct sim_disk disks[SWAP_AREAS_MAX];
	static uint64_t records[4096];
	uint32_t i;

	(void)arg;
	boot(8);
	for (i = 1; i < SWAP_AREAS_MAX; i++)
		sim_swap_add(&disks[i], "more", 64 + 64 * i);
	sim_disk_open(&disks[0], "last", 256 * 8);
	assert_int_not_equal(swap_pager_swapon(&disks[0].dev, records, sizeof(records), false), 0);
	end();
}

/* ---- waiting, counting, choosing */

RUN_TEST(waits_without_need_only_let_others_run)
{
	(void)arg;
	boot(8);
	assert_true(vm_meter_is_pagedaemon(curtask()));
	vm_wait_any();
	vm_wait(vmd);
	vmd->worker = NULL;
	vm_wait_any();
	vm_waitpfault_any();
	vm_wait(vmd);
	end();
}

static void
domains_before_there_are_tasks(void **state)
{
	(void)state;
	sim_reset();
	sim_mm_boot_domains(FRAMES, 2);
	assert_int_not_equal(vm_meter_next_domain(), vm_meter_next_domain());
	assert_false(vm_meter_is_pagedaemon(NULL));
}

RUN_TEST(oom_passes_what_has_no_memory)
{
	struct vm_client *client, *odd;
	vm_offset_t va = BASE + ptoa(64);
	struct vm_map_entry *entry;

	(void)arg;
	boot(8);
	odd = sim_client_add(50, 0, 0);
	vmspace_free(odd->vmspace);
	odd->vmspace = NULL;
	client = sim_client_add(51, 4, 0);
	assert_int_equal(vm_map_find(client->vmspace, &va, ptoa(2), VM_PROT_NONE,
	    MAP_ENTRY_GUARD), 0);
	va = BASE + ptoa(80);
	assert_int_equal(vm_map_find(client->vmspace, &va, ptoa(2), RW, 0), 0);
	entry = vm_map_lookup_entry(&client->vmspace->map, va);
	entry->flags |= MAP_ENTRY_SUBMAP;
	vm_pageout_oom(VM_OOM_MEM);
	assert_int_equal(sim_kill_count, 1);
	assert_int_equal(sim_killed_pids[0], 51);
	entry->flags &= (uint8_t)~MAP_ENTRY_SUBMAP;
	end();
}

RUN_TEST(phys_segments_are_few)
{
	vm_paddr_t pa = SIM_RAM_BASE + ptoa(FRAMES) + ptoa(16);
	int error = 0;
	uint32_t i;

	(void)arg;
	boot(8);
	for (i = 0; i <= VM_PHYS_SEGMENTS_MAX && error == 0; i++)
		error = vm_phys_add_segment(pa + ptoa(32 * i), pa + ptoa(32 * i + 16), 0);
	assert_int_not_equal(error, 0);
	end();
}

/* A shared entry that a fork must give its own object first, without memory for it. */
RUN_TEST(fork_of_shared_memory_that_needs_a_copy)
{
	struct vmspace *child, *other;
	uint32_t n;
	int error = 0;

	(void)arg;
	boot(8);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(vm_map_inherit(vm, BASE, BASE + ptoa(8), VM_INHERIT_SHARE), 0);
	sim_swap_leave_free(0);
	for (n = 0; n < 4000 && error == 0; n++)
		error = vm_object_allocate(1) == NULL ? ERR_NOMEM : 0;
	assert_int_equal(vmspace_fork(vm, &other), ERR_NOMEM);
	sim_swap_leave_free(vmd->v_free_target);
	assert_int_equal(vmspace_fork(vm, &other), 0);
	vmspace_free(other);
	vmspace_free(child);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_needs_every_page_there),
		cmocka_unit_test(advise_over_odd_entries),
		cmocka_unit_test(page_clean_with_a_pager_that_fails),
		cmocka_unit_test(swapon_refuses_odd_devices),
		cmocka_unit_test(swapon_takes_as_many_areas_as_there_are_numbers),
		cmocka_unit_test(waits_without_need_only_let_others_run),
		cmocka_unit_test(domains_before_there_are_tasks),
		cmocka_unit_test(oom_passes_what_has_no_memory),
		cmocka_unit_test(phys_segments_are_few),
		cmocka_unit_test(fork_of_shared_memory_that_needs_a_copy),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
