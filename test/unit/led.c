/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/led.c: what somebody who looks at the light sees, in simulated time; and
 * drivers/act_led.c and act_led_start.c: which pin that is on which board, through pins or
 * through the firmware. led.c is compiled into this test, so that each case has a new light.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/led.c"

#include "drivers/act_led.h"
#include "drivers/mailbox.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

/* ---- the light: how long it was lit and dark */

static struct {
	bool lit;
	uint64_t changed_us;
	uint32_t shorts, longs, others;   /* by how long it was lit */
	uint64_t dark_us_max;
} seen;

static jmp_buf enough;
static uint32_t longs_enough;

static void
light_set(bool on)
{
	uint64_t now_us = timer_now_us(), us = now_us - seen.changed_us;

	if (on == seen.lit)
		return;
	if (on && us > seen.dark_us_max)
		seen.dark_us_max = us;
	if (!on && us >= LED_SHORT_ON_US && us < LED_SHORT_ON_US + 1000)
		seen.shorts++;
	else if (!on && us >= LED_LONG_ON_US && us < LED_LONG_ON_US + 5000)
		seen.longs++;
	else if (!on)
		seen.others++;
	seen.lit = on;
	seen.changed_us = now_us;
	if (longs_enough != 0 && seen.longs == longs_enough)
		longjmp(enough, 1);
}

static const struct led_dev light_dev = { .name = "light", .set = light_set };

static void
light_new(void)
{
	led = NULL;
	by_task = false;
	beats = shown = 0;
	longs_enough = 0;
	memset(&seen, 0, sizeof(seen));
	seen.changed_us = timer_now_us();
	memset(&kern_params, 0, sizeof(kern_params));
}

static void
stages_body(void *arg)
{
	(void)arg;
	light_new();
	led_stage(LED_STAGE_KERNEL); /* no light: noted only */
	assert_int_equal(kern_params.led_stage, 2);
	assert_false(led_present());
	led_attach(&light_dev, true);
	led_stage(LED_STAGE_KERNEL);
	assert_int_equal(seen.shorts, 2);
	led_stage(LED_STAGE_CONSOLE);
	assert_int_equal(seen.shorts, 5);
	assert_int_equal(seen.longs + seen.others, 0);
	assert_in_range(seen.dark_us_max, LED_STAGE_GAP_US, LED_STAGE_GAP_US + 150000);
	assert_int_equal(kern_params.led_blinks, 5);
	SIM_EXPECT_ASSERT("E1", led_attach(&light_dev, true));
}

SIM_TEST(stages)

/* In an emulator: the same number of blinks, and no time passes. */
static void
emulator_body(void *arg)
{
	uint64_t start_us;

	(void)arg;
	light_new();
	led_attach(&light_dev, false);
	start_us = timer_now_us();
	led_stage(LED_STAGE_MEMORY);
	led_show_panic(LED_PANIC_DEVICE);
	assert_int_equal(kern_params.led_blinks, 4 + 5);
	assert_true(timer_now_us() - start_us < 1000);
}

SIM_TEST(emulator)

static void
panic_body(void *arg)
{
	(void)arg;
	light_new();
	led_show_panic(LED_PANIC_MEMORY); /* no light: returns */
	led_attach(&light_dev, true);
	bootargs.semihosting = true;
	led_show_panic(LED_PANIC_MEMORY);
	assert_int_equal(seen.longs, 3 * 4); /* the end is waited for */
	bootargs.semihosting = false;
	memset(&seen, 0, sizeof(seen));
	seen.changed_us = timer_now_us();
	longs_enough = 30; /* for ever */
	if (setjmp(enough) == 0) {
		led_show_panic(LED_PANIC_EXCEPTION);
		fail();
	}
	assert_int_equal(seen.shorts + seen.others, 0);
	assert_in_range(seen.dark_us_max, LED_PANIC_GAP_US, LED_PANIC_GAP_US + 400000);
}

SIM_TEST(panic)

