/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run, ps, kill, protect.
 *
 * ps copies what it shows before it prints the first line: printing yields, and
 * the lists may change then.
 *
 * Owns: the rows of ps. Does not: wait or report (program.c).
 *
 * Invariants: none.
 * Yields: all commands.
 * See: proc/proc.h, kern/task.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/program.h"
#include "kern/console.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "mm/vm_param.h"

#define ROWS_MAX 128
#define BACKGROUND_LIMIT PROGRAM_BACKGROUND_MAX
#define KIB_PER_PAGE (PAGE_SIZE / 1024)

struct ps_row {
	char id[12];         /* pid, or '-' for a kernel task */
	char name[PROC_NAME_BYTES];
	char wait[12];
	const char *state;
	char limit_kib[12];  /* of resident memory, or '-' */
	uint64_t run_us;
	uint32_t resident_kib, swap_kib;
	uint64_t faults;
	bool is_program;
};

static struct ps_row rows[ROWS_MAX];

void
cmd_run(const struct monitor_call *call)
{
	struct proc_exit exit;
	uint32_t pid;
	int err;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a program; ls /apps lists them");
		return;
	}
	if (call->line->background && program_background_count() == BACKGROUND_LIMIT) {
		monitor_expected(call, "%u programs are in the background already",
		    BACKGROUND_LIMIT);
		return;
	}
	if (program_start("run", call->argv + 1, call->argc - 1, call->line, &pid) != 0) {
		monitor_fail();
		return;
	}
	if (call->line->background) {
		program_background_add(pid, call->argv[1]);
		kprintf("[%u] %s\n", pid, call->argv[1]);
		return;
	}
	err = program_wait(pid, &exit);
	if (err != 0)
		kprintf("run: lost sight of process %u: %s\n", pid, err_string(err));
	else
		program_report("run", call->argv[1], &exit);
	if (err != 0 || exit.exec_error != 0 || exit.status != 0)
		monitor_fail();
}

static const char *
task_state_name(const struct task *t)
{
	static const char *const names[] = { "ready", "run", "sleep", "end" };

	return (t->state < sizeof(names) / sizeof(names[0]) ? names[t->state] : "?");
}

static void
row_fill_task(struct ps_row *row, const struct task *t)
{
	snprintf(row->id, sizeof(row->id), "-");
	snprintf(row->name, sizeof(row->name), "%s", t->name);
	snprintf(row->wait, sizeof(row->wait), "%.8s",
	    t->state == TASK_SLEEPING && t->wmesg != NULL ? t->wmesg : "");
	row->state = task_state_name(t);
	row->run_us = timer_cycles_to_us(t->run_cycles);
}

static void
row_fill_limit(struct ps_row *row, const struct proc *p)
{
	uint64_t rss = proc_limit_bytes(p, EBB_RLIMIT_RSS);
	uint64_t budget = proc_limit_bytes(p, EBB_RLIMIT_BUDGET);

	if (budget < rss)
		rss = budget;
	if (rss == EBB_RLIM_INFINITY)
		snprintf(row->limit_kib, sizeof(row->limit_kib), "-");
	else
		snprintf(row->limit_kib, sizeof(row->limit_kib), "%lu",
		    (unsigned long)(rss / 1024 % 1000000000));
}

static void
row_fill_program(struct ps_row *row, const struct proc *p)
{
	row->is_program = true;
	snprintf(row->id, sizeof(row->id), "%u", p->pid);
	snprintf(row->name, sizeof(row->name), "%s", p->name);
	if (p->task == NULL) {
		row->state = "ended";
		row->wait[0] = '\0';
		row->run_us = timer_cycles_to_us(p->run_cycles);
	}
	if (p->swapped)
		row->state = "swapped";
	if (p->killed && p->task != NULL)
		row->state = "dying";
	row_fill_limit(row, p);
	row->resident_kib = row->swap_kib = 0;
	row->faults = p->usage.faults;
	if (p->vmspace != NULL) {
		row->resident_kib = vmspace_resident_count(p->vmspace) * KIB_PER_PAGE;
		row->swap_kib = vmspace_swap_count(p->vmspace) * KIB_PER_PAGE;
		row->faults = p->vmspace->usage.faults;
	}
}

/* Copy programs, then kernel tasks, without yielding. */
static uint32_t
rows_collect(void)
{
	struct proc *p;
	struct task *t;
	uint32_t count = 0;

	for (p = proc_next(NULL); p != NULL && count < ROWS_MAX; p = proc_next(p), count++) {
		memset(&rows[count], 0, sizeof(rows[count]));
		if (p->task != NULL)
			row_fill_task(&rows[count], p->task);
		row_fill_program(&rows[count], p);
	}
	for (t = task_next(NULL); t != NULL && count < ROWS_MAX; t = task_next(t)) {
		if (t->proc != NULL)
			continue;
		memset(&rows[count], 0, sizeof(rows[count]));
		row_fill_task(&rows[count++], t);
	}
	return (count);
}

void
cmd_ps(const struct monitor_call *call)
{
	uint32_t count = rows_collect(), i;

	(void)call;
	kprintf("  PID STATE   WAIT       RES KiB LIMIT KiB  SWAP KiB     FAULTS    TIME s"
	    " NAME\n");
	for (i = 0; i < count; i++) {
		const struct ps_row *r = &rows[i];
		char memory[64] = "        -         -         -          -";

		if (r->is_program)
			snprintf(memory, sizeof(memory), "%9u %9s %9u %10lu", r->resident_kib,
			    r->limit_kib, r->swap_kib, (unsigned long)r->faults);
		kprintf("%5s %-7s %-8s %40s %5lu.%03lu %s\n", r->id, r->state, r->wait, memory,
		    (unsigned long)(r->run_us / 1000000), (unsigned long)(r->run_us / 1000 % 1000),
		    r->name);
	}
}

void
cmd_kill(const struct monitor_call *call)
{
	int64_t pid;

	if (call->argc < 2) {
		monitor_expected(call, "expected the number of a program; ps lists them");
		return;
	}
	if (!monitor_number(call, 1, 1, INT32_MAX, &pid))
		return;
	if (proc_kill_tree((uint32_t)pid, EBB_KILL_USER) != 0)
		monitor_expected(call, "no program has the number %ld; ps lists them", (long)pid);
}

void
cmd_protect(const struct monitor_call *call)
{
	struct proc *p;
	int64_t pid;
	bool off = call->argc == 3;

	if (call->argc < 2) {
		monitor_expected(call, "expected the number of a program; ps lists them");
		return;
	}
	if (!monitor_number(call, 1, 1, INT32_MAX, &pid))
		return;
	if (off && strcmp(call->argv[2], "off") != 0) {
		monitor_expected(call, "expected off, got '%.60s'", call->argv[2]);
		return;
	}
	p = proc_find((uint32_t)pid);
	if (p == NULL)
		monitor_expected(call, "no program has the number %ld; ps lists them", (long)pid);
	else
		p->protected_from_oom = !off;
}
