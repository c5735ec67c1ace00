/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs under the monitor, from the card to the summary line: the default job,
 * run in the foreground and background, kill, Ctrl-C, a file that is no program.
 *
 * The program on the card is a real ELF file; what it does is a C function
 * (sim_user_program) that looks at its first argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/job.h"
#include "app/monitor/monitor.h"
#include "app/monitor/program.h"
#include "fs/fat32.h"
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "lib/ebb_abi.h"
#include "mm/mm_params.h"
#include "proc/proc.h"
#include "proc/trap_hooks.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_user.h"

#define FRAMES 2048
#define LOAD_ADDRESS 0x400000

static struct file_disk disk;

static uint64_t
system_call(uint64_t number, uint64_t a)
{
	uint64_t args[6] = { a };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return ((uint64_t)result);
}

/* The program: "exit N" ends with N, "sleep" sleeps until it is killed. */
static void
program(const struct cpu_user_start *start)
{
	uint64_t argv[3] = { 0 };
	char word[16] = "", number[8] = "0";

	assert_int_equal(copyin(start->args[1], argv, sizeof(argv)), 0);
	if (start->args[0] > 1)
		assert_int_equal(copyinstr(argv[1], word, sizeof(word)), 0);
	if (start->args[0] > 2)
		assert_int_equal(copyinstr(argv[2], number, sizeof(number)), 0);
	while (strcmp(word, "sleep") == 0)
		system_call(EBB_SYS_SLEEP, 2500000);
	system_call(EBB_SYS_EXIT, (uint64_t)atoi(number));
}

static void
boot(void *image)
{
	console_tap_begin();
	kern_params_register();
	mm_params_register();
	sim_mm_boot(FRAMES);
	proc_init();
	assert_int_equal(file_disk_open(&disk, "fd0", image), 0);
	sim_user_install(&disk);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	sim_user_program = program;
	console_tap_begin();
}

static void
halt(void)
{
	sim_mm_check();
	file_disk_close(&disk);
}

static void
body_job(void *image)
{
	boot(image);
	assert_true(job_run("sort", 0));
	assert_non_null(strstr(console_tap_text(), "job: sort: exited with 0; 0.0"));
	assert_non_null(strstr(console_tap_text(), " faults, 0 page-ins, 0 page-outs\n"));
	console_tap_begin();
	assert_false(job_run("sort:exit:3", 0));
	assert_non_null(strstr(console_tap_text(), "job: sort: exited with 3; "));
	console_tap_begin();
	assert_false(job_run("/big.dat:x", 0));
	assert_string_equal(console_tap_text(), "job: /big.dat: not an ELF file; write the"
	    " card again with make sdcard\n");
	console_tap_begin();
	assert_false(job_run("/none", 0));
	assert_string_equal(console_tap_text(), "run=: /none: no such program; ls /apps lists"
	    " them\n");
	assert_false(job_run(NULL, 1));
	halt();
}

static void
test_job(void **state)
{
	(void)state;
	sim_run(body_job, (void *)fat_image_make("few4k", 8, false));
}

static void
press_later(void *arg)
{
	(void)arg;
	console_rx(3);
}

/* vmstat beats while the job runs and not after it; Ctrl-C ends the job. */
static void
body_vmstat(void *image)
{
	static struct sim_event event;
	const char *text;
	uint32_t lines = 0;

	boot(image);
	sim_event_schedule(&event, 3500000, press_later, NULL);
	assert_false(job_run("sort:sleep", 1));
	text = console_tap_text();
	assert_int_equal(strncmp(text, "r   fre ", 8), 0);
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	/* Header, three beats, ^C, summary. */
	assert_int_equal(lines, 6);
	assert_non_null(strstr(console_tap_text(), "job: sort: killed"));
	console_tap_begin();
	tsleep(body_vmstat, "test", 5000000);
	assert_string_equal(console_tap_text(), "");
	halt();
}

static void
test_vmstat(void **state)
{
	(void)state;
	sim_run(body_vmstat, (void *)fat_image_make("few4k", 8, false));
}

static void
execute(const char *text)
{
	char line[128];

	strcpy(line, text);
	monitor_execute(line);
}

