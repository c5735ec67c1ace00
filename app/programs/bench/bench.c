/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench: what the kernel's paths cost, in ticks of the virtual counter.
 *
 *   run bench null|flag|zero|swapin MIB|major MIB|switch|fork|exec
 *
 * Under QEMU's -icount shift=0 one nanosecond is one instruction and the counter
 * (62.5 MHz) ticks every 16, so a mean over thousands of events is exact to a few
 * hundredths of an instruction. Time in which the core idled (waiting for a device) is
 * subtracted. Each figure is a mean over the events counted by the kernel itself.
 *
 *   null    null system calls
 *   flag    emulated access-flag faults: clear all flags, touch each page again
 *   zero    first touches of fresh memory that fits
 *   swapin  touches of memory that was pushed out, with free memory in plenty
 *   major   random writes to memory twice the pool: each fault evicts, too
 *   switch, fork, exec   see process.c
 *
 * Owns: its memory.
 * Does not: judge; test/bench holds the aims.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: README.md, "Figures".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/counter.h"
#include "app/libebb/ebb.h"
#include "app/libebb/random.h"
#include "app/programs/bench/bench.h"

static uint64_t random_state = RANDOM_SEED;

void
mark(struct mark *m)
{
	struct ebb_times times = { 0 };

	memset(m, 0, sizeof(*m));
	ebb_usage(&m->usage);
	ebb_times(&times);
	m->idle_us = times.idle_us;
	m->ticks = counter_ticks();
}

uint64_t
busy_ns(const struct mark *a, const struct mark *b)
{
	uint64_t ns = (b->ticks - a->ticks) * 1000000000u / counter_ticks_per_second();
	uint64_t idle_ns = (b->idle_us - a->idle_us) * 1000;

	return (ns > idle_ns ? ns - idle_ns : 0);
}

void
print_mean(const char *what, uint64_t ns, uint64_t events)
{
	if (events == 0) {
		printf("bench: %s: no events\n", what);
		return;
	}
	printf("bench: %s: %llu.%02llu instructions, mean of %llu events\n", what,
	    (unsigned long long)(ns / events), (unsigned long long)(ns * 100 / events % 100),
	    (unsigned long long)events);
}

static volatile uint64_t *
memory_of(uint64_t pages)
{
	void *memory = ebb_mmap(pages * PAGE_BYTES, EBB_PROT_READ | EBB_PROT_WRITE);

	if (memory == NULL) {
		perror("bench");
		exit(1);
	}
	return (memory);
}

static void
write_pages(volatile uint64_t *memory, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i++)
		memory[i * (PAGE_BYTES / 8)] = i;
}

static uint64_t
read_pages(volatile uint64_t *memory, uint64_t pages)
{
	uint64_t i, sum = 0;

	for (i = 0; i < pages; i++)
		sum += memory[i * (PAGE_BYTES / 8)];
	return (sum);
}

static int
bench_null(void)
{
	const uint64_t calls = 100000;
	struct mark a, b;
	uint64_t i;

	mark(&a);
	for (i = 0; i < calls; i++)
		ebb_null();
	mark(&b);
	print_mean("null system call", busy_ns(&a, &b), calls);
	return (0);
}

static int
bench_zero(void)
{
	const uint64_t pages = 4096;
	volatile uint64_t *memory = memory_of(pages);
	struct mark a, b;

	mark(&a);
	write_pages(memory, pages);
	mark(&b);
	print_mean("zero-fill fault", busy_ns(&a, &b), b.usage.zero_fills - a.usage.zero_fills);
	return (0);
}

static int
bench_flag(void)
{
	const uint64_t pages = 4096;
	volatile uint64_t *memory = memory_of(pages);
	uint64_t ns = 0, events = 0;
	int round;

	write_pages(memory, pages);
	for (round = 0; round < 4; round++) {
		struct mark a, b;

		ebb_working_set();
		mark(&a);
		read_pages(memory, pages);
		mark(&b);
		ns += busy_ns(&a, &b);
		events += b.usage.flag_faults - a.usage.flag_faults;
	}
	print_mean("emulated access-flag fault", ns, events);
	return (0);
}

