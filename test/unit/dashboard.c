/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dashboard drawn into memory: what is where, in which colour, and nothing outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/canvas.h"
#include "app/monitor/dashboard.h"
#include "app/monitor/font.h"
#include "app/monitor/framemap.h"
#include "app/monitor/graph.h"
#include "app/monitor/monitor.h"
#include "app/monitor/monitor_params.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/vm_page.h"
#include "test/host/console_tap.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define PAD  16u         /* pixels of each row that are not the screen's */
#define WALL 0x0badcafeu /* what stands there, and behind the last row */

static struct display screen;
static uint32_t *memory;
static size_t memory_pixels;

/* A screen of its size in heap memory, walls around. */
static int
open_screen(struct display *out)
{
	size_t i;

	free(memory);
	screen.pitch = screen.width + PAD;
	memory_pixels = (size_t)screen.pitch * screen.height;
	memory = malloc(memory_pixels * sizeof(*memory));
	for (i = 0; i < memory_pixels; i++)
		memory[i] = WALL;
	screen.pixels = memory;
	screen.red_shift = 0;
	screen.blue_shift = 16;
	*out = screen;
	return (0);
}

static const struct display *
begin(uint32_t width, uint32_t height)
{
	static struct display own;

	screen.width = width;
	screen.height = height;
	assert_int_equal(open_screen(&own), 0);
	return (&own);
}

/* 0xRRGGBB at a place; the pixel's order is the other way. */
static uint32_t
at(uint32_t x, uint32_t y)
{
	uint32_t p = memory[(size_t)y * screen.pitch + x];

	return ((p & 0xff) << 16 | (p & 0xff00) | (p >> 16 & 0xff));
}

static void
check_walls(void)
{
	uint32_t x, y;

	for (y = 0; y < screen.height; y++)
		for (x = screen.width; x < screen.pitch; x++)
			assert_int_equal(memory[(size_t)y * screen.pitch + x], WALL);
}

/* Pixels of a colour in an area. */
static uint32_t
count(struct canvas_area a, uint32_t rgb)
{
	uint32_t x, y, n = 0;

	for (y = a.y; y < a.y + a.height; y++)
		for (x = a.x; x < a.x + a.width; x++)
			n += at(x, y) == rgb;
	return (n);
}

/* ---- canvas */

static void
fill_body(void *arg)
{
	const struct display *d = begin(320, 200);

	(void)arg;
	canvas_fill(d, (struct canvas_area){ 10, 20, 30, 40 }, 0x102030);
	assert_int_equal(count((struct canvas_area){ 10, 20, 30, 40 }, 0x102030), 30 * 40);
	assert_int_equal(count((struct canvas_area){ 0, 0, 320, 200 }, 0x102030), 30 * 40);
	/* Cut at the edges, also where sums would wrap. */
	canvas_fill(d, (struct canvas_area){ 300, 190, 1000, 1000 }, 0x405060);
	assert_int_equal(count((struct canvas_area){ 0, 0, 320, 200 }, 0x405060), 20 * 10);
	canvas_fill(d, (struct canvas_area){ 319, 0, UINT32_MAX, UINT32_MAX }, 0x708090);
	canvas_fill(d, (struct canvas_area){ UINT32_MAX, UINT32_MAX, 5, 5 }, 0x708090);
	assert_int_equal(count((struct canvas_area){ 0, 0, 320, 200 }, 0x708090), 200);
	check_walls();
}
SIM_TEST(fill)

/* Is row y, column x of character c's glyph set? */
static uint32_t
ink(char c, uint32_t x, uint32_t y)
{
	return (font_glyphs[c - FONT_FIRST][y] >> (7 - x) & 1 ? 0xffffff : 0x000001);
}

static void
text_body(void *arg)
{
	const struct display *d = begin(320, 200);
	struct canvas_pen pen = { 1, 0xffffff, 0x000001 };
	uint32_t x, y;

	(void)arg;
	canvas_text(d, (struct canvas_place){ 8, 16, 3 }, &pen, "A\n");
	for (y = 0; y < FONT_HEIGHT; y++)
		for (x = 0; x < 8; x++) {
			assert_int_equal(at(8 + x, 16 + y), ink('A', x, y));
			/* What has no glyph is a question mark; behind the end are blanks. */
			assert_int_equal(at(16 + x, 16 + y), ink('?', x, y));
			assert_int_equal(at(24 + x, 16 + y), 0x000001);
		}
	pen.scale = 3;
	canvas_text(d, (struct canvas_place){ 100, 100, 1 }, &pen, "A");
	for (y = 0; y < 48; y++)
		for (x = 0; x < 24; x++)
			assert_int_equal(at(100 + x, 100 + y), ink('A', x / 3, y / 3));
	canvas_text(d, (struct canvas_place){ 310, 190, 50 }, &pen, "across the edge");
	check_walls();
}
SIM_TEST(text)

/* ---- graphs */

