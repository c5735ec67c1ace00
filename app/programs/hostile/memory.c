/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks by memory: addresses that are others', maps of every odd shape, more memory than
 * there is, code that changes, and calls whose arguments fault.
 *
 * Owns: what it maps.
 * Does not: move the stack pointer (cpu_*.c).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: hostile.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/programs/hostile/hostile.h"

#define PAGE       4096u
#define RW         (PROT_READ | PROT_WRITE)
#define MAP_TRIES  3000
#define ENTRIES    200000 /* map entries that the map bomb asks for at most */
#define CODE_RUNS  100
#define DEPTH      (1 << 30)
#define WORDS      "/data/words.txt"
#define SCRATCH    "/data/hostile.tmp"
#define FILE_BYTES (16 * PAGE)
#define FILE_STEPS 150

/* ---- the kernel's addresses */

static void
read_at(uintptr_t address)
{
	(void)*(volatile uint8_t *)address;
}

static void
write_at(uintptr_t address)
{
	*(volatile uint8_t *)address = 1;
}

static void
jump_to(uintptr_t address)
{
	((void (*)(void))address)();
}

static int
kernel_addresses(void)
{
	static const uint64_t addresses[] = { 0, 4, 0xfff, UINT64_C(0xffff0000), UINT32_MAX & ~3u,
		UINT64_C(1) << 39, UINT64_C(1) << 47, UINT64_C(1) << 48, INT64_MAX & ~7,
		UINT64_C(1) << 63, UINT64_C(0xffff000000000000), UINT64_C(0xffffff7ffffff000),
		UINT64_C(0xffffff8000000000), UINT64_C(0xffffff8000080000),
		UINT64_C(0xffffff8040000000), UINT64_C(0xffffffc000000000),
		UINT64_C(0xffffffe000000000), UINT64_MAX & ~7,
		UINT64_C(0x0100000000400000), UINT64_C(0xff00000000400000) };
	int wrong = 0;
	uint32_t i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uintptr_t address = (uintptr_t)addresses[i];

		if (address != addresses[i])
			continue;
		wrong += end_of(read_at, address) != FAULT;
		wrong += end_of(write_at, address) != FAULT;
		wrong += end_of(jump_to, address) != FAULT;
	}
	return (wrong);
}

/* ---- maps */

static uint64_t
odd_address(void)
{
	uint64_t top = UINT64_C(1) << (UINTPTR_MAX == UINT32_MAX ? 32 : 39);

	switch (random_below(5)) {
	case 0:
		return (top - random_below(8) * PAGE);
	case 1:
		return ((uintptr_t)&odd_address + random_below(3)); /* text */
	case 2:
		return (random_below(16) * PAGE);
	case 3:
		return ((uint64_t)random_below(UINT32_MAX) << random_below(8));
	default:
		return (top / 2 + (uint64_t)random_below(64) * PAGE);
	}
}

static uint64_t
odd_size(void)
{
	switch (random_below(4)) {
	case 0:
		return (1 + random_below(16) * PAGE);
	case 1:
		return (UINT64_C(1) << random_below(64));
	case 2:
		return ((UINT64_C(1) << random_below(40)) - random_below(PAGE));
	default:
		return (UINT64_MAX - random_below(3 * PAGE));
	}
}

/* All in a child: it may well unmap what it runs from. */
static void
map_oddly(uintptr_t unused)
{
	static const uint8_t calls[] = { EBB_SYS_MMAP, EBB_SYS_MMAP, EBB_SYS_MUNMAP,
		EBB_SYS_MPROTECT, EBB_SYS_MADVISE, EBB_SYS_MINHERIT, EBB_SYS_MSYNC, EBB_SYS_MLOCK,
		EBB_SYS_MUNLOCK };
	int fd = open(WORDS, O_RDONLY), i;

	(void)unused;
	for (i = 0; i < MAP_TRIES; i++) {
		uint64_t call = calls[random_below(sizeof(calls))];
		uint64_t args[6] = { odd_address(), odd_size(), random_below(8), 0, (uint64_t)fd,
			odd_address() };

		if (call == EBB_SYS_MMAP)
			args[3] = random_below(0x40);
		ebb_syscall_args(call, args);
	}
}

static int
maps(void)
{
	int i, wrong = 0;

	for (i = 0; i < 8; i++) {
		wrong += (end_of(map_oddly, 0) & (EXITS | FAULT)) == 0;
		random_below(2); /* the next child draws others */
	}
	return (wrong);
}

