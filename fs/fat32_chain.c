/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cluster chains: checked once when a file is opened, found quickly ever after.
 *
 * fat32_chain_open walks the chain a single time. It must end exactly where the
 * file's size says, which also rules out loops: a chain with a loop never ends.
 * On the way it keeps marks: the first extents, and once the table is full,
 * every second, fourth, ... extent. A file of few extents is thereby mapped
 * completely and its FAT sectors are never read again.
 *
 * fat32_chain_find starts at the nearest known extent before the wanted cluster
 * (mark or cursor) and walks on.
 *
 * Owns: struct fat32_chain. Does not: know names, sizes in bytes, or print.
 *
 * Invariants:
 * H1 chain->count steps after chain->first the FAT says "end of chain".
 * H2 every extent lies within the clusters that exist.
 * H3 marks ascend, the first begins at index 0.
 *
 * Yields: all functions, in blk_read or every STEPS_PER_YIELD steps.
 * Complexity: open O(count); find O(1) amortised in sequence, else O(stride)
 * extents, stride <= 2 * extents / FAT32_MARKS_MAX.
 * See: Microsoft, FAT: General Overview of On-Disk Format, "FAT Data Structure".
 */
#include "fs/fat32_chain.h"

#include <stdio.h>
#include <string.h>

#include "fs/fat32_cache.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/le.h"

#define ENTRY_BYTES 4
#define ENTRIES_PER_SECTOR (FAT32_SECTOR_BYTES / ENTRY_BYTES)
#define ENTRY_MASK 0x0fffffffu
#define ENTRY_FREE 0u
#define ENTRY_BAD 0x0ffffff7u
#define ENTRY_END_MIN 0x0ffffff8u

/* A step looks into each copy of the FAT: some hundred instructions. */
#define STEPS_PER_YIELD (SCHED_LOOP_MAX / 4)

#define CHAIN_END 0u /* from link_get: no further cluster */

int
fat32_table_get(const struct fat32_geometry *geo, uint32_t copy, uint32_t cluster,
    uint32_t *value)
{
	const uint8_t *sector;
	uint64_t at = geo->fat_sector + (uint64_t)copy * geo->fat_sectors +
	    cluster / ENTRIES_PER_SECTOR;
	int err;

	err = fat32_cache_get(at, &sector);
	if (err != 0)
		return (err);
	*value = le32(sector + cluster % ENTRIES_PER_SECTOR * ENTRY_BYTES) & ENTRY_MASK;
	return (0);
}

/* What follows cluster: another cluster that exists, or CHAIN_END. */
static int
link_get(const struct fat32_geometry *geo, uint32_t cluster, uint32_t *next, char *why)
{
	uint32_t value;
	int err;

	err = fat32_table_get(geo, geo->active_copy, cluster, &value);
	if (err != 0)
		return (err);
	*next = value;
	if (fat32_cluster_exists(geo, value))
		return (0);
	*next = CHAIN_END;
	if (value >= ENTRY_END_MIN)
		return (0);
	if (value == ENTRY_FREE)
		snprintf(why, FAT32_WHY_BYTES, "cluster %u in its chain is marked free", cluster);
	else if (value == ENTRY_BAD)
		snprintf(why, FAT32_WHY_BYTES, "cluster %u in its chain is marked bad", cluster);
	else
		snprintf(why, FAT32_WHY_BYTES, "cluster %u leads to %u, outside the volume",
		    cluster, value);
	return (ERR_CORRUPT);
}

/* Do all copies of the FAT agree about cluster? */
static int
copies_check(const struct fat32_geometry *geo, uint32_t cluster, char *why)
{
	uint32_t copy, first, other;
	int err;

	if (!geo->mirrored || geo->unclean)
		return (0);
	err = fat32_table_get(geo, 0, cluster, &first);
	for (copy = 1; err == 0 && copy < geo->copy_count; copy++) {
		err = fat32_table_get(geo, copy, cluster, &other);
		if (err == 0 && other != first) {
			snprintf(why, FAT32_WHY_BYTES,
			    "the copies of the FAT disagree about cluster %u (%u and %u)",
			    cluster, first, other);
			return (ERR_CORRUPT);
		}
	}
	return (err);
}

/* Keep every second mark. */
static void
marks_thin(struct fat32_chain *chain)
{
	uint32_t i;

	chain->stride *= 2;
	chain->mark_count /= 2;
	for (i = 0; i < chain->mark_count; i++)
		chain->marks[i] = chain->marks[2 * i];
}

static void
mark_add(struct fat32_chain *chain, const struct fat32_extent *e)
{
	uint32_t number = chain->extent_count++;

	if (number % chain->stride != 0)
		return;
	if (chain->mark_count == FAT32_MARKS_MAX)
		marks_thin(chain);
	if (number % chain->stride != 0)
		return;
	KASSERT(chain->mark_count < FAT32_MARKS_MAX, "H3: room for a mark");
	chain->marks[chain->mark_count++] = *e;
}

/* Put next behind extent *e, or start a new extent with it. */
static void
extent_append(struct fat32_chain *chain, struct fat32_extent *e, uint32_t next)
{
	if (next == e->cluster + e->count) {
		e->count++;
		return;
	}
	mark_add(chain, e);
	e->index += e->count;
	e->cluster = next;
	e->count = 1;
}

