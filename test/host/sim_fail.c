/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a failed KASSERT, a panic or a deadlock does in a host test, and the
 * seed that replays a run.
 *
 *   where it happens          expected by             then
 *   same task                 SIM_EXPECT_ASSERT       longjmp back to it
 *   any task of sim_run       sim_run_expect          the run stops, the test goes on
 *   any task of sim_run       nobody                  the run stops, the test fails
 *   outside all tasks         nobody                  the test fails
 *
 * A task never unwinds to cmocka itself: it switches to the host's stack first.
 *
 * Owns: the expectation, the text of the last failure, the seeded generator.
 * Does not: switch fibers (sim_machdep.c).
 * Invariants: F1 one expectation at a time.
 * Yields: never; may not return.
 * See: test/host/sim_machdep.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "kern/panic.h"
#include "kern/sched.h"
#include "lib/assert.h"
#include "lib/rng.h"
#include "test/host/sim_machdep.h"

jmp_buf sim_expect_env;

static const char *expect_prefix; /* SIM_EXPECT_ASSERT's */
static void *expect_fiber;
static uint64_t expect_masked;
static const char *run_expect_prefix; /* sim_run_expect's */
static bool failed;
static char fail_text[512];
static struct rng generator = { 88172645463325252ull };
static uint64_t seed_in_use;

static bool
begins_with(const char *text, const char *prefix)
{
	return (prefix != NULL && strncmp(text, prefix, strlen(prefix)) == 0);
}

void
sim_expect_begin(const char *prefix)
{
	expect_prefix = prefix;
	expect_fiber = sim_fiber_current();
	expect_masked = sim_intr_masked;
}

void
sim_expect_missed(const char *file, int line)
{
	char text[256];

	snprintf(text, sizeof(text), "%s:%d: expected \"%s\", but nothing failed", file, line,
	    expect_prefix);
	expect_prefix = NULL;
	sim_fail(text);
}

void
sim_fail_reset(const char *run_prefix)
{
	expect_prefix = NULL;
	run_expect_prefix = run_prefix;
	failed = false;
}

bool
sim_failed(void)
{
	return (failed);
}

bool
sim_failed_as_expected(void)
{
	return (failed && begins_with(fail_text, run_expect_prefix));
}

const char *
sim_fail_text(void)
{
	return (fail_text);
}

void
sim_fail(const char *text)
{
	if (text != fail_text)
		snprintf(fail_text, sizeof(fail_text), "%s", text);
	if (begins_with(fail_text, expect_prefix) && expect_fiber == sim_fiber_current()) {
		expect_prefix = NULL;
		sim_intr_masked = expect_masked;
		longjmp(sim_expect_env, 1);
	}
	if (!sim_fiber_is_host()) {
		failed = true;
		sim_fiber_stop();
	}
	if (seed_in_use != 0)
		fprintf(stderr, "replay with EBB_SEED=%llu\n", (unsigned long long)seed_in_use);
	sim_intr_reset();
	fail_msg("%s", fail_text);
	abort();
}

void
kassert_fail(const char *file, int line, const char *rule)
{
	char text[512];

	snprintf(text, sizeof(text), "%s (%s:%d)", rule, file, line);
	sim_fail(text);
}

void
panic(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sim_fail(text);
}

void
panic_as(enum led_panic class, const char *fmt, ...)
{
	char text[512];
	va_list args;

	(void)class;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sim_fail(text);
}

uint64_t
sim_seed(uint64_t seed)
{
	const char *replay = getenv("EBB_SEED");

	if (replay != NULL && *replay != '\0')
		seed = strtoull(replay, NULL, 0);
	if (seed == 0) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec;
	}
	seed_in_use = seed;
	rng_seed(&generator, seed);
	return (seed);
}

uint32_t
sim_random(uint32_t bound)
{
	return (rng_below(&generator, bound));
}

void
sim_random_scheduler(uint64_t seed)
{
	if (seed != 0) {
		seed_in_use = seed;
		rng_seed(&generator, seed);
	}
	sched_choose = seed != 0 ? sim_random : NULL;
}
