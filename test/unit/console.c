/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kern/console.c against a simulated serial port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/console.h"
#include "kern/kern_params.h"
#include "kern/sched.h"
#include "test/host/sim_machdep.h"

/* A port that sends one byte every 87 us (115200 baud) by a simulated interrupt,
 * and at once when polled. */
static char wire[65536];
static size_t wire_bytes;
static size_t polled_bytes;
static struct sim_event tx_event;
static uint64_t byte_us = 87;

static void
wire_put(char c)
{
	assert_true(wire_bytes + 1 < sizeof(wire));
	wire[wire_bytes++] = c;
	wire[wire_bytes] = '\0';
}

static void port_tx_start(void);

static void
port_tx_irq(void *arg)
{
	int c = console_tx_next();

	(void)arg;
	if (c < 0)
		return;
	wire_put((char)c);
	while (byte_us == 0 && (c = console_tx_next()) >= 0)
		wire_put((char)c);
	port_tx_start();
}

static void
port_tx_start(void)
{
	assert_false(intr_enabled());
	if (!tx_event.pending)
		sim_event_schedule(&tx_event, byte_us, port_tx_irq, NULL);
}

static void
port_put_poll(char c)
{
	polled_bytes++;
	wire_put(c);
}

static const struct console_dev port = {
	.name = "sim",
	.tx_start = port_tx_start,
	.put_poll = port_put_poll,
};

static void
port_attach(void)
{
	console_drain();
	tx_event.pending = false;
	wire_bytes = 0;
	polled_bytes = 0;
	wire[0] = '\0';
	console_attach(&port);
}

static void
wait_sent(void)
{
	tsleep(&wire, "wire", 2000000);
}

/* ---- output */

static void
polled_body(void *arg)
{
	(void)arg;
	port_attach();
	kprintf("before %d\n", 1);
	assert_string_equal(wire, "before 1\r\n");
	assert_int_equal(polled_bytes, 10);
	console_start();
	kprintf("after\n");
	assert_int_equal(polled_bytes, 10); /* by interrupt now */
	wait_sent();
	assert_string_equal(wire, "before 1\r\nafter\r\n");
	assert_int_equal(polled_bytes, 10);
}

SIM_TEST(polled)

static struct console_writer writers[2];

/* Writes its line in small pieces, giving up the core between them. */
static void
line_writer(void *arg)
{
	struct console_writer *w = arg;
	const char *piece = w == &writers[0] ? "aaaaa" : "bbbbbbb";

	for (int line = 0; line < 80; line++) {
		for (int i = 0; i < 8; i++) {
			console_write(w, piece, strlen(piece));
			sched_yield();
		}
		console_write(w, "\n", 1);
	}
	console_write(w, piece, strlen(piece));
	console_flush(w);
	console_flush(w); /* empty: nothing */
}

