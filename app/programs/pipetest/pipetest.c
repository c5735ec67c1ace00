/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipetest: pipes as POSIX programs use them, by their POSIX names, and errno.
 *
 *   run pipetest [MIB]
 *
 *   chain     MIB go from a child through two more that add to each byte, and are verified
 *   records   eight children write records at once; each arrives whole
 *   exec      another program writes into a pipe that it got as its standard output
 *   endings   end of file, EPIPE, copies of descriptors, what cannot be
 *
 * Owns: nothing that outlives it.
 * Does not: test the kernel's corners (test/unit/proc_pipe.c).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: lib/ebb_abi.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/check.h"

#define PIECE   6000u
#define WRITERS 8
#define RECORDS 200

int failures;

static uint8_t buffer[1 << 17];

static uint8_t
byte_at(size_t at)
{
	return ((uint8_t)(at * 31 + at / 4093));
}

/* All of it, though a write may take less. */
static int
write_all(int fd, const uint8_t *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(fd, bytes, count);

		if (n <= 0)
			return (-1);
		bytes += n;
		count -= (size_t)n;
	}
	return (0);
}

static pid_t
start(int (*fn)(int in, int out, size_t bytes), int in, int out, size_t bytes)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(in, out, bytes));
	CHECK(pid > 0);
	return (pid);
}