/* Push our memory out by a program that needs all there is. */
static int
squeeze(const char *mib)
{
	char *argv[] = { "memhog", (char *)mib, "0" };
	int status = 1, pid = ebb_spawn(EBB_PROGRAM("memhog"), argv, 3);

	if (pid < 0 || ebb_wait((uint32_t)pid, &status) != pid || status != 0) {
		printf("bench: memhog failed\n");
		return (1);
	}
	return (0);
}

static int
bench_swapin(const char *mib)
{
	const uint64_t pages = 2048;
	volatile uint64_t *memory = memory_of(pages);
	struct mark a, b;
	uint64_t i;

	write_pages(memory, pages);
	if (squeeze(mib) != 0)
		return (1);
	mark(&a);
	for (i = 0; i < pages; i++)
		(void)memory[(i * 1021 % pages) * (PAGE_BYTES / 8)];
	mark(&b);
	print_mean("swap-in, per fault with a read", busy_ns(&a, &b),
	    b.usage.page_in_ops - a.usage.page_in_ops);
	print_mean("swap-in, per page read", busy_ns(&a, &b),
	    b.usage.page_ins - a.usage.page_ins);
	return (0);
}

static int
bench_major(uint64_t pages)
{
	volatile uint64_t *memory = memory_of(pages);
	struct mark a, b;
	uint64_t i;

	write_pages(memory, pages);
	for (i = 0; i < pages; i++)
		memory[random_next(&random_state) % pages * (PAGE_BYTES / 8)] = i;
	mark(&a);
	for (i = 0; i < 4 * pages; i++)
		memory[random_next(&random_state) % pages * (PAGE_BYTES / 8)] = i;
	mark(&b);
	print_mean("major fault with eviction, per fault", busy_ns(&a, &b),
	    b.usage.page_in_ops - a.usage.page_in_ops);
	print_mean("major fault with eviction, per page read", busy_ns(&a, &b),
	    b.usage.page_ins - a.usage.page_ins);
	printf("bench: page-ins %llu in %llu reads, page-outs %llu in %llu writes, "
	       "flag faults %llu\n",
	    (unsigned long long)(b.usage.page_ins - a.usage.page_ins),
	    (unsigned long long)(b.usage.page_in_ops - a.usage.page_in_ops),
	    (unsigned long long)(b.usage.page_outs - a.usage.page_outs),
	    (unsigned long long)(b.usage.page_out_ops - a.usage.page_out_ops),
	    (unsigned long long)(b.usage.flag_faults - a.usage.flag_faults));
	return (0);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t mib = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;

	if (strcmp(what, "null") == 0 && argc == 2)
		return (bench_null());
	if (strcmp(what, "flag") == 0 && argc == 2)
		return (bench_flag());
	if (strcmp(what, "zero") == 0 && argc == 2)
		return (bench_zero());
	if (strcmp(what, "swapin") == 0 && mib != 0)
		return (bench_swapin(argv[2]));
	if (strcmp(what, "major") == 0 && mib != 0)
		return (bench_major(mib * 1024 * 1024 / PAGE_BYTES));
	if (strcmp(what, "switch") == 0 && argc == 2)
		return (bench_switch());
	if (strcmp(what, "fork") == 0 && argc == 2)
		return (bench_fork());
	if (strcmp(what, "exec") == 0 && argc == 2)
		return (bench_exec());
	if (strcmp(what, "arrived") == 0 && argc == 4)
		return (bench_arrived(argv[2], argv[3]));
	fprintf(stderr, "usage: bench null|flag|zero|swapin MIB|major MIB|switch|fork|exec\n");
	return (2);
}
