/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that share a file at random, under the seeded scheduler, with the page daemon,
 * the syncer, too little memory and a disk that fails: nobody ever sees a wrong byte, and
 * the disk holds everything in the end.
 *
 * Page n of the file is written by task n % TASKS alone, so each task knows what its pages
 * hold; the pages of the others must hold some value that they have had.
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

#define TASKS   3u
#define PAGES   240u
#define FRAMES  400u
#define STEPS   12000u
#define SHARED  0x10000000ull
#define PRIVATE 0x20000000ull
#define RW      (VM_PROT_READ | VM_PROT_WRITE)
#define COW     (MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY)

static struct sim_file file;
static uint8_t version[PAGES];
static uint32_t running;

/* One of the programs. */
struct program {
	uint32_t index;
	struct vmspace *vm;
	struct vm_object *object; /* as an open file has it */
	uint8_t own[PAGES];       /* what the private mapping holds; 0 = not written */
	bool mapped;
};

static uint8_t
byte_at(vm_pindex_t page)
{
	return (version[page] == 0 ? sim_file_byte(&file, (uint64_t)page * PAGE_SIZE + page) :
	    version[page]);
}

static vm_pindex_t
own_page(const struct program *p)
{
	return (sim_random(PAGES / TASKS) * TASKS + p->index);
}

/* A fault may fail for the disk's sake; then nothing has happened. */
static bool
read_byte(struct program *p, vm_offset_t base, vm_pindex_t page, uint8_t *byte)
{
	int error = sim_load(p->vm, base + (vm_offset_t)page * PAGE_SIZE + page, byte, 1);

	assert_true(error == 0 || error == ERR_IO);
	return (error == 0);
}

static void
do_load(struct program *p)
{
	vm_pindex_t page = own_page(p);
	uint8_t byte;

	if (read_byte(p, SHARED, page, &byte))
		assert_int_equal(byte, byte_at(page));
}

static void
do_store(struct program *p)
{
	vm_pindex_t page = own_page(p);
	uint8_t next = (uint8_t)(version[page] % 250 + 1);
	int error = sim_store(p->vm, SHARED + (vm_offset_t)page * PAGE_SIZE + page, &next, 1);

	assert_true(error == 0 || error == ERR_IO);
	if (error == 0)
		version[page] = next;
}

static void
do_private(struct program *p)
{
	vm_pindex_t page = sim_random(PAGES);
	uint8_t byte = 0, before = byte_at(page);
	uint8_t next = (uint8_t)(251 + sim_random(4));

	if (p->own[page] != 0 || sim_random(3) == 0) {
		if (!read_byte(p, PRIVATE, page, &byte))
			return;
		if (p->own[page] != 0)
			assert_int_equal(byte, p->own[page]);
		else
			assert_true(byte == before || byte == byte_at(page) ||
			    page % TASKS != p->index);
	} else {
		if (sim_store(p->vm, PRIVATE + (vm_offset_t)page * PAGE_SIZE + page, &next, 1) == 0)
			p->own[page] = next;
	}
}

/* read and write */
static void
do_file(struct program *p)
{
	static const bool killed;
	vm_pindex_t page = own_page(p);
	struct vm_page *m;
	uint8_t *at;
	int error = file_pager_page(p->object, page, sim_random(16), &killed, &m);

	assert_true(error == 0 || error == ERR_IO);
	if (error != 0)
		return;
	at = (uint8_t *)vm_page_address(m) + page;
	assert_int_equal(*at, byte_at(page));
	if (sim_random(2) == 0) {
		sched_yield(); /* copyin faults */
		*at = version[page] = (uint8_t)(version[page] % 250 + 1);
		sched_yield();
		file_pager_changed(m);
	}
	vm_page_unhold(m);
}

static void
do_sync(struct program *p)
{
	vm_pindex_t first = sim_random(PAGES);
	uint32_t flags = OBJPC_SYNC | (sim_random(3) == 0 ? OBJPC_INVAL : 0);
	int error = file_pager_sync(p->object, first, first + 1 + sim_random(PAGES - first), flags,
	    false);

	assert_true(error == 0 || error == ERR_IO);
}

