/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics stream: lines that any reader can check, complete at the beginning, then
 * only what has changed; whole between the lines of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/monitor.h"
#include "app/monitor/stream.h"
#include "app/monitor/stream_line.h"
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "lib/crc32c.h"
#include "mm/mm_params.h"
#include "mm/vm_pagemap.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define VALUES_MAX 512
#define MARK "{\"ebb\":1,\"s\":"

/* What a reader of the lines knows. */
static struct {
	uint32_t lines, others; /* of the stream; of somebody else */
	int64_t number;         /* of the last line */
	char names[VALUES_MAX][48];
	int64_t values[VALUES_MAX];
	uint32_t changes;       /* pairs in the lines read last */
	uint32_t cells;
	char last_histogram[STREAM_LINE_BYTES];
} reader;

static int64_t
number_after(const char *line, const char *member)
{
	const char *at = strstr(line, member);

	assert_non_null(at);
	return (strtoll(at + strlen(member), NULL, 10));
}

/* Brackets and quotes close in order; nothing follows the last. */
static void
check_nesting(const char *line)
{
	char open[8];
	int depth = 0;
	bool quoted = false;

	for (const char *c = line; *c != '\0'; c++) {
		if (quoted) {
			c += *c == '\\';
			quoted = *c != '"';
		} else if (*c == '"') {
			quoted = true;
		} else if (*c == '{' || *c == '[') {
			assert_true(depth < 8);
			open[depth++] = *c == '{' ? '}' : ']';
		} else if (*c == '}' || *c == ']') {
			assert_true(depth > 0 && open[depth - 1] == *c);
			depth--;
		}
	}
	assert_true(depth == 0 && !quoted);
}

static void
read_names(const char *line)
{
	for (const char *at = strstr(line, ":[[") + 2; *at == '['; at++) {
		char *end;
		long i = strtol(at + 1, &end, 10);

		assert_true(i >= 0 && i < VALUES_MAX && end[0] == ',' && end[1] == '"');
		snprintf(reader.names[i], sizeof(reader.names[i]), "%.*s",
		    (int)strcspn(end + 2, "\""), end + 2);
		at = strchr(at, ']') + 1;
		if (*at != ',')
			return;
	}
}

static void
read_values(const char *line)
{
	const char *at = strstr(line, "\"d\":[") + 5;
	char *end;

	while (*at != ']') {
		long i = strtol(at, &end, 10);

		assert_true(*end == ',' && i >= 0 && i < VALUES_MAX && reader.names[i][0] != '\0');
		reader.values[i] = strtoll(end + 1, &end, 10);
		reader.changes++;
		at = *end == ',' ? end + 1 : end;
	}
}

static void
read_cells(const char *line)
{
	const char *at = strstr(line, "\"cells\":\"") + 9;

	for (; *at != '"'; at++) {
		char *end;
		long run = strtol(at, &end, 10);

		reader.cells += end == at ? 1 : (uint32_t)run;
		at = end;
		assert_non_null(strchr(".cAid*W?", *at));
	}
}

static void
read_line(char *line)
{
	char *crc = strstr(line, ",\"crc\":\"");

	assert_true(strlen(line) < STREAM_LINE_BYTES);
	check_nesting(line);
	assert_non_null(crc);
	assert_int_equal(strtoul(crc + 8, NULL, 16), crc32c(0, line, (size_t)(crc - line)));
	assert_string_equal(crc + 16, "\"}");
	assert_true(reader.lines == 0 || number_after(line, "\"s\":") == reader.number + 1);
	reader.number = number_after(line, "\"s\":");
	reader.lines++;
	if (strstr(line, "\"y\":\"names\"") != NULL)
		read_names(line);
	else if (strstr(line, "\"d\":[") != NULL)
		read_values(line);
	else if (strstr(line, "\"y\":\"map\"") != NULL)
		read_cells(line);
	else if (strstr(line, "\"y\":\"hist\"") != NULL)
		strcpy(reader.last_histogram, line);
}

/* All that has been printed since the last time. */
static void
read_all(void)
{
	static char text[1 << 20];
	char *line, *next;

	snprintf(text, sizeof(text), "%s", console_tap_text());
	console_tap_begin();
	reader.changes = reader.cells = 0;
	reader.last_histogram[0] = '\0';
	for (line = text; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		if (strncmp(line, MARK, strlen(MARK)) == 0)
			read_line(line);
		else
			reader.others++;
	}
}

static int64_t
value(const char *name)
{
	for (uint32_t i = 0; i < VALUES_MAX; i++)
		if (strcmp(reader.names[i], name) == 0)
			return (reader.values[i]);
	fail_msg("no name %s", name);
	return (-1);
}

static void
begin(void)
{
	sim_mm_boot(256);
	kern_params_register();
	mm_params_register();
	memset(&reader, 0, sizeof(reader));
	console_tap_begin();
}

static void
execute(const char *command)
{
	char line[80];

	snprintf(line, sizeof(line), "%s", command);
	monitor_execute(line);
}

static void
sleep_ms(uint32_t ms)
{
	tsleep(&reader, "test", ms * 1000ull);
}

