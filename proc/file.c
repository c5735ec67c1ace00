/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and the descriptors that stand for them.
 *
 *   process 3: fd 0 fd 1 fd 3      process 4, its child: fd 0 fd 1 fd 3
 *                 \    \   \_________________________________\____\__|
 *                  \    \________ struct proc_file: place, mode, what it refers to
 *                   \____________ (the console's two are for all)
 *
 * open and pipe make an open file, dup2 and fork more descriptors of it, which share its
 * place in the file; the last one to go ends it.
 *
 * Owns: proc.files, proc_file.refs, the two files that stand for the console, the empty one.
 * Does not: read or write (file_io.c, pipe.c, sys_file.c).
 * Invariants:
 *   D1 refs is the number of descriptors, and 1 more while open or pipe makes it
 * Yields: proc_file_unref and proc_file_close, when they end a file of the disk.
 * See: proc/proc.h.
 */
#include "kern/uma.h"
#include "lib/assert.h"
#include "proc/pipe.h"
#include "proc/proc_internal.h"

static struct uma_zone file_zone;
static struct proc_file console_in, console_out, empty;

void
proc_files_init(void)
{
	uma_zone_init(&file_zone, "file", sizeof(struct proc_file));
	console_in = (struct proc_file){ .kind = PROC_FILE_CONSOLE_IN, .refs = 1 };
	console_out = (struct proc_file){ .kind = PROC_FILE_CONSOLE_OUT, .refs = 1 };
	empty = (struct proc_file){ .kind = PROC_FILE_EMPTY, .refs = 1 };
}

struct proc_file *
proc_file_empty(void)
{
	empty.refs++;
	return (&empty);
}

struct proc_file *
proc_file_new(enum proc_file_kind kind)
{
	struct proc_file *file = uma_zalloc(&file_zone, UMA_NORMAL);

	if (file == NULL)
		return (NULL);
	file->kind = (uint8_t)kind;
	file->refs = 1;
	return (file);
}

void
proc_file_unref(struct proc_file *file)
{
	KASSERT(file->refs > 0, "D1: who lets go of a file had it");
	if (--file->refs != 0)
		return;
	if (file->kind == PROC_FILE_VNODE)
		proc_file_end(file);
	else if (file->kind == PROC_FILE_PIPE_READ || file->kind == PROC_FILE_PIPE_WRITE)
		pipe_end(file->pipe, file->kind == PROC_FILE_PIPE_WRITE);
	uma_zfree(&file_zone, file);
}

void
proc_files_console(struct proc *p)
{
	int fd;

	for (fd = 0; fd < 3; fd++) {
		p->files[fd] = fd == 0 ? &console_in : &console_out;
		p->files[fd]->refs++;
	}
}

void
proc_files_copy(struct proc *to, const struct proc *from)
{
	int fd;

	to->cloexec = from->cloexec;
	for (fd = 0; fd < PROC_FILES_MAX; fd++) {
		to->files[fd] = from->files[fd];
		if (to->files[fd] != NULL)
			to->files[fd]->refs++;
	}
}

void
proc_file_close(struct proc *p, int fd)
{
	struct proc_file *file = p->files[fd];

	p->files[fd] = NULL;
	p->cloexec &= ~(1u << fd);
	if (file != NULL)
		proc_file_unref(file);
}

void
proc_files_close(struct proc *p)
{
	int fd;

	for (fd = 0; fd < PROC_FILES_MAX; fd++)
		proc_file_close(p, fd);
}

void
proc_files_exec(struct proc *p)
{
	int fd;

	for (fd = 0; fd < PROC_FILES_MAX; fd++)
		if ((p->cloexec & 1u << fd) != 0)
			proc_file_close(p, fd);
}

void
proc_file_give(uint32_t pid, int fd, struct proc_file *file)
{
	struct proc *p = proc_find(pid);

	KASSERT(p != NULL && p->files[fd] != NULL, "D1: a new process has the console's files");
	proc_file_close(p, fd); /* ends none: it is the console's */
	p->files[fd] = file;
}

int
proc_file_slot(const struct proc *p, int from)
{
	int fd;

	for (fd = from; fd < PROC_FILES_MAX; fd++)
		if (p->files[fd] == NULL)
			return (fd);
	return (ERR_MFILE);
}

struct proc_file *
proc_file_of(struct proc *p, uint64_t fd)
{
	return (fd < PROC_FILES_MAX ? p->files[fd] : NULL);
}