static void
graph_body(void *arg)
{
	static struct graph g;
	const struct display *d = begin(320, 200);
	const uint32_t half[GRAPH_SERIES] = { 25, 25 }, full[GRAPH_SERIES] = { 0, 100 };
	uint32_t n;

	(void)arg;
	g = (struct graph){ .area = { 20, 30, 256, 100 }, .series = 2, .stacked = true,
		.colours = { 0xff0000, 0x00ff00 }, .top = 100 };
	for (n = 0; n < GRAPH_POINTS; n++)
		graph_add(&g, half);
	graph_draw(d, &g);
	/* Lower quarter, the quarter above it, nothing above. */
	assert_int_equal(count((struct canvas_area){ 20, 105, 256, 25 }, 0xff0000), 256 * 25);
	assert_int_equal(count((struct canvas_area){ 20, 80, 256, 25 }, 0x00ff00), 256 * 25);
	assert_int_equal(count((struct canvas_area){ 20, 30, 256, 50 }, 0x00ff00), 0);
	/* The newest is at the right, and moves to the left. */
	graph_add(&g, full);
	graph_draw(d, &g);
	assert_int_equal(count((struct canvas_area){ 275, 30, 1, 100 }, 0x00ff00), 100);
	assert_int_equal(count((struct canvas_area){ 274, 30, 1, 100 }, 0x00ff00), 25);
	graph_add(&g, half);
	graph_draw(d, &g);
	assert_int_equal(count((struct canvas_area){ 274, 30, 1, 100 }, 0x00ff00), 100);
	/* A mark: dashed, at its height. */
	g.marks[0] = 50;
	g.mark_colours[0] = 0xfffffe;
	graph_draw(d, &g);
	assert_int_equal(count((struct canvas_area){ 20, 80, 256, 1 }, 0xfffffe), 128);
	assert_int_equal(count((struct canvas_area){ 20, 30, 256, 100 }, 0xfffffe), 128);
	check_walls();
}
SIM_TEST(graph)

static void
lines_body(void *arg)
{
	static struct graph g;
	const struct display *d = begin(320, 200);
	uint32_t values[GRAPH_SERIES] = { 0 };

	(void)arg;
	g = (struct graph){ .area = { 0, 0, 300, 101 }, .series = 1, .colours = { 0xff0000 } };
	assert_int_equal(graph_top(&g), 1);
	values[0] = 4000;
	graph_add(&g, values);
	values[0] = 1000;
	graph_add(&g, values);
	assert_int_equal(graph_top(&g), 4000);
	graph_draw(d, &g);
	/* The last point: from the one before it, down to a quarter. */
	assert_int_equal(count((struct canvas_area){ 299, 0, 1, 101 }, 0xff0000), 76);
	assert_int_equal(at(299, 0), 0xff0000);
	assert_int_equal(at(299, 75), 0xff0000);
	assert_int_not_equal(at(299, 76), 0xff0000);
	check_walls();
}
SIM_TEST(lines)

/* ---- page map */

static void
layout_is_inside(uint32_t width, uint32_t height, uint32_t frames)
{
	static struct framemap m;

	framemap_layout(&m, (struct canvas_area){ 3, 5, width, height }, frames);
	assert_true(m.columns * m.block <= width && m.rows * m.block <= height);
	assert_true((uint64_t)m.columns * m.rows * m.each >= frames);
	assert_true((uint64_t)m.columns * (m.rows - 1) * m.each < frames);
	/* Larger blocks would not fit, unless they are as large as they get. */
	assert_true(m.block == 24 || m.each > 1 ||
	    (width / (m.block + 1)) * (height / (m.block + 1)) < frames);
}

static void
map_layout_body(void *arg)
{
	(void)arg;
	layout_is_inside(340, 270, 2048);
	layout_is_inside(340, 270, 1);
	layout_is_inside(340, 270, 340 * 270);
	layout_is_inside(340, 270, 340 * 270 + 1);
	layout_is_inside(340, 270, 262144);
	layout_is_inside(1040, 700, 262144);
	layout_is_inside(1040, 700, 8000000);
}
SIM_TEST(map_layout)

