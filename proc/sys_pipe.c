/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on descriptors: pipe and dup2.
 *
 * Owns: nothing.
 * Does not: move bytes (pipe.c).
 * Invariants: none of its own.
 * Yields: pipe, in copyout; dup2, when it ends a file.
 * See: lib/ebb_abi.h; file.c.
 */
#include "proc/pipe.h"
#include "proc/proc_internal.h"

/* Two open files for the two ends; none of it without memory. */
static int
make_ends(struct proc_file *ends[2])
{
	struct pipe *pipe;
	int error = pipe_new(&pipe);

	if (error != 0)
		return (error);
	ends[0] = proc_file_new(PROC_FILE_PIPE_READ);
	ends[1] = proc_file_new(PROC_FILE_PIPE_WRITE);
	if (ends[0] != NULL)
		ends[0]->pipe = pipe;
	if (ends[1] != NULL)
		ends[1]->pipe = pipe;
	if (ends[0] != NULL && ends[1] != NULL)
		return (0);
	if (ends[0] != NULL)
		proc_file_unref(ends[0]);
	else
		pipe_end(pipe, false);
	if (ends[1] != NULL)
		proc_file_unref(ends[1]);
	else
		pipe_end(pipe, true);
	return (ERR_NOMEM);
}

int64_t
sys_pipe(struct proc *p, const uint64_t *a)
{
	struct proc_file *ends[2];
	int32_t fds[2];
	int error;

	fds[0] = proc_file_slot(p, 0);
	fds[1] = fds[0] < 0 ? fds[0] : proc_file_slot(p, fds[0] + 1);
	if (fds[1] < 0)
		return (fds[1]);
	error = copyout(fds, a[0], sizeof(fds));
	if (error == 0)
		error = make_ends(ends);
	if (error != 0)
		return (error);
	p->files[fds[0]] = ends[0];
	p->files[fds[1]] = ends[1];
	return (0);
}

int64_t
sys_dup2(struct proc *p, const uint64_t *a)
{
	struct proc_file *file = proc_file_of(p, a[0]);
	int to = a[1] < PROC_FILES_MAX ? (int)a[1] : ERR_BADF;

	if (file == NULL)
		return (ERR_BADF);
	if (a[1] == EBB_DUP_LOWEST)
		to = proc_file_slot(p, 0);
	if (to < 0 || (uint64_t)to == a[0])
		return (to);
	file->refs++; /* before the other is closed: it may be the same */
	proc_file_close(p, to);
	p->files[to] = file;
	return (to);
}
