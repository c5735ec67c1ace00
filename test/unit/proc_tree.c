/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes belong together: who ends when a tree of them is ended, and that nobody
 * gets away by outliving its parent or by starting others while it dies.
 *
 *   pid, from the first:  0 --- 1 --- 2
 *                          \--- 3
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
#define MEMBERS 4u

static const char *const argv[] = { "sort" };
static struct file_disk disk;
static uint32_t first;          /* pid of the first of the family */
static bool leaves[32];        /* it ends when it has its children */
static bool dies_starting;      /* number 3 is killed, and starts another */
static bool alone;              /* the first has no children, but tries: */
static int64_t answers[2];     /* to its fork and its kill of process `first` - 1 */

static int64_t
system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t args[6] = { a, b, c };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return (result);
}

/* Its child has started when this is over. */
static void
have_child(void)
{
	assert_true(system_call(EBB_SYS_FORK, 0, 0, 0) > 0);
	system_call(EBB_SYS_SLEEP, 1000, 0, 0);
}

/* Killed, it asks for two more before it notices; neither comes. */
static void
start_dying(void)
{
	struct proc *p = curtask()->proc;
	uint64_t args[6] = { 0 };
	uint32_t pid;

	assert_int_equal(proc_kill_tree(p->pid, EBB_KILL_USER), 0);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, p->pid, &pid), ERR_KILLED);
	assert_int_equal(proc_syscall(EBB_SYS_FORK, args), -EINTR);
	proc_ast();
	fail_msg("who is killed ends");
}

static void
member(void)
{
	uint32_t number = curtask()->proc->pid - first;

	assert_int_equal(curtask()->proc->job_pid, first);
	if (alone) {
		answers[0] = system_call(EBB_SYS_FORK, 0, 0, 0);
		answers[1] = system_call(EBB_SYS_KILL, first - 1, 0, 0);
	}
	if (number < 2 && !alone)
		have_child();
	if (number == 0 && !alone)
		have_child();
	if (number == 3 && dies_starting)
		start_dying();
	if (!leaves[number])
		system_call(EBB_SYS_SLEEP, UINT64_MAX, 0, 0);
	system_call(EBB_SYS_EXIT, 0, 0, 0);
	abort();
}

static void
program(const struct cpu_user_start *start)
{
	(void)start;
	member();
}

static void
boot(void)
{
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
	sim_user_child = member;
}

static void
rest(void)
{
	tsleep(&first, "rest", 100000);
}

/* A family, of which those may have left who do. */
static void
begin(uint32_t leaving)
{
	uint32_t i;

	for (i = 0; i < MEMBERS; i++)
		leaves[i] = (leaving >> i & 1) != 0;
	dies_starting = alone = false;
	first = 0;
	boot();
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &first), 0);
	rest();
}

/* Bit n: number n is there and not dying. */
static uint32_t
alive(void)
{
	struct proc *p;
	uint32_t set = 0;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p))
		if (p->state != PROC_ZOMBIE && !p->killed && p->pid - first < 32)
			set |= 1u << (p->pid - first);
	return (set);
}

static void
end(void)
{
	struct proc_exit ended;
	int error = proc_kill_tree(first, EBB_KILL_USER);

	assert_true(error == 0 || error == ERR_NOENT);
	rest();
	while (proc_reap(0, 0, &ended) == 0)
		continue;
	assert_null(proc_next(NULL));
	assert_int_equal(proc_kill_tree(first, EBB_KILL_USER), ERR_NOENT);
	sim_mm_check();
	file_disk_close(&disk);
}

static void
branch_body(void *arg)
{
	(void)arg;
	begin(0);
	assert_int_equal(alive(), 0xf);
	assert_int_equal(proc_kill_tree(first + 1, EBB_KILL_USER), 0);
	assert_int_equal(alive(), 0x9);
	rest();
	assert_int_equal(proc_kill_tree(first + 3, EBB_KILL_USER), 0);
	assert_int_equal(alive(), 0x1);
	end();
}

