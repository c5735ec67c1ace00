/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on files and the console.
 *
 * The console is read a line at a time, with echo and backspace; Ctrl-C ends the program
 * that reads and all of its job, as the monitor would if it had got the key. What a program writes
 * goes through its own console_writer, so its lines stay whole.
 *
 * Owns: nothing; descriptors are file.c's.
 * Does not: know directories or clusters (fs behind kern/vnode.h), or pages (file_io.c),
 *   or pipes (pipe.c).
 * Invariants:
 *   F1  a file of kind VNODE has a vnode reference; others have none
 * Yields: read, write, open, close, fsync, ftruncate, unlink, utime.
 * See: kern/vnode.h, kern/console.h.
 */
#include <string.h>

#include "kern/sched.h"
#include "lib/assert.h"
#include "mm/vm_page.h"
#include "proc/pipe.h"
#include "proc/proc_internal.h"

#define COPY_BYTES 256 /* of console text handled at once, on the stack */
#define CONSOLE_POLL_US 100000 /* how soon a kill ends a console read */

int64_t
sys_write(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);
	uint64_t done = 0, bytes = a[2];
	char chunk[COPY_BYTES];

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind == PROC_FILE_VNODE)
		return (proc_file_write(p, file, a[1], bytes));
	if (file->kind == PROC_FILE_PIPE_WRITE)
		return (pipe_write(p, file->pipe, a[1], bytes));
	if (file->kind != PROC_FILE_CONSOLE_OUT)
		return (ERR_BADF);
	while (done < bytes && !p->killed) {
		uint64_t n = bytes - done < sizeof(chunk) ? bytes - done : sizeof(chunk);
		int error = copyin(a[1] + done, chunk, n);

		if (error != 0)
			return (done > 0 ? (int64_t)done : error);
		console_write(&p->writer, chunk, n);
		done += n;
	}
	return ((int64_t)done);
}

/* One edited line from the console into line; its length with the newline. */
static int64_t
console_read_line(struct proc *p, char *line, uint32_t limit)
{
	uint32_t used = 0;

	console_flush(&p->writer);
	for (;;) {
		int c = console_getc(CONSOLE_POLL_US);
		char echo = (char)c;

		if (p->killed)
			return (ERR_KILLED);
		if (c == ERR_TIMEDOUT)
			continue;
		p->idle_since_us = timer_now_us();
		if (c == 3 && proc_kill_tree(p->job_pid, EBB_KILL_USER) == 0) { /* Ctrl-C */
			kprintf("^C: ending process %u\n", (unsigned)p->job_pid);
			return (ERR_KILLED);
		}
		if (c == 4 && used == 0) /* Ctrl-D: end of file */
			return (0);
		if (c == '\r' || c == '\n') {
			console_raw("\r\n", 2);
			line[used++] = '\n';
			return (used);
		}
		if ((c == 8 || c == 127) && used > 0) {
			used--;
			console_raw("\b \b", 3);
		} else if (c >= ' ' && c != 127 && used < limit - 1) {
			line[used++] = echo;
			console_raw(&echo, 1);
		}
	}
}

static int64_t
console_read(struct proc *p, uint64_t to, uint64_t bytes)
{
	char line[COPY_BYTES];
	int64_t n;
	int error;

	if (bytes == 0)
		return (0);
	proc_idle_begin(p);
	n = console_read_line(p, line, bytes < sizeof(line) ? (uint32_t)bytes : sizeof(line));
	proc_idle_end(p);
	if (n <= 0)
		return (n);
	error = copyout(line, to, (size_t)n);
	return (error == 0 ? n : error);
}

int64_t
sys_read(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);

	if (file == NULL)
		return (ERR_BADF);
	switch (file->kind) {
	case PROC_FILE_CONSOLE_IN:
		return (console_read(p, a[1], a[2]));
	case PROC_FILE_VNODE:
		return (proc_file_read(p, file, a[1], a[2]));
	case PROC_FILE_PIPE_READ:
		return (pipe_read(p, file->pipe, a[1], a[2]));
	case PROC_FILE_EMPTY:
		return (0);
	default:
		return (ERR_BADF);
	}
}

int64_t
sys_open(struct proc *p, const uint64_t *a)
{
	int fd = proc_file_slot(p, 0), error;
	char path[256];

	if (fd < 0)
		return (fd);
	error = copyinstr(a[0], path, sizeof(path));
	if (error == 0 && path[0] == '\0')
		error = ERR_NOENT;
	if (error == 0)
		error = proc_file_open(&p->files[fd], path, a[1] & ~(uint64_t)EBB_O_CLOEXEC);
	if (error == 0 && (a[1] & EBB_O_CLOEXEC) != 0)
		p->cloexec |= 1u << fd;
	return (error == 0 ? fd : error);
}

int64_t
sys_close(struct proc *p, const uint64_t *a)
{
	if (proc_file_of(p, a[0]) == NULL)
		return (ERR_BADF);
	proc_file_close(p, (int)a[0]);
	return (0);
}

int64_t
sys_lseek(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);
	int64_t base, target;

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind != PROC_FILE_VNODE)
		return (ERR_SPIPE);
	if (a[2] > 2)
		return (ERR_INVAL);
	base = a[2] == 0 ? 0 :
	    a[2] == 1 ? (int64_t)file->offset : (int64_t)file->vnode->size_bytes;
	if (__builtin_add_overflow(base, (int64_t)a[1], &target) || target < 0)
		return (ERR_INVAL);
	file->offset = (uint64_t)target;
	return (target);
}

static bool
is_console(const struct proc_file *file)
{
	return (file->kind == PROC_FILE_CONSOLE_IN || file->kind == PROC_FILE_CONSOLE_OUT);
}

int64_t
sys_fstat(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);
	struct ebb_stat stat = { 0 };

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind == PROC_FILE_VNODE) {
		stat.size_bytes = file->vnode->size_bytes;
		stat.is_directory = file->vnode->is_directory;
		stat.modified_s = file->vnode->modified_s;
	} else if (is_console(file)) {
		stat.is_console = 1;
	} else {
		stat.is_pipe = 1;
	}
	return (copyout(&stat, a[1], sizeof(stat)));
}

int64_t
sys_isatty(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);

	if (file == NULL)
		return (ERR_BADF);
	return (is_console(file));
}

int64_t
sys_fsync(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);

	if (file == NULL)
		return (ERR_BADF);
	return (file->kind == PROC_FILE_VNODE ? proc_file_sync(file) : ERR_INVAL);
}

int64_t
sys_ftruncate(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind != PROC_FILE_VNODE)
		return (ERR_INVAL);
	return (proc_file_truncate(p, file, (int64_t)a[1]));
}

int64_t
sys_unlink(struct proc *p, const uint64_t *a)
{
	char path[256];
	int error = copyinstr(a[0], path, sizeof(path));

	(void)p;
	return (error == 0 ? proc_file_unlink(path) : error);
}

int64_t
sys_utime(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);

	if (file == NULL)
		return (ERR_BADF);
	if (file->kind != PROC_FILE_VNODE || a[1] > UINT32_MAX)
		return (ERR_INVAL);
	return (vnode_set_time(file->vnode, (uint32_t)a[1]));
}
