/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that newlib's functions end in.
 *
 * newlib names them with an underscore. What ebb cannot do yet is not here, so a
 * program that needs it fails to link instead of failing silently.
 *
 * Owns: nothing.
 * Does not: anything newlib does not ask for.
 * Invariants:
 *   none; the kernel checks every argument
 * Yields: every call may block.
 * See: newlib's documentation, "System Calls".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

#define BINARY_OR_TEXT 0x30000 /* fopen's "b" and "t"; newlib's header names them for Cygwin only */
#define EVERYBODYS (S_IRWXU | S_IRWXG | S_IRWXO) /* FAT knows no rights */

int _close(int fd);
_Noreturn void _exit(int status);
int _execve(const char *path, char *const argv[], char *const envp[]);
int _fork(void);
int _fstat(int fd, struct stat *out);
int _getpid(void);
int _wait(int *status);
int _gettimeofday(struct timeval *out, void *zone);
int _isatty(int fd);
int _kill(int pid, int signal);
off_t _lseek(int fd, off_t offset, int whence);
int _open(const char *path, int flags, int mode);
ssize_t _read(int fd, void *buffer, size_t bytes);
void *_sbrk(ptrdiff_t increment);
clock_t _times(struct tms *out);
int _unlink(const char *path);
ssize_t _write(int fd, const void *buffer, size_t bytes);

int
_close(int fd)
{
	return ((int)checked(ebb_syscall(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0)));
}

_Noreturn void
_exit(int status)
{
	for (;;)
		ebb_syscall(EBB_SYS_EXIT, (uint64_t)status, 0, 0);
}

int
pipe(int fds[2])
{
	return ((int)checked(ebb_syscall(EBB_SYS_PIPE, (uintptr_t)fds, 0, 0)));
}

int
dup(int fd)
{
	return ((int)checked(ebb_syscall(EBB_SYS_DUP2, (uint32_t)fd, EBB_DUP_LOWEST, 0)));
}

/* A descriptor that is negative is none: it must not pass for EBB_DUP_LOWEST. */
int
dup2(int fd, int to)
{
	uint64_t place = to < 0 ? EBB_DUP_LOWEST - 1 : (uint64_t)to;

	return ((int)checked(ebb_syscall(EBB_SYS_DUP2, (uint32_t)fd, place, 0)));
}

/* There is no environment. */
int
_execve(const char *path, char *const argv[], char *const envp[])
{
	uint64_t argc = 0;

	(void)envp;
	while (argv[argc] != NULL)
		argc++;
	return ((int)checked(ebb_syscall(EBB_SYS_EXEC, (uintptr_t)path, (uintptr_t)argv, argc)));
}

int
execv(const char *path, char *const argv[])
{
	return (_execve(path, argv, NULL));
}

int
_fork(void)
{
	return ((int)checked(ebb_syscall(EBB_SYS_FORK, 0, 0, 0)));
}

int
_fstat(int fd, struct stat *out)
{
	struct ebb_stat stat;
	int result = (int)checked(ebb_syscall(EBB_SYS_FSTAT, (uint64_t)fd, (uintptr_t)&stat, 0));

	if (result != 0)
		return (result);
	memset(out, 0, sizeof(*out));
	out->st_size = (off_t)stat.size_bytes;
	out->st_mode = EVERYBODYS | (stat.is_console ? S_IFCHR : stat.is_pipe ? S_IFIFO :
	    stat.is_directory ? S_IFDIR : S_IFREG);
	out->st_nlink = 1;
	out->st_blksize = stat.is_console ? 1024 : 4096;
	if (stat.is_console || stat.is_pipe)
		return (0);
	out->st_mtime = (time_t)stat.modified_s + EBB_EPOCH_S;
	out->st_atime = out->st_ctime = out->st_mtime; /* the others are not kept */
	return (0);
}

int
_getpid(void)
{
	return ((int)ebb_syscall(EBB_SYS_GETPID, 0, 0, 0));
}

/* Time since the board booted: ebb knows no calendar. */
int
_gettimeofday(struct timeval *out, void *zone)
{
	uint64_t us = ebb_clock_us();

	(void)zone;
	out->tv_sec = (time_t)(us / 1000000);
	out->tv_usec = (suseconds_t)(us % 1000000);
	return (0);
}

int
_isatty(int fd)
{
	return (checked(ebb_syscall(EBB_SYS_ISATTY, (uint64_t)fd, 0, 0)) == 1);
}

/* No program can handle another's signal: it ends by it, unless it would not mind by default.
 * None can be stopped. */
int
_kill(int pid, int signal)
{
	switch (signal) {
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		errno = EINVAL;
		return (-1);
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
		signal = 0;
		break;
	default:
		break;
	}
	return ((int)checked(ebb_syscall(EBB_SYS_KILL, (uint64_t)pid, (uint64_t)signal, 0)));
}

int
fsync(int fd)
{
	return ((int)checked(ebb_syscall(EBB_SYS_FSYNC, (uint64_t)fd, 0, 0)));
}

