/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_map*.c: find, clip, remove and protect against a table of pages, with
 * contents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "mm/uma.h"
#include "mm/vm_fault.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"

#define BASE  0x10000ull
#define PAGES 64u
#define LIMIT (BASE + PAGES * PAGE_SIZE)
#define RW    (VM_PROT_READ | VM_PROT_WRITE)

static struct vmspace *vm;

/* What a program would see of each page. */
static struct {
	bool mapped, guard;
	vm_prot_t prot;
	uint32_t value; /* at its first bytes; 0 = never written */
} model[PAGES];

static void
boot(void)
{
	sim_mm_boot_bare(512);
	vm = vmspace_alloc(BASE, LIMIT);
	assert_non_null(vm);
	memset(model, 0, sizeof(model));
}

static vm_offset_t
va_of(uint32_t page)
{
	return (BASE + (vm_offset_t)page * PAGE_SIZE);
}

static uint32_t
mapped_in(uint32_t first, uint32_t count)
{
	uint32_t i, n = 0;

	for (i = first; i < first + count; i++)
		n += model[i].mapped;
	return (n);
}

static void
step_find(uint32_t first, uint32_t count, bool guard, vm_prot_t prot)
{
	vm_offset_t va = va_of(first);
	int error = vm_map_find(vm, &va, (vm_size_t)count * PAGE_SIZE, prot,
	    guard ? MAP_ENTRY_GUARD : 0);
	uint32_t i;

	assert_int_equal(error, mapped_in(first, count) == 0 ? 0 : ERR_EXIST);
	for (i = first; error == 0 && i < first + count; i++) {
		model[i].mapped = true;
		model[i].guard = guard;
		model[i].prot = guard ? VM_PROT_NONE : prot;
		model[i].value = 0;
	}
}

static void
step_remove(uint32_t first, uint32_t count)
{
	assert_int_equal(vm_map_remove(vm, va_of(first), va_of(first + count)), 0);
	memset(&model[first], 0, count * sizeof(model[0]));
}

static void
step_protect(uint32_t first, uint32_t count, vm_prot_t prot)
{
	int error = vm_map_protect(vm, va_of(first), va_of(first + count), prot);
	int expected = 0;
	uint32_t i;

	for (i = first; i < first + count && expected == 0; i++)
		expected = !model[i].mapped ? ERR_FAULT : model[i].guard ? ERR_PERM : 0;
	assert_int_equal(error, expected);
	for (i = first; error == 0 && i < first + count; i++)
		model[i].prot = prot;
}

static void
step_write(uint32_t page, uint32_t value)
{
	int error = sim_store(vm, va_of(page), &value, sizeof(value));

	assert_int_equal(error, (model[page].prot & VM_PROT_WRITE) != 0 ? 0 : ERR_FAULT);
	if (error == 0)
		model[page].value = value;
}

static void
compare(void)
{
	struct vm_map_entry *entry;
	uint32_t i, value, pages = 0;
	int error;

	for (i = 0; i < PAGES; i++) {
		entry = vm_map_lookup_entry(&vm->map, va_of(i));
		assert_int_equal(entry != NULL, model[i].mapped);
		pages += model[i].mapped && !model[i].guard;
		if (entry != NULL)
			assert_int_equal(entry->prot, model[i].prot);
		error = sim_load(vm, va_of(i), &value, sizeof(value));
		assert_int_equal(error, (model[i].prot & VM_PROT_READ) != 0 ? 0 : ERR_FAULT);
		if (error == 0)
			assert_int_equal(value, model[i].value);
	}
	assert_int_equal(vm->map.size_bytes, (vm_size_t)pages * PAGE_SIZE);
}

