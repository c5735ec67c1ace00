/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files mapped by programs: shared and private, past the end, under memory pressure, with
 * a disk that fails; the syncer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_pageout.h"
#include "mm/vm_syncer.h"
#include "test/host/console_tap.h"
#include "test/host/sim_file.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES 1024u
#define BASE   0x10000000ull
#define OTHER  0x20000000ull
#define RW     (VM_PROT_READ | VM_PROT_WRITE)
#define COW    (MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY)

static struct sim_file file;
static struct vmspace *a, *b;

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

/* A file of bytes, two programs, swap. */
static void
boot(uint64_t bytes)
{
	sim_file_boot(FRAMES, 256);
	sim_file_make(&file, "/data", bytes, 8, 3);
	a = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	b = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	assert_non_null(a);
	assert_non_null(b);
	tsleep(&file, "boot", 1000);
	console_tap_begin();
}

static struct vm_object *
object(void)
{
	return (file.vnode.object);
}

static void
halt(void)
{
	sim_file_check();
	vmspace_free(a);
	vmspace_free(b);
	sim_file_check();
}

static uint8_t
load(struct vmspace *vm, vm_offset_t va)
{
	uint8_t byte = 0;
	int error = sim_load(vm, va, &byte, 1);

	if (error != 0)
		fail_msg("load at %lx: %d\n%s", (unsigned long)va, error, console_tap_text());
	return (byte);
}

static void
store(struct vmspace *vm, vm_offset_t va, uint8_t byte)
{
	assert_int_equal(sim_store(vm, va, &byte, 1), 0);
}

/* ---- shared and private */

RUN_TEST(file_map_shared_is_seen_by_all_and_by_the_file)
{
	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	sim_file_map(b, &file, OTHER, RW, 0);
	assert_int_equal(load(a, BASE + 5000), sim_file_byte(&file, 5000));
	store(a, BASE + 5000, 0xa1);
	assert_int_equal(load(b, OTHER + 5000), 0xa1);
	store(b, OTHER + 5001, 0xb1);
	assert_int_equal(load(a, BASE + 5001), 0xb1);
	assert_int_equal(sim_file_stored(&file, 5000), sim_file_byte(&file, 5000));
	assert_int_equal(file_pager_sync(object(), 1, 2, OBJPC_SYNC, false), 0);
	assert_int_equal(sim_file_stored(&file, 5000), 0xa1);
	assert_int_equal(sim_file_stored(&file, 5001), 0xb1);
	halt();
}

RUN_TEST(file_map_private_is_seen_by_nobody)
{
	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, COW);
	sim_file_map(b, &file, OTHER, RW, 0);
	store(a, BASE + 100, 0xa1);
	assert_int_equal(load(a, BASE + 100), 0xa1);
	assert_int_equal(load(a, BASE + 101), sim_file_byte(&file, 101));
	assert_int_equal(load(b, OTHER + 100), sim_file_byte(&file, 100));
	/* a page that a has not written shows what the file becomes */
	store(b, OTHER + PAGE_SIZE, 0xb1);
	assert_int_equal(load(a, BASE + PAGE_SIZE), 0xb1);
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
	assert_int_equal(sim_file_stored(&file, 100), sim_file_byte(&file, 100));
	halt();
	assert_int_equal(sim_file_stored(&file, 100), sim_file_byte(&file, 100));
}

RUN_TEST(file_map_private_alone_writes_nothing)
{
	uint32_t i;

	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, COW);
	for (i = 0; i < 10; i++)
		store(a, BASE + i * PAGE_SIZE, 1);
	assert_int_equal(object()->flags & OBJ_MIGHTBEDIRTY, 0);
	halt();
	assert_int_equal(sim_file_disk.writes, 0);
}

RUN_TEST(file_map_text_is_read_once_for_two_programs)
{
	uint32_t i, reads;

	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, VM_PROT_READ | VM_PROT_EXECUTE, COW);
	sim_file_map(b, &file, BASE, VM_PROT_READ | VM_PROT_EXECUTE, COW);
	for (i = 0; i < 10; i++)
		assert_int_equal(load(a, BASE + i * PAGE_SIZE),
		    sim_file_byte(&file, i * PAGE_SIZE));
	reads = sim_file_disk.reads;
	for (i = 0; i < 10; i++)
		assert_int_equal(load(b, BASE + i * PAGE_SIZE),
		    sim_file_byte(&file, i * PAGE_SIZE));
	assert_int_equal(sim_file_disk.reads, reads);
	assert_int_equal(object()->resident_count, 10);
	halt();
}

