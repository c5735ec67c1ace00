/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that grows and shrinks while others read it, write it back, map it, and memory is
 * short, under the seeded scheduler: no rule breaks, what is new is zeros, what has been cut
 * does not come back.
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
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define ROOM (150u * PAGE_SIZE + 700)
#define FRAMES 200u
#define STEPS 1500u
#define VA   UINT64_C(0x100000)
#define MARK 0x5a /* of a byte that has been written; all others are zero */

static struct sim_file file;
static uint32_t running;
static bool stopping;
static const bool never;

static void
end(void)
{
	running--;
	task_exit();
}

/* A byte somewhere in the file: zero or written, never what lay on the disk. */
static void
look(struct vm_object *object, bool write)
{
	uint64_t size = file.vnode.size_bytes, at;
	struct vm_page *m;
	uint8_t *byte;
	int error;

	if (size == 0)
		return;
	at = sim_random((uint32_t)size);
	error = file_pager_page(object, (vm_pindex_t)(at >> PAGE_SHIFT), sim_random(4), &never, &m);
	if (error == ERR_RANGE || error == ERR_IO) /* it has been cut meanwhile */
		return;
	assert_int_equal(error, 0);
	byte = (uint8_t *)vm_page_address(m) + (at & PAGE_MASK);
	if (at < file.vnode.size_bytes && *byte != 0 && *byte != MARK)
		fail_msg("byte %lu of %lu is %02x", at, file.vnode.size_bytes, *byte);
	if (write && at < file.vnode.size_bytes) {
		*byte = MARK;
		file_pager_changed(m);
	}
	vm_page_unhold(m);
}

static void
reader(void *arg)
{
	struct vm_object *object = file_pager_alloc(&file.vnode);
	uint32_t i;

	for (i = 0; i < STEPS; i++)
		look(object, arg != NULL && sim_random(2) == 0);
	vm_object_deallocate(object);
	end();
}

static void
grower(void *arg)
{
	struct vm_object *object = file_pager_alloc(&file.vnode);
	uint32_t i;
	int error;

	(void)arg;
	for (i = 0; i < STEPS / 3; i++) {
		uint64_t size = file.vnode.size_bytes;

		error = file_pager_extend(object, size + sim_random(5 * PAGE_SIZE), &never);
		assert_true(error == 0 || error == ERR_NOSPC);
		assert_true(file.vnode.size_bytes <= ROOM);
	}
	vm_object_deallocate(object);
	end();
}

static void
cutter(void *arg)
{
	uint32_t i;
	int error;

	(void)arg;
	for (i = 0; i < STEPS / 6; i++) {
		tsleep(&stopping, "cut", 1 + sim_random(3000));
		error = file_pager_truncate(&file.vnode,
		    sim_random(5) == 0 ? 0 : sim_random((uint32_t)file.vnode.size_bytes + 1));
		assert_int_equal(error, 0);
	}
	end();
}

static void
syncer(void *arg)
{
	struct vm_object *object = file_pager_alloc(&file.vnode);
	uint32_t i;

	(void)arg;
	for (i = 0; i < STEPS / 10; i++) {
		assert_int_equal(file_pager_sync(object, 0, sim_random(3), OBJPC_SYNC, false), 0);
		tsleep(&stopping, "sync", 1 + sim_random(2000));
	}
	vm_object_deallocate(object);
	end();
}

static void
run(uint64_t seed, uint32_t cluster_sectors)
{
	void (*const bodies[])(void *) = { grower, cutter, reader, reader, syncer };
	struct task *t;
	uint32_t i;

	sim_file_boot(FRAMES, 300);
	sim_file_make(&file, "/data", ROOM, cluster_sectors, 3);
	file.bmap_sleep_us = 30;
	file.vnode.size_bytes = 0;
	sim_file_disk.latency_spread_us = 1000;
	mm_params.syncer_period = 1;
	assert_int_equal(vm_pageout_start(), 0);
	assert_int_equal(vm_syncer_start(), 0);
	console_tap_begin();
	sim_random_scheduler(sim_seed(seed));
	running = sizeof(bodies) / sizeof(bodies[0]);
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(
		    task_create(&t, "one", PRI_NORMAL, bodies[i], i == 3 ? &file : NULL), 0);
	for (i = 0; running > 0; i++) {
		tsleep(&running, "running", 5000);
		sim_mm_take_frames(i % 3 == 0 ? 64 : 0);
		sim_mm_check();
	}
	sim_mm_take_frames(0);
	sim_random_scheduler(0);
	assert_int_equal(vm_syncer_sync(), 0);
	assert_false(file.vnode.size_changed);
	sim_file_check();
}

static void
crowd_body(void *arg)
{
	(void)arg;
	run(1, 8);
	run(2, 1);
	run(3, 3);
}

static void
file_size_crowd(void **state)
{
	sim_run(crowd_body, state);
}

