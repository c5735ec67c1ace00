/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of the statistics stream.
 *
 *   {"ebb":1,"s":41,"y":"new","t":...,"d":[ items ],"crc":"0123abcd"}
 *    \_______________ head ______________/           \__ of all before __/
 *
 * Numbers are written here, not by snprintf, which would take most of the time.
 *
 * Owns: the form of a line, its number and its checksum.
 * Does not: know what is in it (stream.c).
 *
 * Invariants:
 * L1 a line fits STREAM_LINE_BYTES: every item says first how long it may get.
 * L2 a line leaves in one piece (console_write_piece).
 *
 * Yields: stream_item_begin, stream_list_end.
 * See: docs/SPEC.md, section 4; lib/crc32c.h.
 */
#include "app/monitor/stream_line.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kern/console.h"
#include "lib/assert.h"
#include "lib/crc32c.h"

#define TAIL_BYTES   24u /* close, checksum, newline */
#define NUMBER_BYTES 20u

_Static_assert(STREAM_LINE_BYTES <= CONSOLE_PIECE_BYTES, "L2");

void
stream_put(struct stream_out *out, const char *text)
{
	size_t bytes = strlen(text);

	KASSERT(out->used_bytes + bytes < STREAM_LINE_BYTES, "L1: a line has room for its items");
	memcpy(out->line + out->used_bytes, text, bytes);
	out->used_bytes += (uint32_t)bytes;
}

void
stream_put_number(struct stream_out *out, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[NUMBER_BYTES + 2];
	uint32_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left != 0);
	if (value < 0)
		digits[--at] = '-';
	stream_put(out, digits + at);
}

void
stream_put_string(struct stream_out *out, const char *text)
{
	char piece[8];

	stream_put(out, "\"");
	for (; *text != '\0'; text++) {
		uint8_t c = (uint8_t)*text;

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\u%04x", c);
		else
			snprintf(piece, sizeof(piece), "%c", c);
		stream_put(out, piece);
	}
	stream_put(out, "\"");
}

static void
line_begin(struct stream_out *out)
{
	out->used_bytes = 0;
	out->items = false;
	stream_put(out, "{\"ebb\":1,\"s\":");
	stream_put_number(out, (int64_t)out->number++);
	stream_put(out, out->head);
}

static void
line_send(struct stream_out *out)
{
	char tail[TAIL_BYTES];

	stream_put(out, out->close);
	snprintf(tail, sizeof(tail), ",\"crc\":\"%08x\"}\n",
	    crc32c(0, out->line, out->used_bytes));
	stream_put(out, tail);
	console_write_piece(out->line, out->used_bytes);
}

void
stream_list_begin(struct stream_out *out, const char *kind, const char *members,
    const char *list, bool text)
{
	int bytes = snprintf(out->head, sizeof(out->head), ",\"y\":\"%s\"%s%s,\"%s\":%s", kind,
	    members[0] != '\0' ? "," : "", members, list, text ? "\"" : "[");

	KASSERT(bytes > 0 && bytes < (int)sizeof(out->head), "L1: the head of a line fits");
	out->close = text ? "\"" : "]";
	line_begin(out);
}

void
stream_item_begin(struct stream_out *out, uint32_t bytes)
{
	KASSERT(bytes <= STREAM_LINE_BYTES / 2, "L1: an item is no longer than half a line");
	if (out->used_bytes + bytes + TAIL_BYTES + 1 >= STREAM_LINE_BYTES) {
		line_send(out);
		line_begin(out);
	}
	if (out->items && out->close[0] == ']')
		stream_put(out, ",");
	out->items = true;
}

void
stream_list_end(struct stream_out *out)
{
	if (out->items)
		line_send(out);
	else
		out->number--;
}