static void
unmap_a(void *arg)
{
	(void)arg;
	assert_int_equal(vm_map_remove(a, BASE, BASE + 10 * PAGE_SIZE), 0);
}

/* A program that begins and ends while the last user's pages are written: the file may be
 * written to again afterwards. */
RUN_TEST(file_map_text_during_the_last_write_back_does_not_stay_text)
{
	struct task *task;

	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE, 0x41);
	sleep_lock_acquire(&file.vnode.lock); /* as the syncer does */
	assert_int_equal(task_create(&task, "unmap", PRI_NORMAL, unmap_a, NULL), 0);
	tsleep(&file, "wait", 1000);
	assert_int_equal(file.vnode.lock.waiters, 1);
	assert_non_null(file_pager_alloc(&file.vnode));
	file.vnode.is_text = true;
	vm_object_deallocate(object());
	sleep_lock_release(&file.vnode.lock);
	tsleep(&file, "wait", 1000000);
	assert_int_equal(object()->ref_count, 0);
	assert_false(file.vnode.is_text);
	assert_int_equal(sim_file_stored(&file, 0), 0x41);
	halt();
}

RUN_TEST(file_map_unmapping_keeps_the_pages)
{
	(void)arg;
	boot(10 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE, 0x11);
	vm_object_reference(object()); /* as the syncer does for a while */
	assert_int_equal(vm_map_remove(a, BASE, BASE + 10 * PAGE_SIZE), 0);
	assert_int_not_equal(vm_page_lookup(object(), 0)->dirty, 0);
	vm_object_deallocate(object());
	assert_int_equal(sim_file_stored(&file, 0), 0x11);
	halt();
}

RUN_TEST(check_C18_files_and_their_objects)
{
	struct vm_page *m;

	(void)arg;
	boot(4 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, VM_PROT_READ, 0);
	(void)load(a, BASE);
	m = vm_page_lookup(object(), 0);
	assert_null(file_pager_check());
	file.vnode.size_bytes = 5 * PAGE_SIZE;
	assert_non_null(strstr(file_pager_check(), "F2"));
	file.vnode.size_bytes = 4 * PAGE_SIZE;
	m->dirty = VM_PAGE_BITS_ALL;
	assert_non_null(strstr(file_pager_check(), "F4"));
	m->dirty = 0;
	object()->vnode = NULL;
	assert_non_null(strstr(file_pager_check(), "F1"));
	object()->vnode = &file.vnode;
	halt();
}

RUN_TEST(file_map_what_is_free_to_forget_is_kept)
{
	(void)arg;
	boot(4 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE + 5000, 0xa1);
	assert_int_equal(vm_map_advise(a, BASE, BASE + 4 * PAGE_SIZE, VM_ADVICE_FREE), 0);
	assert_int_equal(load(a, BASE + 5000), 0xa1);
	assert_int_equal(vm_map_advise(a, BASE, BASE + 4 * PAGE_SIZE, VM_ADVICE_FREE), 0);
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
	assert_int_equal(sim_file_stored(&file, 5000), 0xa1);
	halt();
}

/* ---- the end of the file */

RUN_TEST(file_map_past_the_end_cannot_be_used)
{
	struct vm_map_insert_args args = { .prot = RW, .max_prot = RW };
	uint8_t byte = 1;

	(void)arg;
	boot(2 * PAGE_SIZE + 10);
	args.object = file_pager_alloc(&file.vnode);
	assert_int_equal(vm_map_insert(a, BASE, 5 * PAGE_SIZE, &args), 0);
	assert_int_equal(load(a, BASE + 2 * PAGE_SIZE + 9),
	    sim_file_byte(&file, 2 * PAGE_SIZE + 9));
	assert_int_equal(load(a, BASE + 2 * PAGE_SIZE + 10), 0);
	store(a, BASE + 2 * PAGE_SIZE + 600, 0x77); /* goes nowhere */
	assert_int_not_equal(sim_load(a, BASE + 3 * PAGE_SIZE, &byte, 1), 0);
	assert_int_not_equal(sim_store(a, BASE + 4 * PAGE_SIZE, &byte, 1), 0);
	assert_int_equal(object()->size_pages, 3);
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
	halt();
}

