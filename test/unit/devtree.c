/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device trees: a good one, one without what is asked for, and damaged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "kern/devtree.h"
#include "lib/rng.h"

#define TREE_BYTES 1024

static uint8_t tree[TREE_BYTES] __attribute__((aligned(8)));

static void
node_begin(const char *name)
{
	assert_int_equal(fdt_begin_node(tree, name), 0);
}

static void
node_end(void)
{
	assert_int_equal(fdt_end_node(tree), 0);
}

static void
memory_node(const char *name, const uint64_t *reg, uint32_t bytes)
{
	node_begin(name);
	assert_int_equal(fdt_property_string(tree, "device_type", "memory"), 0);
	assert_int_equal(fdt_property(tree, "reg", reg, (int)bytes), 0);
	node_end();
}

static void
tree_make(void)
{
	uint64_t two[] = { cpu_to_fdt64(0x40000000), cpu_to_fdt64(0x10000000),
		cpu_to_fdt64(0x100000000), cpu_to_fdt64(0x20000000) };
	uint64_t flash[] = { 0, cpu_to_fdt64(0x4000000), cpu_to_fdt64(0x4000000),
		cpu_to_fdt64(0x2000000) };
	uint64_t one[] = { cpu_to_fdt64(0x880000000), cpu_to_fdt64(0x1000) };

	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	assert_int_equal(fdt_add_reservemap_entry(tree, 0x48000000, 0x10000), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	node_begin("");
	assert_int_equal(fdt_property_u32(tree, "#address-cells", 2), 0);
	assert_int_equal(fdt_property_u32(tree, "#size-cells", 2), 0);
	memory_node("memory@40000000", two, sizeof(two));
	node_begin("chosen");
	assert_int_equal(fdt_property_string(tree, "bootargs", "mem=8M exit=1"), 0);
	node_end();
	node_begin("psci");
	assert_int_equal(fdt_property_string(tree, "method", "hvc"), 0);
	node_end();
	node_begin("memory@880000000");
	assert_int_equal(fdt_property_string(tree, "device_type", "memory"), 0);
	assert_int_equal(fdt_property(tree, "reg", one, sizeof(one)), 0);
	assert_int_equal(fdt_property_u32(tree, "numa-node-id", 3), 0);
	node_end();
	node_begin("flash@0");
	assert_int_equal(fdt_property_string(tree, "compatible", "cfi-flash"), 0);
	assert_int_equal(fdt_property(tree, "reg", flash, sizeof(flash)), 0);
	assert_int_equal(fdt_property_u32(tree, "bank-width", 4), 0);
	node_end();
	node_end();
	assert_int_equal(fdt_finish(tree), 0);
}

static void
test_good(void **state)
{
	const char *why = NULL;
	uint64_t pa, bytes;
	uint32_t width;

	(void)state;
	tree_make();
	assert_in_range(devtree_bytes(tree), 100, TREE_BYTES);
	assert_int_equal(devtree_check(tree, &why), 0);
	assert_string_equal(devtree_bootargs(tree), "mem=8M exit=1");
	assert_string_equal(devtree_psci_method(tree), "hvc");
	assert_int_equal(devtree_memory(tree, 0, &pa, &bytes), 0);
	assert_int_equal(pa, 0x40000000);
	assert_int_equal(bytes, 0x10000000);
	assert_int_equal(devtree_memory(tree, 1, &pa, &bytes), 0);
	assert_int_equal(pa, 0x100000000);
	assert_int_equal(devtree_memory(tree, 2, &pa, &bytes), 0);
	assert_int_equal(pa, 0x880000000);
	assert_int_equal(bytes, 0x1000);
	assert_int_equal(devtree_memory(tree, 3, &pa, &bytes), ERR_NOENT);
	assert_int_equal(devtree_memory_node(tree, 1), 0); /* no id */
	assert_int_equal(devtree_memory_node(tree, 2), 3);
	assert_int_equal(devtree_memory_node(tree, 3), 0);
	assert_int_equal(devtree_reserved(tree, 0, &pa, &bytes), 0);
	assert_int_equal(pa, 0x48000000);
	assert_int_equal(devtree_reserved(tree, 1, &pa, &bytes), ERR_NOENT);
	assert_int_equal(devtree_flash(tree, 1, &pa, &bytes, &width), 0);
	assert_int_equal(pa, 0x4000000);
	assert_int_equal(bytes, 0x2000000);
	assert_int_equal(width, 4);
	assert_int_equal(devtree_flash(tree, 2, &pa, &bytes, &width), ERR_NOENT);
}

static void
test_empty(void **state)
{
	const char *why = NULL;
	uint64_t pa, bytes;

	(void)state;
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	node_begin("");
	node_end();
	assert_int_equal(fdt_finish(tree), 0);
	assert_int_equal(devtree_check(tree, &why), 0);
	assert_null(devtree_bootargs(tree));
	assert_null(devtree_psci_method(tree));
	assert_int_equal(devtree_memory(tree, 0, &pa, &bytes), ERR_NOENT);
	assert_int_equal(devtree_reserved(tree, 0, &pa, &bytes), ERR_NOENT);
}

static void
test_not_a_tree(void **state)
{
	(void)state;
	memset(tree, 0, sizeof(tree));
	assert_int_equal(devtree_bytes(tree), 0);
	tree_make();
	assert_int_equal(devtree_bytes(tree + 4), 0);
	fdt_set_totalsize(tree, DEVTREE_BYTES_MAX + 1);
	assert_int_equal(devtree_bytes(tree), 0);
}

static void
test_damaged(void **state)
{
	const char *why = NULL;

	(void)state;
	tree_make();
	fdt_set_off_dt_struct(tree, 0x10000000);
	assert_int_equal(devtree_check(tree, &why), ERR_CORRUPT);
	assert_non_null(why);
	tree_make();
	memset(tree + fdt_off_dt_struct(tree) + 8, 0x77, 8);
	why = NULL;
	assert_int_equal(devtree_check(tree, &why), ERR_CORRUPT);
	assert_non_null(why);
}

/* Whatever single bytes are wrong: refused, or answered from inside the tree (the
 * sanitizers watch; the copy has no byte more than the header says). */
static void
test_noise(void **state)
{
	struct rng rng;
	const char *why;
	uint64_t pa, bytes;

	(void)state;
	rng_seed(&rng, 3);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t size;
		uint8_t *copy;

		tree_make();
		size = devtree_bytes(tree);
		copy = test_malloc(size);
		memcpy(copy, tree, size);
		for (uint32_t k = 0; k <= i % 3; k++)
			copy[8 + rng_below(&rng, size - 8)] = (uint8_t)rng_below(&rng, 256);
		if (devtree_check(copy, &why) == 0) {
			(void)devtree_bootargs(copy);
			(void)devtree_psci_method(copy);
			for (uint32_t n = 0; n < 4; n++) {
				(void)!devtree_memory(copy, n, &pa, &bytes);
				(void)devtree_memory_node(copy, n);
				(void)!devtree_reserved(copy, n, &pa, &bytes);
			}
		}
		test_free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_not_a_tree),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_noise),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
