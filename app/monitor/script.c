/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts: one line after the other out of a file's pages.
 *
 *   source a --> [a]     line of a: source b --> [a b]     end of b --> [a]
 *
 * The monitor asks for the next line when it has carried out the one before, so a script that
 * begins another calls nobody: it only lies lower on the stack meanwhile. Memory is that of
 * the stack and one line, however long a script is.
 *
 * Owns: the stack of scripts.
 * Does not: carry out lines (monitor.c).
 *
 * Invariants:
 * C1 scripts[0..depth-1] have an object, the others have none.
 *
 * Yields: all.
 * See: app/monitor/monitor.c; mm/file_pager.h.
 */
#include "app/monitor/script.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "app/monitor/program.h"
#include "kern/console.h"
#include "kern/vnode.h"
#include "lib/assert.h"
#include "mm/file_pager.h"

struct script {
	char path[PROGRAM_PATH_BYTES];
	struct vm_object *object; /* the file's pages */
	uint64_t at;              /* byte where the next line begins */
	uint32_t line;            /* number of the last one, from 1 */
};

static struct script scripts[SCRIPT_DEPTH];
static uint32_t depth;

int
script_begin(const char *path)
{
	struct script *s = &scripts[depth];
	struct vnode *vp;
	int err;

	if (depth == SCRIPT_DEPTH)
		return (ERR_RANGE);
	if (strlen(path) >= sizeof(s->path))
		return (ERR_NAMETOOLONG);
	err = vfs_lookup(path, &vp);
	if (err != 0)
		return (err);
	memset(s, 0, sizeof(*s));
	strcpy(s->path, path);
	if (vp->is_directory || vp->is_swap)
		err = vp->is_directory ? ERR_ISDIR : ERR_BUSY;
	else if ((s->object = file_pager_alloc(vp)) == NULL)
		err = ERR_NOMEM;
	vnode_unref(vp);
	depth += err == 0;
	return (err);
}

static void
pop(void)
{
	struct script *s = &scripts[--depth];

	KASSERT(s->object != NULL, "C1: a script under way has its file");
	vm_object_deallocate(s->object);
	s->object = NULL;
}

void
script_stop(const char *why)
{
	while (depth > 0) {
		const struct script *s = &scripts[depth - 1];

		kprintf("%s:%u: %s\n", s->path, s->line, why);
		pop();
		why = "stopped there";
	}
}

/* What follows in the file, at most a line's bytes: how many, or ERR_*. */
static int64_t
fill(struct script *s, char line[LINE_BYTES])
{
	uint32_t used = 0;
	int64_t got = 1;

	while (used < LINE_BYTES && got > 0) {
		got = file_pager_read(s->object, s->at + used, line + used, LINE_BYTES - used);
		used += got > 0 ? (uint32_t)got : 0;
	}
	return (got < 0 ? got : (int64_t)used);
}

/* One line of s, without its end: 1, 0 at the end of the file, or ERR_*. */
static int
take_line(struct script *s, char line[LINE_BYTES])
{
	int64_t used = fill(s, line);
	char *end;

	if (used <= 0)
		return ((int)used);
	s->line++;
	end = memchr(line, '\n', (size_t)used);
	if (end == NULL && used == LINE_BYTES)
		return (ERR_NAMETOOLONG);
	if (end == NULL)
		end = line + used;
	s->at += (uint64_t)(end - line) + 1;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return (1);
}

bool
script_next(char line[LINE_BYTES])
{
	char why[64];

	while (depth > 0) {
		int got = take_line(&scripts[depth - 1], line);

		if (got > 0)
			return (true);
		if (got == 0) {
			pop();
			continue;
		}
		snprintf(why, sizeof(why), "%s",
		    got == ERR_NAMETOOLONG ? "a line has at most 255 bytes" : err_string(got));
		script_stop(why);
	}
	return (false);
}
