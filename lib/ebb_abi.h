/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernel and programs agree on: system-call numbers and shared structures.
 *
 * AArch64: number in x8, arguments in x0-x5, result in x0 (negative errno on
 * failure), `svc #0`. AArch32: number in r7, arguments in r0-r5, each of 32 bits, result
 * in r0 with its upper half in r1. All other registers are kept. The structures below lie
 * alike in memory for both. Numbers are never reused.
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
/* (address or 0, bytes, EBB_PROT_*, EBB_MAP_* or 0, fd, offset) -> address */
#define EBB_SYS_MMAP      9
#define EBB_SYS_MUNMAP    10 /* (address, bytes) */
#define EBB_SYS_MPROTECT  11 /* (address, bytes, EBB_PROT_*) */
#define EBB_SYS_GETPID    12 /* () -> pid */
#define EBB_SYS_TIMES     13 /* (struct ebb_times *) */
#define EBB_SYS_CLOCK     14 /* () -> microseconds since boot */
#define EBB_SYS_SLEEP     15 /* (microseconds) */
#define EBB_SYS_YIELD     16 /* () */
#define EBB_SYS_KILL      17 /* (pid, signal 1..31): end it, one of the same job; 0: only ask */
#define EBB_SYS_SPAWN     18 /* (path, argv, argc) -> pid */
#define EBB_SYS_WAIT      19 /* (pid or 0 for any child, int *status, options) -> pid */
#define EBB_SYS_USAGE     20 /* (struct ebb_usage *): of the caller */
#define EBB_SYS_ISATTY    21 /* (fd) -> 1 or 0 */
#define EBB_SYS_WORKINGSET 22 /* () -> pages used since the last such call */
#define EBB_SYS_FORK      23 /* () -> pid of the child; 0 in the child */
#define EBB_SYS_EXEC      24 /* (path, argv, argc): becomes that program */
#define EBB_SYS_MSYNC     25 /* (address, bytes, EBB_MS_*) */
#define EBB_SYS_MLOCK     26 /* (address, bytes): pages stay in memory */
#define EBB_SYS_MUNLOCK   27 /* (address, bytes) */
#define EBB_SYS_MADVISE   28 /* (address, bytes, EBB_MADV_*) */
#define EBB_SYS_MINCORE   29 /* (address, bytes, uint8_t *: EBB_MINCORE_* of each page) */
#define EBB_SYS_MINHERIT  30 /* (address, bytes, EBB_INHERIT_*) */
#define EBB_SYS_GETRUSAGE 31 /* (EBB_RUSAGE_*, struct ebb_rusage *) */
#define EBB_SYS_SETRLIMIT 32 /* (EBB_RLIMIT_*, const struct ebb_rlimit *) */
#define EBB_SYS_GETRLIMIT 33 /* (EBB_RLIMIT_*, struct ebb_rlimit *) */
#define EBB_SYS_SWAPON    34 /* (device name) */
#define EBB_SYS_SWAPOFF   35 /* (device name): brings everything in first */
#define EBB_SYS_FSYNC     36 /* (fd): what was written to the file is on the disk */
/* (bytes, lowest, highest physical address, alignment) -> 0: they can be had together */
#define EBB_SYS_CONTIG    37
/* (address): the thread register that programs only read (TPIDRRO_EL0, TPIDRURO) */
#define EBB_SYS_TLS       38
#define EBB_SYS_UNLINK    39 /* (path): the file goes with the last that uses it */
#define EBB_SYS_FTRUNCATE 40 /* (fd, bytes): shorter, or longer by zeros */
#define EBB_SYS_PIPE      41 /* (int32_t fds[2]): one to read from, one to write to */
#define EBB_SYS_DUP2      42 /* (fd, to or EBB_DUP_LOWEST) -> to, another name of fd */
/* (fd of a directory, index of an entry, struct ebb_dirent *): ENOENT after the last */
#define EBB_SYS_READDIR   43
#define EBB_SYS_SYSCONF   44 /* (EBB_SC_*) -> value */
/* (fd, seconds since EBB_EPOCH_S): the time of its last change, less an odd second */
#define EBB_SYS_UTIME     45
#define EBB_SYS_COUNT     46