/* Task "led": the stage over and over, then the heartbeat. */
static void
task_body(void *arg)
{
	(void)arg;
	light_new();
	assert_int_equal(led_start(), 0); /* without a light no task */
	led_attach(&light_dev, true);
	assert_int_equal(led_start(), 0);
	led_stage(LED_STAGE_TASKS);
	assert_int_equal(seen.shorts, 0); /* nobody waits for it */
	tsleep(&seen, "test", 7000000);
	assert_int_equal(seen.shorts, 3 * 5);
	led_ready(false);
	tsleep(&seen, "test", 3000000);
	seen.shorts = 0;
	tsleep(&seen, "test", 10000000);
	assert_in_range(seen.shorts, 8, 10);
	led_ready(true);
	tsleep(&seen, "test", 3000000);
	seen.shorts = 0;
	tsleep(&seen, "test", 10000000);
	assert_in_range(seen.shorts, 4, 5);
	assert_int_equal(seen.longs + seen.others, 0);
}

SIM_TEST(task)

/* ---- which light a board has */

#define MAILBOX 0x3f00b880u
#define GPIO    0x3f200000u
#define BUS     0xc0000000u

static struct {
	struct sim_mmio mailbox, gpio;
	uint32_t revision, letter;
	bool dead, start;
	uint32_t requests;
	int32_t expander_on;          /* times GPIO 130 was driven high */
	uint32_t fsel[6];
	uint32_t set, clear, level;   /* of GPIO 29: writes, and what it is */
} board;

static char *anchor;

static void
firmware(uint32_t *m)
{
	board.requests++;
	m[1] = 0x80000000;
	m[4] = 0x80000008;
	if (m[2] == 0x00010002) {
		m[5] = board.revision;
	} else if (m[2] == 0x00038041 && m[5] == 130) {
		board.expander_on += m[6] == 1;
		m[5] = 0;
	} else {
		m[4] = 0x80000000;
	}
}

static uint32_t
mailbox_read(void *device, uint32_t offset)
{
	uint32_t value = board.letter;

	(void)device;
	if (offset == 0x38)
		return (1u << 30);
	if (offset == 0x18)
		return (board.letter == 0 ? 1u << 30 : 0);
	board.letter = 0;
	return (value);
}

static void
mailbox_write(void *device, uint32_t offset, uint32_t value)
{
	uint32_t at = (value & ~15u) - (board.start ? BUS : 0);

	(void)device;
	assert_int_equal(offset, 0x20);
	assert_int_equal(value & 15, 8);
	if (board.dead)
		return;
	firmware((uint32_t *)(void *)(anchor + (int32_t)(at - (uint32_t)(uintptr_t)anchor)));
	board.letter = value;
}

static uint32_t
gpio_read(void *device, uint32_t offset)
{
	(void)device;
	return (offset < 0x18 ? board.fsel[offset / 4] : 0);
}

static void
gpio_write(void *device, uint32_t offset, uint32_t value)
{
	(void)device;
	if (offset < 0x18) {
		board.fsel[offset / 4] = value;
		return;
	}
	assert_int_equal(value, 1u << 29);
	assert_true(offset == 0x1c || offset == 0x28);
	board.level = offset == 0x1c;
	board.set += offset == 0x1c;
	board.clear += offset == 0x28;
}

static void
board_new(uint32_t revision)
{
	memset(&board, 0, sizeof(board));
	board.revision = revision;
	board.mailbox = (struct sim_mmio){ .base = MAILBOX, .bytes = 0x40,
		.read = mailbox_read, .write = mailbox_write };
	board.gpio = (struct sim_mmio){ .base = GPIO, .bytes = 0x100, .read = gpio_read,
		.write = gpio_write };
	sim_mmio_reset();
	sim_mmio_add(&board.mailbox);
	sim_mmio_add(&board.gpio);
	mailbox_attach(MAILBOX);
	light_new();
}

