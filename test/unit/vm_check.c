/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_check*.c: each rule is broken once and must be named; then mended, and the
 * check must be content again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/uma.h"
#include "mm/vm_check.h"
#include "mm/vm_fault.h"
#include "mm/vm_meter.h"
#include "mm/vm_phys.h"
#include "test/host/sim_disk.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define BASE 0x100000ull
#define RW   (VM_PROT_READ | VM_PROT_WRITE)

static struct vm_domain *const vmd = &vm_domains[0];
static struct vmspace *vm;
static struct vm_object *object;

static int
boot(void **state)
{
	vm_offset_t va = BASE;
	uint32_t i;

	(void)state;
	sim_mm_boot_bare(256);
	vm = vmspace_alloc(PAGE_SIZE, 1ull << 30);
	assert_int_equal(vm_map_find(vm, &va, 32 * PAGE_SIZE, RW, 0), 0);
	object = vm_map_lookup_entry(&vm->map, BASE)->object;
	for (i = 0; i < 20; i++)
		assert_int_equal(vm_fault(vm, BASE + i * PAGE_SIZE, VM_PROT_WRITE), 0);
	sim_mm_check();
	return (0);
}

static void
expect(const char *rule)
{
	struct vm_check_result r;

	vm_check(&r);
	assert_true(r.broken > 0);
	assert_memory_equal(r.first_broken, rule, strlen(rule));
}

/* Change an lvalue, expect the rule, change it back. */
#define PLANT(lvalue, bad, rule)                   \
	do {                                       \
		__typeof__(lvalue) kept_ = lvalue; \
		lvalue = bad;                      \
		expect(rule);                      \
		lvalue = kept_;                    \
		sim_mm_check();                    \
	} while (0)

