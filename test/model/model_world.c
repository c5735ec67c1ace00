/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of mm against a second oracle, which knows what programs share: forks, files,
 * wiring, advice, swap areas that come and go (test/host/world_program.h).
 *
 * Four programs run at once, each in a task; when one forks, its child takes over a
 * task that waits for a life. Beside them a task makes trouble: takes frames away, lets
 * reads and writes of both disks fail, makes them slow, takes a swap area away and gives it
 * back, kills programs. The scheduler yields at every legal point; after each operation every
 * invariant is verified.
 *
 * What must hold: a program sees what was written, never anything else; an access fails
 * only if a read was made to fail or the program was killed; what is wired is in memory; at
 * the end the disk holds what the files' oracle says, and every frame and slot has come
 * back.
 *
 * EBB_SEED=n replays a run; EBB_STEPS=n: operations of each seed, EBB_SEEDS=n: so many seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/file_pager.h"
#include "mm/swap_pager.h"
#include "mm/uma.h"
#include "mm/vm_client.h"
#include "mm/vm_launder.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_file.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_replay.h"
#include "test/host/sim_swap.h"
#include "test/host/world_program.h"

#define FRAMES    128u
#define SLOTS     400u /* of the area that stays */
#define SLOTS_2   90u  /* of the one that comes and goes */
#define PRESSURE  16u  /* most frames taken away */
#define STEPS     90000u
#define SEEDS     10u

static struct sim_disk second;
static void *second_records;
static bool second_on;

static uint32_t steps, steps_max, tasks_left;

bool
world_reads_fail(void)
{
	return (sim_swap_disk.read_error_one_in != 0 || sim_file_disk.read_error_one_in != 0);
}

/* ---- clients, for the OOM killer */
static bool
client_next(uint32_t after_pid, struct vm_client *out)
{
	struct program *p, *best = NULL;

	for (p = programs; p < programs + PROGRAMS; p++)
		if (p->vm != NULL && p->pid > after_pid && (best == NULL || p->pid < best->pid))
			best = p;
	if (best == NULL)
		return (false);
	*out = (struct vm_client){ .pid = best->pid, .name = "model", .vmspace = best->vm,
		.flags = best->killed ? VM_CLIENT_KILLED : 0 };
	return (true);
}

static void
kill_program(struct program *p)
{
	p->killed = p->vm->killed = true;
	seen.kills++;
	wakeup_task(p->task);
}

static void
client_kill(uint32_t pid, const char *reason)
{
	struct program *p;

	(void)reason;
	for (p = programs; p < programs + PROGRAMS; p++) {
		if (p->vm == NULL || p->pid != pid)
			continue;
		KASSERT(!p->killed, "W1: a program is killed once");
		kill_program(p);
	}
}

static const struct vm_client_ops client_ops = { .next = client_next, .kill = client_kill };

static void
step_done(void)
{
	steps++;
	sim_mm_check();
}

static void
program_run(void *arg)
{
	struct program *p = arg;
	bool dead;

	while (!world_stopping) {
		world_get_life(p);
		dead = p->vm == NULL;
		while (!dead && !world_stopping && sim_random(300) != 0) {
			dead = world_operation(p) || p->killed;
			step_done();
			if (sim_random(6) == 0)
				tsleep(p, "think", 1 + sim_random(10000));
			else
				sched_yield();
		}
		if (p->vm != NULL)
			world_lose_life(p);
	}
	tasks_left--;
}

/* ---- trouble */
static void
toggle_second_area(void)
{
	struct swap_off_result result;
	vm_size_t bytes = swap_pager_record_bytes(SLOTS_2);
	int error;

	if (!second_on) {
		error = swap_pager_swapon(&second.dev, second_records, bytes, false);
		KASSERT(error == 0, "W9: an area that went can come back");
		second_on = true;
		return;
	}
	error = swap_pager_swapoff(&second.dev, &result);
	seen.swapoffs++;
	second_on = error != 0;
	if (error != 0)
		seen.refused++;
	else
		KASSERT(result.records == second_records, "W9: records come back");
}

static void
kill_one(void)
{
	struct program *p = &programs[sim_random(PROGRAMS)];

	if (p->vm != NULL && !p->killed && sim_random(4) == 0)
		kill_program(p);
}

static void
trouble_random(void)
{
	struct sim_disk *disk = sim_random(2) == 0 ? &sim_swap_disk : &sim_file_disk;

	switch (sim_random(9)) {
	case 0:
	case 1:
		sim_mm_take_frames(sim_random(PRESSURE + 1));
		break;
	case 2: /* not too often: a swap slot whose write failed is lost */
		sim_file_disk.write_error_one_in = sim_random(3) != 0 ? 0 : 2 + sim_random(10);
		sim_swap_disk.write_error_one_in = sim_random(12) != 0 ||
		    swap_pager_total() < SLOTS - 60 ? 0 : 30 + sim_random(60);
		break;
	case 3:
		disk->read_error_one_in = sim_random(3) != 0 ? 0 : 2 + sim_random(6);
		world_epoch++;
		break;
	case 4:
		sim_pmap_nomem_one_in = sim_random(2) == 0 ? 0 : 3 + sim_random(8);
		break;
	case 5:
		disk->latency_us = sim_random(4) == 0 ? 20000 : sim_random(1000);
		disk->latency_spread_us = disk->latency_us;
		break;
	case 6:
		kill_one();
		break;
	default:
		toggle_second_area();
		break;
	}
}

