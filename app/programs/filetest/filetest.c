/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filetest: files are created, appended to, cut, removed and mapped meanwhile.
 *
 *   filetest KIB     keeps /data/kept.bin (KIB KiB, byte i of it is i * 7 + i / 251) and
 *                    "/data/A longer name.text" for the host to look at; the first was
 *                    changed on the last day of February 2024, 12:34:56
 *
 * Owns: files in /data whose names begin with ft, and the two above.
 * Does not: know FAT.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: fs/fat32_change.c, mm/file_pager_size.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "app/libebb/check.h"

#define PAGE 4096
#define NAME "/data/ft one.bin"
#define KEPT "/data/kept.bin"
#define FAT_FIRST 315532800  /* the first second of 1980 */
#define FAT_LAST  4354819199 /* the last of 2107 */
#define LEAP_DAY  1709210096 /* 2024-02-29 12:34:56 */

int failures;

static char
pattern(size_t at)
{
	return ((char)(at * 7 + at / 251));
}

static size_t
size_of(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 ? (size_t)st.st_size : (size_t)-1);
}

/* Bytes [from, from + count) of fd are the pattern (or zero). */
static int
holds(int fd, size_t from, size_t count, int zero)
{
	static char buffer[3 * PAGE];
	size_t done = 0;

	if (lseek(fd, (off_t)from, SEEK_SET) != (off_t)from)
		return (0);
	while (done < count) {
		size_t want = count - done < sizeof(buffer) ? count - done : sizeof(buffer);
		ssize_t n = read(fd, buffer, want);

		if (n <= 0)
			return (0);
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i] != (zero ? 0 : pattern(from + done + (size_t)i)))
				return (0);
		done += (size_t)n;
	}
	return (1);
}

/* Write bytes [from, from + count) of the pattern at the file's place, in odd pieces. */
static int
put(int fd, size_t from, size_t count)
{
	static char buffer[5000];
	size_t done = 0, piece = 1;

	while (done < count) {
		size_t want = count - done < piece ? count - done : piece;

		for (size_t i = 0; i < want; i++)
			buffer[i] = pattern(from + done + i);
		if (write(fd, buffer, want) != (ssize_t)want)
			return (0);
		done += want;
		piece = piece * 3 % sizeof(buffer) + 1;
	}
	return (1);
}

static void
create_and_remove(void)
{
	int fd = open(NAME, O_RDWR | O_CREAT | O_EXCL, 0644);

	CHECK(fd >= 0 && size_of(NAME) == 0);
	FAILS(open(NAME, O_RDWR | O_CREAT | O_EXCL, 0644) == -1, EEXIST);
	CHECK(put(fd, 0, 10000) && size_of(NAME) == 10000 && holds(fd, 0, 10000, 0));
	CHECK(fsync(fd) == 0 && close(fd) == 0);
	fd = open("/DATA/FT ONE.BIN", O_RDONLY);
	CHECK(fd >= 0 && holds(fd, 0, 10000, 0));
	/* Removed, it can be read until it is closed, and its name is free. */
	CHECK(unlink(NAME) == 0 && holds(fd, 0, 10000, 0));
	FAILS(open(NAME, O_RDONLY) == -1, ENOENT);
	FAILS(unlink(NAME) == -1, ENOENT);
	CHECK(close(fd) == 0);
	FAILS(unlink("/data") == -1, EISDIR);
	FAILS(open("/data/no/ft", O_WRONLY | O_CREAT, 0644) == -1, ENOENT);
	FAILS(open("/data/ft?", O_WRONLY | O_CREAT, 0644) == -1, EINVAL);
	FAILS(open("/apps/filetest.elf/x", O_WRONLY | O_CREAT, 0644) == -1, ENOTDIR);
}

static void
append_and_cut(void)
{
	int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644), other;
	char end;

	CHECK(fd >= 0 && put(fd, 0, 6000));
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && put(fd, 6000, 6000));
	CHECK(size_of(NAME) == 12000 && holds(fd, 0, 12000, 0));
	CHECK(ftruncate(fd, 5000) == 0 && size_of(NAME) == 5000 && holds(fd, 0, 5000, 0));
	CHECK(ftruncate(fd, 9000) == 0 && holds(fd, 0, 5000, 0) && holds(fd, 5000, 4000, 1));
	FAILS(ftruncate(fd, -1) == -1, EINVAL);
	CHECK(close(fd) == 0);
	/* A gap is zeros. */
	fd = open(NAME, O_WRONLY);
	CHECK(lseek(fd, 20000, SEEK_SET) == 20000 && put(fd, 20000, 100) && close(fd) == 0);
	fd = open(NAME, O_RDWR | O_EXCL);
	CHECK(holds(fd, 0, 5000, 0) && holds(fd, 5000, 15000, 1) && holds(fd, 20000, 100, 0));
	other = open(NAME, O_WRONLY | O_TRUNC);
	CHECK(other >= 0 && read(fd, &end, 1) == 0);
	CHECK(close(other) == 0 && close(fd) == 0 && size_of(NAME) == 0);
	CHECK(truncate(NAME, 70000) == 0 && size_of(NAME) == 70000 && unlink(NAME) == 0);
}

