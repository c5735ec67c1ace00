/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dashboard.
 *
 *   +-----------------------------------------------------------+
 *   | ebb   up 12.3 s   pool 8192 KiB   swap 33940 of 131064 ... |
 *   +------------------------------+----------------------------+
 *   | page map: a block a frame    | queues, stacked, with the  |
 *   |                              | thresholds of free pages   |
 *   |                              +----------------------------+
 *   |                              | faults a second            |
 *   |                              +----------------------------+
 *   | free active inactive ...     | pages in and out a second  |
 *   +------------------------------+----------------------------+
 *   |  PID NAME      STATE     RES KiB  SWAP KiB    CPU %       |
 *   +-----------------------------------------------------------+
 *
 * Everything is sized for the screen at the start; a picture is a sample, then drawing in
 * pieces that yield. How much of the core that takes is measured, and when it is more than
 * BUSY_MAX the next picture comes later.
 *
 * Owns: the task "dashboard", the layout, the samples.
 * Does not: draw (canvas.c, graph.c, framemap.c), know the screen's driver.
 *
 * Invariants:
 * D1 one task at most.
 * D2 once it runs it allocates nothing.
 * D3 map and graphs have rows: a screen that is too small for that is refused.
 *
 * Yields: dashboard_start, dashboard_stop; the task.
 * See: kern/display.h; docs/decisions/0021.
 */
#include "app/monitor/dashboard.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/canvas.h"
#include "app/monitor/font.h"
#include "app/monitor/framemap.h"
#include "app/monitor/graph.h"
#include "app/monitor/monitor.h"
#include "app/monitor/monitor_params.h"
#include "app/monitor/vmstat.h"
#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "lib/assert.h"
#include "mm/mm_params.h"
#include "mm/swap_pager.h"
#include "proc/proc.h"

#define BACKGROUND   0x11151cu
#define TITLE_BACK   0x1c7ed6u
#define TEXT         0xe9ecefu
#define DIM          0x868e96u
#define MARGIN       8u
#define PROGRAMS_MAX 6u
#define HEIGHT_LARGE 720u /* from here on text of double size leaves room for graphs */
#define FRAMES_A_PICTURE 16384u
#define PERIOD_MS_MAX 10000u
#define BUSY_MAX_US  15000u /* a second: what it keeps to, of 20,000 that it may */
#define BUSY_LOW_US  5000u
#define TEXT_BYTES   200u

enum { QUEUES, FAULTS, PAGING, GRAPHS };

struct program {
	uint32_t pid, resident_kib, swap_kib, cpu_permille;
	uint64_t run_us;
	const char *state;
	char name[PROC_NAME_BYTES];
};

/* What stands over a graph: what its series are, and the rest with the value at its top. */
struct graph_title {
	const char *words[GRAPH_SERIES];
	const char *rest;
};

static const struct display *screen;
static struct canvas_pen pen;
static uint32_t line_height, text_columns, programs_y;
static struct framemap map;
static struct graph graphs[GRAPHS];
static struct vmstat_sample samples[2];
static uint32_t sample_now;
static uint64_t read_faults; /* faults that needed a read, at the sample before */
static struct program programs[PROGRAMS_MAX];
static uint32_t program_count;
static uint64_t run_us_before[PROGRAMS_MAX];
static uint32_t pid_before[PROGRAMS_MAX];

static bool running, stopping;
static uint32_t wanted_ms, period_ms;

/* What is written where: text that is there already is not drawn again. */
enum { HEAD, TITLE, PROGRAMS = TITLE + GRAPHS, TEXTS = PROGRAMS + PROGRAMS_MAX };
static char shown[TEXTS][TEXT_BYTES];

static bool
is_new(uint32_t which, const char *text)
{
	if (strcmp(shown[which], text) == 0)
		return (false);
	snprintf(shown[which], TEXT_BYTES, "%s", text);
	return (true);
}

/* ---- layout */

static void
title(uint32_t x, uint32_t y, uint32_t width, const char *text)
{
	struct canvas_pen dim = { pen.scale, DIM, BACKGROUND };

	canvas_text(screen, (struct canvas_place){ x, y, width / (FONT_WIDTH * pen.scale) }, &dim,
	    text);
}

