/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory at boot: from the loader's description to free ranges.
 *
 * RAM is described by the device tree, else by the board (mailbox). Boot arguments
 * come from the first of: device tree, ATAG list, the board.
 *
 * Owns: what was found at x0; which NUMA node each range of RAM belongs to; where flash is.
 * Does not: keep the device tree after boot_ram: its memory becomes part of the pool.
 * Invariants: none.
 * Yields: never.
 * See: board/main.c for the order; kern/bootmem.h, kern/devtree.h, kern/bootargs.h.
 */
#include "board/boot_ram.h"

#include <stddef.h>
#include <string.h>

#include "arch/arm64/kmap.h"
#include "arch/arm64/kva.h"
#include "arch/arm64/power.h"
#include "board/board.h"
#include "kern/bootargs.h"
#include "kern/bootmem.h"
#include "kern/console.h"
#include "kern/devtree.h"
#include "kern/machdep.h"
#include "kern/panic.h"
#include "mm/vm_param.h"

#define FLASHES_MAX     4
#define FLASH_BUS_BYTES 4 /* as drivers/cfi_flash.h wants it */

extern const char kernel_text_start[], kernel_end[];

/* A tree with more ranges of RAM is damaged; asking for all of them is quadratic. */
#define TREE_RANGES_MAX 64u

static const void *tree;
static uint64_t table_bytes;
static struct boot_node nodes[BOOTMEM_RANGES_MAX];
static uint32_t node_count;
static struct boot_flash_range flashes[FLASHES_MAX];
static uint32_t flash_count;

typedef unsigned long long ull;

static void
parse_tree(const void *blob)
{
	const char *why;
	const char *text;

	if (devtree_check(blob, &why) != 0) {
		kprintf("device tree at %#llx: damaged (%s); not used\n",
		    (ull)virt_to_phys(blob), why);
		return;
	}
	tree = blob;
	text = devtree_bootargs(tree);
	if (text != NULL)
		bootargs_parse(text, "the device tree");
}

/* The tree at pa, mapped whole, or NULL if there is none. */
static const void *
map_tree(uint64_t pa)
{
	const void *blob = phys_to_virt(pa);
	uint32_t bytes = devtree_bytes(blob);

	if (bytes == 0 || kmap_add_ram(trunc_page(pa), round_page(pa % PAGE_SIZE + bytes)) != 0)
		return (NULL);
	return (blob);
}

/* Arguments from elsewhere than a device tree. */
static void
parse_other(uint64_t x0)
{
	char text[BOOTARGS_TEXT_BYTES] = "";
	const char *source = "ATAG list or firmware";
	int err = ERR_NOENT;

	if (x0 != 0)
		err = bootargs_from_atags(phys_to_virt(x0), PAGE_SIZE - x0 % PAGE_SIZE, text,
		    sizeof(text));
	if (err != 0 && board.command_line != NULL)
		err = board.command_line(text, sizeof(text));
	bootargs_parse(err == 0 ? text : NULL, source);
}

void
boot_parameters(uint64_t x0)
{
	const void *blob = NULL;

	if (x0 % 4 != 0 || (x0 != 0 && kmap_add_ram(trunc_page(x0), PAGE_SIZE) != 0))
		x0 = 0;
	if (x0 != 0)
		blob = map_tree(x0);
	if (blob != NULL)
		parse_tree(blob);
	if (tree == NULL || devtree_bootargs(tree) == NULL)
		parse_other(blob == NULL ? x0 : 0);
}

static void
add_ram(uint64_t pa, uint64_t bytes, uint32_t id)
{
	int err = kmap_add_ram(pa, bytes);

	if (err == 0)
		err = bootmem_add(pa, bytes);
	if (err == 0 && node_count < BOOTMEM_RANGES_MAX)
		nodes[node_count++] = (struct boot_node){ pa, pa + bytes, id };
	if (err != 0)
		kprintf("RAM at %#llx, %llu MiB: left unused (%s)\n", (ull)pa, (ull)(bytes >> 20),
		    err_string(err));
}

static void
reserve(uint64_t pa, uint64_t bytes)
{
	if (bytes != 0 && bootmem_reserve(pa, bytes) != 0)
		panic_as(LED_PANIC_MEMORY, "too many ranges of RAM to reserve %#llx", (ull)pa);
}

/* The flash of a board, for boot_flash. */
static void
find_flash(void)
{
	uint64_t pa, bytes;
	uint32_t width;

	while (tree != NULL && flash_count < FLASHES_MAX &&
	    devtree_flash(tree, flash_count, &pa, &bytes, &width) == 0) {
		if (width != FLASH_BUS_BYTES)
			bytes = 0;
		flashes[flash_count++] = (struct boot_flash_range){ pa, bytes };
	}
}

void
boot_ram(void)
{
	uint64_t pa, bytes;
	uint32_t n;

	bootmem_init();
	for (n = 0; n < TREE_RANGES_MAX && tree != NULL &&
	    devtree_memory(tree, n, &pa, &bytes) == 0; n++)
		add_ram(pa, bytes, devtree_memory_node(tree, n));
	if (n == 0 && board.memory != NULL && board.memory(&pa, &bytes) == 0)
		add_ram(pa, bytes, 0);
	if (bootmem_total_bytes() == 0)
		panic_as(LED_PANIC_MEMORY,
		    "%s: no RAM: neither a device tree nor the firmware says where it is "
		    "(start the raw image, not the ELF file)", board.name);
	reserve(0, board.low_reserved_bytes);
	reserve(virt_to_phys(kernel_text_start), boot_image_bytes());
	for (n = 0; tree != NULL && devtree_reserved(tree, n, &pa, &bytes) == 0; n++)
		reserve(pa, bytes);
	find_flash();
	tree = NULL;
}

const struct boot_flash_range *
boot_flash_range(uint32_t n)
{
	return (n < flash_count && flashes[n].bytes != 0 ? &flashes[n] : NULL);
}

const struct boot_node *
boot_nodes(uint32_t *count)
{
	*count = node_count;
	return (nodes);
}

uint64_t
boot_image_bytes(void)
{
	return ((uint64_t)(kernel_end - kernel_text_start));
}

uint64_t
boot_table_bytes(void)
{
	return (table_bytes);
}

void *
boot_wired_alloc(uint64_t bytes)
{
	uint64_t pa;

	bytes = round_page(bytes);
	if (bootmem_alloc(bytes, PAGE_SIZE, &pa) != 0)
		return (NULL);
	table_bytes += bytes;
	return (phys_to_virt(pa));
}

void
boot_power(void)
{
	const char *method = tree == NULL ? NULL : devtree_psci_method(tree);

	power_use_board(board.power_off, board.reset);
	if (bootargs.semihosting)
		power_use_semihosting();
	if (method != NULL && strcmp(method, "hvc") == 0)
		power_use_psci(PSCI_HVC);
	else if (method != NULL && strcmp(method, "smc") == 0)
		power_use_psci(PSCI_SMC);
}
