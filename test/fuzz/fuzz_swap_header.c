/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the header of a swap area, on a device of any geometry.
 *
 * Input: number of blocks, log2 of block_bytes, bio_blocks_max, flags (1: a header is
 * needed, 2: set the right checksum, 4: read-only), then the header. What lies between
 * the given bytes and the checksum is zero.
 */
#include <string.h>

#include "lib/swap_header.h"
#include "mm/swap_pager.h"
#include "test/host/fuzz.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define FLAG_NEEDED    1u
#define FLAG_SUM       2u
#define FLAG_READ_ONLY 4u
#define HEAD_BYTES     14u
#define GIVEN_BYTES    24u
#define FRAMES         16u

const uint32_t fuzz_runs = 40000;

static struct fuzz_disk disk;
static struct swap_header header;
static uint8_t flags;

static void
accepted_check(uint64_t slots)
{
	uint64_t bytes = swap_pager_record_bytes(slots);
	uint32_t per_slot = SWAP_HEADER_BYTES / disk.dev.block_bytes;

	fuzz_check(slots > SWAP_RESERVED_SLOTS, "no slot is left");
	fuzz_check(slots <= disk.dev.block_count / per_slot, "slots outside the device");
	fuzz_check(bytes >= slots && bytes < slots * 1024, "a strange size of records");
	if ((flags & FLAG_NEEDED) == 0)
		return;
	fuzz_check(memcmp(header.magic, SWAP_HEADER_MAGIC, SWAP_HEADER_MAGIC_BYTES) == 0 &&
	    header.version == SWAP_HEADER_VERSION && header.page_bytes == SWAP_HEADER_BYTES &&
	    slots <= header.page_count && header.crc == swap_header_crc(&header),
	    "accepted though it is no header");
}

static void
probe(void *arg)
{
	uint64_t slots = 0;

	(void)arg;
	sim_mm_boot_bare(FRAMES);
	if (fuzz_disk_open(&disk, "fz0") != 0)
		return;
	if (swap_pager_probe(&disk.dev, (flags & FLAG_NEEDED) != 0, &slots) == 0)
		accepted_check(slots);
	blk_unregister(&disk.dev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t bytes;

	memset(&disk, 0, sizeof(disk));
	memset(&header, 0, sizeof(header));
	disk.dev.block_count = fuzz_u64(&in);
	disk.dev.block_bytes = 1u << (fuzz_u8(&in) & 31);
	disk.dev.bio_blocks_max = fuzz_u32(&in);
	flags = fuzz_u8(&in);
	disk.dev.read_only = (flags & FLAG_READ_ONLY) != 0;
	bytes = in.bytes_left < sizeof(header) ? in.bytes_left : sizeof(header);
	memcpy(&header, in.data, bytes);
	if (flags & FLAG_SUM)
		header.crc = swap_header_crc(&header);
	disk.bytes = (const uint8_t *)&header;
	disk.byte_count = sizeof(header);
	sim_run(probe, NULL);
	return (0);
}

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	static const uint32_t blocks[] = { 1u << 20, 512, 8, 0xffffffff };
	uint8_t *at = data + HEAD_BYTES;

	if (n == 8)
		return (0);
	memset(data, 0, HEAD_BYTES + GIVEN_BYTES);
	fuzz_put32(data, blocks[n % 4]);
	data[8] = n < 4 ? 9 : 12;
	fuzz_put32(data + 9, 256);
	data[13] = FLAG_NEEDED | FLAG_SUM;
	memcpy(at, SWAP_HEADER_MAGIC, SWAP_HEADER_MAGIC_BYTES);
	fuzz_put32(at + 8, SWAP_HEADER_VERSION);
	fuzz_put32(at + 12, SWAP_HEADER_BYTES);
	fuzz_put32(at + 16, n < 4 ? blocks[n % 4] / 8 : blocks[n % 4]);
	return (HEAD_BYTES + GIVEN_BYTES);
}
