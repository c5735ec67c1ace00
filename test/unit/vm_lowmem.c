/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event handlers, low-memory events and their rate, requests to the vm daemon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kern/eventhandler.h"
#include "kern/sched.h"
#include "mm/mm_params.h"
#include "mm/uma.h"
#include "mm/vm_lowmem.h"
#include "mm/vm_meter.h"
#include "mm/vm_request.h"
#include "test/host/sim_machdep.h"
#include "test/host/sim_mm.h"

#define RUN_TEST(name)                       \
	static void name##_body(void *arg);  \
	static void name(void **state)       \
	{                                    \
		sim_run(name##_body, state); \
	}                                    \
	static void name##_body(void *arg)

static char order[16];
static uint32_t last_flags;

static void
note(void *arg, uint32_t flags)
{
	strcat(order, arg);
	last_flags = flags;
}

static struct eventhandler handlers[3] = {
	{ .name = "c", .fn = note, .arg = "c", .priority = EVENTHANDLER_PRI_LAST },
	{ .name = "a", .fn = note, .arg = "a", .priority = EVENTHANDLER_PRI_FIRST },
	{ .name = "b", .fn = note, .arg = "b", .priority = EVENTHANDLER_PRI_LAST },
};

static void
boot(void)
{
	uint32_t i;

	sim_mm_boot(1024);
	order[0] = '\0';
	for (i = 0; i < 3; i++)
		eventhandler_deregister(EVENT_VM_LOWMEM, &handlers[i]);
}

static void
register_all(void)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		eventhandler_register(EVENT_VM_LOWMEM, &handlers[i]);
}

RUN_TEST(eventhandler_runs_in_order_of_priority)
{
	(void)arg;
	boot();
	register_all();
	register_all(); /* once only, and the place is kept */
	assert_int_equal(eventhandler_invoke(EVENT_VM_LOWMEM, VM_LOW_PAGES), 3);
	assert_string_equal(order, "acb");
	assert_int_equal(last_flags, VM_LOW_PAGES);
	eventhandler_deregister(EVENT_VM_LOWMEM, &handlers[0]);
	eventhandler_deregister(EVENT_VM_LOWMEM, &handlers[0]);
	assert_int_equal(eventhandler_invoke(EVENT_VM_LOWMEM, VM_LOW_KMEM), 2);
	assert_string_equal(order, "acbab");
	assert_int_equal(handlers[1].runs, 2);
	assert_ptr_equal(eventhandler_next(EVENT_VM_LOWMEM, NULL), &handlers[1]);
	assert_ptr_equal(eventhandler_next(EVENT_VM_LOWMEM, &handlers[1]), &handlers[2]);
	assert_null(eventhandler_next(EVENT_VM_LOWMEM, &handlers[2]));
}

static struct eventhandler quitter;

static void
quit(void *arg, uint32_t flags)
{
	(void)flags;
	eventhandler_deregister(EVENT_VM_LOWMEM, arg);
}

RUN_TEST(eventhandler_may_leave_while_it_runs)
{
	(void)arg;
	boot();
	quitter = (struct eventhandler){ .name = "q", .fn = quit, .arg = &quitter,
		.priority = EVENTHANDLER_PRI_ANY };
	register_all();
	eventhandler_register(EVENT_VM_LOWMEM, &quitter);
	assert_int_equal(eventhandler_invoke(EVENT_VM_LOWMEM, 0), 4);
	assert_int_equal(eventhandler_invoke(EVENT_VM_LOWMEM, 0), 3);
	assert_string_equal(order, "acbacb");
}

static struct uma_zone zone;
static void *last_item;

static void
give_item(void *arg, uint32_t flags)
{
	(void)arg;
	(void)flags;
	uma_zfree(&zone, last_item);
}

/* Contract 1.17, T3: each event runs every handler once; then slabs go back. */
RUN_TEST(object_T3_each_lowmem_event_runs_each_handler_once)
{
	struct eventhandler giver = { .name = "giver", .fn = give_item };
	uint32_t i, free_pages;

	(void)arg;
	boot();
	register_all();
	for (i = 1; i <= 4; i++) {
		vm_lowmem(0);
		assert_int_equal(last_flags, 0);
		assert_int_equal(handlers[0].runs, i);
		assert_int_equal(handlers[1].runs, i);
		assert_int_equal(handlers[2].runs, i);
		assert_int_equal(mm_params.v_lowmem, i);
	}
	uma_zone_init(&zone, "test", 200);
	free_pages = vm_domains[0].v_free_count;
	last_item = uma_zalloc(&zone, UMA_NORMAL);
	eventhandler_register(EVENT_VM_LOWMEM, &giver);
	vm_lowmem(0); /* what the handler frees goes at once */
	eventhandler_deregister(EVENT_VM_LOWMEM, &giver);
	assert_int_equal(vm_domains[0].v_free_count, free_pages);
	assert_int_equal(mm_params.uma_reclaimed, 1);
	sim_mm_check();
}

