/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self tests that must end in a panic: what the kernel must never do.
 *
 * Owns: nothing.
 * Does not: return, unless the protection under test is missing: false then.
 * Invariants: none.
 * Yields: selftest_stack_overflow.
 * See: test/target/panic_*.test.
 */
#include "test/target/selftest.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/usercpu.h"
#include "lib/assert.h"

bool
selftest_panic(void)
{
	panic("self test: %d is not a problem", 42);
}

bool
selftest_assertion(void)
{
	volatile int zero = 0;

	KASSERT(zero == 1, "T0: zero is one");
	return (false);
}

/* More stack than there is, deeper and deeper; the volatile frame keeps the compiler
 * from making a loop of it. */
static int
go_deeper(int depth)
{
	volatile char frame[200];

	frame[0] = (char)depth;
	return (depth == 0 ? 0 : go_deeper(depth + 1) + frame[0]);
}

static void
overflow(void *arg)
{
	*(int *)arg = go_deeper(1);
}

bool
selftest_stack_overflow(void)
{
	static int result;
	struct task *t;

	EXPECT(task_create(&t, "deep", PRI_NORMAL, overflow, &result) == 0);
	tsleep(&result, "deep", 1000000);
	return (false);
}

bool
selftest_null_write(void)
{
	struct task *volatile none = NULL;

	none->id = 1;
	return (false);
}

bool
selftest_text_write(void)
{
	*(volatile uint32_t *)(uintptr_t)selftest_text_write = 0;
	return (false);
}

bool
selftest_rodata_write(void)
{
	*(volatile char *)(uintptr_t)"constant" = 'C';
	return (false);
}

#define INSN_RET 0xd65f03c0u

bool
selftest_data_execute(void)
{
	static uint32_t code[1];

	code[0] = INSN_RET;
	cpu_sync_icache(code, sizeof(code));
	((void (*)(void))(uintptr_t)code)();
	return (false);
}

bool
selftest_stack_execute(void)
{
	uint32_t code[1] = { INSN_RET };

	cpu_sync_icache(code, sizeof(code));
	((void (*)(void))(uintptr_t)code)();
	return (false);
}

bool
selftest_fp_register(void)
{
	/* fmov d0, xzr, as a number: the check for FP registers in the image reads
	 * names, and this is the one place that wants one. */
	__asm__ volatile(".word 0x9e6703e0");
	return (false);
}

/* A damaged frame chain: the backtrace must end, not fault. */
bool
selftest_bad_frame(void)
{
	__asm__ volatile("mov x29, %0\n\tmov x0, xzr\n\tstr xzr, [x0]"
	    :: "r"(0x1234567890abcde0ull) : "x0", "memory");
	return (false);
}