/* Every second page has other rights: a map entry each, which the kernel must keep. */
static int
map_bomb(void)
{
	size_t bytes = (size_t)ENTRIES * PAGE;
	uint8_t *base = ebb_mmap(bytes, EBB_PROT_READ);
	size_t i;

	if (base == NULL)
		return (1);
	for (i = 0; i < ENTRIES; i += 2)
		if (mprotect(base + i * PAGE, PAGE, RW) != 0)
			break;
	return (i < ENTRIES && errno == ENOMEM ? 0 : 2);
}

/* A page here and a page there, far apart: a page table for each. */
static int
table_bomb(void)
{
	size_t step = 2u << 20, count = UINTPTR_MAX == UINT32_MAX ? 700 : 3000, i;
	uint8_t *base = ebb_mmap(step * count, EBB_PROT_READ | EBB_PROT_WRITE);

	if (base == NULL)
		return (1);
	for (i = 0; i < count; i++)
		base[i * step] = (uint8_t)i;
	for (i = 0; i < count; i++)
		if (base[i * step] != (uint8_t)i)
			return (2);
	return (0);
}

/* ---- more than there is */

static int
memory_bomb(void)
{
	size_t piece = 1u << 20, i;
	uint8_t *memory;

	while ((memory = ebb_mmap(piece, EBB_PROT_READ | EBB_PROT_WRITE)) != NULL)
		for (i = 0; i < piece; i += PAGE)
			memory[i] = 1;
	return (1);
}

/* The same within a budget and a limit of addresses: refused, not killed. */
static int
limited_bomb(void)
{
	const struct rlimit limit = { .rlim_cur = 16u << 20, .rlim_max = 16u << 20 };
	size_t piece = 1u << 20, i, pieces = 0;
	uint8_t *memory;

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return (1);
	while ((memory = ebb_mmap(piece, EBB_PROT_READ | EBB_PROT_WRITE)) != NULL) {
		pieces++;
		for (i = 0; i < piece; i += PAGE)
			memory[i] = 1;
	}
	return (errno == ENOMEM && pieces > 4 && pieces < 17 ? 0 : 2);
}

/* Wires all it can get; what is left must do for the others. */
static int
wire_bomb(void)
{
	size_t piece = 64u * 1024, total = 0;
	uint8_t *memory;

	while ((memory = ebb_mmap(piece, EBB_PROT_READ | EBB_PROT_WRITE)) != NULL &&
	    mlock(memory, piece) == 0)
		total += piece;
	return (total > 0 ? 0 : 1);
}

static int
deep(int depth)
{
	volatile char here[512];

	here[0] = (char)depth;
	return (depth == 0 ? here[0] : deep(depth - 1) + here[0]);
}

static int
stack_bomb(void)
{
	return (deep(DEPTH));
}

/* ---- code */

static int
text(void)
{
#ifdef __aarch64__
	const uint32_t code[2] = { 0x52800000, 0xd65f03c0 }; /* mov w0, #n << 5; ret */
	const uint32_t shift = 5;
#else
	const uint32_t code[2] = { 0xe3a00000, 0xe12fff1e }; /* mov r0, #n; bx lr */
	const uint32_t shift = 0;
#endif
	uint32_t *page = ebb_mmap(PAGE, EBB_PROT_READ | EBB_PROT_WRITE), i;

	if (page == NULL || mprotect(page, PAGE, RW | PROT_EXEC) == 0)
		return (1);
	for (i = 0; i < CODE_RUNS; i++) {
		page[0] = code[0] | i << shift;
		page[1] = code[1];
		__builtin___clear_cache((char *)page, (char *)page + 8);
		if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0 ||
		    ((uint32_t (*)(void))(uintptr_t)page)() != i)
			return (2);
		if (end_of(write_at, (uintptr_t)page) != FAULT)
			return (3);
		if (mprotect(page, PAGE, RW) != 0 || end_of(jump_to, (uintptr_t)page) != FAULT)
			return (4);
	}
	return (end_of(write_at, (uintptr_t)&text & ~(uintptr_t)3) == FAULT ? 0 : 5);
}

/* ---- calls that fault on their way */

/* Two pages of which only the first is there. */
static char *
edge(void)
{
	char *base = ebb_mmap(2 * PAGE, EBB_PROT_READ | EBB_PROT_WRITE);

	if (base == NULL || munmap(base + PAGE, PAGE) != 0)
		_exit(90);
	return (base + PAGE);
}

