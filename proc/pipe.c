/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes.
 *
 * A pipe is one item of a zone, which takes a page of the pool: a ring of bytes. It is wired
 * as all kernel memory is, so kern.maxpipes bounds their number.
 *
 *   writer's memory --copyin--> piece --> ring --> page of the reader's memory, held
 *
 * The reader's page is brought in and held first and the bytes leave the ring then, so none
 * is lost when the reader's address is bad; the writer's piece is copied first and goes in
 * at once when there is room, so no other writer's bytes come between.
 *
 * Owns: struct pipe.
 * Does not: know descriptors (file.c); both ends of a pipe are open files.
 * Invariants:
 *   P1 first < PIPE_BYTES and count <= PIPE_BYTES
 *   P2 a pipe exists as long as one of its ends is open
 * Yields: pipe_read and pipe_write, in page faults of the program's memory and while they
 *     wait: then the program may be swapped out.
 * See: pipe.h; lib/ebb_abi.h.
 */
#include "proc/pipe.h"

#include <string.h>

#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/uma.h"
#include "lib/assert.h"
#include "mm/vm_fault.h"
#include "mm/vm_page.h"
#include "proc/proc_internal.h"

#define PIPE_BYTES 4000u

struct pipe {
	uint32_t first, count;      /* bytes: where the oldest lies, how many there are */
	bool read_open, write_open;
	uint8_t bytes[PIPE_BYTES];
};

_Static_assert(sizeof(struct pipe) <= UMA_ITEM_BYTES_MAX, "a pipe takes one page");
_Static_assert(EBB_PIPE_BUF <= PIPE_BYTES, "a piece fits");

static struct uma_zone pipe_zone;

void
pipes_init(void)
{
	uma_zone_init(&pipe_zone, "pipe", sizeof(struct pipe));
}

int
pipe_new(struct pipe **out)
{
	struct pipe *pipe;

	if (pipe_zone.used_items >= kern_params.maxpipes)
		return (ERR_NFILE);
	pipe = uma_zalloc(&pipe_zone, UMA_NORMAL);
	if (pipe == NULL)
		return (ERR_NOMEM);
	pipe->read_open = pipe->write_open = true;
	*out = pipe;
	return (0);
}

void
pipe_end(struct pipe *pipe, bool writer)
{
	bool *open = writer ? &pipe->write_open : &pipe->read_open;

	KASSERT(*open, "P2: an end is closed once");
	*open = false;
	wakeup(pipe);
	if (!pipe->read_open && !pipe->write_open)
		uma_zfree(&pipe_zone, pipe);
}

/* 0, or ERR_KILLED. */
static int
wait_change(struct proc *p, struct pipe *pipe, const char *wmesg)
{
	if (p->killed) /* in a page fault on the way: nobody would end this sleep */
		return (ERR_KILLED);
	proc_idle_begin(p);
	tsleep(pipe, wmesg, SLEEP_FOREVER);
	proc_idle_end(p);
	return (p->killed ? ERR_KILLED : 0);
}

/* What lies in one piece in the ring and in one page of the reader; 0 if somebody else was
 * faster. */
static int64_t
read_piece(struct proc *p, struct pipe *pipe, uint64_t to, uint64_t bytes)
{
	struct vm_page *m;
	uint64_t n = PAGE_SIZE - (to & PAGE_MASK);
	int error = vm_fault_hold(p->vmspace, to, VM_PROT_WRITE, &m);

	if (error != 0)
		return (error);
	n = n < bytes ? n : bytes;
	n = n < pipe->count ? n : pipe->count;
	n = n < PIPE_BYTES - pipe->first ? n : PIPE_BYTES - pipe->first;
	memcpy((uint8_t *)vm_page_address(m) + (to & PAGE_MASK), pipe->bytes + pipe->first, n);
	pmap_page_filled(m);
	vm_page_unhold(m);
	pipe->first = (pipe->first + (uint32_t)n) % PIPE_BYTES;
	pipe->count -= (uint32_t)n;
	KASSERT(pipe->count <= PIPE_BYTES, "P1: no more is taken than there is");
	wakeup(pipe);
	return ((int64_t)n);
}

int64_t
pipe_read(struct proc *p, struct pipe *pipe, uint64_t to, uint64_t bytes)
{
	uint64_t done = 0;
	int64_t n = 0;

	while (n >= 0 && done < bytes && (done == 0 || pipe->count != 0)) {
		if (pipe->count != 0)
			n = read_piece(p, pipe, to + done, bytes - done);
		else if (pipe->write_open)
			n = wait_change(p, pipe, "piperd");
		else
			break;
		done += n > 0 ? (uint64_t)n : 0;
	}
	return (done != 0 ? (int64_t)done : n);
}

static void
put(struct pipe *pipe, const uint8_t *piece, uint32_t bytes)
{
	uint32_t at = (pipe->first + pipe->count) % PIPE_BYTES;
	uint32_t n = bytes < PIPE_BYTES - at ? bytes : PIPE_BYTES - at;

	memcpy(pipe->bytes + at, piece, n);
	memcpy(pipe->bytes, piece + n, bytes - n);
	pipe->count += bytes;
	KASSERT(pipe->count <= PIPE_BYTES, "P1: there was room");
	wakeup(pipe);
}

int64_t
pipe_write(struct proc *p, struct pipe *pipe, uint64_t from, uint64_t bytes)
{
	uint8_t piece[EBB_PIPE_BUF];
	uint64_t done = 0;
	int error = 0;

	while (done < bytes && error == 0) {
		uint64_t left = bytes - done;
		uint32_t n = left < sizeof(piece) ? (uint32_t)left : sizeof(piece);

		error = copyin(from + done, piece, n);
		while (error == 0 && pipe->read_open && PIPE_BYTES - pipe->count < n)
			error = wait_change(p, pipe, "pipewr");
		if (error == 0 && !pipe->read_open)
			error = ERR_PIPE;
		if (error == 0) {
			put(pipe, piece, n);
			done += n;
		}
	}
	return (done != 0 ? (int64_t)done : error);
}
