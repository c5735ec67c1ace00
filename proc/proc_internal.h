/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of proc share among themselves.
 */
#ifndef PROC_PROC_INTERNAL_H
#define PROC_PROC_INTERNAL_H

#include "proc/proc.h"

/* End the calling process with status (0..255, or EBB_STATUS_KILLED | reason). May
 * yield; never returns. */
_Noreturn void proc_exit(int32_t status);

/* A zeroed process that is in no table, or NULL without memory; back again; into the
 * table, with the next pid. None yields. */
struct proc *proc_new(void);
void proc_discard(struct proc *p);
void proc_publish(struct proc *p);
/* p, which is in the table, belongs to its parent (NULL: the kernel) from now on; p ends,
 * who descends from it goes to its own ancestor. Neither yields. */
void proc_tree_join(struct proc *p, struct proc *parent);
void proc_tree_leave(struct proc *p);
/* Path, name and arguments of p's program. ERR_INVAL (number or length of arguments),
 * ERR_NAMETOOLONG. Does not yield. */
int proc_set_program(struct proc *p, const char *path, const char *const argv[],
    uint32_t argc) ERR_MUST_CHECK;
/* An address space for a program of any ABI; NULL without memory. Does not yield. */
struct vmspace *proc_vmspace_alloc(void);
/* The task of p, attached to its address space, beginning with fn(p). ERR_NOMEM. Does
 * not yield. */
int proc_task_create(struct proc *p, void (*fn)(void *arg)) ERR_MUST_CHECK;

/* ---- file.c: open files and their descriptors */
void proc_files_init(void);
/* One with a single reference, the caller's; NULL without memory. Does not yield. */
struct proc_file *proc_file_new(enum proc_file_kind kind);
/* Descriptors 0, 1, 2 of a new process are the console's; those of a child are its
 * parent's. Neither yields. */
void proc_files_console(struct proc *p);
void proc_files_copy(struct proc *to, const struct proc *from);
/* Close fd of p, or all; nothing if it is not open. May yield. */
void proc_file_close(struct proc *p, int fd);
void proc_files_close(struct proc *p);

/* Close those that were opened with EBB_O_CLOEXEC. May yield. */
void proc_files_exec(struct proc *p);
/* The lowest free descriptor at or above from, or ERR_MFILE. */
int proc_file_slot(const struct proc *p, int from);
/* The open file fd of p, or NULL. */
struct proc_file *proc_file_of(struct proc *p, uint64_t fd);

/* ---- file_io.c: files of a disk */
bool proc_file_writable(const struct proc_file *file);
/* Give up what it refers to: the last descriptor has gone. May yield. */
void proc_file_end(struct proc_file *file);
/* Bytes moved (short at the end of the file), or ERR_*: ERR_BADF (not open for that),
 * ERR_ISDIR, ERR_FAULT, ERR_IO, ERR_NOSPC (writing past its end). May yield. */
int64_t proc_file_read(struct proc *p, struct proc_file *file, uint64_t to, uint64_t bytes);
int64_t proc_file_write(struct proc *p, struct proc_file *file, uint64_t from, uint64_t bytes);
/* All that was written to the file is on the disk; or why not. May yield. */
int proc_file_sync(struct proc_file *file) ERR_MUST_CHECK;
/* Make it so long. ERR_BADF, ERR_INVAL, and as file_pager_extend and _truncate. May yield. */
int proc_file_truncate(struct proc *p, struct proc_file *file, int64_t bytes) ERR_MUST_CHECK;
/* Register proc as mm's client table (mm/vm_client.h). */
void proc_client_init(void);

/* Collect vm's figures into usage and free it. May yield. */
void vmspace_retire(struct vmspace *vm, struct vm_usage *usage);

/* Child, which has ended, is being reaped by parent. */
void proc_rusage_add_child(struct proc *parent, const struct proc *child);

/* Give p the limits of parent (NULL: none at all), and its address space, if it has
 * one already, the limit of its size; to be called again for a new address space. */
void proc_limits_inherit(struct proc *p, const struct proc *parent);
void proc_limits_apply(struct proc *p);

/* May parent (NULL: the kernel) have one more child? ERR_AGAIN if there are too many
 * processes, of all or of its job. Does not yield. */
int proc_limit_start(const struct proc *parent) ERR_MUST_CHECK;

/* The calling process begins, or ends, a sleep during which nobody uses its memory:
 * it may be swapped out meanwhile. */
static inline void
proc_idle_begin(struct proc *p)
{
	p->idle_since_us = timer_now_us();
}

static inline void
proc_idle_end(struct proc *p)
{
	p->idle_since_us = 0;
	p->swapped = false;
}

/* ---- sys_mem.c, for the other calls on memory. None of these yields. */
/* Known bits of EBB_PROT_*, not writable and executable together? */
bool proc_prot_valid(uint64_t prot);
/* What valid rights come to: what can be written can be read, as the MMU has it. */
vm_prot_t proc_prot(uint64_t prot);
/* [start, *end) of bytes, rounded up: page aligned and the program's, or ERR_INVAL. */
int proc_check_range(const struct proc *p, uint64_t start, uint64_t bytes,
    vm_offset_t *end) ERR_MUST_CHECK;
/* A gap of size bytes at or above the base of the mmap area; 0 when there is none. */
vm_offset_t proc_mmap_gap(struct proc *p, vm_size_t size);

/* System calls by subject, each `negative errno-free ERR_* or result`. */
int64_t sys_write(struct proc *p, const uint64_t *a);
int64_t sys_read(struct proc *p, const uint64_t *a);
int64_t sys_open(struct proc *p, const uint64_t *a);
int64_t sys_close(struct proc *p, const uint64_t *a);
int64_t sys_lseek(struct proc *p, const uint64_t *a);
int64_t sys_fstat(struct proc *p, const uint64_t *a);
int64_t sys_isatty(struct proc *p, const uint64_t *a);
int64_t sys_pipe(struct proc *p, const uint64_t *a);
int64_t sys_dup2(struct proc *p, const uint64_t *a);
int64_t sys_fsync(struct proc *p, const uint64_t *a);
int64_t sys_unlink(struct proc *p, const uint64_t *a);
int64_t sys_ftruncate(struct proc *p, const uint64_t *a);
int64_t sys_readdir(struct proc *p, const uint64_t *a);
int64_t sys_sysconf(struct proc *p, const uint64_t *a);
int64_t sys_utime(struct proc *p, const uint64_t *a);
int64_t sys_sbrk(struct proc *p, const uint64_t *a);
int64_t sys_mmap(struct proc *p, const uint64_t *a);
int64_t sys_msync(struct proc *p, const uint64_t *a);
int64_t sys_munmap(struct proc *p, const uint64_t *a);
int64_t sys_mprotect(struct proc *p, const uint64_t *a);
int64_t sys_mlock(struct proc *p, const uint64_t *a);
int64_t sys_munlock(struct proc *p, const uint64_t *a);
int64_t sys_madvise(struct proc *p, const uint64_t *a);
int64_t sys_mincore(struct proc *p, const uint64_t *a);
int64_t sys_swapon(struct proc *p, const uint64_t *a);
int64_t sys_swapoff(struct proc *p, const uint64_t *a);
int64_t sys_getrusage(struct proc *p, const uint64_t *a);
int64_t sys_contig(struct proc *p, const uint64_t *a);
int64_t sys_minherit(struct proc *p, const uint64_t *a);
int64_t sys_setrlimit(struct proc *p, const uint64_t *a);
int64_t sys_getrlimit(struct proc *p, const uint64_t *a);

#endif
