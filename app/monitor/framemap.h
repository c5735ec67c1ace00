/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map on a screen: a block for each frame, its colour the frame's state.
 */
#ifndef APP_MONITOR_FRAMEMAP_H
#define APP_MONITOR_FRAMEMAP_H

#include <stdint.h>

#include "app/monitor/canvas.h"
#include "mm/vm_pagemap.h"

#define FRAMEMAP_ROWS_MAX 1200u

/* How frames lie in an area: row after row, lowest address first. */
struct framemap {
	struct canvas_area area;
	uint32_t frames;
	uint32_t each;          /* frames a block; more than 1 when there are more than pixels */
	uint32_t block;         /* pixels a side of a block, a gap of one included from 4 on */
	uint32_t columns, rows; /* blocks */
	uint32_t next_row;      /* where framemap_draw goes on */
	uint32_t drawn[FRAMEMAP_ROWS_MAX]; /* hash of what each row shows; 0 = nothing yet */
};

/* Blocks as large as the area allows. Does not yield. */
void framemap_layout(struct framemap *map, struct canvas_area area, uint32_t frames);
/* Draw what has changed of the next rows, until all have had their turn or frames_max
 * frames have been looked at. May yield. */
void framemap_draw(const struct display *d, struct framemap *map, uint32_t frames_max);
/* What stands for a state: 0xRRGGBB, and a word. */
uint32_t framemap_colour(enum vm_pagemap_state state);
const char *framemap_word(enum vm_pagemap_state state);

#endif
