/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/hwmon.c against a firmware that answers, does not know, lies, or dies. hwmon.c is
 * compiled into this test, so that each case begins anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/hwmon.c"

#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define MAILBOX 0x3f00b880u
#define MHZ     1000000u

static struct {
	struct sim_mmio window;
	uint32_t letter, requests;
	bool dead, knows_voltage, knows_throttling, sets_clocks;
	uint32_t arm_hz, core_hz, temperature_mc, voltage, throttled;
	uint32_t masked; /* requests with interrupts masked */
} fw;

static uint32_t core_changes, core_last_hz;

static void
clock_answer(uint32_t *m)
{
	m[6] = m[5] == MAILBOX_CLOCK_ARM ? fw.arm_hz : m[5] == MAILBOX_CLOCK_CORE ? fw.core_hz :
	    m[5] == MAILBOX_CLOCK_UART ? 48 * MHZ : 200 * MHZ;
}

static uint32_t
firmware(uint32_t *m)
{
	switch (m[2]) {
	case 0x00030002: clock_answer(m); return (8);
	case 0x00030004: m[6] = 1200 * MHZ; return (8);
	case 0x00038002:
		if (fw.sets_clocks && m[5] == MAILBOX_CLOCK_ARM)
			fw.arm_hz = m[6];
		return (8);
	case 0x00030006: m[6] = fw.temperature_mc; return (8);
	case 0x0003000a: m[6] = 85000; return (8);
	case 0x00030003: m[6] = fw.voltage; return (fw.knows_voltage ? 8 : 0);
	case 0x00030046:
		assert_int_equal(m[5], 0xffff);
		m[5] = fw.throttled;
		fw.throttled &= 0xf;
		return (fw.knows_throttling ? 4 : 0);
	default: return (0);
	}
}

static uint32_t
mailbox_read(void *device, uint32_t offset)
{
	uint32_t value = fw.letter;

	(void)device;
	if (offset == 0x38)
		return (1u << 30);
	if (offset == 0x18)
		return (fw.letter == 0 ? 1u << 30 : 0);
	fw.letter = 0;
	return (value);
}

/* The mailbox's buffers are static memory of this process, as this is: not far away. */
static char here;
static char *volatile anchor = &here;

static void
mailbox_write(void *device, uint32_t offset, uint32_t value)
{
	char *near = anchor;
	uint32_t *m = (uint32_t *)(void *)(near +
	    (int32_t)((value & ~15u) - (uint32_t)(uintptr_t)near));

	(void)device;
	assert_int_equal(offset, 0x20);
	fw.requests++;
	fw.masked += !intr_enabled();
	if (fw.dead)
		return;
	m[4] = 0x80000000 | firmware(m);
	m[1] = 0x80000000;
	fw.letter = value;
}

static void
core_change(uint32_t hz)
{
	core_changes++;
	core_last_hz = hz;
}

/* A firmware in health, and hwmon as at boot. */
static void
begin(void)
{
	memset(&fw, 0, sizeof(fw));
	fw.window = (struct sim_mmio){ .base = MAILBOX, .bytes = 0x40, .read = mailbox_read,
		.write = mailbox_write };
	fw.knows_voltage = fw.knows_throttling = fw.sets_clocks = true;
	fw.arm_hz = 600 * MHZ;
	fw.core_hz = 250 * MHZ;
	fw.temperature_mc = 47236;
	fw.voltage = 1318750;
	sim_mmio_reset();
	sim_mmio_add(&fw.window);
	mailbox_attach(MAILBOX);
	core_changes = core_hz = timeouts = held = warned = 0;
	throttle_absent = false;
	for (uint32_t n = 0; n < SENSORS; n++)
		sensors[n].absent = false;
	forget_all();
	drivers_params.hw_throttle_events = 0;
	drivers_params.hw_sample = 1;
	console_tap_begin();
}

static void
said(const char *words)
{
	if (strstr(console_tap_text(), words) == NULL)
		fail_msg("expected \"%s\" in \"%s\"", words, console_tap_text());
}

static void
boot_body(void *arg)
{
	(void)arg;
	begin();
	hwmon_attach(core_change);
	said("ARM clock 1200 MHz, the permitted maximum of 1200 MHz; it was 600 MHz\n");
	assert_int_equal(drivers_params.hw_clock_arm, 1200 * MHZ);
	assert_int_equal(drivers_params.hw_clock_arm_max, 1200 * MHZ);
	assert_int_equal(drivers_params.hw_clock_core, 250 * MHZ);
	assert_int_equal(drivers_params.hw_clock_uart, 48 * MHZ);
	assert_int_equal(drivers_params.hw_temperature, 47236);
	assert_int_equal(drivers_params.hw_temperature_max, 85000);
	assert_int_equal(drivers_params.hw_voltage_core, 1318750);
	assert_int_equal(drivers_params.hw_undervoltage, 0);
	assert_int_equal(core_changes, 1);
	assert_int_equal(core_last_hz, 250 * MHZ);
	/* A setting that the firmware acknowledges and ignores. */
	begin();
	fw.sets_clocks = false;
	hwmon_attach(NULL);
	said("ARM clock 600 MHz, NOT the permitted maximum of 1200 MHz; it was 600 MHz\n");
	/* No rate to be had. */
	begin();
	fw.arm_hz = 0;
	hwmon_attach(NULL);
	said("ARM clock: the firmware tells no rate");
	assert_true(drivers_params.hw_clock_arm == PARAM_ABSENT);
	/* Voltage as firmware of long ago told it. */
	begin();
	fw.voltage = (uint32_t)-2;
	hwmon_attach(NULL);
	assert_int_equal(drivers_params.hw_voltage_core, 1150000);
}