off_t
_lseek(int fd, off_t offset, int whence)
{
	return ((off_t)checked(ebb_syscall(EBB_SYS_LSEEK, (uint64_t)fd, (uint64_t)offset,
	    (uint64_t)whence)));
}

/* errno is ENOTDIR unless fd is a directory; then it is closed. */
static int
directory_only(int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
		return (fd);
	errno = ENOTDIR;
	return (close_after(fd, -1));
}

/* What ebb has, and what it need not do: there are no links, no terminals of control and no text
 * modes, and no file makes its reader wait for a writer. */
#define OPEN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_CLOEXEC | O_DIRECTORY | \
	O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | BINARY_OR_TEXT)

int
_open(const char *path, int flags, int mode)
{
	int fd;
	uint64_t how = (flags & O_ACCMODE) == O_RDWR ? EBB_O_RDWR :
	    (flags & O_ACCMODE) == O_WRONLY ? EBB_O_WRONLY : EBB_O_RDONLY;

	(void)mode; /* FAT knows no owners */
	if ((flags & ~OPEN_FLAGS) != 0) {
		errno = EINVAL;
		return (-1);
	}
	how |= (flags & O_CREAT) != 0 ? EBB_O_CREAT : 0;
	how |= (flags & O_EXCL) != 0 ? EBB_O_EXCL : 0;
	how |= (flags & O_TRUNC) != 0 ? EBB_O_TRUNC : 0;
	how |= (flags & O_APPEND) != 0 ? EBB_O_APPEND : 0;
	how |= (flags & O_CLOEXEC) != 0 ? EBB_O_CLOEXEC : 0;
	fd = (int)checked(ebb_syscall(EBB_SYS_OPEN, (uintptr_t)path, how, 0));
	return (fd >= 0 && (flags & O_DIRECTORY) != 0 ? directory_only(fd) : fd);
}

int
_unlink(const char *path)
{
	return ((int)checked(ebb_syscall(EBB_SYS_UNLINK, (uintptr_t)path, 0, 0)));
}

int
ftruncate(int fd, off_t bytes)
{
	return ((int)checked(ebb_syscall(EBB_SYS_FTRUNCATE, (uint64_t)fd, (uint64_t)bytes, 0)));
}

ssize_t
_read(int fd, void *buffer, size_t bytes)
{
	int64_t result = ebb_syscall(EBB_SYS_READ, (uint64_t)fd, (uintptr_t)buffer, bytes);

	return ((ssize_t)checked(result));
}

void *
_sbrk(ptrdiff_t increment)
{
	int64_t old = checked(ebb_syscall(EBB_SYS_SBRK, (uint64_t)increment, 0, 0));

	return ((void *)(intptr_t)old);
}

/* Ticks of 10 ms (CLOCKS_PER_SEC of this newlib is 100). */
clock_t
_times(struct tms *out)
{
	struct ebb_times times = { 0 };

	if (checked(ebb_syscall(EBB_SYS_TIMES, (uintptr_t)&times, 0, 0)) != 0)
		return ((clock_t)-1);
	memset(out, 0, sizeof(*out));
	out->tms_utime = (clock_t)(times.user_us * CLOCKS_PER_SEC / 1000000);
	return ((clock_t)(times.elapsed_us * CLOCKS_PER_SEC / 1000000));
}

ssize_t
_write(int fd, const void *buffer, size_t bytes)
{
	return ((ssize_t)checked(ebb_syscall(EBB_SYS_WRITE, (uint64_t)fd, (uintptr_t)buffer,
	    bytes)));
}

/* The signal that a program died of, by POSIX's words for what the kernel said. */
static int
signal_of(int how)
{
	int reason = how & 0xff;

	switch (reason) {
	case EBB_KILL_FAULT:
		return (SIGSEGV);
	case EBB_KILL_INSN:
		return (SIGILL);
	case EBB_KILL_IO:
		return (SIGBUS);
	default:
		return (reason > EBB_KILL_SIGNAL ? reason - EBB_KILL_SIGNAL : SIGKILL);
	}
}

/* Wait for child pid (0: any), with the status as <sys/wait.h> takes it apart. */
static int
wait_child(uint64_t pid, int *status, int options)
{
	int how = 0, child;

	child = (int)checked(ebb_syscall(EBB_SYS_WAIT, pid, (uintptr_t)&how,
	    (options & WNOHANG) != 0 ? EBB_WNOHANG : 0));
	if (child > 0 && status != NULL)
		*status = (how & EBB_STATUS_KILLED) != 0 ? signal_of(how) : how << 8;
	return (child);
}

int
_wait(int *status)
{
	return (wait_child(0, status, 0));
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	/* Nobody is ever stopped, so there is nothing to say of that. No groups but the job. */
	if ((options & ~(WNOHANG | WUNTRACED)) != 0 || pid < -1) {
		errno = pid < -1 ? ECHILD : EINVAL;
		return (-1);
	}
	return (wait_child(pid > 0 ? (uint64_t)pid : 0, status, options));
}
