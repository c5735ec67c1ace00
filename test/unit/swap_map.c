/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/swap_map.c against a plain table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/swap_map.h"
#include "test/host/sim_machdep.h"

#define OBJECTS 3u
#define PAGES   64u
#define SLOTS   256u

static struct vm_object objects[OBJECTS];
static uint32_t model[OBJECTS][PAGES]; /* slot, or SWAP_SLOT_NONE */
static bool slot_used[2][SLOTS];
static void *records[2];

static void
setup_areas(uint32_t areas)
{
	uint32_t i;

	swap_map_init();
	memset(model, 0, sizeof(model));
	memset(slot_used, 0, sizeof(slot_used));
	memset(objects, 0, sizeof(objects));
	for (i = 0; i < OBJECTS; i++) {
		objects[i].type = OBJT_SWAP;
		objects[i].id = i * 256 + 1; /* all in the same buckets */
		objects[i].size_pages = PAGES;
	}
	for (i = 0; i < areas; i++) {
		free(records[i]);
		records[i] = malloc(swap_map_record_bytes(SLOTS));
		swap_map_add_area(i, SLOTS, records[i]);
	}
}

static void
check_model(void)
{
	uint32_t o, p, count;
	struct vm_object *owner;
	vm_pindex_t pindex;

	for (o = 0; o < OBJECTS; o++) {
		for (p = count = 0; p < PAGES; p++) {
			assert_int_equal(swap_map_lookup(&objects[o], p), model[o][p]);
			if (model[o][p] == SWAP_SLOT_NONE)
				continue;
			count++;
			assert_true(swap_map_owner(model[o][p], &owner, &pindex));
			assert_ptr_equal(owner, &objects[o]);
			assert_int_equal(pindex, p);
			assert_int_equal(swap_map_crc(model[o][p]), model[o][p] * 7);
			assert_true(swap_map_holds(model[o][p], &objects[o], p));
			assert_false(swap_map_holds(model[o][p], &objects[o], p + 1));
		}
		assert_int_equal(objects[o].swap_count, count);
	}
}

static void
forgotten(uint32_t slot, uint32_t o, uint32_t p)
{
	assert_int_equal(slot, model[o][p]);
	model[o][p] = SWAP_SLOT_NONE;
	slot_used[SWAP_SLOT_AREA(slot)][SWAP_SLOT_INDEX(slot)] = false;
}

static void
random_step(void)
{
	uint32_t o = sim_random(OBJECTS), p = sim_random(PAGES), area = sim_random(2);
	uint32_t index = 2 + sim_random(SLOTS - 2), slot = SWAP_SLOT(area, index), old;

	switch (sim_random(8)) {
	case 0:
		old = swap_map_clear(&objects[o], p);
		assert_int_equal(old, model[o][p]);
		if (old != SWAP_SLOT_NONE)
			forgotten(old, o, p);
		break;
	case 1: {
		uint32_t end = p + sim_random(8);

		while ((old = swap_map_pop(&objects[o], p, end)) != SWAP_SLOT_NONE) {
			uint32_t i;

			for (i = p; i < end && model[o][i] != old; i++)
				continue;
			assert_true(i < end);
			forgotten(old, o, i);
		}
		for (; p < end && p < PAGES; p++)
			assert_int_equal(model[o][p], SWAP_SLOT_NONE);
		break;
	}
	default:
		if (slot_used[area][index])
			break;
		old = swap_map_assign(&objects[o], p, slot, slot * 7);
		assert_int_equal(old, model[o][p]);
		if (old != SWAP_SLOT_NONE)
			forgotten(old, o, p);
		model[o][p] = slot;
		slot_used[area][index] = true;
	}
}

static void
map_agrees_with_a_table(void **state)
{
	uint32_t i;

	(void)state;
	sim_seed(4711);
	setup_areas(2);
	for (i = 0; i < 20000; i++) {
		random_step();
		if (i % 16 == 0)
			check_model();
	}
	check_model();
}

static void
map_survives_a_larger_area(void **state)
{
	uint32_t i;

	(void)state;
	setup_areas(1);
	for (i = 0; i < PAGES; i++) {
		model[0][i] = SWAP_SLOT(0, i + 2);
		assert_int_equal(swap_map_assign(&objects[0], i, model[0][i], model[0][i] * 7), 0);
	}
	free(records[1]);
	records[1] = malloc(swap_map_record_bytes(8 * SLOTS)); /* brings a larger table */
	swap_map_add_area(1, 8 * SLOTS, records[1]);
	check_model();
	model[1][0] = SWAP_SLOT(1, 8 * SLOTS - 1);
	assert_int_equal(swap_map_assign(&objects[1], 0, model[1][0], model[1][0] * 7), 0);
	check_model();
}

