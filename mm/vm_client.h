/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTRACT with proc: the programs whose memory this is.
 *
 * The OOM killer (and later the vm daemon) walks clients in pid order. proc
 * registers the table; host tests supply a simulated one.
 */
#ifndef MM_VM_CLIENT_H
#define MM_VM_CLIENT_H

#include "mm/vm_map.h"

#define VM_CLIENT_SYSTEM    0x01
#define VM_CLIENT_PROTECTED 0x02
#define VM_CLIENT_EXEC      0x04 /* in exec */
#define VM_CLIENT_EXITING   0x08
#define VM_CLIENT_KILLED    0x10

struct vm_client {
	uint32_t pid;
	const char *name;
	struct vmspace *vmspace; /* NULL: none (skip) */
	uint32_t flags;          /* VM_CLIENT_* */
};

struct vm_client_ops {
	/* The client with the smallest pid > after_pid into *out; false at the end.
	 * Never yields. */
	bool (*next)(uint32_t after_pid, struct vm_client *out);
	/* Kill it: prints one line with reason and size, raises its priority. Never yields. */
	void (*kill)(uint32_t pid, const char *reason);
};

extern const struct vm_client_ops *vm_client_ops;

#endif
