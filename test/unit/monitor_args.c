/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's parsers: words, numbers, near misses, run=, and vmstat lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/args.h"
#include "app/monitor/job.h"
#include "app/monitor/program.h"
#include "app/monitor/vmstat.h"

static char *words[ARGS_MAX];
static struct args_line parts;

static int
split(const char *text)
{
	static char line[256];
	const char *why = NULL;
	int count;

	strcpy(line, text);
	count = args_split(line, &parts, &why);
	assert_true((count < 0) == (why != NULL));
	memcpy(words, parts.words, sizeof(words));
	return (count);
}

static void
test_split(void **state)
{
	(void)state;
	assert_int_equal(split(""), 0);
	assert_int_equal(split("  \t "), 0);
	assert_int_equal(split(" ls\t/apps  x "), 3);
	assert_string_equal(words[0], "ls");
	assert_string_equal(words[1], "/apps");
	assert_string_equal(words[2], "x");
	assert_false(parts.background);
	assert_int_equal(split("cat 'a b' \"it's\" x'y z'\"\" ''"), 5);
	assert_string_equal(words[1], "a b");
	assert_string_equal(words[2], "it's");
	assert_string_equal(words[3], "xy z");
	assert_string_equal(words[4], "");
	assert_int_equal(split("run memhog 8 &"), 3);
	assert_true(parts.background);
	assert_int_equal(split("run memhog&"), 2);
	assert_string_equal(words[1], "memhog");
	assert_true(parts.background);
	assert_int_equal(split("&"), 0);
	assert_int_equal(split("cat 'a b"), ERR_INVAL);
	assert_int_equal(split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), 16);
	assert_string_equal(words[15], "16");
	assert_int_equal(split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), ERR_INVAL);
}

static void
test_escape(void **state)
{
	(void)state;
	assert_int_equal(split("a\\ b \\'c \\# \\> \\& \\\\"), 6);
	assert_string_equal(words[0], "a b");
	assert_string_equal(words[1], "'c");
	assert_string_equal(words[2], "#");
	assert_string_equal(words[3], ">");
	assert_string_equal(words[4], "&");
	assert_string_equal(words[5], "\\");
	/* Between '...' a backslash is one; between "..." it counts before " and itself. */
	assert_int_equal(split("'a\\b' \"q\\\"\\\\\\n\" end\\"), 3);
	assert_string_equal(words[0], "a\\b");
	assert_string_equal(words[1], "q\"\\\\n");
	assert_string_equal(words[2], "end\\");
	assert_int_equal(split("'it\\'s"), 1);
	assert_string_equal(words[0], "it\\s");
	assert_int_equal(split("\"a\\\""), ERR_INVAL);
	assert_int_equal(split("# all of it"), 0);
	assert_int_equal(split("ls a#b # ' is a comment &"), 2);
	assert_string_equal(words[1], "a#b");
	assert_false(parts.background);
	assert_int_equal(split("run x & # note"), 2);
	assert_true(parts.background);
	assert_int_equal(split("run x & y"), ERR_INVAL);
	assert_int_equal(split("run x &&"), ERR_INVAL);
	assert_int_equal(split("run '&' \"&\""), 3);
	assert_false(parts.background);
}

static void
test_redirect(void **state)
{
	(void)state;
	assert_int_equal(split("ps"), 1);
	assert_null(parts.out);
	assert_null(parts.in);
	assert_int_equal(split("sort a>'/out put.txt' -r</in&"), 3);
	assert_string_equal(words[1], "a");
	assert_string_equal(words[2], "-r");
	assert_string_equal(parts.out, "/out put.txt");
	assert_string_equal(parts.in, "/in");
	assert_false(parts.append);
	assert_true(parts.background);
	assert_int_equal(split("ps >> /log # kept"), 1);
	assert_string_equal(parts.out, "/log");
	assert_true(parts.append);
	assert_int_equal(split("ps >>/log </x"), 1);
	assert_true(parts.append);
	assert_int_equal(split("> /x"), 0);
	assert_string_equal(parts.out, "/x");
	assert_int_equal(split("ps '>' \\>x"), 3);
	assert_null(parts.out);
	assert_int_equal(split("ps >"), ERR_INVAL);
	assert_int_equal(split("ps > # x"), ERR_INVAL);
	assert_int_equal(split("ps > >x"), ERR_INVAL);
	assert_int_equal(split("ps >a >b"), ERR_INVAL);
	assert_int_equal(split("ps <a <b"), ERR_INVAL);
	assert_int_equal(split("ps >'a"), ERR_INVAL);
}