static struct vm_page *
page(vm_pindex_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

static struct vm_page *
a_free_page(void)
{
	struct vm_page *m = vm_phys_alloc(0, 0);

	vm_phys_free(m, 0);
	return (m);
}

/* The head of a block of free frames. */
static struct vm_page *
a_block(void)
{
	uint32_t n = 1;

	while ((vm_page_array[n].flags & PG_FREE) == 0 || vm_page_array[n].order == 0 ||
	    vm_page_array[n].order >= VM_PHYS_ORDERS - 1)
		n++;
	return (&vm_page_array[n]);
}

static void
check_counts_what_it_sees(void **state)
{
	struct vm_check_result r;

	(void)state;
	vm_check(&r);
	assert_int_equal(r.broken, 0);
	assert_int_equal(r.pages, 256);
	assert_int_equal(r.queued_pages, 20);
	assert_int_equal(r.objects, 1);
	assert_int_equal(r.free_pages + r.queued_pages + r.wired_pages, 256);
	assert_int_equal(r.swap_slots, 0);
}

static void
check_C1_free_frames(void **state)
{
	struct vm_page *m = a_free_page();

	(void)state;
	PLANT(m->valid, 1, "C1");
	PLANT(m->busy, 1, "C1");
	PLANT(m->hold_count, 1, "C1");
	PLANT(m->queue, PQ_ACTIVE, "C1");
	PLANT(m->object, object, "C1");
	PLANT(m->wire_count, 1, "C1");
	PLANT(m->dirty, 1, "C1");
	PLANT(page(5)->flags, PG_FREE, "C1");
	m->valid = VM_PAGE_BITS_ALL; /* as pmap_enter wants it */
	assert_int_equal(pmap_enter(&vm->pmap, BASE + ptoa(40), m, VM_PROT_READ, 0), 0);
	m->valid = 0;
	expect("C1");
	pmap_remove_all(m);
	m->aflags = 0;
	sim_mm_check();
}

static void
check_C2_free_counts(void **state)
{
	(void)state;
	PLANT(vmd->v_free_count, vmd->v_free_count - 1, "C2");
	PLANT(page(3)->order, 0, "C2");
	PLANT(page(3)->order, VM_PHYS_ORDER_HOT, "C2");
	PLANT(a_block()->order, a_block()->order + 1, "C2");
	PLANT(vmd->v_cache_count, 1, "C16");
}

static void
check_C3_C4_queues(void **state)
{
	struct vm_pagequeue *pq = &vmd->pagequeues[PQ_ACTIVE];

	(void)state;
	PLANT(page(5)->q_prev, 0, "C3");
	PLANT(page(5)->queue, PQ_INACTIVE, "C4");
	PLANT(page(5)->queue, 7, "C4");
	PLANT(pq->count, pq->count + 1, "C4");
	PLANT(pq->tail, vm_page_number(page(5)), "C4");
}

static void
check_C5_wired(void **state)
{
	(void)state;
	PLANT(vmd->v_wire_count, vmd->v_wire_count + 1, "C5");
	PLANT(page(5)->wire_count, 1, "C5");
}

static void
check_C6_C7_pages(void **state)
{
	struct vm_page *m = page(5);

	(void)state;
	PLANT(m->valid, 0x0f, "C6");
	vm_page_dequeue(m);
	expect("C7");
	vm_page_hold(m); /* somebody has it in his hands */
	sim_mm_check();
	vm_page_unhold(m);
	vm_page_activate(m);
	sim_mm_check();
}

static void
check_C8_C9_tree(void **state)
{
	struct vm_page *m = page(5);

	(void)state;
	PLANT(m->pindex, 100, "C8");
	PLANT(m->pindex, 4, "C8"); /* twice */
	PLANT(m->object, NULL, "C3");
	PLANT(object->resident_count, object->resident_count + 1, "C8");
	PLANT(object->size_pages, 10, "C8");
	PLANT(m->tree.parent, 0, "C8");
	PLANT(object->last, vm_page_number(m), "C8");
	vm_page_dequeue(m);
	vm_page_xbusy(m);
	PLANT(m->object, NULL, "C8");
	vm_page_xunbusy(m);
	vm_page_activate(m);
}

static void
check_C10_default_object_has_no_slots(void **state)
{
	(void)state;
	PLANT(object->swap_count, 1, "C10");
}

static void
swap_body(void *arg)
{
	static struct vm_object gone = { .type = OBJT_SWAP, .size_pages = 8 };
	static struct sim_disk disk;
	static uint8_t records[64 * 1024] __attribute__((aligned(64)));

	(void)boot(arg);
	swap_pager_init();
	sim_disk_open(&disk, "swap", 128 * (PAGE_SIZE / 512));
	assert_true(swap_pager_record_bytes(128) <= sizeof(records));
	assert_int_equal(swap_pager_swapon(&disk.dev, records, sizeof(records), false), 0);
	sim_mm_check();
	object->type = OBJT_SWAP;
	assert_int_equal(swap_map_assign(object, 3, SWAP_SLOT(0, 5), 0), SWAP_SLOT_NONE);
	expect("C11"); /* it is mapped writable */
	pmap_remove_write(page(3));
	sim_mm_check();
	PLANT(object->swap_count, 0, "C10");
	PLANT(object->size_pages, 2, "C8"); /* the slot lies beyond, too */
	PLANT(object->type, OBJT_DEFAULT, "C10");
	assert_int_equal(swap_map_clear(object, 3), SWAP_SLOT(0, 5));
	sim_mm_check();
	assert_int_equal(swap_map_assign(&gone, 3, SWAP_SLOT(0, 5), 0), SWAP_SLOT_NONE);
	expect("C10: slot 5 belongs to no live object");
	assert_int_equal(swap_map_clear(&gone, 3), SWAP_SLOT(0, 5));
	sim_mm_check();
}

static void
check_C10_C11_swap(void **state)
{
	sim_run(swap_body, state);
}

static void
check_C12_maps(void **state)
{
	struct vm_map_entry *e, *b;
	vm_offset_t va = BASE + 32 * PAGE_SIZE;

	(void)state;
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, VM_PROT_READ, 0), 0);
	e = vm_map_lookup_entry(&vm->map, BASE);
	b = vm_map_lookup_entry(&vm->map, va);
	PLANT(vm->map.entry_count, 1, "C12");
	PLANT(vm->map.size_bytes, 0, "C12");
	PLANT(vm->map.hint, (struct vm_map_entry *)vm, "C12");
	PLANT(e->max_prot, VM_PROT_READ, "C12");
	PLANT(e->flags, MAP_ENTRY_GUARD, "C12");
	PLANT(e->end, e->end + PAGE_SIZE, "C12");
	PLANT(b->start, b->start - PAGE_SIZE, "C12");
	PLANT(b->offset, 1, "C12");
	PLANT(object->ref_count, 0, "C12");
	PLANT(e->start, e->start + 1, "C12");
	PLANT(e->end, e->start, "C12");
	PLANT(vm->map.max, e->start + PAGE_SIZE, "C12");
	PLANT(vm->map.wired_pages, 1, "C18");
	PLANT(e->flags, MAP_ENTRY_USER_WIRED, "C18");
	b->flags |= MAP_ENTRY_USER_WIRED; /* nothing of it is resident */
	vm->map.wired_pages++;
	expect("C18");
	b->flags &= (uint8_t)~MAP_ENTRY_USER_WIRED;
	vm->map.wired_pages--;
	sim_mm_check();
}

