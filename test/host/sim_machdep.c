/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/machdep.h in a Linux process: fibers, a simulated clock, simulated RAM.
 *
 * Every task is a fiber (ucontext) on its own mapped stack with a guard page.
 * sim_run makes one more fiber, the boot task, that initialises the scheduler,
 * creates the test's task and becomes the idle task; the cmocka runner's own stack
 * ("the host") is left while that runs, and entered again only to stop.
 *
 *   host --sim_run--> boot --cpu_switch--> test <--cpu_switch--> others
 *    ^------------------ sim_fiber_stop (done, or failed) ---------'
 *
 * AddressSanitizer is told of each change of stack.
 *
 * Owns: fibers, interrupt mask, clock, simulated events and interrupt lines, RAM.
 * Does not: decide who runs (kern/sched.c), judge failures (sim_fail.c).
 * Invariants:
 *   M1 interrupts are delivered only while unmasked, outside another handler;
 *   M2 the clock never goes back;
 *   M3 time jumps only when all tasks sleep, to the next thing that can happen.
 * Yields: cpu_switch and nothing else.
 * See: test/host/sim_machdep.h.
 */
#include "test/host/sim_machdep.h"
#include "test/host/sim_mmio.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/mmio.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "kern/timer.h"
#include "lib/assert.h"
#include "lib/bitmap.h"

#define FIBER_STACK_BYTES (256u * 1024)
#define FIBER_GUARD_BYTES 4096u
#define SPARE_STACKS      16u /* of ended fibers, kept: making one costs a millisecond */

struct sim_fiber {
	ucontext_t context;
	struct sim_fiber *next;       /* all fibers of this run */
	void *stack;                  /* mapping, guard included; NULL for the host */
	const void *stack_bottom;     /* usable part, for the sanitizer */
	size_t stack_bytes;
	void *fake_stack;             /* the sanitizer's, while switched out */
	void (*entry)(struct task *t);
	struct task *task;            /* lies behind struct sim_fiber, or NULL */
};

/* A task and its fiber are one allocation, as on the board. */
struct fiber_and_task {
	struct sim_fiber fiber;
	struct task task;
};

uint64_t sim_intr_masked;
struct task *sim_curtask;

static struct sim_fiber host;
static struct sim_fiber *current = &host;
static struct sim_fiber *fibers;
static bool stopping;

static uint64_t clock_cycles;
static uint64_t timer_deadline = UINT64_MAX;
static struct sim_event *events; /* ordered by due_cycles */
static uint64_t lines_pending[BITMAP_WORDS(IRQ_LINES_MAX)];
static uint64_t lines_enabled[BITMAP_WORDS(IRQ_LINES_MAX)];
static bool delivering;
static void (*idle_hook)(void);

/* ---- fibers */

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *bytes);
#else
#define __sanitizer_start_switch_fiber(save, bottom, bytes)  ((void)0)
#define __sanitizer_finish_switch_fiber(fake, bottom, bytes) ((void)0)
#endif

static void
fiber_switch(struct sim_fiber *from, struct sim_fiber *to)
{
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack_bottom, to->stack_bytes);
	current = to;
	swapcontext(&from->context, &to->context);
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
}

/* First code of every fiber. */
static void
fiber_main(void)
{
	struct sim_fiber *me = current;
	const void *bottom = NULL;
	size_t bytes = 0;

	__sanitizer_finish_switch_fiber(NULL, &bottom, &bytes);
	if (host.stack_bottom == NULL) {
		/* The first fiber of all comes from the host: learn its bounds. */
		host.stack_bottom = bottom;
		host.stack_bytes = bytes;
	}
	me->entry(me->task);
	sim_fail("a task's entry returned");
}

static void *spare_stacks[SPARE_STACKS];
static uint32_t spare_count;

