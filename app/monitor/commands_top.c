/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top and domains: who uses memory, and what the page daemon of each domain does.
 *
 * top copies what it shows before it prints: printing yields. It asks the terminal for its
 * size: one that answers gets a full screen, each line drawn over the former one and cut
 * at its edge; to one that does not, or to a log, it prints the same lines one after another.
 *
 * Owns: the rows of top. Does not: change anything.
 *
 * Invariants:
 * O1 a line has no newline within it; all of a full screen are at most its rows.
 * Yields: both commands.
 * See: mm/vm_meter.h, proc/proc.h; contract 1.8, 1.9; top(1) of FreeBSD for the manner;
 *   ECMA-48 for what the terminal is told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "mm/mm_params.h"
#include "mm/swap_pager.h"
#include "mm/vm_meter.h"
#include "proc/proc.h"

#define ROWS_MAX     24u
#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define SECOND_US    1000000u
#define SECONDS_MAX  3600
#define ANSWER_US    300000u /* how long a terminal may take to say where the cursor is */
#define LINE_BYTES   160u

/* Cursor kept, sent far away, asked where it got to, and back (DECSC, CUP, DSR, DECRC). */
#define ASK_SIZE     "\0337\033[999;999H\033[6n\0338"
#define FULL_BEGIN   "\033[?25l\033[2J" /* no cursor (DECTCEM), all clear (ED) */
#define FULL_END     "\033[?25h"
#define HOME         "\033[H"
#define CLEAR_RIGHT  "\033[K"
#define CLEAR_BELOW  "\033[J"

struct top_row {
	uint32_t pid, size_kib, resident_kib, swap_kib;
	uint64_t run_us, faults;
	uint32_t cpu_permille; /* of the time since the picture before */
	const char *state;
	bool is_protected;
	char name[PROC_NAME_BYTES];
};

static struct top_row rows[ROWS_MAX];

/* What the next picture is compared with. */
static struct {
	uint64_t at_us, idle_us, page_ins, page_outs;
	uint32_t pids[ROWS_MAX];
	uint64_t run_us[ROWS_MAX];
} before;

/* All programs, also those without a row. */
static struct {
	uint32_t programs, sleeping;
} all;

/* The terminal: 0 columns if it is none. */
static uint32_t columns, lines_left;

/* ---- domains */

/* One line of the picture: on a full screen cut at its edge, and nothing below the last. */
static void __attribute__((format(printf, 1, 2)))
put_line(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (columns == 0) {
		kprintf("%s\n", line);
		return;
	}
	if (lines_left == 0)
		return;
	lines_left--;
	if (columns < sizeof(line))
		line[columns] = '\0';
	kprintf("%s" CLEAR_RIGHT "\n", line);
}

static void
print_domain(const struct vm_domain *vmd)
{
	put_line("%3u %7u %6u %6u %6u %6u %6u  %5u/%u/%u/%u  %4u %-6s %-4s %s", vmd->id,
	    vmd->v_page_count, vmd->v_free_count, vmd->v_cache_count,
	    vmd->pagequeues[PQ_ACTIVE].count, vmd->pagequeues[PQ_INACTIVE].count,
	    vmd->v_wire_count, vmd->v_free_target, vmd->pageout_wakeup_thresh, vmd->v_free_min,
	    vmd->v_free_severe, vmd->pass, vmd->vm_pages_needed ? "needed" : "-",
	    vmd->oom_voted ? "kill" : "-",
	    vmd->worker != NULL && vmd->worker->wmesg != NULL ? "rests" : "scans");
}

static void
print_domains(void)
{
	uint32_t i;

	put_line("dom   pages   free  cache active  inact  wired target/wake/min/sev  pass pages"
	    "  vote daemon");
	for (i = 0; i < vm_domain_count; i++)
		print_domain(&vm_domains[i]);
}

void
cmd_domains(const struct monitor_call *call)
{
	(void)call;
	columns = 0;
	print_domains();
}

/* ---- top */

/* now if it was not there: new, or had no row. */
static uint64_t
run_us_before(uint32_t pid, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < ROWS_MAX; i++)
		if (before.pids[i] == pid)
			return (before.run_us[i]);
	return (before.at_us == 0 ? 0 : now);
}

static void
row_fill(struct top_row *row, const struct proc *p, uint64_t elapsed_us)
{
	memset(row, 0, sizeof(*row));
	row->pid = p->pid;
	row->state = proc_state_name(p);
	row->is_protected = p->protected_from_oom;
	row->faults = p->usage.faults;
	row->run_us = timer_cycles_to_us(p->task != NULL ? p->task->run_cycles : p->run_cycles);
	row->cpu_permille = (uint32_t)((row->run_us - run_us_before(p->pid, row->run_us)) * 1000 /
	    elapsed_us);
	snprintf(row->name, sizeof(row->name), "%s", p->name);
	if (p->vmspace == NULL)
		return;
	row->size_kib = (uint32_t)(p->vmspace->map.size_bytes / 1024);
	row->resident_kib = vmspace_resident_count(p->vmspace) * KIB_PER_PAGE;
	row->swap_kib = vmspace_swap_count(p->vmspace) * KIB_PER_PAGE;
	row->faults = p->vmspace->usage.faults;
}

/* The programs with most memory, in order, without yielding; how many. */
static uint32_t
rows_collect(uint64_t elapsed_us)
{
	struct proc *p = NULL;
	struct top_row row;
	uint32_t count = 0, at;

	memset(&all, 0, sizeof(all));
	while ((p = proc_next(p)) != NULL) {
		row_fill(&row, p, elapsed_us);
		all.programs++;
		all.sleeping += strcmp(row.state, "sleep") == 0;
		for (at = count; at > 0 && rows[at - 1].resident_kib < row.resident_kib; at--)
			if (at < ROWS_MAX)
				rows[at] = rows[at - 1];
		if (at < ROWS_MAX)
			rows[at] = row;
		count += count < ROWS_MAX;
	}
	return (count);
}

