/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/usercpu.h in a host test: a "program" is a C function, and its memory is
 * reached through the simulated core, page faults included.
 *
 * Owns: sim_user_program.
 * Does not: keep FP state, or run anything at another privilege.
 *
 * Invariants:
 * U1 a program ends by a system call, never by returning.
 *
 * Yields: copyin, copyout, copyinstr, in page faults.
 * See: kern/usercpu.h; test/host/sim_cpu.c.
 */
#include "test/host/sim_user.h"

#include <stddef.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/usercpu.h"
#include "lib/assert.h"
#include "lib/le.h"
#include "proc/proc.h"
#include "test/host/fat_image.h"
#include "test/host/sim_pmap.h"

void (*sim_user_program)(const struct cpu_user_start *start);
void (*sim_user_child)(void);

void
sim_user_install(struct file_disk *disk)
{
	struct fat_layout l;
	uint64_t entry;
	uint32_t folder, cluster;
	uint8_t *at;

	fat_image_layout(disk, &l);
	entry = fat_entry_find(disk, 2, "APPS       ");
	folder = le16(disk->bytes + entry + 26);
	entry = fat_entry_find(disk, folder, "SORT    ELF");
	cluster = le16(disk->bytes + entry + 26);
	at = disk->bytes + l.data + (uint64_t)(cluster - 2) * l.cluster_bytes;
	static const uint8_t head[120] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2, [18] = 183, [20] = 1, [26] = 0x40,
		[32] = 64, [52] = 64, [54] = 56, [56] = 1, [64] = 1, [68] = 5, [82] = 0x40,
		[90] = 0x40, [97] = 16, [105] = 16, [113] = 16
	};

	memcpy(at, head, sizeof(head));
}

void
cpu_user_attach(struct task *t, struct pmap *pmap, void *fp_state)
{
	(void)t;
	(void)pmap;
	(void)fp_state;
}

void
cpu_user_enter(const struct cpu_user_start *start)
{
	KASSERT(sim_user_program != NULL, "U1: the test has given a program");
	sim_user_program(start);
	KASSERT(false, "U1: a program does not return");
	__builtin_unreachable();
}

void
cpu_user_move(struct pmap *pmap)
{
	(void)pmap;
}

void
cpu_user_fork(struct task *child)
{
	(void)child;
}

void
cpu_user_set_tls(uint64_t value)
{
	(void)value;
}

void
cpu_user_resume(void)
{
	KASSERT(sim_user_child != NULL, "U1: the test has given a child");
	sim_user_child();
	KASSERT(false, "U1: a program does not return");
	__builtin_unreachable();
}

/* Memory of the calling task's program. */
static struct vmspace *
user_memory(void)
{
	struct task *t = curtask();

	return (t != NULL && t->proc != NULL ? t->proc->vmspace : NULL);
}

int
copyin(uint64_t user_from, void *to, size_t bytes)
{
	struct vmspace *vm = user_memory();

	return (vm == NULL ? ERR_FAULT : sim_load(vm, user_from, to, bytes));
}

int
copyout(const void *from, uint64_t user_to, size_t bytes)
{
	struct vmspace *vm = user_memory();

	return (vm == NULL ? ERR_FAULT : sim_store(vm, user_to, from, bytes));
}

int
copyinstr(uint64_t user_from, char *to, size_t limit)
{
	size_t i;
	int err;

	for (i = 0; i < limit; i++) {
		err = copyin(user_from + i, to + i, 1);
		if (err != 0)
			return (err);
		if (to[i] == '\0')
			return (0);
	}
	return (ERR_NAMETOOLONG);
}

void
cpu_sync_icache(const void *va, size_t bytes)
{
	(void)va;
	(void)bytes;
}
