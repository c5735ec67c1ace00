/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/watchdog.c with a watchdog that counts, and the BCM2835's against simulated registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcm2835_pm.h"
#include "kern/machdep.h"
#include "kern/trace.h"

static uint64_t counter_hz;
static uint32_t former_boot;
#define cpu_cycles_per_second() counter_hz
#define trace_former_count()    former_boot
#include "kern/watchdog.c"
#undef cpu_cycles_per_second
#undef trace_former_count

#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#define BOARD_HZ 19200000u
#define SECOND   1000000ull

static uint32_t loads, loaded_s;
static bool waiting;
static uint64_t done;

static void
count_load(uint32_t seconds)
{
	loads++;
	loaded_s = seconds;
}

static uint64_t
some_left(void)
{
	return (1234);
}

static uint32_t
some_cause(void)
{
	return (0x1020);
}

static const char *
some_words(uint32_t cause)
{
	assert_int_equal(cause, 0x1020);
	return ("a test");
}

static const struct watchdog_dev dev = {
	.name = "counter", .load = count_load, .left_us = some_left, .cause = some_cause,
	.cause_words = some_words,
};

static bool
check(uint64_t *progress)
{
	*progress = done;
	return (waiting);
}

static void
begin(const struct watchdog_dev *with)
{
	loads = loaded_s = former_boot = 0;
	counter_hz = BOARD_HZ;
	waiting = false;
	done = 0;
	kern_params.watchdog_reloads = 0;
	watchdog_attach(with);
	console_tap_begin();
}

/* Starts it; what it says, and whether it is armed. */
static void
expect_start(bool insist, const char *words, bool armed)
{
	console_tap_begin();
	assert_int_equal(watchdog_start(5, insist), 0);
	if (strstr(console_tap_text(), words) == NULL)
		fail_msg("expected \"%s\" in \"%s\"", words, console_tap_text());
	assert_int_equal(loads, armed ? 1 : 0);
	assert_int_equal(watchdog_panic(), armed ? 5 : 0);
	assert_int_equal(loads, armed ? 2 : 0);
}

static void
refusals_body(void *arg)
{
	(void)arg;
	begin(NULL);
	assert_int_equal(kern_params.watchdog_state, WATCHDOG_NONE);
	expect_start(false, "no watchdog on this board", false);
	expect_start(true, "no watchdog on this board", false);
	begin(&dev);
	assert_int_equal(kern_params.watchdog_state, WATCHDOG_IDLE);
	counter_hz = LED_EMULATOR_HZ;
	expect_start(false, "not armed: QEMU resets", false);
	former_boot = 1;
	expect_start(true, "not armed again", false);
	assert_int_equal(kern_params.watchdog_state, WATCHDOG_IDLE);
	former_boot = 0;
	expect_start(true, "counter, armed for 5 s; reset status 0x1020: a test", true);
}

static void
test_refusals(void **state)
{
	sim_run(refusals_body, state);
}

/* The task reloads four times in each period, on a board also after a former boot. */
static void
reloads_body(void *arg)
{
	(void)arg;
	begin(&dev);
	former_boot = 3;
	assert_int_equal(watchdog_start(4, false), 0);
	assert_int_equal(kern_params.watchdog_state, WATCHDOG_ARMED);
	assert_int_equal(kern_params.watchdog_seconds, 4);
	tsleep(&loads, "test", 10 * SECOND + SECOND / 2);
	assert_int_equal(kern_params.watchdog_reloads, 11); /* at 0, 1, ... 10 s */
	assert_int_equal(loads, 12);
	assert_int_equal(loaded_s, 4);
	assert_int_equal(kern_params.watchdog_left_us, 1234);
}

static void
test_reloads(void **state)
{
	sim_run(reloads_body, state);
}

static void
turn(uint64_t s, bool reloads)
{
	uint32_t before = loads;

	watchdog_turn(s * SECOND);
	assert_int_equal(loads - before, reloads);
	assert_int_equal(kern_params.watchdog_state, reloads ? WATCHDOG_ARMED : WATCHDOG_STALLED);
}

/* Waiting without progress for WATCHDOG_STALL_US, not a moment less, ends the reloads. */
static void
test_stall(void **state)
{
	(void)state;
	sim_reset();
	begin(&dev);
	watchdog_add_check("memory", check);
	period_s = 5;
	turn(1000, true);  /* nobody waits: for ever */
	waiting = true;
	turn(1059, true);
	turn(1060, false); /* 60 s since 1000 */
	assert_string_equal(console_tap_text(),
	    "watchdog: memory: no progress for 60 s; the board resets soon\n");
	turn(1061, false); /* said once */
	assert_int_equal(strlen(console_tap_text()), strlen("watchdog: memory: no progress for "
	    "60 s; the board resets soon\n"));
	done++;
	turn(1062, true);
	turn(1121, true);
	done++;
	turn(1122, true);
	turn(1181, true);
	waiting = false;
	turn(1182, true);
	turn(2000, true);
}

/* Of two checks each has its own time. */
static uint64_t other_done;

static bool
other_check(uint64_t *progress)
{
	*progress = other_done++;
	return (true);
}

static void
test_two_checks(void **state)
{
	(void)state;
	sim_reset();
	begin(&dev);
	watchdog_add_check("other", other_check);
	watchdog_add_check("memory", check);
	period_s = 5;
	waiting = true;
	turn(10, true);
	turn(59, true);
	turn(100, false);
	done++;
	turn(101, true);
}

/* ---- BCM2835 */

#define PM 0x3f100000u

static uint32_t regs[0x1000 / 4];

static uint32_t
regs_read(void *device, uint32_t offset)
{
	(void)device;
	return (regs[offset / 4]);
}

/* As the chip: only with the password, which is not kept. */
static void
regs_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	assert_int_equal(value >> 24, 0x5a);
	regs[offset / 4] = value & 0xffffff;
}

static void
test_bcm2835(void **state)
{
	static struct sim_mmio window = { .base = PM, .bytes = sizeof(regs), .read = regs_read,
		.write = regs_write };
	const struct watchdog_dev *w = &bcm2835_watchdog;

	(void)state;
	sim_reset();
	sim_mmio_reset();
	sim_mmio_add(&window);
	bcm2835_pm_attach(PM);
	assert_ptr_equal(device, w);
	regs[0x1c / 4] = 0x112; /* RSTC: other bits stay, the configuration becomes full reset */
	w->load(15);
	assert_int_equal(regs[0x24 / 4], 15 * 65536);
	assert_int_equal(regs[0x1c / 4], 0x122);
	regs[0x24 / 4] = 0xf00000 | 3 * 65536 / 2;
	assert_int_equal(w->left_us(), 1500000);
	regs[0x20 / 4] = 0x1000;
	assert_int_equal(w->cause(), 0x1000);
	assert_string_equal(w->cause_words(0x1000), "power on");
	assert_string_equal(w->cause_words(0x1020), "the watchdog, or a reset by it");
	assert_string_equal(w->cause_words(0), "not known");
	/* Halt and reset are as quick when it is armed. */
	w->load(15);
	bcm2835_pm_halt();
	assert_int_equal(regs[0x24 / 4], 10);
	assert_int_equal(regs[0x20 / 4], 0x1555);
	assert_int_equal(regs[0x1c / 4], 0x122);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_reloads),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_two_checks),
		cmocka_unit_test(test_bcm2835),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
