/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash: do one forbidden thing. Whatever it is, only this program may end.
 *
 *   run crash null|wild|kernel|text|data|stack|undefined|jump|calls
 *
 * `calls` makes every system call with pointers that are bad in every way and
 * must survive; the others must be killed.
 *
 * Owns: nothing.
 * Does not: return 0 unless it survived and should have.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: proc/syscall.c, arch/arm64/trap.c.
 */
#include <stdio.h>
#include <string.h>

#include "app/libebb/ebb.h"

/* Where the kernel is, and where nothing is; an AArch32 program reaches 4 GiB only, the
 * last 64 KiB of which are not its own. */
#if UINTPTR_MAX == UINT32_MAX
#define KERNEL_ADDRESS 0xffff0100u
#define WILD_ADDRESS   0x56789000u
#else
#define KERNEL_ADDRESS 0xffffff8000080000u
#define WILD_ADDRESS   0x123456789000u
#endif

static const char constant[8] = "constant";
#ifdef __aarch64__
static char data_code[8] = { (char)0xc0, 0x03, 0x5f, (char)0xd6 }; /* ret */
#else
static char data_code[8] = { 0x1e, (char)0xff, 0x2f, (char)0xe1 }; /* bx lr */
#endif

static void
store(uintptr_t address)
{
	*(volatile uint32_t *)address = 1;
}

static void
jump(uintptr_t address)
{
	((void (*)(void))address)();
}

/* Write downwards from the stack until the guard stops it. */
static void
overflow_stack(void)
{
	volatile char here;
	uintptr_t address = (uintptr_t)&here;

	for (;;) {
		address -= 1024;
		store(address & ~(uintptr_t)3);
	}
}

static int
bad_calls(void)
{
	static const uint64_t values[] = { 0, 1, 0xfff, KERNEL_ADDRESS, WILD_ADDRESS,
		UINT64_MAX, UINT64_MAX - 4095, INT64_MAX, 0x400000, 0x8000000000u, 0x7fffffffffu };
	const uint32_t count = sizeof(values) / sizeof(values[0]);
	uint64_t call, i, j;

	for (call = 2; call < EBB_SYS_COUNT + 4; call++) {
		if (call == EBB_SYS_SLEEP || call == EBB_SYS_READ || call == EBB_SYS_WAIT ||
		    call == EBB_SYS_SBRK || call == EBB_SYS_KILL || call == EBB_SYS_MUNMAP ||
		    call == EBB_SYS_MPROTECT || call == EBB_SYS_SETRLIMIT || call == EBB_SYS_FORK ||
		    call == EBB_SYS_TLS)
			continue;
		for (i = 0; i < count * count; i++) {
			j = i / count;
			if (call == EBB_SYS_CLOSE && values[i % count] <= 1)
				continue; /* the last line is to be seen */
			ebb_syscall(call, values[i % count], values[j], values[(i + j) % count]);
		}
	}
	for (i = 0; i < count; i++) {
		ebb_syscall(EBB_SYS_READ, 3, values[i], 4096);
		ebb_syscall(EBB_SYS_WAIT, 0, values[i], 0);
		ebb_syscall(EBB_SYS_MUNMAP, values[i], UINT64_MAX - values[i], 0);
		ebb_syscall(EBB_SYS_MPROTECT, values[i], UINT64_MAX - values[i], 9);
		ebb_syscall(EBB_SYS_SBRK, values[i] | UINT64_C(1) << 62, 0, 0);
		ebb_syscall(EBB_SYS_SETRLIMIT, values[i], 0, 0);
		ebb_syscall(EBB_SYS_SETRLIMIT, EBB_RLIMIT_RSS, values[i], 0);
		ebb_syscall(EBB_SYS_KILL, values[i] | UINT64_C(1) << 40, 0, 0);
	}
	printf("\ncrash: survived all calls\n");
	return (0);
}

static int
act(const char *what)
{
	if (strcmp(what, "null") == 0)
		store(0);
	else if (strcmp(what, "wild") == 0)
		store(WILD_ADDRESS);
	else if (strcmp(what, "kernel") == 0)
		store(KERNEL_ADDRESS);
	else if (strcmp(what, "text") == 0)
		store((uintptr_t)constant);
	else if (strcmp(what, "data") == 0)
		jump((uintptr_t)data_code);
	else if (strcmp(what, "stack") == 0)
		overflow_stack();
	else if (strcmp(what, "undefined") == 0)
		__asm__ volatile("udf #0");
	else if (strcmp(what, "jump") == 0)
		jump(KERNEL_ADDRESS);
	else if (strcmp(what, "calls") == 0)
		return (bad_calls());
	else
		return (2);
	printf("crash: %s did not end this program\n", what);
	return (1);
}

int
main(int argc, char **argv)
{
	int status = argc == 2 ? act(argv[1]) : 2;

	if (status == 2)
		fprintf(stderr,
		    "usage: crash null|wild|kernel|text|data|stack|undefined|jump|calls\n");
	return (status);
}
