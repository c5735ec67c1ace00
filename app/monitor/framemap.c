/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map on a screen.
 *
 * A large pool is drawn in turns, some rows of blocks at each picture, so that a picture
 * costs about the same whatever the size.
 *
 * Owns: one row of pixels.
 * Does not: know when to draw (dashboard.c).
 *
 * Invariants:
 * F1 every frame is in one block, and every block inside the area.
 *
 * Yields: framemap_draw.
 * See: mm/vm_pagemap.h.
 */
#include "app/monitor/framemap.h"

#include <stddef.h>
#include <string.h>

#include "lib/assert.h"

#define WIDTH_MAX  2048u
#define BACKGROUND 0x11151cu
#define BLOCK_MAX  24u

static uint32_t line[WIDTH_MAX];

static const struct {
	uint32_t rgb;
	const char *word;
} states[VM_PAGEMAP_STATES] = {
	[VM_PAGEMAP_FREE] = { 0x39414f, "free" },
	[VM_PAGEMAP_CACHE] = { 0x22b8cf, "cached" },
	[VM_PAGEMAP_ACTIVE] = { 0x37b24d, "active" },
	[VM_PAGEMAP_INACTIVE] = { 0xfab005, "inactive" },
	[VM_PAGEMAP_DIRTY] = { 0xf03e3e, "dirty" },
	[VM_PAGEMAP_BUSY] = { 0xcc5de8, "busy" },
	[VM_PAGEMAP_WIRED] = { 0x4c6ef5, "wired" },
	[VM_PAGEMAP_OTHER] = { 0xe9ecef, "in use" },
};

uint32_t
framemap_colour(enum vm_pagemap_state state)
{
	return (states[state].rgb);
}

const char *
framemap_word(enum vm_pagemap_state state)
{
	return (states[state].word);
}

void
framemap_layout(struct framemap *map, struct canvas_area area, uint32_t frames)
{
	uint32_t block = BLOCK_MAX, blocks;

	if (area.width > WIDTH_MAX)
		area.width = WIDTH_MAX;
	if (area.height > FRAMEMAP_ROWS_MAX)
		area.height = FRAMEMAP_ROWS_MAX;
	while (block > 1 && (area.width / block) * (area.height / block) < frames)
		block--;
	blocks = (area.width / block) * (area.height / block);
	memset(map, 0, sizeof(*map));
	map->area = area;
	map->frames = frames;
	map->block = block;
	map->each = (frames + blocks - 1) / blocks;
	map->columns = area.width / block;
	map->rows = ((frames + map->each - 1) / map->each + map->columns - 1) / map->columns;
	KASSERT(map->rows * block <= area.height, "F1: every block is inside the area");
}

/* The pixels of one row of blocks, background behind the last; a number that is another for
 * other states (FNV-1a), and never 0. */
static uint32_t
make_line(const struct display *d, const struct framemap *map, uint32_t row)
{
	uint32_t gap = map->block >= 4, column, n, *to = line;
	uint32_t background = display_colour(d, BACKGROUND);
	uint64_t first = (uint64_t)row * map->columns * map->each;
	uint32_t hash = 2166136261u;

	for (column = 0; column < map->columns; column++, first += map->each) {
		uint64_t end = first + map->each < map->frames ? first + map->each : map->frames;
		uint32_t pixel = first >= map->frames ? background : display_colour(d,
		    states[vm_pagemap_most((uint32_t)first, (uint32_t)end)].rgb);

		hash = (hash ^ pixel) * 16777619u;
		for (n = 0; n + gap < map->block; n++)
			*to++ = pixel;
		if (gap != 0)
			*to++ = background;
	}
	return (hash | 1);
}

static void
draw_row(const struct display *d, struct framemap *map, uint32_t row)
{
	uint32_t gap = map->block >= 4, width = map->columns * map->block;
	uint32_t hash = make_line(d, map, row);

	if (map->drawn[row] == hash)
		return;
	map->drawn[row] = hash;
	canvas_rows(d, (struct canvas_area){ map->area.x, map->area.y + row * map->block, width,
	    map->block - gap }, line);
}

void
framemap_draw(const struct display *d, struct framemap *map, uint32_t frames_max)
{
	uint32_t row, frames = 0;

	for (row = 0; row < map->rows && frames < frames_max; row++) {
		draw_row(d, map, map->next_row);
		map->next_row = (map->next_row + 1) % map->rows;
		frames += map->columns * map->each;
		canvas_spent(map->columns * map->each); /* looking costs, too */
	}
}
