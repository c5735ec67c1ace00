/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/timer.c, kern/irq.c, kern/trace.c and kern/param.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/irq.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "kern/trace.h"
#include "test/host/sim_machdep.h"

/* ---- timer */

static void
test_conversion(void **state)
{
	(void)state;
	sim_reset();
	assert_int_equal(timer_us_to_cycles(0), 0);
	assert_int_equal(timer_us_to_cycles(1), 63); /* 62.5, never too short */
	assert_int_equal(timer_us_to_cycles(1000000), SIM_CYCLES_PER_SECOND);
	assert_int_equal(timer_cycles_to_us(SIM_CYCLES_PER_SECOND), 1000000);
	assert_int_equal(timer_cycles_to_us(62), 0);
	/* A year, where a plain product would overflow. */
	assert_int_equal(timer_cycles_to_us(31536000ull * SIM_CYCLES_PER_SECOND),
	    31536000000000ull);
	assert_int_equal(timer_us_to_cycles(31536000000000ull),
	    31536000ull * SIM_CYCLES_PER_SECOND);
	assert_true(timer_us_to_cycles(UINT64_MAX) > 1ull << 50);
	for (uint64_t us = 0; us < 100000; us += 7)
		assert_in_range(timer_cycles_to_us(timer_us_to_cycles(us)), us, us + 1);
}

static char fired[64];

static void
fire(void *arg)
{
	assert_false(intr_enabled());
	strcat(fired, arg);
}

static void
test_callouts(void **state)
{
	struct callout a = { 0 }, b = { 0 }, c = { 0 };
	uint64_t start;

	(void)state;
	sim_reset();
	fired[0] = '\0';
	start = timer_now_us();
	callout_reset(&a, 300, fire, "a");
	callout_reset(&b, 100, fire, "b");
	callout_reset(&c, 200, fire, "c");
	sim_advance_us(99);
	assert_string_equal(fired, "");
	sim_advance_us(2);
	assert_string_equal(fired, "b");
	sim_advance_us(200);
	assert_string_equal(fired, "bca");
	assert_false(a.pending);
	assert_in_range(timer_now_us() - start, 301, 305);

	/* Moved later, moved earlier, stopped. */
	fired[0] = '\0';
	callout_reset(&a, 100, fire, "a");
	callout_reset(&b, 500, fire, "b");
	callout_reset(&c, 200, fire, "c");
	callout_reset(&a, 300, fire, "A");
	callout_reset(&b, 50, fire, "B");
	assert_true(callout_stop(&c));
	assert_false(callout_stop(&c));
	sim_advance_us(1000);
	assert_string_equal(fired, "BA");
	/* Equal deadlines in order of arrival; no delay fires at once. */
	fired[0] = '\0';
	(void)intr_disable();
	callout_reset(&a, 0, fire, "a");
	callout_reset(&b, 0, fire, "b");
	assert_string_equal(fired, "");
	intr_restore(0);
	sim_advance_us(1);
	assert_string_equal(fired, "ab");
}

/* Two deadlines that are equal to the tick: 2000 ticks are 32 us. */
static void
test_callout_order(void **state)
{
	struct callout a = { 0 }, b = { 0 };

	(void)state;
	sim_reset();
	fired[0] = '\0';
	callout_reset(&a, 33, fire, "a");
	for (uint32_t i = 0; i < 2000 / SIM_CYCLES_PER_READ - 1; i++)
		(void)get_cyclecount();
	callout_reset(&b, 1, fire, "b");
	assert_int_equal(a.deadline_cycles, b.deadline_cycles);
	sim_advance_us(50);
	assert_string_equal(fired, "ab");
}

static struct callout again;
static int again_left;

static void
fire_again(void *arg)
{
	(void)arg;
	strcat(fired, ".");
	if (--again_left > 0)
		callout_reset(&again, 0, fire_again, NULL);
}