static void
layout_graphs(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	static const uint32_t queue_colours[GRAPH_SERIES] = { 0x4c6ef5, 0x37b24d, 0xfab005,
		0x22b8cf, 0x39414f };
	static const uint32_t fault_colours[GRAPH_SERIES] = { 0xf03e3e, 0x51cf66, 0x74c0fc };
	static const uint32_t paging_colours[GRAPH_SERIES] = { 0x4dabf7, 0xf03e3e };
	static const uint32_t mark_colours[GRAPH_MARKS] = { 0xffffff, 0xff922b, 0xf03e3e };
	uint32_t each = height / GRAPHS, n;

	memset(graphs, 0, sizeof(graphs));
	for (n = 0; n < GRAPHS; n++)
		graphs[n].area = (struct canvas_area){ x, y + n * each + line_height, width,
			each - line_height - MARGIN * pen.scale };
	graphs[QUEUES].series = 5;
	graphs[QUEUES].stacked = true;
	graphs[FAULTS].series = 3;
	graphs[PAGING].series = 2;
	memcpy(graphs[QUEUES].colours, queue_colours, sizeof(queue_colours));
	memcpy(graphs[FAULTS].colours, fault_colours, sizeof(fault_colours));
	memcpy(graphs[PAGING].colours, paging_colours, sizeof(paging_colours));
	memcpy(graphs[QUEUES].mark_colours, mark_colours, sizeof(mark_colours));
}

/* Coloured squares with the states' names, below the map, in two lines. */
static void
draw_legend(uint32_t x, uint32_t y, uint32_t width)
{
	uint32_t each = width / (VM_PAGEMAP_STATES / 2), side = 10 * pen.scale, s;
	struct canvas_pen dim = { pen.scale, DIM, BACKGROUND };

	for (s = 0; s < VM_PAGEMAP_STATES; s++) {
		uint32_t left = x + s % (VM_PAGEMAP_STATES / 2) * each;
		uint32_t top = y + s / (VM_PAGEMAP_STATES / 2) * line_height;

		canvas_fill(screen, (struct canvas_area){ left, top + 3 * pen.scale, side, side },
		    framemap_colour((enum vm_pagemap_state)s));
		canvas_text(screen, (struct canvas_place){ left + side + 6 * pen.scale, top, 8 },
		    &dim, framemap_word((enum vm_pagemap_state)s));
	}
}

static void
layout(void)
{
	uint32_t scale = screen->width >= 1600 && screen->height >= HEIGHT_LARGE ? 2 : 1;
	uint32_t margin = MARGIN * scale;
	uint32_t inner = screen->width - 3 * margin, left = inner * 11 / 20;
	uint32_t top, height;

	pen = (struct canvas_pen){ scale, TEXT, BACKGROUND };
	line_height = FONT_HEIGHT * scale;
	text_columns = (screen->width - 2 * margin) / (FONT_WIDTH * scale);
	top = line_height + 2 * margin;
	programs_y = screen->height - (PROGRAMS_MAX + 1) * line_height - margin;
	height = programs_y - margin - top;
	KASSERT(height / GRAPHS >= line_height + margin + GRAPH_ROWS_MIN, "D3: graphs have rows");
	canvas_fill(screen, (struct canvas_area){ 0, 0, screen->width, screen->height },
	    BACKGROUND);
	canvas_fill(screen, (struct canvas_area){ 0, 0, screen->width, line_height + margin },
	    TITLE_BACK);
	framemap_layout(&map, (struct canvas_area){ margin, top + line_height, left,
	    height - 3 * line_height - margin }, vm_pagemap_count());
	title(margin, top, left, "page map, lowest address first");
	draw_legend(margin, top + height - 2 * line_height, left);
	layout_graphs(left + 2 * margin, top, inner - left, height);
	memset(shown, 0, sizeof(shown));
	title(margin, programs_y, screen->width - 2 * margin,
	    "  PID NAME             STATE      RES KiB  SWAP KiB   TIME s   CPU %");
}

/* ---- a sample */

static uint32_t
a_second(uint64_t grown, uint64_t elapsed_us)
{
	return ((uint32_t)(grown * 1000000 / elapsed_us));
}

/* What it was the picture before; of a program that is new: what it is. */
static uint64_t
run_us_of(uint32_t pid, uint64_t now)
{
	uint32_t n;

	for (n = 0; n < PROGRAMS_MAX; n++)
		if (pid_before[n] == pid)
			return (run_us_before[n]);
	return (now);
}

