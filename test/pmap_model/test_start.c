/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's first page tables as the table walker will read them.
 *
 * start_map.c runs here on an image made of symbols: text, read-only data, data, the guard
 * of the boot stack, each where the linker script has them. Then every page of the image and
 * around it is looked up the way the hardware does, in both halves. Whatever lay in the
 * tables before (RAM after power-on) must not matter.
 *
 * See: arch/arm64/start_map.c, whose rules S1 and S2 these are; tools/check_start for the
 * instructions around it.
 */
/* Links: arch/arm64/start_map.c */
#include <string.h>

#include "arch/arm64/kmap.h"
#include "arch/arm64/kva.h"
#include "test/pmap_model/model_test.h"

/* An image of 4 MiB and some, so that it crosses two blocks, at 0x80000 of a block. */
#define IMAGE_AT    0x80000u
#define IMAGE_BYTES 0x480000u
uint8_t start_image[0x800000] __attribute__((aligned(0x200000)));
__asm__(".global kernel_text_start, kernel_text_end, kernel_rodata_end, kernel_end\n"
	".global boot_guard_start, boot_stack_start\n"
	".set kernel_text_start, start_image + 0x80000\n"
	".set kernel_text_end,   start_image + 0x0f3000\n"
	".set kernel_rodata_end, start_image + 0x201000\n"
	".set boot_guard_start,  start_image + 0x4e8000\n"
	".set boot_stack_start,  start_image + 0x4ec000\n"
	".set kernel_end,        start_image + 0x500000\n");

extern const char kernel_text_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern const char boot_guard_start[], boot_stack_start[];

struct start_roots {
	uint64_t ttbr0;
	uint64_t ttbr1;
};
struct start_roots start_map(void);

/* The leaf for va below the level-1 table at root, and how much it maps; 0: no translation. */
static uint64_t
walk(uint64_t root, uint64_t va, uint64_t *bytes)
{
	static const uint32_t shifts[] = { L1_SHIFT, L2_SHIFT, L3_SHIFT };
	const uint64_t *table = (const uint64_t *)(uintptr_t)root;

	for (uint32_t level = 0; level < 3; level++) {
		uint64_t entry = table[pte_index(va, shifts[level])];

		*bytes = 1ull << shifts[level];
		if ((entry & PTE_VALID) == 0)
			return (0);
		if ((entry & PTE_TABLE) == 0) {
			assert_int_equal(level, 1); /* a block; never at level 3 (reserved) */
			return (entry);
		}
		if (level == 2)
			return (entry);
		assert_int_equal(entry & 0xfff, KPTE_POINTER); /* upper attributes: none */
		assert_int_equal(entry >> 48, 0);
		table = (const uint64_t *)(uintptr_t)(entry & PTE_ADDRESS);
	}
	return (0);
}

static bool
writable(uint64_t entry)
{
	return ((entry & PTE_RO) == 0);
}

static bool
executable(uint64_t entry)
{
	return ((entry & PTE_PXN) == 0);
}

static void
check_page(uint64_t root, uint64_t pa)
{
	uint64_t bytes, entry = walk(root, pa, &bytes);
	bool guard = pa >= (uintptr_t)boot_guard_start && pa < (uintptr_t)boot_stack_start;
	bool inside = pa >= (uintptr_t)kernel_text_start && pa < (uintptr_t)kernel_end;

	if (!inside || guard) {
		assert_int_equal(entry, 0);
		return;
	}
	assert_int_equal(bytes, 4096);
	assert_true((entry & PTE_ADDRESS) == pa);
	/* Normal write-back, inner shareable, referenced, the kernel's alone, global. */
	assert_int_equal(entry & (7 << 2 | PTE_SH_INNER | PTE_AF | PTE_USER | PTE_NG),
	    PTE_ATTR(0) | PTE_SH_INNER | PTE_AF);
	assert_true((entry & PTE_UXN) != 0);
	assert_int_equal(executable(entry), pa < (uintptr_t)kernel_text_end);
	assert_int_equal(writable(entry), pa >= (uintptr_t)kernel_rodata_end);
	assert_false(writable(entry) && executable(entry)); /* S1 */
}

static uint64_t *
below(uint64_t entry)
{
	return ((entry & KPTE_TYPE) == KPTE_POINTER ?
	    (uint64_t *)(uintptr_t)(entry & PTE_ADDRESS) : NULL);
}

/* Fill a level-1 table and all below it with what RAM may hold when it is switched on. */
static void
spoil(uint64_t *l1)
{
	for (uint32_t i = 0; i < PTE_TABLE_ENTRIES; i++) {
		uint64_t *l2 = below(l1[i]);

		for (uint32_t j = 0; l2 != NULL && j < PTE_TABLE_ENTRIES; j++)
			if (below(l2[j]) != NULL)
				memset(below(l2[j]), 0xa5, 4096);
		if (l2 != NULL)
			memset(l2, 0xa5, 4096);
	}
	memset(l1, 0xa5, 4096);
}

static void
test_tables(void **state)
{
	struct start_roots roots = start_map();

	(void)state;
	spoil(kmap_l1);
	spoil(kmap_lower_l1);
	roots = start_map();
	assert_true(roots.ttbr1 == (uintptr_t)kmap_l1 && roots.ttbr0 == (uintptr_t)kmap_lower_l1);
	assert_int_equal(((uintptr_t)kmap_l1 | (uintptr_t)kmap_lower_l1) % 4096, 0);
	for (uint64_t pa = (uintptr_t)start_image; pa < (uintptr_t)start_image +
	    sizeof(start_image); pa += 4096)
		check_page(roots.ttbr1, pa);
	/* Other gigabytes of the upper half: nothing. */
	for (uint32_t i = 0, used = 0; i < PTE_TABLE_ENTRIES; i++) {
		used += kmap_l1[i] != 0;
		assert_true(used <= 1);
	}
}

/* S2: the code that turns the MMU on goes on at its physical address, for a moment. */
static void
test_lower_half(void **state)
{
	struct start_roots roots = start_map();
	uint64_t start = (uintptr_t)kernel_text_start, bytes, entry;
	uint32_t blocks = 0;

	(void)state;
	entry = walk(roots.ttbr0, start, &bytes);
	assert_int_equal(bytes, KBLOCK_BYTES);
	assert_true((entry & PTE_ADDRESS) == (start & ~(KBLOCK_BYTES - 1)));
	assert_true(executable(entry) && !writable(entry));
	assert_true((entry & PTE_AF) != 0);
	for (uint64_t va = start & ~((1ull << L1_SHIFT) - 1), n = 0; n < PTE_TABLE_ENTRIES; n++)
		blocks += walk(roots.ttbr0, va + n * KBLOCK_BYTES, &bytes) != 0;
	assert_int_equal(blocks, 1);
}

int
model_start_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_lower_half),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
