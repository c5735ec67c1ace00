/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/vm_phys.c: buddy lists against a map of frames, segments, addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "mm/vm_meter.h"
#include "mm/vm_phys.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FRAMES 1000u /* not a power of two */

struct block {
	struct vm_page *m;
	uint32_t order;
};

/* Every free frame lies in exactly one block, and no two free buddies are apart. */
static void
check_blocks(void)
{
	uint32_t n, order, frames = 0;
	const struct vm_page *m, *buddy;

	for (n = VM_PAGE_FIRST; n < vm_page_array_count; n++) {
		m = &vm_page_array[n];
		if (m->order == VM_PHYS_ORDER_HOT)
			frames++;
		if (m->order >= VM_PHYS_ORDERS)
			continue;
		assert_int_not_equal(m->flags & PG_FREE, 0);
		frames += 1u << m->order;
		buddy = PHYS_TO_VM_PAGE((vm_paddr_t)(m->frame ^ (1u << m->order)) << PAGE_SHIFT);
		if (buddy != NULL && m->order < VM_PHYS_ORDERS - 1)
			assert_int_not_equal(buddy->order, m->order);
	}
	assert_int_equal(frames, vm_domains[0].v_free_count);
	for (order = 0; order < VM_PHYS_ORDERS; order++)
		frames -= vm_phys_free_blocks(0, order) << order;
	assert_int_equal(frames, 0);
}

static void
phys_buddy_random_matches_model(void **state)
{
	static uint8_t used[FRAMES];
	static struct block blocks[FRAMES];
	uint32_t i, k, order, first, block_count = 0, used_count = 0;
	struct rng rng;
	struct vm_page *m;

	(void)state;
	sim_mm_boot_bare(FRAMES);
	memset(used, 0, sizeof(used));
	rng_seed(&rng, 2);
	for (i = 0; i < 100000; i++) {
		if (rng_below(&rng, 100) < (i / 4000 % 2 == 0 ? 55u : 45u)) {
			order = rng_below(&rng, 4) == 0 ? rng_below(&rng, 7) : 0;
			m = vm_phys_alloc(0, order);
			if (m == NULL)
				continue;
			first = vm_page_number(m) - VM_PAGE_FIRST;
			assert_int_equal(m->frame % (1u << order), 0);
			for (k = 0; k < 1u << order; k++) {
				assert_int_equal(used[first + k], 0);
				assert_int_equal(m[k].flags & PG_FREE, 0);
				used[first + k] = 1;
			}
			used_count += 1u << order;
			blocks[block_count++] = (struct block){ m, order };
		} else if (block_count > 0) {
			k = rng_below(&rng, block_count);
			m = blocks[k].m;
			order = blocks[k].order;
			blocks[k] = blocks[--block_count];
			memset(&used[vm_page_number(m) - VM_PAGE_FIRST], 0, 1u << order);
			used_count -= 1u << order;
			vm_phys_free(m, order);
		}
		assert_int_equal(vm_domains[0].v_free_count, FRAMES - used_count);
		if (i % 500 == 0)
			check_blocks();
	}
}

static void
phys_all_freed_merges_to_largest_blocks(void **state)
{
	struct vm_page *pages[1536];
	uint32_t i;

	(void)state;
	sim_mm_boot_bare(1536);
	assert_int_equal(vm_phys_free_blocks(0, 10), 1);
	assert_int_equal(vm_phys_free_blocks(0, 9), 1);
	for (i = 0; i < 1536; i++)
		assert_non_null(pages[i] = vm_phys_alloc(0, 0));
	assert_null(vm_phys_alloc(0, 0));
	assert_int_equal(vm_domains[0].v_free_count, 0);
	for (i = 0; i < 1536; i++)
		vm_phys_free(pages[i * 7 % 1536], 0);
	vm_phys_merge(0);
	assert_int_equal(vm_phys_free_blocks(0, 10), 1);
	assert_int_equal(vm_phys_free_blocks(0, 9), 1);
	assert_int_equal(vm_phys_free_blocks(0, 0), 0);
}

static void
phys_large_block_is_found_among_frames_kept_apart(void **state)
{
	struct vm_page *pages[64], *m;
	uint32_t i;

	(void)state;
	sim_mm_boot_bare(64);
	for (i = 0; i < 64; i++)
		assert_non_null(pages[i] = vm_phys_alloc(0, 0));
	for (i = 0; i < 64; i++)
		vm_phys_free(pages[i], 0);
	assert_int_equal(vm_phys_free_blocks(0, 0), 64);
	m = vm_phys_alloc(0, 6);
	assert_non_null(m);
	assert_int_equal(vm_domains[0].v_free_count, 0);
	vm_phys_free(m, 6);
	check_blocks();
}