/* Has the text, with pid put in, been printed? */
static void
expect_part(const char *format, uint32_t pid)
{
	char text[64];

	snprintf(text, sizeof(text), format, pid);
	if (strstr(console_tap_text(), text) == NULL)
		fail_msg("expected ...%s... got\n%s", text, console_tap_text());
}

static void
body_run(void *image)
{
	char line[32];
	uint32_t pid;

	boot(image);
	execute("run sort exit 7");
	assert_non_null(strstr(console_tap_text(), "run: sort: exited with 7; "));
	execute("run sort sleep &");
	pid = proc_next(NULL)->pid;
	expect_part("[%u] sort\n", pid);
	assert_int_equal(program_background_count(), 1);
	/* A foreground program does not swallow the end of one in the background. */
	execute("run sort exit 1");
	execute("ps");
	expect_part("%5u sleep  ", pid);
	program_background_report();
	assert_int_equal(program_background_count(), 1);
	snprintf(line, sizeof(line), "kill %u", pid);
	execute(line);
	tsleep(body_run, "test", 10000);
	program_background_report();
	expect_part("[%u]: sort: killed", pid);
	assert_int_equal(program_background_count(), 0);
	halt();
}

static void
test_run(void **state)
{
	(void)state;
	sim_run(body_run, (void *)fat_image_make("few512", 1, false));
}

/* Without "run"; fg, jobs, wait; Ctrl-C. */
static void
body_background(void *image)
{
	static struct sim_event event;
	uint32_t pid;

	boot(image);
	execute("sort exit 7");
	assert_non_null(strstr(console_tap_text(), "run: sort: exited with 7; "));
	execute("/apps/sort.elf exit 2 > /out");
	assert_non_null(strstr(console_tap_text(), "run: /apps/sort.elf: exited with 2; "));
	execute("sort > /apps");
	assert_non_null(strstr(console_tap_text(), "run: /apps: is a directory\n"));
	execute("sort < /none");
	assert_non_null(strstr(console_tap_text(), "run: /none: no such file or name\n"));
	execute("jobs");
	assert_non_null(strstr(console_tap_text(), "jobs: none in the background\n"));
	execute("fg");
	assert_non_null(strstr(console_tap_text(), "fg: no such job in the background; "));
	execute("sort sleep &");
	pid = proc_next(NULL)->pid;
	execute("sort exit 4 &");
	console_tap_begin();
	execute("jobs");
	expect_part("[%u] sort 1 process\n", pid);
	expect_part("[%u] sort ", pid + 1);
	execute("fg");
	expect_part("fg: sort: exited with 4; ", 0);
	sim_event_schedule(&event, 3500000, press_later, NULL);
	execute("wait");
	expect_part("^C: ending process %u\n", pid);
	expect_part("wait: sort: killed", 0);
	assert_int_equal(program_background_count(), 0);
	assert_null(proc_next(NULL));
	halt();
}

static void
test_background(void **state)
{
	(void)state;
	sim_run(body_background, (void *)fat_image_make("few512", 1, false));
}

/* What the command says is text, or has it in it. */
static void
answer(const char *command, const char *text)
{
	console_tap_begin();
	execute(command);
	if (strcmp(console_tap_text(), text) != 0)
		fail_msg("%s: expected\n%sgot\n%s", command, text, console_tap_text());
}

static void
answer_part(const char *command, const char *text)
{
	console_tap_begin();
	execute(command);
	if (strstr(console_tap_text(), text) == NULL)
		fail_msg("%s: expected ...%s... got\n%s", command, text, console_tap_text());
}

/* A file with text, from the beginning of a script on. */
static void
file_make(const char *path, const char *text)
{
	struct proc_file *file;

	assert_int_equal(proc_file_open(&file, path, EBB_O_WRONLY | EBB_O_CREAT | EBB_O_TRUNC), 0);
	assert_int_equal(proc_file_put(file, text, (uint32_t)strlen(text)), 0);
	proc_file_unref(file);
}

static char file_long[8001];