/* ---- cleaning */

RUN_TEST(file_map_a_write_after_cleaning_is_noticed)
{
	(void)arg;
	boot(4 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE, 1);
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
	assert_int_equal(object()->flags & OBJ_MIGHTBEDIRTY, 0);
	store(a, BASE, 2);
	assert_int_not_equal(object()->flags & OBJ_MIGHTBEDIRTY, 0);
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
	assert_int_equal(sim_file_stored(&file, 0), 2);
	/* a page read first is mapped so that the first write is noticed, too */
	assert_int_equal(load(a, BASE + PAGE_SIZE), sim_file_byte(&file, PAGE_SIZE));
	assert_int_equal(object()->flags & OBJ_MIGHTBEDIRTY, 0);
	store(a, BASE + PAGE_SIZE, 3);
	assert_int_not_equal(object()->flags & OBJ_MIGHTBEDIRTY, 0);
	halt();
	assert_int_equal(sim_file_stored(&file, PAGE_SIZE), 3); /* by the last unmapping */
}

/* A program writes one page again and again while it is cleaned. */
static bool writer_stop;
static uint32_t writer_rounds;

static void
writer(void *arg)
{
	uint8_t n = 0;

	(void)arg;
	while (!writer_stop) {
		store(a, BASE + PAGE_SIZE, ++n);
		writer_rounds++;
		tsleep(&writer_stop, "writer", 50);
	}
	writer_rounds = 0;
	task_exit();
}

RUN_TEST(page_clean_ends_though_somebody_writes)
{
	struct task *t;
	uint32_t i;

	(void)arg;
	boot(4 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	writer_stop = false;
	assert_int_equal(task_create(&t, "writer", PRI_NORMAL, writer, NULL), 0);
	for (i = 0; i < 20; i++) {
		store(a, BASE, (uint8_t)i);
		assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), 0);
		assert_int_equal(sim_file_stored(&file, 0), (uint8_t)i);
	}
	assert_true(writer_rounds > 10);
	writer_stop = true;
	while (writer_rounds != 0)
		tsleep(&file, "end", 1000);
	halt();
}

/* ---- memory pressure: text is never written, dirty pages go to their file */

