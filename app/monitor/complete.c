/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion.
 *
 *   cat "/data/my fi|      the line is taken apart as far as the cursor: word 1 of cat, in the
 *       ^^^^^^ ^^^^^       directory /data/, wanted "my fi", a quote is open
 *
 * Each kind of word has a function that hands its names to one visitor, which counts those that
 * begin as the word does and remembers what they have in common. To list them the same is
 * done again with a visitor that prints.
 *
 * Owns: nothing between two calls.
 * Does not: read keys or paint (monitor.c), know quoting beyond args.c's.
 * Invariants:
 *   none
 * Yields: both functions, in reading directories and printing.
 * See: app/monitor/args.h for quoting.
 */
#include "app/monitor/complete.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "kern/console.h"
#include "kern/param.h"
#include "kern/vnode.h"

#define LIST_COLUMNS 76
#define ENTRIES_MAX 4096 /* of a directory that are looked at */
#define PROGRAMS "/apps"
#define PROGRAM_END ".elf"

/* The line as far as the cursor. */
struct place {
	char first[ARGS_NAME_BYTES]; /* the first word, if it is not this one */
	uint32_t number;             /* of this word, from 0 */
	char word[LINE_BYTES];       /* as far as the cursor, without quotes */
	char quote;                  /* that is open there, or 0 */
	const char *wanted;          /* in word: what names are to begin with */
};

struct visit {
	const struct place *place;
	uint32_t count;
	char common[LINE_BYTES];
	bool is_directory; /* the last one */
	bool print;
	char row[LIST_COLUMNS + 1];
	uint32_t row_bytes;
};

/* The word is over. */
static void
word_end(struct place *p, uint32_t *bytes)
{
	p->word[*bytes] = '\0';
	if (p->number == 0)
		snprintf(p->first, sizeof(p->first), "%.*s", ARGS_NAME_BYTES - 1, p->word);
	p->number++;
	*bytes = 0;
}

/* Take text apart up to cursor. */
static void
place_find(const char *text, uint32_t cursor, struct place *p)
{
	uint32_t i, bytes = 0;
	bool in_word = false;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < cursor && text[i] != '\0'; i++) {
		char c = text[i];

		if (p->quote != 0 ? c == p->quote : c == '\'' || c == '"') {
			p->quote = p->quote != 0 ? 0 : c;
			in_word = true;
		} else if (p->quote == 0 && (c == ' ' || c == '>' || c == '<')) {
			if (in_word)
				word_end(p, &bytes);
			in_word = false;
			p->number += c != ' ' && p->number == 0; /* a file comes next */
		} else {
			if (c == '\\' && p->quote != '\'' && i + 1 < cursor)
				c = text[++i];
			p->word[bytes++] = c;
			in_word = true;
		}
	}
	p->word[bytes] = '\0';
	p->wanted = strrchr(p->word, '/');
	p->wanted = p->wanted == NULL ? p->word : p->wanted + 1;
}

static void
print_row(struct visit *v)
{
	if (v->row_bytes != 0)
		kprintf("%s\n", v->row);
	v->row_bytes = 0;
}

static void
print_name(struct visit *v, const char *name, uint32_t bytes)
{
	if (v->row_bytes + bytes + 3 > LIST_COLUMNS)
		print_row(v);
	v->row_bytes += (uint32_t)snprintf(v->row + v->row_bytes, sizeof(v->row) - v->row_bytes,
	    "%s%.*s%s", v->row_bytes == 0 ? "" : "  ", (int)bytes, name,
	    v->is_directory ? "/" : "");
	if (v->row_bytes > LIST_COLUMNS)
		v->row_bytes = LIST_COLUMNS;
}

/* A name of that many bytes. */
static void
visit_name(struct visit *v, const char *name, uint32_t bytes, bool is_directory)
{
	uint32_t wanted = (uint32_t)strlen(v->place->wanted), same = 0;

	if (bytes >= LINE_BYTES || bytes < wanted || memcmp(name, v->place->wanted, wanted) != 0)
		return;
	v->is_directory = is_directory;
	if (v->print)
		print_name(v, name, bytes);
	if (v->count++ == 0) {
		memcpy(v->common, name, bytes);
		v->common[bytes] = '\0';
		return;
	}
	while (same < bytes && v->common[same] == name[same])
		same++;
	v->common[same] = '\0';
}

