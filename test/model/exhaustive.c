/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every interleaving in a small world: 3 pages, 2 objects (one shared by all
 * processes, one private and copied on write), 2 processes and a page daemon.
 *
 *   driver:  op op | op ... op      an op: a process reads, writes, forks, unmaps a
 *            |  |              |    page; the daemon writes a page out, evicts one,
 *   A ------+--'~~~blocked~~~'-|    collapses a chain; the disk completes or will fail
 *   B --------------+----------+
 *   daemon ----------+---------'
 *
 * The driver gives ops to idle tasks. Every choice (which op; which task runs at a
 * yield point; whether the next op begins while another one is under way) is one digit
 * of a number, and the search counts through all numbers: it runs the world again
 * from the start with each. What follows a state in which all tasks are idle and that
 * was seen before, with as many ops left, is not explored again. The world is symmetric
 * in the pages: a page is used only after those below it.
 *
 * The model is an array for each process: what each page holds. Every read compares, at
 * the end of each run all pages are read back, every invariant is verified, and every
 * frame and slot must have come back.
 *
 * EBB_DEPTH=n looks n ops deep (default 4, 50,000 runs; each further one takes some thirty
 * times as long). A failure prints the ops that led to it.
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
#include "mm/uma.h"
#include "mm/swap_map.h"
#include "mm/swap_pager.h"
#include "mm/vm_launder.h"
#include "mm/vm_map.h"
#include "mm/vm_meter.h"
#include "test/host/sim_mm.h"
#include "test/host/sim_pmap.h"
#include "test/host/sim_swap.h"
#include "test/host/state_hash.h"

#define FRAMES     96u
#define SLOTS      64u
#define PAGES      3u
#define PROCESSES  2u
#define ACTORS     3u /* the processes and the daemon */
#define DAEMON     2u
#define SHARED_VA  0x400000ull
#define PRIVATE_VA 0x500000ull
#define DIGITS_MAX 400u
#define SEEN_SLOTS (1u << 22)
#define RW         (VM_PROT_READ | VM_PROT_WRITE)

/* What an actor can be asked to do. */
enum op {
	OP_NONE,
	OP_READ, OP_WRITE,   /* process: object, page */
	OP_UNMAP,            /* process: page of the private object; mapped again at once: zeros */
	OP_FORK,             /* process: the other one becomes its copy */
	OP_PAGEOUT,          /* daemon: process, object, page: deactivate and write */
	OP_EVICT,            /* daemon: process, object, page: free or cache it if it is clean */
	OP_COLLAPSE,         /* daemon: process: the chain of its private object */
	OP_COMPLETE,         /* the disk: whatever is in flight arrives */
	OP_FAIL_WRITE,       /* the disk: the next write fails */
};
static const char *const op_names[] = { "none", "read", "write", "unmap", "fork", "pageout",
	"evict", "collapse", "complete", "fail next write" };

struct choice {
	uint8_t op;
	uint8_t actor;
	uint8_t process; /* for the daemon: whose page */
	bool shared;
	uint8_t page;
};

static struct process {
	struct vmspace *vm;
	uint8_t holds[PAGES]; /* private object: the value of each page */
} processes[PROCESSES];
static uint8_t shared_holds[PAGES];

static struct actor {
	struct task *task;
	struct choice job; /* op NONE: idle */
} actors[ACTORS];

static uint8_t last_value;   /* of writes */
static uint32_t pages_used;  /* pages below this one have been touched */
static bool write_fails;
static bool just_given;      /* an op that has not run yet */
static uint32_t depth, ops_left;

/* ---- the number that is counted through */
static uint16_t digits[DIGITS_MAX], bases[DIGITS_MAX];
static uint32_t digit_count, digits_set;
static bool pruned; /* the rest of this run has been seen */

static uint32_t
choose(uint32_t base)
{
	if (base <= 1 || pruned)
		return (0);
	KASSERT(digit_count < DIGITS_MAX, "E1: a run has few choices");
	if (digit_count >= digits_set)
		digits[digit_count] = 0;
	bases[digit_count] = (uint16_t)base;
	return (digits[digit_count++]);
}

/* The next number; false after the last. */
static bool
count_on(void)
{
	while (digit_count > 0 && digits[digit_count - 1] + 1u >= bases[digit_count - 1])
		digit_count--;
	if (digit_count == 0)
		return (false);
	digits[digit_count - 1]++;
	digits_set = digit_count;
	return (true);
}

/* The log of a run, for a failure. */
static struct choice history[64];
static uint32_t history_count;

