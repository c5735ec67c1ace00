/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes: programs with an address space of their own. Public.
 */
#ifndef PROC_PROC_H
#define PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/console.h"
#include "kern/task.h"
#include "kern/usercpu.h"
#include "kern/vnode.h"
#include "lib/ebb_abi.h"
#include "lib/err.h"
#include "mm/vm_map.h"

/* How a program talks to the kernel: a field of the process, not a constant. */
struct proc_abi {
	const char *name;          /* "aarch64" */
	uint8_t elf_class;         /* ELFCLASS64 = 2, ELFCLASS32 = 1 */
	uint16_t elf_machine;      /* EM_AARCH64 = 183, EM_ARM = 40 */
	uint8_t pointer_bytes;
	bool aarch32;
	uint64_t address_min;      /* lowest user address */
	uint64_t address_max;      /* first address that is not the program's */
	uint64_t stack_bytes;      /* reserved for the stack, guard below excluded */
};

extern const struct proc_abi proc_abi_aarch64, proc_abi_aarch32;

#define PROC_FILES_MAX 16
#define PROC_NAME_BYTES 32
#define PROC_ARGS_MAX 16
#define PROC_ARG_BYTES 1024 /* all arguments together */

/*
 *            proc_spawn            task runs, exec done        exit, kill
 *  (none) ------------> EMBRYO -----------------------> ACTIVE ----------> ZOMBIE
 *                          \________ exec failed ________________________/   |
 *                                                         proc_wait (reaped) +--> (none)
 * proc_fork makes a child ACTIVE; proc_exec leaves the process ACTIVE (loading meanwhile).
 */
enum proc_state { PROC_EMBRYO, PROC_ACTIVE, PROC_ZOMBIE };

enum proc_file_kind {
	PROC_FILE_CONSOLE_IN,
	PROC_FILE_CONSOLE_OUT,
	PROC_FILE_VNODE,
	PROC_FILE_PIPE_READ,
	PROC_FILE_PIPE_WRITE,
	PROC_FILE_EMPTY,             /* has an end and nothing before it */
};

/* An open file: what the descriptors of one or several processes stand for. */
struct pipe;
struct proc_file {
	uint32_t refs;               /* descriptors */
	struct pipe *pipe;           /* of the PIPE kinds */
	struct vnode *vnode;
	struct vm_object *object;    /* the file's pages, once they were read or written */
	uint64_t offset;
	uint64_t next_index;         /* page where reading goes on if it is sequential */
	uint8_t kind; /* enum proc_file_kind */
	uint8_t mode; /* EBB_O_RDONLY, _WRONLY or _RDWR */
	bool append;  /* EBB_O_APPEND */
};

struct proc {
	TAILQ_ENTRY(proc) all_link;  /* table, in pid order */
	uint32_t pid;
	uint32_t parent_pid;         /* 0: the kernel (monitor) */
	/* proc_tree.c's: */
	uint32_t job_pid;            /* of the program that the kernel started */
	struct proc *ancestor;       /* nearest that lives; NULL: the kernel */
	bool in_tree;                /* of proc_kill_tree's walk */
	char name[PROC_NAME_BYTES];
	uint8_t state;               /* enum proc_state */
	bool protected_from_oom;
	bool killed;                 /* must end at its next return to EL0 or wake-up */
	uint8_t kill_reason;         /* enum ebb_kill_reason */
	bool loading;                /* in exec: memory is that of the program to come */
	int32_t exit_status;         /* 0..255, or EBB_STATUS_KILLED | reason */
	const struct proc_abi *abi;  /* of the program that runs; aarch64 until one is loaded */
	struct task *task;           /* NULL once it has ended */
	struct vmspace *vmspace;     /* NULL once it is freed */
	struct vmspace *former;      /* in proc_exec: of the program so far; else NULL */
	struct vm_usage usage;       /* final figures, valid as ZOMBIE */
	uint64_t start_us, end_us;
	uint64_t run_cycles;         /* final, valid as ZOMBIE */
	vm_offset_t brk_start, brk;  /* heap */
	vm_offset_t stack_top;
	struct proc_file *files[PROC_FILES_MAX]; /* by descriptor; NULL: not open */
	uint32_t cloexec;            /* descriptors that exec closes, a bit each */
	struct console_writer writer; /* its unfinished console line */
	char args[PROC_ARG_BYTES];   /* argv strings, one after another */
	uint32_t arg_count, arg_bytes;
	char path[128];              /* of the program file */
	int exec_status;             /* 0, or ERR_* of a failed exec */
	char exec_error[96];         /* why exec failed, for the parent's message */
	/* proc_limit.c's: */
	struct ebb_rlimit limits[EBB_RLIMIT_COUNT]; /* children inherit them */
	uint32_t resident_pages;     /* as the vm daemon last saw it, and the most it saw */
	uint32_t resident_pages_max;
	uint32_t swapouts;           /* times swapped out whole */
	struct ebb_rusage children;  /* sys_usage.c's: of those reaped, and of theirs */
	bool swapped;                /* swapped out, until it runs */
	uint64_t idle_since_us;      /* sleeps where its memory is not in use; 0 = no */
	uint8_t fp_state[CPU_FP_STATE_BYTES] __attribute__((aligned(16)));
};