static void
cached_body(void *arg)
{
	static struct sim_disk disk;
	static uint8_t records[64 * 1024] __attribute__((aligned(64)));
	struct vm_page *m;

	(void)boot(arg);
	swap_pager_init();
	sim_disk_open(&disk, "swap", 128 * (PAGE_SIZE / 512));
	assert_int_equal(swap_pager_swapon(&disk.dev, records, sizeof(records), false), 0);
	object->type = OBJT_SWAP;
	m = page(3);
	pmap_remove_all(m);
	assert_int_equal(swap_map_assign(object, 3, SWAP_SLOT(0, 5), 0), SWAP_SLOT_NONE);
	m->dirty = 0;
	assert_true(vm_page_try_to_cache(m));
	assert_int_equal(m->flags & PG_CACHED, PG_CACHED);
	sim_mm_check();
	PLANT(m->queue, PQ_ACTIVE, "C16");
	PLANT(m->dirty, 1, "C16");
	PLANT(m->valid, 1, "C16");
	PLANT(m->busy, 1, "C16");
	PLANT(m->hold_count, 1, "C16");
	PLANT(m->wire_count, 1, "C16");
	PLANT(m->object, NULL, "C16");
	PLANT(m->pindex, 4, "C16");
	PLANT(object->cached_count, 0, "C16");
	PLANT(object->cache_root, VM_PAGE_NONE, "C16");
	assert_int_equal(pmap_enter(&vm->pmap, BASE + ptoa(40), m, VM_PROT_READ, 0), 0);
	expect("C16");
	pmap_remove_all(m);
	m->aflags = 0;
	vm_page_cache_release(m);
	assert_int_equal(swap_map_clear(object, 3), SWAP_SLOT(0, 5));
	sim_mm_check();
}

static void
check_C16_cached_pages(void **state)
{
	sim_run(cached_body, state);
}

static void
chain_body(void *arg)
{
	struct vm_map_entry *e;
	struct vm_object *top;
	struct vmspace *child;

	(void)boot(arg);
	assert_int_equal(vmspace_fork(vm, &child), 0);
	assert_int_equal(vm_fault(child, BASE, VM_PROT_WRITE), 0);
	e = vm_map_lookup_entry(&child->map, BASE);
	top = e->object;
	assert_ptr_equal(top->backing_object, object);
	sim_mm_check();
	PLANT(object->shadow_count, 0, "C17");
	PLANT(object->shadow_count, 2, "C17");
	PLANT(top->type, OBJT_VNODE, "C17");
	PLANT(top->backing_object, NULL, "C17");
	PLANT(object->flags, object->flags | OBJ_DEAD, "C17");
	PLANT(object->backing_object, top, "C17"); /* a ring */
	PLANT(top->shadow_link.le_next, top, "C17");
	e->flags |= MAP_ENTRY_USER_WIRED; /* wired pages may be below */
	child->map.wired_pages = 32;
	expect("C18");
	e->flags &= (uint8_t)~MAP_ENTRY_USER_WIRED;
	child->map.wired_pages = 0;
	vmspace_free(child);
	sim_mm_check();
}

static void
check_C17_chains(void **state)
{
	sim_run(chain_body, state);
}

static void
check_C13_zones(void **state)
{
	struct uma_zone *zone = uma_zone_next(NULL);

	(void)state;
	PLANT(zone->used_items, zone->used_items + 1, "C13");
}

static void
check_C14_paging_in_progress(void **state)
{
	(void)state;
	PLANT(page(5)->busy, 1, "C14");
}

static void
check_C15_mappings(void **state)
{
	(void)state;
	PLANT(vm->pmap.resident_count, vm->pmap.resident_count - 1, "C15");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(check_counts_what_it_sees, boot),
		cmocka_unit_test_setup(check_C1_free_frames, boot),
		cmocka_unit_test_setup(check_C2_free_counts, boot),
		cmocka_unit_test_setup(check_C3_C4_queues, boot),
		cmocka_unit_test_setup(check_C5_wired, boot),
		cmocka_unit_test_setup(check_C6_C7_pages, boot),
		cmocka_unit_test_setup(check_C8_C9_tree, boot),
		cmocka_unit_test_setup(check_C10_default_object_has_no_slots, boot),
		cmocka_unit_test(check_C10_C11_swap),
		cmocka_unit_test_setup(check_C12_maps, boot),
		cmocka_unit_test_setup(check_C13_zones, boot),
		cmocka_unit_test_setup(check_C14_paging_in_progress, boot),
		cmocka_unit_test_setup(check_C15_mappings, boot),
		cmocka_unit_test(check_C16_cached_pages),
		cmocka_unit_test(check_C17_chains),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
