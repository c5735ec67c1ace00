/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash store: layout, format, full utilisation, wear, damage, bad blocks, noise.
 * Power cuts: flash_store_power.c. As a disk: flash_store_disk.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/drivers_params.h"
#include "drivers/flash_store_internal.h"
#include "test/host/console_tap.h"
#include "test/host/sim_flash.h"
#include "test/host/sim_machdep.h"

#define BLOCK_BYTES 32768u
#define BLOCKS      64u
#define SLOTS_MAX   400u

static struct sim_flash sim;
static struct flash_store store;
static void *memory;
static uint32_t versions[SLOTS_MAX];
static uint32_t page[STORE_SLOT_BYTES / 4] __attribute__((aligned(64)));

/* ---- help */

static void
page_fill(uint32_t slot, uint32_t version)
{
	for (uint32_t i = 0; i < STORE_SLOT_BYTES / 4; i++)
		page[i] = version == 0 ? 0 : slot * 2654435761u + version * 40503u + i;
}

static int
write_slot(uint32_t slot)
{
	int error;

	page_fill(slot, versions[slot] + 1);
	error = store_write(&store, slot, page);
	versions[slot] += error == 0;
	return (error);
}

static void
check_slot(uint32_t slot)
{
	static uint32_t got[STORE_SLOT_BYTES / 4] __attribute__((aligned(64)));

	assert_int_equal(store_read(&store, slot, got), 0);
	page_fill(slot, versions[slot]);
	assert_memory_equal(got, page, sizeof(page));
}

static void
check_all(void)
{
	for (uint32_t i = 0; i < store.slot_count; i++)
		check_slot(i);
}

static int
mount(bool format)
{
	sim_flash_power_on(&sim);
	memset(&store, 0, sizeof(store));
	strcpy(store.dev.name, "fl0");
	console_tap_begin();
	return (store_mount(&store, &sim.flash, memory, format));
}

static void
begin_shape(uint32_t block_bytes, uint32_t blocks)
{
	sim_random_scheduler(1);
	sim_random_scheduler(0);
	drivers_params_register();
	sim_flash_open(&sim, block_bytes, blocks);
	memory = malloc(flash_store_memory_bytes(&sim.flash.geometry));
	memset(versions, 0, sizeof(versions));
	console_tap_begin();
}

static void
begin(void)
{
	begin_shape(BLOCK_BYTES, BLOCKS);
	assert_int_equal(mount(false), 0);
	assert_in_range(store.slot_count, 200, SLOTS_MAX);
}

static void
end(void)
{
	free(memory);
	sim_flash_close(&sim);
}

static void
assert_said(const char *words)
{
	if (strstr(console_tap_text(), words) == NULL)
		fail_msg("expected \"%s\" in \"%s\"", words, console_tap_text());
}

static void
fill_all(void)
{
	for (uint32_t i = 0; i < store.slot_count; i++)
		assert_int_equal(write_slot(i), 0);
}

/* ---- layout and format */

static void
layout_check(uint32_t block_bytes, uint32_t blocks, uint32_t slots_per_block, uint32_t slot_count)
{
	struct flash_geometry g = { .block_bytes = block_bytes, .block_count = blocks,
		.program_bytes = 4, .buffer_bytes = 2048 };
	const char *why = NULL;

	assert_int_equal(store_layout(&store, &g, &why), 0);
	assert_int_equal(store.slots_per_block, slots_per_block);
	assert_int_equal(store.slot_count, slot_count);
	assert_int_equal(store.summary_bytes + slots_per_block * STORE_SLOT_BYTES, block_bytes);
	assert_true(STORE_ENTRY_OFFSET + slots_per_block * 64 <= store.summary_bytes);
}

static void
layout_refused(struct flash_geometry g)
{
	const char *why = NULL;

	assert_int_equal(store_layout(&store, &g, &why), ERR_NOTSUP);
	assert_non_null(why);
	assert_int_equal(flash_store_memory_bytes(&g), 0);
}

