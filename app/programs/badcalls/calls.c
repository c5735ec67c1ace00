/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptions of all system calls, for badcalls.
 *
 * Owns: nothing.
 * Does not: make calls, but for the file that has to be open.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: calls.h; lib/ebb_abi.h for what each call does.
 */
#include "app/programs/badcalls/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#define GOOD      PLACE(PLACE_GOOD)
#define READ_ONLY PLACE(PLACE_READ_ONLY)
#define NO_RIGHTS PLACE(PLACE_NO_RIGHTS)
#define HOLE      PLACE(PLACE_HOLE)
#define MINUS(n)  ((uint64_t)-(int64_t)(n))
#define HUGE      (UINT64_C(1) << 62)
#define RW        (EBB_PROT_READ | EBB_PROT_WRITE)
#define ROWS(...) (const struct bad_row[]){ __VA_ARGS__, { { 0 }, END } }

int
open_file(void)
{
	return (open("/data/words.txt", O_RDONLY));
}

/* First argument a file number: none of these is open. */
#define BAD_FILES(e)                                                                      \
	{ { MINUS(1), GOOD, 8 }, e }, { { 4, GOOD, 8 }, e }, { { 16, GOOD, 8 }, e },       \
	    { { UINT64_C(1) << 32, GOOD, 8 }, e }, { { INT64_MAX, GOOD, 8 }, e },          \
	    { { UINT64_C(0x100000003), GOOD, 8 }, e }