/* The table of buckets lies in the largest area: it moves to the next largest. */
static void
largest_area_goes(const uint32_t slots[4], uint32_t next_largest)
{
	void *area[4];
	uint32_t i;

	setup_areas(0);
	for (i = 0; i < 4; i++) {
		size_t bytes = swap_map_record_bytes(slots[i]);

		area[i] = malloc(bytes);
		swap_map_add_area(i, slots[i], area[i]);
		/* The last bucket of an area without the table is not touched. */
		memset((uint8_t *)area[i] + bytes - 4, i == 1 ? 0 : 0xa5, 4);
	}
	swap_map_remove_area(1); /* the others are empty: nothing to move */
	for (i = 0; i < 4; i++)
		if (i != 1)
			assert_int_equal(((uint8_t *)area[i])[swap_map_record_bytes(slots[i]) - 1],
			    i == next_largest ? 0 : 0xa5);
	free(area[1]);
	for (i = 0; i < PAGES; i++) {
		model[0][i] = SWAP_SLOT(i % 2 == 0 ? 2 : 3, i + 2);
		assert_int_equal(swap_map_assign(&objects[0], i, model[0][i], model[0][i] * 7), 0);
	}
	check_model();
	swap_map_remove_area(0);
	check_model();
	assert_false(swap_map_holds(SWAP_SLOT(4, 2), &objects[0], 0)); /* no such area */
	for (i = 0; i < PAGES; i++)
		assert_int_equal(swap_map_clear(&objects[0], i), model[0][i]);
	for (i = 2; i < 4; i++) {
		swap_map_remove_area(i);
		free(area[i]);
	}
	free(area[0]);
}

static void
map_survives_the_largest_area_going(void **state)
{
	static const uint32_t rising[] = { SLOTS, 4 * SLOTS, 2 * SLOTS, 3 * SLOTS };
	static const uint32_t falling[] = { SLOTS, 4 * SLOTS, 3 * SLOTS, 2 * SLOTS };

	(void)state;
	largest_area_goes(rising, 3);
	largest_area_goes(falling, 2);
}

/* Pages of one object that share a bucket are told apart. */
static void
map_pages_of_one_bucket(void **state)
{
	uint32_t i;

	(void)state;
	setup_areas(1);
	objects[0].size_pages = UINT32_MAX;
	for (i = 0; i < PAGES; i++)
		(void)swap_map_assign(&objects[0], i << 16, SWAP_SLOT(0, i + 2), 0);
	for (i = 0; i < PAGES; i++) {
		assert_int_equal(swap_map_lookup(&objects[0], i << 16), SWAP_SLOT(0, i + 2));
		assert_int_equal(swap_map_lookup(&objects[0], (i << 16) + (1 << 15)),
		    SWAP_SLOT_NONE);
	}
}

static void
map_pop_of_everything_empties(void **state)
{
	uint32_t i;

	(void)state;
	setup_areas(1);
	for (i = 0; i < PAGES; i++)
		(void)swap_map_assign(&objects[0], i, SWAP_SLOT(0, SLOTS - 1 - i), 0);
	for (i = 0; i < PAGES; i++)
		assert_int_not_equal(swap_map_pop(&objects[0], 0, PAGES), SWAP_SLOT_NONE);
	assert_int_equal(swap_map_pop(&objects[0], 0, PAGES), SWAP_SLOT_NONE);
	assert_int_equal(objects[0].swap_count, 0);
	assert_int_equal(objects[0].swap_first, SWAP_SLOT_NONE);
}

static void
map_refuses_a_slot_in_use_and_a_default_object(void **state)
{
	(void)state;
	setup_areas(1);
	(void)swap_map_assign(&objects[0], 1, SWAP_SLOT(0, 9), 0);
	SIM_EXPECT_ASSERT("K2", (void)swap_map_assign(&objects[1], 1, SWAP_SLOT(0, 9), 0));
	objects[2].type = OBJT_DEFAULT;
	SIM_EXPECT_ASSERT("K4", (void)swap_map_assign(&objects[2], 1, SWAP_SLOT(0, 10), 0));
	SIM_EXPECT_ASSERT("K5", swap_map_add_area(3, SLOTS, records[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_agrees_with_a_table),
		cmocka_unit_test(map_survives_a_larger_area),
		cmocka_unit_test(map_survives_the_largest_area_going),
		cmocka_unit_test(map_pages_of_one_bucket),
		cmocka_unit_test(map_pop_of_everything_empties),
		cmocka_unit_test(map_refuses_a_slot_in_use_and_a_default_object),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