static void
test_layout(void **state)
{
	(void)state;
	layout_check(262144, 256, 63, (256 - 32 - 12) * 63 - 1);
	layout_check(16384, 32, 3, (32 - 4 - 8) * 3 - 1);
	layout_check(524288, 64, 126, (64 - 8 - 13) * 126 - 1);
	layout_refused((struct flash_geometry){ 8192, 256, 4, 64, 0, false });
	layout_refused((struct flash_geometry){ 24576, 256, 4, 64, 0, false });
	layout_refused((struct flash_geometry){ 65536, 7, 4, 64, 0, false });
	layout_refused((struct flash_geometry){ 65536, 10, 4, 64, 0, false });
	layout_refused((struct flash_geometry){ 65536, 2049, 4, 64, 0, false });
	layout_refused((struct flash_geometry){ 65536, 256, 64, 64, 0, false });
	layout_refused((struct flash_geometry){ 65536, 256, 4, 2, 0, false });
}

static void
format_body(void *arg)
{
	(void)arg;
	begin();
	assert_said("fl0: formatted simulated flash");
	assert_int_equal(write_slot(3), 0);
	assert_int_equal(mount(false), 0);
	assert_string_equal(console_tap_text(), "");
	check_slot(3);
	/* All zeros, as a new file is: nobody's. */
	memset(sim.bytes, 0, (size_t)BLOCK_BYTES * BLOCKS);
	assert_int_equal(mount(false), 0);
	assert_said("formatted");
	versions[3] = 0;
	check_slot(3);
	assert_int_equal(write_slot(3), 0);
	check_slot(3);
	/* Somebody's. */
	memset(sim.bytes, 0xff, (size_t)BLOCK_BYTES * BLOCKS);
	strcpy((char *)sim.bytes + 5 * BLOCK_BYTES + 100, "variables of a firmware");
	assert_int_equal(mount(false), ERR_CORRUPT);
	assert_said("fl0: simulated flash holds something that is not ebb's");
	assert_int_equal(sim.bytes[0], 0xff);
	assert_int_equal(mount(true), 0);
	versions[3] = 0;
	check_all();
	end();
}
SIM_TEST(format)

/* Formatted again: nothing of what was there comes back, the erase counts stay. */
static void
format_again_body(void *arg)
{
	uint64_t before = 0, after = 0;

	(void)arg;
	begin();
	for (uint32_t round = 0; round < 5; round++)
		fill_all();
	for (uint32_t b = 0; b < BLOCKS; b++)
		before += store.blocks[b].erase_count;
	assert_int_equal(mount(true), 0);
	assert_int_equal(store.format, 2);
	for (uint32_t b = 0; b < BLOCKS; b++)
		after += store.blocks[b].erase_count;
	assert_in_range(after, before, before + BLOCKS);
	memset(versions, 0, sizeof(versions));
	check_all();
	/* Power goes before the new format's only block has its header: still nothing. */
	assert_int_equal(write_slot(9), 0);
	memset(sim.bytes, 0xff, BLOCK_BYTES);
	versions[9] = 0;
	assert_int_equal(mount(false), 0);
	check_all();
	end();
}
SIM_TEST(format_again)

/* ---- room and wear */

/* Every slot in use, written at random for ever: room can always be made. */
static void
full_body(void *arg)
{
	uint32_t least = UINT32_MAX;

	(void)arg;
	begin();
	fill_all();
	for (uint32_t i = 0; i < store.slot_count * 20; i++) {
		assert_int_equal(write_slot(sim_random(store.slot_count)), 0);
		if (store.free_count < least)
			least = store.free_count;
		if (sim_random(500) == 0)
			(void)store_idle_work(&store);
	}
	assert_true(least >= store.gc_free - 2);
	check_all();
	assert_int_equal(mount(false), 0);
	check_all();
	fill_all();
	check_all();
	end();
}
SIM_TEST(full)

/* How uneven a few hot slots make the wear: max over mean, in hundredths. */
static uint64_t
wear_spread(int64_t gap)
{
	uint64_t max = 0, sum = 0;

	begin();
	drivers_params.flash_wear_gap = gap;
	fill_all();
	for (uint32_t i = 0; i < 30000; i++)
		assert_int_equal(write_slot(sim_random(8)), 0);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		sum += sim.erased[b];
		if (sim.erased[b] > max)
			max = sim.erased[b];
		assert_int_equal(sim.erased[b], store.blocks[b].erase_count);
	}
	check_all();
	end();
	return (max * 100 * BLOCKS / sum);
}

