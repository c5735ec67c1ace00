/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes: bytes from whoever writes at one end to whoever reads at the other.
 */
#ifndef PROC_PIPE_H
#define PROC_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct pipe;
struct proc;

void pipes_init(void);

/* An empty pipe, both ends open. ERR_NFILE (kern.maxpipes), ERR_NOMEM. Does not yield. */
int pipe_new(struct pipe **out) ERR_MUST_CHECK;
/* Close one end; who waits at the other learns it. Both closed: the pipe is gone. Does not
 * yield. */
void pipe_end(struct pipe *pipe, bool writer);

/*
 * Bytes moved, or ERR_*. read waits until there is something, and answers 0 when there is
 * nothing and nobody to write. write waits until all has gone in, EBB_PIPE_BUF bytes at a
 * time, each such piece in one; ERR_PIPE when nobody reads. ERR_FAULT, ERR_KILLED: if
 * nothing had been moved before. May yield.
 */
int64_t pipe_read(struct proc *p, struct pipe *pipe, uint64_t to, uint64_t bytes);
int64_t pipe_write(struct proc *p, struct pipe *pipe, uint64_t from, uint64_t bytes);

#endif
