/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork and exec of processes: what a child has, what a failed exec leaves, and that nothing
 * is lost whoever is killed or short of memory on the way.
 *
 * The program on the card is a real ELF file; what it does is a C function of this file.
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
#include "mm/vm_meter.h"
#include "mm/vm_object.h"
#include "mm/vm_pageout.h"
#include "proc/proc.h"
#include "proc/trap_hooks.h"
#include "test/host/console_tap.h"
#include "test/host/fat_image.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_swap.h"
#include "test/host/sim_user.h"

#define FRAMES  1024
#define PROGRAM "/apps/sort.elf"
#define BELOW   512 /* bytes under the stack pointer where the program keeps its words */

static struct file_disk disk;
static const char *first_word; /* what the program that is started first does */
static uint64_t program_sp;    /* of the last program that began */
static uint32_t child_pid;
static void (*child_does)(void);
static struct vm_client client;

static int64_t
system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t args[6] = { a, b, c };
	int64_t result = proc_syscall(number, args);

	proc_ast();
	return (result);
}

static _Noreturn void
program_exit(uint64_t status)
{
	system_call(EBB_SYS_EXIT, status, 0, 0);
	abort();
}

static uint64_t
word(uint32_t n)
{
	uint64_t value = 0;

	assert_int_equal(copyin(program_sp - BELOW + 8 * n, &value, sizeof(value)), 0);
	return (value);
}

static void
word_set(uint32_t n, uint64_t value)
{
	assert_int_equal(copyout(&value, program_sp - BELOW + 8 * n, sizeof(value)), 0);
}

/* Put text where the program can name it; its address. */
static uint64_t
text_at(uint32_t offset, const char *text)
{
	uint64_t at = program_sp - 2 * BELOW + offset;

	assert_int_equal(copyout(text, at, strlen(text) + 1), 0);
	return (at);
}

/* exec(path, { "sort", argument }). */
static int64_t
exec(const char *path, const char *argument)
{
	uint64_t argv[2] = { text_at(64, "sort"), text_at(80, argument) };
	uint64_t at = program_sp - 3 * BELOW;

	assert_int_equal(copyout(argv, at, sizeof(argv)), 0);
	return (system_call(EBB_SYS_EXEC, text_at(0, path), at, 2));
}

static void
child_main(void)
{
	assert_int_equal(curtask()->proc->parent_pid, proc_next(NULL)->pid);
	child_pid = curtask()->proc->pid;
	child_does();
	program_exit(99);
}

/* Wait for the only child; its status. */
static int32_t
child_status(void)
{
	int64_t pid = system_call(EBB_SYS_WAIT, 0, program_sp - BELOW + 128, 0);
	int32_t status = -1;

	assert_int_equal(pid, child_pid);
	assert_int_equal(copyin(program_sp - BELOW + 128, &status, sizeof(status)), 0);
	return (status);
}

static int64_t
fork_to(void (*fn)(void))
{
	child_does = fn;
	return (system_call(EBB_SYS_FORK, 0, 0, 0));
}

/* ---- what programs do */

static void
child_writes(void)
{
	assert_int_equal(word(0), 11);
	word_set(0, 22);
	assert_int_equal(system_call(EBB_SYS_LSEEK, 3, 0, 1), 100);
	assert_int_equal(system_call(EBB_SYS_LSEEK, 3, 50, 0), 50);
	assert_int_equal(system_call(EBB_SYS_SBRK, 8192, 0, 0), word(1));
	program_exit(7);
}

static void
do_fork(void)
{
	int64_t pid;

	word_set(0, 11);
	word_set(1, (uint64_t)system_call(EBB_SYS_SBRK, 4096, 0, 0) + 4096);
	assert_int_equal(system_call(EBB_SYS_OPEN, text_at(0, PROGRAM), EBB_O_RDONLY, 0), 3);
	assert_int_equal(system_call(EBB_SYS_LSEEK, 3, 100, 0), 100);
	pid = fork_to(child_writes);
	assert_true(pid > 0);
	assert_int_equal(child_status(), 7);
	assert_int_equal(child_pid, pid);
	assert_int_equal(word(0), 11);
	assert_int_equal(system_call(EBB_SYS_LSEEK, 3, 0, 1), 50);
	assert_int_equal(system_call(EBB_SYS_SBRK, 0, 0, 0), word(1));
	assert_int_equal(system_call(EBB_SYS_WAIT, 0, 0, 0), -ECHILD);
}

static void
do_exec(void)
{
	assert_int_equal(system_call(EBB_SYS_SBRK, 4096, 0, 0) & 0xfff, 0);
	word_set(0, 33);
	exec(PROGRAM, "again");
	fail_msg("a good exec does not return");
}

