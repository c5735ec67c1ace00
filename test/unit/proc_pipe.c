/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and descriptors: what is written at one end is read at the other, in order and
 * whole; who waits is woken by bytes, by room, by the end of the other side and by a kill;
 * descriptors that are copies share their file; nothing is left when all have ended.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/fat32.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "kern/uma.h"
#include "kern/usercpu.h"
#include "lib/ebb_abi.h"
#include "mm/mm_params.h"
#include "proc/proc.h"
#include "proc/trap_hooks.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_user.h"

#define FRAMES  1024
#define PROGRAM "/apps/sort.elf"
#define AREA    (64u * 1024u)  /* bytes of memory that each program works in */
#define RECORD  EBB_PIPE_BUF
#define RECORDS 40u            /* of each writer */

static struct file_disk disk;
static void (*does)(void);
static void (*child_does)(void);
static uint64_t area;          /* the same place in parent and children */
static int32_t fds[2];

static int64_t
call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t args[6] = { a, b, c };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return (result);
}

static _Noreturn void
end(void)
{
	call(EBB_SYS_EXIT, 0, 0, 0);
	abort();
}

static int64_t
send(const void *bytes, uint32_t count)
{
	assert_int_equal(copyout(bytes, area, count), 0);
	return (call(EBB_SYS_WRITE, (uint64_t)fds[1], area, count));
}

static int64_t
receive(void *bytes, uint32_t count)
{
	int64_t n = call(EBB_SYS_READ, (uint64_t)fds[0], area + AREA / 2 + 4000, count);

	if (n > 0)
		assert_int_equal(copyin(area + AREA / 2 + 4000, bytes, (size_t)n), 0);
	return (n);
}

static int64_t
close_end(uint32_t which)
{
	return (call(EBB_SYS_CLOSE, (uint64_t)fds[which], 0, 0));
}

static void
open_pipe(void)
{
	assert_int_equal(call(EBB_SYS_PIPE, area, 0, 0), 0);
	assert_int_equal(copyin(area, fds, sizeof(fds)), 0);
}

static uint32_t
fork_to(void (*fn)(void))
{
	int64_t pid;

	child_does = fn;
	pid = call(EBB_SYS_FORK, 0, 0, 0);
	assert_true(pid > 0);
	call(EBB_SYS_SLEEP, 1000, 0, 0); /* it has begun */
	return ((uint32_t)pid);
}

/* ---- what they do */