static void
finished(pid_t pid)
{
	int status = -1;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- chain */

static int
source(int in, int out, size_t bytes)
{
	size_t at = 0, i, n;

	close(in);
	for (; at < bytes; at += n) {
		n = bytes - at < sizeof(buffer) ? bytes - at : sizeof(buffer);
		for (i = 0; i < n; i++)
			buffer[i] = byte_at(at + i);
		if (write_all(out, buffer, n) != 0)
			return (1);
	}
	return (0);
}

static int
filter(int in, int out, size_t bytes)
{
	ssize_t n, i;

	(void)bytes;
	while ((n = read(in, buffer, PIECE)) > 0) {
		for (i = 0; i < n; i++)
			buffer[i]++;
		if (write_all(out, buffer, (size_t)n) != 0)
			return (1);
	}
	return (n == 0 ? 0 : 1);
}

static void
chain(size_t bytes)
{
	int a[2], b[2], c[2];
	size_t at = 0;
	ssize_t n, i, wrong = 0;
	pid_t pids[3];

	CHECK(pipe(a) == 0);
	pids[0] = start(source, a[0], a[1], bytes);
	close(a[1]);
	CHECK(pipe(b) == 0);
	pids[1] = start(filter, a[0], b[1], 0);
	close(a[0]);
	close(b[1]);
	CHECK(pipe(c) == 0);
	pids[2] = start(filter, b[0], c[1], 0);
	close(b[0]);
	close(c[1]);
	for (; (n = read(c[0], buffer, sizeof(buffer))) > 0; at += (size_t)n)
		for (i = 0; i < n; i++)
			wrong += buffer[i] != (uint8_t)(byte_at(at + (size_t)i) + 2);
	CHECK(n == 0 && at == bytes && wrong == 0);
	close(c[0]);
	for (i = 0; i < 3; i++)
		finished(pids[i]);
	printf("pipetest: chain: %lu bytes, %ld wrong\n", (unsigned long)at, (long)wrong);
}

/* ---- records */

static int
recorder(int in, int out, size_t which)
{
	uint8_t record[EBB_PIPE_BUF];
	int i;

	close(in);
	memset(record, (int)which, sizeof(record));
	for (i = 0; i < RECORDS; i++)
		if (write(out, record, sizeof(record)) != (ssize_t)sizeof(record))
			return (1);
	return (0);
}

static void
records(void)
{
	size_t used = 0, seen = 0, i, torn = 0;
	pid_t pids[WRITERS];
	ssize_t n;
	int fds[2];

	CHECK(pipe(fds) == 0);
	for (i = 0; i < WRITERS; i++)
		pids[i] = start(recorder, fds[0], fds[1], i + 1);
	close(fds[1]);
	while ((n = read(fds[0], buffer + used, PIECE)) > 0) {
		for (used += (size_t)n; used >= EBB_PIPE_BUF; used -= EBB_PIPE_BUF, seen++) {
			for (i = 1; i < EBB_PIPE_BUF && buffer[i] == buffer[0]; i++)
				continue;
			torn += i != EBB_PIPE_BUF;
			memmove(buffer, buffer + EBB_PIPE_BUF, used - EBB_PIPE_BUF);
		}
	}
	close(fds[0]);
	CHECK(n == 0 && used == 0 && seen == WRITERS * RECORDS && torn == 0);
	for (i = 0; i < WRITERS; i++)
		finished(pids[i]);
	printf("pipetest: records: %lu, %lu torn\n", (unsigned long)seen, (unsigned long)torn);
}

/* ---- exec */

static int
become_hello(int in, int out, size_t bytes)
{
	char *argv[] = { "hello", "through", "a", "pipe", NULL };

	(void)bytes;
	close(in);
	if (dup2(out, STDOUT_FILENO) != STDOUT_FILENO || close(out) != 0)
		return (1);
	execv(EBB_PROGRAM("hello"), argv);
	return (2);
}

static void
exec(void)
{
	char line[128] = "";
	FILE *stream;
	pid_t pid;
	int fds[2];

	CHECK(pipe(fds) == 0);
	pid = start(become_hello, fds[0], fds[1], 0);
	close(fds[1]);
	stream = fdopen(fds[0], "r");
	CHECK(stream != NULL && fgets(line, sizeof(line), stream) != NULL);
	CHECK(strstr(line, ", told: through a pipe\n") != NULL);
	CHECK(fgets(line, sizeof(line), stream) == NULL && feof(stream));
	fclose(stream);
	finished(pid);
}

/* ---- endings */

static void
endings(void)
{
	struct stat st;
	char text[8] = "";
	int fds[2], copy;

	FAILS(pipe(NULL) == -1, EFAULT);
	CHECK(pipe(fds) == 0 && fstat(fds[0], &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(!isatty(fds[0]));
	FAILS(lseek(fds[0], 0, SEEK_SET) == -1, ESPIPE);
	FAILS(read(fds[1], text, 1) == -1, EBADF);
	FAILS(write(fds[0], text, 1) == -1, EBADF);
	copy = dup(fds[1]);
	CHECK(copy >= 0 && copy != fds[1] && close(fds[1]) == 0);
	CHECK(write(copy, "word", 4) == 4 && read(fds[0], text, sizeof(text)) == 4);
	CHECK(memcmp(text, "word", 4) == 0);
	FAILS(write(copy, NULL, 4) == -1, EFAULT);
	CHECK(dup2(fds[0], copy) == copy); /* nobody writes any more */
	CHECK(read(copy, text, 1) == 0 && close(copy) == 0 && close(fds[0]) == 0);
	CHECK(pipe(fds) == 0 && close(fds[0]) == 0);
	FAILS(write(fds[1], "x", 1) == -1, EPIPE);
	FAILS(dup(fds[0]) == -1, EBADF);
	FAILS(dup(-1) == -1, EBADF);
	FAILS(dup2(fds[1], -1) == -1, EBADF);
	FAILS(dup2(fds[1], 1000) == -1, EBADF);
	CHECK(dup2(fds[1], fds[1]) == fds[1] && close(fds[1]) == 0);
	FAILS(close(fds[1]) == -1, EBADF);
}

int
main(int argc, char **argv)
{
	unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

	setvbuf(stdout, NULL, _IONBF, 0);
	chain((size_t)mib << 20);
	records();
	exec();
	endings();
	printf("pipetest: %d failures\n", failures);
	return (failures == 0 ? 0 : 1);
}
