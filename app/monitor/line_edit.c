/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line editor: a state machine over received bytes.
 *
 * Terminals send keys as control characters or as escape sequences:
 *
 *   text --ESC--> ESCAPE --'[' or 'O'--> NUMBER --digit, ';'--> NUMBER
 *     ^              |other                 |final byte: the key
 *     +--------------+----------------------+
 *
 * Owns: struct line_edit.
 * Does not: read keys or paint (monitor.c), know commands.
 *
 * Invariants:
 * L1 length < LINE_BYTES, text[length] == '\0', cursor <= length.
 * L2 history_count - back is a line still kept.
 *
 * Yields: never.
 * See: ECMA-48, control sequences; test/unit/line_edit.c.
 */
#include "app/monitor/line_edit.h"

#include <string.h>

#include "lib/assert.h"

#define CTRL(letter) ((letter) - 'A' + 1)
#define ESCAPE_KEY 0x1b
#define DELETE_KEY 0x7f

enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_NUMBER, ESCAPE_PARAMETER };

void
line_edit_init(struct line_edit *le)
{
	memset(le, 0, sizeof(*le));
}

void
line_edit_clear(struct line_edit *le)
{
	le->text[0] = '\0';
	le->length = 0;
	le->cursor = 0;
	le->back = 0;
	le->escape = ESCAPE_NONE;
}

void
line_edit_remember(struct line_edit *le, const char *text)
{
	const char *last = le->history[(le->history_count + LINE_HISTORY - 1) % LINE_HISTORY];
	char *to = le->history[le->history_count % LINE_HISTORY];

	if (text[0] == '\0' || (le->history_count > 0 && strcmp(text, last) == 0))
		return;
	strncpy(to, text, LINE_BYTES - 1);
	to[LINE_BYTES - 1] = '\0';
	le->history_count++;
}

static bool
is_continuation(char c)
{
	return (((uint8_t)c & 0xc0) == 0x80);
}

/* Start of the character before at. */
static uint32_t
before(const struct line_edit *le, uint32_t at)
{
	while (at > 0) {
		at--;
		if (!is_continuation(le->text[at]))
			break;
	}
	return (at);
}

/* End of the character at at. */
static uint32_t
after(const struct line_edit *le, uint32_t at)
{
	if (at < le->length)
		at++;
	while (at < le->length && is_continuation(le->text[at]))
		at++;
	return (at);
}

static enum line_event
cursor_set(struct line_edit *le, uint32_t cursor)
{
	if (cursor == le->cursor)
		return (LINE_NONE);
	le->cursor = cursor;
	return (LINE_CHANGED);
}

/* Delete bytes [from, to); the cursor ends at from. */
static enum line_event
erase(struct line_edit *le, uint32_t from, uint32_t to)
{
	if (from == to)
		return (LINE_NONE);
	memmove(le->text + from, le->text + to, le->length - to + 1);
	le->length -= to - from;
	le->cursor = from;
	KASSERT(le->length < LINE_BYTES && le->text[le->length] == '\0', "L1: text ends");
	return (LINE_CHANGED);
}

static enum line_event
insert(struct line_edit *le, char c)
{
	if (le->length == LINE_BYTES - 1)
		return (LINE_NONE);
	memmove(le->text + le->cursor + 1, le->text + le->cursor, le->length - le->cursor + 1);
	le->text[le->cursor++] = c;
	le->length++;
	return (LINE_CHANGED);
}

static uint32_t
word_start(const struct line_edit *le)
{
	uint32_t at = le->cursor;

	while (at > 0 && le->text[at - 1] == ' ')
		at--;
	while (at > 0 && le->text[at - 1] != ' ')
		at--;
	return (at);
}

/* Show the line back lines ago (0 = the new one). */
static enum line_event
history_show(struct line_edit *le, uint32_t back)
{
	const char *from = le->draft;
	uint32_t kept = le->history_count < LINE_HISTORY ? le->history_count : LINE_HISTORY;

	if (back > kept)
		return (LINE_NONE);
	if (le->back == 0)
		memcpy(le->draft, le->text, sizeof(le->draft));
	if (back != 0) {
		KASSERT(back <= le->history_count, "L2: a line that is kept");
		from = le->history[(le->history_count - back) % LINE_HISTORY];
	}
	strcpy(le->text, from);
	le->length = (uint32_t)strlen(le->text);
	le->cursor = le->length;
	le->back = back;
	return (LINE_CHANGED);
}

static enum line_event
history_newer(struct line_edit *le)
{
	return (le->back == 0 ? LINE_NONE : history_show(le, le->back - 1));
}