static void
random_body(void *arg)
{
	static const vm_prot_t rights[] = { RW, RW, VM_PROT_READ, VM_PROT_NONE };
	uint32_t i, first, count, free_at_start;
	struct rng rng;

	(void)arg;
	boot();
	free_at_start = vm_domains[0].v_free_count;
	rng_seed(&rng, 6);
	for (i = 0; i < 20000; i++) {
		first = rng_below(&rng, PAGES);
		count = 1 + rng_below(&rng, PAGES - first < 12 ? PAGES - first : 12);
		switch (rng_below(&rng, 6)) {
		case 0:
		case 1:
			step_find(first, count, rng_below(&rng, 8) == 0,
			    rng_below(&rng, 3) == 0 ? VM_PROT_READ : RW);
			break;
		case 2:
			step_remove(first, count);
			break;
		case 3:
			step_protect(first, count, rights[rng_below(&rng, 4)]);
			break;
		default:
			step_write(first, i + 1);
			break;
		}
		if (i % 16 == 0) {
			compare();
			sim_mm_check();
		}
	}
	assert_int_equal(vm_map_remove(vm, BASE, LIMIT), 0);
	assert_int_equal(vm->map.entry_count, 0);
	sim_mm_check();
	vmspace_free(vm);
	uma_reclaim();
	assert_true(vm_domains[0].v_free_count > free_at_start);
	assert_int_equal(vm_domains[0].v_free_count, 512);
}

static void
map_random_operations_match_model(void **state)
{
	sim_run(random_body, state);
}

static void
growth_body(void *arg)
{
	vm_offset_t va = BASE, guard;
	uint32_t value = 7;

	(void)arg;
	boot();
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, MAP_ENTRY_HEAP), 0);
	assert_int_equal(sim_store(vm, BASE, &value, sizeof(value)), 0);
	va = BASE + PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &va, 3 * PAGE_SIZE, RW, MAP_ENTRY_HEAP), 0);
	assert_int_equal(vm->map.entry_count, 1); /* one heap, one entry */
	assert_int_equal(vm_map_lookup_entry(&vm->map, BASE)->object->size_pages, 4);
	/* shrink and grow again: the old contents are gone */
	assert_int_equal(sim_store(vm, BASE + 3 * PAGE_SIZE, &value, sizeof(value)), 0);
	assert_int_equal(vm_map_remove(vm, BASE + 2 * PAGE_SIZE, BASE + 4 * PAGE_SIZE), 0);
	va = BASE + 2 * PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &va, 2 * PAGE_SIZE, RW, MAP_ENTRY_HEAP), 0);
	assert_int_equal(vm->map.entry_count, 1);
	assert_int_equal(sim_load(vm, BASE + 3 * PAGE_SIZE, &value, sizeof(value)), 0);
	assert_int_equal(value, 0);
	/* another kind does not join, a guard neither */
	va = BASE + 4 * PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, 0), 0);
	guard = BASE + 5 * PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &guard, PAGE_SIZE, RW, MAP_ENTRY_GUARD), 0);
	assert_int_equal(vm->map.entry_count, 3);
	assert_int_equal(vm->map.size_bytes, 5 * PAGE_SIZE);
	assert_int_equal(sim_load(vm, guard, &value, 1), ERR_FAULT);
	/* guards do not join, whatever is said of them */
	guard = BASE + 8 * PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &guard, 2 * PAGE_SIZE, RW, MAP_ENTRY_GUARD), 0);
	assert_int_equal(vm_map_advise(vm, guard, guard + PAGE_SIZE, VM_ADVICE_RANDOM), 0);
	assert_int_equal(vm_map_advise(vm, guard, guard + PAGE_SIZE, VM_ADVICE_NORMAL), 0);
	assert_int_equal(vm->map.entry_count, 5);
	sim_mm_check();
	vmspace_free(vm);
}

static void
map_adjacent_memory_of_one_kind_grows_its_entry(void **state)
{
	sim_run(growth_body, state);
}

