/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor as its user meets it: what is answered to right and to mistyped
 * commands, and the prompt with other writers about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "fs/fat32.h"
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/trace.h"
#include "mm/mm_params.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"

/* What command prints. */
static const char *
answer(const char *command)
{
	char line[300];

	strcpy(line, command);
	console_tap_begin();
	monitor_execute(line);
	return (console_tap_text());
}

static void
expect(const char *command, const char *text)
{
	const char *got = answer(command);

	if (strcmp(got, text) != 0)
		fail_msg("%s: expected\n%sgot\n%s", command, text, got);
}

static void
expect_part(const char *command, const char *text)
{
	const char *got = answer(command);

	if (strstr(got, text) == NULL)
		fail_msg("%s: expected ...%s... got\n%s", command, text, got);
}

static void
body_mistakes(void *arg)
{
	(void)arg;
	expect("", "");
	expect("   ", "");
	expect("hlep", "no command 'hlep', did you mean 'help'? help lists the commands\n");
	expect("vmsat 1", "no command 'vmsat', did you mean 'vmstat'? help lists the commands\n");
	expect("frobnicate", "no command 'frobnicate'; help lists the commands\n");
	expect("help frobnicate", "help: no command 'frobnicate'; help alone lists them\n");
	expect("help lls", "help: no command 'lls', did you mean 'ls'?; help alone lists them\n");
	expect("ls 'x", "a quote is not closed; end the word with the quote it begins with\n");
	expect("ps 1", "ps: expected at most 0 words after it, got 1; usage: ps\n");
	expect("ls a b", "ls: expected at most 1 word after it, got 2; usage: ls [DIRECTORY]\n");
	expect("ls &", "ls: only run can go into the background with &; usage: ls [DIRECTORY]\n");
	expect("run", "run: expected the name of a program; ls /apps lists them; usage: run PROGRAM"
	    " [ARGUMENT...] [&]\n");
	expect("kill", "kill: expected the number of a program; ps lists them; usage: kill PID\n");
	expect("kill x", "kill: expected a number from 1 to 2147483647, got 'x'; usage: kill"
	    " PID\n");
	expect("kill 7", "kill: no program has the number 7; ps lists them; usage: kill PID\n");
	expect("protect", "protect: expected the number of a program; ps lists them; usage:"
	    " protect PID [off]\n");
	expect_part("protect x", "protect: expected a number from 1 to");
	expect_part("protect 7 on", "protect: expected off, got 'on'");
	expect_part("protect 7", "protect: no program has the number 7");
	expect_part("domains", "target/wake/min/sev");
	expect("limit", "limit: expected the number of a program; ps lists them; usage: limit PID"
	    " [NAME=SOFT[:HARD] ...]\n");
	expect_part("limit x", "limit: expected a number from 1 to 2147483647, got 'x'; usage");
	expect_part("limit 7 rss=2M", "limit: no program has the number 7; ps lists them; usage");
	expect("cat", "cat: expected the name of a file; usage: cat FILE\n");
	expect("vmstat 0", "vmstat: expected a number from 1 to 3600, got '0'; usage: vmstat"
	    " [SECONDS]\n");
	expect("poweroff 256", "poweroff: expected a number from 0 to 255, got '256'; usage:"
	    " poweroff [CODE]\n");
	expect("trace 0", "trace: expected a number from 1 to 4096, got '0'; usage: trace [COUNT |"
	    " EVENT on|off | [stream] EVENT... | stream | former [COUNT]]\n");
	expect("trace fault maybe", "trace: expected on or off, got 'maybe'; usage: trace [COUNT |"
	    " EVENT on|off | [stream] EVENT... | stream | former [COUNT]]\n");
	expect_part("trace 5 on", "trace: no event '5', expected one of boot");
	expect_part("trace fault on off", "trace: no event 'on', expected one of boot");
	expect_part("sysctl -d 1 nosuch", "nosuch");
	expect_part("trace stream fault falt", "trace: no event 'falt', expected one of boot");
	expect_part("trace falt on", "trace: no event 'falt', expected one of boot switch irq");
}

static void
test_mistakes(void **state)
{
	(void)state;
	sim_run(body_mistakes, NULL);
}

static void
body_help(void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < monitor_command_count; i++) {
		char line[64] = "help ";

		if (i > 0)
			assert_true(strcmp(monitor_commands[i - 1].name,
			    monitor_commands[i].name) < 0);
		expect_part("help", monitor_commands[i].usage);
		strcat(line, monitor_commands[i].name);
		expect_part(line, monitor_commands[i].help);
	}
}