static void
visit_commands(struct visit *v)
{
	uint32_t i;

	for (i = 0; i < monitor_command_count; i++)
		visit_name(v, monitor_commands[i].name, (uint32_t)strlen(monitor_commands[i].name),
		    false);
}

static void
visit_params(struct visit *v)
{
	const struct param_row *row = NULL;

	while ((row = param_next(row)) != NULL)
		visit_name(v, row->name, (uint32_t)strlen(row->name), false);
}

/* Entries of the directory at path; programs: only those, without their ending. */
static void
visit_directory(struct visit *v, const char *path, bool programs)
{
	static struct vnode_dirent e; /* the monitor completes one word at a time */
	struct vnode *vp;
	uint32_t i;

	if (vfs_lookup(path, &vp) != 0)
		return;
	for (i = 0; i < ENTRIES_MAX && vfs_readdir(vp, i, &e) == 0; i++) {
		uint32_t bytes = (uint32_t)strlen(e.name), end = sizeof(PROGRAM_END) - 1;

		if (!programs)
			visit_name(v, e.name, bytes, e.is_directory);
		else if (bytes > end && strcmp(e.name + bytes - end, PROGRAM_END) == 0)
			visit_name(v, e.name, bytes - end, false);
	}
	vnode_unref(vp);
}

static void
visit_files(struct visit *v)
{
	char path[LINE_BYTES];
	uint32_t bytes = (uint32_t)(v->place->wanted - v->place->word);

	memcpy(path, v->place->word, bytes);
	path[bytes] = '\0';
	visit_directory(v, path, false);
}

static void
visit_all(struct visit *v)
{
	const struct place *p = v->place;
	bool has_path = p->wanted != p->word;

	if (has_path) {
		visit_files(v);
	} else if (p->number == 0) {
		visit_commands(v);
		visit_directory(v, PROGRAMS, true);
	} else if (p->number == 1 && strcmp(p->first, "run") == 0) {
		visit_directory(v, PROGRAMS, true);
	} else if (p->number == 1 && strcmp(p->first, "help") == 0) {
		visit_commands(v);
	} else if (strcmp(p->first, "sysctl") == 0 || strcmp(p->first, "hist") == 0) {
		visit_params(v);
	} else {
		visit_files(v);
	}
	if (v->print)
		print_row(v);
}

/* Append text to insert as the line has to say it. */
static void
put_quoted(char insert[LINE_BYTES], const char *text, char quote)
{
	uint32_t used = (uint32_t)strlen(insert);

	for (; *text != '\0' && used + 4 < LINE_BYTES; text++) {
		if (quote == 0 ? strchr(" '\"\\><&#", *text) != NULL :
			quote == '"' && (*text == '"' || *text == '\\'))
			insert[used++] = '\\';
		insert[used++] = *text;
	}
	insert[used] = '\0';
}

uint32_t
complete_word(const char *text, uint32_t cursor, char insert[LINE_BYTES])
{
	struct place place;
	struct visit v = { .place = &place };
	char end[3] = { 0 };

	place_find(text, cursor, &place);
	visit_all(&v);
	insert[0] = '\0';
	if (v.count == 0)
		return (0);
	put_quoted(insert, v.common + strlen(place.wanted), place.quote);
	if (v.count == 1 && v.is_directory)
		end[0] = '/';
	else if (v.count == 1 && place.quote == 0)
		end[0] = ' ';
	else if (v.count == 1)
		memcpy(end, (char[]){ place.quote, ' ' }, 2);
	strcat(insert, end);
	return (v.count);
}

void
complete_list(const char *text, uint32_t cursor)
{
	struct place place;
	struct visit v = { .place = &place, .print = true };

	place_find(text, cursor, &place);
	visit_all(&v);
}
