/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A graph that scrolls.
 *
 * Each row of pixels is made in cached memory from what every point covers, then written
 * at once: moving the picture would have to read the screen, which is slow.
 *
 * Owns: one row of pixels, and for each point which rows its series cover.
 * Does not: sample.
 *
 * Invariants:
 * G1 one graph is drawn at a time: the dashboard's task draws them.
 *
 * Yields: graph_draw.
 * Complexity: a draw writes each pixel of the area once.
 * See: app/monitor/canvas.h.
 */
#include "app/monitor/graph.h"

#include <stddef.h>

#define WIDTH_MAX  1024u
#define BACKGROUND 0x11151cu
#define GRID       0x262c36u

/* Rows [from, to) from the lower edge that a series covers at a point. */
struct span {
	uint16_t from, to;
};

static struct span spans[GRAPH_POINTS][GRAPH_SERIES];
static struct span extents[GRAPH_POINTS]; /* around all series */
static uint32_t line[WIDTH_MAX];
static uint32_t top; /* of the graph that is drawn */

void
graph_add(struct graph *g, const uint32_t values[GRAPH_SERIES])
{
	uint32_t s;

	g->newest = (g->newest + 1) % GRAPH_POINTS;
	for (s = 0; s < GRAPH_SERIES; s++)
		g->values[g->newest][s] = values[s];
}

uint32_t
graph_top(const struct graph *g)
{
	uint32_t p, s, most = 1;

	if (g->top != 0)
		return (g->top);
	for (p = 0; p < GRAPH_POINTS; p++)
		for (s = 0; s < g->series; s++)
			most = g->values[p][s] > most ? g->values[p][s] : most;
	return (most);
}

/* Rows above the lower edge; the highest row belongs to the top. */
static uint32_t
rows_of(uint64_t value, uint32_t height)
{
	uint64_t rows = value * height / top;

	return (rows < height ? (uint32_t)rows : height);
}

static void
span_stacked(const struct graph *g, uint32_t point, struct span *out)
{
	uint64_t sum = 0;
	uint32_t s;

	for (s = 0; s < g->series; s++) {
		out[s].from = (uint16_t)rows_of(sum, g->area.height);
		sum += g->values[point][s];
		out[s].to = (uint16_t)rows_of(sum, g->area.height);
	}
}

/* A line from the point before to this one: all rows between the two. */
static void
span_lines(const struct graph *g, uint32_t point, uint32_t before, struct span *out)
{
	uint32_t s, high = g->area.height - 1;

	for (s = 0; s < g->series; s++) {
		uint32_t a = rows_of(g->values[before][s], high);
		uint32_t b = rows_of(g->values[point][s], high);

		out[s].from = (uint16_t)(a < b ? a : b);
		out[s].to = (uint16_t)((a < b ? b : a) + 1);
	}
}

static struct span
extent_of(const struct graph *g, const struct span *of)
{
	struct span all = of[0];
	uint32_t s;

	for (s = 1; s < g->series; s++) {
		if (of[s].from < all.from)
			all.from = of[s].from;
		if (of[s].to > all.to)
			all.to = of[s].to;
	}
	return (all);
}

/* The points from the oldest to the newest. */
static void
make_spans(const struct graph *g)
{
	uint32_t n, before;

	top = graph_top(g);
	for (n = 0; n < GRAPH_POINTS; n++) {
		uint32_t point = (g->newest + 1 + n) % GRAPH_POINTS;

		before = n == 0 ? point : (g->newest + n) % GRAPH_POINTS;
		if (g->stacked)
			span_stacked(g, point, spans[n]);
		else
			span_lines(g, point, before, spans[n]);
		extents[n] = extent_of(g, spans[n]);
	}
}

static uint32_t
colour_at(const struct graph *g, uint32_t point, uint32_t row, uint32_t background)
{
	const struct span *at = spans[point];
	uint32_t s;

	if (row < extents[point].from || row >= extents[point].to)
		return (background);
	for (s = 0; s < g->series; s++)
		if (row >= at[s].from && row < at[s].to)
			return (g->colours[s]);
	return (background);
}

/* The mark in this row, or 0. */
static uint32_t
mark_at(const struct graph *g, uint32_t row)
{
	uint32_t m;

	for (m = 0; m < GRAPH_MARKS; m++)
		if (g->marks[m] != 0 && rows_of(g->marks[m], g->area.height - 1) == row)
			return (g->mark_colours[m]);
	return (0);
}

static void
make_line(const struct display *d, const struct graph *g, uint32_t row, uint32_t width)
{
	uint32_t background = row % (g->area.height / 4) == 0 ? GRID : BACKGROUND;
	uint32_t mark = mark_at(g, row), point, end, x = 0;

	for (point = 0; point < GRAPH_POINTS; point++) {
		uint32_t pixel = display_colour(d, colour_at(g, point, row, background));

		for (end = (point + 1) * width / GRAPH_POINTS; x < end; x++)
			line[x] = pixel;
	}
	/* Marks are dashed: what lies below can be seen. */
	for (x = 0; mark != 0 && x < width; x++)
		if (x % 8 < 4)
			line[x] = display_colour(d, mark);
}

void
graph_draw(const struct display *d, const struct graph *g)
{
	uint32_t width = g->area.width < WIDTH_MAX ? g->area.width : WIDTH_MAX, y;

	make_spans(g);
	for (y = 0; y < g->area.height; y++) {
		make_line(d, g, g->area.height - 1 - y, width);
		canvas_rows(d, (struct canvas_area){ g->area.x, g->area.y + y, width, 1 }, line);
	}
}
