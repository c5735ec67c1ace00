/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls: the table, and the calls about processes and time.
 *
 * One table serves both ABIs: arch hands over the number and the six saved
 * argument registers; those of an AArch32 program are made wide first. A call
 * returns a result >= 0 or a negative ERR_*; this file alone turns those into the
 * errno values that the programs' newlib knows. Nothing an argument holds can
 * panic the kernel: every pointer goes through copyin and copyout, every number is
 * checked where it is used.
 *
 * Owns: the table of system calls.
 * Does not: files (sys_file.c), memory (sys_mem.c), faults (proc_user_fault below
 *     only reports them).
 * Invariants:
 *   S1  a call is made by a task that runs a process
 * Yields: most calls.
 * See: lib/ebb_abi.h for what each call does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kern/sched.h"
#include "kern/trace.h"
#include "lib/assert.h"
#include "mm/vm_workingset.h"
#include "proc/proc_internal.h"
#include "proc/trap_hooks.h"

#define SIGNAL_MAX 31 /* newlib has that many */

static int64_t
sys_null(struct proc *p, const uint64_t *a)
{
	(void)p;
	(void)a;
	return (0);
}

static int64_t
sys_exit(struct proc *p, const uint64_t *a)
{
	(void)p;
	proc_exit((int32_t)(a[0] & 0xff));
}

static int64_t
sys_getpid(struct proc *p, const uint64_t *a)
{
	(void)a;
	return (p->pid);
}

static int64_t
sys_times(struct proc *p, const uint64_t *a)
{
	uint64_t run = p->task->run_cycles + get_cyclecount() - p->task->switched_in_cycles;
	struct ebb_times times = {
		.user_us = timer_cycles_to_us(run),
		.elapsed_us = timer_now_us() - p->start_us,
		.idle_us = timer_cycles_to_us(sched_idle_cycles()),
	};

	return (copyout(&times, a[0], sizeof(times)));
}

static int64_t
sys_clock(struct proc *p, const uint64_t *a)
{
	(void)p;
	(void)a;
	return ((int64_t)timer_now_us());
}

static int64_t
sys_sleep(struct proc *p, const uint64_t *a)
{
	uint64_t us = a[0] > INT64_MAX ? INT64_MAX : a[0];

	int error = ERR_TIMEDOUT;

	if (us != 0) {
		proc_idle_begin(p);
		error = tsleep(p, "nanslp", us);
		proc_idle_end(p);
	}
	return (error == 0 ? ERR_KILLED : 0);
}

static int64_t
sys_yield(struct proc *p, const uint64_t *a)
{
	(void)p;
	(void)a;
	sched_yield();
	return (0);
}

static int64_t
sys_kill(struct proc *p, const uint64_t *a)
{
	struct proc *other;

	if (a[0] == 0 || a[0] > UINT32_MAX || a[1] > SIGNAL_MAX)
		return (ERR_INVAL);
	other = proc_find((uint32_t)a[0]);
	if (other == NULL)
		return (ERR_SRCH);
	if (other->job_pid != p->job_pid)
		return (ERR_PERM);
	/* Who has ended and waits to be reaped is still there, as in POSIX. */
	if (a[1] == 0 || other->state == PROC_ZOMBIE)
		return (0);
	return (proc_kill((uint32_t)a[0], EBB_KILL_SIGNAL + (uint32_t)a[1]));
}

/* Fetch argv from the program into one buffer of strings. */
static int
fetch_arguments(const struct proc *p, uint64_t user_argv, uint32_t argc, char *strings,
    const char *argv[PROC_ARGS_MAX])
{
	uint32_t used = 0, i;
	int error = 0;

	for (i = 0; error == 0 && i < argc; i++) {
		uint64_t pointer = 0;

		error = copyin(user_argv + (uint64_t)i * p->abi->pointer_bytes, &pointer,
		    p->abi->pointer_bytes);
		if (error == 0)
			error = copyinstr(pointer, strings + used, PROC_ARG_BYTES - used);
		argv[i] = strings + used;
		if (error == 0)
			used += (uint32_t)strlen(strings + used) + 1;
	}
	return (error);
}

/* What spawn and exec are told: (path, argv, argc). */
struct program_args {
	char path[sizeof(((struct proc *)NULL)->path)];
	char strings[PROC_ARG_BYTES];
	const char *argv[PROC_ARGS_MAX];
};

static int
fetch_program(const struct proc *p, const uint64_t *a, struct program_args *out)
{
	int error;

	if (a[2] == 0 || a[2] > PROC_ARGS_MAX)
		return (ERR_INVAL);
	error = copyinstr(a[0], out->path, sizeof(out->path));
	if (error == 0)
		error = fetch_arguments(p, a[1], (uint32_t)a[2], out->strings, out->argv);
	return (error);
}

