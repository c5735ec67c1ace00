/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a device tree through libfdt.
 *
 * Owns: nothing; the tree is the loader's.
 * Does not: trust it: devtree_check walks every tag once before anyone asks, and
 *   libfdt checks each offset against the header again.
 * Invariants: none.
 * Yields: never.
 * Complexity: linear in the tree for every question; asked at boot only.
 * See: Devicetree Specification 0.4, chapters 3 and 5.
 */
#include "kern/devtree.h"

#include <stddef.h>
#include <string.h>

#include <libfdt.h>

#define TAGS_MAX 65536

uint32_t
devtree_bytes(const void *blob)
{
	uint32_t bytes;

	if ((uintptr_t)blob % 8 != 0 || fdt_magic(blob) != FDT_MAGIC)
		return (0);
	bytes = fdt_totalsize(blob);
	return (bytes > DEVTREE_BYTES_MAX ? 0 : bytes);
}

int
devtree_check(const void *blob, const char **why)
{
	int offset = 0, next = 0, depth = 0;
	int err = fdt_check_header(blob);

	if (err == 0 && (fdt_off_mem_rsvmap(blob) % 8 != 0 || fdt_off_dt_struct(blob) % 4 != 0))
		err = -FDT_ERR_ALIGNMENT;
	if (err != 0) {
		*why = fdt_strerror(err);
		return (ERR_CORRUPT);
	}
	for (uint32_t i = 0; i < TAGS_MAX; i++) {
		uint32_t tag = fdt_next_tag(blob, offset, &next);

		if (tag == FDT_END && next >= 0 && depth == 0)
			return (0);
		depth += tag == FDT_BEGIN_NODE ? 1 : tag == FDT_END_NODE ? -1 : 0;
		if (tag == FDT_END || next < 0 || depth < 0)
			break;
		offset = next;
	}
	*why = "its structure block is damaged";
	return (ERR_CORRUPT);
}

/* A string property that is terminated inside its length, or NULL. */
static const char *
string_property(const void *blob, const char *path, const char *name)
{
	int bytes = 0;
	int node = fdt_path_offset(blob, path);
	const char *text;

	if (node < 0)
		return (NULL);
	text = fdt_getprop(blob, node, name, &bytes);
	if (text == NULL || bytes <= 0 || text[bytes - 1] != '\0')
		return (NULL);
	return (text);
}

const char *
devtree_bootargs(const void *blob)
{
	return (string_property(blob, "/chosen", "bootargs"));
}

const char *
devtree_psci_method(const void *blob)
{
	return (string_property(blob, "/psci", "method"));
}

static uint64_t
cells(const uint8_t *at, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count * 4; i++)
		value = value << 8 | at[i];
	return (value);
}

static bool
is_memory(const void *blob, int node)
{
	int bytes = 0;
	const char *type = fdt_getprop(blob, node, "device_type", &bytes);

	return (type != NULL && bytes == (int)sizeof("memory") &&
	    memcmp(type, "memory", sizeof("memory")) == 0);
}

int
devtree_memory(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes)
{
	int address_cells = fdt_address_cells(blob, 0);
	int size_cells = fdt_size_cells(blob, 0);
	int entry, node, reg_bytes;

	if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
		return (ERR_NOENT);
	entry = (address_cells + size_cells) * 4;
	for (node = fdt_first_subnode(blob, 0); node >= 0; node = fdt_next_subnode(blob, node)) {
		const uint8_t *reg = fdt_getprop(blob, node, "reg", &reg_bytes);
		uint32_t count;

		if (reg == NULL || reg_bytes < 0 || !is_memory(blob, node))
			continue;
		count = (uint32_t)(reg_bytes / entry);
		if (n < count) {
			*pa = cells(reg + n * (uint32_t)entry, address_cells);
			*bytes = cells(reg + n * (uint32_t)entry + 4 * address_cells, size_cells);
			return (0);
		}
		n -= count;
	}
	return (ERR_NOENT);
}

int
devtree_reserved(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes)
{
	if (fdt_num_mem_rsv(blob) <= (int)n || fdt_get_mem_rsv(blob, (int)n, pa, bytes) != 0)
		return (ERR_NOENT);
	return (0);
}
