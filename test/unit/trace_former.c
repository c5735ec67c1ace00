/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/trace.c over a reset: what the next boot takes from the ring of the former one, with
 * every kind of damage to it, and which lines are written back when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/trace.c"
#include "test/host/sim_machdep.h"

#define WRITTEN 700u /* of a boot; more than are kept */

/* RAM, which sees only what has been cleaned. */
static struct keep ram_keep;
static struct trace_record ram_records[TRACE_RECORDS];
static uint64_t ram_written;
static uint64_t cleaned_bytes;

static void
clean(const void *va, uint64_t bytes)
{
	const uint8_t *from = va;

	cleaned_bytes += bytes;
	if (va == &keep || va == &written) {
		memcpy(va == &keep ? (void *)&ram_keep : &ram_written, va, bytes);
		return;
	}
	assert_true(from >= (uint8_t *)records);
	assert_true(from + bytes <= (uint8_t *)(records + TRACE_RECORDS));
	memcpy((uint8_t *)ram_records + (from - (uint8_t *)records), va, bytes);
}

/* A reset: caches are gone. */
static void
lose_caches(void)
{
	keep = ram_keep;
	memcpy(records, ram_records, sizeof(records));
	written = ram_written;
}

static void
record(uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		trace(TRACE_MARK, i, ~(uint64_t)i, 7);
}

/* A boot that writes count records after one of which nothing is left. */
static int
begin(uint32_t count)
{
	sim_reset();
	memset(&keep, 0xa5, sizeof(keep));
	memset(records, 0xa5, sizeof(records));
	written = 0xa5a5a5a5a5a5a5a5ull;
	trace_init(NULL);
	assert_int_equal(trace_former_count() + trace_former_damaged(), 0);
	record(0, count);
	return (0);
}

static void
expect_former(uint32_t count, uint32_t damaged, uint64_t last)
{
	struct trace_record r;

	assert_int_equal(trace_former_count(), count);
	assert_int_equal(trace_former_damaged(), damaged);
	assert_false(trace_former_get(count, &r));
	if (count == 0)
		return;
	assert_true(trace_former_get(count - 1, &r));
	assert_int_equal(r.event, TRACE_MARK);
	assert_int_equal(r.a, last);
}

static void
test_whole(void **state)
{
	struct trace_record r;

	(void)state;
	begin(WRITTEN);
	trace_init(NULL);
	expect_former(TRACE_FORMER, 0, WRITTEN - 1);
	for (uint32_t i = 0; i < TRACE_FORMER; i++) {
		assert_true(trace_former_get(i, &r));
		assert_int_equal(r.a, WRITTEN - TRACE_FORMER + i);
	}
	/* The new ring is empty, and the boot after it sees only its own. */
	assert_int_equal(trace_count(), 0);
	record(5000, 3);
	trace_init(NULL);
	expect_former(3, 0, 5002);
	trace_init(NULL);
	expect_former(0, 0, 0);
	/* More than once around. */
	record(0, TRACE_RECORDS + 100);
	trace_init(NULL);
	expect_former(TRACE_FORMER, 0, TRACE_RECORDS + 99);
}

/* Every bit of the header, also with a CRC that is right for it. */
static void
test_header(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 8 * sizeof(keep); bit++) {
		uint32_t byte = bit / 8;

		begin(20);
		((uint8_t *)&keep)[byte] ^= (uint8_t)(1u << bit % 8);
		trace_init(NULL);
		/* Behind the CRC is padding. */
		if (byte < offsetof(struct keep, crc) + sizeof(keep.crc))
			expect_former(0, 0, 0);
		if (byte >= offsetof(struct keep, crc))
			continue;
		begin(20);
		((uint8_t *)&keep)[byte] ^= (uint8_t)(1u << bit % 8);
		keep.crc = crc32c(0, &keep, offsetof(struct keep, crc));
		trace_init(NULL);
		/* Another boot number: another header, none of whose records is right. */
		if (byte >= offsetof(struct keep, boot) &&
		    byte < offsetof(struct keep, boot) + sizeof(keep.boot))
			expect_former(0, 20, 0);
		else
			expect_former(0, 0, 0);
	}
}

/* Every bit of a record. */
static void
test_record(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 8 * sizeof(struct trace_record); bit++) {
		begin(20);
		((uint8_t *)&records[7])[bit / 8] ^= (uint8_t)(1u << bit % 8);
		trace_init(NULL);
		expect_former(19, 1, 19);
	}
	/* An event that this kernel does not know, with a check that is right. */
	begin(20);
	records[7].event = TRACE_EVENT_COUNT;
	records[7].check = record_check(&records[7], 7, salt);
	trace_init(NULL);
	expect_former(19, 1, 19);
	/* Two that changed places. */
	begin(20);
	records[3] = records[4];
	trace_init(NULL);
	expect_former(19, 1, 19);
}

/* The count: any value is survived, and what does not fit it is not believed. */
static void
test_count(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++) {
		begin(20);
		written ^= 1ull << bit;
		trace_init(NULL);
		assert_true(trace_former_count() <= 20);
		assert_true(trace_former_count() + trace_former_damaged() <= TRACE_FORMER);
	}
	begin(20);
	written = 15;
	trace_init(NULL);
	expect_former(15, 0, 14);
	begin(20);
	written = 25;
	trace_init(NULL);
	expect_former(20, 5, 19);
	begin(20);
	written = TRACE_RECORDS + 20; /* the same places, another time around */
	trace_init(NULL);
	expect_former(0, TRACE_FORMER, 0);
	begin(20);
	written = UINT64_MAX;
	trace_init(NULL);
	expect_former(0, 0, 0);
}

/* Only what was flushed comes through; an older boot's record in the place of a lost one is
 * not taken for it. */
static void
test_flush(void **state)
{
	(void)state;
	begin(0);
	trace_init(clean);
	record(0, 100);
	trace_flush();
	record(100, 50);
	lose_caches();
	trace_init(clean);
	expect_former(100, 0, 99);
	/* This boot's count reaches RAM by an eviction, its last records do not. */
	record(200, 30);
	trace_flush();
	record(230, 10);
	ram_written = written;
	lose_caches();
	trace_init(clean);
	expect_former(30, 10, 229);
}

static void
test_flush_is_little(void **state)
{
	uint64_t line = sizeof(struct trace_record);

	(void)state;
	begin(0);
	trace_init(clean);
	record(0, TRACE_RECORDS - 10);
	trace_flush();
	cleaned_bytes = 0;
	record(0, 30); /* over the end */
	trace_flush();
	assert_int_equal(cleaned_bytes, 30 * line + sizeof(written));
	lose_caches();
	trace_init(clean);
	expect_former(TRACE_FORMER, 0, 29);
	record(0, 3 * TRACE_RECORDS); /* all of it, once */
	cleaned_bytes = 0;
	trace_flush();
	assert_int_equal(cleaned_bytes, TRACE_RECORDS * line + sizeof(written));
	lose_caches();
	trace_init(clean);
	expect_former(TRACE_FORMER, 0, 3 * TRACE_RECORDS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_is_little),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
