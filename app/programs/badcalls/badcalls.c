/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * badcalls: every system call with every kind of bad argument. Each must answer the right
 * errno, and the kernel must survive.
 *
 *   run badcalls [words]
 *
 * With `words` each call is printed before it is made.
 *
 * A call is described in calls.c: which argument is a pointer or a range, and what else it
 * may be given that is bad. A system call without description fails the program.
 *
 * Owns: a few pages with different rights; an open file.
 * Does not: end others.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: lib/ebb_abi.h; calls.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/programs/badcalls/calls.h"

#define PAGE_BYTES 4096u
#define LONG_BYTES (3 * PAGE_BYTES)
#define EXIT_BITS  0xffffffffffffff07u

static uint64_t place_address[PLACES];
static uint64_t calls_made, wrong;
static int with_words;

/* ---- the pages */

static void
check(int good, const char *what)
{
	if (!good) {
		printf("badcalls: cannot prepare: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

/* Two pages to write, one to read, one without rights, one that is not there, one more. */
static void
make_places(void)
{
	uint8_t *base = ebb_mmap(6 * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	char *text = ebb_mmap(LONG_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);

	check(base != NULL && text != NULL, "memory");
	memset(base, 0, 6 * PAGE_BYTES);
	memset(text, 'x', LONG_BYTES);
	text[LONG_BYTES - 1] = '\0';
	check(ebb_mprotect(base + 2 * PAGE_BYTES, PAGE_BYTES, EBB_PROT_READ) == 0, "read-only");
	check(ebb_mprotect(base + 3 * PAGE_BYTES, PAGE_BYTES, 0) == 0, "no rights");
	check(ebb_munmap(base + 4 * PAGE_BYTES, PAGE_BYTES) == 0, "a hole");
	place_address[PLACE_GOOD] = (uintptr_t)base;
	place_address[PLACE_EDGE] = (uintptr_t)base + 2 * PAGE_BYTES - 1;
	place_address[PLACE_READ_ONLY] = (uintptr_t)base + 2 * PAGE_BYTES;
	place_address[PLACE_NO_RIGHTS] = (uintptr_t)base + 3 * PAGE_BYTES;
	place_address[PLACE_HOLE] = (uintptr_t)base + 4 * PAGE_BYTES;
	place_address[PLACE_TEXT] = (uintptr_t)&make_places & ~(uint64_t)(PAGE_BYTES - 1);
	place_address[PLACE_LONG_STRING] = (uintptr_t)text;
	place_address[PLACE_NO_SUCH_FILE] = (uintptr_t)"/no/such/file";
	place_address[PLACE_FILE] = (uintptr_t)"/data/words.txt";
	place_address[PLACE_DIRECTORY] = (uintptr_t)"/data";
	place_address[PLACE_EMPTY_STRING] = (uintptr_t)"";
	place_address[PLACE_UNALIGNED] = (uintptr_t)base + 13;
	place_address[PLACE_LIMIT_REVERSED] = (uintptr_t)base + 512;
	*(struct ebb_rlimit *)(base + 512) = (struct ebb_rlimit){ .soft = 2, .hard = 1 };
}

static int
is_place(uint64_t value)
{
	return (value >= PLACE(0) && value < PLACE(PLACES));
}

static uint64_t
resolve(uint64_t value)
{
	return (is_place(value) ? place_address[value - PLACE(0)] : value);
}

/* ---- one call */

/* Can a register of this ABI hold value, as call number takes it? */
static int
fits(uint64_t number, uint64_t value)
{
	if (number == EBB_SYS_LSEEK || number == EBB_SYS_SBRK)
		return (value == (uint64_t)(int64_t)(intptr_t)value);
	return (value == (uintptr_t)value);
}

static void
make_call(uint64_t number, const char *name, const uint64_t args[6], int expected)
{
	uint64_t a[6];
	int64_t result;
	uint32_t i;

	for (i = 0; i < 6; i++) {
		a[i] = resolve(args[i]);
		if (!fits(number, a[i]))
			return;
	}
	if (with_words)
		printf("%s(%llx, %llx, %llx, %llx)\n", name, (unsigned long long)a[0],
		    (unsigned long long)a[1], (unsigned long long)a[2],
		    (unsigned long long)a[3]);
	result = ebb_syscall_args(number, a);
	calls_made++;
	if (expected == ANY || result == -(int64_t)expected || (expected == OK && result >= 0))
		return;
	wrong++;
	printf("badcalls: %s(%llx, %llx, %llx, %llx) answered %lld, expected %s\n", name,
	    (unsigned long long)a[0], (unsigned long long)a[1], (unsigned long long)a[2],
	    (unsigned long long)a[3], (long long)result,
	    expected == OK ? "success" : strerror(expected));
}

static const uint64_t bad_pointers[] = { 0, 8, 0xfff, UINT64_C(0xffffff8000080000), UINT64_MAX,
	UINT64_MAX - 7, UINT64_C(0x0123456789abcdef), UINT64_C(1) << 47, UINT64_C(1) << 39,
	INT64_MAX, PLACE(PLACE_NO_RIGHTS), PLACE(PLACE_HOLE) };
static const uint64_t bad_to_write[] = { PLACE(PLACE_READ_ONLY), PLACE(PLACE_EDGE),
	PLACE(PLACE_TEXT) };

static void
with_pointers(uint64_t number, const struct bad_call *call, const uint64_t *pointers,
    uint32_t count)
{
	uint64_t args[6];
	uint32_t i;

	for (i = 0; i < count; i++) {
		memcpy(args, call->args, sizeof(args));
		args[call->pointer - 1] = is_place(pointers[i]) ? pointers[i] :
		    (uintptr_t)pointers[i];
		make_call(number, call->name, args, EFAULT);
	}
}

/* Ranges of memory that are none: first argument address, second length. */
static void
with_ranges(uint64_t number, const struct bad_call *call)
{
	static const uint64_t ranges[][2] = { { PLACE(PLACE_GOOD), 0 },
		{ PLACE(PLACE_GOOD), UINT64_MAX }, { PLACE(PLACE_GOOD), UINT64_MAX - 4095 },
		{ PLACE(PLACE_GOOD), INT64_MAX }, { 0, 4096 }, { 0, UINT64_MAX },
		{ UINT64_C(0xffffff8000080000), 4096 }, { UINT64_MAX - 4095, 4096 },
		{ UINT64_MAX - 4095, 8192 }, { UINT64_C(1) << 39, 4096 },
		{ (UINT64_C(1) << 39) - 4096, 8192 }, { UINT64_C(0x0123456789ab0000), 4096 } };
	uint64_t args[6];
	uint32_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		memcpy(args, call->args, sizeof(args));
		args[0] = ranges[i][0];
		args[1] = ranges[i][1];
		make_call(number, call->name, args, EINVAL);
	}
	if (call->unaligned_is_fine)
		return;
	memcpy(args, call->args, sizeof(args));
	args[0] = PLACE(PLACE_UNALIGNED);
	args[1] = PAGE_BYTES;
	make_call(number, call->name, args, EINVAL);
}

static void
try_call(uint64_t number)
{
	const struct bad_call *call = &bad_calls[number];
	const struct bad_row *row;

	if (call->name == NULL) {
		wrong++;
		printf("badcalls: system call %llu is not described in calls.c\n",
		    (unsigned long long)number);
		return;
	}
	if (call->pointer != 0)
		with_pointers(number, call, bad_pointers,
		    sizeof(bad_pointers) / sizeof(bad_pointers[0]));
	if (call->pointer != 0 && call->writes)
		with_pointers(number, call, bad_to_write,
		    sizeof(bad_to_write) / sizeof(bad_to_write[0]));
	if (call->range)
		with_ranges(number, call);
	for (row = call->rows; row != NULL && row->expected != END; row++)
		make_call(number, call->name, row->args, row->expected);
}

/* ---- what needs a program of its own */

static void
expect(int good, const char *what)
{
	calls_made++;
	if (good)
		return;
	wrong++;
	printf("badcalls: %s\n", what);
}

/* Exit takes any status; wait with a bad pointer says so. */
static void
try_exit_and_wait(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			ebb_syscall(EBB_SYS_EXIT, EXIT_BITS, UINT64_MAX, UINT64_MAX);
	}
	expect(ebb_wait((uint32_t)pid, &status) == pid && status == 7, "exit(...07): not 7");
	pid = fork();
	if (pid == 0)
		_exit(3);
	expect(ebb_syscall(EBB_SYS_WAIT, (uint64_t)pid, place_address[PLACE_READ_ONLY], 0) ==
	    -EFAULT, "wait(child, read-only page): not EFAULT");
	expect(ebb_syscall(EBB_SYS_WAIT, 0, 0, 0) == -ECHILD, "wait without child: not ECHILD");
}

static void
try_out_of_range(void)
{
	static const uint64_t numbers[] = { EBB_SYS_COUNT, EBB_SYS_COUNT + 1, 1000, INT32_MAX,
		UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX };
	uint32_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		expect(!fits(EBB_SYS_NULL, numbers[i]) ||
		    ebb_syscall(numbers[i], 1, 2, 3) == -ENOSYS,
		    "a number out of range: not ENOSYS");
}

/* After all that, calls work as ever. */
static void
try_good(void)
{
	uint8_t *page = ebb_mmap(PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	struct ebb_usage usage;

	expect(page != NULL && ebb_usage(&usage) == 0 && usage.resident_pages > 0,
	    "good calls do not work any more");
	if (page != NULL)
		page[0] = 1;
	expect(ebb_munmap(page, PAGE_BYTES) == 0, "unmapping does not work any more");
}

int
main(int argc, char **argv)
{
	uint64_t number;

	with_words = argc > 1 && strcmp(argv[1], "words") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_places();
	check(open_file() == BAD_FILE, "open /data/words.txt as file 3");
	for (number = 0; number < EBB_SYS_COUNT; number++)
		try_call(number);
	try_exit_and_wait();
	try_out_of_range();
	try_good();
	printf("badcalls: %llu calls, %llu wrong\n", (unsigned long long)calls_made,
	    (unsigned long long)wrong);
	return (wrong == 0 ? 0 : 1);
}