static void
tell(void)
{
	uint32_t i;

	fprintf(stderr, "exhaustive: the run that failed:\n");
	for (i = 0; i < history_count; i++)
		fprintf(stderr, "  %s: %s process %u %s page %u\n",
		    history[i].actor == DAEMON ? "daemon" : history[i].actor == 0 ? "A" :
		    history[i].actor == 1 ? "B" : "disk", op_names[history[i].op],
		    history[i].process, history[i].shared ? "shared" : "private", history[i].page);
}

#define MUST(cond)                                                                   \
	do {                                                                         \
		if (!(cond)) {                                                       \
			tell();                                                      \
			fail_msg("exhaustive: %s", #cond);                           \
		}                                                                    \
	} while (0)

/* ---- ops */
static vm_offset_t
va_of(bool shared, uint32_t page)
{
	return ((shared ? SHARED_VA : PRIVATE_VA) + page * PAGE_SIZE);
}

static uint8_t *
model_of(uint32_t process, bool shared, uint32_t page)
{
	return (shared ? &shared_holds[page] : &processes[process].holds[page]);
}

/* The model is changed or asked in the very step in which the access succeeded: no yield
 * lies between. */
static void
op_access(const struct choice *c)
{
	uint8_t bytes[PAGE_SIZE];
	uint8_t *holds = model_of(c->process, c->shared, c->page);
	struct vmspace *vm = processes[c->process].vm;
	int error;

	if (c->op == OP_WRITE) {
		memset(bytes, ++last_value, sizeof(bytes));
		error = sim_store(vm, va_of(c->shared, c->page), bytes, sizeof(bytes));
		*holds = bytes[0];
	} else {
		error = sim_load(vm, va_of(c->shared, c->page), bytes, sizeof(bytes));
		MUST(bytes[0] == *holds && bytes[PAGE_SIZE - 1] == *holds);
	}
	MUST(error == 0);
}

static void
op_unmap(const struct choice *c)
{
	struct vmspace *vm = processes[c->process].vm;
	vm_offset_t va = va_of(false, c->page);
	int error = vm_map_remove(vm, va, va + PAGE_SIZE);

	MUST(error == 0);
	MUST(vm_map_find(vm, &va, PAGE_SIZE, RW, 0) == 0);
	processes[c->process].holds[c->page] = 0;
}

static void
op_fork(const struct choice *c)
{
	struct process *me = &processes[c->process], *other = &processes[1 - c->process];
	struct vmspace *old = other->vm;

	other->vm = NULL;
	vmspace_free(old);
	MUST(vmspace_fork(me->vm, &other->vm) == 0);
	memcpy(other->holds, me->holds, sizeof(me->holds));
}

/* The page that process sees there, if it is resident and nobody works on it. */
static struct vm_page *
page_of(const struct choice *c)
{
	struct vmspace *vm = processes[c->process].vm;
	struct vm_map_entry *entry;
	struct vm_object *object;
	struct vm_page *m;
	vm_pindex_t pindex;

	if (vm == NULL)
		return (NULL);
	entry = vm_map_lookup_entry(&vm->map, va_of(c->shared, c->page));
	if (entry == NULL)
		return (NULL);
	pindex = entry->offset + (vm_pindex_t)atop(va_of(c->shared, c->page) - entry->start);
	for (object = entry->object; object != NULL; object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL)
			return (vm_page_busied(m) || m->hold_count != 0 ? NULL : m);
		pindex += object->backing_offset;
	}
	return (NULL);
}

static void
op_daemon(const struct choice *c)
{
	struct vm_page *m = page_of(c);
	struct vm_map_entry *entry;

	if (c->op == OP_COLLAPSE) {
		if (processes[c->process].vm == NULL)
			return;
		entry = vm_map_lookup_entry(&processes[c->process].vm->map, PRIVATE_VA);
		if (entry != NULL) /* not just being unmapped */
			vm_object_collapse(entry->object);
		return;
	}
	if (m == NULL)
		return;
	if (c->op == OP_EVICT) {
		vm_page_test_dirty(m);
		(void)vm_page_try_to_cache(m);
		return;
	}
	vm_page_deactivate(m);
	vm_page_test_dirty(m);
	if (m->dirty != 0 && m->queue == PQ_INACTIVE)
		(void)vm_pageout_clean(m);
}

static void
carry_out(const struct choice *c)
{
	switch (c->op) {
	case OP_READ:
	case OP_WRITE:
		op_access(c);
		break;
	case OP_UNMAP:
		op_unmap(c);
		break;
	case OP_FORK:
		op_fork(c);
		break;
	default:
		op_daemon(c);
		break;
	}
}

static void
actor_run(void *arg)
{
	struct actor *a = arg;

	for (;;) {
		while (a->job.op == OP_NONE)
			tsleep(a, "actor", SLEEP_FOREVER);
		carry_out(&a->job);
		a->job.op = OP_NONE;
	}
}

