/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with drivers: a screen that is memory.
 *
 * A board with a screen registers how to get it; whoever wants to draw opens it, once. Then
 * its pixels are plain memory of 32 bits each, wired, not cached: writes are cheap, reads
 * are not. What is written is seen without more ado.
 */
#ifndef KERN_DISPLAY_H
#define KERN_DISPLAY_H

#include <stdint.h>

#include "lib/err.h"

struct display {
	uint32_t width, height;  /* pixels */
	uint32_t pitch;          /* pixels from a row to the next */
	uint32_t *pixels;        /* row 0 at the top */
	uint8_t red_shift, blue_shift; /* bits of a pixel; green is in 8 to 15 */
};

/* open: fill in the screen's parts; ERR_* after a line on the console that says what is
 * wrong. May yield. */
void display_register(int (*open)(struct display *out));

/* The screen, set up at the first call; ERR_NODEV if the board has none, or what its driver
 * says. May yield. */
int display_open(const struct display **out) ERR_MUST_CHECK;

/* The pixel for 0xRRGGBB. */
static inline uint32_t
display_colour(const struct display *d, uint32_t rgb)
{
	return ((rgb >> 16 & 0xff) << d->red_shift | (rgb & 0xff00) |
	    (rgb & 0xff) << d->blue_shift | 0xff000000);
}

#endif