static void
chain_reset(struct fat32_chain *chain, uint32_t first)
{
	memset(chain, 0, sizeof(*chain));
	chain->first = first;
	chain->stride = 1;
}

int
fat32_chain_open(const struct fat32_geometry *geo, struct fat32_chain *chain,
    uint32_t count, bool exact, char why[FAT32_WHY_BYTES])
{
	struct fat32_extent e = { 0, chain->first, 1 };
	uint32_t cluster = chain->first, next, n;
	int err;

	chain_reset(chain, cluster);
	if (!fat32_cluster_exists(geo, cluster)) {
		snprintf(why, FAT32_WHY_BYTES, "starts at cluster %u, outside the volume", cluster);
		return (ERR_CORRUPT);
	}
	for (n = 1; n <= count; n++) {
		err = copies_check(geo, cluster, why);
		if (err == 0)
			err = link_get(geo, cluster, &next, why);
		if (err != 0)
			return (err);
		if (next == CHAIN_END || (n == count && exact && geo->unclean))
			break;
		extent_append(chain, &e, next);
		cluster = next;
		if (n % STEPS_PER_YIELD == 0)
			sched_maybe_yield();
	}
	if (n > count) {
		snprintf(why, FAT32_WHY_BYTES,
		    "its chain goes on past its %u clusters, to %u (a loop or another's)", count,
		    cluster);
		return (ERR_CORRUPT);
	}
	if (exact && n < count) {
		snprintf(why, FAT32_WHY_BYTES, "its chain ends at cluster %u, after %u of %u",
		    cluster, n, count);
		return (ERR_CORRUPT);
	}
	mark_add(chain, &e);
	chain->count = n;
	chain->last = cluster;
	chain->cursor = chain->marks[0];
	return (0);
}

static bool
extent_holds(const struct fat32_extent *e, uint32_t index)
{
	return (index >= e->index && index - e->index < e->count);
}

/* The last known extent that does not begin after index. */
static struct fat32_extent
extent_nearest(const struct fat32_chain *chain, uint32_t index)
{
	uint32_t low = 0, high = chain->mark_count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (chain->marks[middle].index <= index)
			low = middle;
		else
			high = middle;
	}
	if (chain->cursor.index <= index && chain->cursor.index > chain->marks[low].index)
		return (chain->cursor);
	return (chain->marks[low]);
}

/* Replace *e by the extent that follows it. */
static int
extent_next(const struct fat32_geometry *geo, const struct fat32_chain *chain,
    struct fat32_extent *e, char *why)
{
	uint32_t next, steps;
	int err;

	err = link_get(geo, e->cluster + e->count - 1, &next, why);
	if (err != 0)
		return (err);
	if (next == CHAIN_END) {
		snprintf(why, FAT32_WHY_BYTES, "its chain became shorter, it ends at %u",
		    e->cluster + e->count - 1);
		return (ERR_CORRUPT);
	}
	*e = (struct fat32_extent){ e->index + e->count, next, 1 };
	for (steps = 1; e->index + e->count < chain->count; steps++) {
		err = link_get(geo, e->cluster + e->count - 1, &next, why);
		if (err != 0)
			return (err);
		if (next != e->cluster + e->count)
			break;
		e->count++;
		if (steps % STEPS_PER_YIELD == 0)
			sched_maybe_yield();
	}
	return (0);
}

int
fat32_chain_find(const struct fat32_geometry *geo, struct fat32_chain *chain,
    uint32_t index, struct fat32_extent *out, char why[FAT32_WHY_BYTES])
{
	struct fat32_extent e;
	int err;

	KASSERT(index < chain->count, "H1: index inside the chain");
	e = extent_nearest(chain, index);
	while (!extent_holds(&e, index)) {
		err = extent_next(geo, chain, &e, why);
		if (err != 0)
			return (err);
	}
	KASSERT(fat32_cluster_exists(geo, e.cluster + e.count - 1), "H2: extent exists");
	chain->cursor = e;
	*out = e;
	return (0);
}

void
fat32_chain_append(struct fat32_chain *chain, const uint32_t *clusters, uint32_t count)
{
	struct fat32_extent *newest;
	uint32_t i;

	if (chain->count == 0)
		chain_reset(chain, clusters[0]);
	for (i = 0; i < count; i++) {
		newest = chain->mark_count == 0 ? NULL : &chain->marks[chain->mark_count - 1];
		if (newest != NULL && newest->index + newest->count == chain->count &&
		    newest->cluster + newest->count == clusters[i])
			newest->count++;
		else if (chain->count == 0 || clusters[i] != chain->last + 1)
			mark_add(chain, &(struct fat32_extent){ chain->count, clusters[i], 1 });
		chain->last = clusters[i];
		chain->count++;
	}
	if (chain->cursor.count == 0)
		chain->cursor = chain->marks[0];
}

void
fat32_chain_shorten(struct fat32_chain *chain, uint32_t keep, uint32_t last)
{
	struct fat32_extent *newest;

	KASSERT(keep > 0 && keep < chain->count, "H1: a part of the chain stays");
	while (chain->marks[chain->mark_count - 1].index >= keep)
		chain->mark_count--;
	newest = &chain->marks[chain->mark_count - 1];
	if (newest->index + newest->count > keep)
		newest->count = keep - newest->index;
	chain->extent_count = chain->mark_count * chain->stride; /* the next one is a mark */
	chain->count = keep;
	chain->last = last;
	chain->cursor = chain->marks[0];
}
