/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written to the FAT, in which order.
 *
 * Power may go at any moment, and a disk may write what it has been given since the last
 * flush in any order, but a sector wholly or not at all. So:
 *
 *   grow   new clusters, linked among themselves -> flush -> link from the old end
 *          (one sector for both: a single write)
 *   cut    (the directory entry has been written and flushed) new end -> flush -> free
 *
 * What a cut of power leaves are clusters that nobody uses, or a chain that goes on past
 * what the size of its file needs. Both copies are written one after the other; on a
 * volume that was not at rest the active one counts (fat32_chain.c).
 *
 * Changes of neighbouring entries are gathered in one sector, the edit.
 *
 * Owns: the edit, the place where the search for free clusters goes on, the number of free
 *     clusters, the state of rest.
 * Does not: lock (the volume lock covers it), know names or sizes.
 * Invariants:
 * T1 at the end of each function the edit is empty: the cache shows what the disk has.
 * T2 a cluster is free or in one chain; it is taken only if the FAT says free.
 * T3 while anything is being changed entry 1 says that the volume is not at rest.
 * Yields: all functions, in the cache.
 * Complexity: grow: at most once around the FAT; cut: a step a cluster.
 * See: Microsoft, FAT: General Overview of On-Disk Format, "FAT Data Structure",
 *   "FSInfo Sector Structure"; docs/decisions/0022-fat-writes.md.
 */
#include "fs/fat32_table.h"

#include <stdio.h>
#include <string.h>

#include "fs/fat32_cache.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/le.h"

#define ENTRY_BYTES 4
#define ENTRIES_PER_SECTOR (FAT32_SECTOR_BYTES / ENTRY_BYTES)
#define ENTRY_KEPT 0xf0000000u /* bits that are nobody's to change */
#define ENTRY_FREE 0u
#define ENTRY_END 0x0fffffffu
#define TABLE_CLEAN 0x08000000u /* entry 1: at rest */

#define INFO_LEAD 0x41615252u
#define INFO_STRUCT 0x61417272u
enum { INFO_AT_LEAD = 0, INFO_AT_STRUCT = 484, INFO_AT_FREE = 488, INFO_AT_NEXT = 492 };
#define UNKNOWN UINT32_MAX

#define GROW_MAX 64 /* clusters taken in one step */

static struct {
	uint8_t data[FAT32_SECTOR_BYTES] __attribute__((aligned(FAT32_SECTOR_BYTES)));
	uint32_t sector; /* of a copy */
	bool open;
} edit;

static bool at_rest;
static bool marked; /* entry 1 says that it is not, durably */
static uint32_t next_free;  /* where to look first */
static uint32_t free_count; /* or UNKNOWN */
static uint32_t picked[GROW_MAX];

/* ---- the edit */

static int
edit_write(const struct fat32_geometry *geo)
{
	uint32_t copy;
	int err = 0;

	for (copy = 0; edit.open && err == 0 && copy < geo->copy_count; copy++)
		if (geo->mirrored || copy == geo->active_copy)
			err = fat32_cache_put(
			    geo->fat_sector + (uint64_t)copy * geo->fat_sectors + edit.sector,
			    edit.data);
	edit.open = false;
	return (err);
}

static int
entry_set(const struct fat32_geometry *geo, uint32_t cluster, uint32_t value)
{
	uint32_t sector = cluster / ENTRIES_PER_SECTOR;
	const uint8_t *now;
	uint8_t *at;
	int err = 0;

	if (edit.open && edit.sector != sector)
		err = edit_write(geo);
	if (err == 0 && !edit.open) {
		err = fat32_cache_get(
		    geo->fat_sector + (uint64_t)geo->active_copy * geo->fat_sectors + sector, &now);
		if (err == 0)
			memcpy(edit.data, now, sizeof(edit.data));
		edit.sector = sector;
		edit.open = err == 0;
	}
	if (err != 0)
		return (err);
	at = edit.data + cluster % ENTRIES_PER_SECTOR * ENTRY_BYTES;
	le32_put(at, (le32(at) & ENTRY_KEPT) | value);
	return (0);
}