static void
phys_address_and_page_name_each_other(void **state)
{
	struct vm_page *m;

	(void)state;
	sim_mm_boot_bare(64);
	m = vm_phys_alloc(0, 0);
	assert_ptr_equal(PHYS_TO_VM_PAGE(VM_PAGE_TO_PHYS(m) + 77), m);
	assert_null(PHYS_TO_VM_PAGE(SIM_RAM_BASE - 1));
	assert_null(PHYS_TO_VM_PAGE(SIM_RAM_BASE + 64 * PAGE_SIZE));
	assert_ptr_equal(vm_page_address(m), phys_to_virt(VM_PAGE_TO_PHYS(m)));
}

static void
phys_segments_do_not_merge_across_a_hole(void **state)
{
	static uint8_t array[(VM_PAGE_FIRST + 32) * sizeof(struct vm_page)]
	    __attribute__((aligned(64)));

	(void)state;
	vm_phys_init(array, 32);
	assert_int_equal(vm_phys_add_segment(0x8000, 0x10000, 0), 0);  /* frames 8..15 */
	assert_int_equal(vm_phys_add_segment(0x10000, 0x18000, 0), 0); /* frames 16..23 */
	assert_int_equal(vm_phys_free_blocks(0, 3), 2);
	assert_int_equal(vm_phys_free_blocks(0, 4), 0);
	assert_int_equal(vm_phys_add_segment(0x20000, 0x41000, 0), ERR_NOSPC);
	assert_int_equal(vm_phys_add_segment(0x21000, 0x26000, 1), 0); /* 33..37, domain 1 */
	assert_int_equal(vm_phys_free_blocks(1, 0), 1);
	assert_int_equal(vm_phys_free_blocks(1, 1), 2);
	assert_int_equal(vm_domains[1].v_free_count, 5);
	assert_int_equal(vm_domains[0].v_free_count, 16);
	assert_int_equal(PHYS_TO_VM_PAGE(0x21000)->domain, 1);
}

static void
phys_segments_are_bounded(void **state)
{
	static uint8_t array[(VM_PAGE_FIRST + 32) * sizeof(struct vm_page)]
	    __attribute__((aligned(64)));
	uint32_t i;

	(void)state;
	vm_phys_init(array, 32);
	for (i = 0; i < VM_PHYS_SEGMENTS_MAX; i++)
		assert_int_equal(vm_phys_add_segment(ptoa(8ull * i + 8), ptoa(8ull * i + 10), 0),
		    0);
	assert_int_equal(vm_phys_add_segment(ptoa(8ull * i + 8), ptoa(8ull * i + 10), 0),
	    ERR_NOSPC);
	assert_int_equal(vm_domains[0].v_free_count, 2 * VM_PHYS_SEGMENTS_MAX);
	assert_null(PHYS_TO_VM_PAGE(ptoa(8ull * i + 8)));
}

/* The first aligned address lies behind the memory. */
static void
phys_alignment_beyond_the_segment_finds_nothing(void **state)
{
	struct vm_phys_range range = { .low = SIM_RAM_BASE + PAGE_SIZE, .high = ~(vm_paddr_t)0,
		.alignment = 1ull << 40 };

	(void)state;
	sim_mm_boot_bare(64);
	assert_null(vm_phys_find_contig(0, 1, &range));
	range.alignment = PAGE_SIZE;
	assert_non_null(vm_phys_find_contig(0, 1, &range));
}

static void
phys_double_free_and_misalignment_assert(void **state)
{
	struct vm_page *m;

	(void)state;
	sim_mm_boot_bare(64);
	m = vm_phys_alloc(0, 1);
	SIM_EXPECT_ASSERT("F4", vm_phys_free(m + 1, 1));
	vm_phys_free(m, 1);
	SIM_EXPECT_ASSERT("F1", vm_phys_free(m, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phys_buddy_random_matches_model),
		cmocka_unit_test(phys_all_freed_merges_to_largest_blocks),
		cmocka_unit_test(phys_large_block_is_found_among_frames_kept_apart),
		cmocka_unit_test(phys_address_and_page_name_each_other),
		cmocka_unit_test(phys_segments_do_not_merge_across_a_hole),
		cmocka_unit_test(phys_segments_are_bounded),
		cmocka_unit_test(phys_alignment_beyond_the_segment_finds_nothing),
		cmocka_unit_test(phys_double_free_and_misalignment_assert),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
