/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a device tree, asked as the board asks it at boot. Input: the tree.
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "kern/bootargs.h"
#include "kern/bootmem.h"
#include "kern/devtree.h"
#include "lib/assert.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"

const uint32_t fuzz_runs = 150000;

#define TREE_BYTES_MAX (2 * FUZZ_BYTES_MAX)

static uint8_t header[sizeof(struct fdt_header)] __attribute__((aligned(8)));

/* The answer is the property called name, and ends inside it. */
static void
text_check(const char *text, const void *tree, const char *path, const char *name)
{
	int bytes = 0;
	const char *property;

	if (text == NULL)
		return;
	property = fdt_getprop(tree, fdt_path_offset(tree, path), name, &bytes);
	fuzz_check(text == property && bytes > 0, "a string of another property");
	fuzz_check(memchr(text, 0, (size_t)bytes) != NULL, "a string does not end");
}

static void
ranges_use(const uint8_t *tree, uint32_t bytes)
{
	uint64_t pa, range_bytes;
	uint32_t n;

	bootmem_init();
	for (n = 0; devtree_memory(tree, n, &pa, &range_bytes) == 0; n++) {
		(void)devtree_memory_node(tree, n);
		(void)!bootmem_add(pa, range_bytes);
		fuzz_check(n < bytes, "more ranges of memory than bytes");
	}
	for (n = 0; devtree_reserved(tree, n, &pa, &range_bytes) == 0; n++) {
		(void)!bootmem_reserve(pa, range_bytes);
		fuzz_check(n < bytes, "more reserved ranges than bytes");
	}
	fuzz_check(bootmem_free_bytes() <= bootmem_total_bytes(), "more is free than there is");
	for (n = 0; bootmem_alloc(4096, 4096, &pa) == 0 && n < 4; n++)
		fuzz_check(pa % 4096 == 0, "a page is not aligned");
}

static void
tree_use(const uint8_t *tree, uint32_t bytes)
{
	const char *why = NULL, *text;

	if (devtree_check(tree, &why) != 0) {
		fuzz_check(why != NULL, "refused without a reason");
		return;
	}
	text = devtree_bootargs(tree);
	text_check(text, tree, "/chosen", "bootargs");
	if (text != NULL)
		bootargs_parse(text, "the device tree");
	text_check(devtree_psci_method(tree), tree, "/psci", "method");
	ranges_use(tree, bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *tree;
	uint32_t bytes;

	/* The loader's memory reaches at least to the end of the header. */
	if (size < sizeof(struct fdt_header))
		return (0);
	sim_reset();
	memcpy(header, data, sizeof(header));
	bytes = devtree_bytes(header);
	if (bytes < sizeof(header) || bytes > TREE_BYTES_MAX)
		return (0);
	/* What the header says is there is mapped, and nothing behind it. */
	tree = calloc(1, bytes);
	KASSERT(tree != NULL, "memory for the tree");
	memcpy(tree, data, size < bytes ? size : bytes);
	tree_use(tree, bytes);
	free(tree);
	return (0);
}

/* ---- seeds */

static void
memory_add(void *tree, uint32_t cells, uint32_t count)
{
	uint32_t reg[16] = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		reg[(2 * i + 1) * cells - 1] = cpu_to_fdt32(0x40000000 + i * 0x10000000);
		reg[(2 * i + 2) * cells - 1] = cpu_to_fdt32(0x08000000);
	}
	fdt_begin_node(tree, "memory@40000000");
	fdt_property_string(tree, "device_type", "memory");
	fdt_property(tree, "reg", reg, (int)(count * cells * 8));
	fdt_property_u32(tree, "numa-node-id", count);
	fdt_end_node(tree);
}

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	uint32_t cells = 1 + n % 2;

	if (n == 4)
		return (0);
	fdt_create(data, 2048);
	if (n >= 2)
		fdt_add_reservemap_entry(data, 0x48000000, 0x10000);
	fdt_finish_reservemap(data);
	fdt_begin_node(data, "");
	fdt_property_u32(data, "#address-cells", cells);
	fdt_property_u32(data, "#size-cells", cells);
	memory_add(data, cells, 1 + n);
	fdt_begin_node(data, "chosen");
	fdt_property_string(data, "bootargs", "mem=8M swap=sd0s2:1 run=sort:a fault=sd0,write");
	fdt_end_node(data);
	fdt_begin_node(data, "psci");
	fdt_property_string(data, "method", n >= 2 ? "hvc" : "smc");
	fdt_end_node(data);
	fdt_end_node(data);
	fdt_finish(data);
	return (fdt_totalsize(data));
}