static void
test_callout_again(void **state)
{
	(void)state;
	sim_reset();
	fired[0] = '\0';
	again_left = 10;
	callout_reset(&again, 5, fire_again, NULL);
	sim_advance_us(100);
	assert_string_equal(fired, "..........");
	timer_delay(1000);
	SIM_EXPECT_ASSERT("T4", timer_delay(1001));
}

/* Many callouts, reset and stopped at random, fire in order and on time. */
#define MANY 40
static struct callout many[MANY];
static uint64_t due_us[MANY];
static uint64_t last_due_us;

static void
fire_many(void *arg)
{
	size_t i = (size_t)((struct callout *)arg - many);
	uint64_t now = timer_now_us();

	assert_in_range(now, due_us[i], due_us[i] + 5);
	assert_true(due_us[i] + 2 >= last_due_us);
	last_due_us = due_us[i];
	due_us[i] = 0;
}

static void
test_callouts_random(void **state)
{
	(void)state;
	sim_reset();
	memset(many, 0, sizeof(many));
	memset(due_us, 0, sizeof(due_us));
	last_due_us = 0;
	(void)sim_seed(3);
	for (int step = 0; step < 5000; step++) {
		uint32_t i = sim_random(MANY);
		uint32_t delay_us = 10 + sim_random(1000);

		switch (sim_random(3)) {
		case 0:
			assert_int_equal(callout_stop(&many[i]), due_us[i] != 0);
			due_us[i] = 0;
			break;
		case 1:
			due_us[i] = timer_now_us() + delay_us;
			callout_reset(&many[i], delay_us, fire_many, &many[i]);
			break;
		default:
			sim_advance_us(sim_random(50));
		}
	}
	sim_advance_us(2000);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(due_us[i], 0);
}

/* ---- irq */

static uint32_t handled[2];

static void
handler(void *arg)
{
	assert_true(sched_in_irq());
	++*(uint32_t *)arg;
}

static void
test_irq(void **state)
{
	(void)state;
	sim_reset();
	memset(handled, 0, sizeof(handled));
	assert_int_equal(irq_register(5, handler, &handled[0], "five"), 0);
	assert_true(sim_irq_line_enabled(5));
	assert_int_equal(irq_register(5, handler, &handled[1], "five"), ERR_EXIST);
	assert_int_equal(irq_register(IRQ_LINES_MAX, handler, NULL, "far"), ERR_RANGE);
	assert_int_equal(irq_register(191, handler, &handled[1], "last"), 0);
	sim_irq_raise(5);
	assert_int_equal(handled[0], 1);
	assert_false(sched_in_irq());
	(void)intr_disable();
	sim_irq_raise(5);
	sim_irq_raise(191);
	assert_int_equal(handled[0], 1); /* masked */
	intr_restore(0);
	assert_int_equal(handled[0], 2);
	assert_int_equal(handled[1], 1);
	assert_int_equal(kern_params.irqs, 3);
	/* Nobody's: the line is shut. */
	sim_irq_controller.enable(7);
	sim_irq_raise(7);
	assert_int_equal(kern_params.irq_stray, 1);
	assert_false(sim_irq_line_enabled(7));
}

static void
test_irq_lock(void **state)
{
	struct irq_lock outer = { 0 }, inner = { 0 };

	(void)state;
	sim_reset();
	irq_lock_acquire(&outer);
	irq_lock_acquire(&inner);
	irq_lock_release(&inner);
	assert_false(intr_enabled());
	irq_lock_release(&outer);
	assert_true(intr_enabled());
}

/* ---- trace */