/* There is room for the program, but not for its stack. */
static void
exec_without_stack(void)
{
	struct ebb_rlimit small = { 65536, EBB_RLIM_INFINITY };
	struct ebb_rlimit none = { EBB_RLIM_INFINITY, EBB_RLIM_INFINITY };
	uint64_t at = program_sp - 3 * BELOW;

	assert_int_equal(copyout(&small, at, sizeof(small)), 0);
	assert_int_equal(system_call(EBB_SYS_SETRLIMIT, EBB_RLIMIT_AS, at, 0), 0);
	assert_int_equal(exec(PROGRAM, "x"), -ENOMEM);
	assert_int_equal(copyout(&none, at, sizeof(none)), 0);
	assert_int_equal(system_call(EBB_SYS_SETRLIMIT, EBB_RLIMIT_AS, at, 0), 0);
}

static void
do_bad_exec(void)
{
	struct proc *p = curtask()->proc;
	uint64_t brk;

	assert_true(system_call(EBB_SYS_SBRK, 4096, 0, 0) > 0);
	brk = p->brk;
	word_set(0, 44);
	exec_without_stack();
	assert_int_equal(exec("/apps/none.elf", "x"), -ENOENT);
	assert_int_equal(exec("/big.dat", "x"), -ENOEXEC);
	assert_int_equal(exec("/apps", "x"), -EISDIR);
	assert_int_equal(system_call(EBB_SYS_EXEC, 8, 8, 1), -EFAULT);
	assert_int_equal(system_call(EBB_SYS_EXEC, text_at(0, PROGRAM), 8, 1), -EFAULT);
	assert_int_equal(system_call(EBB_SYS_EXEC, text_at(0, PROGRAM), 8, 0), -EINVAL);
	assert_int_equal(system_call(EBB_SYS_EXEC, text_at(0, PROGRAM), 8, UINT64_MAX), -EINVAL);
	assert_int_equal(word(0), 44);
	assert_int_equal(p->brk, brk);
	assert_string_equal(p->args, "sort");
	assert_string_equal(p->path, PROGRAM);
	assert_string_equal(p->exec_error, "");
	assert_false(p->loading);
	sim_mm_check();
}

/* proc_ast ends the program after the call that comes first. */
static void
kill_self_before(uint64_t number)
{
	uint64_t at = program_sp - 3 * BELOW, argv[1] = { text_at(64, "sort") };
	uint64_t args[6] = { text_at(0, PROGRAM), at, 1 };

	assert_int_equal(copyout(argv, at, sizeof(argv)), 0);
	if (number == EBB_SYS_FORK)
		word_set(5, 1); /* something to be copied */
	curtask()->proc->killed = true;
	curtask()->proc->kill_reason = EBB_KILL_USER;
	curtask()->proc->vmspace->killed = true;
	assert_int_equal(proc_syscall(number, args), -EINTR);
	assert_true(curtask()->proc->vmspace->killed);
	proc_ast();
	fail_msg("a killed program ends");
}

/* Somebody runs out of memory while the program waits for some in exec. */
static void
out_of_memory(void *arg)
{
	struct proc *p = proc_next(NULL);

	(void)arg;
	tsleep(&disk, "later", 5000);
	assert_true(p->loading);
	assert_true(vm_client_ops->next(0, &client));
	assert_ptr_equal(client.vmspace, p->former);
	vm_pageout_oom(VM_OOM_MEM);
	assert_true(p->killed);
}

static void
do_poor_exec(void)
{
	uint64_t at = (uint64_t)system_call(EBB_SYS_SBRK, 20 * 4096, 0, 0), i;
	struct task *task;

	for (i = 0; i < 20; i++)
		assert_int_equal(copyout(&i, at + i * 4096, sizeof(i)), 0);
	assert_int_equal(task_create(&task, "oom", PRI_NORMAL, out_of_memory, NULL), 0);
	sim_swap_leave_free(vm_domains[0].v_free_reserved - 2);
	exec(PROGRAM, "x");
	fail_msg("it is the only one that can be killed");
}

static void
child_idles(void)
{
	program_exit(0);
}

/* Whoever waits for memory is woken, but there is none. */
static void
waker(void *arg)
{
	(void)arg;
	for (;;) {
		tsleep(&disk, "waker", 1000);
		vm_meter_wake_waiters(&vm_domains[0]);
	}
}

static void
do_poor_fork(void)
{
	struct task *task;

	uint32_t failed = 0, i;
	int64_t result;

	assert_int_equal(task_create(&task, "waker", PRI_NORMAL, waker, NULL), 0);
	word_set(0, 55);
	for (i = 0; i < 12; i++) {
		sim_swap_leave_free(i);
		result = fork_to(child_idles);
		if (result == -ENOMEM)
			failed++;
		sim_swap_leave_free(400);
		sim_mm_check();
		if (result > 0)
			assert_int_equal(child_status(), 0);
		else
			assert_int_equal(result, -ENOMEM);
	}
	assert_true(failed > 0);
	assert_int_equal(word(0), 55);
}