static void
test_number(void **state)
{
	int64_t n = -1;

	(void)state;
	assert_int_equal(args_number("0", 0, 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(args_number("10", 0, 10, &n), 0);
	assert_int_equal(args_number("11", 0, 10, &n), ERR_RANGE);
	assert_int_equal(args_number("-1", 0, 10, &n), ERR_RANGE);
	assert_int_equal(args_number("-5", -5, 10, &n), 0);
	assert_int_equal(n, -5);
	assert_int_equal(args_number("0x1F", 0, 100, &n), 0);
	assert_int_equal(n, 31);
	assert_int_equal(args_number("", 0, 10, &n), ERR_INVAL);
	assert_int_equal(args_number("-", 0, 10, &n), ERR_INVAL);
	assert_int_equal(args_number("0x", 0, 10, &n), ERR_INVAL);
	assert_int_equal(args_number("1a", 0, 10, &n), ERR_INVAL);
	assert_int_equal(args_number("1 ", 0, 10, &n), ERR_INVAL);
	assert_int_equal(args_number("9223372036854775807", 0, INT64_MAX, &n), 0);
	assert_int_equal(n, INT64_MAX);
	assert_int_equal(args_number("9223372036854775808", 0, INT64_MAX, &n), ERR_RANGE);
	assert_int_equal(args_number("99999999999999999999999", 0, INT64_MAX, &n), ERR_RANGE);
}

static void
test_distance(void **state)
{
	(void)state;
	assert_int_equal(args_distance("vmstat", "vmstat"), 0);
	assert_int_equal(args_distance("vmstta", "vmstat"), 1);
	assert_int_equal(args_distance("vmsat", "vmstat"), 1);
	assert_int_equal(args_distance("vmsttat", "vmstat"), 1);
	assert_int_equal(args_distance("vmstax", "vmstat"), 1);
	assert_int_equal(args_distance("", "abc"), 3);
	assert_int_equal(args_distance("abc", ""), 3);
	assert_int_equal(args_distance("kitten", "sitting"), 3);
	assert_int_equal(args_distance(
	    "0123456789012345678901234567890123456789012345678901234567890",
	    "0123456789012345678901234567890123456789012345678901234567890"), 0);
}

static void
test_job(void **state)
{
	const char *why = NULL;
	char text[64];

	(void)state;
	strcpy(text, "sort:/data/words.txt:-r");
	assert_int_equal(job_split(text, words, &why), 3);
	assert_string_equal(words[0], "sort");
	assert_string_equal(words[1], "/data/words.txt");
	assert_string_equal(words[2], "-r");
	strcpy(text, "hello");
	assert_int_equal(job_split(text, words, &why), 1);
	strcpy(text, ":x");
	assert_int_equal(job_split(text, words, &why), ERR_INVAL);
	assert_string_equal(why, "no program");
	strcpy(text, "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17");
	assert_int_equal(job_split(text, words, &why), ERR_INVAL);
}

static void
test_program_path(void **state)
{
	char path[PROGRAM_PATH_BYTES], longest[200];

	(void)state;
	assert_int_equal(program_path("sort", path), 0);
	assert_string_equal(path, "/apps/sort.elf");
	assert_int_equal(program_path("sort.elf", path), 0);
	assert_string_equal(path, "/apps/sort.elf");
	assert_int_equal(program_path("/data/x", path), 0);
	assert_string_equal(path, "/data/x");
	assert_int_equal(program_path("a/b", path), 0);
	assert_string_equal(path, "a/b");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(program_path(longest, path), ERR_NAMETOOLONG);
}

static void
test_vmstat_line(void **state)
{
	struct vmstat_sample a = { .at_us = 1000000, .faults = 100, .flag_faults = 1000,
		.page_ins = 10, .page_outs = 20, .clusters = 5, .reads = 7, .writes = 9,
		.idle_us = 500000 };
	struct vmstat_sample b = a;
	char line[VMSTAT_LINE_BYTES];

	(void)state;
	b.at_us += 2000000;
	b.runnable = 1;
	b.free = 101;
	b.active = 1500;
	b.inactive = 440;
	b.wired = 160;
	b.swap_used = 8192;
	b.faults += 2469;
	b.flag_faults += 200;
	b.page_ins += 1000;
	b.page_outs += 640;
	b.clusters += 40;
	b.reads += 120;
	b.writes += 60;
	b.idle_us += 500000;
	vmstat_format(&a, &b, line);
	assert_string_equal(vmstat_header,
	    "r   fre   act inact cache  wire   flt  eflt    pi    po clu  swap   rd   wr cpu\n");
	assert_string_equal(line,
	    "1   101  1500   440     0   160  1235   100   500   320  20  8192   60   30  75\n");
	assert_int_equal(strlen(line), strlen(vmstat_header));
	/* No time has passed, and a clock that idled more than it ran. */
	vmstat_format(&b, &b, line);
	b.idle_us += 10;
	b.at_us += 9;
	a = b;
	a.at_us -= 9;
	a.idle_us -= 10;
	vmstat_format(&a, &b, line);
	assert_string_equal(line + strlen(line) - 4, "  0\n");
	/* The largest figures do not overflow the line. */
	memset(&b, 0xff, sizeof(b));
	memset(&a, 0, sizeof(a));
	a.at_us = b.at_us - 1;
	vmstat_format(&a, &b, line);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_program_path),
		cmocka_unit_test(test_vmstat_line),
	};

	return (cmocka_run_group_tests_name("monitor_args", tests, NULL, NULL));
}
