/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernel and programs agree on: system-call numbers and shared structures.
 *
 * AArch64: number in x8, arguments in x0-x5, result in x0 (negative errno on
 * failure), `svc #0`. AArch32: number in r7, arguments in r0-r5, result in r0.
 * All other registers are kept. Numbers are never reused.
 */
#ifndef LIB_EBB_ABI_H
#define LIB_EBB_ABI_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

#define EBB_SYS_NULL      0  /* () -> 0: what a system call costs */
#define EBB_SYS_EXIT      1  /* (status), never returns */
#define EBB_SYS_WRITE     2  /* (fd, buffer, bytes) -> bytes written */
#define EBB_SYS_READ      3  /* (fd, buffer, bytes) -> bytes read, 0 at end */
#define EBB_SYS_OPEN      4  /* (path, EBB_O_*) -> fd */
#define EBB_SYS_CLOSE     5  /* (fd) */
#define EBB_SYS_LSEEK     6  /* (fd, offset, whence 0/1/2) -> offset from start */
#define EBB_SYS_FSTAT     7  /* (fd, struct ebb_stat *) */
#define EBB_SYS_SBRK      8  /* (increment bytes, signed) -> old break */
#define EBB_SYS_MMAP      9  /* (address or 0, bytes, EBB_PROT_*) -> address, zeroed memory */
#define EBB_SYS_MUNMAP    10 /* (address, bytes) */
#define EBB_SYS_MPROTECT  11 /* (address, bytes, EBB_PROT_*) */
#define EBB_SYS_GETPID    12 /* () -> pid */
#define EBB_SYS_TIMES     13 /* (struct ebb_times *) */
#define EBB_SYS_CLOCK     14 /* () -> microseconds since boot */
#define EBB_SYS_SLEEP     15 /* (microseconds) */
#define EBB_SYS_YIELD     16 /* () */
#define EBB_SYS_KILL      17 /* (pid): end that program */
#define EBB_SYS_SPAWN     18 /* (path, argv, argc) -> pid */
#define EBB_SYS_WAIT      19 /* (pid or 0 for any child, int *status) -> pid */
#define EBB_SYS_USAGE     20 /* (struct ebb_usage *): of the caller */
#define EBB_SYS_ISATTY    21 /* (fd) -> 1 or 0 */
#define EBB_SYS_WORKINGSET 22 /* () -> pages used since the last such call */
#define EBB_SYS_COUNT     23

#define EBB_O_RDONLY 0

#define EBB_PROT_READ  1
#define EBB_PROT_WRITE 2
#define EBB_PROT_EXEC  4

/* Exit status of a program that the kernel ended: EBB_STATUS_KILLED | reason. */
#define EBB_STATUS_KILLED 0x100

#ifndef __ASSEMBLER__
enum ebb_kill_reason {
	EBB_KILL_USER = 1,   /* the monitor or another program asked */
	EBB_KILL_FAULT = 2,  /* bad memory access */
	EBB_KILL_INSN = 3,   /* undefined or forbidden instruction */
	EBB_KILL_IO = 4,     /* a page could not be read back */
	EBB_KILL_OOM = 5,    /* out of memory and swap */
};

struct ebb_stat {
	uint64_t size_bytes;
	uint32_t is_directory;
	uint32_t is_console;
};

struct ebb_times {
	uint64_t user_us;    /* time on the core, kernel work for it included */
	uint64_t elapsed_us; /* since the program started */
	uint64_t idle_us;    /* the core has idled since the board booted */
};

struct ebb_usage {
	uint64_t faults;       /* events */
	uint64_t flag_faults;
	uint64_t zero_fills;   /* pages */
	uint64_t page_ins;     /* pages */
	uint64_t page_in_ops;
	uint64_t page_outs;    /* pages */
	uint64_t page_out_ops;
	uint64_t resident_pages;
	uint64_t swap_pages;
};
#endif

#endif