static void
test_help(void **state)
{
	(void)state;
	sim_run(body_help, NULL);
}

static void
body_sysctl(void *arg)
{
	(void)arg;
	kern_params_register();
	mm_params_register();
	expect("sysctl kern.sched.slice_us", "kern.sched.slice_us: 10000 us\n"
	    "  Time that a program may run while another of equal priority waits; 0 = for ever."
	    " (0 to 1000000, at boot 10000)\n");
	expect("sysctl kern.sched.slice_us=5000", "kern.sched.slice_us: 5000 us\n");
	assert_int_equal(kern_params.slice_us, 5000);
	expect_part("sysctl kern.sched.slice_us=2000000", "1000000");
	assert_int_equal(kern_params.slice_us, 5000);
	expect("sysctl kern.sched.slice_us=", "sysctl: kern.sched.slice_us: expected a number from"
	    " 0 to 1000000, got ''; usage: sysctl [NAME[=VALUE] | -d SECONDS [PREFIX]]\n");
	expect("sysctl kern.sched.slice=1", "sysctl: no name 'kern.sched.slice', the nearest is"
	    " kern.sched.slice_us; usage: sysctl [NAME[=VALUE] | -d SECONDS [PREFIX]]\n");
	expect("sysctl pdwakeups", "sysctl: no name 'pdwakeups', the nearest is"
	    " vm.stats.vm.v_pdwakeups; usage: sysctl [NAME[=VALUE] | -d SECONDS [PREFIX]]\n");
	expect_part("sysctl kern.irqs=x", "is a statistic and cannot be set");
	expect_part("sysctl kern.irqs=1", "sysctl: ");
	histogram_add(&mm_params.fault_us, 100);
	expect("sysctl vm.fault_us", "vm.fault_us: 1 events, mean 100, median at most 100,"
	    " 99 of 100 at most 100, worst 100 us\n"
	    "  Time from fault to resumption, faults that needed a read.\n");
	memset(&mm_params.fault_us, 0, sizeof(mm_params.fault_us));
	expect_part("sysctl kern.console", "kern.console.lines: ");
	expect_part("sysctl", "vm.stats.vm.v_vm_faults: 0 events\n");
	assert_null(strstr(answer("sysctl kern."), "vm.stats"));
}

static void
test_sysctl(void **state)
{
	(void)state;
	sim_run(body_sysctl, NULL);
}

static void
body_files(void *arg)
{
	static struct file_disk disk;

	assert_int_equal(file_disk_open(&disk, "fd0", arg), 0);
	assert_int_equal(fat_image_mount(&disk), 0);
	expect_part("ls", "             apps/\n");
	expect_part("ls /", "      300001 big.dat\n");
	expect("ls /apps", "        8193 sort.elf\n"
	    "        4095 a longer name with spaces and.several.dots.text\n");
	expect("ls /big.dat", "      300001 /big.dat\n");
	expect("ls /none", "ls: /none: no such file; ls lists what is there\n");
	expect("cat /none", "cat: /none: no such file; ls lists what is there\n");
	expect("cat /apps", "cat: /apps: a directory; ls lists it\n");
	expect("cat /EMPTY.TXT", "");
	expect("rm", "rm: expected the name of a file; usage: rm FILE\n");
	expect("rm /apps", "rm: /apps: a directory; only files are removed\n");
	expect("rm /none", "rm: /none: no such file; ls lists what is there\n");
	expect("rm /EMPTY.TXT", "");
	expect("cat /EMPTY.TXT", "cat: /EMPTY.TXT: no such file; ls lists what is there\n");
	/* Random bytes: nothing that could drive the terminal comes out. */
	for (const char *c = answer("cat /one512.bin"); *c != '\0'; c++)
		assert_true((uint8_t)*c >= ' ' || *c == '\n' || *c == '\t');
	console_rx('q');
	expect_part("cat /big.dat", "cat: stopped by a key after 4096 of 300001 bytes\n");
	expect("run none", "run: /apps/none.elf: no such program; ls /apps lists them\n");
	expect("run /apps", "run: /apps: is a directory\n");
	expect_part("blkstat", "fd0 ");
	file_disk_close(&disk);
	expect("blkstat", "blkstat: no disks; see the messages at boot\n");
}