/* Each line on the wire is of one writer and complete. */
static void
check_lines(uint32_t expected_lines)
{
	uint32_t lines = 0;
	char *save = NULL;

	for (char *line = strtok_r(wire, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		size_t a = strspn(line, "a");
		size_t b = strspn(line, "b");

		assert_true(a + b == strlen(line));
		assert_true(a == 0 || b == 0);
		assert_true(a == 40 || a == 5 || b == 56 || b == 7);
		lines++;
	}
	assert_int_equal(lines, expected_lines);
}

static void
atomic_body(void *arg)
{
	struct task *t;

	(void)arg;
	port_attach();
	console_start();
	memset(writers, 0, sizeof(writers));
	assert_int_equal(task_create(&t, "a", PRI_NORMAL, line_writer, &writers[0]), 0);
	assert_int_equal(task_create(&t, "b", PRI_NORMAL, line_writer, &writers[1]), 0);
	wait_sent();
	assert_int_equal(polled_bytes, 0);
	assert_true(kern_params.console_waits > 0); /* the ring was full */
	check_lines(162);
}

/* A port so fast that the ring empties between any two masked sections. */
static void
busy_port_body(void *arg)
{
	(void)arg;
	port_attach();
	console_start();
	for (int i = 0; i < 300; i++) {
		uint64_t saved = intr_disable();

		/* Fill up without letting the port work, then need room. */
		while (kern_params.console_lines % 60 != 59)
			kprintf("%066d\n", i);
		intr_restore(saved);
		kprintf("%066d\n", i);
		wire_bytes = 0;
	}
	wait_sent();
}

static void
test_atomic(void **state)
{
	sim_run(atomic_body, state);
	sim_random_scheduler(sim_seed(4711));
	sim_run(atomic_body, state);
	byte_us = 0; /* one interrupt empties the ring, wherever it is let in */
	sim_run(busy_port_body, state);
	byte_us = 87;
	sim_random_scheduler(0);
}

static void
edit_body(void *arg)
{
	static char text[16] = "ls /ap";

	(void)arg;
	port_attach();
	console_start();
	console_raw("ebb> ls /ap", 11);
	console_set_edit("ebb> ", text, 6);
	kprintf("one\ntwo\n");
	wait_sent();
	assert_string_equal(wire, "ebb> ls /ap\r\033[Kone\r\ntwo\r\nebb> ls /ap");
	wire_bytes = 0;
	console_set_edit("ebb> ", text, 2);
	kprintf("no newline");
	wait_sent();
	assert_string_equal(wire, "\r\033[Kno newline\r\nebb> ls /ap\033[4D");
	wire_bytes = 0;
	console_set_edit(NULL, NULL, 0);
	kprintf("plain\n");
	wait_sent();
	assert_string_equal(wire, "plain\r\n");
}

SIM_TEST(edit)

static void
irq_prints(void *arg)
{
	(void)arg;
	kprintf("from the interrupt\n");
}

/* A full ring: interrupt context polls, and the order stays. */
static void
full_irq_body(void *arg)
{
	static struct sim_event event;
	size_t i;

	(void)arg;
	port_attach();
	console_start();
	for (i = 0; i < 66; i++)
		kprintf("%060zu\n", i); /* 4092 of 4096 bytes */
	assert_int_equal(polled_bytes, 0);
	sim_event_schedule(&event, 1, irq_prints, NULL);
	sim_advance_us(3);
	assert_true(polled_bytes > 0);
	wait_sent();
	assert_memory_equal(wire + 66 * 62, "from the interrupt\r\n", 20);
	for (i = 0; i < 66; i++)
		assert_int_equal(strtoul(wire + i * 62, NULL, 10), i);
}

SIM_TEST(full_irq)

/* So does a task that has interrupts masked. */
static void
full_masked_body(void *arg)
{
	uint64_t saved;

	(void)arg;
	port_attach();
	console_start();
	saved = intr_disable();
	for (int i = 0; i < 100; i++)
		kprintf("%060d\n", i);
	intr_restore(saved);
	assert_true(kern_params.console_polls > 0);
	assert_int_equal(kern_params.console_waits, 0);
	console_drain();
	assert_int_equal(wire_bytes, 6200);
}

SIM_TEST(full_masked)

static void
long_line_body(void *arg)
{
	struct console_writer *w = &writers[0];

	(void)arg;
	port_attach();
	memset(writers, 0, sizeof(writers));
	for (int i = 0; i < 511; i++)
		console_write(w, "x", 1);
	console_write(w, "\n", 1); /* just fits: no line is broken */
	assert_int_equal(wire_bytes, 513);
	for (int i = 0; i < 512; i++)
		console_write(w, "y", 1);
	assert_int_equal(wire_bytes, 513 + 513);
	console_flush(w);
	assert_string_equal(wire + 513 + 511, "\r\ny\r\n");
	wire_bytes = 0;
	kprintf("%0600d\n", 0);
	assert_int_equal(wire_bytes, 512);
	assert_string_equal(wire + 510, "\r\n");
}

SIM_TEST(long_line)

static void
attach_late(void)
{
	console_attach(&port);
}

/* A panic before boot has come to the console: it gets one, with what was printed so far. */
static void
panic_without_console_body(void *arg)
{
	(void)arg;
	port_attach();
	console_attach(NULL);
	kprintf("early words\n");
	assert_string_equal(wire, "");
	console_panic_mode();
	console_put_poll('!');
	assert_string_equal(wire, "");
	console_attach(NULL);
	kprintf("and more\n");
	console_set_fallback(attach_late);
	console_panic_mode();
	console_put_poll('!');
	assert_string_equal(wire, "and more\r\n!");
	/* One that is there stays. */
	wire_bytes = 0;
	console_panic_mode();
	console_put_poll('?');
	assert_string_equal(wire, "?");
	console_set_fallback(NULL);
}

SIM_TEST(panic_without_console)

/* ---- input */

static void
type_x(void *arg)
{
	(void)arg;
	console_rx('x');
	console_rx('y');
}

static void
kill_test(void *arg)
{
	wakeup_task(arg);
}

static void
getc_body(void *arg)
{
	static struct sim_event event;
	uint64_t start = timer_now_us();

	(void)arg;
	assert_int_equal(console_getc(1000), ERR_TIMEDOUT);
	assert_in_range(timer_now_us() - start, 1000, 1010);
	sim_event_schedule(&event, 500, type_x, NULL);
	assert_int_equal(console_getc(0), 'x');
	assert_int_equal(console_getc(1000), 'y');
	for (int i = 0; i < 300; i++)
		console_rx((char)('0' + i % 10));
	assert_int_equal(kern_params.console_rx_dropped, 44);
	for (int i = 0; i < 256; i++)
		assert_int_equal(console_getc(1), '0' + i % 10);
	sim_event_schedule(&event, 500, kill_test, curtask());
	assert_int_equal(console_getc(0), ERR_TIMEDOUT);
	console_rx((char)0xff);
	assert_int_equal(console_getc(0), 0xff); /* no byte looks like an error */
}

SIM_TEST(getc)

/* ---- panic */

static void
panic_body(void *arg)
{
	(void)arg;
	port_attach();
	console_start();
	kprintf("last words\n");
	console_panic_mode();
	assert_string_equal(wire, "last words\r\n");
	kprintf("polled\n");
	assert_string_equal(wire, "last words\r\npolled\r\n");
	assert_false(intr_enabled());
	intr_restore(0);
	port_attach();
}

SIM_TEST(panic)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_polled),
		cmocka_unit_test(test_atomic),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_full_irq),
		cmocka_unit_test(test_full_masked),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_panic_without_console),
		cmocka_unit_test(test_getc),
		cmocka_unit_test(test_panic),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