/* What a child sees at a mapped place that the file no longer has: it is ended. */
static void
mapped(void)
{
	int fd = open(NAME, O_RDWR | O_CREAT, 0644), status = 0;
	char *at;
	pid_t pid;

	CHECK(put(fd, 0, 4 * PAGE));
	at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && at[3 * PAGE] == pattern(3 * PAGE));
	at[PAGE + 1] = 'x';
	/* It grows while it is mapped, and both see the same. */
	CHECK(lseek(fd, 0, SEEK_END) == 4 * PAGE && put(fd, 4 * PAGE, PAGE));
	CHECK(at[3 * PAGE] == pattern(3 * PAGE));
	CHECK(ftruncate(fd, PAGE + 2) == 0 && at[PAGE + 1] == 'x' && at[PAGE + 2] == 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		at[2 * PAGE] = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(ftruncate(fd, 3 * PAGE) == 0 && at[2 * PAGE] == 0);
	at[2 * PAGE] = 'y';
	CHECK(msync(at, 3 * PAGE, MS_SYNC) == 0 && munmap(at, 4 * PAGE) == 0);
	CHECK(lseek(fd, 2 * PAGE, SEEK_SET) == 2 * PAGE && read(fd, &status, 1) == 1);
	CHECK((char)status == 'y' && close(fd) == 0 && unlink(NAME) == 0);
}

/* Many small files at once: the directory grows. */
static void
many(void)
{
	char path[64];
	int i, fd, wrong = 0;

	for (i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "/data/ft file number %d.text", i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		wrong += fd < 0 || !put(fd, 0, (size_t)i * 40) || close(fd) != 0;
	}
	CHECK(wrong == 0);
	for (i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "/data/ft file number %d.text", i);
		fd = open(path, O_RDONLY);
		wrong += fd < 0 || !holds(fd, 0, (size_t)i * 40, 0) || close(fd) != 0;
		wrong += unlink(path) != 0;
	}
	CHECK(wrong == 0);
}

static long long
time_of(const char *path)
{
	struct stat st;

	return (lstat(path, &st) == 0 ? (long long)st.st_mtime : -1);
}

static int
set_time(const char *path, long long to)
{
	struct utimbuf times = { .modtime = to };

	return (utime(path, &times));
}

/* What was said of a file stays: whatever is done to it, and when nobody has it open. */
static void
times(void)
{
	struct timespec omit[2] = { { 0 }, { .tv_nsec = UTIME_OMIT } };
	struct timespec now[2] = { { 0 }, { .tv_nsec = UTIME_NOW } };
	struct timeval pair[2] = { { 0 }, { .tv_sec = LEAP_DAY + 1, .tv_usec = 999999 } };
	int fd = open(NAME, O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0 && put(fd, 0, 100) && time_of(NAME) == FAT_FIRST);
	CHECK(set_time(NAME, LEAP_DAY) == 0 && time_of(NAME) == LEAP_DAY);
	CHECK(put(fd, 100, 9000) && close(fd) == 0 && time_of(NAME) == LEAP_DAY);
	CHECK(size_of(NAME) == 9100 && truncate(NAME, 10) == 0 && time_of(NAME) == LEAP_DAY);
	CHECK(set_time(NAME, FAT_LAST) == 0 && time_of(NAME) == FAT_LAST - 1);
	CHECK(set_time(NAME, FAT_FIRST) == 0 && time_of(NAME) == FAT_FIRST);
	FAILS(set_time(NAME, FAT_LAST + 1) == -1, EINVAL);
	FAILS(set_time(NAME, FAT_FIRST - 1) == -1, EINVAL);
	FAILS(set_time(NAME, -1) == -1, EINVAL);
	FAILS(utime(NAME, NULL) == -1, EINVAL);
	FAILS(set_time("/data/nothing", LEAP_DAY) == -1, ENOENT);
	FAILS(set_time("/", LEAP_DAY) == -1, EPERM);
	CHECK(set_time("/data", LEAP_DAY) == 0 && time_of("/data") == LEAP_DAY);
	CHECK(utimes(NAME, pair) == 0 && time_of(NAME) == LEAP_DAY);
	fd = open(NAME, O_RDONLY);
	CHECK(futimens(fd, omit) == 0 && time_of(NAME) == LEAP_DAY);
	FAILS(futimens(fd, now) == -1, EINVAL);
	omit[1].tv_sec = LEAP_DAY + 2;
	omit[1].tv_nsec = 0;
	CHECK(unlink(NAME) == 0 && futimens(fd, omit) == 0 && close(fd) == 0);
	FAILS(futimens(fd, omit) == -1, EBADF);
	FAILS(futimens(1, omit) == -1, EINVAL);
}

static void
keep(size_t bytes)
{
	FILE *file = fopen("/data/A longer name.text", "w");
	int fd = open(KEPT, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && put(fd, 0, bytes) && holds(fd, 0, bytes, 0) && close(fd) == 0);
	CHECK(file != NULL && fprintf(file, "one %d\n", 1) == 6 && fclose(file) == 0);
	file = fopen("/data/A longer name.text", "a");
	CHECK(file != NULL && fprintf(file, "two %d\n", 2) == 6 && fclose(file) == 0);
	FAILS(remove("/data/nothing") == -1, ENOENT);
	CHECK(set_time(KEPT, LEAP_DAY) == 0);
}

int
main(int argc, char *argv[])
{
	create_and_remove();
	append_and_cut();
	mapped();
	many();
	times();
	keep((argc > 1 ? (size_t)atoi(argv[1]) : 100) * 1024);
	printf("filetest: %d failures\n", failures);
	return (failures != 0);
}
