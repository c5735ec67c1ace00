/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last thing that runs.
 *
 *   panic: MESSAGE
 *   registers, fault in words, backtrace         arch, cpu_panic_dump
 *   trace: the last TRACE_TAIL records
 *   stop: blink the code of the kind of panic on the board's light, for ever, or until
 *   the watchdog, if it is armed, resets the board
 *
 * Owns: the fact that a panic is on.
 * Does not: use the console's ring, sleep, allocate or trust the stack's depth: all
 *   output is polled, through one static buffer.
 * Invariants: Z1 a panic inside a panic prints one line and stops.
 * Yields: never; never returns.
 * See: kern/panic.h.
 */
#include "kern/panic.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/task.h"
#include "kern/trace.h"
#include "kern/watchdog.h"
#include "lib/assert.h"

#define TRACE_TAIL 32u

static bool panicking;
static enum led_panic class; /* of the first panic */
static char text[CONSOLE_LINE_BYTES];

static void
put(const char *s)
{
	while (*s != '\0')
		console_put_poll(*s++);
}

static void
put_formatted(const char *fmt, va_list args)
{
	vsnprintf(text, sizeof(text), fmt, args);
	put(text);
}

void
panic_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_formatted(fmt, args);
	va_end(args);
}

static void
print_trace_tail(void)
{
	static char line[160];
	struct trace_record record;
	uint64_t count = trace_count();

	panic_printf("trace, the last of %llu records:\n", (unsigned long long)count);
	for (uint64_t n = count > TRACE_TAIL ? count - TRACE_TAIL : 0; n < count; n++) {
		if (!trace_get(n, &record))
			continue;
		trace_format(&record, line, sizeof(line));
		panic_printf("  %s\n", line);
	}
}

/* Everything that a first panic says, and the end of any. */
static _Noreturn void
die(enum led_panic kind, const void *trap_frame, const char *fmt, va_list args)
{
	const struct task *t = curtask();
	uint32_t reset_s;

	(void)intr_disable();
	if (panicking) {
		put("\npanic inside the panic, stopping: ");
		put_formatted(fmt, args);
		put("\n");
		led_show_panic(class);
		cpu_poweroff(PANIC_EXIT_CODE);
	}
	panicking = true;
	class = kind;
	console_panic_mode();
	reset_s = watchdog_panic();
	put("\npanic: ");
	put_formatted(fmt, args);
	panic_printf("\nin task %u (%s)\n", t != NULL ? (unsigned)t->id : 0,
	    t != NULL ? t->name : "none");
	cpu_panic_dump(trap_frame);
	trace_flush(); /* for the next boot */
	print_trace_tail();
	if (led_present())
		panic_printf("light: %u long blinks: %s\n", (unsigned)class,
		    led_panic_words(class));
	put("stopped.\n");
	if (reset_s != 0)
		panic_printf("the watchdog resets the board in %u s\n", (unsigned)reset_s);
	(void)watchdog_panic(); /* a slow console may have used most of it */
	led_show_panic(class);
	cpu_poweroff(PANIC_EXIT_CODE);
}

void
panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(LED_PANIC_OTHER, NULL, fmt, args);
}

void
panic_as(enum led_panic kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(kind, NULL, fmt, args);
}

void
panic_trap(const void *trap_frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(LED_PANIC_EXCEPTION, trap_frame, fmt, args);
}

void
kassert_fail(const char *file, int line, const char *rule)
{
	panic_as(LED_PANIC_ASSERTION, "assertion failed: %s (%s:%d)", rule, file, line);
}