/* A stack with its guard page below, or NULL. */
static void * __attribute__((noinline))
stack_get(void)
{
	char *stack;

	if (spare_count > 0)
		return (spare_stacks[--spare_count]);
	stack = mmap(NULL, FIBER_STACK_BYTES + FIBER_GUARD_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return (NULL);
	return (mprotect(stack, FIBER_GUARD_BYTES, PROT_NONE) == 0 ? stack : NULL);
}

static void
stack_put(void *stack)
{
	/* Its last user never returned from what was on it. */
	ASAN_UNPOISON_MEMORY_REGION((char *)stack + FIBER_GUARD_BYTES, FIBER_STACK_BYTES);
	if (spare_count < SPARE_STACKS)
		spare_stacks[spare_count++] = stack;
	else
		munmap(stack, FIBER_STACK_BYTES + FIBER_GUARD_BYTES);
}

static struct fiber_and_task *
fiber_create(void (*entry)(struct task *t))
{
	struct fiber_and_task *ft = calloc(1, sizeof(*ft));

	if (ft == NULL || (ft->fiber.stack = stack_get()) == NULL) {
		perror("sim_machdep: no memory for a fiber");
		exit(1);
	}
	ft->fiber.stack_bottom = (char *)ft->fiber.stack + FIBER_GUARD_BYTES;
	ft->fiber.stack_bytes = FIBER_STACK_BYTES;
	ft->fiber.entry = entry;
	ft->fiber.task = &ft->task;
	getcontext(&ft->fiber.context);
	ft->fiber.context.uc_stack.ss_sp = (char *)ft->fiber.stack + FIBER_GUARD_BYTES;
	ft->fiber.context.uc_stack.ss_size = FIBER_STACK_BYTES;
	ft->fiber.context.uc_link = NULL;
	makecontext(&ft->fiber.context, fiber_main, 0);
	ft->task.md.fiber = &ft->fiber;
	ft->fiber.next = fibers;
	fibers = &ft->fiber;
	return (ft);
}

static void
fiber_free(struct sim_fiber *fiber)
{
	stack_put(fiber->stack);
	free(fiber);
}

bool
sim_fiber_is_host(void)
{
	return (current == &host);
}

void *
sim_fiber_current(void)
{
	return (current);
}

void
sim_fiber_stop(void)
{
	stopping = true;
	fiber_switch(current, &host);
	abort();
}

/* After a cmocka assertion in a task: cmocka came back by longjmp, unseen. */
static void
host_returned(void)
{
	if (current == &host)
		return;
	__sanitizer_start_switch_fiber(NULL, host.stack_bottom, host.stack_bytes);
	__sanitizer_finish_switch_fiber(host.fake_stack, NULL, NULL);
	current = &host;
}

int
cpu_task_prepare(struct task **out, void (*entry)(struct task *t))
{
	*out = &fiber_create(entry)->task;
	return (0);
}

void
cpu_task_release(struct task *t)
{
	struct sim_fiber *fiber = t->md.fiber;
	struct sim_fiber **link = &fibers;

	KASSERT(fiber != current, "M4: a task does not free its own stack");
	while (*link != fiber)
		link = &(*link)->next;
	*link = fiber->next;
	fiber_free(fiber);
}

void
cpu_switch(struct task *from, struct task *to)
{
	KASSERT(sim_intr_masked != 0, "M5: interrupts are masked during a switch");
	KASSERT(from->md.fiber == current, "M6: from is the running task");
	sim_mmio_elsewhere();
	fiber_switch(from->md.fiber, to->md.fiber);
}

/* ---- clock and interrupts */

uint64_t
cpu_cycles_per_second(void)
{
	return (SIM_CYCLES_PER_SECOND);
}

uint64_t
sim_cyclecount(void)
{
	clock_cycles += SIM_CYCLES_PER_READ;
	return (clock_cycles);
}

void
cpu_timer_arm(uint64_t deadline_cycles)
{
	timer_deadline = deadline_cycles;
}

static uint64_t
next_due(void)
{
	uint64_t due = timer_deadline;

	if (events != NULL && events->due_cycles < due)
		due = events->due_cycles;
	return (due);
}

static bool
line_ready(void)
{
	for (uint32_t i = 0; i < BITMAP_WORDS(IRQ_LINES_MAX); i++)
		if ((lines_pending[i] & lines_enabled[i]) != 0)
			return (true);
	return (false);
}

/* One interrupt that is due; false if none is. */
static bool
deliver_one(void)
{
	if (line_ready()) {
		irq_dispatch();
		return (true);
	}
	if (events != NULL && events->due_cycles <= clock_cycles) {
		struct sim_event *event = events;

		events = event->next;
		event->pending = false;
		event->fn(event->arg);
		return (true);
	}
	if (timer_deadline <= clock_cycles) {
		timer_deadline = UINT64_MAX;
		timer_interrupt();
		return (true);
	}
	return (false);
}

void
sim_intr_deliver(void)
{
	if (delivering || (next_due() > clock_cycles && !line_ready()))
		return;
	delivering = true;
	sim_intr_masked = 1;
	sched_irq_enter();
	while (deliver_one())
		continue;
	sched_irq_exit();
	sim_intr_masked = 0;
	delivering = false;
}

void
sim_advance_us(uint64_t us)
{
	uint64_t end = clock_cycles + timer_us_to_cycles(us);

	while (sim_intr_masked == 0 && next_due() <= end) {
		if (next_due() > clock_cycles)
			clock_cycles = next_due();
		sim_intr_deliver();
	}
	if (end > clock_cycles)
		clock_cycles = end;
}

static void
deadlock(void)
{
	fprintf(stderr, "deadlock: all tasks sleep and nothing can wake them:\n");
	for (struct task *t = task_next(NULL); t != NULL; t = task_next(t))
		fprintf(stderr, "  task %u %-16s state %u waits for %s (%p)\n", t->id, t->name,
		    t->state, t->wmesg != NULL ? t->wmesg : "-", (const void *)t->wchan);
	sim_fail("deadlock: all tasks sleep");
}

void
cpu_idle(void)
{
	uint64_t due = next_due();

	KASSERT(sim_intr_masked != 0, "M7: idle is entered with interrupts masked");
	sim_mmio_elsewhere();
	if (idle_hook != NULL)
		idle_hook();
	if (line_ready())
		return;
	if (due == UINT64_MAX)
		deadlock();
	if (due > clock_cycles)
		clock_cycles = due;
}

void
sim_idle_hook(void (*fn)(void))
{
	idle_hook = fn;
}

void
sim_event_schedule(struct sim_event *event, uint64_t delay_us, void (*fn)(void *arg), void *arg)
{
	struct sim_event **link = &events;

	sim_event_cancel(event);
	event->due_cycles = clock_cycles + timer_us_to_cycles(delay_us) + 1;
	event->fn = fn;
	event->arg = arg;
	event->pending = true;
	while (*link != NULL && (*link)->due_cycles <= event->due_cycles)
		link = &(*link)->next;
	event->next = *link;
	*link = event;
}

void
sim_event_cancel(struct sim_event *event)
{
	for (struct sim_event **link = &events; *link != NULL; link = &(*link)->next) {
		if (*link != event)
			continue;
		*link = event->next;
		break;
	}
	event->pending = false;
}

static void
line_enable(uint32_t line)
{
	bitmap_set(lines_enabled, line);
}

static void
line_disable(uint32_t line)
{
	bitmap_clear(lines_enabled, line);
}

static int
line_next(void)
{
	mmio_barrier(); /* as the real controllers do, here and below */
	for (uint32_t line = 0; line < IRQ_LINES_MAX; line++) {
		if (!bitmap_test(lines_pending, line) || !bitmap_test(lines_enabled, line))
			continue;
		bitmap_clear(lines_pending, line);
		return ((int)line);
	}
	return (-1);
}

static void
line_done(uint32_t line)
{
	mmio_barrier();
	(void)line;
}

const struct irq_controller sim_irq_controller = {
	.name = "sim",
	.line_count = IRQ_LINES_MAX,
	.enable = line_enable,
	.disable = line_disable,
	.next = line_next,
	.done = line_done,
};

void
sim_irq_raise(uint32_t line)
{
	bitmap_set(lines_pending, line);
	if (sim_intr_masked == 0)
		sim_intr_deliver();
}

bool
sim_irq_line_enabled(uint32_t line)
{
	return (bitmap_test(lines_enabled, line));
}

void
sim_intr_reset(void)
{
	delivering = false;
	sim_intr_masked = 0;
}

/* ---- running */

static void (*run_fn)(void *arg);
static void *run_arg;

static void
run_task(void *arg)
{
	(void)arg;
	run_fn(run_arg);
	sim_fiber_stop();
}

static void
run_boot(struct task *boot)
{
	struct task *t;

	sim_intr_masked = 0;
	sched_init(boot);
	if (task_create(&t, "test", PRI_NORMAL, run_task, NULL) != 0)
		sim_fail("sim_run: no task");
	sched_idle_forever();
}

/* Kernel messages go nowhere, or with EBB_VERBOSE to standard error. */
static void
message_put(char c)
{
	if (getenv("EBB_VERBOSE") != NULL && c != '\r')
		fputc(c, stderr);
}

static const struct console_dev message_dev = { .name = "sim", .put_poll = message_put };

void
sim_reset(void)
{
	host_returned();
	sim_intr_reset();
	sim_curtask = NULL;
	events = NULL;
	timer_deadline = UINT64_MAX;
	memset(lines_pending, 0, sizeof(lines_pending));
	memset(lines_enabled, 0, sizeof(lines_enabled));
	idle_hook = NULL;
	memset(&kern_params, 0, sizeof(kern_params));
	kern_params_register();
	irq_set_controller(&sim_irq_controller);
	timer_init();
	console_attach(&message_dev);
}

static void
run(void (*fn)(void *arg), void *arg)
{
	sim_reset();
	run_fn = fn;
	run_arg = arg;
	stopping = false;
	fiber_switch(&host, &fiber_create(run_boot)->fiber);
	if (!stopping)
		abort();
	sim_intr_reset();
	sim_curtask = NULL;
	idle_hook = NULL;
	while (fibers != NULL) {
		struct sim_fiber *fiber = fibers;

		fibers = fiber->next;
		fiber_free(fiber);
	}
}

void
sim_run(void (*fn)(void *arg), void *arg)
{
	sim_fail_reset(NULL);
	run(fn, arg);
	if (sim_failed())
		sim_fail(sim_fail_text());
}

void
sim_run_expect(const char *prefix, void (*fn)(void *arg), void *arg)
{
	char text[256];

	sim_fail_reset(prefix);
	run(fn, arg);
	if (sim_failed_as_expected())
		return;
	snprintf(text, sizeof(text), "expected \"%s\", but: %s", prefix,
	    sim_failed() ? sim_fail_text() : "no failure");
	sim_fail(text);
}
