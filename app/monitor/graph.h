/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A graph that scrolls: the newest values at its right edge.
 */
#ifndef APP_MONITOR_GRAPH_H
#define APP_MONITOR_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "app/monitor/canvas.h"

#define GRAPH_POINTS 256u
#define GRAPH_SERIES 5u
#define GRAPH_MARKS  3u
#define GRAPH_ROWS_MIN 4u /* of pixels: the grid has four lines */

struct graph {
	struct canvas_area area;
	uint32_t series;                  /* in use */
	bool stacked;                     /* areas on top of each other; else lines */
	uint32_t colours[GRAPH_SERIES];
	uint32_t mark_colours[GRAPH_MARKS];
	uint32_t marks[GRAPH_MARKS];      /* horizontal lines at these values; 0 = none */
	uint32_t top;                     /* value at the upper edge; 0 = the highest point */
	uint32_t newest;                  /* index of the last point */
	uint32_t values[GRAPH_POINTS][GRAPH_SERIES];
};

/* One more point; the oldest is forgotten. Does not yield. */
void graph_add(struct graph *g, const uint32_t values[GRAPH_SERIES]);
/* The value at the upper edge. */
uint32_t graph_top(const struct graph *g);
/* Draw all of it. May yield. */
void graph_draw(const struct display *d, const struct graph *g);

#endif
