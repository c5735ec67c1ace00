/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random families of address spaces against plain arrays: each task owns one space, writes,
 * reads, forks and ends, while the page daemon writes their pages to a slow disk and the
 * scheduler yields at every legal point. Part of the memory is shared by all descendants
 * (inheritance SHARE), part is left out by fork (NONE).
 *
 * EBB_SEED=n replays a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/sched.h"
#include "mm/swap_pager.h"
#include "mm/vm_pageout.h"
#include "test/host/sim_fork.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"

#define FRAMES  104u
#define SLOTS   900u
#define LIVES   8u
#define PRIVATE 36u /* pages */
#define SHARED  4u  /* after them; page i is written only by the life of that number */
#define ABSENT  4u  /* after them; not inherited */
#define PAGES   (PRIVATE + SHARED + ABSENT)
#define STEPS   20000u

enum { UNMAPPED = UINT32_MAX };

static struct life {
	struct vmspace *vm; /* NULL: not alive */
	bool embryo;        /* being made by its parent */
	uint32_t tags[PAGES];
} lives[LIVES];

static uint32_t shared_tags[SHARED]; /* 0: never written */
static bool shared_busy[SHARED];     /* being written */
static uint32_t steps, tags, tasks_left, forks, ends;

static uint32_t
word_of(struct vmspace *vm, uint32_t page, int *error)
{
	uint32_t word = 0;

	*error = sim_load(vm, SIM_SWAP_BASE + (vm_offset_t)page * PAGE_SIZE, &word, sizeof(word));
	return (word);
}

static void
write_page(struct life *l, uint32_t page)
{
	uint32_t shared = page - PRIVATE, tag = ++tags;
	int error;

	if (page >= PRIVATE && shared < SHARED) {
		if (shared_busy[shared])
			return;
		shared_busy[shared] = true;
	}
	error = sim_swap_store(l->vm, page, tag);
	if (l->tags[page] == UNMAPPED) {
		assert_int_equal(error, ERR_FAULT);
	} else {
		assert_int_equal(error, 0);
		l->tags[page] = tag;
		if (page >= PRIVATE && shared < SHARED)
			shared_tags[shared] = tag;
	}
	if (page >= PRIVATE && shared < SHARED)
		shared_busy[shared] = false;
}

static void
read_page(struct life *l, uint32_t page)
{
	uint32_t shared = page - PRIVATE, tag = l->tags[page];
	int error;

	if (page >= PRIVATE && shared < SHARED) {
		if (shared_busy[shared])
			return;
		shared_busy[shared] = true; /* nobody writes it meanwhile */
		tag = shared_tags[shared];
	}
	if (tag == 0)
		assert_int_equal(word_of(l->vm, page, &error), 0);
	else
		error = sim_swap_verify(l->vm, page, tag);
	assert_int_equal(error, tag == UNMAPPED ? ERR_FAULT : 0);
	if (page >= PRIVATE && shared < SHARED)
		shared_busy[shared] = false;
}

static void life_main(void *arg);

static void
begin(struct life *l)
{
	struct task *task;

	tasks_left++;
	assert_int_equal(task_create(&task, "life", PRI_NORMAL, life_main, l), 0);
}

static void
become_two(struct life *l)
{
	struct life *child = NULL;
	struct vmspace *vm;
	uint32_t i;

	for (i = 0; i < LIVES; i++)
		if (lives[i].vm == NULL && !lives[i].embryo)
			child = &lives[i];
	if (child == NULL)
		return;
	child->embryo = true;
	if (vmspace_fork(l->vm, &vm) == 0) {
		memcpy(child->tags, l->tags, sizeof(child->tags));
		for (i = PRIVATE + SHARED; i < PAGES; i++)
			child->tags[i] = UNMAPPED;
		child->vm = vm;
		forks++;
		begin(child);
	}
	child->embryo = false;
}

/* Unmap some of the private pages. */
static void
unmap(struct life *l)
{
	uint32_t first = sim_random(PRIVATE), count = 1 + sim_random(3), i;
	vm_offset_t va = SIM_SWAP_BASE + (vm_offset_t)first * PAGE_SIZE;

	if (first + count > PRIVATE)
		return;
	if (vm_map_remove(l->vm, va, va + count * PAGE_SIZE) != 0)
		return;
	for (i = first; i < first + count; i++)
		l->tags[i] = UNMAPPED;
	if (sim_random(2) == 0 && vm_map_find(l->vm, &va, count * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, 0) == 0)
		for (i = first; i < first + count; i++)
			l->tags[i] = 0;
}

static uint32_t
alive(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < LIVES; i++)
		n += lives[i].vm != NULL;
	return (n);
}

static void
life_main(void *arg)
{
	struct life *l = arg;
	struct vmspace *vm = l->vm;
	uint32_t what;

	while (steps < STEPS) {
		steps++;
		what = sim_random(100);
		if (what < 45)
			write_page(l, sim_random(PAGES));
		else if (what < 88)
			read_page(l, sim_random(PAGES));
		else if (what < 93)
			become_two(l);
		else if (what < 95)
			unmap(l);
		else if (what < 98 && alive() > 1)
			break;
		sim_mm_check();
		sched_yield();
	}
	ends++;
	l->embryo = true;
	l->vm = NULL;
	vmspace_free(vm);
	l->embryo = false;
	sim_mm_check();
	if (--tasks_left == 0)
		wakeup(&tasks_left);
}

static void
model_body(void *arg)
{
	vm_offset_t va = SIM_SWAP_BASE + PRIVATE * PAGE_SIZE;

	(void)arg;
	memset(lives, 0, sizeof(lives));
	memset(shared_tags, 0, sizeof(shared_tags));
	steps = tags = tasks_left = forks = ends = 0;
	sim_swap_boot(FRAMES, SLOTS);
	sim_swap_disk.latency_us = 500;
	assert_int_equal(vm_pageout_start(), 0);
	sim_random_scheduler(sim_seed(0));
	lives[0].vm = sim_swap_space(PAGES);
	assert_int_equal(vm_map_inherit(lives[0].vm, va, va + SHARED * PAGE_SIZE,
	    VM_INHERIT_SHARE), 0);
	va += SHARED * PAGE_SIZE;
	assert_int_equal(vm_map_inherit(lives[0].vm, va, va + ABSENT * PAGE_SIZE,
	    VM_INHERIT_NONE), 0);
	begin(&lives[0]);
	while (tasks_left != 0)
		tsleep(&tasks_left, "model", SLEEP_FOREVER);
	sim_random_scheduler(0);
	assert_true(forks > 50);
	assert_true(mm_params.v_cow_faults > 0);
	assert_true(mm_params.object_collapses > 0);
	assert_true(mm_params.v_swappgsout > 0);
	assert_true(mm_params.v_swappgsin > 0);
	sim_fork_end_all();
}

static void
object_T2c_random_families_see_their_own_bytes(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		sim_run(model_body, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_T2c_random_families_see_their_own_bytes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
