/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks and sleeping by their POSIX names.
 *
 * ebb knows no calendar: both clocks begin when the board boots.
 *
 * Owns: nothing.
 * Does not: wake early; there are no signals.
 * Invariants:
 *   none
 * Yields: nanosleep, usleep and sleep block.
 * See: ebb.h.
 */
#include <time.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

#define US_PER_S 1000000u

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	struct ebb_times times;
	uint64_t us;

	if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) {
		us = ebb_clock_us();
	} else if (clock == CLOCK_PROCESS_CPUTIME_ID) {
		if (ebb_times(&times) != 0)
			return (-1);
		us = times.user_us;
	} else {
		errno = EINVAL;
		return (-1);
	}
	out->tv_sec = (time_t)(us / US_PER_S);
	out->tv_nsec = (long)(us % US_PER_S * 1000);
	return (0);
}

int
clock_getres(clockid_t clock, struct timespec *out)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return (-1);
	if (out != NULL)
		*out = (struct timespec){ .tv_nsec = 1000 };
	return (0);
}

/* Never shorter than asked: up to the next microsecond. time and left may be the same. */
int
nanosleep(const struct timespec *time, struct timespec *left)
{
	uint64_t us;

	if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= 1000000000) {
		errno = EINVAL;
		return (-1);
	}
	us = (uint64_t)time->tv_sec * US_PER_S + ((uint64_t)time->tv_nsec + 999) / 1000;
	if (left != NULL)
		*left = (struct timespec){ 0 };
	return (ebb_sleep_us(us));
}

int
usleep(useconds_t us)
{
	return (ebb_sleep_us(us));
}

unsigned int
sleep(unsigned int seconds)
{
	return (ebb_sleep_us((uint64_t)seconds * US_PER_S) == 0 ? 0 : seconds);
}
