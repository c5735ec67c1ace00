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

static bool
is_flash(const void *blob, int node)
{
	return (fdt_node_check_compatible(blob, node, "cfi-flash") == 0);
}

/* One range of a node that the root's children are asked for. */
struct node_range {
	int node;            /* offset of the tree's node */
	const uint8_t *reg;  /* of the range */
	int address_cells, size_cells;
};

/* Range n over all nodes of a kind. */
static bool
find_range(const void *blob, uint32_t n, bool (*is_kind)(const void *blob, int node),
    struct node_range *r)
{
	int entry, reg_bytes;

	r->address_cells = fdt_address_cells(blob, 0);
	r->size_cells = fdt_size_cells(blob, 0);
	if (r->address_cells < 1 || r->address_cells > 2 || r->size_cells < 1 || r->size_cells > 2)
		return (false);
	entry = (r->address_cells + r->size_cells) * 4;
	for (r->node = fdt_first_subnode(blob, 0); r->node >= 0;
	    r->node = fdt_next_subnode(blob, r->node)) {
		uint32_t count;

		r->reg = fdt_getprop(blob, r->node, "reg", &reg_bytes);
		if (r->reg == NULL || reg_bytes < 0 || !is_kind(blob, r->node))
			continue;
		count = (uint32_t)(reg_bytes / entry);
		if (n < count) {
			r->reg += n * (uint32_t)entry;
			return (true);
		}
		n -= count;
	}
	return (false);
}

/* A property of one cell; 0 if there is none. */
static uint32_t
cell_property(const void *blob, int node, const char *name)
{
	int bytes = 0;
	const uint8_t *value = fdt_getprop(blob, node, name, &bytes);

	return (value == NULL || bytes != 4 ? 0 : (uint32_t)cells(value, 1));
}

int
devtree_memory(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes)
{
	struct node_range r;

	if (!find_range(blob, n, is_memory, &r))
		return (ERR_NOENT);
	*pa = cells(r.reg, r.address_cells);
	*bytes = cells(r.reg + 4 * r.address_cells, r.size_cells);
	return (0);
}

int
devtree_flash(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes, uint32_t *width)
{
	struct node_range r;

	if (!find_range(blob, n, is_flash, &r))
		return (ERR_NOENT);
	*pa = cells(r.reg, r.address_cells);
	*bytes = cells(r.reg + 4 * r.address_cells, r.size_cells);
	*width = cell_property(blob, r.node, "bank-width");
	return (0);
}

uint32_t
devtree_memory_node(const void *blob, uint32_t n)
{
	struct node_range r;

	return (find_range(blob, n, is_memory, &r) ?
	    cell_property(blob, r.node, "numa-node-id") : 0);
}

int
devtree_reserved(const void *blob, uint32_t n, uint64_t *pa, uint64_t *bytes)
{
	/* Counting them first would make asking for all of them quadratic. */
	if (fdt_get_mem_rsv(blob, (int)n, pa, bytes) != 0 || *bytes == 0)
		return (ERR_NOENT);
	return (0);
}