/* ---- the driver */
static struct choice menu[160];
static uint32_t menu_count;

static void
offer(enum op op, uint32_t actor, uint32_t process, bool shared, uint32_t page)
{
	menu[menu_count++] = (struct choice){ .op = (uint8_t)op, .actor = (uint8_t)actor,
		.process = (uint8_t)process, .shared = shared, .page = (uint8_t)page };
}

static bool
idle(uint32_t actor)
{
	return (actors[actor].job.op == OP_NONE);
}

/* A process whose space is being replaced by a fork has nothing to do. */
static bool
alive(uint32_t process)
{
	return (idle(process) && processes[process].vm != NULL &&
	    actors[1 - process].job.op != OP_FORK);
}

static void
offer_process(uint32_t p)
{
	uint32_t page, reach = pages_used < PAGES ? pages_used + 1 : PAGES;

	for (page = 0; page < reach; page++) {
		offer(OP_WRITE, p, p, false, page);
		offer(OP_WRITE, p, p, true, page);
		offer(OP_READ, p, p, false, page);
		offer(OP_READ, p, p, true, page);
		if (page < pages_used)
			offer(OP_UNMAP, p, p, false, page);
	}
	if (pages_used > 0 && alive(1 - p))
		offer(OP_FORK, p, p, false, 0);
}

static void
offer_daemon(void)
{
	struct choice c;
	uint32_t p, i;

	for (p = 0; p < PROCESSES; p++) {
		for (i = 0; i < 2 * pages_used; i++) {
			c = (struct choice){ .process = (uint8_t)p, .shared = i % 2 != 0,
				.page = (uint8_t)(i / 2) };
			if (page_of(&c) == NULL || (c.shared && p != 0))
				continue;
			offer(OP_PAGEOUT, DAEMON, p, c.shared, c.page);
			offer(OP_EVICT, DAEMON, p, c.shared, c.page);
		}
		if (processes[p].vm != NULL)
			offer(OP_COLLAPSE, DAEMON, p, false, 0);
	}
}

static void
make_menu(void)
{
	menu_count = 0;
	if (alive(0))
		offer_process(0);
	if (alive(1) && pages_used > 0) /* the processes are alike at first */
		offer_process(1);
	if (idle(DAEMON))
		offer_daemon();
	if (sim_swap_disk.in_flight > 0)
		offer(OP_COMPLETE, ACTORS, 0, false, 0);
	if (!write_fails && pages_used > 0)
		offer(OP_FAIL_WRITE, ACTORS, 0, false, 0);
}

/* Whoever is runnable; last of all the driver, who begins the next op. An op that has been
 * given runs to its first yield point before that. */
static uint32_t
choose_task(uint32_t count)
{
	bool driver_too = ops_left > 0 && !just_given;

	just_given = false;
	return (count <= 1 ? 0 : choose(count - (driver_too ? 0 : 1)));
}

static void
disk_completes(void)
{
	sim_advance_us(2 * sim_swap_disk.latency_us);
	write_fails = write_fails && sim_swap_disk.write_error_every != 0;
}

static void
start(const struct choice *c)
{
	history[history_count++] = *c;
	if (c->op == OP_COMPLETE) {
		disk_completes();
	} else if (c->op == OP_FAIL_WRITE) {
		write_fails = true;
		sim_swap_disk.write_error_every = 1;
	} else {
		if (c->page >= pages_used && c->op <= OP_WRITE)
			pages_used = c->page + 1u;
		actors[c->actor].job = *c;
		wakeup(&actors[c->actor]);
		just_given = true;
	}
}

static bool
actors_idle(void)
{
	return (idle(0) && idle(1) && idle(DAEMON));
}

/* ---- states with idle tasks that were seen, by their hash; low bits: ops that were left.
 * The disk may have writes in flight: their pages are busy, which counts as state. */
static uint64_t *seen;
static uint64_t seen_count, runs;

/* Was this state seen with as many ops left or more? Else note it. */
static bool
seen_before(void)
{
	struct vmspace *spaces[PROCESSES] = { processes[0].vm, processes[1].vm };
	uint64_t hash, key, i;

	if (depth > 15)
		return (false);
	hash = state_hash(spaces, PROCESSES, &sim_swap_disk,
	    (uint64_t)write_fails << 32 | pages_used | sim_swap_disk.in_flight << 8);
	key = hash & ~15ull;
	for (i = hash >> 20 & (SEEN_SLOTS - 1);; i = (i + 1) & (SEEN_SLOTS - 1)) {
		if (seen[i] == 0)
			break;
		if ((seen[i] & ~15ull) != key)
			continue;
		if ((seen[i] & 15) >= ops_left)
			return (true);
		seen[i] = key | ops_left;
		return (false);
	}
	MUST(++seen_count < SEEN_SLOTS / 4 * 3);
	seen[i] = key | ops_left;
	return (false);
}