static void
trouble_run(void *arg)
{
	(void)arg;
	while (!world_stopping) {
		trouble_random();
		step_done();
		tsleep(&world_epoch, "think", 1 + sim_random(100000));
	}
	sim_mm_take_frames(0);
	sim_swap_disk.write_error_one_in = sim_swap_disk.read_error_one_in = 0;
	sim_file_disk.write_error_one_in = sim_file_disk.read_error_one_in = 0;
	world_epoch++;
	sim_pmap_nomem_one_in = 0;
	tasks_left--;
}

/* ---- the run */
static void
start(const char *name, void (*fn)(void *), void *arg, struct task **out)
{
	struct task *t;

	assert_int_equal(task_create(&t, name, PRI_NORMAL, fn, arg), 0);
	if (out != NULL)
		*out = t;
	tasks_left++;
}

static uint8_t *
sector_of(const struct sim_file *file, uint32_t n)
{
	uint64_t sector = file->cluster[n / file->cluster_sectors] + n % file->cluster_sectors;

	return (sim_file_disk.bytes + sector * SIM_DISK_BLOCK_BYTES);
}

static void
boot(void)
{
	uint32_t f, i;

	sim_file_boot(FRAMES, SLOTS);
	vm_client_ops = &client_ops;
	world_program_init();
	steps = tasks_left = 0;
	for (f = 0; f < FILES; f++) {
		sim_file_make(&files[f], f == 0 ? "zero" : "one", FILE_PAGES * PAGE_SIZE, 4,
		    f * 3);
		for (i = 0; i < FILE_PAGES; i++)
			file_holds[f][i] = (uint8_t)(17 * f + i + 1);
		for (i = 0; i < FILE_PAGES * 8; i++)
			memset(sector_of(&files[f], i), file_holds[f][i / 8], 512);
	}
	sim_disk_open(&second, "swap9", SLOTS_2 * (PAGE_SIZE / SIM_DISK_BLOCK_BYTES));
	second.latency_us = 300;
	free(second_records);
	second_records = aligned_alloc(64, (swap_pager_record_bytes(SLOTS_2) + 63) & ~63ull);
	second_on = false;
	assert_int_equal(vm_pageout_start(), 0);
}

/* Everything dirty goes to the disk, and then the pages go. */
static void
check_files(void)
{
	struct vm_object *object;
	uint32_t f, i;

	for (f = 0; f < FILES; f++) {
		object = file_pager_alloc(&files[f].vnode);
		assert_non_null(object);
		if (file_pager_sync(object, 0, 0, OBJPC_SYNC, false) != 0)
			seen.refused++; /* an old error is told once */
		assert_int_equal(file_pager_sync(object, 0, 0, OBJPC_SYNC | OBJPC_INVAL, false), 0);
		vm_object_deallocate(object);
		for (i = 0; i < FILE_PAGES * PAGE_SIZE; i++)
			assert_int_equal(sim_file_stored(&files[f], i),
			    file_holds[f][i / PAGE_SIZE]);
	}
	sim_file_check_guard();
}

static void
world_body(void *arg)
{
	struct swap_area_info info;
	uint32_t i;

	(void)arg;
	boot();
	for (i = 0; i < PROGRAMS; i++)
		start("program", program_run, &programs[i], &programs[i].task);
	start("trouble", trouble_run, NULL, NULL);
	while (steps < steps_max)
		tsleep(&steps, "steps", 100000);
	world_stopping = true;
	while (tasks_left > 0)
		tsleep(&steps, "stop", 100000);
	check_files();
	sim_mm_check();
	for (i = 0; swap_pager_info(i, &info); i++)
		assert_int_equal(info.used_slots, 0);
	assert_int_equal(vm_domains[0].pagequeues[PQ_ACTIVE].count, 0);
	assert_int_equal(vm_domains[0].pagequeues[PQ_INACTIVE].count, 0);
	vm_lowmem(0);
	assert_int_equal(vm_meter_free(&vm_domains[0]), FRAMES);
}

static void
world_matches_oracle(void **state)
{
	const char *text = getenv("EBB_STEPS"), *seeds_text = getenv("EBB_SEEDS");
	uint64_t seeds = seeds_text != NULL ? strtoul(seeds_text, NULL, 0) : SEEDS;
	uint64_t seed, n;

	steps_max = text != NULL ? (uint32_t)strtoul(text, NULL, 0) : STEPS;
	for (n = 1; n <= seeds; n++) {
		seed = sim_seed(n);
		print_message("EBB_SEED=%llu, %u steps: ", (unsigned long long)seed, steps_max);
		sim_random_scheduler(seed);
		sim_run(world_body, state);
		print_message("%u reads, %u writes, %u forks, %u maps, %u wires, %u advices, "
		    "%u syncs; %u swapoffs, %u refused; %u kills, %u I/O deaths; %llu pages in, "
		    "%llu out, %llu revived\n", seen.reads, seen.writes, seen.forks,
		    seen.maps, seen.wires, seen.advices, seen.syncs, seen.swapoffs,
		    seen.refused, seen.kills, seen.io_deaths,
		    (unsigned long long)mm_params.v_swappgsin,
		    (unsigned long long)mm_params.v_swappgsout,
		    (unsigned long long)mm_params.v_reactivated);
		if (text == NULL) /* it has met what it is for */
			assert_true(seen.forks > 20 && seen.swapoffs > 5 && seen.wires > 50 &&
			    mm_params.v_swappgsin > 500 && seen.syncs > 50);
		if (getenv("EBB_SEED") != NULL)
			break;
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(world_matches_oracle),
	};

	(void)argc;
	sim_fix_addresses(argv);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
