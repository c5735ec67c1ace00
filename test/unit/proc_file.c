/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that write, append to, cut, empty, map and remove the same file at once, with
 * their own memory not there when the kernel wants to copy: under the seeded scheduler, on a
 * volume that fsck.fat judges in the end. EBB_SEED=seed replays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/usercpu.h"
#include "lib/ebb_abi.h"
#include "mm/mm_params.h"
#include "mm/file_pager.h"
#include "mm/vm_pageout.h"
#include "mm/vm_syncer.h"
#include "proc/proc.h"
#include "proc/trap_hooks.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"
#include "test/host/sim_user.h"

#define FRAMES    400
#define PROGRAM   "/apps/sort.elf"
#define VICTIM    "/victim.bin"
#define AREA      (16u * 4096u) /* bytes of memory that each program works in */
#define CALLS     120u
#define EXTENT    (40u * 4096u) /* of the file, about */

static struct file_disk disk;
static void (*does)(void);
static void (*child_does)(void);
static uint64_t area;

static int64_t
call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t args[6] = { a, b, c, d };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return (result);
}

static int64_t
open_file(const char *path, uint64_t mode)
{
	assert_int_equal(copyout(path, area, strlen(path) + 1), 0);
	return (call(EBB_SYS_OPEN, area, mode, 0, 0));
}

static uint32_t
fork_to(void (*fn)(void))
{
	int64_t pid;

	child_does = fn;
	pid = call(EBB_SYS_FORK, 0, 0, 0, 0);
	assert_true(pid > 0);
	return ((uint32_t)pid);
}

/* ---- a crowd */

/* What was expected, or what the others may have brought about. */
static void
allow(int64_t result)
{
	if (result < 0 && result != -ENOENT && result != -EBUSY && result != -ENOSPC)
		fail_msg("a call answers %ld", (long)result);
}


static void
write_anywhere(void)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		int64_t fd = open_file(VICTIM,
		    EBB_O_RDWR | EBB_O_CREAT | (sim_random(2) == 0 ? EBB_O_APPEND : 0));

		allow(fd);
		if (fd < 0)
			continue;
		allow(call(EBB_SYS_LSEEK, (uint64_t)fd, sim_random(EXTENT), 0, 0));
		allow(call(EBB_SYS_MADVISE, area, AREA, EBB_MADV_DONTNEED, 0));
		allow(call(EBB_SYS_WRITE, (uint64_t)fd, area, 1 + sim_random(AREA), 0));
		allow(call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0));
	}
}

static void
empty_it(void)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		int64_t fd = open_file(VICTIM, EBB_O_WRONLY | EBB_O_TRUNC);

		allow(fd);
		if (fd >= 0)
			allow(call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0));
		call(EBB_SYS_SLEEP, 1 + sim_random(20000), 0, 0, 0);
	}
}

static void
cut_it(void)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		int64_t fd = open_file(VICTIM, EBB_O_RDWR);

		allow(fd);
		if (fd < 0)
			continue;
		allow(call(EBB_SYS_FTRUNCATE, (uint64_t)fd, sim_random(EXTENT), 0, 0));
		allow(call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0));
		call(EBB_SYS_SLEEP, 1 + sim_random(20000), 0, 0, 0);
	}
}

static void
remove_it(void)
{
	uint32_t i;

	for (i = 0; i < CALLS / 10; i++) {
		call(EBB_SYS_SLEEP, 1 + sim_random(200000), 0, 0, 0);
		assert_int_equal(copyout(VICTIM, area, sizeof(VICTIM)), 0);
		allow(call(EBB_SYS_UNLINK, area, 0, 0, 0));
	}
}

/* A shared mapping, written to, locked, written back; what lies past the end is a fault. */
static void
map_it(void)
{
	uint32_t i, stored = 0;

	for (i = 0; i < CALLS; i++) {
		call(EBB_SYS_SLEEP, 1 + sim_random(5000), 0, 0, 0);
		int64_t fd = open_file(VICTIM, EBB_O_RDWR | EBB_O_CREAT), at;
		uint64_t args[6] = { 0, EXTENT, EBB_PROT_READ | EBB_PROT_WRITE, EBB_MAP_SHARED,
			(uint64_t)fd, 0 }, page;

		allow(fd);
		if (fd < 0)
			continue;
		at = proc_syscall(EBB_SYS_MMAP, args);
		allow(at);
		call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0);
		if (at < 0)
			continue;
		page = (uint64_t)at + sim_random(6) * 4096;
		if (copyout("mapped", page, 6) == 0)
			stored++;
		(void)call(EBB_SYS_MLOCK, page, 4096 * (1 + sim_random(2)), 0, 0);
		allow(call(EBB_SYS_MSYNC, (uint64_t)at, EXTENT,
		    sim_random(2) == 0 ? EBB_MS_SYNC : EBB_MS_SYNC | EBB_MS_INVALIDATE, 0));
		(void)call(EBB_SYS_WRITE, 3, page, 5000, 0); /* as far as it is there */
		allow(call(EBB_SYS_MUNMAP, (uint64_t)at, EXTENT, 0, 0));
	}
	assert_true(stored <= i);
}