static void
attach(uint32_t revision, int expected)
{
	static char here;

	anchor = &here; /* of the mailbox's static buffers */
	board_new(revision);
	assert_int_equal(act_led_attach(GPIO, revision, true), expected);
}

static void
test_boards(void **state)
{
	(void)state;
	sim_reset();
	attach(0xa020d3, 0); /* 3B+: lit when high */
	assert_int_equal(board.fsel[2], 1u << 27);
	assert_int_equal(board.level, 0);
	sim_mmio_elsewhere();
	set(true);
	assert_int_equal(board.level, 1);
	attach(0x9020e0, 0); /* 3A+ */
	sim_mmio_elsewhere();
	set(true);
	assert_int_equal(board.level, 1);
	attach(0x902120, 0); /* Zero 2 W: lit when low */
	assert_int_equal(board.level, 1);
	sim_mmio_elsewhere();
	set(true);
	assert_int_equal(board.level, 0);
	attach(0xa02082, 0); /* 3B: by the firmware, and no pin is touched */
	assert_int_equal(board.fsel[2], 0);
	sim_mmio_elsewhere();
	set(true);
	assert_int_equal(board.expander_on, 1);
	assert_int_equal(board.set + board.clear, 0);
	/* A firmware that has died is asked once more, not for ever. */
	board.dead = true;
	set(false);
	board.dead = false;
	board.requests = 0;
	sim_mmio_elsewhere();
	set(true);
	assert_int_equal(board.requests, 0);
	attach(0xa220a0, ERR_NODEV); /* CM3 */
	attach(0x000010, ERR_NODEV); /* an old-style code whose bits look like a type */
	attach(0x0000d3, ERR_NODEV);
}

/* ---- with the MMU off */

static void
start(uint32_t revision, uint64_t counter_hz, bool misplaced)
{
	const struct act_led_start s = { MAILBOX, GPIO, counter_hz, BUS };
	char here;

	anchor = &here; /* of the stack */
	board_new(revision);
	board.start = true;
	board.fsel[2] = 4u << 24 | 7u << 27;
	if (misplaced)
		act_led_start_panic(&s, LED_PANIC_PLACE);
	else
		act_led_start_stage(&s, LED_STAGE_START);
}

static void
test_start(void **state)
{
	uint64_t start_us;

	(void)state;
	sim_reset();
	start(0xa020d3, SIM_CYCLES_PER_SECOND - 1, false);
	assert_int_equal(board.fsel[2], 4u << 24 | 1u << 27);
	assert_int_equal(board.set, 1);
	assert_int_equal(board.level, 0);
	start(0x902120, SIM_CYCLES_PER_SECOND - 1, false);
	assert_int_equal(board.clear, 1);
	assert_int_equal(board.level, 1);
	start_us = timer_now_us();
	start(0xa02082, SIM_CYCLES_PER_SECOND - 1, false);
	assert_int_equal(board.expander_on, 1);
	assert_int_equal(board.fsel[2], 4u << 24 | 7u << 27);
	assert_in_range(timer_now_us() - start_us, 450000, 460000);
	/* In the emulator at once. */
	start_us = timer_now_us();
	start(0xa02082, LED_EMULATOR_HZ, true);
	assert_int_equal(board.expander_on, 6);
	assert_true(timer_now_us() - start_us < 1000);
	/* Nobody knows the board. */
	start(0xa220a0, LED_EMULATOR_HZ, false);
	assert_int_equal(board.requests, 1);
}

/* A firmware that does not answer costs a tenth of a second, and boot goes on. */
static void
test_start_dead(void **state)
{
	const struct act_led_start s = { MAILBOX, GPIO, SIM_CYCLES_PER_SECOND, BUS };
	uint64_t start_us = timer_now_us();

	(void)state;
	board_new(0xa020d3);
	board.dead = board.start = true;
	act_led_start_stage(&s, LED_STAGE_START);
	assert_in_range(timer_now_us() - start_us, 100000, 101000);
	assert_int_equal(board.set + board.clear, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_emulator),
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_boards),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_start_dead),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