static void
changes_body(void *arg)
{
	(void)arg;
	begin();
	execute("stream on 100 0");
	sleep_ms(50);
	read_all();
	assert_true(reader.lines > 3);
	assert_true(reader.changes > 100);
	assert_int_equal(value("kern.sched.slice_us"), kern_params.slice_us);
	assert_int_equal(value("vm.stats.vm.v_page_count"), mm_params.v_page_count);

	mm_params.v_swappgsin += 7;
	sleep_ms(100);
	read_all();
	assert_int_equal(value("vm.stats.vm.v_swappgsin"), 7);
	assert_true(reader.changes > 0 && reader.changes < 20);
	execute("stream off");
	read_all();
	sleep_ms(1000);
	assert_string_equal(console_tap_text(), "");
	execute("stream");
	assert_string_equal(console_tap_text(), "stream is off\n");
}
SIM_TEST(changes)

/* Buckets that grew, of histograms that grew; once a second. */
static void
histograms_body(void *arg)
{
	(void)arg;
	begin();
	histogram_add(&mm_params.fault_us, 5);
	histogram_add(&mm_params.fault_us, 100);
	execute("stream on 500 0");
	sleep_ms(50);
	read_all();
	assert_non_null(strstr(reader.last_histogram, ",2,105,100,3,1,7,1]"));
	histogram_add(&mm_params.fault_us, 6);
	sleep_ms(500);
	read_all();
	assert_string_equal(reader.last_histogram, "");
	sleep_ms(500);
	read_all();
	assert_non_null(strstr(reader.last_histogram, ",3,111,100,3,2]"));
	execute("stream off");
}
SIM_TEST(histograms)

static void
map_body(void *arg)
{
	(void)arg;
	begin();
	execute("stream on 100 400");
	sleep_ms(50);
	read_all();
	assert_int_equal(reader.cells, vm_pagemap_count());
	sleep_ms(300);
	read_all();
	assert_int_equal(reader.cells, 0);
	sleep_ms(100);
	read_all();
	assert_int_equal(reader.cells, vm_pagemap_count());
	execute("stream off");
}
SIM_TEST(map)

/* Begun anew: all names and values again. All values come every ten seconds anyway. */
static void
again_body(void *arg)
{
	uint32_t all;

	(void)arg;
	begin();
	execute("stream on 1000 0");
	sleep_ms(10);
	read_all();
	all = reader.changes;
	sleep_ms(9500);
	read_all();
	assert_true(reader.changes < all);
	sleep_ms(1000);
	read_all();
	assert_true(reader.changes >= all);
	memset(reader.names, 0, sizeof(reader.names));
	execute("stream on 100 0");
	sleep_ms(10);
	read_all();
	assert_int_equal(reader.changes, all);
	assert_int_equal(stream_period_ms(), 100);
	execute("stream off");
}
SIM_TEST(again)

static void
mistakes_body(void *arg)
{
	(void)arg;
	begin();
	execute("stream of");
	assert_non_null(strstr(console_tap_text(), "stream: expected on or off, got 'of'; usage"));
	execute("stream on 10");
	assert_non_null(strstr(console_tap_text(), "expected a number from 20 to 60000"));
	execute("stream on 100 x");
	assert_non_null(strstr(console_tap_text(), "expected a number from 0 to 60000"));
	assert_int_equal(stream_period_ms(), 0);
}
SIM_TEST(mistakes)

/* ---- between others */

static bool writers_stop;
static uint32_t written;

static void
writer(void *arg)
{
	while (!writers_stop) {
		kprintf("%s: line %u of somebody else\n", (const char *)arg, written++);
		tsleep(&written, "writer", 3000);
	}
}

static void
between_body(void *arg)
{
	struct task *t;

	(void)arg;
	begin();
	writers_stop = false;
	written = 0;
	sim_random_scheduler(sim_seed(20261123));
	assert_int_equal(task_create(&t, "writer", PRI_NORMAL, writer, "one"), 0);
	assert_int_equal(task_create(&t, "writer", PRI_NORMAL, writer, "two"), 0);
	execute("stream on 20 50");
	for (uint32_t i = 0; i < 40; i++) {
		sleep_ms(25);
		read_all();
	}
	execute("stream off");
	writers_stop = true;
	sleep_ms(10);
	read_all();
	assert_true(reader.lines > 50);
	assert_int_equal(reader.others, written);
	sim_random_scheduler(0);
}
SIM_TEST(between)

/* ---- parts */

static void
parts_body(void *arg)
{
	static struct stream_out out;
	const char *text;

	(void)arg;
	begin();
	stream_list_begin(&out, "x", "\"t\":1", "l", false);
	stream_item_begin(&out, 200);
	stream_put_number(&out, INT64_MIN);
	stream_item_begin(&out, 200);
	stream_put_number(&out, INT64_MAX);
	stream_item_begin(&out, 200);
	stream_put_string(&out, "a\"b\\c\n\377");
	stream_list_end(&out);
	text = console_tap_text();
	assert_non_null(strstr(text, MARK "0,\"y\":\"x\",\"t\":1,\"l\":[-9223372036854775808,"
	    "9223372036854775807,\"a\\u0022b\\u005cc\\u000a\\u00ff\"],\"crc\":\""));
	read_all();
	assert_int_equal(reader.lines, 1);
	/* A list without items sends nothing and uses no number. */
	stream_list_begin(&out, "x", "", "l", true);
	stream_list_end(&out);
	assert_string_equal(console_tap_text(), "");
	SIM_EXPECT_ASSERT("L1", stream_item_begin(&out, STREAM_LINE_BYTES / 2 + 1));
	stream_list_begin(&out, "x", "", "l", false);
	for (uint32_t i = 0; i < 1000; i++) {
		stream_item_begin(&out, 10);
		stream_put(&out, "1234567A");
	}
	stream_list_end(&out);
	read_all();
	assert_int_equal(reader.lines, 1 + 10);
}
SIM_TEST(parts)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_histograms),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_parts),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