static uint8_t
stream_byte(uint32_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

#define STREAM 20000u

static void
write_stream(void)
{
	static uint8_t bytes[STREAM];
	uint32_t i;

	close_end(0);
	for (i = 0; i < STREAM; i++)
		bytes[i] = stream_byte(i);
	assert_int_equal(send(bytes, STREAM), STREAM);
	end();
}

/* More than it holds goes through, and then it ends. */
static void
do_stream(void)
{
	uint8_t bytes[777];
	uint32_t at = 0, i;
	int64_t n;

	open_pipe();
	assert_int_equal(fds[0], 3);
	assert_int_equal(fds[1], 4);
	fork_to(write_stream);
	close_end(1);
	while ((n = receive(bytes, sizeof(bytes))) > 0)
		for (i = 0; i < (uint32_t)n; i++)
			assert_int_equal(bytes[i], stream_byte(at++));
	assert_int_equal(n, 0);
	assert_int_equal(at, STREAM);
	assert_int_equal(receive(bytes, 1), 0);
	assert_int_equal(call(EBB_SYS_WAIT, 0, 0, 0) > 0, true);
}

static void
write_records(void)
{
	uint8_t record[RECORD];
	uint32_t i;

	memset(record, (int)(curtask()->proc->pid & 0xff), sizeof(record));
	for (i = 0; i < RECORDS; i++)
		assert_int_equal(send(record, RECORD), RECORD);
	end();
}

/* Three write at once: what one call wrote, up to EBB_PIPE_BUF, lies together. */
static void
do_records(void)
{
	static uint8_t bytes[3 * RECORDS * RECORD + 1];
	uint32_t at = 0, i;
	int64_t n;

	open_pipe();
	fork_to(write_records);
	fork_to(write_records);
	fork_to(write_records);
	close_end(1);
	while ((n = receive(bytes + at, 900)) > 0)
		at += (uint32_t)n;
	assert_int_equal(at, 3 * RECORDS * RECORD);
	for (i = 0; i < at; i++)
		assert_int_equal(bytes[i], bytes[i / RECORD * RECORD]);
}

static void
read_for_ever(void)
{
	uint8_t byte;

	receive(&byte, 1);
	fail_msg("a kill ends it");
}

static void
write_for_ever(void)
{
	uint8_t record[RECORD] = { 0 };

	while (send(record, RECORD) > 0)
		continue;
	fail_msg("a kill ends it");
}

static void
kill_child(uint32_t pid)
{
	int32_t status = 0;

	assert_int_equal(call(EBB_SYS_KILL, pid, 9, 0), 0);
	assert_int_equal(call(EBB_SYS_WAIT, pid, area, 0), pid);
	assert_int_equal(copyin(area, &status, sizeof(status)), 0);
	assert_int_equal(status, EBB_STATUS_KILLED | (EBB_KILL_SIGNAL + 9));
}

static void
do_kill(void)
{
	open_pipe();
	kill_child(fork_to(read_for_ever));
	kill_child(fork_to(write_for_ever));
}

/* The kill comes while a piece is fetched from the program's memory, or its page for what is
 * read: nobody else would end the wait that follows. */
static void
killed_before_the_wait(uint64_t number, uint64_t fd)
{
	uint64_t args[6] = { fd, area, RECORD };

	assert_int_equal(proc_kill(curtask()->proc->pid, EBB_KILL_USER), 0);
	assert_int_equal(proc_syscall(number, args), -EINTR);
	proc_ast();
	fail_msg("a killed program ends");
}

static void
write_when_killed(void)
{
	uint8_t record[RECORD] = { 0 };
	uint32_t i;

	for (i = 0; i < 7; i++)
		assert_int_equal(send(record, RECORD), RECORD);
	killed_before_the_wait(EBB_SYS_WRITE, (uint64_t)fds[1]);
}

static void
read_when_killed(void)
{
	killed_before_the_wait(EBB_SYS_READ, (uint64_t)fds[0]);
}

static void
do_killed_before(void)
{
	open_pipe();
	fork_to(read_when_killed);
	fork_to(write_when_killed);
	assert_int_equal(call(EBB_SYS_WAIT, 0, 0, 0) > 0, true);
	assert_int_equal(call(EBB_SYS_WAIT, 0, 0, 0) > 0, true);
}

/* Its parent reads no more while it waits for room. */
static void
write_until_refused(void)
{
	uint8_t record[RECORD] = { 0 };
	int64_t n;

	close_end(0);
	while ((n = send(record, RECORD)) > 0)
		continue;
	assert_int_equal(n, -EPIPE);
	end();
}

static void
do_refusals(void)
{
	uint8_t bytes[16] = "seven..";

	open_pipe();
	fork_to(write_until_refused);
	close_end(0);
	assert_int_equal(call(EBB_SYS_WAIT, 0, 0, 0) > 0, true);
	assert_int_equal(send(bytes, 8), -EPIPE);
	close_end(1);
	open_pipe();
	assert_int_equal(send(bytes, 8), 8);
	assert_int_equal(call(EBB_SYS_READ, (uint64_t)fds[0], 8, 8), -EFAULT);
	assert_int_equal(call(EBB_SYS_READ, (uint64_t)fds[0], UINT64_MAX - 3, 8), -EFAULT);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fds[1], 8, 8), -EFAULT);
	assert_int_equal(call(EBB_SYS_READ, (uint64_t)fds[1], area, 8), -EBADF);
	assert_int_equal(call(EBB_SYS_WRITE, (uint64_t)fds[0], area, 8), -EBADF);
	assert_int_equal(call(EBB_SYS_LSEEK, (uint64_t)fds[0], 0, 0), -ESPIPE);
	assert_int_equal(call(EBB_SYS_ISATTY, (uint64_t)fds[0], 0, 0), 0);
	assert_int_equal(call(EBB_SYS_FSYNC, (uint64_t)fds[0], 0, 0), -EINVAL);
	assert_int_equal(receive(bytes + 8, 16), 8);
	assert_memory_equal(bytes, bytes + 8, 8);
}

/* A pipe that nobody can name, or that is one too many, is none. */
static void
do_limits(void)
{
	uint32_t i;

	assert_int_equal(call(EBB_SYS_PIPE, 8, 0, 0), -EFAULT);
	kern_params.maxpipes = 2;
	open_pipe();
	open_pipe();
	assert_int_equal(call(EBB_SYS_PIPE, area, 0, 0), -ENFILE);
	close_end(0);
	assert_int_equal(call(EBB_SYS_PIPE, area, 0, 0), -ENFILE);
	close_end(1);
	open_pipe();
	kern_params.maxpipes = 32;
	for (i = 7; i < PROC_FILES_MAX - 1; i++)
		assert_int_equal(call(EBB_SYS_DUP2, 0, EBB_DUP_LOWEST, 0), i);
	assert_int_equal(call(EBB_SYS_PIPE, area, 0, 0), -EMFILE); /* room for one */
	assert_int_equal(call(EBB_SYS_DUP2, 0, EBB_DUP_LOWEST, 0), i);
	assert_int_equal(call(EBB_SYS_PIPE, area, 0, 0), -EMFILE);
	assert_int_equal(call(EBB_SYS_DUP2, 0, EBB_DUP_LOWEST, 0), -EMFILE);
}