/* ---- the rate of events: at most one in vm.lowmem_period */

RUN_TEST(lowmem_due_once_a_period)
{
	uint32_t i, due = 0;

	(void)arg;
	boot();
	mm_params.lowmem_period = 10;
	assert_true(vm_lowmem_due()); /* the first one needs no period after boot */
	for (i = 0; i < 1000; i++) {
		sim_advance_us(100000);
		due += vm_lowmem_due();
	}
	assert_in_range(due, 9, 10);
	mm_params.lowmem_period = 0;
	sim_advance_us(1);
	assert_true(vm_lowmem_due());
}

/* Quirk Q11: nothing in the first period after boot. */
RUN_TEST(quirk_Q11a_raw_ticks_are_deaf_at_first)
{
	uint32_t i, first = 0;

	(void)arg;
	boot();
	mm_params.lowmem_period = 10;
	mm_params.lowmem_raw_ticks = 1;
	for (i = 1; i <= 300 && first == 0; i++) {
		sim_advance_us(100000);
		if (vm_lowmem_due())
			first = i;
	}
	assert_in_range(first, 100, 102);
	assert_false(vm_lowmem_due());
}

/* Quirk Q11: past 2^31 ticks of a millisecond nothing is due; mended it is. */
RUN_TEST(quirk_Q11b_raw_ticks_break_when_they_wrap)
{
	(void)arg;
	boot();
	mm_params.lowmem_period = 10;
	assert_true(vm_lowmem_due());
	mm_params.lowmem_raw_ticks = 1;
	sim_advance_us(20000000);
	assert_true(vm_lowmem_due());
	sim_advance_us(2147483648000ull - 60000000);
	assert_true(vm_lowmem_due());
	sim_advance_us(120000000);
	assert_false(vm_lowmem_due()); /* the ticks are negative now */
	mm_params.lowmem_raw_ticks = 0;
	assert_true(vm_lowmem_due());
}

/* ---- requests to the vm daemon */

static uint32_t taken[8], takings;

static void
daemon_task(void *arg)
{
	uint32_t request;

	(void)arg;
	while (takings < 8) {
		request = vm_request_wait(SLEEP_FOREVER);
		taken[takings++] = request;
	}
}

RUN_TEST(daemon_requests_add_up_and_wake_once_a_second)
{
	struct task *t;

	(void)arg;
	boot();
	takings = 0;
	assert_int_equal(task_create(&t, "vmdaemon", PRI_NORMAL, daemon_task, NULL), 0);
	sim_advance_us(2000000);
	tsleep(&takings, "test", 1000);
	vm_req_vmdaemon(VM_SWAP_IDLE);
	tsleep(&takings, "test", 1000);
	assert_int_equal(takings, 1);
	assert_int_equal(taken[0], VM_SWAP_IDLE);
	vm_req_vmdaemon(VM_SWAP_IDLE);
	tsleep(&takings, "test", 900000);
	vm_req_vmdaemon(VM_SWAP_NORMAL);
	tsleep(&takings, "test", 1000);
	assert_int_equal(takings, 1); /* within the second: noted, not woken */
	tsleep(&takings, "test", 200000);
	vm_req_vmdaemon(0);
	tsleep(&takings, "test", 1000);
	assert_int_equal(takings, 2);
	assert_int_equal(taken[1], VM_SWAP_IDLE | VM_SWAP_NORMAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eventhandler_runs_in_order_of_priority),
		cmocka_unit_test(eventhandler_may_leave_while_it_runs),
		cmocka_unit_test(object_T3_each_lowmem_event_runs_each_handler_once),
		cmocka_unit_test(lowmem_due_once_a_period),
		cmocka_unit_test(quirk_Q11a_raw_ticks_are_deaf_at_first),
		cmocka_unit_test(quirk_Q11b_raw_ticks_break_when_they_wrap),
		cmocka_unit_test(daemon_requests_add_up_and_wake_once_a_second),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
