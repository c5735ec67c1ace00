/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Glyphs of the printable ASCII characters: tools/make_font takes them from a font of
 * Debian's when ebb is built.
 */
#ifndef APP_MONITOR_FONT_H
#define APP_MONITOR_FONT_H

#include <stdint.h>

#define FONT_FIRST  ' '
#define FONT_GLYPHS 95
#define FONT_WIDTH  8u
#define FONT_HEIGHT 16u

/* A byte a row from the top, bit 7 the leftmost column. */
extern const uint8_t font_glyphs[FONT_GLYPHS][FONT_HEIGHT];

#endif