static void
test_trace(void **state)
{
	uint64_t start = trace_count();
	uint64_t mask = trace_mask;
	struct trace_record r;
	char text[120], small[8];

	(void)state;
	sim_reset();
	trace(TRACE_SWITCH, 1, 2, 3); /* masked off by default */
	assert_int_equal(trace_count(), start);
	trace(TRACE_BIO, 0x10, 0x1000, 1);
	assert_int_equal(trace_count(), start + 1);
	assert_true(trace_get(start, &r));
	assert_int_equal(r.event, TRACE_BIO);
	assert_int_equal(r.b, 0x1000);
	assert_int_equal(r.task_id, 0);
	r.cycles = SIM_CYCLES_PER_SECOND * 3ull / 2;
	trace_format(&r, text, sizeof(text));
	assert_string_equal(text, "1.500000 task 0 bio, block 0x10, bytes 0x1000, op 0x1");
	trace_format(&r, small, sizeof(small));
	assert_string_equal(small, "1.50000");
	r.event = 999;
	trace_format(&r, text, sizeof(text));
	assert_non_null(strstr(text, "task 0 ?, a 0x10"));
	assert_false(trace_get(start + 1, &r));
	/* Around the ring: the last TRACE_RECORDS are there, the one before is not. */
	for (uint64_t i = 0; i < TRACE_RECORDS + 10; i++)
		trace(TRACE_MARK, i, 0, 0);
	start = trace_count() - TRACE_RECORDS;
	assert_false(trace_get(start - 1, &r));
	for (uint64_t n = start; n < trace_count(); n++) {
		assert_true(trace_get(n, &r));
		assert_int_equal(r.a, n - start + 10);
	}
	assert_int_equal(trace_event_find("pageout"), TRACE_PAGEOUT);
	assert_int_equal(trace_event_find("nothing"), -1);
	assert_string_equal(trace_event_name(TRACE_OOM), "oom");
	assert_string_equal(trace_event_name(TRACE_EVENT_COUNT), "?");
	assert_true(TRACE_EVENT_COUNT <= 64);
	trace_mask = 0;
	start = trace_count();
	trace(TRACE_MARK, 0, 0, 0);
	assert_int_equal(trace_count(), start);
	trace_mask = mask;
}

/* ---- param */

struct test_params {
	int64_t low, high, fixed;
	uint64_t count;
	struct histogram times;
};

static struct test_params values;
static const struct param_row *changed_row;

static const struct param_row rows[] = {
	{ "test.low", "Low.", &values.low, 10, 0, 100, PARAM_TUNABLE, PAGES },
	{ "test.high", "High.", &values.high, 50, -5, 100, PARAM_TUNABLE, PERCENT },
	{ "test.fixed", "Fixed.", &values.fixed, 3, 3, 3, PARAM_TUNABLE, EVENTS },
	{ "test.count", "Count.", &values.count, 0, 0, 0, PARAM_COUNTER, EVENTS },
	{ "test.times", "Times.", &values.times, 0, 0, 0, PARAM_HISTOGRAM, MICROSECONDS },
};

static const char *
validate(const struct param_row *row, int64_t value)
{
	int64_t low = row->value == &values.low ? value : values.low;
	int64_t high = row->value == &values.high ? value : values.high;

	return (low > high ? "test.low must not exceed test.high" : NULL);
}

static void
changed(const struct param_row *row)
{
	changed_row = row;
}

void test_params_register(void);
PARAM_TABLE(test_params, rows, validate, changed)

static void
test_param(void **state)
{
	char why[100];

	(void)state;
	sim_reset();
	values.low = 77;
	values.count = 3;
	test_params_register();
	assert_int_equal(values.low, 10);
	test_params_register(); /* again: defaults, not a second table */
	assert_int_equal(values.count, 3);
	assert_int_equal(param_get(param_find("test.low")), 10);
	assert_int_equal(param_get(param_find("test.count")), 3);
	histogram_add(&values.times, 5);
	assert_int_equal(param_get(param_find("test.times")), 1);
	assert_null(param_find("test.lo"));

	assert_int_equal(param_set("test.low", 20, why, sizeof(why)), 0);
	assert_int_equal(values.low, 20);
	assert_ptr_equal(changed_row, &rows[0]);
	changed_row = NULL;
	assert_int_equal(param_set("test.low", 101, why, sizeof(why)), ERR_INVAL);
	assert_string_equal(why, "test.low: expected 0 to 100 pages, not 101");
	assert_int_equal(param_set("test.high", -6, why, sizeof(why)), ERR_INVAL);
	assert_int_equal(param_set("test.high", 19, why, sizeof(why)), ERR_INVAL);
	assert_string_equal(why,
	    "test.high: test.low must not exceed test.high");
	assert_int_equal(param_set("test.count", 1, why, sizeof(why)), ERR_PERM);
	assert_int_equal(param_set("test.fixed", 3, why, sizeof(why)), ERR_PERM);
	assert_string_equal(why, "test.fixed: is always 3 in this build");
	assert_int_equal(param_set("test.nothing", 1, why, sizeof(why)), ERR_NOENT);
	assert_string_equal(why, "test.nothing: no such name");
	assert_null(changed_row);
	assert_int_equal(values.high, 50);
}

