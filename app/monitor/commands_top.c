/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top and domains: who uses memory, and what the page daemon of each domain does.
 *
 * top copies what it shows before it prints: printing yields. It begins each picture at
 * the upper left corner of a terminal and clears what is below.
 *
 * Owns: the rows of top. Does not: change anything.
 *
 * Invariants: none.
 * Yields: both commands.
 * See: mm/vm_meter.h, proc/proc.h; contract 1.8, 1.9.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/timer.h"
#include "mm/swap_pager.h"
#include "mm/vm_meter.h"
#include "proc/proc.h"

#define ROWS_MAX     24u
#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define SECOND_US    1000000u
#define HOME_CLEAR   "\033[H\033[J" /* ECMA-48: CUP, ED */

struct top_row {
	uint32_t pid, resident_kib, swap_kib;
	uint64_t run_us, faults;
	const char *state;
	bool is_protected;
	char name[PROC_NAME_BYTES];
};

static struct top_row rows[ROWS_MAX];

/* ---- domains */

static void
print_domain(const struct vm_domain *vmd)
{
	kprintf("%3u %7u %6u %6u %6u %6u %6u  %5u/%u/%u/%u  %4u %-6s %-4s %s\n", vmd->id,
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

	kprintf("dom   pages   free  cache active  inact  wired target/wake/min/sev  pass pages"
	    "  vote daemon\n");
	for (i = 0; i < vm_domain_count; i++)
		print_domain(&vm_domains[i]);
}

void
cmd_domains(const struct monitor_call *call)
{
	(void)call;
	print_domains();
}

/* ---- top */

static void
row_fill(struct top_row *row, const struct proc *p)
{
	memset(row, 0, sizeof(*row));
	row->pid = p->pid;
	row->state = proc_state_name(p);
	row->is_protected = p->protected_from_oom;
	row->faults = p->usage.faults;
	row->run_us = timer_cycles_to_us(p->task != NULL ? p->task->run_cycles : p->run_cycles);
	snprintf(row->name, sizeof(row->name), "%s", p->name);
	if (p->vmspace == NULL)
		return;
	row->resident_kib = vmspace_resident_count(p->vmspace) * KIB_PER_PAGE;
	row->swap_kib = vmspace_swap_count(p->vmspace) * KIB_PER_PAGE;
	row->faults = p->vmspace->usage.faults;
}

/* The programs with most memory, in order, without yielding; how many. */
static uint32_t
rows_collect(void)
{
	struct proc *p = NULL;
	struct top_row row;
	uint32_t count = 0, at;

	while ((p = proc_next(p)) != NULL) {
		row_fill(&row, p);
		for (at = count; at > 0 && rows[at - 1].resident_kib < row.resident_kib; at--)
			if (at < ROWS_MAX)
				rows[at] = rows[at - 1];
		if (at < ROWS_MAX)
			rows[at] = row;
		count += count < ROWS_MAX;
	}
	return (count);
}

static void
print_head(uint64_t *idle_us, uint64_t *at_us)
{
	uint64_t idle = timer_cycles_to_us(sched_idle_cycles()), now = timer_now_us();
	uint64_t busy = now - *at_us > idle - *idle_us ? now - *at_us - (idle - *idle_us) : 0;
	uint32_t i, votes = 0;

	for (i = 0; i < vm_domain_count; i++)
		votes += vm_domains[i].oom_voted;
	kprintf(HOME_CLEAR "up %lu s, CPU %lu%%, %u ready; swap %u of %u KiB used%s; %u of %u"
	    " domains vote to kill; a key ends\n", (unsigned long)(now / SECOND_US),
	    (unsigned long)(now == *at_us ? 0 : busy * 100 / (now - *at_us)),
	    sched_runnable_count(), (swap_pager_total() - swap_pager_avail()) * KIB_PER_PAGE,
	    swap_pager_total() * KIB_PER_PAGE, swap_pager_full() ? " (full)" : "", votes,
	    vm_domain_count);
	*idle_us = idle;
	*at_us = now;
}

void
cmd_top(const struct monitor_call *call)
{
	uint64_t idle_us = 0, at_us = 0;
	uint32_t count, i;

	(void)call;
	do {
		count = rows_collect();
		print_head(&idle_us, &at_us);
		print_domains();
		kprintf("  PID STATE      RES KiB  SWAP KiB     FAULTS    TIME s NAME\n");
		for (i = 0; i < count; i++)
			kprintf("%5u %-8s %9u %9u %10lu %5lu.%03lu %s%s\n", rows[i].pid,
			    rows[i].state, rows[i].resident_kib, rows[i].swap_kib,
			    (unsigned long)rows[i].faults,
			    (unsigned long)(rows[i].run_us / SECOND_US),
			    (unsigned long)(rows[i].run_us / 1000 % 1000), rows[i].name,
			    rows[i].is_protected ? " (protected)" : "");
	} while (!monitor_key_pressed(NULL, SECOND_US));
}
