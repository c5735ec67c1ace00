/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that mean no good, and the end of programs wherever they are in the kernel:
 * rights that no page table knows, Ctrl-C while the program itself reads the keys, a kill
 * in the middle of a call over more memory than there is.
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
#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
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

#define FRAMES      512
#define PROGRAM     "/apps/sort.elf"
#define PAGE_BYTES  4096u
#define HUGE_BYTES  (UINT64_C(1) << 32)
#define KILLED_USER (EBB_STATUS_KILLED | EBB_KILL_USER)

static struct file_disk disk;
static void (*does)(uint64_t sp);

static int64_t
system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t args[6] = { a, b, c, d };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return (result);
}

static void
program(const struct cpu_user_start *start)
{
	does(start->sp);
	system_call(EBB_SYS_EXIT, 0, 0, 0, 0);
	abort();
}

/* ---- what programs do */

/* Pages in memory whose neighbours are to be mapped, with the right to write only. */
static void
do_write_only(uint64_t sp)
{
	uint64_t at = (uint64_t)system_call(EBB_SYS_MMAP, 0, 3 * PAGE_BYTES, EBB_PROT_WRITE, 0);
	uint64_t word = 7, i;

	(void)sp;
	assert_int_equal(at % PAGE_BYTES, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(copyout(&word, at + i * PAGE_BYTES, sizeof(word)), 0);
	assert_int_equal(system_call(EBB_SYS_MPROTECT, at, 3 * PAGE_BYTES, 0, 0), 0);
	assert_int_equal(copyout(&word, at, sizeof(word)), ERR_FAULT);
	assert_int_equal(system_call(EBB_SYS_MPROTECT, at, 3 * PAGE_BYTES, EBB_PROT_WRITE, 0), 0);
	assert_int_equal(copyout(&word, at + PAGE_BYTES, sizeof(word)), 0);
	word = 0;
	assert_int_equal(copyin(at, &word, sizeof(word)), 0);
	assert_int_equal(word, 7);
}

static void
press_later(void *arg)
{
	(void)arg;
	console_rx('x');
	console_rx(3);
}

static void
do_read_keys(uint64_t sp)
{
	static struct sim_event event;

	sim_event_schedule(&event, 500000, press_later, NULL);
	system_call(EBB_SYS_READ, 0, sp - 256, 100, 0);
	fail_msg("Ctrl-C ends it");
}

/* Killed while it runs the call with these arguments, which would take long. */
static void
killed_in(uint64_t number, uint64_t c)
{
	struct proc *p = curtask()->proc;
	uint64_t at = (uint64_t)system_call(EBB_SYS_MMAP, 0, HUGE_BYTES, EBB_PROT_READ, 0);
	uint64_t args[6] = { at, HUGE_BYTES, c };

	assert_int_equal(at % PAGE_BYTES, 0);
	assert_int_equal(proc_kill(p->pid, EBB_KILL_USER), 0);
	assert_int_equal(proc_syscall(number, args), -EINTR);
	proc_ast();
	fail_msg("a killed program ends");
}

static void
do_willneed(uint64_t sp)
{
	(void)sp;
	killed_in(EBB_SYS_MADVISE, EBB_MADV_WILLNEED);
}

static void
do_free(uint64_t sp)
{
	(void)sp;
	killed_in(EBB_SYS_MADVISE, EBB_MADV_FREE);
}

static void
do_mincore(uint64_t sp)
{
	killed_in(EBB_SYS_MINCORE, sp - 1024);
}

/* ---- the frame */

static int32_t
run(void (*fn)(uint64_t sp))
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
	does = fn;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_wait(0, pid, &ended), 0);
	assert_int_equal(ended.exec_error, 0);
	assert_null(proc_next(NULL));
	sim_mm_check();
	file_disk_close(&disk);
	return (ended.status);
}

#define RUN_TEST(name, fn, status)                          \
	static void name##_body(void *arg)                  \
	{                                                   \
		(void)arg;                                  \
		assert_int_equal(run(fn), status);          \
	}                                                   \
	static void name(void **state)                      \
	{                                                   \
		sim_run(name##_body, state);                \
	}

RUN_TEST(what_can_be_written_can_be_read, do_write_only, 0)
RUN_TEST(ctrl_c_ends_who_reads_the_keys, do_read_keys, KILLED_USER)
RUN_TEST(kill_ends_a_long_willneed, do_willneed, KILLED_USER)
RUN_TEST(kill_ends_a_long_free, do_free, KILLED_USER)
RUN_TEST(kill_ends_a_long_mincore, do_mincore, KILLED_USER)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_written_can_be_read),
		cmocka_unit_test(ctrl_c_ends_who_reads_the_keys),
		cmocka_unit_test(kill_ends_a_long_willneed),
		cmocka_unit_test(kill_ends_a_long_free),
		cmocka_unit_test(kill_ends_a_long_mincore),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
