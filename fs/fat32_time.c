/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calendar of directory entries.
 *
 *   date   15..9 year - 1980   8..5 month, from 1   4..0 day, from 1
 *   time   15..11 hour   10..5 minute   4..0 seconds / 2
 *
 * Other systems write what their clocks show where they are; an entry does not say where that
 * is, so it counts as UTC here.
 *
 * Owns: nothing.
 * Does not: know what time it is: nothing on the board does.
 * Invariants:
 * T1 what fat32_time_put makes, fat32_time_get reads as the same time, less an odd second.
 * Yields: nothing.
 * Complexity: a step for each year since 1980 at most.
 * See: Microsoft, FAT: General Overview of On-Disk Format, "Date and Time Formats".
 */
#include "fs/fat32_time.h"

#include <stdbool.h>

#include "lib/assert.h"

#define YEARS 128u /* 1980 to 2107 */
#define DAY_S 86400u

/* Of all years that are a multiple of 4 and can be written, 2100 alone is no leap year. */
static bool
is_leap(uint32_t year)
{
	return (year % 4 == 0 && year != 120);
}

static uint32_t
days_of_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return (days[month] + (month == 1 && is_leap(year) ? 1u : 0u));
}

uint32_t
fat32_time_get(uint16_t date, uint16_t time)
{
	uint32_t year = date >> 9, month = (date >> 5 & 15) - 1, day = (date & 31) - 1, y;
	uint32_t hour = time >> 11, minute = time >> 5 & 63, second = (time & 31) * 2;

	if (month >= 12 || day >= days_of_month(year, month) || hour >= 24 || minute >= 60 ||
	    second >= 60)
		return (0);
	for (y = 0; y < year; y++)
		day += is_leap(y) ? 366 : 365;
	while (month-- > 0)
		day += days_of_month(year, month);
	return (day * DAY_S + hour * 3600 + minute * 60 + second);
}

int
fat32_time_put(uint32_t seconds, uint16_t *date, uint16_t *time)
{
	uint32_t day = seconds / DAY_S, in_day = seconds % DAY_S, year = 0, month = 0;

	if (seconds > FAT32_TIME_LAST_S)
		return (ERR_INVAL);
	for (; day >= (is_leap(year) ? 366u : 365u); year++)
		day -= is_leap(year) ? 366 : 365;
	KASSERT(year < YEARS, "T1: a year that can be written");
	for (; day >= days_of_month(year, month); month++)
		day -= days_of_month(year, month);
	*date = (uint16_t)(year << 9 | (month + 1) << 5 | (day + 1));
	*time = (uint16_t)(in_day / 3600 << 11 | in_day / 60 % 60 << 5 | in_day % 60 / 2);
	return (0);
}
