/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fg, jobs, source, wait.
 *
 * A job is a program that the monitor has started, and all that it has started itself; its
 * number is that of its first process, as ps and kill have it.
 *
 * Owns: nothing. Does not: know who is in the background (program.c), read scripts (script.c).
 *
 * Invariants: none.
 * Yields: all commands.
 * See: app/monitor/program.h, app/monitor/script.h.
 */
#include <stddef.h>

#include "app/monitor/commands.h"
#include "app/monitor/program.h"
#include "app/monitor/script.h"
#include "kern/console.h"

/* Wait for a job of the background (0: the newest); false when there is none such. */
static bool
finish(const struct monitor_call *call, uint32_t pid, struct proc_exit *exit)
{
	char name[PROC_NAME_BYTES];
	int err;

	pid = program_background_take(pid, name);
	if (pid == 0)
		return (false);
	err = program_wait(pid, exit);
	if (err == 0) {
		program_report(call->command->name, name, exit);
		return (true);
	}
	kprintf("%s: lost sight of process %u: %s\n", call->command->name, pid, err_string(err));
	exit->exec_error = err;
	return (true);
}

static void
fail_unless_done(const struct proc_exit *exit)
{
	if (exit->exec_error != 0 || exit->status != 0)
		monitor_fail();
}

void
cmd_fg(const struct monitor_call *call)
{
	struct proc_exit exit;
	int64_t pid = 0;

	if (call->argc > 1 && !monitor_number(call, 1, 1, INT32_MAX, &pid))
		return;
	if (!finish(call, (uint32_t)pid, &exit))
		monitor_expected(call, "no such job in the background; jobs lists them");
	else
		fail_unless_done(&exit);
}

void
cmd_wait(const struct monitor_call *call)
{
	struct proc_exit exit;

	while (finish(call, 0, &exit)) {
		fail_unless_done(&exit);
		if (exit.status == (EBB_STATUS_KILLED | EBB_KILL_USER))
			break; /* Ctrl-C: the others go on */
	}
}

void
cmd_jobs(const struct monitor_call *call)
{
	struct program_job jobs[PROGRAM_BACKGROUND_MAX];
	uint32_t count = program_background_list(jobs), i;

	(void)call;
	for (i = 0; i < count; i++)
		kprintf("[%u] %s %u process%s\n", jobs[i].pid, jobs[i].name, jobs[i].processes,
		    jobs[i].processes == 1 ? "" : "es");
	if (count == 0)
		kprintf("jobs: none in the background\n");
}

void
cmd_source(const struct monitor_call *call)
{
	int err;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a file with commands");
		return;
	}
	err = script_begin(call->argv[1]);
	if (err == 0)
		return;
	monitor_fail();
	if (err == ERR_RANGE)
		kprintf("source: %.200s: %u scripts are under way, each begun by the one before;"
		    " more are not allowed\n", call->argv[1], SCRIPT_DEPTH);
	else
		kprintf("source: %.200s: %s\n", call->argv[1],
		    err == ERR_NODEV ? "no file system is mounted; see the messages at boot" :
				       err_string(err));
}
