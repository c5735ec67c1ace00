/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line editor: every key, history, UTF-8, the view, and random keys against a
 * simple model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/monitor/line_edit.h"
#include "lib/rng.h"

#define LEFT "\033[D"
#define RIGHT "\033[C"
#define UP "\033[A"
#define DOWN "\033[B"
#define HOME "\033[H"
#define END "\033[F"
#define DELETE "\033[3~"

static struct line_edit le;

/* Type keys; the last event. */
static enum line_event
type(const char *keys)
{
	enum line_event event = LINE_NONE;

	for (; *keys != '\0'; keys++)
		event = line_edit_key(&le, (uint8_t)*keys);
	return (event);
}

/* A fresh line after keys reads text with the cursor before byte cursor. */
static void
expect(const char *keys, const char *text, uint32_t cursor)
{
	line_edit_init(&le);
	type(keys);
	assert_string_equal(le.text, text);
	assert_int_equal(le.length, strlen(text));
	assert_int_equal(le.cursor, cursor);
}

static void
test_keys(void **state)
{
	(void)state;
	expect("abc", "abc", 3);
	expect("abc" LEFT LEFT "x", "axbc", 2);
	expect("abc" LEFT LEFT LEFT LEFT LEFT "x", "xabc", 1);
	expect("abc" HOME "x" END "y", "xabcy", 5);
	expect("abc" LEFT RIGHT RIGHT RIGHT "x", "abcx", 4);
	expect("abc\001x\005y", "xabcy", 5);
	expect("abc\002\002x\006y", "axbyc", 4);
	expect("abc\b", "ab", 2);
	expect("abc\177\177", "a", 1);
	expect("abc" HOME "\b\177", "abc", 0);
	expect("abc" HOME DELETE, "bc", 0);
	expect("abc" DELETE, "abc", 3);
	expect("abc" LEFT "\004", "ab", 2);
	expect("abc def" LEFT LEFT "\013", "abc d", 5);
	expect("abc def" LEFT LEFT "\025", "ef", 0);
	expect("run sort  x\027", "run sort  ", 10);
	expect("run sort  \027", "run ", 4);
	expect("run sort" LEFT LEFT "\027", "run rt", 4);
	expect("\027\013\025\b", "", 0);
	expect("abc\033[1~x\033[4~y\033[7~z\033[8~!", "zxabcy!", 7);
	expect("abc\033OD\033OH!", "!abc", 1);
}

/* Sequences that mean nothing leave nothing behind. */
static void
test_unknown_sequences(void **state)
{
	(void)state;
	expect("ab\033[5~c", "abc", 3);
	expect("ab\033[15~c", "abc", 3);
	expect("ab\033[1;5Dc", "acb", 2);
	expect("ab\033[99999999~c", "abc", 3);
	expect("ab\033xc", "abc", 3);
	expect("ab\033\033[Dc", "acb", 2);
	expect("ab\033[\001c", "cab", 1);
	expect("a\016\020\031\032\034b\t", "ab", 2);
}

static void
test_enter(void **state)
{
	(void)state;
	line_edit_init(&le);
	assert_int_equal(type("ls\r"), LINE_DONE);
	assert_string_equal(le.text, "ls");
	line_edit_clear(&le);
	assert_int_equal(type("\n"), LINE_NONE);
	assert_int_equal(type("\n"), LINE_DONE);
	assert_int_equal(type("x\n"), LINE_DONE);
	line_edit_clear(&le);
	assert_int_equal(type("x\003"), LINE_DROPPED);
	line_edit_clear(&le);
	assert_int_equal(type(LEFT), LINE_NONE);
	assert_int_equal(type("a"), LINE_CHANGED);
	assert_int_equal(type("\014"), LINE_CHANGED);
	assert_int_equal(type(RIGHT), LINE_NONE);
}

static void
enter(const char *text)
{
	line_edit_clear(&le);
	type(text);
	line_edit_remember(&le, le.text);
	line_edit_clear(&le);
}

