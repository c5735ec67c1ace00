/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's screen, if it has one.
 *
 * Owns: which driver opens it, and the screen once it is open.
 * Does not: draw, or close: a screen stays.
 * Invariants: none.
 * Yields: display_open may.
 * See: kern/display.h; drivers/bcm2835_fb.h.
 */
#include "kern/display.h"

#include <stddef.h>

static int (*driver_open)(struct display *out);
static struct display screen;

void
display_register(int (*open)(struct display *out))
{
	driver_open = open;
	screen.pixels = NULL;
}

int
display_open(const struct display **out)
{
	int error = 0;

	if (driver_open == NULL)
		return (ERR_NODEV);
	if (screen.pixels == NULL)
		error = driver_open(&screen);
	*out = &screen;
	return (error);
}