static void
do_remap(struct program *p)
{
	int error = vm_map_remove(p->vm, PRIVATE, PRIVATE + PAGES * PAGE_SIZE);

	assert_int_equal(error, 0);
	memset(p->own, 0, sizeof(p->own));
	sim_file_map(p->vm, &file, PRIVATE, RW, COW);
	error = vm_map_remove(p->vm, SHARED, SHARED + PAGES * PAGE_SIZE);
	assert_int_equal(error, 0);
	if (sim_random(2) == 0) { /* a moment without any open file either */
		vm_object_deallocate(p->object);
		p->object = file_pager_alloc(&file.vnode);
		assert_non_null(p->object);
	}
	sim_file_map(p->vm, &file, SHARED, RW, 0);
}

static void
program(void *arg)
{
	struct program *p = arg;
	uint32_t i;

	for (i = 0; i < STEPS; i++) {
		switch (sim_random(20)) {
		case 0:
			do_sync(p);
			break;
		case 1:
			if (sim_random(10) == 0)
				do_remap(p);
			break;
		case 2 ... 4:
			do_file(p);
			break;
		case 5 ... 9:
			do_private(p);
			break;
		case 10 ... 14:
			do_load(p);
			break;
		default:
			do_store(p);
		}
	}
	vmspace_free(p->vm);
	vm_object_deallocate(p->object);
	running--;
	task_exit();
}

static void
check_disk(void)
{
	vm_pindex_t page;

	for (page = 0; page < PAGES; page++)
		if (sim_file_stored(&file, (uint64_t)page * PAGE_SIZE + page) != byte_at(page))
			fail_msg("page %u: the disk has %u, not %u", page,
			    sim_file_stored(&file, (uint64_t)page * PAGE_SIZE + page),
			    byte_at(page));
}

static void
run(uint64_t seed, uint32_t cluster_sectors, uint32_t errors)
{
	static struct program programs[TASKS];
	struct task *t;
	uint32_t i;

	sim_file_boot(FRAMES, 600);
	sim_file_make(&file, "/data", PAGES * PAGE_SIZE - 100, cluster_sectors, 5);
	memset(version, 0, sizeof(version));
	memset(programs, 0, sizeof(programs));
	sim_file_disk.latency_spread_us = 2000;
	sim_file_disk.depth = 8;
	sim_file_disk.write_error_one_in = sim_file_disk.read_error_one_in = errors;
	mm_params.syncer_period = 1;
	assert_int_equal(vm_pageout_start(), 0);
	assert_int_equal(vm_syncer_start(), 0);
	console_tap_begin();
	sim_random_scheduler(sim_seed(seed));
	running = TASKS;
	for (i = 0; i < TASKS; i++) {
		programs[i].index = i;
		programs[i].vm = vmspace_alloc(PAGE_SIZE, 1ull << 32);
		programs[i].object = file_pager_alloc(&file.vnode);
		sim_file_map(programs[i].vm, &file, SHARED, RW, 0);
		sim_file_map(programs[i].vm, &file, PRIVATE, RW, COW);
		assert_int_equal(task_create(&t, "program", PRI_NORMAL, program, &programs[i]), 0);
	}
	while (running > 0) {
		tsleep(&running, "running", 20000);
		sim_mm_check();
	}
	sim_random_scheduler(0);
	sim_file_disk.write_error_one_in = sim_file_disk.read_error_one_in = 0;
	for (i = 0; i < 3 && vm_syncer_sync() != 0;) /* errors of before are told once */
		i++;
	assert_true(mm_params.v_vnodepgsout > 0 && mm_params.v_tcached > 0);
	sim_file_check();
	check_disk();
	for (i = 0; i < 100 && file.vnode.object != NULL && file.vnode.object->ref_count != 0; i++)
		tsleep(&running, "syncer", 10000); /* it may be at the file just now */
	assert_int_equal(file.vnode.object == NULL ? 0 : file.vnode.object->ref_count, 0);
	assert_int_equal(file.vnode.ref_count, 1 + (file.vnode.object != NULL));
}

static void
sound_body(void *arg)
{
	(void)arg;
	run(1, 8, 0);
	run(2, 1, 0);
	run(3, 3, 0);
}

static void
file_random_sound_disk(void **state)
{
	sim_run(sound_body, state);
}

static void
failing_body(void *arg)
{
	(void)arg;
	run(4, 8, 15);
	run(5, 2, 6);
}

static void
file_random_failing_disk(void **state)
{
	sim_run(failing_body, state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_random_sound_disk),
		cmocka_unit_test(file_random_failing_disk),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