static void
file_make_long(const char *path)
{
	struct proc_file *file;
	uint32_t i;

	for (i = 0; i < sizeof(file_long) - 1; i++)
		file_long[i] = i % 50 == 49 ? '\n' : (char)('a' + i / 50 % 26);
	assert_int_equal(proc_file_open(&file, path, EBB_O_WRONLY | EBB_O_CREAT), 0);
	assert_int_equal(proc_file_put(file, file_long, 3000), 0);
	assert_int_equal(proc_file_put(file, file_long + 3000, 5000), 0);
	proc_file_unref(file);
}

static void
body_redirect(void *image)
{
	boot(image);
	answer("ls /apps > '/a list.txt'", "");
	answer("cat '/a list.txt'", "        8193 sort.elf\n"
	    "        4095 a longer name with spaces and.several.dots.text\n");
	answer("help ls >> /a\\ list.txt", "");
	answer_part("cat '/a list.txt'", "dots.text\nls [DIRECTORY]\n  list");
	/* Shorter than what was there, and longer than the piece that is written at once. */
	answer("help ls > '/a list.txt'", "");
	answer("cat '/a list.txt'", "ls [DIRECTORY]\n  list a directory (/ if not given)\n");
	answer("help > /help.txt", "");
	answer_part("cat /help.txt", "  zones ");
	answer_part("ls /help.txt", " /help.txt\n");
	/* Two writes, the second over the end of a page. */
	file_make_long("/long");
	answer("cat /long", file_long);
	answer("ls > /apps", "ls: /apps: is a directory\n");
	answer("ls > /none/x", "ls: /none/x: no such file or name\n");
	answer_part("ls < /a", "ls: only programs read from a file with <");
	answer_part("source /x > /a", "source: > goes behind the commands of the file");
	answer("> /x", "no command before &, > or <\n");
	answer("&", "no command before &, > or <\n");
	halt();
}

static void
test_redirect(void **state)
{
	(void)state;
	sim_run(body_redirect, (void *)fat_image_make("few512", 1, false));
}

static void
body_source(void *image)
{
	char text[400];

	boot(image);
	answer_part("source", "source: expected the name of a file with commands");
	answer("source /none", "source: /none: no such file or name\n");
	answer("source /apps", "source: /apps: is a directory\n");
	file_make("/a", "# first\r\n\nhelp ls\r\nsource /b\nhelp rm");
	file_make("/b", "help cat\n");
	answer("source /a", "+ # first\n+ help ls\nls [DIRECTORY]\n  list a directory (/ if not"
	    " given)\n+ source /b\n+ help cat\ncat FILE\n  print a file; a key stops it\n"
	    "+ help rm\nrm FILE\n  remove a file from the card\n");
	/* The first line that fails ends it, and who began it. */
	file_make("/b", "help cat > /c\nls /none\nhelp rm\n");
	answer("source /a", "+ # first\n+ help ls\nls [DIRECTORY]\n  list a directory (/ if not"
	    " given)\n+ source /b\n+ help cat > /c\n+ ls /none\n"
	    "ls: /none: no such file; ls lists what is there\n"
	    "/b:2: failed; what follows is not done\n/a:4: stopped there\n");
	answer("cat /c", "cat FILE\n  print a file; a key stops it\n");
	/* One that begins itself, a line without end, Ctrl-C. */
	file_make("/a", "source /a\n");
	answer_part("source /a", "source: /a: 4 scripts are under way, each begun by the one"
	    " before; more are not allowed\n/a:1: failed; what follows is not done\n"
	    "/a:1: stopped there\n"
	    "/a:1: stopped there\n/a:1: stopped there\n");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	file_make("/a", text);
	answer("source /a", "/a:1: a line has at most 255 bytes\n");
	file_make("/a", "help ls\nhelp rm\n");
	console_rx(3);
	answer("source /a", "+ help ls\nls [DIRECTORY]\n  list a directory (/ if not given)\n"
	    "/a:1: ^C\n");
	halt();
}

static void
test_source(void **state)
{
	(void)state;
	sim_run(body_source, (void *)fat_image_make("few512", 1, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_vmstat),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_source),
	};

	return (cmocka_run_group_tests_name("monitor_job", tests, NULL, NULL));
}
