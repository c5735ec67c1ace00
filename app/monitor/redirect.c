/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output of a command into a file: `ps > /ps.txt`.
 *
 *   kprintf, console_write --console_divert--> keep --> piece --proc_file_put--> the file's pages
 *
 * What a program writes goes to its own descriptor 1; this is for commands, which print. After an
 * error nothing more is written, and what remains is dropped: the error says so.
 *
 * Owns: the file while a command runs, the piece that is not in it yet.
 * Does not: see what is painted on the whole screen (top, pagemap live: console_raw).
 *
 * Invariants:
 * R1 one command at a time is redirected.
 *
 * Yields: all.
 * See: kern/console.h; proc/proc.h.
 */
#include "app/monitor/redirect.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kern/console.h"
#include "lib/assert.h"
#include "proc/proc.h"

#define PIECE_BYTES 4096u

static struct proc_file *file;
static char piece[PIECE_BYTES];
static uint32_t used_bytes;
static int error;

static void
send(void)
{
	if (error == 0 && used_bytes != 0)
		error = proc_file_put(file, piece, used_bytes);
	used_bytes = 0;
}

/* For console_divert. */
static void
keep(const char *bytes, size_t count)
{
	while (count > 0) {
		size_t room = PIECE_BYTES - used_bytes, n = count < room ? count : room;

		memcpy(piece + used_bytes, bytes, n);
		used_bytes += (uint32_t)n;
		bytes += n;
		count -= n;
		if (used_bytes == PIECE_BYTES)
			send();
	}
}

int
redirect_begin(const char *path, bool append)
{
	KASSERT(file == NULL, "R1: one command at a time");
	used_bytes = 0;
	error = proc_file_open(&file, path,
	    EBB_O_WRONLY | EBB_O_CREAT | (append ? EBB_O_APPEND : EBB_O_TRUNC));
	if (error == 0)
		console_divert(keep);
	return (error);
}

int
redirect_end(void)
{
	console_divert(NULL);
	send();
	proc_file_unref(file);
	file = NULL;
	return (error);
}