static void
test_history(void **state)
{
	char text[24];
	int i;

	(void)state;
	line_edit_init(&le);
	assert_int_equal(type(UP), LINE_NONE);
	assert_int_equal(type(DOWN), LINE_NONE);
	enter("one");
	enter("two");
	enter("two");
	enter("");
	type("new" UP);
	assert_string_equal(le.text, "two");
	type(UP);
	assert_string_equal(le.text, "one");
	assert_int_equal(type(UP), LINE_NONE);
	assert_string_equal(le.text, "one");
	/* A recalled line may be edited; the kept one stays. */
	type("!\016");
	assert_string_equal(le.text, "two");
	type("\020");
	assert_string_equal(le.text, "one");
	type(DOWN DOWN);
	assert_string_equal(le.text, "new");
	assert_int_equal(type(DOWN), LINE_NONE);
	for (i = 0; i < 3 * LINE_HISTORY; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		enter(text);
	}
	for (i = 0; i < LINE_HISTORY + 5; i++)
		type(UP);
	assert_string_equal(le.text, "line 32");
}

static void
test_utf8(void **state)
{
	(void)state;
	expect("a\xc3\xbc\xe2\x82\xac" LEFT "x", "a\xc3\xbcx\xe2\x82\xac", 4);
	expect("a\xc3\xbc\xe2\x82\xac\b", "a\xc3\xbc", 3);
	expect("\xc3\xbc" HOME DELETE "y", "y", 1);
	assert_int_equal(line_edit_columns("a\xc3\xbc\xe2\x82\xac", 6), 3);
}

static void
test_full(void **state)
{
	int i;

	(void)state;
	line_edit_init(&le);
	for (i = 0; i < 2 * LINE_BYTES; i++)
		type("x");
	assert_int_equal(le.length, LINE_BYTES - 1);
	type(HOME "y" DELETE "y");
	assert_int_equal(le.length, LINE_BYTES - 1);
	assert_int_equal(le.text[0], 'y');
}

static void
test_view(void **state)
{
	char view[LINE_BYTES];
	uint32_t cursor, at;

	(void)state;
	line_edit_init(&le);
	type("0123456789");
	cursor = line_edit_view(&le, 20, view);
	assert_string_equal(view, "0123456789");
	assert_int_equal(cursor, 10);
	cursor = line_edit_view(&le, 6, view);
	assert_string_equal(view, "6789");
	assert_int_equal(cursor, 4);
	type(HOME);
	cursor = line_edit_view(&le, 6, view);
	assert_string_equal(view, "012345");
	assert_int_equal(cursor, 0);
	/* Wherever the cursor is, it is seen. */
	for (at = 0; at <= 10; at++) {
		cursor = line_edit_view(&le, 6, view);
		assert_true(cursor < 6 && strlen(view) <= 6);
		assert_int_equal(at < 10 ? view[cursor] : '\0', at < 10 ? '0' + (int)at : '\0');
		type(RIGHT);
	}
}

/* Random keys: the invariants hold and nothing is written out of bounds. */
static void
test_random(void **state)
{
	static const char keys[] = "ab \xc3\xbc\033[ACBD~3;\b\177\001\005\013\025\027\r\n\020\016";
	char view[LINE_BYTES];
	struct rng rng;
	int i;

	(void)state;
	line_edit_init(&le);
	rng_seed(&rng, 5);
	for (i = 0; i < 200000; i++) {
		enum line_event event = line_edit_key(&le,
		    (uint8_t)(rng_below(&rng, 50) == 0 ? rng_below(&rng, 256) :
		    (uint8_t)keys[rng_below(&rng, sizeof(keys) - 1)]));

		assert_true(le.length < LINE_BYTES && le.cursor <= le.length);
		assert_int_equal(strlen(le.text), le.length);
		assert_true(line_edit_view(&le, 10, view) <= strlen(view));
		if (event == LINE_DONE) {
			line_edit_remember(&le, le.text);
			line_edit_clear(&le);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_unknown_sequences),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_random),
	};

	return (cmocka_run_group_tests_name("line_edit", tests, NULL, NULL));
}
