/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The partition table: four entries in sector 0 become block devices.
 *
 * Owns: the struct blkdev of every partition (a fixed table, never freed).
 * Does not: read extended partitions or GPT, write anything, mount.
 *
 * An entry is judged alone first (flag, length, place), then against those
 * already accepted; of two that overlap the first in the table is kept. A bad
 * entry costs one line and nothing else.
 *
 * Invariants:
 * B1 a registered partition lies wholly inside its disk, not over sector 0.
 * B2 no two registered partitions of a disk overlap.
 *
 * Yields: mbr_scan, in blk_read.
 * See: fs/mbr.h for the layout; kern/blkdev.h for partitions as devices.
 */
#include "fs/mbr.h"

#include <stdio.h>
#include <string.h>

#include "kern/console.h"
#include "lib/assert.h"
#include "lib/le.h"

#define SECTOR_BYTES 512
#define ENTRIES_AT 446
#define ENTRY_BYTES 16
#define ENTRY_COUNT 4
#define SIGNATURE_AT 510
#define SIGNATURE 0xaa55

#define TYPE_EMPTY 0x00
#define TYPE_EXTENDED_CHS 0x05
#define TYPE_EXTENDED_LBA 0x0f
#define TYPE_GPT 0xee

#define PARTITIONS_MAX 16

struct mbr_entry {
	uint8_t flag;
	uint8_t type;
	uint32_t first;
	uint32_t count;
};

static struct blkdev partitions[PARTITIONS_MAX];
static uint32_t partition_count;
static uint8_t sector[SECTOR_BYTES] __attribute__((aligned(SECTOR_BYTES)));

static struct mbr_entry
entry_get(uint32_t index)
{
	const uint8_t *raw = sector + ENTRIES_AT + index * ENTRY_BYTES;

	return ((struct mbr_entry){ .flag = raw[0], .type = raw[4], .first = le32(raw + 8),
	    .count = le32(raw + 12) });
}

/* Why e cannot be used on its own, or NULL. */
static const char *
entry_fault(const struct mbr_entry *e, uint64_t disk_sectors)
{
	if (e->flag != 0x00 && e->flag != 0x80)
		return ("has a damaged boot flag");
	if (e->type == TYPE_EXTENDED_CHS || e->type == TYPE_EXTENDED_LBA)
		return ("is extended, only primary ones are read");
	if (e->count == 0)
		return ("has no length");
	if (e->first == 0)
		return ("lies over the partition table itself");
	if (e->first >= disk_sectors || e->count > disk_sectors - e->first)
		return ("reaches past the end of the disk");
	return (NULL);
}

/* The accepted entry that e overlaps, or -1. */
static int
entry_overlap(const struct mbr_entry *e, const bool accepted[ENTRY_COUNT], uint32_t index)
{
	uint32_t i;

	for (i = 0; i < index; i++) {
		struct mbr_entry other = entry_get(i);

		if (accepted[i] && e->first < (uint64_t)other.first + other.count &&
		    other.first < (uint64_t)e->first + e->count)
			return ((int)i);
	}
	return (-1);
}

/* Boot code of a file system where a partition table is expected. */
static bool
sector_is_fat(void)
{
	uint16_t sector_bytes = le16(sector + 11);

	return ((sector[0] == 0xeb || sector[0] == 0xe9) && sector_bytes >= SECTOR_BYTES &&
	    sector_bytes <= 4096 && (sector_bytes & (sector_bytes - 1)) == 0);
}

/* Storage for the partition called name: its former place after it was
 * unregistered, else a new one; NULL when all are taken. */
static struct blkdev *
partition_slot(const char *name)
{
	uint32_t i;

	for (i = 0; i < partition_count; i++) {
		if (strcmp(partitions[i].name, name) == 0)
			return (&partitions[i]);
	}
	return (partition_count < PARTITIONS_MAX ? &partitions[partition_count++] : NULL);
}

