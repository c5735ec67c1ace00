/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times in directory entries, against the C library's calendar: every day from 1980 to 2107,
 * every two seconds of a day, and every pair of 16 bits that is no time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "fs/fat32_time.h"

#define EPOCH 315532800 /* 1980, since 1970 */
#define DAY_S 86400

/* The date and time of seconds as the C library sees them. */
static void
expect(uint32_t seconds, uint16_t *date, uint16_t *time)
{
	time_t since_1970 = (time_t)seconds + EPOCH;
	struct tm tm;

	assert_non_null(gmtime_r(&since_1970, &tm));
	*date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	*time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

static void
check(uint32_t seconds)
{
	uint16_t date = 0, time = 0, right_date, right_time;

	expect(seconds, &right_date, &right_time);
	assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
	assert_int_equal(date, right_date);
	assert_int_equal(time, right_time);
	assert_int_equal(fat32_time_get(date, time), seconds & ~1u);
}

static void
test_days(void **state)
{
	uint64_t seconds;

	(void)state;
	for (seconds = 0; seconds <= FAT32_TIME_LAST_S; seconds += DAY_S) {
		check((uint32_t)seconds);
		check((uint32_t)seconds + DAY_S - 1);
	}
}

static void
test_seconds(void **state)
{
	uint32_t second;

	(void)state;
	for (second = 0; second < DAY_S; second++)
		check(20000u * DAY_S + second);
}

static void
test_ends(void **state)
{
	uint16_t date = 1, time = 2;

	(void)state;
	check(0);
	check(FAT32_TIME_LAST_S);
	assert_int_equal(fat32_time_put(FAT32_TIME_LAST_S + 1, &date, &time), ERR_INVAL);
	assert_int_equal(fat32_time_put(UINT32_MAX, &date, &time), ERR_INVAL);
	assert_int_equal(date, 1);
	assert_int_equal(time, 2);
}

/* Whatever is stored gives a time, and only a real one another than the first. */
static void
test_rubbish(void **state)
{
	uint32_t bits, seconds, real_days = 0, real_seconds = 0;
	uint16_t date, time;

	(void)state;
	for (bits = 0; bits <= UINT16_MAX; bits++) {
		seconds = fat32_time_get((uint16_t)bits, 0);
		if (seconds != 0 || bits == 0x21) {
			assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
			assert_int_equal(date, bits);
			real_days++;
		}
		seconds = fat32_time_get(0x21, (uint16_t)bits);
		if (seconds != 0 || bits == 0) {
			assert_int_equal(fat32_time_put(seconds, &date, &time), 0);
			assert_int_equal(time, bits);
			real_seconds++;
		}
	}
	assert_int_equal(real_days, 46751); /* 128 years, 31 of them leap years */
	assert_int_equal(real_seconds, 43200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_rubbish),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
