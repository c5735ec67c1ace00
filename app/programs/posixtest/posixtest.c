/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posixtest: calls by their POSIX names, and errno after each that fails.
 *
 * Owns: nothing that outlives it.
 * Does not: test what the calls do to pages (apitest, maptest).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: app/libebb/include, app/libebb/posix_*.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/programs/posixtest/posixtest.h"

#define PAGE 4096
#define WORDS "/data/words.txt"

int failures;

static int64_t
us_between(const struct timespec *a, const struct timespec *b)
{
	return ((int64_t)(b->tv_sec - a->tv_sec) * 1000000 + (b->tv_nsec - a->tv_nsec) / 1000);
}

static void
clocks(void)
{
	struct timespec before, after, cpu, res, nap = { .tv_nsec = 2000001 };
	struct timeval now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
	CHECK(nanosleep(&nap, &nap) == 0 && nap.tv_sec == 0 && nap.tv_nsec == 0);
	CHECK(usleep(1000) == 0 && sleep(0) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
	CHECK(us_between(&before, &after) >= 3000);
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0);
	CHECK(us_between(&cpu, &after) > 0);
	CHECK(clock_getres(CLOCK_REALTIME, &res) == 0 && res.tv_sec == 0 && res.tv_nsec == 1000);
	CHECK(gettimeofday(&now, NULL) == 0 && now.tv_sec >= after.tv_sec);
	CHECK(time(NULL) >= after.tv_sec && clock() != (clock_t)-1);
	FAILS(clock_gettime((clockid_t)99, &res) == -1, EINVAL);
	nap.tv_nsec = 1000000000;
	FAILS(nanosleep(&nap, NULL) == -1, EINVAL);
}

static void
files(void)
{
	struct stat st;
	int fd;

	CHECK(stat(WORDS, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 1000000);
	CHECK(stat("/apps", &st) == 0 && S_ISDIR(st.st_mode));
	FAILS(stat("/none", &st) == -1, ENOENT);
	CHECK(access(WORDS, R_OK) == 0 && access(WORDS, W_OK) == 0 && access("/", F_OK) == 0);
	FAILS(access("/apps/none.elf", F_OK) == -1, ENOENT);
	FAILS(access(WORDS, 99) == -1, EINVAL);
	FAILS(link(WORDS, "/words") == -1, EPERM);
	CHECK(lstat(WORDS, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0777);
	/* FAT keeps neither rights nor owners: what they are anyway can be asked for. */
	CHECK(chmod(WORDS, st.st_mode) == 0 && chown(WORDS, 0, (gid_t)-1) == 0);
	FAILS(chmod(WORDS, 0644) == -1, EPERM);
	FAILS(chown(WORDS, 1, 0) == -1, EPERM);
	FAILS(chmod("/none", 0777) == -1, ENOENT);
	fd = open(WORDS, O_RDONLY);
	CHECK(fchmod(fd, 0777) == 0 && fchown(fd, 0, 0) == 0);
	FAILS(fchmod(fd, 0600) == -1, EPERM);
	FAILS(fchown(fd, 0, 7) == -1, EPERM);
	FAILS(fchown(-1, 0, 0) == -1, EBADF);
	CHECK(fd > 2 && isatty(fd) == 0 && isatty(1) == 1);
	CHECK(fstat(fd, &st) == 0 && lseek(fd, -5, SEEK_END) == st.st_size - 5);
	FAILS(lseek(fd, -5, SEEK_SET) == -1, EINVAL);
	FAILS(write(fd, "x", 1) == -1, EBADF);
	CHECK(close(fd) == 0);
	FAILS(close(fd) == -1, EBADF);
}

static void
opening(void)
{
	FILE *file;
	int fd;

	FAILS(open("", O_RDONLY) == -1, ENOENT);
	FAILS(open(WORDS, O_RDONLY | O_DIRECTORY) == -1, ENOTDIR);
	FAILS(open(WORDS, O_RDWR | O_SYNC) == -1, EINVAL); /* not silently without */
	fd = open("/apps", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	CHECK(fd > 2 && close(fd) == 0);
	CHECK((file = fopen(WORDS, "rb")) != NULL && fclose(file) == 0);
	fd = creat("/posix.tmp", 0666);
	CHECK(fd > 2 && write(fd, "x", 1) == 1 && close(fd) == 0 && unlink("/posix.tmp") == 0);
}

static void
directories(void)
{
	DIR *dir = opendir("/apps");
	struct dirent *entry;
	int entries = 0, own = 0, again = 0;

	CHECK(dir != NULL);
	if (dir == NULL)
		return;
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		entries++;
		own += strcmp(entry->d_name, "posixtest.elf") == 0 && entry->d_type == DT_REG;
	}
	CHECK(errno == 0 && own == 1);
	rewinddir(dir);
	while (readdir(dir) != NULL)
		again++;
	CHECK(again == entries && entries > 10);
	CHECK(closedir(dir) == 0);
	FAILS(opendir(WORDS) == NULL, ENOTDIR);
	FAILS(opendir("/none") == NULL, ENOENT);
}

static void
limits(void)
{
	struct rlimit limit, same;
	struct rusage before, after;
	char *memory = malloc(64 * PAGE), *more;

	CHECK(getrusage(RUSAGE_SELF, &before) == 0 && before.ru_maxrss > 0);
	if (memory == NULL)
		exit(1);
	memset(memory, 1, 64 * PAGE);
	CHECK(getrusage(RUSAGE_SELF, &after) == 0);
	CHECK(after.ru_minflt >= before.ru_minflt + 63);
	CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0 && after.ru_minflt == 0);
	FAILS(getrusage(7, &after) == -1, EINVAL);
	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = 16 << 20;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK(getrlimit(RLIMIT_AS, &same) == 0 && same.rlim_cur == 16 << 20);
	FAILS((more = malloc(32 << 20)) == NULL, ENOMEM);
	free(more);
	FAILS(getrlimit(99, &same) == -1, EINVAL);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	free(memory);
}

static void
board(void)
{
	CHECK(sysconf(_SC_PAGESIZE) == PAGE && getpagesize() == PAGE);
	CHECK(sysconf(_SC_PHYS_PAGES) > 1000);
	CHECK(sysconf(_SC_AVPHYS_PAGES) > 0);
	CHECK(sysconf(_SC_AVPHYS_PAGES) < sysconf(_SC_PHYS_PAGES));
	CHECK(sysconf(_SC_OPEN_MAX) == 16 && sysconf(_SC_ARG_MAX) == 1024);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) == 1 && sysconf(_SC_CLK_TCK) == CLOCKS_PER_SEC);
	FAILS(sysconf(_SC_MQ_OPEN_MAX) == -1, EINVAL);
}

