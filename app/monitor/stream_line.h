/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of the statistics stream (docs/SPEC.md, section 4), and the parts of one.
 *
 * A list that does not fit one line goes on in the next, which begins as the first did.
 */
#ifndef APP_MONITOR_STREAM_LINE_H
#define APP_MONITOR_STREAM_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define STREAM_VERSION    1
#define STREAM_LINE_BYTES 1024u /* the newline included */
#define STREAM_HEAD_BYTES 160u

/* What is being written. One is enough: zeroed at first, then used for all lines. */
struct stream_out {
	char line[STREAM_LINE_BYTES];
	uint32_t used_bytes;
	char head[STREAM_HEAD_BYTES]; /* members that every line of the list begins with */
	const char *close;            /* "]" or "\"": what ends the list */
	bool items;                   /* the line has some */
	uint64_t number;              /* of the next line */
};

/*
 * Begin a list: kind is the value of member "y", members what else each of its lines
 * begins with (complete JSON members, or ""), list the name of the list. text: the list
 * is a string, not an array. Does not yield.
 */
void stream_list_begin(struct stream_out *out, const char *kind, const char *members,
    const char *list, bool text);
/* The next item will take at most bytes; sends the line and begins another if they do not
 * fit. bytes at most STREAM_LINE_BYTES / 2. May yield. */
void stream_item_begin(struct stream_out *out, uint32_t bytes);
/* Parts of an item: characters as they are; a number; a string in quotes, escaped, at most
 * 6 times its length. None yields. */
void stream_put(struct stream_out *out, const char *text);
void stream_put_number(struct stream_out *out, int64_t value);
void stream_put_string(struct stream_out *out, const char *text);
/* Send what is left of the list; nothing if it had no item. May yield. */
void stream_list_end(struct stream_out *out);

#endif