/* Names that come and go in one directory, some of them while open. */
static void
name_it(void)
{
	char name[32];
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		int64_t fd;

		snprintf(name, sizeof(name), "/a long name %u.text", (unsigned)sim_random(40));
		fd = open_file(name, EBB_O_RDWR | EBB_O_CREAT | EBB_O_APPEND);
		allow(fd);
		if (sim_random(2) == 0) {
			assert_int_equal(copyout(name, area, strlen(name) + 1), 0);
			allow(call(EBB_SYS_UNLINK, area, 0, 0, 0));
		}
		if (fd < 0)
			continue;
		allow(call(EBB_SYS_WRITE, (uint64_t)fd, area, sim_random(3000), 0));
		allow(call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0));
	}
}

/* Two that share a place in the file, and move it. */
static void
share_it(void)
{
	int64_t fd = open_file(VICTIM, EBB_O_RDWR | EBB_O_CREAT);
	uint32_t i;

	allow(fd);
	allow(call(EBB_SYS_FORK, 0, 0, 0, 0)); /* child_does may be another's by now */
	for (i = 0; fd >= 0 && i < CALLS; i++) {
		allow(call(EBB_SYS_LSEEK, (uint64_t)fd, sim_random(EXTENT), 0, 0));
		allow(call(EBB_SYS_MADVISE, area, AREA, EBB_MADV_DONTNEED, 0));
		allow(call(sim_random(2) == 0 ? EBB_SYS_WRITE : EBB_SYS_READ, (uint64_t)fd, area,
		    1 + sim_random(AREA), 0));
	}
}

/* It runs a program from a file that others try to write to. */
static void
exec_it(void)
{
	const uint64_t argv = area + 100;
	int64_t fd = open_file(PROGRAM, EBB_O_RDWR);

	if (fd >= 0) { /* then nobody runs from it */
		allow(call(EBB_SYS_READ, (uint64_t)fd, area, 4096, 0));
		allow(call(EBB_SYS_CLOSE, (uint64_t)fd, 0, 0, 0));
	}
	assert_int_equal(copyout(PROGRAM, area, sizeof(PROGRAM)), 0);
	assert_int_equal(copyout(&area, argv, sizeof(area)), 0);
	allow(call(EBB_SYS_EXEC, area, argv, 1, 0));
}

static void (*const bodies[])(void) = { write_anywhere, write_anywhere, empty_it, cut_it,
	remove_it, map_it, name_it, share_it, exec_it, exec_it };
#define BODIES (sizeof(bodies) / sizeof(bodies[0]))

static void
do_crowd(void)
{
	uint32_t i;

	for (i = 0; i < BODIES; i++)
		fork_to(bodies[i]);
	while (call(EBB_SYS_WAIT, 0, 0, 0, 0) > 0)
		continue;
}

/* The same, each of them killed wherever it is. */
static void
do_killed_crowd(void)
{
	uint32_t pids[BODIES], round, i;

	for (round = 0; round < 25; round++) {
		for (i = 0; i < BODIES; i++)
			pids[i] = fork_to(bodies[i]);
		call(EBB_SYS_SLEEP, 1 + sim_random(60000), 0, 0, 0);
		for (i = 0; i < BODIES; i++) {
			call(EBB_SYS_SLEEP, 1 + sim_random(2000), 0, 0, 0);
			(void)call(EBB_SYS_KILL, pids[i], 0, 0, 0);
		}
		while (call(EBB_SYS_WAIT, 0, 0, 0, 0) > 0)
			continue;
	}
}

/* ---- one after another */

static void
cut_in_a_while(void)
{
	int64_t fd = open_file(VICTIM, EBB_O_RDWR);

	call(EBB_SYS_SLEEP, 20000, 0, 0, 0);
	assert_int_equal(call(EBB_SYS_FTRUNCATE, (uint64_t)fd, 100, 0, 0), 0);
}

/* A page of the file goes while the kernel waits for the memory to be copied there. */
static void
do_cut_under_write(void)
{
	int64_t fd = open_file(VICTIM, EBB_O_RDWR | EBB_O_CREAT), from;
	int64_t far = open_file("/big.dat", EBB_O_RDONLY);
	uint64_t args[6] = { 0, AREA, EBB_PROT_READ, EBB_MAP_PRIVATE, (uint64_t)far, 0 };

	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fd, area, 3 * 4096, 0), 3 * 4096);
	from = proc_syscall(EBB_SYS_MMAP, args);
	assert_true(from > 0);
	fork_to(cut_in_a_while);
	call(EBB_SYS_SLEEP, 15000, 0, 0, 0);
	disk.latency_us = 10000;
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 8192, 0, 0), 8192);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fd, (uint64_t)from + 8192, 10, 0), 10);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 0, 2, 0), 100);
	assert_true(call(EBB_SYS_WAIT, 0, 0, 0, 0) > 0);
}