const struct bad_call bad_calls[EBB_SYS_COUNT] = {
	[EBB_SYS_NULL] = { "null", .rows = ROWS({ { MINUS(1), MINUS(1) }, OK }) },
	[EBB_SYS_EXIT] = { "exit" }, /* by a program of its own */
	[EBB_SYS_WRITE] = { "write", { 1, GOOD, 8 }, .pointer = 2,
	    .rows = ROWS(BAD_FILES(EBADF), { { 0, GOOD, 8 }, EBADF },
		{ { BAD_FILE, GOOD, 8 }, EBADF }, { { 1, HOLE, HUGE }, EFAULT },
		{ { 1, MINUS(8), 16 }, EFAULT }, { { 1, GOOD, 0 }, OK }) },
	[EBB_SYS_READ] = { "read", { BAD_FILE, GOOD, 8 }, .pointer = 2, .writes = true,
	    .rows = ROWS(BAD_FILES(EBADF), { { 1, GOOD, 8 }, EBADF },
		{ { BAD_FILE, HOLE, HUGE }, EFAULT }, { { BAD_FILE, MINUS(8), 16 }, EFAULT },
		{ { BAD_FILE, GOOD, MINUS(1) }, ANY }, { { BAD_FILE, GOOD, 0 }, OK },
		{ { 0, GOOD, 0 }, OK }) },
	[EBB_SYS_OPEN] = { "open", { GOOD }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_NO_SUCH_FILE) }, ENOENT },
		{ { PLACE(PLACE_FILE), 3 }, EINVAL },
		{ { PLACE(PLACE_FILE), EBB_O_TRUNC }, EINVAL },
		{ { PLACE(PLACE_FILE), EBB_O_CREAT | EBB_O_EXCL }, EEXIST },
		{ { PLACE(PLACE_FILE), 0x2000 }, EINVAL },
		{ { PLACE(PLACE_FILE), MINUS(1) }, EINVAL },
		{ { PLACE(PLACE_DIRECTORY), EBB_O_RDWR }, EISDIR },
		{ { PLACE(PLACE_LONG_STRING) }, ENAMETOOLONG },
		{ { PLACE(PLACE_EDGE) }, ANY }, { { PLACE(PLACE_EMPTY_STRING), 7 }, ANY },
		{ { PLACE(PLACE_EMPTY_STRING) }, ENOENT }) },
	[EBB_SYS_CLOSE] = { "close", .rows = ROWS(BAD_FILES(EBADF)) },
	[EBB_SYS_LSEEK] = { "lseek",
	    .rows = ROWS(BAD_FILES(EBADF), { { 1, 0, 0 }, ESPIPE },
		{ { BAD_FILE, 0, 3 }, EINVAL }, { { BAD_FILE, 0, MINUS(1) }, EINVAL },
		{ { BAD_FILE, MINUS(1), 0 }, EINVAL },
		{ { BAD_FILE, INT64_MAX, 2 }, EINVAL }, { { BAD_FILE, HUGE, 0 }, OK },
		{ { BAD_FILE, HUGE, 1 }, EINVAL }, { { BAD_FILE, 0, 0 }, OK }) },
	[EBB_SYS_FSTAT] = { "fstat", { BAD_FILE, GOOD }, .pointer = 2, .writes = true,
	    .rows = ROWS(BAD_FILES(EBADF)) },
	[EBB_SYS_SBRK] = { "sbrk",
	    .rows = ROWS({ { INT64_MAX }, ENOMEM }, { { MINUS(INT64_MAX) }, ENOMEM },
		{ { HUGE }, ENOMEM }, { { UINT64_C(1) << 38 }, ENOMEM }, { { 0 }, OK }) },
	[EBB_SYS_MMAP] = { "mmap",
	    .rows = ROWS({ { 0, 0, RW }, EINVAL }, { { 0, MINUS(1), RW }, EINVAL },
		{ { 0, INT64_MAX, RW }, ENOMEM }, { { 0, HUGE, RW }, ENOMEM },
		{ { 0, UINT64_C(1) << 38, RW, 0 }, ANY }, { { 0, 4096, 8 }, EINVAL },
		{ { 0, 4096, EBB_PROT_WRITE | EBB_PROT_EXEC }, EINVAL },
		{ { 0, 4096, MINUS(1) }, EINVAL }, { { 0, 4096, RW, 0x1000 }, EINVAL },
		{ { 0, 4096, RW, MINUS(1) }, EINVAL },
		{ { 0, 4096, RW, EBB_MAP_SHARED | EBB_MAP_PRIVATE }, EINVAL },
		{ { PLACE(PLACE_UNALIGNED), 4096, RW }, EINVAL }, { { GOOD, 4096, RW }, EEXIST },
		{ { 0, 4096, RW, EBB_MAP_FIXED | EBB_MAP_ANONYMOUS }, EINVAL },
		{ { UINT64_C(0xffffff8000080000), 4096, RW }, EINVAL },
		{ { UINT64_C(1) << 39, 4096, RW, EBB_MAP_FIXED }, EINVAL },
		{ { 0, 4096, EBB_PROT_READ, EBB_MAP_PRIVATE, 9 }, EBADF },
		{ { 0, 4096, EBB_PROT_READ, EBB_MAP_PRIVATE, MINUS(1) }, EBADF },
		{ { 0, 4096, EBB_PROT_READ, EBB_MAP_PRIVATE, 1 }, ENODEV },
		{ { 0, 4096, EBB_PROT_READ, EBB_MAP_PRIVATE, BAD_FILE, 5 }, EINVAL },
		{ { 0, 4096, EBB_PROT_READ, EBB_MAP_PRIVATE, BAD_FILE, MINUS(4096) }, EINVAL },
		{ { 0, 4096, RW, EBB_MAP_SHARED, BAD_FILE }, EPERM }) },
	[EBB_SYS_MUNMAP] = { "munmap", { GOOD, 4096 }, .range = true },
	[EBB_SYS_MPROTECT] = { "mprotect", { GOOD, 4096, RW }, .range = true,
	    .rows = ROWS({ { GOOD, 4096, 8 }, EINVAL }, { { GOOD, 4096, MINUS(1) }, EINVAL },
		{ { GOOD, 4096, EBB_PROT_WRITE | EBB_PROT_EXEC }, EINVAL },
		{ { HOLE, 4096, RW }, EFAULT }, { { NO_RIGHTS, 8192, 0 }, EFAULT }) },
	[EBB_SYS_GETPID] = { "getpid", .rows = ROWS({ { MINUS(1) }, OK }) },
	[EBB_SYS_TIMES] = { "times", { GOOD }, .pointer = 1, .writes = true },
	[EBB_SYS_CLOCK] = { "clock", .rows = ROWS({ { MINUS(1) }, OK }) },
	[EBB_SYS_SLEEP] = { "sleep", .rows = ROWS({ { 0 }, OK }, { { 1 }, OK }) },
	[EBB_SYS_YIELD] = { "yield", .rows = ROWS({ { MINUS(1) }, OK }) },
	[EBB_SYS_KILL] = { "kill",
	    .rows = ROWS({ { 0 }, EINVAL }, { { MINUS(1) }, EINVAL },
		{ { UINT64_C(1) << 32 }, EINVAL }, { { 4000000 }, ESRCH },
		{ { 4000000, 32 }, EINVAL }, { { 4000000, MINUS(1) }, EINVAL },
		{ { 4000000, 9 }, ESRCH }) },
	[EBB_SYS_SPAWN] = { "spawn", { GOOD, GOOD, 1 }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_FILE), GOOD, 0 }, EINVAL },
		{ { PLACE(PLACE_FILE), GOOD, 17 }, EINVAL },
		{ { PLACE(PLACE_FILE), GOOD, MINUS(1) }, EINVAL },
		{ { PLACE(PLACE_FILE), HOLE, 1 }, EFAULT },
		{ { PLACE(PLACE_FILE), MINUS(8), 16 }, EFAULT },
		{ { PLACE(PLACE_FILE), GOOD, 1 }, EFAULT }, /* argv[0] is NULL */
		{ { PLACE(PLACE_LONG_STRING), GOOD, 1 }, ENAMETOOLONG }) },
	[EBB_SYS_WAIT] = { "wait",
	    .rows = ROWS({ { 0, GOOD }, ECHILD }, { { MINUS(1), GOOD }, ECHILD },
		{ { UINT64_C(1) << 32, GOOD }, ECHILD }, { { 4000000, 0 }, ECHILD },
		{ { 0, GOOD, EBB_WNOHANG }, ECHILD }, { { 0, GOOD, 2 }, EINVAL },
		{ { 0, GOOD, MINUS(1) }, EINVAL }) },
	[EBB_SYS_USAGE] = { "usage", { GOOD }, .pointer = 1, .writes = true },
	[EBB_SYS_ISATTY] = { "isatty", .rows = ROWS(BAD_FILES(EBADF), { { BAD_FILE }, OK }) },
	[EBB_SYS_WORKINGSET] = { "workingset", .rows = ROWS({ { MINUS(1) }, OK }) },
	[EBB_SYS_FORK] = { "fork" }, /* with exit */
	[EBB_SYS_EXEC] = { "exec", { GOOD, GOOD, 1 }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_FILE), GOOD, 0 }, EINVAL },
		{ { PLACE(PLACE_FILE), GOOD, 17 }, EINVAL },
		{ { PLACE(PLACE_FILE), GOOD, MINUS(1) }, EINVAL },
		{ { PLACE(PLACE_FILE), HOLE, 1 }, EFAULT },
		{ { PLACE(PLACE_LONG_STRING), GOOD, 1 }, ENAMETOOLONG }) },
	[EBB_SYS_MSYNC] = { "msync", { GOOD, 4096, EBB_MS_SYNC }, .range = true,
	    .rows = ROWS({ { GOOD, 4096, 8 }, EINVAL },
		{ { GOOD, 4096, EBB_MS_SYNC | EBB_MS_ASYNC }, EINVAL },
		{ { HOLE, 4096, EBB_MS_SYNC }, ENOMEM }) },
	[EBB_SYS_MLOCK] = { "mlock", { GOOD, 4096 }, .range = true, .unaligned_is_fine = true,
	    .rows = ROWS({ { HOLE, 4096 }, ENOMEM }, { { NO_RIGHTS, 4096 }, ENOMEM },
		{ { GOOD, 4 * 4096 }, ENOMEM }, { { READ_ONLY, 3 * 4096 }, ENOMEM },
		{ { PLACE(PLACE_UNALIGNED), 8 }, OK }, { { READ_ONLY, 1 }, OK }) },
	[EBB_SYS_MUNLOCK] = { "munlock", { GOOD, 4096 }, .range = true,
	    .unaligned_is_fine = true,
	    .rows = ROWS({ { HOLE, 4096 }, ENOMEM }, { { NO_RIGHTS, 8192 }, ENOMEM },
		{ { GOOD, 3 * 4096 }, OK }, { { GOOD, 3 * 4096 }, OK }) },
	[EBB_SYS_MADVISE] = { "madvise", { GOOD, 4096 }, .range = true,
	    .rows = ROWS({ { GOOD, 4096, 6 }, EINVAL }, { { GOOD, 4096, MINUS(1) }, EINVAL },
		{ { GOOD, 6 * 4096, EBB_MADV_WILLNEED }, OK },
		{ { GOOD, 6 * 4096, EBB_MADV_DONTNEED }, OK },
		{ { HOLE, 4096, EBB_MADV_FREE }, OK }) },
	[EBB_SYS_MINCORE] = { "mincore", { GOOD, 8192, GOOD }, .pointer = 3, .writes = true,
	    .range = true,
	    .rows = ROWS({ { HOLE, 4096, GOOD }, ENOMEM }, { { GOOD, 6 * 4096, GOOD }, ENOMEM },
		{ { GOOD, 3 * 4096, GOOD }, OK }) },
	[EBB_SYS_MINHERIT] = { "minherit", { GOOD, 4096, EBB_INHERIT_COPY }, .range = true,
	    .rows = ROWS({ { GOOD, 4096, 3 }, EINVAL }, { { GOOD, 4096, MINUS(1) }, EINVAL },
		{ { GOOD, 4096, EBB_INHERIT_COPY }, OK }) },
	[EBB_SYS_GETRUSAGE] = { "getrusage", { EBB_RUSAGE_SELF, GOOD }, .pointer = 2,
	    .writes = true,
	    .rows = ROWS({ { 2, GOOD }, EINVAL }, { { MINUS(1), GOOD }, EINVAL },
		{ { EBB_RUSAGE_CHILDREN, HOLE }, EFAULT }, { { 1, GOOD }, OK }) },
	[EBB_SYS_SETRLIMIT] = { "setrlimit", { EBB_RLIMIT_RSS, GOOD }, .pointer = 2,
	    .rows = ROWS({ { EBB_RLIMIT_COUNT, READ_ONLY }, EINVAL },
		{ { MINUS(1), READ_ONLY }, EINVAL },
		{ { EBB_RLIMIT_RSS, PLACE(PLACE_LIMIT_REVERSED) }, EINVAL }) },
	[EBB_SYS_GETRLIMIT] = { "getrlimit", { EBB_RLIMIT_RSS, GOOD }, .pointer = 2,
	    .writes = true,
	    .rows = ROWS({ { EBB_RLIMIT_COUNT, GOOD }, EINVAL }, { { MINUS(1), GOOD }, EINVAL }) },
	[EBB_SYS_SWAPON] = { "swapon", { GOOD }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_NO_SUCH_FILE) }, ENOENT },
		{ { PLACE(PLACE_EMPTY_STRING) }, ENODEV },
		{ { PLACE(PLACE_LONG_STRING) }, ENAMETOOLONG }) },
	[EBB_SYS_SWAPOFF] = { "swapoff", { GOOD }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_NO_SUCH_FILE) }, ENODEV },
		{ { PLACE(PLACE_EMPTY_STRING) }, ENODEV },
		{ { PLACE(PLACE_LONG_STRING) }, ENAMETOOLONG }) },
	[EBB_SYS_FSYNC] = { "fsync", .rows = ROWS(BAD_FILES(EBADF), { { 1 }, EINVAL }) },
	[EBB_SYS_CONTIG] = { "contig",
	    .rows = ROWS({ { 0, 0, MINUS(1) }, EINVAL }, { { 4096, 1, 1 }, EINVAL },
		{ { 4096, 5, 4 }, EINVAL }, { { 4096, 0, MINUS(1), 3 }, EINVAL },
		{ { MINUS(1), 0, MINUS(1) }, ENOMEM }, { { HUGE, 0, MINUS(1) }, ENOMEM },
		{ { 4096, MINUS(8192), MINUS(1) }, ENOMEM },
		{ { 4096, 0, MINUS(1), UINT64_C(1) << 63 }, ENOMEM }) },
	[EBB_SYS_TLS] = { "tls",
	    .rows = ROWS({ { MINUS(1) }, OK }, { { UINT64_C(0xffffff8000080000) }, OK },
		{ { 0 }, OK }) },
	[EBB_SYS_UNLINK] = { "unlink", { GOOD }, .pointer = 1,
	    .rows = ROWS({ { PLACE(PLACE_NO_SUCH_FILE) }, ENOENT },
		{ { PLACE(PLACE_DIRECTORY) }, EISDIR },
		{ { PLACE(PLACE_LONG_STRING) }, ENAMETOOLONG },
		{ { PLACE(PLACE_EMPTY_STRING) }, EISDIR }) },
	[EBB_SYS_FTRUNCATE] = { "ftruncate",
	    .rows = ROWS(BAD_FILES(EBADF), { { 1, 0 }, EINVAL }, { { BAD_FILE, 0 }, EBADF }) },
	[EBB_SYS_PIPE] = { "pipe", { GOOD }, .pointer = 1, .writes = true },
	[EBB_SYS_DUP2] = { "dup2", /* 5 and up are not open */
	    .rows = ROWS(BAD_FILES(EBADF), { { BAD_FILE, 16 }, EBADF },
		{ { BAD_FILE, MINUS(2) }, EBADF }, { { BAD_FILE, UINT64_C(1) << 32 }, EBADF },
		{ { BAD_FILE, UINT64_C(0x100000003) }, EBADF }, { { BAD_FILE, BAD_FILE }, OK },
		{ { 1, 2 }, OK }, { { MINUS(1), 1 }, EBADF }) },
	[EBB_SYS_READDIR] = { "readdir",
	    .rows = ROWS(BAD_FILES(EBADF), { { 1, 0, GOOD }, EBADF },
		{ { BAD_FILE, 0, GOOD }, ENOTDIR }) },
	[EBB_SYS_SYSCONF] = { "sysconf",
	    .rows = ROWS({ { 6 }, EINVAL }, { { MINUS(1) }, EINVAL },
		{ { UINT64_C(1) << 32 }, EINVAL }, { { 0 }, OK }) },
	[EBB_SYS_UTIME] = { "utime",
	    .rows = ROWS(BAD_FILES(EBADF), { { 1, 0 }, EINVAL },
		{ { BAD_FILE, UINT32_MAX }, EINVAL }, { { BAD_FILE, MINUS(1) }, EINVAL },
		{ { BAD_FILE, UINT32_C(4039286400) }, EINVAL }) },
};
