/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The default job, from its boot argument to its summary line.
 *
 * Owns: the job's words. Does not: decide what happens after it (monitor.c).
 *
 * Invariants: none.
 * Yields: job_run.
 * See: app/monitor/program.h; README.md, boot arguments.
 */
#include "app/monitor/job.h"

#include <stddef.h>
#include <string.h>

#include "app/monitor/program.h"
#include "app/monitor/vmstat.h"
#include "kern/console.h"

#define JOB_BYTES 256

int
job_split(char *text, char *words[ARGS_MAX], const char **why)
{
	int count = 0;
	char *at = text;

	while (at != NULL) {
		if (count == ARGS_MAX) {
			*why = "more than 16 words";
			return (ERR_INVAL);
		}
		words[count++] = at;
		at = strchr(at, ':');
		if (at != NULL)
			*at++ = '\0';
	}
	if (words[0][0] == '\0') {
		*why = "no program";
		return (ERR_INVAL);
	}
	return (count);
}

static bool
run_words(char *words[], int count, uint32_t vmstat_seconds)
{
	struct proc_exit exit;
	uint32_t pid;
	bool printing = false;
	int err;

	if (program_start("run=", words, count, NULL, &pid) != 0)
		return (false);
	if (vmstat_seconds != 0) {
		printing = vmstat_task_start(vmstat_seconds) == 0;
		if (!printing)
			kprintf("vmstat=: no memory for the task that prints; go on without\n");
	}
	err = program_wait(pid, &exit);
	if (printing)
		vmstat_task_stop();
	if (err != 0) {
		kprintf("run=: lost sight of %s: %s\n", words[0], err_string(err));
		return (false);
	}
	program_report("job", words[0], &exit);
	return (exit.exec_error == 0 && exit.status == 0);
}

bool
job_run(const char *run, uint32_t vmstat_seconds)
{
	static char text[JOB_BYTES];
	char *words[ARGS_MAX];
	const char *why;
	int count;

	if (run == NULL || run[0] == '\0')
		return (false);
	if (strlen(run) >= sizeof(text)) {
		kprintf("run=: longer than %u bytes; shorten it\n", JOB_BYTES - 1);
		return (false);
	}
	strcpy(text, run);
	count = job_split(text, words, &why);
	if (count < 0) {
		kprintf("run=%.60s: %s; expected run=PROGRAM:ARGUMENT:ARGUMENT\n", run, why);
		return (false);
	}
	return (run_words(words, count, vmstat_seconds));
}