SIM_TEST(boot)

/* What is not told is absent, and is not asked for again. */
static void
absent_body(void *arg)
{
	uint32_t requests;

	(void)arg;
	begin();
	fw.knows_voltage = fw.knows_throttling = false;
	hwmon_attach(NULL);
	assert_int_equal(hwmon_start(), 0);
	requests = fw.requests;
	tsleep(&fw, "test", 1500000);
	assert_int_equal(fw.requests - requests, 5);
	assert_true(drivers_params.hw_voltage_core == PARAM_ABSENT);
	assert_true(drivers_params.hw_throttled == PARAM_ABSENT);
	assert_int_equal(drivers_params.hw_throttle_events, 0);
	assert_int_equal(drivers_params.hw_temperature, 47236);
}

SIM_TEST(absent)

static void
task_body(void *arg)
{
	uint32_t requests;

	(void)arg;
	begin();
	hwmon_attach(core_change);
	assert_int_equal(hwmon_start(), 0);
	requests = fw.requests;
	fw.masked = 0;
	fw.temperature_mc = 60000;
	fw.core_hz = 400 * MHZ;
	tsleep(&fw, "test", 10500000);
	assert_int_equal(fw.requests - requests, 10 * 7); /* once a second */
	assert_int_equal(fw.masked, 0);
	assert_int_equal(drivers_params.hw_temperature, 60000);
	assert_int_equal(core_changes, 2);
	assert_int_equal(core_last_hz, 400 * MHZ);
	drivers_params.hw_sample = 0;
	tsleep(&fw, "test", 1000000);
	requests = fw.requests;
	tsleep(&fw, "test", 10000000);
	assert_int_equal(fw.requests, requests);
	drivers_params.hw_sample = 5;
	tsleep(&fw, "test", 4500000);
	assert_int_equal(fw.requests - requests, 7);
}

SIM_TEST(task)

static void
throttling_body(void *arg)
{
	(void)arg;
	begin();
	hwmon_attach(NULL);
	assert_int_equal(hwmon_start(), 0);
	trace_mask |= 1ull << TRACE_THROTTLE;
	console_tap_begin();
	fw.throttled = 0x10001; /* supply too low, now */
	tsleep(&fw, "test", 3000000);
	assert_int_equal(drivers_params.hw_undervoltage, 1);
	assert_int_equal(drivers_params.hw_throttled, 0);
	assert_int_equal(drivers_params.hw_throttle_events, 1);
	said("firmware: the supply voltage is too low (told once");
	fw.throttled = 0;
	tsleep(&fw, "test", 2000000);
	assert_int_equal(drivers_params.hw_undervoltage, 0);
	/* Between two looks: over already, and counted; not told again. */
	console_tap_begin();
	fw.throttled = 0x10000;
	tsleep(&fw, "test", 2000000);
	assert_int_equal(drivers_params.hw_undervoltage, 0);
	assert_int_equal(drivers_params.hw_throttle_events, 2);
	assert_string_equal(console_tap_text(), "");
	/* Others at the same time. */
	fw.throttled = 0xe000e;
	tsleep(&fw, "test", 1100000);
	assert_int_equal(drivers_params.hw_throttle_events, 5);
	assert_int_equal(drivers_params.hw_capped + drivers_params.hw_throttled +
	    drivers_params.hw_hot, 3);
	said("soft temperature limit");
}

SIM_TEST(throttling)

/* A firmware that has died costs three timeouts, and is then left alone. */
static void
dead_body(void *arg)
{
	uint32_t requests;

	(void)arg;
	begin();
	hwmon_attach(NULL);
	assert_int_equal(hwmon_start(), 0);
	console_tap_begin();
	fw.dead = true;
	requests = fw.requests;
	tsleep(&fw, "test", 10000000);
	assert_int_equal(fw.requests - requests, 3);
	said("firmware: does not answer any more");
	for (uint32_t n = 0; n < SENSORS; n++)
		assert_true(*sensors[n].gauge == PARAM_ABSENT);
	assert_true(drivers_params.hw_hot == PARAM_ABSENT);
	/* Dead from the start: boot goes on. */
	begin();
	fw.dead = true;
	hwmon_attach(NULL);
	assert_true(fw.requests <= 5);
}

SIM_TEST(dead)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_throttling),
		cmocka_unit_test(test_dead),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