static void
test_param_walk(void **state)
{
	const struct param_row *row = NULL;
	uint32_t count = 0, test_count = 0;

	(void)state;
	while ((row = param_next(row)) != NULL) {
		count++;
		test_count += strncmp(row->name, "test.", 5) == 0;
		assert_int_equal(row->help[strlen(row->help) - 1], '.');
		assert_true(strlen(param_unit_name(row->unit)) > 0);
		assert_ptr_equal(param_find(row->name), row);
	}
	assert_int_equal(test_count, 5);
	assert_true(count > 10); /* kern's are there too */
	assert_int_equal(param_get(param_find("kern.sched.slice_us")), 10000);
}

static void
test_param_twice(void **state)
{
	static const struct param_row again_rows[] = {
		{ "test.low", "Again.", &values.low, 10, 0, 100, PARAM_TUNABLE, PAGES },
	};
	static const struct param_row wrong_rows[] = {
		{ "test.wrong", "Wrong.", &values.low, 101, 0, 100, PARAM_TUNABLE, PAGES },
	};
	struct param_table table = { .rows = again_rows, .row_count = 1 };

	(void)state;
	SIM_EXPECT_ASSERT("P1", param_register(&table));
	table.rows = wrong_rows;
	SIM_EXPECT_ASSERT("P2", param_register(&table));
}

static void
test_histogram(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_percentile(&h, 50), 0);
	for (uint64_t i = 0; i < 100; i++)
		histogram_add(&h, i);
	assert_int_equal(h.count, 100);
	assert_int_equal(h.sum, 4950);
	assert_int_equal(h.max, 99);
	assert_int_equal(h.buckets[0], 1);
	assert_int_equal(h.buckets[6], 32); /* 32..63 */
	assert_int_equal(histogram_percentile(&h, 0), 0);
	assert_int_equal(histogram_percentile(&h, 1), 0);
	assert_int_equal(histogram_percentile(&h, 2), 1);
	assert_int_equal(histogram_percentile(&h, 50), 63);
	assert_int_equal(histogram_percentile(&h, 64), 63);
	assert_int_equal(histogram_percentile(&h, 65), 99); /* the largest seen, not 127 */
	assert_int_equal(histogram_percentile(&h, 100), 99);
	histogram_add(&h, UINT64_MAX);
	assert_int_equal(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
	/* Ranks are rounded up: of 0, 0, 100 the upper third is the last. */
	memset(&h, 0, sizeof(h));
	histogram_add(&h, 0);
	histogram_add(&h, 0);
	histogram_add(&h, 100);
	assert_int_equal(histogram_percentile(&h, 66), 0);
	assert_int_equal(histogram_percentile(&h, 67), 100);
	SIM_EXPECT_ASSERT("P3", (void)histogram_percentile(&h, 101));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversion),
		cmocka_unit_test(test_callouts),
		cmocka_unit_test(test_callout_order),
		cmocka_unit_test(test_callout_again),
		cmocka_unit_test(test_callouts_random),
		cmocka_unit_test(test_irq),
		cmocka_unit_test(test_irq_lock),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_param),
		cmocka_unit_test(test_param_walk),
		cmocka_unit_test(test_param_twice),
		cmocka_unit_test(test_histogram),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