static uint32_t
kib(uint64_t pages)
{
	return ((uint32_t)(pages * KIB_PER_PAGE));
}

static void
print_head(uint64_t elapsed_us, uint64_t idle_us)
{
	uint64_t idle = idle_us - before.idle_us;
	uint32_t i, votes = 0, idle_percent = (uint32_t)(idle * 100 / elapsed_us);
	uint32_t used = swap_pager_total() - swap_pager_avail(), total = swap_pager_total();

	for (i = 0; i < vm_domain_count; i++)
		votes += vm_domains[i].oom_voted;
	put_line("up %lu s; %u programs: %u sleeping; %u tasks ready; %u of %u domains vote to"
	    " kill; a key ends", (unsigned long)(timer_now_us() / SECOND_US), all.programs,
	    all.sleeping, sched_runnable_count(), votes, vm_domain_count);
	put_line("CPU:  %u%% busy, %u%% idle", idle_percent < 100 ? 100 - idle_percent : 0,
	    idle_percent < 100 ? idle_percent : 100);
	put_line("Mem:  %uK Active, %uK Inact, %uK Wired, %uK Cache, %uK Free",
	    kib(mm_params.v_active_count), kib(mm_params.v_inactive_count),
	    kib(mm_params.v_wire_count), kib(mm_params.v_cache_count),
	    kib(mm_params.v_free_count));
	put_line("Swap: %uK Total, %uK Used, %uK Free, %u%% Inuse%s, %uK In, %uK Out", kib(total),
	    kib(used), kib(total - used),
	    total == 0 ? 0 : (uint32_t)((uint64_t)used * 100 / total),
	    swap_pager_full() ? " (full)" : "", kib(mm_params.v_swappgsin - before.page_ins),
	    kib(mm_params.v_swappgsout - before.page_outs));
}

static void
print_row(const struct top_row *row)
{
	put_line("%5u %8uK %7uK %7uK %-8s %9lu %5lu.%02lu %3u.%u%% %s%s", row->pid, row->size_kib,
	    row->resident_kib, row->swap_kib, row->state, (unsigned long)row->faults,
	    (unsigned long)(row->run_us / SECOND_US), (unsigned long)(row->run_us / 10000 % 100),
	    row->cpu_permille / 10, row->cpu_permille % 10, row->name,
	    row->is_protected ? " (protected)" : "");
}

static void
remember(uint32_t count, uint64_t now_us, uint64_t idle_us)
{
	uint32_t i;

	memset(&before, 0, sizeof(before));
	before.at_us = now_us;
	before.idle_us = idle_us;
	before.page_ins = mm_params.v_swappgsin;
	before.page_outs = mm_params.v_swappgsout;
	for (i = 0; i < count; i++) {
		before.pids[i] = rows[i].pid;
		before.run_us[i] = rows[i].run_us;
	}
}

static void
print_picture(uint32_t screen_lines)
{
	uint64_t now_us = timer_now_us(), idle_us = timer_cycles_to_us(sched_idle_cycles());
	uint64_t elapsed_us = now_us > before.at_us ? now_us - before.at_us : 1;
	uint32_t count = rows_collect(elapsed_us), i;

	vm_meter_refresh();
	lines_left = screen_lines - 1; /* the cursor stands on the last */
	if (columns != 0)
		console_raw(HOME, sizeof(HOME) - 1);
	print_head(elapsed_us, idle_us);
	print_domains();
	put_line("  PID      SIZE      RES     SWAP STATE       FAULTS     TIME   WCPU COMMAND");
	for (i = 0; i < count; i++)
		print_row(&rows[i]);
	if (columns != 0)
		console_raw(CLEAR_BELOW, sizeof(CLEAR_BELOW) - 1);
	remember(count, now_us, idle_us);
}

/* "ESC [ lines ; columns R" within ANSWER_US; other bytes are lost. */
static bool
read_answer(uint32_t *lines, uint32_t *cols)
{
	uint64_t end_us = timer_now_us() + ANSWER_US;
	uint32_t numbers[2] = { 0, 0 }, n = 0;

	while (timer_now_us() < end_us) {
		int c = console_getc(end_us - timer_now_us() + 1);

		if (c == '\033' || c == '[') {
			numbers[0] = numbers[1] = n = 0;
		} else if (c >= '0' && c <= '9' && numbers[n] < 1000) {
			numbers[n] = numbers[n] * 10 + (uint32_t)(c - '0');
		} else if (c == ';' && n == 0) {
			n = 1;
		} else if (c == 'R' && n == 1 && numbers[0] > 9 && numbers[0] < 1000 &&
		    numbers[1] > 39) {
			*lines = numbers[0];
			*cols = numbers[1];
			return (true);
		}
	}
	return (false);
}

void
cmd_top(const struct monitor_call *call)
{
	uint32_t screen_lines = 1;
	int64_t seconds = 1;

	if (call->argc > 1 && !monitor_number(call, 1, 1, SECONDS_MAX, &seconds))
		return;
	console_raw(ASK_SIZE, sizeof(ASK_SIZE) - 1);
	if (!read_answer(&screen_lines, &columns))
		columns = 0;
	memset(&before, 0, sizeof(before));
	if (columns != 0)
		console_raw(FULL_BEGIN, sizeof(FULL_BEGIN) - 1);
	do
		print_picture(screen_lines);
	while (!monitor_key_pressed(NULL, (uint64_t)seconds * SECOND_US));
	if (columns != 0)
		console_raw(FULL_END, sizeof(FULL_END) - 1);
}
