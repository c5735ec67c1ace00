/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with proc: the programs whose memory this is.
 *
 * The OOM killer and the vm daemon walk clients in pid order. proc registers the
 * table; host tests supply a simulated one. A client has one thread.
 */
#ifndef MM_VM_CLIENT_H
#define MM_VM_CLIENT_H

#include "mm/vm_map.h"

#define VM_CLIENT_SYSTEM    0x01
#define VM_CLIENT_PROTECTED 0x02
#define VM_CLIENT_EXEC      0x04 /* in exec */
#define VM_CLIENT_EXITING   0x08
#define VM_CLIENT_KILLED    0x10
#define VM_CLIENT_NEW       0x20 /* being made: its memory is not complete */
#define VM_CLIENT_TRACED    0x40 /* a debugger looks at its memory */
#define VM_CLIENT_LOCKED    0x80 /* its lock is taken, or somebody needs it in memory */
#define VM_CLIENT_REALTIME  0x100 /* must not wait for pages */
#define VM_CLIENT_SWAPPED   0x200 /* swapped out: all its mappings go, until it runs */
#define VM_CLIENT_UNSAFE    0x400 /* not in a sleep in which its memory is unused */

#define VM_CLIENT_NO_LIMIT UINT32_MAX /* pages */

struct vm_client {
	uint32_t pid;
	const char *name;
	struct vmspace *vmspace;  /* NULL: none (skip) */
	uint32_t flags;           /* VM_CLIENT_* */
	uint64_t asleep_us;       /* in its present sleep; 0: it does not sleep */
	uint32_t rss_soft_pages;  /* limits of resident memory, or VM_CLIENT_NO_LIMIT */
	uint32_t rss_hard_pages;
	uint32_t budget_pages;    /* what accounting leaves it, or VM_CLIENT_NO_LIMIT */
};

struct vm_client_ops {
	/* The client with the smallest pid > after_pid into *out; false at the end.
	 * Never yields. */
	bool (*next)(uint32_t after_pid, struct vm_client *out);
	/* Kill it: prints one line with reason and size, raises its priority. Never yields. */
	void (*kill)(uint32_t pid, const char *reason);
	/* Accounting: so many pages of it are resident. Never yields. */
	void (*set_usage)(uint32_t pid, uint32_t resident_pages);
	/* It is swapped out from now on, until it runs again; false if it may not be. Its
	 * kernel stack stays. Never yields. */
	bool (*swap_out)(uint32_t pid);
};

extern const struct vm_client_ops *vm_client_ops;

#endif
