/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directory entries that come, change and go, one sector at a time.
 *
 *   create   all entries of a name lie in one sector: there or not there
 *            (behind the end of the directory: the new sector, flush, then the old end)
 *   update   one sector; so the time
 *   delete   the sector of the short entry first: without it the pieces mean nothing
 *
 * Owns: the sector that is being changed.
 * Does not: lock (the volume lock covers it), free clusters.
 * Invariants:
 * E1 a new set of entries does not cross the end of a sector.
 * E2 what follows the last entry of a directory begins with 0, or is its end.
 * Yields: all functions, in the cache.
 * Complexity: create and delete: a step for each sector of the directory.
 * See: fs/fat32_table.c for the order of writes; Microsoft, FAT: General Overview of On-Disk
 *   Format, "FAT Directory Structure".
 */
#include "fs/fat32_entry.h"

#include <string.h>

#include "fs/fat32_cache.h"
#include "fs/fat32_table.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/le.h"

static uint8_t edit[FAT32_SECTOR_BYTES] __attribute__((aligned(FAT32_SECTOR_BYTES)));

/* Where a new set can go. */
struct room {
	uint32_t index; /* sector of the directory */
	uint32_t slot;  /* in it */
	bool at_end;    /* nothing lies behind it */
	bool in_next;   /* sector index ends the directory at slot, too late for the set:
			      * it goes to the start of the next one */
	uint64_t position;   /* of the short entry, when it has been written */
};

static inline uint32_t
sectors_of(const struct fat32_geometry *geo, const struct fat32_chain *dir)
{
	return (dir->count * geo->cluster_sectors);
}

static int
sector_get(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t index,
    uint64_t *sector, char *why)
{
	const uint8_t *now;
	int err = fat32_dir_sector(geo, dir, index, sector, why);

	if (err == 0)
		err = fat32_cache_get(*sector, &now);
	if (err == 0)
		memcpy(edit, now, sizeof(edit));
	return (err);
}

/* Is there room for need entries in the sector that edit holds? */
static bool
sector_room(uint32_t need, struct room *room)
{
	uint32_t slot, free_slots = 0;

	for (slot = 0; slot < FAT32_ENTRIES_PER_SECTOR && free_slots < need; slot++) {
		uint8_t first = edit[slot * FAT32_ENTRY_BYTES];

		free_slots = first == FAT32_FIRST_DELETED ? free_slots + 1 : 0;
		if (first != FAT32_FIRST_END)
			continue;
		room->at_end = true;
		room->slot = slot;
		room->in_next = FAT32_ENTRIES_PER_SECTOR - slot < need;
		return (true);
	}
	room->slot = slot - free_slots;
	return (free_slots == need);
}

/* ERR_NOENT: there is none, the directory is full to its end. */
static int
find_room(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t need,
    struct room *room, char *why)
{
	uint64_t sector;
	int err;

	memset(room, 0, sizeof(*room));
	for (; room->index < sectors_of(geo, dir); room->index++) {
		err = sector_get(geo, dir, room->index, &sector, why);
		if (err != 0)
			return (err);
		if (sector_room(need, room))
			return (0);
		sched_maybe_yield();
	}
	return (ERR_NOENT);
}

/* One more cluster of zeros, durable before the directory leads to it. */
static int
directory_grow(const struct fat32_geometry *geo, struct fat32_chain *dir, char *why)
{
	struct fat32_chain more = { .count = 0 };
	uint32_t i;
	int n, err = 0;

	if ((sectors_of(geo, dir) + geo->cluster_sectors) * FAT32_SECTOR_BYTES >
	    FAT32_DIR_BYTES_MAX)
		return (ERR_NOSPC);
	n = fat32_chain_grow(geo, &more, 1, why);
	if (n < 0)
		return (n);
	memset(edit, 0, sizeof(edit));
	for (i = 0; err == 0 && i < geo->cluster_sectors; i++)
		err = fat32_cache_put(fat32_cluster_sector(geo, more.first) + i, edit);
	if (err == 0)
		err = fat32_cache_flush();
	return (err == 0 ? fat32_chain_join(geo, dir, more.first) : err);
}