/* Copies of a descriptor are the same file; the last one to go ends it. */
static void
do_copies(void)
{
	uint8_t byte = 5;
	int64_t fd;

	assert_int_equal(copyout(PROGRAM, area, sizeof(PROGRAM)), 0);
	fd = call(EBB_SYS_OPEN, area, EBB_O_RDONLY, 0);
	assert_int_equal(fd, 3);
	assert_int_equal(call(EBB_SYS_DUP2, 3, 9, 0), 9);
	assert_int_equal(call(EBB_SYS_READ, 3, area, 10), 10);
	assert_int_equal(call(EBB_SYS_LSEEK, 9, 0, 1), 10);
	assert_int_equal(call(EBB_SYS_DUP2, 9, 9, 0), 9);
	assert_int_equal(call(EBB_SYS_CLOSE, 3, 0, 0), 0);
	assert_int_equal(call(EBB_SYS_READ, 9, area, 10), 10);
	open_pipe();
	assert_int_equal(call(EBB_SYS_DUP2, (uint64_t)fds[1], 9, 0), 9); /* the file ends */
	close_end(1);
	fds[1] = 9;
	assert_int_equal(send(&byte, 1), 1);
	assert_int_equal(receive(&byte, 1), 1);
	close_end(1);
	assert_int_equal(receive(&byte, 1), 0);
	assert_int_equal(call(EBB_SYS_DUP2, 9, 5, 0), -EBADF);
	assert_int_equal(call(EBB_SYS_DUP2, 3, PROC_FILES_MAX, 0), -EBADF);
}

/* ---- the frame */

static void
program(const struct cpu_user_start *start)
{
	(void)start;
	area = (uint64_t)call(EBB_SYS_MMAP, 0, AREA, EBB_PROT_READ | EBB_PROT_WRITE);
	assert_int_equal(area % 4096, 0);
	does();
	end();
}

static void
child(void)
{
	child_does();
	end();
}

static void
expect_zone_empty(const char *name)
{
	struct uma_zone *zone = uma_zone_next(NULL);

	while (zone != NULL && strcmp(zone->name, name) != 0)
		zone = uma_zone_next(zone);
	assert_non_null(zone);
	assert_int_equal(zone->used_items, 0);
}

static void
run(void (*fn)(void))
{
	const char *const argv[] = { "sort" };
	struct proc_exit ended;
	uint32_t pid;

	console_tap_begin();
	kern_params_register();
	mm_params_register();
	sim_mm_boot(FRAMES);
	proc_init();
	assert_int_equal(file_disk_open(&disk, "fd0",
	    (void *)fat_image_make("few512", 1, false)), 0);
	sim_user_install(&disk);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	sim_user_program = program;
	sim_user_child = child;
	does = fn;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_wait(0, pid, &ended), 0);
	assert_int_equal(ended.status, 0);
	tsleep(&disk, "rest", 100000);
	assert_null(proc_next(NULL));
	expect_zone_empty("file");
	expect_zone_empty("pipe");
	sim_mm_check();
	file_disk_close(&disk);
}

#define RUN_TEST(name, fn)                           \
	static void name##_body(void *arg)           \
	{                                            \
		(void)arg;                           \
		run(fn);                             \
	}                                            \
	static void name(void **state)               \
	{                                            \
		sim_run(name##_body, state);         \
	}

RUN_TEST(a_stream_goes_through_and_ends, do_stream)
RUN_TEST(records_of_several_writers_stay_whole, do_records)
RUN_TEST(a_kill_ends_who_waits_at_either_end, do_kill)
RUN_TEST(a_kill_just_before_the_wait_ends_it, do_killed_before)
RUN_TEST(what_cannot_be_is_refused_and_loses_nothing, do_refusals)
RUN_TEST(pipes_and_descriptors_are_bounded, do_limits)
RUN_TEST(copies_of_a_descriptor_are_one_file, do_copies)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_goes_through_and_ends),
		cmocka_unit_test(records_of_several_writers_stay_whole),
		cmocka_unit_test(a_kill_ends_who_waits_at_either_end),
		cmocka_unit_test(a_kill_just_before_the_wait_ends_it),
		cmocka_unit_test(what_cannot_be_is_refused_and_loses_nothing),
		cmocka_unit_test(pipes_and_descriptors_are_bounded),
		cmocka_unit_test(copies_of_a_descriptor_are_one_file),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