/* What cannot be fetched from the program makes no file longer, nor by a hole. */
static void
do_bad_memory(void)
{
	uint64_t at = (uint64_t)call(EBB_SYS_MMAP, 0, 2 * 4096, EBB_PROT_READ, 0);
	int64_t fd = open_file(VICTIM, EBB_O_RDWR | EBB_O_CREAT);

	assert_int_equal(call(EBB_SYS_MPROTECT, at + 4096, 4096, 0, 0), 0);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fd, 8, 10, 0), -EFAULT);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 0, 2, 0), 0);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 9000, 0, 0), 9000);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fd, 8, 10, 0), -EFAULT);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 0, 2, 0), 0);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 8192, 0, 0), 8192);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fd, at, 2 * 4096, 0), 4096);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fd, 0, 2, 0), 3 * 4096);
}

/* ---- the frame */

static void
program(const struct cpu_user_start *start)
{
	(void)start;
	if (curtask()->proc->parent_pid != 0) /* exec_it */
		call(EBB_SYS_EXIT, 0, 0, 0, 0);
	area = (uint64_t)call(EBB_SYS_MMAP, 0, AREA, EBB_PROT_READ | EBB_PROT_WRITE, 0);
	assert_int_equal(area % 4096, 0);
	does();
	call(EBB_SYS_EXIT, 0, 0, 0, 0);
	abort();
}

static void
child(void)
{
	child_does();
	call(EBB_SYS_EXIT, 0, 0, 0, 0);
	abort();
}

/* What is on the disk passes fsck.fat without a word. */
static void
check_sound(void)
{
	char copy[] = "build/test-fat/file-XXXXXX";
	int fd = mkstemp(copy);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, disk.bytes, disk.byte_count), (ssize_t)disk.byte_count);
	close(fd);
	fat_image_shell("PATH=$PATH:/usr/sbin:/sbin fsck.fat -n %s >%s.out 2>&1 || "
			"{ cat %s.out; exit 1; }",
	    copy, copy, copy);
	fat_image_shell("rm %s %s.out", copy, copy);
}

static void
run(void (*fn)(void), uint64_t seed)
{
	const char *const argv[] = { "sort" };
	struct proc_exit ended;
	uint32_t pid;

	console_tap_begin();
	kern_params_register();
	mm_params_register();
	sim_swap_boot(FRAMES, 600);
	assert_int_equal(file_pager_start(), 0);
	assert_int_equal(vm_pageout_start(), 0);
	assert_int_equal(vm_syncer_start(), 0);
	proc_init();
	assert_int_equal(file_disk_open(&disk, "fd0",
	    (void *)fat_image_make("few512", 1, false)), 0);
	sim_user_install(&disk);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	sim_user_program = program;
	sim_user_child = child;
	does = fn;
	disk.latency_us = 1000;
	if (seed != 0)
		sim_random_scheduler(sim_seed(seed));
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_wait(0, pid, &ended), 0);
	assert_int_equal(ended.status, 0);
	sim_random_scheduler(0);
	tsleep(&disk, "rest", 100000);
	assert_null(proc_next(NULL));
	assert_int_equal(vm_syncer_sync(), 0);
	sim_mm_check();
	check_sound();
	file_disk_close(&disk);
}

static void
crowd_body(void *arg)
{
	(void)arg;
	static const uint8_t seeds[] = { 1, 4, 6, 18, 27, 47 };
	uint32_t i;

	for (i = 0; i < sizeof(seeds); i++) {
		run(do_crowd, seeds[i]);
		run(do_killed_crowd, seeds[i]);
	}
}

static void
a_crowd_on_one_file(void **state)
{
	sim_run(crowd_body, state);
}

static void
cut_under_write_body(void *arg)
{
	(void)arg;
	run(do_cut_under_write, 0);
}

static void
a_page_goes_while_it_is_written(void **state)
{
	sim_run(cut_under_write_body, state);
}

static void
bad_memory_body(void *arg)
{
	(void)arg;
	run(do_bad_memory, 0);
}

static void
what_cannot_be_fetched_is_not_written(void **state)
{
	sim_run(bad_memory_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_goes_while_it_is_written),
		cmocka_unit_test(what_cannot_be_fetched_is_not_written),
		cmocka_unit_test(a_crowd_on_one_file),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