static int
call_faults(void)
{
	char *end = edge(), *argv[] = { end - 9, NULL }, *late;
	int fd = open(WORDS, O_RDONLY), pipes[2], wrong = 0;

	wrong += fd < 0 || read(fd, end - 100, 200) >= 0;
	wrong += lseek(fd, 0, SEEK_CUR) != 0;
	wrong += read(fd, end - 100, 100) != 100;
	memset(end - 9, 'x', 9);
	wrong += open(end - 9, O_RDONLY) >= 0 || errno != EFAULT;
	wrong += execv(end - 9, argv) >= 0 || errno != EFAULT;
	wrong += write(1, end - 1, PAGE) > 1;
	printf("\n");
	wrong += pipe(pipes) != 0 || write(pipes[1], end - 100, 200) >= 0 || errno != EFAULT;
	wrong += write(pipes[1], end - 100, 100) != 100 || read(pipes[0], end, 100) >= 0;
	wrong += read(pipes[0], end - 50, 100) != 50;
	/* a page that comes in while the call runs, and a mapping of the file that is read */
	late = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	wrong += late == MAP_FAILED || write(pipes[1], late, 512) != 512;
	wrong += read(pipes[0], late, 512) >= 0 || errno != EFAULT;
	wrong += mprotect(end - PAGE, PAGE, PROT_READ) != 0 || read(fd, end - 10, 10) >= 0;
	return (wrong);
}

/* ---- one open file, several processes */

static void
use_file(int fd)
{
	uint8_t *memory = ebb_mmap(FILE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);
	const uint8_t *words = mmap(NULL, 2 * FILE_BYTES, PROT_READ, MAP_PRIVATE,
	    open(WORDS, O_RDONLY), 0);
	int i;

	if (memory == NULL || words == MAP_FAILED)
		_exit(91);
	for (i = 0; i < FILE_STEPS; i++) {
		off_t place = (off_t)random_below(FILE_BYTES);

		switch (random_below(6)) {
		case 0:
			lseek(fd, place, SEEK_SET);
			break;
		case 3: /* empty it past the lock of those who make it longer */
			close(open(SCRATCH, O_WRONLY | O_CREAT | O_TRUNC));
			break;
		case 4: /* write what has to be fetched first */
			madvise(memory, FILE_BYTES / 2, MADV_DONTNEED);
			write(fd, words + random_below(FILE_BYTES), random_below(3 * PAGE));
			break;
		case 1:
			write(fd, memory + random_below(FILE_BYTES / 2), random_below(3 * PAGE));
			break;
		case 2:
			ftruncate(fd, place);
			break;
		default:
			read(fd, memory + random_below(FILE_BYTES / 2), random_below(3 * PAGE));
		}
	}
}

/* They pull its place and its end away from under each other's reads and writes. */
static int
shared_file(void)
{
	int fd = open(SCRATCH, O_RDWR | O_CREAT | O_TRUNC), i, wrong = 0;

	if (fd < 0)
		return (1);
	for (i = 0; i < 4; i++) {
		random_below(2);
		if (fork() == 0) {
			use_file(fd);
			_exit(0);
		}
	}
	for (; i > 0; i--) {
		int status = 0;

		wrong += wait(&status) < 0 || status != 0;
	}
	return (wrong + (close(fd) != 0) + (unlink(SCRATCH) != 0));
}

const struct attack memory_attacks[] = {
	{ "kernel", kernel_addresses, EXITS, "reads, writes, jumps at the kernel's addresses" },
	{ "maps", maps, EXITS, "maps of odd addresses and sizes" },
	{ "mapbomb", map_bomb, EXITS, "as many map entries as it can get" },
	{ "tablebomb", table_bomb, EXITS, "as many page tables as it can get" },
	{ "membomb", memory_bomb, OOM, "touches memory until it is ended" },
	{ "limited", limited_bomb, EXITS, "the same under a limit, which refuses" },
	{ "wirebomb", wire_bomb, EXITS, "wires all it can get" },
	{ "stackbomb", stack_bomb, FAULT, "recursion without end" },
	{ "text", text, EXITS, "writes code, runs it, writes it again" },
	{ "sharedfile", shared_file, EXITS, "one open file, cut and moved by four at once" },
	{ "callfaults", call_faults, EXITS, "calls whose arguments fault half way" },
	{ 0 },
};
