/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: recovery of the flash store. Input: a byte (low 2 bits: which image; bit 2:
 * format is allowed; bits 3 to 7: how many slots are then written), and changes to the
 * image, 8 bytes each:
 *
 *   kind    low 2 bits: a block header, an entry, any bytes, a whole block; bits 2, 3:
 *           bytes of value less 1; bit 4: set the right checksum; bit 5: both copies
 *   where   3 bytes: block and byte, or place and byte
 *   value   4 bytes
 *
 * The images come from a store that worked: little used, long used, with a bad block.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "lib/assert.h"
#include "lib/le.h"
#include "test/host/fuzz.h"
#include "test/host/sim_flash.h"
#include "test/host/sim_machdep.h"

#define BLOCK_BYTES  16384u
#define BLOCKS       16u
#define IMAGES       3u
#define CHANGES_MAX  32u
#define CHANGE_BYTES 8u
#define BAD_BLOCK    5u
#define FLASH_BYTES  (BLOCK_BYTES * BLOCKS)

enum kind { CHANGE_HEADER, CHANGE_ENTRY, CHANGE_BYTES_ANY, CHANGE_BLOCK };

const uint32_t fuzz_runs = 3000;

static struct sim_flash sim;
static struct flash_store store;
static void *memory;
static uint8_t images[IMAGES][FLASH_BYTES];
static bool images_made;
static struct fuzz_input input;
static bool forged; /* a checksum was set right */
static uint8_t page[STORE_SLOT_BYTES] __attribute__((aligned(64)));

static void
flash_open(void)
{
	sim_flash_open(&sim, BLOCK_BYTES, BLOCKS);
	memory = malloc(flash_store_memory_bytes(&sim.flash.geometry));
	KASSERT(memory != NULL, "memory for the map");
}

static void
flash_close(void)
{
	free(memory);
	sim_flash_close(&sim);
}

static int
mount(bool format)
{
	memset(&store, 0, sizeof(store));
	strcpy(store.dev.name, "fl0");
	return (store_mount(&store, &sim.flash, memory, format));
}

/* ---- images */