static void
memory(void)
{
	char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	char states[2];

	CHECK(at != MAP_FAILED);
	at[PAGE] = 1;
	CHECK(mincore(at, 2 * PAGE, states) == 0);
	CHECK((states[0] & MINCORE_INCORE) == 0 && (states[1] & MINCORE_INCORE) != 0);
	CHECK(mlock(at, PAGE) == 0 && munlock(at, PAGE) == 0);
	CHECK(madvise(at, PAGE, MADV_WILLNEED) == 0);
	CHECK(posix_madvise(at, PAGE, 99) == EINVAL);
	CHECK(minherit(at, PAGE, INHERIT_NONE) == 0);
	CHECK(mprotect(at, PAGE, PROT_READ) == 0 && msync(at, PAGE, MS_SYNC) == 0);
	CHECK(munmap(at, 2 * PAGE) == 0);
	FAILS(mprotect(at + 1, PAGE, PROT_READ) == -1, EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 9, 0) == MAP_FAILED, EBADF);
	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0) == MAP_FAILED, EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_ANON, -1, 0) == MAP_FAILED, EINVAL);
	FAILS(mmap(NULL, SIZE_MAX, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0) == MAP_FAILED, ENOMEM);
	FAILS(mprotect(at, PAGE, PROT_READ) == -1, ENOMEM);
}

static void
shared_memory(void)
{
	int fd = open(WORDS, O_RDONLY);

	FAILS(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, EACCES);
	CHECK(close(fd) == 0);
}

static void
allocation(void)
{
	volatile size_t half = SIZE_MAX / 2 + 2; /* or the compiler sees that it is too much */
	void *at = NULL;

	CHECK(posix_memalign(&at, PAGE, 10) == 0 && (uintptr_t)at % PAGE == 0);
	free(at);
	CHECK(posix_memalign(&at, 3, 10) == EINVAL);
	CHECK((at = aligned_alloc(64, 128)) != NULL && (uintptr_t)at % 64 == 0);
	free(at);
	FAILS((at = calloc(half, 2)) == NULL, ENOMEM);
	free(at);
	CHECK(system(NULL) == 0); /* there is no shell */
	FAILS(system("true") == -1, ENOSYS);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return (processes_again(atoi(argv[1])));
	clocks();
	files();
	opening();
	directories();
	limits();
	board();
	memory();
	shared_memory();
	allocation();
	processes(argv[0]);
	printf("posixtest: %d failures\n", failures);
	return (failures != 0);
}