/* Is what entry_set would change next in the sector that is open? */
static bool
edit_holds(uint32_t cluster)
{
	return (edit.open && edit.sector == cluster / ENTRIES_PER_SECTOR);
}

/* ---- rest */

static bool
info_is_sound(const uint8_t *info)
{
	return (
	    le32(info + INFO_AT_LEAD) == INFO_LEAD && le32(info + INFO_AT_STRUCT) == INFO_STRUCT);
}

int
fat32_table_mount(struct fat32_geometry *geo)
{
	const uint8_t *info;
	uint32_t value;
	int err;

	edit.open = false;
	at_rest = true;
	next_free = FAT32_FIRST_CLUSTER;
	free_count = UNKNOWN;
	err = fat32_table_get(geo, geo->active_copy, 1, &value);
	if (err != 0)
		return (err);
	geo->unclean = marked = (value & TABLE_CLEAN) == 0;
	if (geo->info_sector == 0 || fat32_cache_get(geo->info_sector, &info) != 0 ||
	    !info_is_sound(info))
		return (0); /* only hints: one can do without */
	if (fat32_cluster_exists(geo, le32(info + INFO_AT_NEXT)))
		next_free = le32(info + INFO_AT_NEXT);
	if (!geo->unclean && le32(info + INFO_AT_FREE) <= geo->cluster_count)
		free_count = le32(info + INFO_AT_FREE);
	return (0);
}

/* Entry 1, durable. */
static int
mark(const struct fat32_geometry *geo, bool rest)
{
	uint32_t value;
	int err = fat32_table_get(geo, geo->active_copy, 1, &value);

	if (err == 0)
		err = entry_set(geo, 1, rest ? value | TABLE_CLEAN : value & ~TABLE_CLEAN);
	if (err == 0)
		err = edit_write(geo);
	return (err == 0 ? fat32_cache_flush() : err);
}

int
fat32_table_unrest(const struct fat32_geometry *geo)
{
	int err = 0;

	if (!marked)
		err = mark(geo, false);
	if (err == 0) {
		marked = true; /* T3 */
		at_rest = false;
	}
	return (err);
}

static int
info_write(const struct fat32_geometry *geo)
{
	const uint8_t *now;
	int err;

	if (geo->info_sector == 0)
		return (0);
	err = fat32_cache_get(geo->info_sector, &now);
	if (err != 0 || !info_is_sound(now))
		return (err);
	memcpy(edit.data, now, sizeof(edit.data)); /* T1: nothing else is in it */
	le32_put(edit.data + INFO_AT_FREE, geo->unclean ? UNKNOWN : free_count);
	le32_put(edit.data + INFO_AT_NEXT, next_free);
	return (fat32_cache_put(geo->info_sector, edit.data));
}

int
fat32_table_rest(const struct fat32_geometry *geo)
{
	int err;

	KASSERT(!edit.open, "T1: nothing is half done");
	if (at_rest)
		return (0);
	err = info_write(geo);
	if (err == 0)
		err = fat32_cache_flush();
	if (err == 0 && !geo->unclean) {
		marked = false; /* whatever comes of it */
		err = mark(geo, true);
	}
	at_rest = err == 0;
	return (err);
}

/* ---- growing */

/* Up to count free clusters into picked, in the order of the FAT: how many, or ERR_*. */
static int
pick(const struct fat32_geometry *geo, uint32_t count)
{
	uint32_t looked_at, value, found = 0, cluster = next_free;
	int err;

	for (looked_at = 0; looked_at < geo->cluster_count && found < count; looked_at++) {
		if (!fat32_cluster_exists(geo, cluster))
			cluster = FAT32_FIRST_CLUSTER;
		err = fat32_table_get(geo, geo->active_copy, cluster, &value);
		if (err != 0)
			return (err);
		if (value == ENTRY_FREE) /* T2 */
			picked[found++] = cluster;
		cluster++;
		if (looked_at % ENTRIES_PER_SECTOR == ENTRIES_PER_SECTOR - 1)
			sched_maybe_yield();
	}
	next_free = cluster;
	return ((int)found);
}