/* The final byte of "ESC [ ..." or "ESC O ...". */
static enum line_event
escape_final(struct line_edit *le, uint8_t byte)
{
	le->escape = ESCAPE_NONE;
	switch (byte) {
	case 'A':
		return (history_show(le, le->back + 1));
	case 'B':
		return (history_newer(le));
	case 'C':
		return (cursor_set(le, after(le, le->cursor)));
	case 'D':
		return (cursor_set(le, before(le, le->cursor)));
	case 'H':
		return (cursor_set(le, 0));
	case 'F':
		return (cursor_set(le, le->length));
	case '~':
		break;
	default:
		return (LINE_NONE);
	}
	switch (le->escape_number) {
	case 1:
	case 7:
		return (cursor_set(le, 0));
	case 4:
	case 8:
		return (cursor_set(le, le->length));
	case 3:
		return (erase(le, le->cursor, after(le, le->cursor)));
	default:
		return (LINE_NONE);
	}
}

static enum line_event
escape_key(struct line_edit *le, uint8_t byte)
{
	if (le->escape == ESCAPE_SEEN) {
		le->escape = byte == '[' || byte == 'O' ? ESCAPE_NUMBER : ESCAPE_NONE;
		le->escape_number = 0;
		return (LINE_NONE);
	}
	if (byte >= '0' && byte <= '9') {
		/* Further parameters (a held Shift or Ctrl) do not matter. */
		if (le->escape == ESCAPE_NUMBER && le->escape_number < 25)
			le->escape_number = (uint8_t)(le->escape_number * 10 + byte - '0');
		return (LINE_NONE);
	}
	if (byte == ';') {
		le->escape = ESCAPE_PARAMETER;
		return (LINE_NONE);
	}
	if (byte >= 0x40 && byte <= 0x7e)
		return (escape_final(le, byte));
	le->escape = ESCAPE_NONE;
	return (LINE_NONE);
}

static enum line_event
control_key(struct line_edit *le, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'):
		return (cursor_set(le, 0));
	case CTRL('B'):
		return (cursor_set(le, before(le, le->cursor)));
	case CTRL('C'):
		return (LINE_DROPPED);
	case CTRL('D'):
		return (erase(le, le->cursor, after(le, le->cursor)));
	case CTRL('E'):
		return (cursor_set(le, le->length));
	case CTRL('F'):
		return (cursor_set(le, after(le, le->cursor)));
	case CTRL('H'):
	case DELETE_KEY:
		return (erase(le, before(le, le->cursor), le->cursor));
	case CTRL('K'):
		return (erase(le, le->cursor, le->length));
	case CTRL('L'):
		return (LINE_CHANGED);
	case CTRL('N'):
		return (history_newer(le));
	case CTRL('P'):
		return (history_show(le, le->back + 1));
	case CTRL('U'):
		return (erase(le, 0, le->cursor));
	case CTRL('W'):
		return (erase(le, word_start(le), le->cursor));
	case ESCAPE_KEY:
		le->escape = ESCAPE_SEEN;
		return (LINE_NONE);
	default:
		return (LINE_NONE);
	}
}

enum line_event
line_edit_key(struct line_edit *le, uint8_t byte)
{
	bool after_return = le->after_return;

	le->after_return = byte == '\r';
	if (byte == '\r' || byte == '\n')
		return (byte == '\n' && after_return ? LINE_NONE : LINE_DONE);
	if (le->escape != ESCAPE_NONE && byte >= ' ' && byte != DELETE_KEY)
		return (escape_key(le, byte));
	le->escape = ESCAPE_NONE;
	if (byte < ' ' || byte == DELETE_KEY)
		return (control_key(le, byte));
	return (insert(le, (char)byte));
}

uint32_t
line_edit_columns(const char *text, uint32_t bytes)
{
	uint32_t i, columns = 0;

	for (i = 0; i < bytes; i++)
		columns += !is_continuation(text[i]);
	return (columns);
}

uint32_t
line_edit_view(const struct line_edit *le, uint32_t width, char view[LINE_BYTES])
{
	uint32_t start = 0, end;

	/* Move on by half a width at a time, so that typing does not shift each key. */
	while (line_edit_columns(le->text + start, le->cursor - start) >= width) {
		uint32_t step;

		for (step = 0; step < width / 2; step++)
			start = after(le, start);
	}
	end = le->length;
	while (line_edit_columns(le->text + start, end - start) > width)
		end = before(le, end);
	memcpy(view, le->text + start, end - start);
	view[end - start] = '\0';
	return (le->cursor - start);
}
