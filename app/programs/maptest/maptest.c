/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maptest: mmap, msync, fsync and open for writing, each rule of theirs and each mistake.
 *
 *   run maptest FILE
 *
 * FILE is at least three pages long; its first page is changed. Prints one line for each
 * rule that does not hold, and how many there were.
 *
 * Owns: nothing.
 * Does not: end by a signal: what must not be touched is not touched.
 * Invariants: none.
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h, lib/ebb_abi.h; mmapstress.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/libebb/ebb.h"

#define PAGE 4096u
#define R    EBB_PROT_READ
#define RW   (EBB_PROT_READ | EBB_PROT_WRITE)
#define ANON (EBB_MAP_ANONYMOUS | EBB_MAP_SHARED)

static int rules, broken;

static void
rule(const char *what, int holds)
{
	rules++;
	if (holds)
		return;
	broken++;
	printf("maptest: broken: %s (errno %d)\n", what, errno);
}

static uint8_t *
map(int fd, uint64_t offset, size_t bytes, uint32_t prot, uint32_t flags)
{
	return (ebb_map(&(struct ebb_map){ .bytes = bytes, .prot = prot, .flags = flags,
	    .fd = fd, .offset = offset }));
}

/* Mapping that must fail with error. */
static void
refused(const char *what, int error, struct ebb_map m)
{
	errno = 0;
	rule(what, ebb_map(&m) == NULL && errno == error);
}

static void
mistakes(int ro, int rw, const char *path)
{
	int wo = open(path, O_WRONLY), dir = open("/", O_RDONLY);
	off_t end;
	struct ebb_map m = { .bytes = PAGE, .prot = R, .flags = EBB_MAP_SHARED, .fd = ro };

#define BUT(field, value) ({ struct ebb_map n = m; n.field = (value); n; })
	refused("no length", EINVAL, BUT(bytes, 0));
	refused("a length that wraps", EINVAL, BUT(bytes, (size_t)-1));
	refused("a length of everything", ENOMEM, BUT(bytes, (size_t)0 - 8192));
	refused("unknown flags", EINVAL, BUT(flags, 0x1001));
	refused("shared and private", EINVAL, BUT(flags, EBB_MAP_SHARED | EBB_MAP_PRIVATE));
	refused("unknown rights", EINVAL, BUT(prot, 9));
	refused("writable and executable", EINVAL, BUT(prot, EBB_PROT_WRITE | EBB_PROT_EXEC));
	refused("an odd offset", EINVAL, BUT(offset, 100));
	refused("an offset beyond all files", EINVAL, BUT(offset, UINT64_C(1) << 50));
	refused("a file that is not open", EBADF, BUT(fd, 15));
	refused("a file with a negative number", EBADF, BUT(fd, -1));
	refused("the console", ENODEV, BUT(fd, 1));
	refused("a directory", ENODEV, BUT(fd, dir));
	refused("a file open for writing only", EPERM, BUT(fd, wo));
	refused("shared and writable, read-only file", EPERM, BUT(prot, RW));
	refused("an odd address", EINVAL, BUT(start, (void *)0x1000001));
	refused("a kernel address", EINVAL, BUT(start, (void *)0xffff000000000000));
	refused("fixed at 0", EINVAL, BUT(flags, EBB_MAP_SHARED | EBB_MAP_FIXED));
	refused("over the program", EEXIST, BUT(start, (void *)0x400000));
	rule("msync: an odd address", ebb_msync((void *)1, PAGE, EBB_MS_SYNC) == -1);
	rule("msync: nothing there", ebb_msync((void *)0x7000000000, PAGE, EBB_MS_SYNC) == -1);
	rule("msync: both ways",
	    ebb_msync((void *)0x400000, PAGE, EBB_MS_SYNC | EBB_MS_ASYNC) == -1);
	rule("msync: unknown flags", ebb_msync((void *)0x400000, PAGE, 64) == -1);
	rule("fsync: not open", fsync(14) == -1 && errno == EBADF);
	rule("fsync: the console", fsync(1) == -1 && errno == EINVAL);
	rule("write to a file open for reading", write(ro, "x", 1) == -1 && errno == EBADF);
	rule("read from a file open for writing", read(wo, &m, 1) == -1 && errno == EBADF);
	rule("write at the end", (end = lseek(rw, 0, SEEK_END)) > 0 && write(rw, "x", 1) == 1 &&
	    lseek(rw, 0, SEEK_END) == end + 1 && ftruncate(rw, end) == 0);
	rule("open a directory for writing", open("/", O_RDWR) == -1 && errno == EISDIR);
	rule("open a running program for writing",
	    open(EBB_PROGRAM("maptest"), O_RDWR) == -1 && errno == EBUSY);
	close(wo);
	close(dir);
}