static int64_t
sys_spawn(struct proc *p, const uint64_t *a)
{
	struct program_args program;
	uint32_t pid;
	int error = fetch_program(p, a, &program);

	if (error == 0)
		error = proc_spawn(program.path, program.argv, (uint32_t)a[2], p->pid, &pid);
	return (error == 0 ? (int64_t)pid : error);
}

static int64_t
sys_fork(struct proc *p, const uint64_t *a)
{
	uint32_t pid;
	int error = proc_fork(p, &pid);

	(void)a;
	return (error == 0 ? (int64_t)pid : error);
}

static int64_t
sys_exec(struct proc *p, const uint64_t *a)
{
	struct program_args program;
	int error = fetch_program(p, a, &program);

	return (error == 0 ? proc_exec(p, program.path, program.argv, (uint32_t)a[2]) : error);
}

static int64_t
sys_wait(struct proc *p, const uint64_t *a)
{
	struct proc_exit ended;
	int error;

	if ((a[2] & ~(uint64_t)EBB_WNOHANG) != 0)
		return (ERR_INVAL);
	if (a[0] > UINT32_MAX)
		return (ERR_CHILD);
	error = a[2] == 0 ? proc_wait(p->pid, (uint32_t)a[0], &ended) :
	    proc_reap(p->pid, (uint32_t)a[0], &ended);
	if (error == ERR_AGAIN)
		return (0); /* EBB_WNOHANG: none has ended */
	if (error == 0 && a[1] != 0)
		error = copyout(&ended.status, a[1], sizeof(ended.status));
	return (error == 0 ? (int64_t)ended.pid : error);
}

static int64_t
sys_usage(struct proc *p, const uint64_t *a)
{
	const struct vm_usage *u = &p->vmspace->usage;
	struct ebb_usage usage = {
		.faults = u->faults,
		.flag_faults = p->vmspace->pmap.flag_faults,
		.zero_fills = u->zero_fills,
		.page_ins = u->page_ins,
		.page_in_ops = u->page_in_ops,
		.page_outs = u->page_outs,
		.page_out_ops = u->page_out_ops,
		.resident_pages = vmspace_resident_count(p->vmspace),
		.swap_pages = vmspace_swap_count(p->vmspace),
	};

	return (copyout(&usage, a[0], sizeof(usage)));
}

static int64_t
sys_workingset(struct proc *p, const uint64_t *a)
{
	(void)a;
	return (vmspace_working_set(p->vmspace));
}

static int64_t
sys_tls(struct proc *p, const uint64_t *a)
{
	(void)p;
	cpu_user_set_tls(a[0]);
	return (0);
}

typedef int64_t (*syscall_fn)(struct proc *p, const uint64_t *a);

static const syscall_fn table[EBB_SYS_COUNT] = {
	[EBB_SYS_NULL] = sys_null,
	[EBB_SYS_EXIT] = sys_exit,
	[EBB_SYS_WRITE] = sys_write,
	[EBB_SYS_READ] = sys_read,
	[EBB_SYS_OPEN] = sys_open,
	[EBB_SYS_CLOSE] = sys_close,
	[EBB_SYS_LSEEK] = sys_lseek,
	[EBB_SYS_FSTAT] = sys_fstat,
	[EBB_SYS_SBRK] = sys_sbrk,
	[EBB_SYS_MMAP] = sys_mmap,
	[EBB_SYS_MSYNC] = sys_msync,
	[EBB_SYS_MUNMAP] = sys_munmap,
	[EBB_SYS_MPROTECT] = sys_mprotect,
	[EBB_SYS_MINHERIT] = sys_minherit,
	[EBB_SYS_GETPID] = sys_getpid,
	[EBB_SYS_TIMES] = sys_times,
	[EBB_SYS_CLOCK] = sys_clock,
	[EBB_SYS_SLEEP] = sys_sleep,
	[EBB_SYS_YIELD] = sys_yield,
	[EBB_SYS_KILL] = sys_kill,
	[EBB_SYS_SPAWN] = sys_spawn,
	[EBB_SYS_WAIT] = sys_wait,
	[EBB_SYS_USAGE] = sys_usage,
	[EBB_SYS_ISATTY] = sys_isatty,
	[EBB_SYS_FSYNC] = sys_fsync,
	[EBB_SYS_WORKINGSET] = sys_workingset,
	[EBB_SYS_MLOCK] = sys_mlock,
	[EBB_SYS_MUNLOCK] = sys_munlock,
	[EBB_SYS_MADVISE] = sys_madvise,
	[EBB_SYS_MINCORE] = sys_mincore,
	[EBB_SYS_SWAPON] = sys_swapon,
	[EBB_SYS_SWAPOFF] = sys_swapoff,
	[EBB_SYS_GETRUSAGE] = sys_getrusage,
	[EBB_SYS_CONTIG] = sys_contig,
	[EBB_SYS_FORK] = sys_fork,
	[EBB_SYS_EXEC] = sys_exec,
	[EBB_SYS_SETRLIMIT] = sys_setrlimit,
	[EBB_SYS_GETRLIMIT] = sys_getrlimit,
	[EBB_SYS_TLS] = sys_tls,
	[EBB_SYS_UNLINK] = sys_unlink,
	[EBB_SYS_FTRUNCATE] = sys_ftruncate,
	[EBB_SYS_PIPE] = sys_pipe,
	[EBB_SYS_DUP2] = sys_dup2,
	[EBB_SYS_READDIR] = sys_readdir,
	[EBB_SYS_SYSCONF] = sys_sysconf,
	[EBB_SYS_UTIME] = sys_utime,
};

