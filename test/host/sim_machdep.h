/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as host tests see it: kern/machdep.h in a Linux process.
 *
 * Tasks are fibers under the real kern/sched.c; time is simulated and moves only
 * by reading the counter, by sim_advance_us, and when every task sleeps: then it
 * jumps to the next event. So a test is deterministic and never waits.
 *
 *   static void body(void *arg) { ... tsleep(...) ... assert_int_equal(...) }
 *   static void test_x(void **state) { sim_run(body, state); }
 *
 * With sim_random_scheduler the scheduler yields at every legal point and picks
 * the next task by a seed, which a failure prints: EBB_SEED=seed replays it.
 */
#ifndef TEST_SIM_MACHDEP_H
#define TEST_SIM_MACHDEP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/irq.h"
#include "kern/machdep.h"

#define SIM_CYCLES_PER_SECOND 62500000u /* not a multiple of 10^6 us: finds rounding errors */
#define SIM_CYCLES_PER_READ   16u       /* each get_cyclecount() takes this long */

/* ---- running */

/*
 * Run fn(arg) as task "test" at PRI_NORMAL until it returns. Other tasks are
 * abandoned then and their stacks freed. A KASSERT, a panic, or "deadlock: all
 * tasks sleep" fails the cmocka test, whichever task it happens in.
 */
void sim_run(void (*fn)(void *arg), void *arg);

/* cmocka test test_<name> that runs <name>_body(state) in a task. */
#define SIM_TEST(name)                         \
	static void test_##name(void **state)  \
	{                                      \
		sim_run(name##_body, state);   \
	}

/* The same as sim_run, but fn is expected to end in a failure whose text begins with prefix
 * (an invariant's number, "deadlock", or the words of a panic). */
void sim_run_expect(const char *prefix, void (*fn)(void *arg), void *arg);

/*
 * Run statement, which must fail with a text beginning with prefix, in the same
 * task or outside all tasks. Control comes back; what the statement held stays
 * held, except the interrupt mask.
 */
#define SIM_EXPECT_ASSERT(prefix, statement)                   \
	do {                                                   \
		sim_expect_begin(prefix);                      \
		if (setjmp(sim_expect_env) == 0) {             \
			statement;                             \
			sim_expect_missed(__FILE__, __LINE__); \
		}                                              \
	} while (0)

/* ---- the seeded scheduler */

/* EBB_SEED from the environment, else seed, else (0) one from the clock. */
uint64_t sim_seed(uint64_t seed);
/* From now on every yield point yields and the next task is drawn; 0 = back to
 * priorities. Use sim_seed's result. */
void sim_random_scheduler(uint64_t seed);
/* A number below bound from the same sequence (for latencies, choices). */
uint32_t sim_random(uint32_t bound);

/* ---- time and interrupts */

/* Let us microseconds pass; interrupts that fall due are delivered if enabled. */
void sim_advance_us(uint64_t us);

/* fn(arg) in interrupt context delay_us from now; once. Embedded in its user,
 * like a callout, but it plays a device and not the kernel's timer. */
struct sim_event {
	struct sim_event *next;
	uint64_t due_cycles;
	void (*fn)(void *arg);
	void *arg;
	bool pending;
};
void sim_event_schedule(struct sim_event *event, uint64_t delay_us, void (*fn)(void *arg),
    void *arg);
void sim_event_cancel(struct sim_event *event);

/* A simulated interrupt controller of IRQ_LINES_MAX lines, already installed by
 * sim_run: sim_irq_raise makes a line pending, delivered when enabled. */
extern const struct irq_controller sim_irq_controller;
void sim_irq_raise(uint32_t line);
bool sim_irq_line_enabled(uint32_t line);

/* Call fn before each wait for an interrupt with all tasks asleep (a test that
 * checks invariants at rest); NULL = none. */
void sim_idle_hook(void (*fn)(void));

/* Bring clock, interrupts and kern/ back to the state after boot. sim_run calls
 * it; a test that uses kern/ outside sim_run calls it first. */
void sim_reset(void);

/* ---- memory */

#define SIM_RAM_BASE 0x40000000u /* physical address of the first simulated byte */

/* Simulated RAM of bytes (a multiple of 4096), zeroed; replaces a former one. */
void sim_ram_init(size_t bytes);

/* ---- sim_fail.c's side of the macros above */
extern jmp_buf sim_expect_env;
void sim_expect_begin(const char *prefix);
void sim_expect_missed(const char *file, int line);
_Noreturn void sim_fail(const char *text);
/* Of the last failure that was expected. */
const char *sim_fail_text(void);

/* ---- between sim_machdep.c and sim_fail.c */
void *sim_fiber_current(void);
bool sim_fiber_is_host(void);
_Noreturn void sim_fiber_stop(void);
void sim_intr_reset(void);
void sim_fail_reset(const char *run_prefix);
bool sim_failed(void);
bool sim_failed_as_expected(void);

#endif
