/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One edited line with history: keys in, text and cursor out. No input or output.
 *
 *   left, right, home, end   Ctrl-B, Ctrl-F, Ctrl-A, Ctrl-E and the arrow keys
 *   backspace, delete        Ctrl-H or DEL, Ctrl-D or the delete key
 *   up, down                 Ctrl-P, Ctrl-N and the arrow keys: history
 *   Ctrl-K, Ctrl-U, Ctrl-W   delete to the end, to the start, the word before
 *   Ctrl-C, Ctrl-L           drop the line, paint it again
 *   TAB                      is the caller's (complete.h)
 */
#ifndef APP_MONITOR_LINE_EDIT_H
#define APP_MONITOR_LINE_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_BYTES 256 /* with the NUL */
#define LINE_HISTORY 16

enum line_event {
	LINE_NONE,    /* nothing to see */
	LINE_CHANGED, /* text or cursor moved: paint */
	LINE_DONE,    /* Enter: text is the finished line */
	LINE_DROPPED, /* Ctrl-C */
};

struct line_edit {
	char text[LINE_BYTES];     /* NUL-terminated */
	uint32_t length;           /* bytes */
	uint32_t cursor;           /* bytes before it; never inside a UTF-8 character */
	char history[LINE_HISTORY][LINE_BYTES]; /* line n at n % LINE_HISTORY */
	uint32_t history_count;    /* lines ever added */
	uint32_t back;             /* lines back in history now; 0 = the new line */
	char draft[LINE_BYTES];    /* the new line, while back != 0 */
	uint8_t escape;            /* state in an escape sequence */
	uint8_t escape_number;     /* its number so far */
	bool after_return;         /* a '\n' right after '\r' is one Enter */
};

/* Empty line, empty history. */
void line_edit_init(struct line_edit *le);
/* Empty line; history stays. */
void line_edit_clear(struct line_edit *le);
/* Handle one received byte. After LINE_DONE and LINE_DROPPED call
 * line_edit_clear. */
enum line_event line_edit_key(struct line_edit *le, uint8_t byte);
/* Remember text; empty lines and repetitions of the last are not kept. */
void line_edit_remember(struct line_edit *le, const char *text);

/*
 * The part of the line that fits into width columns around the cursor: text
 * (NUL-terminated) into view, the cursor's byte offset in it as the result.
 */
uint32_t line_edit_view(const struct line_edit *le, uint32_t width, char view[LINE_BYTES]);

/* Columns that count bytes of UTF-8 take: one for each character. */
uint32_t line_edit_columns(const char *text, uint32_t bytes);

#endif
