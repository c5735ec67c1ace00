/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the partition table. Input: 8 bytes number of blocks of the disk, 1 byte
 * log2 of erase unit, then its first bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mbr.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"

#define PARTITIONS 4
#define HEAD_BYTES 9

const uint32_t fuzz_runs = 50000;

static struct fuzz_disk disk;
static uint8_t sector[512] __attribute__((aligned(512)));

static struct blkdev *
partition(uint32_t n)
{
	char name[BLKDEV_NAME_BYTES];

	snprintf(name, sizeof(name), "fz0s%u", n + 1);
	return (blk_find(name));
}

static void
partition_check(struct blkdev *p, uint32_t n)
{
	fuzz_check(p->parent == &disk.dev && p->parent_block > 0, "over the table");
	fuzz_check(p->block_count > 0 && p->parent_block < disk.dev.block_count &&
	    p->block_count <= disk.dev.block_count - p->parent_block, "outside the disk");
	for (uint32_t i = 0; i < n; i++) {
		const struct blkdev *o = partition(i);

		fuzz_check(o == NULL || p->parent_block + p->block_count <= o->parent_block ||
		    o->parent_block + o->block_count <= p->parent_block, "two overlap");
	}
	fuzz_check(blk_read(p, 0, sector, 1) == 0, "its first block cannot be read");
	fuzz_check(blk_read(p, p->block_count - 1, sector, 1) == 0, "nor its last one");
	fuzz_check(blk_read(p, p->block_count, sector, 1) == ERR_RANGE, "it has no end");
}

static void
scan(void *arg)
{
	int result, count = 0;

	(void)arg;
	if (fuzz_disk_open(&disk, "fz0") != 0)
		return;
	result = mbr_scan(&disk.dev);
	for (uint32_t n = 0; n < PARTITIONS; n++) {
		if (partition(n) == NULL)
			continue;
		count++;
		partition_check(partition(n), n);
	}
	fuzz_check(result > 0 ? result == count : count == 0, "the number is wrong");
	for (uint32_t n = 0; n < PARTITIONS; n++)
		if (partition(n) != NULL)
			blk_unregister(partition(n));
	blk_unregister(&disk.dev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t unit;

	memset(&disk, 0, sizeof(disk));
	disk.dev.block_bytes = 512;
	disk.dev.bio_blocks_max = 64;
	disk.dev.block_count = fuzz_u64(&in);
	unit = fuzz_u8(&in);
	disk.dev.erase_blocks = disk.dev.align_blocks = unit < 32 ? 1u << unit : 0;
	disk.bytes = in.data;
	disk.byte_count = in.bytes_left;
	sim_run(scan, NULL);
	return (0);
}

/* ---- seeds */

static void
entry_put(uint8_t *table, uint32_t n, uint8_t type, const uint32_t place[2])
{
	uint8_t *entry = table + 446 + 16 * n;

	entry[4] = type;
	fuzz_put32(entry + 8, place[0]);
	fuzz_put32(entry + 12, place[1]);
}

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	static const uint32_t places[][2] = { { 2048, 65536 }, { 67584, 32768 }, { 100352, 8 },
		{ 100360, 1000 }, { 0xfffff000, 0xfff }, { 1, 0xffffffff } };

	if (n == 3)
		return (0);
	memset(data, 0, HEAD_BYTES + 512);
	fuzz_put32(data, n == 2 ? 0 : 200000);
	data[4] = n == 2;
	data[8] = 13;
	for (uint32_t i = 0; i < 2 + n; i++)
		entry_put(data + HEAD_BYTES, i % 4, i == 0 ? MBR_TYPE_FAT32_LBA : MBR_TYPE_SWAP,
		    places[(n == 2 ? 2 : 0) + i]);
	data[HEAD_BYTES + 510] = 0x55;
	data[HEAD_BYTES + 511] = 0xaa;
	return (HEAD_BYTES + 512);
}
