/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of mm against an oracle: 100,000 random operations of a few programs in
 * a pool of 128 frames, with a swap disk that is slow, fails, corrupts and fills up.
 *
 * Each program is a task with an address space and a table that knows every byte it
 * should see. Beside them one task reads in all address spaces (so that faults of one
 * space overlap), and one makes trouble: takes frames away, lets reads and writes
 * fail, damages stored pages, lets pmap_enter run out of memory. The scheduler yields
 * at every legal point; after each operation every invariant is verified.
 *
 * What must hold: a program never sees a byte that it did not write; an access fails
 * only where the table says so, or with ERR_IO for a page whose stored copy was
 * damaged or whose read was made to fail, or because the program was killed; nobody
 * is killed while swap has room; at the end every frame and slot has come back.
 *
 * EBB_SEED=n replays a run; EBB_STEPS=n makes it longer.
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
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/uma.h"
#include "mm/vm_client.h"
#include "mm/vm_fault.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_disk.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_replay.h"

#define FRAMES      128u
#define SLOTS       420u
#define BAD_MAX     50u  /* slots that may be lost to failed writes */
#define PROGRAMS    4u
#define SPAN        192u /* pages of a program's addresses */
#define HEAP_MAX    64u  /* the first of them: its heap */
#define BASE        0x400000ull
#define PRESSURE    24u  /* most frames taken away */
#define STEPS       100000u
#define RW          (VM_PROT_READ | VM_PROT_WRITE)

struct page_model {
	bool mapped;
	bool damaged;        /* its stored copy was tampered with */
	vm_prot_t prot;
	uint32_t generation; /* odd: an operation on it is under way */
	uint8_t bytes[PAGE_SIZE];
};

static struct program {
	uint32_t pid;
	struct vmspace *vm;  /* NULL: between two lives */
	struct task *task;
	bool killed;
	uint32_t heap_pages;
	uint32_t visitors;   /* accesses by the reading task under way */
	struct page_model pages[SPAN];
} programs[PROGRAMS];

static struct sim_disk disk;
static struct task *visitor_task;
static uint32_t steps, steps_max, tasks_left, next_pid;
static uint32_t trouble_epoch; /* changes whenever reads start or stop to fail */
static bool stopping, greedy;  /* greedy: programs map and write more than there is */

static struct {
	uint32_t reads, writes, maps, exits, kills, io_deaths, damages;
} seen;

/* ---- the client table */
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
client_kill(uint32_t pid, const char *reason)
{
	struct program *p;

	(void)reason;
	for (p = programs; p < programs + PROGRAMS && (p->vm == NULL || p->pid != pid); p++)
		continue;
	KASSERT(p < programs + PROGRAMS && !p->killed, "K1: a live program is killed, once");
	KASSERT(swap_pager_avail() < 64 || swap_pager_full(), "K2: swap has no room");
	seen.kills++;
	p->killed = p->vm->killed = true;
	wakeup_task(p->task);
}

static const struct vm_client_ops client_ops = { .next = client_next, .kill = client_kill };

/* ---- one program */
static vm_offset_t
va_of(uint32_t page)
{
	return (BASE + (vm_offset_t)page * PAGE_SIZE);
}

static void
step_done(void)
{
	struct swap_area_info info;

	steps++;
	if (swap_pager_info(0, &info) && info.bad_slots >= BAD_MAX)
		disk.write_error_one_in = 0;
	sim_mm_check();
}

static bool
reads_may_fail(const struct page_model *pm, uint32_t epoch)
{
	return (pm->damaged || disk.read_error_one_in != 0 || disk.flip_read_every != 0 ||
	    epoch != trouble_epoch);
}

/* May an access of p to pm that began in epoch end with error, and is it over with p? */
static bool
died(struct program *p, const struct page_model *pm, int error, uint32_t epoch)
{
	if (error == ERR_KILLED) {
		KASSERT(p->vm->killed, "K3: ERR_KILLED is for killed programs");
		return (true);
	}
	if (error == ERR_IO || error == ERR_CORRUPT) {
		KASSERT(reads_may_fail(pm, epoch), "K4: a read fails only by injection");
		seen.io_deaths++;
		return (true);
	}
	return (p->killed);
}

static void
begin(struct program *p, uint32_t first, uint32_t count)
{
	for (; count > 0; count--, first++)
		p->pages[first].generation++;
}
#define end begin

