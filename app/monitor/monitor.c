/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor task: the default job, then prompt, edit, execute, for ever.
 *
 * The line being edited is known to the console (console_set_edit), which keeps it
 * below the lines of other writers. Painting is the typed character, or a full
 * "\r prompt text" with spaces over what was longer and backspaces to the cursor:
 * every terminal can.
 *
 * Owns: the edited line and its history, what is on the screen of it.
 * Does not: know keys (line_edit.c) or commands (commands.c).
 *
 * Invariants:
 * M2 the text given to console_set_edit does not change while it is set.
 *
 * Yields: everything, in console and commands.
 * See: app/monitor/monitor.h.
 */
#include "app/monitor/monitor.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/complete.h"
#include "app/monitor/dashboard.h"
#include "app/monitor/job.h"
#include "app/monitor/line_edit.h"
#include "app/monitor/program.h"
#include "app/monitor/redirect.h"
#include "app/monitor/script.h"
#include "app/monitor/stream.h"
#include "kern/console.h"
#include "kern/machdep.h"
#include "kern/sched.h"

#define REPAINT_KEY 12 /* Ctrl-L */
#define TAB_KEY 9
#define CTRL_C 3
#define PROMPT "ebb> "
#define PROMPT_COLUMNS 5
#define SCREEN_COLUMNS 79
#define VIEW_COLUMNS (SCREEN_COLUMNS - PROMPT_COLUMNS)

/* How long to wait for a key before looking whether a background program ended. */
#define BACKGROUND_POLL_US 250000

static struct line_edit editor;
static char views[2][LINE_BYTES]; /* the part of the line on the screen, and the next */
static uint32_t shown;            /* which of them is on the screen */
static uint32_t shown_cursor;     /* the cursor's byte in it */
static struct monitor_boot boot_options;
static bool failed; /* the command line that was carried out last */

/* Append count times c to the painting. */
static uint32_t
put_many(char *to, char c, uint32_t count)
{
	memset(to, c, count);
	return (count);
}

/* Paint all of text, whatever is on the screen. */
static void
paint_whole(const char *text, uint32_t cursor, uint32_t screen_columns)
{
	static char out[1 + PROMPT_COLUMNS + LINE_BYTES + 2 * SCREEN_COLUMNS];
	uint32_t bytes = (uint32_t)strlen(text);
	uint32_t columns = line_edit_columns(text, bytes);
	uint32_t back = line_edit_columns(text + cursor, bytes - cursor);
	uint32_t used = (uint32_t)snprintf(out, sizeof(out), "\r" PROMPT "%s", text);

	if (screen_columns > columns) {
		used += put_many(out + used, ' ', screen_columns - columns);
		back += screen_columns - columns;
	}
	used += put_many(out + used, '\b', back);
	console_set_edit(PROMPT, text, cursor);
	console_raw(out, used);
}

/* Bring the screen up to date with the editor. */
static void
paint(bool whole)
{
	const char *before = views[shown];
	uint32_t bytes = (uint32_t)strlen(before), cursor;
	char *text = views[shown ^= 1];

	cursor = line_edit_view(&editor, VIEW_COLUMNS, text);
	if (!whole && shown_cursor == bytes && cursor == strlen(text) && cursor >= bytes &&
	    memcmp(before, text, bytes) == 0) {
		/* Typing at the end. Told to the console only now: a line that comes
		 * while these bytes wait for room is followed by the former text. */
		console_raw(text + bytes, cursor - bytes);
		console_set_edit(PROMPT, text, cursor);
	} else {
		paint_whole(text, cursor, whole ? 0 : line_edit_columns(before, bytes));
	}
	shown_cursor = cursor;
}

/* The next key; reports background programs that end meanwhile. */
static uint8_t
key_get(void)
{
	int c;

	for (;;) {
		c = console_getc(program_background_count() != 0 ? BACKGROUND_POLL_US : 0);
		if (c >= 0)
			return ((uint8_t)c);
		program_background_report();
	}
}

/* TAB: add what is certain; a second one in a row lists what is possible. */
static void
complete(bool again)
{
	static char insert[LINE_BYTES];
	uint32_t count = complete_word(editor.text, editor.cursor, insert), i;

	for (i = 0; insert[i] != '\0'; i++)
		(void)line_edit_key(&editor, (uint8_t)insert[i]);
	if (insert[0] != '\0')
		paint(false);
	else if (count > 1 && again)
		complete_list(editor.text, editor.cursor);
}

/* Edit until Enter (true) or Ctrl-C (false). */
static bool
line_get(void)
{
	enum line_event event;
	uint8_t last = 0;

	line_edit_clear(&editor);
	paint(true);
	do {
		uint8_t key = key_get();

		event = line_edit_key(&editor, key);
		if (event == LINE_CHANGED)
			paint(key == REPAINT_KEY);
		if (key == TAB_KEY)
			complete(last == TAB_KEY);
		last = key;
	} while (event != LINE_DONE && event != LINE_DROPPED);
	/* Nothing is edited any more, but the row is still ours until its newline is
	 * out: only then may others begin theirs without erasing it first. */
	console_set_edit("", "", 0);
	kprintf(PROMPT "%s%s\n", editor.text, event == LINE_DROPPED ? "^C" : "");
	console_set_edit(NULL, NULL, 0);
	return (event == LINE_DONE);
}

void
monitor_fail(void)
{
	failed = true;
}