void proc_init(void);

/*
 * Start path with argv[0..argc-1] as a new process, child of parent_pid (0 = the
 * kernel). The program is loaded by the new task, so a bad file shows up as its
 * exit: proc_wait tells. *pid is valid on success. ERR_NOMEM, ERR_INVAL (too many
 * or too long arguments), ERR_KILLED (the parent is), ERR_AGAIN (kern.maxproc, or the
 * parent's EBB_RLIMIT_NPROC). Does not yield.
 */
int proc_spawn(const char *path, const char *const argv[], uint32_t argc, uint32_t parent_pid,
    uint32_t *pid) ERR_MUST_CHECK;

/*
 * The calling process becomes two: *pid is the child's; the child leaves the same system
 * call with 0. ERR_NOMEM, ERR_KILLED, ERR_AGAIN as proc_spawn; nothing is left of the child
 * then. May yield.
 */
int proc_fork(struct proc *parent, uint32_t *pid) ERR_MUST_CHECK;
/*
 * The calling process becomes another program; does not return then. Errors as
 * proc_spawn, and whatever is wrong with the file: the process goes on as it was. path
 * and argv are the kernel's. May yield.
 */
int proc_exec(struct proc *p, const char *path, const char *const argv[],
    uint32_t argc) ERR_MUST_CHECK;

/* What a finished process leaves behind. */
struct proc_exit {
	uint32_t pid;
	int32_t status;
	int exec_error;          /* 0, or ERR_* when it never started */
	char exec_message[96];   /* one line, empty if exec_error is 0 */
	struct vm_usage usage;
	uint64_t elapsed_us, run_us;
};
/*
 * Wait for child pid of parent_pid (0 = any child) to end and reap it. ERR_CHILD
 * when there is none, ERR_KILLED when the caller itself has been killed. May yield.
 */
int proc_wait(uint32_t parent_pid, uint32_t pid, struct proc_exit *out) ERR_MUST_CHECK;

/* As proc_wait, without waiting: ERR_AGAIN when such children exist but none has ended. Does
 * not yield. */
int proc_reap(uint32_t parent_pid, uint32_t pid, struct proc_exit *out) ERR_MUST_CHECK;

/* End process pid: it stops at its next return to EL0 or is woken from its sleep.
 * reason: enum ebb_kill_reason. ERR_NOENT. Never yields. */
int proc_kill(uint32_t pid, uint32_t reason) ERR_MUST_CHECK;

/*
 * End process pid and all that descends from it: its children and theirs, also those whose
 * parents have ended; and, if pid is or was what the kernel started, all of that job, even
 * when pid itself has ended. None of them starts another process any more. ERR_NOENT when
 * there is nobody to end. Never yields.
 */
int proc_kill_tree(uint32_t pid, enum ebb_kill_reason reason) ERR_MUST_CHECK;

/*
 * Set one limit (EBB_RLIMIT_*) of p. ERR_INVAL (no such resource, soft above hard),
 * ERR_PERM (hard above the present one, unless may_raise). Takes effect within about
 * a second. Does not yield.
 */
int proc_limit_set(struct proc *p, uint64_t resource, const struct ebb_rlimit *limit,
    bool may_raise) ERR_MUST_CHECK;
/* The smaller of soft and hard, bytes (NPROC: processes). */
uint64_t proc_limit_bytes(const struct proc *p, uint32_t resource);

/* In pid order; NULL = first. Valid until the next yield. */
struct proc *proc_next(struct proc *prev);
struct proc *proc_find(uint32_t pid);
const char *proc_state_name(const struct proc *p);
/* Words for an exit status: "exited with 3", "killed: out of memory". */
void proc_status_text(int32_t status, char *buffer, uint32_t bytes);

/* ---- Open files, for processes and for who has none */
/* Open path with mode EBB_O_*. ERR_NOMEM, ERR_INVAL (mode), what vfs_lookup and vfs_create say;
 * for writing also ERR_ISDIR, ERR_BUSY (a program runs from it), ERR_ROFS. May yield. */
int proc_file_open(struct proc_file **file, const char *path, uint64_t mode) ERR_MUST_CHECK;
/* Let go of an open file; the last one ends it. May yield. */
void proc_file_unref(struct proc_file *file);
/* Write wired bytes of the kernel at its place, which moves on. ERR_BADF, ERR_NOSPC, ERR_IO, and
 * as file_pager_extend. May yield. */
int proc_file_put(struct proc_file *file, const void *bytes, uint32_t count) ERR_MUST_CHECK;
/* fd of process pid, which proc_spawn has just made (nothing has yielded since), is this open
 * file: the caller's reference becomes the descriptor's. Does not yield. */
void proc_file_give(uint32_t pid, int fd, struct proc_file *file);

/* The file of which nothing can be read, for one more descriptor. Does not yield. */
struct proc_file *proc_file_empty(void);

/* Remove the name of a file; it goes with the last that uses it. As vfs_unlink. May yield. */
int proc_file_unlink(const char *path) ERR_MUST_CHECK;

#endif