static void
rules_of_shared(int ro, int rw)
{
	uint8_t *writer = map(rw, 0, 2 * PAGE, RW, EBB_MAP_SHARED);
	uint8_t *reader = map(ro, 0, PAGE, R, EBB_MAP_SHARED);
	uint8_t *own = map(ro, 0, PAGE, RW, EBB_MAP_PRIVATE);
	uint8_t *second = map(ro, PAGE, PAGE, R, EBB_MAP_PRIVATE);
	char bytes[4] = "";

	if (writer == NULL || reader == NULL || own == NULL || second == NULL) {
		rule("mapping a file", 0);
		return;
	}
	writer[10] = 0x51;
	rule("a shared write shows in another mapping", reader[10] == 0x51);
	rule("... and by read", lseek(ro, 10, SEEK_SET) == 10 && read(ro, bytes, 1) == 1 &&
	    bytes[0] == 0x51);
	rule("what write writes shows", lseek(rw, 11, SEEK_SET) == 11 &&
	    write(rw, "abc", 3) == 3 && memcmp(reader + 11, "abc", 3) == 0);
	own[11] = 'X';
	rule("a private write does not", reader[11] == 'a' && own[11] == 'X' && own[12] == 'b');
	rule("an offset", memcmp(second, writer + PAGE, PAGE) == 0);
	rule("rights cannot grow beyond the file's", ebb_mprotect(reader, PAGE, RW) == -1);
	rule("msync", ebb_msync(writer, 2 * PAGE, EBB_MS_SYNC) == 0);
	rule("msync, asynchronous", ebb_msync(writer, PAGE, EBB_MS_ASYNC) == 0);
	rule("msync with invalidate",
	    ebb_msync(writer, PAGE, EBB_MS_SYNC | EBB_MS_INVALIDATE) == 0 &&
	    reader[10] == 0x51 && own[11] == 'X');
	rule("fsync", fsync(rw) == 0);
	rule("a mapping outlives its file", close(rw) == 0 && (writer[12] = 'Y') == 'Y' &&
	    reader[12] == 'Y');
	rule("unmapping", ebb_munmap(writer, 2 * PAGE) == 0 && ebb_munmap(own, PAGE) == 0 &&
	    ebb_munmap(second, PAGE) == 0 && reader[12] == 'Y' &&
	    ebb_munmap(reader, PAGE) == 0);
}

static void
rules_of_memory(int ro)
{
	uint8_t *memory = map(-1, 0, 3 * PAGE, RW, ANON), *over;

	rule("shared memory", memory != NULL && memory[PAGE] == 0);
	if (memory == NULL)
		return;
	memory[0] = memory[PAGE] = memory[2 * PAGE] = 7;
	over = ebb_map(&(struct ebb_map){ .start = memory + PAGE, .bytes = PAGE, .prot = R,
	    .flags = EBB_MAP_PRIVATE | EBB_MAP_FIXED, .fd = ro });
	rule("fixed replaces what is there", over == memory + PAGE && memory[0] == 7 &&
	    memory[2 * PAGE] == 7 && memory[PAGE + 12] == 'Y');
	rule("unmapping all", ebb_munmap(memory, 3 * PAGE) == 0);
}

int
main(int argc, char **argv)
{
	struct stat stat;
	int ro, rw;

	if (argc != 2) {
		fprintf(stderr, "usage: maptest FILE\n");
		return (2);
	}
	ro = open(argv[1], O_RDONLY);
	rw = open(argv[1], O_RDWR);
	if (ro < 0 || rw < 0 || fstat(ro, &stat) != 0 || stat.st_size < 3 * (off_t)PAGE) {
		perror(argv[1]);
		return (1);
	}
	mistakes(ro, rw, argv[1]);
	rules_of_shared(ro, rw);
	rules_of_memory(ro);
	printf("maptest: %d rules, %d broken\n", rules, broken);
	return (broken != 0);
}