/* The programs' newlib and this kernel's libc are the same library: errno values
 * agree. */
static int64_t
errno_of(int64_t error)
{
	static const uint8_t numbers[] = {
		[-ERR_NOMEM] = ENOMEM, [-ERR_FAULT] = EFAULT, [-ERR_INVAL] = EINVAL,
		[-ERR_NOENT] = ENOENT, [-ERR_IO] = EIO, [-ERR_TIMEDOUT] = ETIMEDOUT,
		[-ERR_BUSY] = EBUSY, [-ERR_EXIST] = EEXIST, [-ERR_NODEV] = ENODEV,
		[-ERR_RANGE] = ERANGE, [-ERR_NOSPC] = ENOSPC, [-ERR_CORRUPT] = EIO,
		[-ERR_NOEXEC] = ENOEXEC, [-ERR_PERM] = EPERM, [-ERR_NOSYS] = ENOSYS,
		[-ERR_BADF] = EBADF, [-ERR_ISDIR] = EISDIR, [-ERR_NOTDIR] = ENOTDIR,
		[-ERR_NAMETOOLONG] = ENAMETOOLONG, [-ERR_MFILE] = EMFILE,
		[-ERR_AGAIN] = EAGAIN, [-ERR_CHILD] = ECHILD, [-ERR_KILLED] = EINTR,
		[-ERR_NOTSUP] = ENOTSUP, [-ERR_ROFS] = EROFS,
		[-ERR_PIPE] = EPIPE, [-ERR_SPIPE] = ESPIPE, [-ERR_NFILE] = ENFILE,
		[-ERR_SRCH] = ESRCH,
	};
	uint64_t index = (uint64_t)-error;

	return (-(int64_t)(index < sizeof(numbers) && numbers[index] != 0 ? numbers[index] : EIO));
}

int64_t
proc_syscall(uint64_t number, const uint64_t *args)
{
	struct proc *p = curtask()->proc;
	int64_t result = ERR_NOSYS;

	KASSERT(p != NULL, "S1: a system call comes from a process");
	if (number < EBB_SYS_COUNT && table[number] != NULL)
		result = table[number](p, args);
	trace(TRACE_SYSCALL, number, p->pid, (uint64_t)result);
	return (__builtin_expect(result < 0, 0) ? errno_of(result) : result);
}

/* Arguments that can be negative: bit n for argument n. */
static const uint8_t signed_arguments[EBB_SYS_COUNT] = {
	[EBB_SYS_LSEEK] = 1 << 1,
	[EBB_SYS_SBRK] = 1 << 0,
	[EBB_SYS_FTRUNCATE] = 1 << 1,
};

int64_t
proc_syscall_aarch32(uint64_t number, const uint64_t *args)
{
	uint32_t call = (uint32_t)number, i;
	uint32_t negative = call < EBB_SYS_COUNT ? signed_arguments[call] : 0;
	uint64_t wide[6];

	for (i = 0; i < 6; i++)
		wide[i] = (negative >> i & 1) != 0 ? (uint64_t)(int32_t)args[i] : (uint32_t)args[i];
	return (proc_syscall(call, wide));
}

static enum ebb_kill_reason
reason_of(int error)
{
	if (error == ERR_IO || error == ERR_CORRUPT)
		return (EBB_KILL_IO);
	return (error == ERR_NOEXEC ? EBB_KILL_INSN : EBB_KILL_FAULT);
}

_Noreturn void
proc_user_fault(const struct user_fault *fault)
{
	struct proc *p = curtask()->proc;
	char where[48] = "";

	if (p->killed)
		proc_exit(EBB_STATUS_KILLED | p->kill_reason);
	if (fault->has_far)
		snprintf(where, sizeof(where), " at address 0x%llx",
		    (unsigned long long)fault->far);
	kprintf("%s (pid %u) killed: %s%s, pc 0x%llx (esr 0x%llx)\n", p->name,
	    (unsigned)p->pid, fault->cause, where, (unsigned long long)fault->pc,
	    (unsigned long long)fault->esr);
	proc_exit(EBB_STATUS_KILLED | reason_of(fault->error));
}