static void
partition_fill(struct blkdev *part, struct blkdev *disk, const struct mbr_entry *e)
{
	KASSERT(e->first != 0 && e->first + (uint64_t)e->count <= disk->block_count,
	    "B1: partition inside its disk");
	part->ops = disk->ops;
	part->softc = disk->softc;
	part->block_bytes = disk->block_bytes;
	part->block_count = e->count;
	part->bio_blocks_max = disk->bio_blocks_max;
	part->read_only = disk->read_only;
	part->can_flush = disk->can_flush;
	/* A unit that the partition's start is not aligned to helps nobody inside it. */
	if (disk->align_blocks != 0 && e->first % disk->align_blocks == 0)
		part->align_blocks = disk->align_blocks;
	part->parent = disk;
	part->parent_block = e->first;
	part->mbr_type = e->type;
}

static int
partition_register(struct blkdev *disk, uint32_t index, const struct mbr_entry *e)
{
	char name[BLKDEV_NAME_BYTES];
	struct blkdev *part;
	int err;

	snprintf(name, sizeof(name), "%.12ss%u", disk->name, (index + 1) % 10);
	part = blk_find(name) == NULL ? partition_slot(name) : NULL;
	if (part == NULL) {
		err = blk_find(name) == NULL ? ERR_NOMEM : ERR_EXIST;
	} else {
		memset(part, 0, sizeof(*part));
		strcpy(part->name, name);
		partition_fill(part, disk, e);
		err = blk_register(part);
	}
	if (err != 0)
		kprintf("%s: cannot register the partition: %s\n", name, err_string(err));
	return (err);
}

/* Judge and register the four entries; the number registered or an error. */
static int
entries_register(struct blkdev *disk)
{
	bool accepted[ENTRY_COUNT] = { false };
	int count = 0;
	uint32_t i;

	for (i = 0; i < ENTRY_COUNT; i++) {
		struct mbr_entry e = entry_get(i);
		const char *fault;
		int other;

		if (e.type == TYPE_EMPTY)
			continue;
		fault = entry_fault(&e, disk->block_count);
		if (fault != NULL) {
			kprintf("%s: partition %u (type 0x%02x, sectors %u+%u) %s; ignored\n",
			    disk->name, i + 1, e.type, e.first, e.count, fault);
			continue;
		}
		other = entry_overlap(&e, accepted, i);
		if (other >= 0) {
			kprintf("%s: partition %u (type 0x%02x, sectors %u+%u) overlaps partition"
			    " %d; ignored\n",
			    disk->name, i + 1, e.type, e.first, e.count, other + 1);
			continue;
		}
		if (partition_register(disk, i, &e) == 0) {
			accepted[i] = true;
			count++;
		}
	}
	return (count);
}

/* Is there a table at all? 0, or the error after its one line. */
static int
table_check(const struct blkdev *disk)
{
	uint32_t i;

	if (le16(sector + SIGNATURE_AT) != SIGNATURE) {
		kprintf("%s: no partition table in sector 0 (signature %04x, expected aa55);"
		    " write the card again with make sdcard\n", disk->name,
		    le16(sector + SIGNATURE_AT));
		return (ERR_NOENT);
	}
	for (i = 0; i < ENTRY_COUNT; i++) {
		if (entry_get(i).type != TYPE_GPT)
			continue;
		kprintf("%s: the disk has a GPT, only MBR partition tables are read; write the card"
		    " again with make sdcard\n", disk->name);
		return (ERR_NOTSUP);
	}
	if (sector_is_fat()) {
		kprintf("%s: no partition table, sector 0 starts a FAT file system; write the card"
		    " again with make sdcard\n", disk->name);
		return (ERR_NOENT);
	}
	return (0);
}

int
mbr_scan(struct blkdev *disk)
{
	int err;

	if (disk->block_bytes != SECTOR_BYTES) {
		kprintf("%s: blocks of %u bytes, a partition table needs 512; use another disk\n",
		    disk->name, disk->block_bytes);
		return (ERR_NOTSUP);
	}
	err = blk_read(disk, 0, sector, 1);
	if (err != 0) {
		kprintf("%s: cannot read the partition table (sector 0): %s; check the card\n",
		    disk->name, err_string(err));
		return (err);
	}
	err = table_check(disk);
	if (err != 0)
		return (err);
	err = entries_register(disk);
	if (err != 0)
		return (err);
	kprintf("%s: the partition table has no usable entry; write the card again with make"
	    " sdcard\n", disk->name);
	return (ERR_NOENT);
}