static void
wear_body(void *arg)
{
	uint64_t with, without;

	(void)arg;
	with = wear_spread(4);
	without = wear_spread(100000);
	print_message("wear, max/mean x100: %llu, without levelling %llu\n",
	    (unsigned long long)with, (unsigned long long)without);
	assert_in_range(with, 100, 115);
	assert_true(without > 200);
}
SIM_TEST(wear)

/* Erase counts are those of the flash after any number of boots. */
static void
counts_body(void *arg)
{
	(void)arg;
	begin();
	for (uint32_t boot = 0; boot < 6; boot++) {
		for (uint32_t i = 0; i < 600; i++)
			assert_int_equal(write_slot(sim_random(store.slot_count)), 0);
		assert_int_equal(mount(false), 0);
		for (uint32_t b = 0; b < BLOCKS; b++)
			if (store.blocks[b].counted)
				assert_int_equal(sim.erased[b], store.blocks[b].erase_count);
	}
	end();
}
SIM_TEST(counts)

/* ---- damage */

static void
flip(uint64_t offset)
{
	sim.bytes[offset] ^= 0x10;
}

static void
damage_body(void *arg)
{
	uint32_t place;

	(void)arg;
	begin();
	fill_all();
	place = store.map[7];
	/* One of two entries: nothing happens. Both: it is an error, and not zeros. */
	flip(store_entry_offset(&store, place, 0) + 9);
	check_slot(7);
	flip(store_entry_offset(&store, place, 1) + 3);
	console_tap_begin();
	assert_int_equal(store_read(&store, 7, page), ERR_CORRUPT);
	assert_said("fl0: block ");
	assert_said("(7 of the disk): checksum is wrong");
	/* Data. */
	flip(store_data_offset(&store, store.map[20]) + 4095);
	assert_int_equal(store_read(&store, 20, page), ERR_CORRUPT);
	/* They stay errors wherever they are moved, and after a mount. */
	for (uint32_t i = 0; i < store.slot_count * 10; i++) {
		uint32_t slot = sim_random(store.slot_count);

		if (slot != 7 && slot != 20)
			assert_int_equal(write_slot(slot), 0);
	}
	assert_int_not_equal(store.map[7], place);
	assert_int_equal(store_read(&store, 7, page), ERR_CORRUPT);
	assert_int_equal(mount(false), 0);
	assert_int_equal(store_read(&store, 7, page), ERR_CORRUPT);
	assert_int_equal(store_read(&store, 20, page), ERR_CORRUPT);
	/* A new write heals them. */
	assert_int_equal(write_slot(7), 0);
	assert_int_equal(write_slot(20), 0);
	check_all();
	/* A damaged header costs nothing. */
	flip((uint64_t)store_block_of(&store, store.map[30]) * BLOCK_BYTES + 1);
	assert_int_equal(mount(false), 0);
	check_all();
	end();
}
SIM_TEST(damage)

/* An erase that did not end has taken the header and data of a block, not an entry: the
 * entry speaks of contents that are gone. */
static void
half_erased_body(void *arg)
{
	uint32_t place;

	(void)arg;
	begin();
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(write_slot(i), 0);
	place = store.map[9];
	store_forget(&store, 9);
	memset(sim.bytes + (uint64_t)store_block_of(&store, place) * BLOCK_BYTES, 0xff, 64);
	memset(sim.bytes + store_data_offset(&store, place) + 1024, 0xff, 2048);
	versions[9] = 0;
	assert_int_equal(mount(false), 0);
	check_slot(9);
	end();
}
SIM_TEST(half_erased)

/* Bits that are wrong once: read again. */
static void
flips_body(void *arg)
{
	(void)arg;
	begin();
	fill_all();
	sim.flip_read_one_in = 100;
	for (uint32_t i = 0; i < 10; i++)
		check_all();
	assert_true(store.dev.retries > 10);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(mount(false), 0);
		check_all();
	}
	end();
}
SIM_TEST(flips)