/* ---- one run */
static void
world_begin(void)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, 1ull << 32);
	vm_offset_t shared = SHARED_VA, private = PRIVATE_VA;

	MUST(vm_map_find(vm, &shared, PAGES * PAGE_SIZE, RW, 0) == 0);
	MUST(vm_map_inherit(vm, shared, shared + PAGES * PAGE_SIZE, VM_INHERIT_SHARE) == 0);
	MUST(vm_map_find(vm, &private, PAGES * PAGE_SIZE, RW, 0) == 0);
	processes[0].vm = vm;
	MUST(vmspace_fork(vm, &processes[1].vm) == 0);
	memset(processes[0].holds, 0, PAGES);
	memset(processes[1].holds, 0, PAGES);
	memset(shared_holds, 0, PAGES);
	last_value = 0;
	pages_used = digit_count = history_count = 0;
	write_fails = pruned = just_given = false;
	ops_left = depth;
}

/* Let the others run until nobody can, or the search wants the next op. */
static void
let_run(void)
{
	do {
		sched_yield();
	} while (sched_runnable_count() > 0 && ops_left == 0);
}

static void
finish(void)
{
	ops_left = 0;
	pruned = true; /* no more choices */
	while (!actors_idle() || sim_swap_disk.in_flight > 0 || sched_runnable_count() > 0) {
		disk_completes();
		sched_yield();
	}
}

static void
world_end(void)
{
	struct choice c;
	uint32_t i;

	sim_swap_disk.write_error_every = 0;
	for (i = 0; i < 4 * PAGES; i++) {
		c = (struct choice){ .op = OP_READ, .actor = (uint8_t)(i % 2),
			.process = (uint8_t)(i % 2), .shared = (i / 2) % 2 != 0,
			.page = (uint8_t)(i / 4) };
		history[history_count++] = c;
		actors[c.actor].job = c;
		wakeup(&actors[c.actor]);
		finish();
	}
	sim_mm_check();
	vmspace_free(processes[0].vm);
	vmspace_free(processes[1].vm);
}

static void
one_run(void)
{
	world_begin();
	while (ops_left > 0 && !pruned) {
		if (actors_idle() && sched_runnable_count() == 0 && digit_count >= digits_set &&
		    seen_before()) {
			pruned = true;
			break;
		}
		make_menu();
		if (menu_count == 0) {
			MUST(sched_runnable_count() > 0);
			sched_yield();
			continue;
		}
		ops_left--;
		start(&menu[choose(menu_count)]);
		let_run();
	}
	finish();
	world_end();
	runs++;
}

/* Each run boots anew: where slots lie, and so what is read together, must not depend on
 * the runs before. */
static void
run_body(void *arg)
{
	struct swap_area_info info;
	uint32_t i, free_pages;

	(void)arg;
	sim_swap_boot(FRAMES, SLOTS);
	sim_swap_disk.latency_us = 100000; /* it completes when the search says so */
	for (i = 0; i < ACTORS; i++) {
		actors[i].job.op = OP_NONE;
		MUST(task_create(&actors[i].task, "actor", PRI_NORMAL, actor_run, &actors[i]) == 0);
	}
	vm_domains[0].worker = actors[DAEMON].task; /* so that it does not wait for its writes */
	sched_set_priority(curtask(), PRI_IDLE);
	while (sched_runnable_count() > 0)
		sched_yield(); /* all to their places */
	free_pages = vm_meter_free(&vm_domains[0]);
	sched_choose = choose_task;
	one_run();
	sched_choose = NULL;
	(void)uma_reclaim();
	MUST(vm_meter_free(&vm_domains[0]) == free_pages);
	MUST(swap_pager_info(0, &info) && info.used_slots == 0);
}

static void
test_every_interleaving(void **state)
{
	const char *text = getenv("EBB_DEPTH");

	depth = text != NULL ? (uint32_t)atoi(text) : 4;
	seen = calloc(SEEN_SLOTS, sizeof(*seen));
	do {
		sim_run(run_body, state);
	} while (count_on());
	free(seen);
	printf("exhaustive: %u ops deep: %llu runs, %llu states\n", depth,
	    (unsigned long long)runs, (unsigned long long)seen_count);
	assert_true(runs > 100);
}

/* The world is made and thrown away a hundred thousand times. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return ("quarantine_size_mb=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_interleaving),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
