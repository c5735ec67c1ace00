/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: a full screen on a terminal that says how large it is, lines where none answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "proc/proc.h"
#include "proc/proc_internal.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define ASK "\0337\033[999;999H\033[6n\0338"

static bool ended;

static void
top(void *arg)
{
	char line[60];

	strcpy(line, arg);
	monitor_execute(line);
	ended = true;
}

static void
keys(const char *bytes)
{
	for (; *bytes != '\0'; bytes++)
		console_rx(*bytes);
}

static void
begin(const char *command, uint32_t domains)
{
	static char copy[40];
	struct task *t;

	sim_mm_boot_domains(512, domains);
	kern_params_register();
	mm_params_register();
	console_tap_begin();
	ended = false;
	strcpy(copy, command);
	assert_int_equal(task_create(&t, "monitor", PRI_NORMAL, top, copy), 0);
	tsleep(&ended, "test", 1000);
	assert_int_equal(strncmp(console_tap_text(), ASK, strlen(ASK)), 0);
}

static uint32_t
count(const char *text, const char *word)
{
	uint32_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return (n);
}

static void
terminal_body(void *arg)
{
	const char *text, *next;
	uint32_t lines = 0;

	(void)arg;
	begin("top 2", 2);
	keys("\033[11;60R");
	tsleep(&ended, "test", 2500000);
	keys("q");
	tsleep(&ended, "test", 1000);
	assert_true(ended);
	text = strstr(console_tap_text(), "\033[?25l\033[2J\033[H");
	assert_non_null(text);
	/* Two pictures, each drawn over the other, none longer or wider than the screen. */
	assert_int_equal(count(text, "\033[H"), 2);
	assert_int_equal(count(text, "\033[J"), 2);
	text = strstr(text, "\033[H") + 3;
	for (; strncmp(text, "\033[J", 3) != 0; text = next + 1) {
		next = strchr(text, '\n');
		assert_non_null(next);
		assert_true(next - text <= 60 + 3);
		assert_int_equal(strncmp(next - 3, "\033[K", 3), 0);
		lines++;
	}
	assert_int_equal(lines, 8); /* head 4, domains 3, columns 1; two rows are left */
	assert_int_equal(strcmp(console_tap_text() + strlen(console_tap_text()) - 6,
	    "\033[?25h"), 0);
}
SIM_TEST(terminal)

/* Not more lines than there are rows but one. */
static void
small_body(void *arg)
{
	(void)arg;
	begin("top", 4);
	keys("\033[10;40R");
	tsleep(&ended, "test", 500000);
	keys("q");
	tsleep(&ended, "test", 1000);
	assert_true(ended);
	assert_int_equal(count(console_tap_text(), "\033[K"), 9); /* of ten */
}
SIM_TEST(small)

/* A log, or a terminal that says something else: the same as plain lines. */
static void
lines_body(void *arg)
{
	const char *text;

	begin("top", 1);
	keys(arg);
	tsleep(&ended, "test", 1000000);
	keys("q");
	tsleep(&ended, "test", 1000);
	assert_true(ended);
	text = console_tap_text() + strlen(ASK);
	assert_null(strchr(text, '\033'));
	assert_int_equal(count(text, "domains vote to kill"), 1);
	assert_int_equal(count(text, "Mem:  "), 1);
	assert_int_equal(count(text, "COMMAND\n"), 1);
}

static void
test_lines(void **state)
{
	(void)state;
	sim_run(lines_body, "");
	sim_run(lines_body, "\033[5;80R");
	sim_run(lines_body, "x\033[99999999999;80R");
}

static void
publish(uint32_t programs, uint64_t run_us)
{
	for (; programs > 0; programs--) {
		struct proc *p = proc_new();

		assert_non_null(p);
		p->run_cycles = run_us * SIM_CYCLES_PER_SECOND / 1000000;
		proc_publish(p);
	}
}

/* More programs than rows: all are counted. */
static void
many_body(void *arg)
{
	const char *text, *second;

	(void)arg;
	proc_init();
	begin("top", 1);
	publish(29, 0);
	tsleep(&ended, "test", 500000);
	publish(1, 0);
	tsleep(&ended, "test", 1000000);
	keys("q");
	tsleep(&ended, "test", 1000);
	assert_true(ended);
	text = strstr(console_tap_text(), " s; 29 programs: ");
	assert_non_null(text);
	second = strstr(text, " s; 30 programs: ");
	assert_non_null(second);
	assert_int_equal(count(second, "    0.00   0.0% "), 24);
}
SIM_TEST(many)

/* A program that is shown for the first time: not what it has run since ever. */
static void
new_row_body(void *arg)
{
	(void)arg;
	proc_init();
	begin("top", 1);
	publish(2, 0);
	tsleep(&ended, "test", 500000);
	publish(1, 100000000);
	tsleep(&ended, "test", 1000000);
	keys("q");
	tsleep(&ended, "test", 1000);
	assert_true(ended);
	assert_int_equal(count(console_tap_text(), "  100.00   0.0% "), 1);
}
SIM_TEST(new_row)

/* Rates are of the time that has passed, not of the time that was asked for. */
static void
rates_body(void *arg)
{
	static char command[] = "sysctl -d 1 vm.stats.vm.v_vm_faults";
	struct task *t;

	(void)arg;
	sim_mm_boot(512);
	mm_params_register();
	console_tap_begin();
	ended = false;
	assert_int_equal(task_create(&t, "monitor", PRI_NORMAL, top, command), 0);
	tsleep(&ended, "test", 1000);
	mm_params.v_vm_faults += 400;
	sim_advance_us(3998000);
	tsleep(&ended, "test", 1000);
	keys("q");
	tsleep(&ended, "test", 2000000);
	assert_true(ended);
	assert_true(strstr(console_tap_text(), " 100.0 a second\n1 changed\n") != NULL ||
	    strstr(console_tap_text(), " 99.9 a second\n1 changed\n") != NULL);
}
SIM_TEST(rates)

static void
mistake_body(void *arg)
{
	char line[] = "top 0";

	(void)arg;
	console_tap_begin();
	monitor_execute(line);
	assert_string_equal(console_tap_text(),
	    "top: expected a number from 1 to 3600, got '0'; usage: top [SECONDS]\n");
}
SIM_TEST(mistake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_new_row),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_mistake),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