static void
protect_body(void *arg)
{
	vm_offset_t va = BASE;
	uint32_t value = 9, version;

	(void)arg;
	boot();
	assert_int_equal(vm_map_find(vm, &va, 8 * PAGE_SIZE, RW, 0), 0);
	assert_int_equal(sim_store(vm, BASE + 2 * PAGE_SIZE, &value, sizeof(value)), 0);
	version = vm->map.version;
	assert_int_equal(vm_map_protect(vm, va_of(2), va_of(4), VM_PROT_READ), 0);
	assert_int_not_equal(vm->map.version, version);
	assert_int_equal(vm->map.entry_count, 3);
	assert_int_equal(sim_store(vm, BASE + 2 * PAGE_SIZE, &value, sizeof(value)), ERR_FAULT);
	assert_int_equal(sim_load(vm, BASE + 2 * PAGE_SIZE, &value, sizeof(value)), 0);
	assert_int_equal(value, 9);
	assert_int_equal(vm_map_protect(vm, va_of(2), va_of(4), RW), 0);
	assert_int_equal(vm->map.entry_count, 1); /* joined again */
	assert_int_equal(sim_store(vm, BASE + 2 * PAGE_SIZE, &value, sizeof(value)), 0);
	sim_mm_check();
	vmspace_free(vm);
}

static void
map_protect_clips_and_joins(void **state)
{
	sim_run(protect_body, state);
}

static void
map_bad_arguments_are_refused(void **state)
{
	vm_offset_t va = BASE + 1;
	struct vm_map_insert_args args = { .prot = RW, .max_prot = VM_PROT_ALL };

	(void)state;
	boot();
	args.object = vm_object_allocate(1);
	assert_int_equal(vm_map_insert(vm, BASE, 0, &args), ERR_INVAL);
	assert_int_equal(vm_map_insert(vm, BASE, LIMIT - BASE + PAGE_SIZE, &args), ERR_INVAL);
	vm_object_deallocate(args.object);
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, 0), ERR_INVAL);
	va = BASE;
	assert_int_equal(vm_map_find(vm, &va, 0, RW, 0), ERR_INVAL);
	assert_int_equal(vm_map_find(vm, &va, 100, RW, 0), ERR_INVAL);
	va = BASE - PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, 0), ERR_INVAL);
	va = LIMIT - PAGE_SIZE;
	assert_int_equal(vm_map_find(vm, &va, 2 * PAGE_SIZE, RW, 0), ERR_INVAL);
	assert_int_equal(vm_map_find(vm, &va, ~(vm_size_t)PAGE_MASK, RW, 0), ERR_INVAL);
	assert_int_equal(vm_map_remove(vm, BASE + 1, LIMIT), ERR_INVAL);
	assert_int_equal(vm_map_remove(vm, BASE, LIMIT + PAGE_SIZE), ERR_INVAL);
	assert_int_equal(vm_map_protect(vm, LIMIT, BASE, RW), ERR_INVAL);
	assert_int_equal(vm_map_protect(vm, BASE, LIMIT, RW), ERR_FAULT);
	vm->map.size_limit_bytes = 2 * PAGE_SIZE;
	va = 0;
	assert_int_equal(vm_map_find(vm, &va, PAGE_SIZE, RW, 0), 0);
	assert_int_equal(va, BASE);
	va = 0;
	assert_int_equal(vm_map_find(vm, &va, 2 * PAGE_SIZE, RW, 0), ERR_NOMEM);
	vm->map.size_limit_bytes = 0;
	va = 0;
	assert_int_equal(vm_map_find(vm, &va, LIMIT - BASE, RW, 0), ERR_NOMEM); /* no gap */
	sim_mm_check();
}