static void
forget(struct program *p, uint32_t first, uint32_t count)
{
	for (; count > 0; count--, first++) {
		p->pages[first].mapped = p->pages[first].damaged = false;
		p->pages[first].prot = VM_PROT_NONE;
		memset(p->pages[first].bytes, 0, PAGE_SIZE);
	}
}

static uint32_t
count_mapped(const struct program *p, uint32_t first, uint32_t count)
{
	uint32_t n = 0;

	for (; count > 0; count--, first++)
		n += p->pages[first].mapped;
	return (n);
}

static void
op_map_at(struct program *p, uint32_t first, uint32_t count, vm_prot_t prot, uint8_t flags)
{
	vm_offset_t va = va_of(first);
	int error = vm_map_find(p->vm, &va, (vm_size_t)count * PAGE_SIZE, prot, flags);
	uint32_t i;

	if (error == ERR_NOMEM)
		return;
	assert_int_equal(error, count_mapped(p, first, count) == 0 ? 0 : ERR_EXIST);
	for (i = first; error == 0 && i < first + count; i++) {
		p->pages[i].mapped = true;
		p->pages[i].prot = prot;
	}
	seen.maps++;
}

static void
op_unmap(struct program *p, uint32_t first, uint32_t count)
{
	int error;

	begin(p, first, count);
	error = vm_map_remove(p->vm, va_of(first), va_of(first + count));
	if (error == 0)
		forget(p, first, count);
	else
		assert_int_equal(error, ERR_NOMEM);
	end(p, first, count);
}

static void
op_protect(struct program *p, uint32_t first, uint32_t count, vm_prot_t prot)
{
	int error = vm_map_protect(p->vm, va_of(first), va_of(first + count), prot);
	bool whole = count_mapped(p, first, count) == count;

	if (error == ERR_NOMEM)
		return;
	assert_int_equal(error, whole ? 0 : ERR_FAULT);
	for (; whole && count > 0; count--, first++) {
		p->pages[first].prot = prot;
		p->pages[first].generation += 2;
	}
}

static void
op_break(struct program *p, uint32_t pages)
{
	uint32_t old = p->heap_pages;

	if (pages > old) {
		op_map_at(p, old, pages - old, RW, MAP_ENTRY_HEAP);
		if (p->pages[old].mapped)
			p->heap_pages = pages;
	} else if (pages < old) {
		op_unmap(p, pages, old - pages);
		if (!p->pages[pages].mapped)
			p->heap_pages = pages;
	}
}

/* Read or write a piece of one page; true if the program is dead now. */
static bool
op_access(struct program *p, uint32_t page, bool write)
{
	struct page_model *pm = &p->pages[page];
	uint32_t offset = sim_random(4) == 0 ? sim_random(PAGE_SIZE) : 0, epoch = trouble_epoch, i;
	uint32_t bytes = write && sim_random(8) != 0 ? 1 + sim_random(32) : PAGE_SIZE;
	uint8_t buffer[PAGE_SIZE], seed = (uint8_t)sim_random(256);
	int error;

	if (bytes > PAGE_SIZE - offset)
		bytes = PAGE_SIZE - offset;
	if (write) {
		for (i = 0; i < bytes; i++)
			buffer[i] = (uint8_t)(seed + i);
		pm->generation++;
		error = sim_store(p->vm, va_of(page) + offset, buffer, bytes);
		if (error == 0)
			memcpy(pm->bytes + offset, buffer, bytes);
		pm->generation++;
		seen.writes++;
	} else {
		error = sim_load(p->vm, va_of(page) + offset, buffer, bytes);
		if (error == 0)
			assert_memory_equal(buffer, pm->bytes + offset, bytes);
		seen.reads++;
	}
	if (died(p, pm, error, epoch))
		return (true);
	assert_int_equal(error, (pm->prot & (write ? VM_PROT_WRITE : VM_PROT_READ)) != 0
	    ? 0 : ERR_FAULT);
	return (false);
}

/* Walk through consecutive pages, as programs do. */
static bool
op_sweep(struct program *p, bool write)
{
	uint32_t page = sim_random(SPAN);
	uint32_t n = 1 + sim_random(greedy || sim_random(4) == 0 ? SPAN : 24);

	for (; n > 0 && page < SPAN; n--, page++)
		if (op_access(p, page, write))
			return (true);
	return (false);
}

/* The end of a program: everything it had goes back. */
static void
op_exit(struct program *p)
{
	struct vmspace *vm = p->vm;

	p->vm->killed = true; /* visitors do not wait for memory any more */
	while (p->visitors != 0) {
		wakeup_task(visitor_task);
		tsleep(&p->visitors, "visitor", 1000);
	}
	begin(p, 0, SPAN);
	p->vm = NULL;
	vmspace_free(vm);
	forget(p, 0, SPAN);
	p->heap_pages = 0;
	end(p, 0, SPAN);
	seen.exits++;
}