/* E2: entry 0 of sector index, if there is one, ends the directory. */
static int
end_at(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t index, char *why)
{
	uint64_t sector;
	int err;

	if (index >= sectors_of(geo, dir))
		return (0);
	err = sector_get(geo, dir, index, &sector, why);
	if (err != 0 || edit[0] == FAT32_FIRST_END)
		return (err);
	edit[0] = FAT32_FIRST_END;
	err = fat32_cache_put(sector, edit);
	return (err == 0 ? fat32_cache_flush() : err);
}

/* The sector of room, with the name in it. */
static int
set_write(const struct fat32_geometry *geo, struct fat32_chain *dir, struct room *room,
    const struct fat32_new_name *name, char *why)
{
	uint32_t need = fat32_name_entries(name), end = room->slot + need;
	uint64_t sector;
	int err = 0;

	KASSERT(end <= FAT32_ENTRIES_PER_SECTOR, "E1: a set lies in one sector");
	if (room->at_end && end == FAT32_ENTRIES_PER_SECTOR)
		err = end_at(geo, dir, room->index + 1, why);
	if (err == 0)
		err = sector_get(geo, dir, room->index, &sector, why);
	if (err != 0)
		return (err);
	fat32_name_put(name, edit + room->slot * FAT32_ENTRY_BYTES);
	if (room->at_end && end < FAT32_ENTRIES_PER_SECTOR)
		edit[end * FAT32_ENTRY_BYTES] = FAT32_FIRST_END;
	room->position = sector * FAT32_ENTRIES_PER_SECTOR + end - 1;
	return (fat32_cache_put(sector, edit));
}

/* The directory ended in sector index: no longer. */
static int
end_remove(
    const struct fat32_geometry *geo, struct fat32_chain *dir, const struct room *room, char *why)
{
	uint64_t sector;
	uint32_t slot;
	int err = fat32_cache_flush();

	if (err == 0)
		err = sector_get(geo, dir, room->index, &sector, why);
	if (err != 0)
		return (err);
	for (slot = room->slot; slot < FAT32_ENTRIES_PER_SECTOR; slot++)
		edit[slot * FAT32_ENTRY_BYTES] = FAT32_FIRST_DELETED;
	return (fat32_cache_put(sector, edit));
}

static void
alias_text(const struct fat32_new_name *name, char text[FAT32_SHORT_NAME_BYTES])
{
	uint32_t i;

	for (i = 0; i < sizeof(name->raw); i++) {
		if (i == 8 && name->raw[i] != ' ')
			*text++ = '.';
		if (name->raw[i] != ' ')
			*text++ = (char)name->raw[i];
	}
	*text = '\0';
}

/* Is something in dir called what the short name says, by its short name or by its long one? */
static int
alias_look(const struct fat32_geometry *geo, struct fat32_chain *dir,
    const struct fat32_new_name *name, bool *taken, char *why)
{
	static struct fat32_dirent entry;
	char text[FAT32_SHORT_NAME_BYTES];
	uint32_t slot = 0, bytes;
	int err = 0;

	alias_text(name, text);
	bytes = (uint32_t)strlen(text);
	*taken = false;
	while (err == 0 && !*taken) {
		err = fat32_dir_next(geo, dir, &slot, &entry, why);
		*taken = err == 0 && (fat32_name_equal(entry.name, text, bytes) ||
		    fat32_name_equal(entry.short_name, text, bytes));
	}
	return (err == ERR_NOENT ? 0 : err);
}

/* Give the name a short one that nothing in dir is called by. */
static int
alias_choose(const struct fat32_geometry *geo, struct fat32_chain *dir, struct fat32_new_name *name,
    char *why)
{
	bool taken = name->unit_count != 0;
	uint32_t attempt = 0;
	int err = 0;

	while (err == 0 && taken) {
		err = alias_look(geo, dir, name, &taken, why);
		if (err == 0 && taken)
			fat32_name_alias(name, ++attempt);
	}
	return (err);
}

int
fat32_entry_create(const struct fat32_geometry *geo, struct fat32_chain *dir,
    struct fat32_new_name *name, uint64_t *position, char why[FAT32_WHY_BYTES])
{
	uint32_t need = fat32_name_entries(name);
	struct room room = { .slot = 0 }, next;
	int err = alias_choose(geo, dir, name, why);

