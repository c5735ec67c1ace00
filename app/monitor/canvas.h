/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing on a screen: rectangles, text, and rows of pixels.
 *
 * Everything is cut at the screen's edges and written row by row from left to right, which
 * is what uncached memory takes best. Colours are 0xRRGGBB. Each call may yield after it
 * has written enough (canvas_spent).
 */
#ifndef APP_MONITOR_CANVAS_H
#define APP_MONITOR_CANVAS_H

#include <stdint.h>

#include "kern/display.h"

struct canvas_area {
	uint32_t x, y, width, height; /* pixels */
};

struct canvas_place {
	uint32_t x, y;    /* pixels: the upper left corner */
	uint32_t columns; /* characters */
};

struct canvas_pen {
	uint32_t scale;         /* of the font: 1 or more */
	uint32_t colour, back;
};

void canvas_fill(const struct display *d, struct canvas_area area, uint32_t rgb);
/* One line of at.columns characters, text and then blanks. Others than printable ASCII are
 * drawn as '?'. */
void canvas_text(const struct display *d, struct canvas_place at, const struct canvas_pen *pen,
    const char *text);
/* Rows [y, y + rows) from x on: the width pixels at line (display_colour) in each. */
void canvas_rows(const struct display *d, struct canvas_area area, const uint32_t *line);
/* pixels have been written: yields after each CANVAS_TURN_PIXELS of them. */
#define CANVAS_TURN_PIXELS 8192u
void canvas_spent(uint32_t pixels);

#endif
