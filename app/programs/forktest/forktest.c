/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forktest: programs that become two, write, and check that nobody sees the other's bytes.
 *
 *   run forktest [MIB [GENERATIONS [EXECS]]]
 *
 *   tree         one program becomes eight by three forks; each writes a third of its
 *                MIB MiB after each fork, and all check all of it
 *   generations  each generation forks, the parent writes and ends, the child writes, checks
 *                and goes on
 *   execs        fork and exec of this program, which sees its arguments and fresh memory
 *
 * Owns: its memory; one page that all its descendants share, for their findings.
 * Does not: measure time.
 * Invariants:
 *   T1  word k of page n holds word_of(n, tag[n], k)
 * Yields: a program, preemptive.
 * See: contract 1.16, 1.17; test/target/forktest.test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"

#define PAGE_BYTES  4096u
#define PAGE_WORDS  (PAGE_BYTES / sizeof(uint64_t))
#define LEVELS      3u
#define PROGRAM     EBB_PROGRAM("forktest")
#define EXEC_STATUS 42
#define POLL_US     5000u
#define POLLS_MAX   60000u

/* What the descendants of the first program tell it. */
struct findings {
	volatile uint32_t generation;
	volatile uint32_t mismatches;
	volatile uint32_t failures;
	volatile uint32_t done;
};

static uint64_t *memory;
static uint32_t *tag;
static uint32_t pages;
static struct findings *shared;
static uint32_t untouched = 1; /* an exec brings it back */

static uint64_t
word_of(uint64_t page, uint64_t t, uint64_t k)
{
	uint64_t x = (page << 32 ^ t << 8 ^ k) * 0x9e3779b97f4a7c15u;

	return (x ^ x >> 31);
}

static void
write_page(uint32_t page, uint32_t t)
{
	uint32_t k;

	tag[page] = t;
	for (k = page % 7; k < PAGE_WORDS; k += 61)
		memory[page * PAGE_WORDS + k] = word_of(page, t, k);
}

static void
check_page(uint32_t page)
{
	uint32_t k;

	for (k = page % 7; k < PAGE_WORDS; k += 61)
		if (memory[page * PAGE_WORDS + k] != word_of(page, tag[page], k))
			shared->mismatches++;
}

static void
check_all(void)
{
	uint32_t page;

	for (page = 0; page < pages; page++)
		check_page(page);
}

/* Wait for all children; each that did not end well is a failure. */
static void
wait_all(uint32_t children)
{
	int status;

	while (children-- > 0)
		if (wait(&status) <= 0 || status != 0)
			shared->failures++;
}

/* ---- tree */

static void
tree_write(uint32_t id, uint32_t level)
{
	uint32_t page;

	for (page = level; page < pages; page += LEVELS)
		write_page(page, id);
}

static void
tree(void)
{
	uint32_t level, id = 1, children = 0;
	int pid;

	for (level = 0; level < LEVELS; level++) {
		pid = fork();
		if (pid < 0) {
			shared->failures++;
			break;
		}
		id = 2 * id + (pid == 0);
		children = pid == 0 ? 0 : children + 1;
		tree_write(id, level);
	}
	check_all();
	wait_all(children);
	check_all();
	if (id != 1u << LEVELS)
		_exit(0);
	printf("forktest: tree of %u programs, %u pages each, %u mismatches, %u failures\n",
	    1u << LEVELS, (unsigned)pages, (unsigned)shared->mismatches,
	    (unsigned)shared->failures);
}

/* ---- generations */

/* One generation's writes and checks, a few pages each. */
static void
visit(uint32_t generation, uint32_t t)
{
	uint32_t i, page;

	for (i = 0; i < 8; i++) {
		page = (generation * 37 + i * 101) % pages;
		check_page(page);
		write_page(page, t);
		check_page((page + 1) % pages);
	}
}

/* The first generation; never returns. */
static void
lineage(uint32_t count)
{
	uint32_t g;
	int pid;

	for (g = 1; g <= count; g++) {
		pid = fork();
		if (pid < 0) {
			shared->failures++;
			break;
		}
		if (pid > 0) {
			visit(g, 1000000 + g); /* nobody may see these */
			_exit(0);
		}
		visit(g, g);
		shared->generation = g;
	}
	check_all();
	shared->done = 1;
	_exit(0);
}