	if (err == 0)
		err = find_room(geo, dir, need, &room, why);
	if (err == ERR_NOENT) {
		room = (struct room){ .index = sectors_of(geo, dir), .at_end = true };
		err = directory_grow(geo, dir, why);
	}
	if (err == 0 && room.in_next) {
		next = (struct room){ .index = room.index + 1, .at_end = true };
		if (next.index == sectors_of(geo, dir))
			err = directory_grow(geo, dir, why);
		if (err == 0)
			err = set_write(geo, dir, &next, name, why);
		*position = next.position;
		return (err == 0 ? end_remove(geo, dir, &room, why) : err);
	}
	if (err == 0)
		err = set_write(geo, dir, &room, name, why);
	*position = room.position;
	return (err);
}

/* The sector of the entry at position is in edit, and the entry at *raw. */
static int
entry_get(uint64_t position, uint8_t **raw)
{
	const uint8_t *now;
	int err = fat32_cache_get(position / FAT32_ENTRIES_PER_SECTOR, &now);

	if (err == 0)
		memcpy(edit, now, sizeof(edit));
	*raw = edit + position % FAT32_ENTRIES_PER_SECTOR * FAT32_ENTRY_BYTES;
	return (err);
}

int
fat32_entry_update(uint64_t position, uint32_t cluster, uint32_t size_bytes)
{
	uint8_t *raw;
	int err = entry_get(position, &raw);

	if (err != 0)
		return (err);
	le16_put(raw + FAT32_AT_CLUSTER_HIGH, cluster >> 16);
	le16_put(raw + FAT32_AT_CLUSTER_LOW, cluster & 0xffff);
	le32_put(raw + FAT32_AT_SIZE, size_bytes);
	return (fat32_cache_put(position / FAT32_ENTRIES_PER_SECTOR, edit));
}

int
fat32_entry_set_time(uint64_t position, uint16_t date, uint16_t time)
{
	uint8_t *raw;
	int err = entry_get(position, &raw);

	if (err != 0)
		return (err);
	le16_put(raw + FAT32_AT_WRITE_TIME, time);
	le16_put(raw + FAT32_AT_WRITE_DATE, date);
	return (fat32_cache_put(position / FAT32_ENTRIES_PER_SECTOR, edit));
}

/* Delete from edit entry slot and the pieces with this checksum before it; true when there may be
 * more in the sector before. */
static bool
pieces_delete(uint32_t slot, uint8_t checksum)
{
	while (slot-- > 0) {
		uint8_t *raw = edit + slot * FAT32_ENTRY_BYTES;

		if ((raw[FAT32_AT_ATTRIBUTES] & FAT32_ATTRIBUTE_MASK) !=
			FAT32_ATTRIBUTE_LONG_NAME ||
		    raw[FAT32_AT_CHECKSUM] != checksum || raw[0] == FAT32_FIRST_DELETED ||
		    raw[0] == FAT32_FIRST_END)
			return (false);
		raw[0] = FAT32_FIRST_DELETED;
	}
	return (true);
}

int
fat32_entry_delete(const struct fat32_geometry *geo, struct fat32_chain *dir, uint32_t slot,
    char why[FAT32_WHY_BYTES])
{
	uint32_t index = slot / FAT32_ENTRIES_PER_SECTOR, in = slot % FAT32_ENTRIES_PER_SECTOR;
	uint8_t *raw = edit + in * FAT32_ENTRY_BYTES, checksum;
	uint64_t sector;
	bool more;
	int err = sector_get(geo, dir, index, &sector, why);

	if (err != 0)
		return (err);
	checksum = fat32_short_name_checksum(raw);
	raw[0] = FAT32_FIRST_DELETED;
	more = pieces_delete(in, checksum);
	err = fat32_cache_put(sector, edit);
	if (err != 0)
		return (err);
	/* The file is gone. Pieces that stay behind an error mean nothing. */
	while (err == 0 && more && index > 0) {
		err = fat32_cache_flush();
		if (err == 0)
			err = sector_get(geo, dir, --index, &sector, why);
		more = err == 0 && pieces_delete(FAT32_ENTRIES_PER_SECTOR, checksum);
		if (err == 0)
			err = fat32_cache_put(sector, edit);
	}
	if (err == 0)
		err = fat32_cache_flush();
	return (0); /* who frees the clusters flushes first */
}
