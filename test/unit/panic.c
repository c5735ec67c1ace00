/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/panic.c and kern/ksym.c. panic.c is compiled into this test under other
 * names, since the simulated machine has a panic of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/console.h"
#include "kern/panic.h"
#include "kern/trace.h"
#include "test/host/sim_machdep.h"

_Noreturn void real_panic_as(enum led_panic class, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void real_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void real_kassert_fail(const char *file, int line, const char *rule);
_Noreturn void test_poweroff(int exit_code);
void test_panic_dump(const void *trap_frame);
uint32_t test_watchdog_panic(void);

#define panic          real_panic
#define panic_as       real_panic_as
#define kassert_fail   real_kassert_fail
#define cpu_poweroff   test_poweroff
#define cpu_panic_dump test_panic_dump
#define watchdog_panic test_watchdog_panic
#include "kern/panic.c"
#undef panic
#undef panic_as
#undef kassert_fail
#undef cpu_poweroff
#undef cpu_panic_dump
#undef watchdog_panic

const struct ksym ksyms[] = {
	{ 0x1000, "first" },
	{ 0x1040, "second" },
	{ 0x2000, "third" },
};
const uint32_t ksyms_count = 3;

static char wire[16384];
static size_t wire_bytes;
static jmp_buf stopped;
static int stop_code;
static const void *dumped_frame;
static bool dump_panics;

static void
wire_put(char c)
{
	if (c != '\r' && wire_bytes + 1 < sizeof(wire))
		wire[wire_bytes++] = c;
	wire[wire_bytes] = '\0';
}

static const struct console_dev port = { .name = "wire", .put_poll = wire_put };

void
test_poweroff(int exit_code)
{
	stop_code = exit_code;
	longjmp(stopped, 1);
}

void
test_panic_dump(const void *trap_frame)
{
	dumped_frame = trap_frame;
	panic_printf("registers here\n");
	if (dump_panics)
		real_panic("the dump fails too");
}

static uint32_t watchdog_s, watchdog_loads;

uint32_t
test_watchdog_panic(void)
{
	watchdog_loads++;
	return (watchdog_s);
}

static int
setup(void **state)
{
	(void)state;
	sim_reset();
	watchdog_s = watchdog_loads = 0;
	wire_bytes = 0;
	panicking = false;
	dump_panics = false;
	stop_code = 0;
	console_attach(&port);
	return (0);
}

static void
test_ksym(void **state)
{
	uint64_t offset;

	(void)state;
	assert_string_equal(ksym_lookup(0xfff, &offset), "?");
	assert_int_equal(offset, 0);
	assert_string_equal(ksym_lookup(0x1000, &offset), "first");
	assert_int_equal(offset, 0);
	assert_string_equal(ksym_lookup(0x103f, &offset), "first");
	assert_int_equal(offset, 0x3f);
	assert_string_equal(ksym_lookup(0x1040, &offset), "second");
	assert_string_equal(ksym_lookup(0x99999, &offset), "third");
	assert_int_equal(offset, 0x97999);
}

/* The records of marks 8 to 39, oldest first. */
static void
check_tail(void)
{
	const char *at = wire;
	char text[40];

	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "mark, a 0x%x,", i);
		if (i < 8) {
			assert_null(strstr(wire, text));
			continue;
		}
		at = strstr(at, text);
		assert_non_null(at);
	}
}

static void
test_message(void **state)
{
	int frame;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		trace(TRACE_MARK, i, 0, 0);
	if (setjmp(stopped) == 0)
		panic_trap(&frame, "no such thing as %d", 7);
	assert_int_equal(stop_code, PANIC_EXIT_CODE);
	assert_ptr_equal(dumped_frame, &frame);
	assert_non_null(strstr(wire, "panic: no such thing as 7\nin task 0 (none)\n"
	    "registers here\n"));
	check_tail();
	assert_false(intr_enabled());
	assert_null(strstr(wire, "watchdog"));
}

/* Armed, the watchdog gets a full period before the text, and one for the light after it. */
static void
test_watchdog(void **state)
{
	(void)state;
	watchdog_s = 5;
	if (setjmp(stopped) == 0)
		real_panic("gone");
	assert_int_equal(watchdog_loads, 2);
	assert_non_null(strstr(wire, "stopped.\nthe watchdog resets the board in 5 s\n"));
}

static void
test_nested(void **state)
{
	(void)state;
	dump_panics = true;
	if (setjmp(stopped) == 0)
		real_panic("outer");
	assert_int_equal(stop_code, PANIC_EXIT_CODE);
	assert_non_null(strstr(wire, "panic: outer\n"));
	assert_non_null(strstr(wire, "panic inside the panic, stopping: the dump fails too\n"));
	assert_null(strstr(wire, "trace, the last"));
}

static void
test_kassert(void **state)
{
	(void)state;
	if (setjmp(stopped) == 0)
		real_kassert_fail("x.c", 12, "X1: words");
	assert_non_null(strstr(wire, "panic: assertion failed: X1: words (x.c:12)\n"));
}

/* ---- the light: how often it was lit, by whom, before the machine stopped */

static uint32_t lit;

static void
light_set(bool on)
{
	lit += on;
}

static const struct led_dev light = { .name = "light", .set = light_set };

/* Where nobody sees it the code is given once; a real light would blink for ever. */
static void
test_light(void **state)
{
	int frame;

	(void)state;
	led_attach(&light, false);
	lit = 0;
	if (setjmp(stopped) == 0)
		real_kassert_fail("x.c", 12, "X1: words");
	assert_int_equal(lit, LED_PANIC_ASSERTION);
	assert_non_null(strstr(wire, "light: 2 long blinks: a rule of the kernel"));
	setup(state);
	lit = 0;
	if (setjmp(stopped) == 0)
		panic_trap(&frame, "a trap");
	assert_int_equal(lit, LED_PANIC_EXCEPTION);
	setup(state);
	lit = 0;
	if (setjmp(stopped) == 0)
		real_panic_as(LED_PANIC_MEMORY, "no RAM");
	assert_int_equal(lit, LED_PANIC_MEMORY);
	/* A panic inside the panic: the first one's class. */
	setup(state);
	lit = 0;
	dump_panics = true;
	if (setjmp(stopped) == 0)
		real_kassert_fail("x.c", 12, "X1: words");
	assert_int_equal(lit, LED_PANIC_ASSERTION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ksym),
		cmocka_unit_test_setup(test_message, setup),
		cmocka_unit_test_setup(test_watchdog, setup),
		cmocka_unit_test_setup(test_nested, setup),
		cmocka_unit_test_setup(test_kassert, setup),
		cmocka_unit_test_setup(test_light, setup),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