#define EBB_O_RDONLY 0
#define EBB_O_WRONLY 1
#define EBB_O_RDWR   2
#define EBB_O_CREAT  0x100 /* make it if it is not there ... */
#define EBB_O_EXCL   0x200 /* ... and fail if it is */
#define EBB_O_TRUNC  0x400 /* for writing: make it empty */
#define EBB_O_APPEND 0x800 /* every write goes to the end */
#define EBB_O_CLOEXEC 0x1000 /* exec closes this descriptor */

#define EBB_PIPE_BUF   512 /* bytes that are written to a pipe in one piece */
#define EBB_DUP_LOWEST 0xffffffffu /* the lowest descriptor that is free */

#define EBB_EPOCH_S    315532800 /* the first second of 1980, in seconds since 1970 */

/* mmap. No flags mean private anonymous memory. */
#define EBB_MAP_SHARED    0x01
#define EBB_MAP_PRIVATE   0x02
#define EBB_MAP_FIXED     0x10 /* exactly there; replaces what is mapped */
#define EBB_MAP_ANONYMOUS 0x20

#define EBB_MS_ASYNC      1
#define EBB_MS_INVALIDATE 2
#define EBB_MS_SYNC       4

#define EBB_MADV_NORMAL     0
#define EBB_MADV_RANDOM     1
#define EBB_MADV_SEQUENTIAL 2
#define EBB_MADV_WILLNEED   3
#define EBB_MADV_DONTNEED   4
#define EBB_MADV_FREE       5

#define EBB_MINCORE_INCORE     0x01
#define EBB_MINCORE_REFERENCED 0x02
#define EBB_MINCORE_MODIFIED   0x04
#define EBB_MINCORE_SWAPPED    0x08 /* not resident, but there is a copy in swap */

#define EBB_INHERIT_SHARE 0
#define EBB_INHERIT_COPY  1
#define EBB_INHERIT_NONE  2

#define EBB_RLIMIT_RSS    0 /* bytes resident */
#define EBB_RLIMIT_AS     1 /* bytes mapped */
#define EBB_RLIMIT_BUDGET 2 /* bytes resident, enforced step by step (memory budget) */
#define EBB_RLIMIT_MEMLOCK 3 /* bytes wired by mlock */
#define EBB_RLIMIT_NPROC   4 /* processes of the job: all that the same first program started */
#define EBB_RLIMIT_COUNT   5
#define EBB_RLIM_INFINITY UINT64_MAX

#define EBB_RUSAGE_SELF     0
#define EBB_RUSAGE_CHILDREN 1

#define EBB_SC_PAGESIZE     0 /* bytes */
#define EBB_SC_PHYS_PAGES   1 /* of the page pool: what programs share */
#define EBB_SC_AVPHYS_PAGES 2 /* free and cached now */
#define EBB_SC_OPEN_MAX     3 /* files that a program can have open */
#define EBB_SC_ARG_MAX      4 /* bytes of all arguments */
#define EBB_SC_NPROCESSORS  5 /* cores that run programs */

#define EBB_WNOHANG    1 /* wait: 0 when no such child has ended, instead of waiting */

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
	EBB_KILL_SIGNAL = 64, /* and n more: a program, maybe itself, sent signal n */
};

struct ebb_stat {
	uint64_t size_bytes;
	uint32_t is_directory;
	uint32_t is_console;
	uint32_t is_pipe;
	uint32_t modified_s;   /* since EBB_EPOCH_S; 0: nobody has said */
};

struct ebb_dirent {
	char name[256];        /* UTF-8, NUL-terminated */
	uint64_t size_bytes;
	uint32_t is_directory;
	uint32_t reserved;     /* 0 */
};

struct ebb_times {
	uint64_t user_us;    /* time on the core, kernel work for it included */
	uint64_t elapsed_us; /* since the program started */
	uint64_t idle_us;    /* the core has idled since the board booted */
};

struct ebb_rlimit {
	uint64_t soft; /* bytes (processes), or EBB_RLIM_INFINITY */
	uint64_t hard; /* may only be lowered */
};

struct ebb_rusage {
	uint64_t user_us;      /* time on the core, kernel work for it included */
	uint64_t max_resident_pages;
	uint64_t minor_faults; /* without I/O */
	uint64_t major_faults; /* that read */
	uint64_t page_ins;     /* pages */
	uint64_t page_outs;    /* pages */
	uint64_t swapouts;     /* times swapped out whole */
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