static void
map_without_memory_says_nomem_and_changes_nothing(void **state)
{
	vm_offset_t va = BASE;
	struct vm_page *taken[512];
	uint32_t n = 0, i;

	(void)state;
	boot();
	assert_int_equal(vm_map_find(vm, &va, PAGES * PAGE_SIZE, RW, 0), 0);
	while ((taken[n] = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED)) != NULL)
		n++;
	/* use up the entries of the slab at hand */
	for (i = 1; i < PAGES - 1; i += 2)
		if (vm_map_protect(vm, va_of(i), va_of(i + 1), VM_PROT_READ) != 0)
			break;
	assert_true(i < PAGES - 1);
	assert_int_equal(vm_map_protect(vm, va_of(i), va_of(i + 1), VM_PROT_READ), ERR_NOMEM);
	assert_int_equal(vm_map_remove(vm, va_of(i + 1), va_of(i + 2)), ERR_NOMEM);
	assert_int_equal(vm_map_advise(vm, va_of(i), va_of(i + 1), VM_ADVICE_RANDOM), ERR_NOMEM);
	assert_int_equal(vm_map_lookup_entry(&vm->map, va_of(i))->advice, VM_ADVICE_NORMAL);
	assert_int_equal(vm_map_lookup_entry(&vm->map, va_of(i))->prot, RW);
	assert_non_null(vm_map_lookup_entry(&vm->map, va_of(i + 1)));
	sim_mm_check();
	while (n > 0) {
		vm_page_unwire(taken[--n], PQ_NONE);
		vm_page_free(taken[n]);
	}
	assert_int_equal(vm_map_remove(vm, va_of(i), va_of(i + 1)), 0);
	vmspace_free(vm);
}

/* Each time with one item less in the slab at hand. */
static void
map_spaces_without_memory_are_refused(void **state)
{
	struct vm_page *taken[512];
	struct vmspace *spaces[40];
	uint32_t n, i;

	(void)state;
	boot();
	for (i = 0; i < 40; i++) {
		n = 0;
		while ((taken[n] = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED)) !=
		    NULL)
			n++;
		assert_null(vmspace_alloc(BASE, LIMIT));
		while (n > 0) {
			vm_page_unwire(taken[--n], PQ_NONE);
			vm_page_free(taken[n]);
		}
		spaces[i] = vmspace_alloc(BASE, LIMIT);
		assert_non_null(spaces[i]);
	}
	sim_mm_check();
	while (i > 0)
		vmspace_free(spaces[--i]);
	sim_mm_check();
}

/* A page of s at place i, apart from the next. */
static int
map_one(struct vmspace *s, uint32_t i)
{
	vm_offset_t va = va_of(2 * i);

	return (vm_map_find(s, &va, PAGE_SIZE, RW, 0));
}

/* Of six entries one space has three at most, and all together six. */
static void
map_entries_are_bounded(void **state)
{
	struct vmspace *other, *third;
	vm_offset_t two = va_of(20);

	(void)state;
	boot();
	other = vmspace_alloc(BASE, LIMIT);
	third = vmspace_alloc(BASE, LIMIT);
	mm_params.max_map_entries = 6;
	assert_int_equal(map_one(vm, 0) + map_one(vm, 1), 0);
	assert_int_equal(vm_map_find(vm, &two, 2 * PAGE_SIZE, RW, 0), 0);
	assert_int_equal(map_one(vm, 3), ERR_NOMEM);
	assert_int_equal(vm_map_protect(vm, two, two + PAGE_SIZE, VM_PROT_READ), ERR_NOMEM);
	assert_int_equal(map_one(other, 0) + map_one(other, 1), 0);
	assert_int_equal(map_one(third, 0), 0);
	assert_int_equal(map_one(third, 1), ERR_NOMEM);
	assert_int_equal(vm_map_remove(vm, va_of(0), va_of(1)), 0);
	assert_int_equal(map_one(third, 1), 0);
	mm_params.max_map_entries = 0;
	assert_int_equal(vm_map_protect(vm, two, two + PAGE_SIZE, VM_PROT_READ), 0);
	vmspace_free(third);
	vmspace_free(other);
	vmspace_free(vm);
	sim_mm_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_random_operations_match_model),
		cmocka_unit_test(map_adjacent_memory_of_one_kind_grows_its_entry),
		cmocka_unit_test(map_protect_clips_and_joins),
		cmocka_unit_test(map_bad_arguments_are_refused),
		cmocka_unit_test(map_without_memory_says_nomem_and_changes_nothing),
		cmocka_unit_test(map_spaces_without_memory_are_refused),
		cmocka_unit_test(map_entries_are_bounded),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