static void
unknown_command(const char *name)
{
	const struct monitor_command *near = monitor_command_near(name);

	monitor_fail();
	if (near != NULL)
		kprintf("no command '%.60s', did you mean '%s'? help lists the commands\n", name,
		    near->name);
	else
		kprintf("no command '%.60s'; help lists the commands\n", name);
}

/* Carry out a command whose output is to go into a file. */
static void
call_redirected(const struct monitor_call *call)
{
	int err = redirect_begin(call->line->out, call->line->append);

	if (err == 0) {
		call->command->fn(call);
		err = redirect_end();
	}
	if (err == 0)
		return;
	monitor_fail();
	kprintf("%s: %.200s: %s\n", call->command->name, call->line->out, err_string(err));
}

static void
call_command(const struct monitor_call *call)
{
	bool is_run = call->command->fn == cmd_run;

	if (call->line->background && !is_run)
		monitor_expected(call, "only run can go into the background with &");
	else if (call->line->in != NULL && !is_run)
		monitor_expected(call, "only programs read from a file with <");
	else if (call->line->out != NULL && call->command->fn == cmd_source)
		monitor_expected(call, "> goes behind the commands of the file");
	else if (call->argc - 1 > call->command->words_max)
		monitor_expected(call, "expected at most %u word%s after it, got %d",
		    call->command->words_max, call->command->words_max == 1 ? "" : "s",
		    call->argc - 1);
	else if (call->line->out != NULL && !is_run)
		call_redirected(call);
	else
		call->command->fn(call);
}

static void
execute(char *text)
{
	static char run[] = "run";
	char *words[ARGS_MAX + 1] = { run };
	struct args_line line;
	struct monitor_call call = { .argv = words + 1, .line = &line };
	const char *why;

	failed = false;
	call.argc = args_split(text, &line, &why);
	if (call.argc == 0 && (line.background || line.out != NULL || line.in != NULL)) {
		call.argc = ERR_INVAL;
		why = "no command before &, > or <";
	}
	if (call.argc < 0) {
		monitor_fail();
		kprintf("%s\n", why);
	}
	if (call.argc <= 0)
		return;
	memcpy(words + 1, line.words, sizeof(line.words));
	call.command = monitor_command_find(words[1]);
	if (call.command == NULL && program_exists(words[1])) {
		call.command = monitor_command_find(run);
		call.argv = words;
		call.argc++;
	}
	if (call.command == NULL)
		unknown_command(words[1]);
	else
		call_command(&call);
}

void
monitor_execute(char *line)
{
	static char next[LINE_BYTES];

	execute(line);
	while (script_next(next)) {
		if (next[strspn(next, " \t")] != '\0')
			kprintf("+ %s\n", next);
		execute(next);
		if (failed) {
			script_stop("failed; what follows is not done");
		} else if (console_getc(1) == CTRL_C) {
			monitor_fail();
			script_stop("^C");
		}
	}
}

bool
monitor_key_pressed(void *arg, uint64_t wait_us)
{
	int c = console_getc(wait_us);

	(void)arg;
	if (c == CTRL_C)
		monitor_fail();
	return (c >= 0);
}

/* The counter of a board begins at reset. */
static void
greet(void)
{
	uint64_t us = timer_cycles_to_us(get_cyclecount());

	kprintf("ready %llu.%06llu s after reset; help lists the commands\n",
	    (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
}

/* No screen is no mistake: the card's boot arguments ask for a dashboard on every board. */
static void
begin_dashboard(uint32_t period_ms)
{
	int error = period_ms == 0 ? 0 : dashboard_start(period_ms);

	if (error != 0)
		kprintf("dashboard=: %s; go on without\n", err_string(error));
}

static bool
source_boot(const char *path)
{
	static char line[LINE_BYTES];

	if (snprintf(line, sizeof(line), "source %s", path) >= (int)sizeof(line)) {
		kprintf("source=%.60s...: too long\n", path);
		return (false);
	}
	monitor_execute(line);
	return (!failed);
}

/* What run= and source= ask for, in this order; false if it failed, or nothing was asked. */
static bool
boot_work(const struct monitor_boot *boot)
{
	bool is_job = boot->run != NULL && boot->run[0] != '\0';
	bool is_script = boot->source != NULL && boot->source[0] != '\0';

	if (!is_job && !is_script && boot->exit)
		kprintf("exit=1: no job was run; power off with exit code 1\n");
	if (is_job && !job_run(boot->run, boot->vmstat_seconds)) {
		if (is_script)
			kprintf("source=%.60s: not begun, because the job failed\n", boot->source);
		return (false);
	}
	return (is_script ? source_boot(boot->source) : is_job);
}

static void
monitor_main(void *arg)
{
	bool done;

	(void)arg;
	if (boot_options.stream_ms != 0 &&
	    stream_start(boot_options.stream_ms, STREAM_MAP_MS_DEFAULT) != 0)
		kprintf("stream=: no room for the task; go on without\n");
	begin_dashboard(boot_options.dashboard_ms);
	done = boot_work(&boot_options);
	if (boot_options.exit) {
		monitor_rest_disks();
		cpu_poweroff(done ? 0 : 1);
	}
	line_edit_init(&editor);
	greet();
	for (;;) {
		program_background_report();
		if (!line_get())
			continue;
		line_edit_remember(&editor, editor.text);
		monitor_execute(editor.text);
	}
}

int
monitor_start(const struct monitor_boot *boot)
{
	struct task *t;

	boot_options = *boot;
	return (task_create(&t, "monitor", MONITOR_PRIORITY, monitor_main, NULL));
}