static void
page_fill(uint32_t slot, uint32_t version)
{
	for (uint32_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(slot * 31 + version * 7 + i + i / 256);
}

static void
image_make(uint32_t n)
{
	uint32_t writes = n == 0 ? 5 : 150;

	flash_open();
	if (mount(false) != 0)
		sim_fail("no store to begin with");
	for (uint32_t i = 0; i < writes; i++) {
		sim.broken[BAD_BLOCK] = n == 2 && i > 40;
		page_fill(i * 7 % store.slot_count, i);
		if (store_write(&store, i * 7 % store.slot_count, page) != 0)
			sim_fail("a write fails");
	}
	memcpy(images[n], sim.bytes, FLASH_BYTES);
	flash_close();
}

/* ---- changes */

static void
put(uint32_t at, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes && at + i < FLASH_BYTES; i++)
		sim.bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void
header_change(const uint8_t *raw, uint32_t bytes)
{
	uint32_t at = raw[1] % BLOCKS * BLOCK_BYTES;
	struct store_header *h = (struct store_header *)(void *)(sim.bytes + at);

	put(at + le16(raw + 2) % (STORE_MARK_OFFSET + 4), le32(raw + 4), bytes);
	if ((raw[0] & 0x10) == 0)
		return;
	h->crc = store_header_crc(h);
	forged = true;
}

static void
entry_change(const uint8_t *raw, uint32_t bytes)
{
	uint32_t place = raw[1] % (BLOCKS * store.slots_per_block);

	for (uint32_t copy = 0; copy < 2; copy++) {
		uint32_t at = (uint32_t)store_entry_offset(&store, place, copy);
		struct store_entry *e = (struct store_entry *)(void *)(sim.bytes + at);

		if (copy == 1 && (raw[0] & 0x20) == 0)
			return;
		put(at + le16(raw + 2) % sizeof(*e), le32(raw + 4), bytes);
		if ((raw[0] & 0x10) == 0)
			continue;
		e->crc = store_entry_crc(e);
		forged = true;
	}
}

/* One block becomes like another, erased, or cleared. */
static void
block_change(const uint8_t *raw)
{
	uint8_t *at = sim.bytes + raw[1] % BLOCKS * BLOCK_BYTES;
	const uint8_t *from = sim.bytes + raw[2] % BLOCKS * BLOCK_BYTES;

	if (raw[3] % 4 == 0)
		memset(at, 0xff, BLOCK_BYTES);
	else if (raw[3] % 4 == 1)
		memset(at, 0, BLOCK_BYTES);
	else if (at != from)
		memcpy(at, from, BLOCK_BYTES);
	forged = true;
}

static void
changes_make(void)
{
	uint8_t raw[CHANGE_BYTES];

	for (uint32_t n = 0; n < CHANGES_MAX && input.bytes_left >= CHANGE_BYTES; n++) {
		for (uint32_t i = 0; i < CHANGE_BYTES; i++)
			raw[i] = fuzz_u8(&input);
		switch (raw[0] & 3) {
		case CHANGE_HEADER:
			header_change(raw, 1 + (raw[0] >> 2 & 3));
			break;
		case CHANGE_ENTRY:
			entry_change(raw, 1 + (raw[0] >> 2 & 3));
			break;
		case CHANGE_BYTES_ANY:
			put((uint32_t)raw[1] << 16 | le16(raw + 2), le32(raw + 4),
			    1 + (raw[0] >> 2 & 3));
			break;
		default:
			block_change(raw);
		}
	}
}

/* ---- what is asked */

/* R1, and the counts that follow from the map. */
static void
map_check(void)
{
	bool used[BLOCKS * BLOCK_BYTES / STORE_SLOT_BYTES] = { false };
	uint32_t live[BLOCKS] = { 0 }, free_count = 0;

	fuzz_check(store.slot_count > 0 && store.slot_count <= store.slot_limit, "slots");
	for (uint32_t slot = 0; slot <= store.slot_count; slot++) {
		uint32_t place = store.map[slot];

		if (place == STORE_NONE)
			continue;
		fuzz_check(place < BLOCKS * store.slots_per_block, "a place outside the flash");
		fuzz_check(!used[place], "two slots at one place");
		used[place] = true;
		live[store_block_of(&store, place)]++;
	}
	for (uint32_t b = 0; b < BLOCKS; b++) {
		fuzz_check(live[b] == store.blocks[b].live, "a live count");
		free_count += store_block_is_free(&store.blocks[b]);
	}
	fuzz_check(free_count == store.free_count, "the free count");
}

static void
read_all(void)
{
	for (uint32_t slot = 0; slot < store.slot_count; slot++) {
		int error = store_read(&store, slot, page);

		fuzz_check(error == 0 || error == ERR_CORRUPT, "an error of no device");
	}
}

static void
slot_check(uint32_t slot, uint32_t version)
{
	static uint8_t want[STORE_SLOT_BYTES];

	page_fill(slot, version);
	memcpy(want, page, sizeof(want));
	fuzz_check(store_read(&store, slot, page) == 0, "a slot just written cannot be read");
	fuzz_check(memcmp(page, want, sizeof(want)) == 0, "a slot just written is different");
}

/* Slots 0, 1, ... are written, read at once, and read after another mount. */
static void
write_some(uint32_t count)
{
	uint32_t slot, done;

	for (slot = 0; slot < count && slot < store.slot_count; slot++) {
		int error;

		page_fill(slot, 1000);
		error = store_write(&store, slot, page);
		if (error != 0) {
			fuzz_check(error == ERR_ROFS || forged, "a write fails");
			break;
		}
		slot_check(slot, 1000);
	}
	map_check();
	done = slot;
	if (mount(false) != 0) {
		fuzz_check(forged, "no store any more");
		return;
	}
	map_check();
	for (slot = 0; slot < done && !forged; slot++)
		slot_check(slot, 1000);
}

static void
recover(void *arg)
{
	uint8_t head = fuzz_u8(&input);
	const char *why;

	(void)arg;
	drivers_params_register();
	for (uint32_t n = 0; n < IMAGES && !images_made; n++)
		image_make(n);
	images_made = true;
	forged = false;
	flash_open();
	memcpy(sim.bytes, images[(head & 3) % IMAGES], FLASH_BYTES);
	memset(&store, 0, sizeof(store));
	store.flash = &sim.flash;
	if (store_layout(&store, &sim.flash.geometry, &why) != 0)
		sim_fail(why);
	changes_make();
	if (mount((head & 4) != 0) == 0) {
		map_check();
		read_all();
		write_some(head >> 3);
	}
	flash_close();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = (struct fuzz_input){ data, size };
	sim_run(recover, NULL);
	return (0);
}

/* ---- seeds: each image, then changes of each kind */

size_t
fuzz_seed(uint32_t n, uint8_t *data)
{
	static const uint8_t changes[][CHANGE_BYTES] = {
		{ CHANGE_HEADER | 0x1c, 1, 8, 0, 2 },        /* format */
		{ CHANGE_HEADER | 0x1c, 2, 24, 0, 10 },      /* size of the disk */
		{ CHANGE_HEADER | 0x0c, 3, 32, 0, 0 },       /* mark */
		{ CHANGE_ENTRY | 0x3c, 4, 4, 0, 2 },         /* slot */
		{ CHANGE_ENTRY | 0x3c, 5, 8, 0, 0xff, 0xff }, /* sequence */
		{ CHANGE_ENTRY | 0x2c, 6, 24, 0, 9 },        /* place */
		{ CHANGE_BYTES_ANY, 1, 0, 0x20, 1 },
		{ CHANGE_BLOCK, 3, 7, 0 },
		{ CHANGE_BLOCK, 9, 7, 2 },
	};
	uint32_t count = sizeof(changes) / sizeof(changes[0]);

	if (n >= IMAGES + count * IMAGES)
		return (0);
	data[0] = (uint8_t)(n % IMAGES | (n % 5 == 0 ? 4 : 0) | (n % 4 * 8) << 3);
	if (n < IMAGES)
		return (1);
	memcpy(data + 1, changes[(n - IMAGES) / IMAGES], CHANGE_BYTES);
	return (1 + CHANGE_BYTES);
}