static void
test_files(void **state)
{
	(void)state;
	sim_run(body_files, (void *)fat_image_make("few512", 1, false));
}

static void
body_trace(void *arg)
{
	uint64_t before = trace_mask;

	(void)arg;
	expect("trace syscall on", "");
	assert_true(trace_mask & (1u << TRACE_SYSCALL));
	expect("trace syscall off", "");
	assert_false(trace_mask & (1u << TRACE_SYSCALL));
	trace(TRACE_MARK, 77, 88, 99);
	expect_part("trace 1", "mark");
	console_rx('q');
	expect("trace stream", "");
	console_rx('q');
	expect("trace syscall", "");
	expect("trace former", "trace: nothing of a former boot is there\n");
	expect_part("trace former 513", "trace: expected a number from 1 to 512, got '513'");
	trace_init(NULL);
	trace(TRACE_MARK, 77, 88, 99);
	trace_init(NULL); /* as after a reset */
	expect_part("trace former 1", "mark");
	trace_mask = before;
}

static void
test_trace(void **state)
{
	(void)state;
	sim_run(body_trace, NULL);
}

static void
body_ps(void *arg)
{
	(void)arg;
	expect_part("ps", "    - run ");
	expect_part("ps", " test\n");
}

static void
test_ps(void **state)
{
	(void)state;
	sim_run(body_ps, NULL);
}

static void
keys(const char *text)
{
	for (; *text != '\0'; text++)
		console_rx(*text);
	tsleep(keys, "keys", 100000);
}

static void
body_prompt(void *arg)
{
	struct monitor_boot boot = { .run = "", .vmstat_seconds = 0, .exit = false };
	const char *text;

	(void)arg;
	console_tap_begin();
	assert_int_equal(monitor_start(&boot), 0);
	keys("");
	text = console_tap_text();
	assert_int_equal(strncmp(text, "ready ", 6), 0);
	text = strstr(text, " s after reset; ");
	assert_non_null(text);
	assert_string_equal(text, " s after reset; help lists the commands\nebb> ");
	console_tap_begin();
	keys("hlep");
	/* Another writer's line: above, whole, and the edited line again below it. */
	kprintf("other line\n");
	text = strstr(console_tap_text(), "other line\n");
	assert_non_null(text);
	assert_string_equal(text, "other line\nebb> hlep");
	keys("\r");
	assert_non_null(strstr(console_tap_text(), "ebb> hlep\nno command 'hlep', did you"));
	/* History, and editing in the middle. */
	console_tap_begin();
	keys("\033[A\033[D\033[D\177\033[Ce");
	keys("\025\013help ls\r");
	assert_non_null(strstr(console_tap_text(), "ebb> help ls\nls [DIRECTORY]\n"));
	console_tap_begin();
	keys("poweroff 999\003");
	assert_null(strstr(console_tap_text(), "expected"));
	keys("vmstat 1\r");
	tsleep(keys, "keys", 2500000);
	keys("q");
	text = strstr(console_tap_text(), "r   fre ");
	assert_non_null(text);
	assert_null(strstr(text + 1, "r   fre "));
	assert_int_equal(strncmp(strrchr(console_tap_text(), '\r') == NULL ?
	    strrchr(console_tap_text(), '\n') + 1 : "", "ebb> ", 5), 0);
}

static void
test_prompt(void **state)
{
	(void)state;
	sim_run(body_prompt, NULL);
}

static void
body_job_errors(void *arg)
{
	struct monitor_boot boot = { .run = arg };

	console_tap_begin();
	assert_int_equal(monitor_start(&boot), 0);
	keys("");
}

/* A job that cannot be: one line, then the prompt. */
static void
test_job_errors(void **state)
{
	(void)state;
	sim_run(body_job_errors, "sort:/data/words.txt");
	assert_non_null(strstr(console_tap_text(),
	    "run=: /apps/sort.elf: no file system is mounted; see the messages at boot\nready "));
	assert_non_null(strstr(console_tap_text(), "help lists the commands\nebb> "));
	sim_run(body_job_errors, ":x");
	assert_non_null(strstr(console_tap_text(), "run=:x: no program; expected run=PROGRAM:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_sysctl),
		cmocka_unit_test(test_job_errors),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_ps),
		cmocka_unit_test(test_prompt),
	};

	return (cmocka_run_group_tests_name("monitor", tests, NULL, NULL));
}