static void
op_birth(struct program *p)
{
	p->killed = false;
	p->pid = ++next_pid;
	while ((p->vm = vmspace_alloc(BASE, va_of(SPAN))) == NULL)
		tsleep(p, "birth", 10000);
}

/* One random operation; true if the program is dead now. */
static bool
op_random(struct program *p)
{
	static const vm_prot_t rights[] = { RW, RW, RW, VM_PROT_READ, VM_PROT_NONE };
	uint32_t first = HEAP_MAX + sim_random(SPAN - HEAP_MAX);
	uint32_t count = 1 + sim_random(SPAN - first < 40 ? SPAN - first : 40);
	uint32_t choice = sim_random(100);

	if (greedy && choice < 30) {
		op_map_at(p, first, count, RW, 0);
		return (op_sweep(p, true));
	}
	if (choice < 6)
		op_map_at(p, first, count, sim_random(6) == 0 ? VM_PROT_READ : RW, 0);
	else if (choice < 9)
		op_unmap(p, first, 1 + sim_random(count));
	else if (choice < 13)
		op_protect(p, first, 1 + sim_random(count), rights[sim_random(5)]);
	else if (choice < 16)
		op_break(p, sim_random(HEAP_MAX + 1));
	else if (choice < 20)
		return (op_sweep(p, sim_random(2) == 0));
	else
		return (op_access(p, sim_random(SPAN), sim_random(2) == 0));
	return (p->killed);
}

static void
program_run(void *arg)
{
	struct program *p = arg;

	while (!stopping) {
		op_birth(p);
		while (!stopping && !p->killed && sim_random(4000) != 0) {
			if (op_random(p))
				break;
			step_done();
			if (sim_random(8) == 0)
				tsleep(p, "think", 1 + sim_random(20000));
			else
				sched_yield();
		}
		op_exit(p);
		step_done();
	}
	tasks_left--;
}

/* ---- the visitor: accesses by a second task in the same address space */
static void
visit(struct program *p)
{
	uint32_t page = sim_random(SPAN), offset = sim_random(PAGE_SIZE), epoch = trouble_epoch;
	struct page_model *pm = &p->pages[page];
	uint32_t generation = pm->generation;
	uint8_t byte;
	int error;

	p->visitors++;
	error = sim_load(p->vm, va_of(page) + offset, &byte, 1);
	if (!p->killed && !p->vm->killed && generation == pm->generation && generation % 2 == 0 &&
	    !died(p, pm, error, epoch)) {
		assert_int_equal(error, (pm->prot & VM_PROT_READ) != 0 ? 0 : ERR_FAULT);
		if (error == 0)
			assert_int_equal(byte, pm->bytes[offset]);
	}
	p->visitors--;
	wakeup(&p->visitors);
}

static void
visitor_run(void *arg)
{
	struct program *p;

	(void)arg;
	while (!stopping) {
		p = &programs[sim_random(PROGRAMS)];
		if (p->vm != NULL && !p->vm->killed)
			visit(p);
		step_done();
		tsleep(&visitor_task, "think", 1 + sim_random(5000));
	}
	tasks_left--;
}

/* ---- trouble */
/* Flip a bit of what a random slot in use holds. */
static void
damage_slot(void)
{
	uint32_t index = sim_random(SLOTS), page;
	struct vm_object *owner;
	struct vm_map_entry *entry;
	struct program *p;
	vm_pindex_t pindex;

	if (!swap_map_owner(SWAP_SLOT(0, index), &owner, &pindex))
		return;
	for (p = programs; p < programs + PROGRAMS; p++) {
		for (page = 0; p->vm != NULL && page < SPAN; page++) {
			entry = vm_map_lookup_entry(&p->vm->map, va_of(page));
			if (entry != NULL && entry->object == owner &&
			    entry->offset + atop(va_of(page) - entry->start) == pindex) {
				p->pages[page].damaged = true;
				disk.bytes[(size_t)index * PAGE_SIZE + sim_random(PAGE_SIZE)] ^= 4;
				seen.damages++;
			}
		}
	}
}