/* 1 has left: 2 belongs to 0 now. */
static void
orphan_body(void *arg)
{
	(void)arg;
	begin(1u << 1);
	assert_int_equal(alive(), 0xd);
	assert_ptr_equal(proc_find(first + 2)->ancestor, proc_find(first));
	assert_int_equal(proc_kill_tree(first, EBB_KILL_USER), 0);
	assert_int_equal(alive(), 0);
	end();
}

/* All but the youngest have left: the first's number still stands for them. */
static void
leaderless_body(void *arg)
{
	struct proc_exit ended;

	(void)arg;
	begin(0x3);
	assert_int_equal(proc_wait(0, first, &ended), 0);
	assert_null(proc_find(first));
	assert_int_equal(alive(), 0xc);
	assert_int_equal(proc_kill_tree(first + 1, EBB_KILL_USER), ERR_NOENT);
	assert_int_equal(proc_kill_tree(first, EBB_KILL_USER), 0);
	assert_int_equal(alive(), 0);
	end();
}

static void
strangers_body(void *arg)
{
	uint32_t other, family;

	(void)arg;
	begin(0);
	family = first;
	first = family + MEMBERS; /* a second family */
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &other), 0);
	rest();
	assert_int_equal(other, first);
	assert_int_equal(proc_kill_tree(family, EBB_KILL_USER), 0);
	assert_int_equal(alive(), 0xf);
	end();
}

static void
starting_body(void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < MEMBERS; i++)
		leaves[i] = false;
	boot();
	first = 0;
	alone = false;
	dies_starting = true;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &first), 0);
	rest();
	assert_int_equal(alive(), 0x7);
	end();
}

/* A job of as many as it may be; another of its own has none of this limit. */
static void
job_limit_body(void *arg)
{
	const struct ebb_rlimit five = { MEMBERS + 1, MEMBERS + 1 };
	uint64_t refused;
	uint32_t pid, i;

	(void)arg;
	begin(0);
	refused = kern_params.proc_refused;
	for (i = 0; i < MEMBERS; i++)
		assert_int_equal(proc_limit_set(proc_find(first + i), EBB_RLIMIT_NPROC, &five,
		    false), 0);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, first + 2, &pid), 0);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, first + 2, &pid), ERR_AGAIN);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, first, &pid), ERR_AGAIN);
	assert_int_equal(kern_params.proc_refused, refused + 2);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_kill_tree(pid, EBB_KILL_USER), 0);
	end();
}

/* Of all there may be, the last few are the monitor's; a fork is refused as a spawn is, and
 * nobody ends who is of another job. */
static void
all_limit_body(void *arg)
{
	uint32_t pid, other;

	(void)arg;
	begin(0);
	kern_params.maxproc = MEMBERS + 3;
	kern_params.maxproc_reserve = 2;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, first, &pid), 0);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, first, &pid), ERR_AGAIN);
	rest();
	other = first;
	first = pid + 1;
	alone = true;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	rest();
	assert_int_equal(answers[0], -EAGAIN);
	assert_int_equal(answers[1], -EPERM);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), ERR_AGAIN);
	assert_int_equal(proc_kill_tree(other, EBB_KILL_USER), 0);
	assert_int_equal(proc_kill_tree(pid, EBB_KILL_USER), 0);
	end();
}

#define TEST(name)                                   \
	static void name(void **state)               \
	{                                            \
		sim_run(name##_body, state);         \
	}

TEST(branch)
TEST(orphan)
TEST(leaderless)
TEST(strangers)
TEST(starting)
TEST(job_limit)
TEST(all_limit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branch),
		cmocka_unit_test(orphan),
		cmocka_unit_test(leaderless),
		cmocka_unit_test(strangers),
		cmocka_unit_test(starting),
		cmocka_unit_test(job_limit),
		cmocka_unit_test(all_limit),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