static void
generations(uint32_t count)
{
	uint32_t polls = 0;
	int pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		lineage(count);
	while (pid > 0 && !shared->done && polls++ < POLLS_MAX)
		ebb_sleep_us(POLL_US);
	wait_all(1);
	printf("forktest: %u generations, %u mismatches, %u failures\n",
	    (unsigned)shared->generation, (unsigned)shared->mismatches,
	    (unsigned)shared->failures);
}

/* ---- registers */

#ifdef __aarch64__
#define D8_SET(value) __asm__ volatile("fmov d8, %d0" :: "w"(value) : "v8")
#define D8_GET(value) __asm__ volatile("fmov %d0, d8" : "=w"(value))
#else
#define D8_SET(value) __asm__ volatile("vmov.f64 d8, %P0" :: "w"(value) : "d8")
#define D8_GET(value) __asm__ volatile("vmov.f64 %P0, d8" : "=w"(value))
#endif

/* A floating-point register that C code keeps over calls: does a child have it too, and
 * each its own from then on? */
static int
registers_kept(void)
{
	double before = 355.0 / 113.0, child, after;
	int status = 1, pid;

	D8_SET(before);
	pid = fork();
	D8_GET(child);
	if (pid == 0) {
		D8_SET(0.0);
		_exit(child == before ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return (0);
	D8_GET(after);
	return (status == 0 && after == before);
}

/* ---- exec */

static void
execs(uint32_t count)
{
	char *const argv[] = { "forktest", "-exec", "one two", NULL };
	uint32_t i, good = 0;
	int status;

	if (execv("/apps/none.elf", argv) != -1)
		shared->failures++;
	for (i = 0; i < count; i++) {
		untouched = 0;
		int pid = fork();

		if (pid == 0) {
			execv(PROGRAM, argv);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			break;
		good += WIFEXITED(status) && WEXITSTATUS(status) == EXEC_STATUS;
	}
	if (good != count)
		shared->failures++;
	printf("forktest: %u of %u execs, %u failures\n", (unsigned)good, (unsigned)count,
	    (unsigned)shared->failures);
}

/* What an exec has started. */
static int
executed(int argc, char **argv)
{
	int i;

	if (argc != 3 || strcmp(argv[2], "one two") != 0 || !untouched || memory != NULL)
		return (1);
	memory = malloc(64 * 1024);
	for (i = 0; memory != NULL && i < 8192; i++)
		memory[i] = (uint64_t)i;
	return (memory != NULL && memory[8191] == 8191 ? EXEC_STATUS : 2);
}

static int
usage_error(void)
{
	fprintf(stderr, "usage: forktest [MIB [GENERATIONS [EXECS]]]  (MIB 1 to 4096)\n");
	return (2);
}

static int
prepare(uint32_t mib)
{
	uint32_t page;

	pages = mib * (1024 * 1024 / PAGE_BYTES);
	memory = ebb_mmap((size_t)pages * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	tag = malloc(pages * sizeof(tag[0]));
	shared = ebb_mmap(PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	if (memory == NULL || tag == NULL || shared == NULL ||
	    ebb_syscall(EBB_SYS_MINHERIT, (uintptr_t)shared, PAGE_BYTES, EBB_INHERIT_SHARE) != 0) {
		fprintf(stderr, "forktest: no memory\n");
		return (1);
	}
	for (page = 0; page < pages; page++)
		write_page(page, 0);
	return (0);
}

int
main(int argc, char **argv)
{
	uint32_t mib = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 2;
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000;
	uint32_t starts = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 1000;

	if (argc > 1 && strcmp(argv[1], "-exec") == 0)
		return (executed(argc, argv));
	if (mib < 1 || mib > 4096)
		return (usage_error());
	if (prepare(mib) != 0)
		return (1);
	if (!registers_kept()) {
		printf("forktest: a child has other registers than its parent\n");
		shared->failures++;
	}
	tree();
	generations(count);
	execs(starts);
	return (shared->mismatches == 0 && shared->failures == 0 ? 0 : 1);
}