/* Link picked[0..count-1] and lead last to them (0: nothing leads there yet). */
static int
link_picked(const struct fat32_geometry *geo, uint32_t count, uint32_t last)
{
	bool split = false;
	uint32_t i;
	int err = 0;

	for (i = 0; err == 0 && i < count; i++) {
		split |= edit.open && !edit_holds(picked[i]);
		err = entry_set(geo, picked[i], i + 1 < count ? picked[i + 1] : ENTRY_END);
	}
	if (err == 0 && last != 0 && (split || !edit_holds(last))) {
		err = edit_write(geo);
		if (err == 0)
			err = fat32_cache_flush();
	}
	if (err == 0 && last != 0)
		err = entry_set(geo, last, picked[0]);
	return (err == 0 ? edit_write(geo) : err);
}

int
fat32_chain_grow(const struct fat32_geometry *geo, struct fat32_chain *chain, uint32_t more,
    char why[FAT32_WHY_BYTES])
{
	uint32_t done = 0;
	int n = 0, err = 0;

	(void)why;
	while (err == 0 && done < more) {
		n = pick(geo, more - done < GROW_MAX ? more - done : GROW_MAX);
		if (n <= 0)
			break;
		err = link_picked(geo, (uint32_t)n, chain->count == 0 ? 0 : chain->last);
		edit.open = false; /* T1, after an error too */
		if (err == 0) {
			fat32_chain_append(chain, picked, (uint32_t)n);
			done += (uint32_t)n;
		}
		if (err == 0 && free_count != UNKNOWN)
			free_count -= (uint32_t)n <= free_count ? (uint32_t)n : free_count;
	}
	if (err != 0 || n < 0)
		return (err != 0 ? err : n);
	return (done > 0 || more == 0 ? (int)done : ERR_NOSPC);
}

int
fat32_chain_join(const struct fat32_geometry *geo, struct fat32_chain *chain, uint32_t cluster)
{
	int err = entry_set(geo, chain->last, cluster);

	if (err == 0)
		err = edit_write(geo);
	edit.open = false; /* T1 */
	if (err == 0)
		fat32_chain_append(chain, &cluster, 1);
	return (err);
}

/* ---- cutting */

/* Free count clusters from cluster on. */
static int
free_from(const struct fat32_geometry *geo, uint32_t cluster, uint32_t count)
{
	uint32_t next, n;
	int err = 0;

	for (n = 0; err == 0 && n < count && fat32_cluster_exists(geo, cluster); n++) {
		err = fat32_table_get(geo, geo->active_copy, cluster, &next);
		if (err == 0)
			err = entry_set(geo, cluster, ENTRY_FREE);
		cluster = next;
		if (n % ENTRIES_PER_SECTOR == ENTRIES_PER_SECTOR - 1)
			sched_maybe_yield();
	}
	if (err != 0)
		free_count = UNKNOWN; /* some are free, some are lost */
	if (free_count != UNKNOWN)
		free_count = free_count + n <= geo->cluster_count ? free_count + n : UNKNOWN;
	return (err == 0 ? edit_write(geo) : err);
}

int
fat32_chain_cut(const struct fat32_geometry *geo, struct fat32_chain *chain, uint32_t keep,
    char why[FAT32_WHY_BYTES])
{
	uint32_t from = chain->first, last = 0, count = chain->count - keep;
	struct fat32_extent e;
	bool ended = false; /* on the disk, or nobody knows */
	int err = 0;

	KASSERT(keep < chain->count, "T2: some clusters go");
	if (keep > 0) {
		err = fat32_chain_find(geo, chain, keep - 1, &e, why);
		last = err == 0 ? e.cluster + (keep - 1 - e.index) : 0;
		if (err == 0)
			err = fat32_table_get(geo, geo->active_copy, last, &from);
		if (err == 0)
			err = entry_set(geo, last, ENTRY_END);
		ended = err == 0;
		if (err == 0)
			err = edit_write(geo);
		if (err == 0)
			err = fat32_cache_flush();
	}
	if (err == 0)
		err = free_from(geo, from, count);
	edit.open = false; /* T1 */
	if (keep == 0)
		memset(chain, 0, sizeof(*chain));
	else if (ended)
		fat32_chain_shorten(chain, keep, last);
	return (err);
}