static void
trouble_random(void)
{
	switch (sim_random(10)) {
	case 0:
	case 1:
		sim_mm_take_frames(sim_random(PRESSURE + 1));
		break;
	case 2:
		disk.write_error_one_in = sim_random(4) != 0 ? 0 : 2 + sim_random(20);
		break;
	case 3:
		disk.read_error_one_in = sim_random(3) != 0 ? 0 : 2 + sim_random(30);
		trouble_epoch++;
		break;
	case 4:
		sim_pmap_nomem_one_in = sim_random(2) == 0 ? 0 : 2 + sim_random(8);
		break;
	case 5:
		disk.latency_us = sim_random(4) == 0 ? 20000 : sim_random(1000);
		disk.latency_spread_us = disk.latency_us;
		break;
	case 6:
		disk.flip_read_every = sim_random(2) == 0 ? 0 : 5 + sim_random(20);
		trouble_epoch++;
		break;
	case 7:
		greedy = !greedy && sim_random(2) == 0;
		break;
	default:
		damage_slot();
		break;
	}
}

static void
trouble_run(void *arg)
{
	(void)arg;
	while (!stopping) {
		trouble_random();
		step_done();
		tsleep(&trouble_epoch, "think", 1 + sim_random(200000));
	}
	sim_mm_take_frames(0);
	disk.write_error_one_in = disk.read_error_one_in = disk.flip_read_every = 0;
	trouble_epoch++;
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

static void *records;

static void
boot(void)
{
	vm_size_t bytes = swap_pager_record_bytes(SLOTS);

	records = aligned_alloc(64, (bytes + 63) & ~63ull);
	sim_mm_boot(FRAMES);
	vm_client_ops = &client_ops;
	sim_disk_open(&disk, "swap", SLOTS * (PAGE_SIZE / 512));
	disk.latency_us = 500;
	swap_pager_init();
	assert_int_equal(swap_pager_swapon(&disk.dev, records, bytes, false), 0);
	assert_int_equal(vm_pageout_start(), 0);
}

static void
model_body(void *arg)
{
	uint32_t i, used = 0;

	(void)arg;
	boot();
	for (i = 0; i < PROGRAMS; i++)
		start("program", program_run, &programs[i], &programs[i].task);
	start("visitor", visitor_run, NULL, &visitor_task);
	start("trouble", trouble_run, NULL, NULL);
	while (steps < steps_max)
		tsleep(&steps, "steps", 100000);
	stopping = true;
	while (tasks_left > 0)
		tsleep(&steps, "stop", 100000);
	sim_mm_check();
	for (i = 0; i < SLOTS; i++) {
		struct vm_object *owner;
		vm_pindex_t pindex;

		used += swap_map_owner(SWAP_SLOT(0, i), &owner, &pindex);
	}
	assert_int_equal(used, 0);
	assert_int_equal(swap_pager_avail(), swap_pager_total());
	assert_int_equal(vm_domains[0].pagequeues[PQ_ACTIVE].count, 0);
	assert_int_equal(vm_domains[0].pagequeues[PQ_INACTIVE].count, 0);
	uma_reclaim();
	assert_int_equal(vm_domains[0].v_free_count, FRAMES); /* none is wired */
}

static void
model_random_operations_match_oracle(void **state)
{
	uint64_t seed = sim_seed(1);
	const char *text = getenv("EBB_STEPS");

	steps_max = text != NULL ? (uint32_t)strtoul(text, NULL, 0) : STEPS;
	print_message("EBB_SEED=%llu, %u steps\n", (unsigned long long)seed, steps_max);
	sim_random_scheduler(seed);
	sim_run(model_body, state);
	print_message("%u reads, %u writes, %u maps, %u exits; %llu faults, %llu pages in, "
	    "%llu out in %llu writes; %u kills, %u I/O deaths, %u damaged slots, %llu CRC errors\n",
	    seen.reads, seen.writes, seen.maps, seen.exits,
	    (unsigned long long)mm_params.v_vm_faults, (unsigned long long)mm_params.v_swappgsin,
	    (unsigned long long)mm_params.v_swappgsout, (unsigned long long)mm_params.v_swapout,
	    seen.kills, seen.io_deaths, seen.damages, (unsigned long long)mm_params.v_crc_errors);
	if (getenv("EBB_SEED") == NULL && text == NULL) { /* it has met what it is for */
		assert_true(mm_params.v_swappgsin > steps_max / 100);
		assert_true(mm_params.v_swappgsout > steps_max / 100);
		assert_true(seen.kills > 0 && seen.io_deaths > 0 && seen.damages > 0);
		assert_true(mm_params.v_crc_errors > 0 && mm_params.v_pageout_errors > 0);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_random_operations_match_oracle),
	};

	(void)argc;
	sim_fix_addresses(argv);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
