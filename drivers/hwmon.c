/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's sensors as statistics.
 *
 * A table of sensors is asked one by one, with a yield point in between: an answer takes
 * some 100 microseconds of polling, with interrupts on. A sensor that the firmware does not
 * know is marked absent and not asked again. A firmware that stops answering would cost 100
 * ms a question: after TIMEOUTS_MAX in a row everything is absent and the task ends.
 *
 * Throttling is a set of conditions; the firmware tells which hold now and which have held
 * since it was last asked (it forgets those when the question says so). The start of each is
 * counted and traced, and told on the console the first time.
 *
 * Owns: the hw.* statistics; the ARM clock's setting at boot.
 * Does not: set other clocks, regulate anything, or use an interrupt.
 * Invariants:
 *   W1 a gauge holds what the firmware said last, or PARAM_ABSENT.
 * Yields: task "hwmon"; hwmon_attach does not.
 * See: drivers/mailbox.h; raspberrypi.com documentation, "get_throttled", for the conditions.
 */
#include "drivers/hwmon.h"

#include <stdbool.h>
#include <stddef.h>

#include "drivers/drivers_params.h"
#include "drivers/mailbox.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/trace.h"

#define TIMEOUTS_MAX  3u
#define IDLE_LOOK_US  1000000u /* how often a task that may not sample looks whether it may */
#define HZ_PER_MHZ    1000000u
#define US_PER_SECOND 1000000ull
#define VOLTAGE_CORE  1u       /* the firmware's number */

enum { SENSOR_TEMPERATURE, SENSOR_CLOCK, SENSOR_VOLTAGE };

struct sensor {
	uint64_t *gauge;
	uint8_t kind;
	uint8_t id;      /* clock or voltage */
	bool absent;
};

static struct sensor sensors[] = {
	{ &drivers_params.hw_temperature, SENSOR_TEMPERATURE, 0, false },
	{ &drivers_params.hw_clock_core, SENSOR_CLOCK, MAILBOX_CLOCK_CORE, false },
	{ &drivers_params.hw_clock_arm, SENSOR_CLOCK, MAILBOX_CLOCK_ARM, false },
	{ &drivers_params.hw_clock_emmc, SENSOR_CLOCK, MAILBOX_CLOCK_EMMC, false },
	{ &drivers_params.hw_clock_uart, SENSOR_CLOCK, MAILBOX_CLOCK_UART, false },
	{ &drivers_params.hw_voltage_core, SENSOR_VOLTAGE, VOLTAGE_CORE, false },
};

#define SENSORS (sizeof(sensors) / sizeof(sensors[0]))

/* Bits 3:0 of the firmware's word: hold now; 19:16: have held since it was asked. */
static const struct {
	uint64_t *gauge;
	const char *words;
} conditions[] = {
	{ &drivers_params.hw_undervoltage, "the supply voltage is too low" },
	{ &drivers_params.hw_capped, "the ARM clock is capped" },
	{ &drivers_params.hw_throttled, "the ARM cores are throttled" },
	{ &drivers_params.hw_hot, "the chip is at its soft temperature limit" },
};

#define CONDITIONS 4u

static void (*core_changed)(uint32_t core_hz);
static uint32_t core_hz;       /* as last seen */
static uint32_t timeouts;      /* in a row */
static uint32_t held, warned;  /* conditions at the last look; told of already */
static bool throttle_absent;

static int
sensor_read(const struct sensor *s, uint32_t *value)
{
	switch (s->kind) {
	case SENSOR_TEMPERATURE:
		return (mailbox_temperature_mc(value));
	case SENSOR_CLOCK:
		return (mailbox_clock_hz(s->id, value));
	default:
		return (mailbox_voltage_uv(s->id, value));
	}
}

/* false: there is no use in asking again. */
static bool
note_error(int error)
{
	timeouts = error == ERR_TIMEDOUT ? timeouts + 1 : 0;
	return (error == 0 || error == ERR_TIMEDOUT);
}

static void
sample_sensor(struct sensor *s)
{
	uint32_t value;
	int error;

	if (s->absent)
		return;
	error = sensor_read(s, &value);
	s->absent = !note_error(error);
	*s->gauge = error == 0 ? value : PARAM_ABSENT;
}