static void
program(const struct cpu_user_start *start)
{
	uint64_t argv[3] = { 0 };
	char what[16] = "";

	program_sp = start->sp;
	assert_int_equal(copyin(start->args[1], argv, sizeof(argv)), 0);
	if (start->args[0] > 1) {
		assert_int_equal(copyinstr(argv[1], what, sizeof(what)), 0);
		assert_string_equal(what, "again");
		assert_int_equal(word(0), 0);
		assert_int_equal(curtask()->proc->brk, curtask()->proc->brk_start);
		program_exit(9);
	}
	if (strcmp(first_word, "fork") == 0)
		do_fork();
	else if (strcmp(first_word, "exec") == 0)
		do_exec();
	else if (strcmp(first_word, "badexec") == 0)
		do_bad_exec();
	else if (strcmp(first_word, "killfork") == 0)
		kill_self_before(EBB_SYS_FORK);
	else if (strcmp(first_word, "killexec") == 0)
		kill_self_before(EBB_SYS_EXEC);
	else if (strcmp(first_word, "poorexec") == 0)
		do_poor_exec();
	else if (strcmp(first_word, "poorfork") == 0)
		do_poor_fork();
	program_exit(1);
}

/* ---- the frame */

static void
count_left(uint32_t *spaces, uint32_t *objects)
{
	struct vmspace *vm = NULL;
	struct vm_object *object = NULL;

	*spaces = *objects = 0;
	while ((vm = vmspace_next(vm)) != NULL)
		++*spaces;
	while ((object = vm_object_next(object)) != NULL)
		*objects += object->type != OBJT_VNODE;
}

static int32_t
run(const char *word_of_it)
{
	const char *const argv[] = { "sort" };
	struct proc_exit ended;
	uint32_t pid, spaces, objects;

	console_tap_begin();
	kern_params_register();
	mm_params_register();
	sim_swap_boot(FRAMES, 0);
	proc_init();
	assert_int_equal(file_disk_open(&disk, "fd0",
	    (void *)fat_image_make("few512", 1, false)), 0);
	sim_user_install(&disk);
	assert_int_equal(fat32_mount(&disk.dev), 0);
	sim_user_program = program;
	sim_user_child = child_main;
	first_word = word_of_it;
	assert_int_equal(proc_spawn(PROGRAM, argv, 1, 0, &pid), 0);
	assert_int_equal(proc_wait(0, pid, &ended), 0);
	assert_int_equal(ended.exec_error, 0);
	assert_null(proc_next(NULL));
	count_left(&spaces, &objects);
	assert_int_equal(spaces, 0);
	assert_int_equal(objects, 0);
	sim_mm_check();
	file_disk_close(&disk);
	return (ended.status);
}

#define RUN_TEST(name, word_of_it, status)                         \
	static void name##_body(void *arg)                         \
	{                                                          \
		(void)arg;                                         \
		assert_int_equal(run(word_of_it), status);         \
	}                                                          \
	static void name(void **state)                             \
	{                                                          \
		sim_run(name##_body, state);                       \
	}

RUN_TEST(fork_gives_memory_files_and_heap_of_its_own, "fork", 1)
RUN_TEST(exec_begins_anew_in_the_same_process, "exec", 9)
RUN_TEST(exec_that_fails_leaves_all_as_it_was, "badexec", 1)
RUN_TEST(fork_of_a_killed_process_leaves_no_child, "killfork", EBB_STATUS_KILLED | EBB_KILL_USER)
RUN_TEST(exec_of_a_killed_process_leaves_nothing, "killexec", EBB_STATUS_KILLED | EBB_KILL_USER)
RUN_TEST(exec_without_memory_does_not_protect, "poorexec", EBB_STATUS_KILLED | EBB_KILL_OOM)
RUN_TEST(fork_without_memory_says_so_and_leaves_nothing, "poorfork", 1)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_gives_memory_files_and_heap_of_its_own),
		cmocka_unit_test(exec_begins_anew_in_the_same_process),
		cmocka_unit_test(exec_that_fails_leaves_all_as_it_was),
		cmocka_unit_test(fork_of_a_killed_process_leaves_no_child),
		cmocka_unit_test(exec_of_a_killed_process_leaves_nothing),
		cmocka_unit_test(exec_without_memory_does_not_protect),
		cmocka_unit_test(fork_without_memory_says_so_and_leaves_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