/* ---- bad blocks */

static void
bad_body(void *arg)
{
	uint32_t writes = 0, bad = 0;
	int error = 0;

	(void)arg;
	begin();
	fill_all();
	sim.erase_fail_one_in = 40;
	console_tap_begin();
	while (error == 0 && ++writes < 100000)
		error = write_slot(sim_random(store.slot_count));
	assert_int_equal(error, ERR_ROFS);
	sim.erase_fail_one_in = 0;
	assert_said("fails (I/O error) after");
	assert_said("fl0: ALARM: the reserve of good blocks is used up");
	assert_said("fl0: ALARM: too many bad blocks; it can only be read from now on");
	assert_true(store.read_only && store.dev.read_only);
	check_all();
	assert_int_equal(write_slot(1), ERR_ROFS);
	/* It knows them after a mount, and loses nothing. */
	assert_int_equal(mount(false), 0);
	for (uint32_t b = 0; b < BLOCKS; b++)
		bad += store.blocks[b].state == STORE_BAD;
	assert_int_equal(bad, BLOCKS - store.good_min + 1);
	assert_said("too many bad blocks");
	check_all();
	end();
}
SIM_TEST(bad)

/* A program that fails in the middle of a block: what is in it moves. */
static void
bad_program_body(void *arg)
{
	uint32_t b;

	(void)arg;
	begin();
	fill_all();
	while (store.head == STORE_NONE || store.head_next < 2)
		assert_int_equal(write_slot(0), 0);
	b = store.head;
	sim.broken[b] = true;
	assert_int_equal(write_slot(1), 0);
	assert_int_equal(store.blocks[b].state, STORE_BAD);
	assert_int_equal(store.blocks[b].live, 0);
	check_all();
	assert_int_equal(mount(false), 0);
	assert_int_equal(store.blocks[b].state, STORE_BAD);
	check_all();
	end();
}
SIM_TEST(bad_program)

/* ---- any bytes */

/* Sums that are right over fields that are not. */
static void
noise_summary(uint32_t b)
{
	uint8_t *block = sim.bytes + (uint64_t)b * sim.flash.geometry.block_bytes;
	struct store_header *h = (struct store_header *)(void *)block;
	struct store_entry *e = (struct store_entry *)(void *)(block + STORE_ENTRY_OFFSET);

	memcpy(h->magic, STORE_MAGIC, 4);
	h->version = STORE_VERSION;
	h->block_shift = 14;
	h->format = 1 + sim_random(3);
	h->slot_count = sim_random(60);
	h->crc = store_header_crc(h);
	if (sim_random(2) == 0)
		memset(block + STORE_MARK_OFFSET, 0xff, 32);
	for (uint32_t i = 0; i < 6; i++) {
		e[i].format = 1 + sim_random(3);
		e[i].slot = sim_random(sim_random(4) == 0 ? UINT32_MAX : 70);
		e[i].place = sim_random(8) == 0 ? sim_random(200) : b * 3 + i % 3;
		e[i].crc = store_entry_crc(&e[i]);
	}
}

static void
noise_body(void *arg)
{
	uint32_t survived = 0;

	(void)arg;
	for (uint32_t run = 0; run < 1500; run++) {
		begin_shape(16384, 24);
		for (uint32_t i = 0; run % 3 == 0 && i < 16384 * 24; i += 4)
			*(uint32_t *)(void *)(sim.bytes + i) = sim_random(UINT32_MAX);
		for (uint32_t b = 0; run % 3 != 2 && b < 24; b++)
			noise_summary(b);
		for (uint32_t i = 0; run % 3 == 2 && i < 200; i++)
			flip(sim_random(16384 * 24));
		if (mount(run % 7 == 0) == 0) {
			for (uint32_t slot = 0; slot < store.slot_count; slot++)
				survived += store_read(&store, slot, page) == 0;
			for (uint32_t i = 0; i < 40; i++)
				survived += store_write(&store, sim_random(store.slot_count),
				    page) == 0;
		}
		end();
	}
	assert_true(survived > 10000);
}
SIM_TEST(noise)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_again),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_wear),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_half_erased),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_program),
		cmocka_unit_test(test_noise),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
