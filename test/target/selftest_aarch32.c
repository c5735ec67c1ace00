/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self test of the AArch32 exception entries: a few instructions at EL0 that make
 * system calls and count in memory, ARM and Thumb.
 *
 * Owns: a process that is in no table: it never ends, the machine does.
 * Does not: need an ELF loader for AArch32.
 * Invariants: none.
 * Yields: selftest_aarch32.
 * See: arch/arm64/vectors.S, arch/arm64/trap.c.
 */
#include <stddef.h>
#include <string.h>

#include "kern/machdep.h"
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "mm/vm_fault.h"
#include "mm/vm_map.h"
#include "mm/vm_page.h"
#include "proc/proc.h"
#include "test/target/selftest.h"

#define ROUNDS 100
#define THUMB_OFFSET 0x100

/* r7 = 0 (null system call); [r2] = [r2] + r0 + 1; r7 = 16 (yield); again. */
static const uint32_t arm_code[] = {
	0xe3a07000, /* 	mov	r7, #0 */
	0xef000000, /* 	svc	#0 */
	0xe5923000, /* 	ldr	r3, [r2] */
	0xe0833000, /* 	add	r3, r3, r0 */
	0xe2833001, /* 	add	r3, r3, #1 */
	0xe5823000, /* 	str	r3, [r2] */
	0xe3a07010, /* 	mov	r7, #16 */
	0xef000000, /* 	svc	#0 */
	0xeafffff6, /* 	b	start */
};

static const uint16_t thumb_code[] = {
	0x2700, /* 	movs	r7, #0 */
	0xdf00, /* 	svc	#0 */
	0x6813, /* 	ldr	r3, [r2] */
	0x181b, /* 	adds	r3, r3, r0 */
	0x3301, /* 	adds	r3, #1 */
	0x6013, /* 	str	r3, [r2] */
	0x2710, /* 	movs	r7, #16 */
	0xdf00, /* 	svc	#0 */
	0xe7f6, /* 	b	start */
};

struct guest {
	struct proc proc;
	vm_offset_t code, data;
	bool thumb;
	int error;
};

static int
load(struct guest *g)
{
	struct vmspace *vm = g->proc.vmspace;
	int err = copyout(arm_code, g->code, sizeof(arm_code));

	if (err == 0)
		err = copyout(thumb_code, g->code + THUMB_OFFSET, sizeof(thumb_code));
	if (err == 0)
		err = vm_map_protect(vm, g->code, g->code + PAGE_SIZE,
		    VM_PROT_READ | VM_PROT_EXECUTE);
	return (err);
}

static void
run_guest(void *arg)
{
	struct guest *g = arg;
	struct cpu_user_start start = { .aarch32 = true };

	curtask()->proc = &g->proc;
	cpu_user_attach(curtask(), &g->proc.vmspace->pmap, g->proc.fp_state);
	g->error = load(g);
	if (g->error != 0) {
		cpu_user_attach(curtask(), NULL, NULL);
		return;
	}
	start.pc = g->code + (g->thumb ? THUMB_OFFSET + 1 : 0);
	start.sp = g->data + PAGE_SIZE;
	start.args[2] = g->data;
	cpu_user_enter(&start);
}

static uint32_t
count_of(struct guest *g)
{
	struct vm_page *m;
	uint32_t count;

	if (vm_fault_hold(g->proc.vmspace, g->data, VM_PROT_READ, &m) != 0)
		return (0);
	count = *(uint32_t *)vm_page_address(m);
	vm_page_unhold(m);
	return (count);
}

static bool
guest_works(struct guest *g)
{
	static int channel;
	struct vmspace *vm = vmspace_alloc(PMAP_USER_MIN, 0xfffff000);
	struct task *t;

	EXPECT(vm != NULL);
	g->code = 0x10000;
	g->data = 0x20000;
	g->proc.vmspace = vm;
	g->proc.abi = &proc_abi_aarch64;
	EXPECT(vm_map_find(vm, &g->code, PAGE_SIZE, VM_PROT_READ | VM_PROT_WRITE, 0) == 0);
	EXPECT(vm_map_find(vm, &g->data, PAGE_SIZE, VM_PROT_READ | VM_PROT_WRITE, 0) == 0);
	EXPECT(task_create(&t, "aarch32", PRI_NORMAL, run_guest, g) == 0);
	for (uint32_t i = 0; i < 1000 && count_of(g) < ROUNDS; i++)
		tsleep(&channel, "aarch32", 1000);
	EXPECT(g->error == 0);
	EXPECT(count_of(g) >= ROUNDS);
	return (true);
}

bool
selftest_aarch32(void)
{
	static struct guest arm, thumb = { .thumb = true };

	return (guest_works(&arm) && guest_works(&thumb));
}