static void
map_body(void *arg)
{
	static struct framemap m;
	static const struct canvas_area area = { 10, 10, 300, 150 };
	const struct display *d = begin(320, 200);
	struct vm_page *taken[20];
	uint32_t n, pixels;

	(void)arg;
	sim_mm_boot(256);
	framemap_layout(&m, area, vm_pagemap_count());
	framemap_draw(d, &m, UINT32_MAX);
	pixels = (m.block - 1) * (m.block - 1);
	for (n = 0; n < VM_PAGEMAP_STATES; n++) {
		uint32_t f, wanted = 0;

		for (f = 0; f < vm_pagemap_count(); f++)
			wanted += vm_pagemap_state(f) == n;
		assert_int_equal(count(area, framemap_colour(n)), wanted * pixels);
	}
	/* What changes is drawn, what does not is left alone. */
	for (n = 0; n < 20; n++) {
		taken[n] = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ |
		    VM_ALLOC_NOBUSY | VM_ALLOC_WIRED);
		assert_non_null(taken[n]);
	}
	pixels = count(area, framemap_colour(VM_PAGEMAP_WIRED));
	framemap_draw(d, &m, UINT32_MAX);
	assert_int_equal(count(area, framemap_colour(VM_PAGEMAP_WIRED)),
	    pixels + 20 * (m.block - 1) * (m.block - 1));
	canvas_fill(d, area, 0x123456);
	framemap_draw(d, &m, UINT32_MAX);
	assert_int_equal(count(area, 0x123456), area.width * area.height);
	/* In turns: no more rows than asked for, then the next ones. */
	memset(m.drawn, 0, sizeof(m.drawn));
	framemap_draw(d, &m, m.columns);
	assert_int_equal(m.next_row, 1);
	framemap_draw(d, &m, m.columns + 1);
	assert_int_equal(m.next_row, 3 % m.rows);
	check_walls();
}
SIM_TEST(map)

/* ---- all of it */

static bool
colour_is_in(struct canvas_area a, uint32_t rgb)
{
	return (count(a, rgb) != 0);
}

static void
whole(uint32_t width, uint32_t height)
{
	const struct canvas_area all = { 0, 0, width, height };
	const struct canvas_area right = { width * 6 / 10, 40, width * 4 / 10 - 20, height / 4 };
	char on[] = "dashboard on 100", off[] = "dashboard off", what[] = "dashboard";
	uint32_t n;

	screen.width = width;
	screen.height = height;
	sim_mm_boot(512);
	kern_params_register();
	mm_params_register();
	display_register(open_screen);
	console_tap_begin();
	monitor_execute(on);
	assert_int_equal(dashboard_period_ms(), 100);
	tsleep(&screen, "test", 450000);
	monitor_execute(what);
	assert_non_null(strstr(console_tap_text(),
	    "dashboard is on, a picture every 100 ms; drawing"));
	monitor_execute(off);
	assert_int_equal(dashboard_period_ms(), 0);
	assert_true(monitor_params.dashboard_pictures >= 4);
	monitor_params.dashboard_pictures = 0;
	/* Everything has been drawn on; the head; map and legend; the stack of queues with
	 * its threshold. */
	assert_int_equal(count(all, 0x7ebaad), 0);
	assert_true(colour_is_in((struct canvas_area){ 0, 0, width, 10 }, 0x1c7ed6));
	assert_true(count(all, framemap_colour(VM_PAGEMAP_FREE)) > width * height / 20);
	for (n = 0; n < VM_PAGEMAP_STATES; n++)
		assert_true(colour_is_in(all, framemap_colour(n)));
	assert_true(colour_is_in(right, 0xffffff));
	check_walls();
}

static void
whole_body(void *arg)
{
	(void)arg;
	whole(640, 480);
	whole(1280, 720);
	whole(1920, 1080);
}
SIM_TEST(whole)

/* The least that is drawn on, odd ones, wide and low ones: inside, and it comes to an end. */
static void
small_body(void *arg)
{
	(void)arg;
	whole(320, 256);
	whole(641, 479);
	whole(1600, 400);
	whole(1920, 257);
}
SIM_TEST(small)

static void
too_small(uint32_t width, uint32_t height)
{
	char on[] = "dashboard on";

	screen.width = width;
	screen.height = height;
	display_register(open_screen);
	console_tap_begin();
	monitor_execute(on);
	assert_string_equal(console_tap_text(),
	    "dashboard: the screen is too small; 320 by 256 pixels at least\n");
	assert_int_equal(dashboard_period_ms(), 0);
}

static void
too_small_body(void *arg)
{
	(void)arg;
	too_small(320, 200);
	too_small(319, 600);
	too_small(320, 255);
}
SIM_TEST(too_small)

static int
no_memory(struct display *out)
{
	(void)out;
	return (ERR_NOMEM);
}

static void
mistakes_body(void *arg)
{
	char on[] = "dashboard on", of[] = "dashboard of", fast[] = "dashboard on 5";
	char is[] = "dashboard";

	(void)arg;
	console_tap_begin();
	display_register(NULL);
	monitor_execute(on);
	assert_string_equal(console_tap_text(), "dashboard: this board has no screen\n");
	console_tap_begin();
	display_register(no_memory);
	strcpy(on, "dashboard on");
	monitor_execute(on);
	assert_string_equal(console_tap_text(), "dashboard: out of memory\n");
	console_tap_begin();
	monitor_execute(of);
	monitor_execute(fast);
	monitor_execute(is);
	assert_string_equal(console_tap_text(),
	    "dashboard: expected on or off, got 'of'; usage: dashboard [on [MS] | off]\n"
	    "dashboard: expected a number from 50 to 60000, got '5'; usage: dashboard [on [MS] |"
	    " off]\n"
	    "dashboard is off\n");
}
SIM_TEST(mistakes)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_map_layout),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_mistakes),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(memory);
	return (failed);
}
