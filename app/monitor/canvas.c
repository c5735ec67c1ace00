/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing on a screen.
 *
 * Owns: how much has been drawn since the last yield. Does not: know what it draws.
 *
 * Invariants:
 * C1 no pixel outside the screen is written.
 *
 * Yields: all of it.
 * See: kern/display.h, app/monitor/font.h.
 */
#include "app/monitor/canvas.h"

#include "app/monitor/font.h"
#include "kern/sched.h"
#include "lib/assert.h"

static uint32_t spent;

void
canvas_spent(uint32_t pixels)
{
	spent += pixels;
	if (spent < CANVAS_TURN_PIXELS)
		return;
	spent = 0;
	sched_yield();
}

/* What of the area is on the screen. */
static struct canvas_area
cut(const struct display *d, struct canvas_area a)
{
	if (a.x > d->width)
		a.x = d->width;
	if (a.y > d->height)
		a.y = d->height;
	if (a.width > d->width - a.x)
		a.width = d->width - a.x;
	if (a.height > d->height - a.y)
		a.height = d->height - a.y;
	return (a);
}

static uint32_t *
row_at(const struct display *d, uint32_t x, uint32_t y)
{
	KASSERT(x <= d->width && y < d->height, "C1: a pixel is on the screen");
	return (d->pixels + (uint64_t)y * d->pitch + x);
}

void
canvas_fill(const struct display *d, struct canvas_area area, uint32_t rgb)
{
	struct canvas_area a = cut(d, area);
	uint32_t pixel = display_colour(d, rgb), x, y;

	for (y = 0; y < a.height; y++) {
		uint32_t *row = row_at(d, a.x, a.y + y);

		for (x = 0; x < a.width; x++)
			row[x] = pixel;
		canvas_spent(a.width);
	}
}

void
canvas_rows(const struct display *d, struct canvas_area area, const uint32_t *line)
{
	struct canvas_area a = cut(d, area);
	uint32_t x, y;

	for (y = 0; y < a.height; y++) {
		uint32_t *row = row_at(d, a.x, a.y + y);

		for (x = 0; x < a.width; x++)
			row[x] = line[x];
		canvas_spent(a.width);
	}
}

/* Row number row of character c, from to on, at most to end. */
static uint32_t *
glyph_row(uint32_t *to, const uint32_t *end, char c, uint32_t row, const uint32_t pixels[3])
{
	uint32_t glyph = (uint32_t)(c - FONT_FIRST), bit, n;
	uint8_t bits = font_glyphs[glyph < FONT_GLYPHS ? glyph : '?' - FONT_FIRST][row];

	for (bit = 0x80; bit != 0; bit >>= 1)
		for (n = 0; n < pixels[2] && to < end; n++)
			*to++ = pixels[(bits & bit) != 0];
	return (to);
}

void
canvas_text(const struct display *d, struct canvas_place at, const struct canvas_pen *pen,
    const char *text)
{
	const uint32_t pixels[3] = { display_colour(d, pen->back), display_colour(d, pen->colour),
		pen->scale };
	struct canvas_area a = cut(d, (struct canvas_area){ at.x, at.y,
	    at.columns * FONT_WIDTH * pen->scale, FONT_HEIGHT * pen->scale });
	uint32_t line, column;

	for (line = 0; line < a.height; line++) {
		uint32_t *to = row_at(d, a.x, a.y + line), *end = to + a.width;
		const char *c = text;

		for (column = 0; column < at.columns; column++) {
			to = glyph_row(to, end, *c == '\0' ? ' ' : *c, line / pen->scale, pixels);
			c += *c != '\0';
		}
		canvas_spent(a.width);
	}
}