static void
sample_programs(uint64_t elapsed_us)
{
	struct proc *p = NULL;

	program_count = 0;
	while ((p = proc_next(p)) != NULL && program_count < PROGRAMS_MAX) {
		struct program *o = &programs[program_count++];

		*o = (struct program){ .pid = p->pid, .state = proc_state_name(p) };
		o->run_us = timer_cycles_to_us(p->task != NULL ? p->task->run_cycles :
		    p->run_cycles);
		o->cpu_permille = (uint32_t)((o->run_us - run_us_of(p->pid, o->run_us)) * 1000 /
		    elapsed_us);
		snprintf(o->name, sizeof(o->name), "%s", p->name);
		if (p->vmspace == NULL)
			continue;
		o->resident_kib = vmspace_resident_count(p->vmspace) * (PAGE_SIZE / 1024);
		o->swap_kib = vmspace_swap_count(p->vmspace) * (PAGE_SIZE / 1024);
	}
}

static void
remember_programs(void)
{
	uint32_t n;

	memset(pid_before, 0, sizeof(pid_before));
	for (n = 0; n < program_count; n++) {
		pid_before[n] = programs[n].pid;
		run_us_before[n] = programs[n].run_us;
	}
}

static void
sample_graphs(const struct vmstat_sample *before, const struct vmstat_sample *now,
    uint64_t us)
{
	const uint32_t queues[GRAPH_SERIES] = { (uint32_t)now->wired, (uint32_t)now->active,
		(uint32_t)now->inactive, (uint32_t)now->cache, (uint32_t)now->free };
	const uint32_t faults[GRAPH_SERIES] = { a_second(mm_params.v_io_faults - read_faults, us),
		a_second(now->faults - before->faults, us),
		a_second(now->flag_faults - before->flag_faults, us) };
	const uint32_t paging[GRAPH_SERIES] = { a_second(now->page_ins - before->page_ins, us),
		a_second(now->page_outs - before->page_outs, us) };
	uint32_t total = (uint32_t)mm_params.v_page_count;

	read_faults = mm_params.v_io_faults;
	graph_add(&graphs[QUEUES], queues);
	graph_add(&graphs[FAULTS], faults);
	graph_add(&graphs[PAGING], paging);
	/* Free pages are the top of the stack: the thresholds are as far below it. */
	graphs[QUEUES].top = total;
	graphs[QUEUES].marks[0] = total - (uint32_t)mm_params.v_free_target;
	graphs[QUEUES].marks[1] = total - (uint32_t)mm_params.v_free_min;
	graphs[QUEUES].marks[2] = total - (uint32_t)mm_params.v_free_severe;
}

/* ---- a picture */

static void
draw_head(const struct vmstat_sample *before, const struct vmstat_sample *now, uint64_t us)
{
	struct canvas_pen head = { pen.scale, 0xffffff, TITLE_BACK };
	uint64_t idle = (now->idle_us - before->idle_us) * 100 / us;
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "ebb   up %llu.%llu s   core %llu %%   pool %llu KiB   swap"
	    " %llu of %llu KiB", (unsigned long long)(now->at_us / 1000000),
	    (unsigned long long)(now->at_us / 100000 % 10),
	    (unsigned long long)(idle < 100 ? 100 - idle : 0),
	    (unsigned long long)mm_params.v_page_count * (PAGE_SIZE / 1024),
	    (unsigned long long)now->swap_used * (PAGE_SIZE / 1024),
	    (unsigned long long)swap_pager_total() * (PAGE_SIZE / 1024));
	if (is_new(HEAD, text))
		canvas_text(screen, (struct canvas_place){ MARGIN * pen.scale,
		    MARGIN * pen.scale / 2, text_columns }, &head, text);
}

/* Words in the colours of what they name; then, in what is left of the line, the rest. */
static void
draw_words(uint32_t which, const struct graph_title *words)
{
	const struct graph *g = &graphs[which];
	uint32_t left = g->area.width / (FONT_WIDTH * pen.scale), n;
	uint32_t x = g->area.x, y = g->area.y - line_height;
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), words->rest, graph_top(g));
	if (!is_new(TITLE + which, text))
		return;
	for (n = 0; n < g->series && words->words[n] != NULL; n++) {
		struct canvas_pen own = { pen.scale, g->colours[n], BACKGROUND };
		uint32_t columns = (uint32_t)strlen(words->words[n]) + 1;

		if (columns > left)
			columns = left;
		canvas_text(screen, (struct canvas_place){ x, y, columns }, &own,
		    words->words[n]);
		x += columns * FONT_WIDTH * pen.scale;
		left -= columns;
	}
	title(x, y, left * FONT_WIDTH * pen.scale, text);
}