static void
condition_begins(uint32_t n)
{
	drivers_params.hw_throttle_events++;
	if (warned & 1u << n)
		return;
	warned |= 1u << n;
	kprintf("firmware: %s (told once; see sysctl hw.throttle)\n", conditions[n].words);
}

static void
sample_throttling(void)
{
	uint32_t flags, since;
	int error;

	if (throttle_absent)
		return;
	error = mailbox_throttled(&flags);
	throttle_absent = !note_error(error);
	for (uint32_t n = 0; n < CONDITIONS; n++)
		*conditions[n].gauge = error == 0 ? flags >> n & 1 : PARAM_ABSENT;
	if (error != 0)
		return;
	since = (flags | flags >> 16) & ((1u << CONDITIONS) - 1);
	if (since != held)
		trace(TRACE_THROTTLE, flags & 0xf, since, 0);
	for (uint32_t n = 0; n < CONDITIONS; n++)
		if (since & ~held & 1u << n)
			condition_begins(n);
	held = since;
}

static void
look_at_core_clock(void)
{
	uint64_t hz = drivers_params.hw_clock_core;

	if (hz == PARAM_ABSENT || hz == core_hz)
		return;
	core_hz = (uint32_t)hz;
	if (core_changed != NULL)
		core_changed(core_hz);
}

static void
forget_all(void)
{
	for (uint32_t n = 0; n < SENSORS; n++)
		*sensors[n].gauge = PARAM_ABSENT;
	for (uint32_t n = 0; n < CONDITIONS; n++)
		*conditions[n].gauge = PARAM_ABSENT;
}

/* One round; false when the firmware has stopped answering. yield: between questions. */
static bool
sample(bool yield)
{
	for (uint32_t n = 0; n < SENSORS && timeouts < TIMEOUTS_MAX; n++) {
		sample_sensor(&sensors[n]);
		if (yield)
			sched_maybe_yield();
	}
	if (timeouts < TIMEOUTS_MAX)
		sample_throttling();
	look_at_core_clock();
	return (timeouts < TIMEOUTS_MAX);
}

static void
hwmon_task(void *arg)
{
	(void)arg;
	for (;;) {
		int64_t seconds = drivers_params.hw_sample;

		tsleep(&core_hz, "hwmon", seconds > 0 ? (uint64_t)seconds * US_PER_SECOND :
		    IDLE_LOOK_US);
		if (drivers_params.hw_sample > 0 && !sample(true))
			break;
	}
	forget_all();
	kprintf("firmware: does not answer any more; hw.* is absent from now on\n");
}

int
hwmon_start(void)
{
	struct task *t;

	return (task_create(&t, "hwmon", PRI_IDLE, hwmon_task, NULL));
}

/* Ask for the highest rate, then look what the clock does. */
static void
raise_arm_clock(void)
{
	uint32_t before_hz, after_hz, max_hz, set_hz;

	if (mailbox_clock_hz(MAILBOX_CLOCK_ARM, &before_hz) != 0 ||
	    mailbox_clock_max_hz(MAILBOX_CLOCK_ARM, &max_hz) != 0) {
		kprintf("ARM clock: the firmware tells no rate or no maximum; left as it is\n");
		return;
	}
	drivers_params.hw_clock_arm_max = max_hz;
	set_hz = max_hz;
	if (mailbox_set_clock_hz(MAILBOX_CLOCK_ARM, &set_hz) != 0)
		set_hz = 0;
	if (mailbox_clock_hz(MAILBOX_CLOCK_ARM, &after_hz) != 0)
		after_hz = set_hz;
	kprintf("ARM clock %u MHz, %s %u MHz; it was %u MHz\n", (unsigned)(after_hz / HZ_PER_MHZ),
	    after_hz >= max_hz ? "the permitted maximum of" : "NOT the permitted maximum of",
	    (unsigned)(max_hz / HZ_PER_MHZ), (unsigned)(before_hz / HZ_PER_MHZ));
}

void
hwmon_attach(void (*changed)(uint32_t hz))
{
	uint32_t max_mc;

	core_changed = changed;
	raise_arm_clock();
	if (mailbox_temperature_max_mc(&max_mc) == 0)
		drivers_params.hw_temperature_max = max_mc;
	(void)sample(false);
}
