/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posixtest's part about processes: wait, kill and what a child died of, and descriptors
 * that exec closes.
 *
 * Owns: its children.
 * Does not: stop anybody; ebb has no signals between programs but the end.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: app/libebb/newlib_calls.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/programs/posixtest/posixtest.h"

/* What a child that does fn ends with. */
static int
status_of(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	return (status);
}

static void
exit_7(void)
{
	exit(7);
}

static void
bad_access(void)
{
	volatile uintptr_t nowhere = 8;

	*(volatile int *)nowhere = 1;
}

static void
is_signalled(int status, int signal)
{
	CHECK(WIFSIGNALED(status) && !WIFEXITED(status) && WTERMSIG(status) == signal);
}

static void
ends(void)
{
	int status = status_of(exit_7);

	CHECK(WIFEXITED(status) && !WIFSIGNALED(status) && WEXITSTATUS(status) == 7);
	is_signalled(status_of(abort), SIGABRT);
	is_signalled(status_of(bad_access), SIGSEGV);
}

static void
kills(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sleep(1000);
		_exit(1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, 0) == 0 && kill(pid, SIGCHLD) == 0 && kill(getpid(), 0) == 0);
	FAILS(kill(pid, SIGSTOP) == -1, EINVAL);
	FAILS(kill(pid, 77) == -1, EINVAL);
	CHECK(waitpid(pid, &status, WNOHANG) == 0); /* it lives */
	CHECK(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid);
	is_signalled(status, SIGTERM);
	FAILS(kill(pid, SIGTERM) == -1, ESRCH);
	FAILS(kill(pid, 0) == -1, ESRCH);
}

static void
waits(void)
{
	int status;

	FAILS(wait(&status) == -1, ECHILD);
	FAILS(waitpid(-1, &status, WNOHANG) == -1, ECHILD);
	FAILS(waitpid(-1, &status, 1000) == -1, EINVAL);
	FAILS(waitpid(-5, &status, 0) == -1, ECHILD);
}

int
processes_again(int open_fd)
{
	for (int fd = 3; fd < 16; fd++)
		if ((lseek(fd, 0, SEEK_CUR) == 0) != (fd == open_fd))
			return (fd);
	return (0);
}

static void
closed_by_exec(const char *name)
{
	char program[64];
	int stays, goes, copy, status = -1;
	char number[2] = { 0 }, first[] = "posixtest", *const argv[] = { first, number, NULL };
	pid_t pid;

	snprintf(program, sizeof(program), "/apps/%s.elf", name);
	stays = open(program, O_RDONLY);
	goes = open(program, O_RDONLY | O_CLOEXEC);
	copy = dup(goes);
	number[0] = (char)('0' + stays);
	CHECK(stays > 2 && stays < 10 && goes > stays && copy > goes);
	CHECK(close(copy) == 0);
	CHECK((pid = fork()) >= 0);
	if (pid == 0) {
		execv(program, argv);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(lseek(goes, 0, SEEK_CUR) == 0); /* the parent's is open */
	CHECK(close(stays) == 0 && close(goes) == 0);
}

void
processes(const char *name)
{
	ends();
	kills();
	waits();
	closed_by_exec(name);
}