static void
draw_graphs(void)
{
	static const struct graph_title titles[GRAPHS] = {
		[QUEUES] = { { "wired", "active", "inact", "cache" }, "-- limits" },
		[FAULTS] = { { "reads", "faults", "flags" }, "/s, top %u" },
		[PAGING] = { { "in", "out" }, "pages /s, top %u" },
	};
	uint32_t n;

	for (n = 0; n < GRAPHS; n++) {
		draw_words(n, &titles[n]);
		graph_draw(screen, &graphs[n]);
	}
}

static void
draw_programs(void)
{
	char text[TEXT_BYTES];
	uint32_t n;

	for (n = 0; n < PROGRAMS_MAX; n++) {
		const struct program *p = &programs[n];

		text[0] = '\0';
		if (n < program_count)
			snprintf(text, sizeof(text),
			    "%5u %-16.16s %-8s %9u %9u %5llu.%02llu %5u.%u", p->pid, p->name,
			    p->state, p->resident_kib, p->swap_kib,
			    (unsigned long long)(p->run_us / 1000000),
			    (unsigned long long)(p->run_us / 10000 % 100), p->cpu_permille / 10,
			    p->cpu_permille % 10);
		if (is_new(PROGRAMS + n, text))
			canvas_text(screen, (struct canvas_place){ MARGIN * pen.scale,
			    programs_y + (n + 1) * line_height, text_columns }, &pen, text);
	}
}

static void
picture(void)
{
	struct vmstat_sample *before = &samples[sample_now], *now = &samples[sample_now ^= 1];
	uint64_t us;

	vmstat_sample_take(now);
	us = now->at_us > before->at_us ? now->at_us - before->at_us : 1;
	sample_programs(us);
	sample_graphs(before, now, us);
	draw_head(before, now, us);
	framemap_draw(screen, &map, FRAMES_A_PICTURE);
	draw_graphs();
	draw_programs();
	remember_programs();
	monitor_params.dashboard_pictures++;
}

/* ---- the task */

static uint64_t
own_us(void)
{
	const struct task *t = curtask();

	return (timer_cycles_to_us(t->run_cycles + get_cyclecount() - t->switched_in_cycles));
}

/* The next picture comes so late that drawing takes no more than it may. */
static void
adapt(uint64_t drawing_us, uint64_t elapsed_us)
{
	uint64_t busy_us = drawing_us * 1000000 / elapsed_us;

	monitor_params.dashboard_us = busy_us;
	if (busy_us > BUSY_MAX_US && period_ms < PERIOD_MS_MAX)
		period_ms *= 2;
	else if (busy_us < BUSY_LOW_US && period_ms > wanted_ms)
		period_ms = period_ms / 2 > wanted_ms ? period_ms / 2 : wanted_ms;
}

static void
dashboard_task(void *arg)
{
	uint64_t began_us, drawn_us;

	(void)arg;
	layout();
	vmstat_sample_take(&samples[sample_now]);
	read_faults = mm_params.v_io_faults;
	while (!stopping) {
		began_us = timer_now_us();
		drawn_us = own_us();
		picture();
		drawn_us = own_us() - drawn_us;
		if (!stopping)
			tsleep(&stopping, "dashbd", (uint64_t)period_ms * 1000);
		adapt(drawn_us, timer_now_us() - began_us);
	}
	running = false;
	wakeup(&running);
}

int
dashboard_start(uint32_t ms)
{
	struct task *t;
	int error = display_open(&screen);

	if (error != 0)
		return (error);
	if (screen->width < DASHBOARD_WIDTH_MIN || screen->height < DASHBOARD_HEIGHT_MIN)
		return (ERR_RANGE);
	wanted_ms = period_ms = ms;
	if (running) {
		wakeup(&stopping);
		return (0);
	}
	stopping = false;
	error = task_create(&t, "dashboard", MONITOR_PRIORITY, dashboard_task, NULL);
	running = error == 0;
	return (error);
}

void
dashboard_stop(void)
{
	stopping = true;
	wakeup(&stopping);
	while (running)
		tsleep(&running, "dashbd", SLEEP_FOREVER);
	KASSERT(!running, "D1: one dashboard task at most");
}

uint32_t
dashboard_period_ms(void)
{
	return (running ? wanted_ms : 0);
}