/* What the file system refuses reaches who asked; the file stays of one piece. */
static void
refused_body(void *arg)
{
	struct vm_object *object;

	(void)arg;
	sim_file_boot(FRAMES, 300);
	sim_file_make(&file, "/data", ROOM, 8, 0);
	file.vnode.size_bytes = 1000;
	object = file_pager_alloc(&file.vnode);
	file.change_error = ERR_IO;
	assert_int_equal(file_pager_extend(object, 2000, &never), ERR_IO);
	assert_int_equal(file.vnode.size_bytes, 1000);
	assert_int_equal(file_pager_truncate(&file.vnode, 10), ERR_IO);
	assert_true(vm_syncer_sync() != 0);
	file.change_error = 0;
	assert_int_equal(vm_syncer_sync(), 0);
	sim_file_disk.read_error_one_in = 1;
	vm_object_page_remove(object, 0, object->size_pages);
	assert_int_equal(file_pager_extend(object, 2000, &never), ERR_IO);
	sim_file_disk.read_error_one_in = 0;
	assert_int_equal(file_pager_extend(object, 2000, &never), 0);
	vm_object_deallocate(object);
	/* Without an object a cut concerns the disk alone. */
	sim_file_make(&file, "/other", ROOM, 8, 0);
	assert_int_equal(file_pager_truncate(&file.vnode, 5000), 0);
	file.vnode.is_unlinked = true;
	file_pager_forget(&file.vnode);
}

static void
file_size_refused(void **state)
{
	sim_run(refused_body, state);
}

static void
cut_all(void *arg)
{
	(void)arg;
	assert_int_equal(file_pager_truncate(&file.vnode, 0), 0);
	end();
}

/* A page that somebody has locked in memory stays, and then all of the file. */
static void
locked_body(void *arg)
{
	struct vmspace *vm;
	struct task *t;
	struct vm_page *m;

	(void)arg;
	sim_file_boot(FRAMES, 300);
	sim_file_make(&file, "/data", 10 * PAGE_SIZE, 8, 0);
	vm = vmspace_alloc(VA, VA + 100 * PAGE_SIZE);
	sim_file_map(vm, &file, VA, VM_PROT_READ | VM_PROT_WRITE, 0);
	assert_int_equal(sim_store(vm, VA + 3 * PAGE_SIZE, "new", 4), 0);
	assert_int_equal(vm_map_wire(vm, VA + 7 * PAGE_SIZE, VA + 8 * PAGE_SIZE), 0);
	assert_int_equal(file_pager_truncate(&file.vnode, 0), ERR_BUSY);
	assert_int_equal(file.vnode.size_bytes, 10 * PAGE_SIZE);
	m = vm_page_lookup(file.vnode.object, 3);
	assert_non_null(m);
	assert_memory_equal(vm_page_address(m), "new", 4);
	assert_int_equal(vm_map_unwire(vm, VA + 7 * PAGE_SIZE, VA + 8 * PAGE_SIZE), 0);
	/* Nor does anybody lock one that is about to go. */
	assert_true(vm_page_trysbusy(m));
	running = 1;
	assert_int_equal(task_create(&t, "cut", PRI_NORMAL, cut_all, NULL), 0);
	tsleep(&running, "running", 5000);
	assert_int_equal(vm_map_wire(vm, VA + 7 * PAGE_SIZE, VA + 8 * PAGE_SIZE), ERR_FAULT);
	vm_page_sunbusy(m);
	while (running > 0)
		tsleep(&running, "running", 5000);
	assert_int_equal(file.vnode.size_bytes, 0);
	vmspace_free(vm);
	sim_file_check();
}

static void
file_size_locked(void **state)
{
	sim_run(locked_body, state);
}

static void
cut_refused(void *arg)
{
	(void)arg;
	assert_int_equal(file_pager_truncate(&file.vnode, 0), ERR_BUSY);
	end();
}

/* What became swap while a cut waited for its turn is not cut; who is killed does not go on
 * making a file longer. */
static void
meanwhile_body(void *arg)
{
	static const bool killed = true;
	struct vm_object *object;
	struct task *t;

	(void)arg;
	sim_file_boot(FRAMES, 300);
	sim_file_make(&file, "/data", ROOM, 8, 0);
	sleep_lock_acquire(&file.vnode.lock);
	running = 1;
	assert_int_equal(task_create(&t, "cut", PRI_NORMAL, cut_refused, NULL), 0);
	tsleep(&running, "running", 5000);
	file.vnode.is_swap = true;
	sleep_lock_release(&file.vnode.lock);
	while (running > 0)
		tsleep(&running, "running", 5000);
	assert_int_equal(file.vnode.size_bytes, ROOM);
	file.vnode.is_swap = false;
	assert_int_equal(file_pager_truncate(&file.vnode, 100), 0);
	object = file_pager_alloc(&file.vnode);
	assert_int_equal(file_pager_extend(object, ROOM, &killed), ERR_KILLED);
	assert_int_equal(file.vnode.size_bytes, 100);
	vm_object_deallocate(object);
}

static void
file_size_meanwhile(void **state)
{
	sim_run(meanwhile_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_size_crowd),
		cmocka_unit_test(file_size_refused),
		cmocka_unit_test(file_size_locked),
		cmocka_unit_test(file_size_meanwhile),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