RUN_TEST(file_map_under_pressure)
{
	uint32_t i, pass;

	(void)arg;
	boot(300 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	sim_file_map(b, &file, BASE, VM_PROT_READ | VM_PROT_EXECUTE, COW);
	for (i = 0; i < 300; i++)
		store(a, BASE + i * PAGE_SIZE + i, (uint8_t)(i ^ 0x5a));
	sim_swap_be_pagedaemon();
	sim_swap_leave_free(vm_domains[0].v_free_min);
	for (pass = 0; pass < 8; pass++)
		vm_pageout_scan(&vm_domains[0], 2);
	for (pass = 0; pass < 80; pass++)
		vm_pageout_scan(&vm_domains[0], 1);
	vm_object_pip_wait(object());
	vm_domains[0].worker = NULL;
	assert_true(mm_params.v_vnodepgsout > 0);
	assert_int_equal(sim_swap_disk.writes, 0);
	sim_file_check();
	sim_swap_leave_free(vm_domains[0].v_free_target);
	for (i = 0; i < 300; i++)
		assert_int_equal(load(b, BASE + i * PAGE_SIZE + i), (uint8_t)(i ^ 0x5a));
	halt();
	for (i = 0; i < 300; i++)
		assert_int_equal(sim_file_stored(&file, i * PAGE_SIZE + i), (uint8_t)(i ^ 0x5a));
}

/* ---- a disk that fails */

RUN_TEST(file_map_read_error_fails_the_fault)
{
	uint8_t byte;
	uint32_t resident;

	(void)arg;
	boot(64 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, VM_PROT_READ | VM_PROT_EXECUTE, COW);
	assert_int_equal(load(a, BASE), sim_file_byte(&file, 0));
	resident = object()->resident_count;
	sim_file_disk.dead = true;
	assert_int_equal(sim_load(a, BASE + 50 * PAGE_SIZE, &byte, 1), ERR_IO);
	assert_non_null(strstr(console_tap_text(), "file: /data: page 50 (file0 sector"));
	assert_int_equal(object()->resident_count, resident);
	assert_int_equal(load(a, BASE), sim_file_byte(&file, 0));
	sim_file_disk.dead = false;
	assert_int_equal(load(a, BASE + 50 * PAGE_SIZE), sim_file_byte(&file, 50 * PAGE_SIZE));
	halt();
}

RUN_TEST(file_map_dead_disk_keeps_dirty_pages)
{
	(void)arg;
	boot(8 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE + 3 * PAGE_SIZE, 0x33);
	sim_file_disk.dead = true;
	assert_int_equal(file_pager_sync(object(), 0, 0, OBJPC_SYNC, false), ERR_IO);
	assert_int_equal(load(a, BASE + 3 * PAGE_SIZE), 0x33);
	halt(); /* the last mapping goes: the page stays, dirty */
	assert_int_equal(vm_page_lookup(object(), 3)->dirty, VM_PAGE_BITS_ALL);
	sim_file_disk.dead = false;
	assert_int_equal(vm_syncer_sync(), ERR_IO); /* of before */
	assert_int_equal(sim_file_stored(&file, 3 * PAGE_SIZE), 0x33);
	assert_int_equal(vm_syncer_sync(), 0);
	sim_file_check();
}

/* ---- fork, syncer */

RUN_TEST(file_map_forked_programs_share_it)
{
	struct vmspace *child;

	(void)arg;
	boot(4 * PAGE_SIZE);
	sim_file_map(a, &file, BASE, RW, 0);
	sim_file_map(a, &file, OTHER, RW, COW);
	store(a, OTHER, 0x01);
	assert_int_equal(vmspace_fork(a, &child), 0);
	store(child, BASE, 0xcc);
	assert_int_equal(load(a, BASE), 0xcc);
	store(child, OTHER, 0x02);
	assert_int_equal(load(a, OTHER), 0x01);
	assert_int_equal(load(child, OTHER), 0x02);
	sim_file_check();
	vmspace_free(child);
	assert_int_equal(sim_file_stored(&file, 0), sim_file_byte(&file, 0)); /* a maps it */
	halt();
	assert_int_equal(sim_file_stored(&file, 0), 0xcc);
}

RUN_TEST(syncer_writes_within_its_period_or_when_asked)
{
	(void)arg;
	boot(4 * PAGE_SIZE);
	assert_int_equal(vm_syncer_start(), 0);
	sim_file_map(a, &file, BASE, RW, 0);
	store(a, BASE, 0x10);
	tsleep(&file, "wait", 1000000);
	assert_int_not_equal(sim_file_stored(&file, 0), 0x10);
	tsleep(&file, "wait", 30000000);
	assert_int_equal(sim_file_stored(&file, 0), 0x10);
	store(a, BASE, 0x20);
	vfs_speedup_syncer();
	tsleep(&file, "wait", 100000);
	assert_int_equal(sim_file_stored(&file, 0), 0x20);
	assert_int_equal(mm_params.v_sync_speedups, 1);
	mm_params.syncer_period = 0;
	tsleep(&file, "wait", 31000000); /* the sleep that had begun */
	store(a, BASE, 0x30);
	tsleep(&file, "wait", 100000000);
	assert_int_equal(sim_file_stored(&file, 0), 0x20);
	halt();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_map_shared_is_seen_by_all_and_by_the_file),
		cmocka_unit_test(file_map_private_is_seen_by_nobody),
		cmocka_unit_test(file_map_private_alone_writes_nothing),
		cmocka_unit_test(file_map_text_is_read_once_for_two_programs),
		cmocka_unit_test(file_map_text_during_the_last_write_back_does_not_stay_text),
		cmocka_unit_test(file_map_unmapping_keeps_the_pages),
		cmocka_unit_test(check_C18_files_and_their_objects),
		cmocka_unit_test(file_map_what_is_free_to_forget_is_kept),
		cmocka_unit_test(file_map_past_the_end_cannot_be_used),
		cmocka_unit_test(file_map_a_write_after_cleaning_is_noticed),
		cmocka_unit_test(page_clean_ends_though_somebody_writes),
		cmocka_unit_test(file_map_under_pressure),
		cmocka_unit_test(file_map_read_error_fails_the_fault),
		cmocka_unit_test(file_map_dead_disk_keeps_dirty_pages),
		cmocka_unit_test(file_map_forked_programs_share_it),
		cmocka_unit_test(syncer_writes_within_its_period_or_when_asked),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
